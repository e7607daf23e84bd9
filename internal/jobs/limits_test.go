package jobs_test

import (
	"testing"
	"time"

	"cotejo/internal/sandbox"
)

// What the vendor's window allows is never exceeded, however many processes share it: no call is refused.
func TestLimitIsShared(t *testing.T) {
	t.Parallel()
	const window = 60
	b := open(t, sandbox.Config{Rate: window})
	b.exec(`update connections set calls_per_minute = $1, tokens = 0, refilled_at = clock_timestamp()`, window)
	began := time.Now()
	b.work()
	b.work()
	first, second := b.request(alejandro), b.request("LALE870908HDFRPD02")
	for _, got := range []string{b.done(first), b.done(second)} {
		if got != "success complete complete" {
			t.Errorf("ends as %s", got)
		}
	}
	b.calls.mu.Lock()
	defer b.calls.mu.Unlock()
	calls, most := len(b.calls.made)-1, int(time.Since(began).Minutes()*window)+1 // one registered the webhook
	if calls > most {
		t.Errorf("%d calls in %s, want at most %d", calls, time.Since(began), most)
	}
	if n := one[int](b, `select count(*) from connections where blocked_until is not null`); n != 0 {
		t.Error("a call was refused")
	}
}

// 429 holds every process back until the moment named, costs no attempt and leaves no trace of a failure.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.set(`{"fail_next":{"route":"POST /v1/users/accounts","status":429,"times":1}}`)
	b.work()
	uid := b.request(alejandro)
	// Without a reset the whole window is waited for.
	b.await(`select coalesce(blocked_until > now() + interval '50 seconds', false) from connections`)
	b.await1(func() bool {
		return one[string](b, `select state::text from river_job where kind = 'create_account'`) == "scheduled"
	})
	if one[bool](b, `select sent_at is not null from attempts`) {
		t.Error("a refused call counts as sent")
	}
	b.exec(`update connections set blocked_until = null`)
	b.exec(`update river_job set state = 'available', scheduled_at = now() where kind = 'create_account'`)
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	if n := b.accounts(); n != 1 {
		t.Errorf("%d accounts", n)
	}
	if n := b.calls.count("POST /v1/users/search"); n != 0 {
		t.Errorf("%d searches for a call that was certainly not carried out", n)
	}
}

// The reset that the vendor names is obeyed to the second: here it lies one or two ahead.
func TestLimitReset(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := open(t, sandbox.Config{Rate: 2, Now: func() time.Time { return now.Add(-58 * time.Second).Add(time.Since(now)) }})
	b.work() // registering the webhook was one call; the creation is the last allowed
	uid := b.request(alejandro)
	b.await(`select blocked_until is not null from connections`)
	if far := one[float64](b, `select extract(epoch from blocked_until - now())::float8 from connections`); far > 61 {
		t.Errorf("held back for %.0f s", far)
	}
	b.set(`{"rate":0}`)
	b.exec(`update connections set blocked_until = null`)
	b.exec(`update river_job set scheduled_at = now(), state = 'available' where state in ('scheduled', 'retryable')`)
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
}

// A job of several calls keeps its turn: giving up between two of them would need both again, and with many lookups at
// once the limit would be spent on repetitions.
func TestACallBegunIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.exec(`update connections set tokens = 0, refilled_at = clock_timestamp()`)
	b.work()
	first, second := b.request(alejandro), b.request("LALE870908HDFRPD02")
	for _, got := range []string{b.done(first), b.done(second)} {
		if got != "success complete complete" {
			t.Errorf("ends as %s", got)
		}
	}
	for _, account := range b.created() {
		// The account's own word comes with the history.
		for path, want := range map[string]int{"": 3, "/profile": 1, "/employment": 1} {
			if n := b.calls.count("GET /v1/accounts/" + account + path); n != want {
				t.Errorf("%q: %d calls, want %d", path, n, want)
			}
		}
	}
}
