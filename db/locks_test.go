package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
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
