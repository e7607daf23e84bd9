package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// ApplyEvent gives the event read from a delivery its effect: one transaction for the event, the status, the story and
// the announcement. Applying a delivery twice has the effect of applying it once.
func (db *DB) ApplyEvent(ctx context.Context, deliveryID int64, e webhook.Event) error {
	e = storable(e)
	return db.inTxOf(ctx, deliveryID, func(tx pgx.Tx) error {
		d := delivery{id: deliveryID}
		if err := tx.QueryRow(ctx, `-- name: connection of delivery
select connection_id from deliveries where id = $1`, deliveryID).Scan(&d.connectionID); err != nil {
			return found(err)
		}
		// Locks are taken in one order everywhere: account, delivery, attempt, lookup, audit.
		if err := lockAccount(ctx, tx, d.connectionID, e.AccountID); err != nil {
			return err
		}
		var processed bool
		if err := tx.QueryRow(ctx, `-- name: lock delivery
select received_at, processed_at is not null from deliveries where id = $1 for no key update`, deliveryID).
			Scan(&d.receivedAt, &processed); err != nil {
			return err
		}
		if processed {
			return nil
		}
		if e.Action == webhook.TestAction {
			return d.settle(ctx, tx, e, webhook.Ignored, webhook.CauseTest, 0, 0)
		}
		attemptID, err := matchAttempt(ctx, tx, d.connectionID, e)
		if errors.Is(err, pgx.ErrNoRows) {
			return d.settle(ctx, tx, e, webhook.Unmatched, webhook.CauseNone, 0, 0)
		} else if err != nil {
			return err
		}
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil {
			return err
		}
		return db.effect(ctx, tx, d, a, e)
	})
}

// matchAttempt finds the attempt that an event is about: by the id of ours that the vendor echoes, which was committed
// before the vendor was asked, else by the vendor's account, whose latest attempt is meant.
func matchAttempt(ctx context.Context, tx pgx.Tx, connectionID int64, e webhook.Event) (id int64, err error) {
	external, _ := uuid.Parse(e.ExternalID) // anything else matches nothing
	err = tx.QueryRow(ctx, `-- name: match attempt
select id from (
  select id, 1 as way from attempts where uid = $2 and connection_id = $1
  union all
  (select id, 2 from attempts where connection_id = $1 and account_id = $3 and $3 <> '' order by id desc limit 1)) found
 order by way limit 1`, connectionID, external, e.AccountID).Scan(&id)
	return id, err
}

type delivery struct {
	id, connectionID int64
	receivedAt       time.Time
	replay           *replaying // nil: the processing that follows a receipt
}

// effect stores the event under its key and moves the attempt, or finds that the same fact was told before.
func (db *DB) effect(ctx context.Context, tx pgx.Tx, d delivery, a attempt, e webhook.Event) error {
	var earlier int64
	var earlierAt time.Time
	var nth int
	err := tx.QueryRow(ctx, `-- name: event by key
select id, received_at, nth from events where attempt_id = $1 and key = $2 order by nth desc limit 1`, a.id, e.Key).
		Scan(&earlier, &earlierAt, &nth)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	// Palenca gives an event neither id nor time, so a retry cannot be told from a second event of the same kind
	// except by the clock: past the retry window, a second success follows a refresh and calls for a new fetch.
	again := nth > 0 && !e.Dated && e.Report.Phase == lookup.PhaseSucceeded && d.receivedAt.Sub(earlierAt) >= RetryWindow
	if nth > 0 && !again {
		if !d.replay.knows(earlier) {
			if err := addMoment(ctx, tx, a.id, moment{kind: lookup.MomentRepeated, text: e.Action, deliveryID: d.id}); err != nil {
				return err
			}
		}
		return d.settle(ctx, tx, e, webhook.Duplicate, webhook.CauseSameFact, a.lookupID, earlier)
	}
	var eventID int64
	if err := tx.QueryRow(ctx, `-- name: add event
insert into events (attempt_id, key, nth, action, phase, detail, delivery_id, received_at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
		a.id, e.Key, nth+1, e.Action, e.Report.Phase, e.Report.Detail, d.id, d.receivedAt).Scan(&eventID); err != nil {
		return fmt.Errorf("store the event: %w", err)
	}
	return db.give(ctx, tx, d, a, e, eventID)
}

// give lets a stored event move the attempt, and settles the delivery that told it.
func (db *DB) give(ctx context.Context, tx pgx.Tx, d delivery, a attempt, e webhook.Event, eventID int64) error {
	learned, err := learnAccount(ctx, tx, a, e)
	if err != nil {
		return err
	}
	if err := heard(ctx, tx, a.id, e.Report.Phase, d.receivedAt); err != nil {
		return err
	}
	before := a
	step, err := d.advance(ctx, tx, a, e, eventID)
	if err != nil {
		return err
	}
	if err := a.move(ctx, tx, step, moment{text: e.Action, deliveryID: d.id}); err != nil {
		return err
	}
	verdict, cause := webhook.Accepted, webhook.CauseNone
	told := moment{text: e.Action, deliveryID: d.id}
	switch {
	case e.Report.Phase == lookup.PhaseUnknown:
		verdict, cause, told.kind = webhook.Ignored, webhook.CauseUnknownEvent, lookup.MomentUnknown
	case step.Late:
		cause, told.kind = webhook.CauseLate, lookup.MomentLate
	case e.Report.Phase == lookup.PhaseOpened && !step.Moved:
		told.kind = lookup.MomentOpened
	case e.Report.Phase == lookup.PhaseRefreshFailed && before.state.Status == a.state.Status:
		told.kind = lookup.MomentRefresh
	case before.state.Status == a.state.Status:
		told.kind = lookup.MomentRepeated
	}
	if e.Deprecated && cause == webhook.CauseNone {
		cause = webhook.CauseDeprecated
	}
	if told.kind != "" {
		if err := addMoment(ctx, tx, a.id, told); err != nil {
			return err
		}
	}
	if step.Fetch {
		if err := db.fetchNamed(ctx, tx, d, &a, e, eventID); err != nil {
			return err
		}
	}
	if err := d.change(ctx, tx, "status", string(before.state.Status), string(a.state.Status)); err != nil {
		return err
	}
	if err := d.change(ctx, tx, "warning", before.state.Warning, a.state.Warning); err != nil {
		return err
	}
	if d.replay == nil && step.Moved { // whoever replays an old fault looks at it, and asks again or not
		if err := db.retryItself(ctx, tx, a, time.Now()); err != nil {
			return err
		}
	}
	if err := d.settle(ctx, tx, e, verdict, cause, a.lookupID, eventID); err != nil {
		return err
	}
	if learned {
		// Last, since it moves counters of deliveries: those of attempts come first, as in AttemptTaken.
		if err := db.claimDeliveries(ctx, tx, a.connectionID, e.AccountID); err != nil {
			return err
		}
	}
	return notify(ctx, tx, a.lookupID)
}

// fetchNamed has the kinds of data fetched that a success named, and notes what that changed. A vendor that says that there is
// nothing has answered: profile and employment are empty, not missing.
func (db *DB) fetchNamed(ctx context.Context, tx pgx.Tx, d delivery, a *attempt, e webhook.Event, eventID int64) error {
	entities := e.Entities
	if entities == nil {
		entities = lookup.Usual
	}
	state := func(entity lookup.Entity) (lookup.PullState, error) {
		switch entity {
		case lookup.EntityProfile:
			return a.profile, nil
		case lookup.EntityEmployment:
			return a.employment, nil
		}
		return entityState(ctx, tx, a.id, entity)
	}
	note := func(entity lookup.Entity, to lookup.PullState) error {
		was, err := state(entity)
		if err != nil || !entity.Known() {
			return err
		}
		return d.change(ctx, tx, string(entity), string(was), string(to))
	}
	if len(entities) == 0 {
		for _, entity := range lookup.Usual {
			// What an earlier event brought stands: it was found then, and is still shown with its date.
			if was, err := state(entity); err != nil {
				return err
			} else if was != lookup.PullNone {
				continue
			}
			if err := note(entity, lookup.PullEmpty); err != nil {
				return err
			}
			if err := setPullState(ctx, tx, a, entity, lookup.PullEmpty); err != nil {
				return err
			}
		}
		return nil
	}
	for _, entity := range entities {
		if err := note(entity, lookup.PullFetching); err != nil {
			return err
		}
	}
	return db.fetching(ctx, tx, a, eventID, entities)
}

// learnAccount takes the account's id from an event that overtook our own commit of it. What waits for it is then to be
// claimed.
func learnAccount(ctx context.Context, tx pgx.Tx, a attempt, e webhook.Event) (learned bool, err error) {
	tag, err := tx.Exec(ctx, `-- name: learn account
update attempts set account_id = $2, vendor_user_id = case when vendor_user_id = '' then $3 else vendor_user_id end
 where id = $1 and account_id = '' and $2 <> ''`, a.id, e.AccountID, e.UserID)
	return tag.RowsAffected() > 0, err
}

// advance is what an event does to its attempt, as of the moment at which its delivery came: two deliveries may be
// processed in another order than they came in, and only the order of arrival counts.
func (d delivery) advance(ctx context.Context, tx pgx.Tx, a attempt, e webhook.Event, eventID int64) (step lookup.Step, err error) {
	step = lookup.Advance(a.state, e.Report)
	if step.Late {
		if err := tx.QueryRow(ctx, `-- name: arrived late
select exists (select 1 from events where attempt_id = $1 and id <> $2 and received_at < $3)`, a.id, eventID, d.receivedAt).Scan(&step.Late); err != nil {
			return step, err
		}
	}
	if step.Next.Warning != a.state.Warning {
		var overtaken bool
		if err := tx.QueryRow(ctx, `-- name: warning overtaken
select exists (select 1 from events where attempt_id = $1 and id <> $2 and received_at > $3 and phase in ('succeeded', 'refresh_failed'))`,
			a.id, eventID, d.receivedAt).Scan(&overtaken); err != nil {
			return step, err
		}
		if overtaken {
			step.Next.Warning = a.state.Warning
			step.Moved = step.Next != a.state
		}
	}
	switch {
	case step.Fetch && d.replay != nil:
		step.Fetch, err = d.lacksData(ctx, tx, a, e)
	case step.Fetch && !step.Moved:
		var told bool
		told, err = askedFirst(ctx, tx, a.id, e.Report.Phase, d.receivedAt)
		step.Fetch = !told
	}
	return step, err
}

func (d delivery) change(ctx context.Context, tx pgx.Tx, what, before, after string) error {
	if before == after {
		return nil
	}
	_, err := tx.Exec(ctx, `-- name: add change
insert into changes (delivery_id, what, before, after, replay_id) values ($1, $2, $3, $4, nullif($5, 0))`,
		d.id, what, before, after, d.replay.noted(webhook.Change{What: what, Before: before, After: after}))
	return err
}

func (d delivery) settle(ctx context.Context, tx pgx.Tx, e webhook.Event, v webhook.Verdict, c webhook.Cause, lookupID, eventID int64) error {
	// A preview counts nothing: it would hold counters that receipts at the same moment need.
	if !d.replay.preview() {
		if err := recount(ctx, tx, []int64{d.id}, v, c); err != nil {
			return err
		}
	}
	d.replay.settled(v, c, lookupID)
	_, err := tx.Exec(ctx, `-- name: settle delivery
with settled as (
  update deliveries set verdict = $2, cause = $3, action = $4, account_id = $5, lookup_id = nullif($6, 0), event_id = nullif($7, 0),
         twin_of = case when $2 = 'duplicate' then (select e.delivery_id from events e where e.id = $7) else twin_of end,
         processed_at = clock_timestamp(), runs = runs + 1, last_error = ''
   where id = $1 returning subscription_id)
insert into outcomes_told (subscription_id, sent_at, attempt_id)
select settled.subscription_id, a.sent_at, a.id from settled join events e on e.id = $7 join attempts a on a.id = e.attempt_id
 where e.phase = any($8) and a.sent_at > clock_timestamp() - $9::interval
on conflict do nothing`, d.id, v, c, e.Action, e.AccountID, lookupID, eventID, lookup.Finals, outcomesKept)
	if err != nil {
		return fmt.Errorf("settle the delivery: %w", err)
	}
	// Copies are not read again; a list that is narrowed to an account shows them too.
	_, err = tx.Exec(ctx, `-- name: settle copies
update deliveries set action = $2, account_id = $3 where twin_of = $1 and cause = 'same_bytes' and action = ''`, d.id, e.Action, e.AccountID)
	return err
}
