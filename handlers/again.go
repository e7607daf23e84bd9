package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/consent"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// again asks before a lookup's person is asked about again, with what the vendor's limits make of it.
func (c *Console) again(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	page, err := c.againPage(w, r, id)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.Again(page))
}

func (c *Console) againPage(w http.ResponseWriter, r *http.Request, id uuid.UUID) (views.AgainPage, error) {
	v := visitOf(r)
	known, err := c.DB.Again(r.Context(), v.env, id, c.Now())
	if err != nil {
		return views.AgainPage{}, failed(err)
	}
	page := views.AgainPage{
		Page: c.page(w, r, "lookups", "again.title"), UID: id.String(), Reference: known.Reference, Dialect: known.Past.Dialect, Platform: known.Past.Platform,
		Next: known.Next, Number: known.Number, Limits: known.Limits, Notice: v.Console.NoticeVersion,
	}
	if known.Past.SuccessOf != uuid.Nil && known.Past.SuccessOf != id {
		page.SuccessOf = "/lookups/" + known.Past.SuccessOf.String()
	}
	if known.Past.Elsewhere != uuid.Nil {
		page.OpenOf = "/lookups/" + known.Past.Elsewhere.String()
	}
	return page, nil
}

// askAgain opens a new attempt. What the form confirms is what it showed; when other limits stand against it by now, they
// are shown first.
func (c *Console) askAgain(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v := visitOf(r)
	var confirmed []lookup.LimitKind
	for kind := range strings.SplitSeq(form.Get("confirm"), ",") {
		confirmed = append(confirmed, lookup.LimitKind(kind))
	}
	now := c.Now()
	var given *consent.Record
	if form.Bool("consent") {
		given = &consent.Record{GivenAt: now, ExpiresAt: now.AddDate(0, 0, v.Console.ConsentDays), NoticeVersion: v.Console.NoticeVersion,
			Means: meansOr(form.Get("means")), Purpose: consent.PurposeCredit, IP: v.actor.IP}
	}
	err = c.DB.AskAgain(r.Context(), v.env, id, confirmed, given, now, v.actor)
	var limited *db.Limited
	switch {
	case err == nil:
		return c.done(w, r, "/lookups/"+id.String(), "again.done")
	case !errors.As(err, &limited):
		return failed(err)
	}
	page, err := c.againPage(w, r, id)
	if err != nil {
		return err
	}
	page.Limits, page.Consent, page.Means, page.Errors = limited.Limits, given != nil, form.Get("means"), map[string]views.Note{}
	page.Changed = true
	for _, l := range limited.Limits {
		if l.Kind == lookup.LimitConsent {
			page.Changed, page.Errors["consent"] = false, views.Note{ID: "again.consent_missing"}
		}
	}
	return web.Invalid(w, r, views.Again(page))
}
