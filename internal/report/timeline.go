package report

import (
	"strconv"
	"time"
)

const (
	barHeight = 8.0
	barStep   = 20.0
	// MaxBars is how many bars a timeline draws at most: all of them have to stand on one page.
	MaxBars = 26
)

// timeline draws bars over years. Names stand above their bars, so that a short stay is as readable as a long one.
func (s *sheet) timeline(t Timeline) {
	days := t.To.Sub(t.From).Hours()/24 + 1
	if len(t.Bars) == 0 || len(t.Bars) > MaxBars || days < 1 {
		return
	}
	at := func(day time.Time) float64 { return left + day.Sub(t.From).Hours()/24/days*textWidth }
	end := func(day time.Time) float64 { return at(day.AddDate(0, 0, 1)) }
	height := float64(len(t.Bars))*barStep + 40
	s.room(height)
	base := s.y + 14 + float64(len(t.Bars))*barStep + 4
	for _, m := range t.Marks {
		fill := gapFill
		if m.Lap {
			fill = lapFill
		}
		s.box(at(m.From), s.y+14, max(end(m.To)-at(m.From), .8), base-s.y-14, fill)
	}
	s.years(t, at, base)
	for i, b := range t.Bars {
		y := s.y + 16 + float64(i)*barStep
		name := s.wrap(small.with(7), b.Label, textWidth*.6)[0]
		x, w := at(b.From), max(end(b.To)-at(b.From), 1.2)
		fill := bar
		if b.Open {
			fill = accent
		}
		s.box(x, y+9, w, barHeight, fill)
		s.text(small.with(7), min(x, right-s.width(small.with(7), name)), y+7, name)
	}
	s.rule(left, base, textWidth, quiet)
	last := left - 20.0
	for _, m := range t.Marks {
		middle := (at(m.From) + end(m.To)) / 2
		w := s.width(ref, m.Name)
		if x := middle - w/2; x > last+3 { // letters that would run into each other: the list below has all of them
			s.text(ref, min(x, right-w), base+9, s.clean(m.Name))
			last = x + w
		}
	}
	s.y = base + 18
}

// years writes the years along the upper edge, as many as there is room for.
func (s *sheet) years(t Timeline, at func(time.Time) float64, base float64) {
	last := left - 100.0
	for year := t.From.Year() + 1; year <= t.To.Year(); year++ {
		x := at(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		if x < last+34 || x > right-18 {
			continue
		}
		last = x
		s.put(op{kind: opBox, x: x, y: s.y + 4, w: .5, h: base - s.y - 4, fill: rule})
		s.text(small.with(7), x+3, s.y+9, strconv.Itoa(year))
	}
}
