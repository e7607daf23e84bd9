package handlers

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"cotejo/views"
	"cotejo/web"
)

// confirmEvery is how long a password counts for reveals (OWASP ASVS 5.0, 7.5.1: asked for again before what is
// sensitive). Shorter, and people who reveal all day would learn to type it without looking where.
const confirmEvery = 30 * time.Minute

// confirmed lets a request through whose person gave their password a short while ago, and else asks for it, with the
// request's own fields beside it: given, the same request does what it was for.
func (c *Console) confirmed(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if time.Since(c.sessions.Current(r).ReauthAt) < c.Confirm {
			return next(w, r)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return web.BadRequest(web.MsgFormUnreadable)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, err := web.ParseForm(r, web.FormLimits{})
		if err != nil {
			return err
		}
		page := views.ConfirmPage{Page: c.page(w, r, "", "signin.confirm.title"), Action: r.URL.RequestURI(), Field: form.Get("field"), Back: returnPath(r)}
		if form.Has("password") {
			if page.Err, err = c.confirm(r, form.Raw("password")); err != nil {
				return err
			}
			if !page.Err.Is() {
				if err := c.sessions.Rotate(w, r, page.User.ID); err != nil {
					return unavailable(err)
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				return next(w, r)
			}
		}
		if web.IsPartial(r) {
			return web.Invalid(w, r, views.ConfirmHere(page))
		}
		return web.Invalid(w, r, views.Confirm(page))
	}
}
