package buro

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const hook = "https://cotejo.lender.example/hooks/hook-token"

func pointer[T any](v T) *T { return &v }

func TestCreateWebhook(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 7, 10, 19, 25, 45, 123456000, time.UTC)
	for _, status := range []int{200, 201} {
		v := newVendor(t, map[string]http.HandlerFunc{"POST /webhooks": say(status, file(t, "webhook.json"))})
		got, err := v.client(t).CreateWebhook(context.Background(), WebhookChange{Description: pointer("Cotejo"), URL: pointer(hook), Active: pointer(false)})
		want := Webhook{
			ID: "d1e2f3a4-b5c6-d7e8-f9a0-b1c2d3e4f5a6", URL: "https://webhook.site/0d4af195-9868-4f72-b5d0-c1173190a012",
			Description: "Production webhooks", Active: true, Secret: "ZxyWvUt987654321SecretKeyExample0", CreatedAt: at, UpdatedAt: at,
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, webhook (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff([]seen{{"POST /webhooks", `{"description":"Cotejo","endpoint_url":"` + hook + `"}`}}, v.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		hides(t, got, "ZxyWvUt", "0d4af195")
	}
}

// hides wants a value to keep its secrets however it is written.
func hides(t *testing.T, value any, secrets ...string) {
	t.Helper()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("v", "value", value)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("v", "value", value)
	for _, secret := range secrets {
		if text := fmt.Sprint(value) + log.String(); strings.Contains(text, secret) {
			t.Errorf("%q is shown: %s", secret, text)
		}
	}
}

// A creation whose answer has no secret would give deliveries that nobody can verify.
func TestCreatedWebhookNeedsIDAndSecret(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"id":"w-1","endpoint_url":"` + hook + `"}`, `{"secret_key":"x"}`, `{}`, `[]`} {
		v := newVendor(t, map[string]http.HandlerFunc{"*": say(201, body)})
		_, err := v.client(t).CreateWebhook(context.Background(), WebhookChange{URL: pointer(hook)})
		if e := typed(t, err); e.Code != CodeUnreadable || !e.Ambiguous || strings.Contains(e.Error(), "hook-token") {
			t.Errorf("%s: %+v", body, *e)
		}
	}
}

func TestUpdateWebhook(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"PATCH /webhooks/w-1": say(200, `{"is_active":true}`)})
	c := v.client(t)
	for _, ch := range []WebhookChange{{}, {Active: pointer(true)}, {URL: pointer(hook), Description: pointer("")}} {
		got, err := c.UpdateWebhook(context.Background(), "w-1", ch)
		if err != nil || got.ID != "w-1" || !got.Active {
			t.Errorf("%+v, %v", got, err)
		}
	}
	// What is not to change is not sent.
	want := []seen{
		{"PATCH /webhooks/w-1", `{}`}, {"PATCH /webhooks/w-1", `{"is_active":true}`},
		{"PATCH /webhooks/w-1", `{"description":"","endpoint_url":"` + hook + `"}`},
	}
	if diff := cmp.Diff(want, v.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAuthentications(t *testing.T) {
	t.Parallel()
	token := func(change func(*TokenEndpoint)) *Authentication {
		e := &TokenEndpoint{
			URL: "https://auth.lender.example/token", Method: "POST", ResponseKey: "access_token",
			Headers: map[string]Secret{"Accept": "application/json"},
			Body:    map[string]Secret{"client_id": "vendor", "client_secret": "s3cret-b", "grant_type": "client_credentials"},
		}
		change(e)
		return &Authentication{Token: e}
	}
	tests := []struct {
		name string
		auth *Authentication
		want string // "" for refused
	}{
		{"jwt", &Authentication{JWT: &JWT{Secret: "s3cret-a", Lifetime: time.Hour}}, `{"expiration_seconds":3600,"secret":"s3cret-a","type":"jwt"}`},
		{"custom headers", &Authentication{Headers: map[string]Secret{"X-Api-Key": "s3cret-c", "X-Client-Id": "us"}},
			`{"headers":{"X-Api-Key":"s3cret-c","X-Client-Id":"us"},"type":"custom_headers"}`},
		{"token endpoint", token(func(*TokenEndpoint) {}), `{"method":"POST","request_body":{"client_id":"vendor","client_secret":"s3cret-b",` +
			`"grant_type":"client_credentials"},"request_headers":{"Accept":"application/json"},"response_key":"access_token","type":"token_endpoint","url":"https://auth.lender.example/token"}`},
		{"nothing", &Authentication{}, ""},
		{"two at once", &Authentication{JWT: &JWT{Secret: "a", Lifetime: time.Hour}, Headers: map[string]Secret{"X-A": "b"}}, ""},
		{"jwt without a secret", &Authentication{JWT: &JWT{Lifetime: time.Hour}}, ""},
		{"jwt that is dead at once", &Authentication{JWT: &JWT{Secret: "a", Lifetime: time.Millisecond}}, ""},
		{"no headers", &Authentication{Headers: map[string]Secret{}}, ""},
		{"empty header", &Authentication{Headers: map[string]Secret{"X-A": " "}}, ""},
		{"header that adds another", &Authentication{Headers: map[string]Secret{"X-A": "b\r\nX-C: d"}}, ""},
		{"header name that adds another", &Authentication{Headers: map[string]Secret{"X-A: b\r\nX-C": "d"}}, ""},
		{"header that replaces the signature", &Authentication{Headers: map[string]Secret{"x-signature": "forged"}}, ""},
		{"token over plain http", token(func(e *TokenEndpoint) { e.URL = "http://auth.lender.example/token" }), ""},
		{"token with a password in the address", token(func(e *TokenEndpoint) { e.URL = "https://u:p@auth.lender.example" }), ""},
		{"token by an odd method", token(func(e *TokenEndpoint) { e.Method = "DELETE" }), ""},
		{"token without its key", token(func(e *TokenEndpoint) { e.ResponseKey = "" }), ""},
		{"token with a bad header", token(func(e *TokenEndpoint) { e.Headers["X A"] = "b" }), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{"PATCH /webhooks/w-1": say(200, `{"id":"w-1"}`)})
			_, err := v.client(t).UpdateWebhook(context.Background(), "w-1", WebhookChange{Authentication: tt.auth})
			for _, value := range []any{*tt.auth, tt.auth, WebhookChange{Authentication: tt.auth}} {
				hides(t, value, "s3cret")
			}
			if tt.want == "" {
				if e := typed(t, err); e.Code != CodeBadRequest || len(v.requests()) != 0 {
					t.Errorf("%+v, %d requests", *e, len(v.requests()))
				}
				return
			}
			if diff := cmp.Diff([]seen{{"PATCH /webhooks/w-1", `{"authentication":` + tt.want + `}`}}, v.requests()); diff != "" || err != nil {
				t.Errorf("%v, requests (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestSecretHidesItself(t *testing.T) {
	t.Parallel()
	s := struct{ Key Secret }{"s3cret"}
	marshalled, err := json.Marshal(s)
	if text := fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s.Key, s.Key) + string(marshalled); err != nil || strings.Contains(text, "s3cret") {
		t.Errorf("%s, %v", text, err)
	}
	if string(s.Key) != "s3cret" {
		t.Error("lost")
	}
}

func TestReadWebhooks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	one := file(t, "webhook.json")
	for body, n := range map[string]int{
		`[` + one + `,null,` + one + `]`: 2, `[]`: 0, `{"webhooks":[` + one + `]}`: 1,
		one: -1, `{"error":null}`: -1, `null`: -1, `"none"`: -1, `[{"id":{}}]`: -1, `[7]`: -1, ``: -1, `{"webhooks":{}}`: -1,
	} {
		list, err := asked(t, "/webhooks", 200, body).Webhooks(ctx)
		if n < 0 {
			typed(t, err)
		} else if err != nil || len(list) != n {
			t.Errorf("%s: %d webhooks, %v", body, len(list), err)
		}
	}
	for _, tt := range []struct {
		status int
		body   string
		ok     bool
	}{
		{204, ``, true}, {200, `{}`, true}, {404, refusal("webhook_not_found"), true}, {404, refusal("not_found"), true},
		{404, `<html>`, false}, {401, `{"error":"Unauthorized","message":"Invalid X-API-Key"}`, false},
	} {
		v := newVendor(t, map[string]http.HandlerFunc{"DELETE /webhooks/w-1": say(tt.status, tt.body)})
		if err := v.client(t).DeleteWebhook(ctx, "w-1"); (err == nil) != tt.ok {
			t.Errorf("%d %s: %v", tt.status, tt.body, err)
		}
	}
}

func TestOutboundIPs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[{"ip_address":"203.0.113.7"},{"ip_address":"198.51.100.9"}]`:                                           "198.51.100.9/32 203.0.113.7/32",
		`[{"ip_address":"203.0.113.7"},{"ip_address":" 203.0.113.7 "},{"ip_address":"::ffff:203.0.113.7"},null]`: "203.0.113.7/32",
		`[{"ip_address":"203.0.113.77/24"},{"ip_address":"2001:db8::1"},"192.0.2.1"]`:                            "192.0.2.1/32 203.0.113.0/24 2001:db8::1/128",
		`{"outbound_ips":[{"ip_address":"203.0.113.7"}]}`:                                                        "203.0.113.7/32",
		`[]`: "", `null`: "", `{}`: "", `[{"ip_address":"string"}]`: "", `[{"ip_address":null}]`: "", `[{}]`: "", `[7]`: "",
		`[{"ip_address":"0.0.0.0/0"}]`: "", `[{"ip_address":"10.0.0.0/8"}]`: "", `[{"ip_address":"::/0"}]`: "", `[{"ip_address":"0.0.0.0"}]`: "",
		`[{"ip_address":"::ffff:0.0.0.0/96"}]`: "", `[{"ip_address":"fe80::1%eth0"}]`: "", `[{"ip_address":"203.0.113.7"},{"ip_address":"300.1.1.1"}]`: "",
	} {
		got, err := asked(t, "/outbound_ips", 200, body).OutboundIPs(context.Background())
		if want == "" {
			if e := typed(t, err); got != nil || e.Code != CodeUnreadable && e.Code != "unreadable_address" {
				t.Errorf("%s: %v, %+v", body, got, *e)
			}
			continue
		}
		var prefixes []netip.Prefix
		for _, s := range strings.Fields(want) {
			prefixes = append(prefixes, netip.MustParsePrefix(s))
		}
		if fmt.Sprint(got) != fmt.Sprint(prefixes) || err != nil {
			t.Errorf("%s: %v, %v, want %v", body, got, err, prefixes)
		}
	}
}
