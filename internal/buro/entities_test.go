package buro

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
)

func TestInvoices(t *testing.T) {
	t.Parallel()
	got, raws, err := asked(t, "/invoices/"+someRFC, 200, strings.ReplaceAll(file(t, "invoices.json"), `"`+someCURP+`"`, `"`+someRFC+`"`)).Invoices(context.Background(), someRFC)
	want := Invoices{Complete: true, UpdatedAt: time.Date(2025, 10, 13, 16, 41, 56, 0, time.UTC), List: []Invoice{
		{Type: "nomina", Amount: "7250.10", Currency: "MXN", IssuedOn: day(2025, 9, 30), IssuerRFC: "NAN1105241B4", IssuerName: "NORTE SA DE CV",
			ReceiverRFC: someRFC, Receiver: "ISABEL CRUZ AQUINO", ReceiverZIP: "01234", Folio: "6f1d0b1e-0000-4000-8000-000000000001", Status: "Vigente",
			Incomes: []InvoiceLine{{"8000", "MXN", "Sueldo"}}, Deductions: []InvoiceLine{{"749.90", "MXN", "ISR"}}},
		{Type: "ingreso", Amount: "100.10", Currency: "mxn", IssuedOn: day(2025, 9, 1), Status: "Cancelado"}, // the day as written
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || len(raws) != 1 {
		t.Errorf("%v, %d answers, invoices (-want +got):\n%s", err, len(raws), diff)
	}
	for _, tt := range []struct {
		status int
		body   string
		code   string
		want   Invoices
	}{
		{404, refusal("invoices_not_found"), "", Invoices{Complete: true}},
		{200, `{"invoices":[]}`, "", Invoices{Complete: true}},
		{200, `{"invoices":[{"type":"pago"}],"pagination":{"total_items":9}}`, "", Invoices{List: []Invoice{{Type: "pago"}}}},
		{404, `<html>`, "not_found", Invoices{}},
		{200, `{"error":{"code":"server_error"}}`, CodeUnreadable, Invoices{}},
		{200, `{"invoices":[{"amount":"1,000"}]}`, "unreadable_amount", Invoices{}},
		{200, `{"identifier":"GOPJ930704HDFPRR05","invoices":[]}`, CodeOtherPerson, Invoices{}},
	} {
		got, raws, err := asked(t, "/invoices/"+someCURP, tt.status, tt.body).Invoices(context.Background(), someCURP)
		if diff := cmp.Diff(tt.want, got); diff != "" || len(raws) != 1 || tt.code == "" && err != nil || tt.code != "" && typed(t, err).Code != tt.code {
			t.Errorf("%s: %v, (-want +got):\n%s", tt.body, err, diff)
		}
	}
}

func TestEarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		code   string
		want   []Earning
	}{
		{"our reading", 200, `{"identifier":"` + someCURP + `","earnings":[{"platform":"uber","month":"2026-02","amount":8120.50,"currency":"MXN"},
		  {"platform":"didi","period":"2026-01","total":"900.00"}]}`, "", []Earning{{"uber", "2026-02", "8120.50", "MXN"}, {"didi", "2026-01", "900.00", ""}}},
		{"none", 200, `{"earnings":[]}`, "", nil},
		{"null", 200, `{"earnings":null}`, "", nil},
		{"none, said so", 404, refusal("earnings_not_found"), "", nil},
		{"another name for the list", 200, `{"monthly_earnings":[{"month":"2026-02"}]}`, CodeUnreadable, nil},
		{"other names in a row", 200, `{"earnings":[{"app":"uber","yyyymm":"2026-02","sum":1}]}`, "unreadable_row", nil},
		{"no amount", 200, `{"earnings":[{"month":"2026-02"}]}`, "unreadable_row", nil},
		{"an amount that cannot be read", 200, `{"earnings":[{"month":"2026-02","amount":"NaN"}]}`, "unreadable_amount", nil},
	} {
		got, complete, raws, err := asked(t, "/earnings/"+someCURP, tt.status, tt.body).Earnings(context.Background(), someCURP)
		if tt.code != "" {
			if e := typed(t, err); e.Code != tt.code || len(raws) != 1 {
				t.Errorf("%s: %+v", tt.name, *e)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || !complete || len(raws) != 1 {
			t.Errorf("%s: complete %v, %v (-want +got):\n%s", tt.name, complete, err, diff)
		}
	}
}

func TestBusinessProfile(t *testing.T) {
	t.Parallel()
	const rfc = "NAN1105241B4"
	named := BusinessProfile{RFC: rfc, LegalName: "NORTE SA DE CV", CommercialName: "Norte"}
	for _, tt := range []struct {
		name   string
		status int
		body   string
		code   string
		want   BusinessProfile
	}{
		{"flat", 200, `{"identifier":"NAN1105241B4","rfc":"NAN1105241B4","legal_name":"NORTE SA DE CV","commercial_name":"Norte"}`, "", named},
		{"inside", 200, `{"business_profile":{"rfc":"NAN1105241B4","legal_name":"NORTE SA DE CV","commercial_name":"Norte"}}`, "", named},
		{"inside, like a person's", 200, `{"business_info":{"rfc":"NAN1105241B4","legal_name":"NORTE SA DE CV","commercial_name":"Norte"}}`, "", named},
		{"none", 404, refusal("business_profile_not_found"), "", BusinessProfile{}},
		{"other names", 200, `{"razon_social":"NORTE SA DE CV"}`, "unreadable_row", BusinessProfile{}},
		{"another company", 200, `{"rfc":"MNT850612KR4","legal_name":"OTRA SA"}`, CodeOtherPerson, BusinessProfile{}},
	} {
		got, raw, err := asked(t, "/business-profile/"+rfc, tt.status, tt.body).BusinessProfile(context.Background(), rfc)
		if got != tt.want || string(raw.Body) != tt.body || tt.code == "" && err != nil || tt.code != "" && typed(t, err).Code != tt.code {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func TestEmploymentFiles(t *testing.T) {
	t.Parallel()
	got, _, err := asked(t, "/employment-files/"+someCURP, 200, file(t, "files.json")).EmploymentFiles(context.Background(), someCURP)
	want := []EmploymentFile{{
		URL: "https://files.example/a.pdf?X-Amz-Expires=900&X-Amz-Signature=secret", Name: "Constancia de Semanas Cotizadas en el IMSS", Institution: "imss",
		UploadedAt: time.Date(2025, 10, 13, 16, 41, 56, 332707106, time.UTC),
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%v, files (-want +got):\n%s", err, diff)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("found", "file", got[0])
	if strings.Contains(log.String(), "secret") {
		t.Errorf("log line: %s", log.String())
	}
	if got, _, err := asked(t, "/employment-files/"+someCURP, 404, refusal("employment_files_not_found")).EmploymentFiles(context.Background(), someCURP); got != nil || err != nil {
		t.Errorf("none: %+v, %v", got, err)
	}
	_, _, err = asked(t, "/employment-files/"+someCURP, 200, `{"hello":"world"}`).EmploymentFiles(context.Background(), someCURP)
	if e := typed(t, err); e.Code != CodeUnreadable {
		t.Errorf("%+v", *e)
	}
	_, raw, err := asked(t, "/employment-files/"+someCURP, 200, `{"employment_files":[{"url":{}}]}`).EmploymentFiles(context.Background(), someCURP)
	if e := typed(t, err); e.Code != "unreadable_text" || len(raw.Body) == 0 {
		t.Errorf("%+v", *e)
	}
}

// store is a place where documents lie: not the vendor's API, so it never sees the key.
func store(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["X-Api-Key"])+len(r.Header["X-Sandbox"])+len(r.Header["Authorization"])+len(r.Header["Cookie"]) > 0 {
			t.Errorf("sent along: %v", r.Header)
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestFetchFile(t *testing.T) {
	t.Parallel()
	pdf := "%PDF-1.7 …"
	var waited atomic.Int32
	c := newVendor(t, nil).client(t, func(o *Options) {
		o.HTTP = nil
		o.Wait = func(context.Context) error { waited.Add(1); return nil }
	})
	elsewhere := store(t, func(http.ResponseWriter, *http.Request) { t.Error("followed to another host") })
	serve := func(contentType string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, pdf)
		}
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	tests := []struct {
		name, path string
		answer     http.HandlerFunc
		want       string // content type
		code       string
		kind       Kind
	}{
		{"a document", "/a.pdf", serve("application/pdf"), "application/pdf", "", ""},
		{"type with parameters", "/a.pdf", serve("Application/PDF; charset=binary"), "application/pdf", "", ""},
		{"type that is none", "/a.pdf", serve("a b;;"), "", "", ""},
		{"moved on the same host", "/old.pdf", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old.pdf" {
				redirect("/new.pdf")(w, r)
				return
			}
			serve("application/pdf")(w, r)
		}, "application/pdf", "", ""},
		{"moved elsewhere", "/a.pdf", redirect(elsewhere.URL + "/a.pdf"), "", CodeRedirected, GiveUp},
		{"moved to another scheme", "/a.pdf", redirect("https://127.0.0.1/a.pdf"), "", CodeRedirected, GiveUp},
		{"moved for ever", "/a.pdf", redirect("/a.pdf"), "", CodeRedirected, GiveUp},
		{"expired", "/a.pdf", say(403, `<Error><Code>AccessDenied</Code></Error>`), "", CodeFileRefused, GiveUp},
		{"gone", "/a.pdf", say(404, ``), "", CodeFileRefused, GiveUp},
		{"not modified", "/a.pdf", say(304, ``), "", CodeFileRefused, GiveUp},
		{"busy", "/a.pdf", say(503, ``), "", "server_error", Retry},
		{"slow down", "/a.pdf", say(429, ``), "", "too_many_requests", Retry},
		{"empty", "/a.pdf", say(200, ``), "", CodeUnreadable, Retry},
		{"cut", "/a.pdf", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "400")
			io.WriteString(w, pdf)
		}, "", CodeCut, Retry},
		{"too large", "/a.pdf", func(w http.ResponseWriter, _ *http.Request) {
			chunk := strings.Repeat("x", 1<<20)
			for range MaxFile>>20 + 1 {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}, "", CodeTooLarge, GiveUp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, contentType, err := c.FetchFile(context.Background(), store(t, tt.answer).URL+tt.path+"?X-Amz-Signature=abc")
			if tt.code != "" {
				if e := typed(t, err); e.Code != tt.code || e.Kind != tt.kind || e.KeyRefused() || data != nil || strings.Contains(e.Error(), "Amz") {
					t.Errorf("%+v", *e)
				}
				return
			}
			if err != nil || string(data) != pdf || contentType != tt.want {
				t.Errorf("%q as %q, %v", data, contentType, err)
			}
		})
	}
	t.Cleanup(func() {
		if waited.Load() != 0 {
			t.Error("a document used up a turn of the API's")
		}
	})
}

func TestFetchFileAddresses(t *testing.T) {
	t.Parallel()
	live, err := New(Options{BaseURL: "https://api.burodeingresos.com", Environment: lookup.Production, Key: someKey})
	if err != nil {
		t.Fatal(err)
	}
	local := newVendor(t, nil).client(t)
	for _, link := range []string{
		"", "/a.pdf", "a.pdf", "https://", "file:///etc/passwd", "ftp://files.example/a.pdf", "javascript:alert(1)", "data:text/plain,x",
		"http://files.example/a.pdf", "http://169.254.169.254/latest/meta-data", "https://user:pass@files.example/a.pdf", "https://%zz",
	} {
		for _, c := range []*Client{live, local} {
			_, _, err := c.FetchFile(context.Background(), link)
			if e := typed(t, err); e.Code != CodeFileAddress || e.Kind != GiveUp {
				t.Errorf("%s: %+v", link, *e)
			}
		}
	}
	// This machine is for the sandbox on it: a live answer must not make us read what listens only here.
	for _, link := range []string{"http://127.0.0.1:9090/metrics", "https://localhost/", "https://[::1]/", "http://LOCALHOST.:80/"} {
		_, _, err := live.FetchFile(context.Background(), link)
		if e := typed(t, err); e.Code != CodeFileAddress {
			t.Errorf("%s: %+v", link, *e)
		}
	}
}

// Pages that are each within bounds may be too much together: a worker holds all of them until they are stored.
func TestListTooLarge(t *testing.T) {
	t.Parallel()
	pages := 0
	v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
		pages++
		fmt.Fprintf(w, `{"identifier":"%s","earnings":[{"month":"2026-02","amount":"1"}],"pagination":{"page":%d,"total_pages":50}}%s`,
			someCURP, pages, bytes.Repeat([]byte(" "), 7<<20))
	}})
	_, _, raws, err := v.client(t).Earnings(context.Background(), someCURP)
	if e := typed(t, err); e.Code != CodeTooLarge || e.Kind != GiveUp || pages != 10 || len(raws) != 10 {
		t.Errorf("%+v after %d pages", *e, pages)
	}
}
