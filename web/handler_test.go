package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/web"
)

func TestErrorsBecomeStatusAndPage(t *testing.T) {
	t.Parallel()
	cause := errors.New("inner cause")
	cases := map[string]struct {
		err        error
		want       web.Failure
		retryAfter string
	}{
		"not found":           {web.NotFound(cause), web.Failure{Status: 404}, ""},
		"unauthorized":        {web.Unauthorized(cause), web.Failure{Status: 401}, ""},
		"forbidden":           {web.Forbidden(nil), web.Failure{Status: 403}, ""},
		"bad request":         {web.BadRequest("lookup.bad"), web.Failure{Status: 400, MessageID: "lookup.bad"}, ""},
		"conflict":            {web.Conflict(cause), web.Failure{Status: 409}, ""},
		"too large":           {web.TooLarge(cause), web.Failure{Status: 413}, ""},
		"too large, net/http": {&http.MaxBytesError{Limit: 1}, web.Failure{Status: 413}, ""},
		"too many":            {web.TooMany(1500 * time.Millisecond), web.Failure{Status: 429}, "2"},
		"unavailable":         {web.Unavailable(cause), web.Failure{Status: 503}, ""},
		"out of time":         {fmt.Errorf("query: %w", context.DeadlineExceeded), web.Failure{Status: 503}, ""},
		"wrapped":             {fmt.Errorf("outer: %w", web.NotFound(cause)), web.Failure{Status: 404}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, lines := newLog()
			var got web.Failure
			a := &web.Adapter{Log: log, ErrorPage: func(w http.ResponseWriter, r *http.Request, f web.Failure) {
				got = f
				w.WriteHeader(f.Status)
				_, _ = w.Write([]byte("the page"))
			}}
			rec := do(a.Handle(func(w http.ResponseWriter, r *http.Request) error {
				w.Header().Set("Content-Type", "text/csv")
				w.Header().Set("Content-Disposition", "attachment")
				return c.err
			}), get("/"))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			if rec.Code != c.want.Status || rec.Body.String() != "the page" {
				t.Errorf("answered %d %q", rec.Code, rec.Body)
			}
			if h := rec.Header(); h.Get("Retry-After") != c.retryAfter || h.Get("Content-Disposition") != "" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", h)
			}
			if n := strings.Count(lines.String(), "\n"); n != 1 {
				t.Errorf("%d log lines:\n%s", n, lines)
			}
			if !strings.Contains(lines.String(), fmt.Sprintf("status=%d", c.want.Status)) {
				t.Errorf("no status in %s", lines)
			}
		})
	}
}

func TestInternalErrorsShowThePageMadeAtStart(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]web.Handler{
		"error": func(http.ResponseWriter, *http.Request) error { return errors.New("secret of the database") },
		"panic": func(http.ResponseWriter, *http.Request) error { panic("secret of the database") },
		"index": func(http.ResponseWriter, *http.Request) error { var s []int; return fmt.Errorf("%d", s[3]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, lines := newLog()
			a := &web.Adapter{
				Log:          log,
				ErrorPage:    func(http.ResponseWriter, *http.Request, web.Failure) { t.Error("a 500 was rendered at failure time") },
				InternalPage: func(*http.Request) []byte { return []byte("<p>" + web.RequestIDPlaceholder + "</p>") },
			}
			rec := do(web.Chain(a.Handle(h), web.RequestID), get("/"))
			id := rec.Header().Get(web.RequestIDHeader)
			if rec.Code != 500 || id == "" || rec.Body.String() != "<p>"+id+"</p>" {
				t.Errorf("answered %d %q, id %q", rec.Code, rec.Body, id)
			}
			line := lines.String()
			if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "request_id="+id) {
				t.Errorf("log: %s", line)
			}
			if name != "error" && !strings.Contains(line, "handler_test.go") {
				t.Errorf("a panic without its stack: %s", line)
			}
			if name == "panic" && strings.Contains(line, "secret") {
				t.Errorf("a panic's value is logged: %s", line)
			}
			if name == "index" && !strings.Contains(line, "index out of range") {
				t.Errorf("the runtime's text is missing: %s", line)
			}
		})
	}
}

func TestWithoutHooksErrorsArePlainText(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	for err, want := range map[error]string{
		web.NotFound(errors.New("cause")): "Not Found\n",
		errors.New("cause"):               "Internal Server Error\n",
	} {
		rec := do(a.Handle(func(http.ResponseWriter, *http.Request) error { return err }), get("/"))
		if rec.Body.String() != want || rec.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%v: %q %v", err, rec.Body, rec.Header())
		}
	}
}

func TestErrorPageThatPanicsOrIsSilent(t *testing.T) {
	t.Parallel()
	for name, hook := range map[string]func(http.ResponseWriter, *http.Request, web.Failure){
		"panics": func(http.ResponseWriter, *http.Request, web.Failure) { panic("template") },
		"silent": func(http.ResponseWriter, *http.Request, web.Failure) {},
	} {
		a := &web.Adapter{Log: quiet(), ErrorPage: hook}
		rec := do(a.Handle(func(http.ResponseWriter, *http.Request) error { return web.NotFound(nil) }), get("/"))
		if rec.Code != 404 || rec.Body.String() != "Not Found\n" {
			t.Errorf("%s: answered %d %q", name, rec.Code, rec.Body)
		}
	}
}

// aborts runs h and reports whether it cut the connection.
func aborts(h http.Handler, w http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() { cut = recover() == any(http.ErrAbortHandler) }()
	h.ServeHTTP(w, r)
	return false
}

func TestErrorAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(http.ResponseWriter){
		"body":   func(w http.ResponseWriter) { _, _ = w.Write([]byte("a,b\r\n")) },
		"header": func(w http.ResponseWriter) { w.WriteHeader(200) },
		"flush":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		log, lines := newLog()
		rec := httptest.NewRecorder()
		h := (&web.Adapter{Log: log}).Handle(func(w http.ResponseWriter, r *http.Request) error {
			begin(w)
			return errors.New("row 5")
		})
		if !aborts(h, rec, get("/")) {
			t.Errorf("%s: half an answer passes for a whole one", name)
		}
		if rec.Code != 200 || strings.Contains(rec.Body.String(), "Error") {
			t.Errorf("%s: answered %d %q", name, rec.Code, rec.Body)
		}
		if !strings.Contains(lines.String(), "answer_begun=true") {
			t.Errorf("%s: log %s", name, lines)
		}
	}
}

func TestAbortHandlerPasses(t *testing.T) {
	t.Parallel()
	log, lines := newLog()
	h := (&web.Adapter{Log: log}).Handle(func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
	if !aborts(h, httptest.NewRecorder(), get("/")) {
		t.Error("http.ErrAbortHandler was swallowed")
	}
	if lines.String() != "" {
		t.Errorf("logged: %s", lines)
	}
}

func TestClientThatLeftIsNoFailureOfOurs(t *testing.T) {
	t.Parallel()
	log, lines := newLog()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &web.Adapter{Log: log, ErrorPage: func(http.ResponseWriter, *http.Request, web.Failure) { t.Error("rendered for nobody") }}
	do(a.Handle(func(w http.ResponseWriter, r *http.Request) error { return r.Context().Err() }), get("/").WithContext(ctx))
	if line := lines.String(); !strings.Contains(line, "level=INFO") || !strings.Contains(line, "status=499") {
		t.Errorf("log: %s", line)
	}
}

func TestMuxAnswersTheUnmatchedWithOurPage(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet(), ErrorPage: func(w http.ResponseWriter, r *http.Request, f web.Failure) {
		w.WriteHeader(f.Status)
		_, _ = fmt.Fprintf(w, "page %d", f.Status)
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lookups/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.PathValue("id"))) })
	h := a.Mux(mux)
	cases := []struct {
		method, path string
		status       int
		body, allow  string
	}{
		{"GET", "/lookups/7", 200, "7", ""},
		{"GET", "/nothing", 404, "page 404", ""},
		{"POST", "/lookups/7", 405, "page 405", "GET, HEAD"},
		{"GET", "//nothing", 404, "page 404", ""},
	}
	for _, c := range cases {
		rec := do(h, httptest.NewRequest(c.method, c.path, nil))
		if rec.Code != c.status || rec.Body.String() != c.body || rec.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %q Allow %q", c.method, c.path, rec.Code, rec.Body, rec.Header().Get("Allow"))
		}
	}
}

func TestErrorTextNamesKindAndCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := web.Conflict(cause)
	if err.Error() != "Conflict: cause" || !errors.Is(err, cause) {
		t.Errorf("%q", err)
	}
	if got := web.BadRequest("x.y").Error(); got != "Bad Request (x.y)" {
		t.Errorf("%q", got)
	}
}
