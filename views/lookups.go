package views

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

// LookupsPage is the list of lookups with the form for a new one beside it.
type LookupsPage struct {
	Page
	Rows          []lookup.Row
	Values        FilterValues
	Analysts      []auth.User // those the list can be narrowed to, as who asked or whose case it is
	Tags          []lookup.Tag
	ActorCounts   map[lookup.Actor]int // capped at WaitingCap; absent or -1 hides a count
	After, Before string               // opaque keys of the older and newer pages, "" = none
	Form          NewLookupForm
}

// Path is the first page of the filtered list.
func (v FilterValues) Path() string { return v.url() }

// url spells the list's address under a filter, with more pairs added; empty values are left out.
func (v FilterValues) url(more ...string) string {
	query := url.Values{}
	for _, pair := range v.pairs() {
		if pair.value != "" {
			query.Set(pair.name, pair.value)
		}
	}
	return withQuery("/lookups", query, more)
}

// LookupFilterNames are the parameters that a filter may have.
func LookupFilterNames() []string {
	var names []string
	for _, pair := range (FilterValues{}).pairs() {
		names = append(names, pair.name)
	}
	return names
}

func withQuery(path string, query url.Values, more []string) string {
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			query.Set(more[i], more[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// count is the number beside an actor's tab, "" when it is not shown.
func (v LookupsPage) count(a lookup.Actor) string {
	n, ok := v.ActorCounts[a]
	if !ok || n < 0 {
		return ""
	}
	return capped(n)
}

// tab gives an actor's list: changing the tab keeps the other filters, but not a status that belongs to another actor.
func (v LookupsPage) tab(a lookup.Actor) string {
	f := v.Values
	f.Actor = string(a)
	if f.Status != "" && lookup.Status(f.Status).Actor() != a && a != "" {
		f.Status = ""
	}
	return f.url()
}

// links are the neighbours of this page of the list.
func (v LookupsPage) links() PageLinks {
	links := PageLinks{Rows: len(v.Rows)}
	if v.Before != "" {
		links.Newer = v.Values.url("before", v.Before)
	}
	if v.After != "" {
		links.Older = v.Values.url("after", v.After)
	}
	return links
}

// stream is the address of the live stream for the rows on this page.
func (v LookupsPage) stream() string {
	ids := make([]string, len(v.Rows))
	for i, r := range v.Rows {
		ids[i] = r.UID.String()
	}
	query := url.Values{"view": {"list"}, "ids": {strings.Join(ids, ",")}, "since": {v.Now.UTC().Format(time.RFC3339Nano)}}
	// What is announced is what this list would show.
	filtered := false
	for _, pair := range v.Values.pairs() {
		if pair.value != "" {
			query.Set(pair.name, pair.value)
			filtered = true
		}
	}
	// Where the first page of a filtered list ends, for those that come to stand within it.
	switch {
	case !filtered || v.Before != "":
	case v.After == "":
		query.Set("last", "all")
	case len(ids) > 0:
		query.Set("last", ids[len(ids)-1])
	}
	return "/lookups/live?" + query.Encode()
}

func recordsWord(p Page, state string) string {
	if id := "lookups.records." + state; p.P.Has(id) {
		return p.T(id)
	}
	return state
}

// platformWord names a source; the vendor's set is open, so one we have no word for is shown as it came.
func platformWord(p Page, platform lookup.Platform) string {
	if id := "ui.platform." + string(platform); p.P.Has(id) {
		return p.T(id)
	}
	return strings.ToUpper(string(platform))
}

func dialectWord(p Page, dialect lookup.Dialect) string {
	if id := "ui.dialect." + string(dialect); p.P.Has(id) {
		return p.T(id)
	}
	return string(dialect)
}

// daysWord puts a range of typed days into words; one that is no date is shown as typed.
func daysWord(p Page, from, to string) string {
	word := func(text string) string {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return text
		}
		return p.P.Date(day)
	}
	switch {
	case to == "":
		return p.T("lookups.filter.since", "Date", word(from))
	case from == "":
		return p.T("lookups.filter.until", "Date", word(to))
	case from == to:
		return word(from)
	}
	return p.T("lookups.filter.between", "From", word(from), "To", word(to))
}

// NewLookupForm is the form that asks for a lookup, as typed and as judged.
type NewLookupForm struct {
	Values  lookup.Form
	Check   *curp.Check     // what the typed CURP says, nil while nothing is typed
	Errors  map[string]Note // by field: curp, platform, external_id, consent, means; "" for the form as a whole
	Confirm bool            // only a doubtful CURP stands in the way: offer to send it anyway
	Notice  string          // version of the privacy notice
	Env     lookup.Environment
	Sources []SourceChoice // what can be asked; with none the form offers Palenca's two, and sending it says what is missing
}

// SourceChoice is one source that a lookup can ask, and the connection through which it is reached.
type SourceChoice struct {
	Platform lookup.Platform
	Dialect  lookup.Dialect
	Name     string // of the connection
	Paused   bool   // the vendor refuses our key: what is asked waits
}

// sources are the options of the form. Through whom each is asked is said where there is more than one connection, or
// where something has to be known about it.
func (f NewLookupForm) sources(p Page) []Option {
	list := f.Sources
	if len(list) == 0 {
		list = []SourceChoice{{Platform: lookup.IMSS, Dialect: lookup.Palenca}, {Platform: lookup.ISSSTE, Dialect: lookup.Palenca}}
	}
	several := slices.ContainsFunc(list, func(s SourceChoice) bool { return s.Dialect != list[0].Dialect })
	options := make([]Option, len(list))
	for i, s := range list {
		options[i] = Option{Value: string(s.Platform), Word: platformWord(p, s.Platform)}
		if s.Platform == lookup.AllSources {
			options[i].Word = p.T("lookups.form.all_sources")
		}
		switch {
		case s.Paused:
			options[i].Help = p.T("lookups.form.through_paused", "Name", s.Name)
		case several || s.Dialect == lookup.Buro:
			options[i].Help = p.T("lookups.form.through."+string(s.Dialect), "Name", s.Name)
		}
	}
	return options
}

// takesRFC tells whether any of the sources answers for an RFC.
func (f NewLookupForm) takesRFC() bool {
	return slices.ContainsFunc(f.Sources, func(s SourceChoice) bool { return s.Dialect == lookup.Buro })
}

func (f NewLookupForm) identifierWord(p Page) string {
	if f.takesRFC() {
		return p.T("lookups.form.curp_or_rfc")
	}
	return p.T("ui.field.curp")
}

// NewLookupPage is the form on a page of its own.
type NewLookupPage struct {
	Page
	Form NewLookupForm
}

// curpNote gives the error under the CURP, unless the check below it already says the same.
func (f NewLookupForm) curpNote() Note {
	note := f.Errors["curp"]
	if f.Check != nil && f.Check.Blocked() && note.ID == f.Check.Headline.ID {
		return Note{}
	}
	return note
}

// curpAttributes tie the field to what is said about it.
func (f NewLookupForm) curpAttributes() templ.Attributes {
	by := templ.Attributes{"aria-describedby": "curp-line"}
	if f.curpNote().Is() {
		by["aria-describedby"] = "curp-error curp-line"
	}
	if f.invalid() {
		by["aria-invalid"] = "true"
	}
	return by
}

func (f NewLookupForm) invalid() bool {
	return f.Errors["curp"].Is() || f.Check != nil && f.Check.Blocked()
}

func (f NewLookupForm) doubtful() bool { return f.Check != nil && f.Check.Warned() }

// platform is the source that is chosen: as typed, else the first one.
func (f NewLookupForm) platform() string {
	switch {
	case f.Values.Platform != "":
		return f.Values.Platform
	case len(f.Sources) > 0:
		return string(f.Sources[0].Platform)
	}
	return string(lookup.IMSS)
}

// LookupTitle is the document title of a lookup's page: titles stay in the browser's history, so it carries the own
// reference or nothing, never a name or a CURP, not even one that somebody took for a reference.
func LookupTitle(p Page, reference string) string {
	if reference == "" {
		return p.T("lookups.case.title")
	}
	return p.T("lookups.case.title_reference", "Reference", curp.Redact(reference))
}

// RowID is the element that live updates replace.
func RowID(id uuid.UUID) string { return "lookup-" + id.String() }

// News is what waits above a list.
type News struct {
	Count  int    // up to WaitingCap
	Path   string // of the list's first page, where they stand
	Listed bool   // the list is filtered: they may be older, and have come to fit it
}

func (n News) words(p Page) string {
	id := "lookups.list.new"
	if n.Listed {
		id = "lookups.list.listed"
	}
	return p.T(id, "Count", n.Count)
}

// statusOptions offers the statuses in which the chosen actor has to act, or all.
func statusOptions(p Page, actor string) []Option {
	statuses := lookup.Statuses
	if actor != "" {
		statuses = lookup.Actor(actor).Statuses()
	}
	options := make([]Option, len(statuses))
	for i, s := range statuses {
		options[i] = Option{Value: string(s), Word: statusWord(p, s)}
	}
	return options
}

func recordsOptions(p Page) []Option {
	options := make([]Option, len(lookup.PullStates))
	for i, s := range lookup.PullStates {
		options[i] = Option{Value: string(s), Word: recordsWord(p, string(s))}
	}
	return options
}

func platformOptions(p Page) []Option {
	return []Option{
		{Value: string(lookup.IMSS), Word: platformWord(p, lookup.IMSS)},
		{Value: string(lookup.ISSSTE), Word: platformWord(p, lookup.ISSSTE)},
	}
}

func analystOptions(users []auth.User) []Option {
	options := make([]Option, len(users))
	for i, u := range users {
		options[i] = Option{Value: u.UID.String(), Word: u.Name}
	}
	return options
}
