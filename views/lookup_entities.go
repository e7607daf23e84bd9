package views

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/decision"
	"cotejo/internal/lookup"
)

// EntityTable is one kind of data other than profile and employment, as it was last read.
type EntityTable struct {
	Entity lookup.Entity
	Pull   PullNote
	Rows   []lookup.Cells
}

// Document is a paper that a source gave, kept by Cotejo.
type Document struct {
	UID               uuid.UUID
	Name, Institution string
	UploadedAt        time.Time
	FetchedAt         time.Time
	Size              int64
	SHA256            []byte
	Code              string // why there are no bytes; "" when there are
}

// entityColumn is one column of a kind of data: a label with, below its value, another one's.
type entityColumn struct {
	label, below string
	number       bool
}

// entityColumns are the columns of those kinds that come as lists. What a row has beyond them folds away below the first.
var entityColumns = map[lookup.Entity][]entityColumn{
	lookup.EntityInvoices: {{"issued_on", "", false}, {"issuer_name", "issuer_rfc", false}, {"receiver_name", "receiver_rfc", false},
		{"type", "status", false}, {"amount", "", true}},
	lookup.EntityEarnings: {{"month", "", false}, {"platform", "", false}, {"amount", "", true}},
	lookup.EntityFiles:    {{"name", "", false}, {"institution", "", false}, {"uploaded_at", "", false}},
}

// rest gives the values of a row that no column shows. The currency stands with its amount.
func rest(columns []entityColumn, row lookup.Cells) lookup.Cells {
	var cells lookup.Cells
	for _, cell := range row {
		shown := cell.Label == "currency" || slices.ContainsFunc(columns, func(c entityColumn) bool { return c.label == cell.Label || c.below == cell.Label })
		if !shown {
			cells = append(cells, cell)
		}
	}
	return cells
}

func entityWord(p Page, e lookup.Entity) string {
	if id := "lookups.entity." + string(e) + ".title"; p.P.Has(id) {
		return p.T(id)
	}
	return string(e)
}

// labelWord names a value; a label without a word is shown as it is.
func labelWord(p Page, label string) string {
	if id := "lookups.label." + label; p.P.Has(id) {
		return p.T(id)
	}
	return label
}

// cellWord puts a value into the reader's form: dates, amounts with their currency, the vendor's few fixed words. What it
// does not know stays as received.
func cellWord(p Page, row lookup.Cells, label string) string {
	value := row.Value(label)
	switch label {
	case "amount", "estimated_monthly_income":
		money := p.P.Money(value)
		if currency := row.Value("currency"); value != "" && currency != "" {
			money += " " + currency
		}
		return money
	case "issued_on", "uploaded_at", "updated_at":
		if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return p.P.Date(decision.Day(at)) // one day for every reader, as on paper
		}
		if day, err := time.Parse(time.DateOnly, value); err == nil {
			return p.P.Date(day)
		}
	case "type":
		if id := "lookups.invoice." + value; value != "" && p.P.Has(id) {
			return p.T(id)
		}
	case "institution":
		return institutionWord(p, value)
	case "employment_status":
		if id := "ui.employment." + value; value != "" && p.P.Has(id) {
			return p.T(id)
		}
	}
	return value
}

func institutionWord(p Page, institution string) string {
	return platformWord(p, lookup.Platform(strings.ToLower(institution)))
}

// findings are the kinds of data besides profile and employment that the vendor named: with a table, with a state that
// says why there is none, or unknown to us.
func (v CasePage) findings() []lookup.Finding {
	list := slices.Clone(v.attempt().Findings)
	for _, t := range v.Entities {
		// The attempt on show may have named less than an earlier one whose data still stand.
		if !slices.ContainsFunc(list, func(f lookup.Finding) bool { return f.Entity == t.Entity }) {
			list = append(list, lookup.Finding{Entity: t.Entity, State: lookup.PullComplete})
		}
	}
	return list
}

// unknown are the kinds named by the vendor that nobody here knows.
func (v CasePage) unknown() []string {
	var names []string
	for _, f := range v.findings() {
		if !f.Entity.Known() {
			names = append(names, string(f.Entity))
		}
	}
	return names
}

func (v CasePage) table(e lookup.Entity) *EntityTable {
	for i := range v.Entities {
		if v.Entities[i].Entity == e {
			return &v.Entities[i]
		}
	}
	return nil
}

// entityNote says how far a kind of data has come, "" when it is all there.
func (v CasePage) entityNote(f lookup.Finding) string {
	switch t := v.table(f.Entity); {
	case f.State == lookup.PullFailed && t != nil:
		return v.T("lookups.entity.failed_old")
	case t == nil || f.State == lookup.PullPartial || len(t.Rows) == 0:
		return v.T("lookups.entity.state." + pullWord(f.State))
	}
	return ""
}

// missing are files that the source lists and of which there is no document here, by name.
func (v CasePage) missingFiles() []lookup.Cells {
	t := v.table(lookup.EntityFiles)
	if t == nil {
		return nil
	}
	var rows []lookup.Cells
	for _, row := range t.Rows {
		if name := row.Value("name"); !slices.ContainsFunc(v.Documents, func(d Document) bool { return d.Name == name }) {
			rows = append(rows, row)
		}
	}
	return rows
}

// papers tells whether there is anything to say of documents.
func (v CasePage) papers() bool { return len(v.Documents) > 0 || len(v.missingFiles()) > 0 }

func (d Document) path() string { return "/documents/" + d.UID.String() }

func (d Document) digest() string { return digest(hex.EncodeToString(d.SHA256)) }

// whyNot says why a document could not be had.
func (v CasePage) whyNot(code string) string {
	if id := "lookups.document.why." + code; v.P.Has(id) {
		return v.T(id)
	}
	return v.T("lookups.document.why.unnamed")
}

// withFirst puts a cell before the others of its row, so that a repeated label is read as this one.
func withFirst(row lookup.Cells, cell lookup.Cell) lookup.Cells {
	return append(lookup.Cells{cell}, row...)
}
