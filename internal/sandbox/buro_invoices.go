package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

var (
	streets        = strings.Split("CALLE HIDALGO;CALLE MORELOS;AVENIDA JUAREZ;CALLE ALLENDE;AVENIDA REVOLUCION;CALLE 5 DE MAYO;CALLE ABASOLO;PRIVADA DEL FRESNO", ";")
	neighborhoods  = strings.Split("CENTRO;SAN MIGUEL;LAS FLORES;INDEPENDENCIA;GUADALUPE;LOMAS DEL SUR;SANTA CRUZ;JARDINES", ";")
	municipalities = strings.Split("BENITO JUAREZ;CUAUHTEMOC;HIDALGO;MORELOS;GUERRERO;ZARAGOZA;OCAMPO;ALLENDE", ";")
	platformsOfGig = []string{"uber", "didi", "rappi"}
)

type moneyJSON struct {
	Amount   centavos `json:"amount"`
	Currency string   `json:"currency"`
	Detail   string   `json:"detail"`
}

// invoiceJSON is a fiscal document (CFDI). Amounts are numbers, as in the
// employment rows; the page prints none.
type invoiceJSON struct {
	Type         string      `json:"type"` // nomina, ingreso, egreso, traslado, pago
	Amount       centavos    `json:"amount"`
	Currency     string      `json:"currency"`
	IssueDate    string      `json:"issue_date"`
	IssuerRFC    string      `json:"rfc_issuer"`
	IssuerName   string      `json:"issuer_name"`
	ReceiverRFC  string      `json:"rfc_receiver"`
	ReceiverName string      `json:"receiver_name"`
	Incomes      []moneyJSON `json:"incomes"`
	Deductions   []moneyJSON `json:"deductions"`
	Folio        string      `json:"folio_fiscal"`
	Status       string      `json:"invoice_status"` // Vigente, Cancelado
	ReceiverZip  string      `json:"zip_code_receiver"`
}

// invoiceMonths is how far back documents go.
const invoiceMonths = 24

// payslips are the documents of a person's pay, on the 15th and the last day of
// each month, newest first.
func payslips(f curpFacts, career []dated, asOf time.Time) []invoiceJSON {
	given, first, second := personName(f)
	name := strings.Join(strings.Fields(given+" "+first+" "+second), " ")
	var out []invoiceJSON
	month := day(asOf.Year(), asOf.Month(), 1)
	for range invoiceMonths {
		for _, on := range []time.Time{month.AddDate(0, 1, -1), month.AddDate(0, 0, 14)} {
			for _, p := range career {
				if on.After(asOf) || on.Before(p.start.AddDate(0, 0, 14)) || !p.end.IsZero() && on.After(p.end) {
					continue
				}
				out = append(out, payslip(f, name, p.spell, on))
			}
		}
		month = month.AddDate(0, -1, 0)
	}
	return out
}

func payslip(f curpFacts, name string, p spell, on time.Time) invoiceJSON {
	base := p.moves[0].base
	for _, m := range p.moves {
		if !m.on.After(on) {
			base = m.base
		}
	}
	pay := base.monthly() / 2
	rate := centavos(6) // a rough ladder of the income tax, in percent
	if pay > 600_000 {
		rate = 14
	}
	if pay > 2_000_000 {
		rate = 22
	}
	tax, dues := pay*rate/100, pay*25/1000
	return invoiceJSON{
		Type: "nomina", Amount: pay - tax - dues, Currency: "MXN", IssueDate: on.Format(time.DateOnly),
		IssuerRFC: companyRFC(p.employer.name), IssuerName: p.employer.name, ReceiverRFC: rfcOf(f), ReceiverName: name,
		Incomes:    []moneyJSON{{pay, "MXN", "Sueldos, Salarios Rayas y Jornales"}},
		Deductions: []moneyJSON{{tax, "MXN", "ISR"}, {dues, "MXN", "Seguridad social"}},
		Folio:      folio(f.text, p.employer.name, on), Status: "Vigente", ReceiverZip: zipCode(f.text),
	}
}

// folio is the document's number: always the same for the same document.
func folio(parties ...any) string {
	return strings.ToUpper(uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, parties...)).String())
}

// companyRFC invents the tax number of an employer, the same for ever.
func companyRFC(name string) string {
	d := newDice("company", name)
	words := strings.Fields(name)
	letters := ""
	for i := range 3 {
		letters += plain(words[min(i, len(words)-1)])[:1]
	}
	return withHomoclave(letters + day(d.between(1960, 2015), 1, d.between(1, 365)).Format("060102"))
}

// sales are the documents that a business, or a person who works on their own
// account, writes to customers.
func sales(issuer, name string, asOf time.Time) []invoiceJSON {
	d := newDice("sales", issuer)
	level := d.between(400_000, 4_000_000)
	var out []invoiceJSON
	month := day(asOf.Year(), asOf.Month(), 1)
	for range invoiceMonths {
		m := newDice("sales", issuer, month.Format(time.DateOnly))
		for range m.between(1, 4) {
			on := month.AddDate(0, 0, m.n(28))
			customer := m.employer("JALISCO").name
			amount := centavos(level * m.between(60, 140) / 100)
			status := "Vigente"
			if m.chance(4) {
				status = "Cancelado"
			}
			if on.After(asOf) {
				continue
			}
			out = append(out, invoiceJSON{
				Type: "ingreso", Amount: amount, Currency: "MXN", IssueDate: on.Format(time.DateOnly), IssuerRFC: issuer, IssuerName: name,
				ReceiverRFC: companyRFC(customer), ReceiverName: customer, Incomes: []moneyJSON{{amount, "MXN", "Servicios profesionales"}},
				Deductions: []moneyJSON{}, Folio: folio(issuer, customer, on, amount), Status: status, ReceiverZip: zipCode(customer),
			})
		}
		month = month.AddDate(0, -1, 0)
	}
	slices.SortStableFunc(out, func(a, b invoiceJSON) int { return strings.Compare(b.IssueDate, a.IssueDate) })
	return out
}

func (d dossier) invoices() []invoiceJSON {
	if d.rfc.business {
		name, _ := legalName(d.rfc)
		return sales(d.rfc.text, name, d.asOf)
	}
	if career := d.career(); len(career) > 0 {
		return payslips(d.facts, career, d.asOf)
	}
	given, first, second := personName(d.facts)
	return sales(d.rfc.text, strings.Join(strings.Fields(given+" "+first+" "+second), " "), d.asOf)
}

// income is the sum of the last 30 days' documents, as the vendor defines it;
// nil when there are none. Contributions to IMSS or ISSSTE never count.
func (d dossier) income() *string {
	if !slices.Contains(d.Entities, "invoices") {
		return nil
	}
	var sum centavos
	since := d.asOf.AddDate(0, 0, -30).Format(time.DateOnly)
	for _, i := range d.invoices() {
		if i.IssueDate > since && i.Status == "Vigente" {
			sum += i.Amount
		}
	}
	return orNull(fmt.Sprintf("%d.%02d", sum/100, sum%100))
}

// buroInvoices lists documents newest first; ?type= filters. The code of their
// absence is not among the vendor's.
func (s *Server) buroInvoices(w http.ResponseWriter, r *http.Request) {
	page, size, ok := buroPage(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.find(w, r, "invoices", "invoices_not_found")
	if !ok {
		return
	}
	rows := d.invoices()
	if kind := r.URL.Query().Get("type"); kind != "" {
		rows = slices.DeleteFunc(rows, func(i invoiceJSON) bool { return i.Type != kind })
	}
	writeJSON(w, http.StatusOK, struct {
		Identifier string        `json:"identifier"`
		UpdatedAt  time.Time     `json:"updated_at"`
		Invoices   []invoiceJSON `json:"invoices"`
		Pagination pagination    `json:"pagination"`
	}{d.Identifier, d.At, append([]invoiceJSON{}, window(rows, page, size)...), pages(page, size, len(rows))})
}

// buroEarnings lists what gig platforms paid, by month. Only the month's form
// is published; the fields are ours.
func (s *Server) buroEarnings(w http.ResponseWriter, r *http.Request) {
	page, size, ok := buroPage(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.find(w, r, "earnings", "earnings_not_found")
	if !ok {
		return
	}
	type row struct {
		Platform string   `json:"platform"`
		Month    string   `json:"month"` // YYYY-MM
		Amount   centavos `json:"amount"`
		Currency string   `json:"currency"`
	}
	dice := newDice("earnings", d.facts.text)
	platform, level := dice.pick(platformsOfGig), dice.between(500_000, 1_800_000)
	rows := []row{}
	for i := range 12 {
		month := day(d.asOf.Year(), d.asOf.Month(), 1).AddDate(0, -1-i, 0).Format("2006-01")
		m := newDice("earnings", d.facts.text, month)
		rows = append(rows, row{platform, month, centavos(level * m.between(70, 130) / 100), "MXN"})
	}
	writeJSON(w, http.StatusOK, struct {
		Identifier string     `json:"identifier"`
		UpdatedAt  time.Time  `json:"updated_at"`
		Earnings   []row      `json:"earnings"`
		Pagination pagination `json:"pagination"`
	}{d.Identifier, d.At, append([]row{}, window(rows, page, size)...), pages(page, size, len(rows))})
}

// buroBusiness tells the three facts that the vendor names of a business.
func (s *Server) buroBusiness(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.find(w, r, "business_profile", "business_profile_not_found")
	if !ok {
		return
	}
	legal, commercial := legalName(d.rfc)
	writeJSON(w, http.StatusOK, struct {
		Identifier string    `json:"identifier"`
		UpdatedAt  time.Time `json:"updated_at"`
		LegalName  string    `json:"legal_name"`
		Commercial string    `json:"commercial_name"`
		RFC        string    `json:"rfc"`
	}{d.Identifier, d.At, legal, commercial, d.rfc.text})
}
