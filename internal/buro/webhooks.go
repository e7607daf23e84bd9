package buro

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Webhook is a subscription at the vendor, which sends it every event: no page shows how to choose them.
type Webhook struct {
	ID          string
	URL         string // our receiver, with its token: a credential
	Description string
	Active      bool   // the vendor switches one off after repeated failures
	Secret      Secret // secret_key, only ever in the answer to a creation: the time to seal it
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// String and LogValue keep the receiver's token and the secret out of texts and logs.
func (w Webhook) String() string       { return "webhook " + w.ID }
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.ID) }

type webhookJSON struct {
	ID          text   `json:"id"`
	URL         text   `json:"endpoint_url"`
	Description text   `json:"description"`
	Secret      text   `json:"secret_key"`
	Active      flag   `json:"is_active"`
	CreatedAt   moment `json:"created_at"`
	UpdatedAt   moment `json:"updated_at"`
}

func (j webhookJSON) webhook() Webhook {
	return Webhook{
		ID: string(j.ID), URL: string(j.URL), Description: string(j.Description), Active: on(j.Active.b),
		Secret: Secret(j.Secret), CreatedAt: j.CreatedAt.Time, UpdatedAt: j.UpdatedAt.Time,
	}
}

// WebhookChange is what to write of a webhook; what is nil is left out, and an update leaves it as it is.
type WebhookChange struct {
	Description    *string
	URL            *string // our receiver, with its token: a credential
	Authentication *Authentication
	Active         *bool // for updates: true switches one on again that the vendor switched off
}

// LogValue keeps the receiver's token and the credentials out of logs.
func (WebhookChange) LogValue() slog.Value { return slog.StringValue(hidden) }

// String does the same for texts.
func (WebhookChange) String() string { return hidden }

// body checks a change and gives what is sent.
func (ch WebhookChange) body(op string) (map[string]any, error) {
	in := map[string]any{}
	if ch.Description != nil {
		in["description"] = *ch.Description
	}
	if ch.URL != nil {
		in["endpoint_url"] = *ch.URL
	}
	if ch.Active != nil {
		in["is_active"] = *ch.Active
	}
	if ch.Authentication != nil {
		wire, ok := ch.Authentication.wire()
		if !ok {
			return nil, &Error{Op: op, Code: CodeBadRequest, Kind: GiveUp}
		}
		in["authentication"] = wire
	}
	return in, nil
}

// CreateWebhook registers a receiver: POST /webhooks. The answer alone holds Secret, with which deliveries are signed
// whatever the authentication (docs/vendor-buro.md#buro-signature); without one it is unreadable, because nothing could
// be verified. Nothing makes the call safe to repeat: after an Ambiguous error look for the URL in Webhooks.
func (c *Client) CreateWebhook(ctx context.Context, ch WebhookChange) (Webhook, error) {
	const op = "create webhook"
	if ch.URL == nil || *ch.URL == "" {
		return Webhook{}, &Error{Op: op, Code: CodeBadRequest, Kind: GiveUp}
	}
	ch.Active = nil // part of updates only
	w, a, err := c.writeWebhook(ctx, op, http.MethodPost, "/webhooks", ch)
	if err == nil && (!usableID(w.ID) || w.Secret == "") {
		return Webhook{}, unreadable(op, a, nil)
	}
	return w, err
}

// UpdateWebhook changes a subscription: PATCH /webhooks/{id}. It may be repeated. is_active is named on no page as
// something to write; "update the webhook configuration" is (docs/vendor-buro.md#buro-webhook).
func (c *Client) UpdateWebhook(ctx context.Context, id string, ch WebhookChange) (Webhook, error) {
	const op = "update webhook"
	if err := checkID(op, id); err != nil {
		return Webhook{}, err
	}
	w, _, err := c.writeWebhook(ctx, op, http.MethodPatch, "/webhooks/"+id, ch)
	if err == nil && w.ID == "" {
		w.ID = id
	}
	return w, err
}

func (c *Client) writeWebhook(ctx context.Context, op, method, path string, ch WebhookChange) (Webhook, answer, error) {
	in, err := ch.body(op)
	if err != nil {
		return Webhook{}, answer{}, err
	}
	a, err := c.call(ctx, op, method, path, nil, in)
	if err != nil {
		return Webhook{}, a, err
	}
	var j webhookJSON
	if err := a.read(op, &j); err != nil {
		return Webhook{}, a, err
	}
	return j.webhook(), a, nil
}

// Webhooks lists the subscriptions of the key's company: GET /webhooks. It is also the cheapest way to try a key.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	const op = "webhooks"
	a, err := c.call(ctx, op, http.MethodGet, "/webhooks", nil, nil)
	if err != nil {
		return nil, err
	}
	found, err := listOf[webhookJSON](a, op, "webhooks")
	if err != nil {
		return nil, err
	}
	var list []Webhook
	for _, j := range found {
		list = append(list, j.webhook())
	}
	return list, nil
}

// DeleteWebhook removes a subscription: DELETE /webhooks/{id}, answered with 204. One that is already gone is no error,
// if the vendor says so itself: its code for that is on no page, so any not_found of its own will do.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	const op = "delete webhook"
	if err := checkID(op, id); err != nil {
		return err
	}
	a, err := c.call(ctx, op, http.MethodDelete, "/webhooks/"+id, nil, nil)
	if a.raw.Status == http.StatusNotFound && strings.HasSuffix(codeIn(a.raw.Body), "not_found") {
		return nil
	}
	return err
}

// The widest blocks of addresses that an allow list may take over from the vendor. A wider one would open the receiver
// to half the world by one wrong answer.
const (
	widest4 = 16
	widest6 = 32
)

// addressJSON reads an entry of /outbound_ips: an object with ip_address, or the address itself.
type outboundJSON struct{ prefix netip.Prefix }

func (o *outboundJSON) UnmarshalJSON(b []byte) error {
	var entry struct {
		Address text `json:"ip_address"`
	}
	if len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &entry); err != nil {
			return badAddress
		}
	} else if err := json.Unmarshal(b, &entry.Address); err != nil {
		return badAddress
	}
	s := strings.TrimSpace(string(entry.Address))
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" && !ip.IsUnspecified() {
		ip = ip.Unmap()
		o.prefix = netip.PrefixFrom(ip, ip.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() || p.Addr().Is4() && p.Bits() < widest4 || p.Addr().Is6() && p.Bits() < widest6 {
		return badAddress
	}
	o.prefix = p.Masked()
	return nil
}

// OutboundIPs lists the addresses that deliveries come from, sorted: GET /outbound_ips. The vendor promises that a list
// stays right for seven days, and advises to renew it every week. An empty list, an entry that cannot be read and a
// block wider than /16 or /32 are errors: half an allow list would refuse genuine deliveries.
func (c *Client) OutboundIPs(ctx context.Context) ([]netip.Prefix, error) {
	const op = "outbound ips"
	a, err := c.call(ctx, op, http.MethodGet, "/outbound_ips", nil, nil)
	if err != nil {
		return nil, err
	}
	found, err := listOf[outboundJSON](a, op, "outbound_ips")
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, unreadable(op, a, nil)
	}
	var list []netip.Prefix
	for _, o := range found {
		list = append(list, o.prefix)
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int {
		if by := a.Addr().Compare(b.Addr()); by != 0 {
			return by
		}
		return a.Bits() - b.Bits()
	})
	return slices.Compact(list), nil
}
