package palenca

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hook = "https://cotejo.lender.example/hooks/secret-token"

func TestCreateWebhook(t *testing.T) {
	t.Parallel()
	answer := `{"success":true,"error":null,"data":{"webhook_id":"w-1","url":"` + hook + `","name":"Cotejo","connect_flow_id":"` + someWidget + `",
	  "is_sandbox":true,"is_active":true,"sign_request":true,"private_key":"c2VjcmV0"}}`
	v := newVendor(t, map[string]http.HandlerFunc{"POST /v1/webhooks": say(201, answer)})
	got, err := v.client(t).CreateWebhook(context.Background(), Webhook{URL: hook, Name: "Cotejo", Sandbox: true, Sign: true})
	if err != nil {
		t.Fatal(err)
	}
	want := Webhook{ID: "w-1", URL: hook, Name: "Cotejo", WidgetID: someWidget, Sandbox: true, Active: true, Sign: true, Secret: "c2VjcmV0", Events: LoginEvents}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("webhook (-want +got):\n%s", diff)
	}
	body := `{"url":"` + hook + `","name":"Cotejo","widget_id":"` + someWidget + `","is_sandbox":true,"sign_request":true,` +
		`"events":["login.created","login.success","login.incomplete","login.error"]}`
	if diff := cmp.Diff([]seen{{"POST", "/v1/webhooks", body}}, v.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("registered", "webhook", got)
	if s := log.String(); strings.Contains(s, "secret-token") || strings.Contains(s, "c2VjcmV0") || !strings.Contains(s, "w-1") {
		t.Errorf("log line: %s", s)
	}
}

func TestUpdateWebhookAlwaysSendsEvents(t *testing.T) {
	t.Parallel()
	// The vendor defaults a missing list to ["*"], on an update too.
	v := newVendor(t, map[string]http.HandlerFunc{"PUT /v1/webhooks/w-1": say(200, `{"success":true,"data":{}}`)})
	c := v.client(t)
	for _, events := range [][]string{nil, {"login.error"}} {
		got, err := c.UpdateWebhook(context.Background(), Webhook{ID: "w-1", URL: hook, Name: "n", WidgetID: "other", Events: events})
		if err != nil || got.ID != "w-1" {
			t.Fatalf("%+v %v", got, err)
		}
	}
	body := func(events string) string {
		return `{"url":"` + hook + `","name":"n","widget_id":"other","is_sandbox":false,"sign_request":false,"is_active":false,"events":` + events + `}`
	}
	want := []seen{
		{"PUT", "/v1/webhooks/w-1", body(`["login.created","login.success","login.incomplete","login.error"]`)},
		{"PUT", "/v1/webhooks/w-1", body(`["login.error"]`)},
	}
	if diff := cmp.Diff(want, v.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestCreatedWebhookNeedsAnID(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"*": say(200, `{"success":true,"data":{"url":"`+hook+`"}}`)})
	_, err := v.client(t).CreateWebhook(context.Background(), Webhook{URL: hook})
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeUnreadable || !e.Ambiguous || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("got %v", err)
	}
}

func TestDeleteWebhook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		ok     bool
	}{
		{"deleted", 200, `{"success":true,"data":null}`, true},
		{"deleted without a word", 204, ``, true},
		{"already gone", 404, envelope("not_found"), true},
		{"a stranger's 404", 404, `<html>`, false},
		{"refused", 403, envelope("forbidden"), false},
	}
	for _, tt := range tests {
		v := newVendor(t, map[string]http.HandlerFunc{"DELETE /v1/webhooks/w-1": say(tt.status, tt.body)})
		if err := v.client(t).DeleteWebhook(context.Background(), "w-1"); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		n          int
		ok         bool
	}{
		{"under its name", `{"NAME":[{"id":"1","name":"a","is_sandbox":true},{"webhook_id":"2","widget_id":"2"}]}`, 2, true},
		{"bare list", `[{"id":"1","is_sandbox":null}]`, 1, true},
		{"empty", `{"NAME":[]}`, 0, true},
		{"null", `null`, 0, true},
		{"something else", `{"items":[]}`, 0, false},
		{"a string", `"none"`, 0, false},
		{"a bad item", `[{"id":{}}]`, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer := func(name string) http.HandlerFunc {
				return say(200, `{"success":true,"data":`+strings.ReplaceAll(tt.data, "NAME", name)+`}`)
			}
			c := newVendor(t, map[string]http.HandlerFunc{"GET /v1/webhooks": answer("webhooks"), "GET /v1/widgets": answer("widgets")}).client(t)
			hooks, err := c.Webhooks(context.Background())
			widgets, widgetsErr := c.Widgets(context.Background())
			if (err == nil) != tt.ok || (widgetsErr == nil) != tt.ok {
				t.Fatalf("webhooks: %v, widgets: %v", err, widgetsErr)
			}
			if tt.ok && (len(hooks) != tt.n || len(widgets) != tt.n) {
				t.Fatalf("%d webhooks, %d widgets, want %d", len(hooks), len(widgets), tt.n)
			}
			for i := range tt.n {
				if hooks[i].ID == "" || widgets[i].ID == "" {
					t.Errorf("an id was not read: %+v %+v", hooks[i], widgets[i])
				}
			}
		})
	}
}
