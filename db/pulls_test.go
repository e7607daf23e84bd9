package db_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

func pull(m made, body string) db.NewPull {
	return db.NewPull{AttemptID: m.attempt, State: lookup.PullComplete, HTTPStatus: 200, Took: 1234 * time.Millisecond,
		Body: []byte(body), SHA256: sha256.Sum256([]byte(body))}
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// What people and sources write that breaks careless SQL, CSV and HTML.
const hostile = `O'Higgins; drop table people; -- "x" \ $1 ? <b>é ñ 𝄞</b>` + "\n\t\u202e"

func someProfile() profile.Profile {
	return profile.Profile{AccountID: "acc", FirstName: hostile, LastName: "García", Email: "a@b.mx", Phone: "+52 55",
		Birthday: day(2000, 4, 8), IDs: []profile.ID{{Type: "social_security_number", Name: "nss", Value: "12345678903"}, {Type: "tax", Name: "rfc", Value: hostile}}}
}

func someHistory() employment.History {
	weeks := 512
	return employment.History{Platform: "imss", AccountID: "acc", IDType: "nss", Status: "employed", Complete: "complete", EndOfRight: "01/02/2027 ",
		Weeks: employment.Weeks{Quoted: &weeks}, Files: []employment.File{{Type: "pdf"}, {Type: hostile}},
		Records: []employment.Record{
			{Employer: hostile, Registration: "Y54-12345-10-1", Start: day(2019, 2, 28), State: "CDMX", BaseSalary: "0432.10", Monthly: "13136.000",
				JobTitle: "J", Designation: "D", Modality: "M", PayFrequency: "P", QuotedDays: "30.4"},
			{Employer: "Sin fechas"},
			{Start: day(1900, 1, 1), End: day(9999, 12, 31), BaseSalary: "1e3", Monthly: "null"},
		},
		Movements: []employment.Movement{{Type: "reentry", Employer: hostile, Registration: "R", Date: day(2019, 2, 28), BaseSalary: "432.1"},
			{Type: "discharge", Date: day(2018, 12, 31), End: day(2019, 1, 1)}}}
}

func TestPullsRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	wantProfile, wantHistory := someProfile(), someHistory()
	gist := lookup.Gist{Records: 3, Employers: 2, CurrentName: hostile, Since: day(2019, 2, 28), MonthlySalary: "13136.000"}
	body := "{\"name\":\"a\\u0000b\"}\x00\xff"
	b.must(b.StoreProfile(b.ctx, pull(m, body), wantProfile))
	b.must(b.StoreEmployment(b.ctx, pull(m, body), wantHistory, gist))

	c, err := b.ViewLookup(b.ctx, lookup.Sandbox, m.uid, b.by)
	b.must(err)
	if diff := cmp.Diff(&wantProfile, c.Profile); diff != "" {
		t.Error("profile (-stored +read):\n", diff)
	}
	if diff := cmp.Diff(&wantHistory, c.History); diff != "" {
		t.Error("employment (-stored +read):\n", diff)
	}
	if diff := cmp.Diff(gist, c.Gist); diff != "" {
		t.Error("gist (-stored +read):\n", diff)
	}
	if c.PersonName != "García, "+hostile || c.Row.Profile != lookup.PullComplete || c.Row.Employment != lookup.PullComplete {
		t.Errorf("row: %q %s %s", c.PersonName, c.Row.Profile, c.Row.Employment)
	}
	sum := sha256.Sum256([]byte(body))
	want := &db.Pull{State: lookup.PullComplete, HTTPStatus: 200, TookMS: 1234, Size: len(body), SHA256: sum[:], Pages: 1}
	if diff := cmp.Diff(want, c.EmploymentPull, cmpopts.IgnoreFields(db.Pull{}, "ID", "UID", "FetchedAt")); diff != "" {
		t.Error("pull (-want +got):\n", diff)
	}
	if stored := value[[]byte](b, `select body from pulls where kind = 'profile'`); string(stored) != body {
		t.Errorf("the body became %q", stored)
	}
	if nss, err := b.Reveal(b.ctx, lookup.Sandbox, m.uid, audit.NSSRevealed, b.by); err != nil || nss != "12345678903" {
		t.Errorf("Reveal gives %q, %v", nss, err)
	}
	if text, err := b.Reveal(b.ctx, lookup.Sandbox, m.uid, audit.CURPRevealed, b.by); err != nil || text != alejandro {
		t.Errorf("Reveal gives %q, %v", text, err)
	}
	want2 := []string{"curp.revealed", "lookup.requested", "lookup.viewed", "nss.revealed"}
	if diff := cmp.Diff(want2, value[[]string](b, `select array_agg(action order by action) from audit_entries where lookup_id = $1`, m.id)); diff != "" {
		t.Error("trail (-want +got):\n", diff)
	}
}

func TestEmptyPullRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	n := pull(m, "")
	n.State, n.Body = lookup.PullEmpty, nil
	b.must(b.StoreProfile(b.ctx, n, profile.Profile{}))
	b.must(b.StoreEmployment(b.ctx, n, employment.History{}, lookup.Gist{}))
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if diff := cmp.Diff(&profile.Profile{}, c.Profile, cmpopts.EquateEmpty()); diff != "" {
		t.Error("profile (-stored +read):\n", diff)
	}
	if diff := cmp.Diff(&employment.History{}, c.History, cmpopts.EquateEmpty()); diff != "" {
		t.Error("employment (-stored +read):\n", diff)
	}
	if c.Row.Employment != lookup.PullEmpty || c.Gist != (lookup.Gist{}) || c.PersonName != "" {
		t.Errorf("row: %+v", c.Row)
	}
}

// JSON may say "\u0000", which no text column holds: the text read gets a mark in its place, the bytes stay.
func TestTextThatPostgresRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	const bad, mended = "a\x00b\xffc", "a\uFFFDb\uFFFDc"
	p := profile.Profile{AccountID: bad, FirstName: bad, LastName: bad, Email: bad, Phone: bad, IDs: []profile.ID{{Type: bad, Name: "nss", Value: bad}}}
	b.must(b.StoreProfile(b.ctx, pull(m, bad), p))
	h := employment.History{Platform: bad, AccountID: bad, IDType: bad, Status: bad, Complete: bad, EndOfRight: bad, Files: []employment.File{{Type: bad}},
		Records: []employment.Record{{Employer: bad, Registration: bad, State: bad, BaseSalary: bad, Monthly: bad, JobTitle: bad, Designation: bad,
			Modality: bad, PayFrequency: bad, QuotedDays: bad}},
		Movements: []employment.Movement{{Type: bad, Employer: bad, Registration: bad, BaseSalary: bad}}}
	b.must(b.StoreEmployment(b.ctx, pull(m, bad), h, lookup.Gist{Records: 1, CurrentName: bad, MonthlySalary: bad}))
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if c.Profile.FirstName != mended || c.Profile.IDs[0].Value != mended || c.PersonName != mended+", "+mended {
		t.Errorf("profile: %+v, name %q", c.Profile, c.PersonName)
	}
	if c.History.Records[0].Employer != mended || c.History.Movements[0].Type != mended || c.History.Files[0].Type != mended || c.Gist.CurrentName != mended {
		t.Errorf("employment: %+v", c.History)
	}
	if got := value[[]byte](b, `select body from pulls limit 1`); string(got) != bad {
		t.Errorf("the exact bytes became %q", got)
	}
}

func TestPullFailedKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	b.must(b.StoreEmployment(b.ctx, pull(m, "{}"), someHistory(), lookup.Gist{Records: 3}))
	n := pull(m, "<html>")
	n.HTTPStatus, n.Code = 502, "vendor_unavailable"
	b.must(b.PullFailed(b.ctx, "employment", n))
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if c.Row.Employment != lookup.PullFailed || c.History == nil || len(c.History.Records) != 3 || c.Gist.Records != 3 {
		t.Errorf("after a failed pull: state %s, history %v", c.Row.Employment, c.History)
	}
	story := c.Attempts[0].Story
	if last := story[len(story)-1]; last.Kind != lookup.MomentPullFailed || last.Text != "employment" || last.TookMS != 1234 {
		t.Errorf("the story ends with %+v", last)
	}
}

// Data of an earlier attempt that comes late must not stand where the latest attempt's state is shown.
func TestPullOfAnEarlierAttempt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	b.tell(success("acc"))
	b.exec(`insert into attempts (lookup_id, connection_id, number, source) values ($1, $2, 2, 'refresh')`, m.id, b.sandbox.ID)
	b.exec(`update lookups set status = 'queued', employment_state = 'none' where id = $1`, m.id)
	b.must(b.StoreEmployment(b.ctx, pull(m, "{}"), someHistory(), lookup.Gist{Records: 3}))
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if c.Row.Employment != lookup.PullNone || c.Gist.Records != 0 || len(c.Attempts) != 2 || c.Attempts[1].Employment != lookup.PullComplete {
		t.Errorf("row %s, attempts %+v", c.Row.Employment, c.Attempts)
	}
	if _, err := b.WatchLookup(b.ctx, lookup.Sandbox, uuid.New()); err == nil {
		t.Error("an unknown lookup was found")
	}
}
