package browsertest

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// focused describes what has the focus, and whether that can be seen.
const focused = `(() => {
	const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
	return {
		what: [e.tagName.toLowerCase(), e.id && "#" + e.id, e.name && "[name=" + e.name + "]", e.type ?? ""].join(""),
		says: (e.innerText ?? "").trim().slice(0, 60),
		seen: style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
	};
})()`

type focus struct {
	What string `json:"what"`
	Says string `json:"says"`
	Seen bool   `json:"seen"`
}

// tabTo presses Tab until the element has the focus, which must be visible at every stop on the way.
func (b *tab) tabTo(css string) {
	b.t.Helper()
	var stops []string
	for range 120 {
		b.do(press("\t"))
		at := ask[focus](b, focused)
		if !at.Seen {
			b.t.Errorf("the focus on %s (%s) at %s cannot be seen", at.What, at.Says, b.path())
		}
		if ask[bool](b, `document.activeElement.matches(`+"`"+css+"`"+`)`) {
			return
		}
		stops = append(stops, at.What)
	}
	b.t.Fatalf("Tab does not lead to %s at %s, only to %s", css, b.path(), strings.Join(stops, " "))
}

// strike presses a key as a keyboard does: whether it types anything is up to the page, which press does not ask.
func strike(key string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			e := input.DispatchKeyEventParams{Type: kind, Key: key}
			if kind == input.DispatchKeyEventTypeKeyDown {
				e.Text = key
			}
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
				return chromedp.Void{}, err
			}
		}
		return chromedp.Void{}, nil
	}
}

// TestKeyboard signs in, asks for a lookup and reads the list without a mouse.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := visitor(t, s.serve().url)
	b.open("/login")
	b.do(press("\t"))
	if at := ask[focus](b, focused); !strings.HasPrefix(at.What, "a") || !at.Seen {
		t.Errorf("the first stop is %+v, not a visible link past the navigation", at)
	}
	b.tabTo("#email")
	b.do(press(adminEmail))
	b.tabTo("#password")
	b.do(press(adminPassword))
	b.leads(press("\r"))

	b.leads(press("n")) // a new lookup
	if at := b.path(); at != "/lookups/new" {
		t.Fatalf("n leads to %s", at)
	}
	b.do(press("\t"), press("\r")) // past the navigation
	if at := ask[string](b, "document.activeElement.id"); at != "main" {
		t.Errorf("the link past the navigation leads to %q", at)
	}
	b.tabTo("#curp")
	b.do(press("POTP910411HASBMP04"))
	b.until(`document.querySelector("#curp-says [role=status]")`)
	b.tabTo("[name=external_id]")
	b.do(press("SOL n ? j /")) // what is typed is text, not keys
	b.tabTo("[name=consent]")
	b.do(press(" "))
	b.leads(press("\r"))
	b.finished("incomplete", "none")
	b.says(".person__ids", "SOL n ? j /")
	b.request("AUAT940412HCLQQM08", "SOL-2")

	b.open("/lookups")
	b.do(strike("/"))
	if !ask[bool](b, `document.activeElement.matches("[data-search]")`) {
		t.Error("/ does not lead to the search box")
	}
	b.do(press("sol / n")) // in the box, keys are text
	if got := ask[string](b, "document.activeElement.value"); got != "sol / n" {
		t.Errorf("the box holds %q", got)
	}
	ask[any](b, "document.activeElement.blur(), null")
	at := func() int {
		return ask[int](b, `[...document.querySelectorAll("[data-row]")].findIndex(row => row.contains(document.activeElement))`)
	}
	for _, move := range []struct {
		key string
		row int
	}{{"j", 0}, {"j", 1}, {"j", 1}, {"k", 0}, {"k", 0}, {"j", 1}} {
		b.do(press(move.key))
		if got := at(); got != move.row {
			t.Errorf("%s leads to row %d, not %d", move.key, got, move.row)
		}
		if f := ask[focus](b, focused); !f.Seen {
			t.Errorf("the focus in row %d cannot be seen", move.row)
		}
	}
	b.do(press("?"))
	b.until(`document.querySelector("#keys:popover-open")`)
	b.do(press("\x1b"))
	b.until(`!document.querySelector("#keys:popover-open")`)
	b.leads(press("\r")) // the row's own link
	b.says("#lookup", "curp_has_inconsistencies")

	// Found again from there: "/" takes what stands in the box away with the first letter, Enter sends and opens.
	b.do(strike("/"))
	b.leads(press("sol-2\r"))
	b.says("[data-reading]", "sol-2")
	b.do(press("j"))
	b.leads(press("\r"))
	b.says(".person__ids", "SOL-2")
	b.do(strike("/"))
	b.leads(press("AUAT940412HCLQQM08\r"))
	if at := b.path(); strings.Contains(at, "AUAT") || b.count(`[data-reading="curp"]`) != 1 {
		t.Errorf("a CURP leads to %s", at)
	}
	b.do(press("j"))
	b.leads(press("\r"))
	if at := b.path(); !strings.HasPrefix(at, "/people/") {
		t.Errorf("the person found leads to %s", at)
	}
	if kept := ask[string](b, `JSON.stringify([{...localStorage}, {...sessionStorage}])`); strings.Contains(kept, "AUAT") {
		t.Errorf("the browser keeps %s", kept)
	}

	readByKeys(s, b)

	// The single keys can be switched off (WCAG 2.2, 2.1.4).
	b.do(press("?"), click("[data-keys-switch]"), press("\x1b"))
	ask[any](b, "document.activeElement.blur(), null")
	b.do(press("n"))
	if at := b.path(); at == "/lookups/new" {
		t.Error("a key works that was switched off")
	}
}

// readByKeys asks for somebody with a history, reads it, decides on it and takes the file.
func readByKeys(s *site, b *tab) {
	b.t.Helper()
	b.leads(press("n"))
	b.tabTo("#curp")
	b.do(press("LALE870908HDFRPD02"))
	b.until(`document.querySelector("#curp-says [role=status]")`)
	b.tabTo("[name=consent]")
	b.do(press(" "))
	b.leads(press("\r"))
	b.finished("success", "complete")
	id := strings.TrimPrefix(b.path(), "/lookups/")
	s.until(`profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, id)
	b.until(`document.querySelector("#h-profile")`)
	b.tabTo("#line") // the drawing scrolls by the arrow keys
	b.tabTo("td a.fact")
	b.leads(press("\r"))
	if at := b.path(); !strings.HasPrefix(at, "/pulls/") {
		b.t.Errorf("a fact leads to %s", at)
	}
	b.tabTo("#pull-lookup")
	b.leads(press("\r"))
	b.tabTo("#reason")
	b.do(press("Continuidad de tres años."))
	b.tabTo("#decide-save")
	b.leads(press("\r"))
	b.says("[data-decision]", "Continuidad de tres años.")
	b.do(strike("/")) // back to the top
	b.tabTo("#case-csv")
	if rows := readCSV(b.t, b.download(press("\r")).bytes); len(rows) < 2 {
		b.t.Error("the file has no rows")
	}
}
