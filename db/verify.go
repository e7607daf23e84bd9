package db

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// ErrNotVerifiable refuses to verify again what was not refused by an authentication, or was not kept whole.
var ErrNotVerifiable = fmt.Errorf("%w: this delivery cannot be verified again", ErrConflict)

// VerifyAgain judges a refused delivery by what its subscription asks for now, as of the moment at which it came: expiry,
// tokens and addresses count as they stood then. One that passes is processed like one that had passed at once.
func (db *DB) VerifyAgain(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (webhook.Outcome, error) {
	request, hook, err := db.StoredRequest(ctx, env, uid)
	if err != nil {
		return webhook.Outcome{}, err
	}
	policy, err := db.policy(ctx, hook)
	if err != nil {
		return webhook.Outcome{}, err
	}
	outcome := webhook.Verify(policy, request)
	if !hook.Active {
		// Switched off is a setting like the others: while it stands, nothing passes.
		outcome.Refused, outcome.Cause = true, webhook.CauseDisabled
	}
	checks, err := json.Marshal(storedChecks(outcome.Checks))
	if err != nil {
		return outcome, err
	}
	var id int64
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var whole bool
		err := tx.QueryRow(ctx, `-- name: lock refused
select id, body_size = length(body) from deliveries
 where environment = $1 and uid = $2 and verdict = 'refused' and cause = any($3) for no key update`,
			env, uid, verifiable()).Scan(&id, &whole)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !whole {
			return ErrNotVerifiable
		} else if err != nil {
			return err
		}
		verdict, cause := webhook.Accepted, webhook.CauseNone
		if outcome.Refused {
			verdict, cause = webhook.Refused, outcome.Cause
		}
		if err := recount(ctx, tx, []int64{id}, verdict, cause); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: verified again
update deliveries set verdict = $2, cause = $3, checks = $4::jsonb, processed_at = case when $2 = 'refused' then processed_at end where id = $1`,
			id, verdict, cause, checks); err != nil {
			return err
		}
		if !outcome.Refused {
			if err := db.process(ctx, tx, id); err != nil {
				return err
			}
		}
		return record(ctx, tx, by, note{action: audit.DeliveryVerified, subject: uid.String(), detail: string(verdict)})
	})
	if err == nil {
		db.tell(id)
	}
	return outcome, err
}

func verifiable() []string {
	causes := make([]string, len(webhook.VerifyCauses))
	for i, c := range webhook.VerifyCauses {
		causes[i] = string(c)
	}
	return append(causes, string(webhook.CauseDisabled))
}

// VerifiableDelivery is a refused delivery that can be verified again, and where it stands in the order of arrival.
type VerifiableDelivery struct {
	UID    uuid.UUID
	Cursor lookup.Cursor
}

const verifiableOf = `
 from deliveries
 where subscription_id = (select id from subscriptions where uid = $1) and received_at >= $2 and verdict = 'refused' and cause = any($3)
   and body_size = length(body)
`

// Verifiable lists refused deliveries of a subscription that can be verified again, in the order in which they came,
// after a place in it, up to limit.
func (db *DB) Verifiable(ctx context.Context, hook uuid.UUID, after lookup.Cursor, limit int) ([]VerifiableDelivery, error) {
	rows, err := db.pool.Query(ctx, `-- name: verifiable
select uid, received_at, id`+verifiableOf+` and (received_at, id) > ($2, $4)
 order by received_at, id limit $5`, hook, after.At, verifiable(), after.ID, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d VerifiableDelivery, err error) {
		err = row.Scan(&d.UID, &d.Cursor.At, &d.Cursor.ID)
		return d, err
	})
}

// CountVerifiable counts them since a moment.
func (db *DB) CountVerifiable(ctx context.Context, hook uuid.UUID, since time.Time) (n int, err error) {
	err = db.pool.QueryRow(ctx, `-- name: count verifiable
select count(*)`+verifiableOf, hook, since, verifiable()).Scan(&n)
	return n, err
}

// StoredRequest gives a stored delivery as the request it was, with its credentials opened while they are kept (seven
// days), and its subscription. It goes to Verify and to the bench, and is shown to nobody.
func (db *DB) StoredRequest(ctx context.Context, env lookup.Environment, uid uuid.UUID) (r webhook.Request, hook webhook.Subscription, err error) {
	var headers, sealed []byte
	var remote string
	err = db.pool.QueryRow(ctx, `-- name: stored request
select `+hookColumns+`, d.method, d.headers, d.credentials_sealed, d.body, d.received_at, d.remote_addr
  from deliveries d join subscriptions s on s.id = d.subscription_id join connections c on c.id = s.connection_id
 where d.environment = $1 and d.uid = $2`, env, uid).
		Scan(append(hookTargets(&hook), &r.Method, &headers, &sealed, &r.Body, &r.At, &remote)...)
	if err != nil {
		return r, hook, found(err)
	}
	r.Addr, _ = netip.ParseAddr(remote)
	all, err := readHeaders(headers)
	if err != nil {
		return r, hook, err
	}
	for _, h := range all {
		if !h.Sealed {
			r.Header = append(r.Header, h)
		}
	}
	if sealed == nil {
		return r, hook, nil
	}
	plain, err := db.open(sealed, credentialsPurpose(uid))
	if err != nil {
		return r, hook, fmt.Errorf("open the credentials of delivery %s: %w", uid, err)
	}
	var credentials [][2]string
	if err := json.Unmarshal(plain, &credentials); err != nil {
		return r, hook, fmt.Errorf("read the credentials of delivery %s: %w", uid, err)
	}
	for _, c := range credentials {
		r.Header = append(r.Header, webhook.Header{Name: c[0], Value: c[1]})
	}
	return r, hook, nil
}

// PolicyOf gives what a subscription asks of requests, for the bench.
func (db *DB) PolicyOf(ctx context.Context, hook webhook.Subscription) (webhook.Policy, error) {
	return db.policy(ctx, hook)
}

// readChecks reads stored checks. Whole numbers come back as integers, for plural forms.
func readChecks(raw []byte) ([]webhook.Check, error) {
	var stored []storedCheck
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&stored); err != nil {
		return nil, fmt.Errorf("read stored checks: %w", err)
	}
	checks := make([]webhook.Check, len(stored))
	for i, c := range stored {
		for j, arg := range c.Args {
			if n, ok := arg.(float64); ok && n == math.Trunc(n) {
				c.Args[j] = int(n)
			}
		}
		checks[i] = webhook.Check{Scheme: c.Scheme, Result: c.Result, Cause: c.Cause, ReasonID: c.Reason, Args: c.Args, SecretID: c.Secret}
	}
	return checks, nil
}

// Quiet names the active subscriptions of an environment from which nothing came although attempts have waited longer
// than the vendor usually takes.
func (db *DB) Quiet(ctx context.Context, env lookup.Environment, after time.Duration) ([]string, error) {
	rows, err := db.pool.Query(ctx, `-- name: quiet hooks
select s.name from subscriptions s
 where s.environment = $1 and s.active and s.deleted_at is null
   and exists (select 1 from attempts a where a.connection_id = s.connection_id and a.status = 'pending' and a.sent_at < clock_timestamp() - $2::interval)
   and coalesce((select d.received_at from deliveries d where d.subscription_id = s.id and d.verdict <> 'refused'
                  order by d.received_at desc, d.id desc limit 1), '-infinity') <= clock_timestamp() - $2::interval
 order by s.name`, env, after)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
