package decision_test

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/decision"
	"cotejo/internal/employment"
	"cotejo/internal/figures"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

func day(text string) time.Time {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return d
}

func seen() decision.Seen {
	fetched := time.Date(2024, 7, 1, 5, 30, 0, 123456000, time.UTC) // still 30 June in Mexico City
	return decision.Seen{
		Lookup:         lookup.Row{UID: uuid.MustParse("018e4001-7c1d-7b02-9a55-3f0c6e1d4b01"), Environment: lookup.Sandbox, CURP: "GATA000408HTLRLLA7", PersonName: "García Téllez, Alejandro", State: lookup.State{Status: lookup.Success}},
		Profile:        &profile.Profile{FirstName: "Alejandro", LastName: "García Téllez"},
		History:        &employment.History{Records: []employment.Record{{Employer: "Alfa", Start: day("2024-01-01"), BaseSalary: "400.00"}}},
		EmploymentPull: decision.Pull{State: lookup.PullComplete, ID: "x", SHA256: "ab", FetchedAt: fetched},
		Others: decision.Others([]lookup.Finding{{Entity: lookup.EntityInvoices, State: lookup.PullFailed}, {Entity: lookup.EntityEarnings, State: lookup.PullComplete}},
			[]decision.Answer{{Entity: lookup.EntityEarnings, Pull: decision.Pull{ID: "e", SHA256: "cd", FetchedAt: fetched}}, {Entity: lookup.EntityBusiness, Pull: decision.Pull{ID: "b", FetchedAt: fetched}}}),
		Documents: []decision.Document{{ID: "d", SHA256: "ef"}, {ID: "g", Code: "file_refused"}},
		AsOf:      day("2024-06-30"),
	}
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	s := seen()
	frozen, sum, err := s.Freeze()
	if err != nil || sum != sha256.Sum256(frozen) || s.Digest() != hex.EncodeToString(sum[:]) {
		t.Fatalf("%x, %v", sum, err)
	}
	// The zone that a moment was read in is no part of what was seen; any fact is.
	same := seen()
	same.EmploymentPull.FetchedAt = same.EmploymentPull.FetchedAt.In(lookup.DayZone)
	same.Others[1].FetchedAt = same.Others[1].FetchedAt.In(lookup.DayZone)
	if same.Digest() != s.Digest() {
		t.Error("another zone is another hash")
	}
	for name, change := range map[string]func(*decision.Seen){
		"date":                   func(s *decision.Seen) { s.AsOf = day("2024-06-29") },
		"status":                 func(s *decision.Seen) { s.Lookup.State.Detail = "x" },
		"pull":                   func(s *decision.Seen) { s.EmploymentPull.SHA256 = "ac" },
		"record":                 func(s *decision.Seen) { s.History.Records[0].BaseSalary = "400.0" },
		"answer of another kind": func(s *decision.Seen) { s.Others[1].ID = "f" },
		"hash of such an answer": func(s *decision.Seen) { s.Others[1].SHA256 = "ce" },
		"state of another kind":  func(s *decision.Seen) { s.Others[0].State = lookup.PullFetching },
		"kind":                   func(s *decision.Seen) { s.Others = s.Others[:2] },
		"document":               func(s *decision.Seen) { s.Documents[0].SHA256 = "ee" },
		"set of documents":       func(s *decision.Seen) { s.Documents = s.Documents[:1] },
		"hint":                   func(s *decision.Seen) { s.Profile.FirstName = "Berta" },
	} {
		other := seen()
		change(&other)
		if other.Digest() == s.Digest() {
			t.Errorf("another %s is the same hash", name)
		}
	}
	facts, ok := decision.Note{Frozen: frozen}.Facts()
	if !ok {
		t.Fatal("it cannot be read back")
	}
	var kinds []string
	for _, a := range facts.Others {
		kinds = append(kinds, string(a.Entity)+" "+string(a.State)+" "+a.ID)
	}
	if diff := cmp.Diff([]string{"invoices failed ", "earnings complete e", "business_profile complete b"}, kinds); diff != "" {
		t.Error("other kinds (-want +frozen):\n", diff)
	}
	if diff := cmp.Diff(s.Documents, facts.Documents); diff != "" {
		t.Error("documents (-seen +frozen):\n", diff)
	}
	r, _ := s.Figures()
	if diff := cmp.Diff(r.Figures, facts.Figures); diff != "" {
		t.Error("figures (-seen +read):\n", diff)
	}
	if r.Ahead() != 0 || r.Figure(figures.Employed).Text() != "yes" {
		t.Errorf("fetched on the evening of the date: %d days ahead", r.Ahead())
	}
	for _, personal := range []string{"GATA", "García", "Alejandro"} {
		if strings.Contains(string(frozen), personal) {
			t.Errorf("%s is frozen", personal)
		}
	}
}

// Whatever a record holds is frozen, a field added to it later too, and can be read back.
func TestFreezeWholeRecords(t *testing.T) {
	t.Parallel()
	var r employment.Record
	fields := reflect.ValueOf(&r).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i).Addr().Interface().(type) {
		case *string:
			*f = "value of " + fields.Type().Field(i).Name
		case *time.Time:
			*f = day("2020-01-02").AddDate(i, 0, 0)
		default:
			t.Fatalf("how is %s frozen?", fields.Type().Field(i).Name)
		}
	}
	s := seen()
	s.History.Records = []employment.Record{r, {Employer: "Beta"}}
	frozen, _, err := s.Freeze()
	facts, ok := decision.Note{Frozen: frozen}.Facts()
	if err != nil || !ok {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.History.Records, facts.History().Records); diff != "" {
		t.Errorf("(-shown +frozen)\n%s", diff)
	}
	if strings.Contains(string(frozen), `"job_title":""`) {
		t.Error("what a source does not give changes the bytes of every note")
	}
}

// A lookup without an answer can be noted, too.
func TestFreezeNothing(t *testing.T) {
	t.Parallel()
	s := decision.Seen{AsOf: day("2024-06-30")}
	if _, ok := s.Figures(); ok || s.Hints() != nil || s.Digest() == "" {
		t.Errorf("%v, %q", s.Hints(), s.Digest())
	}
	frozen, _, err := s.Freeze()
	facts, ok := decision.Note{Frozen: frozen}.Facts()
	if err != nil || !ok || facts.Others == nil || facts.Documents == nil {
		t.Errorf("that there was nothing else is not told: %s", frozen)
	}
	// A note from before other kinds were kept is read, and does not say that there were none.
	if old, ok := (decision.Note{Frozen: []byte(`{"version":1,"dialect":"buro"}`)}).Facts(); !ok || old.Others != nil {
		t.Error("an old note is read otherwise")
	}
	for _, frozen := range []string{"", "{}", `{"version":2}`, "[]"} {
		if _, ok := (decision.Note{Frozen: []byte(frozen)}).Facts(); ok {
			t.Errorf("%q was read", frozen)
		}
	}
}

func TestAsOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 7, 1, 5, 30, 0, 0, time.UTC) // 30 June, 23:30 in Mexico City
	for text, want := range map[string]string{"": "2024-06-30", "2024-06-30": "2024-06-30", "1900-01-01": "1900-01-01", "2024-02-29": "2024-02-29",
		"2024-07-01": "", "1899-12-31": "", "2023-02-29": "", "30/06/2024": "", "0001-01-01": ""} {
		got, ok := decision.AsOf(text, now)
		if !ok && !got.Equal(day("2024-06-30")) {
			t.Errorf("%q falls back on %s", text, got)
		}
		if ok != (want != "") || ok && got.Format(time.DateOnly) != want {
			t.Errorf("%q is %s, %v; want %q", text, got.Format(time.DateOnly), ok, want)
		}
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{"": "decisions.reason_missing", " \r\n\t": "decisions.reason_missing", "sí": "",
		strings.Repeat("ñ", decision.MaxReason): "", strings.Repeat("ñ", decision.MaxReason+1): "decisions.reason_long"} {
		if got := decision.Problem(reason); got != want {
			t.Errorf("%d characters: %q, want %q", len(reason), got, want)
		}
	}
}
