package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// The four cases of the vendor's page, to the byte.
func TestBuroEventsToTheByte(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, id, identifier, moment string }{
		{"full", "bd830637-ea6e-4888-80ab-a09f01fc9209", gata, "2025-04-29T10:37:25Z"},
		{"partial", "bd830637-ea6e-4888-80ab-a09f01fc9217", "ZUAL000827HMCXRSA8", "2025-04-29T10:38:25Z"},
		{"no_data", "bd830637-ea6e-4888-80ab-a09f01fc9211", "MEMC760502MMCJGR00", "2025-04-29T10:32:15Z"},
		{"error", "bd830637-ea6e-4888-80ab-a09f01fc9212", "AUAT940412HCLQQM08", "2025-04-29T10:33:15Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			moment, err := time.Parse(time.RFC3339, c.moment)
			if err != nil {
				t.Fatal(err)
			}
			b, r := open(t, Config{Now: func() time.Time { return moment }}), receive(t, nil)
			b.register(r.URL, "")
			v := b.verified(c.identifier)
			p := r.next(t)
			want := printed(t, "buro_event_"+c.name+".json", c.id, v.ID, "OICE940722HGFRST08", c.identifier)
			if diff := cmp.Diff(want, p.body); diff != "" {
				t.Error(diff)
			}
			if p.header.Get("Content-Type") != "application/json" || p.header.Get("X-Signature") == "" || p.header.Get("Authorization") != "" {
				t.Errorf("headers %v", p.header)
			}
		})
	}
}

func TestBuroAnswersToTheByte(t *testing.T) {
	t.Parallel()
	// The two times of the known sample, hence the six hours.
	moment := time.Date(2025, 10, 13, 16, 41, 56, 332707106, time.UTC)
	b := open(t, Config{Now: func() time.Time { return moment }, Delay: time.Hour})
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/verifications", `{"identifier":"` + gata + `"}`, 400, `{"error":{"code":"consent_required","message":"There is no valid consent for this identifier","details":null}}`},
		{"POST", "/consents", `{"identifier":"` + gata + `","ip_address":"127.0.0.1","privacy_notice_url":"https://lender.example/a"}`, 201,
			`{"id":"ID","identifier":"` + gata + `","ip_address":"127.0.0.1","privacy_notice_url":"https://lender.example/a","created_at":"2025-10-13T16:41:56.332707106Z","expires_at":"2026-10-13T22:41:56.332707106Z"}`},
		{"GET", "/consents?identifier=" + gata, "", 200,
			`{"consents":[{"id":"ID","identifier":"` + gata + `","ip_address":"127.0.0.1","privacy_notice_url":"https://lender.example/a","expires_at":"2026-10-13T22:41:56.332707106Z"}],"pagination":{"page":1,"items_per_page":100,"total_items":1,"total_pages":1}}`},
		{"POST", "/verifications", `{"identifier":" ` + strings.ToLower(gata) + `","external_id":"A-1","email":"a@b.example"}`, 202,
			`{"id":"ID","identifier":"` + gata + `","status":"in_progress","consent_id":"ID","created_at":"2025-10-13T16:41:56.332707106Z","external_id":"A-1"}`},
		{"GET", "/verifications?identifier=" + gata + "&page=1&items_per_page=1&start_date=2025-10-13", "", 200,
			`{"verifications":[{"id":"ID","identifier":"` + gata + `","status":"in_progress","consent_id":"ID","external_id":"A-1"}],"pagination":{"page":1,"items_per_page":1,"total_items":1,"total_pages":1}}`},
		{"GET", "/verifications?start_date=2025-10-14", "", 200, `{"verifications":[],"pagination":{"page":1,"items_per_page":100,"total_items":0,"total_pages":0}}`},
		{"GET", "/profile/" + gata, "", 404, `{"error":{"code":"profile_not_found","message":"Nothing is known of this identifier","details":null}}`},
		{"GET", "/outbound_ips", "", 200, `[{"ip_address":"127.0.0.1"},{"ip_address":"::1"}]`},
		{"POST", "/consents", `{"identifier":"OICE940722HGFRST08","ip_address":"127.0.0.1","privacy_notice_url":"https://a.example"}`, 400,
			`{"error":{"code":"validation_error","message":"The request is not valid","details":[{"field":"identifier","message":"Invalid identifier format."}]}}`},
	} {
		r := b.ask(c.method, c.path, c.body)
		if diff := cmp.Diff(c.want, ids.ReplaceAllString(r.text, "ID")); diff != "" || r.status != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, diff)
		}
		if _, err := uuid.Parse(r.header.Get("X-Request-Id")); err != nil {
			t.Errorf("%s: no X-Request-Id", c.path)
		}
	}
}

func TestBuroVerificationLives(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, Delay: time.Minute})
	v := b.verified(gata)
	get := func() (out map[string]any) {
		b.ask("GET", "/verifications/"+v.ID, "").into(t, 200, &out)
		return out
	}
	if got := get(); got["status"] != "in_progress" || got["updated_at"] != nil || got["data_available"] != false || len(got["entities"].([]any)) != 0 {
		t.Errorf("at first: %v", got)
	}
	b.ahead(c, time.Minute)
	b.await(1, "verification ended")
	if got := get(); got["status"] != "completed" || got["updated_at"] != "2026-11-20T12:01:00Z" || got["is_billable"] != true || len(got["entities"].([]any)) != 4 {
		t.Errorf("at last: %v", got)
	}
	var gone map[string]any
	b.ask("DELETE", "/verifications/"+v.ID, "").into(t, 200, &gone)
	if gone["status"] != "deleted" || gone["verification_id"] != v.ID || gone["message"] != "Verification successfully deleted" {
		t.Errorf("%v", gone)
	}
	for path, code := range map[string]string{"/verifications/" + v.ID: "verification_not_found", "/profile/" + gata: "profile_not_found"} {
		if r := b.ask("GET", path, ""); r.status != 404 || !strings.Contains(r.text, code) {
			t.Errorf("%s: %d %s", path, r.status, r.text)
		}
	}
}

// Each dialect has its own key, and 401 its own shape.
func TestBuroKey(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Rate: 2})
	const want = `{"error":"Unauthorized","message":"Invalid X-API-Key"}`
	for _, key := range []string{"", "buro_sandbox_wrong", b.creds.APIKey} {
		if r := b.do("GET", "/webhooks", "", "X-API-Key", key); r.status != 401 || r.text != want {
			t.Errorf("%q: %d %s", key, r.status, r.text)
		}
	}
	if r := b.do("GET", "/v1/widgets", "", "x-api-key", b.creds.BuroKey); r.status != 401 {
		t.Errorf("Palenca took Buró's key: %d", r.status)
	}
	if r := b.do("GET", "/outbound_ips", "", "X-API-Key", ""); r.status != 200 {
		t.Errorf("outbound_ips without a key: %d", r.status)
	}
	for i, want := range []int{200, 200, 429} {
		r := b.ask("GET", "/webhooks", "")
		if r.status != want || r.header.Get("X-RateLimit-Limit") != "2" || r.header.Get("X-RateLimit-Reset") == "" {
			t.Errorf("call %d: %d %v", i, r.status, r.header)
		}
	}
	if r := b.do("GET", "/v1/widgets", ""); r.status != 200 {
		t.Errorf("the other vendor's limit is used up, too: %d", r.status)
	}
}

func TestBuroDailyLimitFollowsMexicoCity(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.t = time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC) // 17:00 in Mexico City
	b := open(t, Config{Now: c.now, Delay: time.Hour})
	b.consented(gata)
	b.consented(lale)
	try := func(identifier string) int {
		r := b.ask("POST", "/verifications", `{"identifier":"`+identifier+`"}`)
		if r.status == 429 && !strings.Contains(r.text, `"code":"daily_verification_limit_exceeded"`) {
			t.Error(r.text)
		}
		return r.status
	}
	if got := []int{try(gata), try(gata), try(gata)}; !slices.Equal(got, []int{202, 202, 202}) {
		t.Errorf("by default: %v", got)
	}
	b.set(`{"daily_limit":2}`)
	if got := []int{try(gata), try(gata), try(gata), try(lale)}; !slices.Equal(got, []int{202, 202, 429, 202}) {
		t.Errorf("limited: %v", got)
	}
	c.forward(2 * time.Hour) // the next day in UTC only
	if got := try(gata); got != 429 {
		t.Errorf("19:00 in Mexico City: %d", got)
	}
	c.forward(5*time.Hour + time.Minute)
	if got := try(gata); got != 202 {
		t.Errorf("after midnight in Mexico City: %d", got)
	}
}

func TestBuroConsentExpires(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, Delay: time.Hour})
	got := b.consented(gata)
	if want := c.now().AddDate(1, 0, 0).Add(6 * time.Hour); !got.ExpiresAt.Equal(want) {
		t.Errorf("expires %v, want %v", got.ExpiresAt, want)
	}
	c.t = got.ExpiresAt.Add(-time.Second)
	order := `{"identifier":"` + gata + `"}`
	if r := b.ask("POST", "/verifications", order); r.status != 202 {
		t.Errorf("in the last second: %d", r.status)
	}
	c.forward(time.Second)
	if r := b.ask("POST", "/verifications", order); r.status != 400 || !strings.Contains(r.text, "consent_required") {
		t.Errorf("expired: %d %s", r.status, r.text)
	}
}

func TestBuroRefusals(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Delay: time.Hour})
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/consents", `{"identifier":"` + gata + `","ip_address":"here","privacy_notice_url":"https://a.example"}`, 400, "ip_address"},
		{"POST", "/consents", `{"identifier":"` + gata + `","ip_address":"::1","privacy_notice_url":"a.example"}`, 400, "privacy_notice_url"},
		{"POST", "/consents", `{"identifier":7}`, 400, "validation_error"},
		{"POST", "/consents", `[`, 400, "validation_error"},
		{"POST", "/verifications", `{"identifier":"SHORT"}`, 400, "validation_error"},
		{"GET", "/verifications?items_per_page=101", "", 400, "items_per_page"},
		{"GET", "/consents?page=0", "", 400, "page"},
		{"GET", "/verifications?start_date=yesterday", "", 400, "start_date"},
		{"GET", "/profile/nobody", "", 400, "identifier"},
		{"GET", "/business-profile/MNT850612KR4", "", 404, "business_profile_not_found"},
		{"GET", "/employments/" + gata + "?start_date=x", "", 400, "start_date"},
		{"GET", "/employment-files/" + gata, "", 404, "employment_files_not_found"},
		{"GET", "/bulks/none", "", 404, "bulk_verification_not_found"},
		{"PATCH", "/webhooks/none", `{}`, 404, "webhook_not_found"},
		{"POST", "/webhooks", `{"description":"no url"}`, 400, "endpoint_url"},
		{"POST", "/webhooks", `{"endpoint_url":"https://a.example","events":["verification.other"]}`, 400, "events"},
		{"POST", "/webhooks", `{"endpoint_url":"https://a.example","authentication":{"type":"magic"}}`, 400, "authentication.type"},
		{"POST", "/webhooks", `{"endpoint_url":"https://a.example","authentication":{"type":"jwt"}}`, 400, "authentication.secret"},
		{"POST", "/webhooks", `{"endpoint_url":"https://a.example","authentication":{"type":"custom_headers","headers":{"a b":"c"}}}`, 400, "authentication.headers"},
		{"POST", "/webhooks", `{"endpoint_url":"https://a.example","authentication":{"type":"token_endpoint","url":"ftp://x"}}`, 400, "authentication.url"},
	} {
		r := b.ask(c.method, c.path, c.body)
		if r.status != c.status || !strings.Contains(r.text, `"`+c.code+`"`) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, r.status, r.text)
		}
	}
	if r := b.ask("POST", "/consents", `{"x":"`+strings.Repeat("y", maxBody)+`"}`); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", r.status)
	}
}

func TestBuroBulks(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, Delay: time.Minute})
	var made bulkJSON
	b.ask("POST", "/consents/bulk", `[{"identifier":"`+gata+`","ip_address":"::1","privacy_notice_url":"https://a.example"},{"identifier":"bad"},
		{"identifier":"`+lale+`","ip_address":"::1","privacy_notice_url":"https://a.example"}]`).into(t, 202, &made)
	if want := (bulkMetrics{Total: 3, Completed: 2, Failed: 1}); made.Metrics != want || made.Type != "consent" {
		t.Errorf("%+v", made)
	}
	b.ask("POST", "/verifications/bulk", `{"verifications":[{"identifier":"`+gata+`","external_id":"1"},{"identifier":"JITM910411HASMMR08"},{"identifier":"`+lale+`"}]}`).into(t, 202, &made)
	if want := (bulkMetrics{Total: 3, Failed: 1, InProgress: 2}); made.Metrics != want || made.Status != "in_progress" {
		t.Errorf("%+v", made)
	}
	b.ahead(c, time.Minute)
	b.await(2, "verification ended")
	b.ask("GET", "/bulks/"+made.BulkID, "").into(t, 200, &made)
	if want := (bulkMetrics{Total: 3, Completed: 2, Failed: 1}); made.Metrics != want || made.Status != "completed" || made.Type != "verification" {
		t.Errorf("%+v", made)
	}
	var items struct {
		Items []struct {
			Identifier, Status string
			Code               string `json:"status_code"`
			ID                 *string
		}
		Pagination pagination
	}
	b.ask("GET", "/bulks/"+made.BulkID+"/items?status=error", "").into(t, 200, &items)
	if len(items.Items) != 1 || items.Items[0].Code != "consent_required" || items.Items[0].ID != nil {
		t.Errorf("%+v", items)
	}
	b.ask("GET", "/bulks/"+made.BulkID+"/items?items_per_page=2&page=2", "").into(t, 200, &items)
	if len(items.Items) != 1 || items.Items[0].Identifier != lale || items.Pagination.TotalPages != 2 {
		t.Errorf("%+v", items)
	}
	b.ask("POST", "/verifications/bulk", `{"verifications":[{"identifier":"`+gata+`"}]}`).into(t, 202, &made)
	b.ask("DELETE", "/bulks/"+made.BulkID, "").into(t, 200, &made)
	if made.Status != "cancelled" || made.Metrics.Failed != 1 {
		t.Errorf("cancelled: %+v", made)
	}
	for _, body := range []string{`[]`, `{"verifications":[]}`} {
		if r := b.ask("POST", "/verifications/bulk", body); r.status != 400 {
			t.Errorf("%s: %d", body, r.status)
		}
	}
}

// Paths of this dialect hold CURPs; the log does not.
func TestBuroLogNamesNobody(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{}), receive(t, nil)
	b.register(r.URL+"/secret-token", `,"authentication":{"type":"jwt","secret":"hidden-secret"}`)
	b.found(gata)
	r.next(t)
	b.await(1, "webhook attempt", "state=delivered")
	for _, path := range []string{"/profile/", "/employments/", "/invoices/", "/nowhere/", "/verifications?identifier="} {
		b.ask("GET", path+gata, "")
	}
	for _, word := range []string{gata, "secret-token", "hidden-secret", b.creds.BuroKey, "ALFONSO"} {
		if strings.Contains(b.log.text(), word) {
			t.Errorf("%s is in the log", word)
		}
	}
	if !strings.Contains(b.log.text(), "/profile/{identifier}") {
		t.Error("no route pattern in the log")
	}
}
