package jobs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/jobs"
	"cotejo/internal/sandbox"
)

// nobody is the person of whom the sandbox never says a word again, and euis the one whose outcome is lost
// (docs/sandbox.md#ugly-cases).
const (
	nobody = "AAZR890505HNLLRN06"
	euis   = "EUIS870630MYNSGS04"
)

// later runs the workers with a clock that is ahead, and has the vendor asked about each attempt that is overdue by it.
// A round leaves an attempt that a job is creating or that a webhook holds just now to the next one, as the periodic job
// does.
func (b *bench) later(ahead time.Duration) func() {
	b.t.Helper()
	now := func() time.Time { return time.Now().Add(ahead) }
	b.work(func(c *jobs.Config) { c.Now = now })
	return func() {
		b.t.Helper()
		b.await1(func() bool {
			_, err := b.QueueOverdue(b.t.Context(), now())
			b.must(err)
			return one[bool](b, `select count(*) = 0 from attempts where status in ('queued', 'pending') and asked_at is null`)
		})
	}
}

// pending waits for the vendor to have taken a lookup up.
func (b *bench) pending(uid uuid.UUID) {
	b.t.Helper()
	b.await(`select status = 'pending' from lookups where uid = $1`, uid)
}

// how tells by what an attempt was settled, and its story.
func (b *bench) how() string {
	b.t.Helper()
	return one[string](b, `select a.settled_by || ' ' || (select coalesce(string_agg(kind, ' ' order by id), '') from moments where attempt_id = a.id and kind like 'ask%') from attempts a order by a.id desc limit 1`)
}

// A lost webhook costs minutes, not the answer: the vendor is asked, and the data are fetched.
func TestLostWebhookIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, person := range map[string]string{"all webhooks dropped": alejandro, "the person whose outcome is lost": euis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, sandbox.Config{})
			if person == alejandro {
				b.set(`{"drop_webhooks":100}`)
			}
			ask := b.later(4 * time.Minute)
			uid := b.request(person)
			b.pending(uid)
			b.await1(func() bool {
				return one[bool](b, `select count(*) = 0 from river_job where kind = 'create_account' and state <> 'completed'`)
			})
			ask()
			if got := b.done(uid); got != "success complete complete" {
				t.Errorf("ends as %s", got)
			}
			if got := b.how(); got != "asking asked" {
				t.Errorf("settled by %q", got)
			}
			if n := one[int](b, `select count(*) from pulls p join events e on e.id = p.event_id where e.source = 'asking' and e.delivery_id is null`); n != 2 {
				t.Errorf("%d pulls lead to the answer", n)
			}
		})
	}
}

// The webhook that was only slow finds everything done: it confirms, and nothing is fetched twice.
func TestSlowWebhookAfterAsking(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"event_delay":{"login.success":"1h"},"duplicate_webhooks":true}`)
	ask := b.later(4 * time.Minute)
	uid := b.request(alejandro)
	b.pending(uid)
	account := b.account()
	b.await1(func() bool {
		var status struct{ Data struct{ Status string } }
		b.ask(http.MethodGet, "/v1/accounts/"+account, "", &status)
		return status.Data.Status == "success"
	})
	ask()
	if got := b.done(uid); got != "success complete complete" {
		t.Fatalf("ends as %s", got)
	}
	b.set(`{"event_delay":{}}`)
	b.ask(http.MethodPost, "/_sandbox/accounts/"+account+"/events", `{"action":"login.success"}`, nil)
	b.await(`select count(*) filter (where action = 'login.success' and processed_at is not null) = 2 from deliveries`)
	if got := one[string](b, `select string_agg(verdict || ' ' || cause, ', ' order by verdict) from deliveries where action = 'login.success'`); got != "accepted , duplicate same_bytes" && got != "accepted , duplicate same_fact" {
		t.Errorf("the webhooks are %q", got)
	}
	if got := one[string](b, `select settled_by || ' ' || (final_event_at is not null) from attempts`); got != "asking true" {
		t.Errorf("the attempt is %q", got)
	}
	if n := b.calls.count("GET /v1/accounts/" + account + "/employment"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// Of an attempt of which nothing ever comes an end is made, and a word after it still counts.
func TestNothingEverComes(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	ask := b.later(61 * time.Minute)
	uid := b.request(nobody)
	b.pending(uid)
	b.await1(func() bool {
		return one[bool](b, `select count(*) = 0 from river_job where kind = 'create_account' and state <> 'completed'`)
	})
	ask()
	if got := b.done(uid); got != "expired no_final_event none none" {
		t.Fatalf("ends as %s", got)
	}
	if got := b.how(); got != "expired " {
		t.Errorf("settled by %q", got)
	}
	b.ask(http.MethodPost, "/_sandbox/accounts/"+one[string](b, `select account_id from attempts`)+"/events", `{"action":"login.error","status_details":"service_degradation","apply":true}`, nil)
	b.await(`select status = 'error' from lookups where uid = $1`, uid)
	if got := b.how(); got != "webhook " {
		t.Errorf("moved by %q", got)
	}
}

// A vendor that does not answer the question has told nothing; only the limit ends the attempt.
func TestAskedInAnOutage(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]string{4 * time.Minute: "pending none none", 61 * time.Minute: "expired no_final_event none none"} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			b := open(t, sandbox.Config{})
			b.set(`{"drop_webhooks":100,"fail_next":{"route":"GET /v1/accounts","status":503,"times":100}}`)
			ask := b.later(ahead)
			uid := b.request(alejandro)
			b.pending(uid)
			b.await1(func() bool {
				return one[bool](b, `select count(*) = 0 from river_job where kind = 'create_account' and state <> 'completed'`)
			})
			ask()
			b.await(`select count(*) = 1 from moments where kind = 'ask_failed'`)
			if got := b.state(uid); got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
			if n := b.calls.count("GET /v1/accounts/"); n != 3 {
				t.Errorf("asked %d times in one round", n)
			}
		})
	}
}

// The periodic job is what asks in a running program.
func TestOverdueIsPeriodic(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"drop_webhooks":100}`)
	first := b.work()
	uid := b.request(alejandro)
	b.pending(uid)
	b.must(first.Stop(t.Context()))
	b.exec(`update attempts set sent_at = sent_at - interval '4 minutes'`)
	b.work()
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
}

// The same in the other dialect, with the kinds of data that the verification names.
func TestLostWebhookIsAskedForAtBuro(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.set(`{"drop_webhooks":100}`)
	ask := b.later(9 * time.Minute)
	found, none := b.verify(alejandro), b.verify("POTP910411HASBMP04")
	b.pending(found)
	b.pending(none)
	b.await1(func() bool {
		return one[bool](b.bench, `select count(*) = 0 from river_job where kind = 'create_account' and state <> 'completed'`)
	})
	ask()
	if got := b.told(found); got != "success complete complete employment_files=complete invoices=complete" {
		t.Errorf("ends as %s", got)
	}
	if got := b.told(none); got != "success no_data empty empty" {
		t.Errorf("without data it ends as %s", got)
	}
	if n := one[int](b.bench, `select count(*) from attempts where settled_by = 'asking' and final_event_at is null`); n != 2 {
		t.Errorf("%d settled by asking", n)
	}
}

// can_retry is true after every fault: Cotejo asks once more, and leaves the rest to people.
func TestMayRetryIsTakenUpOnce(t *testing.T) {
	t.Parallel()
	b := openBuro(t, sandbox.Config{})
	b.work()
	uid := b.verify("AUAT940412HCLQQM08")
	b.await(`select count(*) = 2 and bool_and(status = 'error') from attempts`)
	if got := b.done(uid); got != "error verification_error_can_retry none none" {
		t.Errorf("ends as %s", got)
	}
	if got := one[string](b.bench, `select string_agg(source, ' ' order by number) from attempts`); got != "form automatic" {
		t.Errorf("attempts are %q", got)
	}
	if n := b.verifications("AUAT940412HCLQQM08"); n != 2 {
		t.Errorf("%d verifications", n)
	}
}
