package db

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// previewPatience is how long a preview waits for a lock: it must not stand in the way of what comes in.
const previewPatience = 2 * time.Second

// earlierPreviewed is how many deliveries of the set before the page a preview goes through, for what they would have
// changed by then.
const earlierPreviewed = 1000

// ErrBusy says that the rows in question are being changed right now.
var ErrBusy = errors.New("busy")

// replaySet is what chooses the deliveries that a replay would take.
func replaySet(env lookup.Environment, set webhook.ReplaySet, zone *time.Location) (q where) {
	if set.Delivery != (webhook.ReplaySet{}).Delivery {
		q.add("d.environment = ?", env)
		q.add("d.uid = ?", set.Delivery)
	} else {
		q = deliveryConditions(env, set.Filter, zone)
		q.inFacets()
	}
	if set.UpTo > 0 {
		q.add("d.id <= ?", set.UpTo)
	}
	return q
}

func (w *where) text() string { return strings.Join(w.conditions, " and ") }

// CountReplay counts the deliveries that a replay would take, to one more than MostReplayed, and those that it would leave
// out because they were refused, to limit. upTo is the newest of them: naming it later chooses the same set.
func (db *DB) CountReplay(ctx context.Context, env lookup.Environment, set webhook.ReplaySet, zone *time.Location, limit int) (n, refused int, upTo int64, err error) {
	q := replaySet(env, set, zone)
	all := q.text()
	// The numbers stand in the text: a plan made for any number would expect a tenth of the table.
	err = db.pool.QueryRow(ctx, `-- name: count replay
select count(*), coalesce(max(id), 0),
       (select count(*) from (select 1 from deliveries d where d.verdict = 'refused' and `+all+` limit `+strconv.Itoa(limit)+`) refused)
  from (select d.id from deliveries d where d.verdict <> 'refused' and `+all+` limit `+strconv.Itoa(webhook.MostReplayed+1)+`) chosen`, q.args...).Scan(&n, &upTo, &refused)
	return n, refused, upTo, err
}

// PreviewReplay tells what a replay of a set would do to the deliveries after one of them, up to limit, in the order in
// which they came. It really processes them, with what comes before them in the set and concerns the same accounts, and
// takes everything back: one account's transaction at a time, so that nothing is held for long. ErrBusy: a lock was not
// had in time.
func (db *DB) PreviewReplay(ctx context.Context, env lookup.Environment, set webhook.ReplaySet, zone *time.Location, after int64, limit int, read webhook.Reader) (list []webhook.Replayed, more bool, err error) {
	q := replaySet(env, set, zone)
	q.add("d.verdict <> 'refused'")
	q.add("d.id > ?", after)
	rows, err := db.pool.Query(ctx, `-- name: replay to preview
select d.id from deliveries d where `+q.text()+" order by d.id limit "+strconv.Itoa(limit+1), q.args...)
	if err != nil {
		return nil, false, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, false, err
	}
	if more = len(ids) > limit; more {
		ids = ids[:limit]
	}
	type account struct {
		connection int64
		id         string
	}
	found := map[int64]replayed{}
	groups := map[account][]int64{}
	var order []account
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		stored, err := storedDeliveries(ctx, tx, ids, read)
		if err != nil {
			return err
		}
		done := make([]replayed, 0, len(stored))
		for _, s := range stored {
			if s.stands() {
				done = append(done, replayed{Replayed: s.shown, lookupID: s.lookupID})
				continue
			}
			of := account{s.connectionID, s.event.AccountID}
			if groups[of] == nil {
				order = append(order, of)
			}
			groups[of] = append(groups[of], s.id)
		}
		if err := nameLookups(ctx, tx, done); err != nil {
			return err
		}
		for _, r := range done {
			found[r.DeliveryID] = r
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	for _, of := range order {
		q := replaySet(env, set, zone)
		q.add("d.verdict <> 'refused'")
		q.add("d.id <= ?", after)
		q.add("d.connection_id = ? and d.account_id = ? and d.account_id <> ''", of.connection, of.id)
		done, err := db.foresee(ctx, q, groups[of], read)
		if err != nil {
			return nil, false, err
		}
		for _, r := range done {
			found[r.DeliveryID] = r
		}
	}
	for _, id := range ids {
		if r, ok := found[id]; ok {
			list = append(list, r.Replayed)
		}
	}
	return list, more, nil
}

// errTakenBack ends a transaction that was only looked at.
var errTakenBack = errors.New("taken back")

// foresee processes deliveries of one account again after the earlier ones of the set, and takes it all back.
func (db *DB) foresee(ctx context.Context, earlier where, ids []int64, read webhook.Reader) (done []replayed, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: preview patience
select set_config('lock_timeout', $1, true)`, previewPatience.String()); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `-- name: replayed before
select d.id from deliveries d where `+earlier.text()+" order by d.id desc limit "+strconv.Itoa(earlierPreviewed), earlier.args...)
		if err != nil {
			return err
		}
		before, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		if done, err = db.again(ctx, tx, 0, append(before, ids...), read); err != nil {
			return err
		}
		return errTakenBack
	})
	switch {
	case errors.Is(err, errTakenBack):
		return done, nil
	case passing(err) && !Down(err):
		return nil, ErrBusy
	}
	return nil, err
}
