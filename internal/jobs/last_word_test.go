package jobs_test

import (
	"context"
	"testing"

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
