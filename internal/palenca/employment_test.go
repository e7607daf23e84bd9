package palenca

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func weeks(n int) *int { return &n }

func employmentOf(t *testing.T, status int, body string) (employment.History, Raw, error) {
	t.Helper()
	v := newVendor(t, map[string]http.HandlerFunc{"GET /v1/accounts/" + someAccount + "/employment": say(status, body)})
	return v.client(t).Employment(context.Background(), someAccount)
}

func TestEmploymentGolden(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file string
		want employment.History
	}{
		{"employment.json", employment.History{
			Platform: "imss", AccountID: someAccount, IDType: "social_security_number", Status: "employed", Complete: "complete",
			Weeks: employment.Weeks{Quoted: weeks(214), Discounted: weeks(12), Reintegrated: weeks(0)},
			Files: []employment.File{{Type: "imss_employment_record"}},
			Records: []employment.Record{
				{Employer: "COMERCIALIZADORA DEL NORTE SA DE CV", Registration: "Y523412908", Start: day(2023, 1, 15),
					State: "CIUDAD DE MÉXICO", BaseSalary: "1044.97", Monthly: "31787.99"},
				{Employer: "SERVICIOS ALFA, S.A. DE C.V.", Registration: "C412852010", Start: day(2022, 2, 21), End: day(2022, 3, 12),
					State: "JALISCO", BaseSalary: "1150.50", Monthly: "34990.250", Modality: "Base", QuotedDays: "20"},
			},
			Movements: []employment.Movement{
				{Type: "reentry", Employer: "COMERCIALIZADORA DEL NORTE SA DE CV", Date: day(2023, 1, 15), BaseSalary: "1044.97"},
				{Type: "discharge", Employer: "SERVICIOS ALFA, S.A. DE C.V.", Date: day(2022, 3, 12)},
			},
		}},
		{"employment_old.json", employment.History{
			Platform: "imss", AccountID: someAccount, IDType: "curp", Status: "employed",
			Weeks: employment.Weeks{Quoted: weeks(214)},
			Records: []employment.Record{
				{Employer: "ACME", Start: day(2022, 4, 1), State: "JALISCO", BaseSalary: "336.93", Monthly: "94212.0"},
				// Written in another zone, still the day as written; and no state borrowed from today.
				{Employer: "BETA", Start: day(2020, 1, 31), End: day(2021, 12, 31)},
			},
			Movements: []employment.Movement{{Type: "salary_modification", Date: day(2023, 1, 1), BaseSalary: "420.19"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			body := file(t, tt.file)
			got, raw, err := employmentOf(t, 200, body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			if string(raw.Body) != body || raw.Status != 200 || raw.SHA256 != sha256.Sum256([]byte(body)) || raw.Took <= 0 {
				t.Errorf("raw answer not kept as it came: status %d, took %v", raw.Status, raw.Took)
			}
		})
	}
}

func TestEmploymentShapes(t *testing.T) {
	t.Parallel()
	one := employment.Record{Employer: "ACME"}
	tests := []struct {
		name, data string
		want       employment.History
		state      lookup.PullState
	}{
		{"null", `null`, employment.History{}, lookup.PullEmpty},
		{"empty object", `{}`, employment.History{}, lookup.PullEmpty},
		{"all null", `{"platform":null,"account_id":null,"employment_info":null,"employment_history":null,"employment_events":null}`,
			employment.History{}, lookup.PullEmpty},
		{"empty, said so", `{"employment_info":{"employment_history_status":"empty","quoted_weeks":0},"employment_history":[]}`,
			employment.History{Complete: "empty", Weeks: employment.Weeks{Quoted: weeks(0)}}, lookup.PullEmpty},
		{"records without a word", `{"employment_history":[{"employer":"ACME"}]}`,
			employment.History{Records: []employment.Record{one}}, lookup.PullComplete},
		{"one record, not in a list", `{"employment_history":{"employer":"ACME"}}`,
			employment.History{Records: []employment.Record{one}}, lookup.PullComplete},
		{"nulls among the records", `{"employment_history":[null,{"employer":"ACME"},{"employer":null,"start_date":null}]}`,
			employment.History{Records: []employment.Record{one}}, lookup.PullComplete},
		{"partial", `{"employment_info":{"employment_history_status":"partial"},"employment_history":[{"employer":"ACME"}]}`,
			employment.History{Complete: "partial", Records: []employment.Record{one}}, lookup.PullPartial},
		{"wrapped events", `{"employment_events":{"employment_events":[{"event_type":"reentry"}]}}`,
			employment.History{Movements: []employment.Movement{{Type: "reentry"}}}, lookup.PullEmpty},
		{"empty events object", `{"employment_events":{}}`, employment.History{}, lookup.PullEmpty},
		{"events spelled None", `{"employment_events":"None"}`, employment.History{}, lookup.PullEmpty},
		{"old positions, one record", `{"employment_info":{"federal_entity":"SONORA","quoted_days":90},"employment_history":[{"employer":"ACME"}]}`,
			employment.History{Records: []employment.Record{{Employer: "ACME", State: "SONORA", QuotedDays: "90"}}}, lookup.PullComplete},
		{"new position wins", `{"employment_info":{"federal_entity":"SONORA","quoted_days":90},"employment_history":[{"employer":"ACME","federal_entity":"YUCATÁN","quoted_days":7}]}`,
			employment.History{Records: []employment.Record{{Employer: "ACME", State: "YUCATÁN", QuotedDays: "7"}}}, lookup.PullComplete},
		{"weeks in every spelling", `{"employment_info":{"quoted_weeks":"10","discounted_weeks":2.0,"reintegrated_weeks":"None"}}`,
			employment.History{Weeks: employment.Weeks{Quoted: weeks(10), Discounted: weeks(2)}}, lookup.PullEmpty},
		{"salary as text", `{"employment_history":[{"employer":"ACME","base_salary":" 1150.50 ","monthly_salary":""}]}`,
			employment.History{Records: []employment.Record{{Employer: "ACME", BaseSalary: "1150.50"}}}, lookup.PullComplete},
		{"a NUL, legal in JSON only", `{"employment_history":[{"employer":"AC\u0000ME"}]}`,
			employment.History{Records: []employment.Record{one}}, lookup.PullComplete},
		{"unknown words", `{"platform":"nom_pemex","employment_info":{"status":"on_leave","id_type":7,"employment_history_status":"soon"},"new":{"a":[1]}}`,
			employment.History{Platform: "nom_pemex", Status: "on_leave", IDType: "7", Complete: "soon"}, lookup.PullEmpty},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := employmentOf(t, 200, `{"success":true,"error":null,"data":`+tt.data+`}`)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.AccountID = someAccount
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			if s := State(got); s != tt.state {
				t.Errorf("State = %s, want %s", s, tt.state)
			}
		})
	}
}

func TestStateWhenTheSourceContradictsItself(t *testing.T) {
	t.Parallel()
	records := []employment.Record{{Employer: "ACME"}}
	tests := []struct {
		complete string
		records  []employment.Record
		want     lookup.PullState
	}{
		{"complete", records, lookup.PullComplete}, {"complete", nil, lookup.PullEmpty},
		{"partial", nil, lookup.PullPartial}, {"empty", records, lookup.PullPartial},
		{"", records, lookup.PullComplete}, {"", nil, lookup.PullEmpty},
	}
	for _, tt := range tests {
		if got := State(employment.History{Complete: tt.complete, Records: tt.records}); got != tt.want {
			t.Errorf("%q with %d records: %s, want %s", tt.complete, len(tt.records), got, tt.want)
		}
	}
}

func TestMorePagesMeanPartial(t *testing.T) {
	t.Parallel()
	got, _, err := employmentOf(t, 200, `{"success":true,"data":{"employment_info":{"employment_history_status":"complete"},
	  "employment_history":[{"employer":"ACME"}]},"pagination":{"page":1,"total_pages":2}}`)
	if err != nil || State(got) != lookup.PullPartial {
		t.Errorf("State = %s, err %v", State(got), err)
	}
}

func TestWhatCannotBeReadIsNotAbsent(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, code string }{
		{"end date", `{"employment_history":[{"end_date":"15/01/2023"}]}`, "unreadable_date"},
		{"no such day", `{"employment_history":[{"start_date":"2023-02-30"}]}`, "unreadable_date"},
		{"date with a tail", `{"employment_history":[{"start_date":"2023-02-280"}]}`, "unreadable_date"},
		{"date as a number", `{"employment_events":[{"event_date":20230115}]}`, "unreadable_date"},
		{"amount in words", `{"employment_history":[{"base_salary":"mil"}]}`, "unreadable_amount"},
		{"amount with an exponent", `{"employment_history":[{"base_salary":1e9}]}`, "unreadable_amount"},
		{"amount as an object", `{"employment_history":[{"monthly_salary":{"amount":1}}]}`, "unreadable_amount"},
		{"amount that is a formula", `{"employment_events":{"base_salary":"=1+1"}}`, "unreadable_amount"},
		{"half a week", `{"employment_info":{"quoted_weeks":10.5}}`, "unreadable_count"},
		{"employer as a list", `{"employment_history":[{"employer":["ACME"]}]}`, "unreadable_text"},
		{"history as text", `{"employment_history":"none at all"}`, "unreadable_text"},
		{"data as a list", `[]`, CodeUnreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, raw, err := employmentOf(t, 200, `{"success":true,"data":`+tt.data+`}`)
			var e *Error
			if !errors.As(err, &e) || e.Code != tt.code {
				t.Errorf("got %v, want %s", err, tt.code)
			}
			if len(raw.Body) == 0 {
				t.Error("the answer was not kept")
			}
		})
	}
}

func TestNotFoundIsEmptyOnlyAfterASuccess(t *testing.T) {
	t.Parallel()
	account := func(status string) http.HandlerFunc {
		return say(200, `{"success":true,"data":{"account_id":"`+someAccount+`","status":"`+status+`"}}`)
	}
	tests := []struct {
		name    string
		account http.HandlerFunc
		status  int // of the error; 0 for an empty answer
	}{
		{"succeeded", account("success"), 0},
		{"still pending", account("pending"), 404},
		{"error", account("error"), 404},
		{"unknown account, or a wrong base URL", say(404, `{"detail":"Not Found"}`), 404},
		{"the question itself fails", say(503, ``), 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newVendor(t, map[string]http.HandlerFunc{
				"GET /v1/accounts/" + someAccount: tt.account,
				"*":                               say(404, envelope("not_found")),
			}).client(t)
			h, raw, err := c.Employment(context.Background(), someAccount)
			p, _, profileErr := c.Profile(context.Background(), someAccount)
			if raw.Status != 404 || len(raw.Body) == 0 {
				t.Errorf("raw is not the answer to the employment request: %d %q", raw.Status, raw.Body)
			}
			for _, err := range []error{err, profileErr} {
				var e *Error
				if errors.As(err, &e) != (tt.status != 0) || e != nil && e.Status != tt.status {
					t.Errorf("got %v, want status %d", err, tt.status)
				}
			}
			if tt.status == 0 && (State(h) != lookup.PullEmpty || h.AccountID != someAccount || p.AccountID != someAccount) {
				t.Errorf("got %+v, %+v", h, p)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	ask := func(body string) (profile.Profile, Raw, error) {
		v := newVendor(t, map[string]http.HandlerFunc{"GET /v1/accounts/" + someAccount + "/profile": say(200, body)})
		return v.client(t).Profile(context.Background(), someAccount)
	}
	got, raw, err := ask(file(t, "profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := profile.Profile{AccountID: someAccount, FirstName: "ALEJANDRO", LastName: "GARCÍA TÉLLEZ", Birthday: day(2000, 4, 8),
		IDs: []profile.ID{{Type: "social_security_number", Name: "nss", Value: "02189216878"}, {Type: "tax", Name: "rfc", Value: "GATA000408AB1"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	if string(raw.Body) != file(t, "profile.json") {
		t.Error("raw answer not kept as it came")
	}
	for _, data := range []string{`null`, `{}`, `{"profile":null,"ids_info":null,"bank_info":null}`, `{"profile":{"first_name":"None","birthday":""},"ids_info":[null,{}]}`} {
		got, _, err := ask(`{"success":true,"data":` + data + `}`)
		if diff := cmp.Diff(profile.Profile{AccountID: someAccount}, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", data, err, diff)
		}
	}
	old := `{"success":true,"data":{"profile":{"first_name":"A","phone":5512345678,"address":"x"},"metrics_info":{"a":1}}}`
	if got, _, err := ask(old); err != nil || got.Phone != "5512345678" {
		t.Errorf("older shape: %v %+v", err, got)
	}
}

func FuzzEmployment(f *testing.F) {
	for _, name := range []string{"employment.json", "employment_old.json", "profile.json"} {
		var e struct{ Data json.RawMessage }
		if err := json.Unmarshal([]byte(file(f, name)), &e); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(e.Data))
	}
	f.Add([]byte(`{"employment_events":{"employment_events":{"employment_events":[]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e employmentJSON
		if json.Unmarshal(data, &e) == nil {
			h := e.history()
			State(h)
			for _, r := range h.Records {
				if r.BaseSalary != "" && !decimal.MatchString(r.BaseSalary) {
					t.Errorf("an amount that is no number: %q", r.BaseSalary)
				}
				if !r.End.IsZero() && r.End.Location() != time.UTC {
					t.Errorf("a date with a zone: %v", r.End)
				}
			}
		}
		var p profileJSON
		if json.Unmarshal(data, &p) == nil {
			p.profile()
		}
	})
}
