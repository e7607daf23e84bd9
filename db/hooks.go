package db

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

const hookColumns = `s.id, s.connection_id, s.uid, s.environment, c.dialect, s.name, s.vendor_id, s.token_tail, s.events, s.active,
       s.signature, s.signature_header, s.signature_encoding, s.jwt, s.headers, s.token, s.standard, s.addresses, s.window_minutes,
       s.vendor_active, coalesce(s.vendor_seen_at, ` + never + `), s.created_at, s.changed_at`

func hookTargets(s *webhook.Subscription) []any {
	return []any{&s.ID, &s.ConnectionID, &s.UID, &s.Environment, &s.Dialect, &s.Name, &s.VendorID, &s.TokenTail, &s.Events, &s.Active,
		&s.Signature, &s.SignatureHeader, &s.SignatureEncoding, &s.JWT, &s.Headers, &s.Token, &s.Standard, &s.Addresses, &s.WindowMinutes,
		&s.VendorActive, &s.VendorSeenAt, &s.CreatedAt, &s.ChangedAt}
}

// HookByToken finds a hook by the token in its address and what it asks of requests, or ErrNotFound. Only a hash of
// the token is compared. Of its secrets the names of headers are noted: their values are credentials even while the hook
// does not ask for them.
func (db *DB) HookByToken(ctx context.Context, token string) (webhook.Subscription, webhook.Policy, error) {
	hash := sha256.Sum256([]byte(token))
	var s webhook.Subscription
	var secretHeaders []string
	err := db.pool.QueryRow(ctx, `-- name: hook by token
select `+hookColumns+`, array(select name from subscription_secrets where subscription_id = s.id and kind = 'header')
  from subscriptions s join connections c on c.id = s.connection_id where s.token_hash = $1 and s.deleted_at is null`, hash[:]).
		Scan(append(hookTargets(&s), &secretHeaders)...)
	if err != nil {
		return s, webhook.Policy{}, found(err)
	}
	for _, name := range secretHeaders {
		s.Secrets = append(s.Secrets, webhook.SecretNote{Kind: webhook.KindHeader, Name: name})
	}
	policy, err := db.policy(ctx, s)
	return s, policy, err
}

// SubscriptionByToken is HookByToken without what the hook asks of requests.
func (db *DB) SubscriptionByToken(ctx context.Context, token string) (Subscription, error) {
	s, _, err := db.HookByToken(ctx, token)
	return s, err
}

// Subscription is a hook.
type Subscription = webhook.Subscription

// policy opens the secrets of a subscription. One that asks for nothing costs no question.
func (db *DB) policy(ctx context.Context, s webhook.Subscription) (p webhook.Policy, err error) {
	if s.Addresses != webhook.AddressOff {
		if p.Addresses, err = db.addressPolicy(ctx, s); err != nil {
			return p, err
		}
	}
	if !s.Asks() {
		return p, nil
	}
	secrets, err := db.openSecrets(ctx, s.ID)
	if err != nil {
		return p, err
	}
	if s.Signature != webhook.SignatureOff {
		p.Signature = &webhook.SignaturePolicy{Header: s.SignatureHeader, Encodings: []webhook.Encoding{s.SignatureEncoding},
			Secrets: secrets.keys[webhook.KindSignature], Required: s.Signature == webhook.SignatureRequired}
	}
	if s.JWT {
		p.JWT = &webhook.JWTPolicy{Secrets: secrets.keys[webhook.KindJWT], Leeway: webhook.DefaultLeeway}
	}
	if s.Headers {
		// Asked for and none set: nothing can pass, rather than everything.
		if p.Headers = secrets.headers; len(p.Headers) == 0 {
			p.Headers = []webhook.HeaderSecret{{}}
		}
	}
	if s.Standard {
		p.Standard = &webhook.StandardPolicy{Secrets: secrets.keys[webhook.KindStandard]}
	}
	if s.Token {
		p.Token = &webhook.TokenPolicy{Valid: func(sum [sha256.Size]byte, at time.Time) webhook.TokenState {
			return db.tokenState(ctx, s.ID, sum, at)
		}}
	}
	return p, nil
}

type openedSecrets struct {
	keys    map[webhook.SecretKind][]webhook.Secret
	headers []webhook.HeaderSecret
}

func (db *DB) openSecrets(ctx context.Context, subscriptionID int64) (openedSecrets, error) {
	o := openedSecrets{keys: map[webhook.SecretKind][]webhook.Secret{}}
	rows, err := db.pool.Query(ctx, `-- name: secrets of hook
select uid, kind, name, sealed, raw, coalesce(expires_at, `+never+`) from subscription_secrets
 where subscription_id = $1 and kind <> 'client' order by id desc`, subscriptionID)
	if err != nil {
		return o, err
	}
	var uid uuid.UUID
	var kind webhook.SecretKind
	var name string
	var sealed []byte
	var raw bool
	var expires time.Time
	_, err = pgx.ForEachRow(rows, []any{&uid, &kind, &name, &sealed, &raw, &expires}, func() error {
		plain, err := db.open(sealed, secretPurpose(uid))
		if err != nil {
			return fmt.Errorf("open secret %s: %w", uid, err)
		}
		switch kind {
		case webhook.KindHeader:
			// All headers have to match, each by any of its values that counts at the time.
			i := slices.IndexFunc(o.headers, func(h webhook.HeaderSecret) bool { return strings.EqualFold(h.Name, name) })
			if i < 0 {
				i, o.headers = len(o.headers), append(o.headers, webhook.HeaderSecret{Name: name})
			}
			o.headers[i].Secrets = append(o.headers[i].Secrets, webhook.Secret{ID: uid.String(), Key: plain, NotAfter: expires})
			return nil
		case webhook.KindSignature:
			plain, err = webhook.DecodeSecret(string(plain), raw)
		case webhook.KindStandard:
			plain, err = webhook.DecodeStandardSecret(string(plain))
		}
		if err != nil {
			return err // refused at the field, so this is a damaged row
		}
		o.keys[kind] = append(o.keys[kind], webhook.Secret{ID: uid.String(), Key: plain, NotAfter: expires})
		return nil
	})
	return o, err
}

func secretPurpose(uid uuid.UUID) string { return "subscription secret/" + uid.String() }

func (db *DB) addressPolicy(ctx context.Context, s webhook.Subscription) (*webhook.AddressPolicy, error) {
	p := &webhook.AddressPolicy{Mode: s.Addresses}
	rows, err := db.pool.Query(ctx, `-- name: outbound addresses
select address, seen_at from outbound_addresses where connection_id = $1 order by address`, s.ConnectionID)
	if err != nil {
		return nil, err
	}
	var address netip.Prefix
	var seen time.Time
	_, err = pgx.ForEachRow(rows, []any{&address, &seen}, func() error {
		p.Known = append(p.Known, address)
		if seen.After(p.RefreshedAt) {
			p.RefreshedAt = seen
		}
		return nil
	})
	return p, err
}

// tokenState tells how an access token stood at a moment. A database that does not answer knows no token; the request
// is then refused by its receipt, which needs the database too.
func (db *DB) tokenState(ctx context.Context, subscriptionID int64, sum [sha256.Size]byte, at time.Time) webhook.TokenState {
	var expires, revoked time.Time
	err := db.pool.QueryRow(ctx, `-- name: hook token state
select t.expires_at, coalesce(t.revoked_at, `+never+`) from hook_tokens t join subscription_secrets s on s.id = t.secret_id
 where t.hash = $1 and s.subscription_id = $2`, sum[:], subscriptionID).Scan(&expires, &revoked)
	switch {
	case err != nil:
		return webhook.TokenUnknown
	case !revoked.IsZero() && !at.Before(revoked):
		return webhook.TokenRevoked
	case !at.Before(expires):
		return webhook.TokenExpired
	}
	return webhook.TokenValid
}

// Hooks lists the subscriptions of an environment, with what came in the last 24 hours.
func (db *DB) Hooks(ctx context.Context, env lookup.Environment) ([]webhook.Subscription, error) {
	rows, err := db.pool.Query(ctx, `-- name: hooks
select `+hookColumns+`, coalesce(u.name, ''),
       coalesce((select d.received_at from deliveries d where d.subscription_id = s.id order by d.received_at desc limit 1), `+never+`),
       coalesce((select json_object_agg(h.verdict, h.n) from (
          select verdict, sum(count) as n from delivery_hours where subscription_id = s.id and hour > now() - interval '24 hours' group by verdict) h), '{}')
  from subscriptions s join connections c on c.id = s.connection_id left join users u on u.id = s.changed_by
 where s.environment = $1 and s.deleted_at is null order by s.id`, env)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanHook)
}

// HookIDs gives the vendors' ids of our subscriptions of both environments, which may be of one account at a vendor.
func (db *DB) HookIDs(ctx context.Context) ([]string, error) {
	rows, err := db.pool.Query(ctx, `-- name: hook ids
select vendor_id from subscriptions where vendor_id <> '' and deleted_at is null`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func scanHook(row pgx.CollectableRow) (s webhook.Subscription, err error) {
	var counts []byte
	if err = row.Scan(append(hookTargets(&s), &s.ChangedBy, &s.LastArrival, &counts)...); err != nil {
		return s, err
	}
	return s, json.Unmarshal(counts, &s.Counts)
}

// Hook gives one subscription of an environment with notes of its secrets.
func (db *DB) Hook(ctx context.Context, env lookup.Environment, uid uuid.UUID) (webhook.Subscription, error) {
	all, err := db.Hooks(ctx, env) // a console has a handful
	if err != nil {
		return webhook.Subscription{}, err
	}
	for _, s := range all {
		if s.UID != uid {
			continue
		}
		s.Secrets, err = db.secretNotes(ctx, s.ID)
		return s, err
	}
	return webhook.Subscription{}, ErrNotFound
}

// HookOf gives the newest live subscription of a connection with notes of its secrets, or ErrNotFound.
func (db *DB) HookOf(ctx context.Context, connectionID int64) (webhook.Subscription, error) {
	var env lookup.Environment
	var uid uuid.UUID
	if err := db.pool.QueryRow(ctx, `-- name: hook of connection
select environment, uid from subscriptions where connection_id = $1 and active and deleted_at is null order by id desc limit 1`, connectionID).
		Scan(&env, &uid); err != nil {
		return webhook.Subscription{}, found(err)
	}
	return db.Hook(ctx, env, uid)
}

func (db *DB) secretNotes(ctx context.Context, subscriptionID int64) ([]webhook.SecretNote, error) {
	rows, err := db.pool.Query(ctx, `-- name: secret notes
select uid, kind, name, tail, raw, created_at, coalesce(expires_at, `+never+`) from subscription_secrets
 where subscription_id = $1 order by kind, id desc`, subscriptionID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[webhook.SecretNote])
}

// AddHook stores a subscription with a token of its own. It is registered with the vendor afterwards, so that not even
// the first delivery meets an unknown address.
func (db *DB) AddHook(ctx context.Context, c connection.Connection, name, token string, events []string, settings webhook.Settings, by audit.Actor) (webhook.Subscription, error) {
	hash := sha256.Sum256([]byte(token))
	sealed, err := db.seal([]byte(token), hookPurpose(hash[:]))
	if err != nil {
		return webhook.Subscription{}, err
	}
	var uid uuid.UUID
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `-- name: add hook
insert into subscriptions (connection_id, environment, name, token_hash, token_sealed, token_tail, events, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, nullif($8, 0)) returning uid`,
			c.ID, c.Environment, name, hash[:], sealed, tail(token), events, by.UserID).Scan(&uid); err != nil {
			return fmt.Errorf("add the subscription: %w", err)
		}
		if err := setHook(ctx, tx, uid, settings); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.HookAdded, subject: uid.String()})
	})
	if err != nil {
		return webhook.Subscription{}, err
	}
	return db.Hook(ctx, c.Environment, uid)
}

func setHook(ctx context.Context, tx pgx.Tx, uid uuid.UUID, s webhook.Settings) error {
	_, err := tx.Exec(ctx, `-- name: set hook
update subscriptions set signature = $2, signature_header = $3, signature_encoding = $4, jwt = $5, headers = $6, token = $7,
       standard = $8, addresses = $9, window_minutes = $10, changed_at = now() where uid = $1`,
		uid, s.Signature, s.SignatureHeader, s.SignatureEncoding, s.JWT, s.Headers, s.Token, s.Standard, s.Addresses, s.WindowMinutes)
	if err != nil {
		return fmt.Errorf("store what the subscription asks for: %w", err)
	}
	return nil
}

// ChangeHook stores a subscription's name, events and what it asks for.
func (db *DB) ChangeHook(ctx context.Context, uid uuid.UUID, name string, events []string, settings webhook.Settings, by audit.Actor) error {
	return db.hookAct(ctx, uid, audit.HookChanged, by, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: change hook
update subscriptions set name = $2, events = $3, changed_by = nullif($4, 0) where uid = $1`, uid, name, events, by.UserID); err != nil {
			return err
		}
		return setHook(ctx, tx, uid, settings)
	})
}

// SwitchHook takes deliveries in or refuses them.
func (db *DB) SwitchHook(ctx context.Context, uid uuid.UUID, active bool, by audit.Actor) error {
	return db.hookAct(ctx, uid, audit.HookSwitched, by, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `-- name: switch hook
update subscriptions set active = $2, changed_at = now(), changed_by = nullif($3, 0) where uid = $1`, uid, active, by.UserID)
		return err
	})
}

// DeleteHook ends a subscription. Its deliveries stay; its secrets and tokens do not.
func (db *DB) DeleteHook(ctx context.Context, uid uuid.UUID, by audit.Actor) error {
	return db.hookAct(ctx, uid, audit.HookDeleted, by, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: delete hook's secrets
delete from subscription_secrets where subscription_id = (select id from subscriptions where uid = $1)`, uid); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: delete hook
update subscriptions set deleted_at = now(), active = false, changed_by = nullif($2, 0) where uid = $1`, uid, by.UserID)
		return err
	})
}

// SawHook notes how the vendor's own list has a subscription: id there ("" when it is missing) and whether it sends.
func (db *DB) SawHook(ctx context.Context, uid uuid.UUID, vendorID string, active bool) error {
	_, err := db.pool.Exec(ctx, `-- name: saw hook
update subscriptions set vendor_id = $2, vendor_active = $3, vendor_seen_at = now() where uid = $1`, uid, vendorID, active)
	return err
}

// ComparedHook notes whether the vendor's list, asked for a while ago, has a subscription sending under the id that it had then.
// One that was registered anew meanwhile is left as it is: the list may be older.
func (db *DB) ComparedHook(ctx context.Context, uid uuid.UUID, vendorID string, active bool) error {
	_, err := db.pool.Exec(ctx, `-- name: compared hook
update subscriptions set vendor_active = $3, vendor_seen_at = now() where uid = $1 and vendor_id = $2`, uid, vendorID, active)
	return err
}

// hookAct does one audited thing to a live subscription.
func (db *DB) hookAct(ctx context.Context, uid uuid.UUID, action audit.Action, by audit.Actor, do func(tx pgx.Tx) error) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		if err := tx.QueryRow(ctx, `-- name: lock hook
select id from subscriptions where uid = $1 and deleted_at is null for no key update`, uid).Scan(&id); err != nil {
			return found(err)
		}
		if err := do(tx); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: action, subject: uid.String()})
	})
}
