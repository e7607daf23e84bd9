package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// NewSecret is a secret to add to a subscription. Its text was judged at the field.
type NewSecret struct {
	Kind    webhook.SecretKind
	Name    string // of a header or a client
	Text    string
	Raw     bool
	Overlap time.Duration // how long the secrets of the same kind and name stay good beside it
}

// VendorOverlap is how long older keys stay good beside one that the vendor made: what it sent before is still on its way.
const VendorOverlap = 24 * time.Hour

// VendorSecret is a key that a vendor made for its signature. One that is not in the documented form is used as it is.
func VendorSecret(text string) NewSecret {
	_, err := webhook.DecodeSecret(text, false)
	return NewSecret{Kind: webhook.KindSignature, Text: text, Raw: err != nil, Overlap: VendorOverlap}
}

// ErrTooManySecrets refuses a further secret while webhook.MaxSecrets of its kind are live.
var ErrTooManySecrets = fmt.Errorf("%w: too many live secrets", ErrConflict)

// AddSecret adds a secret and gives those it follows an end, so that a rotation loses nothing: both are good until then.
func (db *DB) AddSecret(ctx context.Context, hook uuid.UUID, n NewSecret, by audit.Actor) (uuid.UUID, error) {
	uid := uuid.New()
	sealed, err := db.seal([]byte(n.Text), secretPurpose(uid))
	if err != nil {
		return uid, err
	}
	var hash []byte
	if n.Kind == webhook.KindClient {
		sum := sha256.Sum256([]byte(n.Text))
		hash = sum[:]
	}
	err = db.hookAct(ctx, hook, audit.HookSecretAdded, by, func(tx pgx.Tx) error {
		// A client's older secrets are other clients; each has its own id and its own end.
		var live int
		if err := tx.QueryRow(ctx, `-- name: overlap secrets
with ended as (
  update subscription_secrets set expires_at = least(coalesce(expires_at, 'infinity'), clock_timestamp() + $4::interval)
   where subscription_id = (select id from subscriptions where uid = $1) and kind = $2 and lower(name) = lower($3) and kind <> 'client'
     and (expires_at is null or expires_at > clock_timestamp())
  returning expires_at)
select count(*) from ended where $4::interval > interval '0' and expires_at > clock_timestamp()`, hook, n.Kind, n.Name, n.Overlap).Scan(&live); err != nil {
			return err
		}
		if live >= webhook.MaxSecrets {
			return ErrTooManySecrets
		}
		_, err := tx.Exec(ctx, `-- name: add secret
insert into subscription_secrets (uid, subscription_id, kind, name, sealed, hash, tail, raw)
select $2, id, $3, $4, $5, $6, $7, $8 from subscriptions where uid = $1`,
			hook, uid, n.Kind, n.Name, sealed, hash, tail(n.Text), n.Raw)
		return err
	})
	return uid, err
}

// VendorAuth gives what a vendor has to be told so that its deliveries pass: the newest live secret of what the hook asks
// for beside the signature. It goes to the vendor's client and nowhere else.
func (db *DB) VendorAuth(ctx context.Context, hook webhook.Subscription) (a webhook.VendorAuth, err error) {
	if !hook.JWT && !hook.Headers && !hook.Token {
		return a, nil
	}
	rows, err := db.pool.Query(ctx, `-- name: newest secrets
select distinct on (kind, lower(name)) uid, kind, name, sealed from subscription_secrets
 where subscription_id = $1 and kind in ('jwt', 'header') and (expires_at is null or expires_at > clock_timestamp())
    or id = (select max(id) from subscription_secrets where subscription_id = $1 and kind = 'client' and (expires_at is null or expires_at > clock_timestamp()))
 order by kind, lower(name), id desc`, hook.ID)
	if err != nil {
		return a, err
	}
	var uid uuid.UUID
	var kind webhook.SecretKind
	var name string
	var sealed []byte
	_, err = pgx.ForEachRow(rows, []any{&uid, &kind, &name, &sealed}, func() error {
		plain, err := db.open(sealed, secretPurpose(uid))
		if err != nil {
			return fmt.Errorf("open secret %s: %w", uid, err)
		}
		switch {
		case kind == webhook.KindJWT && hook.JWT:
			a.JWT = string(plain)
		case kind == webhook.KindHeader && hook.Headers:
			if a.Headers == nil {
				a.Headers = map[string]string{}
			}
			a.Headers[name] = string(plain)
		case kind == webhook.KindClient && hook.Token:
			a.Client, a.ClientSecret = name, string(plain)
		}
		return nil
	})
	return a, err
}

// HasSecret tells whether a text is a secret of a kind that a subscription has, live or not.
func (db *DB) HasSecret(ctx context.Context, hook uuid.UUID, kind webhook.SecretKind, text string) (bool, error) {
	rows, err := db.pool.Query(ctx, `-- name: sealed secrets
select c.uid, c.sealed from subscription_secrets c join subscriptions s on s.id = c.subscription_id where s.uid = $1 and c.kind = $2`, hook, kind)
	if err != nil {
		return false, err
	}
	var uid uuid.UUID
	var sealed []byte
	has := false
	_, err = pgx.ForEachRow(rows, []any{&uid, &sealed}, func() error {
		plain, err := db.open(sealed, secretPurpose(uid))
		has = has || subtle.ConstantTimeCompare(plain, []byte(text)) == 1
		return err
	})
	return has, err
}

// EndSecret ends a secret at once, with the tokens given for it.
func (db *DB) EndSecret(ctx context.Context, hook, secret uuid.UUID, by audit.Actor) error {
	return db.hookAct(ctx, hook, audit.HookSecretEnded, by, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `-- name: end secret
delete from subscription_secrets where uid = $2 and subscription_id = (select id from subscriptions where uid = $1)`, hook, secret)
		if err == nil && tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		return err
	})
}

// IssueToken checks a client of our token endpoint and stores the hash of a token for it. ErrNotFound: no such client,
// or another secret; nobody is told which.
func (db *DB) IssueToken(ctx context.Context, client, secret, token string, lifetime time.Duration) error {
	if !utf8.ValidString(client) || strings.ContainsRune(client, 0) {
		return ErrNotFound // the store holds no such text, and would fail to look for it
	}
	given := sha256.Sum256([]byte(secret))
	var id int64
	var stored []byte
	err := db.pool.QueryRow(ctx, `-- name: hook client
select s.id, s.hash from subscription_secrets s join subscriptions h on h.id = s.subscription_id
 where s.kind = 'client' and s.name = $1 and h.deleted_at is null and (s.expires_at is null or s.expires_at > clock_timestamp())`, client).Scan(&id, &stored)
	if err != nil {
		return found(err)
	}
	if subtle.ConstantTimeCompare(stored, given[:]) != 1 {
		return ErrNotFound
	}
	hash := sha256.Sum256([]byte(token))
	_, err = db.pool.Exec(ctx, `-- name: issue token
insert into hook_tokens (hash, secret_id, expires_at) values ($1, $2, clock_timestamp() + $3::interval)`, hash[:], id, lifetime)
	return err
}

// RevokeTokens ends every token of a subscription.
func (db *DB) RevokeTokens(ctx context.Context, hook uuid.UUID, by audit.Actor) error {
	return db.hookAct(ctx, hook, audit.HookSecretEnded, by, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `-- name: revoke tokens
update hook_tokens t set revoked_at = clock_timestamp() from subscription_secrets s, subscriptions h
 where s.id = t.secret_id and h.id = s.subscription_id and h.uid = $1 and t.revoked_at is null`, hook)
		return err
	})
}

// HookAddress gives the token in a hook's address. Showing it is on the trail.
func (db *DB) HookAddress(ctx context.Context, hook uuid.UUID, by audit.Actor) (token string, err error) {
	err = db.hookAct(ctx, hook, audit.HookAddressShown, by, func(tx pgx.Tx) error {
		var hash, sealed []byte
		if err := tx.QueryRow(ctx, `-- name: hook address
select token_hash, token_sealed from subscriptions where uid = $1`, hook).Scan(&hash, &sealed); err != nil {
			return err
		}
		plain, err := db.open(sealed, hookPurpose(hash))
		token = string(plain)
		return err
	})
	return token, err
}

// SetOutbound stores the addresses from which the vendor of a connection says it sends. Addresses that are not in the
// list any more stay good for the seven days for which the vendor's lists hold (docs/vendor-buro.md#buro-addresses).
func (db *DB) SetOutbound(ctx context.Context, connectionID int64, list []netip.Prefix, by audit.Actor) error {
	masked := make([]netip.Prefix, len(list))
	for i, p := range list {
		masked[i] = p.Masked() // cidr takes no bits beyond the mask
	}
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: add outbound
insert into outbound_addresses (connection_id, address) select distinct $1::bigint, unnest($2::cidr[])
on conflict (connection_id, address) do update set seen_at = now()`, connectionID, masked); err != nil {
			return fmt.Errorf("store outbound addresses: %w", err)
		}
		_, err := tx.Exec(ctx, `-- name: drop outbound
delete from outbound_addresses where connection_id = $1 and seen_at < now() - interval '8 days'`, connectionID)
		if err != nil {
			return err
		}
		var uid uuid.UUID
		if err := tx.QueryRow(ctx, `-- name: connection of outbound
select uid from connections where id = $1`, connectionID).Scan(&uid); err != nil {
			return found(err)
		}
		return record(ctx, tx, by, note{action: audit.AddressesTaken, subject: uid.String()})
	})
}

// OutboundDue lists the connections of a dialect whose list of addresses is older than the vendor says it holds, or was
// never asked for.
func (db *DB) OutboundDue(ctx context.Context, dialect lookup.Dialect, age time.Duration) ([]int64, error) {
	rows, err := db.pool.Query(ctx, `-- name: outbound due
select c.id from connections c
 where c.dialect = $1 and c.paused_at is null
   and not exists (select 1 from outbound_addresses a where a.connection_id = c.id and a.seen_at > clock_timestamp() - $2::interval)
 order by c.id`, dialect, age)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// Outbound lists the stored addresses of a connection.
func (db *DB) Outbound(ctx context.Context, connectionID int64) (webhook.AddressPolicy, error) {
	p, err := db.addressPolicy(ctx, webhook.Subscription{ConnectionID: connectionID})
	if err != nil {
		return webhook.AddressPolicy{}, err
	}
	return *p, nil
}

// TokenOf gives the token in a hook's address, to tell the vendor of it.
func (db *DB) TokenOf(ctx context.Context, hook uuid.UUID) (string, error) {
	var hash, sealed []byte
	if err := db.pool.QueryRow(ctx, `-- name: hook address
select token_hash, token_sealed from subscriptions where uid = $1`, hook).Scan(&hash, &sealed); err != nil {
		return "", found(err)
	}
	plain, err := db.open(sealed, hookPurpose(hash))
	return string(plain), err
}

// TestToken gives out a token for a test event of our own, when the hook has a client of our token endpoint; else "".
func (db *DB) TestToken(ctx context.Context, hook uuid.UUID, lifetime time.Duration) (string, error) {
	token := rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(token))
	tag, err := db.pool.Exec(ctx, `-- name: issue test token
insert into hook_tokens (hash, secret_id, expires_at)
select $2, s.id, clock_timestamp() + $3::interval from subscription_secrets s join subscriptions h on h.id = s.subscription_id
 where h.uid = $1 and s.kind = 'client' order by s.id desc limit 1`, hook, hash[:], lifetime)
	if err != nil || tag.RowsAffected() == 0 {
		return "", err
	}
	return token, nil
}

// HookMended writes to the trail that the vendor's side was made what ours is.
func (db *DB) HookMended(ctx context.Context, hook uuid.UUID, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		return record(ctx, tx, by, note{action: audit.HookChanged, subject: hook.String(), detail: "vendor"})
	})
}

// HookForgotten writes to the trail that a subscription at the vendor that was not ours was removed there.
func (db *DB) HookForgotten(ctx context.Context, vendorID string, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		return record(ctx, tx, by, note{action: audit.HookDeleted, subject: vendorID, detail: "vendor"})
	})
}

// HookTested writes a test event, and how it was answered, to the trail.
func (db *DB) HookTested(ctx context.Context, hook uuid.UUID, outcome string, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		return record(ctx, tx, by, note{action: audit.HookTested, subject: hook.String(), detail: outcome})
	})
}
