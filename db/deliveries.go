package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

const deliveryColumns = `d.id, d.uid, d.environment, c.dialect, s.uid, s.name, s.token_tail, d.received_at, d.remote_addr, d.method, d.body_size,
       d.body_sha256, d.verdict, d.cause, d.answered, d.answer_micros,
       coalesce(nullif(d.action, ''), t.action, ''), coalesce(nullif(d.account_id, ''), t.account_id, ''),
       coalesce(l.uid, '00000000-0000-0000-0000-000000000000'), coalesce(l.reference, ''),
       coalesce(d.processed_at, ` + never + `), d.runs, d.last_error`

const deliveryTables = `
  from deliveries d
  join connections c on c.id = d.connection_id
  join subscriptions s on s.id = d.subscription_id
  left join deliveries t on t.id = d.twin_of -- a copy of the same bytes is not read again
  left join lookups l on l.id = coalesce(d.lookup_id, t.lookup_id)
`

func scanDelivery(row pgx.Row, more ...any) (webhook.Delivery, error) {
	var d webhook.Delivery
	err := row.Scan(append([]any{&d.ID, &d.UID, &d.Environment, &d.Dialect, &d.Hook, &d.Subscription, &d.TokenTail, &d.ReceivedAt, &d.RemoteAddr, &d.Method, &d.Size,
		&d.SHA256, &d.Verdict, &d.Cause, &d.Answered, &d.AnswerMicros, &d.Action, &d.AccountID,
		&d.LookupUID, &d.Reference, &d.ProcessedAt, &d.Attempts, &d.LastError}, more...)...)
	return d, found(err)
}

// Deliveries gives one page of an environment's deliveries, newest first, without headers and bodies.
func (db *DB) Deliveries(ctx context.Context, env lookup.Environment, f webhook.Filter, page lookup.Page, zone *time.Location) (list []webhook.Delivery, newer, older bool, err error) {
	ids, newer, older, err := db.inPage(ctx, deliveryConditions(env, f, zone), page)
	if err != nil {
		return nil, false, false, err
	}
	rows, err := db.pool.Query(ctx, `-- name: deliveries
select `+deliveryColumns+deliveryTables+` where d.id = any($1) order by d.received_at desc, d.id desc`, ids)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (webhook.Delivery, error) { return scanDelivery(row) })
	return list, newer, older, err
}

// deliveryConditions is what a filter means, the only place that says so, as lookupConditions is for lookups.
func deliveryConditions(env lookup.Environment, f webhook.Filter, zone *time.Location) where {
	q := where{table: "deliveries d", facetsOf: "delivery_facets", at: "d.received_at", id: "d.id"}
	q.within("d", "environment", "= ?", env)
	if f.Dialect != "" {
		q.facet("d", "connection_id", "= (select id from connections where environment = ? and dialect = ?)", env, clean(string(f.Dialect)))
	}
	if f.Hook != uuid.Nil {
		q.facet("d", "subscription_id", "= (select id from subscriptions where uid = ?)", f.Hook)
	}
	if f.Verdict != "" {
		q.facet("d", "verdict", "= ?", clean(string(f.Verdict)))
	}
	if f.Cause != "" {
		q.facet("d", "cause", "= ?", clean(string(f.Cause)))
	}
	if f.Action != "" {
		q.slot("d", "action", clean(f.Action), false)
	}
	if f.Account != "" {
		q.add("d.account_id = ? and d.account_id <> ''", clean(f.Account))
	}
	if f.Lookup != uuid.Nil {
		// A copy of the same bytes is not read again: it belongs where its first belongs.
		q.add(`d.id in (
    select own.id from deliveries own join lookups l on l.id = own.lookup_id where l.uid = ?
    union all
    select copy.id from deliveries copy join deliveries own on own.id = copy.twin_of join lookups l on l.id = own.lookup_id where l.uid = ?)`, f.Lookup, f.Lookup)
	}
	switch f.State {
	case webhook.StateWaiting:
		q.implied("d.processed_at is null", "k.state in ('waiting', 'failing')")
	case webhook.StateFailing:
		q.implied("d.processed_at is null and d.last_error <> ''", "k.state = 'failing'")
	case webhook.StateProcessed:
		q.implied("d.processed_at is not null and d.verdict <> 'refused'", "k.state = 'processed'")
	}
	if f.Answered != 0 {
		q.facet("d", "answered", "= ?", f.Answered)
	}
	if f.Text != "" {
		q.add("position(?::bytea in d.body) > 0", []byte(f.Text))
		q.dear = true
	}
	q.days("d.received_at", f.From, f.To, zone)
	if f.Account != "" || f.Lookup != uuid.Nil {
		q.facets = nil // these have few rows, and indexes of their own
	}
	if len(q.facets) > 0 {
		q.facets = append(q.facets, q.under)
	}
	return q
}

// DeliveryChanges gives deliveries by their internal ids with their bodies, for what is told to pages, in the order in
// which they came.
func (db *DB) DeliveryChanges(ctx context.Context, ids []int64) ([]webhook.Delivery, error) {
	return db.deliveriesBy(ctx, `-- name: changed deliveries
select `+deliveryColumns+`, d.body`+deliveryTables+` where d.id = any($1) order by d.received_at, d.id`, ids)
}

// DeliveryRows gives those of an environment's deliveries that a page shows.
func (db *DB) DeliveryRows(ctx context.Context, env lookup.Environment, uids []uuid.UUID) ([]webhook.Delivery, error) {
	return db.deliveriesBy(ctx, `-- name: delivery rows
select `+deliveryColumns+`, ''::bytea`+deliveryTables+` where d.environment = $1 and d.uid = any($2) order by d.received_at, d.id`, env, uids)
}

func (db *DB) deliveriesBy(ctx context.Context, query string, args ...any) ([]webhook.Delivery, error) {
	rows, err := db.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (webhook.Delivery, error) {
		var body []byte
		d, err := scanDelivery(row, &body)
		d.Body = body
		return d, err
	})
}

// SearchedBodies writes to the trail that bodies were searched, and by which kept search. What for is written nowhere.
func (db *DB) SearchedBodies(ctx context.Context, search string, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		return record(ctx, tx, by, note{action: audit.Searched, subject: search, detail: "bodies"})
	})
}

// FollowedBodies writes to the trail that bodies are searched as they come, unless the page that follows them was just seen.
func (db *DB) FollowedBodies(ctx context.Context, search string, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var seen bool
		if err := tx.QueryRow(ctx, `-- name: bodies searched lately
select exists (select from (select action, subject, detail, at from audit_entries where actor_id = $1 order by id desc limit 200) acts
                where action = $2 and detail = 'bodies' and subject = $4 and at > clock_timestamp() - $3::interval)`, by.UserID, audit.Searched, SearchKept, search).Scan(&seen); err != nil || seen {
			return err
		}
		return record(ctx, tx, by, note{action: audit.Searched, subject: search, detail: "bodies"})
	})
}

// DeliveriesOf gives the deliveries that belong to a lookup, oldest first, with their bodies; the newest 100.
func (db *DB) DeliveriesOf(ctx context.Context, lookupID int64) ([]webhook.Delivery, error) {
	return db.deliveriesBy(ctx, `-- name: deliveries of lookup
select `+deliveryColumns+`, d.body`+deliveryTables+`
 where d.id in (select id from (select id from deliveries where lookup_id = $1
                                union select t.id from deliveries o join deliveries t on t.twin_of = o.id where o.lookup_id = $1) both_kinds
                 order by id desc limit 100)
 order by d.received_at, d.id`, lookupID)
}

// ViewDelivery gives a delivery of an environment with everything kept of it, and writes to the trail that it was
// looked at, or (action) that its body was taken or revealed.
func (db *DB) ViewDelivery(ctx context.Context, env lookup.Environment, uid uuid.UUID, action audit.Action, by audit.Actor) (webhook.Delivery, error) {
	var d webhook.Delivery
	err := db.inTx(ctx, func(tx pgx.Tx) (err error) {
		var headers, body, checks []byte
		var lookupID, personID int64
		d, err = scanDelivery(tx.QueryRow(ctx, `-- name: delivery
select `+deliveryColumns+`, d.headers, d.body, d.checks, coalesce(l.id, 0), coalesce(l.person_id, 0)`+deliveryTables+`
 where d.environment = $1 and d.uid = $2`, env, uid), &headers, &body, &checks, &lookupID, &personID)
		if err != nil {
			return err
		}
		d.Body = body
		if d.Headers, err = readHeaders(headers); err != nil {
			return err
		}
		if d.Checks, err = readChecks(checks); err != nil {
			return err
		}
		if d.Changes, err = readChanges(ctx, tx, d.ID); err != nil {
			return err
		}
		if d.Twins, err = readTwins(ctx, tx, d.ID); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: action, personID: personID, lookupID: lookupID, subject: uid.String()})
	})
	return d, err
}

func readHeaders(raw []byte) ([]webhook.Header, error) {
	var pairs [][]string
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, fmt.Errorf("read stored headers: %w", err)
	}
	headers := make([]webhook.Header, len(pairs))
	for i, p := range pairs {
		headers[i] = webhook.Header{Name: p[0], Sealed: len(p) == 1}
		if len(p) > 1 {
			headers[i].Value = p[1]
		}
	}
	return headers, nil
}

func readChanges(ctx context.Context, tx pgx.Tx, id int64) ([]webhook.Change, error) {
	rows, err := tx.Query(ctx, `-- name: changes of delivery
select what, before, after from changes where delivery_id = $1 order by id`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[webhook.Change])
}

// readTwins gives the other deliveries of the same bytes or the same fact, oldest first.
func readTwins(ctx context.Context, tx pgx.Tx, id int64) ([]webhook.Twin, error) {
	rows, err := tx.Query(ctx, `-- name: twins
with self as (select id, coalesce(twin_of, id) as first, event_id from deliveries where id = $1)
select d.uid, d.received_at, d.verdict, d.cause
  from deliveries d, self
 where d.id <> self.id and (d.id = self.first or d.twin_of = self.first or (self.event_id is not null and d.event_id = self.event_id))
 order by d.received_at, d.id limit 20`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[webhook.Twin])
}

// LastDelivery tells when the newest authentic delivery of an environment came; zero when none did.
func (db *DB) LastDelivery(ctx context.Context, env lookup.Environment) (at time.Time, err error) {
	err = db.pool.QueryRow(ctx, `-- name: last delivery
select coalesce((select received_at from deliveries where environment = $1 and verdict <> 'refused'
                  order by received_at desc, id desc limit 1), `+never+`)`, env).Scan(&at)
	return at, err
}

// RefusedSince counts the deliveries of an environment refused since the hour of a moment, to limit and no further, from the
// counters. Those refused beyond what is kept are among them.
func (db *DB) RefusedSince(ctx context.Context, env lookup.Environment, since time.Time, limit int) (n int, err error) {
	err = db.pool.QueryRow(ctx, `-- name: refused since
select least(coalesce(sum(h.count), 0), $3)::bigint
  from subscriptions s join delivery_hours h on h.subscription_id = s.id
 where s.environment = $1 and h.verdict = 'refused' and h.hour >= date_trunc('hour', $2::timestamptz, 'UTC')`, env, since, limit).Scan(&n)
	return n, err
}
