package views

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/decision"
	"cotejo/internal/employment"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/webhook"
)

// CasePage is one lookup with everything known of it.
type CasePage struct {
	Page
	Case           lookup.Case
	Profile        *profile.Profile    // nil until one was fetched
	History        *employment.History // nil until one was fetched
	ProfileMore    lookup.Cells        // what the source says beside who the person is
	Entities       []EntityTable       // the other kinds of data, as last read
	Documents      []Document          // newest first
	ProfilePull    PullNote
	EmploymentPull PullNote
	Deliveries     []CaseDelivery    // oldest first
	Revealed       map[string]string // "curp", "rfc", "nss": the full value, shown on this page once
	Desk           Desk              // the date of the figures, and the decision notes
	Work           CaseWork          // whose case it is, its tags and notes
	Change         *CaseChange       // nil while there is one answer only
	Earlier        uuid.UUID         // the same person's latest other success, to which a refusal as too recent leads
}

// PullNote is the response that shown facts come from. The zero value means there is none.
type PullNote struct {
	UID        uuid.UUID
	FetchedAt  time.Time
	Size       int64
	SHA256     string // hex
	HTTPStatus int
	Pages      int       // answers it came in
	Delivery   uuid.UUID // the one that caused it; zero when Cotejo asked by itself
}

// Is tells whether there is a response.
func (n PullNote) Is() bool { return !n.FetchedAt.IsZero() }

// CaseDelivery is a delivery received for a lookup, its body with personal data masked.
type CaseDelivery struct {
	webhook.Delivery
	MaskedBody string
}

// attempt gives the latest attempt; a lookup always has one, but a page must not fail over it.
func (v CasePage) attempt() lookup.Attempt {
	if len(v.Case.Attempts) == 0 {
		return lookup.Attempt{Number: 1, Source: v.Case.Source, State: v.Case.State, RequestAt: v.Case.RequestedAt, Profile: v.Case.Profile, Employment: v.Case.Employment}
	}
	return v.Case.Attempts[0]
}

func (v CasePage) earlier() []lookup.Attempt {
	if len(v.Case.Attempts) < 2 {
		return nil
	}
	return v.Case.Attempts[1:]
}

func (v CasePage) path(more string) string { return "/lookups/" + v.Case.UID.String() + more }

func (v CasePage) stream() string {
	return "/lookups/live?ids=" + v.Case.UID.String() + "&view=case" + v.asOfQuery("&")
}

func (v CasePage) status() lookup.Status { return v.Case.State.Status }

// name is the page's heading: the person's name once a profile gave one.
func (v CasePage) name() string {
	if v.Case.PersonName != "" {
		return v.Case.PersonName
	}
	if v.Profile != nil && v.Profile.FullName() != "" {
		return v.Profile.FullName()
	}
	return v.T("ui.absent.no_name")
}

// asOf is the day the history was true on: the day it was fetched, where figures are dated and not where the reader is,
// so that every reader sees one drawing (docs/figures.md, The date). A spell that is open in it runs to that day and no
// further, whenever the page is read.
func (v CasePage) asOf() time.Time {
	if !v.EmploymentPull.Is() {
		return decision.Day(v.Now)
	}
	return decision.Day(v.EmploymentPull.FetchedAt)
}

// moving tells whether this page will change without anybody acting.
func (v CasePage) moving() bool {
	return v.status().Open() || !v.status().Known() || v.status() == lookup.Success && (v.arriving(v.Case.Profile) || v.arriving(v.Case.Employment))
}

// arriving tells whether data of a success is still to come; a success whose pull was not yet begun counts. Buró names what
// there is, and all of it is being fetched from the same moment on: what was not begun there will not come.
func arriving(d lookup.Dialect, s lookup.PullState) bool {
	return s == lookup.PullFetching || d != lookup.Buro && (s == lookup.PullNone || s == "")
}

func (v CasePage) arriving(s lookup.PullState) bool { return arriving(v.Case.Dialect, s) }

// stateWords is the sentence at the top of the page, and the one below it.
type stateWords struct{ Head, Text string }

// state puts into words where the lookup stands and whether anything is missing. A status says nothing of the data:
// a success may be empty, partial, still arriving, or have lost a fetch.
func (v CasePage) state() stateWords {
	s := v.status()
	switch {
	case s == lookup.Success:
		return v.successState()
	case s.Open() || !s.Known():
		return v.openState()
	}
	return stateWords{v.T("ui.status_next." + string(s)), v.T("lookups.state." + string(s))}
}

func (v CasePage) openState() stateWords {
	if v.status() == lookup.Queued {
		return stateWords{v.T("ui.status_next.queued"), v.T("lookups.state.queued")}
	}
	if v.overdue() {
		return stateWords{v.T("ui.status_next.pending"), v.T("lookups.state.pending_long")}
	}
	return stateWords{v.T("ui.status_next.pending"), v.T("lookups.state.pending")}
}

func (v CasePage) successState() stateWords {
	prof, emp := v.Case.Profile, v.Case.Employment
	switch {
	case prof == lookup.PullFailed || emp == lookup.PullFailed:
		what := "lookups.state.failed_both"
		switch {
		case prof != lookup.PullFailed:
			what = "lookups.state.failed_employment"
		case emp != lookup.PullFailed:
			what = "lookups.state.failed_profile"
		}
		return stateWords{v.T("lookups.state.failed_title"), v.T("lookups.state.failed", "What", v.T(what))}
	case v.arriving(prof) || v.arriving(emp):
		return stateWords{v.T("lookups.state.arriving_title"), v.T("lookups.state.arriving")}
	case pullWord(emp) == string(lookup.PullNone):
		return stateWords{v.T("lookups.state.elsewhere_title"), v.T("lookups.state.elsewhere")}
	case emp == lookup.PullEmpty:
		return stateWords{v.T("lookups.state.empty_title"), v.T("lookups.state.empty")}
	case emp == lookup.PullPartial || prof == lookup.PullPartial:
		return stateWords{v.T("lookups.state.partial_title"), v.T("lookups.state.partial")}
	case prof == lookup.PullEmpty:
		return stateWords{v.T("ui.status_next.success"), v.T("lookups.state.success")}
	}
	a := v.attempt()
	if a.SettledAt.IsZero() || a.SettledAt.Before(a.RequestAt) {
		return stateWords{v.T("ui.status_next.success"), v.T("lookups.state.complete_no_time")}
	}
	return stateWords{v.T("ui.status_next.success"), v.T("lookups.state.complete", "Span", v.P.Span(a.SettledAt.Sub(a.RequestAt)))}
}

// explained is the answer to "what does it mean, who acts, what next" for an outcome without success.
type explained struct {
	Title, Meaning, Next string
	Actor                string
	Code                 string
	Known                bool
}

// explain reads the detail of an unsuccessful outcome. A detail that is not in the catalogue is shown as it came and
// never guessed at.
func (v CasePage) explain() explained {
	code, actor := v.Case.State.Detail, string(v.status().Actor())
	if code == "" {
		return explained{Title: v.T("lookups.ask.no_code"), Meaning: v.state().Text, Next: v.T("lookups.ask.no_code_next"), Actor: actor}
	}
	d := v.P.Detail(code, string(v.Case.Platform))
	if !d.Known {
		return explained{Title: v.T("lookups.ask.unknown_title"), Meaning: v.T("lookups.ask.unknown"), Next: v.T("lookups.ask.unknown_next"), Actor: actor, Code: code}
	}
	return explained{Title: d.Title, Meaning: d.Meaning, Next: d.Next, Actor: turn(v.status(), d.Actor), Code: code, Known: true}
}

// turn is who acts next on an outcome. A fault at the source is over with its attempt: what comes next is up to whom the
// status names, as every list says, and not to the source.
func turn(status lookup.Status, actor string) string {
	if lookup.Actor(actor) == lookup.ActorSource && !status.Open() {
		return string(status.Actor())
	}
	return actor
}

// asks tells whether somebody has to do something, so that the three columns are shown.
func (v CasePage) asks() bool {
	s := v.status()
	return s == lookup.Incomplete || s == lookup.Error || s == lookup.Expired
}

// message is a text for the person, "" when it is not theirs to act or the reason is not known well enough to repeat.
func (v CasePage) message() string {
	e := v.explain()
	if !v.asks() || !e.Known || e.Actor != string(lookup.ActorPerson) {
		return ""
	}
	platform := string(v.Case.Platform)
	if !v.Case.Platform.Requestable() {
		platform = "unknown"
	}
	source := v.T("lookups.message.source." + platform)
	if v.Case.Reference == "" {
		return v.T("lookups.message.text_no_reference", "Source", source, "Title", e.Title)
	}
	return v.T("lookups.message.text", "Source", source, "Title", e.Title, "Reference", v.Case.Reference)
}

// remark explains the detail of a success, such as that no source had anything; ok is false when there is none.
func (v CasePage) remark() (d locale.Detail, ok bool) {
	if v.status() != lookup.Success || v.Case.State.Detail == "" {
		return locale.Detail{}, false
	}
	d = v.P.Detail(v.Case.State.Detail, string(v.Case.Platform))
	return d, d.Known
}

// warning reads the observation beside the status; ok is false when there is none.
func (v CasePage) warning() (d locale.Detail, ok bool) {
	code := v.Case.State.Warning
	if code == "" {
		return locale.Detail{}, false
	}
	if d = v.P.Warning(code); !d.Known {
		d = v.P.Detail(code, string(v.Case.Platform)) // a failed refresh leaves a status detail here
	}
	return d, true
}

// pullWords says how far one kind of data has come.
func (v CasePage) pullWords(kind string, state lookup.PullState) string {
	words := v.T("ui.pull." + kind + "." + pullWord(state))
	if kind == "employment" && v.History != nil && len(v.History.Records) > 0 {
		return v.T("lookups.case.employment_records", "State", words, "Records", v.T("ui.count.records", "Count", len(v.History.Records)))
	}
	return words
}

// digest shortens a hash to what a person compares.
func digest(sum string) string {
	if len(sum) <= 14 {
		return sum
	}
	return sum[:8] + "…" + sum[len(sum)-4:]
}

func digestOf(sum []byte) string { return digest(hex.EncodeToString(sum)) }

// vacancy says why there is no history to show.
type vacancy struct{ Icon, Title, Body string }

// vacant tells why the history has nothing to draw; ok is false when it has.
func (v CasePage) vacant() (vacancy, bool) {
	say := func(icon, kind string) (vacancy, bool) {
		return vacancy{icon, v.T("lookups.jobs." + kind + "_title"), v.T("lookups.jobs." + kind + "_body")}, true
	}
	if v.History != nil && len(v.History.Records) > 0 {
		return vacancy{}, false
	}
	switch v.Case.Employment {
	case lookup.PullEmpty, lookup.PullComplete, lookup.PullPartial:
		return say("doc", "empty")
	case lookup.PullFailed:
		return say("error", "failed")
	case lookup.PullFetching:
		return say("pending", "fetching")
	}
	switch {
	case v.status().Open():
		return say("clock", "waiting")
	case v.status() == lookup.Success && v.arriving(v.Case.Employment):
		return say("pending", "fetching")
	case v.status() == lookup.Success:
		return say("doc", "elsewhere")
	}
	return say("doc", "never")
}

func ageWord(p Page, birth, now time.Time) string {
	return p.T("ui.count.years_old", "Count", yearsBetween(birth, decision.Day(now)))
}

// yearsBetween counts birthdays passed; in common years somebody born on 29 February turns on 1 March.
func yearsBetween(birth, today time.Time) int {
	years := today.Year() - birth.Year()
	if today.Month() < birth.Month() || today.Month() == birth.Month() && today.Day() < birth.Day() {
		years--
	}
	return max(years, 0)
}
