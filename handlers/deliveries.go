package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// knownActions are the events offered in the filter: those that subscriptions may ask for. Others are found by typing
// them into the address, because the set is open.
var knownActions = slices.Concat(offered[lookup.Palenca], offered[lookup.Buro])

func (c *Console) deliveries(w http.ResponseWriter, r *http.Request) error {
	v, began := visitOf(r), c.Now()
	query, personal := withoutPersonal(r.URL.Query())
	values, filter, problems := deliveryFilter(query, v.User.Role)
	if personal {
		// The page leads back to its own address, so it goes from there as well.
		r = r.Clone(r.Context())
		r.URL.RawQuery = query.Encode()
		problems["text"] = views.Note{ID: "subscriptions.text_personal"}
	}
	if filter.Text != "" {
		if err := c.DB.SearchedBodies(r.Context(), v.actor); err != nil {
			return failed(err)
		}
	}
	list, newer, older, err := c.DB.Deliveries(r.Context(), v.env, filter, pageOf(query, listRows), v.printer.Zone())
	if err != nil {
		return failed(err)
	}
	hooks, err := c.DB.Hooks(r.Context(), v.env)
	if err != nil {
		return failed(err)
	}
	hours, err := c.hours(r)
	if err != nil {
		return err
	}
	page := views.DeliveriesPage{Page: c.page(w, r, "deliveries", "ui.nav.deliveries"), Rows: list, Values: values, Actions: knownActions,
		Causes: webhook.Causes, Subscriptions: hooks, Hours: hourCounts(hours), Errors: problems, Newest: !newer, Since: cursorText(lookup.Cursor{At: began})}
	if page.Newest && len(list) > 0 {
		page.Since = cursorText(lookup.Cursor{At: list[0].ReceivedAt, ID: list[0].ID})
	}
	if newer && len(list) > 0 {
		page.Before = cursorText(lookup.Cursor{At: list[0].ReceivedAt, ID: list[0].ID})
	}
	if older && len(list) > 0 {
		last := list[len(list)-1]
		page.After = cursorText(lookup.Cursor{At: last.ReceivedAt, ID: last.ID})
	}
	return web.Render(w, r, http.StatusOK, views.Deliveries(page))
}

// curpLike finds what must not stand in an address, however it got there.
var curpLike = regexp.MustCompile(`(?i)[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]`)

// withoutPersonal takes every parameter out of an address that has a CURP, an RFC or an NSS in it.
func withoutPersonal(q url.Values) (rest url.Values, found bool) {
	for name, values := range q {
		if slices.ContainsFunc(append(values, name), personal) {
			found = true
			q.Del(name)
		}
	}
	return q, found
}

// personal tells of what must not stand in an address. A UUID of the vendor's may look like an RFC in a part of it.
func personal(text string) bool {
	if curpLike.MatchString(text) {
		return true
	}
	_, err := uuid.Parse(text)
	return err != nil && receipt.Personal(text)
}

// textDays is within how many days a text is looked for in bodies: no index helps there.
const textDays = 7

// deliveryFilter reads the list's filter from its address. A value outside its set narrows nothing.
// Bodies hold what a role without PowerReveal may not see, and could be guessed at piece by piece.
func deliveryFilter(q url.Values, role auth.Role) (views.DeliveryFilterValues, webhook.Filter, map[string]views.Note) {
	f := webhook.Filter{Action: q.Get("action"), Account: q.Get("account"), From: day(q.Get("from")), To: day(q.Get("to"))}
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
		From: dayText(f.From), To: dayText(f.To), Text: q.Get("text")}
	if f.Hook != uuid.Nil {
		values.Subscription = f.Hook.String()
	}
	if f.Answered != 0 {
		values.Status = strconv.Itoa(f.Answered)
	}
	if f.Lookup != uuid.Nil {
		values.Lookup = f.Lookup.String()
	}
	problems := map[string]views.Note{}
	if lookupErr != nil {
		problems["lookup"] = views.Note{ID: "deliveries.filter.lookup_bad"}
	}
	switch {
	case values.Text == "":
	case !role.May(auth.PowerReveal):
		problems["text"] = views.Note{ID: "deliveries.filter.text_role"}
	case f.From.IsZero() || f.To.IsZero() || f.To.Sub(f.From) >= textDays*24*time.Hour || f.To.Before(f.From):
		problems["text"] = views.Note{ID: "deliveries.filter.text_range"}
	default:
		f.Text = values.Text
	}
	return values, f, problems
}

func (c *Console) delivery(w http.ResponseWriter, r *http.Request) error {
	return c.showDelivery(w, r, audit.DeliveryViewed)
}

// revealDelivery shows the body with its personal data. A role that may not see a CURP never gets here.
func (c *Console) revealDelivery(w http.ResponseWriter, r *http.Request) error {
	return c.showDelivery(w, r, audit.BodyRevealed)
}

func (c *Console) showDelivery(w http.ResponseWriter, r *http.Request, action audit.Action) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	d, err := c.DB.ViewDelivery(r.Context(), v.env, id, action, v.actor)
	if err != nil {
		return failed(err)
	}
	page := views.DeliveryPage{Curl: curlOf(d, c.HooksURL), Page: c.page(w, r, "deliveries", "ui.nav.deliveries"), Delivery: d}
	plain, addresses := webhook.MaskAddress(d.Body)
	page.Body = string(plain)
	if action != audit.BodyRevealed {
		shown, masked := webhook.Mask(d.Body)
		page.Body, page.Masked = string(shown), masked > addresses && v.User.Role.May(auth.PowerReveal)
	}
	return web.Render(w, r, http.StatusOK, views.Delivery(page))
}

// deliveryBody downloads the exact bytes kept. They are a stranger's: never shown as a page, whatever they are.
func (c *Console) deliveryBody(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	d, err := c.DB.ViewDelivery(r.Context(), v.env, id, audit.DeliveryBody, v.actor)
	if err != nil {
		return failed(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="delivery-`+d.UID.String()+`.json"`)
	h.Set("Content-Length", strconv.Itoa(len(d.Body)))
	_, err = w.Write(d.Body)
	return err
}

// caseDeliveries masks the bodies shown on a lookup's page.
func caseDeliveries(list []webhook.Delivery) []views.CaseDelivery {
	shown := make([]views.CaseDelivery, len(list))
	for i, d := range list {
		masked, _ := webhook.Mask(d.Body)
		shown[i] = views.CaseDelivery{Delivery: d, MaskedBody: string(masked)}
	}
	return shown
}

// curlOf writes a delivery as a command, without credentials and with personal data masked, to try a receiver with.
func curlOf(d webhook.Delivery, base string) string {
	var command strings.Builder
	command.WriteString("curl -i -X " + shellQuote(d.Method) + " " + shellQuote(base+"/hooks/TOKEN"))
	for _, h := range d.Headers {
		if !h.Sealed && h.Name != "content-length" && h.Name != "accept-encoding" {
			command.WriteString(" \\\n  -H " + shellQuote(h.Name+": "+h.Value))
		}
	}
	body, _ := webhook.Mask(d.Body)
	command.WriteString(" \\\n  --data-binary " + shellQuote(string(body)))
	return command.String()
}

// shellQuote makes one word of a text for a POSIX shell.
func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
