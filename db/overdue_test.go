package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"cotejo/db"
	"cotejo/internal/lookup"
)

func answered(phase lookup.Phase, detail string) db.Answer {
	return db.Answer{Report: lookup.Report{Phase: phase, Detail: detail}}
}

// sent marks an attempt as sent at a moment.
func (b *bench) sent(m made, at time.Time) {
	b.t.Helper()
	b.exec(`update attempts set sent_at = $2 where id = $1`, m.attempt, at)
}

// settled tells how an attempt's outcome became known, and whether a webhook told one.
func (b *bench) settled(m made) string {
	b.t.Helper()
	return value[string](b, `select status || ' ' || settled_by || case when final_event_at is null then '' else ' heard' end from attempts where id = $1`, m.attempt)
}

// The clock is the caller's: nobody is asked before the expected time, one question at a time, and not at all when the
// connection is paused, the creation still under way, or an event came.
func TestQueueOverdue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	now := time.Now()
	m := b.taken("A1")
	b.sent(m, now)
	gone := b.taken("A2")
	b.sent(gone, now)
	b.tell(success("A2"))
	creating := b.request(lookup.Sandbox, eduardo)
	b.sent(creating, now) // asked for, no answer yet, its job alive
	unsent := b.request(lookup.Sandbox, eduardo)
	ask := func(after time.Duration) int {
		t.Helper()
		n, err := b.QueueOverdue(b.ctx, now.Add(after))
		b.must(err)
		return n
	}
	if n := ask(179 * time.Second); n != 0 {
		t.Errorf("%d asked in time", n)
	}
	if n := ask(181 * time.Second); n != 1 {
		t.Errorf("%d asked when one is overdue", n)
	}
	if got := value[int64](b, `select (args->>'attempt_id')::bigint from river_job where kind = 'ask_vendor'`); got != m.attempt {
		t.Errorf("asked about attempt %d, want %d", got, m.attempt)
	}
	if n := ask(4 * time.Minute); n != 0 {
		t.Errorf("%d asked again within the pause", n)
	}
	ask(7 * time.Minute)
	if n := b.jobs("ask_vendor"); n != 1 {
		t.Errorf("%d questions in the queue while the first waits there", n)
	}
	b.exec(`update river_job set state = 'completed', finalized_at = now() where kind = 'ask_vendor'`)
	b.must(b.PauseConnection(b.ctx, b.sandbox.ID, "invalid_api_key", time.Now()))
	if n := ask(30 * time.Minute); n != 0 {
		t.Errorf("%d asked under a refused key", n)
	}
	b.must(b.ResumeConnection(b.ctx, b.sandbox, b.by))
	// An operator cancelled the creation: nobody else will look after these two.
	b.exec(`update river_job set state = 'cancelled', finalized_at = now() where kind = 'create_account'`)
	if n := ask(31 * time.Minute); n != 3 {
		t.Errorf("%d asked, want the late one and two without a job", n)
	}
	if n := value[int](b, `select asks from attempts where id = $1`, unsent.attempt); n != 1 {
		t.Errorf("what was never sent was asked about %d times", n)
	}
}

// Attempts that are not due yet do not use up what one round may ask, however many there are.
func TestManyThatAreNotDue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	now := time.Now()
	m := b.taken("A1")
	b.sent(m, now.Add(-time.Hour/2))
	b.exec(`update attempts set asks = 1, asked_at = $2 where id = $1`, m.attempt, now.Add(-10*time.Minute))
	b.exec(`insert into attempts (lookup_id, connection_id, number, source, consent_id, status, account_id, sent_at)
		select lookup_id, connection_id, number + g, 'retry', consent_id, 'pending', 'other ' || g, $2 from attempts, generate_series(1, 600) g where id = $1`,
		m.attempt, now.Add(-time.Minute))
	if n, err := b.QueueOverdue(b.ctx, now); err != nil || n != 1 {
		t.Errorf("%d asked, %v; want the one that is due", n, err)
	}
	// Asked a moment ago, but then came the limit: that is the last question.
	limit := now.Add(time.Hour / 2)
	b.exec(`update attempts set asked_at = $2, asks = 9 where id = $1`, m.attempt, limit.Add(-time.Second))
	b.exec(`delete from river_job`)
	b.exec(`update attempts set sent_at = $2 where id <> $1`, m.attempt, limit)
	if n, err := b.QueueOverdue(b.ctx, limit.Add(time.Second)); err != nil || n != 1 {
		t.Errorf("%d asked at the limit, %v", n, err)
	}
}

// Whatever the vendor answers, an attempt ends where the answer says, told apart from what a webhook told.
func TestAnsweredLate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer db.Answer
		after  time.Duration
		want   string // status, by whom, data, moments since the account was taken
	}{
		{"success", answered(lookup.PhaseSucceeded, ""), 4 * time.Minute, "success asking fetching asked status"},
		{"success without data", db.Answer{Report: lookup.Report{Phase: lookup.PhaseSucceeded, Detail: "no_data"}, Entities: []lookup.Entity{}}, 4 * time.Minute, "success asking empty asked status"},
		{"incomplete", answered(lookup.PhaseIncomplete, "nss_not_found_in_imss"), 4 * time.Minute, "incomplete asking none asked status"},
		{"error", answered(lookup.PhaseFailed, "service_degradation"), 2 * time.Hour, "error asking none asked status"},
		{"still at work", answered(lookup.PhaseOpened, ""), 59 * time.Minute, "pending  none ask_open"},
		{"still at work at the limit", answered(lookup.PhaseOpened, ""), time.Hour, "expired expired none status"},
		{"not known", db.Answer{Code: "not_found"}, 4 * time.Minute, "pending  none ask_failed"},
		{"not known at the limit", db.Answer{Code: "not_found"}, time.Hour, "expired expired none ask_failed status"},
		{"an unknown word at the limit", answered(lookup.PhaseUnknown, ""), time.Hour, "expired expired none status"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			m := b.taken("A1")
			now := time.Now()
			b.sent(m, now)
			b.exec(`delete from moments`)
			_, err := b.AnsweredLate(b.ctx, m.attempt, test.answer, now.Add(test.after))
			b.must(err)
			got := value[string](b, `select a.status || ' ' || a.settled_by || ' ' || l.employment_state || ' ' ||
				(select string_agg(kind, ' ' order by id) from moments) from attempts a join lookups l on l.id = a.lookup_id`)
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if open := value[bool](b, `select status = 'pending' from attempts`); !open {
				// Asked twice, by two processes say: the second finds it settled.
				by, err := b.AnsweredLate(b.ctx, m.attempt, answered(lookup.PhaseFailed, "x"), now.Add(2*time.Hour))
				b.must(err)
				if again := value[string](b, `select a.status || ' ' || a.settled_by from attempts a`); by != "" || again+" "+value[string](b, `select employment_state from lookups`) != got[:len(again)]+" "+value[string](b, `select employment_state from lookups`) {
					t.Errorf("asked again: %q, %q", by, again)
				}
			}
		})
	}
}

// A late event moves what expired forward, and says that it came from the vendor after all.
func TestEventAfterExpiry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("A1")
	now := time.Now()
	b.sent(m, now.Add(-2*time.Hour))
	by, err := b.AnsweredLate(b.ctx, m.attempt, answered(lookup.PhaseOpened, ""), now)
	b.must(err)
	if got := b.settled(m); by != lookup.SettledExpired || got != "expired expired" {
		t.Fatalf("it %s by %q", got, by)
	}
	if got := value[string](b, `select detail || ' ' || actor from lookups`); got != "no_final_event analyst" {
		t.Errorf("the lookup says %q", got)
	}
	if v := b.verdict(b.tell(created("A1"))); v != "accepted " && v != "accepted late" {
		t.Errorf("an event of the beginning is %q", v)
	}
	b.tell(success("A1"))
	if got := b.settled(m); got != "success webhook heard" {
		t.Errorf("after the event it is %q", got)
	}
	if n := b.jobs("fetch_employment"); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// The webhook that comes after the question only confirms what is known: nothing is fetched twice, the attempt counts as
// heard of. One that comes long after tells of something new.
func TestEventAfterAsking(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after   time.Duration
		fetches int
	}{"soon": {time.Minute, 1}, "long after": {db.RetryWindow + time.Minute, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			m := b.taken("A1")
			now := time.Now()
			_, err := b.AnsweredLate(b.ctx, m.attempt, answered(lookup.PhaseSucceeded, ""), now)
			b.must(err)
			if v := b.verdict(b.tell(success("A1"), at(now.Add(test.after)))); v != "accepted " {
				t.Errorf("the webhook is %q", v)
			}
			if got := b.settled(m); got != "success asking heard" {
				t.Errorf("it is %q", got)
			}
			if n := b.jobs("fetch_employment"); n != test.fetches {
				t.Errorf("%d fetches, want %d", n, test.fetches)
			}
			if v := b.verdict(b.tell(success("A1"), at(now.Add(test.after+time.Second)))); v != "duplicate same_fact" {
				t.Errorf("told again it is %q", v)
			}
		})
	}
}

// Event and answer at the same moment: one of them settles the attempt, the data are fetched once.
func TestAskingMeetsTheEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 8 {
		account := "A" + string(rune('a'+i))
		m := b.taken(account)
		delivery := b.deliver()
		var both sync.WaitGroup
		errs := make([]error, 2)
		both.Go(func() { errs[0] = b.ApplyEvent(context.Background(), delivery, success(account)) })
		both.Go(func() {
			_, errs[1] = b.AnsweredLate(context.Background(), m.attempt, answered(lookup.PhaseSucceeded, ""), time.Now())
		})
		both.Wait()
		b.must(errors.Join(errs...))
		if n := value[int](b, `select count(*) from river_job where kind = 'fetch_employment' and (args->>'attempt_id')::bigint = $1`, m.attempt); n != 1 {
			t.Errorf("%d fetches", n)
		}
		if got := b.settled(m); got != "success webhook heard" && got != "success asking heard" {
			t.Errorf("it is %q", got)
		}
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	waits, err := b.Waits(b.ctx)
	b.must(err)
	if len(waits) != 2 || !waits[lookup.Palenca].Possible() || waits[lookup.Buro].Expected != 8*time.Minute {
		t.Errorf("waits are %v", waits)
	}
	want := lookup.Wait{Expected: time.Minute, Limit: 10 * time.Minute}
	b.must(b.SetWaits(b.ctx, map[lookup.Dialect]lookup.Wait{lookup.Palenca: want}, b.by))
	if waits, err = b.Waits(b.ctx); err != nil || waits[lookup.Palenca] != want || waits[lookup.Buro].Expected != 8*time.Minute {
		t.Errorf("waits are %v, %v", waits, err)
	}
	if n := value[int](b, `select count(*) from audit_entries where action = 'console.waits'`); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
	for _, w := range []lookup.Wait{{Expected: 29 * time.Second, Limit: time.Hour}, {Expected: time.Hour, Limit: time.Hour}, {Expected: time.Minute, Limit: 4 * time.Minute}, {Expected: time.Minute, Limit: 49 * time.Hour}} {
		if err := b.SetWaits(b.ctx, map[lookup.Dialect]lookup.Wait{lookup.Buro: w}, b.by); err == nil || w.Possible() {
			t.Errorf("%v was stored, and is possible: %v", w, w.Possible())
		}
	}
}
