package views

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"

	"cotejo/internal/decision"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/report"
)

// onPaper makes a report and reads its text back with another library, page by page and with single spaces.
func onPaper(t *testing.T, v CasePage) []string {
	t.Helper()
	file, err := report.PDF(Report(v, testID(77)))
	if err != nil {
		t.Fatal(err)
	}
	if out := os.Getenv("REPORT_OUT"); out != "" { // to be looked at
		if err := os.WriteFile(out, file, 0o644); err != nil {
			t.Fatal(err)
		}
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

// complete is an answered case with everything that a report can hold.
func complete(t *testing.T, lang string) CasePage {
	v := answered(lang)
	frozen, sum, err := v.seen().Freeze()
	if err != nil {
		t.Fatal(err)
	}
	v.Desk.Notes = []decision.Note{{UID: testID(60), At: noon, By: "Raúl Peña", Reason: "Antigüedad suficiente.", AsOf: v.figuresDay(), Frozen: frozen, SHA256: sum[:]}}
	v.EmploymentPull.Delivery = testID(61)
	v.Entities = []EntityTable{{Entity: lookup.EntityInvoices, Pull: PullNote{UID: testID(62), FetchedAt: noon, SHA256: strings.Repeat("ef", 32), HTTPStatus: 200, Size: 10, Pages: 2},
		Rows: []lookup.Cells{{{Label: "issuer_name", Value: "Fábrica de Dulces"}, {Label: "amount", Value: "1234.50"}}}}}
	v.Documents = []Document{{UID: testID(63), Name: "Constancia", FetchedAt: noon, Size: 12, SHA256: bytes.Repeat([]byte{7}, 32)}, {UID: testID(64), Name: "Otra", Code: "file_refused"}}
	return v
}

// Every fact of the page is on paper, in both languages, with its source, the source's time and its whole hash.
func TestReportHoldsEveryFact(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := complete(t, lang)
		pages := onPaper(t, v)
		all := strings.Join(pages, " ")
		want := []string{v.Institution, v.name(), v.Case.CURP, v.Profile.NSS(), v.P.Date(v.Profile.Birthday), v.Case.Reference, v.Case.RequestedBy,
			v.Case.Consent.NoticeVersion, v.P.DateTime(v.Case.Consent.GivenAt), statusWord(v.Page, lookup.Success), "271", "Raúl Peña", "Antigüedad suficiente.",
			"Fábrica de Dulces", "$1,234.50", "Constancia", testID(60).String(), testID(61).String(), testID(62).String(), testID(63).String(), testID(77).String(), v.Case.UID.String(),
			v.P.DateTime(v.EmploymentPull.FetchedAt), v.EmploymentPull.FetchedAt.UTC().Format(time.RFC3339), v.T("lookups.document.why.file_refused")}
		for _, sum := range []string{v.EmploymentPull.SHA256, v.ProfilePull.SHA256, v.Entities[0].Pull.SHA256, strings.Repeat("07", 32), fmt.Sprintf("%x", v.Desk.Notes[0].SHA256)} {
			if !strings.Contains(strings.ReplaceAll(all, " ", ""), sum) {
				t.Errorf("the hash %s is not there whole", sum)
			}
		}
		for _, r := range v.History.Records {
			want = append(want, r.Employer, r.Registration, v.P.Money(r.BaseSalary), v.P.Date(r.Start), v.tenure(r))
		}
		for _, m := range v.History.Movements {
			want = append(want, v.P.Date(m.Date), movementWord(v.Page, m.Type), v.P.Money(m.BaseSalary))
		}
		result, _ := v.seen().Figures()
		n := v.numbers(result)
		for _, f := range result.Figures {
			value, beside := n.value(f)
			want = append(want, n.figureName(f), value, beside, v.T("figures.short."+stem(f.ID)))
		}
		for _, h := range v.seen().Hints() {
			if h.Compared() {
				want = append(want, hintWords(v.Page, h))
			}
		}
		// A cell breaks its lines where it must, so spaces do not count.
		solid := strings.ReplaceAll(all, " ", "")
		for _, text := range want {
			if !strings.Contains(solid, strings.Join(strings.Fields(text), "")) {
				t.Errorf("%q is not on paper", text)
			}
		}
		if strings.Contains(all, "⟨") {
			t.Error("a message is missing")
		}
		for i, page := range pages {
			for _, text := range []string{v.T("report.page", "Page", i+1, "Pages", len(pages)), v.T("report.sandbox"), testID(77).String()} {
				if !strings.Contains(page, text) {
					t.Errorf("page %d lacks %q", i+1, text)
				}
			}
		}
	})
}

// The file's properties travel further than its pages: nothing in them is the person's.
func TestReportProperties(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	d := Report(v, testID(77))
	for _, secret := range []string{v.Case.CURP, v.Profile.NSS(), v.Profile.LastName, v.Profile.FirstName} {
		if strings.Contains(d.Title+d.Author, secret) {
			t.Errorf("%q is in the properties", secret)
		}
	}
	if v.Env = lookup.Production; Report(v, testID(77)).Mark != "" {
		t.Error("real data is marked as a test")
	}
}

// Every mark in the text has its row in the table of sources, and every row its mark.
func TestReportSources(t *testing.T) {
	t.Parallel()
	d := Report(complete(t, "en"), testID(77))
	named := map[string]bool{}
	for _, s := range d.Sections[:len(d.Sections)-1] {
		for _, f := range s.Facts {
			if f.Ref != "" {
				named[f.Ref] = true
			} else if f.Value != "The source did not hand it over, so it was not kept." && s.Title != "Documents" {
				t.Errorf("%q has no source", f.Label)
			}
		}
		if s.Table != nil {
			for _, row := range s.Table.Rows {
				ref := row[len(row)-1].Text
				if named[ref] = true; ref == "" {
					t.Errorf("a row of %q has no source", s.Title)
				}
			}
		}
	}
	rows := d.Sections[len(d.Sections)-1].Table.Rows
	if len(rows) != len(named) || len(rows) < 6 {
		t.Errorf("%d sources in the table, %d named", len(rows), len(named))
	}
	for _, row := range rows {
		if !named[row[0].Text] {
			t.Errorf("%s is named nowhere", row[0].Text)
		}
	}
}

// A case in any state makes a report, and one of sixty jobs has all of them.
func TestReportOfEveryState(t *testing.T) {
	t.Parallel()
	for _, status := range append([]lookup.Status{"half_done"}, lookup.Statuses...) {
		v := casePage("es-MX", status)
		v.pulls(lookup.PullNone, lookup.PullEmpty)
		if all := strings.Join(onPaper(t, v), " "); !strings.Contains(all, v.T("lookups.jobs.title")) || strings.Contains(all, "⟨") {
			t.Errorf("%s: %s", status, all)
		}
	}
	v := answered("es-MX")
	v.History.Records = nil
	for i := range 60 {
		v.History.Records = append(v.History.Records, employment.Record{Employer: fmt.Sprintf("Constructora y Arrendadora Número %02d de la República, S.A.P.I. de C.V.", i),
			Start: date("2001-01-01").AddDate(0, 4*i, 0), End: date("2001-03-01").AddDate(0, 4*i, 0), BaseSalary: "300.10"})
	}
	all := strings.ReplaceAll(strings.Join(onPaper(t, v), " "), " ", "")
	for i := range 60 {
		if !strings.Contains(all, fmt.Sprintf("Número%02ddelaRepública", i)) {
			t.Errorf("job %d is missing", i)
		}
	}
}
