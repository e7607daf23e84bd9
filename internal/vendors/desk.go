package vendors

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

// Desk does at the vendors what an administrator asks for, with the keys that are sealed in the database.
type Desk struct {
	DB       *db.DB
	HooksURL string // scheme and host under which a vendor reaches /hooks/
}

func (d Desk) client(ctx context.Context, c connection.Connection) (*Client, error) {
	key, err := d.DB.ConnectionKey(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return New(Options{Connection: c, Key: key})
}

// Test tries a key; code is "" when the vendor took it.
func (Desk) Test(ctx context.Context, c connection.Connection, key string) (code string, status int, took time.Duration) {
	client, err := New(Options{Connection: c, Key: key})
	if err != nil {
		return "bad_settings", 0, 0
	}
	began := time.Now()
	err = client.Try(ctx)
	took = time.Since(began)
	if err == nil {
		return "", http.StatusOK, took
	}
	code, status = Refusal(err)
	return code, status, took
}

// Hooks lists the vendor's own subscriptions of a connection.
func (d Desk) Hooks(ctx context.Context, c connection.Connection) ([]webhook.VendorHook, error) {
	client, err := d.client(ctx, c)
	if err != nil {
		return nil, err
	}
	return client.Hooks(ctx)
}

// PutHook registers or changes a subscription at the vendor.
func (d Desk) PutHook(ctx context.Context, c connection.Connection, h webhook.VendorHook) (id, secret string, err error) {
	client, err := d.client(ctx, c)
	if err != nil {
		return "", "", err
	}
	return client.PutHook(ctx, h)
}

// DropHook removes a subscription at the vendor.
func (d Desk) DropHook(ctx context.Context, c connection.Connection, id string) error {
	client, err := d.client(ctx, c)
	if err != nil {
		return err
	}
	return client.DropHook(ctx, id)
}

// Outbound asks the vendor where its deliveries come from.
func (d Desk) Outbound(ctx context.Context, c connection.Connection) ([]netip.Prefix, error) {
	client, err := d.client(ctx, c)
	if err != nil {
		return nil, err
	}
	return client.Outbound(ctx)
}

// Events are those of a dialect that Cotejo understands, which is what a subscription made without a form asks for.
func Events(d lookup.Dialect) []string {
	if d == lookup.Buro {
		return []string{buro.EventCompleted}
	}
	return slices.Clone(palenca.LoginEvents)
}

// Register makes sure that the vendor sends its events to a hook of ours.
func (d Desk) Register(ctx context.Context, c connection.Connection) error {
	return d.Join(ctx, c, true)
}

// Join is Register for one of several processes; only the owner of the address changes one that is registered.
func (d Desk) Join(ctx context.Context, c connection.Connection, owner bool) error {
	client, err := d.client(ctx, c)
	if err != nil {
		return err
	}
	by := audit.Actor{Name: "cotejo"}
	hook, err := d.DB.HookOf(ctx, c.ID)
	if errors.Is(err, db.ErrNotFound) {
		// Buró always signs (docs/vendor-buro.md#buro-signature), so its signature is demanded from the first delivery on.
		settings := webhook.DefaultSettings(c.Dialect)
		hook, err = d.DB.AddHook(ctx, c, "Cotejo", newToken(), Events(c.Dialect), settings, by)
	}
	if err != nil {
		return err
	}
	token, err := d.DB.TokenOf(ctx, hook.UID)
	if err != nil {
		return err
	}
	h := webhook.VendorHook{Name: hook.Name, URL: strings.TrimRight(d.HooksURL, "/") + "/hooks/" + token, Active: true,
		Sign: c.Dialect == lookup.Palenca && hook.Signature != webhook.SignatureOff, Events: hook.Events}
	known, err := client.Hooks(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(known, func(k webhook.VendorHook) bool { return k.ID == hook.VendorID || k.URL == h.URL }); i >= 0 {
		k := known[i]
		keyless := c.Dialect == lookup.Buro && !slices.ContainsFunc(hook.Secrets, func(n webhook.SecretNote) bool { return n.Kind == webhook.KindSignature })
		switch {
		case keyless && owner:
			// Its key was told once, to somebody else or in an answer that got lost: only a new one can be verified.
			if err := client.DropHook(ctx, k.ID); err != nil {
				return err
			}
		case k.URL != h.URL && owner || !k.Active:
			h.ID = k.ID
			_, _, err = client.PutHook(ctx, h)
			return err
		default:
			return nil
		}
	}
	id, secret, err := client.PutHook(ctx, h)
	if err != nil {
		return err
	}
	if secret != "" {
		if _, err := d.DB.AddSecret(ctx, hook.UID, db.VendorSecret(secret), by); err != nil {
			return err
		}
	}
	if err := d.DB.SubscriptionRegistered(ctx, hook.UID, id); err != nil {
		return err
	}
	return d.outbound(ctx, client, c)
}

// outbound takes the vendor's list of addresses along, where it has one.
func (d Desk) outbound(ctx context.Context, client *Client, c connection.Connection) error {
	list, err := client.Outbound(ctx)
	if errors.Is(err, webhook.ErrNoAddresses) {
		return nil
	} else if err != nil {
		return err
	}
	return d.DB.SetOutbound(ctx, c.ID, list, audit.Actor{Name: "cotejo"})
}

// newToken is the secret part of a hook's address: 256 random bits.
func newToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
