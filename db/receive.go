package db

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// RetryWindow is the least age at which a repeated event counts as a new one. It is how long the vendor may send the same delivery again: four tries about 30 s apart, or "a few minutes"
// in its older pages (docs/vendor.md#delivery-retries), with room to spare.
const RetryWindow = 20 * time.Minute

// Receipt is a request as it reached a hook, with what is already known of it.
type Receipt struct {
	Subscription webhook.Subscription
	ReceivedAt   time.Time
	RemoteAddr   string
	Method       string
	Headers      [][2]string // as received, credentials left out
	Credentials  [][2]string // sealed apart
	Body         []byte
	Size         int64           // as received; larger than Body when it was cut
	Verdict      webhook.Verdict // Accepted or Refused
	Cause        webhook.Cause   // of a refusal
	Checks       []webhook.Check // how each authentication went
	Answer       int
}

// Receive stores a request and counts it. Refused ones beyond the hour's quota are counted only, and get the zero id. An accepted one is compared by its bytes with those of the vendor's retry window, and a
// new one is handed to the queue in the same transaction: when Receive returns, nothing can be lost.
func (db *DB) Receive(ctx context.Context, r Receipt) (uid uuid.UUID, verdict webhook.Verdict, err error) {
	headers, err := storedHeaders(r)
	if err != nil {
		return uid, "", err
	}
	checks, err := json.Marshal(storedChecks(r.Checks))
	if err != nil {
		return uid, "", err
	}
	uid = uuid.New()
	var credentials []byte
	if len(r.Credentials) > 0 {
		plain, err := json.Marshal(r.Credentials)
		if err != nil {
			return uid, "", err
		}
		if credentials, err = db.seal(plain, credentialsPurpose(uid)); err != nil {
			return uid, "", err
		}
	}
	sum := sha256.Sum256(r.Body)
	s := r.Subscription
	verdict = r.Verdict
	var id, first int64
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		if r.Verdict == webhook.Refused {
			full, err := quotaFull(ctx, tx, s.ID, r.ReceivedAt)
			if err != nil {
				return err
			}
			if full {
				uid = uuid.Nil
				return countDelivery(ctx, tx, s.ID, r.ReceivedAt, webhook.Refused, webhook.CauseQuota, 0, 0)
			}
		}
		var cause webhook.Cause
		if err := tx.QueryRow(ctx, receiveStatement,
			uid, s.Environment, s.ID, s.ConnectionID, r.ReceivedAt, r.RemoteAddr, r.Method, headers,
			credentials, sum[:], r.Verdict, r.Cause, r.Answer, window(s), notNull(r.Body), r.Size, checks).Scan(&id, &verdict, &cause, &first); err != nil {
			return fmt.Errorf("store the delivery: %w", err)
		}
		if err := countDelivery(ctx, tx, s.ID, r.ReceivedAt, verdict, cause, 1, len(r.Body)+len(headers)+len(credentials)); err != nil {
			return err
		}
		switch {
		case verdict == webhook.Accepted:
			return db.process(ctx, tx, id)
		case first != 0:
			return settleCopy(ctx, tx, id, first)
		}
		return nil
	})
	if err == nil && id != 0 {
		db.tell(id)
	}
	return uid, verdict, err
}

// The comparison comes after verification, so that a forgery cannot take a key before the real delivery does. The sum
// keeps the planner, while it knows nothing of a new table, from walking all that the hook received lately.
const receiveStatement = `-- name: receive
with twin as (
  select id, action, account_id from deliveries
   where $11 = 'accepted' and subscription_id + 0 = $3 and body_sha256 = $10 and received_at > $5::timestamptz - $14::interval
     and verdict <> 'refused' and cause <> 'same_bytes' and body_size > 0
   order by received_at limit 1)
insert into deliveries (uid, environment, subscription_id, connection_id, received_at, remote_addr, method, headers,
                        credentials_sealed, body, body_size, body_sha256, verdict, cause, answered, answer_micros, twin_of, processed_at,
                        action, account_id, checks)
select $1, $2, $3, $4, $5, $6, $7, $8::json, $9, $15, $16, $10,
       case when (select id from twin) is not null then 'duplicate' else $11 end,
       case when (select id from twin) is not null then 'same_bytes' else $12 end,
       $13, least(greatest(extract(epoch from clock_timestamp() - $5::timestamptz) * 1000000, 0), 2147483647), (select id from twin),
       case when $11 = 'refused' or (select id from twin) is not null then clock_timestamp() end,
       coalesce((select action from twin), ''), coalesce((select account_id from twin), ''), $17::jsonb
returning id, verdict, cause, case when action = '' then coalesce(twin_of, 0) else 0 end`

// copyPatience is how long a copy waits for whoever reads its first right now. A vendor waits for the answer meanwhile.
var copyPatience = 500 * time.Millisecond

// settleCopy has a copy say what its first does, when that is read at this very moment: whoever reads it does not see the
// copy yet, and nobody would tell it later. When its first stays locked for longer, as by the preview of a replay, the copy
// goes without: only a list narrowed to its account lacks it.
func settleCopy(ctx context.Context, tx pgx.Tx, id, first int64) error {
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: copy patience
select set_config('lock_timeout', $1, true)`, copyPatience.String()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: settle copy
with said as materialized (select action, account_id from deliveries where id = $2 for share)
update deliveries set action = said.action, account_id = said.account_id from said where id = $1 and said.action <> ''`, id, first); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: patience again
select set_config('lock_timeout', '0', true)`)
		return err
	})
	if passing(err) && !Down(err) {
		return nil
	}
	return err
}

// window is how long the same bytes count as a copy.
func window(s webhook.Subscription) time.Duration {
	if s.WindowMinutes == 0 {
		return RetryWindow
	}
	return time.Duration(s.WindowMinutes) * time.Minute
}

// storedCheck is a check as kept with its delivery.
type storedCheck struct {
	Scheme webhook.Scheme `json:"scheme"`
	Result webhook.Result `json:"result"`
	Cause  webhook.Cause  `json:"cause,omitempty"`
	Reason string         `json:"reason"`
	Args   []any          `json:"args,omitempty"`
	Secret string         `json:"secret,omitempty"`
}

func storedChecks(checks []webhook.Check) []storedCheck {
	stored := make([]storedCheck, len(checks))
	for i, c := range checks {
		stored[i] = storedCheck{c.Scheme, c.Result, c.Cause, c.ReasonID, c.Args, c.SecretID}
	}
	return stored
}

// storedHeaders writes the headers as [[name, value], …]; a credential's name stands alone, its value is sealed apart.
func storedHeaders(r Receipt) ([]byte, error) {
	stored := make([][]string, 0, len(r.Headers)+len(r.Credentials))
	for _, h := range r.Headers {
		stored = append(stored, []string{h[0], h[1]})
	}
	for _, h := range r.Credentials {
		stored = append(stored, []string{h[0]})
	}
	return json.Marshal(stored)
}

func credentialsPurpose(uid uuid.UUID) string { return "delivery credentials/" + uid.String() }

// process hands a stored delivery to the queue.
func (db *DB) process(ctx context.Context, tx pgx.Tx, deliveryID int64) error {
	_, err := db.jobs.InsertTx(ctx, tx, task.ProcessDelivery{DeliveryID: deliveryID},
		&river.InsertOpts{Queue: task.QueueDelivery, Priority: 1})
	return err
}

// claimDeliveries hands the deliveries that waited for an account to the queue, in the order in which they came.
func (db *DB) claimDeliveries(ctx context.Context, tx pgx.Tx, connectionID int64, accountID string) error {
	rows, err := tx.Query(ctx, `-- name: waiting deliveries
select id from deliveries
 where connection_id = $1 and account_id = $2 and verdict = 'unmatched' and cause = '' order by id for no key update`, connectionID, accountID)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := recount(ctx, tx, ids, webhook.Accepted, webhook.CauseNone); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: claim deliveries
update deliveries set verdict = 'accepted', processed_at = null where id = any($1)`, ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := db.process(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// StoredBody is what a worker needs of a delivery to read the event inside.
type StoredBody struct {
	Dialect   lookup.Dialect
	Body      []byte
	Processed bool
}

// DeliveryBody gives the body of a delivery to a worker.
func (db *DB) DeliveryBody(ctx context.Context, id int64) (StoredBody, error) {
	var b StoredBody
	err := db.pool.QueryRow(ctx, `-- name: delivery for worker
select c.dialect, d.body, d.processed_at is not null
  from deliveries d join connections c on c.id = d.connection_id where d.id = $1`, id).Scan(&b.Dialect, &b.Body, &b.Processed)
	return b, found(err)
}

// DeliveryUnreadable settles a delivery whose body holds no event that we can read. It stays stored as it came.
func (db *DB) DeliveryUnreadable(ctx context.Context, id int64) error {
	return db.inTxOf(ctx, id, func(tx pgx.Tx) error {
		var processed bool
		if err := tx.QueryRow(ctx, `-- name: lock unreadable
select processed_at is not null from deliveries where id = $1 for no key update`, id).Scan(&processed); err != nil {
			return found(err)
		}
		if processed {
			return nil
		}
		if err := recount(ctx, tx, []int64{id}, webhook.Ignored, webhook.CauseUnreadable); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: delivery unreadable
update deliveries set verdict = 'ignored', cause = 'unreadable', processed_at = clock_timestamp(), runs = runs + 1 where id = $1`, id)
		return err
	})
}
