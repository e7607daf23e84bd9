package browsertest

import (
	"fmt"
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

// violations lists what axe-core finds on the page.
const violations = `axe.run(document, {resultTypes: ["violations"], %s}).then(r => r.violations.flatMap(v =>
	v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary.replace(/\s+/g, " "))))`

// Other colours can only break the rules about colours; everything else runs once for each width.
var rules = map[string]string{"light": "", "dark": `runOnly: ["color-contrast", "link-in-text-block"]`}

// accessible checks the page as it is with every rule, the best practices too, in both colour schemes and at both
// widths, and that nothing makes it scroll sideways at 320 px (WCAG 2.2, 1.4.10).
func (b *tab) accessible(t *testing.T) {
	t.Helper()
	b.axe(t, window{1440, "light", rules["light"]}, window{1440, "dark", rules["dark"]}, window{380, "light", rules["light"]}, window{380, "dark", rules["dark"]})
}

// window is how a page is looked at, and the rules that axe-core is narrowed down to, "" for all.
type window struct {
	width   int64
	colours string
	rules   string
}

func (b *tab) axe(t *testing.T, windows ...window) {
	t.Helper()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](script))
	for _, w := range windows {
		b.size(w.width, 900)
		b.scheme(w.colours)
		for _, v := range ask[[]string](b, fmt.Sprintf(violations, w.rules)) {
			t.Errorf("%d px, %s: %s", w.width, w.colours, v)
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

// spoken is how a page is looked at in both languages: four runs meet every pair of language, colours and width, and those
// with every rule both languages and both widths.
var spoken = []struct {
	lang    string
	windows []window
}{
	{"en", []window{{1440, "dark", ""}, {380, "light", rules["dark"]}}},
	{"es-MX", []window{{1440, "light", rules["dark"]}, {380, "dark", ""}}},
}

// look checks one page in both languages.
func (b *tab) look(name, path string, status int64) {
	b.t.(*testing.T).Run(name, func(t *testing.T) {
		b.expects(status)
		b.inEach(t, func() {
			if got := b.open(path); got != status {
				t.Fatalf("answer %d", got)
			}
			if n := b.count("h1"); n != 1 {
				t.Errorf("%d headings of the first order", n)
			}
			if n := b.count(".ribbon"); n != 1 {
				t.Error("test data are shown without the ribbon")
			}
		})
	})
}

// inEach checks what show leads to, in each language.
func (b *tab) inEach(t *testing.T, show func()) {
	t.Helper()
	for _, in := range spoken {
		b.speak(in.lang)
		show()
		if lang := ask[string](b, "document.documentElement.lang"); lang != in.lang {
			t.Errorf("the page is in %s, not %s", lang, in.lang)
		}
		b.axe(t, in.windows...)
	}
}

// speak changes the reader's language without leaving the page.
func (b *tab) speak(lang string) {
	b.t.Helper()
	const sent = `fetch("/preferences", {method: "POST", body: new URLSearchParams({lang: %q, back: "/"}), redirect: "manual"}).then(r => r.type)`
	if got := ask[string](b, fmt.Sprintf(sent, lang)); got != "opaqueredirect" {
		b.t.Fatalf("the choice of a language was answered with %s", got)
	}
}

// settled waits until nothing is under way any more.
const settled = `count(*) = 0 from lookups where actor in ('cotejo', 'source') or employment_state = 'fetching' or profile_state = 'fetching'`

// TestAccessible looks at every page but the lookup's own.
func TestAccessible(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := visitor(t, s.serve("COTEJO_DEV=1").url)
	b.open("/login")
	b.look("sign-in", "/login", 200)
	b.signIn(adminEmail, adminPassword)
	b.look("overview, empty", "/", 200)
	b.look("lookups, empty", "/lookups", 200)
	b.look("deliveries, empty", "/deliveries", 200)
	for _, p := range []person{people[0], people[3], people[5], people[7]} {
		b.request(p.curp, "SOL-"+p.curp[:4])
	}
	s.until(settled)
	b.look("overview", "/", 200)
	b.look("lookups", "/lookups", 200)
	b.look("lookups, filtered", "/lookups?actor=analyst&status=error", 200)
	b.look("lookups, nothing found", "/lookups?from=1999-01-01&to=1999-01-02", 200)
	b.look("lookups, more filters", "/lookups?overdue=1&platform=imss", 200)
	b.look("search", "/search", 200)
	search := b.search("SOL-")
	b.look("search, lookups", search, 200)
	b.look("search, nothing found", search+"?as=employer", 200)
	b.look("search, people", b.search("GATA000408"), 200)
	s.change(`insert into tags (environment, name, folded) values ('sandbox', 'revisión', 'revision')`)
	s.change(`insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, t.id, l.requested_at from lookups l, tags t`)
	b.look("tags", "/tags", 200)
	b.look("new lookup", "/lookups/new", 200)
	b.look("definitions of the figures", "/figures", 200)
	b.look("deliveries", "/deliveries", 200)
	b.look("deliveries, nothing found", "/deliveries?verdict=refused", 200)
	b.look("delivery", "/deliveries/"+value[string](s, "select uid::text from deliveries order by id limit 1"), 200)
	b.look("two deliveries", "/deliveries/"+value[string](s, "select uid || '/compare/' || (select max(uid::text) from deliveries) from deliveries order by uid::text limit 1"), 200)
	b.look("sandbox people", "/sandbox", 200)
	b.look("users", "/users", 200)
	b.look("new user", "/users/new", 200)
	b.look("user", "/users/"+value[string](s, "select uid::text from users order by id limit 1"), 200)
	b.look("connection", "/connection", 200)
	b.look("account", "/account", 200)
	b.look("settings", "/settings", 200)
	b.look("subscriptions", "/subscriptions?compare=on", 200)
	b.look("new subscription", "/subscriptions/new", 200)
	b.look("subscription", "/subscriptions/"+value[string](s, "select uid::text from subscriptions order by id limit 1"), 200)
	b.look("gallery", "/gallery", 200)
	b.look("stored answer", "/pulls/"+value[string](s, "select uid::text from pulls where kind = 'employment' order by id limit 1")+"?at=employment_history-0", 200)
	b.look("bench", "/bench", 200)
	b.look("bench of a delivery", "/bench?delivery="+value[string](s, "select uid::text from deliveries order by id limit 1"), 200)
	b.look("bulks", "/bulk", 200)
	b.open("/bulk")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "CURP;Folio\n"+people[1].curp+";F-1\n"+people[2].curp[:9]+";F-2"))
	b.leads(click("#bulk-upload .form__acts button"))
	b.until(`document.querySelector("#bulk[data-state=draft][data-send]")`)
	b.look("bulk, draft", b.path(), 200)
	b.look("export", "/exports/new?of=lookups", 200)
	b.look("check of a file", "/exports/check", 200)
	b.look("no such lookup", "/lookups/00000000-0000-0000-0000-000000000000", 404)
	b.look("no such page", "/nothing", 404)
	refusedForms(t, b)
	passwordAgain(t, s, b)
}

// TestAccessibleLookups looks at the lookup's page in each of its states.
func TestAccessibleLookups(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	ids := map[string]string{}
	for _, p := range []person{people[0], people[3], people[5], people[7]} {
		ids[p.status+" "+p.records] = b.request(p.curp, "SOL-"+p.curp[:4])
	}
	s.until(settled)
	// States that pass or that need a vendor's silence are made by hand: the page only reads them.
	for _, status := range []string{"queued", "pending", "expired"} {
		id := b.request("ZUAL000827HMCXRSA8", "")
		s.until(`count(*) = 1 from lookups where uid = $1 and status = 'success' and employment_state = 'empty' and profile_state = 'complete'`, id)
		s.change(`update attempts a set status = $2, settled_at = case when $2 = 'expired' then now() end, profile_state = 'none',
			employment_state = 'none' from lookups l where l.id = a.lookup_id and l.uid = $1`, id, status)
		s.change(`update lookups set status = $2, profile_state = 'none', employment_state = 'none' where uid = $1`, id, status)
		ids[status] = id
	}
	for name, id := range ids {
		b.look(name, "/lookups/"+id, 200)
	}
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
			return b.leads(click(`form[action^="/connection?"] .btn--primary`))
		},
		"account, refused": func() int64 {
			b.open("/account")
			b.do(fill("#new", "short"))
			return b.leads(click(`form[action="/account/password"] .btn`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.inEach(t, func() {
				if status := send(); status != 422 {
					t.Fatalf("answer %d", status)
				}
				if focus := ask[string](b, `document.activeElement.getAttribute("role") ?? ""`); focus != "alert" {
					t.Errorf("the list of mistakes does not have the focus, but something with the role %q", focus)
				}
			})
		})
	}
}

// passwordAgain looks at the question for the password before something is revealed, which comes long after the sign-in only: in
// the place of the button, and as a page where no script runs.
func passwordAgain(t *testing.T, s *site, b *tab) {
	t.Helper()
	s.change(`update sessions set data = convert_to(regexp_replace(convert_from(data, 'UTF8'), '"reauth_at":"[0-9]{4}', '"reauth_at":"2006'), 'UTF8')`)
	path := "/lookups/" + value[string](s, "select uid::text from lookups order by id limit 1")
	b.expects(422)
	t.Run("password, in place", func(t *testing.T) {
		b.open(path)
		b.do(click("#case-curp form button"))
		b.until(`document.querySelector("#confirm-password")`)
		b.accessible(t)
	})
	t.Run("password, as a page", func(t *testing.T) {
		b.inEach(t, func() {
			b.open(path)
			if status := b.leads(chromedp.Evaluate[chromedp.Void](`document.querySelector("#case-curp form").submit()`)); status != 422 {
				t.Fatalf("answer %d", status)
			}
		})
	})
}
