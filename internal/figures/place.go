package figures

import (
	"cmp"
	"slices"
	"time"

	"cotejo/internal/employment"
)

// chart is a history as of a day: what stands where, and with whom.
type chart struct {
	records []employment.Record
	day     int
	fetched time.Time
	spells  []spell // sorted by start
	stays   []stay  // sorted by start
	undated []int
	later   []int
	group   []int // per record: the employer it belongs to, -1 when it is not told
	pay     Pay
	stray   []int
}

// spell is one record in whole days, cut at the day of the chart.
type spell struct {
	record   int
	from, to int
	stands   bool // on the day of the chart
	points   []point
}

// stay is an uninterrupted time with one employer: its records touch or overlap. The employer is -1 when not told, and
// such a record is a stay of its own.
type stay struct {
	employer int
	from, to int
	stands   bool
	spells   []spell
}

func (s stay) records() []int {
	var all []int
	for _, p := range s.spells {
		all = append(all, p.record)
	}
	return rising(all)
}

func read(h employment.History, day int, fetched time.Time) *chart {
	c := &chart{records: h.Records, day: day, fetched: fetched}
	for i, r := range h.Records {
		switch {
		case !r.Placed():
			c.undated = append(c.undated, i)
		case dayOf(r.Start) > day:
			c.later = append(c.later, i)
		default:
			s := spell{record: i, from: dayOf(r.Start), to: day, stands: r.Open() || dayOf(r.End) >= day}
			if !s.stands {
				s.to = dayOf(r.End)
			}
			c.spells = append(c.spells, s)
		}
	}
	slices.SortFunc(c.spells, func(a, b spell) int {
		x, y := h.Records[a.record], h.Records[b.record]
		// The index decides last, so that nothing but the list of records used depends on the order received.
		return cmp.Or(a.from-b.from, a.to-b.to, cmp.Compare(employment.Fold(x.Employer), employment.Fold(y.Employer)),
			cmp.Compare(x.Registration, y.Registration), cmp.Compare(x.BaseSalary, y.BaseSalary), cmp.Compare(x.Monthly, y.Monthly), a.record-b.record)
	})
	c.group = employment.Employers(h.Records)
	c.readPay(h.Movements)
	c.stays = c.join()
	return c
}

// join makes stays of spells. Two spells of one employer with a single free day between them are two stays.
func (c *chart) join() []stay {
	var stays []stay
	at := map[int]int{} // employer to its latest stay
	for _, s := range c.spells {
		employer := c.group[s.record]
		if i, known := at[employer]; known && employer >= 0 && s.from <= stays[i].to+1 {
			stays[i].spells = append(stays[i].spells, s)
			stays[i].to = max(stays[i].to, s.to)
			stays[i].stands = stays[i].stands || s.stands
			continue
		}
		at[employer] = len(stays)
		stays = append(stays, stay{employer: employer, from: s.from, to: s.to, stands: s.stands, spells: []spell{s}})
	}
	return stays
}

// maybe tells whether a record that cannot be placed may have stood on the day or later: always, when its dates
// contradict each other; else unless it ended before.
func (c *chart) maybe(day int) bool {
	return slices.ContainsFunc(c.undated, func(i int) bool {
		r := c.records[i]
		return !r.Start.IsZero() || r.Open() || dayOf(r.End) >= day
	})
}

// on gives the spells that stand on a day.
func (c *chart) on(day int) []spell {
	var found []spell
	for _, s := range c.spells {
		if s.from <= day && day <= s.to {
			found = append(found, s)
		}
	}
	return found
}

// current is the stay that goes on and began first; ok is false when none goes on.
func (c *chart) current() (now stay, several, ok bool) {
	for _, s := range c.stays { // by start
		if !s.stands {
			continue
		}
		if ok {
			return now, true, true
		}
		now, ok = s, true
	}
	return now, false, ok
}

// jobless says why there is no current job to speak of.
func (c *chart) jobless() Reason {
	if c.maybe(c.day) {
		return Undated
	}
	return NotEmployed
}

// blank says why nothing can be said when no record stands or stood by the day.
func (c *chart) blank() Reason {
	if len(c.undated) > 0 {
		return Undated
	}
	return NoRecords
}

// rising sorts indexes and drops what is there twice.
func rising(list []int) []int {
	slices.Sort(list)
	return slices.Compact(list)
}
