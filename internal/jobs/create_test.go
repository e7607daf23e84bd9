package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cotejo/internal/sandbox"
)

// The vendor has no idempotency. Whatever way the answer to a creation is lost, one account is made and found again.
func TestAmbiguousCreation(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]string{
		"500 after creating": `{"mode":"status","status":500,"after":true}`,
		"504 after creating": `{"mode":"status","status":504,"after":true}`,
		"cut after creating": `{"mode":"cut","after":true}`,
		"nonsense after":     `{"mode":"status","status":200,"body":"<html>","after":true}`,
		"500 before":         `{"mode":"status","status":500}`,
		"cut before":         `{"mode":"cut"}`,
		"thrice":             `{"mode":"cut","times":3}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, sandbox.Config{})
			b.set(`{"fail_next":{"route":"POST /v1/users/accounts",` + fault[1:] + `}`)
			b.work()
			if got := b.done(b.request(alejandro)); got != "success complete complete" {
				t.Errorf("ends as %s", got)
			}
			if n := b.accounts(); n != 1 {
				t.Errorf("%d accounts for one attempt", n)
			}
		})
	}
}

// A call that hangs after it was carried out is cut off by us, and its account is found.
func TestHangingCreation(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"no_external_id":"missing","drop_webhooks":100,"fail_next":{"route":"POST /v1/users/accounts","mode":"hang","after":true}}`)
	first := b.work()
	uid := b.request(alejandro)
	b.await1(func() bool { return b.accounts() == 1 && b.calls.count("POST /v1/users/accounts") == 1 })
	// The process is told to end while the vendor is silent: the job is cut off and runs again elsewhere.
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = first.Stop(over)
	b.set(`{"drop_webhooks":0}`)
	b.work()
	b.await(`select status = 'pending' from lookups where uid = $1`, uid)
	if n := b.calls.count("POST /v1/users/accounts"); n != 1 {
		t.Errorf("%d creations", n)
	}
	if got := one[string](b, `select string_agg(kind, ' ' order by id) from moments where kind in ('sent', 'taken', 'found')`); got != "sent found" {
		t.Errorf("the story is %q", got)
	}
}

// We die between the vendor's answer and our commit of it: the account is found, not made again.
func TestDeathBeforeOurCommit(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.exec(`create sequence deaths`)
	// The first two commits that would learn the account's id end with their connection, as in a crash.
	b.exec(`create function die() returns trigger language plpgsql as $$ begin
		if nextval('deaths') <= 2 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$`)
	b.exec(`create trigger die before update of account_id on attempts for each row when (new.account_id <> '') execute function die()`)
	b.set(`{"no_external_id":"missing"}`)
	b.work()
	if got := b.done(b.request(alejandro)); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	if n := b.accounts(); n != 1 {
		t.Errorf("%d accounts for one attempt", n)
	}
	if n := one[int](b, `select count(*) from attempts`); n != 1 {
		t.Errorf("%d attempts", n)
	}
}

// Refusals that are final say so with a code of ours, and are not repeated.
func TestRefusedCreation(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`"status":412`:                     "error recent_login_successful none none",
		`"status":422`:                     "error vendor_rejected none none",
		`"status":409,"code":"duplicated"`: "error vendor_rejected none none",
		`"status":422,"body":{"detail":[{"loc":["body"],"msg":"x"}]}`: "error vendor_rejected none none",
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			b := open(t, sandbox.Config{})
			b.set(`{"fail_next":{"route":"POST /v1/users/accounts","times":9,` + answer + `}}`)
			b.work()
			if got := b.done(b.request(alejandro)); got != want {
				t.Errorf("ends as %s, want %s", got, want)
			}
			if n := b.calls.count("POST /v1/users/accounts"); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// A vendor that nobody reaches is given up in the end, with a code that says whose fault it was.
func TestVendorOutOfReach(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.vendor.Close()
	b.work()
	if got := b.done(b.request(alejandro)); got != "error vendor_unavailable none none" {
		t.Errorf("ends as %s", got)
	}
}

// One that only answers with faults of its own may have acted on what it was asked: nobody says that it refused, and only
// time makes an end.
func TestVendorDown(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"fail_next":{"route":"/v1","status":503,"times":1000}}`)
	ask := b.later(61 * time.Minute)
	uid := b.request(alejandro)
	b.await1(func() bool {
		return one[bool](b, `select state = 'completed' from river_job where kind = 'create_account'`)
	})
	if got := b.state(uid); got != "queued none none" {
		t.Errorf("it is %s", got)
	}
	ask()
	if got := b.done(uid); got != "expired no_final_event none none" {
		t.Errorf("ends as %s", got)
	}
}

// A refused key pauses the connection; what is queued waits and goes on when the key is good again.
func TestRefusedKeyPauses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			b := open(t, sandbox.Config{})
			b.set(fmt.Sprintf(`{"fail_next":{"route":"/v1","status":%d,"times":1}}`, status))
			b.work()
			first := b.request(alejandro)
			b.await(`select paused_at is not null from connections`)
			second := b.request("LALE870908HDFRPD02")
			b.await1(func() bool {
				return one[int](b, `select count(*) from river_job where kind = 'create_account' and state = 'scheduled'`) == 2
			})
			for _, uid := range []any{first, second} {
				if got := one[string](b, `select status from lookups where uid = $1`, uid); got != "queued" {
					t.Errorf("a lookup became %s", got)
				}
			}
			if n := b.calls.count("POST /v1/users/accounts"); n != 1 {
				t.Errorf("%d calls under a refused key", n)
			}
			b.must(b.ResumeConnection(t.Context(), b.conn, b.by))
			b.exec(`update river_job set state = 'available', scheduled_at = now() where kind = 'create_account'`)
			for _, got := range []string{b.done(first), b.done(second)} {
				if got != "success complete complete" {
					t.Errorf("ends as %s", got)
				}
			}
			if n := b.accounts(); n != 2 {
				t.Errorf("%d accounts for two lookups", n)
			}
		})
	}
}

// Two processes on one database share the work and never do a thing twice.
func TestTwoRunners(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.work()
	b.work()
	const n = 6
	for range n {
		b.request(alejandro)
	}
	b.await(`select count(*) = $1 from lookups where status = 'success' and profile_state = 'complete' and employment_state = 'complete'`, n)
	if made := b.accounts(); made != n {
		t.Errorf("%d accounts for %d lookups", made, n)
	}
	// Profile, history and the account's own word.
	if fetched := b.calls.count("GET /v1/accounts/"); fetched != 3*n {
		t.Errorf("%d fetches, want %d", fetched, 3*n)
	}
	if again := one[int](b, `select count(*) from river_job where attempt > 1 and kind = 'process_delivery'`); again != 0 {
		t.Errorf("%d deliveries were processed more than once", again)
	}
}

// A fetch that stays refused is given up with what came of it, and the answer's other half stands.
func TestFetchFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ times, status, tries int }{"for ever": {1000, 500, 8}, "refused": {1000, 422, 1}, "twice": {2, 502, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, sandbox.Config{Delay: 300 * time.Millisecond})
			b.work()
			uid := b.request(alejandro)
			b.await(`select account_id <> '' from attempts`)
			account := one[string](b, `select account_id from attempts`)
			b.set(fmt.Sprintf(`{"fail_next":{"route":"GET /v1/accounts/%s/profile","status":%d,"times":%d}}`, account, test.status, test.times))
			want := "success failed complete"
			if test.times == 2 {
				want = "success complete complete"
			}
			if got := b.done(uid); got != want {
				t.Errorf("ends as %s", got)
			}
			if n := b.calls.count("GET /v1/accounts/" + account + "/profile"); n != test.tries {
				t.Errorf("asked %d times, want %d", n, test.tries)
			}
		})
	}
}
