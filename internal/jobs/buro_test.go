package jobs_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
)

// buroBench is the same bench with a connection to the sandbox's second dialect.
type buroBench struct {
	*bench
	client *buro.Client
	hook   string
}

func openBuro(t *testing.T, extra sandbox.Config) *buroBench {
	t.Helper()
	b := &buroBench{bench: open(t, extra)}
	key := b.box.Credentials().BuroKey
	c, err := b.SaveConnection(t.Context(), connection.Connection{Name: "Buró", Dialect: lookup.Buro, Environment: lookup.Sandbox,
		BaseURL: b.vendor.URL, CallsPerMinute: connection.MaxCallsPerMinute}, key, b.by)
	b.must(err)
	// The limit is held elsewhere; here it would only cost time.
	b.exec(`alter table connections drop constraint connections_calls_per_minute_check`)
	b.exec(`update connections set calls_per_minute = 100000, tokens = 100000`)
	b.client, err = buro.New(buro.Options{BaseURL: c.BaseURL, Environment: lookup.Sandbox, Key: key})
	b.must(err)
	const token = "the-other-token-of-this-test"
	_, err = b.AddSubscription(t.Context(), c, "test", token, []string{"*"})
	b.must(err)
	b.hook = b.hooks + token
	name := "test"
	_, err = b.client.CreateWebhook(t.Context(), buro.WebhookChange{URL: &b.hook, Description: &name})
	b.must(err)
	return b
}

// verify records a lookup of a CURP or an RFC at Buró.
func (b *buroBench) verify(identifier string) uuid.UUID {
	b.t.Helper()
	now := time.Now()
	n := db.NewLookup{Environment: lookup.Sandbox, Dialect: lookup.Buro, Platform: lookup.AllSources, Source: lookup.SourceForm,
		Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(time.Hour), NoticeVersion: "1.0", Means: "branch", Purpose: consent.PurposeCredit}}
	if len(identifier) == 18 {
		number, err := curp.Parse(identifier)
		b.must(err)
		n.CURP = number
	} else {
		n.RFC = identifier
	}
	uid, err := b.RequestLookup(b.t.Context(), n, b.by)
	b.must(err)
	return uid
}

// told is how a lookup stands with all kinds of data, once nothing is on its way any more.
func (b *buroBench) told(uid uuid.UUID) string {
	b.t.Helper()
	b.done(uid)
	b.await(`select count(*) = 0 from attempt_entities n join attempts a on a.id = n.attempt_id join lookups l on l.id = a.lookup_id
		where l.uid = $1 and n.state = 'fetching'`, uid)
	more := one[string](b.bench, `select coalesce(string_agg(n.name || '=' || n.state, ' ' order by n.name), '') from attempt_entities n
		join attempts a on a.id = n.attempt_id join lookups l on l.id = a.lookup_id where l.uid = $1`, uid)
	return strings.TrimSpace(b.state(uid) + " " + more)
}

// verifications counts what the vendor made of one person.
func (b *buroBench) verifications(identifier string) int {
	b.t.Helper()
	list, err := b.client.Verifications(b.t.Context(), identifier)
	b.must(err)
	return len(list)
}

// say sends an event of our own making and gives the verdict on it.
func (b *buroBench) say(body string) string {
	b.t.Helper()
	before := one[int](b.bench, `select count(*) from deliveries`)
	res, err := http.Post(b.hook, "application/json", bytes.NewReader([]byte(body)))
	b.must(err)
	res.Body.Close()
	b.await(`select count(*) = $1 and bool_and(processed_at is not null) from deliveries`, before+1)
	return one[string](b.bench, `select concat_ws(' ', verdict, nullif(cause, '')) from deliveries order by id desc limit 1`)
}

// Every documented outcome, every kind of identifier, and the ugly cases that follow a person, all at once.
func TestBuroOutcomes(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.work()
	const all = "success complete complete employment_files=complete invoices=complete"
	want := map[string]string{
		alejandro:            all,
		"JITM910411HASMMR08": "success complete complete employment_files=complete",
		"CACU810924HYNRHL07": "success complete complete earnings=complete employment_files=complete invoices=complete",
		"OAAP890328HASCMB05": "success complete none earnings=complete",
		"ZUAL000827HMCXRSA8": "success complete none",
		"POTP910411HASBMP04": "success no_data empty empty",
		"AUAT940412HCLQQM08": "error verification_error_can_retry none none",
		"COTE850612V21":      "success complete none invoices=complete",
		"TNX9804159P9":       "success none none business_profile=complete invoices=complete",
		"NOX030722QI0":       "success no_data empty empty",
		"ERB1109099E3":       "error verification_error_can_retry none none",
		"IIRM880603HSPXVX08": all, // duplicate
		"AEHM820319HSPLRR02": all, // nine decimals
		"POAR880917HBCZRD03": all, // no zones
		"TORS850421HDFRNR09": all, // "None"
		"AAAO870512MSPLLL02": all, // NUL in a string
		"TELL860611HVZLZS04": all, // an unknown event before the real one
		"BETE850429MPLLRL08": all, // an unknown kind of data
		"MOLY850703MSPRNZ02": "error daily_verification_limit_exceeded none none",
		"RONV890411HPLMVC03": "error vendor_rejected none none",
		"VAAB951115HGTRBR04": all, // 412 is of the other dialect
	}
	asked := map[string]uuid.UUID{}
	for person := range want {
		asked[person] = b.verify(person)
	}
	got := map[string]string{}
	for person, uid := range asked {
		got[person] = b.told(uid)
		made := one[int](b.bench, `select count(*) from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1 and a.account_id <> ''`, uid)
		if refused := strings.Contains(want[person], "daily") || strings.Contains(want[person], "rejected"); refused == (made > 0) {
			t.Errorf("%s: %d attempts were taken up", person, made)
		}
		if n := b.verifications(person); n != made {
			t.Errorf("%s: %d verifications, want %d", person, n, made)
		}
	}
	want["BETE850429MPLLRL08"] = got["BETE850429MPLLRL08"] // its name is the sandbox's
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(got["BETE850429MPLLRL08"], "success ") || strings.Count(got["BETE850429MPLLRL08"], "=none") != 1 {
		t.Errorf("an unknown kind of data ends as %s", got["BETE850429MPLLRL08"])
	}
	if again := one[string](b.bench, `select coalesce(string_agg(errors::text || coalesce(metadata::text, ''), '; '), '') from river_job where kind = 'create_account' and attempt > 1`); again != "" {
		t.Errorf("creations were repeated: %s", again)
	}
	// What was fetched can be traced: attempt, event, bytes, hash.
	if n := one[int](b.bench, `select count(*) from pulls p join events e on e.id = p.event_id and e.phase = 'succeeded'
		where p.http_status <> 200 or p.sha256 <> sha256(p.body) or length(p.body) = 0`); n != 0 {
		t.Errorf("%d pulls without their lineage", n)
	}
	if n := one[int](b.bench, `select count(distinct institution) from employment_records where institution in ('imss', 'issste')`); n == 0 {
		t.Error("no record tells its institution")
	}
	if n := one[int](b.bench, `select count(*) from people where curp is null and name <> ''`); n != 2 {
		t.Errorf("%d named holders of an RFC, want 2", n)
	}
	c, err := b.WatchLookup(t.Context(), lookup.Sandbox, asked[alejandro])
	b.must(err)
	if len(c.Entities) != 2 || len(c.Entities[0].Rows) == 0 || c.Entities[0].Rows[0].Value("amount") == "" || c.ProfileMore.Value("employment_status") == "" ||
		len(c.History.Records) == 0 || c.Dialect != lookup.Buro {
		t.Errorf("the case: %d kinds, %v, %d records", len(c.Entities), c.ProfileMore, len(c.History.Records))
	}
	if len(c.Documents) < 2 {
		t.Fatalf("%d documents", len(c.Documents))
	}
	for _, d := range c.Documents {
		_, body, err := b.TakeDocument(t.Context(), lookup.Sandbox, d.UID, b.by)
		if err != nil || d.Code != "" || d.Name == "" || d.ContentType != "application/pdf" || !bytes.HasPrefix(body, []byte("%PDF-")) || len(body) != d.Size {
			t.Errorf("%+v: %d bytes, %v", d, len(body), err)
		}
	}
	if n := one[int](b.bench, `select count(*) from audit_entries where action = 'document.downloaded'`); n != len(c.Documents) {
		t.Errorf("%d downloads on the trail, want %d", n, len(c.Documents))
	}
}

// No idempotency, two verifications a day, each billed: however the answer is lost, one is made and found again.
func TestBuroAmbiguousCreation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault string
		made  int
	}{
		"cut after creating": {`"route":"POST /verifications","mode":"cut","after":true`, 1},
		"500 after creating": {`"route":"POST /verifications","status":500,"mode":"status","after":true`, 1},
		"nonsense after":     {`"route":"POST /verifications","mode":"status","status":202,"body":"<html>","after":true`, 1},
		"500 before":         {`"route":"POST /verifications","mode":"status","status":500`, 1},
		"consent cut":        {`"route":"POST /consents","mode":"cut"`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBuro(t, sandbox.Config{})
			b.set(`{"fail_next":{` + test.fault + `}}`)
			b.work()
			if got := b.told(b.verify(alejandro)); !strings.HasPrefix(got, "success complete complete") {
				t.Errorf("ends as %s", got)
			}
			if n := b.verifications(alejandro); n != test.made {
				t.Errorf("%d verifications for one attempt", n)
			}
		})
	}
}

// The search after a lost answer may be refused itself; then what was asked before is as open as it was.
func TestBuroSearchIsNoAnswer(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.set(`{"drop_webhooks":100,"fail_next":{"route":"POST /verifications","mode":"cut","after":true}}`)
	first := b.work()
	uid := b.verify(alejandro)
	b.await1(func() bool {
		return b.calls.count("POST /verifications") == 1 && one[string](b.bench, `select state::text from river_job where kind = 'create_account'`) != "running"
	})
	b.must(first.Stop(t.Context()))
	b.set(`{"fail_next":{"route":"GET /verifications","status":429,"times":1}}`)
	b.exec(`update river_job set state = 'available', scheduled_at = now() where kind = 'create_account' and state <> 'completed'`)
	b.work()
	b.await1(func() bool {
		if one[string](b.bench, `select status from lookups where uid = $1`, uid) == "pending" {
			return true
		}
		b.exec(`update connections set blocked_until = null`)
		b.exec(`update river_job set state = 'available', scheduled_at = now() where kind = 'create_account' and state = 'scheduled'`)
		return false
	})
	b.set(`{"fail_next":null}`) // it may have gone the other way before the fault was set
	if n := b.verifications(alejandro); n != 1 {
		t.Errorf("%d verifications", n)
	}
}

// We die between the vendor's answer and our commit of it: the verification is found, not made again.
func TestBuroDeathBeforeOurCommit(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.exec(`create sequence deaths`)
	b.exec(`create function die() returns trigger language plpgsql as $$ begin
		if nextval('deaths') <= 2 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$`)
	b.exec(`create trigger die before update of account_id on attempts for each row when (new.account_id <> '') execute function die()`)
	b.work()
	if got := b.told(b.verify(alejandro)); !strings.HasPrefix(got, "success complete complete") {
		t.Errorf("ends as %s", got)
	}
	if n := b.verifications(alejandro); n != 1 {
		t.Errorf("%d verifications for one attempt", n)
	}
}

// A consent is recorded once and used while it lives; one that the vendor no longer knows is recorded anew, once.
func TestBuroConsent(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.work()
	const denied = `{"fail_next":{"route":"POST /verifications","status":400,"code":"consent_required","times":%d}}`
	for i, step := range []struct {
		set      string
		sql      string
		want     string
		consents int // recorded so far
	}{
		{"", "", "success complete complete", 1},
		{"", "", "success complete complete", 1},
		{fmt.Sprintf(denied, 1), "", "success complete complete", 2},
		{"", `update vendor_consents set expires_at = now()`, "success complete complete", 3},
		{fmt.Sprintf(denied, 9), "", "error consent_required none none", 4},
	} {
		if step.set != "" {
			b.set(step.set)
		}
		if step.sql != "" {
			b.exec(step.sql)
		}
		if got := b.told(b.verify(alejandro)); !strings.HasPrefix(got, step.want) {
			t.Errorf("%d ends as %s", i, got)
		}
		if n := b.calls.count("POST /consents"); n != step.consents {
			t.Errorf("%d: %d consents recorded, want %d", i, n, step.consents)
		}
	}
	// The vendor's expiry is what is stored: a year and six hours, whatever ours is.
	if n := one[int](b.bench, `select count(*) from vendor_consents where expires_at > created_at + interval '364 days'`); n != 2 {
		t.Errorf("%d consents with the vendor's expiry, want the two newest", n)
	}
	// What only a person can mend ends the attempt at once.
	b.exec(`create function no_ip() returns trigger language plpgsql as $$ begin new.ip := 'nowhere'; return new; end $$`)
	b.exec(`create trigger no_ip before insert on consents for each row execute function no_ip()`)
	if got := b.told(b.verify("LALE870908HDFRPD02")); got != "error consent_incomplete none none" {
		t.Errorf("ends as %s", got)
	}
}

// Two verifications per identifier and day: the third ends with its code, others go on, and nobody asks again.
func TestBuroDailyLimit(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.set(`{"daily_limit":2}`)
	b.work()
	for i, want := range []string{"success", "success", "error daily_verification_limit_exceeded none none"} {
		if got := b.told(b.verify(alejandro)); !strings.HasPrefix(got, want) {
			t.Errorf("%d ends as %s", i, got)
		}
	}
	if got := b.told(b.verify("JITM910411HASMMR08")); !strings.HasPrefix(got, "success complete complete") {
		t.Errorf("somebody else ends as %s", got)
	}
	if n := b.calls.count("POST /verifications"); n != 4 {
		t.Errorf("asked %d times, want 4", n)
	}
	if one[bool](b.bench, `select bool_or(blocked_until is not null or paused_at is not null) from connections`) {
		t.Error("one person's limit holds everybody back")
	}
}

// Events in every order and more than once: the rank holds, a fact is told once, and what is unknown is kept.
func TestBuroEvents(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.set(`{"drop_webhooks":100}`)
	b.work()
	uid := b.verify(alejandro)
	b.await(`select status = 'pending' from lookups where uid = $1`, uid)
	attempt := one[string](b.bench, `select uid::text from attempts`)
	id := one[string](b.bench, `select account_id from attempts`)
	// The data is there once the vendor says so itself.
	b.await1(func() bool {
		v, err := b.client.Verification(t.Context(), id)
		b.must(err)
		return v.Status == "completed"
	})
	event := func(name, rest string) string {
		return `{"event":"` + name + `","verification_id":"` + id + `","identifier":"` + alejandro + `","external_id":"` + attempt + `",` + rest + `}`
	}
	const done = `"status":"completed","data_available":true,"can_retry":false,"entities":["profile","tax\u0000 returns","profile"],"last_updated_at":"2025-09-01T20:06:39.976067400Z"`
	for _, step := range []struct{ body, verdict, state string }{
		{event("verification.completed", `"status":"in_progress"`), "accepted", "pending none none"},
		{event("verification.completed", `"status":"paused"`), "ignored unknown_event", "pending none none"},
		{event("verification.levitated", `"status":"completed","data_available":true`), "ignored unknown_event", "pending none none"},
		{event("verification.completed", `"status":"failed","can_retry":false,"last_updated_at":"2025-09-01T20:06:39Z"`),
			"accepted", "error verification_error none none"},
		{event("verification.completed", done+`,"timestamp":"2025-09-01T20:06:40Z"`), "accepted", "success complete none tax returns=none"},
		{event("verification.completed", done+`,"timestamp":"2025-09-01T20:09:40Z"`), "duplicate same_fact", "success complete none tax returns=none"},
		{event("verification.completed", `"status":"in_progress","last_updated_at":"2025-09-01T20:06:00Z"`), "accepted late", "success complete none tax returns=none"},
		{event("verification.historical", `"status":"completed","data_available":true,"entities":["employment"],"last_updated_at":"2025-09-02T00:00:00Z"`),
			"accepted deprecated", "success complete complete tax returns=none"},
		{event("verification.completed", `"status":"completed","data_available":false,"can_retry":false,"last_updated_at":"2025-09-03T00:00:00Z"`),
			"accepted", "success complete complete tax returns=none"},
		{`{"event":"verification.completed"}`, "ignored unreadable", "success complete complete tax returns=none"},
	} {
		if got := b.say(step.body); got != step.verdict {
			t.Errorf("%s\nis %q, want %q", step.body, got, step.verdict)
		}
		if got := b.told1(uid); got != step.state {
			t.Errorf("%s\nleaves %q, want %q", step.body, got, step.state)
		}
	}
}

// told1 is told for a lookup that may still be open.
func (b *buroBench) told1(uid uuid.UUID) string {
	b.t.Helper()
	if one[string](b.bench, `select status from lookups where uid = $1`, uid) == "pending" {
		return b.state(uid)
	}
	return b.told(uid)
}

// A document that cannot be had is asked for again with new links, and in the end kept by its name; the rest stands.
func TestBuroDocumentMissing(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	real := b.vendor.Config.Handler
	b.vendor.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/imss_record.pdf"):
			w.Header().Set("Content-Type", "application/pdf")
			_, _ = w.Write(bytes.Repeat([]byte("x"), db.MaxDocument+1))
		case strings.Contains(r.URL.Path, "/imss_report.pdf"):
			http.Error(w, "expired", http.StatusForbidden)
		default:
			real.ServeHTTP(w, r)
		}
	})
	b.work()
	uid := b.verify(alejandro)
	if got := b.told(uid); got != "success complete complete employment_files=partial invoices=complete" {
		t.Errorf("ends as %s", got)
	}
	c, err := b.WatchLookup(t.Context(), lookup.Sandbox, uid)
	b.must(err)
	codes := map[string]int{}
	for _, d := range c.Documents {
		codes[d.Code]++
	}
	if codes["answer_too_large"] == 0 || codes["file_refused"] != 1 {
		t.Errorf("documents: %+v", c.Documents)
	}
}
