package palenca

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cotejo/internal/lookup"
)

// create is the request that the failures below happen to: it carries a CURP in its body, which no error may repeat.
func create(t *testing.T, c *Client, ctx context.Context) *Error {
	t.Helper()
	_, err := c.CreateAccount(ctx, someCURP, lookup.IMSS, someAttempt)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("CreateAccount = %v, want *Error", err)
	}
	for _, secret := range []string{someCURP, strings.ToLower(someCURP), someKey, "://", "?", "users/accounts"} {
		if text := fmt.Sprintf("%v %+v", err, *e); strings.Contains(text, secret) {
			t.Errorf("error repeats %q: %s", secret, text)
		}
	}
	return e
}

func envelope(code string) string {
	return `{"success":false,"error":{"code":"` + code + `","message":"about ` + someCURP + `","errors":[]},"data":null}`
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	schema := `{"detail":[{"loc":["body","identifier"],"msg":"bad ` + someCURP + `","type":"value_error"}]}`
	tests := []struct {
		name      string
		status    int
		body      string
		code      string
		kind      Kind
		ambiguous bool
		detail    string
		key       bool
	}{
		{"no key", 401, envelope("missing_api_key"), "missing_api_key", GiveUp, false, lookup.CodeUnauthorized, true},
		{"wrong key", 401, envelope("invalid_api_key"), "invalid_api_key", GiveUp, false, lookup.CodeUnauthorized, true},
		{"401 without a body", 401, ``, "unauthorized", GiveUp, false, lookup.CodeUnauthorized, true},
		{"403", 403, `{"error":"Forbidden"}`, "forbidden", GiveUp, false, lookup.CodeForbidden, true},
		{"403 about the person", 403, envelope("curp_has_inconsistencies"), "curp_has_inconsistencies", GiveUp, false, "curp_has_inconsistencies", false},
		{"404", 404, envelope("not_found"), "not_found", GiveUp, false, lookup.CodeRejected, false},
		{"404 page", 404, `<html>404</html>`, "not_found", GiveUp, false, lookup.CodeRejected, false},
		{"409", 409, `{"success":false,"error":null,"data":null}`, "conflict", GiveUp, false, lookup.CodeRejected, false},
		{"412", 412, envelope("recent_login_successful"), "recent_login_successful", GiveUp, false, lookup.CodeRecentSuccess, false},
		{"412 without a code", 412, `{}`, "recent_login_successful", GiveUp, false, lookup.CodeRecentSuccess, false},
		{"422 envelope", 422, envelope("bad_request"), "bad_request", GiveUp, false, lookup.CodeRejected, false},
		{"422 schema", 422, schema, "bad_request", GiveUp, false, lookup.CodeRejected, false},
		{"422 of the source", 422, envelope("platform_error"), "platform_error", Retry, false, lookup.CodeRejected, false},
		{"error_code at the top", 422, `{"error_code":"invalid_gov_id"}`, "invalid_gov_id", GiveUp, false, lookup.CodeRejected, false},
		{"code that quotes us", 422, envelope(someCURP), "bad_request", GiveUp, false, lookup.CodeRejected, false},
		{"code that is no word", 422, envelope("curp=" + someCURP), "bad_request", GiveUp, false, lookup.CodeRejected, false},
		{"500", 500, `oops`, "server_error", Retry, true, lookup.CodeRejected, false},
		{"502 page", 502, `<html>`, "server_error", Retry, true, lookup.CodeRejected, false},
		{"503", 503, envelope("service_unavailable"), "service_unavailable", Retry, true, lookup.CodeRejected, false},
		{"504", 504, envelope("request_timeout"), "request_timeout", Retry, true, lookup.CodeRejected, false},
		{"408", 408, ``, "timeout", Retry, true, lookup.CodeRejected, false},
		{"unsuccessful with 200", 200, envelope("bad_request"), "bad_request", GiveUp, false, lookup.CodeRejected, false},
		{"unsuccessful with 200, passing", 200, envelope("service_unavailable"), "service_unavailable", Retry, false, lookup.CodeRejected, false},
		{"unsuccessful with 200, 412 inside", 200, envelope("recent_login_successful"), "recent_login_successful", GiveUp, false, lookup.CodeRecentSuccess, false},
		{"page with 200", 200, `<html>proxy</html>`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"empty 200", 200, ``, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"half a JSON text", 200, file(t, "create.json")[:120], CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"two JSON texts", 201, file(t, "create.json") + `{}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"somebody else's JSON", 200, `{"hello":"world"}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"no data", 201, `{"success":true,"error":null,"data":null}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"no account id", 201, `{"success":true,"data":{"account_id":"None"}}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"account id that leaves its path", 201, `{"success":true,"data":{"account_id":"../users"}}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"account id of another type", 201, `{"success":true,"data":{"account_id":{}}}`, "unreadable_text", GiveUp, true, lookup.CodeRejected, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{"*": say(tt.status, tt.body)})
			e := create(t, v.client(t), context.Background())
			if e.Status != tt.status || e.Code != tt.code || e.Kind != tt.kind || e.Ambiguous != tt.ambiguous || e.RequestID != "req-1" {
				t.Errorf("got %+v", *e)
			}
			if e.Detail() != tt.detail || e.KeyRefused() != tt.key {
				t.Errorf("Detail %q, KeyRefused %v", e.Detail(), e.KeyRefused())
			}
		})
	}
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(42 * time.Second).Truncate(time.Second)
	tests := []struct {
		name, header, value string
		want                time.Time // zero: one window from now
	}{
		{"reset", "X-RateLimit-Reset", strconv.FormatInt(soon.Unix(), 10), soon},
		{"no reset", "X-Other", "1", time.Time{}},
		{"reset in the past", "X-RateLimit-Reset", "1600000000", time.Time{}},
		{"reset next year", "X-RateLimit-Reset", strconv.FormatInt(soon.AddDate(1, 0, 0).Unix(), 10), time.Time{}},
		{"reset that is no number", "X-RateLimit-Reset", "soon", time.Time{}},
		{"retry after a date", "Retry-After", soon.UTC().Format(http.TimeFormat), soon},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var told time.Time
			v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(tt.header, tt.value)
				say(429, envelope("too_many_requests"))(w, r)
			}})
			before := time.Now()
			e := create(t, v.client(t, func(o *Options) { o.OnLimit = func(at time.Time) { told = at } }), context.Background())
			if e.Kind != WaitUntil || e.Ambiguous {
				t.Errorf("got %+v", *e)
			}
			if tt.want.IsZero() {
				if e.Until.Before(before.Add(window)) || e.Until.After(time.Now().Add(window)) {
					t.Errorf("Until = %v, want a window from now", e.Until)
				}
			} else if !e.Until.Equal(tt.want) {
				t.Errorf("Until = %v, want %v", e.Until, tt.want)
			}
			if told.Sub(e.Until).Abs() > 10*time.Second {
				t.Errorf("OnLimit was told %v, the error says %v", told, e.Until)
			}
		})
	}
}

func TestUsedUpWindowIsPassedOn(t *testing.T) {
	t.Parallel()
	reset := time.Now().Add(30 * time.Second).Truncate(time.Second)
	var told []time.Time
	// Only the second answer both uses up the window and says when it ends.
	answers := []http.Header{
		{"X-Ratelimit-Remaining": {"1"}, "X-Ratelimit-Reset": {strconv.FormatInt(reset.Unix(), 10)}},
		{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(reset.Unix(), 10)}},
		{"X-Ratelimit-Remaining": {"0"}},
	}
	var n atomic.Int32
	v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), answers[n.Add(1)-1])
		say(200, file(t, "create.json"))(w, r)
	}})
	c := v.client(t, func(o *Options) { o.OnLimit = func(at time.Time) { told = append(told, at) } })
	for range answers {
		if _, err := c.CreateAccount(context.Background(), someCURP, lookup.IMSS, someAttempt); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || !told[0].Equal(reset) {
		t.Errorf("OnLimit was told %v, want %v once", told, reset)
	}
}

func TestWaitComesFirst(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	full := errors.New("come back later")
	c := v.client(t, func(o *Options) { o.Wait = func(context.Context) error { return full } })
	if _, err := c.CreateAccount(context.Background(), someCURP, lookup.IMSS, someAttempt); !errors.Is(err, full) {
		t.Errorf("got %v, want the caller's own error", err)
	}
	if n := len(v.requests()); n != 0 {
		t.Errorf("%d requests were sent without a turn", n)
	}
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("hang", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, map[string]http.HandlerFunc{"*": hang})
		c := v.client(t, func(o *Options) { o.HTTP = &http.Client{Timeout: 100 * time.Millisecond} })
		e := create(t, c, context.Background())
		if e.Code != CodeTimeout || e.Kind != Retry || !e.Ambiguous || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("hang within the body", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"success":true,`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}})
		c := v.client(t, func(o *Options) { o.HTTP = &http.Client{Timeout: 100 * time.Millisecond} })
		if e := create(t, c, context.Background()); e.Code != CodeTimeout || e.Status != 200 || !e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("canceled while waiting for the answer", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) }})
		if e := create(t, v.client(t), ctx); e.Code != CodeCanceled || !e.Ambiguous || !errors.Is(e, context.Canceled) {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("canceled before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if e := create(t, newVendor(t, nil).client(t), ctx); e.Code != CodeCanceled || e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("cut body", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "400")
			io.WriteString(w, `{"success":true,`)
		}})
		if e := create(t, v.client(t), context.Background()); e.Code != CodeCut || e.Kind != Retry || !e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("cut before the answer", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, map[string]http.HandlerFunc{"*": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }})
		if e := create(t, v.client(t), context.Background()); e.Code != CodeCut || !e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		v := newVendor(t, nil)
		c := v.client(t, func(o *Options) { o.BaseURL = "http://" + l.Addr().String() + "/v1" })
		l.Close()
		if e := create(t, c, context.Background()); e.Code != CodeNoReach || e.Kind != Retry || e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("unknown certificate", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewUnstartedServer(http.HandlerFunc(say(200, `{}`)))
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report our refusal
		s.StartTLS()
		t.Cleanup(s.Close)
		c := newVendor(t, nil).client(t, func(o *Options) { o.BaseURL, o.HTTP = s.URL+"/v1", nil })
		if e := create(t, c, context.Background()); e.Code != CodeTLS || e.Kind != Retry || e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{301, 302, 307, 308} {
			other := newVendor(t, nil) // reports any request as unexpected
			v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.URL+"/v1/users/accounts", status)
			}})
			if e := create(t, v.client(t), context.Background()); e.Code != CodeRedirected || e.Kind != GiveUp || e.Status != status {
				t.Errorf("%d: got %+v", status, *e)
			}
		}
	})
	t.Run("huge body", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
			chunk := strings.Repeat(" ", 1<<20)
			for range MaxAnswer>>20 + 2 {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}})
		if e := create(t, v.client(t), context.Background()); e.Code != CodeTooLarge || e.Kind != GiveUp || !e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
}

func TestRequestIDIsFiltered(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"0a1b-2c": "0a1b-2c", "": "", "a b": "", "<x>": "", someCURP: "", strings.Repeat("a", 200): "",
	} {
		h := http.Header{}
		h.Set("X-Request-Id", id)
		if got := requestID(h); got != want {
			t.Errorf("requestID(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{"45": 45 * time.Second, "0": window, "-5": window, "999999": window, "x": window} {
		h := http.Header{}
		h.Set("Retry-After", value)
		if got := resetAt(h, now); !got.Equal(now.Add(want)) {
			t.Errorf("Retry-After %s: %v, want %v later", value, got, want)
		}
	}
}
