package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"cotejo/web"
)

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestStopEndsStreamsAndFinishesRequests(t *testing.T) {
	t.Parallel()
	var streams web.Streams
	a := &web.Adapter{Log: quiet()}
	inPage, finish := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/live", a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return streams.Serve(w, r, web.StreamOptions{}, until)
	}))
	mux.Handle("/slow", a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		close(inPage)
		select {
		case <-finish:
		case <-r.Context().Done():
			return r.Context().Err()
		}
		_, err := io.WriteString(w, "finished")
		return err
	}))
	addr, stop := serve(t, &web.Server{Handler: mux})

	live, err := http.Get("http://" + addr + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	slow := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + addr + "/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		slow <- string(body)
	}()
	<-inPage
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	// The stream ends cleanly although the page is still under way.
	if body, err := io.ReadAll(live.Body); err != nil || !strings.HasPrefix(string(body), opening) {
		t.Errorf("stream: %q, %v", body, err)
	}
	close(finish)
	if got := <-slow; got != "finished" {
		t.Errorf("page under way: %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		t.Error("still listening")
	}
}

func TestStopCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	addr, stop := serve(t, &web.Server{
		ShutdownTimeout: 20 * time.Millisecond,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
			close(ended)
		}),
	})
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-begun
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop: %v", err)
	}
	<-ended
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, &web.Server{ReadHeaderTimeout: 30 * time.Millisecond, Handler: page("x")})
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	if _, err := bufio.NewReader(conn).ReadByte(); err != io.EOF {
		t.Errorf("a header without end: %v", err)
	}
}

func TestSlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	addr, _ := serve(t, &web.Server{RequestTimeout: 50 * time.Millisecond, Handler: a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		_, err := web.ParseForm(r, web.FormLimits{})
		return err
	})})
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\na=")
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a body without end: %v", err)
	}
}

func TestHugeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, &web.Server{Handler: page("x")})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Big", strings.Repeat("a", 64<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}

// Both deadlines of the request pass while the stream is open: neither its context nor its writes may end.
func TestStreamOutlivesTheRequestsLimits(t *testing.T) {
	t.Parallel()
	ss := &web.Streams{Heartbeat: 100 * time.Millisecond, WriteLimit: 5 * time.Second}
	addr, stop := serve(t, &web.Server{RequestTimeout: 250 * time.Millisecond, Handler: (&web.Adapter{Log: quiet()}).Handle(
		func(w http.ResponseWriter, r *http.Request) error { return ss.Serve(w, r, web.StreamOptions{}, until) })})
	res, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines, beats := bufio.NewScanner(res.Body), 0
	for beats < 5 && lines.Scan() {
		if lines.Text() == ": beat" {
			beats++
		}
	}
	if beats != 5 {
		t.Errorf("the stream broke after %d beats: %v", beats, lines.Err())
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// A client that reads nothing must not hold its stream's place for ever.
func TestStreamDropsAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	ss := &web.Streams{WriteLimit: 30 * time.Millisecond}
	over := make(chan error, 1)
	addr, _ := serve(t, &web.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		over <- ss.Serve(w, r, web.StreamOptions{}, func(ctx context.Context, st *web.Stream) error {
			for big := strings.Repeat("x", 1<<20); ; {
				if err := st.Send("", big); err != nil {
					return err
				}
			}
		})
	})})
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-over:
		if err != nil {
			t.Errorf("error %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("still writing")
	}
}

func TestTheNextRequestHasFreshLimits(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, &web.Server{RequestTimeout: 250 * time.Millisecond, Handler: page("x")})
	conn := dial(t, addr)
	in := bufio.NewReader(conn)
	begin := time.Now()
	for time.Since(begin) < 500*time.Millisecond { // well past the first request's deadline, on one connection
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("after %v: %v", time.Since(begin), err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
}

func TestServeReportsABrokenListener(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := (&web.Server{Handler: page("x"), Log: quiet()}).Serve(t.Context(), ln); err == nil {
		t.Error("no error")
	}
}
