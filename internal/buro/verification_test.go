package buro

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
)

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func TestCreateConsent(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"POST /consents": say(201, file(t, "consent.json"))})
	got, err := v.client(t).CreateConsent(context.Background(), someCURP, "2001:db8::1", "https://lender.example/privacy")
	if err != nil {
		t.Fatal(err)
	}
	want := Consent{
		ID:        "0199de73-356c-7b56-a1ef-ca91b6bdb778",
		CreatedAt: time.Date(2025, 10, 13, 16, 41, 56, 332707106, time.UTC),
		ExpiresAt: time.Date(2026, 10, 13, 22, 41, 56, 332412840, time.UTC), // a year and six hours: trusted as given
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("consent (-want +got):\n%s", diff)
	}
	body := `{"identifier":"` + someCURP + `","ip_address":"2001:db8::1","privacy_notice_url":"https://lender.example/privacy"}`
	if diff := cmp.Diff([]seen{{"POST /consents", body}}, v.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestConsentNeedsWhatTheVendorRecords(t *testing.T) {
	t.Parallel()
	c := newVendor(t, nil).client(t)
	for _, r := range []ConsentRequest{
		{someCURP, "", "https://lender.example"}, {someCURP, "127.0.0.1:80", "https://lender.example"},
		{someCURP, "127.0.0.1", ""}, {someCURP, "127.0.0.1", "/privacy"}, {someCURP, "127.0.0.1", "javascript:alert(1)"},
	} {
		_, err := c.CreateConsent(context.Background(), r.Identifier, r.IP, r.NoticeURL)
		if e := typed(t, err); e.Code != CodeBadRequest || e.Ambiguous {
			t.Errorf("%s %s: %+v", r.IP, r.NoticeURL, *e)
		}
	}
}

func TestConsentWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for _, end := range []string{`null`, `"None"`, `"soon"`} {
		v := newVendor(t, map[string]http.HandlerFunc{"*": say(201, `{"id":"c-1","expires_at":`+end+`}`)})
		_, err := v.client(t).CreateConsent(context.Background(), someCURP, "127.0.0.1", "https://lender.example")
		if e := typed(t, err); e.Code != CodeUnreadable || !e.Ambiguous {
			t.Errorf("%s: %+v", end, *e)
		}
	}
}

func TestCreateVerification(t *testing.T) {
	t.Parallel()
	// As the newest reference has it: 202, few fields, nine decimals. 200 and 201 are other services' words for the same.
	for _, status := range []int{200, 201, 202} {
		answer := `{"id":"` + someID + `","identifier":"` + someCURP + `","status":"in_progress","consent_id":"c-1",
		  "created_at":"2025-09-01T20:05:11.100000001Z","external_id":"` + someAttempt + `"}`
		v := newVendor(t, map[string]http.HandlerFunc{"POST /verifications": say(status, answer)})
		got, err := v.client(t).CreateVerification(context.Background(), someCURP, someAttempt)
		want := Verification{ID: someID, ExternalID: someAttempt, ConsentID: "c-1", Status: "in_progress",
			CreatedAt: time.Date(2025, 9, 1, 20, 5, 11, 100000001, time.UTC)}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, verification (-want +got):\n%s", err, diff)
		}
		if r := got.Report(); r != (lookup.Report{Phase: lookup.PhaseOpened}) {
			t.Errorf("report %+v", r)
		}
		body := `{"identifier":"` + someCURP + `","external_id":"` + someAttempt + `"}`
		if diff := cmp.Diff([]seen{{"POST /verifications", body}}, v.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"GET /verifications/" + someID: say(200, file(t, "verification.json"))})
	got, err := v.client(t).Verification(context.Background(), someID)
	want := Verification{
		ID: someID, ExternalID: someAttempt, ConsentID: "0199de73-356c-7b56-a1ef-ca91b6bdb778", Status: "completed",
		DataAvailable: yes(), CanRetry: no(), Entities: []string{"profile", "employment"}, Billable: yes(),
		CreatedAt: time.Date(2025, 9, 1, 20, 5, 11, 100000001, time.UTC), UpdatedAt: time.Date(2025, 9, 1, 20, 6, 39, 976067400, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, verification (-want +got):\n%s", err, diff)
	}
	for _, body := range []string{`{}`, `{"id":"` + someID + `"}`, `{"status":"completed"}`} {
		v := newVendor(t, map[string]http.HandlerFunc{"*": say(200, body)})
		_, err := v.client(t).Verification(context.Background(), someID)
		if e := typed(t, err); e.Code != CodeUnreadable {
			t.Errorf("%s: %+v", body, *e)
		}
	}
}

func TestVerificationReport(t *testing.T) {
	t.Parallel()
	tests := []struct {
		v    Verification
		want lookup.Report
	}{
		{Verification{Status: "in_progress"}, lookup.Report{Phase: lookup.PhaseOpened}},
		{Verification{Status: "paused"}, lookup.Report{Phase: lookup.PhaseOpened}},
		{Verification{Status: "deleted"}, lookup.Report{Phase: lookup.PhaseOpened}},
		{Verification{Status: "completed", DataAvailable: yes(), CanRetry: no()}, lookup.Report{Phase: lookup.PhaseSucceeded}},
		{Verification{Status: "completed", DataAvailable: no(), CanRetry: no()}, lookup.Report{Phase: lookup.PhaseSucceeded, Detail: DetailNoData}},
		{Verification{Status: "completed", DataAvailable: no(), CanRetry: yes()}, lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailRetry}},
		{Verification{Status: "completed"}, lookup.Report{Phase: lookup.PhaseSucceeded}}, // from a list: not told
		{Verification{Status: "failed", CanRetry: no()}, lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailError}},
	}
	for _, tt := range tests {
		if got := tt.v.Report(); got != tt.want {
			t.Errorf("%+v: %+v, want %+v", tt.v, got, tt.want)
		}
	}
}

// entries writes n entries of a list of verifications, none of them ours.
func entries(n int) string {
	one := `{"id":"v-%d","identifier":"` + someCURP + `","status":"completed","external_id":null},`
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, one, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func TestFindByExternalID(t *testing.T) {
	t.Parallel()
	ours := `{"id":"` + someID + `","identifier":"` + someCURP + `","status":"completed","consent_id":null,"external_id":"` + someAttempt + `"}`
	strangers := strings.Replace(ours, someCURP, "GOPJ930704HDFPRR05", 1)
	list := func(pages ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			page := 1
			fmt.Sscan(r.URL.Query().Get("page"), &page)
			say(200, pages[min(page, len(pages))-1])(w, r)
		}
	}
	paged := func(page, total int, entries string) string {
		return fmt.Sprintf(`{"verifications":[%s],"pagination":{"page":%d,"total_pages":%d}}`, entries, page, total)
	}
	tests := []struct {
		name     string
		list     http.HandlerFunc
		found    bool
		code     string // of the error, "" for none
		requests int
	}{
		{"there", list(`{"verifications":[` + ours + `],"pagination":{}}`), true, "", 2},
		{"none", list(`{"verifications":[],"pagination":{"page":1,"total_items":0,"total_pages":0}}`), false, "", 1},
		{"none, said with 404", say(404, refusal("verification_not_found")), false, "", 1},
		{"others only", list(`{"verifications":[` + entries(3) + `]}`), false, "", 1},
		{"another person's with our id", list(`{"verifications":[` + strangers + `]}`), false, "", 1},
		{"on the second page", list(paged(1, 2, entries(100)), paged(2, 2, ours)), true, "", 3},
		{"on the second page, which nothing announced", list(`{"verifications":[`+entries(100)+`]}`, `{"verifications":[`+ours+`]}`), true, "", 3},
		{"the same page for ever", list(paged(1, 3, entries(100))), false, CodeUnbounded, 2},
		{"a page that was announced is empty", list(paged(1, 3, entries(100)), paged(2, 3, ``)), false, CodeUnbounded, 2},
		{"fewer than announced", list(`{"verifications":[` + entries(2) + `],"pagination":{"page":1,"total_pages":1,"total_items":7}}`), false, CodeUnbounded, 1},
		{"without end", list(`{"verifications":[` + entries(100) + `]}`), false, CodeUnbounded, maxPages},
		{"a stranger's 404", say(404, `<html>`), false, "not_found", 1},
		{"somebody else's JSON", say(200, `{"hello":"world"}`), false, CodeUnreadable, 1},
		{"a bare list", say(200, `[]`), false, CodeUnreadable, 1},
		{"unreadable", say(200, `<html>`), false, CodeUnreadable, 1},
		{"a verification of no shape", list(`{"verifications":[{"id":[]}]}`), false, "unreadable_text", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{"GET /verifications": tt.list, "GET /verifications/" + someID: say(200, file(t, "verification.json"))})
			got, found, err := v.client(t).FindByExternalID(context.Background(), someCURP, someAttempt)
			if tt.code != "" {
				if e := typed(t, err); e.Code != tt.code || found {
					t.Errorf("found %v, %+v", found, *e)
				}
			} else if err != nil || found != tt.found || found && (got.ID != someID || got.DataAvailable == nil) {
				t.Errorf("found %v %+v, %v", found, got, err)
			}
			if n := len(v.requests()); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
}
