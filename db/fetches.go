package db

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// lostAtOnce bounds the fetches that one round gives up; the rest comes a minute later.
const lostAtOnce = 200

// GiveUpFetches ends fetches that nobody makes any more: their job was cancelled by hand, used up its runs on faults of ours, or
// was given up with the process that ran it last. State and job are written together, so what is said to be on its way
// without a live job will never come. It is stored as failed; asking again, or a replay of the event, fetches anew.
func (db *DB) GiveUpFetches(ctx context.Context) (ended int, err error) {
	rows, err := db.pool.Query(ctx, `-- name: fetches lost
select f.attempt_id, f.kind from (
  select id as attempt_id, 'profile' as kind from attempts where profile_state = 'fetching'
  union all
  select id, 'employment' from attempts where employment_state = 'fetching'
  union all
  select attempt_id, name from attempt_entities where state = 'fetching') f
 where not exists (select 1 from river_job j where `+fetchOf+`)
 order by f.attempt_id, f.kind limit $1`, lostAtOnce)
	if err != nil {
		return 0, err
	}
	type fetch struct {
		AttemptID int64
		Kind      lookup.Entity
	}
	lost, err := pgx.CollectRows(rows, pgx.RowToStructByPos[fetch])
	if err != nil {
		return 0, fmt.Errorf("look for lost fetches: %w", err)
	}
	// One transaction each: a fault of one keeps no other from ending.
	var faults []error
	for _, f := range lost {
		done, err := db.giveUpFetch(ctx, f.AttemptID, f.Kind)
		if err != nil {
			faults = append(faults, fmt.Errorf("give up the fetch of attempt %d: %w", f.AttemptID, err))
		} else if done {
			ended++
		}
	}
	return ended, errors.Join(faults...)
}

// fetchOf tells that job j is still to fetch f.kind of f.attempt_id.
const fetchOf = `j.kind = case f.kind when 'profile' then 'fetch_profile' when 'employment' then 'fetch_employment' else 'fetch_entity' end
   and j.state in ('available', 'pending', 'retryable', 'running', 'scheduled') and (j.args->>'attempt_id')::bigint = f.attempt_id
   and coalesce(j.args->>'entity', f.kind) = f.kind`

func (db *DB) giveUpFetch(ctx context.Context, attemptID int64, kind lookup.Entity) (done bool, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil {
			return err
		}
		// Whoever has data fetched holds the attempt's lock, so this is true until the commit.
		if err := tx.QueryRow(ctx, `-- name: fetch lost
select not exists (select 1 from river_job j where `+fetchOf+`) and
       case f.kind when 'profile' then a.profile_state when 'employment' then a.employment_state
            else (select e.state from attempt_entities e where e.attempt_id = a.id and e.name = f.kind) end = 'fetching'
  from attempts a, (values ($1::bigint, $2::text)) f (attempt_id, kind) where a.id = f.attempt_id`, attemptID, kind).Scan(&done); err != nil || !done {
			return err
		}
		return keepPull(ctx, tx, a, string(kind), lookup.MomentPullFailed,
			NewPull{AttemptID: attemptID, State: lookup.PullFailed, Code: lookup.CodeNeverFetched, SHA256: sha256.Sum256(nil)},
			func(pgx.Tx, int64, attempt) error { return nil })
	})
	return done, err
}
