package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type jobs struct {
	Weeks      int       `json:"semanas_cotizadas"`
	History    []buroRow `json:"employment_history"`
	Pagination pagination
}

// buroRow keeps amounts as the text that came.
type buroRow struct {
	Employer      string
	Registration  *string     `json:"employer_registration"`
	StartDate     string      `json:"start_date"`
	EndDate       *string     `json:"end_date"`
	FederalEntity string      `json:"federal_entity"`
	BaseSalary    json.Number `json:"base_salary"`
	MonthlySalary json.Number `json:"monthly_salary"`
	PDFLink       string      `json:"pdf_link"`
	Institution   string
}

// One CURP has one history, whichever vendor tells it.
func TestBothDialectsTellTheSameLife(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	for _, curp := range append([]string{gata, lale}, derived(30)...) {
		b.found(curp)
		r := b.ask("GET", "/employments/"+curp, "")
		if r.status == 404 {
			if len(buroCareer(curp, asOf)) > 0 {
				t.Errorf("%s: a career, but no employment", curp)
			}
			continue
		}
		var got jobs
		r.into(t, 200, &got)
		var mine, theirs []string
		for _, row := range got.History {
			mine = append(mine, strings.Join([]string{row.Institution, row.Employer, row.StartDate, row.BaseSalary.String(), row.MonthlySalary.String()}, "|"))
		}
		for _, platform := range played {
			var made createdJSON
			b.do("POST", "/v1/users/accounts", `{"identifier":"`+curp+`","country":"mx","platform":"`+platform+`"}`).data(t, &made)
			b.await(1, "login ended")
			var e struct {
				Info struct {
					Quoted *int `json:"quoted_weeks"`
				} `json:"employment_info"`
				History []buroRow `json:"employment_history"`
			}
			b.do("GET", "/v1/accounts/"+made.AccountID+"/employment", "").data(t, &e)
			for _, row := range e.History {
				theirs = append(theirs, strings.Join([]string{platform, row.Employer, row.StartDate, row.BaseSalary.String(), row.MonthlySalary.String()}, "|"))
			}
			if e.Info.Quoted != nil && *e.Info.Quoted != got.Weeks {
				t.Errorf("%s: %d weeks here, %d there", curp, got.Weeks, *e.Info.Quoted)
			}
			var p struct{ Profile personJSON }
			b.do("GET", "/v1/accounts/"+made.AccountID+"/profile", "").data(t, &p)
			var mine buroProfileJSON
			b.ask("GET", "/profile/"+curp, "").into(t, 200, &mine)
			if mine.Personal.FirstName != *p.Profile.FirstName || mine.Personal.LastName != *p.Profile.LastName {
				t.Errorf("%s has two names", curp)
			}
		}
		slices.Sort(mine)
		slices.Sort(theirs)
		if diff := cmp.Diff(theirs, mine); diff != "" {
			t.Errorf("%s: %s", curp, diff)
		}
	}
}

func TestBuroDataIsStable(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, BaseURL: "http://sandbox.test"})
	b.creds.FileKey = "fixed"
	for _, q := range []struct{ name, person, path string }{
		{"buro_profile.json", gata, "/profile/" + gata},
		{"buro_employments.json", gata, "/employments/" + gata + "?items_per_page=3"},
		{"buro_invoices.json", gata, "/invoices/" + gata + "?items_per_page=2&type=nomina"},
		{"buro_files.json", gata, "/employment-files/" + gata},
		{"buro_earnings.json", "OAAP890328HASCMB05", "/earnings/OAAP890328HASCMB05?items_per_page=2"},
		{"buro_business.json", "TNX9804159P9", "/business-profile/TNX9804159P9"},
		{"buro_sales.json", "TNX9804159P9", "/invoices/TNX9804159P9?items_per_page=1"},
	} {
		v := b.found(q.person)
		r := b.ask("GET", q.path, "")
		if r.status != 200 {
			t.Fatalf("%s: %d %s", q.path, r.status, r.text)
		}
		golden(t, q.name, signatures.ReplaceAllString(r.text, "Signature=S"), v.ID, "VERIFICATION")
	}
}

func TestBuroFilesAreRealAndExpire(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	b.found(gata)
	var files struct {
		Files []struct{ URL, Name, Institution string } `json:"employment_files"`
	}
	b.ask("GET", "/employment-files/"+gata, "").into(t, 200, &files)
	var names []string
	for _, f := range files.Files {
		names = append(names, f.Name)
		if strings.Contains(f.URL, gata) {
			t.Errorf("the link names the person: %s", f.URL)
		}
		r := b.do("GET", strings.TrimPrefix(f.URL, b.http.URL), "", "x-api-key", "")
		if r.status != 200 || !strings.HasPrefix(r.text, "%PDF-1.4") || !strings.Contains(r.text, "SIN VALIDEZ") || r.header.Get("Content-Type") != "application/pdf" {
			t.Errorf("%s: %d", f.Name, r.status)
		}
	}
	want := []string{"Constancia de Semanas Cotizadas en el IMSS", "Reporte de Cotización al IMSS", "Expediente Electrónico Único del ISSSTE"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	link := strings.TrimPrefix(files.Files[0].URL, b.http.URL)
	if r := b.do("GET", strings.Replace(link, "imss_record", "issste_record", 1), ""); r.status != 403 {
		t.Errorf("a link to another paper: %d", r.status)
	}
	c.forward(fileLife + time.Second)
	if r := b.do("GET", link, ""); r.status != http.StatusForbidden {
		t.Errorf("after 15 minutes: %d", r.status)
	}
	var got jobs
	b.ask("GET", "/employments/"+gata, "").into(t, 200, &got)
	for _, row := range got.History {
		if r := b.do("GET", strings.TrimPrefix(row.PDFLink, b.http.URL), ""); r.status != 200 {
			t.Errorf("pdf_link: %d", r.status)
		}
	}
}

func TestBuroPagesAndFilters(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	b.found(gata)
	var all, page jobs
	b.ask("GET", "/employments/"+gata, "").into(t, 200, &all)
	if len(all.History) < 3 || all.Pagination.TotalItems != len(all.History) {
		t.Fatalf("%+v", all.Pagination)
	}
	kinds := map[string]int{}
	var joined []buroRow
	for n := 1; n <= len(all.History); n++ {
		b.ask("GET", "/employments/"+gata+"?items_per_page=1&page="+strconv.Itoa(n), "").into(t, 200, &page)
		joined = append(joined, page.History...)
		kinds[page.History[0].Institution]++
	}
	for i := range joined {
		if joined[i].Employer != all.History[i].Employer || joined[i].StartDate != all.History[i].StartDate {
			t.Errorf("page %d is not row %d", i+1, i)
		}
	}
	if kinds["imss"] == 0 || kinds["issste"] == 0 {
		t.Errorf("not mixed: %v", kinds)
	}
	b.ask("GET", "/employments/"+gata+"?end_date=1990-01-01", "").into(t, 200, &page)
	if len(page.History) != 0 || page.History == nil {
		t.Errorf("before every job: %+v", page)
	}
	b.ask("GET", "/employments/"+gata+"?start_date=2026-11-20", "").into(t, 200, &page)
	for _, row := range page.History {
		if row.EndDate != nil {
			t.Errorf("ended: %+v", row)
		}
	}
	if r := b.ask("GET", "/invoices/"+gata+"?type=pago", ""); !strings.Contains(r.text, `"invoices":[]`) {
		t.Error(r.text)
	}
}

// What the vendor says of the estimate: the last 30 days' documents, two decimals.
func TestBuroIncome(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	b.found(gata)
	var p buroProfileJSON
	b.ask("GET", "/profile/"+gata, "").into(t, 200, &p)
	var docs struct {
		Invoices []struct {
			Amount              json.Number
			IssueDate           string `json:"issue_date"`
			Issuer              string `json:"rfc_issuer"`
			Receiver            string `json:"rfc_receiver"`
			Folio               string `json:"folio_fiscal"`
			Status              string `json:"invoice_status"`
			Incomes, Deductions []struct{ Amount json.Number }
		}
	}
	b.ask("GET", "/invoices/"+gata, "").into(t, 200, &docs)
	var sum int64
	seen := map[string]bool{}
	for _, d := range docs.Invoices {
		if d.IssueDate > "2026-10-21" && d.Status == "Vigente" {
			sum += cents(t, d.Amount)
		}
		if seen[d.Folio] {
			t.Errorf("folio twice: %s", d.Folio)
		}
		seen[d.Folio] = true
		net := cents(t, d.Incomes[0].Amount)
		for _, less := range d.Deductions {
			net -= cents(t, less.Amount)
		}
		if net != cents(t, d.Amount) || d.Receiver != p.Personal.RFC {
			t.Errorf("%+v", d)
		}
		if _, err := readRFC(d.Issuer); err != nil {
			t.Errorf("issuer %s", d.Issuer)
		}
	}
	if p.Income == nil || cents(t, json.Number(*p.Income)) != sum || sum == 0 || p.Status != "employed" {
		t.Errorf("%v, want %d centavos, %s", p.Income, sum, p.Status)
	}
}

// cents reads a decimal without a float.
func cents(t *testing.T, n json.Number) int64 {
	t.Helper()
	whole, part, _ := strings.Cut(n.String(), ".")
	var v int64
	for _, c := range whole + (part + "00")[:2] {
		v = v*10 + int64(c-'0')
	}
	return v
}

func TestEveryPersonHasTheirCase(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	paths := map[string]string{
		"profile": "/profile/", "invoices": "/invoices/", "employment": "/employments/", "employment_files": "/employment-files/",
		"earnings": "/earnings/", "business_profile": "/business-profile/",
	}
	for _, p := range everyone {
		if p.ugly != "" {
			continue
		}
		v := b.found(p.CURP)
		var got struct {
			DataAvailable bool `json:"data_available"`
			CanRetry      bool `json:"can_retry"`
			Entities      []string
		}
		b.ask("GET", "/verifications/"+v.ID, "").into(t, 200, &got)
		if got.CanRetry != p.buro.canRetry || got.DataAvailable != (len(p.buro.entities) > 0) || !slices.Equal(got.Entities, listOf(p.buro.entities)) {
			t.Errorf("%s: %+v", p.CURP, got)
		}
		for entity, path := range paths {
			want := 404
			if slices.Contains(p.buro.entities, entity) {
				want = 200
			}
			if r := b.ask("GET", path+p.CURP, ""); r.status != want {
				t.Errorf("%s %s: %d, want %d", p.CURP, entity, r.status, want)
			}
		}
	}
}
