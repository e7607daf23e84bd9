package db

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

const connectionColumns = `c.id, c.uid, c.name, c.dialect, c.environment, c.base_url, c.key_tail, c.widget_id, c.sandbox_header, c.calls_per_minute,
       coalesce(c.paused_at, ` + never + `), c.paused_code, c.changed_at, coalesce(u.name, ''),
       c.price, c.currency, coalesce(c.priced_at, ` + never + `), coalesce((select q.name from users q where q.id = c.priced_by), ''),
       coalesce(s.uid, '00000000-0000-0000-0000-000000000000'), coalesce(s.vendor_id, ''), coalesce(s.token_tail, ''),
       coalesce(s.created_at, ` + never + `),
       coalesce((select max(d.received_at) from deliveries d where d.subscription_id = s.id), ` + never + `)
  from connections c
  left join users u on u.id = c.changed_by
  left join lateral (select id, uid, vendor_id, token_tail, created_at from subscriptions
                      where connection_id = c.id and active order by id desc limit 1) s on true
`

func scanConnection(row pgx.Row) (connection.Connection, error) {
	var c connection.Connection
	s := &c.Subscription
	err := row.Scan(&c.ID, &c.UID, &c.Name, &c.Dialect, &c.Environment, &c.BaseURL, &c.KeyTail, &c.WidgetID, &c.SandboxHeader, &c.CallsPerMinute,
		&c.PausedAt, &c.PausedCode, &c.ChangedAt, &c.ChangedBy, &c.Price.Amount, &c.Price.Currency, &c.Price.SetAt, &c.Price.SetBy,
		&s.UID, &s.VendorID, &s.TokenTail, &s.RegisteredAt, &s.LastDeliveryAt)
	return c, found(err)
}

// Connection gives the connection of an environment that speaks a dialect, or ErrNotFound.
func (db *DB) Connection(ctx context.Context, env lookup.Environment, dialect lookup.Dialect) (connection.Connection, error) {
	return scanConnection(db.pool.QueryRow(ctx, `-- name: connection
select `+connectionColumns+` where c.environment = $1 and c.dialect = $2`, env, dialect))
}

// Connections gives those of an environment, one per dialect at most.
func (db *DB) Connections(ctx context.Context, env lookup.Environment) ([]connection.Connection, error) {
	rows, err := db.pool.Query(ctx, `-- name: connections
select `+connectionColumns+` where c.environment = $1 order by c.dialect = 'palenca' desc, c.dialect`, env)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (connection.Connection, error) { return scanConnection(row) })
}

// ConnectionByID gives a connection.
func (db *DB) ConnectionByID(ctx context.Context, id int64) (connection.Connection, error) {
	return scanConnection(db.pool.QueryRow(ctx, `-- name: connection by id
select `+connectionColumns+` where c.id = $1`, id))
}

// ConnectionKey opens the sealed API key of a connection. It goes to the vendor's client and nowhere else.
func (db *DB) ConnectionKey(ctx context.Context, id int64) (string, error) {
	var sealed []byte
	var env lookup.Environment
	var dialect lookup.Dialect
	err := db.pool.QueryRow(ctx, `-- name: connection key
select key_sealed, environment, dialect from connections where id = $1`, id).Scan(&sealed, &env, &dialect)
	if err != nil {
		return "", found(err)
	}
	key, err := db.open(sealed, keyPurpose(env, dialect))
	return string(key), err
}

// SaveConnection adds or changes the connection of its environment and dialect. An empty key keeps the sealed one; a
// new one lifts the pause that the old one caused.
func (db *DB) SaveConnection(ctx context.Context, c connection.Connection, key string, by audit.Actor) (connection.Connection, error) {
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		action := audit.ConnectionEdited
		if key != "" {
			sealed, err := db.seal([]byte(key), keyPurpose(c.Environment, c.Dialect))
			if err != nil {
				return err
			}
			var added bool
			if err := tx.QueryRow(ctx, `-- name: save connection
insert into connections as c (environment, dialect, name, base_url, key_sealed, key_tail, widget_id, calls_per_minute, changed_by, sandbox_header)
values ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, 0), $10)
on conflict (environment, dialect) do update set name = excluded.name, base_url = excluded.base_url,
  key_sealed = excluded.key_sealed, key_tail = excluded.key_tail, widget_id = excluded.widget_id,
  calls_per_minute = excluded.calls_per_minute, changed_by = excluded.changed_by, changed_at = now(), sandbox_header = excluded.sandbox_header,
  paused_at = null, paused_code = '', blocked_until = null
returning c.id, c.uid, (c.xmax = 0)`,
				c.Environment, c.Dialect, c.Name, c.BaseURL, sealed, tail(key), c.WidgetID, c.CallsPerMinute, by.UserID, c.SandboxHeader).
				Scan(&c.ID, &c.UID, &added); err != nil {
				return fmt.Errorf("save the connection: %w", err)
			}
			if added {
				action = audit.ConnectionAdded
			}
		} else if err := tx.QueryRow(ctx, `-- name: change connection
update connections set name = $3, base_url = $4, widget_id = $5, calls_per_minute = $6, changed_by = nullif($7, 0), changed_at = now(),
       sandbox_header = $8
 where environment = $1 and dialect = $2 returning id, uid`,
			c.Environment, c.Dialect, c.Name, c.BaseURL, c.WidgetID, c.CallsPerMinute, by.UserID, c.SandboxHeader).Scan(&c.ID, &c.UID); err != nil {
			return found(err)
		}
		detail := string(c.Environment)
		priced, err := setPrice(ctx, tx, c, by)
		if err != nil {
			return err
		}
		if priced {
			detail += " price " + cmp.Or(c.Price.Amount, "none") + " " + c.Price.Currency
		}
		return record(ctx, tx, by, note{action: action, subject: c.UID.String(), detail: strings.TrimSpace(detail)})
	})
	if err != nil {
		return connection.Connection{}, err
	}
	return db.ConnectionByID(ctx, c.ID)
}

// setPrice keeps the price of a connection with who set it and when, which stay while it is the same. It tells whether it
// was another.
func setPrice(ctx context.Context, tx pgx.Tx, c connection.Connection, by audit.Actor) (changed bool, err error) {
	tag, err := tx.Exec(ctx, `-- name: set price
update connections set price = $2, currency = coalesce(nullif($3, ''), currency), priced_at = case when $2 <> '' then clock_timestamp() end,
       priced_by = case when $2 <> '' then nullif($4, 0) end
 where id = $1 and (price <> $2 or $2 <> '' and currency <> coalesce(nullif($3, ''), currency))`, c.ID, c.Price.Amount, c.Price.Currency, by.UserID)
	return tag.RowsAffected() > 0, err
}

// A key sealed for one environment does not open in the other.
func keyPurpose(env lookup.Environment, dialect lookup.Dialect) string {
	return "connection key/" + string(env) + "/" + string(dialect)
}

func hookPurpose(hash []byte) string { return "hook token/" + hex.EncodeToString(hash) }

func tail(secret string) string {
	if len(secret) < 12 {
		return "" // four characters of a short secret would give too much of it away
	}
	return secret[len(secret)-4:]
}

// ConnectionTested writes a test call, and its outcome, to the trail.
func (db *DB) ConnectionTested(ctx context.Context, c connection.Connection, outcome string, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		return record(ctx, tx, by, note{action: audit.ConnectionTested, subject: c.UID.String(), detail: outcome})
	})
}

// PauseConnection holds calls back because the vendor refused with code the key of a connection that was last changed at
// asOf. One that was changed since may have another key, of which that refusal says nothing.
func (db *DB) PauseConnection(ctx context.Context, id int64, code string, asOf time.Time) error {
	_, err := db.pool.Exec(ctx, `-- name: pause connection
update connections set paused_at = coalesce(paused_at, now()), paused_code = $2 where id = $1 and changed_at <= $3`, id, code, asOf)
	return err
}

// ResumeConnection lets calls through again.
func (db *DB) ResumeConnection(ctx context.Context, c connection.Connection, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: resume connection
update connections set paused_at = null, paused_code = '' where id = $1`, c.ID); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.ConnectionResumed, subject: c.UID.String()})
	})
}

// TakeToken takes one call from the connection's bucket, which all processes share, or tells how long to wait. A
// bucket holds a quarter of a minute's calls and fills with three quarters a minute, so that no minute, whenever it
// begins, has more calls than the connection allows. A caller that waited for the row has an older time than the one stored there: it finds nothing flown in, and takes nothing back.
func (db *DB) TakeToken(ctx context.Context, id int64) (wait time.Duration, err error) {
	return db.takeToken(ctx, id, 0)
}

// spared is how many tokens a bulk leaves in the bucket: enough for somebody else's lookup to be asked, and its answer to
// be fetched, at any moment. In a bucket too small for that, a bulk waits until it is full.
const spared = 4

// TakeSpareToken is TakeToken for calls of a bulk, which leave some of the bucket to others.
func (db *DB) TakeSpareToken(ctx context.Context, id int64) (wait time.Duration, err error) {
	return db.takeToken(ctx, id, spared)
}

// The row is locked by a statement of its own: the next one then sees its newest version. Locking and changing an older
// one in a single statement has callers wait for each other in a circle, wherever keys that refer to the row are checked.
func (db *DB) takeToken(ctx context.Context, id int64, leave int) (wait time.Duration, err error) {
	both := &pgx.Batch{}
	both.Queue(`-- name: lock bucket
select id from connections where id = $1 for no key update`, id)
	var seconds float64
	both.Queue(`-- name: take token
with now as (select clock_timestamp() as t),
bucket as (
  select c.id, c.calls_per_minute * 0.75 / 60.0 as rate,
         least(greatest(c.calls_per_minute / 4.0, 1),
               c.tokens + greatest(extract(epoch from now.t - c.refilled_at), 0) * c.calls_per_minute * 0.75 / 60.0) as level,
         greatest(extract(epoch from c.blocked_until - now.t), 0) as blocked, greatest(now.t, c.refilled_at) as t,
         greatest(1, least(1 + $2::integer, c.calls_per_minute / 4.0)) as needed
    from connections c, now where c.id = $1)
update connections c
   set tokens = b.level - case when b.level >= b.needed and coalesce(b.blocked, 0) = 0 then 1 else 0 end, refilled_at = b.t
  from bucket b where c.id = b.id
returning (case when coalesce(b.blocked, 0) > 0 then b.blocked when b.level >= b.needed then 0 else (b.needed - b.level) / b.rate end)::float8`, id, leave).
		QueryRow(func(row pgx.Row) error { return row.Scan(&seconds) })
	if err := db.pool.SendBatch(ctx, both).Close(); err != nil {
		return 0, found(err)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// HoldCalls keeps every process from calling the vendor until the moment it named.
func (db *DB) HoldCalls(ctx context.Context, id int64, until time.Time) error {
	_, err := db.pool.Exec(ctx, `-- name: hold calls
update connections set blocked_until = greatest(blocked_until, $2) where id = $1`, id, until)
	return err
}

// HookToken gives the token of a connection's live subscription, to build the address that the vendor is told.
func (db *DB) HookToken(ctx context.Context, connectionID int64) (uid uuid.UUID, token string, err error) {
	var hash, sealed []byte
	err = db.pool.QueryRow(ctx, `-- name: hook token
select uid, token_hash, token_sealed from subscriptions where connection_id = $1 and active order by id desc limit 1`, connectionID).
		Scan(&uid, &hash, &sealed)
	if err != nil {
		return uid, "", found(err)
	}
	plain, err := db.open(sealed, hookPurpose(hash))
	return uid, string(plain), err
}

// AddSubscription stores a hook of ours under its token. It is registered with the vendor afterwards, so that not even
// the first delivery meets an unknown address.
func (db *DB) AddSubscription(ctx context.Context, c connection.Connection, name, token string, events []string) (uuid.UUID, error) {
	hash := sha256.Sum256([]byte(token))
	sealed, err := db.seal([]byte(token), hookPurpose(hash[:]))
	if err != nil {
		return uuid.UUID{}, err
	}
	var uid uuid.UUID
	err = db.pool.QueryRow(ctx, `-- name: add subscription
insert into subscriptions (connection_id, environment, name, token_hash, token_sealed, token_tail, events)
values ($1, $2, $3, $4, $5, $6, $7) returning uid`,
		c.ID, c.Environment, name, hash[:], sealed, tail(token), events).Scan(&uid)
	return uid, err
}

// SubscriptionRegistered notes the vendor's own id of a hook.
func (db *DB) SubscriptionRegistered(ctx context.Context, uid uuid.UUID, vendorID string) error {
	_, err := db.pool.Exec(ctx, `-- name: subscription registered
update subscriptions set vendor_id = $2 where uid = $1`, uid, vendorID)
	return err
}
