package jobs

import (
	"context"
	"errors"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
)

// fetchBuro pulls one kind of data about the person of an errand. Data is keyed by person at this vendor, so what comes is
// what the newest verification found; that is why only what an event named is fetched (docs/vendor-buro.md#buro-identifier).
func (v *vendor) fetchBuro(ctx context.Context, c connection.Connection, e db.Errand, kind lookup.Entity, pull *db.NewPull, last bool) error {
	client, err := v.buro(ctx, c, nil)
	if err != nil {
		return err
	}
	who := e.Identifier()
	switch kind {
	case lookup.EntityProfile:
		p, extra, raw, err := client.Profile(ctx, who)
		receivedPages(pull, raw)
		if err != nil {
			return err
		}
		more := extraCells(extra)
		pull.State = stateOf(p.FullName() != "" || len(p.IDs) > 0 || len(more) > 0, true)
		return v.db.StoreProfile(ctx, *pull, p, more)
	case lookup.EntityEmployment:
		h, files, raws, err := client.Employment(ctx, who)
		receivedPages(pull, raws...)
		if err != nil {
			return err
		}
		pull.State = buro.State(h)
		// A document that cannot be had does not hold the history back.
		pull.Documents, _ = documents(ctx, client, files)
		return v.db.StoreEmployment(ctx, *pull, h, employment.Gist(h))
	case lookup.EntityFiles:
		files, raw, err := client.EmploymentFiles(ctx, who)
		receivedPages(pull, raw)
		if err != nil {
			return err
		}
		var broken error
		if pull.Documents, broken = documents(ctx, client, files); broken != nil && !last {
			return broken // asked again for new links: these die within a quarter of an hour
		}
		pull.State = stateOf(len(files) > 0, broken == nil && !missing(pull.Documents))
		return v.db.StoreEntity(ctx, kind, *pull, fileRows(files))
	}
	rows, whole, raws, err := table(ctx, client, kind, who)
	receivedPages(pull, raws...)
	if err != nil {
		return err
	}
	pull.State = stateOf(len(rows) > 0, whole)
	return v.db.StoreEntity(ctx, kind, *pull, rows)
}

// table fetches the kinds of data that are no more than a table here.
func table(ctx context.Context, client *buro.Client, kind lookup.Entity, who string) (rows []lookup.Cells, whole bool, raws []buro.Raw, err error) {
	switch kind {
	case lookup.EntityInvoices:
		invoices, raws, err := client.Invoices(ctx, who)
		return invoiceRows(invoices.List), invoices.Complete, raws, err
	case lookup.EntityEarnings:
		list, whole, raws, err := client.Earnings(ctx, who)
		return earningRows(list), whole, raws, err
	case lookup.EntityBusiness:
		b, raw, err := client.BusinessProfile(ctx, who)
		return businessRows(b), true, []buro.Raw{raw}, err
	}
	return nil, false, nil, errors.New("no call fetches this kind of data")
}

func stateOf(any, whole bool) lookup.PullState {
	switch {
	case !whole:
		return lookup.PullPartial
	case !any:
		return lookup.PullEmpty
	}
	return lookup.PullComplete
}

// receivedPages keeps the answers as they came, whatever they turn out to say.
func receivedPages(pull *db.NewPull, raws ...buro.Raw) {
	for i, raw := range raws {
		if i == 0 {
			pull.HTTPStatus, pull.Took, pull.Body, pull.SHA256 = raw.Status, raw.Took, raw.Body, raw.SHA256
			continue
		}
		pull.More = append(pull.More, db.Page{HTTPStatus: raw.Status, Took: raw.Took, Body: raw.Body, SHA256: raw.SHA256})
	}
}

// What one pull keeps of documents. Beyond that they are kept by name, so that one answer cannot fill the memory of a
// worker or the disk.
const (
	mostDocuments = 30
	mostBytes     = 40 << 20
	filesTime     = 20 * time.Second // of the job's 30
)

// documents fetches files at once. What cannot be had is kept by name with the code of why; err is the first failure that
// may pass.
func documents(ctx context.Context, client *buro.Client, files []buro.EmploymentFile) (list []db.NewDocument, err error) {
	ctx, cancel := context.WithTimeout(ctx, filesTime)
	defer cancel()
	room := mostBytes
	for i, f := range files {
		d := db.NewDocument{Name: f.Name, Institution: f.Institution, UploadedAt: f.UploadedAt}
		if i >= mostDocuments || room <= 0 {
			d.Code = buro.CodeTooLarge
			list = append(list, d)
			continue
		}
		var failed error
		d.Body, d.ContentType, failed = client.FetchFile(ctx, f.URL)
		refused, ok := refusalOf(failed)
		switch {
		case failed == nil && len(d.Body) > min(room, db.MaxDocument):
			d.Body, d.Code = nil, buro.CodeTooLarge
		case failed == nil:
			room -= len(d.Body)
		case !ok:
			return list, failed
		default:
			d.Code = refused.code
			if !refused.final && err == nil {
				err = failed
			}
		}
		list = append(list, d)
	}
	return list, err
}

func missing(list []db.NewDocument) bool {
	for _, d := range list {
		if d.Code != "" {
			return true
		}
	}
	return false
}

// cells leaves out what the source did not say.
func cells(pairs ...string) (row lookup.Cells) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			row = append(row, lookup.Cell{Label: pairs[i], Value: pairs[i+1]})
		}
	}
	return row
}

func onDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func atMoment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func extraCells(x buro.Extra) lookup.Cells {
	a := x.Address
	return cells("employment_status", x.EmploymentStatus, "estimated_monthly_income", x.EstimatedMonthlyIncome, "street", a.Street,
		"neighborhood", a.Neighborhood, "municipality", a.Municipality, "state", a.State, "zip_code", a.ZIP, "updated_at", atMoment(x.UpdatedAt))
}

func fileRows(files []buro.EmploymentFile) (rows []lookup.Cells) {
	for _, f := range files {
		rows = append(rows, cells("name", f.Name, "institution", f.Institution, "uploaded_at", atMoment(f.UploadedAt)))
	}
	return rows
}

func invoiceRows(list []buro.Invoice) (rows []lookup.Cells) {
	for _, v := range list {
		row := cells("issued_on", onDay(v.IssuedOn), "type", v.Type, "amount", v.Amount, "currency", v.Currency, "status", v.Status,
			"issuer_rfc", v.IssuerRFC, "issuer_name", v.IssuerName, "receiver_rfc", v.ReceiverRFC, "receiver_name", v.Receiver,
			"receiver_zip", v.ReceiverZIP, "folio", v.Folio)
		for _, line := range v.Incomes {
			row = append(row, cells("income", lineText(line))...)
		}
		for _, line := range v.Deductions {
			row = append(row, cells("deduction", lineText(line))...)
		}
		rows = append(rows, row)
	}
	return rows
}

// lineText puts a line of a payroll slip into one value: "Sueldo: 1150.50 MXN".
func lineText(l buro.InvoiceLine) string {
	text := strings.TrimSpace(l.Amount + " " + l.Currency)
	if l.Detail == "" || text == "" {
		return l.Detail + text
	}
	return l.Detail + ": " + text
}

func earningRows(list []buro.Earning) (rows []lookup.Cells) {
	for _, e := range list {
		rows = append(rows, cells("month", e.Month, "platform", e.Platform, "amount", e.Amount, "currency", e.Currency))
	}
	return rows
}

func businessRows(b buro.BusinessProfile) []lookup.Cells {
	row := cells("rfc", b.RFC, "legal_name", b.LegalName, "commercial_name", b.CommercialName)
	if len(row) == 0 {
		return nil
	}
	return []lookup.Cells{append(row, cells("updated_at", atMoment(b.UpdatedAt))...)}
}
