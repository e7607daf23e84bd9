package employment

import (
	"slices"
	"time"
)

// Gap is a run of days, both ends counted, in which no record has an employer. After is -1 when nothing followed: then
// the gap runs to the date the history was judged on.
type Gap struct {
	From, To      time.Time
	Before, After int // indexes into the records given to Spans
	// Doubtful is set when a record without a usable start may have covered part of these days: the gap is then an
	// upper bound, and a page must say so.
	Doubtful bool
}

// Days counts the days of the gap.
func (g Gap) Days() int { return dayOf(g.To) - dayOf(g.From) + 1 }

// Overlap is a run of days, both ends counted, on each of which at least two records stand.
type Overlap struct {
	From, To time.Time
	Records  []int // indexes of every record that takes part, earliest start first
	Peak     int   // most records on one day
}

// Days counts the days of the overlap.
func (o Overlap) Days() int { return dayOf(o.To) - dayOf(o.From) + 1 }

// Spans finds the gaps and overlaps of a history as of a date. Only dates count, never hours: a record covers its start
// and its end date, an open one runs to asOf. A single free day is a gap. When one record ends on the day on which
// another starts, the source has dated one change of employer twice: that is neither gap nor overlap. Records that
// cannot be placed (no start, or an end before the start) join no span and make the gaps they may touch doubtful.
//
// The result depends on the set of records and on asOf alone, not on their order. Both lists run from early to late.
func Spans(records []Record, asOf time.Time) ([]Gap, []Overlap) {
	placed := place(records, dayOf(asOf))
	if len(placed) == 0 {
		return nil, nil
	}
	return gaps(records, placed, dayOf(asOf)), overlaps(placed)
}

// Placed tells whether a record's dates allow drawing it.
func (r Record) Placed() bool {
	return !r.Start.IsZero() && (r.Open() || !r.End.Before(r.Start))
}

// Stands tells whether a record stands on a day: one without usable dates, or that begins later, does not. The last day of
// a job is one of it.
func (r Record) Stands(on time.Time) bool {
	return r.Placed() && dayOf(r.Start) <= dayOf(on) && (r.Open() || dayOf(r.End) >= dayOf(on))
}

// stretch is a placed record in whole days since 1970, cut at the date.
type stretch struct {
	from, to, record int
	onward           bool // it goes on after the date
}

func place(records []Record, asOf int) []stretch {
	var placed []stretch
	for i, r := range records {
		if !r.Placed() || dayOf(r.Start) > asOf {
			continue
		}
		s := stretch{from: dayOf(r.Start), to: dayOf(r.End), record: i}
		if r.Open() || s.to > asOf {
			s.to, s.onward = asOf, true
		}
		placed = append(placed, s)
	}
	slices.SortFunc(placed, func(a, b stretch) int {
		if a.from != b.from {
			return a.from - b.from
		}
		if a.to != b.to {
			return a.to - b.to
		}
		return a.record - b.record
	})
	return placed
}

func gaps(records []Record, placed []stretch, asOf int) []Gap {
	var found []Gap
	add := func(from, to, before, after int) {
		g := Gap{From: dateOf(from), To: dateOf(to), Before: before, After: after}
		g.Doubtful = slices.ContainsFunc(records, func(r Record) bool { return mayCover(r, g.From) })
		found = append(found, g)
	}
	last := placed[0] // of the records read so far, the one that ends latest
	for _, s := range placed[1:] {
		if s.from > last.to+1 {
			add(last.to+1, s.from-1, last.record, s.record)
		}
		if s.to > last.to {
			last = s
		}
	}
	if asOf > last.to {
		add(last.to+1, asOf, last.record, -1)
	}
	return found
}

// mayCover tells whether a record that cannot be placed could have stood on or after the day from.
func mayCover(r Record, from time.Time) bool {
	if r.Placed() {
		return false
	}
	contradictory := !r.Start.IsZero() // it has a start, so its end lies before it: either date may be wrong
	return contradictory || r.Open() || !r.End.Before(from)
}

func overlaps(placed []stretch) []Overlap {
	var found []Overlap
	for i := 0; i < len(placed); {
		// A cluster is a chain of records that touch; spans of double cover never leave it.
		end, j := placed[i].to, i+1
		for ; j < len(placed) && placed[j].from <= end; j++ {
			end = max(end, placed[j].to)
		}
		found = append(found, within(placed[i:j])...)
		i = j
	}
	return found
}

// within finds the runs of days on which at least two records of a cluster stand.
func within(cluster []stretch) []Overlap {
	type step struct{ day, delta int }
	var steps []step
	for _, s := range cluster {
		steps = append(steps, step{s.from, 1}, step{s.to + 1, -1})
	}
	// All steps of a day are taken together, so that a run is cut only where cover really drops below two.
	slices.SortFunc(steps, func(a, b step) int { return a.day - b.day })
	var found []Overlap
	depth, peak, from := 0, 0, 0
	for i := 0; i < len(steps); {
		day, before := steps[i].day, depth
		for ; i < len(steps) && steps[i].day == day; i++ {
			depth += steps[i].delta
		}
		switch {
		case before < 2 && depth >= 2:
			from, peak = day, depth
		case before >= 2 && depth < 2:
			if o := overlap(cluster, from, day-1, peak); !handover(cluster, o) {
				found = append(found, o)
			}
		default:
			peak = max(peak, depth)
		}
	}
	return found
}

func overlap(cluster []stretch, from, to, peak int) Overlap {
	o := Overlap{From: dateOf(from), To: dateOf(to), Peak: peak}
	for _, s := range cluster {
		if s.from <= to && s.to >= from {
			o.Records = append(o.Records, s.record)
		}
	}
	return o
}

// handover tells whether an overlap is no more than the shared day of two successive records.
func handover(cluster []stretch, o Overlap) bool {
	if o.Days() != 1 || len(o.Records) != 2 {
		return false
	}
	day, ends, starts := dayOf(o.From), false, false
	for _, s := range cluster {
		ends = ends || s.to == day && !s.onward && s.from < day
		starts = starts || s.from == day && (s.to > day || s.onward)
	}
	return ends && starts
}

const secondsPerDay = 24 * 60 * 60

// dayOf numbers the calendar day that t carries. The zone of t plays no part: a date is a date.
func dayOf(t time.Time) int {
	year, month, day := t.Date()
	seconds := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()
	return int(seconds / secondsPerDay) // exact: midnight UTC is a whole multiple, before 1970 as well
}

func dateOf(day int) time.Time { return time.Unix(int64(day)*secondsPerDay, 0).UTC() }
