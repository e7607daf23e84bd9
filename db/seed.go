package db

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/seed"
)

// ErrProduction refuses made-up data beside real data.
var ErrProduction = errors.New("this database has a production connection: made-up lookups do not go beside real ones; seed a database of its own")

const (
	// seedChunk is how many lookups are in memory at a time, and what one round of COPY takes.
	seedChunk = 2000
	// seedBulk is from how many lookups on it pays to check foreign keys and build indexes once, at the end.
	seedBulk = 10_000
)

// Seed fills the sandbox with invented lookups (package seed), as received by a subscription, and tells now and then how
// many are written. All of it is one transaction, so that there are no half seeds and a run that dies leaves every index in
// its place; from 10,000 lookups on, whoever else uses the database waits for its end. Another run goes on with new ids and
// new people. Plan.FirstID is set here. ErrProduction: the database serves real data.
func (db *DB) Seed(ctx context.Context, hook Subscription, plan seed.Plan, progress func(lookups int)) error {
	if err := db.MaySeed(ctx); err != nil {
		return err
	}
	if hook.Environment != lookup.Sandbox {
		return ErrProduction
	}
	analysts, err := db.seedAnalysts(ctx)
	if err != nil {
		return fmt.Errorf("add the analysts: %w", err)
	}
	s := sheets{hook: hook, analysts: analysts}
	if s.next, err = db.reserve(ctx, plan); err != nil {
		return fmt.Errorf("reserve ids: %w", err)
	}
	plan.FirstID = s.next["lookups"]
	first := seeded{lookups: s.next["lookups"], attempts: s.next["attempts"], deliveries: s.next["deliveries"], pulls: s.next["pulls"]}
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var off dismantled
		if s.linked = plan.Bulk || plan.Lookups >= seedBulk; s.linked {
			if off, err = dismantle(ctx, tx); err != nil {
				return fmt.Errorf("put the indexes aside: %w", err)
			}
		}
		if s.people, err = seededPeople(ctx, tx); err != nil {
			return fmt.Errorf("read who is known: %w", err)
		}
		// Inventing and putting into rows goes on while the chunk before is written.
		rows := func(yield func(filled) bool) {
			for chunk := range chunks(seed.Lookups(plan), seedChunk) {
				if !yield(s.fill(chunk)) {
					return
				}
			}
		}
		stored := 0
		for chunk := range ahead(ctx, rows) {
			if err := chunk.store(ctx, tx); err != nil {
				return fmt.Errorf("after %d lookups: %w", stored, err)
			}
			stored += chunk.lookups
			if progress != nil {
				progress(stored)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := off.restore(ctx, tx); err != nil {
			return fmt.Errorf("put the indexes back: %w", err)
		}
		// Before the counting, which joins these tables whole; the rest once more after it.
		if err := analyze(ctx, tx); err != nil {
			return err
		}
		if err := first.count(ctx, tx, s.linked); err != nil {
			return fmt.Errorf("count what was added: %w", err)
		}
		if err := inBatches(ctx, tx.Exec, foldHours, foldArgs...); err != nil {
			return fmt.Errorf("fold the hours: %w", err)
		}
		_, err := tx.Exec(ctx, `-- name: analyze counters
analyze attempt_hours, delivery_hours, employers, lookup_employers, lookup_facets, delivery_facets, lookup_counts, failure_days`)
		return err
	})
}

func analyze(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `-- name: analyze seeded
analyze people, consents, lookups, attempts, moments, deliveries, events, changes, pulls, profiles, profile_ids, employments, employment_records, employment_movements`)
	return err
}

// MaySeed gives ErrProduction when the database serves real data.
func (db *DB) MaySeed(ctx context.Context) error {
	var real bool
	err := db.pool.QueryRow(ctx, `-- name: production connection
select exists (select 1 from connections where environment = 'production')`).Scan(&real)
	if err == nil && real {
		return ErrProduction
	}
	return err
}

// chunks cuts a sequence.
func chunks[T any](all iter.Seq[T], size int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		part := make([]T, 0, size)
		for one := range all {
			if part = append(part, one); len(part) == size {
				if !yield(part) {
					return
				}
				part = make([]T, 0, size)
			}
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

// ahead works out the next value while the one before it is used.
func ahead[T any](ctx context.Context, all iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next := make(chan T)
		go func() {
			defer close(next)
			for one := range all {
				select {
				case next <- one:
				case <-ctx.Done():
					return
				}
			}
		}()
		for one := range next {
			if !yield(one) {
				return
			}
		}
	}
}

// seedAnalysts adds the colleagues who ask. They are disabled and no password has their hash.
func (db *DB) seedAnalysts(ctx context.Context) (ids []int64, err error) {
	for _, a := range seed.Analysts {
		var id int64
		if err := db.pool.QueryRow(ctx, `-- name: seed analyst
insert into users (email, name, role, password_hash, disabled_at) values ($1, $2, $3, '', now())
on conflict (email) do update set name = excluded.name returning id`, a.Email, a.Name, auth.Analyst).Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// reserve takes ids in a row from the sequences of the tables whose rows others point at, as many as the plan may need,
// and gives the first of each table. The locks keep others from taking one in between; they are let go at once.
func (db *DB) reserve(ctx context.Context, plan seed.Plan) (map[string]int64, error) {
	first := map[string]int64{}
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		for _, of := range []struct {
			table string
			most  int
		}{
			{"people", plan.Lookups}, {"consents", plan.Lookups}, {"lookups", plan.Lookups}, {"deliveries", plan.Deliveries},
			{"attempts", seed.MostAttempts * plan.Lookups}, {"events", plan.Deliveries}, {"pulls", 2 * plan.Lookups},
		} {
			if _, err := tx.Exec(ctx, `-- name: lock for ids
lock table `+pgx.Identifier{of.table}.Sanitize()+` in share row exclusive mode`); err != nil {
				return err
			}
			var id int64
			if err := tx.QueryRow(ctx, `-- name: reserve ids
select setval(pg_get_serial_sequence($1, 'id'), nextval(pg_get_serial_sequence($1, 'id')) + $2) - $2`, of.table, of.most).Scan(&id); err != nil {
				return err
			}
			first[of.table] = id
		}
		return nil
	})
	return first, err
}

// seededPeople gives the ids of the sandbox's people by CURP.
func seededPeople(ctx context.Context, tx pgx.Tx) (map[string]int64, error) {
	rows, err := tx.Query(ctx, `-- name: seeded people
select curp, id from people where environment = 'sandbox' and curp is not null`)
	if err != nil {
		return nil, err
	}
	ids := map[string]int64{}
	var curp string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&curp, &id}, func() error { ids[curp] = id; return nil })
	return ids, err
}
