package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/views"
	"cotejo/web"
)

// exports lists receipts: everybody's for those who oversee, else one's own.
func (c *Console) exports(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	owner := v.User.ID
	if v.User.Role.May(auth.PowerOversee) {
		owner = 0
	}
	list, newer, older, err := c.DB.Receipts(r.Context(), v.env, owner, pageOf(r.URL.Query(), listRows))
	if err != nil {
		return failed(err)
	}
	page := views.ExportsPage{Page: c.page(w, r, "exports", "exports.title"), All: owner == 0}
	if page.Names, err = c.filterNames(r); err != nil {
		return err
	}
	for _, one := range list {
		page.List = append(page.List, said(one))
	}
	if page.Open, page.MoreOpen, err = c.DB.ExportsWithout(r.Context(), v.env, owner); err != nil {
		return failed(err)
	}
	page.Before, page.After = ends(list, newer, older, func(r receipt.Receipt) lookup.Cursor { return lookup.Cursor{At: r.MadeAt, ID: r.ID} })
	return web.Render(w, r, http.StatusOK, views.Exports(page))
}

// said reads the filter of a receipt the way the list's own address is read, so that it is said in the same words.
func said(r receipt.Receipt) views.ReceiptRow {
	q := url.Values{}
	for name, value := range r.Words {
		q.Set(name, value)
	}
	row := views.ReceiptRow{Receipt: r}
	if r.Kind == receipt.Deliveries {
		row.Deliveries, _, _ = deliveryFilter(q, q.Get("text"), "")
		row.Deliveries.Account, row.Deliveries.Action = q.Get("account"), q.Get("action") // whatever form was taken when it was made
	} else {
		row.Lookups, _ = lookupFilter(q)
	}
	return row
}

// export shows one export: its receipt, or how far it has come.
func (c *Console) export(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	page := views.ExportPage{Page: c.page(w, r, "exports", "exports.single")}
	if page.Names, err = c.filterNames(r); err != nil {
		return err
	}
	if err := c.readExport(r.Context(), visitOf(r), id, &page); err != nil {
		return failed(err)
	}
	return web.Render(w, r, http.StatusOK, views.Export(page))
}

// readExport fills in a page. What somebody else took out is not found by those who do not oversee.
func (c *Console) readExport(ctx context.Context, v visit, id uuid.UUID, page *views.ExportPage) error {
	page.Making, page.Receipt = nil, nil
	making, err := c.DB.Export(ctx, v.env, id)
	if err == nil {
		page.Making = &making
		row := said(receipt.Receipt{Kind: making.Asking.Kind, Words: making.Asking.Words, Zone: making.Asking.Zone})
		page.Row, page.Own = row, making.AskedByID == v.User.ID
	} else if !errors.Is(err, db.ErrNotFound) {
		return err
	}
	found, err := c.DB.Receipt(ctx, v.env, id)
	if err == nil {
		page.Receipt, page.Row = &found, said(found)
		page.Own = found.MadeByID == v.User.ID
	} else if !errors.Is(err, db.ErrNotFound) || page.Making == nil {
		return err
	}
	if !page.Own && !v.User.Role.May(auth.PowerOversee) {
		return db.ErrNotFound
	}
	return nil
}

// exportPause is how often a page's stream looks at its export.
const exportPause = time.Second

// exportLive streams how far an export has come.
func (c *Console) exportLive(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	page := views.ExportPage{Page: c.page(w, r, "exports", "exports.single")}
	if page.Names, err = c.filterNames(r); err != nil {
		return err
	}
	if err := c.readExport(r.Context(), v, id, &page); err != nil {
		return failed(err)
	}
	return c.streamLooks(w, r, exportPause, func(ctx context.Context) (string, bool, error) {
		page.Now = c.Now()
		if err := c.readExport(ctx, v, id, &page); err != nil {
			return "", false, err
		}
		text, err := rendered(ctx, views.LiveExport(page))
		return text, page.Moving(), err
	})
}

// cancelExport stops an export of one's own. It may have ended meanwhile: the page says how it stands.
func (c *Console) cancelExport(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	path := "/exports/" + id.String()
	err = c.DB.CancelExport(r.Context(), v.env, id, v.actor)
	if errors.Is(err, db.ErrConflict) {
		return c.flash(w, r, web.FlashInfo, path, "exports.flash.already")
	} else if err != nil {
		return failed(err)
	}
	return c.done(w, r, path, "exports.flash.cancelled")
}

// exportFile downloads the file of an export that was made in the background: only whoever asked for it may, while it is
// there. That it was downloaded is on the trail before its first byte leaves.
func (c *Console) exportFile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	asked, err := c.DB.Export(r.Context(), v.env, id)
	if err != nil {
		return failed(err)
	}
	if asked.Asking.Kind == receipt.Deliveries && !v.User.Role.May(auth.PowerReceive) {
		return web.Forbidden(errors.New("may not see deliveries"))
	}
	made, exportID, err := c.DB.TakeExport(r.Context(), v.env, id, v.actor)
	if err != nil {
		return failed(err)
	}
	fileHeaders(w, made)
	return c.DB.WriteExport(r.Context(), exportID, made.Bytes, w)
}
