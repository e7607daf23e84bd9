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

// TestReveal shows a CURP and an NSS once, on the record, and looks for what stays behind.
func TestReveal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	const curp = "GATA000408HTLRLLA7"
	id := b.request(curp, "SOL-1")
	b.finished("success", "complete")
	s.until(settled) // what still comes would be drawn over what is revealed
	b.open("/lookups/" + id)
	b.until(streamed)
	nss := value[string](s, `select i.value from profile_ids i join pulls p on p.id = i.pull_id join lookups l on l.id = p.lookup_id
		where l.uid = $1 and i.name = 'nss'`, id)
	for _, secret := range []string{curp, nss} {
		if strings.Contains(ask[string](b, "document.documentElement.outerHTML"), secret) {
			t.Fatal("the page holds a full identifier before it was asked for")
		}
	}
	for field, secret := range map[string]string{"curp": curp, "nss": nss} {
		if n := revealed(s, id, field); n != 0 {
			t.Errorf("%d entries on the trail before the %s was shown", n, field)
		}
		// By keyboard, which goes on where the button was: at what was asked for, and then at what copies it. On a busy machine the
		// stream may still say what was stored before, and draw it over what was shown; then it is asked for once more.
		presses := 1
		for ; ; presses++ {
			said := ask[int](b, streamed)
			b.do(chromedp.Focus(chromedp.CSS("#case-"+field+" form button")), press("\r"))
			b.until(fmt.Sprintf(`document.activeElement.matches(".mask--open") && document.activeElement.textContent == %q || %s > %d`, secret, streamed, said))
			b.do(press("\t"))
			at := ask[string](b, `document.activeElement.dataset.copy ?? document.activeElement.outerHTML`)
			if at == secret {
				break
			}
			if presses == 3 || ask[int](b, streamed) == said {
				t.Fatalf("after the %s the keyboard is at %.80q", field, at)
			}
		}
		if n := revealed(s, id, field); n != presses {
			t.Errorf("%d entries on the trail after the %s was asked for %d times", n, field, presses)
		}
	}

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

func revealed(s *site, id, field string) int {
	s.t.Helper()
	return value[int](s, `select count(*)::int from audit_entries a join lookups l on l.id = a.lookup_id
		where l.uid = $1 and a.action = $2 || '.revealed'`, id, field)
}
