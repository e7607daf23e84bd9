package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// Why a replay does not begin.
var (
	ErrNothingChosen = fmt.Errorf("%w: no delivery to replay", ErrConflict)
	ErrTooMany       = fmt.Errorf("%w: too many deliveries for one replay", ErrConflict)
)

func arg(n int) string { return "$" + strconv.Itoa(n) }

// StartReplay fixes the set of a replay and hands it to the queue. chosen is the filter as its address spells it, for people;
// a text searched for in bodies may be personal and is not to be in it.
func (db *DB) StartReplay(ctx context.Context, env lookup.Environment, set webhook.ReplaySet, zone *time.Location, chosen map[string]string, by audit.Actor) (uid uuid.UUID, err error) {
	filter, err := json.Marshal(chosen)
	if err != nil {
		return uid, err
	}
	q := replaySet(env, set, zone)
	q.add("d.verdict <> 'refused'")
	n := len(q.args)
	args := append(q.args, env, by.UserID, by.IP, filter)
	uid = uuid.New()
	args = append(args, uid)
	return uid, db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		var total int
		err := tx.QueryRow(ctx, `-- name: start replay
with chosen as (select d.id from deliveries d where `+q.text()+` limit `+strconv.Itoa(webhook.MostReplayed+1)+`),
started as (
  insert into replays (environment, requested_by, requested_ip, chosen_by, uid, total)
  select `+arg(n+1)+`, `+arg(n+2)+`, `+arg(n+3)+`, `+arg(n+4)+`::jsonb, `+arg(n+5)+`::uuid, count(*) from chosen having count(*) > 0 returning id, environment, total),
items as (insert into replay_items (replay_id, delivery_id, environment) select started.id, chosen.id, started.environment from chosen, started)
select id, total from started`, args...).Scan(&id, &total)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNothingChosen
		} else if err != nil {
			return fmt.Errorf("start the replay: %w", err)
		}
		if total > webhook.MostReplayed {
			return ErrTooMany
		}
		if err := db.runReplay(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.ReplayStarted, subject: uid.String(), detail: strconv.Itoa(total)})
	})
}

func (db *DB) runReplay(ctx context.Context, tx pgx.Tx, id int64) error {
	return db.queueOnce(ctx, tx, task.RunReplay{ReplayID: id}, &river.InsertOpts{Queue: task.QueueReplay})
}

// replayMoves says from which states a person may bring a replay into another. A running one may be resumed, for when its
// job was given up or cancelled.
var replayMoves = map[webhook.ReplayState]struct {
	from   []string
	action audit.Action
}{
	webhook.ReplayPaused:    {[]string{"running"}, audit.ReplayPaused},
	webhook.ReplayRunning:   {[]string{"paused", "running"}, audit.ReplayResumed},
	webhook.ReplayCancelled: {[]string{"running", "paused"}, audit.ReplayCancelled},
}

// SwitchReplay pauses, resumes or cancels a replay; what it has done stays done. ErrConflict: it has ended, or is so already.
func (db *DB) SwitchReplay(ctx context.Context, env lookup.Environment, uid uuid.UUID, to webhook.ReplayState, by audit.Actor) error {
	move, ok := replayMoves[to]
	if !ok {
		return fmt.Errorf("%w: nobody brings a replay into the state %q", ErrConflict, to)
	}
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		var may, stalled bool
		// Waits for the batch under way.
		if err := tx.QueryRow(ctx, `-- name: replay to switch
select id, state = any($3), `+stalledReplay+` from replays r where environment = $1 and uid = $2 for no key update`, env, uid, move.from).Scan(&id, &may, &stalled); err != nil {
			return found(err)
		}
		if !may {
			return ErrConflict
		}
		var was webhook.ReplayState
		if err := tx.QueryRow(ctx, `-- name: switch replay
with before as (select state from replays where id = $1)
update replays r set state = $2, finished_at = case when $2 = 'cancelled' then clock_timestamp() end from before where r.id = $1 returning before.state`, id, to).
			Scan(&was); err != nil {
			return err
		}
		if to == webhook.ReplayRunning {
			if was == webhook.ReplayRunning && !stalled {
				return ErrConflict
			}
			if err := db.runReplay(ctx, tx, id); err != nil {
				return err
			}
		}
		return record(ctx, tx, by, note{action: move.action, subject: uid.String()})
	})
}

// stalledReplay tells of replay r that it should run and nobody works it.
const stalledReplay = `(r.state = 'running' and not exists (select 1 from river_job j where j.kind = 'run_replay' and j.args = jsonb_build_object('replay_id', r.id)
                       and j.state in ('available', 'pending', 'retryable', 'running', 'scheduled')))`

const replayColumns = `r.id, r.uid, u.name, r.requested_at, r.state, r.chosen_by, r.total, r.changed, r.nothing, r.unmatched, r.unreadable, r.failed,
       coalesce(r.finished_at, ` + never + `), ` + stalledReplay

const replayTables = ` from replays r join users u on u.id = r.requested_by`

func scanReplay(row pgx.Row) (webhook.Replay, error) {
	var r webhook.Replay
	var changed, nothing, unmatched, unreadable, failed int
	err := row.Scan(&r.ID, &r.UID, &r.By, &r.RequestedAt, &r.State, &r.Chosen, &r.Total, &changed, &nothing, &unmatched, &unreadable, &failed,
		&r.FinishedAt, &r.Stalled)
	r.Counts = map[webhook.ReplayResult]int{webhook.ResultChanged: changed, webhook.ResultNothing: nothing, webhook.ResultUnmatched: unmatched,
		webhook.ResultUnreadable: unreadable, webhook.ResultFailed: failed}
	return r, found(err)
}

// Replay gives a replay of an environment as it stands.
func (db *DB) Replay(ctx context.Context, env lookup.Environment, uid uuid.UUID) (webhook.Replay, error) {
	return scanReplay(db.pool.QueryRow(ctx, `-- name: replay
select `+replayColumns+replayTables+` where r.environment = $1 and r.uid = $2`, env, uid))
}

// Replays gives one page of an environment's replays, newest first.
func (db *DB) Replays(ctx context.Context, env lookup.Environment, page lookup.Page) (list []webhook.Replay, newer, older bool, err error) {
	q := where{}
	q.add("r.environment = ?", env)
	text, args, backwards := q.page("replays", replayColumns, replayTables, "r.requested_at", "r.id", page)
	rows, err := db.pool.Query(ctx, text, args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (webhook.Replay, error) { return scanReplay(row) })
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, err
}

// Replayed gives one page of a replay's results, the latest received first; result "" gives all of them. Of the page's
// cursors only the delivery's id counts.
func (db *DB) Replayed(ctx context.Context, replayID int64, result webhook.ReplayResult, page lookup.Page) (list []webhook.Replayed, newer, older bool, err error) {
	q := where{}
	q.add("i.replay_id = ?", replayID)
	if result != "" {
		q.add("i.result = ?", result)
	} else {
		q.add("i.result is not null")
	}
	order, backwards := "desc", false
	switch {
	case page.Before.ID != 0:
		q.add("i.delivery_id > ?", page.Before.ID)
		order, backwards = "asc", true
	case page.After.ID != 0:
		q.add("i.delivery_id < ?", page.After.ID)
	}
	// The page's items first: joined with all deliveries, those of an old replay would be met behind every newer delivery.
	rows, err := db.pool.Query(ctx, `-- name: replayed
select i.delivery_id, d.uid, d.received_at, coalesce(nullif(d.action, ''), t.action, ''), coalesce(l.uid, '00000000-0000-0000-0000-000000000000'),
       coalesce(l.reference, ''), i.result, i.verdict_was, i.cause_was, i.verdict, i.cause, i.error, i.done_at,
       coalesce((select json_agg(json_build_object('What', c.what, 'Before', c.before, 'After', c.after) order by c.id)
                   from changes c where c.replay_id = i.replay_id and c.delivery_id = i.delivery_id), '[]')
  from (select i.replay_id, i.delivery_id, i.result, i.verdict_was, i.cause_was, i.verdict, i.cause, i.error, i.done_at
          from replay_items i where `+q.text()+" order by i.delivery_id "+order+" limit "+strconv.Itoa(page.Limit+1)+`) i
  join deliveries d on d.id = i.delivery_id
  left join deliveries t on t.id = d.twin_of
  left join lookups l on l.id = coalesce(d.lookup_id, t.lookup_id)
 order by i.delivery_id `+order, q.args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r webhook.Replayed, err error) {
		err = row.Scan(&r.DeliveryID, &r.DeliveryUID, &r.ReceivedAt, &r.Action, &r.LookupUID, &r.Reference, &r.Result, &r.VerdictWas, &r.CauseWas,
			&r.Verdict, &r.Cause, &r.Error, &r.DoneAt, &r.Changes)
		return r, err
	})
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, err
}
