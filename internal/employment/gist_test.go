package employment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestGist(t *testing.T) {
	t.Parallel()
	first := Record{Employer: "ACME, S.A. de C.V.", Start: day(2018, 1, 1), End: day(2019, 6, 30), Monthly: "10000.00"}
	second := Record{Employer: "BETA SC", Start: day(2019, 7, 1), End: day(2021, 12, 31), Monthly: "12000.5"}
	older := Record{Employer: "ACME SA DE CV", Start: day(2022, 1, 1), Monthly: "15000"}
	newer := Record{Employer: "Gamma", Start: day(2023, 1, 15), Monthly: "31787.990"}
	twin := Record{Employer: "Delta", Start: day(2023, 1, 15)}
	undated := Record{Employer: "acme  sa de cv"}
	tests := []struct {
		name    string
		records []Record
		want    lookup.Gist
	}{
		{"nobody ever", nil, lookup.Gist{}},
		{"nothing open", []Record{second, first}, lookup.Gist{Records: 2, Employers: 2, EndedOn: day(2021, 12, 31)}},
		{"one open among closed", []Record{first, older, second},
			lookup.Gist{Records: 3, Employers: 2, CurrentName: "ACME SA DE CV", Since: day(2022, 1, 1), MonthlySalary: "15000"}},
		{"two open: the one that began last", []Record{older, newer},
			lookup.Gist{Records: 2, Employers: 2, CurrentName: "Gamma", Since: day(2023, 1, 15), MonthlySalary: "31787.990"}},
		{"two open since one day: the first received", []Record{twin, newer},
			lookup.Gist{Records: 2, Employers: 2, CurrentName: "Delta", Since: day(2023, 1, 15)}},
		{"open without a start", []Record{undated, first}, lookup.Gist{Records: 2, Employers: 1, CurrentName: "acme  sa de cv"}},
		{"one employer under two names is one", []Record{{Employer: "Omega", Registration: "Y12-34567-10", Start: day(2023, 1, 1)}, {Employer: "Alfa", Registration: "Y1234567101", Start: day(2022, 1, 1), End: day(2022, 12, 31)}},
			lookup.Gist{Records: 2, Employers: 1, CurrentName: "Omega", Since: day(2023, 1, 1)}},
		{"an end before its start tells nothing", []Record{first, {Employer: "BETA SC", Start: day(2024, 5, 2), End: day(2024, 5, 1)}},
			lookup.Gist{Records: 2, Employers: 2, EndedOn: day(2019, 6, 30)}},
		{"only an end date", []Record{first, {Employer: "BETA SC", End: day(2024, 5, 1)}}, lookup.Gist{Records: 2, Employers: 2, EndedOn: day(2024, 5, 1)}},
		{"an employer without a name is none", []Record{{Start: day(2020, 1, 1)}}, lookup.Gist{Records: 1, Since: day(2020, 1, 1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Gist(History{Records: tt.records})); diff != "" {
				t.Errorf("gist (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLatest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		records []Record
		want    int
	}{
		{"none", nil, -1},
		{"open beats closed later", []Record{{Start: day(2010, 1, 1)}, {Start: day(2020, 1, 1), End: day(2024, 1, 1)}}, 0},
		{"closed: ended last", []Record{{Start: day(2019, 1, 1), End: day(2019, 2, 1)}, {Start: day(2018, 1, 1), End: day(2020, 1, 1)}}, 1},
		{"closed on one day: began last", []Record{{Start: day(2018, 1, 1), End: day(2020, 1, 1)}, {Start: day(2019, 1, 1), End: day(2020, 1, 1)}}, 1},
	}
	for _, tt := range tests {
		if got := Latest(tt.records); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestNormal(t *testing.T) {
	t.Parallel()
	for _, same := range []string{"ACME SA DE CV", "Acme, S.A. de C.V.", " acme\u00a0 sa  de cv. ", "ACME,SA DE CV"} {
		if got := normal(same); got != "ACME SA DE CV" {
			t.Errorf("normal(%q) = %q", same, got)
		}
	}
	if normal("PEÑA") == normal("PENA") {
		t.Error("letters that tell names apart were folded")
	}
}
