package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cotejo/handlers"
	"cotejo/internal/auth"
	"cotejo/internal/locale"
)

var spanish, english = locale.For("es-MX", nil), locale.For("en", nil)

func TestSignInTellsNobodyWhichAddressesExist(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.add("ana@example.mx", auth.Analyst)
	gone := c.add("gone@example.mx", auth.Analyst)
	c.add("boss@example.mx", auth.Administrator)
	c.exec(`update users set disabled_at = now() where id = $1`, gone.ID)
	var pages []string
	for _, try := range [][2]string{{"ana@example.mx", "wrong"}, {"nobody@example.mx", password}, {"gone@example.mx", password},
		{"ana@example.mx", strings.Repeat("x", 5000)}, {"", ""}} {
		b := c.stranger()
		r := b.signIn(try[0], try[1]).want(http.StatusUnprocessableEntity)
		if b.cookie() != "" {
			t.Errorf("%s: a failed sign-in leaves a session", try[0])
		}
		if got, _ := r.doc().Find("input[name=email]").Attr("value"); got != try[0] {
			t.Errorf("the address typed is gone: %q", got)
		}
		if got, _ := r.doc().Find("input[name=password]").Attr("value"); got != "" {
			t.Error("the password comes back")
		}
		pages = append(pages, r.doc().Find("#password-error").Text())
	}
	// The second failure for ana has one try less left; the others are first failures.
	for i, page := range pages[:3] {
		if page != pages[0] || page == "" {
			t.Errorf("answer %d reads %q, the first %q", i, page, pages[0])
		}
	}
}

func TestSignInPausesAfterFiveFailures(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.add("ana@example.mx", auth.Analyst)
	b := c.stranger()
	for i := range 5 {
		r := b.signIn("ANA@example.mx ", "wrong").want(http.StatusUnprocessableEntity)
		if i == 4 {
			r.has(spanish.T("signin.error.last"))
		}
	}
	r := b.signIn("ana@example.mx", password).want(http.StatusTooManyRequests)
	if b.cookie() != "" {
		t.Error("the right password gets in during the pause")
	}
	r.lacks(password)
	if got := one[int](c, `select count(*) from audit_entries where action like '%fail%'`); got != 5 {
		t.Errorf("%d failures on the trail, want 5", got)
	}
	c.exec(`update sign_in_failures set failed_at = failed_at - interval '1 day'`)
	b.signIn("ana@example.mx", password).to("/")
}

// Guesses that come at once are counted one by one.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	c := open(t)
	user := c.add("ana@example.mx", auth.Analyst)
	var judged atomic.Int64
	var all sync.WaitGroup
	for range 12 {
		b := c.stranger()
		all.Go(func() {
			if b.signIn(user.Email, "wrong, all of them").status == http.StatusUnprocessableEntity {
				judged.Add(1)
			}
		})
	}
	all.Wait()
	if n := judged.Load(); n != 5 {
		t.Errorf("%d guesses were judged, want 5", n)
	}
}

func TestSignInRotatesTheSession(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.add("ana@example.mx", auth.Analyst)
	b := c.stranger()
	r := b.signIn("ana@example.mx", password).to("/")
	line := r.header.Get("Set-Cookie")
	for _, want := range []string{"cotejo=", "Path=/", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(line, want) {
			t.Errorf("cookie %q lacks %s", line, want)
		}
	}
	first := b.cookie()
	b.signIn("ana@example.mx", password).to("/")
	if b.cookie() == first {
		t.Error("a second sign-in keeps the session's id")
	}
	// The old id opens nothing any more.
	old := c.stranger()
	old.get("/", "Cookie", "cotejo="+first).to("/login")
	old.get("/", "Cookie", "cotejo="+strings.Repeat("A", 43)).to("/login")
	b.get("/login").to("/")
	b.get("/").want(http.StatusOK)
}

func TestSecureCookie(t *testing.T) {
	t.Parallel()
	c := open(t, func(o *handlers.Options) { o.Secure = true })
	c.add("ana@example.mx", auth.Analyst)
	r := c.stranger().signIn("ana@example.mx", password).to("/")
	if line := r.header.Get("Set-Cookie"); !strings.HasPrefix(line, "__Host-cotejo=") || !strings.Contains(line, "Secure") || strings.Contains(line, "Domain") {
		t.Errorf("cookie %q", line)
	}
	if r.header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS over https")
	}
}

func TestSignInLeadsBackToOurOwnPagesOnly(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.add("ana@example.mx", auth.Analyst)
	for next, want := range map[string]string{
		"/lookups?status=error": "/lookups?status=error",
		"":                      "/",
		"https://evil.example/": "/",
		"//evil.example/":       "/",
		"/\\evil.example":       "/",
		"/login?next=/login":    "/",
		"lookups":               "/",
		"javascript:alert(1)":   "/",
		"/\tx":                  "/",
	} {
		c.exec(`delete from sign_in_failures`)
		form := url.Values{"email": {"ana@example.mx"}, "password": {password}, "next": {next}}
		r := c.stranger().post("/login", form)
		if got := r.header.Get("Location"); r.status != http.StatusSeeOther || got != want {
			t.Errorf("next=%q leads to %q (%d), want %q", next, got, r.status, want)
		}
	}
	r := c.stranger().get("/login?next=%2Flookups").want(http.StatusOK).has(spanish.T("signin.notice.needed"))
	if got := r.attr("input[name=next]", "value"); got != "/lookups" {
		t.Errorf("the form carries next=%q", got)
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	before := b.cookie()
	b.post("/logout", nil).to("/login")
	if b.cookie() != "" {
		t.Error("the cookie stays")
	}
	c.stranger().get("/", "Cookie", "cotejo="+before).to("/login")
	if n := one[int](c, `select count(*) from sessions where user_id = $1`, b.user.ID); n != 0 {
		t.Errorf("%d sessions left", n)
	}
	c.stranger().post("/logout", nil).to("/login") // a stranger may, and nothing happens
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	b.get("/").want(http.StatusOK)
	c.exec(`update sessions set seen_at = now() - interval '29 minutes'`)
	b.get("/").want(http.StatusOK) // and being there counts
	if fresh := one[bool](c, `select seen_at > now() - interval '1 minute' from sessions`); !fresh {
		t.Error("a request does not keep the session alive")
	}
	c.exec(`update sessions set seen_at = now() - interval '31 minutes'`)
	b.get("/").to("/login")
	c.exec(`update sessions set seen_at = now(), created_at = now() - interval '12 hours 1 minute'`)
	b.get("/").to("/login")
}

// A session ends at once with its user, whatever the cookie says.
func TestDisabledUsersAreOut(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	c.exec(`update users set disabled_at = now() where id = $1`, b.user.ID)
	b.get("/lookups").to("/login?next=%2Flookups")
	b.get("/lookups/live").want(http.StatusUnauthorized)
}

func TestAPasswordSetByOthersMustBeChanged(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.add("ana@example.mx", auth.Analyst)
	c.exec(`update users set must_change = true`)
	b, other := c.stranger(), c.stranger()
	b.signIn("ana@example.mx", password).to("/")
	other.signIn("ana@example.mx", password).to("/")
	before := b.cookie()
	for _, path := range []string{"/", "/lookups", "/account", "/lookups/new"} {
		b.get(path).want(http.StatusOK).count(`form[action="/account/password"]`, 1)
	}
	b.post("/lookups", url.Values{"curp": {alejandro}, "platform": {"imss"}, "consent": {"on"}}).want(http.StatusForbidden)
	b.get("/lookups/live").want(http.StatusForbidden)

	change := func(current, fresh, again string) *reply {
		return b.post("/account/password", url.Values{"current": {current}, "new": {fresh}, "again": {again}})
	}
	const fresh = "a much better password"
	for _, bad := range [][3]string{{"wrong", fresh, fresh}, {password, "short", "short"}, {password, password, password},
		{password, fresh, fresh + "x"}, {password, "aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa"}, {password, strings.Repeat("x1", 70), strings.Repeat("x1", 70)}} {
		change(bad[0], bad[1], bad[2]).want(http.StatusUnprocessableEntity).lacks(fresh, password).count(`form[action="/account/password"]`, 1)
	}
	change(password, fresh, fresh).to("/")
	if b.cookie() == before {
		t.Error("the session keeps its id after a change of password")
	}
	b.get("/lookups").want(http.StatusOK).count(`form[action="/account/password"]`, 0)
	other.get("/lookups").to("/login?next=%2Flookups")
	c.stranger().signIn("ana@example.mx", fresh).to("/")
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.stranger()
	b.get("/login").has(spanish.T("signin.title"))
	b.get("/login", "Accept-Language", "en-GB").has(english.T("signin.title"))
	b.post("/preferences", url.Values{"lang": {"en"}, "theme": {"dark"}, "back": {"/login?next=%2Flookups"}}).to("/login?next=%2Flookups")
	r := b.get("/login").has(english.T("signin.title"))
	if got := r.attr("html", "lang"); got != "en" {
		t.Errorf("the page is in %q", got)
	}
	if got := r.attr("html", "data-theme"); got != "dark" {
		t.Errorf("the theme is %q", got)
	}
	for _, back := range []string{"https://evil.example", "//evil.example", ""} {
		b.post("/preferences", url.Values{"theme": {"neon"}, "back": {back}}).to("/")
	}
	in := c.as(auth.Developer)
	in.get("/account").has(spanish.T("admin.account.title"))
	in.post("/preferences", url.Values{"lang": {"en"}, "theme": {"light"}, "back": {"/account"}}).to("/account")
	in.get("/account").has(english.T("admin.account.title"))
	if got := one[string](c, `select language || ' ' || theme from users where id = $1`, in.user.ID); got != "en light" {
		t.Errorf("stored %q", got)
	}
	in.post("/preferences", url.Values{"theme": {""}, "back": {"/account"}}).to("/account")
	if got := one[string](c, `select language || ' ' || theme from users where id = $1`, in.user.ID); got != "en " {
		t.Errorf("stored %q", got)
	}
}

func TestOtherSitesArePowerless(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Administrator)
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		b.post("/logout", nil, headers...).want(http.StatusForbidden)
		b.post("/environment", url.Values{"env": {"production"}, "confirm": {"on"}}, headers...).want(http.StatusForbidden)
	}
	b.get("/", "Sec-Fetch-Site", "cross-site").want(http.StatusOK) // a link from elsewhere is fine
	b.post("/environment", url.Values{"env": {"sandbox"}}, "Sec-Fetch-Site", "same-origin").want(http.StatusSeeOther)
	if got := one[string](c, `select environment from console`); got != "sandbox" {
		t.Errorf("the environment became %s", got)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	ids := map[string]bool{}
	for _, r := range []*reply{b.get("/"), b.get("/lookups"), b.get("/nothing"), c.stranger().get("/login"), b.post("/users", nil)} {
		csp := r.header.Get("Content-Security-Policy")
		for _, bad := range []string{"unsafe-inline", "unsafe-eval", "*", "data:", "http:"} {
			if strings.Contains(csp, bad) {
				t.Errorf("%s: policy %q has %s", r.what, csp, bad)
			}
		}
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", r.what, csp, want)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin"} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", r.what, name, got, want)
			}
		}
		id := r.header.Get("X-Request-Id")
		if id == "" || ids[id] {
			t.Errorf("%s: request id %q", r.what, id)
		}
		ids[id] = true
		if r.doc().Find("[style], script:not([src]), style, [onclick]").Length() > 0 {
			t.Errorf("%s: something inline that the policy forbids", r.what)
		}
	}
	if got := b.get("/nothing", "X-Request-Id", "mine"); got.header.Get("X-Request-Id") == "mine" || strings.Contains(got.body, "mine") {
		t.Error("a stranger's request id is taken over")
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.stranger()
	b.get("/healthz").want(http.StatusOK)
	b.get("/readyz").want(http.StatusOK)
	c.exec(`update goose_db_version set is_applied = false where version_id = (select max(version_id) from goose_db_version)`)
	b.get("/readyz").want(http.StatusServiceUnavailable)
	c.stop()
	b.get("/readyz").want(http.StatusServiceUnavailable).lacks("postgres", "cotejo_test")
	b.get("/healthz").want(http.StatusOK)
}
