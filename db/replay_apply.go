package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// replaying is what is known of a delivery that is processed again, and what becomes of it. Its methods take nil for the
// processing that follows a receipt.
type replaying struct {
	id       int64 // of the replay; 0 in a preview, whose transaction is taken back
	was      settled
	now      settled
	changes  []webhook.Change
	lookupID int64
}

type settled struct {
	verdict webhook.Verdict
	cause   webhook.Cause
	eventID int64
	done    bool
}

// knows tells whether the delivery was found earlier to repeat that event: the story need not say so twice.
func (r *replaying) knows(eventID int64) bool { return r != nil && r.was.eventID == eventID }

func (r *replaying) preview() bool { return r != nil && r.id == 0 }

// noted keeps a change for the result and gives the replay's id.
func (r *replaying) noted(c webhook.Change) int64 {
	if r == nil {
		return 0
	}
	r.changes = append(r.changes, c)
	return r.id
}

func (r *replaying) settled(v webhook.Verdict, c webhook.Cause, lookupID int64) {
	if r != nil {
		r.now.verdict, r.now.cause, r.lookupID = v, c, lookupID
	}
}

// result tells in one word what came of it.
func (r *replaying) result() webhook.ReplayResult {
	switch {
	case len(r.changes) > 0 || r.now.verdict != r.was.verdict || r.now.cause != r.was.cause:
		return webhook.ResultChanged
	case r.now.verdict == webhook.Unmatched:
		return webhook.ResultUnmatched
	case r.now.cause == webhook.CauseUnreadable:
		return webhook.ResultUnreadable
	case !r.was.done: // its turn had never come; now it has
		return webhook.ResultChanged
	}
	return webhook.ResultNothing
}

// applyAgain gives the event in a stored delivery the effect that it should have had, as of its receipt. What stands
// already stays as it is, so that any number of replays has the effect of one:
//
//   - An event that this very delivery told goes through lookup.Advance once more. The rank rule lets it do only what was
//     missed, and data are fetched only if nothing was since its receipt.
//   - An event that another delivery told makes this one a duplicate, as it would have at once. A success counts as told
//     again only if it came the retry window after the newest one: the clock of the replay never enters.
//   - What the program reads otherwise than it did (an event it had not known) is applied as it reads it now.
//
// The caller has locked the account.
func (db *DB) applyAgain(ctx context.Context, tx pgx.Tx, d delivery, e webhook.Event, readable bool) error {
	r := d.replay
	if err := tx.QueryRow(ctx, `-- name: lock replayed
select verdict, cause, coalesce(event_id, 0), processed_at is not null, coalesce(lookup_id, 0) from deliveries where id = $1 for no key update`, d.id).
		Scan(&r.was.verdict, &r.was.cause, &r.was.eventID, &r.was.done, &r.lookupID); err != nil {
		return err
	}
	r.now = r.was
	switch {
	case r.was.verdict == webhook.Refused || r.was.cause == webhook.CauseSameBytes || r.was.cause == webhook.CauseTest:
		return db.ran(ctx, tx, d) // nobody vouches for it; a copy whose first has the effect; ours
	case !readable:
		// What was read once keeps its effect, whatever this program makes of it.
		if r.was.eventID != 0 || r.was.cause == webhook.CauseUnreadable {
			return db.ran(ctx, tx, d)
		}
		return d.settle(ctx, tx, webhook.Event{}, webhook.Ignored, webhook.CauseUnreadable, 0, 0)
	case e.Action == webhook.TestAction:
		return d.settle(ctx, tx, e, webhook.Ignored, webhook.CauseTest, 0, 0)
	}
	attemptID, err := matchAttempt(ctx, tx, d.connectionID, e)
	if errors.Is(err, pgx.ErrNoRows) {
		if r.was.done && (r.was.verdict == webhook.Unmatched || r.was.eventID != 0) {
			return db.ran(ctx, tx, d) // foreign stays foreign
		}
		return d.settle(ctx, tx, e, webhook.Unmatched, webhook.CauseNone, 0, 0)
	} else if err != nil {
		return err
	}
	a, err := lockAttempt(ctx, tx, attemptID)
	if err != nil {
		return err
	}
	own, err := ownEvent(ctx, tx, d, a, e)
	switch {
	case err != nil:
		return err
	case own.id == 0:
		return db.effect(ctx, tx, d, a, e)
	case own.same:
		step, err := d.advance(ctx, tx, a, e, own.id)
		if err != nil {
			return err
		}
		if !step.Moved && !step.Fetch {
			return db.ran(ctx, tx, d)
		}
	default:
		if _, err := tx.Exec(ctx, `-- name: event read anew
update events set action = $2, phase = $3, detail = $4 where id = $1`, own.id, e.Action, e.Report.Phase, e.Report.Detail); err != nil {
			return fmt.Errorf("store the event as it is read now: %w", err)
		}
	}
	return db.give(ctx, tx, d, a, e, own.id)
}

type own struct {
	id   int64 // 0: this delivery told no event of the attempt
	same bool  // it is read as it was
}

// ownEvent finds the event that this delivery told of the attempt.
func ownEvent(ctx context.Context, tx pgx.Tx, d delivery, a attempt, e webhook.Event) (o own, err error) {
	if d.replay.was.eventID == 0 {
		return o, nil
	}
	var phase lookup.Phase
	err = tx.QueryRow(ctx, `-- name: own event
select id, phase from events where id = $1 and attempt_id = $2 and delivery_id = $3`, d.replay.was.eventID, a.id, d.id).Scan(&o.id, &phase)
	if errors.Is(err, pgx.ErrNoRows) {
		return own{}, nil
	}
	o.same = phase == e.Report.Phase
	return o, err
}

// ran notes a run that changed nothing.
func (db *DB) ran(ctx context.Context, tx pgx.Tx, d delivery) error {
	_, err := tx.Exec(ctx, `-- name: delivery ran
update deliveries set runs = runs + 1, last_error = '', processed_at = coalesce(processed_at, clock_timestamp()) where id = $1`, d.id)
	return err
}

// lacksData tells whether a success that is replayed still calls for a fetch: whatever was fetched after it came is the
// answer to it, and what is being fetched will be.
func (d delivery) lacksData(ctx context.Context, tx pgx.Tx, a attempt, e webhook.Event) (bool, error) {
	named := e.Entities
	if named == nil {
		named = lookup.Usual
	}
	if len(named) == 0 { // the vendor has nothing, which is noted once
		return a.profile == lookup.PullNone || a.employment == lookup.PullNone, nil
	}
	var kinds []string
	for _, entity := range named {
		state := map[lookup.Entity]lookup.PullState{lookup.EntityProfile: a.profile, lookup.EntityEmployment: a.employment}[entity]
		if state == "" && entity.Known() {
			var err error
			if state, err = entityState(ctx, tx, a.id, entity); err != nil {
				return false, err
			}
		}
		if state == lookup.PullFetching {
			return false, nil
		}
		if entity.Known() {
			kinds = append(kinds, string(entity))
		}
	}
	var answered int
	err := tx.QueryRow(ctx, `-- name: fetched since
select count(distinct kind) from pulls
 where lookup_id = $1 and attempt_id = $2 and kind = any($3) and state <> 'failed' and fetched_at >= $4`, a.lookupID, a.id, kinds, d.receivedAt).Scan(&answered)
	return answered < len(kinds), err
}
