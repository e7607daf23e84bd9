package figures

import (
	"cmp"
	"slices"
	"time"

	"cotejo/internal/employment"
)

// Step is a stretch of one amount at one record: from the day on which it began to the day before the next one, the end of
// the record, or the date. Drawings are made of steps, so that they show the amounts that the figures are computed from.
type Step struct {
	Record   int // index among the history's records
	From, To time.Time
	Amount   string // exact text as received
	Flat     bool   // the source gives it for the whole record, not for a day
	Stands   bool   // it is an amount of the date
}

// Steps gives the salaries of a history as of a date in one kind of amount, by their first day: the dated ones of its
// movements, and the one amount of each record that has none. Which movement belongs to which record is decided where the
// figures decide it; one that belongs to none gives no step.
func Steps(h employment.History, asOf time.Time, kind Pay) []Step {
	if kind == Monthly {
		h = monthly(h)
	}
	c := read(h, dayOf(asOf), time.Time{})
	if c.pay != kind {
		return nil
	}
	var steps []Step
	for _, s := range c.spells {
		for i, p := range s.points {
			to := s.to
			if i+1 < len(s.points) {
				to = s.points[i+1].day - 1
			}
			steps = append(steps, Step{Record: s.record, From: dateOf(p.day), To: dateOf(to), Amount: p.text, Flat: p.flat, Stands: s.stands && to == s.to})
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	return steps
}

// KindOf is the kind of amount that the figures of a history as of a date are in.
func KindOf(h employment.History, asOf time.Time) Pay { return read(h, dayOf(asOf), time.Time{}).pay }

// monthly is a history with nothing but its monthly amounts: movements state daily ones only.
func monthly(h employment.History) employment.History {
	h.Movements, h.Records = nil, slices.Clone(h.Records)
	for i := range h.Records {
		h.Records[i].BaseSalary = ""
	}
	return h
}

// Compared is what the amount of a movement is compared with.
type Compared struct {
	Record int    // index of the record that the movement belongs to, -1 when it belongs to none or states no amount by the date
	Before string // the amount before it, exact text; "" when there is none to compare with
	Other  bool   // that amount is another employer's: the change came with changing employer
}

// Compare says of each movement what its amount is compared with: the one before it at its record; of the first one of a
// record, the last one of the employer's record before it in the same stay; of the first one of a stay, the last one of the employer
// before, if it counts as a change of employer. Nothing is compared with a job that goes on, nor with a record of
// the same employer that runs beside it. The result has the length and order of the history's movements.
func Compare(h employment.History, asOf time.Time) []Compared {
	c := read(h, dayOf(asOf), time.Time{})
	all := make([]Compared, len(h.Movements))
	for i := range all {
		all[i] = Compared{Record: -1}
	}
	changes, _ := c.changes()
	for _, s := range c.spells {
		for i, p := range s.points {
			if p.flat {
				continue
			}
			at := &all[p.move]
			at.Record = s.record
			if i > 0 {
				at.Before = s.points[i-1].text
				continue
			}
			at.Before, at.Other = c.before(s, p, changes)
		}
	}
	return all
}

// before is what the first dated amount of a spell is compared with.
func (c *chart) before(s spell, p point, changes []change) (text string, other bool) {
	for _, x := range changes {
		if x.compared && x.to.record == s.record && x.to.day == p.day {
			return x.from.text, true
		}
	}
	at := slices.IndexFunc(c.stays, func(t stay) bool {
		return slices.ContainsFunc(t.spells, func(q spell) bool { return q.record == s.record })
	})
	var ended []spell
	last := 0
	for _, q := range c.stays[at].spells {
		switch {
		case q.record == s.record || q.from > p.day:
		case q.to > s.from || q.stands: // a record beside this one: neither follows the other, also when it ended before the first movement
			return "", false
		default:
			ended, last = append(ended, q), max(last, q.to)
		}
	}
	earlier, _, _ := best(ended, min(last, p.day-1))
	return earlier.text, false
}
