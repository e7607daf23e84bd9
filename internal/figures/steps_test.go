package figures_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
)

func steps(h employment.History, asOf string, kind figures.Pay) []string {
	var list []string
	for _, s := range figures.Steps(h, day(asOf), kind) {
		text := s.From.Format(time.DateOnly) + " " + s.To.Format(time.DateOnly) + " " + s.Amount + " of " + numbers([]int{s.Record}, 0)
		if s.Flat {
			text += " flat"
		}
		if s.Stands {
			text += " stands"
		}
		list = append(list, text)
	}
	return list
}

func TestSteps(t *testing.T) {
	t.Parallel()
	rec := func(employer, start, end, daily, monthly string) employment.Record {
		r := employment.Record{Employer: employer, BaseSalary: daily, Monthly: monthly}
		if start != "" {
			r.Start = day(start)
		}
		if end != "" {
			r.End = day(end)
		}
		return r
	}
	move := func(employer, on, pay string) employment.Movement {
		return employment.Movement{Type: "salary_modification", Employer: employer, Date: day(on), BaseSalary: pay}
	}
	two := employment.History{Records: []employment.Record{rec("A", "2020-01-01", "2020-12-31", "100", "3042"), rec("B", "2021-01-01", "", "120", ""), rec("C", "2023-01-01", "", "900", "9"), rec("D", "", "", "7", "7")}}
	for _, test := range []struct {
		name string
		h    employment.History
		asOf string
		kind figures.Pay
		want []string
	}{
		{"none", employment.History{}, "2022-01-01", figures.Daily, nil},
		{"one amount for each record, none of what begins later or cannot be placed", two, "2022-01-01", figures.Daily,
			[]string{"2020-01-01 2020-12-31 100 of 1 flat", "2021-01-01 2022-01-01 120 of 2 flat stands"}},
		{"monthly beside daily", two, "2022-01-01", figures.Monthly, []string{"2020-01-01 2020-12-31 3042 of 1 flat"}},
		{"a job that ends after the date stands on it", two, "2020-06-30", figures.Daily, []string{"2020-01-01 2020-06-30 100 of 1 flat stands"}},
		{"no daily ones", employment.History{Records: []employment.Record{rec("A", "2020-01-01", "", "0", "3042")}}, "2022-01-01", figures.Daily, nil},
		{"movements after the end or the date, and of nobody",
			employment.History{Records: two.Records[:2], Movements: []employment.Movement{move("A", "2020-07-01", "90"), move("A", "2021-02-01", "95"), move("B", "2022-02-01", "130"), move("Z", "2021-01-01", "1")}},
			"2022-01-01", figures.Daily, []string{"2020-07-01 2020-12-31 90 of 1", "2021-01-01 2022-01-01 120 of 2 flat stands"}},
		{"on the day on which one job ends and the next begins, a new salary is the new job's",
			employment.History{Records: []employment.Record{rec("A", "2020-01-01", "2020-06-30", "100", ""), rec("A", "2020-06-30", "", "", "")}, Movements: []employment.Movement{move("A", "2020-06-30", "110")}},
			"2022-01-01", figures.Daily, []string{"2020-01-01 2020-06-30 100 of 1 flat", "2020-06-30 2022-01-01 110 of 2 stands"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, steps(test.h, test.asOf, test.kind)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if two.Records[0].BaseSalary != "100" {
		t.Error("the history was changed")
	}
}

// Of the steps that stand on the date the highest is the salary of the date, and steps of one record never overlap.
func TestStepsAreTheFigures(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		h, asOf := someHistory(rand.New(rand.NewPCG(seed, 17)))
		now := figures.Of(h, asOf, asOf).Figure(figures.SalaryNow)
		var top *figures.Step
		last := map[int]time.Time{}
		for _, s := range figures.Steps(h, asOf, figures.Daily) {
			if s.From.After(s.To) || s.To.After(asOf) || !s.From.After(last[s.Record]) {
				t.Fatalf("seed %d: %+v after %s", seed, s, last[s.Record])
			}
			last[s.Record] = s.To
			if s.Stands && (top == nil || len(s.Amount) > len(top.Amount) || len(s.Amount) == len(top.Amount) && s.Amount > top.Amount) { // whole numbers
				top = &s
			}
		}
		if now.Known != (top != nil) || now.Known && now.Amount != top.Amount {
			t.Fatalf("seed %d: %s, the steps give %+v", seed, now.Text(), top)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	rec := func(employer, registration, start, end, pay string) employment.Record {
		r := employment.Record{Employer: employer, Registration: registration, Start: day(start), BaseSalary: pay}
		if end != "" {
			r.End = day(end)
		}
		return r
	}
	move := func(kind, employer, on, pay string) employment.Movement {
		return employment.Movement{Type: kind, Employer: employer, Date: day(on), BaseSalary: pay}
	}
	h := employment.History{
		Records: []employment.Record{rec("A", "Y1234567101", "2020-01-01", "2020-12-31", "100"), rec("A bis", "Y123456710", "2021-01-01", "2021-12-31", ""),
			rec("B", "", "2022-02-01", "", ""), rec("C", "", "2022-06-01", "", ""), rec("", "", "2023-01-01", "", "")},
		Movements: []employment.Movement{
			move("reentry", "A", "2020-01-01", "100"), move("salary_modification", "A", "2020-07-01", "110"), move("discharge", "A", "2020-12-31", "110"),
			{Type: "reentry", Registration: "Y123456710", Date: day("2021-01-01"), BaseSalary: "120"},
			move("reentry", "B", "2022-02-01", "90"), move("reentry", "C", "2022-06-01", "500"), move("salary_modification", "B", "2022-07-01", "95"),
			move("salary_modification", "B", "2024-01-01", "99"), move("salary_modification", "Z", "2022-07-01", "7"), move("salary_modification", "B", "2023-03-01", "None"),
		},
	}
	want := []figures.Compared{
		{Record: 0}, {Record: 0, Before: "100"}, {Record: -1},
		{Record: 1, Before: "110"},              // one employer under two names: one stay
		{Record: 2, Before: "120", Other: true}, // a change of employer
		{Record: 3, Before: "120", Other: true}, // by the rule, A is before C too: B goes on
		{Record: 2, Before: "90"}, {Record: -1}, {Record: -1}, {Record: -1},
	}
	if diff := cmp.Diff(want, figures.Compare(h, day("2023-12-31"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// Two records of one employer at once: neither follows the other.
	h = employment.History{Records: []employment.Record{rec("A", "Y1", "2020-01-01", "", ""), rec("A", "Y2", "2020-06-01", "", "")},
		Movements: []employment.Movement{{Registration: "Y1", Date: day("2020-01-01"), BaseSalary: "500"}, {Registration: "Y2", Date: day("2020-06-01"), BaseSalary: "200"}}}
	if diff := cmp.Diff([]figures.Compared{{Record: 0}, {Record: 1}}, figures.Compare(h, day("2023-12-31"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// The first amount of the second one is dated after the first one's end, which changes nothing of that.
	h.Records[0].End, h.Movements[1].Date = day("2020-12-31"), day("2021-03-01")
	if diff := cmp.Diff([]figures.Compared{{Record: 0}, {Record: 1}}, figures.Compare(h, day("2023-12-31"))); diff != "" {
		t.Errorf("ended since (-want +got)\n%s", diff)
	}
	// One that ends on the day on which the next begins is before it.
	h.Records[0].End = h.Records[1].Start
	if diff := cmp.Diff([]figures.Compared{{Record: 0}, {Record: 1, Before: "500"}}, figures.Compare(h, day("2023-12-31"))); diff != "" {
		t.Errorf("touching (-want +got)\n%s", diff)
	}
}
