package jobs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"cotejo/internal/jobs"
	"cotejo/internal/sandbox"
)

// The last run of a fetch ends because its own time is over, or we are: that it was given up is still written down.
func TestLastRunIsCutShort(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.exec(`create function once() returns trigger language plpgsql as $$ begin new.max_attempts := 1; return new; end $$`)
	b.exec(`create trigger once before insert on river_job for each row when (new.kind like 'fetch_%') execute function once()`)
	b.set(`{"fail_next":{"route":"GET /v1/accounts","mode":"hang","times":2}}`)
	runner := b.work()
	uid := b.request(alejandro)
	b.await1(func() bool { return b.calls.count("GET /v1/accounts/") == 2 })
	now, cancel := context.WithCancel(t.Context())
	cancel()
	b.must(runner.Stop(now))
	if got := b.state(uid); got != "success failed failed" {
		t.Errorf("it is %q", got)
	}
	if n := one[int](b, `select count(*) from pulls where state = 'failed'`); n != 2 {
		t.Errorf("%d pulls say why", n)
	}
}

// What nobody fetches any more is found by the upkeep of each minute.
func TestLostFetchIsFound(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.exec(`create function never() returns trigger language plpgsql as $$ begin new.state := 'cancelled'; new.finalized_at := now(); return new; end $$`)
	b.exec(`create trigger never before insert on river_job for each row when (new.kind = 'fetch_profile') execute function never()`)
	runner := b.work()
	uid := b.request(alejandro)
	b.await(`select employment_state = 'complete' from lookups where uid = $1`, uid)
	b.must(runner.Stop(t.Context()))
	b.work() // upkeep begins with the program
	if got := b.done(uid); got != "success failed complete" {
		t.Errorf("ends as %q", got)
	}
}

// What was asked for without an answer may be at the vendor, and be billed. When looking for it is refused until the tries are
// used up, the attempt is not refused: it stays open, and is found when it is overdue.
func TestOpenCreationIsNeverRefused(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"palenca", "buro"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			b := openBuro(t, sandbox.Config{})
			ask, create, search := b.request, "POST /v1/users/accounts", "POST /v1/users/search"
			if dialect == "buro" {
				ask, create, search = b.verify, "POST /verifications", "GET /verifications"
			}
			b.set(`{"drop_webhooks":100,"fail_next":{"route":"` + create + `","mode":"cut","after":true}}`)
			first := b.work(func(c *jobs.Config) { c.Retry = func(int) time.Duration { return time.Hour } })
			uid := ask(alejandro)
			b.await1(func() bool {
				return one[bool](b.bench, `select state in ('retryable', 'scheduled') and attempt = 1 from river_job where kind = 'create_account'`)
			})
			b.set(`{"fail_next":{"route":"` + search + `","status":422,"times":1}}`)
			b.exec(`update river_job set state = 'available', scheduled_at = now(), max_attempts = 2 where kind = 'create_account'`)
			b.await1(func() bool {
				return one[bool](b.bench, `select state = 'discarded' or finalized_at is not null from river_job where kind = 'create_account'`)
			})
			if got := one[string](b.bench, `select concat_ws(' ', status, nullif(settled_by, ''), (sent_at is not null)::text) from attempts`); got != "queued true" {
				t.Errorf("the attempt is %q, want it sent and open", got)
			}
			b.must(first.Stop(t.Context()))
			b.later(10 * time.Minute)()
			if got := b.done(uid); !strings.HasPrefix(got, "success complete complete") {
				t.Errorf("ends as %s", got)
			}
			if n := b.calls.count(create); n != 1 {
				t.Errorf("%d creations", n)
			}
		})
	}
}
