package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

// Waits gives how long each dialect's vendor is waited for.
func (db *DB) Waits(ctx context.Context) (map[lookup.Dialect]lookup.Wait, error) {
	return readWaits(ctx, db.pool)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func readWaits(ctx context.Context, from querier) (map[lookup.Dialect]lookup.Wait, error) {
	rows, err := from.Query(ctx, `-- name: waits
select dialect, expected_seconds, limit_seconds from waits`)
	if err != nil {
		return nil, err
	}
	waits := map[lookup.Dialect]lookup.Wait{}
	var d lookup.Dialect
	var expected, limit int64
	_, err = pgx.ForEachRow(rows, []any{&d, &expected, &limit}, func() error {
		waits[d] = lookup.Wait{Expected: time.Duration(expected) * time.Second, Limit: time.Duration(limit) * time.Second}
		return nil
	})
	return waits, err
}

// SetWaits stores how long vendors are waited for.
func (db *DB) SetWaits(ctx context.Context, waits map[lookup.Dialect]lookup.Wait, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		for _, d := range []lookup.Dialect{lookup.Palenca, lookup.Buro} {
			w, given := waits[d]
			if !given {
				continue
			}
			if _, err := tx.Exec(ctx, `-- name: set wait
update waits set expected_seconds = $2, limit_seconds = $3, changed_at = now(), changed_by = nullif($4, 0) where dialect = $1`,
				d, int64(w.Expected/time.Second), int64(w.Limit/time.Second), by.UserID); err != nil {
				return err
			}
		}
		return record(ctx, tx, by, note{action: audit.WaitsChanged})
	})
}

// overdueAtOnce bounds the questions that one round hands to the queue; the rest comes a minute later.
const overdueAtOnce = 500

// QueueOverdue hands a question to the queue for each attempt that has waited longer than its vendor usually takes and was
// not asked about lately, those never asked about first. Attempts that a job is still creating are left to it, and those
// of a paused connection wait: nothing can be asked under a refused key.
func (db *DB) QueueOverdue(ctx context.Context, now time.Time) (asked int, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		waits, err := readWaits(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `-- name: overdue
select a.id, c.dialect, coalesce(a.sent_at, a.requested_at), coalesce(a.asked_at, `+never+`), a.asks
  from attempts a join connections c on c.id = a.connection_id join waits w on w.dialect = c.dialect
 where a.status in ('queued', 'pending') and c.paused_at is null
   and coalesce(a.sent_at, a.requested_at) <= $1::timestamptz - w.expected_seconds * interval '1 second'
   and (a.asked_at is null
        or a.asked_at <= $1::timestamptz - least(w.expected_seconds::bigint << least(greatest(a.asks - 1, 0), 10), $2) * interval '1 second'
        or a.asked_at < coalesce(a.sent_at, a.requested_at) + w.limit_seconds * interval '1 second'
           and coalesce(a.sent_at, a.requested_at) + w.limit_seconds * interval '1 second' <= $1::timestamptz)
   and (a.account_id <> '' or not exists (
         select 1 from river_job j where j.kind = 'create_account' and j.args @> jsonb_build_object('attempt_id', a.id)
            and j.state in ('available', 'pending', 'retryable', 'running', 'scheduled')))
 order by a.asked_at nulls first, a.id limit $3 for no key update of a skip locked`, now, int64(lookup.LongestGap/time.Second), overdueAtOnce)
		if err != nil {
			return err
		}
		// The statement lets through no fewer than lookup.Wait, whose word counts: what is not due must not use up the limit.
		var due []int64
		var id int64
		var dialect lookup.Dialect
		var sent, last time.Time
		var asks int
		if _, err = pgx.ForEachRow(rows, []any{&id, &dialect, &sent, &last, &asks}, func() error {
			if waits[dialect].Due(sent, last, asks, now) {
				due = append(due, id)
			}
			return nil
		}); err != nil || len(due) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: asking
update attempts set asked_at = $2, asks = asks + 1 where id = any($1)`, due, now); err != nil {
			return err
		}
		jobs := make([]river.InsertManyParams, len(due))
		for i, id := range due {
			// The lowest priority: what is new goes before what is late.
			jobs[i] = river.InsertManyParams{Args: task.AskVendor{AttemptID: id}, InsertOpts: &river.InsertOpts{
				Queue: task.QueueVendor, Priority: 4, MaxAttempts: askTries,
				UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
					rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled}}}}
		}
		if _, err := db.jobs.InsertManyTx(ctx, tx, jobs); err != nil {
			return fmt.Errorf("queue the questions: %w", err)
		}
		asked = len(due)
		return nil
	})
	return asked, err
}

// askTries is how often one question is put; the next round asks anew.
const askTries = 3

// SharedAccount tells whether the vendor's account of an attempt is that of another attempt too, so that the account's own
// status may be about the other one.
func (db *DB) SharedAccount(ctx context.Context, attemptID int64) (shared bool, err error) {
	err = db.pool.QueryRow(ctx, `-- name: shared account
select exists (select 1 from attempts a join attempts o on o.connection_id = a.connection_id and o.account_id = a.account_id and o.id <> a.id
                where a.id = $1 and a.account_id <> '')`, attemptID).Scan(&shared)
	return shared, err
}

// Answer is what came of asking the vendor how an attempt stands.
type Answer struct {
	Report   lookup.Report   // the zero one when it told nothing
	Entities []lookup.Entity // the kinds of data there are; nil: not said
	Code     string          // why it told nothing: the vendor's word, or ours
}

// AnsweredLate gives the vendor's answer about an overdue attempt its effect: an outcome settles it, as one told by asking;
// no outcome ends it as expired once it has waited as long as we do. An attempt that an event settled meanwhile is left
// as it is: both take the account's lock, so one of them is the first.
func (db *DB) AnsweredLate(ctx context.Context, attemptID int64, answer Answer, now time.Time) (settled lookup.SettledBy, err error) {
	answer.Report.Detail, answer.Code = clip(answer.Report.Detail), clip(answer.Code)
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var connectionID int64
		var account string
		var sent time.Time
		var expected, limit int64
		if err := tx.QueryRow(ctx, `-- name: overdue attempt
select a.connection_id, a.account_id, coalesce(a.sent_at, a.requested_at), w.expected_seconds, w.limit_seconds
  from attempts a join connections c on c.id = a.connection_id join waits w on w.dialect = c.dialect where a.id = $1`, attemptID).
			Scan(&connectionID, &account, &sent, &expected, &limit); err != nil {
			return found(err)
		}
		wait := lookup.Wait{Expected: time.Duration(expected) * time.Second, Limit: time.Duration(limit) * time.Second}
		if err := lockAccount(ctx, tx, connectionID, account); err != nil {
			return err
		}
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil || !a.state.Status.Open() {
			return err
		}
		switch {
		case answer.Report.Phase.Final():
			settled = lookup.SettledAsking
			err = db.toldByAsking(ctx, tx, &a, answer, now)
		case wait.Over(sent, now):
			settled = lookup.SettledExpired
			if answer.Code != "" {
				if err := addMoment(ctx, tx, a.id, moment{kind: lookup.MomentAskFailed, text: answer.Code}); err != nil {
					return err
				}
			}
			detail := lookup.CodeNoFinalEvent
			if answer.Code == lookup.CodeNeverSent {
				detail = answer.Code
			}
			err = a.move(ctx, tx, lookup.Expire(a.state, detail), moment{by: lookup.SettledExpired})
		case answer.Code != "":
			err = addMoment(ctx, tx, a.id, moment{kind: lookup.MomentAskFailed, text: answer.Code})
		default:
			err = addMoment(ctx, tx, a.id, moment{kind: lookup.MomentAskOpen})
		}
		if err != nil {
			return err
		}
		return notify(ctx, tx, a.lookupID)
	})
	return settled, err
}

// toldByAsking stores the outcome as an event without a delivery, and moves the attempt.
func (db *DB) toldByAsking(ctx context.Context, tx pgx.Tx, a *attempt, answer Answer, now time.Time) error {
	key, err := json.Marshal([]string{"asking", string(answer.Report.Phase), answer.Report.Detail})
	if err != nil {
		return err
	}
	var eventID int64
	err = tx.QueryRow(ctx, `-- name: add asked event
insert into events (attempt_id, key, nth, action, phase, detail, received_at, source)
select $1, $2, coalesce(max(nth), 0) + 1, 'asked', $3, $4, $5, 'asking' from events where attempt_id = $1 and key = $2 returning id`,
		a.id, string(key), answer.Report.Phase, answer.Report.Detail, now).Scan(&eventID)
	if err != nil {
		return fmt.Errorf("store the answer: %w", err)
	}
	if err := addMoment(ctx, tx, a.id, moment{kind: lookup.MomentAsked}); err != nil {
		return err
	}
	step := lookup.Advance(a.state, answer.Report)
	if err := a.move(ctx, tx, step, moment{by: lookup.SettledAsking}); err != nil {
		return err
	}
	if step.Fetch {
		if err := db.fetchAsked(ctx, tx, a, eventID, answer.Entities); err != nil {
			return err
		}
	}
	return db.retryItself(ctx, tx, *a, now)
}

// fetchAsked has the data fetched of a success that was told by asking. A vendor that says that there is none has answered.
func (db *DB) fetchAsked(ctx context.Context, tx pgx.Tx, a *attempt, eventID int64, entities []lookup.Entity) error {
	if entities == nil {
		entities = lookup.Usual
	}
	if len(entities) > 0 {
		return db.fetching(ctx, tx, a, eventID, entities)
	}
	for _, entity := range lookup.Usual {
		if err := setPullState(ctx, tx, a, entity, lookup.PullEmpty); err != nil {
			return err
		}
	}
	return nil
}

// heard notes that a webhook told an outcome of an attempt, for the first time.
func heard(ctx context.Context, tx pgx.Tx, attemptID int64, phase lookup.Phase, at time.Time) error {
	if !phase.Final() {
		return nil
	}
	_, err := tx.Exec(ctx, `-- name: heard
update attempts set final_event_at = $2 where id = $1 and final_event_at is null`, attemptID, at)
	return err
}

// askedFirst tells whether a webhook only says what asking the vendor told shortly before it. Without it the data would be
// fetched twice. Past the retry window the webhook counts as telling of something new, and costs one fetch too many at most.
func askedFirst(ctx context.Context, tx pgx.Tx, attemptID int64, phase lookup.Phase, at time.Time) (bool, error) {
	var first bool
	err := tx.QueryRow(ctx, `-- name: asked first
select exists (select 1 from events e where e.attempt_id = $1 and e.source = 'asking' and e.phase = $2 and e.received_at > $3::timestamptz - $4::interval)
   and (select count(*) from events e where e.attempt_id = $1 and e.source = 'webhook' and e.phase = $2) <= 1`, attemptID, phase, at, RetryWindow).Scan(&first)
	return first, err
}
