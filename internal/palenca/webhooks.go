package palenca

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
)

// Webhook is a subscription at the vendor.
type Webhook struct {
	ID       string
	URL      string // our receiver, with its token: a credential
	Name     string
	WidgetID string // "" on sending: the connection's widget
	Sandbox  bool
	Active   bool
	Sign     bool
	Secret   string   // the vendor's private_key, only ever in an answer and only when Sign is set
	Events   []string // empty on sending: LoginEvents; answers do not repeat them
}

// LogValue keeps the receiver's token and the secret out of logs.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.ID) }

// Widget is the vendor's form, to which connections and webhooks belong.
type Widget struct {
	ID, Name string
	Sandbox  bool
}

// webhookJSON is a webhook in an answer. Answers do not repeat the events, and only a creation with sign_request may
// carry the secret.
type webhookJSON struct {
	ID       text  `json:"webhook_id"`
	OtherID  text  `json:"id"`
	URL      text  `json:"url"`
	Name     text  `json:"name"`
	WidgetID text  `json:"widget_id"`
	FlowID   text  `json:"connect_flow_id"` // the vendor's internal name for it, which leaked into its schema
	Sandbox  *bool `json:"is_sandbox"`
	Active   *bool `json:"is_active"`
	Sign     *bool `json:"sign_request"`
	Secret   text  `json:"private_key"`
}

func (j webhookJSON) webhook() Webhook {
	return Webhook{
		ID: first(j.ID, j.OtherID), URL: string(j.URL), Name: string(j.Name), WidgetID: first(j.WidgetID, j.FlowID),
		Sandbox: yes(j.Sandbox), Active: yes(j.Active), Sign: yes(j.Sign), Secret: string(j.Secret),
	}
}

func yes(b *bool) bool { return b != nil && *b }

// webhookParams is what both writes send; is_active exists on update only.
type webhookParams struct {
	URL      string   `json:"url"`
	Name     string   `json:"name"`
	WidgetID string   `json:"widget_id"`
	Sandbox  bool     `json:"is_sandbox"`
	Sign     bool     `json:"sign_request"`
	Active   *bool    `json:"is_active,omitempty"`
	Events   []string `json:"events"`
}

// params always holds the events: both calls default them to ["*"], so that an update without the list would widen
// the subscription to everything (docs/vendor.md#webhook-payload).
func (c *Client) params(w Webhook) webhookParams {
	p := webhookParams{URL: w.URL, Name: w.Name, WidgetID: w.WidgetID, Sandbox: w.Sandbox, Sign: w.Sign, Events: slices.Clone(w.Events)}
	if p.WidgetID == "" {
		p.WidgetID = c.widget
	}
	if len(p.Events) == 0 {
		p.Events = slices.Clone(LoginEvents)
	}
	return p
}

// CreateWebhook registers w: POST /webhooks. The answer alone may hold Secret, so it is the time to seal it. Nothing
// documented says how it signs (docs/vendor.md#webhook-payload). Nothing makes the call safe to repeat: after an Ambiguous error look for the URL in Webhooks.
func (c *Client) CreateWebhook(ctx context.Context, w Webhook) (Webhook, error) {
	return c.writeWebhook(ctx, "create webhook", http.MethodPost, "/webhooks", c.params(w))
}

// UpdateWebhook puts every field of w, so it may be repeated: PUT /webhooks/{id}. Read the webhook first, because an
// Active that was left false switches it off.
func (c *Client) UpdateWebhook(ctx context.Context, w Webhook) (Webhook, error) {
	const op = "update webhook"
	if err := checkID(op, w.ID); err != nil {
		return Webhook{}, err
	}
	p := c.params(w)
	p.Active = &w.Active
	got, err := c.writeWebhook(ctx, op, http.MethodPut, "/webhooks/"+w.ID, p)
	if err == nil && got.ID == "" {
		got.ID = w.ID
	}
	return got, err
}

func (c *Client) writeWebhook(ctx context.Context, op, method, path string, p webhookParams) (Webhook, error) {
	a, err := c.call(ctx, op, method, path, p)
	if err != nil {
		return Webhook{}, err
	}
	var j webhookJSON
	if err := a.read(op, &j); err != nil {
		return Webhook{}, err
	}
	got := j.webhook()
	// Without its id the webhook could never be updated or removed. An update knows the id already.
	if method == http.MethodPost && !usableID(got.ID) {
		return Webhook{}, unreadable(op, a.raw, a.header, nil)
	}
	got.Events = p.Events
	return got, nil
}

// DeleteWebhook removes a subscription; one that is already gone is no error.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	const op = "delete webhook"
	if err := checkID(op, id); err != nil {
		return err
	}
	a, err := c.call(ctx, op, http.MethodDelete, "/webhooks/"+id, nil)
	if missing(err) && codeIn(a.raw.Body) != "" {
		return nil
	}
	return err
}

// Webhooks lists the subscriptions of the key's company, others' included: GET /webhooks. Their Events are not told.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	var list []Webhook
	err := c.list(ctx, "webhooks", func(raw json.RawMessage) error {
		var j webhookJSON
		if err := json.Unmarshal(raw, &j); err != nil {
			return err
		}
		list = append(list, j.webhook())
		return nil
	})
	return list, err
}

// Widgets lists the widgets of the key's company: GET /widgets. It is also the cheapest way to try a key.
func (c *Client) Widgets(ctx context.Context) ([]Widget, error) {
	var list []Widget
	err := c.list(ctx, "widgets", func(raw json.RawMessage) error {
		var j struct {
			ID       text  `json:"id"`
			WidgetID text  `json:"widget_id"`
			FlowID   text  `json:"connect_flow_id"`
			Name     text  `json:"name"`
			Sandbox  *bool `json:"is_sandbox"`
		}
		if err := json.Unmarshal(raw, &j); err != nil {
			return err
		}
		list = append(list, Widget{ID: first(j.WidgetID, j.ID, j.FlowID), Name: string(j.Name), Sandbox: yes(j.Sandbox)})
		return nil
	})
	return list, err
}

// list reads GET /{name}: an object with the list under that name, or the bare list. Only webhooks has a published
// shape; the other is assumed to be like it.
func (c *Client) list(ctx context.Context, name string, add func(json.RawMessage) error) error {
	a, err := c.call(ctx, name, http.MethodGet, "/"+name, nil)
	if err != nil || a.data == nil {
		return err
	}
	raw := a.data
	var wrapper map[string]json.RawMessage // stays nil for a bare list
	if json.Unmarshal(raw, &wrapper) == nil {
		raw = wrapper[name]
	}
	var items []json.RawMessage
	if raw == nil || json.Unmarshal(raw, &items) != nil {
		return unreadable(name, a.raw, a.header, nil)
	}
	for _, item := range items {
		if err := add(item); err != nil {
			return unreadable(name, a.raw, a.header, err)
		}
	}
	return nil
}
