package handlers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/report"
	"cotejo/views"
	"cotejo/web"
)

// report downloads a lookup as PDF, with figures as of the date in the address. It shows CURP and NSS in full, so it is an
// export: that it was made stands on the trail, with its reference, before a byte leaves. It is written whole before it
// is sent.
func (c *Console) report(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	reference := uuid.New()
	found, err := c.DB.ReportLookup(r.Context(), v.env, id, reference, v.actor)
	if err != nil {
		return failed(err)
	}
	deliveries, err := c.DB.DeliveriesOf(r.Context(), found.ID)
	if err != nil {
		return failed(err)
	}
	shown := casePage(c.page(w, r, "lookups", ""), found, deliveries)
	asOf(r, &shown)
	if shown.Desk.BadDate {
		return web.BadRequest("figures.bad_date")
	}
	file, err := report.PDF(views.Report(shown, reference))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+reportName(found.UID, shown.Now)+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(file)))
	_, err = w.Write(file)
	return err
}

// reportName has the lookup's reference and the time in UTC, and nothing of the person.
func reportName(of uuid.UUID, at time.Time) string {
	return "cotejo-report-" + of.String() + "-" + at.UTC().Format("20060102T150405Z") + ".pdf"
}
