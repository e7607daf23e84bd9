package buro

import (
	"context"
	"errors"
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

// create is the request that the failures below happen to.
func create(t *testing.T, c *Client, ctx context.Context) *Error {
	t.Helper()
	_, err := c.CreateVerification(ctx, someCURP, someAttempt)
	return typed(t, err)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	created := `{"id":"` + someID + `","identifier":"` + someCURP + `","status":"in_progress","consent_id":"c","created_at":"2025-09-01T20:05:11.1Z","external_id":null}`
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
		{"wrong key, error a string", 401, `{"error":"Unauthorized","message":"Invalid X-API-Key"}`, "unauthorized", GiveUp, false, lookup.CodeUnauthorized, true},
		{"wrong key, error an object", 401, refusal("unauthorized"), "unauthorized", GiveUp, false, lookup.CodeUnauthorized, true},
		{"401 without a body", 401, ``, "unauthorized", GiveUp, false, lookup.CodeUnauthorized, true},
		{"403", 403, `{"error":"Forbidden"}`, "forbidden", GiveUp, false, lookup.CodeForbidden, true},
		{"no consent", 400, refusal("consent_required"), CodeConsentRequired, GiveUp, false, CodeConsentRequired, false},
		{"validation", 400, refusal("validation_error"), "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"400 without a code", 400, `{"error":null}`, "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"422 of a framework", 422, `{"detail":[{"msg":"` + someCURP + `"}]}`, "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"404", 404, refusal("verification_not_found"), "verification_not_found", GiveUp, false, lookup.CodeRejected, false},
		{"404 page", 404, `<html>404</html>`, "not_found", GiveUp, false, lookup.CodeRejected, false},
		{"409", 409, `{}`, "conflict", GiveUp, false, lookup.CodeRejected, false},
		{"402", 402, `{}`, "refused", GiveUp, false, lookup.CodeRejected, false},
		{"code at the top", 400, `{"code":"consent_required"}`, CodeConsentRequired, GiveUp, false, CodeConsentRequired, false},
		{"code that quotes us", 400, refusal(someCURP), "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"code that is no word", 400, refusal("curp=" + someCURP), "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"error a number", 400, `{"error":7}`, "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"error a list", 400, `{"error":["consent_required"]}`, "validation_error", GiveUp, false, lookup.CodeRejected, false},
		{"500", 500, `oops`, "server_error", Retry, true, lookup.CodeRejected, false},
		{"502 page", 502, `<html>`, "server_error", Retry, true, lookup.CodeRejected, false},
		{"503", 503, refusal("service_unavailable"), "service_unavailable", Retry, true, lookup.CodeRejected, false},
		{"408", 408, ``, "timeout", Retry, true, lookup.CodeRejected, false},
		{"page with 200", 200, `<html>proxy</html>`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"empty 202", 202, ``, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"null", 202, `null`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"half a JSON text", 202, created[:60], CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"two JSON texts", 202, created + created, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"a list", 202, `[` + created + `]`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"somebody else's JSON", 200, `{"hello":"world"}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"the other vendor's envelope", 201, `{"success":true,"data":` + created + `}`, CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"id None", 202, strings.Replace(created, someID, "None", 1), CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"id that leaves its path", 202, strings.Replace(created, someID, "../consents", 1), CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"id that is the person", 202, strings.Replace(created, someID, someCURP, 1), CodeUnreadable, Retry, true, lookup.CodeRejected, false},
		{"id of another type", 202, strings.Replace(created, `"`+someID+`"`, `{}`, 1), "unreadable_text", GiveUp, true, lookup.CodeRejected, false},
		{"somebody else's verification", 202, strings.Replace(created, someCURP, "GOPJ930704HDFPRR05", 1), CodeOtherPerson, GiveUp, true, lookup.CodeRejected, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{"*": say(tt.status, tt.body)})
			limited := false
			e := create(t, v.client(t, func(o *Options) { o.OnLimit = func(time.Time) { limited = true } }), context.Background())
			if e.Status != tt.status || e.Code != tt.code || e.Kind != tt.kind || e.Ambiguous != tt.ambiguous || e.RequestID != "req-1" {
				t.Errorf("got %+v", *e)
			}
			if e.Detail() != tt.detail || e.KeyRefused() != tt.key || e.ConsentRequired() != (tt.code == CodeConsentRequired) || e.Daily() || limited {
				t.Errorf("Detail %q, KeyRefused %v, limited %v", e.Detail(), e.KeyRefused(), limited)
			}
		})
	}
}

// The daily limit is one person's: it is waited out until tomorrow, and nobody else has to wait.
func TestDailyLimit(t *testing.T) {
	t.Parallel()
	v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Second).Unix(), 10))
		say(429, refusal(CodeDailyLimit))(w, r)
	}})
	before := tomorrow(time.Now())
	e := create(t, v.client(t, func(o *Options) { o.OnLimit = func(time.Time) { t.Error("the connection was told to wait") } }), context.Background())
	if after := tomorrow(time.Now()); e.Kind != WaitUntil || !e.Daily() || e.Ambiguous || e.Detail() != CodeDailyLimit || !e.Until.Equal(before) && !e.Until.Equal(after) {
		t.Errorf("got %+v, want to wait until %v", *e, before)
	}
	for now, want := range map[string]string{
		"2026-03-01T18:00:00Z": "2026-03-02T06:00:00Z", // noon in Mexico City
		"2026-03-02T05:59:59Z": "2026-03-02T06:00:00Z", // a new day in UTC, not there
		"2026-03-02T06:00:00Z": "2026-03-03T06:00:00Z",
		"2026-12-31T23:00:00Z": "2027-01-01T06:00:00Z",
		"2026-07-01T12:00:00Z": "2026-07-02T06:00:00Z", // no summer time
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := tomorrow(at).Format(time.RFC3339); got != want {
			t.Errorf("after %s comes %s, want %s", now, got, want)
		}
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
				say(429, `{"error":"Too Many Requests"}`)(w, r)
			}})
			before := time.Now()
			e := create(t, v.client(t, func(o *Options) { o.OnLimit = func(at time.Time) { told = at } }), context.Background())
			if e.Kind != WaitUntil || e.Ambiguous || e.Daily() || e.Code != "too_many_requests" {
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
		say(200, file(t, "verification.json"))(w, r)
	}})
	c := v.client(t, func(o *Options) { o.OnLimit = func(at time.Time) { told = append(told, at) } })
	for range answers {
		if _, err := c.Verification(context.Background(), someID); err != nil {
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
	if _, err := c.CreateVerification(context.Background(), someCURP, someAttempt); !errors.Is(err, full) {
		t.Errorf("got %v, want the caller's own error", err)
	}
	if _, _, _, err := c.Employment(context.Background(), someCURP); !errors.Is(err, full) {
		t.Errorf("got %v, want the caller's own error", err)
	}
	if n := len(v.requests()); n != 0 {
		t.Errorf("%d requests were sent without a turn", n)
	}
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	impatient := func(o *Options) { o.HTTP = &http.Client{Timeout: 100 * time.Millisecond} }
	tests := []struct {
		name   string
		answer http.HandlerFunc
		change func(*Options)
		want   Error
	}{
		{"hang", hang, impatient, Error{Code: CodeTimeout, Kind: Retry, Ambiguous: true}},
		{"hang within the body", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"id":`)
			w.(http.Flusher).Flush()
			hang(w, r)
		}, impatient, Error{Code: CodeTimeout, Status: 200, Kind: Retry, Ambiguous: true}},
		{"cut body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "400")
			io.WriteString(w, `{"id":`)
		}, nil, Error{Code: CodeCut, Status: 200, Kind: Retry, Ambiguous: true}},
		{"cut before the answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil,
			Error{Code: CodeCut, Kind: Retry, Ambiguous: true}},
		{"huge body", func(w http.ResponseWriter, r *http.Request) {
			chunk := strings.Repeat(" ", 1<<20)
			for range MaxAnswer>>20 + 2 {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}, nil, Error{Code: CodeTooLarge, Status: 200, Kind: GiveUp, Ambiguous: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, map[string]http.HandlerFunc{"*": tt.answer})
			c := v.client(t)
			if tt.change != nil {
				c = v.client(t, tt.change)
			}
			e := create(t, c, context.Background())
			if e.Code != tt.want.Code || e.Status != tt.want.Status || e.Kind != tt.want.Kind || e.Ambiguous != tt.want.Ambiguous {
				t.Errorf("got %+v", *e)
			}
			if (e.Code == CodeTimeout) != errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("cause %v", e.cause)
			}
		})
	}
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
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c := newVendor(t, nil).client(t, func(o *Options) { o.BaseURL = "http://" + l.Addr().String() })
		l.Close()
		// The address of this request holds the person; the transport's error would quote it.
		_, _, _, err = c.Profile(context.Background(), someCURP)
		if e := typed(t, err); e.Code != CodeNoReach || e.Kind != Retry || e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("unknown certificate", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewUnstartedServer(http.HandlerFunc(say(200, `{}`)))
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report our refusal
		s.StartTLS()
		t.Cleanup(s.Close)
		c := newVendor(t, nil).client(t, func(o *Options) { o.BaseURL, o.HTTP = s.URL, nil })
		if e := create(t, c, context.Background()); e.Code != CodeTLS || e.Kind != Retry || e.Ambiguous {
			t.Errorf("got %+v", *e)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{301, 302, 307, 308} {
			other := newVendor(t, nil) // reports any request as unexpected
			v := newVendor(t, map[string]http.HandlerFunc{"*": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.URL+r.URL.Path, status)
			}})
			if e := create(t, v.client(t), context.Background()); e.Code != CodeRedirected || e.Kind != GiveUp || e.Status != status {
				t.Errorf("%d: got %+v", status, *e)
			}
		}
	})
}

func TestRequestIDIsFiltered(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"0a1b-2c": "0a1b-2c", "": "", "a b": "", "<x>": "", someCURP: "", someRFC: "", "NAN1105241B4": "", strings.Repeat("a", 200): "",
	} {
		h := http.Header{}
		h.Set("X-Request-Id", id)
		if got := requestID(h); got != want {
			t.Errorf("requestID(%q) = %q, want %q", id, got, want)
		}
	}
}
