package palenca

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
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
	someCURP    = "GATA000408HTLRLLA7"
	someKey     = "private_0b8f7d7e_0000_4000_8000_1234567890ab"
	someWidget  = "b679c2fb-a096-4c26-a902-245f9bce66d9"
	someAccount = "ee64a864-60a7-4a53-bbe6-e08d5d3f3f44"
	someUser    = "5666d5d1-a01a-4261-8dfe-0f9d41f8dfc0"
	someAttempt = "0199de73-356c-7b56-a1ef-ca91b6bdb778"
)

// seen is one request as a fake vendor received it.
type seen struct {
	Method, Path string
	Body         string
}

// vendor is a server that answers by "METHOD /path" and remembers what it was asked.
type vendor struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func newVendor(t *testing.T, answers map[string]http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.seen = append(v.seen, seen{r.Method, r.URL.Path, string(body)})
		v.mu.Unlock()
		if strings.Contains(r.URL.String(), someCURP) {
			t.Errorf("a URL carries a CURP: %s", r.URL.Path)
		}
		if r.URL.RawQuery != "" {
			t.Errorf("unexpected query %q", r.URL.RawQuery)
		}
		if got := r.Header.Get("x-api-key"); got != someKey {
			t.Errorf("x-api-key = %q", got)
		}
		if got := r.Header.Get("Accept"); got != "application/json" {
			t.Errorf("Accept = %q", got)
		}
		if len(body) > 0 && (r.Header.Get("Content-Type") != "application/json" || !json.Valid(body)) {
			t.Errorf("%s %s: not sent as JSON", r.Method, r.URL.Path)
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
func (v *vendor) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{BaseURL: v.URL + "/v1", Environment: lookup.Sandbox, Key: someKey, WidgetID: someWidget, HTTP: v.Client()}
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

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Options{BaseURL: "https://sandbox.palenca.com/v1", Environment: lookup.Sandbox, Key: someKey}
	tests := []struct {
		name   string
		change func(*Options)
		ok     bool
	}{
		{"sandbox", func(*Options) {}, true},
		{"production", func(o *Options) { o.BaseURL, o.Environment = "https://api.palenca.com/v1/", lookup.Production }, true},
		{"a lender's relay", func(o *Options) { o.BaseURL = "https://relay.lender.example/palenca/v1" }, true},
		{"plain http to this machine", func(o *Options) { o.BaseURL = "http://127.0.0.1:8090/v1" }, true},
		{"no environment", func(o *Options) { o.Environment = "" }, false},
		{"sandbox key, live host", func(o *Options) { o.BaseURL = "https://api.palenca.com/v1" }, false},
		{"live key, sandbox host", func(o *Options) { o.Environment = lookup.Production }, false},
		{"live key, this machine", func(o *Options) { o.BaseURL, o.Environment = "http://localhost:8090/v1", lookup.Production }, false},
		{"plain http", func(o *Options) { o.BaseURL = "http://sandbox.palenca.com/v1" }, false},
		{"password in the address", func(o *Options) { o.BaseURL = "https://u:p@sandbox.palenca.com/v1" }, false},
		{"no address", func(o *Options) { o.BaseURL = "" }, false},
		{"no key", func(o *Options) { o.Key = "" }, false},
		{"public key", func(o *Options) { o.Key = "public_0b8f7d7e" }, false},
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

func TestOwnTransport(t *testing.T) {
	t.Parallel()
	// Without an HTTP client the package brings its own, and leaves a caller's untouched.
	v := newVendor(t, map[string]http.HandlerFunc{"GET /v1/widgets": say(200, `{"success":true,"data":{"widgets":[]}}`)})
	own := v.client(t, func(o *Options) { o.HTTP = nil })
	if _, err := own.Widgets(context.Background()); err != nil {
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
