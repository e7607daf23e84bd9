package figures_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
)

func day(text string) time.Time {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return d
}

// What no worked example shows.
func TestEdges(t *testing.T) {
	t.Parallel()
	rec := func(employer, start, end, pay string) employment.Record {
		r := employment.Record{Employer: employer, Start: day(start), BaseSalary: pay}
		if end != "" {
			r.End = day(end)
		}
		return r
	}
	move := func(employer, on, pay string) employment.Movement {
		return employment.Movement{Type: "salary_modification", Employer: employer, Date: day(on), BaseSalary: pay}
	}
	for _, test := range []struct {
		name   string
		h      employment.History
		asOf   string
		figure figures.ID
		want   string
	}{
		{"no amount at the earlier day", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "2022-12-31", ""), rec("B", "2023-01-01", "", "9.5")}},
			"2023-06-30", figures.SalaryChange12, "not known: no_amount_then"},
		{"the movements begin later", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "12")}, Movements: []employment.Movement{move("A", "2023-01-01", "12")}},
			"2023-06-30", figures.SalaryChange12, "not known: no_amount_then"},
		{"an undated record may have stood at the earlier day", employment.History{Records: []employment.Record{{Employer: "Z", End: day("2022-12-31")}, rec("B", "2023-01-01", "", "9.5")}},
			"2023-06-30", figures.SalaryChange12, "not known: undated"},
		{"employers never told", employment.History{Records: []employment.Record{rec("", "2020-01-01", "", "")}}, "2023-06-30", figures.EmployersUnique, "not known: unnamed"},
		{"nor their rate", employment.History{Records: []employment.Record{rec("", "2020-01-01", "", "")}}, "2023-06-30", figures.EmployersPerYear, "not known: unnamed"},
		{"one of two jobs without an amount", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "10"), rec("B", "2021-01-01", "", "")}},
			"2023-06-30", figures.SalaryNow, "10 daily [several, missing]"},
		{"the record says another amount than its last movement", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "12.00")}, Movements: []employment.Movement{move("A", "2020-01-01", "11")}},
			"2023-06-30", figures.SalaryNow, "11 daily [differs]"},
		{"and the same one in other digits", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "11.00")}, Movements: []employment.Movement{move("A", "2020-01-01", "11")}},
			"2023-06-30", figures.SalaryNow, "11 daily"},
		{"of two movements on a day the higher", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "")}, Movements: []employment.Movement{move("a", "2020-01-01", "11"), move("A.", "2020-01-01", "13"), move("A", "2020-01-01", "12")}},
			"2023-06-30", figures.SalaryNow, "13 daily"},
		{"text that is no decimal", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "1e3")}}, "2023-06-30", figures.SalaryNow, "not known: no_amount"},
		{"a part of the changes can be compared", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "2020-12-31", "10"), rec("B", "2021-01-01", "2021-12-31", "12"), rec("C", "2022-01-01", "", "")}},
			"2023-06-30", figures.SwitchRises, "at least 1 of 2 [uncompared, flat]"},
		{"a late discharge is no second job for the change", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "2021-01-09", "10"), rec("B", "2021-01-01", "", "9")}},
			"2023-06-30", figures.SwitchFalls, "1 of 1 [flat]"},
		{"the middle of an even number", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "")}, Movements: []employment.Movement{move("A", "2020-01-01", "100"), move("A", "2021-01-01", "110"), move("A", "2022-01-01", "132")}},
			"2023-06-30", figures.MedianChange, "+15.0% of 2"},
		{"a hair from rounding", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "")}, Movements: []employment.Movement{move("A", "2020-01-01", "2000"), move("A", "2021-01-01", "1999")}},
			"2023-06-30", figures.MedianChange, "-0.1% of 1"},
		{"a fall beyond what fits", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "")}, Movements: []employment.Movement{move("A", "2020-01-01", "0.0000000000000000000001"), move("A", "2021-01-01", "99999999999999999999999")}},
			"2023-06-30", figures.MedianChange, "+214748364.7% of 1"},
		{"a job ends and the next begins on the date itself", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "2023-06-30", ""), rec("B", "2023-06-30", "", "")}},
			"2023-06-30", figures.WeeksMany, "0 w 0 d"},
		{"a second job begins on the date itself", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", ""), rec("B", "2023-06-30", "2023-12-31", "")}},
			"2023-06-30", figures.WeeksMany, "0 w 1 d"},
		{"the tenure may be longer", employment.History{Records: []employment.Record{{Employer: "A", End: day("2022-12-31")}, rec("A", "2023-01-01", "", "")}},
			"2023-01-31", figures.CurrentJob, "at least 31 d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := figures.Of(test.h, day(test.asOf), day(test.asOf))
			if got := r.Figure(test.figure).Text(); got != test.want {
				t.Errorf("%s: %s, want %s", test.figure, got, test.want)
			}
		})
	}
	if f := (figures.Result{}).Figure(figures.Employed); f.Known {
		t.Error("nothing is known of nothing")
	}
}

// Every figure is there, in order, for any history; a figure that is not known says why and has no value.
func TestEveryFigureAlways(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		h, asOf := someHistory(rand.New(rand.NewPCG(seed, 7)))
		r := figures.Of(h, asOf, asOf)
		var ids []figures.ID
		for _, f := range r.Figures {
			ids = append(ids, f.ID)
			if !f.Known {
				if want := (figures.Figure{ID: f.ID, Unit: f.Unit, Why: f.Why}); f.Why == "" || !cmp.Equal(want, f) {
					t.Errorf("seed %d: %+v", seed, f)
				}
			} else if f.Why != "" || !slices.IsSorted(f.Records) || len(slices.Compact(slices.Clone(f.Records))) != len(f.Records) {
				t.Errorf("seed %d: %+v", seed, f)
			}
			if !slices.Contains(figures.Reasons, f.Why) && f.Why != "" {
				t.Errorf("the reason %s is in no list", f.Why)
			}
			for _, c := range f.Cautions {
				if !slices.Contains(figures.Cautions, c) {
					t.Errorf("the caution %s is in no list", c)
				}
			}
		}
		if diff := cmp.Diff(figures.IDs, ids); diff != "" {
			t.Fatalf("seed %d (-want +got)\n%s", seed, diff)
		}
	}
}

// someHistory is a history of up to six records within three years, with ends and starts that meet often.
func someHistory(dice *rand.Rand) (employment.History, time.Time) {
	begin := day("2019-12-15")
	var h employment.History
	for range dice.IntN(7) {
		r := employment.Record{Employer: []string{"A", "B", "C", ""}[dice.IntN(4)]}
		if dice.IntN(12) > 0 {
			r.Start = begin.AddDate(0, 0, 10*dice.IntN(100))
		}
		if dice.IntN(4) > 0 {
			r.End = begin.AddDate(0, 0, 10*dice.IntN(110)+dice.IntN(2)*9)
		}
		if dice.IntN(3) > 0 {
			r.BaseSalary = strconv.Itoa(dice.IntN(5) * 100)
		}
		h.Records = append(h.Records, r)
		for range dice.IntN(3) {
			h.Movements = append(h.Movements, employment.Movement{Type: "reentry", Employer: r.Employer, Date: begin.AddDate(0, 0, 10*dice.IntN(110)), BaseSalary: strconv.Itoa(100 + dice.IntN(5)*50)})
		}
	}
	return h, begin.AddDate(0, 0, dice.IntN(1100))
}

// The order in which a source lists records and movements changes no value.
func TestOrderPlaysNoPart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		dice := rand.New(rand.NewPCG(seed, 11))
		h, asOf := someHistory(dice)
		want := texts(figures.Of(h, asOf, asOf))
		for range 3 {
			dice.Shuffle(len(h.Records), func(i, j int) { h.Records[i], h.Records[j] = h.Records[j], h.Records[i] })
			dice.Shuffle(len(h.Movements), func(i, j int) { h.Movements[i], h.Movements[j] = h.Movements[j], h.Movements[i] })
			if diff := cmp.Diff(want, texts(figures.Of(h, asOf, asOf))); diff != "" {
				t.Fatalf("seed %d, %+v (-before +shuffled)\n%s", seed, h, diff)
			}
		}
	}
}

func texts(r figures.Result) map[figures.ID]string {
	all := map[figures.ID]string{}
	for _, f := range r.Figures {
		all[f.ID] = f.Text()
	}
	return all
}

// The figures of time, counted a second way: day by day.
func TestDayByDay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		h, asOf := someHistory(rand.New(rand.NewPCG(seed, 13)))
		r := figures.Of(h, asOf, asOf)
		var first time.Time
		works := func(d time.Time) (jobs int, employers map[string]bool) {
			employers = map[string]bool{}
			for _, x := range h.Records {
				if x.Placed() && !x.Start.After(d) && (x.Open() || !x.End.Before(d)) {
					jobs++
					if x.Employer != "" {
						employers[x.Employer] = true
					}
				}
			}
			return jobs, employers
		}
		for _, x := range h.Records {
			if x.Placed() && !x.Start.After(asOf) && (first.IsZero() || x.Start.Before(first)) {
				first = x.Start
			}
		}
		if first.IsZero() {
			continue
		}
		var worked, many, singles, total, longest, run, lap int
		var lastYear int
		year := asOf.AddDate(-1, 0, 0) // no example date is 29 February here
		for d := first; !d.After(asOf); d = d.AddDate(0, 0, 1) {
			jobs, employers := works(d)
			if jobs > 0 {
				worked++
				run = 0
			} else {
				total++
				run++
				longest = max(longest, run)
				if d.After(year) {
					lastYear++
				}
			}
			if len(employers) > 1 {
				many++
				lap++
			} else if lap == 1 {
				singles, lap = singles+1, 0
			} else {
				lap = 0
			}
		}
		if lap == 1 {
			singles++
		}
		got := map[string]int{"worked": r.Figure(figures.WeeksWorked).Days, "total": r.Figure(figures.OutTotalEver).Days,
			"longest": r.Figure(figures.OutLongestEver).Days, "last year": r.Figure(figures.OutTotal1).Days}
		want := map[string]int{"worked": worked, "total": total, "longest": longest, "last year": lastYear}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d, as of %s, %+v (-counted +computed)\n%s", seed, asOf.Format(time.DateOnly), h.Records, diff)
		}
		// A single shared day may be a handover, which is no overlap.
		if n := r.Figure(figures.WeeksMany).Days; n > many || n < many-singles {
			t.Fatalf("seed %d: %d days with more than one employer, counted %d of which %d alone", seed, n, many, singles)
		}
		jobs, _ := works(asOf)
		if f := r.Figure(figures.Employed); f.Known && f.Yes != (jobs > 0) {
			t.Fatalf("seed %d: employed %v with %d jobs", seed, f.Yes, jobs)
		}
		if f := r.Figure(figures.SinceLast); f.Known && f.Days != run {
			t.Fatalf("seed %d: %d days since the last job, counted %d", seed, f.Days, run)
		}
		if gaps, _ := employment.Spans(h.Records, asOf); total > 0 {
			days := 0
			for _, g := range gaps {
				days += g.Days()
			}
			if days != total {
				t.Fatalf("seed %d: the timeline draws %d free days, the figure says %d", seed, days, total)
			}
		}
	}
}

func FuzzAmounts(f *testing.F) {
	for _, text := range []string{"", "0", "00", "1.", ".1", "1.50", "-1", "1e9", "١", "99999999999999999999999.9"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		h := employment.History{Records: []employment.Record{
			{Employer: a, Start: day("2020-01-01"), End: day("2020-12-31"), BaseSalary: a, Monthly: b},
			{Employer: b, Start: day("2021-01-01"), BaseSalary: b, Monthly: a}}}
		if n := len(figures.Of(h, day("2021-12-31"), time.Time{}).Figures); n != len(figures.IDs) {
			t.Fatalf("%d figures", n)
		}
	})
}
