package handlers

import (
	"encoding/hex"
	"net/http"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/curp"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

func (c *Console) lookup(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	found, err := c.DB.ViewLookup(r.Context(), v.env, id, v.actor)
	if err != nil {
		return failed(err)
	}
	deliveries, err := c.DB.DeliveriesOf(r.Context(), found.ID)
	if err != nil {
		return failed(err)
	}
	page := c.page(w, r, "lookups", "")
	page.Title = views.LookupTitle(page, found.Reference)
	shown := casePage(page, found, deliveries)
	asOf(r, &shown)
	return web.Render(w, r, http.StatusOK, views.Lookup(shown))
}

func casePage(p views.Page, c db.Case, deliveries []webhook.Delivery) views.CasePage {
	return views.CasePage{Page: p, Case: c.Case, Profile: c.Profile, History: c.History, Earlier: c.Earlier, Change: caseChange(c),
		Desk: views.Desk{Notes: c.Decisions}, Work: caseWork(c.Work), ProfileMore: c.ProfileMore, Entities: entityTables(c.Entities, c.RFC), Documents: documents(c.Documents),
		ProfilePull: pullNote(c.ProfilePull), EmploymentPull: pullNote(c.EmploymentPull), Deliveries: caseDeliveries(deliveries)}
}

// entityTables gives the other kinds of data. The RFC that was asked about is masked in them as at the top of the page.
func entityTables(list []db.EntityTable, rfc string) []views.EntityTable {
	tables := make([]views.EntityTable, len(list))
	for i, t := range list {
		for _, row := range t.Rows {
			for j := range row {
				if rfc != "" && row[j].Value == rfc {
					row[j].Value = curp.MaskRFC(rfc)
				}
			}
		}
		tables[i] = views.EntityTable{Entity: t.Entity, Pull: pullNote(&t.Pull), Rows: t.Rows}
	}
	return tables
}

func documents(list []db.Document) []views.Document {
	papers := make([]views.Document, len(list))
	for i, d := range list {
		papers[i] = views.Document{UID: d.UID, Name: d.Name, Institution: d.Institution, UploadedAt: d.UploadedAt, FetchedAt: d.FetchedAt,
			Size: int64(d.Size), SHA256: d.SHA256, Code: d.Code}
	}
	return papers
}

// secrets are the identifiers that a page shows masked, each with how its reveal is called on the trail.
var secrets = map[string]audit.Action{"curp": audit.CURPRevealed, "rfc": audit.RFCRevealed, "nss": audit.NSSRevealed}

func hexText(sum []byte) string { return hex.EncodeToString(sum) }

func pullNote(p *db.Pull) views.PullNote {
	if p == nil {
		return views.PullNote{}
	}
	return views.PullNote{UID: p.UID, FetchedAt: p.FetchedAt, Size: int64(p.Size), SHA256: hexText(p.SHA256), HTTPStatus: p.HTTPStatus, Pages: p.Pages, Delivery: p.Delivery}
}

// revealing reads which secret is to be shown.
func revealing(r *http.Request) (field string, action audit.Action, err error) {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return "", "", err
	}
	field = form.Get("field")
	if action = secrets[field]; action == "" {
		return "", "", web.BadRequest("errors.bad.field")
	}
	return field, action, nil
}

// reveal shows a full CURP, RFC or NSS once; that it was shown is on the trail before it is.
func (c *Console) reveal(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	field, action, err := revealing(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	value, err := c.DB.Reveal(r.Context(), v.env, id, action, v.actor)
	if err != nil {
		return failed(err)
	}
	page := c.page(w, r, "lookups", "")
	if web.IsPartial(r) {
		return web.Render(w, r, http.StatusOK, views.Revealed(page, value))
	}
	// Without script: the same page with the value in it, not kept anywhere.
	found, err := c.DB.WatchLookup(r.Context(), v.env, id)
	if err != nil {
		return failed(err)
	}
	deliveries, err := c.DB.DeliveriesOf(r.Context(), found.ID)
	if err != nil {
		return failed(err)
	}
	page.Title = views.LookupTitle(page, found.Reference)
	shown := casePage(page, found, deliveries)
	shown.Revealed = map[string]string{field: value}
	return web.Render(w, r, http.StatusOK, views.Lookup(shown))
}
