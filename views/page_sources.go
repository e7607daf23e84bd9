package views

import (
	"slices"
	"strconv"
	"time"

	"cotejo/internal/lookup"
)

// SourcesPage is the health of each source over 30 days.
type SourcesPage struct {
	Page
	Hours     []lookup.SourceHour
	Diagnosis lookup.Diagnosis
}

// SourceDays is how far back it is drawn.
const SourceDays = 30

// source is one dialect and platform with its drawing.
type source struct {
	Dialect  lookup.Dialect
	Platform lookup.Platform
	Tally    lookup.Tally // of the whole time
	Today    lookup.Tally // of the last 24 hours
	Days     []sourceDay  // the newest first, days without anything left out
	Labels   []sourceDay  // of the columns that carry a date
}

// sourceDay is a column of the drawing.
type sourceDay struct {
	Day   time.Time
	Date  string
	X     string
	Tally lookup.Tally
	Hours []sourceHour // in which something was sent
}

// sourceHour is a row of it: an hour of the reader's clock.
type sourceHour struct {
	Y     string
	Level string // well, some, bad, none (nothing to judge)
	Words string
}

// The drawing: pixels down, percentages across. Its first stretch is left to the hours.
const (
	sourceLeft   = 6.0
	sourceCol    = (100 - sourceLeft) / SourceDays
	sourceRow    = 7.0
	sourceTop    = 6.0
	sourceHeight = sourceTop + sourceRow*24 + 20
)

// What is the same in all columns or rows is written once: a page has a thousand hours and more.
var (
	sourceWidth, sourceHourHeight = percent(sourceCol * 0.88), pixels(sourceRow - 1)
	sourceY                       = func() (y [24]string) {
		for hour := range y {
			y[hour] = pixels(sourceTop + float64(hour)*sourceRow)
		}
		return y
	}()
)

func sourceX(back int) string { return percent(sourceLeft + float64(SourceDays-1-back)*sourceCol) }

// sources lays out each source over the days up to now. Days and hours are the reader's.
func (v SourcesPage) sources() []source {
	var list []source
	index := map[[2]string]int{}
	zone := v.P.Zone()
	today := midnightIn(v.Now, zone)
	for _, h := range v.Hours {
		key := [2]string{string(h.Dialect), string(h.Platform)}
		i, known := index[key]
		if !known {
			i = len(list)
			index[key] = i
			list = append(list, source{Dialect: h.Dialect, Platform: h.Platform})
		}
		s := &list[i]
		s.Tally.Add(h.Tally)
		if v.Now.Sub(h.Hour) < 24*time.Hour {
			s.Today.Add(h.Tally)
		}
		at := h.Hour.In(zone)
		day := midnightIn(at, zone)
		back := int((today.Sub(day) + 12*time.Hour) / (24 * time.Hour)) // a day of summer time has 23 or 25 hours
		if back < 0 || back >= SourceDays || h.Started == 0 {
			continue
		}
		if n := len(s.Days); n == 0 || !s.Days[n-1].Day.Equal(day) {
			s.Days = append(s.Days, sourceDay{Day: day, Date: v.P.Date(day), X: sourceX(back)})
		}
		d := &s.Days[len(s.Days)-1]
		d.Tally.Add(h.Tally)
		d.Hours = append(d.Hours, sourceHour{Y: sourceY[at.Hour()], Level: level(h.Tally), Words: v.hourWords(d.Date+", "+at.Format("15:04"), h.Tally)})
	}
	for i := range list {
		slices.Reverse(list[i].Days)
		for back := SourceDays - 1; back >= 0; back -= 7 {
			list[i].Labels = append(list[i].Labels, sourceDay{Day: today.AddDate(0, 0, -back), X: sourceX(back)})
		}
	}
	return list
}

func midnightIn(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// level judges an hour: under half, under nine tenths, above.
func level(t lookup.Tally) string {
	rate, ok := t.Rate()
	switch {
	case !ok:
		return "none"
	case rate < 500:
		return "bad"
	case rate < 900:
		return "some"
	}
	return "well"
}

// hourWords says an hour of the drawing in words.
func (v SourcesPage) hourWords(when string, t lookup.Tally) string {
	return v.T("sources.cell", "When", when, "Started", v.P.Number(t.Started), "Success", v.P.Number(t.Success), "Failed", v.P.Number(t.Failed()),
		"Incomplete", v.P.Number(t.Incomplete))
}

// medianWords writes a median; of nothing there is none.
func medianWords(p Page, t lookup.Tally) string {
	median, ok := t.Median()
	if !ok {
		return p.T("sources.none")
	}
	return p.P.Span(median)
}

// blameWords is the one line that answers "is it us or the source?".
func blameWords(p Page, d lookup.Diagnosis) string {
	where := platformWord(p, d.Platform)
	if d.Dialect == lookup.Buro {
		where = p.T("ui.dialect_long.buro")
	}
	args := []any{"Source", where, "Failed", p.P.Number(d.Tally.Failed()), "Of", p.P.Number(d.Tally.Judged()),
		"Rate", share(p, d.Tally.Success, d.Tally.Judged()), "Median", medianWords(p, d.Tally), "Hours", strconv.Itoa(lookup.BlameHours)}
	if d.Ours != "" {
		args = append(args, "Ours", p.T("sources.ours."+d.Ours))
	}
	switch {
	case d.Blame == lookup.BlameUnknown && d.Dialect == "":
		return p.T("sources.blame.silent", "Hours", strconv.Itoa(lookup.BlameHours))
	case d.Blame == lookup.BlameUs && d.Dialect == "":
		return p.T("sources.blame.us_only", args...)
	}
	return p.T("sources.blame."+string(d.Blame), args...)
}

func blameMark(b lookup.Blame) string {
	switch b {
	case lookup.BlameNobody:
		return "success"
	case lookup.BlameUnknown:
		return "queued"
	case lookup.BlameSource:
		return "incomplete"
	}
	return "error"
}
