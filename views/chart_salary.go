package views

import (
	"math/big"
	"slices"
	"strconv"
	"time"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
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
	Flat   bool        // some amounts are of a whole record
	Last   *salaryStep // the step that is salary_now (docs/figures.md), nil when none is or the drawing is of the other kind of pay
}

// salarySeries says which amounts are drawn. A drawing never mixes two kinds.
type salarySeries string

const (
	seriesNone      salarySeries = ""
	seriesMovements salarySeries = "movements" // daily SBC of each movement, and that of each record without one
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
	figures.Step
	Employer string
	X, X2, W string
	Y, H     int
	RiseY    int // where a rise or fall from the step before ends, -1 when there is none
	value    *big.Rat
}

const (
	narrowest  = 300.0 // pixels: the drawing is not scrolled, it fits the screen
	salaryTop  = 22
	salaryTall = 240
)

// drawSalaries lays out the salary progression as of a date: the daily amounts when movements date at least two of them,
// else the monthly ones of the records, else their daily ones. The steps are those that the figures are computed from, so
// that the page cannot say two things of one salary. Monthly ones may be drawn where salary_now is daily: none of them is
// marked as the salary of the date then.
func drawSalaries(h employment.History, asOf time.Time) salaries {
	s := salaries{Top: salaryTop, Base: salaryTop + salaryTall, Height: salaryTop + salaryTall + 28}
	daily, monthly := figures.Steps(h, asOf, figures.Daily), figures.Steps(h, asOf, figures.Monthly)
	dated := 0
	for _, step := range daily {
		if !step.Flat {
			dated++
		}
	}
	var steps []figures.Step
	switch {
	case dated >= 2:
		s.Series, steps = seriesMovements, daily
	case len(monthly) >= 2:
		s.Series, steps = seriesMonthly, monthly
	case len(daily) >= 2:
		s.Series, steps = seriesDaily, daily
	default:
		return salaries{}
	}
	for _, step := range steps {
		s.Flat = s.Flat || step.Flat
		s.Steps = append(s.Steps, salaryStep{Step: step, Employer: h.Records[step.Record].Employer, value: decimalOf(step.Amount)})
	}
	s.place(asOf)
	if (s.Series == seriesMonthly) != (figures.KindOf(h, asOf) == figures.Monthly) {
		s.Last = nil
	}
	return s
}

func (s *salaries) place(asOf time.Time) {
	top := new(big.Rat)
	for _, step := range s.Steps {
		if step.value.Cmp(top) > 0 {
			top = step.value
		}
	}
	scale := scaleOver(s.Steps[0].From, asOf)
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
		for j := range s.Steps[:i] {
			before := &s.Steps[j]
			if before.Record == p.Record && before.To.AddDate(0, 0, 1).Equal(p.From) {
				p.RiseY = before.Y
			}
		}
		if p.Stands && (s.Last == nil || p.value.Cmp(s.Last.value) > 0) {
			s.Last = p
		}
	}
}

// ends are the first and the last salary that the drawing's description tells: the marked one is the last where one is.
func (s salaries) ends() (first, last salaryStep) {
	if s.Last != nil {
		return s.Steps[0], *s.Last
	}
	return s.Steps[0], s.Steps[len(s.Steps)-1]
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
	Change int // tenths of a percent against the amount that it is compared with (figures.Compare)
	Known  bool
	Other  bool // that amount was another employer's
	First  bool // the earliest amount of its job: there is nothing to compare it with
}

func salaryRows(h employment.History, asOf time.Time) []salaryRow {
	rows := make([]salaryRow, len(h.Movements))
	for i, c := range figures.Compare(h, asOf) {
		m := h.Movements[i]
		rows[i] = salaryRow{Movement: m, Index: i, Other: c.Other, First: c.Record >= 0 && c.Before == ""}
		rows[i].Change, rows[i].Known = changeTenths(c.Before, m.BaseSalary)
	}
	slices.SortStableFunc(rows, func(a, b salaryRow) int { return a.Date.Compare(b.Date) })
	slices.Reverse(rows)
	return rows
}
