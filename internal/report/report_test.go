package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ledongthuc/pdf"

	"cotejo/internal/report"
)

var noon = time.Date(2026, time.March, 15, 17, 41, 23, 0, time.UTC)

// small is a report with one of everything.
func small() report.Document {
	day := func(text string) time.Time { at, _ := time.Parse(time.DateOnly, text); return at }
	return report.Document{
		Title: "Historia laboral – añada", Author: "Financiera Ñandú", At: noon,
		Head:    report.Head{Kicker: "Financiera Ñandú", Title: "Güemes Ibáñez, Íñigo", Line: "IMSS por Palenca"},
		Running: "cabeza corrida", Foot: "Reporte 0001",
		PageOf: func(page, pages int) string { return fmt.Sprintf("Página %d de %d", page, pages) },
		Boxes:  "Un cuadro es un carácter que falta.",
		Sections: []report.Section{{
			Title: "Persona", Source: "[1] IMSS", Alerts: []string{"Conviene mirar."}, Text: []string{"Un párrafo."}, Foot: []string{"Al pie."},
			Facts: []report.Fact{{Label: "NSS", Value: "12345674417", Ref: "[1]", Mono: true}, {Label: "Nombre", Value: "Íñigo", Beside: "como lo dio la fuente"}},
			Line: &report.Timeline{From: day("2020-01-01"), To: day("2026-03-15"),
				Bars:  []report.Bar{{From: day("2020-01-01"), To: day("2021-05-01"), Label: "Uno"}, {From: day("2022-01-01"), To: day("2026-03-15"), Label: "Dos", Open: true}},
				Marks: []report.Mark{{From: day("2021-05-02"), To: day("2021-12-31"), Name: "A"}}},
			Table: &report.Table{Columns: []report.Column{{Title: "Patrón", Width: 3}, {Title: "SBC", Width: 1, Right: true}, {Title: "Huella", Width: 2, Mono: true}, {Title: "Regla", Width: 2, Quiet: true}},
				Rows: [][]report.Cell{{{Text: "Tamales", Bold: true, Sub: []string{"R. P. Y123"}}, {Text: "$512.60"}, {Text: "abcdef"}, {Text: "En días."}}}},
		}},
	}
}

// pagesOf sets a document and reads its text back, page by page, with another library.
func pagesOf(t *testing.T, d report.Document) []string {
	t.Helper()
	file, err := report.PDF(d)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pdf.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for i := range r.NumPage() {
		text, err := r.Page(i + 1).GetPlainText(nil)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, strings.Join(strings.Fields(text), " "))
	}
	return pages
}

func TestEverythingIsOnPaper(t *testing.T) {
	t.Parallel()
	pages := pagesOf(t, small())
	if len(pages) != 1 {
		t.Fatalf("%d pages", len(pages))
	}
	for _, want := range []string{"Financiera Ñandú", "Güemes Ibáñez, Íñigo", "IMSS por Palenca", "Persona", "[1] IMSS", "Conviene mirar.", "12345674417", "Íñigo", "como lo dio la fuente",
		"Uno", "Dos", "2021", "Un párrafo.", "Patrón", "Tamales", "R. P. Y123", "$512.60", "abcdef", "En días.", "Al pie.", "Reporte 0001", "Página 1 de 1"} {
		if !strings.Contains(pages[0], want) {
			t.Errorf("%q is not on the page: %s", want, pages[0])
		}
	}
	if strings.Contains(pages[0], "Un cuadro") {
		t.Error("a box is explained that is not there")
	}
}

func TestSameDocumentSameBytes(t *testing.T) {
	t.Parallel()
	first, err := report.PDF(small())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := report.PDF(small())
	if !bytes.Equal(first, again) {
		t.Error("the same document gave other bytes")
	}
	r, err := pdf.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	info := r.Trailer().Key("Info")
	got := []string{info.Key("Title").Text(), info.Key("Author").Text(), info.Key("Creator").Text(), info.Key("CreationDate").Text()}
	if diff := cmp.Diff([]string{"Historia laboral – añada", "Financiera Ñandú", "Cotejo", "D:20260315174123+00'00'"}, got); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
}

// Sixty rows go over pages: each row whole and once, the table's head on each page that has rows, the number, the
// reference and the mark on every one.
func TestManyRows(t *testing.T) {
	t.Parallel()
	d := small()
	d.Mark = "ENTORNO DE PRUEBA – PERSONAS INVENTADAS"
	rows := &d.Sections[0].Table.Rows
	*rows = nil
	for i := range 60 {
		*rows = append(*rows, []report.Cell{{Text: fmt.Sprintf("PATRÓN %02d DE LA REPÚBLICA MEXICANA SA DE CV", i), Sub: []string{fmt.Sprintf("R. P. Z%02d", i)}}, {Text: fmt.Sprintf("$%d.%02d", i, i)}, {}, {}})
	}
	pages := pagesOf(t, d)
	if len(pages) < 3 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, page := range pages {
		if !strings.Contains(page, fmt.Sprintf("Página %d de %d", i+1, len(pages))) || !strings.Contains(page, "Reporte 0001") {
			t.Errorf("page %d is not numbered", i+1)
		}
		if n := strings.Count(page, d.Mark); n != 2 {
			t.Errorf("page %d is marked %d times", i+1, n)
		}
		if strings.Contains(page, "R. P. Z") != strings.Contains(page, "Patrón SBC Huella Regla") {
			t.Errorf("page %d: rows without their head, or the other way round", i+1)
		}
		if i > 0 && !strings.Contains(page, "cabeza corrida") {
			t.Errorf("page %d has no running head", i+1)
		}
	}
	all := strings.Join(pages, " ")
	for i := range 60 {
		if n := strings.Count(all, fmt.Sprintf("PATRÓN %02d DE LA", i)); n != 1 || strings.Count(all, fmt.Sprintf("$%d.%02d", i, i)) < 1 {
			t.Errorf("row %d stands there %d times", i, n)
		}
	}
}

// Whatever a stranger put into a name, the file is read back whole, and nothing of the name is lost without a sign.
func TestHostileText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"accents", "PEÑA NÚÑEZ Y GÜEMES", "PEÑA NÚÑEZ Y GÜEMES"},
		{"parts of letters", "PEN\u0303A", "PEÑA"},
		{"parentheses and a backslash", `(a) \ (b`, `(a) \ (b`},
		{"another direction", "abc\u202egfe\u200b", "abcgfe"},
		{"control", "a\x00b\x1bc", "a b c"},
		{"no letters for it", "株式会社 ACME", "□□□□ ACME"},
		{"no UTF-8", "a\xffb", "a□b"},
		{"other alphabets", "Łukasz Пётр Ωμέγα", "Łukasz Пётр Ωμέγα"},
		{"operators", "BT /F1 12 Tf (x) Tj ET", "BT /F1 12 Tf (x) Tj ET"},
		{"signs", "“uno” – dos… €3 • →", "“uno” – dos… €3 • →"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := small()
			d.Sections[0].Facts = []report.Fact{{Label: "x", Value: "<" + tt.text + ">"}}
			page := strings.Join(pagesOf(t, d), " ")
			if !strings.Contains(page, "<"+tt.want+">") {
				t.Errorf("not there: %q in %s", tt.want, page)
			}
			if strings.Contains(tt.want, "□") && !strings.Contains(page, d.Boxes) {
				t.Error("a box that is not explained")
			}
		})
	}
}

// A name of ten thousand letters, as one word or as many, in a cell and in a fact, ends and is all there.
func TestEndlessText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("Ñ", 10_000), strings.TrimSpace(strings.Repeat("palabra ", 3_000))} {
		d := small()
		d.Sections[0].Table.Rows[0][0] = report.Cell{Text: text}
		d.Sections[0].Facts[0].Value = text
		d.Sections[0].Text = []string{text}
		d.Head.Title = text[:400]
		all := strings.Join(pagesOf(t, d), "")
		letter := text[:2]
		if got, want := strings.Count(all, letter), 3*strings.Count(text, letter); got < want {
			t.Errorf("%d of %d letters came through", got, want)
		}
	}
}

func TestTimelineOfTooMany(t *testing.T) {
	t.Parallel()
	d := small()
	d.Sections[0].Line.Bars = make([]report.Bar, report.MaxBars+1)
	d.Sections[0].Line.Bars[0].Label = "no se dibuja"
	if page := pagesOf(t, d)[0]; strings.Contains(page, "no se dibuja") {
		t.Error("more bars than a page holds were drawn")
	}
}
