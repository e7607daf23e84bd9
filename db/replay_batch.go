package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// ReplayBatch gives the next deliveries of a replay their turn, up to limit, in the order in which they came: effects,
// results, counts and audit entries in one transaction, so that a process that dies leaves no delivery half done and the
// next one goes on after it. more is false when nothing is left to do, or the replay is not to go on.
func (db *DB) ReplayBatch(ctx context.Context, id int64, limit int, read webhook.Reader) (more bool, err error) {
	var done []replayed
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var state webhook.ReplayState
		var uid uuid.UUID
		var by audit.Actor
		// Two runs of one replay go one after the other; pausing and cancelling wait for the batch.
		if err := tx.QueryRow(ctx, `-- name: lock replay
select r.state, r.uid, u.id, u.name, r.requested_ip from replays r join users u on u.id = r.requested_by where r.id = $1 for no key update of r`, id).
			Scan(&state, &uid, &by.UserID, &by.Name, &by.IP); err != nil {
			return found(err)
		}
		if state != webhook.ReplayRunning {
			return nil
		}
		// A batch moves counters of many hours, in the order in which deliveries came: two batches at once could wait for each
		// other's.
		if _, err := tx.Exec(ctx, `-- name: lock batches
select pg_advisory_xact_lock(hashtextextended('replay batch', 0))`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `-- name: replay's next
select delivery_id from replay_items where replay_id = $1 and result is null order by delivery_id limit $2`, id, limit)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		if done, err = db.again(ctx, tx, id, ids, read); err != nil {
			return err
		}
		if more, err = saveReplayed(ctx, tx, id, done); err != nil {
			return err
		}
		for _, r := range done {
			if r.Result != webhook.ResultChanged {
				continue // nobody's data were touched
			}
			if err := record(ctx, tx, by, note{action: audit.DeliveryReplayed, lookupID: r.lookupID, personID: r.personID,
				subject: r.DeliveryUID.String(), detail: uid.String()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		for _, r := range done {
			if r.Result == webhook.ResultChanged {
				db.tell(r.DeliveryID)
			}
		}
	}
	return more, err
}

// saveReplayed writes the results of a batch and tells whether the replay has more to do.
func saveReplayed(ctx context.Context, tx pgx.Tx, id int64, done []replayed) (more bool, err error) {
	n := len(done)
	ids, results, faults := make([]int64, n), make([]string, n), make([]string, n)
	was, causeWas, verdicts, causes := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, r := range done {
		ids[i], results[i], faults[i] = r.DeliveryID, string(r.Result), r.Error
		was[i], causeWas[i], verdicts[i], causes[i] = string(r.VerdictWas), string(r.CauseWas), string(r.Verdict), string(r.Cause)
	}
	if _, err := tx.Exec(ctx, `-- name: save replayed
update replay_items i set result = d.result, error = d.error, verdict_was = d.was, cause_was = d.cause_was, verdict = d.verdict, cause = d.cause,
       done_at = clock_timestamp()
  from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       as d (delivery_id, result, error, was, cause_was, verdict, cause)
 where i.replay_id = $1 and i.delivery_id = d.delivery_id`, id, ids, results, faults, was, causeWas, verdicts, causes); err != nil {
		return false, fmt.Errorf("save the results: %w", err)
	}
	err = tx.QueryRow(ctx, `-- name: replay came so far
with rest as (select exists (select 1 from replay_items where replay_id = $1 and result is null) as left_over),
did as (select count(*) filter (where r = 'changed') as changed, count(*) filter (where r = 'nothing') as nothing,
               count(*) filter (where r = 'unmatched') as unmatched, count(*) filter (where r = 'unreadable') as unreadable,
               count(*) filter (where r = 'failed') as failed from unnest($2::text[]) r)
update replays set changed = replays.changed + did.changed, nothing = replays.nothing + did.nothing, unmatched = replays.unmatched + did.unmatched,
       unreadable = replays.unreadable + did.unreadable, failed = replays.failed + did.failed,
       state = case when rest.left_over then state else 'done' end, finished_at = case when rest.left_over then null else clock_timestamp() end
  from did, rest where id = $1 returning rest.left_over`, id, results).Scan(&more)
	return more, err
}

// replayed is the result of one delivery with what the trail needs.
type replayed struct {
	webhook.Replayed
	lookupID, personID int64
}

// again processes stored deliveries again, in the order of ids, and says what became of each. replayID is 0 for a preview,
// whose transaction the caller takes back.
func (db *DB) again(ctx context.Context, tx pgx.Tx, replayID int64, ids []int64, read webhook.Reader) ([]replayed, error) {
	list, err := storedDeliveries(ctx, tx, ids, read)
	if err != nil {
		return nil, err
	}
	done := make([]replayed, len(list))
	var stand []int64
	var todo []*stored
	for i := range list {
		s := &list[i]
		done[i].Replayed = s.shown
		done[i].lookupID = s.lookupID
		if s.stands() {
			stand = append(stand, s.id)
		} else {
			todo = append(todo, s)
		}
	}
	// All accounts before the first delivery, in one order: so no batch waits in a circle with another or with a worker.
	if err := lockAccounts(ctx, tx, todo); err != nil {
		return nil, err
	}
	// Rows that stand are locked by this too, and a worker that has an account may be waiting to change a copy among them.
	if _, err := tx.Exec(ctx, `-- name: deliveries ran
update deliveries set runs = runs + 1 where id = any($1)`, stand); err != nil {
		return nil, err
	}
	for i := range list {
		if s := &list[i]; !s.stands() {
			if err := db.one(ctx, tx, replayID, s, &done[i]); err != nil {
				return nil, err
			}
		}
	}
	return done, nameLookups(ctx, tx, done)
}

// one processes one delivery again. A fault of its own is its result, and takes nothing else of the batch with it.
func (db *DB) one(ctx context.Context, tx pgx.Tx, replayID int64, s *stored, into *replayed) error {
	d := s.delivery
	d.replay = &replaying{id: replayID}
	err := pgx.BeginFunc(ctx, tx, func(own pgx.Tx) error { return db.applyAgain(ctx, own, d, s.event, s.readable) })
	switch {
	case err == nil:
		r := d.replay
		into.Result, into.Verdict, into.Cause, into.Changes, into.lookupID = r.result(), r.now.verdict, r.now.cause, r.changes, r.lookupID
		into.VerdictWas, into.CauseWas = r.was.verdict, r.was.cause
		if s.readable {
			into.Action = clip(s.event.Action)
		}
		return nil
	case ctx.Err() != nil, passing(err):
		return err
	}
	into.Result, into.Error = webhook.ResultFailed, Fault(err)
	_, err = tx.Exec(ctx, `-- name: delivery failed again
update deliveries set runs = runs + 1, last_error = $2 where id = $1`, s.id, into.Error)
	return err
}

// passing tells an error that the same statements may not meet again: a lost connection, a deadlock, a lock not had in time.
func passing(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "40001", "40P01", "55P03":
			return true
		}
	}
	return Down(err)
}

// stored is a delivery as it stands, with what this program reads in it.
type stored struct {
	delivery
	shown      webhook.Replayed
	was        settled
	lookupID   int64
	own        bool // it told the event that it belongs to
	key        string
	phase      lookup.Phase
	state      lookup.State
	profile    lookup.PullState
	employment lookup.PullState
	event      webhook.Event
	readable   bool
}

// stands tells, without a lock, that processing a delivery again cannot change anything: ranks only rise and events are
// never taken back, so what is seen to stand goes on standing. Whatever is in doubt is gone through in full.
func (s *stored) stands() bool {
	switch {
	case s.was.verdict == webhook.Refused || s.was.cause == webhook.CauseSameBytes || s.was.cause == webhook.CauseTest:
		return true
	case !s.was.done || s.was.eventID == 0 || !s.readable || len(s.event.Entities) > 0:
		return false
	case s.key != s.event.Key || s.phase != s.event.Report.Phase:
		return false
	case !s.own:
		return true
	}
	step := lookup.Advance(s.state, s.event.Report)
	return !step.Moved && (!step.Fetch || had(s.profile) && had(s.employment))
}

func had(p lookup.PullState) bool {
	return p == lookup.PullComplete || p == lookup.PullPartial || p == lookup.PullEmpty || p == lookup.PullFetching
}

func storedDeliveries(ctx context.Context, tx pgx.Tx, ids []int64, read webhook.Reader) ([]stored, error) {
	rows, err := tx.Query(ctx, `-- name: deliveries to replay
select d.id, d.uid, d.connection_id, c.dialect, d.received_at, d.body, d.verdict, d.cause, d.processed_at is not null, coalesce(d.event_id, 0),
       coalesce(nullif(d.action, ''), t.action, ''), coalesce(d.lookup_id, t.lookup_id, 0), coalesce(e.delivery_id = d.id, false),
       coalesce(e.key, ''), coalesce(e.phase, ''), coalesce(a.status, ''), coalesce(a.detail, ''), coalesce(a.warning, ''),
       coalesce(a.profile_state, ''), coalesce(a.employment_state, '')
  from deliveries d join connections c on c.id = d.connection_id
  left join deliveries t on t.id = d.twin_of
  left join events e on e.id = d.event_id
  left join attempts a on a.id = e.attempt_id
 where d.id = any($1) order by d.id`, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s stored, err error) {
		var body []byte
		var dialect lookup.Dialect
		err = row.Scan(&s.id, &s.shown.DeliveryUID, &s.connectionID, &dialect, &s.receivedAt, &body, &s.was.verdict, &s.was.cause, &s.was.done,
			&s.was.eventID, &s.shown.Action, &s.lookupID, &s.own, &s.key, &s.phase, &s.state.Status, &s.state.Detail, &s.state.Warning,
			&s.profile, &s.employment)
		if err != nil {
			return s, err
		}
		s.event, s.readable = read(dialect, body)
		s.event = storable(s.event)
		s.shown.DeliveryID, s.shown.ReceivedAt, s.shown.Result = s.id, s.receivedAt, webhook.ResultNothing
		s.shown.VerdictWas, s.shown.CauseWas, s.shown.Verdict, s.shown.Cause = s.was.verdict, s.was.cause, s.was.verdict, s.was.cause
		return s, nil
	})
}

func lockAccounts(ctx context.Context, tx pgx.Tx, todo []*stored) error {
	if len(todo) == 0 {
		return nil
	}
	connections, accounts := make([]int64, len(todo)), make([]string, len(todo))
	for i, s := range todo {
		connections[i], accounts[i] = s.connectionID, s.event.AccountID
	}
	_, err := tx.Exec(ctx, `-- name: lock accounts
select pg_advisory_xact_lock(key)
  from (select distinct hashtextextended(account, connection) as key from unnest($1::bigint[], $2::text[]) as k (connection, account) order by 1) keys`,
		connections, accounts)
	return err
}

// nameLookups fills in what people call the lookups of results.
func nameLookups(ctx context.Context, tx pgx.Tx, done []replayed) error {
	ids := make([]int64, len(done))
	for i, r := range done {
		ids[i] = r.lookupID
	}
	type name struct {
		uid       uuid.UUID
		reference string
		personID  int64
	}
	rows, err := tx.Query(ctx, `-- name: lookups replayed
select id, uid, reference, person_id from lookups where id = any($1)`, ids)
	if err != nil {
		return err
	}
	names := map[int64]name{}
	var id int64
	var n name
	if _, err := pgx.ForEachRow(rows, []any{&id, &n.uid, &n.reference, &n.personID}, func() error { names[id] = n; return nil }); err != nil {
		return err
	}
	for i := range done {
		n := names[done[i].lookupID]
		done[i].LookupUID, done[i].Reference, done[i].personID = n.uid, n.reference, n.personID
	}
	return nil
}
