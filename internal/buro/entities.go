package buro

import (
	"context"
	"log/slog"
	"time"
)

// Invoice is one tax document (CFDI) that a person issued or received; payroll slips are among them.
type Invoice struct {
	Type                  string    // nomina, ingreso, egreso, traslado, pago, …
	Amount, Currency      string    // the amount's exact text
	IssuedOn              time.Time // calendar date; zero when not given
	IssuerRFC, IssuerName string
	ReceiverRFC, Receiver string
	ReceiverZIP           string
	Folio                 string // folio fiscal, a UUID
	Status                string // Vigente, …
	Incomes, Deductions   []InvoiceLine
}

// InvoiceLine is one line of a payroll slip.
type InvoiceLine struct {
	Amount, Currency, Detail string
}

// Invoices are all invoices of a person that came.
type Invoices struct {
	List      []Invoice
	Complete  bool // false when not every announced one came
	UpdatedAt time.Time
}

type lineJSON struct {
	Amount   amount `json:"amount"`
	Currency text   `json:"currency"`
	Detail   text   `json:"detail"`
}

type invoiceJSON struct {
	Type        text           `json:"type"`
	Amount      amount         `json:"amount"`
	Currency    text           `json:"currency"`
	IssueDate   date           `json:"issue_date"`
	IssuerRFC   text           `json:"rfc_issuer"`
	IssuerName  text           `json:"issuer_name"`
	ReceiverRFC text           `json:"rfc_receiver"`
	Receiver    text           `json:"receiver_name"`
	ReceiverZIP text           `json:"zip_code_receiver"`
	Folio       text           `json:"folio_fiscal"`
	Status      text           `json:"invoice_status"`
	Incomes     many[lineJSON] `json:"incomes"`
	Deductions  many[lineJSON] `json:"deductions"`
}

// Invoices fetches a person's invoices of every type, all pages: GET /invoices/{identifier}. The code for "none" is on
// no page; invoices_not_found is read as one (docs/vendor-buro.md#buro-other).
func (c *Client) Invoices(ctx context.Context, identifier string) (Invoices, []Raw, error) {
	const op = "invoices"
	segment, err := person(op, identifier)
	if err != nil {
		return Invoices{}, nil, err
	}
	var got Invoices
	var same sameData
	raws, whole, err := c.pages(ctx, op, "/invoices/"+segment, nil, "invoices", func(a answer) (int, error) {
		var j struct {
			Identifier text              `json:"identifier"`
			UpdatedAt  moment            `json:"updated_at"`
			Invoices   many[invoiceJSON] `json:"invoices"`
		}
		if err := a.read(op, &j); err != nil {
			return 0, err
		}
		if err := a.about(op, identifier, j.Identifier); err != nil {
			return 0, err
		}
		if err := same.check(op, a, j.UpdatedAt.text); err != nil {
			return 0, err
		}
		got.UpdatedAt = j.UpdatedAt.Time
		for _, one := range j.Invoices {
			got.List = append(got.List, one.invoice())
		}
		return len(j.Invoices), nil
	})
	if none(err, "invoices_not_found") && len(raws) == 1 {
		return Invoices{Complete: true}, raws, nil
	}
	if err != nil {
		return Invoices{}, raws, err
	}
	got.Complete = whole
	return got, raws, nil
}

func (j invoiceJSON) invoice() Invoice {
	lines := func(from many[lineJSON]) (out []InvoiceLine) {
		for _, l := range from {
			out = append(out, InvoiceLine{Amount: string(l.Amount), Currency: string(l.Currency), Detail: string(l.Detail)})
		}
		return out
	}
	return Invoice{
		Type: string(j.Type), Amount: string(j.Amount), Currency: string(j.Currency), IssuedOn: j.IssueDate.Time,
		IssuerRFC: string(j.IssuerRFC), IssuerName: string(j.IssuerName), ReceiverRFC: string(j.ReceiverRFC),
		Receiver: string(j.Receiver), ReceiverZIP: string(j.ReceiverZIP), Folio: string(j.Folio), Status: string(j.Status),
		Incomes: lines(j.Incomes), Deductions: lines(j.Deductions),
	}
}

// Earning is a person's income of one month at one gig platform.
type Earning struct {
	Platform         string // uber, didi, …
	Month            string // YYYY-MM as received
	Amount, Currency string // the amount's exact text
}

// Earnings fetches a person's gig income by month, all pages: GET /earnings/{identifier}. That there are months of the
// form YYYY-MM is documented, the fields' names are not: these are our guesses, and a row in which neither a month nor an
// amount was understood makes the answer unreadable (docs/vendor-buro.md#buro-other).
func (c *Client) Earnings(ctx context.Context, identifier string) (list []Earning, complete bool, raws []Raw, err error) {
	const op = "earnings"
	segment, err := person(op, identifier)
	if err != nil {
		return nil, false, nil, err
	}
	raws, complete, err = c.pages(ctx, op, "/earnings/"+segment, nil, "earnings", func(a answer) (int, error) {
		var j struct {
			Identifier text `json:"identifier"`
			Earnings   many[struct {
				Platform text   `json:"platform"`
				Month    text   `json:"month"`
				Period   text   `json:"period"`
				Date     text   `json:"date"`
				Amount   amount `json:"amount"`
				Total    amount `json:"total"`
				Currency text   `json:"currency"`
			}] `json:"earnings"`
		}
		if err := a.read(op, &j); err != nil {
			return 0, err
		}
		if err := a.about(op, identifier, j.Identifier); err != nil {
			return 0, err
		}
		for _, r := range j.Earnings {
			e := Earning{
				Platform: string(r.Platform), Month: first(r.Month, r.Period, r.Date),
				Amount: first(text(r.Amount), text(r.Total)), Currency: string(r.Currency),
			}
			if e.Month == "" || e.Amount == "" {
				return 0, unreadable(op, a, badRow)
			}
			list = append(list, e)
		}
		return len(j.Earnings), nil
	})
	if none(err, "earnings_not_found") && len(raws) == 1 {
		return nil, true, raws, nil
	}
	if err != nil {
		return nil, false, raws, err
	}
	return list, complete, raws, nil
}

// EmploymentFile is one document about a person's employment.
type EmploymentFile struct {
	URL         string // a pre-signed link: a credential, dead after 15 minutes; for FetchFile at once
	Name        string // in Spanish, such as the name of an IMSS or ISSSTE report
	Institution string
	UploadedAt  time.Time
}

// LogValue keeps the link, and whatever the vendor calls the document, out of logs.
func (f EmploymentFile) LogValue() slog.Value { return slog.StringValue(f.Institution) }

// EmploymentFiles lists the documents about a person's employment: GET /employment-files/{identifier}.
// employment_files_not_found is an answer: none. Entries without a link are left out. The raw answer quotes the links,
// which are credentials for a quarter of an hour.
func (c *Client) EmploymentFiles(ctx context.Context, identifier string) ([]EmploymentFile, Raw, error) {
	const op = "employment files"
	var j struct {
		Identifier text `json:"identifier"`
		Files      many[struct {
			URL         text   `json:"url"`
			Name        text   `json:"name"`
			Institution text   `json:"institution"`
			UploadedAt  moment `json:"uploaded_at"`
		}] `json:"employment_files"`
	}
	found, a, err := c.one(ctx, op, "/employment-files/", identifier, "employment_files", &j, "employment_files_not_found")
	if err != nil || !found {
		return nil, a.raw, err
	}
	if err := a.about(op, identifier, j.Identifier); err != nil {
		return nil, a.raw, err
	}
	var list []EmploymentFile
	for _, f := range j.Files {
		if f.URL != "" {
			list = append(list, EmploymentFile{URL: string(f.URL), Name: string(f.Name), Institution: string(f.Institution), UploadedAt: f.UploadedAt.Time})
		}
	}
	return list, a.raw, nil
}
