package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// Every kind, state and verdict has its words in both languages, on pages that hold together.
func TestExportPages(t *testing.T) {
	t.Parallel()
	whole := func(t *testing.T, lang string, page func(Page) string) {
		t.Helper()
		p := testPage(lang).as(auth.Administrator)
		p.Title = "x"
		if text := page(p); strings.Contains(text, "⟨") {
			t.Errorf("a sentence is missing: %.300s", text[strings.Index(text, "⟨"):])
		}
	}
	bothLanguages(t, func(t *testing.T, lang string) {
		user := uuid.New()
		names := FilterNames{Analysts: []auth.User{{UID: user, Name: "Luis Analista"}}}
		of := func(kind receipt.Kind) ReceiptRow {
			row := ReceiptRow{Receipt: receipt.Receipt{UID: uuid.New(), Kind: kind, Zone: "Europe/Madrid", Rows: 7, Bytes: 1234, SHA256: make([]byte, 32), MadeBy: "Ana", MadeAt: noon, People: receipt.ManyPeople}}
			if !kind.Listed() {
				row.Subject = uuid.New()
			}
			row.Lookups = FilterValues{Actor: "analyst", Status: "error", From: "2026-03-01", Analyst: user.String()}
			row.Deliveries = DeliveryFilterValues{Verdict: "refused", Text: "…"}
			return row
		}
		var rows []ReceiptRow
		for _, kind := range receipt.Kinds {
			row := of(kind)
			rows = append(rows, row)
			whole(t, lang, func(p Page) string {
				doc := render(t, Export(ExportPage{Page: p, Receipt: &row.Receipt, Row: row, Names: names}))
				checkDocument(t, doc, lang)
				count(t, doc, "#export[data-state=sent]", 1)
				count(t, doc, "[hx-sse\\:connect]", 0)
				return html(t, Export(ExportPage{Page: p, Receipt: &row.Receipt, Row: row, Names: names}))
			})
		}
		for _, state := range []receipt.State{receipt.Waiting, receipt.Making, receipt.Ready, receipt.Expired, receipt.Cancelled, receipt.Failed, receipt.Grown} {
			e := receipt.Export{UID: uuid.New(), State: state, Goal: 3, Done: 1, AskedBy: "Ana", AskedAt: noon, ExpiresAt: noon.Add(time.Hour), Asking: receipt.Asking{Selection: receipt.Selection{Kind: receipt.Records}}}
			for _, own := range []bool{true, false} {
				v := ExportPage{Making: &e, Row: of(receipt.Records), Own: own, Names: names}
				if state == receipt.Ready || state == receipt.Expired {
					v.Receipt = &v.Row.Receipt
				}
				whole(t, lang, func(p Page) string {
					v.Page = p
					doc := render(t, Export(v))
					checkDocument(t, doc, lang)
					file, cancel := 0, 0
					if own && state == receipt.Ready {
						file = 1
					}
					if own && state.Open() {
						cancel = 1
					}
					count(t, doc, "#export-file", file)
					count(t, doc, `form[action$="/cancel"]`, cancel)
					checkMarkup(t, render(t, LiveExport(v)))
					return html(t, Export(v))
				})
			}
		}
		whole(t, lang, func(p Page) string {
			v := ExportsPage{Page: p, All: true, List: rows, Names: names, After: "x", Before: "y", Open: []receipt.Export{{UID: uuid.New(), State: receipt.Making, AskedBy: "Ana", AskedAt: noon, Asking: receipt.Asking{Selection: receipt.Selection{Kind: receipt.Deliveries}}}}}
			doc := render(t, Exports(v))
			checkDocument(t, doc, lang)
			count(t, doc, "tr[data-receipt]", len(rows))
			says(t, doc, "tr[data-kind=records]", "Luis Analista")
			return html(t, Exports(v)) + html(t, Exports(ExportsPage{Page: p}))
		})
		for _, form := range []ExportForm{
			{Of: "lookups", Kind: receipt.Lookups, Lookups: FilterValues{Status: "error"}, Count: ExportCount{Items: receipt.AtOnce + 1, Records: 9}, People: receipt.ManyPeople,
				Errors: map[string]Note{"reason": {ID: "exports.form.reason_short", Args: []any{"Min", 10}}, "password": {ID: "admin.password.current_wrong"}}},
			{Of: "deliveries", Kind: receipt.Deliveries, Count: ExportCount{Items: 2}, People: 1},
			{Of: "bulk", Kind: receipt.Bulk, Bulk: bulk.Bulk{UID: uuid.New(), FileName: "cartera.csv"}, Count: ExportCount{Items: 9000}, People: receipt.ManyPeople},
			{Of: "deliveries", Kind: receipt.Deliveries, Errors: map[string]Note{"text": {ID: "deliveries.filter.text_range"}}},
		} {
			whole(t, lang, func(p Page) string {
				v := NewExportPage{Page: p, Form: form, Names: names}
				doc := render(t, NewExport(v))
				checkDocument(t, doc, lang)
				password := 0
				if form.People > receipt.MostPeople {
					password = 1
				}
				count(t, doc, "#password[required]", password)
				return html(t, NewExport(v))
			})
		}
		match := of(receipt.Lookups).Receipt
		for verdict, result := range map[string]*CheckResult{"same": {Matches: []receipt.Receipt{match}, All: true}, "altered": {File: true, Named: &match}, "swapped": {File: true, Named: &match, Matches: []receipt.Receipt{match}}, "unknown": {File: true}, "unknown_hash": {}, "": nil} {
			whole(t, lang, func(p Page) string {
				v := CheckExportPage{Page: p, Result: result, Errors: map[string]Note{"sha256": {ID: "exports.check.no_hash"}}}
				doc := render(t, CheckExport(v))
				checkDocument(t, doc, lang)
				if verdict != "" {
					count(t, doc, `#check-result[data-verdict="`+verdict+`"]`, 1)
				}
				return html(t, CheckExport(v))
			})
		}
	})
}

// The buttons on the lists carry the list's own filter, and are there for those who may.
func TestExportButtons(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX").as(auth.Analyst)
	v := LookupsPage{Page: p, Rows: []lookup.Row{{UID: uuid.New()}}, Values: FilterValues{Status: "error", From: "2026-03-01"}}
	attr(t, render(t, Lookups(v)), "#export-these", "href", "/exports/new?from=2026-03-01&of=lookups&status=error")
	v.Page = p.as(auth.Auditor)
	count(t, render(t, Lookups(v)), "#export-these", 0)
}
