package jobs_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/jobs"
	"cotejo/internal/sandbox"
)

// The nine people of the vendor's tutorial end as it documents them (docs/vendor.md#sandbox), all at once.
func TestTheNinePeople(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.work()
	want := map[string]string{
		"GATA000408HTLRLLA7": "success complete complete",
		"LALE870908HDFRPD02": "success complete complete",
		"JITM910411HASMMR08": "success complete complete",
		"ZUAL000827HMCXRSA8": "success complete empty",
		"AATE910411HASLMG07": "success complete empty",
		"POTP910411HASBMP04": "incomplete curp_has_inconsistencies none none",
		"MEMC760502MMCJGR00": "incomplete nss_not_found_in_imss none none",
		"AUAT940412HCLQQM08": "error service_degradation none none",
		"DETJ910411HASLMR04": "error service_degradation none none",
	}
	asked := map[string]uuid.UUID{}
	for person := range want {
		asked[person] = b.request(person)
	}
	got := map[string]string{}
	for person, uid := range asked {
		got[person] = b.done(uid)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := b.accounts(); n != 9 {
		t.Errorf("%d accounts for nine lookups", n)
	}
	// What was fetched can be traced: attempt, event, bytes, hash.
	if n := one[int](b, `select count(*) from pulls p join events e on e.id = p.event_id and e.phase = 'succeeded'
		where p.http_status = 200 and p.sha256 = sha256(p.body) and length(p.body) > 0`); n != 10 {
		t.Errorf("%d pulls with their lineage, want 10", n)
	}
	if n := one[int](b, `select count(*) from deliveries where verdict <> 'accepted'`); n != 0 {
		t.Errorf("%d deliveries were not accepted", n)
	}
	if n := one[int](b, `select count(*) from people where name <> '' and nss <> ''`); n != 5 {
		t.Errorf("%d people with a name, want 5", n)
	}
}

// A webhook may come before our own commit of the account: it waits, unmatched, and is claimed.
func TestWebhookOvertakesOurCommit(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"no_external_id":"missing"}`) // else our own id would match it
	b.exec(`create table gate (id int primary key); insert into gate values (1)`)
	// The commit that learns the account's id waits until the test opens the gate.
	b.exec(`create function wait_at_gate() returns trigger language plpgsql as $$ begin perform id from gate for share; return new; end $$`)
	b.exec(`create trigger wait_at_gate before update of account_id on attempts for each row when (new.account_id <> '') execute function wait_at_gate()`)
	gate, err := b.Pool().Begin(t.Context())
	b.must(err)
	_, err = gate.Exec(t.Context(), `select id from gate for update`)
	b.must(err)
	b.exec(`update attempts set account_id = account_id`)
	b.work()
	uid := b.request(alejandro)
	// Both events arrive and find nobody; the account's lock is held by the commit, so they wait or are unmatched.
	b.await(`select count(*) = 2 from deliveries`)
	b.must(gate.Commit(t.Context()))
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	b.await(`select count(*) = 2 from deliveries where verdict = 'accepted' and processed_at is not null`)
}

// An event that does not bring our id back finds nobody until the account is learned, and is claimed then.
func TestUnmatchedIsClaimed(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"drop_webhooks":100,"fail_next":{"route":"POST /v1/users/accounts","mode":"cut","after":true}}`)
	// The second run of the creation comes when the test lets it.
	b.work(func(c *jobs.Config) { c.Retry = func(int) time.Duration { return time.Hour } })
	uid := b.request(alejandro)
	b.await1(func() bool { return b.accounts() == 1 })
	account := b.account()
	for _, action := range []string{"login.created", "login.success"} {
		res, err := http.Post(b.hook, "application/json", strings.NewReader(`{"data":{"account_id":"`+account+`","webhook_action":"`+action+`"}}`))
		b.must(err)
		res.Body.Close()
	}
	b.await(`select count(*) = 2 from deliveries where verdict = 'unmatched' and processed_at is not null`)
	if got := b.state(uid); got != "queued none none" {
		t.Errorf("before the claim: %s", got)
	}
	b.await1(func() bool {
		return one[bool](b, `select state in ('retryable', 'scheduled') from river_job where kind = 'create_account'`)
	})
	b.exec(`update river_job set state = 'available', scheduled_at = now() where kind = 'create_account'`)
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	b.await(`select count(*) = 2 from deliveries where verdict = 'accepted' and processed_at is not null`)
	if n := b.accounts(); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

// Webhooks that never come leave the lookup pending, with what the vendor said so far.
func TestLostWebhooks(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"drop_webhooks":100}`)
	b.work()
	uid := b.request(alejandro)
	b.await(`select status = 'pending' from lookups where uid = $1`, uid)
	b.await1(func() bool {
		return one[bool](b, `select count(*) = 0 from river_job where state <> 'completed' and kind <> 'tidy'`)
	})
	if got := b.state(uid); got != "pending none none" {
		t.Errorf("ends as %s", got)
	}
}

// With a retry gap a failed login.created arrives after login.success and is told as late (docs/vendor.md#delivery-retries).
func TestLateEvent(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"event_delay":{"login.created":"400ms"}}`)
	b.work()
	uid := b.request(alejandro)
	b.await(`select count(*) = 2 and bool_and(processed_at is not null) from deliveries`)
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	if got := one[string](b, `select string_agg(concat_ws('/', action, verdict, nullif(cause, '')), ' ' order by id) from deliveries`); got != "login.success/accepted login.created/accepted/late" {
		t.Errorf("deliveries are %q", got)
	}
}

// The vendor sends each event twice: the second is a duplicate, and nothing is fetched twice.
func TestDuplicateWebhooks(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"duplicate_webhooks":true}`)
	b.work()
	uid := b.request(alejandro)
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	b.await(`select count(*) = 4 from deliveries`)
	b.await(`select count(*) = 0 from deliveries where processed_at is null`)
	if n := one[int](b, `select count(*) from deliveries where verdict = 'duplicate'`); n != 2 {
		t.Errorf("%d duplicates, want 2", n)
	}
	if n := b.calls.count("GET /v1/accounts/"); n != 3 {
		t.Errorf("%d fetches, want profile, history and the account's own word, once", n)
	}
}

// After a success, a failure is told and moves nothing; an event outside the documented set is kept and moves nothing.
func TestEventsAfterTheEnd(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.work()
	uid := b.request(alejandro)
	b.done(uid)
	account := one[string](b, `select account_id from attempts`)
	b.ask(http.MethodPost, "/_sandbox/accounts/"+account+"/events", `{"action":"login.error","status_details":"service_degradation"}`, nil)
	b.await(`select count(*) = 3 and bool_and(processed_at is not null) from deliveries`)
	if got := one[string](b, `select verdict || ' ' || cause from deliveries order by id desc limit 1`); got != "accepted late" {
		t.Errorf("the error is %q", got)
	}
	res, err := http.Post(b.hook, "application/json", strings.NewReader(`{"data":{"account_id":"`+account+`","webhook_action":"login.levitated"}}`))
	b.must(err)
	res.Body.Close()
	b.await(`select count(*) = 4 and bool_and(processed_at is not null) from deliveries`)
	if got := one[string](b, `select verdict || ' ' || cause from deliveries order by id desc limit 1`); got != "ignored unknown_event" {
		t.Errorf("the stranger is %q", got)
	}
	if got := b.state(uid); got != "success complete complete" {
		t.Errorf("the lookup became %s", got)
	}
}

// The queue gives up on a job only after the client's own time-out had its say, and takes up those of the dead.
func TestTimes(t *testing.T) {
	t.Parallel()
	if jobs.JobTimeout != 30*time.Second || jobs.RescueAfter != 60*time.Second {
		t.Errorf("JobTimeout %s, RescueAfter %s", jobs.JobTimeout, jobs.RescueAfter)
	}
}
