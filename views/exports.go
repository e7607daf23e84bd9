package views

import (
	"encoding/hex"
	"net/url"
	"strings"

	"cotejo/internal/auth"
	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

// FilterNames are what the ids in a filter are called.
type FilterNames struct {
	Analysts      []auth.User
	Tags          []lookup.Tag
	Subscriptions []webhook.Subscription
}

// ExportCount is how much an export would hold: over receipt.AtOnce, more than was counted.
type ExportCount struct {
	Items   int // lookups, deliveries or rows of a bulk
	Records int // employment records of the lookups
}

// ExportForm asks for a list, or the result of a bulk, to be taken out.
type ExportForm struct {
	Of         string       // lookups, deliveries or bulk
	Kind       receipt.Kind // chosen
	Lookups    FilterValues
	Deliveries DeliveryFilterValues
	Bulk       bulk.Bulk
	Query      url.Values // the filter as its list's address spells it
	Count      ExportCount
	People     int // at most receipt.ManyPeople
	Reason     string
	Errors     map[string]Note // reason, password; else the filter's own
}

// NewExportPage is that form on a page.
type NewExportPage struct {
	Page
	Form  ExportForm
	Names FilterNames
}

// Query is the filter as the list's address spells it.
func (v FilterValues) Query() url.Values { return queryOf(v.url()) }

func queryOf(address string) url.Values {
	u, err := url.Parse(address)
	if err != nil {
		return url.Values{}
	}
	return u.Query()
}

// lookupWords says a filter of lookups, a part at a time, as its list's chips do.
func lookupWords(p Page, values FilterValues, names FilterNames) []string {
	var words []string
	if values.Actor != "" {
		words = append(words, p.T("ui.tab."+values.Actor))
	}
	return append(words, chipWords((LookupsPage{Page: p, Values: values, Analysts: names.Analysts, Tags: names.Tags}).chips())...)
}

func deliveryWords(p Page, values DeliveryFilterValues, names FilterNames) []string {
	return chipWords((DeliveriesPage{Page: p, Values: values, Subscriptions: names.Subscriptions}).chips())
}

func chipWords(chips []chip) []string {
	words := make([]string, len(chips))
	for i, c := range chips {
		words[i] = c.Word
	}
	return words
}

// said joins a filter's parts; without any it is the whole list.
func said(p Page, words []string) string {
	if len(words) == 0 {
		return p.T("exports.filter.none")
	}
	return strings.Join(words, " · ")
}

func (v NewExportPage) words() string {
	switch v.Form.Of {
	case "deliveries":
		return said(v.Page, deliveryWords(v.Page, v.Form.Deliveries, v.Names))
	case "bulk":
		return bulkName(v.Page, v.Form.Bulk)
	}
	return said(v.Page, lookupWords(v.Page, v.Form.Lookups, v.Names))
}

// back is where the form was come from.
func (v NewExportPage) back() string {
	switch v.Form.Of {
	case "deliveries":
		return v.Form.Deliveries.url()
	case "bulk":
		return "/bulk/" + v.Form.Bulk.UID.String()
	}
	return v.Form.Lookups.url()
}

func (v NewExportPage) backWord() string {
	switch v.Form.Of {
	case "deliveries":
		return v.T("ui.nav.deliveries")
	case "bulk":
		return v.T("bulk.single")
	}
	return v.T("ui.nav.lookups")
}

func (v NewExportPage) many() bool { return v.Form.People > receipt.MostPeople }

// blocked tells that the filter cannot be applied, so that there is nothing to take out.
func (v NewExportPage) blocked() []FieldError {
	list := InOrder(v.Form.Errors, "filter", "action", "account", "lookup", "text", "from", "to")
	for i := range list {
		list[i].Field = ""
	}
	return list
}

func (v NewExportPage) facts() []Fact {
	facts := []Fact{{Label: v.T("exports.fact." + v.Form.Of), Text: v.words()}, {Label: v.T("exports.fact.count"), Text: v.counted(v.Form.Count.Items, v.Form.Of)}}
	if v.Form.Of == "lookups" {
		facts = append(facts, Fact{Label: v.T("exports.fact.records"), Text: v.counted(v.Form.Count.Records, "records")})
	}
	return append(facts, Fact{Label: v.T("exports.fact.people"), Text: peopleWord(v.Page, v.Form.People)})
}

// counted is a number that nobody counted further than an answer holds.
func (v NewExportPage) counted(n int, of string) string {
	if of == "records" && v.Form.Count.Items > receipt.AtOnce || n > receipt.AtOnce && of != "bulk" {
		return v.T("exports.count.over", "N", v.P.Number(receipt.AtOnce))
	}
	return v.P.Number(int64(n))
}

func peopleWord(p Page, n int) string {
	if n > receipt.MostPeople {
		return p.T("exports.count.above", "N", receipt.MostPeople)
	}
	return p.P.Number(int64(n))
}

func (v NewExportPage) kinds() Choice {
	c := Choice{Name: "kind", Label: v.T("exports.form.kind"), Value: string(v.Form.Kind)}
	for _, kind := range []receipt.Kind{receipt.Lookups, receipt.Records} {
		c.Options = append(c.Options, Option{Value: string(kind), Word: kindWord(v.Page, kind), Help: v.T("exports.kind_help." + string(kind))})
	}
	return c
}

func kindWord(p Page, kind receipt.Kind) string { return p.T("exports.kind." + string(kind)) }

// ReceiptRow is a receipt with its filter read as its list's address is.
type ReceiptRow struct {
	receipt.Receipt
	Lookups    FilterValues
	Deliveries DeliveryFilterValues
}

func (r ReceiptRow) words(p Page, names FilterNames) string {
	switch {
	case r.Kind == receipt.Deliveries:
		return said(p, deliveryWords(p, r.Deliveries, names))
	case r.Kind.Listed():
		return said(p, lookupWords(p, r.Lookups, names))
	}
	return r.Subject.String()
}

// ExportsPage lists receipts, under exports that have none yet or never got one.
type ExportsPage struct {
	Page
	All           bool // everybody's
	List          []ReceiptRow
	Open          []receipt.Export
	MoreOpen      bool // of those
	Names         FilterNames
	After, Before string // opaque keys of the older and newer pages, "" = none
}

func (v ExportsPage) links() PageLinks {
	links := PageLinks{Rows: len(v.List)}
	if v.Before != "" {
		links.Newer = "/exports?before=" + v.Before
	}
	if v.After != "" {
		links.Older = "/exports?after=" + v.After
	}
	return links
}

// ExportPage is one export: how far it has come, and its receipt once there is one.
type ExportPage struct {
	Page
	Making  *receipt.Export  // nil: it was made at once
	Receipt *receipt.Receipt // nil: there is none (yet)
	Row     ReceiptRow       // what it is of
	Own     bool             // this person asked for it
	Names   FilterNames
}

// Moving tells whether the export is still being made.
func (v ExportPage) Moving() bool { return v.Making != nil && v.Making.State.Open() }

func (v ExportPage) path(more string) string {
	if v.Making != nil {
		return "/exports/" + v.Making.UID.String() + more
	}
	return "/exports/" + v.Receipt.UID.String() + more
}

func (v ExportPage) state() string {
	switch {
	case v.Making == nil:
		return "sent"
	case v.Making.State == receipt.Ready && !v.Making.ExpiresAt.After(v.Now):
		return string(receipt.Expired)
	}
	return string(v.Making.State)
}

// downloadable tells whether this person can have the file now.
func (v ExportPage) downloadable() bool {
	return v.state() == string(receipt.Ready) && v.Own && v.May(auth.PowerExport)
}

func exportMark(state string) string {
	switch state {
	case "waiting":
		return "queued"
	case "making":
		return "pending"
	case "ready", "sent":
		return "success"
	case "failed":
		return "error"
	}
	return "ignored"
}

// percent of an export's list that is in the file.
func (v ExportPage) percent() int64 {
	if v.Making == nil || v.Making.Goal == 0 {
		return 0
	}
	return min(100*v.Making.Done/v.Making.Goal, 100)
}

// facts are what a receipt says.
func (v ExportPage) facts() []Fact {
	row := v.Row
	label := "exports.fact.lookups"
	switch row.Kind {
	case receipt.Report:
		label = "exports.fact.employment"
	case receipt.Deliveries, receipt.Bulk, receipt.Employment:
		label = "exports.fact." + string(row.Kind)
	}
	facts := []Fact{{Label: v.T(label), Body: exportOf(v)}}
	if row.Kind.Listed() && row.Zone != v.P.Zone().String() {
		facts = append(facts, Fact{Label: v.T("exports.fact.zone"), Text: row.Zone})
	}
	reason, people := "", 0
	if v.Receipt != nil {
		r := v.Receipt
		reason, people = r.Reason, r.People
		facts = append(facts, Fact{Label: v.T("exports.fact.rows"), Text: v.P.Number(r.Rows)}, Fact{Label: v.T("exports.fact.bytes"), Text: v.T("exports.bytes", "N", v.P.Number(r.Bytes))},
			Fact{Label: v.T("exports.fact.by"), Text: r.MadeBy}, Fact{Label: v.T("exports.fact.at"), Body: Moment(v.Page, r.MadeAt)})
	} else {
		reason, people = v.Making.Asking.Reason, v.Making.Asking.People
		facts = append(facts, Fact{Label: v.T("exports.fact.by"), Text: v.Making.AskedBy}, Fact{Label: v.T("exports.fact.at"), Body: Moment(v.Page, v.Making.AskedAt)})
	}
	facts = append(facts, Fact{Label: v.T("exports.fact.people"), Text: peopleWord(v.Page, people)})
	if reason == "" {
		reason = v.T("exports.no_reason")
	}
	facts = append(facts, Fact{Label: v.T("exports.fact.reason"), Text: reason})
	return append(facts, Fact{Label: v.T("exports.fact.environment"), Text: v.T("exports.env." + string(v.Env))})
}

// subjectPath leads to what an export is of, "" for a list.
func (v ExportPage) subjectPath() string {
	switch v.Row.Kind {
	case receipt.Employment, receipt.Report:
		return "/lookups/" + v.Row.Subject.String()
	case receipt.Bulk:
		return "/bulk/" + v.Row.Subject.String()
	}
	return ""
}

// CheckExportPage compares a file with its receipt.
type CheckExportPage struct {
	Page
	Typed  string
	Result *CheckResult
	Errors map[string]Note // file, sha256
}

// CheckResult is what came of it.
type CheckResult struct {
	SHA256  string
	File    bool // a file was given, not its hash alone
	Size    int64
	Matches []receipt.Receipt // of the same bytes; none: not ours, or not as it left
	Named   *receipt.Receipt  // the file's name speaks of this one, and its bytes were others
	All     bool              // the reader may open everybody's receipts
	UserID  int64
}

func (v CheckExportPage) verdict() string {
	switch {
	case len(v.Result.Matches) > 0 && v.Result.Named != nil:
		return "swapped"
	case len(v.Result.Matches) > 0:
		return "same"
	case v.Result.Named != nil:
		return "altered"
	case v.Result.File:
		return "unknown"
	}
	return "unknown_hash"
}

func (v CheckExportPage) tint() string {
	switch v.verdict() {
	case "same":
		return "success"
	case "altered", "swapped":
		return "error"
	}
	return "warn"
}

// opens tells whether the reader may open a receipt.
func (v CheckExportPage) opens(r receipt.Receipt) bool {
	return v.Result.All || r.MadeByID == v.Result.UserID
}

func hashText(sum []byte) string { return hex.EncodeToString(sum) }

func (v ExportsPage) lead() string {
	if v.All {
		return v.T("exports.lead_all")
	}
	return v.T("exports.lead")
}

// says explains the state.
func (v ExportPage) says() string {
	state := v.state()
	switch {
	case state == string(receipt.Ready) && v.Own:
		return v.T("exports.says.ready", "Until", v.P.DateTime(v.Making.ExpiresAt))
	case state == string(receipt.Ready):
		return v.T("exports.says.ready_other", "Name", v.Making.AskedBy)
	}
	return v.T("exports.says." + state)
}
