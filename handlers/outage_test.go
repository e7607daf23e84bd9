package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cotejo/internal/auth"
)

// Without its database the console says so, in the reader's language and with the number to quote, and says nothing else.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	uid, _ := c.request(alejandro)
	b, english := c.as(auth.Administrator), c.stranger()
	english.post("/preferences", url.Values{"lang": {"en"}}).want(http.StatusSeeOther)
	c.stop()
	pages := []string{"/", "/lookups", "/lookups/" + uid.String(), "/lookups/new", "/deliveries", "/users", "/connection", "/account", "/sandbox", "/login"}
	for _, path := range pages {
		r := b.get(path).want(http.StatusServiceUnavailable)
		r.has(r.header.Get("X-Request-Id"), spanish.T("errors.away.what")).lacks("cotejo_test", "SQLSTATE", "dial", "pgx").count("[data-status-code=\"503\"]", 1)
	}
	english.get("/login").want(http.StatusServiceUnavailable)
	b.post("/lookups", form()).want(http.StatusServiceUnavailable)
	b.get("/lookups/live").want(http.StatusServiceUnavailable)
	c.start()
	for _, path := range pages {
		if r := b.get(path); path != "/login" && r.status != http.StatusOK {
			t.Errorf("%s: %d after the database came back", path, r.status)
		}
	}
}

// A statement that fails is our fault, told without its text; the next request is none the worse.
func TestStatementFails(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	c.exec(`alter table lookups rename to gone`)
	r := b.get("/lookups").want(http.StatusInternalServerError)
	r.has(r.header.Get("X-Request-Id")).lacks("relation", "SQLSTATE", "42P01")
	c.exec(`alter table gone rename to lookups`)
	b.get("/lookups").want(http.StatusOK)
}

// A request whose time is up is told so on a page like any other, although nothing else can be done for it.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/lookups", nil)
	r.AddCookie(&http.Cookie{Name: "cotejo", Value: b.cookie()})
	w := httptest.NewRecorder()
	c.site.Config.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `data-status-code="503"`) {
		t.Errorf("%d, %s: %.200s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
}
