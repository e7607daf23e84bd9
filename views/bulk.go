package views

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cotejo/internal/auth"
	"cotejo/internal/bulk"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

// BulksPage is where a file begins its way, above those that came before.
type BulksPage struct {
	Page
	List          []bulk.Bulk
	After, Before string // opaque keys of the older and newer pages, "" = none
	Sources       []SourceChoice
	Platform      string // chosen
	Text          string // pasted
	Errors        map[string]Note
}

func (v BulksPage) links() PageLinks {
	links := PageLinks{Rows: len(v.List)}
	if v.Before != "" {
		links.Newer = "/bulk?before=" + v.Before
	}
	if v.After != "" {
		links.Older = "/bulk?after=" + v.After
	}
	return links
}

// bulkSources are the options of whom to ask, with one chosen.
func bulkSources(p Page, list []SourceChoice, chosen string) Choice {
	form := NewLookupForm{Sources: list}
	if chosen == "" && len(list) > 0 {
		chosen = string(list[0].Platform)
	}
	return Choice{Name: "platform", Label: p.T("lookups.form.source"), Value: chosen, Options: form.sources(p)}
}

// BulkPage is one bulk: a draft with what would be sent, or how far it has come.
type BulkPage struct {
	Page
	Bulk          bulk.Bulk
	Sources       []SourceChoice
	Verdict       bulk.Verdict // the rows are narrowed to it; "" = not
	Rows          []bulk.Item
	After, Before string
	Notice        string // version of the privacy notice
	ConsentDays   int
	Price         connection.Price // of a lookup, in a draft
	Form          BulkForm
	Typed         *BulkReading    // what was refused of how to read it; nil: as it was read
	Errors        map[string]Note // consent, means, given_on, insist; delimiter, encoding, header, identifier, platform
}

// BulkReading is how a draft is to be read, as the form says it.
type BulkReading struct {
	Delimiter, Encoding   string
	Header                bool
	Identifier, Reference string // numbers of columns, from 0
	Platform              string
}

// BulkForm is what a person said of everybody in a draft, kept as typed.
type BulkForm struct {
	Consent bool
	Means   string
	GivenOn string // YYYY-MM-DD
	Insist  bool
}

func (v BulkPage) path(more string) string { return "/bulk/" + v.Bulk.UID.String() + more }

// name is what people call the bulk.
func bulkName(p Page, b bulk.Bulk) string { return orElse(b.FileName, p.T("bulk.pasted")) }

func (v BulkPage) list(more ...string) string {
	q := url.Values{}
	if v.Verdict != "" {
		q.Set("verdict", string(v.Verdict))
	}
	return withQuery(v.path(""), q, more) + "#rows"
}

func (v BulkPage) up() string   { return v.list("before", v.Before) }
func (v BulkPage) down() string { return v.list("after", v.After) }

// verdicts are those that some row has.
func (v BulkPage) verdicts() []bulk.Verdict {
	var some []bulk.Verdict
	for _, verdict := range bulk.Verdicts {
		if v.Bulk.Counts[verdict] > 0 || verdict == v.Verdict {
			some = append(some, verdict)
		}
	}
	return some
}

// tab is the address of the rows with a verdict.
func (v BulkPage) tab(verdict bulk.Verdict) string {
	return BulkPage{Page: v.Page, Bulk: v.Bulk, Verdict: verdict}.list()
}

// calls is how many people would be asked about, without those that were warned about.
func (v BulkPage) calls() int { return v.Bulk.Counts[bulk.Send] }

// cost says what the vendor would charge for those who are asked about, and for the doubtful ones with them.
func (v BulkPage) cost() (lines []string) {
	if !v.Price.Known() {
		return nil
	}
	line := func(id string, n int) {
		if n > 0 {
			lines = append(lines, v.T("bulk.send."+id, "Calls", v.P.Number(int64(n)), "Price", money(v.Page, v.Price.Amount, v.Price), "Total", money(v.Page, v.Price.Times(n), v.Price)))
		}
	}
	id := "cost"
	if v.Sandbox() {
		id = "cost_sandbox"
	}
	line(id, v.calls())
	if more := v.Bulk.Counts[bulk.Doubtful]; more > 0 {
		line("cost_insist", v.calls()+more)
	}
	if len(lines) == 0 {
		return nil
	}
	by := v.T("bulk.send.cost_by", "Date", v.P.Date(v.Price.SetAt.In(v.P.Zone())), "Name", v.Price.SetBy)
	if v.Price.SetBy == "" {
		by = v.T("bulk.send.cost_on", "Date", v.P.Date(v.Price.SetAt.In(v.P.Zone())))
	}
	return append(lines, by)
}

// takes puts into words how long the chosen rows take at least.
func (v BulkPage) takes(n int) string {
	span := bulk.Takes(n, v.Bulk.PerMinute)
	switch minutes := int(span.Round(time.Minute) / time.Minute); {
	case minutes < 2:
		return v.T("bulk.takes.short")
	case minutes < 120:
		return v.T("bulk.takes.minutes", "Count", minutes)
	default:
		return v.T("bulk.takes.hours", "Count", (minutes+30)/60)
	}
}

// chosen is how the draft is read, or was to be.
func (v BulkPage) chosen() BulkReading {
	if v.Typed != nil {
		return *v.Typed
	}
	b := v.Bulk
	encoding := b.Encoding
	if encoding == bulk.UTF8BOM {
		encoding = bulk.UTF8
	}
	return BulkReading{Delimiter: string(b.Delimiter), Encoding: string(encoding), Header: b.Layout.Header, Identifier: strconv.Itoa(b.Layout.Identifier),
		Reference: strconv.Itoa(b.Layout.Reference), Platform: string(b.Platform)}
}

func (v BulkPage) delimiterOptions() []Option {
	options := make([]Option, len(bulk.Delimiters))
	for i, d := range bulk.Delimiters {
		options[i] = Option{Value: string(d), Word: delimiterWord(v.Page, d)}
	}
	return options
}

func (v BulkPage) encodingOptions() []Option {
	options := make([]Option, len(bulk.Encodings))
	for i, e := range bulk.Encodings {
		options[i] = Option{Value: string(e), Word: encodingWord(v.Page, e)}
	}
	return options
}

func delimiterWord(p Page, d bulk.Delimiter) string { return p.T("bulk.delimiter." + string(d)) }

func encodingWord(p Page, e bulk.Encoding) string {
	return p.T("bulk.encoding." + strings.ReplaceAll(string(e), "-", "_"))
}

// sources are the options of whom to ask.
func (v BulkPage) sources(chosen string) Choice {
	choice := bulkSources(v.Page, v.Sources, chosen)
	choice.Err = v.Errors["platform"]
	return choice
}

// columnOptions are the file's columns, and none where the bulk can do without.
func (v BulkPage) columnOptions(none bool) []Option {
	var options []Option
	if none {
		options = append(options, Option{Value: strconv.Itoa(bulk.None), Word: v.T("bulk.columns.none")})
	}
	for i, name := range v.Bulk.Columns {
		word := name
		if !v.Bulk.Layout.Header || name == strconv.Itoa(i+1) {
			word = v.T("bulk.columns.number", "Number", i+1)
		}
		options = append(options, Option{Value: strconv.Itoa(i), Word: word})
	}
	return options
}

func (v BulkPage) state() string { return bulkState(v.Bulk) }

// bulkState is the word for how a bulk stands. One that handed everything out is done only when the answers are there.
func bulkState(b bulk.Bulk) string {
	switch {
	case b.Stalled:
		return "stalled"
	case b.State == bulk.Done && b.Statuses != nil && b.Settled() < b.Sent:
		return "waiting"
	}
	return string(b.State)
}

func bulkMark(b bulk.Bulk) string {
	switch bulkState(b) {
	case "sending", "waiting":
		return "pending"
	case "draft":
		return "queued"
	case "paused":
		return "incomplete"
	case "done":
		return "success"
	case "stalled":
		return "error"
	}
	return "ignored"
}

func verdictOfRowMark(v bulk.Verdict) string {
	switch v {
	case bulk.Send:
		return "queued"
	case bulk.Doubtful:
		return "incomplete"
	case bulk.Invalid, bulk.NoConsent:
		return "error"
	case bulk.Duplicate:
		return "duplicate"
	}
	return "ignored"
}

// reason says why a row has its verdict.
func (v BulkPage) reason(r bulk.Item) string {
	switch r.Verdict {
	case bulk.Send:
		return ""
	case bulk.Duplicate:
		return v.T("bulk.why.duplicate", "Line", r.Of)
	case bulk.Invalid, bulk.Doubtful:
		// Dates in these sentences are those of a calendar; the day on which the row was judged decides what lies ahead.
		if why := r.Row.Reason(v.Bulk.Platform, v.Bulk.JudgedAt.In(v.P.Zone())); why.ID != "" {
			return v.Say(Note{ID: why.ID, Args: why.Args})
		}
		return v.T("bulk.why.forgotten")
	}
	return v.T("bulk.why." + string(r.Verdict))
}

// waits tells whether a row's turn is to come.
func (v BulkPage) waits(r bulk.Item) bool { return v.Bulk.State != bulk.Draft && r.DoneAt.IsZero() }

// Moving tells whether the page is to be kept true while it is open.
func (v BulkPage) Moving() bool {
	return v.Bulk.State != bulk.Draft && !(v.Bulk.State.Ended() && v.Bulk.Settled() == v.Bulk.Sent)
}

// progress are the counts beside the bar.
func (v BulkPage) progress() []Fact {
	count := func(word string, n int) Fact { return Fact{Label: word, Text: v.P.Number(int64(n))} }
	at := v.Bulk.Statuses
	return []Fact{
		count(v.T("bulk.count.waiting"), v.Bulk.Waiting), count(v.T("bulk.count.open"), at[lookup.Queued]+at[lookup.Pending]),
		count(v.T("bulk.count.success"), at[lookup.Success]), count(v.T("bulk.count.incomplete"), at[lookup.Incomplete]),
		count(v.T("bulk.count.failed"), at[lookup.Error]+at[lookup.Expired]), count(v.T("bulk.count.held"), v.Bulk.Held()),
	}
}

// goal is how many outcomes are to come in all.
func (v BulkPage) goal() int { return max(v.Bulk.Sent+v.Bulk.Waiting, 1) }

// evidence is what was said of the consent, and which file it was.
func (v BulkPage) evidence() []Fact {
	b := v.Bulk
	return []Fact{
		{Label: v.T("bulk.facts.source"), Text: v.source()},
		{Label: v.T("bulk.facts.sent"), Text: v.T("bulk.facts.by", "Name", b.SentBy, "At", v.P.DateTime(b.SentAt))},
		{Label: v.T("bulk.facts.consent"), Text: v.T("bulk.facts.given", "Means", meansWord(v.Page, b.Means), "Date", v.P.Date(b.ConsentGiven.In(v.P.Zone())), "Version", b.Notice)},
		{Label: v.T("bulk.facts.sha"), Text: v.hash()},
	}
}

// hash is how the file is known, as long as it is.
func (v BulkPage) hash() string {
	if len(v.Bulk.SHA256) == 0 {
		return v.T("bulk.facts.forgotten")
	}
	return hex.EncodeToString(v.Bulk.SHA256)[:16] + "…"
}

// reading is how the file was understood; by which delimiter, who may correct it reads in the form.
func (v BulkPage) reading() []Fact {
	b := v.Bulk
	facts := []Fact{
		{Label: v.T("bulk.facts.rows"), Text: v.P.Number(int64(b.Total))},
		{Label: v.T("bulk.facts.encoding"), Text: encodingWord(v.Page, b.Encoding)},
		{Label: v.T("bulk.facts.judged"), Text: v.P.DateTime(b.JudgedAt)},
	}
	if !v.May(auth.PowerRequest) {
		facts = append(facts, Fact{Label: v.T("bulk.facts.delimiter"), Text: delimiterWord(v.Page, b.Delimiter)})
	}
	return facts
}

func (v BulkPage) source() string {
	return platformWord(v.Page, v.Bulk.Platform) + " · " + v.Bulk.Connection
}
