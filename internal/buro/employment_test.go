package buro

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func number(n int) *int { return &n }

// asked makes a client of a vendor that answers one path, whatever the query.
func asked(t testing.TB, path string, status int, body string) *Client {
	return newVendor(t, map[string]http.HandlerFunc{"GET " + path: say(status, body)}).client(t)
}

func TestEmploymentGolden(t *testing.T) {
	t.Parallel()
	body := file(t, "employment.json")
	h, files, raws, err := asked(t, "/employments/"+someCURP, 200, body).Employment(context.Background(), someCURP)
	if err != nil {
		t.Fatal(err)
	}
	want := employment.History{
		Weeks: employment.Weeks{Quoted: number(250)},
		Records: []employment.Record{
			{Employer: "COMERCIALIZADORA DEL NORTE SA DE CV", Registration: "Y523412908", Start: day(2023, 1, 15),
				State: "CIUDAD DE MEXICO", BaseSalary: "1150.50", Monthly: "34990.25", Institution: "imss"},
			{Employer: "SECRETARIA DE SALUD", Start: day(2019, 2, 1), End: day(2022, 12, 31), BaseSalary: "420.1900", Institution: "issste"},
		},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	wantFiles := []EmploymentFile{{Institution: "imss", URL: "https://files.example/a.pdf?sig=secret"}}
	if diff := cmp.Diff(wantFiles, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(raws) != 1 || string(raws[0].Body) != body || raws[0].Status != 200 || raws[0].SHA256 != sha256.Sum256([]byte(body)) || raws[0].Took <= 0 {
		t.Errorf("raw answer not kept as it came: %+v", raws)
	}
	if got := State(h); got != lookup.PullComplete {
		t.Errorf("state %s", got)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("record", "file", files[0])
	if s := log.String(); strings.Contains(s, "secret") {
		t.Errorf("log line: %s", s)
	}
}

func TestEmploymentShapes(t *testing.T) {
	t.Parallel()
	one := []employment.Record{{Employer: "ACME"}}
	tests := []struct {
		name   string
		status int
		body   string
		want   employment.History
		state  lookup.PullState
		code   string // of the error
	}{
		{"none, said so", 404, refusal("employment_history_not_found"), employment.History{}, lookup.PullEmpty, ""},
		{"somebody else's empty list", 200, `{"identifier":"X","employment_history":[]}`, employment.History{}, lookup.PullEmpty, CodeOtherPerson},
		{"empty list", 200, `{"semanas_cotizadas":0,"employment_history":[]}`, employment.History{Weeks: employment.Weeks{Quoted: number(0)}}, lookup.PullEmpty, ""},
		{"null list", 200, `{"semanas_cotizadas":null,"employment_history":null,"pagination":null}`, employment.History{}, lookup.PullEmpty, ""},
		{"a stranger's 404", 404, `<html>`, employment.History{}, "", "not_found"},
		{"another kind's 404", 404, refusal("profile_not_found"), employment.History{}, "", "profile_not_found"},
		{"one record, not in a list", 200, `{"employment_history":{"employer":"ACME"}}`, employment.History{Records: one}, lookup.PullComplete, ""},
		{"nulls among them", 200, `{"employment_history":[null,{"employer":"ACME"},{"employer":null,"institution":"imss"}]}`, employment.History{Records: one}, lookup.PullComplete, ""},
		{"all of one source", 200, `{"identifier":"` + strings.ToLower(someCURP) + `","employment_history":[{"employer":"ACME","institution":"imss"}]}`,
			employment.History{Platform: "imss", Records: []employment.Record{{Employer: "ACME", Institution: "imss"}}}, lookup.PullComplete, ""},
		{"fewer than announced", 200, `{"employment_history":[{"employer":"ACME"}],"pagination":{"page":1,"total_pages":1,"total_items":2}}`,
			employment.History{Complete: "partial", Records: one}, lookup.PullPartial, ""},
		{"weeks as text, None elsewhere", 200, `{"semanas_cotizadas":"250","employment_history":[{"employer":"ACME","start_date":"None","base_salary":"None"}]}`,
			employment.History{Weeks: employment.Weeks{Quoted: number(250)}, Records: one}, lookup.PullComplete, ""},
		{"a NUL, legal in JSON only", 200, `{"employment_history":[{"employer":"AC\u0000ME"}]}`, employment.History{Records: one}, lookup.PullComplete, ""},
		{"dates with a time keep their day", 200, `{"employment_history":[{"employer":"ACME","start_date":"2020-01-31T23:59:59-06:00","end_date":"2021-02-01T00:00:00Z"}]}`,
			employment.History{Records: []employment.Record{{Employer: "ACME", Start: day(2020, 1, 31), End: day(2021, 2, 1)}}}, lookup.PullComplete, ""},
		{"an end that cannot be read", 200, `{"employment_history":[{"employer":"ACME","end_date":"Vigente"}]}`, employment.History{}, "", "unreadable_date"},
		{"a day that does not exist", 200, `{"employment_history":[{"employer":"ACME","end_date":"2021-02-30"}]}`, employment.History{}, "", "unreadable_date"},
		{"a salary that cannot be read", 200, `{"employment_history":[{"employer":"ACME","base_salary":"$1,150.50"}]}`, employment.History{}, "", "unreadable_amount"},
		{"an exponent", 200, `{"employment_history":[{"employer":"ACME","base_salary":1e400000}]}`, employment.History{}, "", "unreadable_amount"},
		{"weeks that cannot be read", 200, `{"semanas_cotizadas":"many","employment_history":[]}`, employment.History{}, "", "unreadable_count"},
		{"an employer that is an object", 200, `{"employment_history":[{"employer":{}}]}`, employment.History{}, "", "unreadable_text"},
		{"a history that is a word", 200, `{"employment_history":"none"}`, employment.History{}, "", "unreadable_text"},
		{"somebody else's JSON", 200, `{"hello":"world"}`, employment.History{}, "", CodeUnreadable},
		{"an error under 200", 200, refusal("server_error"), employment.History{}, "", CodeUnreadable},
		{"a page of HTML", 200, `<html>`, employment.History{}, "", CodeUnreadable},
		{"cut in half", 200, file(t, "employment.json")[:300], employment.History{}, "", CodeUnreadable},
		{"somebody else's", 200, strings.Replace(file(t, "employment.json"), someCURP, "GOPJ930704HDFPRR05", 1), employment.History{}, "", CodeOtherPerson},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, files, raws, err := asked(t, "/employments/"+someCURP, tt.status, tt.body).Employment(context.Background(), someCURP)
			if len(raws) != 1 || string(raws[0].Body) != tt.body || raws[0].Status != tt.status {
				t.Errorf("raw answer not kept: %d of them", len(raws))
			}
			if tt.code != "" {
				if e := typed(t, err); e.Code != tt.code || h.Records != nil || files != nil {
					t.Errorf("%+v, %+v", *e, h)
				}
				return
			}
			if diff := cmp.Diff(tt.want, h); diff != "" || err != nil {
				t.Errorf("%v, history (-want +got):\n%s", err, diff)
			}
			if State(h) != tt.state {
				t.Errorf("state %s", State(h))
			}
		})
	}
}

// page writes one page of a history of 250 records, each with its number as its employer.
func page(n, of int, updated string) string {
	var b strings.Builder
	for i := (n - 1) * pageSize; i < min(n*pageSize, 250); i++ {
		fmt.Fprintf(&b, `{"employer":"E%d","institution":"imss"},`, i)
	}
	return fmt.Sprintf(`{"identifier":"%s","updated_at":"%s","semanas_cotizadas":250,"employment_history":[%s],"pagination":{"page":%d,"items_per_page":100,"total_items":250,"total_pages":%d}}`,
		someCURP, updated, strings.TrimSuffix(b.String(), ","), n, of)
}

func TestEmploymentPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []string
		status  int // of the last one
		records int
		state   lookup.PullState
		code    string
	}{
		{"all three", []string{page(1, 3, "t"), page(2, 3, "t"), page(3, 3, "t")}, 200, 250, lookup.PullComplete, ""},
		{"the first page again", []string{page(1, 3, "t"), page(1, 3, "t")}, 200, 100, lookup.PullPartial, ""},
		{"replaced meanwhile", []string{page(1, 3, "t.000000001"), page(2, 3, "t.000000002")}, 200, 0, "", CodeChanged},
		{"a later page refused", []string{page(1, 3, "t"), `{"error":"Unauthorized"}`}, 401, 0, "", "unauthorized"},
		{"a later page gone", []string{page(1, 3, "t"), refusal("employment_history_not_found")}, 404, 0, "", "employment_history_not_found"},
		{"a later page broken", []string{page(1, 3, "t"), `{"ident`}, 200, 0, "", CodeUnreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			v := newVendor(t, map[string]http.HandlerFunc{"GET /employments/" + someCURP: func(w http.ResponseWriter, r *http.Request) {
				n++
				if want := fmt.Sprintf("items_per_page=100&page=%d", n); r.URL.RawQuery != want || n > len(tt.answers) {
					t.Errorf("asked %s, want %s", r.URL.RawQuery, want)
				}
				status := 200
				if n == len(tt.answers) {
					status = tt.status
				}
				say(status, tt.answers[n-1])(w, r)
			}})
			h, _, raws, err := v.client(t).Employment(context.Background(), someCURP)
			if len(raws) != len(tt.answers) {
				t.Errorf("%d raw answers, want %d", len(raws), len(tt.answers))
			}
			if tt.code != "" {
				if e := typed(t, err); e.Code != tt.code || h.Records != nil {
					t.Errorf("%+v with %d records", *e, len(h.Records))
				}
				return
			}
			if err != nil || len(h.Records) != tt.records || State(h) != tt.state || h.Platform != "imss" {
				t.Fatalf("%d records, state %s, %v", len(h.Records), State(h), err)
			}
			for i, r := range h.Records {
				if r.Employer != fmt.Sprintf("E%d", i) {
					t.Fatalf("record %d is %s", i, r.Employer)
				}
			}
		})
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	person := func(ids ...profile.ID) profile.Profile {
		return profile.Profile{FirstName: "ISABEL", LastName: "CRUZ AQUINO", IDs: ids}
	}
	curpID := profile.ID{Type: "national", Name: "curp", Value: someCURP}
	tests := []struct {
		name, body string
		status     int
		want       profile.Profile
		extra      Extra
		code       string
	}{
		{"new", file(t, "profile.json"), 200, person(curpID, profile.ID{Type: "social_security_number", Name: "nss", Value: "03179170729"},
			profile.ID{Type: "tax", Name: "rfc", Value: someRFC}), Extra{
			Address:          Address{"CALLE UNO 1", "CENTRO", "CUAUHTEMOC", "CIUDAD DE MEXICO", "01234"},
			EmploymentStatus: "employed", EstimatedMonthlyIncome: "11139.00", UpdatedAt: time.Date(2026, 3, 6, 10, 22, 45, 893142000, time.UTC),
		}, ""},
		{"address inside, as in 2025", file(t, "profile_old.json"), 200, person(curpID), Extra{
			Address: Address{Street: "CALLE UNO 1", State: "OAXACA", ZIP: "68000"}, EmploymentStatus: "retired",
			UpdatedAt: time.Date(2025, 10, 13, 16, 41, 56, 0, time.UTC),
		}, ""},
		{"none", refusal("profile_not_found"), 404, profile.Profile{}, Extra{}, ""},
		{"nothing in it", `{"personal_info":null,"address":null}`, 200, profile.Profile{}, Extra{}, ""},
		{"somebody else's JSON", `{"hello":"world"}`, 200, profile.Profile{}, Extra{}, CodeUnreadable},
		{"income that cannot be read", `{"personal_info":{},"estimated_monthly_income":"about 11,000"}`, 200, profile.Profile{}, Extra{}, "unreadable_amount"},
		{"a stranger's 404", `<html>`, 404, profile.Profile{}, Extra{}, "not_found"},
		{"somebody else's", strings.Replace(file(t, "profile.json"), someCURP, "GOPJ930704HDFPRR05", 1), 200, profile.Profile{}, Extra{}, CodeOtherPerson},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, x, raw, err := asked(t, "/profile/"+someCURP, tt.status, tt.body).Profile(context.Background(), someCURP)
			if string(raw.Body) != tt.body {
				t.Error("raw answer not kept")
			}
			if tt.code != "" {
				if e := typed(t, err); e.Code != tt.code {
					t.Errorf("%+v", *e)
				}
			} else if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, p); diff != "" {
				t.Errorf("profile (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.extra, x); diff != "" {
				t.Errorf("extra (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzAnswers feeds the decoders anything: what they accept is fit for PostgreSQL, what not is a named error.
func FuzzAnswers(f *testing.F) {
	for _, name := range []string{"employment.json", "profile.json", "profile_old.json", "invoices.json", "files.json", "verification.json"} {
		f.Add([]byte(file(f, name)))
	}
	f.Add([]byte(`{"employment_history":{"employer":7},"semanas_cotizadas":"1.0","pagination":{"page":"1"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a := answer{raw: Raw{Body: body, Status: 200}}
		for _, into := range []any{&employmentJSON{}, &profileJSON{}, &verificationJSON{}, &consentJSON{}, &invoiceJSON{}, &webhookJSON{}, &pagination{}} {
			err := a.read("fuzz", into)
			var e *Error
			if err != nil && (!errors.As(err, &e) || word(e.Code) == "") {
				t.Fatalf("%v", err)
			}
		}
		var j employmentJSON
		if a.read("fuzz", &j) != nil {
			return
		}
		for _, r := range j.History {
			record := r.record()
			if strings.ContainsRune(record.Employer, 0) || record.BaseSalary != "" && !decimal.MatchString(record.BaseSalary) {
				t.Fatalf("%+v", record)
			}
			if _, err := json.Marshal(record.End); err != nil {
				t.Fatalf("%+v", record)
			}
		}
	})
}
