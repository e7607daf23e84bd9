package palenca

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func TestParseEventGolden(t *testing.T) {
	t.Parallel()
	base := webhook.Event{Dialect: lookup.Palenca, AccountID: someAccount, UserID: someUser, Platform: "imss"}
	created, success := base, base
	created.Action, created.Report = "login.created", lookup.Report{Phase: lookup.PhaseOpened, Detail: "pending_for_data"}
	created.Key = `["palenca","` + someAccount + `","login.created","pending_for_data"]`
	success.Action, success.Report = "login.success", lookup.Report{Phase: lookup.PhaseSucceeded}
	success.Key = `["palenca","` + someAccount + `","login.success",null]`
	tests := []struct {
		file string
		want webhook.Event
	}{
		{"event_created.json", created},
		{"event_success.json", success},
		{"event_flat.json", webhook.Event{
			Dialect: lookup.Palenca, Action: "account.created", AccountID: "d86efb5b-4bbf-4f28-8576-9612430bc5e2",
			UserID: "f2a6d844-22ee-455d-9d2c-deb413d78b74", Platform: "uber", Report: lookup.Report{Phase: lookup.PhaseUnknown},
			Key: `["palenca","d86efb5b-4bbf-4f28-8576-9612430bc5e2","account.created",null]`,
		}},
	}
	for _, tt := range tests {
		got, err := ParseEvent([]byte(file(t, tt.file)))
		if err != nil {
			t.Fatalf("%s: %v", tt.file, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}

func TestPhases(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action, details string
		want            lookup.Report
	}{
		{"login.created", `"pending_for_data"`, lookup.Report{Phase: lookup.PhaseOpened, Detail: "pending_for_data"}},
		{"login.success", `null`, lookup.Report{Phase: lookup.PhaseSucceeded}},
		{"login.success", `"None"`, lookup.Report{Phase: lookup.PhaseSucceeded}},
		{"login.success", `""`, lookup.Report{Phase: lookup.PhaseSucceeded}},
		{"login.incomplete", `"curp_has_inconsistencies"`, lookup.Report{Phase: lookup.PhaseIncomplete, Detail: "curp_has_inconsistencies"}},
		{"login.error", `"service_degradation"`, lookup.Report{Phase: lookup.PhaseFailed, Detail: "service_degradation"}},
		{"login.error", `"never_seen_before"`, lookup.Report{Phase: lookup.PhaseFailed, Detail: "never_seen_before"}},
		{"login.error", `"failed_refresh"`, lookup.Report{Phase: lookup.PhaseRefreshFailed, Detail: "failed_refresh"}},
		{"login.failed_refresh", `null`, lookup.Report{Phase: lookup.PhaseRefreshFailed}},
		{"login.retry", `null`, lookup.Report{Phase: lookup.PhaseUnknown}},
		{"employment.updated", `null`, lookup.Report{Phase: lookup.PhaseUnknown}},
		{"Login.Success", `null`, lookup.Report{Phase: lookup.PhaseUnknown}},
		{"login.archived", `7`, lookup.Report{Phase: lookup.PhaseUnknown, Detail: "7"}},
	}
	for _, tt := range tests {
		body := `{"data":{"account_id":"` + someAccount + `","webhook_action":"` + tt.action + `","status_details":` + tt.details + `}}`
		e, err := ParseEvent([]byte(body))
		if err != nil || e.Report != tt.want || e.Action != tt.action {
			t.Errorf("%s %s: %+v %v", tt.action, tt.details, e.Report, err)
		}
	}
}

func TestExternalID(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`"` + someAttempt + `"`: someAttempt, `"` + strings.ToUpper(someAttempt) + `"`: someAttempt,
		`"None"`: "", `null`: "", `""`: "", `"crédito-77"`: "", `123`: "", `"{` + someAttempt + `}"`: "",
	} {
		e, err := ParseEvent([]byte(`{"data":{"account_id":"a","webhook_action":"login.success","external_id":` + given + `}}`))
		if err != nil || e.ExternalID != want {
			t.Errorf("%s: %q %v", given, e.ExternalID, err)
		}
	}
}

func TestSameFactSameKey(t *testing.T) {
	t.Parallel()
	key := func(body string) string {
		t.Helper()
		e, err := ParseEvent([]byte(body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return e.Key
	}
	want := key(`{"data":{"account_id":"a","webhook_action":"login.success","status_details":null}}`)
	for _, same := range []string{
		`{"webhook_url":"https://x","data":{"webhook_action":"login.success","account_id":"a","status_details":"None","webhook_id":"w","country":"mx"}}`,
		`{"account_id":"a","webhook_action":"login.success"}`,
		`{"data":null,"account_id":"a","webhook_action":"login.success","status_details":""}`,
	} {
		if got := key(same); got != want {
			t.Errorf("%s: key %s, want %s", same, got, want)
		}
	}
	for _, other := range []string{
		`{"account_id":"A","webhook_action":"login.success"}`, // ids as given: two cases may be two accounts
		`{"account_id":"a","webhook_action":"login.success","status_details":"null"}`,
		`{"account_id":"a\",\"login.success","webhook_action":"login.success"}`,
		`{"account_id":"a","webhook_action":"login.created"}`,
		`{"user_id":"a","webhook_action":"user.created"}`,
	} {
		if got := key(other); got == want {
			t.Errorf("%s has the key of another fact", other)
		}
	}
	if key(`{"user_id":"a","webhook_action":"user.created"}`) == key(`{"user_id":"b","webhook_action":"user.created"}`) {
		t.Error("two users share a key")
	}
}

func TestUnreadableEvents(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"nothing":           ``,
		"not JSON":          `webhook_action=login.success`,
		"half":              file(t, "event_created.json")[:80],
		"two":               `{"account_id":"a","webhook_action":"login.success"}{}`,
		"a list":            `[{"account_id":"a","webhook_action":"login.success"}]`,
		"null":              `null`,
		"no action":         `{"data":{"account_id":"a"}}`,
		"action None":       `{"data":{"account_id":"a","webhook_action":"None"}}`,
		"action is a list":  `{"data":{"account_id":"a","webhook_action":["login.success"]}}`,
		"no account":        `{"data":{"account_id":null,"webhook_action":"login.success"}}`,
		"account an object": `{"data":{"account_id":{},"webhook_action":"login.success"}}`,
		"wrapper wins":      `{"data":{},"account_id":"a","webhook_action":"login.success"}`,
		"long action":       `{"data":{"account_id":"a","webhook_action":"` + strings.Repeat("x", longest+1) + `"}}`,
		"deep":              strings.Repeat(`{"data":`, 100_000) + `1` + strings.Repeat(`}`, 100_000),
		"deep list":         `{"data":{"webhook_action":` + strings.Repeat(`[`, 200_000) + `}}`,
		"huge":              `{"account_id":"a","webhook_action":"login.success"}` + strings.Repeat(" ", webhook.MaxBody),
	}
	for name, body := range tests {
		if e, err := ParseEvent([]byte(body)); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	for _, name := range []string{"event_created.json", "event_success.json", "event_flat.json"} {
		f.Add([]byte(file(f, name)))
	}
	f.Add([]byte(`{"data":"None","webhook_action":7,"account_id":true,"status_details":"a\u0000b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := ParseEvent(body)
		if err != nil {
			if !errors.Is(err, ErrUnreadable) || !cmp.Equal(e, webhook.Event{}) {
				t.Fatalf("%+v, %v", e, err)
			}
			return
		}
		for _, s := range []string{e.Action, e.AccountID, e.UserID, e.ExternalID, e.Platform, e.Report.Detail, e.Key} {
			if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
				t.Fatalf("PostgreSQL would refuse %q", s)
			}
		}
		var parts []any
		if json.Unmarshal([]byte(e.Key), &parts) != nil || len(parts) != 4 {
			t.Fatalf("key %q", e.Key)
		}
	})
}
