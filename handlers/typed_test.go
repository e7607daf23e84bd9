package handlers_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cotejo/internal/auth"
)

// lapse ends every session by time, as half an hour without use does.
func (c *console) lapse() {
	c.t.Helper()
	c.exec(`update sessions set expires_at = now() - interval '1 second', seen_at = now() - interval '31 minutes'`)
}

// A note that was sent after the session had ended is neither lost nor done until its author has signed in and says so.
func TestTypedOutlivesASession(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	id, _ := c.request(alejandro)
	path := "/lookups/" + id.String() + "/notes"
	const text = "Llamó García & preguntó por \"su\" empleo <b>\r\nsegunda línea "
	c.lapse()
	page := b.post(path, url.Values{"note": {text}}).want(http.StatusUnauthorized).has(spanish.T("signin.notice.kept")).lacks("García", "segunda").count("form[action='/login']", 1)
	kept := page.attr("input[name=kept]", "value")

	// A wrong password keeps it; the right one asks, and does nothing yet.
	page = b.post("/login", url.Values{"email": {b.user.Email}, "password": {"wrong"}, "kept": {kept}}).want(http.StatusUnprocessableEntity)
	page = b.post("/login", url.Values{"email": {b.user.Email}, "password": {password}, "kept": {page.attr("input[name=kept]", "value")}}).want(http.StatusOK)
	page.count("#typed", 1).has(spanish.T("signin.typed.note")).lacks("<b>\r")
	if n := one[int](c, `select count(*) from case_notes`); n != 0 || b.cookie() == "" {
		t.Fatalf("%d notes before anybody said so, cookie %q", n, b.cookie())
	}
	if to := page.attr("#typed", "action"); to != path || page.attr("#typed", "method") != "post" {
		t.Errorf("it would be sent to %s", to)
	}
	b.post(path, page.fields("#typed")).want(http.StatusSeeOther)
	if got, want := one[string](c, `select text from case_notes`), strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); got != want {
		t.Errorf("the note says %q, want %q", got, want)
	}

	// What has several values, and an address with the environment for which the form was made.
	c.lapse()
	page = b.post("/lookups?environment=production", url.Values{"curp": {alejandro}, "x": {"1", "2"}}).want(http.StatusUnauthorized).lacks(alejandro)
	page = b.post("/login", url.Values{"email": {b.user.Email}, "password": {password}, "kept": {page.attr("input[name=kept]", "value")}}).want(http.StatusOK)
	if got := page.fields("#typed"); len(got["x"]) != 2 || got.Get("curp") != alejandro {
		t.Errorf("it would send %v", got)
	}
	b.post(page.attr("#typed", "action"), page.fields("#typed")).want(http.StatusConflict)
	if strings.Contains(c.log.String(), alejandro) || strings.Contains(c.log.String(), "García") {
		t.Error("the log tells what was typed")
	}
}

// Only who typed it gets it, for half an hour, and only of forms that may be kept.
func TestTypedIsForNobodyElse(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b, other := c.as(auth.Analyst), c.as(auth.Supervisor)
	signIn := func(who *browser, kept string) *reply {
		t.Helper()
		return who.post("/login", url.Values{"email": {who.user.Email}, "password": {password}, "kept": {kept}})
	}
	c.lapse()
	kept := b.post("/search", url.Values{"text": {"garcia"}}).want(http.StatusUnauthorized).attr("input[name=kept]", "value")
	signIn(other, kept).to("/")
	b.user = other.user // at the same browser
	signIn(b, kept).to("/")
	signIn(b, kept+"x").to("/")
	signIn(b, "not base64 !").to("/")
	late, err := c.SealTyped([]byte(`{"What":"search","Action":"/search","Fields":{"text":["x"]},"Until":"`+time.Now().Add(-time.Second).Format(time.RFC3339)+`"}`), b.user.ID)
	c.must(err)
	signIn(b, base64.RawURLEncoding.EncodeToString(late)).to("/")
	inTime, err := c.SealTyped([]byte(`{"What":"search","Action":"/search","Fields":{"text":["x"]},"Until":"`+time.Now().Add(time.Minute).Format(time.RFC3339)+`"}`), b.user.ID)
	c.must(err)
	signIn(b, base64.RawURLEncoding.EncodeToString(inTime)).want(http.StatusOK).count("#typed", 1)
	c.exec(`update users set must_change = true where id = $1`, b.user.ID)
	signIn(b, base64.RawURLEncoding.EncodeToString(inTime)).to("/")
	c.exec(`update users set must_change = false`)

	signIn(b, "").to("/")
	c.lapse()
	b.post("/search", url.Values{"text": {"garcia"}, "password": {"x"}}).to("/login")
	b.post("/search", url.Values{"text": {strings.Repeat("x", 16<<10)}}).to("/login")
	b.post("/search", url.Values{"text": {"garcia"}}, "HX-Request", "true").want(http.StatusUnauthorized).count("[name=kept]", 0)
	b.post("/users", url.Values{"email": {"x@example.mx"}}).to("/login")
	c.exec(`update users set disabled_at = now() where id = $1`, b.user.ID)
	b.post("/search", url.Values{"text": {"garcia"}}).to("/login")
	c.exec(`update users set disabled_at = null`)
	signIn(b, "").to("/")
	b.post("/logout", nil).to("/login")
	b.post("/search", url.Values{"text": {"garcia"}}).to("/login")
}

// What is kept over a sign-in is said in words, and is no file.
func TestTypedRoutes(t *testing.T) {
	t.Parallel()
	n := 0
	for _, route := range open(t).Routes() {
		if route.Typed == "" {
			continue
		}
		n++
		if !strings.HasPrefix(route.Pattern, "POST ") || route.Upload > 0 || route.Stream || route.Access == auth.PowerAdminister || !spanish.Has("signin.typed."+route.Typed) {
			t.Errorf("%s is kept as %q", route.Pattern, route.Typed)
		}
	}
	if n < 5 {
		t.Errorf("%d routes keep what was typed", n)
	}
}
