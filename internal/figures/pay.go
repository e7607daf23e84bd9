package figures

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"

	"cotejo/internal/employment"
)

// point is an amount from a day on.
type point struct {
	day    int
	amount *big.Rat
	text   string // as received
	record int
	move   int  // index among the movements, where it comes from one
	flat   bool // given for the whole record, not for a day
}

// longestAmount bounds what is read as a number.
const longestAmount = 24

// amountOf reads a plain decimal above zero, nil for anything else. Nobody works for nothing, and nothing can be
// compared with zero; so a zero counts as an amount that was not given.
func amountOf(text string) *big.Rat {
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
	v, ok := new(big.Rat).SetString(text)
	if !ok || dots > 1 || v.Sign() <= 0 {
		return nil
	}
	return v
}

// counts tells whether a movement states a salary: a discharge repeats the last one.
func counts(m employment.Movement, day int) bool {
	return !m.Date.IsZero() && dayOf(m.Date) <= day && m.Type != "discharge" && amountOf(m.BaseSalary) != nil
}

// readPay chooses the kind of amount and gives every spell its points: its movements where there are any, else the one
// amount of the record.
func (c *chart) readPay(moves []employment.Movement) {
	daily, monthly := false, false
	for _, s := range c.spells {
		r := c.records[s.record]
		daily = daily || amountOf(r.BaseSalary) != nil
		monthly = monthly || amountOf(r.Monthly) != nil
	}
	for i, m := range moves {
		if !counts(m, c.day) {
			continue
		}
		daily = true
		at := c.owner(m)
		if at < 0 {
			c.stray = append(c.stray, i)
			continue
		}
		c.spells[at].add(point{day: dayOf(m.Date), amount: amountOf(m.BaseSalary), text: m.BaseSalary, record: c.spells[at].record, move: i})
	}
	switch {
	case daily:
		c.pay = Daily
	case monthly:
		c.pay = Monthly
	}
	for i := range c.spells {
		s := &c.spells[i]
		text := c.own(s.record)
		if v := amountOf(text); v != nil && len(s.points) == 0 {
			s.points = []point{{day: s.from, amount: v, text: text, record: s.record, flat: true}}
		}
		slices.SortFunc(s.points, func(a, b point) int { return a.day - b.day })
	}
}

// own is the amount that a record states for itself.
func (c *chart) own(record int) string {
	if c.pay == Daily {
		return c.records[record].BaseSalary
	}
	return c.records[record].Monthly
}

// owner gives the spell that a movement belongs to, -1 when it belongs to none. Of several that it fits, two records of
// one employer, it is the one that begins on the movement's day, else the one that began first: where a job ends on the day
// on which the next one begins, a new salary is the new job's.
func (c *chart) owner(m employment.Movement) int {
	found := -1
	for i, s := range c.spells { // by start
		if c.belongs(m, s) && (found < 0 || s.from == dayOf(m.Date)) {
			found = i
		}
	}
	return found
}

// belongs tells whether a movement is one of a spell: within its days, and of its registration or, where one of the two
// has none, of its name.
func (c *chart) belongs(m employment.Movement, s spell) bool {
	if day := dayOf(m.Date); day < s.from || day > s.to {
		return false
	}
	r := c.records[s.record]
	if a, b := employment.FoldRegistration(m.Registration), employment.FoldRegistration(r.Registration); a != "" && b != "" {
		return a == b
	}
	name := employment.Fold(m.Employer)
	return name != "" && name == employment.Fold(r.Employer)
}

// add takes a movement in; of two on one day the higher one stays.
func (s *spell) add(p point) {
	for i, q := range s.points {
		if q.day == p.day {
			if p.amount.Cmp(q.amount) > 0 {
				s.points[i] = p
			}
			return
		}
	}
	s.points = append(s.points, p)
}

// paid gives the amount of a spell on a day.
func (s spell) paid(day int) (p point, ok bool) {
	for _, q := range s.points {
		if q.day <= day {
			p, ok = q, true
		}
	}
	return p, ok
}

// best gives the highest amount of some spells on a day. Amounts of several jobs are never added: two records on one day
// are often one job reported twice.
func best(spells []spell, day int) (top point, missing, ok bool) {
	for _, s := range spells {
		if day < s.from || day > s.to {
			continue
		}
		p, paid := s.paid(day)
		switch {
		case !paid:
			missing = true
		case !ok || p.amount.Cmp(top.amount) > 0:
			top, ok = p, true
		}
	}
	return top, missing, ok
}

// salaryOn is the salary on a day, with what a reader has to know of it.
func (c *chart) salaryOn(day int) (p point, cautions []Caution, why Reason) {
	standing := c.on(day)
	if len(standing) == 0 {
		if c.maybe(day) {
			return p, nil, Undated
		}
		return p, nil, NotEmployed
	}
	p, missing, ok := best(standing, day)
	if !ok {
		return p, nil, NoAmount
	}
	if len(standing) > 1 {
		cautions = append(cautions, Several)
	}
	if missing {
		cautions = append(cautions, Missing)
	}
	return p, append(cautions, c.doubts(p, day)...), ""
}

// doubts tells what stands against an amount on a day: that it is the source's last word on the whole job, which went on
// after that day; or that the record itself says another amount than its last movement.
func (c *chart) doubts(p point, day int) []Caution {
	r := c.records[p.record]
	if p.flat {
		if r.Open() && (c.fetched.IsZero() || day >= dayOf(c.fetched)) || !r.Open() && day >= dayOf(r.End) {
			return nil
		}
		return []Caution{Flat}
	}
	at := slices.IndexFunc(c.spells, func(s spell) bool { return s.record == p.record })
	last := c.spells[at].points[len(c.spells[at].points)-1]
	if own := amountOf(c.own(p.record)); own != nil && last.day == p.day && own.Cmp(p.amount) != 0 && day == c.day && !c.fetched.IsZero() && day >= dayOf(c.fetched) {
		return []Caution{Differs}
	}
	return nil
}

func (c *chart) salaryNow() Figure {
	p, cautions, why := c.salaryOn(c.day)
	if why != "" {
		return unknown(SalaryNow, Money, why)
	}
	return Figure{ID: SalaryNow, Unit: Money, Known: true, Cautions: cautions, Amount: p.text, Pay: c.pay, Records: []int{p.record}}
}

func (c *chart) salaryChange(id ID, months int) Figure {
	now, cautions, why := c.salaryOn(c.day)
	if why != "" {
		return unknown(id, Share, why)
	}
	then, more, why := c.salaryOn(back(c.day, months))
	switch why {
	case NotEmployed:
		return unknown(id, Share, NotEmployedThen)
	case NoAmount:
		return unknown(id, Share, NoAmountThen)
	case Undated:
		return unknown(id, Share, Undated)
	}
	if now.flat && then.flat && now.record == then.record {
		return unknown(id, Share, OneAmount)
	}
	return Figure{ID: id, Unit: Share, Known: true, Cautions: both(cautions, more), Before: then.text, After: now.text, Pay: c.pay,
		Tenths: tenths(share(then.amount, now.amount)), Records: rising([]int{then.record, now.record})}
}

func both(a, b []Caution) []Caution {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y Caution) int { return cmp.Compare(x, y) })
	return slices.Compact(all)
}

// share is the change from a to b as a part of a.
func share(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(new(big.Rat).Sub(b, a), a) }

// tenths rounds a share to tenths of a percent, half away from zero. Rounding is the last step, and the only one.
func tenths(v *big.Rat) int {
	text := new(big.Rat).Mul(v, big.NewRat(1000, 1)).FloatString(0)
	n, err := strconv.Atoi(text)
	if err != nil { // beyond what a page can say; amounts have 24 digits at most
		n = 1<<31 - 1
	}
	return n
}

// line is how the salary at one stay moved: a point for each day on which it began to be another.
func (s stay) line() []point {
	var days []int
	for _, p := range s.spells {
		days = append(days, p.to+1)
		for _, q := range p.points {
			days = append(days, q.day)
		}
	}
	var line []point
	for _, day := range rising(days) {
		p, _, ok := best(s.spells, day)
		if ok && (len(line) == 0 || line[len(line)-1].amount.Cmp(p.amount) != 0) {
			p.day = day
			line = append(line, p)
		}
	}
	return line
}

// told tells whether the source says more than one amount for a whole stay.
func (s stay) told() bool {
	points := 0
	for _, p := range s.spells {
		for _, q := range p.points {
			if !q.flat {
				return true
			}
			points++
		}
	}
	return points > 1
}

func (c *chart) currentChanges() Figure {
	now, several, ok := c.current()
	if !ok {
		return unknown(CurrentChanges, Count, c.jobless())
	}
	line := now.line()
	switch {
	case len(line) == 0:
		return unknown(CurrentChanges, Count, NoAmount)
	case !now.told():
		return unknown(CurrentChanges, Count, OneAmount)
	}
	f := Figure{ID: CurrentChanges, Unit: Count, Known: true, Count: len(line) - 1, Records: now.records()}
	if several {
		f.Cautions = append(f.Cautions, Several)
	}
	if slices.ContainsFunc(line, func(p point) bool { return p.flat }) {
		f.Cautions = append(f.Cautions, Flat)
	}
	return f
}
