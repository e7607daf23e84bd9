// Package views holds the pages of the console and the parts they are made of. A component gets everything it shows in
// one struct: it does no I/O, asks no clock and reads no setting, so that the same struct always gives the same bytes.
// Every sentence comes from package locale; nothing here carries an inline script, style or handler, because the
// content security policy allows none.
package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"cotejo/internal/auth"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
)

// Page is what every page knows. Each page's own struct embeds it.
type Page struct {
	P           *locale.Printer
	User        auth.User // zero before sign-in
	Env         lookup.Environment
	Institution string // the lender's name, as its people say it
	Now         time.Time
	Nav         string // key of the current link: overview, lookups, new, deliveries, people, users, connection, account
	Title       string // never a person's name, CURP or NSS: titles stay in the browser's history
	Flashes     []Flash
	Paused      string                   // why the vendor refused our key (a code), "" while calls go out
	Hooks       string                   // what is wrong with receiving: HooksQuiet, HooksFailing or HooksOff; "" when nothing
	Asset       func(name string) string // "app.css" to its URL with a hash; "" when it was not built
	Theme       string                   // "" (as the system), "light" or "dark"
	Path        string                   // where the language and theme switches return to
	Search      string                   // what stands in the search box
	Waiting     int                      // lookups in which an analyst has to act, capped at WaitingCap
}

// The values of Page.Hooks, the gravest first.
const (
	HooksOff     = "vendor_off" // the vendor switched a subscription off by itself
	HooksFailing = "failing"    // much of what comes is refused
	HooksQuiet   = "quiet"      // nothing comes although attempts are open
	HooksMissing = "missing"    // outcomes are known, or overdue, that no webhook told
)

// WaitingCap is where counts beside navigation and actors stop: an exact total on a hot path costs more than it tells.
const WaitingCap = 99

// Note is a sentence to be said later: a message id and the pairs that fill it. Dates among the pairs (time.Time) are
// written the reader's way, other values as locale's Printer.T does.
type Note struct {
	ID   string
	Args []any
}

// Is tells whether there is anything to say.
func (n Note) Is() bool { return n.ID != "" }

// Flash is a message shown once, on the page after the act it speaks of. Kind is "success", "error" or "info".
type Flash struct {
	Kind string
	ID   string
	Args []any
}

// T says a message in the reader's language.
func (p Page) T(id string, kv ...any) string { return p.P.T(id, kv...) }

// Say puts a note into words.
func (p Page) Say(n Note) string {
	args := make([]any, len(n.Args))
	for i, arg := range n.Args {
		if date, ok := arg.(time.Time); ok {
			arg = p.P.Date(date)
		}
		args[i] = arg
	}
	return p.P.T(n.ID, args...)
}

// Act is where a form is sent whose act belongs to the environment that this page was made for. When the console changed
// over meanwhile, nothing is done: what was meant for invented people must not reach a vendor that bills.
func (p Page) Act(path string) templ.SafeURL {
	return templ.SafeURL(path + "?environment=" + string(p.Env))
}

// query is what stands behind the address of the page, with its question mark: the tab and page of a list, which a stream
// has to know of.
func (p Page) query() string {
	if _, query, ok := strings.Cut(p.Path, "?"); ok {
		return "?" + query
	}
	return ""
}

// May tells whether the signed-in user has a power.
func (p Page) May(power auth.Power) bool { return p.User.Role.May(power) }

// Sandbox tells whether this page shows test data.
func (p Page) Sandbox() bool { return p.Env == lookup.Sandbox }

// SignedIn tells whether somebody is.
func (p Page) SignedIn() bool { return p.User.ID != 0 }

// asset gives an asset's URL, "" when there is none: a build without npm serves plain pages.
func (p Page) asset(name string) string {
	if p.Asset == nil {
		return ""
	}
	return p.Asset(name)
}

// documentTitle is the text of <title>. Test data says so even in a row of browser tabs.
func (p Page) documentTitle() string {
	if p.Sandbox() {
		return p.T("ui.app.title_sandbox", "Page", p.Title)
	}
	return p.T("ui.app.title", "Page", p.Title)
}

// capped writes a count that stops at WaitingCap: "7", "99+".
func capped(n int) string {
	if n >= WaitingCap {
		return strconv.Itoa(WaitingCap) + "+"
	}
	return strconv.Itoa(n)
}

// otherLanguage is the language that the switch offers.
func (p Page) otherLanguage() string {
	if p.P.Lang() == "en" {
		return "es-MX"
	}
	return "en"
}

// languageName is how a language calls itself; people look for their own word in a page they cannot read.
func (p Page) languageName(lang string) string {
	if lang == "en" {
		return p.T("ui.app.lang_en")
	}
	return p.T("ui.app.lang_es")
}
