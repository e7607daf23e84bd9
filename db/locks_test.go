package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// hold begins a transaction of the test's own that holds locks until the test commits it.
func (b *bench) hold(sql string, args ...any) pgx.Tx {
	b.t.Helper()
	tx, err := b.Pool().Begin(b.ctx)
	b.must(err)
	b.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	_, err = tx.Exec(b.ctx, sql, args...)
	b.must(err)
	return tx
}

// waiting starts do and returns when it waits for a lock that somebody holds, beside those that waited before. end gives its error.
func (b *bench) waiting(do func() error) (end func() error) {
	b.t.Helper()
	const blocked = `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
	before := value[int](b, blocked)
	done := make(chan error, 1)
	go func() { done <- do() }()
	limit, look := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer look.Stop()
	for value[int](b, blocked) <= before {
		select {
		case err := <-done:
			b.t.Fatalf("it waited for nobody and ended with %v", err)
		case <-limit:
			b.t.Fatal("it never waited")
		case <-look.C:
		}
	}
	return func() error { return <-done }
}

// An attempt is opened while an event of the one before waits for its lock: the event is of an attempt that is no longer the
// latest, so the lookup stays what the new one is, and nothing more is asked of the vendor.
func TestEventMeetsANewAttempt(t *testing.T) {
	t.Parallel()
	for name, phase := range map[string]lookup.Phase{"success": lookup.PhaseSucceeded, "a fault that may be retried": lookup.PhaseFailed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			m := b.taken("A1")
			delivery := b.deliver()
			asker := b.hold(`select id from attempts where id = $1 for no key update`, m.attempt)
			apply := b.waiting(func() error {
				return b.ApplyEvent(b.ctx, delivery, event("login.x", "A1", phase, lookup.DetailMayRetry))
			})
			_, err := asker.Exec(b.ctx, `insert into attempts (lookup_id, connection_id, number, source, consent_id)
				select lookup_id, connection_id, 2, 'retry', consent_id from attempts where id = $1`, m.attempt)
			b.must(err)
			_, err = asker.Exec(b.ctx, `update lookups set status = 'queued' where id = $1`, m.id)
			b.must(err)
			b.must(asker.Commit(b.ctx))
			b.must(apply())
			if got := value[string](b, `select status || ' ' || profile_state from lookups where id = $1`, m.id); got != "queued none" {
				t.Errorf("the lookup is %q, want what its latest attempt is", got)
			}
			if n := value[int](b, `select count(*) from attempts where lookup_id = $1`, m.id); n != 2 {
				t.Errorf("%d attempts, want two", n)
			}
		})
	}
}

// A replay takes the accounts of a batch before any row: a worker that has an account may yet have to change a row of the batch
// that the replay itself leaves as it is.
func TestReplayWaitsWithNoRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stands := b.deliver(func(r *db.Receipt) { r.Verdict, r.Cause, r.Answer = webhook.Refused, webhook.CauseMethod, 405 })
	b.exec(`update deliveries set verdict = 'duplicate', cause = 'same_bytes' where id = $1`, stands)
	b.tell(success("A1"))
	id, _ := b.replay(webhook.ReplaySet{})
	worker := b.hold(`select pg_advisory_xact_lock(hashtextextended('A1', $1))`, b.sandbox.ID)
	batch := b.waiting(func() error {
		_, err := b.ReplayBatch(b.ctx, id, 10, func(lookup.Dialect, []byte) (webhook.Event, bool) { return success("A1"), true })
		return err
	})
	_, err := worker.Exec(b.ctx, `update deliveries set action = 'x' where id = $1`, stands)
	b.must(err)
	b.must(worker.Commit(b.ctx))
	b.must(batch())
}

// Counters of attempts are taken before those of deliveries, whoever learns of an account: the commit of a creation, or the event
// that overtook it.
func TestCountersInOneOrder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"creation", "event"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			m := b.request(lookup.Sandbox, alejandro)
			_, err := b.MarkSent(b.ctx, m.attempt)
			b.must(err)
			early := b.tell(created("A1"))
			if v := b.verdict(early); v != "unmatched " {
				t.Fatalf("the early one is %q", v)
			}
			learn := func() error { return b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: "A1"}) }
			if name == "event" {
				id, e := b.deliver(), success("A1")
				e.ExternalID = m.attemptUID.String()
				learn = func() error { return b.ApplyEvent(b.ctx, id, e) }
			}
			others := b.hold(`lock table delivery_hours in share row exclusive mode`)
			done := b.waiting(learn)
			if n := value[int](b, `select count(*) from pg_locks l join pg_class c on c.oid = l.relation
				where c.relname = 'attempt_hours' and l.database = (select oid from pg_database where datname = current_database()) and l.mode = 'RowExclusiveLock'`); n != 1 {
				t.Errorf("it waits for the counters of deliveries before it has those of attempts")
			}
			b.must(others.Commit(b.ctx))
			b.must(done())
			if v := b.verdict(early); v != "accepted " {
				t.Errorf("the early one became %q", v)
			}
		})
	}
}
