package handlers

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// quietAfter is how long nothing may come from a subscription while attempts are open before the console says so: twice
// the longest extraction that the vendor names, and its retries.
const quietAfter = 15 * time.Minute

// chartSpan is how far back the charts of deliveries go.
const chartSpan = 24 * time.Hour

// subscriptions lists the hooks. With compare in the address the vendor is asked for its own list, and what differs is shown.
func (c *Console) subscriptions(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	page := views.SubscriptionsPage{Page: c.page(w, r, "subscriptions", "hooks.title")}
	var err error
	if r.URL.Query().Has("compare") {
		var silent []string
		if page.Differences, silent, err = c.differences(r); err != nil {
			return err
		}
		for _, name := range silent {
			page.Flashes = append(page.Flashes, views.Flash{Kind: web.FlashError, ID: "subscriptions.flash.vendor_unreachable", Args: []any{"Name", name}})
		}
		if len(page.Differences)+len(silent) == 0 {
			page.Flashes = append(page.Flashes, views.Flash{Kind: web.FlashSuccess, ID: "subscriptions.flash.agree"})
		}
	}
	if page.List, err = c.DB.Hooks(r.Context(), v.env); err != nil {
		return failed(err)
	}
	if page.Quiet, err = c.DB.Quiet(r.Context(), v.env, quietAfter); err != nil {
		return failed(err)
	}
	hours, err := c.hours(r)
	if err != nil {
		return err
	}
	page.Hours = hourCounts(hours)
	return web.Render(w, r, http.StatusOK, views.Subscriptions(page))
}

func (c *Console) hours(r *http.Request) ([]webhook.HourCount, error) {
	hours, err := c.DB.DeliveryHours(r.Context(), visitOf(r).env, c.Now().Add(-chartSpan))
	return hours, failed(err)
}

func hourCounts(hours []webhook.HourCount) []views.HourCount {
	counts := make([]views.HourCount, len(hours))
	for i, h := range hours {
		counts[i] = views.HourCount(h)
	}
	return counts
}

func (c *Console) flash(w http.ResponseWriter, r *http.Request, kind, path, id string, args ...any) error {
	if err := c.sessions.AddFlash(w, r, web.Flash{Kind: kind, ID: id, Args: args}); err != nil {
		return unavailable(err)
	}
	return web.Redirect303(w, r, path)
}

// openHook gives the subscription of a path, in the console's environment, and what was typed where something was.
func (c *Console) openHook(r *http.Request) (s webhook.Subscription, form *web.Form, err error) {
	id, err := pathID(r)
	if err != nil {
		return s, nil, err
	}
	if s, err = c.DB.Hook(r.Context(), visitOf(r).env, id); err != nil {
		return s, nil, failed(err)
	}
	if r.Method == http.MethodPost {
		form, err = web.ParseForm(r, web.FormLimits{})
	}
	return s, form, err
}

func hookPath(s webhook.Subscription) string { return "/subscriptions/" + s.UID.String() }

// offered are the events of each dialect that a subscription may ask for (docs/vendor.md#webhook-payload). Buró takes no
// choice: it sends verification.completed to everybody (docs/vendor-buro.md#buro-webhook).
var offered = map[lookup.Dialect][]string{
	lookup.Palenca: {"login.created", "login.success", "login.incomplete", "login.error"},
	lookup.Buro:    {"verification.completed"},
}

// newPage is the form of a subscription that is not there yet.
func (c *Console) newPage(w http.ResponseWriter, r *http.Request, dialect lookup.Dialect) (views.SubscriptionPage, error) {
	connections, err := c.DB.Connections(r.Context(), visitOf(r).env)
	page := views.SubscriptionPage{Page: c.page(w, r, "subscriptions", "hooks.new.title"), Dialect: dialect, Offered: offered[dialect], TokenURL: c.tokenURL()}
	for _, at := range connections {
		page.Dialects = append(page.Dialects, at.Dialect)
	}
	return page, failed(err)
}

func (c *Console) newSubscription(w http.ResponseWriter, r *http.Request) error {
	page, err := c.newPage(w, r, dialectOf(r.URL.Query().Get("dialect")))
	if err != nil {
		return err
	}
	if !r.URL.Query().Has("dialect") && len(page.Dialects) > 0 {
		page.Dialect = page.Dialects[0] // Palenca where there are both
		page.Offered = offered[page.Dialect]
	}
	page.Values = formOf(webhook.Subscription{Events: slices.Clone(page.Offered), Settings: webhook.DefaultSettings(page.Dialect)}, page.Dialect)
	return web.Render(w, r, http.StatusOK, views.Subscription(page))
}

// formOf is the form of a subscription as it is.
func formOf(s webhook.Subscription, dialect lookup.Dialect) webhook.SubscriptionForm {
	return webhook.SubscriptionForm{Dialect: dialect, Name: s.Name, Events: s.Events, Signature: string(s.Signature), SignatureHeader: s.SignatureHeader,
		SignatureEncoding: string(s.SignatureEncoding), Addresses: string(s.Addresses), Window: strconv.Itoa(s.WindowMinutes),
		JWT: s.JWT, Headers: s.Headers, Token: s.Token, Standard: s.Standard}
}

func subscriptionForm(form *web.Form, dialect lookup.Dialect) webhook.SubscriptionForm {
	return webhook.SubscriptionForm{Dialect: dialect, Name: form.Get("name"), Events: form.All("events"), Signature: form.Get("signature"),
		SignatureHeader: form.Get("signature_header"), SignatureEncoding: form.Get("signature_encoding"), Addresses: form.Get("addresses"),
		Window: form.Get("window"), JWT: form.Bool("jwt"), Headers: form.Bool("headers"), Token: form.Bool("token"), Standard: form.Bool("standard")}
}

func hookNotes(problems []webhook.Problem) map[string]views.Note {
	notes := map[string]views.Note{}
	for _, p := range problems {
		notes[p.Field] = views.Note{ID: p.ID, Args: p.Args}
	}
	return notes
}

// addSubscription makes a hook with an unguessable address and registers it with the vendor.
func (c *Console) addSubscription(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v := visitOf(r)
	page, err := c.newPage(w, r, dialectOf(form.Get("dialect")))
	if err != nil {
		return err
	}
	page.Values = subscriptionForm(form, page.Dialect)
	settings, problems := page.Values.Check()
	if page.Errors = hookNotes(problems); len(problems) > 0 {
		return web.Invalid(w, r, views.Subscription(page))
	}
	at, err := c.DB.Connection(r.Context(), v.env, page.Dialect)
	if errors.Is(err, db.ErrNotFound) {
		page.Errors = map[string]views.Note{"": {ID: "subscriptions.no_connection"}}
		return web.Invalid(w, r, views.Subscription(page))
	} else if err != nil {
		return failed(err)
	}
	s, err := c.DB.AddHook(r.Context(), at, page.Values.Name, newHookToken(), page.Values.Events, settings, v.actor)
	if err != nil {
		return failed(err)
	}
	return c.announced(w, r, s, "subscriptions.flash.added", "Name", s.Name)
}

// announced ends an act on a subscription: the vendor is told, and what was made on the way is shown once.
func (c *Console) announced(w http.ResponseWriter, r *http.Request, s webhook.Subscription, id string, args ...any) error {
	made, err := c.announce(r.Context(), s)
	if err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	if len(made) > 0 {
		return c.showSecrets(w, r, s, made)
	}
	return c.done(w, r, hookPath(s), id, args...)
}

// tokenURL is where a vendor fetches the tokens of our own token endpoint.
func (c *Console) tokenURL() string { return c.HooksURL + "/oauth/token" }

// newHookToken is the secret part of an address: 256 random bits.
func newHookToken() string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func (c *Console) subscription(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	page, err := c.subscriptionPage(w, r, s)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.Subscription(page))
}

func (c *Console) subscriptionPage(w http.ResponseWriter, r *http.Request, s webhook.Subscription) (views.SubscriptionPage, error) {
	refused, err := c.DB.CountVerifiable(r.Context(), s.UID, c.Now().Add(-chartSpan))
	if err != nil {
		return views.SubscriptionPage{}, failed(err)
	}
	addresses, err := c.DB.Outbound(r.Context(), s.ConnectionID)
	if err != nil {
		return views.SubscriptionPage{}, failed(err)
	}
	return views.SubscriptionPage{Page: c.page(w, r, "subscriptions", "hooks.title"), Subscription: s, Dialect: s.Dialect, Refused: refused,
		Offered: offered[s.Dialect], TokenURL: c.tokenURL(), Addresses: addresses, Values: formOf(s, s.Dialect),
		Secret: views.SecretValues{Kind: string(webhook.KindSignature), Overlap: "24h"}}, nil
}

func (c *Console) changeSubscription(w http.ResponseWriter, r *http.Request) error {
	s, form, err := c.openHook(r)
	if err != nil {
		return err
	}
	values := subscriptionForm(form, s.Dialect)
	settings, problems := values.Check()
	if len(problems) > 0 {
		page, err := c.subscriptionPage(w, r, s)
		if err != nil {
			return err
		}
		page.Values, page.Errors = values, hookNotes(problems)
		return web.Invalid(w, r, views.Subscription(page))
	}
	if err := c.DB.ChangeHook(r.Context(), s.UID, values.Name, values.Events, settings, visitOf(r).actor); err != nil {
		return failed(err)
	}
	s.Name, s.Events, s.Settings = values.Name, values.Events, settings
	return c.announced(w, r, s, "subscriptions.flash.saved")
}

func (c *Console) switchSubscription(w http.ResponseWriter, r *http.Request) error {
	s, form, err := c.openHook(r)
	if err != nil {
		return err
	}
	s.Active = form.Bool("active")
	if err := c.DB.SwitchHook(r.Context(), s.UID, s.Active, visitOf(r).actor); err != nil {
		return failed(err)
	}
	id := "subscriptions.flash.off"
	if s.Active {
		id = "subscriptions.flash.on"
	}
	return c.announced(w, r, s, id)
}

// deleteSubscription ends a hook here and at the vendor. Its deliveries stay.
func (c *Console) deleteSubscription(w http.ResponseWriter, r *http.Request) error {
	s, form, err := c.openHook(r)
	if err != nil {
		return err
	}
	if !form.Bool("confirm") {
		return c.flash(w, r, web.FlashError, hookPath(s), "subscriptions.flash.unsure")
	}
	at, err := c.DB.ConnectionByID(r.Context(), s.ConnectionID)
	if err != nil {
		return failed(err)
	}
	// The vendor first: a hook that is gone here and still called would look like an attack.
	if s.VendorID != "" {
		if err := c.Vendor.DropHook(r.Context(), at, s.VendorID); err != nil {
			return c.vendorFailed(w, r, s, err)
		}
	}
	if err := c.DB.DeleteHook(r.Context(), s.UID, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/subscriptions", "subscriptions.flash.deleted", "Name", s.Name)
}

// showAddress shows the whole address once; that it was shown is on the trail.
func (c *Console) showAddress(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	token, err := c.DB.HookAddress(r.Context(), s.UID, visitOf(r).actor)
	if err != nil {
		return failed(err)
	}
	page, err := c.subscriptionPage(w, r, s)
	if err != nil {
		return err
	}
	page.Address = c.HooksURL + "/hooks/" + token
	return web.Render(w, r, http.StatusOK, views.Subscription(page))
}
