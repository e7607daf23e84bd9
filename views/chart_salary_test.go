package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
)

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

func TestSalariesGolden(t *testing.T) {
	t.Parallel()
	golden(t, "lookup-salaries.golden", describeSalaries(drawSalaries(career(), date("2024-03-15"))))
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
