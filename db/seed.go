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

// seedChunk is how many lookups one transaction stores: enough for COPY to pay, little enough to hold in memory and to
// let a console that runs meanwhile take its turns.
const seedChunk = 2000

// Seed fills the sandbox with invented lookups (package seed), as received by a subscription, and tells after each
// chunk how many are in. Each chunk is one transaction, so an interrupted run leaves whole lookups, and the next run
// goes on with new ids and new people. Plan.FirstID is set here. ErrProduction: the database serves real data.
func (db *DB) Seed(ctx context.Context, hook Subscription, plan seed.Plan, progress func(lookups int)) error {
	var real bool
	if err := db.pool.QueryRow(ctx, `-- name: production connection
select exists (select 1 from connections where environment = 'production')`).Scan(&real); err != nil {
		return err
	}
	if real || hook.Environment != lookup.Sandbox {
		return ErrProduction
	}
	analysts, err := db.seedAnalysts(ctx)
	if err != nil {
		return fmt.Errorf("add the analysts: %w", err)
	}
	if plan.FirstID, err = db.reserve(ctx, "lookups", plan.Lookups); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stored, done := 0, 0
	for chunk := range ahead(ctx, chunks(seed.Lookups(plan), seedChunk)) {
		s := sheets{hook: hook, analysts: analysts}
		if err := db.seedChunk(ctx, &s, chunk); err != nil {
			return fmt.Errorf("after %d lookups: %w", stored, err)
		}
		stored += len(chunk)
		done++
		// The planner has to know early on that these tables grow, or the checks of foreign keys read them whole.
		if done == 1 || stored == plan.Lookups {
			if err := db.analyzeSeeded(ctx); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(stored)
		}
	}
	return ctx.Err()
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

// reserve takes n ids in a row from a table's sequence and gives the first. The lock keeps others from taking one in
// between; it is let go at once.
func (db *DB) reserve(ctx context.Context, table string, n int) (first int64, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error { first, err = reserve(ctx, tx, table, n); return err })
	return first, err
}

func reserve(ctx context.Context, tx pgx.Tx, table string, n int) (first int64, err error) {
	if n == 0 {
		return 0, nil
	}
	if _, err := tx.Exec(ctx, `-- name: lock for ids
lock table `+pgx.Identifier{table}.Sanitize()+` in share row exclusive mode`); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `-- name: reserve ids
select setval(pg_get_serial_sequence($1, 'id'), nextval(pg_get_serial_sequence($1, 'id')) + $2 - 1) - $2 + 1`, table, n).Scan(&first)
	if err != nil {
		return 0, fmt.Errorf("reserve ids of %s: %w", table, err)
	}
	return first, nil
}

// seedChunk stores some lookups with everything that belongs to them.
func (db *DB) seedChunk(ctx context.Context, s *sheets, chunk []*seed.Lookup) error {
	known, err := db.peopleOf(ctx, chunk)
	if err != nil {
		return err
	}
	needs := map[string]int{"people": len(chunk), "consents": len(chunk)}
	for _, l := range chunk {
		needs["deliveries"] += len(l.Deliveries)
		for _, a := range l.Attempts {
			needs["attempts"]++
			needs["events"] += len(a.Events)
			needs["pulls"] += len(a.Pulls)
		}
	}
	s.next = map[string]int64{}
	// One order everywhere, so that two seeds at once do not wait for each other in a circle.
	for _, table := range []string{"people", "consents", "attempts", "deliveries", "events", "pulls"} {
		if s.next[table], err = db.reserve(ctx, table, needs[table]); err != nil {
			return err
		}
	}
	s.people = known
	for _, l := range chunk {
		s.lookup(l)
	}
	return db.inTx(ctx, func(tx pgx.Tx) error {
		for _, sheet := range s.inOrder() {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{sheet.table}, sheet.columns, pgx.CopyFromRows(sheet.rows)); err != nil {
				return fmt.Errorf("copy %s: %w", sheet.table, err)
			}
		}
		// Deliveries and events point at each other, so one side is filled in afterwards.
		_, err := tx.Exec(ctx, `-- name: seeded events
update deliveries d set event_id = link.event_id from unnest($1::bigint[], $2::bigint[]) as link (id, event_id) where d.id = link.id`,
			s.linked, s.linkedTo)
		if err != nil {
			return fmt.Errorf("link the deliveries: %w", err)
		}
		return nil
	})
}

// peopleOf gives the ids of the people of a chunk who are there already, by CURP.
func (db *DB) peopleOf(ctx context.Context, chunk []*seed.Lookup) (map[string]int64, error) {
	curps := make([]string, len(chunk))
	for i, l := range chunk {
		curps[i] = l.CURP
	}
	rows, err := db.pool.Query(ctx, `-- name: seeded people
select p.curp, p.id from unnest($1::text[]) as c (curp) join people p on p.environment = 'sandbox' and p.curp = c.curp`, curps)
	if err != nil {
		return nil, err
	}
	ids := map[string]int64{}
	var curp string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&curp, &id}, func() error { ids[curp] = id; return nil })
	return ids, err
}

func (db *DB) analyzeSeeded(ctx context.Context) error {
	_, err := db.pool.Exec(ctx, `-- name: analyze seeded
analyze people, consents, lookups, attempts, moments, deliveries, events, changes, pulls, profiles, profile_ids, employments,
  employment_records, employment_movements`)
	return err
}
