package web_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/web"
)

func TestChainPutsTheFirstOutermost(t *testing.T) {
	t.Parallel()
	var order []string
	mark := func(name string) web.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}
	}
	do(web.Chain(page(""), mark("a"), mark("b"), mark("c")), get("/"))
	if diff := cmp.Diff([]string{"a", "b", "c"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestRequestIDIsAlwaysOurs(t *testing.T) {
	t.Parallel()
	h := web.RequestID(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, web.RequestIDOf(r.Context()))
	}))
	seen := map[string]bool{}
	for range 3 {
		rec := do(h, get("/", "X-Request-Id", "chosen-by-client"))
		id := rec.Header().Get("X-Request-Id")
		if id == "chosen-by-client" || len(id) < 20 || id != rec.Body.String() || seen[id] {
			t.Errorf("id %q, inside %q", id, rec.Body)
		}
		seen[id] = true
	}
	if web.RequestIDOf(t.Context()) != "" {
		t.Error("an id outside a request")
	}
}

// secrets are what a client can send; none may reach a log line.
var secrets = []string{"PATHSECRET", "QUERYSECRET", "FORMSECRET", "COOKIESECRET", "HEADERSECRET", "NAMESECRET", "IDSECRET", "METHODSECRET"}

func TestNoLogLineHoldsWhatAClientSent(t *testing.T) {
	t.Parallel()
	log, lines := newLog()
	a := &web.Adapter{Log: log}
	records := newRecords()
	ss := web.NewSessions(records, web.SessionConfig{Name: "cotejo"})
	mux := http.NewServeMux()
	handle := func(pattern string, h web.Handler) { mux.Handle(pattern, a.Handle(h)) }
	handle("POST /form/{curp}", func(w http.ResponseWriter, r *http.Request) error {
		f, err := web.ParseForm(r, web.FormLimits{Fields: 3})
		if err != nil {
			return err
		}
		f.Int("n", 1, 2)
		return web.Invalid(w, r, text(fmt.Sprint(f.Errors)))
	})
	handle("GET /panic/{curp}", func(w http.ResponseWriter, r *http.Request) error { panic(r.URL.String()) })
	handle("GET /redirect", func(w http.ResponseWriter, r *http.Request) error {
		return web.Redirect303(w, r, "https://elsewhere/"+r.FormValue("q"))
	})
	handle("GET /cut/{curp}", func(w http.ResponseWriter, r *http.Request) error {
		_, _ = io.WriteString(w, "begun")
		return errors.New("cut")
	})
	cross, err := web.CrossOrigin("http://example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	h := web.Chain(a.Mux(mux), web.RequestID, web.RemoteAddr(nil), web.Log(log), web.SecurityHeaders(false), a.Recover,
		cross, web.Gzip, web.MaxBody(200), ss.Attach(a))

	send := func(method, path, body, contentType string) {
		r := httptest.NewRequest(method, path+"?q=QUERYSECRET%zz", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Cookie", "cotejo=COOKIESECRET; other=COOKIESECRET")
		for _, name := range []string{"User-Agent", "Referer", "X-Forwarded-For", "Accept-Encoding", "X-Custom", "HX-Current-URL", "Authorization"} {
			r.Header.Set(name, "HEADERSECRET")
		}
		r.Header.Set("X-Request-Id", "IDSECRET")
		aborts(h, httptest.NewRecorder(), r)
	}
	const form = "application/x-www-form-urlencoded"
	for _, body := range []string{"n=FORMSECRET", "NAMESECRET=%zz", "NAMESECRET=%00FORMSECRET", "a=FORMSECRET&b=&c=&d=&e=", strings.Repeat("FORMSECRET", 50)} {
		send("POST", "/form/PATHSECRET", body, form)
	}
	send("POST", "/form/PATHSECRET", "n=FORMSECRET", "text/HEADERSECRET")
	send("GET", "/panic/PATHSECRET", "", "")
	send("GET", "/redirect", "", "")
	send("GET", "/cut/PATHSECRET", "", "")
	send("GET", "/PATHSECRET", "", "")
	send("METHODSECRET", "/form/PATHSECRET", "", "")

	out := lines.String()
	for _, s := range secrets {
		if strings.Contains(out, s) {
			t.Errorf("%s is in the log:\n%s", s, out)
		}
	}
	for _, want := range []string{`route="POST /form/{curp}"`, "status=422", "status=400", "status=413", "status=500", "status=404", "status=405", "method=OTHER", "aborted=true"} {
		if !strings.Contains(out, want) {
			t.Errorf("the log lacks %s:\n%s", want, out)
		}
	}
}

func TestLogSummarisesARequest(t *testing.T) {
	t.Parallel()
	log, lines := newLog()
	var seen []web.Summary
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lookups/{id}", func(w http.ResponseWriter, r *http.Request) {
		web.SetActor(r.Context(), 42)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "twelve bytes")
	})
	// A layer that copies the request hides its pattern from those outside.
	h := web.Chain((&web.Adapter{Log: log}).Mux(mux), web.RequestID, web.Log(log, func(s web.Summary) { seen = append(seen, s) }), web.Timeout(time.Minute))
	rec := do(h, get("/lookups/7"))
	if len(seen) != 1 || seen[0].Duration <= 0 {
		t.Fatalf("observed %+v", seen)
	}
	seen[0].Duration = 0
	want := web.Summary{RequestID: rec.Header().Get(web.RequestIDHeader), Method: "GET", Route: "GET /lookups/{id}", Status: 202, Bytes: 12, Actor: 42}
	if diff := cmp.Diff(want, seen[0]); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(lines.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, lines)
	}
}

// The headers are a promise to the browser: changing one is a decision, made here as well.
func TestSecurityHeadersGolden(t *testing.T) {
	t.Parallel()
	const common = `Cache-Control: no-store
Content-Security-Policy: default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'
Content-Type: text/html; charset=utf-8
Cross-Origin-Opener-Policy: same-origin
Cross-Origin-Resource-Policy: same-origin
Permissions-Policy: accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), screen-wake-lock=(), usb=()
Referrer-Policy: same-origin
`
	for https, want := range map[bool]string{
		false: common + "X-Content-Type-Options: nosniff\n",
		true:  common + "Strict-Transport-Security: max-age=63072000; includeSubDomains\nX-Content-Type-Options: nosniff\n",
	} {
		h := do(web.SecurityHeaders(https)(page("x")), get("/")).Header()
		var got strings.Builder
		for _, name := range slices.Sorted(maps.Keys(h)) {
			fmt.Fprintf(&got, "%s: %s\n", name, strings.Join(h[name], " | "))
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("https=%v (-want +got):\n%s", https, diff)
		}
	}
}

func TestCrossOriginRefusesForgery(t *testing.T) {
	t.Parallel()
	refused := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) })
	cross, err := web.CrossOrigin("https://cotejo.example/app", refused)
	if err != nil {
		t.Fatal(err)
	}
	h := cross(page("done"))
	cases := []struct {
		method string
		header []string
		want   int
	}{
		{"POST", []string{"Sec-Fetch-Site", "cross-site"}, 418},
		{"POST", []string{"Sec-Fetch-Site", "same-site"}, 418},
		{"POST", []string{"Origin", "https://evil.example"}, 418},
		{"POST", []string{"Origin", "null"}, 418},
		{"POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"POST", []string{"Origin", "https://cotejo.example"}, 200},
		{"POST", nil, 200}, // a script, which has no cookie to borrow
		{"GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"DELETE", []string{"Sec-Fetch-Site", "cross-site"}, 418},
	}
	for _, c := range cases {
		r := get("http://internal.example/x", c.header...)
		r.Method = c.method
		if rec := do(h, r); rec.Code != c.want {
			t.Errorf("%s %v: %d, want %d", c.method, c.header, rec.Code, c.want)
		}
	}
	for _, bad := range []string{"", "cotejo.example", "://", "https://"} {
		if _, err := web.CrossOrigin(bad, nil); err == nil {
			t.Errorf("%q is taken for a public URL", bad)
		}
	}
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	h := web.MaxBody(10)(a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		return err
	}))
	for body, want := range map[string]int{"0123456789": 200, "0123456789x": 413} {
		if rec := do(h, postForm("/", body)); rec.Code != want {
			t.Errorf("%d bytes: %d", len(body), rec.Code)
		}
	}
}

func TestTimeoutEndsThePagesContext(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	h := web.Timeout(time.Millisecond)(a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return fmt.Errorf("query: %w", r.Context().Err())
	}))
	if rec := do(h, get("/")); rec.Code != 503 {
		t.Errorf("status %d", rec.Code)
	}
}
