package views

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
)

func days(n int) string { return fmt.Sprintf("%d días", n) }

// describe prints a drawing's geometry, for a golden file that a person can check against the dates.
func describe(t timeline) string {
	var b strings.Builder
	fmt.Fprintf(&b, "height %d axis %d base %d years %d-%d now %s\n", t.Height, t.Axis, t.Base, t.FromYear, t.ToYear, t.NowX)
	for _, y := range t.Years {
		fmt.Fprintf(&b, "year %s at %s\n", y.Label, y.X)
	}
	for _, x := range t.Bars {
		fmt.Fprintf(&b, "bar %d x %s width %s y %d open %t label %q at %s%+d,%d end %t\n", x.Record, x.X, x.Width, x.Y, x.Open, x.Label, x.LabelX, x.LabelDX, x.LabelY, x.LabelAtEnd)
	}
	for _, x := range t.Bands {
		kind := "gap"
		if x.Overlap != nil {
			kind = "overlap"
		}
		fmt.Fprintf(&b, "%s %s x %s width %s y %d height %d pin %s,%d %q left %t\n", kind, x.Name, x.X, x.Width, x.Y, x.H, x.PinX, x.PinY, x.Days, x.DaysLeft)
	}
	return b.String()
}

func TestTimelineGolden(t *testing.T) {
	t.Parallel()
	golden(t, "lookup-timeline.golden", describe(drawTimeline(career().Records, date("2024-03-15"), days)))
}

// crowd is a history with more jobs than have a row of their own for the label, with gaps and overlaps all along.
func crowd(n int) []employment.Record {
	var records []employment.Record
	at := date("1994-02-01")
	for i := range n {
		end := at.AddDate(0, 4+i%9, i%17)
		records = append(records, employment.Record{Employer: fmt.Sprintf("PATRÓN NÚMERO %d SA DE CV", i), Start: at, End: end})
		at = end.AddDate(0, (i%4)*3-2, 5)
	}
	return records
}

// Whatever the history, nothing leaves the drawing and no two pins' words share a place.
func TestTimelineStaysInside(t *testing.T) {
	t.Parallel()
	histories := map[string][]employment.Record{
		"one day":       {{Employer: "A", Start: date("2024-03-15")}},
		"future":        {{Employer: "A", Start: date("2025-01-01")}, {Employer: "B", Start: date("2020-01-01"), End: date("2030-01-01")}},
		"long name":     {{Employer: strings.Repeat("CONSTRUCTORA ", 20), Start: date("2023-01-01")}},
		"no name":       {{Start: date("2023-01-01")}},
		"twelve":        crowd(12),
		"forty":         crowd(40),
		"half a life":   {{Employer: "A", Start: date("1961-01-01"), End: date("1999-12-31")}, {Employer: "B", Start: date("2000-01-02")}},
		"one-day gaps":  {{Employer: "A", Start: date("1990-01-01"), End: date("2000-01-01")}, {Employer: "B", Start: date("2000-01-03")}},
		"all the same":  {{Employer: "A", Start: date("2020-01-01")}, {Employer: "B", Start: date("2020-01-01")}, {Employer: "C", Start: date("2020-01-01")}},
		"end at start":  {{Employer: "A", Start: date("2020-01-01"), End: date("2020-01-01")}},
		"last is a gap": {{Employer: "A", Start: date("2020-01-01"), End: date("2020-06-01")}},
	}
	for name, records := range histories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := drawTimeline(records, date("2024-03-15"), days)
			if len(d.Bars) != len(records) {
				t.Fatalf("%d bars for %d records", len(d.Bars), len(records))
			}
			if n := len(d.Years); n == 0 || n > 12 {
				t.Errorf("%d years marked", n)
			}
			for _, b := range d.Bars {
				x, w := parseAcross(b.X), parseAcross(b.Width)
				if x < 0 || w <= 0 || x+w > nowAt+0.5 || b.Y+b.Height > d.Base {
					t.Errorf("bar at %s width %s y %d leaves the drawing (base %d)", b.X, b.Width, b.Y, d.Base)
				}
				if at := parseAcross(b.LabelX); at < 0 || at > 100 {
					t.Errorf("label %q at %s", b.Label, b.LabelX)
				}
			}
			for i, b := range d.Bands {
				if x := parseAcross(b.PinX); x < 0 || x > 100 || b.PinY > d.Height {
					t.Errorf("pin %s at %s,%d, height %d", b.Name, b.PinX, b.PinY, d.Height)
				}
				for _, other := range d.Bands[:i] {
					gap := parseAcross(b.PinX) - parseAcross(other.PinX)
					if b.PinY == other.PinY && gap < 0.5 && gap > -0.5 && len(d.Bands) < 8 {
						t.Errorf("pins %s and %s lie on each other", b.Name, other.Name)
					}
				}
			}
		})
	}
}

// Dates after that of the data: what is drawn is what the figures of that day say.
func TestTimelineOfTheFuture(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	v.History.Movements = nil
	v.History.Records = []employment.Record{
		{Employer: "ALFA", Start: date("2020-01-01"), End: date("2026-03-01")}, {Employer: "BETA", Start: date("2026-04-01")}, {Employer: "GAMA", Start: date("2026-05-01"), End: date("2026-06-30")},
	}
	r, _ := v.seen().Figures()
	drawn := v.timeline()
	if len(drawn.Bands) != 1 || drawn.Bands[0].days() != 14 || drawn.Bands[0].Gap.After != -1 || r.Figure(figures.SinceLast).Days != 14 {
		t.Errorf("the gap is drawn as %+v; %s", drawn.Bands, r.Figure(figures.SinceLast).Text())
	}
	for _, b := range drawn.Bars {
		if b.Now || b.Open {
			t.Errorf("%s is drawn as a job of now", b.Label)
		}
	}
	doc := render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	if n := strings.Count(doc.Find(".table--jobs").Text(), v.T("lookups.jobs.ahead")); n != 2 || len(r.Later) != n {
		t.Errorf("%d records are said to begin later", n)
	}
	if all := strings.ReplaceAll(strings.Join(onPaper(t, v), ""), " ", ""); strings.Count(all, strings.ReplaceAll(v.T("lookups.jobs.ahead"), " ", "")) != 2 {
		t.Error("the report does not say it")
	}
	// One that ends later is a job of now, though it has an end date.
	v.History.Records[0].End = date("2026-12-31")
	r, _ = v.seen().Figures()
	if drawn = v.timeline(); len(drawn.Bands) != 0 || !drawn.Bars[0].Now || drawn.Bars[0].Open || !r.Figure(figures.Employed).Yes {
		t.Errorf("%+v; employed: %s", drawn, r.Figure(figures.Employed).Text())
	}
}

func TestTimelineWithNothingToDraw(t *testing.T) {
	t.Parallel()
	for name, records := range map[string][]employment.Record{
		"none": nil, "no dates": {{Employer: "A"}}, "end before start": {{Start: date("2020-01-02"), End: date("2020-01-01")}},
	} {
		if d := drawTimeline(records, date("2024-03-15"), days); len(d.Bars) != 0 || len(d.Bands) != 0 {
			t.Errorf("%s: %d bars, %d bands", name, len(d.Bars), len(d.Bands))
		}
	}
}

func TestPinName(t *testing.T) {
	t.Parallel()
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := pinName(i); got != want {
			t.Errorf("pin %d is %q, want %q", i, got, want)
		}
	}
}

func TestCutToWidth(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "CORTO SA", strings.Repeat("Ñandú ", 40)} {
		got := cutToWidth(text, 288)
		if textWidth(got) > 288 {
			t.Errorf("%q is %.0f px wide", got, textWidth(got))
		}
		if textWidth(text) <= 288 && got != text || textWidth(text) > 288 && !strings.HasSuffix(got, "…") {
			t.Errorf("%q was cut to %q", text, got)
		}
	}
}

// Two records of one employer at once are an overlap of the drawing and no second employer of the figures: that is said.
func TestOverlapOfOneEmployer(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	v.History.Records = []employment.Record{{Employer: "ALFA SA", Registration: "Y1", Start: date("2020-01-01")}, {Employer: "Alfa, S.A.", Registration: "Y2", Start: date("2023-01-01")}}
	r, _ := v.seen().Figures()
	words := func() string { return v.markWords(v.timeline().Bands[0]) }
	if got := words(); !strings.Contains(got, v.T("lookups.line.one_employer")) || r.Figure(figures.WeeksMany).Days != 0 {
		t.Errorf("%s; %s", got, r.Figure(figures.WeeksMany).Text())
	}
	for name, employer := range map[string]string{"another": "BETA", "not told": ""} {
		v.History.Records[0].Registration, v.History.Records[1] = "", employment.Record{Employer: employer, Start: date("2023-01-01")}
		if got := words(); strings.Contains(got, v.T("lookups.line.one_employer")) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestTimelineLabelsStayInside: with dense rows a long open record begins so far left that its employer has little room, or none.
func TestTimelineLabelsStayInside(t *testing.T) {
	t.Parallel()
	const employer = "SECRETARIA DEL TRABAJO Y PREVISION SOCIAL"
	asOf := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []employment.Record
	for i := range roomyRows + 2 {
		start := time.Date(2000+2*i, 1, 1, 0, 0, 0, 0, time.UTC)
		records = append(records, employment.Record{Employer: employer, Start: start})
	}
	for _, b := range drawTimeline(records, asOf, strconv.Itoa).Bars {
		from := parseAcross(b.LabelX)/100*chartWidth + float64(b.LabelDX)
		if b.LabelAtEnd {
			from -= textWidth(b.Label)
		}
		if from < 0 {
			t.Errorf("%q of record %d begins %g pixels outside", b.Label, b.Record, -from)
		}
		if textWidth(b.Label) < leastLabel {
			t.Errorf("record %d says no more than %q", b.Record, b.Label)
		}
	}
}
