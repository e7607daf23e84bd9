package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/webhook"
)

// PersonPage is everything known of one person in one environment, whoever was asked.
type PersonPage struct {
	Page
	UID           uuid.UUID
	CURP, RFC     string // exactly one of the two
	Name, NSS     string // "" until a profile arrived
	Revealed      map[string]string
	Lookups       []lookup.Row // newest first
	More          bool         // there are older ones
	Sources       []PersonSource
	Compared      []SourcePair
	History       []Happening // newest first
	After, Before string      // opaque keys of the older and newer stretches of the history, "" = none
}

// PersonSource is the newest answer of one source. Answers stand side by side and are never merged: the same months may be
// in two of them.
type PersonSource struct {
	Row          lookup.Row
	Profile      *profile.Profile
	Employment   *employment.History
	EmploymentAt time.Time // when the employment was fetched; zero without one
	Digest       string    // of the answer it was read from, hex
	Entities     []lookup.Entity
}

// SourcePair is what two sources say differently of the same institution; with no changes they agree.
type SourcePair struct {
	A, B    lookup.Row
	Changes []employment.Change
	Records int // of the first one
}

// HappeningKind is what a line of the history tells of.
type HappeningKind string

const (
	HappenedLookup   HappeningKind = "lookup"
	HappenedAttempt  HappeningKind = "attempt"
	HappenedOutcome  HappeningKind = "outcome"
	HappenedPull     HappeningKind = "pull"
	HappenedDelivery HappeningKind = "delivery"
	HappenedConsent  HappeningKind = "consent"
	HappenedAct      HappeningKind = "act"
	HappenedNote     HappeningKind = "note"
	HappenedExport   HappeningKind = "export"
)

// Happening is one line of the history: who asked, what came, who looked.
type Happening struct {
	At        time.Time
	Kind      HappeningKind
	Who       string // "" when nobody of ours did it
	Word      string // of the kind's fixed set: a source, a status, a pull state, a verdict, an act, a kind of file
	Text      string // what belongs to it: a number, a code, a kind of data, an event, a version
	LookupUID uuid.UUID
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	Delivery  uuid.UUID
	Reason    string    // of an export
	Receipt   uuid.UUID // of an export; zero when the reader may not open it
}

// spellsShown is how many records of a source stand open; the others fold away.
const spellsShown = 8

func (v PersonPage) path(more string) string { return "/people/" + v.UID.String() + more }

// stream is the address of the live stream, for the stretch of the history that is shown.
func (v PersonPage) stream() string {
	_, query, _ := strings.Cut(v.Path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		values = url.Values{}
	}
	return withQuery(v.path("/live"), url.Values{}, []string{"after", values.Get("after"), "before", values.Get("before")})
}

func (v PersonPage) name() string { return orElse(v.Name, v.T("ui.absent.no_name")) }

func (v PersonPage) links() PageLinks {
	links := PageLinks{Rows: len(v.History)}
	if v.Before != "" {
		links.Newer = v.path("?before=" + v.Before + "#history")
	}
	if v.After != "" {
		links.Older = v.path("?after=" + v.After + "#history")
	}
	return links
}

// askedWord names a source with the vendor through which it was asked.
func askedWord(p Page, platform lookup.Platform, dialect lookup.Dialect) string {
	return p.T("person.source", "Platform", platformWord(p, platform), "Vendor", dialectWord(p, dialect))
}

func sourceOf(p Page, r lookup.Row) string { return askedWord(p, r.Platform, r.Dialect) }

// gist is the one-line answer of a source, its tenure reckoned to the day it answered.
func (s PersonSource) gist(p Page) gist { return gistOf(p, s.Row) }

// span writes the dates of a record.
func recordSpan(p Page, r employment.Record) string {
	start, end := "", ""
	if !r.Start.IsZero() {
		start = r.Start.Format(time.DateOnly)
	}
	if !r.Open() {
		end = r.End.Format(time.DateOnly)
	}
	return spanWords(p, start, end)
}

// recordPay is what a record says of money: monthly where given, else by day.
func recordPay(p Page, r employment.Record) string {
	switch {
	case r.Monthly != "":
		return p.T("ui.money.monthly", "Amount", p.P.Money(r.Monthly))
	case r.BaseSalary != "":
		return p.T("person.daily", "Amount", p.P.Money(r.BaseSalary))
	}
	return p.T("lookups.gist.no_salary")
}

// sideWord is what one of two sources says; a record that it does not have is said so.
func sideWord(p Page, c employment.Change, value string) string {
	if value == "" && (c.Kind == employment.NewJob || c.Kind == employment.GoneJob) {
		return p.T("person.difference.none")
	}
	return changeValue(p, c, value)
}

func differenceWord(p Page, c employment.Change) string {
	switch c.Kind {
	case employment.NewJob, employment.GoneJob:
		return p.T("person.difference.one_only")
	case employment.EndedJob, employment.ReopenedJob:
		return p.T("person.difference.end")
	}
	return changeWord(p, c)
}

// happenedWords is the sentence of a line.
func happenedWords(p Page, h Happening) string {
	switch h.Kind {
	case HappenedLookup:
		return p.T("person.happened.lookup", "Source", askedWord(p, h.Platform, h.Dialect))
	case HappenedAttempt:
		return p.T("person.happened.attempt", "Number", h.Text)
	case HappenedOutcome:
		return statusWord(p, lookup.Status(h.Word))
	case HappenedPull:
		return p.T("lookups.story.entity", "Entity", entityWord(p, lookup.Entity(h.Text)), "State", p.T("lookups.entity.word."+pullWord(lookup.PullState(h.Word))))
	case HappenedDelivery:
		return p.T("person.happened.delivery", "Verdict", p.T("ui.verdict."+h.Word))
	case HappenedConsent:
		return p.T("person.happened.consent", "Means", meansWord(p, h.Word), "Version", h.Text)
	case HappenedExport:
		return p.T("person.exported." + h.Word)
	}
	if h.Kind == HappenedNote {
		return p.T("person.happened.note")
	}
	if id := actID(h.Word); p.P.Has(id) {
		if h.Text != "" {
			return p.T(id) + ": " + h.Text
		}
		return p.T(id)
	}
	return p.T("person.act.unnamed")
}

// happenedBy is who did it, and what was asked.
func happenedBy(p Page, h Happening) string {
	if h.Kind == HappenedLookup || h.Platform == "" {
		return h.Who
	}
	return join(p, h.Who, askedWord(p, h.Platform, h.Dialect))
}

// happenedCode is the source's or our own word beside the sentence, "" where the sentence says it all.
func happenedCode(p Page, h Happening) string {
	switch {
	case h.Kind == HappenedOutcome || h.Kind == HappenedDelivery:
		return h.Text
	case h.Kind == HappenedAct && !p.P.Has(actID(h.Word)):
		return h.Word
	}
	return ""
}

func actID(act string) string { return "person.act." + strings.ReplaceAll(act, ".", "_") }

func happenedIcon(h Happening) string {
	switch h.Kind {
	case HappenedLookup, HappenedAttempt:
		return "send"
	case HappenedOutcome:
		return statusMark(lookup.Status(h.Word))
	case HappenedPull:
		if lookup.PullState(h.Word) == lookup.PullFailed {
			return "error"
		}
		return "down"
	case HappenedDelivery:
		if webhook.Verdict(h.Word) == webhook.Refused {
			return "refused"
		}
		return "inbox"
	case HappenedConsent:
		return "check"
	case HappenedNote:
		return "analyst"
	case HappenedExport:
		return "down"
	}
	switch audit.Action(h.Word) {
	case audit.CURPRevealed, audit.NSSRevealed, audit.RFCRevealed, audit.BodyRevealed, audit.DeliveryBody, audit.PullRevealed, audit.PullBody:
		return "key"
	case audit.LookupExported, audit.ReportTaken, audit.DocumentTaken:
		return "down"
	}
	return "eye"
}

// newDayAt tells whether a line of the history falls on another day than the one above it.
func (v PersonPage) newDayAt(i int) bool {
	day := func(t time.Time) string { return t.In(v.P.Zone()).Format(time.DateOnly) }
	return i == 0 || day(v.History[i].At) != day(v.History[i-1].At)
}

// weeksWord is a count of weeks as given; absence is said.
func weeksWord(p Page, n *int) string {
	if n == nil {
		return p.T("lookups.weeks.not_given")
	}
	return p.P.Number(int64(*n))
}
