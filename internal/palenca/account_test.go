package palenca

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
)

func TestCreateAccount(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201} {
		v := newVendor(t, map[string]http.HandlerFunc{"POST /v1/users/accounts": say(status, file(t, "create.json"))})
		got, err := v.client(t).CreateAccount(context.Background(), someCURP, lookup.ISSSTE, someAttempt)
		if err != nil {
			t.Fatalf("%d: %v", status, err)
		}
		want := Account{ID: someAccount, UserID: someUser, Country: "mx", Platform: "imss"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("account (-want +got):\n%s", diff)
		}
		body := `{"identifier":"` + someCURP + `","country":"mx","platform":"issste","widget_id":"` + someWidget + `","external_id":"` + someAttempt + `"}`
		if diff := cmp.Diff([]seen{{"POST", "/v1/users/accounts", body}}, v.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

func TestCreateWithoutWidget(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"*": say(200, file(t, "create.json"))})
	if _, err := v.client(t, func(o *Options) { o.WidgetID = "" }).CreateAccount(context.Background(), someCURP, lookup.IMSS, ""); err != nil {
		t.Fatal(err)
	}
	if body := v.requests()[0].Body; strings.Contains(body, "widget_id") || strings.Contains(body, "external_id") {
		t.Errorf("empty ids were sent: %s", body)
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	body := `{"success":true,"error":null,"data":{"account_id":"` + someAccount + `","country":"mx","platform":"imss","identifier":"` + someCURP + `",
	  "worker_id":null,"last_successful_connection":"2025-03-11T17:11:57.697777","warning":"zero_quoted_weeks","status":"success",
	  "status_details":null,"message":"","created_at":"2025-03-11T17:11:40.123456789Z"}}`
	v := newVendor(t, map[string]http.HandlerFunc{"GET /v1/accounts/" + someAccount: say(200, body)})
	got, err := v.client(t).Account(context.Background(), someAccount)
	if err != nil {
		t.Fatal(err)
	}
	want := Account{
		ID: someAccount, Country: "mx", Platform: "imss", Status: "success", Warning: "zero_quoted_weeks",
		ConnectedAt: time.Date(2025, 3, 11, 17, 11, 57, 697777000, time.UTC),
		CreatedAt:   time.Date(2025, 3, 11, 17, 11, 40, 123456789, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
}

func TestReportOfAStatus(t *testing.T) {
	t.Parallel()
	// All 13 statuses of the schema, the oldest pages' "failed", none, and one nobody has heard of.
	phases := map[lookup.Phase][]string{
		lookup.PhaseSucceeded:  {"success"},
		lookup.PhaseIncomplete: {"incomplete", "requires_auth", "error_credentials", "error_otp"},
		lookup.PhaseFailed:     {"error", "profile_unavailable", "failed"},
		lookup.PhaseOpened: {"created", "retry", "pending", "pending_for_data", "validation_pending",
			"password_validation_pending", "", "brand_new"},
	}
	for want, statuses := range phases {
		for _, s := range statuses {
			r := lookup.Report{Phase: want, Detail: "why"}
			if got := (Account{Status: s, StatusDetails: "why"}).Report(); got != r {
				t.Errorf("account %q: %+v, want %+v", s, got, r)
			}
			if got := (Login{Status: s, StatusDetails: "why"}).Report(); got != r {
				t.Errorf("login %q: %+v, want %+v", s, got, r)
			}
		}
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	body := `{"success":true,"data":{"logins":[{"id":"l1","account_id":"` + someAccount + `","status":"error","status_details":"service_degradation",
	  "source":"api","created_at":"2026-01-02T03:04:05","updated_at":null},null]}}`
	v := newVendor(t, map[string]http.HandlerFunc{"GET /v1/accounts/" + someAccount + "/logins": say(200, body)})
	got, err := v.client(t).Logins(context.Background(), someAccount)
	if err != nil {
		t.Fatal(err)
	}
	want := []Login{{ID: "l1", AccountID: someAccount, Status: "error", StatusDetails: "service_degradation", Source: "api",
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("logins (-want +got):\n%s", diff)
	}
}

func TestIDsThatAreNeverSent(t *testing.T) {
	t.Parallel()
	c := newVendor(t, nil).client(t) // reports any request as unexpected
	ctx := context.Background()
	for _, id := range []string{"", ".", "..", "../users", "a/b", "a?b", "a#b", "a%2fb", "a b", "é", someCURP, strings.ToLower(someCURP), strings.Repeat("a", 65)} {
		_, accountErr := c.Account(ctx, id)
		_, _, employmentErr := c.Employment(ctx, id)
		_, _, profileErr := c.Profile(ctx, id)
		_, loginsErr := c.Logins(ctx, id)
		_, updateErr := c.UpdateWebhook(ctx, Webhook{ID: id})
		for i, err := range []error{accountErr, employmentErr, profileErr, loginsErr, updateErr, c.DeleteWebhook(ctx, id)} {
			var e *Error
			if !errors.As(err, &e) || e.Code != CodeBadID || e.Kind != GiveUp || e.Ambiguous {
				t.Errorf("%q, call %d: %v", id, i, err)
			}
		}
	}
}

// search is what a fake vendor does with POST /users/search.
type search struct {
	Start      string `json:"start_date"`
	End        string `json:"end_date"`
	ExternalID string `json:"external_id"`
	Options    struct{ Page int }
}

func searching(t *testing.T, f func(search) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var s search
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			t.Error(err)
		}
		io.WriteString(w, f(s))
	}
}

const (
	oneUser  = `{"success":true,"data":{"users":[{"user_id":"` + someUser + `","external_id":"` + someAttempt + `"}]}}`
	noUser   = `{"success":true,"data":{"users":[]}}`
	accounts = `{"success":true,"data":{"user_id":"` + someUser + `","accounts":[
	  {"account_id":"older","status":"error","created_at":"2026-01-01T00:00:00"},
	  {"account_id":"newer","status":"success","created_at":"2026-01-02T00:00:00+00:00"},
	  {"account_id":"undated","status":"success","created_at":null}, null, {"account_id":null}]}}`
)

func TestFindByExternalID(t *testing.T) {
	t.Parallel()
	strangers := `{"success":true,"data":{"users":[` + strings.TrimSuffix(strings.Repeat(`{"user_id":"u","external_id":"None"},`, 100), ",") + `]},"pagination":{"total_pages":9999}}`
	tests := []struct {
		name   string
		search func(search) string
		found  bool
		code   string
		calls  int
	}{
		{"start_date is the latest, as the reference says", func(s search) string {
			if s.Start > s.End {
				return oneUser
			}
			return noUser
		}, true, "", 2},
		{"start_date is the earliest, as the blog says", func(s search) string {
			if s.Start < s.End {
				return oneUser
			}
			return noUser
		}, true, "", 3},
		{"nobody", func(search) string { return noUser }, false, "", 2},
		{"null", func(search) string { return `{"success":true,"data":null}` }, false, "", 2},
		{"strangers only", func(search) string {
			return `{"success":true,"data":{"users":[{"user_id":"x","external_id":"other"},{"user_id":"y","external_id":null}]}}`
		}, false, "", 2},
		{"on the second page", func(s search) string {
			if s.Options.Page == 2 {
				return oneUser
			}
			return `{"success":true,"data":{"users":[{"user_id":"x","external_id":"other"}]},"pagination":{"total_pages":2}}`
		}, true, "", 3},
		{"a filter that does not filter", func(search) string { return strangers }, false, CodeUnbounded, searchPages},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{
				"POST /v1/users/search": searching(t, func(s search) string {
					if s.ExternalID != someAttempt {
						t.Errorf("searched for %q", s.ExternalID)
					}
					return tt.search(s)
				}),
				"GET /v1/users/" + someUser + "/accounts": say(200, accounts),
			})
			got, found, err := v.client(t).FindByExternalID(context.Background(), someAttempt)
			if tt.code != "" {
				var e *Error
				if !errors.As(err, &e) || e.Code != tt.code {
					t.Fatalf("got %v, want code %s", err, tt.code)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if found != tt.found || found && (got.ID != "newer" || got.ExternalID != someAttempt) {
				t.Errorf("got %v %+v", found, got)
			}
			if n := len(v.requests()); n != tt.calls {
				t.Errorf("%d requests, want %d", n, tt.calls)
			}
		})
	}
}

func TestFindNeedsAnID(t *testing.T) {
	t.Parallel()
	c := newVendor(t, nil).client(t) // reports any request as unexpected
	for _, id := range []string{"", " ", "None"} {
		var e *Error
		if _, found, err := c.FindByExternalID(context.Background(), id); found || !errors.As(err, &e) || e.Kind != GiveUp {
			t.Errorf("%q: found %v, %v", id, found, err)
		}
	}
}

func TestFindNeverTakesAFaultForAbsence(t *testing.T) {
	t.Parallel()
	// "Not found" leads to a second, billed creation, so only the vendor's own words may say it.
	for name, h := range map[string]http.HandlerFunc{"404 page": say(404, `<html>`), "500": say(500, ``), "not JSON": say(200, `hi`)} {
		c := newVendor(t, map[string]http.HandlerFunc{"POST /v1/users/search": h}).client(t)
		if _, found, err := c.FindByExternalID(context.Background(), someAttempt); err == nil || found {
			t.Errorf("%s: found %v, err %v", name, found, err)
		}
		c = newVendor(t, map[string]http.HandlerFunc{"POST /v1/users/search": say(200, oneUser), "*": h}).client(t)
		if _, found, err := c.FindByExternalID(context.Background(), someAttempt); err == nil || found {
			t.Errorf("%s at the accounts: found %v, err %v", name, found, err)
		}
	}
	c := newVendor(t, map[string]http.HandlerFunc{"*": say(404, envelope("not_found"))}).client(t)
	if _, found, err := c.FindByExternalID(context.Background(), someAttempt); err != nil || found {
		t.Errorf("the vendor's own 404: found %v, err %v", found, err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"*": say(200, file(t, "create.json"))})
	c := v.client(t, func(o *Options) { o.Wait = func(context.Context) error { return nil } })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.CreateAccount(context.Background(), someCURP, lookup.IMSS, someAttempt); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
