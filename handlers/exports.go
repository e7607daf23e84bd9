package handlers

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/bulk"
	"cotejo/internal/export"
	"cotejo/internal/receipt"
	"cotejo/views"
	"cotejo/web"
)

// wanted is what a form or the address that leads to it asks to take out.
type wanted struct {
	asking receipt.Asking
	form   views.ExportForm
}

// wants reads a selection: a list with its filter as the list's own address spells it, or a bulk. A filter that cannot be
// applied would take out more than was meant, so it is a problem of the form.
func (c *Console) wants(r *http.Request, of string, kind receipt.Kind, q url.Values) (wanted, error) {
	v := visitOf(r)
	x := wanted{form: views.ExportForm{Of: of, Errors: map[string]views.Note{}}}
	s := &x.asking.Selection
	s.Environment, s.Zone = v.env, v.printer.Zone().String()
	q, personal := withoutPersonal(q)
	switch of {
	case "lookups":
		values, filter := lookupFilter(q)
		s.Kind, s.Lookups, x.form.Lookups = receipt.Lookups, filter, values
		if kind == receipt.Records {
			s.Kind = kind
		}
		x.form.Query = values.Query()
	case "deliveries":
		if !v.User.Role.May(auth.PowerReceive) {
			return x, web.Forbidden(errors.New("may not see deliveries"))
		}
		l, err := c.ledger(r, q)
		if err != nil {
			return x, err
		}
		s.Kind, s.Deliveries, x.form.Deliveries, x.form.Errors = receipt.Deliveries, l.filter, l.values, l.problems
		x.form.Query, s.Words = l.values.Query(uuid.Nil), l.values.Kept(uuid.Nil)
	case "bulk":
		id, err := uuid.Parse(q.Get("bulk"))
		if err != nil {
			return x, web.NotFound(err)
		}
		if x.form.Bulk, err = c.DB.Bulk(r.Context(), v.env, id); err != nil {
			return x, failed(err)
		}
		if x.form.Bulk.State == bulk.Draft {
			return x, web.NotFound(errors.New("a draft has no result")) // and what it holds may change until it is sent
		}
		s.Kind, s.Subject = receipt.Bulk, id
		x.form.Query = url.Values{"bulk": {id.String()}}
	default:
		return x, web.NotFound(errors.New("no such export"))
	}
	if personal {
		x.form.Errors["filter"] = views.Note{ID: "subscriptions.text_personal"}
	}
	if len(x.form.Errors) == 0 && s.Kind.Listed() {
		filters := map[string][]string{"lookups": views.LookupFilterNames(), "deliveries": views.DeliveryFilterNames()}[of]
		if note := unapplied("exports.form.", q, x.form.Query, filters, "of", "kind"); note.Is() {
			x.form.Errors["filter"] = note
		}
	}
	x.form.Kind = s.Kind
	if of == "lookups" {
		s.Words = map[string]string{}
		for name := range x.form.Query {
			s.Words[name] = x.form.Query.Get(name)
		}
	}
	return x, nil
}

// measure counts what a selection holds, as far as it matters.
func (c *Console) measure(r *http.Request, x *wanted) (err error) {
	if len(x.form.Errors) > 0 {
		return nil
	}
	if x.form.Of == "bulk" {
		n := x.form.Bulk.Total
		x.form.Count = views.ExportCount{Items: n}
		x.asking.People = min(n, receipt.ManyPeople)
	} else {
		if x.asking.Deliveries.Text != "" { // the count tells what bodies hold
			if err := c.DB.SearchedBodies(r.Context(), x.form.Deliveries.Search, visitOf(r).actor); err != nil {
				return failed(err)
			}
		}
		counted, err := c.DB.CountExport(r.Context(), x.asking.Selection)
		if err != nil {
			return failed(err)
		}
		x.form.Count = views.ExportCount{Items: counted.Items, Records: counted.Records}
		x.asking.People = counted.People
	}
	x.form.People = x.asking.People
	return nil
}

// newExport says what would be taken out, and asks for a reason and the password where it is of many people.
func (c *Console) newExport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	x, err := c.wants(r, q.Get("of"), receipt.Kind(q.Get("kind")), q)
	if err != nil {
		return err
	}
	if err := c.measure(r, &x); err != nil {
		return err
	}
	status := http.StatusOK
	if len(x.form.Errors) > 0 {
		status = http.StatusUnprocessableEntity
		// The page leads back to its own address, from which what is personal has to go as well.
		r = r.Clone(r.Context())
		r.URL.RawQuery = url.Values{"of": {x.form.Of}}.Encode()
	}
	return c.showExportForm(w, r, status, x)
}

func (c *Console) showExportForm(w http.ResponseWriter, r *http.Request, status int, x wanted) error {
	page := views.NewExportPage{Page: c.page(w, r, "exports", "exports.new.title"), Form: x.form}
	var err error
	if page.Names, err = c.filterNames(r); err != nil {
		return err
	}
	return web.Render(w, r, status, views.NewExport(page))
}

// filterNames are what ids in a filter are called.
func (c *Console) filterNames(r *http.Request) (names views.FilterNames, err error) {
	if names.Analysts, err = c.DB.Users(r.Context()); err != nil {
		return names, failed(err)
	}
	if names.Tags, err = c.DB.Tags(r.Context(), visitOf(r).env); err != nil {
		return names, failed(err)
	}
	names.Subscriptions, err = c.DB.Hooks(r.Context(), visitOf(r).env)
	return names, failed(err)
}

// makeExport answers with the file, or begins to make it in the background when it is too large for an answer. It is a
// POST, so that no link makes anybody take out the data of many.
func (c *Console) makeExport(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	q, err := url.ParseQuery(form.Get("filter"))
	if err != nil {
		return web.BadRequest(web.MsgFormUnreadable)
	}
	x, err := c.wants(r, form.Get("of"), receipt.Kind(form.Get("kind")), q)
	if err != nil {
		return err
	}
	if err := c.measure(r, &x); err != nil {
		return err
	}
	x.asking.Reason, x.form.Reason = form.Get("reason"), form.Get("reason")
	if id := receipt.ReasonProblem(x.asking.Reason, x.asking.People); id != "" {
		x.form.Errors["reason"] = views.Note{ID: id, Args: []any{"Min", receipt.MinReason, "Max", receipt.MaxReason}}
	}
	// The password comes last: a try is not used up by a form that is refused anyway.
	if len(x.form.Errors) == 0 && x.asking.People > receipt.MostPeople {
		problem, err := c.confirm(r, form.Raw("password"))
		if err != nil {
			return err
		}
		if problem.Is() {
			x.form.Errors["password"] = problem
		}
	}
	if len(x.form.Errors) > 0 {
		return c.showExportForm(w, r, http.StatusUnprocessableEntity, x)
	}
	return c.takeOut(w, r, x)
}

func (c *Console) takeOut(w http.ResponseWriter, r *http.Request, x wanted) error {
	v := visitOf(r)
	if x.asking.Kind == receipt.Bulk {
		made, file, err := c.DB.ExportBulk(r.Context(), x.asking, func(b bulk.Bulk, items []bulk.Item) ([]byte, error) {
			rows := make([]export.BulkRow, len(items))
			for i, item := range items {
				rows[i] = export.BulkRowOf(b, string(v.env), item)
			}
			return export.WriteBulk(rows)
		}, v.actor)
		if err != nil {
			return failed(err)
		}
		return sendFile(w, made, file)
	}
	if rows := x.form.Count; rows.Items <= receipt.AtOnce && (x.asking.Kind != receipt.Records || rows.Records <= receipt.AtOnce) {
		made, file, err := c.DB.MakeExport(r.Context(), x.asking, export.Write, v.actor)
		switch {
		case err == nil:
			return sendFile(w, made, file)
		case errors.Is(err, db.ErrGrown):
			if err := c.measure(r, &x); err != nil {
				return err
			}
			x.form.Errors["reason"] = views.Note{ID: "exports.new.grown"}
			return c.showExportForm(w, r, http.StatusUnprocessableEntity, x)
		case !errors.Is(err, db.ErrLong):
			return failed(err)
		}
	}
	uid, err := c.DB.AskExport(r.Context(), x.asking, v.actor)
	if err != nil {
		return failed(err)
	}
	return web.Redirect303(w, r, "/exports/"+uid.String())
}

// receiptHeader tells a script the receipt of the file it gets.
const receiptHeader = "Cotejo-Receipt"

// sendFile answers with a file whose receipt is written. It is whole: a file that stops half-way looks complete.
func sendFile(w http.ResponseWriter, r receipt.Receipt, file []byte) error {
	fileHeaders(w, r)
	_, err := w.Write(file)
	return err
}

func fileHeaders(w http.ResponseWriter, r receipt.Receipt) {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	if r.Kind == receipt.Report {
		h.Set("Content-Type", "application/pdf")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+r.FileName()+`"`)
	h.Set("Content-Length", strconv.FormatInt(r.Bytes, 10))
	h.Set(receiptHeader, r.UID.String())
}

// employmentCSV downloads one person's employment history.
func (c *Console) employmentCSV(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	asking := receipt.Asking{Selection: receipt.Selection{Environment: v.env, Subject: id, Zone: v.printer.Zone().String()}}
	made, file, err := c.DB.ExportLookup(r.Context(), asking, func(found db.Case) (int, []byte, error) {
		var file bytes.Buffer
		n, err := export.WriteEmployment(&file, exportRows(found))
		return n, file.Bytes(), err
	}, v.actor)
	if err != nil {
		return failed(err)
	}
	return sendFile(w, made, file)
}

// bulkResult led to the result once. A link must not take out the data of many, so it leads to the form that does.
func (c *Console) bulkResult(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if _, err := c.DB.Bulk(r.Context(), visitOf(r).env, id); err != nil {
		return failed(err)
	}
	return web.Redirect303(w, r, "/exports/new?of=bulk&bulk="+id.String())
}
