package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// knownActions are the events offered in the filter: the vendor's documented ones. Others are found by typing them
// into the address, because the set is open.
var knownActions = []string{"login.created", "login.success", "login.incomplete", "login.error"}

func (c *Console) deliveries(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	query := r.URL.Query()
	values, filter := deliveryFilter(query)
	list, newer, older, err := c.DB.Deliveries(r.Context(), v.env, filter, pageOf(query, listRows), v.printer.Zone())
	if err != nil {
		return failed(err)
	}
	page := views.DeliveriesPage{Page: c.page(w, r, "deliveries", "ui.nav.deliveries"), Rows: list, Values: values, Actions: knownActions}
	if newer && len(list) > 0 {
		page.Before = cursorText(lookup.Cursor{At: list[0].ReceivedAt, ID: list[0].ID})
	}
	if older && len(list) > 0 {
		last := list[len(list)-1]
		page.After = cursorText(lookup.Cursor{At: last.ReceivedAt, ID: last.ID})
	}
	return web.Render(w, r, http.StatusOK, views.Deliveries(page))
}

func deliveryFilter(q url.Values) (views.DeliveryFilterValues, webhook.Filter) {
	f := webhook.Filter{Action: q.Get("action"), Account: q.Get("account"), From: day(q.Get("from")), To: day(q.Get("to"))}
	if verdict := webhook.Verdict(q.Get("verdict")); slices.Contains(webhook.Verdicts, verdict) {
		f.Verdict = verdict
	}
	return views.DeliveryFilterValues{Verdict: string(f.Verdict), Action: f.Action, Account: f.Account,
		From: dayText(f.From), To: dayText(f.To)}, f
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
	page := views.DeliveryPage{Page: c.page(w, r, "deliveries", "ui.nav.deliveries"), Delivery: d, Body: string(d.Body)}
	if action != audit.BodyRevealed {
		shown, masked := webhook.Mask(d.Body)
		page.Body, page.Masked = string(shown), masked > 0 && v.User.Role.May(auth.PowerReveal)
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
