package web_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/web"
)

// until is a feed that sends nothing and lasts as long as the stream.
func until(ctx context.Context, _ *web.Stream) error {
	<-ctx.Done()
	return ctx.Err()
}

const opening = "retry: 2000\nevent: stream-open\ndata:\n\n"

func TestStreamFormat(t *testing.T) {
	t.Parallel()
	var ss web.Streams
	rec := httptest.NewRecorder()
	err := ss.Serve(rec, get("/"), web.StreamOptions{}, func(ctx context.Context, st *web.Stream) error {
		for _, e := range [][2]string{
			{"", "<tr>\n<td>é</td>\r\n</tr>"}, {"saved", ""}, {"", "a\rdata: forged\r\rid: 1"},
		} {
			if err := st.Send(e[0], e[1]); err != nil {
				return err
			}
		}
		if st.Send("a\nb", "") == nil {
			t.Error("an event name with a line break was sent")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := opening + "data: <tr>\ndata: <td>é</td>\ndata: </tr>\n\n" + "event: saved\ndata: \n\n" +
		"data: a\ndata: data: forged\ndata: \ndata: id: 1\n\n"
	if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
		t.Error(diff)
	}
	h := rec.Header()
	if h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store, no-transform" || h.Get("X-Accel-Buffering") != "no" || !rec.Flushed {
		t.Errorf("headers %v, flushed %v", h, rec.Flushed)
	}
	if ss.Len() != 0 {
		t.Errorf("%d streams left", ss.Len())
	}
}

func TestStreamBeatsAndEndsWithItsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ss web.Streams
		start := time.Now()
		rec := httptest.NewRecorder()
		err := ss.Serve(rec, get("/"), web.StreamOptions{Alive: func(context.Context) bool { return time.Since(start) < 50*time.Second }}, until)
		if err != nil {
			t.Errorf("error %v", err)
		}
		if d := time.Since(start); d != 50*time.Second {
			t.Errorf("ended after %v", d)
		}
		want := opening + strings.Repeat(": beat\n\n", 3) + "event: session-ended\ndata: \n\n"
		if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStreamEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ss web.Streams
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := ss.Serve(httptest.NewRecorder(), get("/").WithContext(ctx), web.StreamOptions{}, until); err != nil {
			t.Errorf("error %v", err)
		}
	})
}

func TestStreamFeedsErrorAndPanics(t *testing.T) {
	t.Parallel()
	var ss web.Streams
	boom := errors.New("boom")
	err := ss.Serve(httptest.NewRecorder(), get("/"), web.StreamOptions{Key: "k"}, func(context.Context, *web.Stream) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
	log, lines := newLog()
	h := (&web.Adapter{Log: log}).Handle(func(w http.ResponseWriter, r *http.Request) error {
		return ss.Serve(w, r, web.StreamOptions{Key: "k"}, func(context.Context, *web.Stream) error { panic("feed") })
	})
	if !aborts(h, httptest.NewRecorder(), get("/")) || !strings.Contains(lines.String(), "sse_test.go") {
		t.Errorf("a feed's panic: %s", lines)
	}
	if ss.Len() != 0 {
		t.Errorf("%d streams left", ss.Len())
	}
	synctest.Test(t, func(t *testing.T) { // a panic beside the feed must not end the process
		var ss web.Streams
		err := ss.Serve(httptest.NewRecorder(), get("/"), web.StreamOptions{Alive: func(context.Context) bool { panic("check") }}, until)
		if err == nil || !strings.Contains(err.Error(), "panic") {
			t.Errorf("error %v", err)
		}
	})
}

func TestStreamLimits(t *testing.T) {
	t.Parallel()
	ss := &web.Streams{PerSession: 2, Total: 3}
	open := func(key string) (end func() error, refused error) {
		ctx, cancel := context.WithCancel(context.Background())
		begun, done := make(chan struct{}), make(chan error, 1)
		go func() {
			done <- ss.Serve(httptest.NewRecorder(), get("/").WithContext(ctx), web.StreamOptions{Key: key}, func(ctx context.Context, st *web.Stream) error {
				close(begun)
				return until(ctx, st)
			})
		}()
		select {
		case <-begun:
			return func() error { cancel(); return <-done }, nil
		case err := <-done:
			cancel()
			return nil, err
		}
	}
	expect := func(key string, status int) func() error {
		t.Helper()
		end, err := open(key)
		var kind *web.Error
		if status == 0 && err != nil || status != 0 && (!errors.As(err, &kind) || kind.Status != status || kind.RetryAfter <= 0) {
			t.Fatalf("stream of %q: %v", key, err)
		}
		return end
	}
	a1 := expect("a", 0)
	a2 := expect("a", 0)
	expect("a", 429)
	b1 := expect("b", 0)
	expect("c", 429)
	if ss.Len() != 3 {
		t.Errorf("%d open", ss.Len())
	}
	for _, end := range []func() error{a1, b1} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	a3 := expect("a", 0)
	for _, end := range []func() error{a2, a3} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	if ss.Len() != 0 {
		t.Errorf("%d left", ss.Len())
	}
}

// Over HTTP/2 a deadline that passes resets the stream even at rest, so the stream must outlive its write limit.
func TestStreamOverHTTP2OutlivesTheLimits(t *testing.T) {
	t.Parallel()
	ss := &web.Streams{WriteLimit: 250 * time.Millisecond, Heartbeat: 300 * time.Millisecond}
	var proto atomic.Int32
	srv := httptest.NewUnstartedServer(web.Gzip((&web.Adapter{Log: quiet()}).Handle(func(w http.ResponseWriter, r *http.Request) error {
		proto.Store(int32(r.ProtoMajor))
		return ss.Serve(w, r, web.StreamOptions{}, until)
	})))
	srv.EnableHTTP2 = true
	srv.Config.WriteTimeout = 250 * time.Millisecond
	srv.StartTLS()
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Encoding") != "" || proto.Load() != 2 {
		t.Errorf("encoding %q, protocol %d", res.Header.Get("Content-Encoding"), proto.Load())
	}
	beats := 0
	for lines := bufio.NewScanner(res.Body); beats < 3 && lines.Scan(); {
		if lines.Text() == ": beat" {
			beats++
		}
	}
	if beats != 3 {
		t.Errorf("the stream broke after %d beats", beats)
	}
}
