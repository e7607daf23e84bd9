package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/bulk"
	"cotejo/internal/connection"
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
				b.SHA256 = nil // thirty days later
				checkDocument(t, render(t, Bulk(BulkPage{Page: v.Page, Bulk: b})), lang)
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

// What a bulk would cost is said by the price that somebody entered, and not invented without one.
func TestBulkCost(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	price := connection.Price{Amount: "12.505", Currency: "MXN", SetAt: at, SetBy: "Rosa"}
	for name, test := range map[string]struct {
		env            lookup.Environment
		role           auth.Role
		price          connection.Price
		send, doubtful int
		want, lacks    []string
	}{
		"real":             {lookup.Production, auth.Analyst, price, 3, 0, []string{"3 × $12.505 MXN = $37.515 MXN, antes de IVA", "Rosa", "1 mar 2026", "facturables"}, []string{"dudosas", "Si se facturara"}},
		"with doubtful":    {lookup.Production, auth.Analyst, price, 1000, 2, []string{"1,000 × $12.505 MXN = $12,505.00 MXN", "1,002 × $12.505 MXN = $12,530.01 MXN"}, nil},
		"doubtful alone":   {lookup.Production, auth.Analyst, price, 0, 1, []string{"Con las dudosas: 1 × $12.505 MXN"}, []string{"Costo: 0"}},
		"test":             {lookup.Sandbox, auth.Analyst, price, 3, 0, []string{"Si se facturara: 3 ×", "nada se factura"}, []string{"Costo"}},
		"nobody":           {lookup.Production, auth.Analyst, price, 0, 0, nil, []string{"×"}},
		"no price":         {lookup.Production, auth.Analyst, connection.Price{Currency: "MXN"}, 3, 0, nil, []string{"×", "precio", "$"}},
		"an administrator": {lookup.Production, auth.Administrator, connection.Price{Currency: "MXN"}, 3, 0, []string{"No se ha escrito el precio"}, []string{"×", "$"}},
	} {
		b := bulk.Bulk{UID: uuid.New(), State: bulk.Draft, SHA256: make([]byte, 32), Columns: []string{"CURP"}, Encoding: bulk.UTF8, Delimiter: bulk.Comma, Dialect: lookup.Buro,
			Layout: bulk.Layout{Reference: bulk.None}, Platform: lookup.AllSources, PerMinute: 120, Total: 9, Counts: map[bulk.Verdict]int{bulk.Send: test.send, bulk.Doubtful: test.doubtful}}
		p := testPage("es-MX").as(test.role)
		p = p.in(test.env)
		v := BulkPage{Page: p, Bulk: b, Price: test.price, ConsentDays: 365}
		v.Title = "x"
		doc := render(t, Bulk(v))
		checkDocument(t, doc, "es-MX")
		text := strings.Join(strings.Fields(doc.Find("#bulk").Text()), " ")
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: lacks %q: %s", name, want, text)
			}
		}
		for _, not := range test.lacks {
			if strings.Contains(text, not) {
				t.Errorf("%s: says %q: %s", name, not, text)
			}
		}
		if link := doc.Find(`#bulk-no-price a[href="/connection#connection-buro"]`).Length(); (link == 1) != (name == "an administrator") {
			t.Errorf("%s: %d links to where a price is set", name, link)
		}
	}
}
