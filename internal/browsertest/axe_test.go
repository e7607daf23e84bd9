package browsertest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

const axePath = "node_modules/axe-core/axe.min.js"

var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile(filepath.Join(repository, axePath))
	return string(text), err
})

// violations runs every rule of axe-core on the page, the best practices too, and lists what it finds.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v =>
	v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary.replace(/\s+/g, " "))))`

// accessible checks the page as it is, in both colour schemes and at both widths, and that nothing makes it scroll
// sideways at 320 px (WCAG 2.2, 1.4.10).
func (b *tab) accessible(t *testing.T) {
	t.Helper()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](script))
	for _, width := range []int64{1440, 380} {
		b.size(width, 900)
		for _, colours := range []string{"light", "dark"} {
			b.scheme(colours)
			for _, v := range ask[[]string](b, violations) {
				t.Errorf("%d px, %s: %s", width, colours, v)
			}
		}
	}
	b.size(320, 800)
	if wide := ask[string](b, sideways); wide != "" {
		t.Errorf("scrolls sideways at 320 px: %s", wide)
	}
	b.size(1440, 900)
	b.scheme("light")
}

// sideways names what reaches out of the window, unless a region of its own scrolls it.
const sideways = `document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")]
	.filter(e => e.getBoundingClientRect().right > innerWidth + 1)
	.map(e => e.tagName + "." + (e.className.baseVal ?? e.className)).slice(0, 8).join(", ") || "something"`

// TestAccessible looks at every page, the lookup's in each of its states.
func TestAccessible(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := visitor(t, p.url)
	look := func(name, path string, status int64) {
		t.Run(name, func(t *testing.T) {
			b.expects(status)
			if got := b.open(path); got != status {
				t.Fatalf("answer %d", got)
			}
			if n := b.count("h1"); n != 1 {
				t.Errorf("%d headings of the first order", n)
			}
			if n := b.count(".ribbon"); n != 1 {
				t.Error("test data are shown without the ribbon")
			}
			b.accessible(t)
		})
	}
	look("sign-in", "/login", 200)
	b.signIn(adminEmail, adminPassword)
	look("overview, empty", "/", 200)
	look("lookups, empty", "/lookups", 200)
	look("deliveries, empty", "/deliveries", 200)

	ids := map[string]string{}
	for _, p := range people {
		ids[p.status+" "+p.records] = b.request(p.curp, "SOL-"+p.curp[:4])
	}
	s.until(`count(*) = 0 from lookups where actor in ('cotejo', 'source') or employment_state = 'fetching' or profile_state = 'fetching'`)
	// States that pass or that need a vendor's silence are made by hand: the page only reads them.
	for _, status := range []string{"queued", "pending", "expired"} {
		id := b.request("ZUAL000827HMCXRSA8", "")
		s.until(`count(*) = 1 from lookups where uid = $1 and status = 'success' and employment_state = 'empty'`, id)
		s.change(`update attempts a set status = $2, settled_at = case when $2 = 'expired' then now() end, profile_state = 'none',
			employment_state = 'none' from lookups l where l.id = a.lookup_id and l.uid = $1`, id, status)
		s.change(`update lookups set status = $2, profile_state = 'none', employment_state = 'none' where uid = $1`, id, status)
		ids[status] = id
	}
	for name, id := range ids {
		look("lookup, "+name, "/lookups/"+id, 200)
	}
	look("overview", "/", 200)
	look("lookups", "/lookups", 200)
	look("lookups, filtered", "/lookups?actor=analyst&status=error", 200)
	look("lookups, nothing found", "/lookups?from=1999-01-01&to=1999-01-02", 200)
	look("new lookup", "/lookups/new", 200)
	look("deliveries", "/deliveries", 200)
	look("deliveries, nothing found", "/deliveries?verdict=refused", 200)
	look("delivery", "/deliveries/"+value[string](s, "select uid::text from deliveries order by id limit 1"), 200)
	look("sandbox people", "/sandbox", 200)
	look("users", "/users", 200)
	look("new user", "/users/new", 200)
	look("user", "/users/"+value[string](s, "select uid::text from users order by id limit 1"), 200)
	look("connection", "/connection", 200)
	look("account", "/account", 200)
	look("no such lookup", "/lookups/00000000-0000-0000-0000-000000000000", 404)
	look("no such page", "/nothing", 404)
	refusedForms(t, b)
}

// refusedForms looks at forms that came back with what is wrong in them.
func refusedForms(t *testing.T, b *tab) {
	t.Helper()
	b.expects(422)
	for name, send := range map[string]func() int64{
		"new lookup, refused": func() int64 {
			b.open("/lookups/new")
			return b.leads(chromedp.Evaluate[chromedp.Void](`const form = document.getElementById("new-lookup"); form.noValidate = true; form.requestSubmit()`))
		},
		"new user, refused": func() int64 {
			b.open("/users/new")
			return b.leads(click(`form[action="/users"] .btn--primary`))
		},
		"connection, refused": func() int64 {
			b.open("/connection")
			b.do(fill("#base_url", "ftp://nowhere"))
			return b.leads(click(`form[action="/connection"] .btn--primary`))
		},
		"account, refused": func() int64 {
			b.open("/account")
			b.do(fill("#new", "short"))
			return b.leads(click(`form[action="/account/password"] .btn`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if status := send(); status != 422 {
				t.Fatalf("answer %d", status)
			}
			if focus := ask[string](b, `document.activeElement.getAttribute("role") ?? ""`); focus != "alert" {
				t.Errorf("the list of mistakes does not have the focus, but something with the role %q", focus)
			}
			b.accessible(t)
		})
	}
}
