package views

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// DeliveriesPage is the list of deliveries.
type DeliveriesPage struct {
	Page
	Rows          []webhook.Delivery // without bodies
	Values        DeliveryFilterValues
	Actions       []string // events the list can be narrowed to
	Causes        []webhook.Cause
	Subscriptions []webhook.Subscription
	Hours         []HourCount       // of the last 24 hours
	Errors        map[string]Note   // by the filter's name: why it was not applied
	Typed         map[string]string // into fields with such an error
	After, Before string            // opaque keys of the older and newer pages, "" = none
	Newest        bool              // this is the page on which new ones belong
	Since         string            // opaque key of what the list already has
}

// DeliveryFilterValues is a filter as the URL spells it.
type DeliveryFilterValues struct {
	Dialect      string
	Status       string // a webhook.State, or an HTTP status
	Verdict      string
	Cause        string
	Action       string
	Subscription string // a UUID
	Account      string
	Lookup       string // a UUID
	From, To     string // 2006-01-02
	Text         string // in the body; needs From and To within seven days. It may be a name, and stands in no address
	Search       string // a UUID, under which Text is kept for whoever typed it
}

// more is how many of the filters are in use that fold away.
func (v DeliveryFilterValues) more() (n int) {
	for _, value := range []string{v.Status, v.Dialect, v.Cause, v.Subscription, v.Account, v.Lookup, v.Text} {
		if value != "" {
			n++
		}
	}
	return n
}

// Path is the address of the list under the filter.
func (v DeliveryFilterValues) Path() string { return v.url() }

func (v DeliveryFilterValues) url(more ...string) string {
	query := url.Values{}
	for name, value := range map[string]string{
		"verdict": v.Verdict, "cause": v.Cause, "action": v.Action, "subscription": v.Subscription, "account": v.Account,
		"dialect": v.Dialect, "status": v.Status, "lookup": v.Lookup, "from": v.From, "to": v.To, "search": v.Search,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return withQuery("/deliveries", query, more)
}

// stream is the address at which the list is told what is new and what changed on it.
func (v DeliveriesPage) stream() string {
	ids := make([]string, len(v.Rows))
	for i, d := range v.Rows {
		ids[i] = d.UID.String()
	}
	return strings.Replace(v.Values.url("ids", strings.Join(ids, ","), "since", v.Since), "/deliveries?", "/deliveries/live?", 1)
}

// tail says where new rows go: "top" of this page, or "elsewhere", where they are only counted.
func (v DeliveriesPage) tail() string {
	if v.Newest {
		return "top"
	}
	return "elsewhere"
}

// deliveryOrder sorts as the list does, as text.
func deliveryOrder(d webhook.Delivery) string {
	return fmt.Sprintf("%016d.%016d", d.ReceivedAt.UnixMicro(), d.ID)
}

func dialectOptions(p Page) []Option {
	return []Option{{Value: string(lookup.Palenca), Word: dialectWord(p, lookup.Palenca)}, {Value: string(lookup.Buro), Word: dialectWord(p, lookup.Buro)}}
}

// statusesOfDeliveries are how far processing has come and what was answered, in one list: a reader wants one or the other.
func statusesOfDeliveries(p Page) []Option {
	var options []Option
	for _, state := range webhook.States {
		options = append(options, Option{Value: string(state), Word: p.T("deliveries.status." + string(state))})
	}
	for _, answer := range webhook.Answers {
		options = append(options, Option{Value: strconv.Itoa(answer), Word: p.T("deliveries.status.answered", "Status", strconv.Itoa(answer))})
	}
	return options
}

func optionWord(options []Option, value string) string {
	for _, o := range options {
		if o.Value == value {
			return o.Word
		}
	}
	return value
}

func (v DeliveriesPage) chips() []chip {
	var chips []chip
	f := v.Values
	add := func(word string, without DeliveryFilterValues) { chips = append(chips, chip{word, without.url()}) }
	if f.Dialect != "" {
		without := f
		without.Dialect = ""
		add(v.T("deliveries.column.vendor")+": "+dialectWord(v.Page, lookup.Dialect(f.Dialect)), without)
	}
	if f.Status != "" {
		without := f
		without.Status = ""
		add(v.T("deliveries.filter.status")+": "+optionWord(statusesOfDeliveries(v.Page), f.Status), without)
	}
	if f.Verdict != "" {
		without := f
		without.Verdict = ""
		add(v.T("ui.verdict.label")+": "+verdictWord(v.Page, f.Verdict), without)
	}
	if f.Cause != "" {
		without := f
		without.Cause = ""
		add(v.T("deliveries.filter.cause")+": "+causeWord(v.Page, webhook.Cause(f.Cause)), without)
	}
	if f.Subscription != "" {
		without := f
		without.Subscription = ""
		add(v.T("deliveries.page.subscription")+": "+v.subscriptionName(f.Subscription), without)
	}
	if f.Action != "" {
		without := f
		without.Action = ""
		add(v.T("ui.field.event")+": "+f.Action, without)
	}
	if f.Account != "" {
		without := f
		without.Account = ""
		add(v.T("deliveries.filter.account")+": "+f.Account, without)
	}
	if f.Lookup != "" {
		without := f
		without.Lookup = ""
		add(v.T("deliveries.column.lookup")+": "+f.Lookup, without)
	}
	if f.From != "" || f.To != "" {
		without := f
		without.From, without.To = "", ""
		add(daysWord(v.Page, f.From, f.To), without)
	}
	if f.Text != "" && !v.Errors["text"].Is() {
		without := f
		without.Text, without.Search = "", ""
		add(v.T("deliveries.filter.text")+": "+f.Text, without)
	}
	return chips
}

// typed is what a text field of the filter shows: also what could not be applied, which stands in no address of the page.
func (v DeliveriesPage) typed(name, applied string) string { return orElse(v.Typed[name], applied) }

// refused marks a field of the filter whose value could not be applied.
func refused(err Note) templ.Attributes {
	if !err.Is() {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": "filter-errors"}
}

// subscriptionName is the name behind an id of the filter, the id itself when there is none (any more).
func (v DeliveriesPage) subscriptionName(id string) string {
	for _, s := range v.Subscriptions {
		if s.UID.String() == id {
			return s.Name
		}
	}
	return id
}

func causeOptions(p Page, causes []webhook.Cause) []Option {
	options := make([]Option, len(causes))
	for i, cause := range causes {
		options[i] = Option{Value: string(cause), Word: causeWord(p, cause)}
	}
	return options
}

func (v DeliveriesPage) links() PageLinks {
	links := PageLinks{Rows: len(v.Rows)}
	if v.Before != "" {
		links.Newer = v.Values.url("before", v.Before)
	}
	if v.After != "" {
		links.Older = v.Values.url("after", v.After)
	}
	return links
}

func verdictWord(p Page, verdict string) string {
	if id := "ui.verdict." + verdict; p.P.Has(id) {
		return p.T(id)
	}
	return verdict
}

func verdictOptions(p Page) []Option {
	options := make([]Option, len(webhook.Verdicts))
	for i, verdict := range webhook.Verdicts {
		options[i] = Option{Value: string(verdict), Word: verdictWord(p, string(verdict))}
	}
	return options
}

func actionOptions(actions []string) []Option {
	options := make([]Option, len(actions))
	for i, action := range actions {
		options[i] = Option{Value: action, Word: action}
	}
	return options
}

// reason names the case a delivery is: one key per sentence, the same for the line in the list and the text on its page.
func reason(d webhook.Delivery) string {
	switch d.Cause {
	case webhook.CauseNone:
	case webhook.CauseUnreadable, webhook.CauseUnknownEvent, webhook.CauseLate, webhook.CauseSameBytes,
		webhook.CauseSameFact, webhook.CauseForeign, webhook.CauseTooLarge, webhook.CauseDisabled, webhook.CauseMethod, webhook.CauseTest, webhook.CauseDeprecated:
		return string(d.Cause)
	default:
		return "unlisted"
	}
	switch {
	case d.Verdict != webhook.Accepted:
		return string(d.Verdict)
	case d.ProcessedAt.IsZero() && d.LastError != "":
		return "failing"
	case d.ProcessedAt.IsZero():
		return "waiting"
	case movedTo(d) != "":
		return "moved"
	}
	return "accepted"
}

// movedTo gives the status that a delivery moved its lookup to, "" when it moved none.
func movedTo(d webhook.Delivery) lookup.Status {
	for _, c := range d.Changes {
		if c.What == "status" {
			return lookup.Status(c.After)
		}
	}
	return ""
}

// deliveryWhy is the reason in one line.
func deliveryWhy(p Page, d webhook.Delivery) string { return deliverySays(p, d, "deliveries.why.") }

// deliverySays words a delivery's case. Why a request was not authentic is worded by whoever checks it.
func deliverySays(p Page, d webhook.Delivery, group string) string {
	part := "title"
	if group == "deliveries.body." {
		part = "explanation"
	}
	if text := verifyText(p, d.Cause, part); text != "" {
		return text
	}
	return p.T(group+reason(d), "Status", statusWord(p, movedTo(d)), "Limit", p.P.Bytes(webhook.MaxBody), "Cause", string(d.Cause))
}

// sizeWords tells how much arrived, and how much of it was kept where that is less.
func sizeWords(p Page, d webhook.Delivery) string {
	if d.Verdict == webhook.Refused && d.Size > webhook.KeptOfRefused {
		return p.T("ui.size.part", "Kept", p.P.Bytes(webhook.KeptOfRefused), "Whole", p.P.Bytes(int64(d.Size)))
	}
	return p.P.Bytes(int64(d.Size))
}

// DeliveryPage is one delivery with its body as it may be shown.
type DeliveryPage struct {
	Page
	Delivery webhook.Delivery
	Body     string // the stored bytes as text, personal data masked when Masked
	Masked   bool   // something in Body is hidden and can be revealed
	Curl     string // the request as a command without credentials, its body as it may be shown; "" offers none
}

func (v DeliveryPage) path(more string) string {
	return "/deliveries/" + v.Delivery.UID.String() + more
}

// verifiable tells whether it was refused by an authentication and may pass once a setting was mended.
func (v DeliveryPage) verifiable() bool {
	return v.Delivery.Verdict == webhook.Refused && slices.Contains(webhook.VerifyCauses, v.Delivery.Cause)
}

func (v DeliveryPage) head() string { return deliverySays(v.Page, v.Delivery, "deliveries.head.") }

func (v DeliveryPage) text() string { return deliverySays(v.Page, v.Delivery, "deliveries.body.") }

// tint picks the colour of the state line; a verdict borrows that of the status it feels like.
func (v DeliveryPage) tint() string {
	switch mark := verdictMark(v.Delivery.Verdict, v.Delivery.Cause); mark {
	case "accepted":
		return "success"
	case "refused":
		return "error"
	case "unreadable":
		return "incomplete"
	case "foreign":
		return "expired"
	case "unmatched":
		return "pending"
	}
	return "queued"
}

func (v DeliveryPage) answered() string {
	took := time.Duration(v.Delivery.AnswerMicros) * time.Microsecond
	return v.T("deliveries.page.answer", "Status", v.Delivery.Answered, "Span", v.P.Span(took))
}

// bodyNote says how much of what arrived is shown.
func (v DeliveryPage) bodyNote() string {
	note := v.T("deliveries.text.exact", "Size", v.T("ui.count.bytes", "Count", v.Delivery.Size))
	if kept := len(v.Delivery.Body); kept < v.Delivery.Size {
		note = v.T("deliveries.text.part", "Kept", v.P.Bytes(int64(kept)), "Whole", v.P.Bytes(int64(v.Delivery.Size)))
	}
	if v.Masked {
		note += "; " + v.T("deliveries.text.masked")
	}
	return note
}

// changeWord names what changed, changeValue a value before or after.
func (v DeliveryPage) changeWord(what string) string {
	if id := "deliveries.changes." + what; v.P.Has(id) {
		return v.T(id)
	}
	return what
}

func (v DeliveryPage) changeValue(what, value string) string {
	switch {
	case value == "":
		return v.T("deliveries.changes.nothing")
	case what == "status":
		return statusWord(v.Page, lookup.Status(value))
	case what == "profile" || what == "employment":
		if id := "ui.pull." + what + "." + value; v.P.Has(id) {
			return v.T(id)
		}
	case what == "warning":
		if d := v.P.Warning(value); d.Known {
			return d.Title
		}
	}
	return value
}

// twinWhen tells how far in time a twin lies from this delivery.
func (v DeliveryPage) twinWhen(t webhook.Twin) string {
	gap := t.ReceivedAt.Sub(v.Delivery.ReceivedAt)
	if gap < 0 {
		return v.T("deliveries.twin.earlier", "Span", v.P.Span(-gap))
	}
	return v.T("deliveries.twin.later", "Span", v.P.Span(gap))
}

func lookupPath(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return "/lookups/" + id.String()
}
