package employment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBetweenSources(t *testing.T) {
	t.Parallel()
	weeks, fewer := 300, 290
	a := History{Weeks: Weeks{Quoted: &weeks, Discounted: &fewer}, Records: []Record{
		{Employer: "ALFA, S.A. DE C.V.", Registration: "Y5234129081", Start: day(2020, 1, 6), BaseSalary: "500.10", State: "PUEBLA"},
		{Employer: "BETA", Registration: "Z1", Start: day(2018, 2, 1), End: day(2019, 12, 31), BaseSalary: "300"},
		{Employer: "GAMMA", Registration: "G1", Start: day(2016, 2, 1), End: day(2017, 12, 31)},
	}}
	b := History{Weeks: Weeks{Quoted: &fewer}, Records: []Record{
		{Employer: "Alfa SA de CV", Registration: "Y5234129081", Start: day(2020, 1, 6), End: day(2026, 1, 31), BaseSalary: "500.1", Institution: "IMSS"},
		{Employer: "BETA", Registration: "Z1", Start: day(2018, 2, 1), End: day(2019, 11, 30), BaseSalary: "310", Institution: "imss"},
		{Employer: "DELTA", Start: day(2015, 1, 1), End: day(2015, 12, 31), Institution: "imss"},
		{Employer: "UNIVERSIDAD", Start: day(2010, 1, 1), End: day(2011, 12, 31), Institution: "issste"},
	}}
	type row struct {
		Kind                          ChangeKind
		Employer, Name, Before, After string
	}
	var got []row
	for _, c := range BetweenSources(a, "imss", b) {
		got = append(got, row{c.Kind, c.Record.Employer, c.Name, c.Before, c.After})
	}
	want := []row{
		{NewJob, "DELTA", "", "", "2015-01-01/2015-12-31"}, // only the second has it; what is of another institution is no difference
		{EndedJob, "Alfa SA de CV", "end", "", "2026-01-31"},
		{GoneJob, "GAMMA", "", "2016-02-01/2017-12-31", ""},
		{BaseSalary, "BETA", "base_salary", "300", "310"},
		{Field, "BETA", "end", "2019-12-31", "2019-11-30"},
		{Field, "", "quoted_weeks", "300", "290"}, // discounted weeks and states are given by one alone
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a.Records[0].Institution != "" || len(a.Records) != 3 || len(b.Records) != 4 {
		t.Error("the answers themselves were changed")
	}
	if same := BetweenSources(a, "imss", a); len(same) != 0 {
		t.Errorf("an answer differs from itself: %v", same)
	}
}
