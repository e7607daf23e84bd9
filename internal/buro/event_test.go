package buro

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func TestParseEventGolden(t *testing.T) {
	t.Parallel()
	event := func(id string, r lookup.Report, entities []lookup.Entity, key string) webhook.Event {
		return webhook.Event{Dialect: lookup.Buro, Action: "verification.completed", AccountID: id, Report: r, Entities: entities, Dated: true,
			Key: `["buro","` + id + `","verification.completed","completed",` + key + `]`}
	}
	done := lookup.Report{Phase: lookup.PhaseSucceeded}
	const page = "OICE940722HGFRST08"
	tests := []struct {
		file  string
		want  webhook.Event
		facts Facts
	}{
		{"event_full.json", event("bd830637-ea6e-4888-80ab-a09f01fc9209", done, []lookup.Entity{"profile", "invoices", "employment", "employment_files"},
			`true,false,["employment","employment_files","invoices","profile"],"2025-04-29T10:37:25Z"`),
			Facts{Status: "completed", Entities: []string{"profile", "invoices", "employment", "employment_files"}, DataAvailable: true,
				Identifier: page, UpdatedAt: "2025-04-29T10:37:25Z"}},
		{"event_partial.json", event("bd830637-ea6e-4888-80ab-a09f01fc9217", done, []lookup.Entity{"profile"}, `true,false,["profile"],"2025-04-29T10:38:25Z"`),
			Facts{Status: "completed", Entities: []string{"profile"}, DataAvailable: true, Identifier: page, UpdatedAt: "2025-04-29T10:38:25Z"}},
		{"event_no_data.json", event("bd830637-ea6e-4888-80ab-a09f01fc9211", lookup.Report{Phase: lookup.PhaseSucceeded, Detail: "no_data"}, []lookup.Entity{},
			`false,false,[],"2025-04-29T10:32:15Z"`),
			Facts{Status: "completed", Identifier: page, UpdatedAt: "2025-04-29T10:32:15Z"}},
		{"event_error.json", event("bd830637-ea6e-4888-80ab-a09f01fc9212",
			lookup.Report{Phase: lookup.PhaseFailed, Detail: "verification_error_can_retry"}, nil, `false,true,[],"2025-04-29T10:33:15Z"`),
			Facts{Status: "completed", CanRetry: true, Identifier: page, UpdatedAt: "2025-04-29T10:33:15Z"}},
		// Nine decimals, the zeros at the end included, stay as they were received.
		{"event_signed.json", event(someID, done, []lookup.Entity{"profile", "employment", "employment_files"}, `true,false,["employment","employment_files","profile"],"2025-09-01T20:06:39.976067400Z"`),
			Facts{Status: "completed", Entities: []string{"profile", "employment", "employment_files"}, DataAvailable: true,
				Identifier: "CERC660204HMCLCR09", UpdatedAt: "2025-09-01T20:06:39.976067400Z"}},
	}
	for _, tt := range tests {
		got, facts, err := ParseEvent([]byte(file(t, tt.file)))
		if err != nil {
			t.Fatalf("%s: %v", tt.file, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
		if diff := cmp.Diff(tt.facts, facts); diff != "" {
			t.Errorf("%s, facts (-want +got):\n%s", tt.file, diff)
		}
		if strings.Contains(got.Key, facts.Identifier) {
			t.Errorf("%s: the key holds the person", tt.file)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("event", "facts", facts)
		if strings.Contains(log.String(), facts.Identifier) {
			t.Errorf("%s: the log line holds the person: %s", tt.file, log.String())
		}
	}
}

func TestPhases(t *testing.T) {
	t.Parallel()
	succeeded, noData := lookup.Report{Phase: lookup.PhaseSucceeded}, lookup.Report{Phase: lookup.PhaseSucceeded, Detail: DetailNoData}
	retry := lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailRetry}
	unknown := lookup.Report{Phase: lookup.PhaseUnknown}
	tests := []struct {
		name, event, rest string
		want              lookup.Report
	}{
		{"in progress", EventCompleted, `"status":"in_progress"`, lookup.Report{Phase: lookup.PhaseOpened}},
		{"historical", EventHistorical, `"status":"completed","data_available":true`, succeeded},
		{"historical without data", EventHistorical, `"status":"completed","data_available":false`, noData},
		{"older page: no can_retry", EventCompleted, `"status":"completed","data_available":false,"entities":[]`, noData},
		{"failed", EventCompleted, `"status":"failed","can_retry":false`, lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailError}},
		{"failed, may be retried", EventCompleted, `"status":"failed","can_retry":true`, retry},
		{"data and can_retry", EventCompleted, `"status":"completed","data_available":true,"can_retry":true`, succeeded},
		{"entities against the flag", EventCompleted, `"status":"completed","data_available":false,"entities":["profile"]`, succeeded},
		{"flags as text", EventCompleted, `"status":"completed","data_available":"False","can_retry":"True"`, retry},
		{"flags as numbers", EventCompleted, `"status":"completed","data_available":0,"can_retry":1`, retry},
		{"flags spelled None", EventCompleted, `"status":"completed","data_available":"None","can_retry":"None","entities":"None"`, succeeded},
		{"only an error", EventCompleted, `"status":"completed","can_retry":true`, retry},
		{"nothing but the name", EventCompleted, `"x":1`, succeeded},
		{"unknown status", EventCompleted, `"status":"paused","data_available":true`, unknown},
		{"unknown event", "verification.expired", `"status":"completed","data_available":true`, unknown},
		{"event of the other vendor", "login.success", `"status":"completed"`, unknown},
		{"other case", "Verification.Completed", `"status":"completed","data_available":true`, unknown},
		{"unknown entity", EventCompleted, `"status":"completed","data_available":true,"entities":["tax_returns",null,"profile","profile"]`, succeeded},
	}
	for _, tt := range tests {
		body := `{"event":"` + tt.event + `","verification_id":"` + someID + `",` + tt.rest + `}`
		e, f, err := ParseEvent([]byte(body))
		if err != nil || e.Report != tt.want || e.Action != tt.event || f.Deprecated != (tt.event == EventHistorical) {
			t.Errorf("%s: %+v %+v %v", tt.name, e.Report, f, err)
		}
		if tt.name == "unknown entity" && (!cmp.Equal(f.Entities, []string{"tax_returns", "profile"}) || !cmp.Equal(e.Entities, []lookup.Entity{"tax_returns", "profile"})) {
			t.Errorf("entities %q, %q", f.Entities, e.Entities)
		}
		// What is not said is asked for; what is said to be nothing is not.
		if none := e.Entities != nil && len(e.Entities) == 0; none != (e.Report == noData) || e.Deprecated != f.Deprecated || e.Dated {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
}

func TestExternalID(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`"` + someAttempt + `"`: someAttempt, `"` + strings.ToUpper(someAttempt) + `"`: someAttempt,
		`"None"`: "", `null`: "", `""`: "", `"crédito-77"`: "", `123`: "", `"{` + someAttempt + `}"`: "",
	} {
		e, _, err := ParseEvent([]byte(`{"event":"verification.completed","verification_id":"a","external_id":` + given + `}`))
		if err != nil || e.ExternalID != want {
			t.Errorf("%s: %q %v", given, e.ExternalID, err)
		}
	}
}

func TestSameFactSameKey(t *testing.T) {
	t.Parallel()
	key := func(body string) string {
		t.Helper()
		e, _, err := ParseEvent([]byte(body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return e.Key
	}
	body := func(rest string) string {
		return `{"event":"verification.completed","verification_id":"a","status":"completed","last_updated_at":"t1"` + rest + `}`
	}
	want := key(body(`,"data_available":true,"can_retry":false,"entities":["a","b"]`))
	for _, same := range []string{
		body(`,"entities":["b","a","b"],"can_retry":false,"data_available":true`),
		body(`,"data_available":"true","can_retry":0,"entities":["a","b","None"],"timestamp":"later","external_id":"x","identifier":"y"`),
	} {
		if got := key(same); got != want {
			t.Errorf("%s: key %s, want %s", same, got, want)
		}
	}
	for _, other := range []string{
		body(`,"data_available":true,"can_retry":false,"entities":["a"]`),
		body(`,"data_available":true,"can_retry":true,"entities":["a","b"]`),
		body(`,"data_available":true,"entities":["a","b"]`),
		body(`,"data_available":true,"can_retry":false,"entities":["a\",\"b"]`),
		strings.Replace(body(`,"data_available":true,"can_retry":false,"entities":["a","b"]`), "t1", "t1.000", 1), // as text
		strings.Replace(body(`,"data_available":true,"can_retry":false,"entities":["a","b"]`), "completed\",\"v", "historical\",\"v", 1),
	} {
		if got := key(other); got == want {
			t.Errorf("%s has the key of another fact", other)
		}
	}
	if key(`{"event":"webhook.disabled","at":1}`) == key(`{"event":"webhook.disabled","at":2}`) {
		t.Error("two events without a verification share a key")
	}
}

func TestUnreadableEvents(t *testing.T) {
	t.Parallel()
	many := strings.TrimSuffix(strings.Repeat(`"e",`, mostEntities+1), ",")
	tests := map[string]string{
		"nothing":              ``,
		"not JSON":             `event=verification.completed`,
		"half":                 file(t, "event_full.json")[:80],
		"two":                  `{"event":"verification.completed","verification_id":"a"}{}`,
		"a list":               `[{"event":"verification.completed","verification_id":"a"}]`,
		"null":                 `null`,
		"no event":             `{"verification_id":"a"}`,
		"event None":           `{"event":"None","verification_id":"a"}`,
		"event is a list":      `{"event":["verification.completed"],"verification_id":"a"}`,
		"no verification":      `{"event":"verification.completed","verification_id":null}`,
		"verification object":  `{"event":"verification.completed","verification_id":{}}`,
		"flag that is none":    `{"event":"verification.completed","verification_id":"a","data_available":"perhaps"}`,
		"entities a word":      `{"event":"verification.completed","verification_id":"a","entities":"profile"}`,
		"entities nested":      `{"event":"verification.completed","verification_id":"a","entities":[["profile"]]}`,
		"entities without end": `{"event":"verification.completed","verification_id":"a","entities":[` + many + `]}`,
		"long event":           `{"event":"` + strings.Repeat("x", longest+1) + `"}`,
		"long entity":          `{"event":"verification.completed","verification_id":"a","entities":["` + strings.Repeat("x", longest+1) + `"]}`,
		"deep":                 strings.Repeat(`{"event":`, 100_000) + `1` + strings.Repeat(`}`, 100_000),
		"deep list":            `{"event":` + strings.Repeat(`[`, 200_000) + `}`,
		"huge":                 `{"event":"verification.completed","verification_id":"a"}` + strings.Repeat(" ", webhook.MaxBody),
	}
	for name, body := range tests {
		if e, f, err := ParseEvent([]byte(body)); !errors.Is(err, ErrUnreadable) || !cmp.Equal(f, Facts{}) {
			t.Errorf("%s: %+v, %+v, %v", name, e, f, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	for _, name := range []string{"event_full.json", "event_no_data.json", "event_error.json", "event_signed.json"} {
		f.Add([]byte(file(f, name)))
	}
	f.Add([]byte(`{"event":7,"verification_id":true,"status":"a\u0000b","entities":{"a":1},"can_retry":"None"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, facts, err := ParseEvent(body)
		if err != nil {
			if !errors.Is(err, ErrUnreadable) || !cmp.Equal(e, webhook.Event{}) {
				t.Fatalf("%+v, %v", e, err)
			}
			return
		}
		for _, s := range append([]string{e.Action, e.AccountID, e.ExternalID, e.Report.Detail, e.Key, facts.Status, facts.Identifier, facts.UpdatedAt}, facts.Entities...) {
			if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
				t.Fatalf("PostgreSQL would refuse %q", s)
			}
		}
		var parts []any
		if json.Unmarshal([]byte(e.Key), &parts) != nil || len(parts) != 8 {
			t.Fatalf("key %q", e.Key)
		}
	})
}
