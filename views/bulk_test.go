package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
)

// Every state, verdict, delimiter and encoding has its words in both languages, and no page shows a whole CURP.
func TestBulkPages(t *testing.T) {
	t.Parallel()
	const person = "GATA000408HTLRLLA7"
	at := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	bothLanguages(t, func(t *testing.T, lang string) {
		var rows []bulk.Item
		counts := map[bulk.Verdict]int{}
		for i, verdict := range bulk.Verdicts {
			r := bulk.Item{Row: bulk.Row{Number: i + 1, Line: i + 2, Identifier: person, Reference: "F", Verdict: verdict, Of: 2}, DoneAt: at}
			if verdict == bulk.Invalid {
				r.Identifier, r.Detail = "GATA001308HTLRLLA7", "curp.reason.month_absent"
			}
			counts[verdict]++
			rows = append(rows, r)
		}
		rows = append(rows, bulk.Item{Row: bulk.Row{Number: 90, Line: 91, Identifier: "GODE561231GR8", Verdict: bulk.Send}, LookupUID: uuid.New(),
			State: lookup.State{Status: lookup.Success}}, bulk.Item{Row: bulk.Row{Number: 91, Line: 92, Verdict: bulk.Send}})
		for i, state := range bulk.States {
			b := bulk.Bulk{UID: uuid.New(), State: state, FileName: "cartera.csv", SHA256: make([]byte, 32), Columns: []string{"CURP", "2"}, Encoding: []bulk.Encoding{bulk.UTF8, bulk.UTF8BOM, bulk.Western}[i%3],
				Delimiter: []bulk.Delimiter{bulk.Comma, bulk.Semicolon, bulk.Tab, bulk.Pipe}[i%4], Layout: bulk.Layout{Header: true, Reference: bulk.None}, Dialect: lookup.Palenca, Connection: "Palenca",
				Platform: lookup.IMSS, PerMinute: 120, By: "Ana", UploadedAt: at, JudgedAt: at, SentBy: "Ana", SentAt: at, Notice: "1.0", Means: "paper", ConsentGiven: at,
				Total: len(rows), Counts: counts, Sent: 1, Statuses: map[lookup.Status]int{lookup.Pending: 1}, Earlier: []bulk.Earlier{{UID: uuid.New(), At: at, By: "Luis"}}}
			for _, stalled := range []bool{false, state == bulk.Sending} {
				b.Stalled, b.Paused = stalled, stalled
				v := BulkPage{Page: testPage(lang), Bulk: b, Rows: rows, Notice: "1.0", ConsentDays: 365, After: "x", Before: "y"}
				v.Title = "x"
				doc := render(t, Bulk(v))
				checkDocument(t, doc, lang)
				count(t, doc, "tr[data-row]", len(rows))
				if html, _ := doc.Html(); strings.Contains(html, person) || strings.Contains(html, "⟨") {
					t.Errorf("%s: a whole CURP, or a sentence that is missing", state)
				}
				list := BulksPage{Page: testPage(lang), List: []bulk.Bulk{b}}
				list.Title = "x"
				count(t, render(t, Bulks(list)), "[data-bulk]", 1)
			}
		}
	})
}
