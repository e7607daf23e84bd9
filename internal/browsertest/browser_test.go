package browsertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is one page of a browser, with all that goes wrong on it.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string // of the process it talks to

	mu       sync.Mutex
	problems []string
	requests []request
	allowed  map[int64]bool // statuses of answers that the test asks for
	lost     bool           // its process is away
	method   string         // of the request for the newest document
	where    string         // its path
	status   int64          // of the answer
	loaded   chan int64     // status of each document once it is loaded
}

const pollEvery = 20 * time.Millisecond

type request struct{ method, path string }

// visitor opens a tab in a browser of its own: no cookie, storage or cache is shared with other visitors.
func visitor(t testing.TB, base string) *tab {
	t.Helper()
	browser, err := shared.browser()
	if err != nil {
		t.Fatal(err)
	}
	return newTab(t, browser, base, chromedp.WithNewBrowserContext())
}

// another opens one more tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, b.base)
}

func newTab(t testing.TB, parent context.Context, base string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	b := &tab{t: t, ctx: ctx, base: base, allowed: map[int64]bool{}, loaded: make(chan int64, 1)}
	t.Cleanup(func() {
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, problem := range b.problems {
			t.Errorf("on a page: %s", problem)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the first use must not be under a limit
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `addEventListener("htmx:sse:after:message", () => { window.streamed = (window.streamed ?? 0) + 1 }, true)`})
		return chromedp.Void{}, err
	})
	b.size(1440, 900)
	b.scheme("light")
	return b
}

// streamed is true once the page's stream has said its first, which draws anew what somebody may have opened meanwhile. It counts
// what the stream says.
const streamed = "window.streamed"

// hear collects problems and requests.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			text := ""
			for _, arg := range e.Args {
				text += " " + string(arg.Value) + arg.Description
			}
			if !b.lost {
				b.problems = append(b.problems, "console:"+text)
			}
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.problems = append(b.problems, "exception: "+text)
	case *log.EventEntryAdded:
		// Refused requests are judged by their status below, where the expected ones are known.
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Level != log.EntryLevelVerbose {
			b.problems = append(b.problems, fmt.Sprintf("log: %s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		if at, err := url.Parse(e.Request.URL); err == nil && at.Scheme != "data" {
			b.requests = append(b.requests, request{e.Request.Method, at.Path})
			if e.Type == network.ResourceTypeDocument {
				b.method, b.where = e.Request.Method, at.Path
			}
			if !strings.HasPrefix(e.Request.URL, b.base+"/") {
				b.problems = append(b.problems, "request to another host: "+e.Request.URL)
			}
			for _, p := range people {
				if strings.Contains(e.Request.URL, p.curp) {
					b.problems = append(b.problems, "a CURP in the address of a request to "+at.Path)
				}
			}
		}
	case *page.EventLoadEventFired:
		b.arrived()
	case *page.EventFrameNavigated:
		if e.Type == page.NavigationTypeBackForwardCacheRestore { // the way back may need no loading
			b.arrived()
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			b.status = e.Response.Status
		}
		if status := e.Response.Status; status >= 400 && !b.allowed[status] {
			b.problems = append(b.problems, fmt.Sprintf("answer %d from %s", status, e.Response.URL))
		}
	case *network.EventLoadingFailed:
		// Streams and downloads end so when their page is left.
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" && !b.lost {
			b.problems = append(b.problems, fmt.Sprintf("failed request: %s %s", e.ErrorText, e.BlockedReason))
		}
	}
}

// arrived tells whoever waits that the tab shows another page.
func (b *tab) arrived() {
	select {
	case <-b.loaded:
	default:
	}
	b.loaded <- b.status
}

// expects allows answers of these statuses from now on.
func (b *tab) expects(statuses ...int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, status := range statuses {
		b.allowed[status] = true
	}
}

// loses allows requests to fail while the process is away.
func (b *tab) loses(lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = lost
}

// document tells how the page that the tab shows was asked for, and how that was answered.
func (b *tab) document() (method, path string, status int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.method, b.where, b.status
}

// sent forgets the requests so far and returns them.
func (b *tab) sent() []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.requests
	b.requests = nil
	return was
}

// do runs actions, or ends the test.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.fail(err)
	}
}

func (b *tab) fail(err error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience/10) // the page may be what does not answer
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main")?.innerText ?? ""`))
	b.t.Fatalf("at %s: %v\n%.1500s", where, err, text)
}

// ask evaluates an expression on the page.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	return run1(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

func run1[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.fail(err)
	}
	return v
}

// until waits for an expression to become true, without leaving the page. Timers poll, not frames: a tab in the
// background draws none.
func (b *tab) until(expression string) {
	b.t.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for limit := time.Now().Add(patience); ; {
			_, err := chromedp.Poll[chromedp.Void]("!!("+expression+")", chromedp.WithPollingInterval(pollEvery), chromedp.WithPollingTimeout(time.Until(limit)))(ctx, t)
			if err == nil {
				return chromedp.Void{}, nil
			}
			// A page that gives way to the next one takes the question with it, which is the next one's then.
			if left := strings.Contains(err.Error(), "Cannot find context"); !left || time.Now().After(limit) {
				return chromedp.Void{}, fmt.Errorf("%s: %w", expression, err)
			}
		}
	})
}

// open goes to a path and returns the status of the answer.
func (b *tab) open(path string) int64 {
	b.t.Helper()
	return b.leads(chromedp.Navigate(b.base + path))
}

// leads runs actions that lead to a page, waits until it is loaded and returns the status of the answer.
func (b *tab) leads(actions ...chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	select {
	case <-b.loaded: // of a navigation that nobody waited for
	default:
	}
	b.do(actions...)
	select {
	case status := <-b.loaded:
		return status
	case <-time.After(patience):
		b.fail(errors.New("no page was loaded"))
		return 0
	}
}

func click(css string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(css)) }

func fill(css, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.Clear(chromedp.CSS(css)), chromedp.SendKeys(chromedp.CSS(css), text))
}

func press(keys string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(keys) }

// path is where the tab is.
func (b *tab) path() string {
	b.t.Helper()
	at, err := url.Parse(run1(b, chromedp.Location()))
	if err != nil {
		b.t.Fatal(err)
	}
	return at.Path
}

// address is where the tab is, with all that stands behind the path.
func (b *tab) address() string {
	b.t.Helper()
	return strings.TrimPrefix(run1(b, chromedp.Location()), b.base)
}

// text is what the first such element says, without markup.
func (b *tab) text(css string) string {
	b.t.Helper()
	if b.count(css) == 0 {
		b.fail(fmt.Errorf("there is no %s", css))
	}
	return strings.Join(strings.Fields(ask[string](b, fmt.Sprintf("document.querySelector(%q).textContent", css))), " ")
}

// count is how many elements match.
func (b *tab) count(css string) int {
	b.t.Helper()
	return ask[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", css))
}

// says fails the test if the element lacks one of the texts.
func (b *tab) says(css string, texts ...string) {
	b.t.Helper()
	said := b.text(css)
	for _, text := range texts {
		if !strings.Contains(said, text) {
			b.t.Errorf("%s at %s lacks %q; it says: %.600s", css, b.path(), text, said)
		}
	}
}

// size sets the window, scheme the colours it prefers. Motion is off: what is measured is the end of each transition.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

func (b *tab) scheme(colours string) {
	b.t.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: colours}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return chromedp.Void{}, err
	})
}

// front shows the tab as if it had been clicked on.
func (b *tab) front() {
	b.t.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.BringToFront, cdp.Empty{})
		return chromedp.Void{}, err
	})
}

// scripts switches scripts of the pages on or off.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return chromedp.Void{}, err
	})
}

// signIn signs in through the form.
func (b *tab) signIn(email, password string) {
	b.t.Helper()
	b.open("/login")
	b.leads(fill("#email", email), fill("#password", password), press("\r"))
}

// admin is a visitor who is signed in as the first administrator.
func admin(t testing.TB, p *process) *tab {
	t.Helper()
	b := visitor(t, p.url)
	b.signIn(adminEmail, adminPassword)
	if at := b.path(); at != "/" {
		t.Fatalf("signing in led to %s", at)
	}
	return b
}

// request sends the form for a new lookup and returns the lookup's id.
func (b *tab) request(curp, reference string) string {
	b.t.Helper()
	b.open("/lookups/new")
	still := b.steady("#new-lookup .form__acts button")
	b.do(fill("#curp", curp))
	b.until(`document.querySelector("#curp-says [role=status]")`)
	still("the check of " + curp[:4])
	b.leads(fill("#external_id", reference), click("#consent"), click("#new-lookup .form__acts button"))
	id, found := strings.CutPrefix(b.path(), "/lookups/")
	if !found || len(id) != 36 {
		b.t.Fatalf("asking for a lookup led to %s", b.path())
	}
	return id
}

// search sends a text through the box and returns where that leads.
func (b *tab) search(text string) (path string) {
	b.t.Helper()
	b.open("/search")
	b.leads(fill("#seek", text), press("\r"))
	return b.path()
}

// steady remembers where an element is on the page and returns a check that it still is there: a click that is on its way
// must not land on something else.
func (b *tab) steady(css string) (still func(after string)) {
	b.t.Helper()
	const where = `document.fonts.ready.then(() => document.querySelector(%q).getBoundingClientRect().top + scrollY)`
	at := ask[float64](b, fmt.Sprintf(where, css))
	return func(after string) {
		b.t.Helper()
		if now := ask[float64](b, fmt.Sprintf(where, css)); now != at {
			b.t.Errorf("%s moved %s from %g to %g", after, css, at, now)
		}
	}
}

func (b *tab) title() string {
	b.t.Helper()
	return run1(b, chromedp.Title())
}
