package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/locale"
	"cotejo/views"
	"cotejo/web"
)

// passwordCost follows OWASP's Password Storage Cheat Sheet for Argon2id: 19 MiB, two passes, one lane.
var passwordCost = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// HashPassword hashes a password for storage.
func HashPassword(password string) (string, error) {
	return argon2id.CreateHash(password, passwordCost)
}

// decoy is compared when there is no such user, so that the answer takes as long as for one that exists.
var decoy = func() string {
	hash, err := HashPassword("nobody has this password")
	if err != nil {
		panic(err) // no randomness, no service
	}
	return hash
}()

func (c *Console) signInForm(w http.ResponseWriter, r *http.Request) error {
	if c.sessions.Current(r).UserID != 0 {
		return web.Redirect303(w, r, "/")
	}
	v := views.SignInPage{Next: localNext(r.URL.Query().Get("next"))}
	if v.Next != "" {
		v.Notice = views.Note{ID: "signin.notice.needed"}
	}
	return c.showSignIn(w, r, http.StatusOK, v)
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request, status int, v views.SignInPage) error {
	console, err := c.DB.Console(r.Context())
	if err != nil {
		return unavailable(err)
	}
	v.Page = views.Page{
		P: locale.For(preferredLanguage(r), nil), Env: console.Environment, Institution: console.Institution, Now: c.Now(),
		Asset: c.Assets.URL, Theme: preferredTheme(r), Path: "/login",
	}
	if v.Next != "" {
		v.Page.Path += "?next=" + url.QueryEscape(v.Next)
	}
	v.Page.Title = v.T("signin.title")
	if flashes, err := c.sessions.TakeFlashes(w, r); err == nil {
		for _, f := range flashes {
			v.Page.Flashes = append(v.Page.Flashes, views.Flash{Kind: f.Kind, ID: f.ID, Args: f.Args})
		}
	}
	if v.FirstRun, err = c.DB.NobodySignedIn(r.Context()); err != nil {
		return unavailable(err)
	}
	return web.Render(w, r, status, views.SignIn(v))
}

func localNext(next string) string {
	if !web.LocalPath(next) || strings.HasPrefix(next, "/login") {
		return ""
	}
	return next
}

// signIn checks e-mail and password. Every failure reads the same and takes as long, so that the form tells nobody
// which addresses exist (OWASP ASVS 5.0, 6.3.8).
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{Value: longestKept})
	if err != nil {
		return err
	}
	email, password := db.CleanEmail(form.Get("email")), form.Raw("password")
	again := views.SignInPage{Email: email, Next: localNext(form.Get("next")), Kept: form.Get("kept"), Errors: map[string]views.Note{}}
	if ok, wait := c.signIns.Allow(web.ClientIP(r)); !ok {
		again.Errors[""] = pauseNote(wait)
		return c.showSignIn(w, r, http.StatusTooManyRequests, again)
	}
	defer c.guesses.take(email)()
	wait, left, err := c.DB.SignInWait(r.Context(), email, clientIP(r))
	if err != nil {
		return unavailable(err)
	}
	if wait > 0 {
		again.Errors[""] = pauseNote(wait)
		return c.showSignIn(w, r, http.StatusTooManyRequests, again)
	}
	user, hash, err := c.DB.UserByEmail(r.Context(), email)
	if errors.Is(err, db.ErrNotFound) {
		hash = decoy
	} else if err != nil {
		return unavailable(err)
	}
	who := audit.Actor{UserID: user.ID, Name: user.Name, IP: clientIP(r)}
	// A password longer than any we accept is not worth hashing.
	match := false
	if len(password) <= 1024 {
		if match, err = argon2id.ComparePasswordAndHash(password, hash); err != nil {
			return err
		}
	}
	if !match || user.ID == 0 || !user.Active() {
		if err := c.DB.SignInFailed(r.Context(), email, user.ID, who); err != nil {
			return unavailable(err)
		}
		if left--; left <= 0 {
			again.Errors[""] = views.Note{ID: "signin.error.last"}
		} else {
			again.Errors[""] = views.Note{ID: "signin.error.wrong", Args: []any{"Count", left}}
		}
		return c.showSignIn(w, r, http.StatusUnprocessableEntity, again)
	}
	if err := c.DB.SignedIn(r.Context(), email, who); err != nil {
		return unavailable(err)
	}
	if err := c.sessions.Rotate(w, r, user.ID); err != nil {
		return unavailable(err)
	}
	if t, ok := c.openTyped(again.Kept, user); ok {
		return c.showTyped(w, r, user, t)
	}
	if again.Next == "" {
		again.Next = "/"
	}
	return web.RedirectFull(w, r, again.Next)
}

func pauseNote(wait time.Duration) views.Note {
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return views.Note{ID: "signin.error.paused", Args: []any{"Count", minutes}}
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	session := c.sessions.Current(r)
	if session.UserID != 0 {
		user, err := c.DB.User(r.Context(), session.UserID)
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return unavailable(err)
		}
		who := audit.Actor{UserID: user.ID, Name: user.Name, IP: clientIP(r)}
		if err := c.DB.SignedOut(r.Context(), c.sessions.Hash(r), who); err != nil {
			return unavailable(err)
		}
	}
	if err := c.sessions.End(w, r); err != nil {
		return unavailable(err)
	}
	return web.RedirectFull(w, r, "/login")
}

// The language and theme before sign-in live in two small cookies that say nothing of a person.
const (
	languageCookie = "cotejo-lang"
	themeCookie    = "cotejo-theme"
)

func preferredLanguage(r *http.Request) string {
	if v := visitOf(r); v.User.ID != 0 {
		return v.User.Language
	}
	if cookie, err := r.Cookie(languageCookie); err == nil {
		return locale.Match(cookie.Value)
	}
	return locale.Match(r.Header.Get("Accept-Language"))
}

func preferredTheme(r *http.Request) string {
	if cookie, err := r.Cookie(themeCookie); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		return cookie.Value
	}
	return ""
}

// setPreferences changes language or theme: of the user when signed in, and of the browser, for the next sign-in.
func (c *Console) setPreferences(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	back := form.Get("back")
	if !web.LocalPath(back) {
		back = "/"
	}
	lang, theme := "", ""
	if form.Has("lang") {
		lang = locale.Match(form.Get("lang"))
		c.setCookie(w, languageCookie, lang)
	}
	if form.Has("theme") {
		if theme = form.Get("theme"); theme != "light" && theme != "dark" {
			theme = ""
		}
		c.setCookie(w, themeCookie, theme)
	}
	if id := c.sessions.Current(r).UserID; id != 0 {
		if err := c.keepPreferences(r.Context(), id, lang, form.Has("theme"), theme, clientIP(r)); err != nil {
			return failed(err)
		}
	}
	return web.RedirectFull(w, r, back)
}

func (c *Console) keepPreferences(ctx context.Context, userID int64, lang string, setTheme bool, theme, ip string) error {
	user, err := c.DB.User(ctx, userID)
	if err != nil {
		return err
	}
	if lang != "" {
		user.Language = lang
	}
	if setTheme {
		user.Theme = theme
	}
	return c.DB.ChangeAccount(ctx, user, audit.Actor{UserID: user.ID, Name: user.Name, IP: ip})
}

func (c *Console) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true,
		Secure: c.Secure, SameSite: http.SameSiteLaxMode})
}
