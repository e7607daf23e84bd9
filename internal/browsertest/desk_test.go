package browsertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// TestDesk is an hour at the desk: somebody is found, read and decided on, and a cause of failure is followed to its cases and
// back.
func TestDesk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	id := b.request(people[0].curp, "SOL-2026-0001")
	b.finished("success", "complete")
	s.until(`profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, id)
	readPerson(s, b, id)
	failing := b.request("AUAT940412HCLQQM08", "SOL-2026-0002")
	b.finished("error", "none")
	followCause(s, b, failing)
}

// readPerson finds a person by name, goes on to the lookup, and reads it as of another day down to the vendor's own words.
func readPerson(s *site, b *tab, id string) {
	t := b.t
	t.Helper()
	var (
		person = value[string](s, `select p.uid::text from people p join lookups l on l.person_id = p.id where l.uid = $1`, id)
		name   = value[string](s, `select p.name from people p join lookups l on l.person_id = p.id where l.uid = $1`, id)
	)
	b.open("/")
	b.leads(fill("#seek", strings.ToLower(name)), press("\r")) // as one types it
	b.says("[data-reading]", "nombre")
	b.leads(click(fmt.Sprintf(`[data-person="%s"] a.table__main`, person)))
	if at := b.path(); at != "/people/"+person {
		t.Fatalf("who was found leads to %s", at)
	}
	b.leads(click(fmt.Sprintf(`#person a[href="/lookups/%s"]`, id)))

	// As of a day of the reader's own.
	const day, figures = "2020-06-30", `[...document.querySelectorAll("[data-figure] b")].map(e => e.textContent.trim())`
	today := ask[[]string](b, figures)
	b.leads(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.getElementById("as_of").value = %q`, day)), click("#as_of-go"))
	asOf := fmt.Sprintf("/lookups/%s?as_of=%s#figures", id, day)
	if at := b.address(); at != asOf {
		t.Errorf("figures of another day stand at %s", at)
	}
	if then := ask[[]string](b, figures); len(then) == 0 || cmp.Equal(then, today) {
		t.Errorf("figures of today %q and of then %q", today, then)
	}

	// From a fact to its place in what the vendor answered, and back.
	salary := value[string](s, `select r.base_salary from employment_records r join pulls p on p.id = r.pull_id join lookups l on l.id = p.lookup_id
		where l.uid = $1 order by r.start_date desc limit 1`, id)
	b.leads(click("table.table--jobs tbody tr:first-child td a.fact"))
	if at := b.path(); !strings.HasPrefix(at, "/pulls/") {
		t.Fatalf("a fact leads to %s", at)
	}
	if said := b.text(":target"); !strings.Contains(said, `"base_salary": `+salary) {
		t.Errorf("the place of a salary of %s says %q", salary, said)
	}
	if !ask[bool](b, `(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector(":target").getBoundingClientRect())`) {
		t.Error("the place of a fact is not in sight")
	}
	b.says(".proof", value[string](s, `select encode(p.sha256, 'hex') from pulls p join lookups l on l.id = p.lookup_id where l.uid = $1 and p.kind = 'employment'`, id))
	b.leads(chromedp.NavigateBack())
	if at := b.address(); at != asOf {
		t.Errorf("back from a fact one is at %s", at)
	}

	decideSlowly(s, b, "Antigüedad suficiente a esa fecha.")
	if got := value[string](s, `select d.as_of::text from decisions d join lookups l on l.id = d.lookup_id where l.uid = $1`, id); got != day {
		t.Errorf("the decision froze the figures as of %s", got)
	}
	b.says("[data-decision]", "Antigüedad suficiente a esa fecha.")

	paper := b.download(click("#case-pdf"))
	if !bytes.HasPrefix(paper.bytes, []byte("%PDF-")) || !strings.HasSuffix(paper.name, ".pdf") || strings.Contains(paper.name, people[0].curp) {
		t.Errorf("the paper came as %s with %d bytes", paper.name, len(paper.bytes))
	}
	if n := value[int](s, `select count(*)::int from receipts r where r.sha256 = sha256($1)`, paper.bytes); n != 1 {
		t.Errorf("%d receipts of the paper", n)
	}
}

// decideSlowly writes a decision while the database holds it up: the button says that it is under way, and pressing it once
// more sends nothing.
func decideSlowly(s *site, b *tab, reason string) {
	b.t.Helper()
	held, err := s.db.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = held.Rollback(context.Background()) }()
	if _, err := held.Exec(b.t.Context(), `lock table decisions in share mode`); err != nil {
		b.t.Fatal(err)
	}
	b.do(click("#reason"), press(reason))
	b.sent()
	// What chromedp evaluates waits for the page that is on its way; the browser itself does not.
	b.leads(click("#decide-save"), func(ctx context.Context, at *chromedp.Target) (chromedp.Void, error) {
		wait := true
		again, err := cdp.Call(ctx, at, runtime.Evaluate, runtime.EvaluateParams{AwaitPromise: &wait, Expression: `new Promise(done => (function look() {
			const busy = document.querySelector('#decide-save[aria-busy="true"]');
			busy ? done(busy.click()) : setTimeout(look, 20);
		})())`})
		if err == nil && again.ExceptionDetails != nil {
			err = errors.New(again.ExceptionDetails.Text)
		}
		return chromedp.Void{}, errors.Join(err, held.Rollback(ctx))
	})
	posts := 0
	for _, r := range b.sent() {
		if r.method == "POST" {
			posts++
		}
	}
	if n := value[int](s, `select count(*)::int from decisions`); posts != 1 || n != 1 {
		b.t.Errorf("one decision was sent %d times and kept %d times", posts, n)
	}
}

// shownRows are the lookups of a list, in its order.
const shownRows = `[...document.querySelectorAll("[data-lookup]")].map(row => row.dataset.lookup)`

// followCause goes from a cause of failure to its lookups, narrows them further, reads on the second page, opens a case, and
// finds everything again on the way back.
func followCause(s *site, b *tab, failing string) {
	t := b.t
	t.Helper()
	// More of the same, of another cause, and of a time that the overview does not look back to.
	s.change(`with more as (
		insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by, requested_at, status, detail)
		select l.environment, l.person_id, l.connection_id, l.consent_id, l.platform, case when n % 5 = 0 then 'form' else 'bulk' end, l.requested_by,
		       l.requested_at - n * interval '1 minute' - case when n > 90 then interval '200 days' else interval '0' end, l.status,
		       case when n % 6 = 0 then 'request_timeout' else l.detail end
		  from lookups l, generate_series(1, 100) n where l.uid = $1
		returning id, connection_id, requested_at, source, status, detail)
		insert into attempts (lookup_id, connection_id, number, source, status, detail, requested_at, sent_at, settled_at)
		select id, connection_id, 1, source, status, detail, requested_at, requested_at, requested_at from more`, failing)
	const these = `select uid::text from lookups where status = 'error' and detail = 'service_degradation' and requested_at > now() - interval '30 days'`
	all, bulk := list(s, these+` order by requested_at desc`), list(s, these+` and source = 'bulk' order by requested_at desc`)

	b.open("/")
	if n := ask[string](b, `document.querySelector(".cause__n").firstChild.textContent`); n != fmt.Sprint(len(all)) {
		t.Errorf("the overview counts %s of %d", n, len(all))
	}
	b.leads(click(".cause__n"))
	got := ask[[]string](b, shownRows)
	b.leads(click(`.pager a[rel=next]`))
	if got = append(got, ask[[]string](b, shownRows)...); !cmp.Equal(got, all) {
		t.Errorf("a cause of %d lookups leads to %d", len(all), len(got))
	}

	// One more filter keeps the cause. The head of the list stays while its rows go by.
	b.leads(chromedp.NavigateBack())
	b.leads(chromedp.Evaluate[chromedp.Void](`document.querySelector("#f-source").value = "bulk"`), click(".filters__acts button"))
	got = ask[[]string](b, shownRows)
	ask[any](b, `scrollTo(0, document.querySelector("[data-lookup]:nth-child(30)").offsetTop), null`)
	b.until(`document.querySelector("[data-lookup]").getBoundingClientRect().bottom < 0`)
	if gap := ask[float64](b, `document.querySelector("thead th").getBoundingClientRect().top - document.querySelector(".mast").getBoundingClientRect().bottom`); gap < -1 || gap > 1 {
		t.Errorf("scrolled, the head of the list stands %g px below the top", gap)
	}
	b.leads(click(`.pager a[rel=next]`))
	second := ask[[]string](b, shownRows)
	if got = append(got, second...); !cmp.Equal(got, bulk) {
		t.Errorf("%d of the %d from a file are listed", len(got), len(bulk))
	}

	// A case, and Back: the same address, the same rows, and where one was on the page.
	b.size(1440, 300)
	address, last := b.address(), second[len(second)-1]
	ask[any](b, fmt.Sprintf(`document.querySelector('[data-lookup="%s"]').scrollIntoView({block: "center"}), null`, last))
	if at := ask[float64](b, "scrollY"); at < 300 {
		t.Fatalf("the last row stands on the first screen, %g px down", at)
	}
	b.leads(click(fmt.Sprintf(`[data-lookup="%s"] a.table__main`, last)))
	b.leads(chromedp.NavigateBack())
	if now := b.address(); now != address {
		t.Errorf("back from a case one is at %s, not at %s", now, address)
	}
	if now := ask[[]string](b, shownRows); !cmp.Equal(now, second) {
		t.Errorf("back from a case, the rows differ: %s", cmp.Diff(second, now))
	}
	// A row that says another age may be a line lower or higher.
	b.until(fmt.Sprintf(`(box => box.top >= 0 && box.bottom <= innerHeight)(document.querySelector('[data-lookup="%s"]').getBoundingClientRect())`, last))
	b.size(1440, 900)
}
