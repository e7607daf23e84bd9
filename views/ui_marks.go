package views

import (
	"strings"

	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// statusMark names a status's icon and colour. The vendor's set is open; a word outside ours counts as not final.
func statusMark(s lookup.Status) string {
	if !s.Known() {
		return "pending"
	}
	return string(s)
}

func statusWord(p Page, s lookup.Status) string {
	if !s.Known() {
		return p.T("ui.status.unknown")
	}
	return p.T("ui.status." + string(s))
}

func verdictMark(v webhook.Verdict, cause webhook.Cause) string {
	switch {
	case cause == webhook.CauseForeign:
		return "foreign"
	case cause == webhook.CauseUnreadable:
		return "unreadable"
	}
	return string(v)
}

// pullMark borrows the shapes of statuses: they are the ones a reader knows.
func pullMark(s lookup.PullState) string {
	switch s {
	case lookup.PullFetching:
		return "pending"
	case lookup.PullComplete:
		return "success"
	case lookup.PullPartial:
		return "incomplete"
	case lookup.PullFailed:
		return "error"
	case lookup.PullEmpty:
		return "ignored"
	}
	return "queued"
}

// pullWord stands in for a state not yet set.
func pullWord(s lookup.PullState) string {
	if s == "" {
		return string(lookup.PullNone)
	}
	return string(s)
}

func actorIcon(actor string) string {
	switch actor {
	case string(lookup.ActorCotejo):
		return "we"
	case "support":
		return "send"
	case "developer":
		return "plug"
	}
	return actor
}

// masked is an identifier in three stretches, the middle one of dots.
type masked struct{ start, dots, end string }

func maskOf(kind, value string) masked {
	hidden := curp.Mask(value)
	switch kind {
	case "nss":
		hidden = curp.MaskNSS(value)
	case "rfc":
		hidden = curp.MaskRFC(value)
	}
	first, last := strings.IndexRune(hidden, '•'), strings.LastIndex(hidden, "•")
	if first < 0 {
		return masked{end: hidden}
	}
	last += len("•")
	return masked{start: hidden[:first], dots: hidden[first:last], end: hidden[last:]}
}

func maskWords(p Page, kind string, m masked) string {
	switch {
	case m.start == "" && m.end == "":
		return p.T("layout.hidden")
	case kind == "nss":
		return p.T("ui.masked.nss", "End", m.end)
	case kind == "rfc":
		return p.T("ui.masked.rfc", "Start", m.start, "End", m.end)
	}
	return p.T("ui.masked.curp", "Start", m.start, "End", m.end)
}
