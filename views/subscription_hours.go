package views

import (
	"slices"
	"strconv"
	"time"

	"cotejo/internal/webhook"
)

// hours is a day of deliveries as a drawing and as the rows of its table.
type hours struct {
	Rows     []hourRow // 24, the oldest first
	Verdicts []webhook.Verdict
	Top      int64 // what the highest line across stands for
	Total    int64
	Refused  int64
}

// hourRow is one hour: a bar of one stretch per verdict.
type hourRow struct {
	Hour    time.Time
	Counts  map[webhook.Verdict]int64
	Bars    []hourBar
	Middle  string // of the bar, across
	RefuseY int    // where the count of the refused is written, 0 when there are none
}

type hourBar struct {
	Verdict    webhook.Verdict
	X, W, Y, H string
}

// The drawing: pixels down, percentages across. Its first column is left to the numbers of the lines across.
const (
	hoursDrawn   = 24
	hoursTop     = 22.0
	hoursBase    = 104.0
	hoursHeight  = 128
	hourColumn   = 4.0 // per cent
	hourBarWidth = 2.88
)

// drawHours lays out the 24 hours up to now. What lies outside them is left out. Hours are cut in UTC, as the counts
// are; every zone of Mexico is whole hours away from it.
func drawHours(counts []HourCount, now time.Time) hours {
	first := now.UTC().Truncate(time.Hour).Add(-(hoursDrawn - 1) * time.Hour)
	h := hours{Rows: make([]hourRow, hoursDrawn)}
	for i := range h.Rows {
		h.Rows[i] = hourRow{Hour: first.Add(time.Duration(i) * time.Hour), Counts: map[webhook.Verdict]int64{}}
	}
	seen := map[webhook.Verdict]bool{webhook.Accepted: true, webhook.Duplicate: true, webhook.Refused: true}
	for _, c := range counts {
		i := int(c.Hour.Sub(first) / time.Hour)
		if c.Hour.Before(first) || i >= hoursDrawn || c.Count <= 0 || !slices.Contains(webhook.Verdicts, c.Verdict) {
			continue
		}
		h.Rows[i].Counts[c.Verdict] += c.Count
		h.Total += c.Count
		seen[c.Verdict] = true
	}
	var most int64
	for _, row := range h.Rows {
		most = max(most, row.total())
		h.Refused += row.Counts[webhook.Refused]
	}
	h.Top = roundTop(most)
	for _, verdict := range webhook.Verdicts {
		if seen[verdict] {
			h.Verdicts = append(h.Verdicts, verdict)
		}
	}
	for i := range h.Rows {
		h.Rows[i].place(i, h.Top)
	}
	return h
}

func (r hourRow) total() int64 {
	var sum int64
	for _, n := range r.Counts {
		sum += n
	}
	return sum
}

// place stacks the verdicts, the refused on top, where they are seen.
func (r *hourRow) place(i int, top int64) {
	left := hourColumn * float64(i+1)
	r.Middle = percent(left + hourColumn/2)
	y := hoursBase
	for _, verdict := range webhook.Verdicts {
		n := r.Counts[verdict]
		if n == 0 {
			continue
		}
		height := (hoursBase - hoursTop) * float64(n) / float64(top)
		y -= height
		r.Bars = append(r.Bars, hourBar{
			Verdict: verdict, X: percent(left + (hourColumn-hourBarWidth)/2), W: percent(hourBarWidth), Y: pixels(y), H: pixels(height),
		})
		if verdict == webhook.Refused {
			r.RefuseY = int(y) - 5
		}
	}
}

// roundTop is the least even round number that n does not pass, so that half of it is whole too.
func roundTop(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, times := range []int64{2, 4, 6, 8, 10} {
			if n <= unit*times {
				return unit * times
			}
		}
	}
}

// filled gives the rows in which something arrived.
func (h hours) filled() []hourRow {
	return slices.DeleteFunc(slices.Clone(h.Rows), func(r hourRow) bool { return len(r.Counts) == 0 })
}

// hourWord writes an hour in the reader's zone, "09:00" or "09" where room is scarce.
func hourWord(p Page, t time.Time, layout string) string { return t.In(p.P.Zone()).Format(layout) }

// labelled tells whether an hour gets its number below: every third one of the reader's clock.
func labelled(p Page, t time.Time) bool { return t.In(p.P.Zone()).Hour()%3 == 0 }

func percent(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + "%" }

func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// hourFill is the class of a verdict's bar. The refused are hatched: colour is not all that tells them apart.
func hourFill(verdict webhook.Verdict) string {
	return "chart__verdict chart__verdict--" + string(verdict)
}
