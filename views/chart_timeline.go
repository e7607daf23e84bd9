package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cotejo/internal/employment"
)

// A drawing is measured in percent across and pixels down, so that it fills any width while its words keep their size.
// chartWidth is the narrowest it is ever shown (.chart-min): what fits there fits everywhere.
const chartWidth = 640.0

// timeline is an employment history as a drawing. Positions across are SVG percentages ("14.81%"), down in pixels.
type timeline struct {
	Height   int
	Axis     int // y of the upper axis
	Base     int // y of the lower axis
	FromYear int
	ToYear   int
	Years    []tick
	Bars     []bar
	Bands    []band // gaps and overlaps, early to late
	NowX     string
	NowMid   string
	NowY     int
}

type tick struct {
	X     string
	Label string
}

// bar is one record.
type bar struct {
	Record     int // index into the records drawn
	X, Width   string
	Y, Height  int
	Open       bool   // without an end date, on a job that has begun
	Now        bool   // it stands on the date
	Label      string // the employer, cut to what fits
	LabelX     string
	LabelDX    int
	LabelY     int
	LabelAtEnd bool   // anchored at its right end
	OpenX      string // where the word for an open record stands, "" where it has no room
	OpenY      int
}

// band is a gap or an overlap with its pin.
type band struct {
	Name     string // A, B, C … in order of time; the list beside the drawing uses the same
	Gap      *employment.Gap
	Overlap  *employment.Overlap
	X, Width string
	Y, H     int
	PinX     string
	PinY     int
	Days     string // the pin's words, "" when there is no room
	DaysLeft bool   // words stand on the left of the pin
}

const (
	chartTop   = 20 // room for the years
	nowAt      = 90 // percent: the rest holds the word of open records
	roomyRows  = 10 // up to here each record has its label above its bar
	pinRadius  = 9
	leastLabel = 120 // pixels; a label cut shorter than this says too little
	pinRows    = 4
	pinRowTall = 24
)

// drawTimeline lays out records as of a date. days puts a number of days into words. Records that cannot be placed are
// left out; with none to place the result has no bars.
func drawTimeline(records []employment.Record, asOf time.Time, days func(int) string) timeline {
	gaps, overlaps := employment.Spans(records, asOf)
	order := placedByStart(records)
	if len(order) == 0 {
		return timeline{}
	}
	s := newScale(records, order, asOf)
	t := timeline{Axis: chartTop, FromYear: s.from.Year(), ToYear: asOf.Year(), Years: s.years(12)}
	rowTall, barTall, drop := 42, 12, 27
	dense := len(order) > roomyRows
	if dense {
		rowTall, barTall, drop = 20, 10, 6
	}
	rows := make(map[int]int, len(order)) // record to the y of its bar
	for i, index := range order {
		b := s.bar(records[index], asOf)
		b.Record, b.Y, b.Height = index, chartTop+i*rowTall+drop, barTall
		rows[index] = b.Y
		t.Bars = append(t.Bars, b)
	}
	t.Base = chartTop + len(order)*rowTall + 6
	for i := range gaps {
		g := &gaps[i]
		t.Bands = append(t.Bands, band{Gap: g, X: s.x(g.From), Width: s.width(g.From, g.To), Y: chartTop + 1, H: t.Base - chartTop - 1})
	}
	for i := range overlaps {
		o := &overlaps[i]
		top, bottom := rows[o.Records[0]], rows[o.Records[0]]
		for _, r := range o.Records {
			top, bottom = min(top, rows[r]), max(bottom, rows[r])
		}
		t.Bands = append(t.Bands, band{Overlap: o, X: s.x(o.From), Width: s.width(o.From, o.To), Y: top - 3, H: bottom - top + barTall + 6})
	}
	slices.SortStableFunc(t.Bands, func(a, b band) int { return a.start().Compare(b.start()) })
	for i, index := range order {
		s.label(&t.Bars[i], records[index], dense, overlaps)
	}
	t.NowX, t.NowMid = s.x(asOf.AddDate(0, 0, 1)), s.x(asOf.AddDate(0, 0, 1))
	t.NowY = t.Base + 19
	t.Height = s.pins(t.Bands, t.Base, asOf, days)
	return t
}

func (b band) start() time.Time {
	if b.Gap != nil {
		return b.Gap.From
	}
	return b.Overlap.From
}

func (b band) end() time.Time {
	if b.Gap != nil {
		return b.Gap.To
	}
	return b.Overlap.To
}

func (b band) days() int {
	if b.Gap != nil {
		return b.Gap.Days()
	}
	return b.Overlap.Days()
}

// placedByStart gives the indexes of the records that can be drawn, earliest start first.
func placedByStart(records []employment.Record) []int {
	var order []int
	for i, r := range records {
		if r.Placed() {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return records[a].Start.Compare(records[b].Start) })
	return order
}

// scale turns dates into places.
type scale struct {
	from, to time.Time // to is the day that stands at nowAt percent
	left     float64   // percent kept free at the left
}

func newScale(records []employment.Record, order []int, asOf time.Time) scale {
	first, last := records[order[0]].Start, asOf
	for _, i := range order {
		if records[i].Start.After(last) {
			last = records[i].Start
		}
		if records[i].End.After(last) {
			last = records[i].End
		}
	}
	return scaleOver(first, last)
}

// scaleOver starts on a new year's day, at least a year back, so that a spell of some days does not fill the drawing.
func scaleOver(first, last time.Time) scale {
	if year := last.AddDate(-1, 0, 0); first.After(year) {
		first = year
	}
	return scale{from: time.Date(first.Year(), 1, 1, 0, 0, 0, 0, time.UTC), to: last.AddDate(0, 0, 1)}
}

// at gives the place of the first moment of a day, in percent.
func (s scale) at(t time.Time) float64 {
	whole := s.to.Sub(s.from).Hours()
	return s.left + t.Sub(s.from).Hours()/whole*(nowAt-s.left)
}

func (s scale) x(t time.Time) string { return acrossPct(s.at(t)) }

// width spans two days, both counted. What is shorter than two pixels is drawn two pixels wide: a gap of one day in
// thirty years must not vanish.
func (s scale) width(from, to time.Time) string {
	return acrossPct(max(s.at(to.AddDate(0, 0, 1))-s.at(from), 2/chartWidth*100))
}

func acrossPct(x float64) string {
	text := strconv.FormatFloat(x, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimSuffix(text, "0"), ".0") + "%"
}

// years marks at most limit years, so that their words do not touch.
func (s scale) years(limit int) []tick {
	step := 1
	last := s.to.AddDate(0, 0, -1).Year()
	for _, step = range []int{1, 2, 5, 10, 20} {
		if (last-s.from.Year())/step < limit {
			break
		}
	}
	var ticks []tick
	for year := s.from.Year(); year <= last; year++ {
		if year%step == 0 {
			ticks = append(ticks, tick{X: s.x(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)), Label: strconv.Itoa(year)})
		}
	}
	return ticks
}

func (s scale) bar(r employment.Record, asOf time.Time) bar {
	end := r.End
	if r.Open() {
		end = asOf
		if r.Start.After(asOf) {
			end = r.Start
		}
	}
	now := r.Stands(asOf)
	return bar{X: s.x(r.Start), Width: s.width(r.Start, end), Open: r.Open() && now, Now: now}
}

// label puts a record's employer above its bar, or beside it when rows are dense, wherever there is room.
func (s scale) label(b *bar, r employment.Record, dense bool, overlaps []employment.Overlap) {
	left, right := s.at(r.Start), parseAcross(b.X)+parseAcross(b.Width)
	b.Label = cutToWidth(r.Employer, 288)
	wide := textWidth(b.Label) / chartWidth * 100
	if dense {
		b.LabelY, b.LabelDX = b.Y+b.Height-1, 6
		b.LabelX = acrossPct(right)
		if right+wide+2 > 100 || r.Open() {
			b.LabelX, b.LabelDX, b.LabelAtEnd = b.X, -6, true
			switch room := left/100*chartWidth - 6; {
			case textWidth(b.Label) <= room:
			case room >= leastLabel:
				b.Label = cutToWidth(b.Label, room)
			default: // on the bar itself, whose outline the words' halo interrupts
				b.LabelDX, b.LabelAtEnd = 6, false
			}
		}
		return
	}
	b.LabelY = b.Y - 6
	if b.Open {
		b.OpenX, b.OpenY = acrossPct(right), b.Y+b.Height-2
	}
	b.LabelX = b.X
	// Words keep clear of the outline of a narrow overlap that begins with the record.
	for _, o := range overlaps {
		if narrow := s.at(o.To.AddDate(0, 0, 1)); o.From.Equal(r.Start) && narrow-left < 4 {
			b.LabelX, b.LabelDX, left = acrossPct(narrow), 6, narrow+1
		}
	}
	if left+wide > 100 {
		b.LabelX, b.LabelDX, b.LabelAtEnd = acrossPct(max(right, wide+1)), -6, true
	}
}

func parseAcross(text string) float64 {
	x, _ := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64) // of our own making
	return x
}

// pins names the bands and finds each pin a place under the drawing in which no words meet. It gives the height.
func (s scale) pins(bands []band, base int, asOf time.Time, days func(int) string) int {
	type extent struct{ from, to float64 }
	const nowWords = 80 / chartWidth * 100
	now := s.at(asOf.AddDate(0, 0, 1))
	rows := [pinRows][]extent{{{now - nowWords/2, now + nowWords/2}}}
	free := func(row int, e extent) bool {
		return e.from >= -1.5 && e.to <= 101 &&
			!slices.ContainsFunc(rows[row], func(o extent) bool { return e.from < o.to && o.from < e.to })
	}
	pin := (pinRadius + 1) / chartWidth * 100
	lowest := 0
	for i := range bands {
		b := &bands[i]
		b.Name = pinName(i)
		words := days(b.days())
		wide := (14 + textWidth(words)) / chartWidth * 100
		middle := (s.at(b.start()) + s.at(b.end().AddDate(0, 0, 1))) / 2
		place := func(row int, e extent, text string, left bool) {
			rows[row] = append(rows[row], e)
			b.PinX, b.PinY, b.Days, b.DaysLeft = acrossPct(middle), base+15+row*pinRowTall, text, left
			lowest = max(lowest, row)
		}
		right, left, alone := extent{middle - pin, middle + wide + 1}, extent{middle - wide - 1, middle + pin}, extent{middle - pin, middle + pin}
		done := false
		for row := 0; row < pinRows && !done; row++ {
			switch {
			case free(row, right):
				place(row, right, words, false)
			case free(row, left):
				place(row, left, words, true)
			default:
				continue
			}
			done = true
		}
		for row := 0; row < pinRows && !done; row++ {
			if free(row, alone) || row == pinRows-1 {
				place(row, alone, "", false)
				done = true
			}
		}
	}
	return base + 34 + lowest*pinRowTall
}

// pinName counts A … Z, AA, AB …
func pinName(i int) string {
	name := ""
	for ; i >= 0; i = i/26 - 1 {
		name = string(rune('A'+i%26)) + name
	}
	return name
}

// textWidth estimates the width of 12 px words, in pixels and rather too wide than too narrow.
func textWidth(text string) float64 {
	width := 0.0
	for _, r := range text {
		switch {
		case unicode.IsUpper(r):
			width += 8.6
		case strings.ContainsRune(" .,;:'ilj", r):
			width += 3.8
		default:
			width += 6.9
		}
	}
	return width
}

// cutToWidth cuts text to a width in pixels, with an ellipsis where something is missing.
func cutToWidth(text string, width float64) string {
	if textWidth(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && textWidth(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " .,") + "…"
}

// newestFirst gives the indexes of records for a table: open ones first, then by start, latest first; records without a
// start come last, in the order received.
func newestFirst(records []employment.Record) []int {
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := records[a], records[b]
		if c := cmp.Compare(rankOf(x), rankOf(y)); c != 0 {
			return c
		}
		return y.Start.Compare(x.Start)
	})
	return order
}

func rankOf(r employment.Record) int {
	switch {
	case r.Start.IsZero():
		return 2
	case r.Open():
		return 0
	}
	return 1
}
