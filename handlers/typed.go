package handlers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/views"
	"cotejo/web"
)

// typed is a form that came after its session had ended. It travels, sealed for whoever's session that was, in the page on
// which they sign in, and is sent when they say so: in no address, in no storage, and for nobody else who signs in there.
type typed struct {
	What   string // Route.Typed
	Action string // path and query, which names the environment that the form was made for
	Fields url.Values
	Until  time.Time
}

const (
	typedFor    = 30 * time.Minute // as long as a session without use
	mostTyped   = 16 << 10         // bytes of a form; what is longer is lost, as it was
	longestKept = 24 << 10         // those bytes as text
)

// sealTyped keeps a form whose session has ended; "": there is nothing to keep, or nobody to keep it for.
func (c *Console) sealTyped(r *http.Request, what string) (kept string, err error) {
	hash, ok := c.sessions.CookieHash(r)
	if !ok {
		return "", nil
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil || form.Has("password") {
		return "", nil // unreadable, or not to be kept: a sign-in is needed in any case
	}
	userID, err := c.DB.EndedSession(r.Context(), hash)
	if errors.Is(err, db.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", unavailable(err)
	}
	plain, err := json.Marshal(typed{What: what, Action: r.URL.RequestURI(), Fields: form.Values(), Until: c.Now().Add(typedFor)})
	if err != nil || len(plain) > mostTyped {
		return "", err
	}
	sealed, err := c.DB.SealTyped(plain, userID)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// openTyped gives what was kept for a user who has just signed in, if it was.
func (c *Console) openTyped(kept string, user auth.User) (t typed, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(kept)
	if err != nil || len(sealed) == 0 || user.MustChange { // who has to change a password does that first
		return t, false
	}
	plain, err := c.DB.OpenTyped(sealed, user.ID)
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return t, false
	}
	return t, c.Now().Before(t.Until)
}

// showTyped asks whether to send it. The answer goes where the form would have gone, as if it came from its page.
func (c *Console) showTyped(w http.ResponseWriter, r *http.Request, user auth.User, t typed) error {
	console, err := c.DB.Console(r.Context())
	if err != nil {
		return unavailable(err)
	}
	page := views.TypedPage{What: t.What, Action: t.Action, Page: views.Page{P: printerFor(user), Env: console.Environment, Institution: console.Institution,
		Now: c.Now(), Asset: c.Assets.URL, Theme: user.Theme, Path: "/"}}
	page.Title = page.T("signin.kept.title")
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		for _, value := range t.Fields[name] {
			page.Fields = append(page.Fields, [2]string{name, value})
		}
	}
	return web.Render(w, r, http.StatusOK, views.Typed(page))
}
