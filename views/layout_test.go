package views

import (
	"testing"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

func TestNavigationByRole(t *testing.T) {
	t.Parallel()
	tests := map[auth.Role][]string{
		auth.Administrator: {"/", "/lookups", "/bulk", "/exports", "/sandbox", "/deliveries", "/missing", "/sources", "/replays", "/connection", "/subscriptions", "/users", "/jobs", "/tags", "/settings"},
		auth.Supervisor:    {"/", "/lookups", "/bulk", "/exports", "/sandbox", "/deliveries", "/missing", "/sources", "/replays"},
		auth.Analyst:       {"/", "/lookups", "/bulk", "/exports", "/sandbox", "/deliveries", "/missing", "/sources"},
		auth.Auditor:       {"/", "/lookups", "/bulk", "/exports", "/deliveries", "/missing", "/sources"},
		auth.Developer:     {"/", "/deliveries", "/missing", "/sources"},
	}
	for role, want := range tests {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			doc := render(t, Shell(testPage("es-MX").as(role)))
			links := doc.Find("a.nav__link")
			if links.Length() != len(want) {
				t.Fatalf("%d links, want %v", links.Length(), want)
			}
			for i, path := range want {
				if got := links.Eq(i).AttrOr("href", ""); got != path {
					t.Errorf("link %d leads to %s, want %s", i, got, path)
				}
			}
			asks := 0
			if role.May(auth.PowerRequest) {
				asks = 1
			}
			count(t, doc, `a[data-key=n][href="/lookups/new"]`, asks)
		})
	}
}

func TestCurrentLink(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	for _, nav := range []string{"overview", "lookups", "people", "deliveries", "connection", "users", "account"} {
		p.Nav = nav
		count(t, render(t, Shell(p)), "[aria-current=page]", 1)
	}
	p.Nav = "new" // the button in the bar is where that leads; no link claims it
	count(t, render(t, Shell(p)), "[aria-current=page]", 0)
}

func TestSandboxIsUnmistakable(t *testing.T) {
	t.Parallel()
	test := render(t, Shell(testPage("es-MX")))
	attr(t, test, ".shell", "data-env", "sandbox")
	says(t, test, ".ribbon__word", "PRUEBAS")
	says(t, test, "title", "Prueba · Cotejo (PRUEBAS)")
	live := render(t, Shell(testPage("es-MX").in(lookup.Production)))
	attr(t, live, ".shell", "data-env", "production")
	count(t, live, ".ribbon, a[href='/sandbox']", 0)
	if got := live.Find("title").Text(); got != "Prueba · Cotejo" {
		t.Errorf("title %q", got)
	}
}

func TestPausedBanner(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	p.Paused = lookup.CodeUnauthorized
	count(t, render(t, Shell(p)), `.alert--error a[href="/connection"]`, 1)
	analyst := render(t, Shell(p.as(auth.Analyst)))
	count(t, analyst, `.alert--error a`, 0)
	says(t, analyst, ".alert--error", "vendor_unauthorized")
}

func TestFlashes(t *testing.T) {
	t.Parallel()
	p := testPage("en")
	p.Flashes = []Flash{
		{Kind: "success", ID: "admin.flash.user_disabled", Args: []any{"Name", "Inés <b>"}},
		{Kind: "error", ID: "errors.broken.title"},
	}
	doc := render(t, Shell(p))
	attr(t, doc, ".flash--success", "role", "status")
	attr(t, doc, ".flash--error", "role", "alert")
	says(t, doc, ".flash--success", "Inés <b> can no longer sign in.")
	count(t, doc, ".flash b", 0)
}

func TestWaitingCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1", 98: "98", 99: "99+", 400: "99+"} {
		p := testPage("es-MX")
		p.Waiting = n
		says(t, render(t, Shell(p)), ".nav__count", want+" por atender")
	}
	count(t, render(t, Shell(testPage("es-MX"))), ".nav__count", 0)
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	p.Theme = "dark"
	doc := render(t, Shell(p))
	attr(t, doc, "html", "data-theme", "dark")
	attr(t, doc, "[aria-pressed=true]", "value", "dark")
	attr(t, doc, "button[name=lang]", "value", "en")
	attr(t, doc, "button[name=lang]", "lang", "en")
	attr(t, doc, ".nav__prefs input[name=back]", "value", "/somewhere?a=b")

	p.Theme = `x" onload="y`
	doc = render(t, Shell(p))
	if _, ok := doc.Find("html").Attr("data-theme"); ok {
		t.Error("a theme nobody offers reached the page")
	}
	says(t, render(t, Gate(testPage("en"))), "button[name=lang]", "Español")
}

func TestAssets(t *testing.T) {
	t.Parallel()
	doc := render(t, Shell(testPage("es-MX")))
	attr(t, doc, "link[rel=stylesheet]", "href", "/static/app.css?v=0")
	attr(t, doc, "script", "src", "/static/app.js?v=0")
	attr(t, doc, "script", "type", "module")
	attr(t, doc, `meta[name="htmx-config"]`, "content", htmxConfig)

	p := testPage("es-MX")
	p.Asset = func(string) string { return "" } // nothing was bundled
	count(t, render(t, Shell(p)), "link, script", 0)
}
