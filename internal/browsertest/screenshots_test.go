//go:build screenshots

package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots photographs each page for the documentation into the folder COTEJO_TEST_SCREENSHOTS:
// `make screenshots`. It holds nothing, so it is built only when it is asked for.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("COTEJO_TEST_SCREENSHOTS")
	if dir == "" {
		t.Fatal("COTEJO_TEST_SCREENSHOTS names no folder")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	p := s.serve("COTEJO_DEV=1")
	b := visitor(t, p.url)
	take := func(name string, width int64, scheme string) {
		b.size(width, 800)
		b.scheme(scheme)
		// As much of the page as a picture of it needs.
		b.size(width, min(max(800, ask[int64](b, "document.documentElement.scrollHeight")), 1800))
		ask[bool](b, "new Promise(drawn => setTimeout(() => drawn(true), 300))") // a page that grew is drawn bit by bit
		png := run1(b, chromedp.CaptureScreenshot())
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shoot := func(name, path string) {
		b.open(path)
		take(name, 1440, "light")
		take(name, 380, "light")
	}
	// main is for the pages that are also shown in the dark.
	main := func(name, path string) {
		shoot(name, path)
		take(name, 1440, "dark")
	}
	shoot("sign-in", "/login")
	b.signIn(adminEmail, adminPassword)
	shoot("start", "/")

	ids := map[string]string{}
	for i, p := range people {
		b.size(1440, 900)
		ids[p.curp] = b.request(p.curp, fmt.Sprintf("SOL-2026-%04d", 118+i))
	}
	// The first of them at the other vendor too.
	b.open("/lookups/new")
	b.leads(click(`input[name=platform][value=all]`), fill("#curp", people[0].curp), fill("#external_id", "SOL-2026-0118"), click("#consent"),
		click("#new-lookup .form__acts button"))
	ids["buro"] = strings.TrimPrefix(b.path(), "/lookups/")
	s.until(`count(*) = 0 from attempt_entities where state = 'fetching'`)
	s.until(`count(*) = 0 from lookups where actor in ('cotejo', 'source') or employment_state = 'fetching' or profile_state = 'fetching'`)
	// One more that the source still works on, so that the list shows every kind.
	s.tell(p, "/settings", map[string]any{"delay": "1h"})
	b.open("/lookups/new")
	b.leads(click(`input[name=platform][value=imss]`), fill("#curp", "JITM910411HASMMR08"), fill("#external_id", "SOL-2026-0127"), click("#consent"),
		click("#new-lookup .form__acts button"))
	ids["pending"] = strings.TrimPrefix(b.path(), "/lookups/")
	s.until(`count(*) = 1 from lookups where status = 'pending'`)

	main("overview", "/")
	main("lookups", "/lookups")
	main("lookup", "/lookups/"+ids["GATA000408HTLRLLA7"])
	shoot("lookup-empty", "/lookups/"+ids["ZUAL000827HMCXRSA8"])
	shoot("lookup-incomplete", "/lookups/"+ids["POTP910411HASBMP04"])
	shoot("lookup-error", "/lookups/"+ids["AUAT940412HCLQQM08"])
	shoot("lookup-pending", "/lookups/"+ids["pending"])
	shoot("lookup-buro", "/lookups/"+ids["buro"])
	shoot("lookup-again", "/lookups/"+ids["GATA000408HTLRLLA7"]+"/again")
	main("person", "/people/"+value[string](s, "select p.uid::text from people p join lookups l on l.person_id = p.id where l.uid = $1", ids["buro"]))
	b.size(1440, 900)
	main("search", b.search("GATA000408"))
	s.change(`insert into tags (environment, name, folded) values ('sandbox', 'revisión', 'revision')`)
	s.change(`insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, t.id, l.requested_at from lookups l, tags t where l.id % 2 = 0`)
	shoot("tags", "/tags")
	shoot("figures", "/figures")
	shoot("pull", "/pulls/"+value[string](s, "select p.uid::text from pulls p join lookups l on l.id = p.lookup_id where l.uid = $1 and p.kind = 'employment'", ids["GATA000408HTLRLLA7"])+"?at=employment_history-0-base_salary")
	shoot("gallery", "/gallery")
	b.open("/bulk")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "CURP;Folio\n"+people[1].curp+";F-1\n"+people[2].curp[:9]+";F-2\nPEAA800101HDFRRN08;F-3\nPEAA800101HDFRRN08;F-4"))
	b.leads(click("#bulk-upload .form__acts button"))
	b.until(`document.querySelector("#bulk[data-state=draft][data-send]")`)
	draft := b.path()
	shoot("bulk", "/bulk")
	shoot("bulk-draft", draft)
	shoot("export-new", "/exports/new?of=lookups&status=success")
	b.size(1440, 900)
	b.open("/exports/new?of=lookups&status=success")
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "Revisión de cartera de noviembre"))
	b.download(click("#export-form .btn--primary"))
	shoot("exports", "/exports")
	shoot("export", "/exports/"+value[string](s, "select uid::text from receipts order by id desc limit 1"))
	shoot("export-check", "/exports/check")
	shoot("missing", "/missing")
	shoot("sources", "/sources")
	shoot("jobs", "/jobs")
	shoot("replay-new", "/replays/new?verdict=accepted")
	b.size(1440, 900)
	b.open("/replays/new?verdict=accepted")
	b.leads(click(`form[action^="/replays?"] .btn--primary`))
	b.until(`document.querySelector("#replay .badge").textContent.includes("Terminado")`)
	shoot("replay", b.path())
	shoot("replays", "/replays")
	shoot("deliveries", "/deliveries")
	two := list(s, "select uid::text from deliveries where action = 'login.success' order by id limit 2")
	shoot("deliveries-compared", "/deliveries/"+two[0]+"/compare/"+two[1])
	main("delivery", "/deliveries/"+value[string](s, "select uid::text from deliveries where action = 'login.success' order by id limit 1"))
	shoot("people", "/sandbox")
	shoot("users", "/users")
	shoot("user-new", "/users/new")
	shoot("connection", "/connection")
	shoot("account", "/account")
	shoot("settings", "/settings")
	shoot("subscriptions", "/subscriptions?compare=on")
	shoot("subscription", "/subscriptions/"+value[string](s, "select uid::text from subscriptions order by id limit 1"))
	shoot("subscription-new", "/subscriptions/new")
	shoot("bench", "/bench")
	// The sign-in is long ago, and something is to be revealed.
	s.change(signedInLongAgo)
	b.expects(422, 404)
	b.size(1440, 900)
	b.open("/lookups/" + ids["GATA000408HTLRLLA7"])
	b.leads(chromedp.Evaluate[chromedp.Void](`document.querySelector("#case-curp form").submit()`))
	take("password", 1440, "light")
	take("password", 380, "light")
	shoot("not-found", "/lookups/00000000-0000-0000-0000-000000000000")
	for _, width := range []int64{1440, 380} {
		b.size(width, 900)
		b.open("/lookups/new")
		b.do(fill("#curp", "OICE940722HGFRST08"))
		b.until(`document.querySelector("#curp-says [role=status]")`)
		take("new-lookup", width, "light")
	}
}
