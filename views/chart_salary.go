package views

import (
	"math/big"
	"slices"
	"strconv"
	"time"

	"cotejo/internal/employment"
)

// Amounts are exact text. Here alone they become numbers, for two things that are no amounts: how high a line is drawn,
// and by what share a salary changed. Nothing computed from them is shown as money.

// salaries is the salary progression as a drawing and the rows of its table.
type salaries struct {
	Series salarySeries
	Height int
	Top    int
	Base   int
	Grid   []rung
	Years  []tick
	Steps  []salaryStep
	Last   *salaryStep // the step that reaches the date, nil when none does
}

// salarySeries says which amounts are drawn. A drawing never mixes two kinds.
type salarySeries string

const (
	seriesNone      salarySeries = ""
	seriesMovements salarySeries = "movements" // daily SBC of each movement
	seriesMonthly   salarySeries = "monthly"   // the monthly salary of each record, over its whole length
	seriesDaily     salarySeries = "daily"     // the daily SBC of each record, over its whole length
)

// rung is a line across with its amount in whole pesos.
type rung struct {
	Y     int
	Pesos int64
}

// salaryStep is a stretch of one salary.
type salaryStep struct {
	From     time.Time
	To       time.Time
	Amount   string // exact text as received
	Employer string
	X, X2, W string
	Y, H     int
	RiseY    int // where a rise or fall from the step before ends, -1 when there is none
	reaches  bool
	open     bool
	key      string
	value    *big.Rat
}

const (
	narrowest  = 300.0 // pixels: the drawing is not scrolled, it fits the screen
	salaryTop  = 22
	salaryTall = 240
)

// drawSalaries lays out the salary progression as of a date: from movements when at least two carry an amount, else
// from the records.
func drawSalaries(h employment.History, asOf time.Time) salaries {
	s := salaries{Top: salaryTop, Base: salaryTop + salaryTall, Height: salaryTop + salaryTall + 28}
	for _, from := range []struct {
		series salarySeries
		steps  []salaryStep
	}{
		{seriesMovements, movementSteps(h, asOf)},
		{seriesMonthly, recordSteps(h.Records, asOf, func(r employment.Record) string { return r.Monthly })},
		{seriesDaily, recordSteps(h.Records, asOf, func(r employment.Record) string { return r.BaseSalary })},
	} {
		if len(from.steps) >= 2 {
			s.Series, s.Steps = from.series, from.steps
			break
		}
	}
	if s.Series == seriesNone {
		return salaries{}
	}
	s.place(asOf)
	return s
}

// movementSteps runs each amount to the next movement of the same job, the end of its record, or the date.
func movementSteps(h employment.History, asOf time.Time) []salaryStep {
	moves := slices.Clone(h.Movements)
	slices.SortStableFunc(moves, func(a, b employment.Movement) int { return a.Date.Compare(b.Date) })
	var steps []salaryStep
	for i, m := range moves {
		value := decimalOf(m.BaseSalary)
		if m.Date.IsZero() || value == nil || m.Type == "discharge" {
			continue
		}
		step := salaryStep{From: m.Date, To: asOf, Amount: m.BaseSalary, Employer: m.Employer, value: value, key: jobKey(m.Registration, m.Employer), open: true}
		end := func(t time.Time) {
			if t.Before(step.To) && !t.Before(step.From) {
				step.To, step.open = t, false
			}
		}
		if !m.End.IsZero() {
			end(m.End)
		}
		for _, r := range h.Records {
			covers := r.Placed() && !r.Open() && !m.Date.Before(r.Start) && !m.Date.After(r.End)
			if covers && jobKey(r.Registration, r.Employer) == step.key {
				end(r.End)
			}
		}
		for _, next := range moves[i+1:] {
			if jobKey(next.Registration, next.Employer) != step.key || !next.Date.After(m.Date) {
				continue
			}
			if next.Type == "discharge" {
				end(next.Date)
			} else {
				end(next.Date.AddDate(0, 0, -1))
			}
			break
		}
		steps = append(steps, step)
	}
	return steps
}

// recordSteps draws each record's amount over its whole length: the source does not say when it changed within.
func recordSteps(records []employment.Record, asOf time.Time, of func(employment.Record) string) []salaryStep {
	var steps []salaryStep
	for _, i := range placedByStart(records) {
		r := records[i]
		value := decimalOf(of(r))
		if value == nil {
			continue
		}
		step := salaryStep{From: r.Start, To: r.End, Amount: of(r), Employer: r.Employer, value: value, open: r.Open()}
		if r.Open() {
			step.To = asOf
		}
		if step.To.Before(step.From) {
			step.To = step.From
		}
		steps = append(steps, step)
	}
	return steps
}

// jobKey tells movements of one job from those of another: the registration when given, else the employer.
func jobKey(registration, employer string) string {
	if registration != "" {
		return registration
	}
	return employer
}

func (s *salaries) place(asOf time.Time) {
	first, last, top := s.Steps[0].From, asOf, new(big.Rat)
	for _, step := range s.Steps {
		if step.From.Before(first) {
			first = step.From
		}
		if step.To.After(last) {
			last = step.To
		}
		if step.value.Cmp(top) > 0 {
			top = step.value
		}
	}
	scale := scaleOver(first, last)
	ceiling, step := ladder(top)
	// The amounts beside the rungs keep to themselves on the narrowest phone too.
	scale.left = (textWidth("$"+ceiling.FloatString(0)) + 10) / narrowest * 100
	s.Years = scale.years(7)
	height := func(v *big.Rat) int {
		share := new(big.Rat).Quo(v, ceiling)
		f, _ := share.Float64() // a place on the screen, not an amount
		return int(f*salaryTall + 0.5)
	}
	for rung := int64(1); ; rung++ {
		v := new(big.Rat).Mul(step, new(big.Rat).SetInt64(rung))
		if v.Cmp(ceiling) > 0 {
			break
		}
		s.Grid = append(s.Grid, gridRung(s.Base-height(v), v))
	}
	for i := range s.Steps {
		p := &s.Steps[i]
		p.H = height(p.value)
		p.Y = s.Base - p.H
		p.X, p.X2, p.W = scale.x(p.From), scale.x(p.To.AddDate(0, 0, 1)), scale.width(p.From, p.To)
		p.RiseY = -1
		p.reaches = p.open
		for j := range s.Steps[:i] {
			before := &s.Steps[j]
			if before.key == p.key && p.key != "" && before.To.AddDate(0, 0, 1).Equal(p.From) {
				p.RiseY = before.Y
			}
		}
		if p.reaches && (s.Last == nil || !p.From.Before(s.Last.From)) {
			s.Last = p
		}
	}
}

func gridRung(y int, v *big.Rat) rung {
	whole := new(big.Int).Quo(v.Num(), v.Denom())
	return rung{Y: y, Pesos: whole.Int64()}
}

// ladder gives round rungs of whole pesos under a height that holds top: 4 to 8 of them.
func ladder(top *big.Rat) (ceiling, step *big.Rat) {
	unit := big.NewRat(1, 1)
	for {
		for _, digit := range []int64{1, 2, 5} {
			step = new(big.Rat).Mul(unit, big.NewRat(digit, 1))
			// Eight rungs at most, or the amounts beside them would touch.
			if new(big.Rat).Mul(step, big.NewRat(8, 1)).Cmp(top) >= 0 {
				rungs := new(big.Rat).Quo(top, step)
				n := new(big.Int).Quo(rungs.Num(), rungs.Denom()).Int64()
				if new(big.Rat).SetInt64(n).Cmp(rungs) < 0 {
					n++
				}
				return new(big.Rat).Mul(step, big.NewRat(max(n, 1), 1)), step
			}
		}
		unit = new(big.Rat).Mul(unit, big.NewRat(10, 1))
	}
}

// longestAmount bounds what is read as a number; a longer text is shown and not drawn.
const longestAmount = 24

// decimalOf reads a plain, positive decimal, as locale's Money does; nil for anything else.
func decimalOf(text string) *big.Rat {
	if text == "" || len(text) > longestAmount {
		return nil
	}
	dots := 0
	for i, r := range text {
		switch {
		case r == '.' && i > 0 && i < len(text)-1:
			dots++
		case r < '0' || r > '9':
			return nil
		}
	}
	if dots > 1 {
		return nil
	}
	v, ok := new(big.Rat).SetString(text)
	if !ok || v.Sign() <= 0 {
		return nil
	}
	return v
}

// changeTenths gives the change from one amount to another in tenths of a percent, half away from zero; ok is false
// when either is no plain amount.
func changeTenths(from, to string) (tenths int, ok bool) {
	a, b := decimalOf(from), decimalOf(to)
	if a == nil || b == nil {
		return 0, false
	}
	share := new(big.Rat).Quo(new(big.Rat).Sub(b, a), a)
	share.Mul(share, big.NewRat(1000, 1))
	text := share.FloatString(0) // rounds half away from zero
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// salaryRow is a movement as the table shows it, newest first.
type salaryRow struct {
	employment.Movement
	Index  int // among the movements as received
	Change int // tenths of a percent against the amount before it in time
	Known  bool
	First  bool // the earliest amount: there is nothing to compare it with
}

func salaryRows(moves []employment.Movement) []salaryRow {
	rows := make([]salaryRow, len(moves))
	for i, m := range moves {
		rows[i] = salaryRow{Movement: m, Index: i}
	}
	slices.SortStableFunc(rows, func(a, b salaryRow) int { return a.Date.Compare(b.Date) })
	before := ""
	for i, m := range rows {
		if decimalOf(m.BaseSalary) != nil && m.Type != "discharge" {
			rows[i].First = before == ""
			rows[i].Change, rows[i].Known = changeTenths(before, m.BaseSalary)
			before = m.BaseSalary
		}
	}
	slices.Reverse(rows)
	return rows
}
