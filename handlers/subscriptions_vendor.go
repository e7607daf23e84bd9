package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// differences holds our list against those of the environment's vendors. silent names the connections whose vendor did
// not answer.
func (c *Console) differences(r *http.Request) (list []views.HookDifference, silent []string, err error) {
	v := visitOf(r)
	connections, err := c.DB.Connections(r.Context(), v.env)
	if err != nil {
		return nil, nil, failed(err)
	}
	ours, err := c.DB.Hooks(r.Context(), v.env)
	if err != nil {
		return nil, nil, failed(err)
	}
	for _, at := range connections {
		theirs, err := c.Vendor.Hooks(r.Context(), at)
		if err != nil {
			c.Log.WarnContext(r.Context(), "list the vendor's subscriptions", "error", err, "connection", at.ID)
			silent = append(silent, at.Name)
			continue
		}
		some, err := c.compare(r.Context(), at, ours, theirs)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, some...)
	}
	return list, silent, nil
}

// compare holds our subscriptions of a connection against the vendor's, and notes how the vendor has each of ours. Events
// are not compared: no vendor repeats them, which is why every change sends the list again.
func (c *Console) compare(ctx context.Context, at connection.Connection, ours []webhook.Subscription, theirs []webhook.VendorHook) ([]views.HookDifference, error) {
	var differences []views.HookDifference
	there := map[string]webhook.VendorHook{}
	for _, t := range theirs {
		there[t.ID] = t
	}
	for _, s := range ours {
		if s.ConnectionID != at.ID {
			continue
		}
		t, known := there[s.VendorID]
		delete(there, s.VendorID)
		if err := c.DB.ComparedHook(ctx, s.UID, s.VendorID, known && t.Active); err != nil {
			return nil, failed(err)
		}
		different := views.HookDifference{Name: s.Name, Dialect: at.Dialect, VendorID: s.VendorID, UID: s.UID}
		address, err := c.hookURL(ctx, s)
		if err != nil {
			return nil, err
		}
		switch {
		case !known:
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
	// What serves the other environment is no stranger: removed, its notices would be missing there.
	known, err := c.DB.HookIDs(ctx)
	if err != nil {
		return nil, failed(err)
	}
	for _, t := range theirs {
		if _, left := there[t.ID]; left && !slices.Contains(known, t.ID) {
			differences = append(differences, views.HookDifference{Kind: views.DiffMissingHere, Name: t.Name, Dialect: at.Dialect, VendorID: t.ID})
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
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	made, err := c.announce(r.Context(), s)
	if err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	if err := c.DB.HookMended(r.Context(), s.UID, visitOf(r).actor); err != nil {
		return failed(err)
	}
	if len(made) > 0 {
		return c.showSecrets(w, r, s, made)
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
	ours, err := c.DB.HookIDs(r.Context())
	if err != nil {
		return failed(err)
	}
	if id == "" || slices.Contains(ours, id) {
		return web.NotFound(nil) // ours are deleted by their own page, on both sides
	}
	at, err := c.DB.Connection(r.Context(), v.env, dialectOf(form.Get("dialect")))
	if err != nil {
		return failed(err)
	}
	if err := c.Vendor.DropHook(r.Context(), at, id); err != nil {
		c.Log.WarnContext(r.Context(), "remove a subscription at the vendor", "error", err, "connection", at.ID)
		return c.flash(w, r, web.FlashError, "/subscriptions", "subscriptions.flash.vendor_unreachable", "Name", at.Name)
	}
	if err := c.DB.HookForgotten(r.Context(), id, v.actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/subscriptions", "subscriptions.flash.forgotten")
}

// dialectOf reads a dialect from a form or an address; what is none is Palenca, the first there was.
func dialectOf(text string) lookup.Dialect {
	if d := lookup.Dialect(text); d == lookup.Buro {
		return d
	}
	return lookup.Palenca
}

func (c *Console) vendorFailed(w http.ResponseWriter, r *http.Request, s webhook.Subscription, err error) error {
	c.Log.WarnContext(r.Context(), "announce a subscription to the vendor", "error", err, "subscription", s.ID)
	return c.flash(w, r, web.FlashError, hookPath(s), "subscriptions.flash.vendor_refused")
}

// vendorHook is a subscription as the vendor has to have it: its address, events, whether it is on, and what to show us.
func (c *Console) vendorHook(ctx context.Context, s webhook.Subscription) (webhook.VendorHook, error) {
	address, err := c.hookURL(ctx, s)
	if err != nil {
		return webhook.VendorHook{}, err
	}
	h := webhook.VendorHook{ID: s.VendorID, Name: s.Name, URL: address, Active: s.Active, Events: s.Events, Sign: s.Signature != webhook.SignatureOff}
	if s.Dialect == lookup.Buro {
		h.Auth, err = c.DB.VendorAuth(ctx, s)
		h.Auth.TokenURL = c.tokenURL()
	}
	return h, err
}

// announce tells the vendor how a subscription is. made is what came into being on the way and is shown once: the secrets
// that Buró is told to show us, and the key that the vendor signs with when it is new to us.
func (c *Console) announce(ctx context.Context, s webhook.Subscription) (made []views.OnceSecret, err error) {
	at, err := c.DB.ConnectionByID(ctx, s.ConnectionID)
	if err != nil {
		return nil, err
	}
	if s.Dialect == lookup.Buro {
		if made, err = c.makeSecrets(ctx, s); err != nil {
			return nil, err
		}
	}
	h, err := c.vendorHook(ctx, s)
	if err != nil {
		return nil, err
	}
	id, secret, err := c.Vendor.PutHook(ctx, at, h)
	if err != nil {
		// What the vendor does not know cannot be changed, only made; and one made by a call whose answer got lost must
		// not be made again. Its list tells.
		theirs, listErr := c.Vendor.Hooks(ctx, at)
		if listErr != nil {
			return nil, err
		}
		i := slices.IndexFunc(theirs, func(t webhook.VendorHook) bool { return t.ID == h.ID || t.URL == h.URL })
		switch {
		case i < 0 && h.ID == "", i >= 0 && theirs[i].ID == h.ID:
			return nil, err
		case i < 0:
			h.ID = ""
		default:
			h.ID = theirs[i].ID
		}
		if id, secret, err = c.Vendor.PutHook(ctx, at, h); err != nil {
			return nil, err
		}
	}
	if h.ID == "" && !s.Active {
		// The vendors take is_active on a change only, so a new one sends until it is told not to.
		h.ID = id
		if _, _, err := c.Vendor.PutHook(ctx, at, h); err != nil {
			return nil, err
		}
	}
	if err := c.DB.SubscriptionRegistered(ctx, s.UID, id); err != nil {
		return nil, err
	}
	if err := c.DB.SawHook(ctx, s.UID, id, s.Active); err != nil {
		return nil, err
	}
	kept, err := c.keepKey(ctx, s, secret)
	if kept {
		made = append(made, views.OnceSecret{Kind: string(webhook.KindSignature), Text: secret})
	}
	return made, err
}

// keepKey keeps the key that the vendor made for its signature, so that what it signs can be verified; false when there
// is none, or none that is new. Palenca repeats its key in the answer to each change, which is no rotation.
func (c *Console) keepKey(ctx context.Context, s webhook.Subscription, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	if has, err := c.DB.HasSecret(ctx, s.UID, webhook.KindSignature, key); has || err != nil {
		return false, err
	}
	_, err := c.DB.AddSecret(ctx, s.UID, db.VendorSecret(key), audit.Actor{Name: "cotejo"})
	if errors.Is(err, db.ErrConflict) {
		return false, nil // three are live; the administrator ends one
	}
	return err == nil, err
}

// renewKey has the vendor make a new key for its signature. Neither vendor documents a way to change the key of a
// subscription, so another one is made for the same address, and the first is removed once the new key is kept: between
// the two, deliveries come twice, and the second is a copy.
func (c *Console) renewKey(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	at, err := c.DB.ConnectionByID(r.Context(), s.ConnectionID)
	if err != nil {
		return failed(err)
	}
	h, err := c.vendorHook(r.Context(), s)
	if err != nil {
		return failed(err)
	}
	old := h.ID
	h.ID = ""
	id, key, err := c.Vendor.PutHook(r.Context(), at, h)
	if err != nil {
		return c.vendorFailed(w, r, s, err)
	}
	kept, err := c.keepKey(r.Context(), s, key)
	if err != nil {
		return failed(err)
	}
	if !kept {
		// Without its key nothing of the new one would verify: it goes again, and the first stays.
		if err := c.Vendor.DropHook(r.Context(), at, id); err != nil {
			return c.vendorFailed(w, r, s, err)
		}
		return c.flash(w, r, web.FlashError, hookPath(s), "subscriptions.flash.no_key", "Max", webhook.MaxSecrets)
	}
	if err := c.DB.SubscriptionRegistered(r.Context(), s.UID, id); err != nil {
		return failed(err)
	}
	if !s.Active {
		h.ID = id
		if _, _, err := c.Vendor.PutHook(r.Context(), at, h); err != nil {
			return c.vendorFailed(w, r, s, err)
		}
	}
	if old != "" {
		if err := c.Vendor.DropHook(r.Context(), at, old); err != nil {
			return c.vendorFailed(w, r, s, err) // a comparison finds it and offers to remove it
		}
	}
	return c.showSecrets(w, r, s, []views.OnceSecret{{Kind: string(webhook.KindSignature), Text: key}})
}

// takeAddresses asks the vendor anew where its deliveries come from.
func (c *Console) takeAddresses(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	at, err := c.DB.ConnectionByID(r.Context(), s.ConnectionID)
	if err != nil {
		return failed(err)
	}
	list, err := c.Vendor.Outbound(r.Context(), at)
	switch {
	case errors.Is(err, webhook.ErrNoAddresses):
		return c.flash(w, r, web.FlashInfo, hookPath(s), "subscriptions.flash.no_addresses")
	case err != nil:
		c.Log.WarnContext(r.Context(), "ask the vendor for its addresses", "error", err, "connection", at.ID)
		return c.flash(w, r, web.FlashError, hookPath(s), "subscriptions.flash.vendor_unreachable", "Name", at.Name)
	}
	if err := c.DB.SetOutbound(r.Context(), at.ID, list, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, hookPath(s), "subscriptions.flash.addresses", "Count", len(list))
}
