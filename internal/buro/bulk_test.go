package buro

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCreateBulks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	v := newVendor(t, map[string]http.HandlerFunc{
		"POST /verifications/bulk": say(202, `{"bulk_id":"b-1"}`),
		"POST /consents/bulk":      say(202, `{"id":"b-2"}`),
	})
	c := v.client(t)
	id, err := c.CreateVerificationBulk(ctx, []VerificationRequest{{someCURP, someAttempt}, {"NAN1105241B4", ""}})
	if id != "b-1" || err != nil {
		t.Errorf("%s, %v", id, err)
	}
	id, err = c.CreateConsentBulk(ctx, []ConsentRequest{{someCURP, "192.0.2.1", "https://lender.example/privacy"}})
	if id != "b-2" || err != nil {
		t.Errorf("%s, %v", id, err)
	}
	want := []seen{
		{"POST /verifications/bulk", `{"verifications":[{"identifier":"` + someCURP + `","external_id":"` + someAttempt + `"},{"identifier":"NAN1105241B4"}]}`},
		{"POST /consents/bulk", `[{"identifier":"` + someCURP + `","ip_address":"192.0.2.1","privacy_notice_url":"https://lender.example/privacy"}]`},
	}
	if diff := cmp.Diff(want, v.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	_, err = c.CreateVerificationBulk(ctx, make([]VerificationRequest, 1))
	if e := typed(t, err); e.Code != CodeBadIdentifier {
		t.Errorf("%+v", *e)
	}
	// The synchronous answer of 2025 has no bulk to ask about; what was created is found person by person.
	v = newVendor(t, map[string]http.HandlerFunc{"*": say(200, `{"total":1,"successful":1,"failed":0,"results":[]}`)})
	_, err = v.client(t).CreateVerificationBulk(ctx, []VerificationRequest{{someCURP, someAttempt}})
	if e := typed(t, err); e.Code != CodeUnreadable || !e.Ambiguous {
		t.Errorf("%+v", *e)
	}
}

func TestBulk(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	body := `{"bulk_id":"b-1","type":"verification","created_at":"2026-01-02T03:04:05.000000006Z","metrics":{"total":3,"completed":1,"failed":"1"}}`
	got, err := asked(t, "/bulks/b-1", 200, body).Bulk(ctx, "b-1")
	want := Bulk{ID: "b-1", Type: "verification", Total: number(3), Completed: number(1), Failed: number(1), CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, bulk (-want +got):\n%s", err, diff)
	}
	if got, err := asked(t, "/bulks/b-1", 200, `{"metrics":{"total":0}}`).Bulk(ctx, "b-1"); got.ID != "b-1" || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for body, code := range map[string]string{`{}`: CodeUnreadable, `[]`: CodeUnreadable, `{"metrics":{"total":-1.5}}`: "unreadable_count"} {
		_, err := asked(t, "/bulks/b-1", 200, body).Bulk(ctx, "b-1")
		if e := typed(t, err); e.Code != code {
			t.Errorf("%s: %+v", body, *e)
		}
	}
}

func TestBulkItems(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	item := `{"identifier":"` + someCURP + `","external_id":"` + someAttempt + `","verification_id":"v-1","status":"error","status_code":400},`
	page := func(n int, pagination string) string {
		return `{"items":[` + strings.TrimSuffix(strings.Repeat(item, n), ",") + `]` + pagination + `}`
	}
	tests := []struct {
		name, body string
		items      int
		more       bool
		code       string
	}{
		{"the last", page(2, `,"pagination":{"page":2,"total_pages":2}`), 2, false, ""},
		{"one of three", page(100, `,"pagination":{"page":2,"total_pages":3}`), 100, true, ""},
		{"announced and empty", page(0, `,"pagination":{"page":2,"total_pages":3}`), 0, false, ""},
		{"a full one without a word", page(100, ``), 100, true, ""},
		{"a short one without a word", page(99, ``), 99, false, ""},
		{"another page than asked for", page(100, `,"pagination":{"page":1,"total_pages":3}`), 0, false, CodeUnbounded},
		{"no list", `{"results":[]}`, 0, false, CodeUnreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{"GET /bulks/b-1/items": say(200, tt.body)})
			items, more, err := v.client(t).BulkItems(ctx, "b-1", "error", 2)
			if got := v.requests()[0].Request; got != "GET /bulks/b-1/items?items_per_page=100&page=2&status=error" {
				t.Errorf("asked %s", got)
			}
			if tt.code != "" {
				if e := typed(t, err); e.Code != tt.code {
					t.Errorf("%+v", *e)
				}
				return
			}
			if err != nil || len(items) != tt.items || more != tt.more {
				t.Fatalf("%d items, more %v, %v", len(items), more, err)
			}
			for _, i := range items {
				if i != (BulkItem{Identifier: someCURP, ExternalID: someAttempt, ID: "v-1", Status: "error", Code: "400"}) {
					t.Fatalf("%+v", i)
				}
				if s := i.LogValue().String(); strings.Contains(fmt.Sprint(s), someCURP) {
					t.Errorf("log value %s", s)
				}
			}
		})
	}
}

func TestCancelBulk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		body   string
		ok     bool
	}{
		{200, `{"status":"deleted"}`, true}, {204, ``, true}, {404, refusal("bulk_verification_not_found"), true}, {404, `<html>`, false}, {500, ``, false},
	} {
		v := newVendor(t, map[string]http.HandlerFunc{"DELETE /bulks/b-1": say(tt.status, tt.body)})
		if err := v.client(t).CancelBulk(context.Background(), "b-1"); (err == nil) != tt.ok {
			t.Errorf("%d %s: %v", tt.status, tt.body, err)
		}
	}
}
