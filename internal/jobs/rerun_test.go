package jobs_test

import (
	"testing"

	"cotejo/internal/sandbox"
)

// A fetch whose process died between our commit and the queue's note of it is run again: it finds its answer stored, asks
// nobody and stores nothing.
func TestFetchRunAgain(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.work()
	if got := b.done(b.request(alejandro)); got != "success complete complete" {
		t.Fatalf("ends as %s", got)
	}
	ran := func(times int) {
		t.Helper() // the queue notes the end of a run after it told us of it, so its own word is waited for
		b.await1(func() bool {
			return one[int](b, `select count(*) from river_job where kind like 'fetch_%' and state = 'completed' and attempt = $1`, times) == 2
		})
	}
	ran(1)
	before := b.calls.count("GET /v1/accounts/")
	b.exec(`update river_job set state = 'available', finalized_at = null, scheduled_at = now() where kind like 'fetch_%'`)
	ran(2)
	if n := one[int](b, `select count(*) from pulls`); n != 2 {
		t.Errorf("%d answers are stored, want profile and employment once", n)
	}
	if n := b.calls.count("GET /v1/accounts/"); n != before {
		t.Errorf("the vendor was asked %d times more", n-before)
	}
}
