package handlers

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// knownActions are the events offered in the filter: those that subscriptions may ask for. Others are found by typing
// them into the address, because the set is open.
var knownActions = slices.Concat(offered[lookup.Palenca], offered[lookup.Buro])

func (c *Console) deliveries(w http.ResponseWriter, r *http.Request) error {
	l, err := c.ledger(r, r.URL.Query())
	if err != nil {
		return err
	}
	if err := c.searchedBodies(r, l); err != nil {
		return err
	}
	return c.showDeliveries(w, r, http.StatusOK, l)
}

// showDeliveries shows the list under the part of a filter that could be applied, and says what could not.
func (c *Console) showDeliveries(w http.ResponseWriter, r *http.Request, status int, l ledger) error {
	v, began := visitOf(r), c.Now()
	query, filter := r.URL.Query(), l.filter
	if len(l.problems) > 0 {
		// The page leads back to its own address, from which what is personal has to go as well.
		query, _ = withoutPersonal(query)
		for name := range l.problems {
			query.Del(name)
		}
		r = r.Clone(r.Context())
		r.URL.RawQuery = query.Encode()
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
	page := views.DeliveriesPage{Page: c.page(w, r, "deliveries", "ui.nav.deliveries"), Rows: list, Values: l.values, Actions: knownActions,
		Causes: webhook.Causes, Subscriptions: hooks, Hours: hourCounts(hours), Errors: l.problems, Typed: l.typed, Newest: !newer, Since: cursorText(lookup.Cursor{At: began})}
	if page.Newest && len(list) > 0 {
		page.Since = cursorText(lookup.Cursor{At: list[0].ReceivedAt, ID: list[0].ID})
	}
	page.Before, page.After = ends(list, newer, older, func(d webhook.Delivery) lookup.Cursor { return lookup.Cursor{At: d.ReceivedAt, ID: d.ID} })
	return web.Render(w, r, status, views.Deliveries(page))
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
