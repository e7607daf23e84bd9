package handlers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"cotejo/db"
	"cotejo/internal/audit"
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
		if page.Differences, err = c.differences(r); err != nil {
			return err
		}
		kind, id := web.FlashSuccess, "subscriptions.flash.agree"
		if page.Differences == nil {
			kind, id = web.FlashError, "subscriptions.flash.vendor_unreachable"
		}
		if len(page.Differences) == 0 {
			page.Flashes = append(page.Flashes, views.Flash{Kind: kind, ID: id})
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

// differences holds our list against the vendor's; nil when the vendor does not answer.
func (c *Console) differences(r *http.Request) ([]views.HookDifference, error) {
	v := visitOf(r)
	at, err := c.DB.Connection(r.Context(), v.env, lookup.Palenca)
	if err != nil {
		return nil, failed(err)
	}
	theirs, err := c.Vendor.Hooks(r.Context(), at)
	if err != nil {
		c.Log.WarnContext(r.Context(), "list the vendor's subscriptions", "error", err, "connection", at.ID)
		return nil, nil
	}
	ours, err := c.DB.Hooks(r.Context(), v.env)
	if err != nil {
		return nil, failed(err)
	}
	return c.compare(r.Context(), ours, theirs)
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

// compare holds our subscriptions against the vendor's, and notes how the vendor has each of ours.
func (c *Console) compare(ctx context.Context, ours []webhook.Subscription, theirs []webhook.VendorHook) ([]views.HookDifference, error) {
	differences := []views.HookDifference{}
	at := map[string]webhook.VendorHook{}
	for _, t := range theirs {
		at[t.ID] = t
	}
	for _, s := range ours {
		t, there := at[s.VendorID]
		delete(at, s.VendorID)
		if err := c.DB.SawHook(ctx, s.UID, s.VendorID, there && t.Active); err != nil {
			return nil, failed(err)
		}
		different := views.HookDifference{Name: s.Name, VendorID: s.VendorID, UID: s.UID}
		address, err := c.hookURL(ctx, s)
		if err != nil {
			return nil, err
		}
		switch {
		case !there:
			different.Kind = views.DiffMissingThere
		case t.Active != s.Active:
			different.Kind = views.DiffInactiveThere
		case t.URL != address:
			different.Kind = views.DiffOtherURL
		default:
			continue
		}
		differences = append(differences, different)
	}
	for _, t := range theirs {
		if _, left := at[t.ID]; left {
			differences = append(differences, views.HookDifference{Kind: views.DiffMissingHere, Name: t.Name, VendorID: t.ID})
		}
	}
	return differences, nil
}

// hookURL is the address that the vendor is told.
func (c *Console) hookURL(ctx context.Context, s webhook.Subscription) (string, error) {
	token, err := c.DB.TokenOf(ctx, s.UID)
	return c.HooksURL + "/hooks/" + token, failed(err)
}

// mendSubscription makes the vendor's side what ours is.
func (c *Console) mendSubscription(w http.ResponseWriter, r *http.Request) error {
	s, err := c.hook(r)
	if err != nil {
		return err
	}
	if _, err := c.announce(r.Context(), s); err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	if err := c.DB.HookMended(r.Context(), s.UID, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/subscriptions", "subscriptions.flash.mended", "Name", s.Name)
}

// forgetSubscription removes one at the vendor that is not ours.
func (c *Console) forgetSubscription(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v, id := visitOf(r), form.Get("vendor_id")
	ours, err := c.DB.Hooks(r.Context(), v.env)
	if err != nil {
		return failed(err)
	}
	if id == "" || slices.ContainsFunc(ours, func(s webhook.Subscription) bool { return s.VendorID == id }) {
		return web.NotFound(nil) // ours are deleted by their own page, on both sides
	}
	at, err := c.DB.Connection(r.Context(), v.env, lookup.Palenca)
	if err != nil {
		return failed(err)
	}
	if err := c.Vendor.DropHook(r.Context(), at, id); err != nil {
		c.Log.WarnContext(r.Context(), "remove a subscription at the vendor", "error", err, "connection", at.ID)
		return c.flash(w, r, web.FlashError, "/subscriptions", "subscriptions.flash.vendor_unreachable")
	}
	if err := c.DB.HookForgotten(r.Context(), id, v.actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/subscriptions", "subscriptions.flash.forgotten")
}

func (c *Console) flash(w http.ResponseWriter, r *http.Request, kind, path, id string, args ...any) error {
	if err := c.sessions.AddFlash(w, r, web.Flash{Kind: kind, ID: id, Args: args}); err != nil {
		return unavailable(err)
	}
	return web.Redirect303(w, r, path)
}

func (c *Console) vendorFailed(w http.ResponseWriter, r *http.Request, s webhook.Subscription, err error) error {
	c.Log.WarnContext(r.Context(), "announce a subscription to the vendor", "error", err, "subscription", s.ID)
	return c.flash(w, r, web.FlashError, "/subscriptions/"+s.UID.String(), "subscriptions.flash.vendor_refused")
}

// announce tells the vendor how a subscription is: its address, events, and whether it is on. made is the key that the
// vendor signs with when it is new to us, "" otherwise.
func (c *Console) announce(ctx context.Context, s webhook.Subscription) (made string, err error) {
	at, err := c.DB.ConnectionByID(ctx, s.ConnectionID)
	if err != nil {
		return "", err
	}
	address, err := c.hookURL(ctx, s)
	if err != nil {
		return "", err
	}
	h := webhook.VendorHook{ID: s.VendorID, Name: s.Name, URL: address, Active: s.Active, Events: s.Events, Sign: s.Signature != webhook.SignatureOff}
	id, secret, err := c.Vendor.PutHook(ctx, at, h)
	if err != nil {
		// What the vendor does not know cannot be changed, only made; and one made by a call whose answer got lost must
		// not be made again. Its list tells.
		theirs, listErr := c.Vendor.Hooks(ctx, at)
		if listErr != nil {
			return "", err
		}
		i := slices.IndexFunc(theirs, func(t webhook.VendorHook) bool { return t.ID == h.ID || t.URL == address })
		switch {
		case i < 0 && h.ID == "", i >= 0 && theirs[i].ID == h.ID:
			return "", err
		case i < 0:
			h.ID = ""
		default:
			h.ID = theirs[i].ID
		}
		if id, secret, err = c.Vendor.PutHook(ctx, at, h); err != nil {
			return "", err
		}
	}
	if h.ID == "" && !s.Active {
		// The vendor takes is_active on a change only, so a new one sends until it is told not to.
		h.ID = id
		if _, _, err := c.Vendor.PutHook(ctx, at, h); err != nil {
			return "", err
		}
	}
	if err := c.DB.SubscriptionRegistered(ctx, s.UID, id); err != nil {
		return "", err
	}
	if err := c.DB.SawHook(ctx, s.UID, id, s.Active); err != nil {
		return "", err
	}
	if secret == "" {
		return "", nil
	}
	// The vendor made a key for its signature: kept, so that what it signs can be verified. It repeats the key in the
	// answer to each change, which is no rotation.
	if has, err := c.DB.HasSecret(ctx, s.UID, webhook.KindSignature, secret); has || err != nil {
		return "", err
	}
	_, err = c.DB.AddSecret(ctx, s.UID, db.NewSecret{Kind: webhook.KindSignature, Text: secret, Raw: !decodable(secret), Overlap: overlapDefault}, audit.Actor{Name: "cotejo"})
	if errors.Is(err, db.ErrConflict) {
		return "", nil // three are live; the administrator ends one
	}
	return secret, err
}

func decodable(secret string) bool {
	_, err := webhook.DecodeSecret(secret, false)
	return err == nil
}

// hook gives the subscription of a path, in the console's environment.
func (c *Console) hook(r *http.Request) (webhook.Subscription, error) {
	id, err := pathID(r)
	if err != nil {
		return webhook.Subscription{}, err
	}
	s, err := c.DB.Hook(r.Context(), visitOf(r).env, id)
	return s, failed(err)
}

func (c *Console) newSubscription(w http.ResponseWriter, r *http.Request) error {
	page := views.SubscriptionPage{Page: c.page(w, r, "subscriptions", "hooks.new.title"), Dialect: lookup.Palenca, Offered: knownActions, TokenURL: c.tokenURL(),
		Values: webhook.SubscriptionForm{Events: slices.Clone(knownActions), Signature: string(webhook.SignatureOff),
			SignatureHeader: webhook.DefaultSignatureHeader, SignatureEncoding: string(webhook.Base64), Addresses: string(webhook.AddressOff), Window: "20"}}
	return web.Render(w, r, http.StatusOK, views.Subscription(page))
}

func subscriptionForm(form *web.Form) webhook.SubscriptionForm {
	return webhook.SubscriptionForm{Name: form.Get("name"), Events: form.All("events"), Signature: form.Get("signature"),
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
	values := subscriptionForm(form)
	settings, problems := values.Check()
	page := views.SubscriptionPage{Page: c.page(w, r, "subscriptions", "hooks.new.title"), Dialect: lookup.Palenca, Offered: knownActions, TokenURL: c.tokenURL(), Values: values, Errors: hookNotes(problems)}
	if len(problems) > 0 {
		return web.Invalid(w, r, views.Subscription(page))
	}
	at, err := c.DB.Connection(r.Context(), v.env, lookup.Palenca)
	if errors.Is(err, db.ErrNotFound) {
		page.Errors = map[string]views.Note{"": {ID: "subscriptions.no_connection"}}
		return web.Invalid(w, r, views.Subscription(page))
	} else if err != nil {
		return failed(err)
	}
	s, err := c.DB.AddHook(r.Context(), at, values.Name, newHookToken(), values.Events, settings, v.actor)
	if err != nil {
		return failed(err)
	}
	made, err := c.announce(r.Context(), s)
	if err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	if made != "" {
		return c.showSecret(w, r, s, views.OnceSecret{Kind: string(webhook.KindSignature), Text: made})
	}
	return c.done(w, r, "/subscriptions/"+s.UID.String(), "subscriptions.flash.added", "Name", s.Name)
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
	s, err := c.hook(r)
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
	refused, err := c.DB.Verifiable(r.Context(), s.UID, c.Now().Add(-chartSpan), verifyAtOnce)
	if err != nil {
		return views.SubscriptionPage{}, failed(err)
	}
	return views.SubscriptionPage{Page: c.page(w, r, "subscriptions", "hooks.title"), Subscription: s, Dialect: s.Dialect, Refused: len(refused),
		Offered: knownActions, TokenURL: c.tokenURL(),
		Secret: views.SecretValues{Kind: string(webhook.KindSignature), Overlap: "24h"},
		Values: webhook.SubscriptionForm{Name: s.Name, Events: s.Events, Signature: string(s.Signature), SignatureHeader: s.SignatureHeader,
			SignatureEncoding: string(s.SignatureEncoding), Addresses: string(s.Addresses), Window: strconv.Itoa(s.WindowMinutes),
			JWT: s.JWT, Headers: s.Headers, Token: s.Token, Standard: s.Standard}}, nil
}

func (c *Console) changeSubscription(w http.ResponseWriter, r *http.Request) error {
	s, err := c.hook(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	page, err := c.subscriptionPage(w, r, s)
	if err != nil {
		return err
	}
	page.Values = subscriptionForm(form)
	settings, problems := page.Values.Check()
	if page.Errors = hookNotes(problems); len(problems) > 0 {
		return web.Invalid(w, r, views.Subscription(page))
	}
	v := visitOf(r)
	if err := c.DB.ChangeHook(r.Context(), s.UID, page.Values.Name, page.Values.Events, settings, v.actor); err != nil {
		return failed(err)
	}
	s.Name, s.Events, s.Settings = page.Values.Name, page.Values.Events, settings
	made, err := c.announce(r.Context(), s)
	if err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	if made != "" {
		return c.showSecret(w, r, s, views.OnceSecret{Kind: string(webhook.KindSignature), Text: made})
	}
	return c.done(w, r, "/subscriptions/"+s.UID.String(), "subscriptions.flash.saved")
}

func (c *Console) switchSubscription(w http.ResponseWriter, r *http.Request) error {
	s, err := c.hook(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	s.Active = form.Bool("active")
	if err := c.DB.SwitchHook(r.Context(), s.UID, s.Active, visitOf(r).actor); err != nil {
		return failed(err)
	}
	if _, err := c.announce(r.Context(), s); err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	id := "subscriptions.flash.off"
	if s.Active {
		id = "subscriptions.flash.on"
	}
	return c.done(w, r, "/subscriptions/"+s.UID.String(), id)
}

// deleteSubscription ends a hook here and at the vendor. Its deliveries stay.
func (c *Console) deleteSubscription(w http.ResponseWriter, r *http.Request) error {
	s, err := c.hook(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	if !form.Bool("confirm") {
		return c.flash(w, r, web.FlashError, "/subscriptions/"+s.UID.String(), "subscriptions.flash.unsure")
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
	s, err := c.hook(r)
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
