package handlers

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/receipt"
	"cotejo/internal/report"
	"cotejo/views"
	"cotejo/web"
)

// report downloads a lookup as PDF, with figures as of the date in the address.
func (c *Console) report(w http.ResponseWriter, r *http.Request) error {
	return c.sendReport(w, r, r.URL.Query().Get("as_of"), "")
}

// reportWhy does the same with a reason, which stays in the receipt.
func (c *Console) reportWhy(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(form.Get("reason"))
	problem := receipt.ReasonProblem(reason, 1)
	if problem == "" {
		return c.sendReport(w, r, form.Get("as_of"), reason)
	}
	shown, err := c.caseAgain(w, r)
	if err != nil {
		return err
	}
	shown.Desk.AsOf = chosenDay(form.Get("as_of"), c.Now())
	shown.Desk.Why, shown.Desk.WhyErr = reason, views.Note{ID: problem}
	return web.Invalid(w, r, views.Lookup(shown))
}

// sendReport makes the report. It shows CURP and NSS in full, so it is an export: its receipt is written before a byte
// leaves, and the receipt's id stands on each page.
func (c *Console) sendReport(w http.ResponseWriter, r *http.Request, day, reason string) error {
	shown, err := c.caseAgain(w, r) // for its deliveries, which the transaction below does not read
	if err != nil {
		return err
	}
	deliveries := shown.Deliveries
	v, id := visitOf(r), uuid.New()
	asking := receipt.Asking{Selection: receipt.Selection{Environment: v.env, Subject: shown.Case.UID, Zone: v.printer.Zone().String()}, Reason: reason}
	page := c.page(w, r, "lookups", "")
	made, file, err := c.DB.ReportLookup(r.Context(), asking, id, func(found db.Case) ([]byte, error) {
		shown := casePage(page, found, nil)
		shown.Deliveries = deliveries
		if err := dayOf(day, &shown); err != nil {
			return nil, err
		}
		return report.PDF(views.Report(shown, id))
	}, v.actor)
	if err != nil {
		return failed(err)
	}
	return sendFile(w, made, file)
}

// dayOf sets the date of a report's figures. On paper a date that is none cannot be said and passed over.
func dayOf(text string, page *views.CasePage) error {
	askedFor(text, page)
	if page.Desk.BadDate {
		return web.BadRequest("figures.bad_date")
	}
	return nil
}

// caseAgain reads a case whose view is on the trail already, or will be by what is done with it.
func (c *Console) caseAgain(w http.ResponseWriter, r *http.Request) (shown views.CasePage, err error) {
	id, err := pathID(r)
	if err != nil {
		return shown, err
	}
	found, err := c.DB.FollowLookup(r.Context(), visitOf(r).env, id, visitOf(r).actor)
	if err != nil {
		return shown, failed(err)
	}
	deliveries, err := c.DB.DeliveriesOf(r.Context(), found.ID)
	if err != nil {
		return shown, failed(err)
	}
	page := c.page(w, r, "lookups", "")
	page.Title = views.LookupTitle(page, found.Reference)
	return casePage(page, found, deliveries), nil
}
