package browsertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// observe notes, in the page, when the status of each row becomes one that ends an attempt, and marks the document so
// that a reload would show.
const observe = `(() => {
	window.sameDocument = true;
	window.finals = {};
	const look = () => {
		for (const row of document.querySelectorAll("[data-lookup]")) {
			if (!["queued", "pending"].includes(row.dataset.status)) finals[row.dataset.lookup] ??= Date.now();
		}
	};
	new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
})()`

// opened holds once the live line says that news arrive.
const opened = `document.querySelector("[data-live-text]")?.textContent.startsWith(document.querySelector("[data-live]").dataset.on)`

// TestStatusesArriveLive asks for all nine people and watches the list in two browsers, on two processes, while a third
// process works the jobs. Nothing can move before that one starts, so nothing can be missed.
func TestStatusesArriveLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.serve("COTEJO_WORKERS=0")
	second := s.serve("COTEJO_WORKERS=0")
	one, two := admin(t, first), admin(t, second)
	ids := map[string]person{}
	for i, p := range people {
		ids[one.request(p.curp, fmt.Sprintf("SOL-%d", i+1))] = p
	}
	for _, b := range []*tab{one, two} {
		b.open("/lookups")
		if n := b.count(`[data-lookup][data-status="queued"]`); n != len(people) {
			t.Fatalf("%d of %d lookups are queued", n, len(people))
		}
		b.until(opened)
		ask[any](b, observe+", null")
		b.sent()
	}

	s.serve()
	for _, b := range []*tab{one, two} {
		b.until(fmt.Sprintf("Object.keys(finals).length == %d", len(people)))
		b.until(`![...document.querySelectorAll("[data-records]")].some(row => row.dataset.records == "fetching")`)
		for id, p := range ids {
			row := fmt.Sprintf(`[data-lookup="%s"]`, id)
			b.until(fmt.Sprintf(`document.querySelector('%s[data-status="%s"]')`, row, p.status))
			if p.status == "success" {
				b.until(fmt.Sprintf(`document.querySelector('%s[data-records="%s"]')`, row, p.records))
			}
		}
		if !ask[bool](b, "window.sameDocument === true") {
			t.Error("the list was loaded again")
		}
		for _, r := range b.sent() {
			t.Errorf("the page asked for something by itself: %s %s", r.method, r.path)
		}
	}
	timeToRow(t, s, one, two)
	comesBack(s, first, second, one, two)
}

// comesBack ends the process that one of two browsers talks to, and starts it again. Its page says that news are lost, comes
// back by itself, and shows what happened meanwhile. The other browser and its process, which has the sandbox, stay.
func comesBack(s *site, stays, goes *process, one, two *tab) {
	t := two.t
	t.Helper()
	two.loses(true)
	goes.end()
	two.until(`document.querySelector(".live--lost [data-live-text]")?.textContent == document.querySelector("[data-live]").dataset.lost`)

	one.request(people[0].curp, "SOL-10")
	var mended, account string
	if err := s.db.QueryRow(t.Context(), `select l.uid::text, a.account_id from lookups l join attempts a on a.lookup_id = l.id where l.status = 'error' order by l.id limit 1`).
		Scan(&mended, &account); err != nil {
		t.Fatal(err)
	}
	s.tell(stays, "/accounts/"+account+"/events", map[string]any{"action": "login.success", "apply": true})
	s.until(settled)
	s.serve("COTEJO_WORKERS=0", "COTEJO_LISTEN="+strings.TrimPrefix(goes.url, "http://"))
	two.until(opened)
	two.until(fmt.Sprintf(`document.querySelector('[data-lookup="%s"][data-status="success"]')`, mended))
	two.until(`document.querySelector("#lookups-new").textContent.startsWith("1 consulta nueva")`)
	two.loses(false)
	if !ask[bool](two, "window.sameDocument === true") {
		t.Error("the list was loaded again")
	}
}

// TestSameNewsIsNone opens a list anew while a lookup is under way: that the clock went on is no change to tell.
func TestSameNewsIsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	s.tell(p, "/settings", map[string]any{"delay": "1h"})
	b := admin(t, p)
	b.request("GATA000408HTLRLLA7", "SOL-1")
	s.until("count(*) = 1 from lookups where status = 'pending'")
	b.open("/lookups")
	b.until(opened)
	for _, times := range []string{"once", "twice"} {
		// A pause and its end make the stream start again, and show every row as it stands.
		ask[any](b, `window.shown = false, document.addEventListener("htmx:sse:after:message", e => window.shown ||= e.detail.message.data.includes("data-lookup")), null`)
		b.do(click("[data-live-pause]"), click("[data-live-pause]"))
		b.until("window.shown")
		if n := b.count(".table__fresh"); n != 0 {
			t.Errorf("started %s, a row is marked as changed", times)
		}
	}
	readWhileNewsCome(s, p, b)
}

// readWhileNewsCome reads a list, and then a case, while others come and change: what is being read stays where it is.
func readWhileNewsCome(s *site, p *process, b *tab) {
	t := b.t
	t.Helper()
	const (
		row   = "[data-lookup]:last-child"
		above = "[data-lookup]:first-child"
		news  = `document.querySelector("#lookups-new").textContent`
		heard = `window.heard = 0, document.addEventListener("htmx:sse:before:message", e => window.heard += e.detail.message.data.includes("lookups-new")), null`
	)
	colleague := admin(t, p)
	b.front()
	b.open("/lookups")
	b.until(opened)
	ask[any](b, heard)
	still := b.steady(row)
	colleague.request(people[1].curp, "SOL-2")
	b.until(news + `.startsWith("1 consulta nueva")`)
	still("a new lookup")
	b.do(click("[data-live-pause]"))
	colleague.request(people[2].curp, "SOL-3")
	b.until("window.heard == 2")
	b.says("#lookups-new", "1 consulta nueva")
	b.do(click("[data-live-pause]"))
	b.until(news + `.startsWith("2 consultas nuevas")`)
	still("the end of a pause")
	b.leads(click("#lookups-new"))
	if n := b.count("[data-lookup]"); n != 3 {
		t.Errorf("the news lead to %d lookups", n)
	}

	// The newest gets its answer: its row says more and is no higher.
	succeed := func(id string) {
		t.Helper()
		account := value[string](s, "select account_id from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1 and account_id <> ''", id)
		s.tell(p, "/accounts/"+account+"/events", map[string]any{"action": "login.success", "apply": true})
	}
	for _, width := range []int64{1440, 380} {
		b.size(width, 900)
		b.open("/lookups")
		b.until(opened)
		still, css := b.steady(row), above
		if width == 380 {
			css = "[data-lookup]:nth-child(2)"
		}
		id := ask[string](b, fmt.Sprintf("document.querySelector(%q).dataset.lookup", css))
		s.until("status = 'pending' from lookups where uid = $1", id)
		succeed(id)
		b.until(fmt.Sprintf(`document.querySelector('%s[data-status="success"][data-records="complete"]')`, css))
		still(fmt.Sprintf("at %d px, an answer to the lookup above", width))
	}

	// The last one's case, read down at what was received, gets its figures and its history above.
	b.size(1440, 300)
	id := ask[string](b, fmt.Sprintf("document.querySelector(%q).dataset.lookup", row))
	b.open("/lookups/" + id)
	const seen = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
		done(document.querySelector("#h-received").getBoundingClientRect().top))))`
	ask[any](b, `document.querySelector("#h-received").scrollIntoView({block: "start"}), null`)
	at := ask[float64](b, seen)
	if at < 0 || at > 300 {
		t.Fatalf("what was received is at %g px", at)
	}
	succeed(id)
	b.finished("success", "complete")
	s.until(settled)
	b.until(`document.querySelector("#h-profile") && document.querySelector("#h-figures")`)
	if now := ask[float64](b, seen); now-at > 1 || at-now > 1 {
		t.Errorf("what is read of a case moved from %g to %g px", at, now)
	}
}

// timeToRow logs how long after the receipt of its final event each row showed it. The promise is one second; here it is
// not held against a machine that runs other tests at the same time (`cotejo bench` measures it alone).
func timeToRow(t *testing.T, s *site, tabs ...*tab) {
	t.Helper()
	for i, b := range tabs {
		var took []time.Duration
		for id, ms := range ask[map[string]float64](b, "finals") {
			received := value[time.Time](s, `select max(d.received_at) from deliveries d join lookups l on l.id = d.lookup_id
				where l.uid = $1 and d.action <> 'login.created'`, id)
			took = append(took, time.UnixMilli(int64(ms)).Sub(received).Round(time.Millisecond))
		}
		slices.Sort(took)
		t.Logf("browser %d, from the webhook's receipt to the row: %v", i+1, took)
	}
}

// TestEightTabs holds eight lists of one session open at once: an HTTP/1.1 browser has six connections for them.
func TestEightTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := admin(t, p)
	id := b.request("AUAT940412HCLQQM08", "SOL-8")
	b.until(`document.querySelector('#lookup[data-status="error"]')`)
	tabs := []*tab{b}
	for range 7 {
		tabs = append(tabs, b.another())
	}
	for _, b := range tabs {
		b.front()
		b.open("/lookups")
		ask[any](b, observe+", null")
	}

	// The vendor mends the failure by itself, which is the only way from here.
	account := value[string](s, "select account_id from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1", id)
	s.tell(p, "/accounts/"+account+"/events", map[string]any{"action": "login.success", "apply": true})
	for _, b := range tabs {
		b.front()
		b.until(fmt.Sprintf(`document.querySelector('[data-lookup="%s"][data-status="success"]')`, id))
		if !ask[bool](b, "window.sameDocument === true") {
			t.Error("a list was loaded again")
		}
	}
}
