package views

import "github.com/a-h/templ"

// htmxConfig is read by htmx from its meta tag. Its own indicator style would be an inline style, which the policy
// refuses. Only the stream extension is let in; the one that keeps pages in browser storage is not even bundled
// (OWASP ASVS 5.0, 14.3.3: no personal data in browser storage). A fold that the reader opened stays open when its page
// changes under it, and so do an identifier just revealed and the question for a password before it.
const htmxConfig = `{"includeIndicatorCSS":false,"extensions":"sse","transitions":false,"morphIgnore":["data-htmx-powered","open"],"morphSkip":"[hx-morph-skip], .reveal:has([data-focus])"}`

// themes are the values of the theme switch; "" follows the system.
var themes = []string{"", "light", "dark"}

func themeWord(theme string) string {
	if theme == "" {
		return "system"
	}
	return theme
}

func themeIcon(theme string) string {
	switch theme {
	case "light":
		return "sun"
	case "dark":
		return "moon"
	}
	return "screen"
}

func themeOf(theme string) templ.Attributes {
	if theme != "light" && theme != "dark" {
		return nil
	}
	return templ.Attributes{"data-theme": theme}
}

// current marks the link of the page being shown.
func current(is bool) templ.Attributes {
	if !is {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

func pressed(is bool) string {
	if is {
		return "true"
	}
	return "false"
}

func flashIcon(kind string) string {
	switch kind {
	case "success", "error":
		return kind
	}
	return "info"
}

// liveMark is the class of a live line's state, as live.js sets it.
func liveMark(state string) string {
	switch state {
	case "paused":
		return "live--paused"
	case "lost", "stopped":
		return "live--lost"
	}
	return ""
}

// flashRole interrupts a screen reader for failures only.
func flashRole(kind string) string {
	if kind == "error" {
		return "alert"
	}
	return "status"
}

// spoken are sentences that scripts say; they fill {when} and {count}.
func spoken(p Page) templ.Attributes {
	return templ.Attributes{
		"data-changed": p.T("ui.live.changed", "When", "{when}"),
		"data-single":  p.T("layout.live.single"),
		"data-several": p.T("layout.live.several", "N", "{count}"),
		"data-failed":  p.T("layout.live.failed"),
		"data-over":    p.T("layout.live.over"),
		"data-signin":  p.T("layout.live.signin"),
	}
}
