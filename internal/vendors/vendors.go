// Package vendors is what people and upkeep do at a vendor, whichever dialect it speaks: try a key, keep subscriptions,
// ask where deliveries come from. What a lookup needs of a vendor is each dialect's own and stays in package jobs.
package vendors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

// Options describe how a vendor is reached.
type Options struct {
	Connection connection.Connection
	Key        string
	HTTP       *http.Client                // nil: the client's own
	Wait       func(context.Context) error // before each request; nil: none
	OnLimit    func(reset time.Time)       // told when the vendor's window is used up; nil: nobody is told
}

// Client speaks to the vendor of one connection; one of the two is set.
type Client struct {
	at      connection.Connection
	palenca *palenca.Client
	buro    *buro.Client
}

// New makes a client; it makes no request. No error quotes the key.
func New(o Options) (*Client, error) {
	c := &Client{at: o.Connection}
	var err error
	switch at := o.Connection; at.Dialect {
	case lookup.Palenca:
		c.palenca, err = palenca.New(palenca.Options{BaseURL: at.BaseURL, Environment: at.Environment, Key: o.Key, WidgetID: at.WidgetID,
			HTTP: o.HTTP, Wait: o.Wait, OnLimit: o.OnLimit})
	case lookup.Buro:
		c.buro, err = buro.New(buro.Options{BaseURL: at.BaseURL, Environment: at.Environment, Key: o.Key, SandboxHeader: at.SandboxHeader,
			HTTP: o.HTTP, Wait: o.Wait, OnLimit: o.OnLimit})
	default:
		err = fmt.Errorf("vendors: no client speaks %q", at.Dialect)
	}
	return c, err
}

// Try makes the cheapest harmless call there is.
func (c *Client) Try(ctx context.Context) (err error) {
	if c.buro != nil {
		_, err = c.buro.Webhooks(ctx)
	} else {
		_, err = c.palenca.Widgets(ctx)
	}
	return err
}

// Refusal gives the code and the HTTP status of a vendor's error; status is 0 when no answer came.
func Refusal(err error) (code string, status int) {
	var ofPalenca *palenca.Error
	var ofBuro *buro.Error
	switch {
	case errors.As(err, &ofPalenca):
		return ofPalenca.Code, ofPalenca.Status
	case errors.As(err, &ofBuro):
		return ofBuro.Code, ofBuro.Status
	}
	return "failed", 0
}

// Hooks lists the subscriptions that the vendor has for this connection.
func (c *Client) Hooks(ctx context.Context) (hooks []webhook.VendorHook, err error) {
	if c.buro != nil {
		list, err := c.buro.Webhooks(ctx)
		for _, w := range list {
			// The vendor signs whatever it is asked (docs/vendor-buro.md#buro-signature).
			hooks = append(hooks, webhook.VendorHook{ID: w.ID, Name: w.Description, URL: w.URL, Active: w.Active, Sign: true})
		}
		return hooks, err
	}
	list, err := c.palenca.Webhooks(ctx)
	for _, w := range list {
		// One company's list holds other widgets and the other environment too; those are none of this connection's.
		if w.Sandbox == (c.at.Environment == lookup.Sandbox) && (w.WidgetID == "" || w.WidgetID == c.at.WidgetID) {
			hooks = append(hooks, webhook.VendorHook{ID: w.ID, Name: w.Name, URL: w.URL, Active: w.Active, Sign: w.Sign})
		}
	}
	return hooks, err
}

// PutHook registers a subscription or, with an id, changes it. secret is the vendor's key for its signature where its
// answer has one.
func (c *Client) PutHook(ctx context.Context, h webhook.VendorHook) (id, secret string, err error) {
	if c.buro != nil {
		return c.putBuro(ctx, h)
	}
	// The list of events is always sent: an update without one widens it to all (docs/vendor.md#webhook-payload).
	w := palenca.Webhook{ID: h.ID, Name: h.Name, URL: h.URL, WidgetID: c.at.WidgetID, Sandbox: c.at.Environment == lookup.Sandbox,
		Active: h.Active, Sign: h.Sign, Events: h.Events}
	if h.ID == "" {
		w, err = c.palenca.CreateWebhook(ctx, w)
	} else {
		w, err = c.palenca.UpdateWebhook(ctx, w)
	}
	return w.ID, w.Secret, err
}

func (c *Client) putBuro(ctx context.Context, h webhook.VendorHook) (id, secret string, err error) {
	change := buro.WebhookChange{Description: &h.Name, URL: &h.URL, Authentication: authentication(h.Auth)}
	var w buro.Webhook
	if h.ID == "" {
		w, err = c.buro.CreateWebhook(ctx, change)
	} else {
		change.Active = &h.Active // part of updates only
		w, err = c.buro.UpdateWebhook(ctx, h.ID, change)
	}
	return w.ID, string(w.Secret), err
}

// jwtLifetime is what the vendor is asked to let its tokens live: the time of a delivery, with room for clocks that differ.
const jwtLifetime = 5 * time.Minute

// authentication is how the vendor shows who it is; nil leaves what it has as it is.
func authentication(a webhook.VendorAuth) *buro.Authentication {
	covered := func(open map[string]string) map[string]buro.Secret {
		m := map[string]buro.Secret{}
		for name, value := range open {
			m[name] = buro.Secret(value)
		}
		return m
	}
	switch {
	case a.JWT != "":
		return &buro.Authentication{JWT: &buro.JWT{Secret: buro.Secret(a.JWT), Lifetime: jwtLifetime}}
	case len(a.Headers) > 0:
		return &buro.Authentication{Headers: covered(a.Headers)}
	case a.Client != "":
		return &buro.Authentication{Token: &buro.TokenEndpoint{URL: a.TokenURL, Method: http.MethodPost, ResponseKey: "access_token",
			Headers: covered(map[string]string{"Content-Type": "application/json"}),
			Body:    covered(map[string]string{"grant_type": "client_credentials", "client_id": a.Client, "client_secret": a.ClientSecret})}}
	}
	return nil
}

// DropHook removes a subscription; one that is gone already is no error.
func (c *Client) DropHook(ctx context.Context, id string) error {
	if c.buro != nil {
		return c.buro.DeleteWebhook(ctx, id)
	}
	return c.palenca.DeleteWebhook(ctx, id)
}

// Outbound lists the addresses that deliveries come from. Palenca publishes none (webhook.ErrNoAddresses).
func (c *Client) Outbound(ctx context.Context) ([]netip.Prefix, error) {
	if c.buro == nil {
		return nil, webhook.ErrNoAddresses
	}
	return c.buro.OutboundIPs(ctx)
}
