package views

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
)

var update = flag.Bool("update", false, "write the golden files of drawings")

func date(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func job(employer, start, end, base, monthly string) employment.Record {
	return employment.Record{
		Employer: employer, Registration: "R" + employer[:1], Start: date(start), End: date(end),
		State: "Tlaxcala", BaseSalary: base, Monthly: monthly,
	}
}

func move(kind, employer, on, base string) employment.Movement {
	return employment.Movement{Type: kind, Employer: employer, Registration: "R" + employer[:1], Date: date(on), BaseSalary: base}
}

// career has two gaps, one overlap, and a salary that rises within and between jobs.
func career() employment.History {
	return employment.History{
		Platform: "imss", Status: "employed", Complete: "complete",
		Weeks: employment.Weeks{Quoted: ptr(271), Discounted: ptr(8), Reintegrated: ptr(0)},
		Files: []employment.File{{Type: "imss_employment_record"}, {Type: "something_new"}},
		Records: []employment.Record{
			job("TEXTILES HUAMANTLA SAPI DE CV", "2023-01-15", "", "512.60", "15593.29"),
			job("SERVICIOS LOGÍSTICOS DEL ALTIPLANO SA DE CV", "2021-02-22", "2022-08-15", "352.47", "10722.14"),
			job("EMPAQUES Y TARIMAS DE APIZACO SA DE CV", "2020-02-03", "2021-03-12", "268.35", "8163.21"),
			job("COMERCIALIZADORA LA MALINCHE SA DE CV", "2018-06-04", "2019-12-20", "214.80", ""),
		},
		Movements: []employment.Movement{
			move("salary_modification", "TEXTILES HUAMANTLA SAPI DE CV", "2024-01-01", "512.60"),
			move("reentry", "TEXTILES HUAMANTLA SAPI DE CV", "2023-01-15", "430.10"),
			move("discharge", "SERVICIOS LOGÍSTICOS DEL ALTIPLANO SA DE CV", "2022-08-15", ""),
			move("reentry", "SERVICIOS LOGÍSTICOS DEL ALTIPLANO SA DE CV", "2021-02-22", "310.20"),
		},
	}
}

func ptr(n int) *int { return &n }

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

func describeSalaries(s salaries) string {
	var b strings.Builder
	fmt.Fprintf(&b, "series %s height %d base %d\n", s.Series, s.Height, s.Base)
	for _, r := range s.Grid {
		fmt.Fprintf(&b, "rung %d at %d\n", r.Pesos, r.Y)
	}
	for _, p := range s.Steps {
		fmt.Fprintf(&b, "step %s %s to %s x %s to %s y %d rise %d\n", p.Amount, p.From.Format(time.DateOnly), p.To.Format(time.DateOnly), p.X, p.X2, p.Y, p.RiseY)
	}
	if s.Last != nil {
		fmt.Fprintf(&b, "now %s\n", s.Last.Amount)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestTimelineGolden(t *testing.T) {
	t.Parallel()
	golden(t, "lookup-timeline.golden", describe(drawTimeline(career().Records, date("2024-03-15"), days)))
}

func TestSalariesGolden(t *testing.T) {
	t.Parallel()
	golden(t, "lookup-salaries.golden", describeSalaries(drawSalaries(career(), date("2024-03-15"))))
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

func TestChangeTenths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		from, to string
		want     int
		ok       bool
	}{
		{"100", "119.2", 192, true},
		{"13841.10", "15593.29", 127, true},
		{"200", "100", -500, true},
		{"100.00", "100", 0, true},
		{"3", "3.0015", 1, true}, // 0.05 % is rounded away from zero
		{"3", "2.9985", -1, true},
		{"0", "100", 0, false},
		{"", "100", 0, false},
		{"100", "None", 0, false},
		{"100", "1e999999999", 0, false},
		{"-5", "5", 0, false},
		{"1.2.3", "5", 0, false},
		{".5", "5", 0, false},
		{strings.Repeat("9", 60), "5", 0, false},
	}
	for _, tt := range tests {
		got, ok := changeTenths(tt.from, tt.to)
		if got != tt.want || ok != tt.ok {
			t.Errorf("from %s to %s: %d %t, want %d %t", tt.from, tt.to, got, ok, tt.want, tt.ok)
		}
	}
}

func TestSalarySeries(t *testing.T) {
	t.Parallel()
	records := []employment.Record{job("Aa", "2020-01-01", "2021-01-01", "200", "6084.00"), job("Bb", "2022-01-01", "", "300", "")}
	tests := map[string]struct {
		history employment.History
		series  salarySeries
		steps   int
	}{
		"movements":                      {career(), seriesMovements, 5}, // three dated amounts, and those of two jobs without movements
		"one movement: the records":      {employment.History{Records: career().Records, Movements: career().Movements[:1]}, seriesMonthly, 3},
		"monthly of one: the daily ones": {employment.History{Records: records}, seriesDaily, 2},
		"nothing":                        {employment.History{}, seriesNone, 0},
		"no amounts":                     {employment.History{Records: []employment.Record{job("Aa", "2020-01-01", "", "", "")}}, seriesNone, 0},
		"words for amounts": {employment.History{Movements: []employment.Movement{
			move("reentry", "Aa", "2020-01-01", "None"), move("reentry", "Aa", "2021-01-01", "x"),
		}}, seriesNone, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := drawSalaries(tt.history, date("2024-03-15"))
			if s.Series != tt.series || len(s.Steps) != tt.steps {
				t.Errorf("series %q with %d steps, want %q with %d", s.Series, len(s.Steps), tt.series, tt.steps)
			}
			if n := len(s.Grid); tt.series != seriesNone && (n < 1 || n > 8) {
				t.Errorf("%d rungs", n)
			}
		})
	}
}

// told writes the steps that a drawing shows.
func told(s salaries) []string {
	var list []string
	for _, p := range s.Steps {
		list = append(list, fmt.Sprintf("%d %s %s %s %t", p.Record, p.Amount, p.From.Format(time.DateOnly), p.To.Format(time.DateOnly), p.Stands))
	}
	return list
}

// An amount lasts to the next movement of its own job, and never past the end of its record.
func TestMovementSteps(t *testing.T) {
	t.Parallel()
	h := employment.History{
		Records: []employment.Record{job("Aa", "2020-01-01", "2020-12-31", "", ""), job("Bb", "2020-06-01", "", "", "")},
		Movements: []employment.Movement{
			move("reentry", "Aa", "2020-01-01", "100"),
			move("reentry", "Bb", "2020-06-01", "200"),
			move("salary_modification", "Aa", "2020-07-01", "110"),
			move("salary_modification", "Bb", "2021-01-01", "220"),
		},
	}
	want := []string{
		"0 100 2020-01-01 2020-06-30 false",
		"1 200 2020-06-01 2020-12-31 false",
		"0 110 2020-07-01 2020-12-31 false",
		"1 220 2021-01-01 2024-03-15 true",
	}
	if diff := cmp.Diff(want, told(drawSalaries(h, date("2024-03-15")))); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// The worked examples of docs/figures.md whose movements could be taken for those of other jobs: what is drawn is what the
// figures are computed from.
func TestSalariesOfWorkedExamples(t *testing.T) {
	t.Parallel()
	moved := func(kind, employer, registration, on, base string) employment.Movement {
		return employment.Movement{Type: kind, Employer: employer, Registration: registration, Date: date(on), BaseSalary: base}
	}
	record := func(employer, registration, start, end, base string) employment.Record {
		return employment.Record{Employer: employer, Registration: registration, Start: date(start), End: date(end), BaseSalary: base}
	}
	for name, x := range map[string]struct {
		h    employment.History
		asOf string
	}{
		"6": {employment.History{
			Records: []employment.Record{record("Alfa", "Y1234567101", "2021-03-01", "", "400.00")},
			Movements: []employment.Movement{
				moved("reentry", "Alfa", "Y123456710", "2021-03-01", "300.00"), moved("salary_modification", "Alfa", "Y123456710", "2022-01-01", "330.00"),
				moved("salary_modification", "", "Y123456710", "2022-07-01", "330.00"), moved("salary_modification", "Alfa", "", "2023-01-01", "363.00"),
				moved("salary_modification", "Alfa", "Y123456710", "2023-09-01", "400.00"),
			}}, "2023-06-30"},
		"12": {employment.History{
			Records: []employment.Record{record("Gama", "", "2023-01-01", "", "475.20"), record("Beta", "", "2021-07-16", "2022-12-31", "396.00"), record("Alfa", "", "2020-01-01", "2021-06-30", "440.00")},
			Movements: []employment.Movement{
				moved("reentry", "Gama", "", "2023-01-01", "475.20"), moved("discharge", "Beta", "", "2022-12-31", "396.00"), moved("reentry", "Beta", "", "2021-07-16", "396.00"),
				moved("discharge", "Alfa", "", "2021-06-30", "440.00"), moved("salary_modification", "Alfa", "", "2021-01-01", "440.00"),
				moved("reentry", "Alfa", "", "2020-01-01", "400.00"), moved("reentry", "Delta", "", "2022-03-01", "900.00"),
			}}, "2023-12-31"},
		// The check digit that the record has and its movements have not: the line ends with the job, and no salary is of now.
		"closed": {employment.History{
			Records:   []employment.Record{record("Alfa", "Y1234567101", "2021-03-01", "2022-12-31", "330.00")},
			Movements: []employment.Movement{moved("reentry", "", "Y123456710", "2021-03-01", "300.00"), moved("salary_modification", "", "Y123456710", "2022-01-01", "330.00")},
		}, "2023-06-30"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asOf := date(x.asOf)
			s := drawSalaries(x.h, asOf)
			golden(t, "salaries-example-"+name+".golden", describeSalaries(s))
			now := figures.Of(x.h, asOf, asOf).Figure(figures.SalaryNow)
			if now.Known != (s.Last != nil) || now.Known && now.Amount != s.Last.Amount {
				t.Errorf("drawn as of now: %+v; the figure: %s", s.Last, now.Text())
			}
		})
	}
}

func rowsOf(h employment.History) []string {
	var got []string
	for _, r := range salaryRows(h, date("2024-03-15")) {
		got = append(got, fmt.Sprintf("%s %q %d known %t other %t first %t", r.Date.Format(time.DateOnly), r.BaseSalary, r.Change, r.Known, r.Other, r.First))
	}
	return got
}

func TestSalaryRows(t *testing.T) {
	t.Parallel()
	want := []string{
		`2024-01-01 "512.60" 192 known true other false first false`,
		`2023-01-15 "430.10" 387 known true other true first false`,
		`2022-08-15 "" 0 known false other false first false`,
		`2021-02-22 "310.20" 156 known true other true first false`, // 268.35 at the job before, which ended three weeks later
	}
	if diff := cmp.Diff(want, rowsOf(career())); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// Two jobs at once: each amount is compared with that of its own job.
func TestSalaryRowsOfTwoJobs(t *testing.T) {
	t.Parallel()
	h := employment.History{
		Records: []employment.Record{job("Aa", "2020-01-01", "", "550", ""), job("Bb", "2021-01-01", "", "210", "")},
		Movements: []employment.Movement{
			move("reentry", "Aa", "2020-01-01", "500"), move("reentry", "Bb", "2021-01-01", "200"),
			move("salary_modification", "Aa", "2022-01-01", "520"), move("salary_modification", "Bb", "2022-01-01", "210"),
			move("salary_modification", "Aa", "2023-01-01", "550"), move("reentry", "Zz", "2023-06-01", "900"),
		},
	}
	want := []string{
		`2023-06-01 "900" 0 known false other false first false`, // of no record
		`2023-01-01 "550" 58 known true other false first false`,
		`2022-01-01 "210" 50 known true other false first false`,
		`2022-01-01 "520" 40 known true other false first false`,
		`2021-01-01 "200" 0 known false other false first true`,
		`2020-01-01 "500" 0 known false other false first true`,
	}
	if diff := cmp.Diff(want, rowsOf(h)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	s := drawSalaries(h, date("2024-03-15"))
	if s.Last == nil || s.Last.Amount != "550" {
		t.Errorf("the salary of now is drawn as %+v", s.Last)
	}
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	records := []employment.Record{
		{Employer: "no start", End: date("2022-01-01")}, {Employer: "old", Start: date("2010-01-01"), End: date("2011-01-01")},
		{Employer: "open", Start: date("2012-01-01")}, {Employer: "newer", Start: date("2020-01-01"), End: date("2021-01-01")},
	}
	if diff := cmp.Diff([]int{2, 3, 1, 0}, newestFirst(records)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// An amount at the upper limit of contributions is marked wherever it stands, and what that means is said once.
func TestSalaryAtTheCap(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := answered(lang)
		count(t, render(t, Lookup(v)), ".cap", 0)
		v.History.Records[0].BaseSalary = "2932.75"   // on the day of the answer, 15 March 2026
		v.History.Movements[0].BaseSalary = "2714.25" // on 1 January 2024, above that day's limit
		v.History.Movements[1].BaseSalary = "2405.49" // on 15 January 2023, a centavo below
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		count(t, doc, ".cap", 2)
		says(t, doc, "[aria-labelledby=h-salary] .alert", "UMA")
		all := strings.Join(onPaper(t, v), " ")
		if !strings.Contains(all, v.T("lookups.salary.cap")) || !strings.Contains(strings.ReplaceAll(all, " ", ""), "25") {
			t.Error("the report does not say it")
		}
		v.History.Platform = "issste"
		count(t, render(t, Lookup(v)), ".cap", 0)
	})
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

// Monthly amounts are drawn, and salary_now is a daily one of another job: no drawn amount is marked as the salary of now.
func TestMonthlyDrawingOfDailyFigures(t *testing.T) {
	t.Parallel()
	v := answered("en")
	v.History.Movements = nil
	v.History.Records = []employment.Record{job("A", "2018-01-01", "2019-12-31", "", "6000"), job("B", "2020-01-01", "", "500", ""), job("C", "2021-01-01", "", "300", "9125")}
	r, _ := v.seen().Figures()
	s := drawSalaries(*v.History, v.asOf())
	if f := r.Figure(figures.SalaryNow); s.Series != seriesMonthly || s.Last != nil || f.Amount != "500" {
		t.Errorf("%s with %+v marked, the figure is %s", s.Series, s.Last, f.Text())
	}
	doc := render(t, Lookup(v))
	count(t, doc, ".chart__dot--now", 0)
	says(t, doc, "#pay-desc", v.P.Money("9125"))
}

// Who hears the drawing is told the salary that is marked in it, not that of the job that began last.
func TestSalaryDescriptionTellsTheMarkedOne(t *testing.T) {
	t.Parallel()
	v := answered("en")
	v.History.Movements = nil
	v.History.Records = []employment.Record{job("A", "2018-01-01", "2019-12-31", "400", ""), job("B", "2020-01-01", "", "500", ""), job("C", "2021-01-01", "", "300", "")}
	says(t, render(t, Lookup(v)), "#pay-desc", v.T("lookups.salary.svg_desc", "First", v.amountWords(seriesDaily, "400"), "FirstDate", v.P.Date(date("2018-01-01")),
		"Last", v.amountWords(seriesDaily, "500"), "LastDate", v.P.Date(date("2020-01-01"))))
}

// A record that ends after the day of the answer lasted until that day, as the figures have it; one that begins later not at all.
func TestTenureStopsAtTheAnswer(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	until := v.P.Months(date("2020-01-01"), v.asOf())
	for name, x := range map[string]struct{ start, end, want string }{
		"ended":         {"2020-01-01", "2021-12-31", v.P.Months(date("2020-01-01"), date("2021-12-31"))},
		"open":          {"2020-01-01", "", until},
		"ends later":    {"2020-01-01", "2026-12-31", until},
		"begins later":  {"2026-06-01", "2026-12-31", ""},
		"open, later":   {"2026-06-01", "", ""},
		"impossible":    {"2020-01-01", "2019-01-01", ""},
		"without dates": {"", "", ""},
	} {
		r := employment.Record{Employer: "ALFA"}
		if x.start != "" {
			r.Start = date(x.start)
		}
		if x.end != "" {
			r.End = date(x.end)
		}
		if got := v.tenure(r); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

// Whatever the history, the drawings, the table and the figures of one day say one thing.
func TestThePageSaysOneThing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 23))
		v := answered("es-MX")
		asOf := v.asOf()
		v.History.Records, v.History.Movements = nil, nil
		near := func() time.Time { return asOf.AddDate(0, 0, 10*(dice.IntN(130)-120)) } // some days lie after the answer
		for range 1 + dice.IntN(5) {
			r := employment.Record{Employer: []string{"ALFA", "Alfa.", "BETA", "GAMA"}[dice.IntN(4)], Registration: []string{"", "Y1234567101", "Y123456710", "Z1"}[dice.IntN(4)], BaseSalary: []string{"", "300", "450"}[dice.IntN(3)], Monthly: []string{"", "6000", "9125"}[dice.IntN(3)]}
			if r.Start = near(); dice.IntN(8) == 0 {
				r.Start = time.Time{}
			}
			if dice.IntN(3) > 0 {
				r.End = near()
			}
			v.History.Records = append(v.History.Records, r)
			for range dice.IntN(3) {
				v.History.Movements = append(v.History.Movements, employment.Movement{Type: "salary_modification", Employer: r.Employer, Registration: r.Registration, Date: near(), BaseSalary: []string{"310", "460"}[dice.IntN(2)]})
			}
		}
		r, _ := v.seen().Figures()
		total, longest, since, working := 0, 0, 0, false
		line := v.timeline()
		for _, b := range line.Bands {
			if b.Gap == nil {
				continue
			}
			total, longest = total+b.days(), max(longest, b.days())
			if b.end().Equal(asOf) {
				since = b.days()
			}
		}
		for _, b := range line.Bars {
			working = working || b.Now
		}
		for id, drawn := range map[figures.ID]int{figures.OutTotalEver: total, figures.OutLongestEver: longest, figures.SinceLast: since} {
			if f := r.Figure(id); f.Known && f.Days != drawn {
				t.Errorf("seed %d: %s is %s, drawn are %d days of %+v", seed, id, f.Text(), drawn, v.History.Records)
			}
		}
		if f := r.Figure(figures.Employed); f.Known && f.Yes != working {
			t.Errorf("seed %d: employed: %s, drawn %t", seed, f.Text(), working)
		}
		if s := drawSalaries(*v.History, asOf); s.Series != seriesNone {
			f := r.Figure(figures.SalaryNow)
			// Monthly amounts drawn where the figures are daily mark none.
			marked := f.Known && (f.Pay == figures.Monthly) == (s.Series == seriesMonthly)
			if marked != (s.Last != nil) || marked && f.Amount != s.Last.Amount {
				t.Errorf("seed %d: salary %s, drawn %s %+v", seed, f.Text(), s.Series, s.Last)
			}
		}
		if v.unplaced() != len(r.Undated) {
			t.Errorf("seed %d: %d records are not drawn, %d left out", seed, v.unplaced(), len(r.Undated))
		}
		var rises, falls int
		for _, row := range salaryRows(*v.History, asOf) {
			if row.Known && row.Other && row.Change > 0 {
				rises++
			} else if row.Known && row.Other && row.Change < 0 {
				falls++
			}
		}
		if r.Figure(figures.SwitchRises).Count < rises || r.Figure(figures.SwitchFalls).Count < falls {
			t.Errorf("seed %d: the table has %d rises and %d falls on changing employer, the figures %s and %s", seed, rises, falls,
				r.Figure(figures.SwitchRises).Text(), r.Figure(figures.SwitchFalls).Text())
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
