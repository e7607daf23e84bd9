package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// kept gathers all that a page can leave in the browser, except for its HTTP cache.
const kept = `(async () => JSON.stringify([
	{...localStorage}, {...sessionStorage}, document.cookie, history.state, location.href, document.title,
	"databases" in indexedDB ? await indexedDB.databases() : [], await caches.keys(),
]))()`

// TestReveal shows a CURP and an NSS once, on the record, and looks for what stays behind. The CURP is shown while its lookup is
// under way: what comes is drawn around it.
func TestReveal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	answered(s, b)
	const curp = "GATA000408HTLRLLA7"
	id := b.request(curp, "SOL-1")
	b.until(streamed)
	reveal := func(field, secret string) {
		t.Helper()
		if strings.Contains(ask[string](b, "document.documentElement.outerHTML"), secret) {
			t.Fatalf("the page holds the %s before it was asked for", field)
		}
		if n := revealed(s, id, field); n != 0 {
			t.Errorf("%d entries on the trail before the %s was shown", n, field)
		}
		// By keyboard, which goes on where the button was: at what was asked for, and then at what copies it.
		b.do(chromedp.Focus(chromedp.CSS("#case-"+field+" form button")), press("\r"))
		b.until(fmt.Sprintf(`document.activeElement.matches(".mask--open") && document.activeElement.textContent == %q`, secret))
		b.do(press("\t"))
		if at := ask[string](b, `document.activeElement.dataset.copy ?? document.activeElement.outerHTML`); at != secret {
			t.Fatalf("after the %s the keyboard is at %.80q", field, at)
		}
		if n := revealed(s, id, field); n != 1 {
			t.Errorf("%d entries on the trail after the %s was shown", n, field)
		}
	}
	reveal("curp", curp)
	b.finished("success", "complete")
	b.until(`document.querySelector("#case-nss form button")`)
	b.says("#case-curp .mask--open", curp)
	if at := ask[string](b, `document.activeElement.dataset.copy ?? document.activeElement.outerHTML`); at != curp {
		t.Errorf("what came took the keyboard to %.80q", at)
	}
	nss := value[string](s, `select i.value from profile_ids i join pulls p on p.id = i.pull_id join lookups l on l.id = p.lookup_id
		where l.uid = $1 and i.name = 'nss'`, id)
	reveal("nss", nss)

	// The list and back: neither the page's history nor the browser's memory of it brings the numbers back.
	b.open("/lookups")
	b.leads(chromedp.NavigateBack())
	left := ask[string](b, kept) + ask[string](b, "document.documentElement.outerHTML")
	for _, entry := range run1(b, chromedp.NavigationEntries()).Entries {
		left += entry.URL + entry.UserTypedURL + entry.Title
	}
	for _, secret := range []string{curp, nss} {
		if strings.Contains(left, secret) {
			t.Errorf("%d digits of an identifier stayed behind", len(secret))
		}
	}
	name := value[string](s, `select p.name from people p join lookups l on l.person_id = p.id where l.uid = $1`, id)
	for _, entry := range run1(b, chromedp.NavigationEntries()).Entries {
		if strings.Contains(entry.Title, name) {
			t.Error("a title in the browser's history tells a name")
		}
	}
}

// answered is asked for the password, as whoever gave it long ago is, in the place of the button, and answers while the lookup is under
// way: what comes leaves the question there, and what is typed.
func answered(s *site, b *tab) {
	s.t.Helper()
	id := b.request(people[3].curp, "SOL-0")
	b.until(streamed)
	b.expects(422)
	s.change(`update sessions set data = convert_to((convert_from(data, 'utf8')::jsonb - 'reauth_at')::text, 'utf8')`)
	b.do(chromedp.Focus(chromedp.CSS("#case-curp form button")), press("\r"))
	b.until(`document.activeElement.id == "confirm-password"`)
	b.do(press(adminPassword[:9]))
	b.until(`document.querySelector("#lookup[data-status=success]")`)
	b.do(press(adminPassword[9:] + "\r"))
	b.until(fmt.Sprintf(`document.activeElement.matches("#case-curp .mask--open") && document.activeElement.textContent == %q`, people[3].curp))
	if n := revealed(s, id, "curp"); n != 1 {
		s.t.Errorf("%d entries on the trail after the password was given", n)
	}
}

func revealed(s *site, id, field string) int {
	s.t.Helper()
	return value[int](s, `select count(*)::int from audit_entries a join lookups l on l.id = a.lookup_id
		where l.uid = $1 and a.action = $2 || '.revealed'`, id, field)
}
