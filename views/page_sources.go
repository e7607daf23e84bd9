package views

import (
	"fmt"
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

// levels are those of an hour.
var levels = []string{"well", "some", "bad", "none"}

func sourceID(i int) string { return "source-" + strconv.Itoa(i) }

// The drawing: pixels down, percentages across. Its first stretch is left to the hours. A row of 7 pixels has a mark of 6 (waiting.css).
const (
	sourceLeft   = 6.0
	sourceCol    = (100 - sourceLeft) / SourceDays
	sourceRow    = 7.0
	sourceTop    = 6.0
	sourceHeight = sourceTop + sourceRow*24 + 20
)

// What is the same in all columns or rows is written once: a page has a thousand hours and more.
var (
	sourceWidth          = percent(sourceCol * 0.88)
	sourceY, sourceClock = func() (y, clock [24]string) {
		for hour := range y {
			y[hour], clock[hour] = pixels(sourceTop+float64(hour)*sourceRow), fmt.Sprintf(", %02d:00: ", hour)
		}
		return y, clock
	}()
)

func sourceX(back int) string { return percent(sourceLeft + float64(SourceDays-1-back)*sourceCol) }

// sources lays out each source over the days up to now. Days and hours are the reader's.
func (v SourcesPage) sources() []source {
	var list []source
	zone := v.P.Zone()
	today := midnightIn(v.Now, zone)
	words := v.hourWords()
	for _, h := range v.Hours {
		i := slices.IndexFunc(list, func(s source) bool { return s.Dialect == h.Dialect && s.Platform == h.Platform })
		if i < 0 {
			i = len(list)
			list = append(list, source{Dialect: h.Dialect, Platform: h.Platform})
		}
		s := &list[i]
		s.Tally.Add(h.Tally)
		if v.Now.Sub(h.Hour) < 24*time.Hour {
			s.Today.Add(h.Tally)
		}
		day := midnightIn(h.Hour, zone)
		back := int((today.Sub(day) + 12*time.Hour) / (24 * time.Hour)) // a day of summer time has 23 or 25 hours
		if back < 0 || back >= SourceDays || h.Started == 0 {
			continue
		}
		if n := len(s.Days); n == 0 || !s.Days[n-1].Day.Equal(day) {
			s.Days = append(s.Days, sourceDay{Day: day, Date: v.P.Date(day), X: sourceX(back), Hours: make([]sourceHour, 0, 24)})
		}
		d := &s.Days[len(s.Days)-1]
		d.Tally.Add(h.Tally)
		hour := h.Hour.In(zone).Hour()
		d.Hours = append(d.Hours, sourceHour{Y: sourceY[hour], Level: level(h.Tally), Words: d.Date + sourceClock[hour] + words(h.Tally)})
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

// hourWords says hours of the drawing in words. Many are alike.
func (v SourcesPage) hourWords() func(lookup.Tally) string {
	type counts struct{ started, success, failed, incomplete int64 }
	said := map[counts]string{}
	return func(t lookup.Tally) string {
		of := counts{t.Started, t.Success, t.Failed(), t.Incomplete}
		words, known := said[of]
		if !known {
			words = v.T("sources.cell", "Started", v.P.Number(of.started), "Success", v.P.Number(of.success), "Failed", v.P.Number(of.failed),
				"Incomplete", v.P.Number(of.incomplete))
			said[of] = words
		}
		return words
	}
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
