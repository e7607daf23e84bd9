package buro

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"cotejo/internal/lookup"
)

const (
	someCURP    = "CUAI911021MOCRQS09"
	someRFC     = "CUAI911021Q11"
	someKey     = "bdi_0b8f7d7e000040008000"
	someID      = "019906e3-0a7a-71bc-a81c-14d2d8dbef9d"
	someAttempt = "0199de73-0000-7b56-a1ef-ca91b6bdb001"
)

// seen is one request as a fake vendor received it.
type seen struct {
	Request string // method, path and query
	Body    string
}

// vendor is a server that answers by "METHOD /path" and remembers what it was asked.
type vendor struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func newVendor(t testing.TB, answers map[string]http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		v.mu.Lock()
		v.seen = append(v.seen, seen{r.Method + " " + r.URL.RequestURI(), string(body)})
		v.mu.Unlock()
		if got := r.Header.Get("X-API-Key"); got != someKey {
			t.Errorf("X-API-Key = %q", got)
		}
		if _, sent := r.Header["X-Sandbox"]; sent {
			t.Error("x-sandbox was sent although nobody asked for it")
		}
		if len(body) > 0 && (r.Header.Get("Content-Type") != "application/json" || !json.Valid(body)) {
			t.Errorf("%s: not sent as JSON", r.Method)
		}
		h := answers[r.Method+" "+r.URL.Path]
		if h == nil {
			h = answers["*"]
		}
		if h == nil {
			t.Errorf("unexpected %s %s", r.Method, r.URL.Path)
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) requests() []seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]seen(nil), v.seen...)
}

// client makes a sandbox client for v; change may alter its options.
func (v *vendor) client(t testing.TB, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{BaseURL: v.URL, Environment: lookup.Sandbox, Key: someKey, HTTP: v.Client()}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// say answers with a status and a body.
func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "req-1")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// refusal is the vendor's body for a refusal; its message quotes what no error of ours may repeat.
func refusal(code string) string {
	return `{"error":{"code":"` + code + `","message":"about ` + someCURP + `","details":{"identifier":"` + someCURP + `"}}}`
}

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// typed wants an *Error whose text, printed in every way, repeats nothing of a request or an answer.
func typed(t testing.TB, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want *Error", err)
	}
	for _, secret := range []string{someCURP, strings.ToLower(someCURP), someRFC, someKey, "://", "?", "/verifications", "127.0.0.1"} {
		if text := fmt.Sprintf("%v %+v %#v", err, *e, *e); strings.Contains(text, secret) {
			t.Errorf("error repeats %q: %s", secret, text)
		}
	}
	return e
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Options{BaseURL: "http://127.0.0.1:8090", Environment: lookup.Sandbox, Key: someKey}
	live := func(o *Options) { o.BaseURL, o.Environment = "https://api.burodeingresos.com/", lookup.Production }
	tests := []struct {
		name   string
		change func(*Options)
		ok     bool
	}{
		{"our sandbox", func(*Options) {}, true},
		{"production", live, true},
		{"a lender's relay", func(o *Options) { o.BaseURL = "https://relay.lender.example/buro" }, true},
		{"sandbox header, live host", func(o *Options) { live(o); o.Environment, o.SandboxHeader = lookup.Sandbox, true }, true},
		{"sandbox header on a live connection", func(o *Options) { live(o); o.SandboxHeader = true }, false},
		{"sandbox key, live host", func(o *Options) { live(o); o.Environment = lookup.Sandbox }, false},
		{"sandbox key, live host with a dot", func(o *Options) { o.BaseURL = "https://API.burodeingresos.com.:443" }, false},
		{"the other vendor's live host", func(o *Options) { live(o); o.BaseURL = "https://api.palenca.com/v1" }, false},
		{"the other vendor's sandbox", func(o *Options) { o.BaseURL = "https://sandbox.palenca.com" }, false},
		{"no environment", func(o *Options) { o.Environment = "" }, false},
		{"live key, this machine", func(o *Options) { o.Environment = lookup.Production }, false},
		{"plain http", func(o *Options) { o.BaseURL = "http://relay.lender.example" }, false},
		{"password in the address", func(o *Options) { o.BaseURL = "https://u:p@relay.lender.example" }, false},
		{"no address", func(o *Options) { o.BaseURL = "" }, false},
		{"no key", func(o *Options) { o.Key = "" }, false},
		{"key with a line break", func(o *Options) { o.Key = someKey + "\r\nX-Evil: 1" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := good
			tt.change(&o)
			_, err := New(o)
			if (err == nil) != tt.ok {
				t.Fatalf("New: %v", err)
			}
			if err != nil && o.Key != "" && strings.Contains(err.Error(), o.Key) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
}

func TestSandboxHeader(t *testing.T) {
	t.Parallel()
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("x-sandbox")
		say(200, `[]`)(w, r)
	}))
	t.Cleanup(s.Close)
	c, err := New(Options{BaseURL: s.URL, Environment: lookup.Sandbox, Key: someKey, SandboxHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Webhooks(context.Background()); err != nil || got != "true" {
		t.Errorf("x-sandbox = %q, %v", got, err)
	}
}

func TestOwnTransport(t *testing.T) {
	t.Parallel()
	// Without an HTTP client the package brings its own, and leaves a caller's untouched.
	v := newVendor(t, map[string]http.HandlerFunc{"GET /webhooks": say(200, `[]`)})
	own := v.client(t, func(o *Options) { o.HTTP = nil })
	if _, err := own.Webhooks(context.Background()); err != nil {
		t.Fatal(err)
	}
	if transport().TLSClientConfig.MinVersion < tls.VersionTLS12 || transport().TLSClientConfig.InsecureSkipVerify {
		t.Error("own transport takes old or unverified TLS")
	}
	if own.http.Timeout != timeout || own.http.CheckRedirect == nil {
		t.Error("own client has no time-out or follows redirects")
	}
	theirs := &http.Client{}
	if c := v.client(t, func(o *Options) { o.HTTP = theirs }); c.http == theirs || theirs.CheckRedirect != nil || c.http.Timeout != timeout {
		t.Error("the caller's client was altered")
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for identifier, want := range map[string]string{
		someCURP: someCURP, someRFC: someRFC, "NAN1105241B4": "NAN1105241B4",
		"OICE940722HGFRST08": "OICE940722HGFRST08", // of the vendor's own page: the state does not exist
		"Ñ&A110524AB1":       "%C3%91&A110524AB1",  // a company's RFC may have both
		"":                   "", "CUAI": "", strings.ToLower(someCURP): "", someCURP + "X": "", "CUAI911021MOCRQ/09": "",
		"../../webhooks/1234": "", "CUAI911021MOCR 09X": "", "CUAI911021MOCRQS0\x00": "", "12345678901234": "",
	} {
		got, err := person("test", identifier)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("person(%q) = %q, %v", identifier, got, err)
		}
		if err != nil {
			typed(t, err)
		}
	}
	for id, want := range map[string]bool{
		someID: true, "w-1": true, "": false, "..": false, "a/b": false, "a?b": false, someCURP: false, strings.ToLower(someRFC): false,
		someCURP[:12]: false, strings.Repeat("a", 65): false, "bad08306-ea6e-4888-80ab-a09f01fc9209": true,
	} {
		if usableID(id) != want {
			t.Errorf("usableID(%q) = %v", id, !want)
		}
	}
}

// Every method refuses what may not stand in a path before anything is sent.
func TestNothingIsSentForBadIDs(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := v.client(t)
	ctx := context.Background()
	const bad, badID = "CUAI911021/../09", "../users"
	calls := map[string]func() error{
		"create consent":      func() error { _, err := c.CreateConsent(ctx, bad, "127.0.0.1", "https://x.example"); return err },
		"create verification": func() error { _, err := c.CreateVerification(ctx, bad, someAttempt); return err },
		"verifications":       func() error { _, err := c.Verifications(ctx, bad); return err },
		"find":                func() error { _, _, err := c.FindByExternalID(ctx, bad, someAttempt); return err },
		"find nothing":        func() error { _, _, err := c.FindByExternalID(ctx, someCURP, "None"); return err },
		"profile":             func() error { _, _, _, err := c.Profile(ctx, bad); return err },
		"employment":          func() error { _, _, _, err := c.Employment(ctx, bad); return err },
		"invoices":            func() error { _, _, err := c.Invoices(ctx, bad); return err },
		"earnings":            func() error { _, _, _, err := c.Earnings(ctx, bad); return err },
		"files":               func() error { _, _, err := c.EmploymentFiles(ctx, bad); return err },
		"business":            func() error { _, _, err := c.BusinessProfile(ctx, bad); return err },
		"verification":        func() error { _, err := c.Verification(ctx, badID); return err },
		"a person as id":      func() error { _, err := c.Verification(ctx, someCURP); return err },
		"update webhook":      func() error { _, err := c.UpdateWebhook(ctx, badID, WebhookChange{}); return err },
		"delete webhook":      func() error { return c.DeleteWebhook(ctx, badID) },
		"create webhook":      func() error { _, err := c.CreateWebhook(ctx, WebhookChange{}); return err },
	}
	for name, call := range calls {
		if e := typed(t, call()); e.Kind != GiveUp || e.Ambiguous || e.Status != 0 {
			t.Errorf("%s: %+v", name, *e)
		}
	}
	if n := len(v.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
