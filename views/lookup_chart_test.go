package views

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
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
