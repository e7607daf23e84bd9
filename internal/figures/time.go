package figures

import (
	"math/big"
	"slices"
	"time"

	"cotejo/internal/employment"
)

func (c *chart) employed() Figure {
	f := Figure{ID: Employed, Unit: YesNo, Known: true}
	for _, s := range c.on(c.day) {
		f.Yes = true
		f.Records = append(f.Records, s.record)
	}
	if !f.Yes && c.maybe(c.day) {
		return unknown(Employed, YesNo, Undated)
	}
	f.Records = rising(f.Records)
	return f
}

func (c *chart) currentJob() Figure {
	now, several, ok := c.current()
	if !ok {
		return unknown(CurrentJob, Days, c.jobless())
	}
	f := Figure{ID: CurrentJob, Unit: Days, Known: true, Days: c.day - now.from + 1, From: dateOf(now.from), To: dateOf(c.day), Records: now.records()}
	if several {
		f.Cautions = append(f.Cautions, Several)
	}
	for _, s := range c.stays {
		if s.employer >= 0 && s.employer == now.employer && s.to < now.from {
			f.Cautions = append(f.Cautions, Returned)
			break
		}
	}
	if slices.ContainsFunc(c.undated, func(i int) bool { return now.employer >= 0 && c.group[i] == now.employer }) {
		f.Bound = AtLeast
	}
	return f
}

func (c *chart) sinceLast() Figure {
	if len(c.spells) == 0 {
		return unknown(SinceLast, Days, c.blank())
	}
	last := slices.MaxFunc(c.spells, func(a, b spell) int { return a.to - b.to })
	if last.stands {
		return unknown(SinceLast, Days, IsEmployed)
	}
	f := Figure{ID: SinceLast, Unit: Days, Known: true, Days: c.day - last.to, From: dateOf(last.to + 1), To: dateOf(c.day)}
	for _, s := range c.spells {
		if s.to == last.to {
			f.Records = append(f.Records, s.record)
		}
	}
	f.Records = rising(f.Records)
	if c.maybe(last.to + 1) {
		f.Bound = AtMost
	}
	return f
}

func (c *chart) weeksWorked() Figure {
	if len(c.spells) == 0 && len(c.undated) > 0 {
		return unknown(WeeksWorked, Weeks, Undated)
	}
	f := Figure{ID: WeeksWorked, Unit: Weeks, Known: true}
	covered := 0 // the first day that is not counted yet
	for i, s := range c.spells {
		if i == 0 || s.from > covered {
			covered = s.from
		}
		if s.to >= covered {
			f.Days += s.to - covered + 1
			covered = s.to + 1
		}
		f.Records = append(f.Records, s.record)
	}
	f.Records = rising(f.Records)
	if len(c.undated) > 0 {
		f.Bound = AtLeast
	}
	return f
}

// weeksMany counts the days with stays at two employers or more. That one day on which a job ends and the next begins is
// no overlap is the rule of employment.Spans, which is asked here about stays as if they were records.
func (c *chart) weeksMany() Figure {
	if len(c.spells) == 0 && len(c.undated) > 0 {
		return unknown(WeeksMany, Weeks, Undated)
	}
	f := Figure{ID: WeeksMany, Unit: Weeks, Known: true}
	named := func(s stay) bool { return s.employer >= 0 }
	for _, o := range c.overlaps(named) {
		f.Days += o.Days()
		f.Records = append(f.Records, o.Records...)
	}
	f.Records = rising(f.Records)
	all := 0
	for _, o := range c.overlaps(func(stay) bool { return true }) {
		all += o.Days()
	}
	if all > f.Days {
		f.Bound, f.Cautions = AtLeast, append(f.Cautions, Nameless)
	}
	if len(c.undated) > 0 {
		f.Bound = AtLeast
	}
	return f
}

// overlaps gives the stretches with two stays or more, with the indexes of the records behind them.
func (c *chart) overlaps(take func(stay) bool) []employment.Overlap {
	var stays []stay
	var as []employment.Record
	for _, s := range c.stays {
		if take(s) {
			stays = append(stays, s)
			r := employment.Record{Start: dateOf(s.from), End: dateOf(s.to)}
			if c.onward(s) {
				r.End = time.Time{}
			}
			as = append(as, r)
		}
	}
	_, found := employment.Spans(as, dateOf(c.day))
	for i, o := range found {
		var records []int
		for _, j := range o.Records {
			for _, s := range stays[j].spells {
				if s.from <= dayOf(o.To) && s.to >= dayOf(o.From) {
					records = append(records, s.record)
				}
			}
		}
		found[i].Records = records
	}
	return found
}

// onward tells whether a stay goes on after the day of the chart.
func (c *chart) onward(s stay) bool {
	return slices.ContainsFunc(s.spells, func(p spell) bool {
		r := c.records[p.record]
		return r.Open() || dayOf(r.End) > c.day
	})
}

func (c *chart) employers() []Figure {
	if len(c.stays) == 0 && len(c.undated) > 0 {
		return []Figure{unknown(EmployersTotal, Count, Undated), unknown(EmployersUnique, Count, Undated), unknown(EmployersPerYear, Rate, Undated)}
	}
	total := Figure{ID: EmployersTotal, Unit: Count, Known: true, Count: len(c.stays)}
	unique := Figure{ID: EmployersUnique, Unit: Count, Known: true}
	seen := map[int]bool{}
	for _, s := range c.stays {
		total.Records = append(total.Records, s.records()...)
		if s.employer < 0 {
			unique.Bound, unique.Cautions = AtLeast, []Caution{Nameless}
			continue
		}
		seen[s.employer] = true
		unique.Records = append(unique.Records, s.records()...)
	}
	unique.Count = len(seen)
	if len(c.undated) > 0 {
		total.Bound, unique.Bound = AtLeast, AtLeast
	}
	total.Records, unique.Records = rising(total.Records), rising(unique.Records)
	if len(seen) == 0 && len(c.stays) > 0 {
		return []Figure{total, unknown(EmployersUnique, Count, Unnamed), unknown(EmployersPerYear, Rate, Unnamed)}
	}
	return []Figure{total, unique, c.perYear(unique)}
}

// perYear divides employers by years of 365.25 days, from the first day of the history to the date.
func (c *chart) perYear(unique Figure) Figure {
	if len(c.spells) == 0 {
		return unknown(EmployersPerYear, Rate, NoRecords)
	}
	days := c.day - c.spells[0].from + 1
	if days < 365 {
		return unknown(EmployersPerYear, Rate, UnderYear)
	}
	f := unique
	f.ID, f.Unit, f.Count = EmployersPerYear, Rate, 0
	f.Rate = big.NewRat(int64(unique.Count)*1461, int64(days)*4).FloatString(2) // rounds half away from zero
	return f
}

// gap is a run of days without a job, both ends counted.
type gap struct {
	from, to int
	beside   []int // records that end just before it or begin just after it
	doubtful bool
}

// gaps gives the stretches without a job from a day on, cut there, up to the day of the chart.
func (c *chart) gaps(since int) []gap {
	var found []gap
	add := func(from, to int) {
		g := gap{from: max(from, since), to: to}
		if g.from > g.to {
			return
		}
		for _, s := range c.spells {
			if s.to == from-1 || s.from == to+1 {
				g.beside = append(g.beside, s.record)
			}
		}
		g.doubtful = c.maybe(g.from)
		found = append(found, g)
	}
	end := c.spells[0].to
	for _, s := range c.spells[1:] {
		if s.from > end+1 {
			add(end+1, s.from-1)
		}
		end = max(end, s.to)
	}
	if end < c.day {
		add(end+1, c.day)
	}
	return found
}

// outOfWork is the longest and the total time without a job in the last 1, 3 and 5 years and since the first job.
func (c *chart) outOfWork() []Figure {
	longest := []ID{OutLongest1, OutLongest3, OutLongest5, OutLongestEver}
	total := []ID{OutTotal1, OutTotal3, OutTotal5, OutTotalEver}
	out := make([]Figure, 8)
	for i, years := range []int{1, 3, 5, 0} {
		if len(c.spells) == 0 {
			out[i], out[4+i] = unknown(longest[i], Days, c.blank()), unknown(total[i], Days, c.blank())
			continue
		}
		since, cautions := c.spells[0].from, []Caution(nil)
		if years > 0 {
			if begin := back(c.day, 12*years) + 1; begin >= since {
				since = begin
			} else {
				cautions = []Caution{Short}
			}
		}
		l := Figure{ID: longest[i], Unit: Days, Known: true, Cautions: cautions}
		t := Figure{ID: total[i], Unit: Days, Known: true, Cautions: cautions}
		for _, g := range c.gaps(since) {
			days := g.to - g.from + 1
			t.Days += days
			t.Records = append(t.Records, g.beside...)
			if g.doubtful {
				t.Bound = AtMost
			}
			if days > l.Days {
				l.Days, l.From, l.To, l.Records, l.Bound = days, dateOf(g.from), dateOf(g.to), rising(g.beside), Exact
				if g.doubtful {
					l.Bound = AtMost
				}
			}
		}
		t.Records = rising(t.Records)
		out[i], out[4+i] = l, t
	}
	return out
}
