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
const ofColours = `runOnly: ["color-contrast", "link-in-text-block"]`

// wide is a desk's window, narrow the one that a page has to fit without scrolling sideways (WCAG 2.2, 1.4.10).
const wide, narrow = 1440, 320

// window is how a page is looked at, and the rules that axe-core is narrowed down to, "" for all.
type window struct {
	width   int64
	colours string
	rules   string
}

// axe checks the page as it is, the best practices too, and that it does not scroll sideways. The tab keeps the last window.
func (b *tab) axe(t *testing.T, windows ...window) {
	t.Helper()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	looked.note(b.document())
	// Not by addScriptToEvaluateOnNewDocument: that compiles it anew for each document, this does not.
	b.do(chromedp.Evaluate[chromedp.Void](script))
	for _, w := range windows {
		b.size(w.width, 900)
		b.scheme(w.colours)
		for _, v := range ask[[]string](b, fmt.Sprintf(violations, w.rules)) {
			t.Errorf("%d px, %s: %s", w.width, w.colours, v)
		}
		if w.width != narrow {
			continue
		}
		if over := ask[string](b, sideways); over != "" {
			t.Errorf("scrolls sideways at %d px: %s", narrow, over)
		}
	}
}

// sideways names what reaches out of the window, unless a region of its own scrolls it.
const sideways = `document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")]
	.filter(e => e.getBoundingClientRect().right > innerWidth + 1)
	.map(e => e.tagName + "." + (e.className.baseVal ?? e.className)).slice(0, 8).join(", ") || "something"`

// spoken is how a page is looked at in both languages: four runs meet every pair of language, colours and width, and those
// with every rule both languages and both widths. Each run changes as little as it can, and the last leaves the tab as it was.
var spoken = []struct {
	lang    string
	windows []window
}{
	{"en", []window{{wide, "dark", ""}, {narrow, "light", ofColours}}},
	{"es-MX", []window{{narrow, "dark", ""}, {wide, "light", ofColours}}},
}

// look checks one page in both languages.
func (b *tab) look(name, path string, status int64) {
	b.shown(name, status, func() int64 { return b.open(path) })
}

// shown checks in both languages the page that show leads to, which goes there anew each time.
func (b *tab) shown(name string, status int64, show func() int64) {
	b.t.(*testing.T).Run(name, func(t *testing.T) {
		b.expects(status)
		b.inEach(t, func() {
			if got := show(); got != status {
				t.Fatalf("answer %d at %s", got, b.path())
			}
			if n := b.count("h1"); n != 1 {
				t.Errorf("%d headings of the first order", n)
			}
			if n := b.count(".ribbon"); n != 1 {
				t.Error("test data are shown without the ribbon")
			}
			if status == 422 {
				if focus := ask[string](b, `document.activeElement.matches("[data-focus], [role=alert]") ? "" : document.activeElement.outerHTML.slice(0, 120)`); focus != "" {
					t.Errorf("the focus is not at what is wrong, but at %s", focus)
				}
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
		b.speaks(t, in.lang)
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

func (b *tab) speaks(t *testing.T, want string) {
	t.Helper()
	if lang := ask[string](b, "document.documentElement.lang"); lang != want {
		t.Errorf("the page is in %s, not %s", lang, want)
	}
}
