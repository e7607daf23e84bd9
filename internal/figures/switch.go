package figures

import (
	"math/big"
	"slices"
)

// change is a change of employer: from is what the old one paid last before to, what the new one paid first.
type change struct {
	before, after stay
	from, to      point
	compared      bool
}

// changes finds the changes of employer. The stay before another is, of those that began earlier and ended earlier, the one that
// ended last; a stay that goes on has not ended. Coming back to the same employer is no change. nameless tells that
// some may be missing because an employer is not told.
func (c *chart) changes() (found []change, nameless bool) {
	for _, b := range c.stays {
		var a stay
		ok := false
		for _, s := range c.stays {
			earlier := s.from < b.from && !s.stands && (b.stands || s.to < b.to)
			if earlier && (!ok || s.to > a.to || s.to == a.to && s.from > a.from) {
				a, ok = s, true
			}
		}
		switch {
		case !ok:
			continue
		case a.employer < 0 || b.employer < 0:
			nameless = true
			continue
		case a.employer == b.employer:
			continue
		}
		x := change{before: a, after: b}
		last := min(a.to, b.from-1)
		for _, p := range a.line() {
			if p.day <= last {
				x.from, x.compared = p, true
			}
		}
		line := b.line()
		x.compared = x.compared && len(line) > 0
		if x.compared {
			x.to = line[0]
		}
		found = append(found, x)
	}
	return found, nameless
}

func (c *chart) switchFigures() []Figure {
	changes, nameless := c.changes()
	compared := 0
	count := func(id ID, sign int) Figure {
		f := Figure{ID: id, Unit: Count, Known: true, Of: len(changes)}
		compared = 0
		for _, x := range changes {
			if !x.compared {
				continue
			}
			compared++
			if x.to.amount.Cmp(x.from.amount) == sign {
				f.Count++
				f.Records = append(f.Records, x.from.record, x.to.record)
			}
		}
		f.Records = rising(f.Records)
		if compared < len(changes) {
			f.Bound, f.Cautions = AtLeast, append(f.Cautions, Uncompared)
		}
		if nameless {
			f.Bound, f.Cautions = AtLeast, append(f.Cautions, Nameless)
		}
		if len(c.undated) > 0 {
			f.Bound = AtLeast
		}
		if slices.ContainsFunc(changes, func(x change) bool { return x.compared && c.early(x) }) {
			f.Cautions = append(f.Cautions, Flat)
		}
		return f
	}
	figures := []Figure{count(SwitchRises, 1), count(SwitchFalls, -1)}
	for i, f := range figures {
		switch {
		case len(c.spells) == 0:
			figures[i] = unknown(f.ID, Count, c.blank())
		case compared == 0 && len(changes) > 0:
			figures[i] = unknown(f.ID, Count, NoAmount)
		}
	}
	return figures
}

// early tells whether a change rests on an amount that the source gave for a whole job: the old job's at its end is then
// right, but what the new one paid first may have been another.
func (c *chart) early(x change) bool { return x.to.flat || x.from.flat && x.before.to >= x.after.from }

// medianChange is the middle of all changes of salary: those within a stay, and those on changing employer. Of an even
// number it is half-way between the two in the middle.
func (c *chart) medianChange() Figure {
	if len(c.spells) == 0 {
		return unknown(MedianChange, Share, c.blank())
	}
	var all []*big.Rat
	f := Figure{ID: MedianChange, Unit: Share, Known: true}
	take := func(a, b point) {
		if a.amount.Cmp(b.amount) == 0 {
			return
		}
		all = append(all, share(a.amount, b.amount))
		f.Records = append(f.Records, a.record, b.record)
		if a.flat || b.flat {
			f.Cautions = []Caution{Flat}
		}
	}
	amounts := false
	for _, s := range c.stays {
		line := s.line()
		amounts = amounts || len(line) > 0
		for i := 1; i < len(line); i++ {
			take(line[i-1], line[i])
		}
	}
	changes, _ := c.changes()
	for _, x := range changes {
		if x.compared {
			take(x.from, x.to)
		}
	}
	switch {
	case !amounts:
		return unknown(MedianChange, Share, NoAmount)
	case len(all) == 0:
		return unknown(MedianChange, Share, NoChanges)
	}
	slices.SortFunc(all, (*big.Rat).Cmp)
	n := len(all)
	middle := new(big.Rat).Add(all[(n-1)/2], all[n/2])
	f.Tenths, f.Count = tenths(middle.Mul(middle, big.NewRat(1, 2))), n
	f.Records = rising(f.Records)
	return f
}
