package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// ofBuro is a lookup answered with every kind of data, one that nobody knows among them.
func ofBuro(p Page) CasePage {
	v := CasePage{Page: p, Case: lookup.Case{Row: aRow}}
	v.Case.Dialect, v.Case.Platform = lookup.Buro, lookup.AllSources
	v.Case.State = lookup.State{Status: lookup.Success}
	v.Case.Attempts = []lookup.Attempt{{Number: 1, State: v.Case.State, RequestAt: noon, SettledAt: noon,
		Findings: []lookup.Finding{{Entity: lookup.EntityInvoices, State: lookup.PullComplete}, {Entity: lookup.EntityEarnings, State: lookup.PullEmpty},
			{Entity: lookup.EntityFiles, State: lookup.PullComplete}, {Entity: lookup.EntityBusiness, State: lookup.PullFailed}, {Entity: "horoscope", State: lookup.PullNone}},
		Story: []lookup.Moment{{At: noon, Kind: lookup.MomentConsented}, {At: noon, Kind: lookup.MomentInvoices, Text: "complete"},
			{At: noon, Kind: lookup.MomentStatus, Status: lookup.Success, Text: "verification.historical"}}}}
	v.Profile = &profile.Profile{FirstName: "Alejandro"}
	v.ProfileMore = lookup.Cells{{Label: "employment_status", Value: "employed"}, {Label: "estimated_monthly_income", Value: "18000.5"}, {Label: "shoe_size", Value: "27"}}
	invoice := lookup.Cells{{Label: "type", Value: "nomina"}, {Label: "amount", Value: "1150.5"}, {Label: "currency", Value: "MXN"}, {Label: "issued_on", Value: "2026-03-01"},
		{Label: "issuer_name", Value: "ALFA"}, {Label: "issuer_rfc", Value: "TNX9804159P9"}, {Label: "income", Value: "sueldo: 1000 MXN"}, {Label: "income", Value: "bono: 150.5 MXN"}}
	v.Entities = []EntityTable{{Entity: lookup.EntityInvoices, Pull: PullNote{FetchedAt: noon, SHA256: strings.Repeat("cd", 32)}, Rows: []lookup.Cells{invoice}},
		{Entity: lookup.EntityEarnings, Pull: PullNote{FetchedAt: noon}},
		{Entity: lookup.EntityFiles, Pull: PullNote{FetchedAt: noon}, Rows: []lookup.Cells{{{Label: "name", Value: "Constancia"}}, {{Label: "name", Value: "Otra"}, {Label: "institution", Value: "IMSS"}}}}}
	v.Documents = []Document{{UID: uuid.MustParse("018e4003-7c1d-7b02-9a55-3f0c6e1d4b01"), Name: "Constancia", Institution: "imss", UploadedAt: noon.Add(-time.Hour), FetchedAt: noon, Size: 9000, SHA256: []byte{1, 2}},
		{UID: uuid.MustParse("018e4003-7c1d-7b02-9a55-3f0c6e1d4b02"), FetchedAt: noon, Code: "answer_too_large"},
		{UID: uuid.MustParse("018e4003-7c1d-7b02-9a55-3f0c6e1d4b03"), FetchedAt: noon, Code: "never_heard_of"}}
	return v
}

func TestEntities(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := ofBuro(testPage(lang))
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		count(t, doc, "[data-entity]", 3) // the files are among the documents
		count(t, doc, "#entity-invoices tbody tr", 1)
		says(t, doc, "#entity-invoices", "$1,150.50 MXN")
		says(t, doc, "#entity-invoices", "TNX9804159P9")
		says(t, doc, "#entity-invoices", "bono: 150.5 MXN")
		says(t, doc, "#entity-invoices", "sueldo: 1000 MXN")
		says(t, doc, "#entity-invoices", "cdcdcdcd")
		attr(t, doc, "#entity-earnings", "data-state", "empty")
		attr(t, doc, "#entity-business_profile", "data-state", "failed")
		says(t, doc, ".alert", "horoscope")
		count(t, doc, "[data-document]", 3)
		count(t, doc, `a[href^="/documents/"]`, 1) // what could not be had cannot be taken
		says(t, doc, "#documents", "Otra")
		says(t, doc, "#documents", "answer_too_large")
		says(t, doc, "#documents", "never_heard_of")
		says(t, doc, "[aria-labelledby=h-profile]", "$18,000.50")
		says(t, doc, "[aria-labelledby=h-profile]", "shoe_size")
		says(t, doc, "[aria-labelledby=h-profile]", "27")
		if lang == "es-MX" {
			says(t, doc, "[aria-labelledby=h-story]", "aviso en desuso")
			says(t, doc, "[aria-labelledby=h-story]", "El proveedor registró el consentimiento")
			says(t, doc, "[aria-labelledby=h-story]", "Facturas: completo")
			says(t, doc, ".person__ids", "Varias, Buró")
		}
		v.User.Role = auth.Auditor
		count(t, render(t, Lookup(v)), `a[href^="/documents/"]`, 0)
	})
}

// That no source has anything is said as what it is.
func TestNoData(t *testing.T) {
	t.Parallel()
	v := ofBuro(testPage("es-MX"))
	v.Entities, v.Documents, v.Case.Attempts[0].Findings = nil, nil, nil
	v.Case.State.Detail, v.Case.Employment, v.Case.Profile = "no_data", lookup.PullEmpty, lookup.PullEmpty
	doc := render(t, Lookup(v))
	says(t, doc, ".alert", "Ninguna de sus fuentes tiene datos")
	says(t, doc, ".alert", "no_data")
	count(t, doc, "[data-entity], #documents", 0)
	v.Case.CURP, v.Case.RFC = "", "TNX9804159P9"
	doc = render(t, Lookup(v))
	says(t, doc, "#case-rfc", "TNX••••••9P9")
	count(t, doc, "#case-curp", 0)
}

// Buró names what there is, so employment that it did not name is not on its way.
func TestNothingMoreComes(t *testing.T) {
	t.Parallel()
	v := ofBuro(testPage("es-MX"))
	if v.moving() {
		t.Error("a page that will not change says that it will")
	}
	doc := render(t, Lookup(v))
	says(t, doc, "#lookup", "No falta nada.")
	says(t, doc, "#history", "Sin historia de empleo")
	count(t, doc, "#case-reload", 0)
	if g := gistOf(v.Page, v.Case.Row); g.Main != "Sin historia de empleo" {
		t.Errorf("the list says %q", g.Main)
	}
	v.Case.Employment = lookup.PullFetching
	if !v.moving() {
		t.Error("a page still to change says that it is done")
	}
}
