package employment_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
)

func on(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func spell(employer, registration, start, end, salary string) employment.Record {
	return employment.Record{Employer: employer, Registration: registration, Start: on(start), End: on(end), BaseSalary: salary}
}

// told writes changes one a line, as short as they can be told apart.
func told(changes []employment.Change) string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, strings.TrimSpace(strings.Join([]string{string(c.Kind), c.Record.Employer, c.Name, c.Before + ">" + c.After}, " ")))
	}
	return strings.Join(lines, "\n")
}

func TestDifference(t *testing.T) {
	t.Parallel()
	acme := spell("ACME SA", "Y1", "2020-01-01", "", "100.50")
	beta := spell("BETA SA", "Y2", "2015-01-01", "2019-12-31", "90")
	n := func(i int) *int { return &i }
	for _, test := range []struct {
		name          string
		before, after employment.History
		want          string
	}{
		{"nothing at all", employment.History{}, employment.History{}, ""},
		{"the same", employment.History{Records: []employment.Record{acme, beta}}, employment.History{Records: []employment.Record{beta, acme}}, ""},
		{"an amount written otherwise, a name spelled otherwise",
			employment.History{Records: []employment.Record{acme}},
			employment.History{Records: []employment.Record{spell("Acme, S.A.", "Y1", "2020-01-01", "", "100.5")}}, ""},
		{"a registration with its check digit and without", employment.History{Records: []employment.Record{spell("ACME SA", "Y1234567101", "2020-01-01", "", "1"), spell("ACME SA", "", "", "", "1")}},
			employment.History{Records: []employment.Record{spell("ACME HOLDING", "Y12-34567-10", "2020-01-01", "", "1"), spell("ACME SA", "", "", "", "1")}}, "employer_name ACME HOLDING employer ACME SA>ACME HOLDING"},
		{"a new job", employment.History{Records: []employment.Record{beta}}, employment.History{Records: []employment.Record{acme, beta}},
			"new_job ACME SA  >2020-01-01/"},
		{"a job ended", employment.History{Records: []employment.Record{acme}},
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2020-01-01", "2026-03-31", "100.50")}},
			"ended_job ACME SA end >2026-03-31"},
		{"a job ended and another began, as when somebody changes jobs",
			employment.History{Records: []employment.Record{acme, beta}},
			employment.History{Records: []employment.Record{spell("GAMA SA", "Y3", "2026-04-01", "", "120"), spell("ACME SA", "Y1", "2020-01-01", "2026-03-31", "100.50"), beta}},
			"new_job GAMA SA  >2026-04-01/\nended_job ACME SA end >2026-03-31"},
		{"reopened", employment.History{Records: []employment.Record{beta}},
			employment.History{Records: []employment.Record{spell("BETA SA", "Y2", "2015-01-01", "", "90")}}, "reopened_job BETA SA end 2019-12-31>"},
		{"gone", employment.History{Records: []employment.Record{acme, beta}}, employment.History{Records: []employment.Record{acme}},
			"gone_job BETA SA  2015-01-01/2019-12-31>"},
		{"a raise", employment.History{Records: []employment.Record{acme}},
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2020-01-01", "", "110.50")}}, "base_salary ACME SA base_salary 100.50>110.50"},
		{"a salary that is no longer given", employment.History{Records: []employment.Record{acme}},
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2020-01-01", "", "")}}, "base_salary ACME SA base_salary 100.50>"},
		{"a salary that is no number", employment.History{Records: []employment.Record{spell("A", "1", "2020-01-01", "", "unknown")}},
			employment.History{Records: []employment.Record{spell("A", "1", "2020-01-01", "", "Unknown")}}, "base_salary A base_salary unknown>Unknown"},
		{"another name", employment.History{Records: []employment.Record{acme}},
			employment.History{Records: []employment.Record{spell("ACME HOLDING", "Y1", "2020-01-01", "", "100.50")}}, "employer_name ACME HOLDING employer ACME SA>ACME HOLDING"},
		{"another name and another registration: the dates tell", employment.History{Records: []employment.Record{acme, beta}},
			employment.History{Records: []employment.Record{spell("ACME HOLDING", "Y9", "2020-01-01", "", "100.50"), beta}},
			"employer_name ACME HOLDING employer ACME SA>ACME HOLDING\nfield ACME HOLDING registration Y1>Y9"},
		{"a start date corrected", employment.History{Records: []employment.Record{acme}},
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2020-02-01", "", "100.50")}}, "field ACME SA start 2020-01-01>2020-02-01"},
		{"an end date corrected", employment.History{Records: []employment.Record{beta}},
			employment.History{Records: []employment.Record{spell("BETA SA", "Y2", "2015-01-01", "2020-01-15", "90")}}, "field BETA SA end 2019-12-31>2020-01-15"},
		{"no registration, no start: the name is all there is", employment.History{Records: []employment.Record{spell("ACME SA", "", "", "", "1")}},
			employment.History{Records: []employment.Record{spell("ACME S.A.", "", "", "2024-01-01", "1")}}, "ended_job ACME S.A. end >2024-01-01"},
		{"two spells with one employer: the return is a new job",
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2010-01-01", "2012-01-01", "1")}},
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2020-01-01", "", "2"), spell("ACME SA", "Y1", "2010-01-01", "2012-01-01", "1")}},
			"new_job ACME SA  >2020-01-01/"},
		{"two alike on one side: nothing is guessed",
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2010-01-01", "2012-01-01", "1")}},
			employment.History{Records: []employment.Record{spell("ACME SA", "Y1", "2010-05-01", "2012-01-01", "1"), spell("ACME SA", "Y1", "2013-01-01", "", "2")}},
			"new_job ACME SA  >2010-05-01/2012-01-01\nnew_job ACME SA  >2013-01-01/\ngone_job ACME SA  2010-01-01/2012-01-01>"},
		{"one record twice stays twice", employment.History{Records: []employment.Record{beta, beta}}, employment.History{Records: []employment.Record{beta, beta}}, ""},
		{"the same months at two institutions are two records",
			employment.History{Records: []employment.Record{{Employer: "SEP", Start: on("2020-01-01"), Institution: "issste"}}},
			employment.History{Records: []employment.Record{{Employer: "SEP", Start: on("2020-01-01"), Institution: "issste"}, {Employer: "SEP", Start: on("2020-01-01"), Institution: "imss"}}},
			"new_job SEP  >2020-01-01/"},
		{"other fields and the person's standing",
			employment.History{Status: "employed", Weeks: employment.Weeks{Quoted: n(300)}, Records: []employment.Record{{Employer: "A", Registration: "1", Start: on("2020-01-01"), State: "Jalisco", Monthly: "10", QuotedDays: "5"}}},
			employment.History{Status: "unemployed", EndOfRight: "2026-05-26", Weeks: employment.Weeks{Quoted: n(304), Discounted: n(0)}, Records: []employment.Record{{Employer: "A", Registration: "1", Start: on("2020-01-01"), State: "Colima", Monthly: "12", JobTitle: "Chofer", QuotedDays: "9"}}},
			"monthly A monthly 10>12\nfield A state Jalisco>Colima\nfield A job_title >Chofer\nfield  status employed>unemployed\nfield  end_of_rights >2026-05-26\nfield  quoted_weeks 300>304\nfield  discounted_weeks >0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := employment.Difference(test.before, test.after)
			if diff := cmp.Diff(test.want, told(got)); diff != "" {
				t.Error("(-want +got):\n", diff)
			}
			if again := employment.Difference(test.after, test.after); len(again) != 0 {
				t.Errorf("differs from itself: %v", again)
			}
			// Backwards, what came has gone.
			kinds := func(changes []employment.Change, of employment.ChangeKind) int {
				return len(slices.DeleteFunc(slices.Clone(changes), func(c employment.Change) bool { return c.Kind != of }))
			}
			back := employment.Difference(test.after, test.before)
			if kinds(got, employment.NewJob) != kinds(back, employment.GoneJob) || kinds(got, employment.EndedJob) != kinds(back, employment.ReopenedJob) {
				t.Errorf("backwards: %s", told(back))
			}
		})
	}
}
