package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// ledger is a filter of deliveries: as its address spells it, as it narrows the list, and what of it cannot be applied.
type ledger struct {
	values   views.DeliveryFilterValues
	filter   webhook.Filter
	problems map[string]views.Note // never nil
	typed    map[string]string     // into fields that have a problem; to be shown again, in no address
}

// ledger reads a filter from an address, and what is looked for in bodies from where that is kept: what people look for there
// are names and identifiers, which stand in no address. It opens only for who typed it, for an hour, in its environment.
func (c *Console) ledger(r *http.Request, q url.Values) (l ledger, err error) {
	v := visitOf(r)
	q, personal := withoutPersonal(q)
	text, gone := "", false
	if name := q.Get("search"); name != "" {
		id, err := uuid.Parse(name)
		if err == nil {
			text, err = c.DB.KeptSearch(r.Context(), v.env, id, v.User.ID)
			if err != nil && !errors.Is(err, db.ErrNotFound) {
				return l, failed(err)
			}
		}
		gone = err != nil
	}
	l.values, l.filter, l.problems = deliveryFilter(q, text, v.User.Role)
	switch {
	case personal:
		l.problems["text"] = views.Note{ID: "subscriptions.text_personal"}
	case gone:
		l.problems["text"] = views.Note{ID: "deliveries.filter.text_gone"}
	case text != "":
		l.values.Search = q.Get("search")
	}
	return l, nil
}

// searchedBodies has it on the trail that bodies are searched, where a filter does: whatever shows or counts what a text lets
// through tells what is in them.
func (c *Console) searchedBodies(r *http.Request, l ledger) error {
	if l.filter.Text == "" {
		return nil
	}
	return failed(c.DB.SearchedBodies(r.Context(), l.values.Search, visitOf(r).actor))
}

// filterDeliveries takes the filter as somebody filled it in, and leads to the list under it. A text that is looked for travels
// in the request's body and is kept, sealed, under the id that its addresses carry.
func (c *Console) filterDeliveries(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	q := url.Values{}
	for _, name := range views.DeliveryFilterNames() {
		if value := form.Get(name); value != "" && name != "search" {
			q.Set(name, value)
		}
	}
	v := visitOf(r)
	l := ledger{typed: map[string]string{}}
	q, _ = withoutPersonal(q)
	l.values, l.filter, l.problems = deliveryFilter(q, strings.TrimSpace(form.Get("text")), v.User.Role)
	for name := range l.problems {
		l.typed[name] = form.Get(name)
	}
	for _, name := range views.DeliveryFilterNames() {
		if name != "search" && form.Get(name) != "" && !q.Has(name) {
			l.problems[name] = views.Note{ID: "subscriptions.text_personal"}
		}
	}
	if len(l.problems) > 0 {
		return c.showDeliveries(w, r, http.StatusUnprocessableEntity, l)
	}
	if l.values.Text != "" {
		id, err := c.DB.KeepSearch(r.Context(), v.env, l.values.Text, v.User.ID)
		if err != nil {
			return failed(err)
		}
		l.values.Search = id.String()
	}
	return web.Redirect303(w, r, l.values.Path())
}

// withoutPersonal takes every parameter out of an address that has a CURP, an RFC or an NSS in it, and texts that were looked
// for, which may be names.
func withoutPersonal(q url.Values) (rest url.Values, found bool) {
	for name, values := range q {
		if name == "text" || curp.Mentions(name) || slices.ContainsFunc(values, func(value string) bool { return personal(name, value) }) {
			found = true
			q.Del(name)
		}
	}
	return q, found
}

// personal tells of what must not stand in an address. A cursor is made here; by chance a part of one looks like an RFC.
func personal(name, value string) bool {
	if slices.Contains([]string{"after", "before", "since"}, name) && cursorOf(value) != (lookup.Cursor{}) {
		return false
	}
	return curp.Mentions(value)
}

// textDays is within how many days a text is looked for in bodies: no index helps there.
const textDays = 7

// longestText is how long a text that is looked for in bodies may be, in characters.
const longestText = 200

// vendorWord is the form of a vendor's ids and events. What has another may be a name, which must stand in no address.
var vendorWord = regexp.MustCompile(`^[A-Za-z0-9_.:*-]{1,80}$`)

// accountLike tells whether a word can be a vendor's id of an account. Such ids are random and have digits; a surname has none.
func accountLike(word string) bool {
	return vendorWord.MatchString(word) && strings.ContainsAny(word, "0123456789")
}

// deliveryFilter reads the list's filter from its address, and what is looked for in bodies apart from it. A value outside its
// set narrows nothing. Bodies hold what a role without PowerReveal may not see, and could be guessed at piece by piece.
func deliveryFilter(q url.Values, text string, role auth.Role) (views.DeliveryFilterValues, webhook.Filter, map[string]views.Note) {
	f := webhook.Filter{Action: q.Get("action"), Account: q.Get("account"), From: day(q.Get("from")), To: day(q.Get("to"))}
	problems := map[string]views.Note{}
	if f.Action != "" && !vendorWord.MatchString(f.Action) {
		problems["action"], f.Action = views.Note{ID: "deliveries.filter.action_bad"}, ""
	}
	if f.Account != "" && !accountLike(f.Account) {
		problems["account"], f.Account = views.Note{ID: "deliveries.filter.account_bad"}, ""
	}
	if dialect := lookup.Dialect(q.Get("dialect")); dialect == lookup.Palenca || dialect == lookup.Buro {
		f.Dialect = dialect
	}
	if state := webhook.State(q.Get("status")); slices.Contains(webhook.States, state) {
		f.State = state
	}
	if answer, err := strconv.Atoi(q.Get("status")); err == nil && slices.Contains(webhook.Answers, answer) {
		f.Answered = answer
	}
	if verdict := webhook.Verdict(q.Get("verdict")); slices.Contains(webhook.Verdicts, verdict) {
		f.Verdict = verdict
	}
	if cause := webhook.Cause(q.Get("cause")); slices.Contains(webhook.Causes, cause) {
		f.Cause = cause
	}
	f.Hook, _ = uuid.Parse(q.Get("subscription"))
	// The address of a lookup's page will do: it is what people have at hand.
	typed := strings.TrimSpace(q.Get("lookup"))
	var lookupErr error
	if typed != "" {
		f.Lookup, lookupErr = uuid.Parse(typed[strings.LastIndex(typed, "/")+1:])
	}
	values := views.DeliveryFilterValues{Dialect: string(f.Dialect), Status: string(f.State), Verdict: string(f.Verdict), Cause: string(f.Cause), Action: f.Action, Account: f.Account,
		From: dayText(f.From), To: dayText(f.To), Text: text}
	if f.Hook != uuid.Nil {
		values.Subscription = f.Hook.String()
	}
	if f.Answered != 0 {
		values.Status = strconv.Itoa(f.Answered)
	}
	if f.Lookup != uuid.Nil {
		values.Lookup = f.Lookup.String()
	}
	if lookupErr != nil {
		problems["lookup"] = views.Note{ID: "deliveries.filter.lookup_bad"}
	}
	switch {
	case values.Text == "":
	case !role.May(auth.PowerReveal):
		problems["text"] = views.Note{ID: "deliveries.filter.text_role"}
	case utf8.RuneCountInString(text) > longestText:
		problems["text"] = views.Note{ID: "deliveries.filter.text_long", Args: []any{"Max", longestText}}
	case f.From.IsZero() || f.To.IsZero() || f.To.Sub(f.From) >= textDays*24*time.Hour || f.To.Before(f.From):
		problems["text"] = views.Note{ID: "deliveries.filter.text_range"}
	default:
		f.Text = values.Text
	}
	return values, f, problems
}

// unapplied tells what an address asks for and its list did not apply: a filter whose value is out of its set, or a name that is
// none of the filters nor of own, the address's other parameters. A list is not narrowed by it; what takes out or processes again
// all that was chosen would take more than was meant, and refuses. page is what the ids of its two sentences begin with.
func unapplied(page string, asked, applied url.Values, filters []string, own ...string) views.Note {
	var names []string
	foreign := false
	for name, values := range asked {
		switch {
		case slices.Contains(own, name), applied.Has(name), !slices.ContainsFunc(values, func(v string) bool { return v != "" }):
		case slices.Contains(filters, name):
			names = append(names, name)
		default: // anybody may have written it, so it is not repeated
			foreign = true
		}
	}
	switch {
	case len(names) > 0:
		slices.Sort(names)
		return views.Note{ID: page + "filter_value", Args: []any{"Names", strings.Join(names, ", ")}}
	case foreign:
		return views.Note{ID: page + "filter_name"}
	}
	return views.Note{}
}
