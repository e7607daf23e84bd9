package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// maxPasted is how much may be pasted into the bench, in bytes: headers, body and secret together.
const maxPasted = webhook.MaxBody

// bench shows the signature bench, empty or with a stored delivery in it.
func (c *Console) bench(w http.ResponseWriter, r *http.Request) error {
	page, err := c.benchPage(w, r)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.URL.Query().Get("delivery"))
	if err != nil {
		return web.Render(w, r, http.StatusOK, views.Bench(page))
	}
	return c.benchDelivery(w, r, page, id, nil, true)
}

func (c *Console) benchPage(w http.ResponseWriter, r *http.Request) (views.BenchPage, error) {
	hooks, err := c.DB.Hooks(r.Context(), visitOf(r).env)
	return views.BenchPage{Page: c.page(w, r, "bench", "hooks.bench.title"), Subscriptions: hooks, Errors: map[string]views.Note{}}, failed(err)
}

// benchDelivery looks into a stored delivery with its own credentials, which are shown to nobody, and with a secret typed
// for the occasion: by what its own subscription asks for, or by the one that was chosen, which may be none.
func (c *Console) benchDelivery(w http.ResponseWriter, r *http.Request, page views.BenchPage, id uuid.UUID, typed []webhook.Candidate, own bool) error {
	v := visitOf(r)
	d, err := c.DB.ViewDelivery(r.Context(), v.env, id, audit.DeliveryViewed, v.actor)
	if err != nil {
		return failed(err)
	}
	request, hook, err := c.DB.StoredRequest(r.Context(), v.env, id)
	if err != nil {
		return failed(err)
	}
	if own {
		page.Values.Subscription = hook.UID.String()
	}
	policy, err := c.benchPolicy(r, page)
	if err != nil && !own && page.Values.Subscription != "" {
		page.Delivery = &d
		page.Errors["subscription"] = views.Note{ID: "subscriptions.bench.subscription_bad"}
		return web.Invalid(w, r, views.Bench(page))
	}
	if err != nil { // of one that was deleted nothing is left to judge by
		page.Values.Subscription, policy = "", webhook.Policy{}
	}
	page.Delivery = &d
	if err == nil {
		outcome := webhook.Verify(policy, request)
		page.Outcome = &outcome
	}
	page.Findings = webhook.Diagnose(webhook.Bench{Policy: policy, Request: request, BodySize: d.Size, Secrets: typed})
	return web.Render(w, r, http.StatusOK, views.Bench(page))
}

// runBench looks into what was pasted: headers one a line, a body, and perhaps a secret, which is forgotten afterwards.
func (c *Console) runBench(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{Bytes: maxPasted, Value: maxPasted})
	if err != nil {
		return err
	}
	page, err := c.benchPage(w, r)
	if err != nil {
		return err
	}
	secret := form.Raw("secret")
	page.Values = views.BenchValues{Headers: form.Raw("headers"), Body: form.Raw("body"), Raw: form.Bool("raw"), Subscription: form.Get("subscription")}
	var typed []webhook.Candidate
	if secret != "" {
		typed = []webhook.Candidate{{ID: "pasted", Text: secret, Raw: page.Values.Raw}}
	}
	if id, err := uuid.Parse(form.Get("delivery")); err == nil {
		return c.benchDelivery(w, r, page, id, typed, false)
	}
	headers, ok := pastedHeaders(page.Values.Headers)
	if !ok {
		page.Errors["headers"] = views.Note{ID: "subscriptions.bench.headers_bad"}
	}
	if page.Values.Body == "" {
		page.Errors["body"] = views.Note{ID: "subscriptions.bench.body_missing"}
	}
	if secret == "" && page.Values.Subscription == "" {
		page.Errors["secret"] = views.Note{ID: "subscriptions.bench.secret_missing"}
	}
	var policy webhook.Policy
	if page.Values.Subscription != "" {
		if policy, err = c.benchPolicy(r, page); err != nil {
			page.Errors["subscription"] = views.Note{ID: "subscriptions.bench.subscription_bad"}
		}
	}
	if len(page.Errors) > 0 {
		return web.Invalid(w, r, views.Bench(page))
	}
	request := webhook.Request{Method: http.MethodPost, Header: headers, Body: []byte(page.Values.Body), At: c.Now()}
	if page.Values.Subscription != "" {
		outcome := webhook.Verify(policy, request)
		page.Outcome = &outcome
	}
	page.Findings = webhook.Diagnose(webhook.Bench{Policy: policy, Request: request, Secrets: typed})
	return web.Render(w, r, http.StatusOK, views.Bench(page))
}

func (c *Console) benchPolicy(r *http.Request, page views.BenchPage) (webhook.Policy, error) {
	for _, s := range page.Subscriptions {
		if s.UID.String() == page.Values.Subscription {
			return c.DB.PolicyOf(r.Context(), s)
		}
	}
	return webhook.Policy{}, errors.New("no such subscription")
}

// pastedHeaders reads headers one a line, as tools print them; a request line on top is passed over.
func pastedHeaders(text string) (headers []webhook.Header, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "POST ") {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || strings.ContainsAny(name, " \t") || name == "" {
			return nil, false
		}
		headers = append(headers, webhook.Header{Name: name, Value: strings.TrimSpace(value)})
	}
	return headers, true
}
