package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cotejo/web"
)

func TestLimiterRefills(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := web.NewLimiter(10*time.Second, 2, 100)
		addr := netip.MustParseAddr("192.0.2.1")
		want := func(ok bool, wait time.Duration) {
			t.Helper()
			if gotOK, gotWait := l.Allow(addr); gotOK != ok || gotWait.Round(time.Millisecond) != wait {
				t.Errorf("%v %v, want %v %v", gotOK, gotWait, ok, wait)
			}
		}
		want(true, 0)
		want(true, 0)
		want(false, 10*time.Second)
		want(false, 10*time.Second) // being refused costs no token
		time.Sleep(4 * time.Second)
		want(false, 6*time.Second)
		time.Sleep(6 * time.Second)
		want(true, 0)
		want(false, 10*time.Second)
	})
}

func TestLimiterKeys(t *testing.T) {
	t.Parallel()
	cases := []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%a", "fe80::2%b", true},
		{"", "", true},
	}
	for _, c := range cases {
		l := web.NewLimiter(time.Hour, 1, 10)
		parse := func(s string) netip.Addr { a, _ := netip.ParseAddr(s); return a }
		l.Allow(parse(c.a))
		if ok, _ := l.Allow(parse(c.b)); ok == c.same {
			t.Errorf("%s and %s: same bucket %v", c.a, c.b, !ok)
		}
	}
}

func TestLimiterForgetsTheLongestUnused(t *testing.T) {
	t.Parallel()
	l := web.NewLimiter(time.Hour, 1, 2)
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	for _, addr := range []netip.Addr{a, b, a, c} { // b is the longest unused when c comes
		l.Allow(addr)
	}
	if ok, _ := l.Allow(a); ok {
		t.Error("a was forgotten")
	}
	if ok, _ := l.Allow(b); !ok {
		t.Error("b was kept over the limit")
	}
	if ok, wait := web.NewLimiter(time.Hour, 0, 1).Allow(a); ok || wait <= 0 {
		t.Error("a burst of 0 lets somebody in")
	}
}

func TestLimitAnswers429ToPostsOnly(t *testing.T) {
	t.Parallel()
	l := web.NewLimiter(time.Hour, 1, 10)
	h := l.Limit(&web.Adapter{Log: quiet()})(page("in"))
	for i, want := range []int{200, 429, 429} {
		rec := do(h, postForm("/login", ""))
		if rec.Code != want {
			t.Errorf("POST %d: %d", i, rec.Code)
		}
		if want == 429 && rec.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if rec := do(h, get("/login")); rec.Code != 200 {
		t.Errorf("GET: %d", rec.Code)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	if rec := do(web.Healthz(), get("/healthz")); rec.Code != 200 || rec.Body.String() != "ok\n" {
		t.Errorf("healthz: %d %q", rec.Code, rec.Body)
	}
	log, lines := newLog()
	var down error
	h := web.Readyz(log, func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("a check without end")
		}
		return down
	})
	if rec := do(h, get("/readyz")); rec.Code != 200 || rec.Body.String() != "ready\n" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("readyz: %d %q", rec.Code, rec.Body)
	}
	down = errors.New("schema behind")
	if rec := do(h, get("/readyz")); rec.Code != 503 || rec.Body.String() != "not ready\n" || !strings.Contains(lines.String(), "schema behind") {
		t.Errorf("readyz: %d %q, log %s", rec.Code, rec.Body, lines)
	}
}

// A balancer that asks over a connection it already has learns that we are about to go.
func TestReadyzSaysThatWeStop(t *testing.T) {
	t.Parallel()
	stopSeen, answered := make(chan struct{}), make(chan int, 1)
	ready := web.Readyz(quiet(), func(context.Context) error { return nil })
	addr, stop := serve(t, &web.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(stopSeen)
		<-web.Stopping(r.Context())
		ready.ServeHTTP(w, r)
	})})
	go func() {
		res, err := http.Get("http://" + addr + "/")
		if err != nil {
			answered <- 0
			return
		}
		_ = res.Body.Close()
		answered <- res.StatusCode
	}()
	<-stopSeen
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := <-answered; got != 503 {
		t.Errorf("status %d", got)
	}
}
