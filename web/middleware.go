package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// RequestIDHeader carries our id of the exchange to the client, so that a person can quote it to support.
const RequestIDHeader = "X-Request-Id"

// RequestID gives each request a random id. One sent by the client is ignored: it would let a stranger write
// text of his choice into our logs, or make two requests look like one.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, ex := withExchange(r)
		ex.id = rand.Text()
		w.Header().Set(RequestIDHeader, ex.id)
		next.ServeHTTP(w, r)
	})
}

// Summary is what is known of a request when it is over. It holds nothing the client wrote.
type Summary struct {
	RequestID string
	Method    string // a method of RFC 9110 or PATCH, else OTHER
	Route     string // the mux pattern, "" when nothing matched
	Status    int
	Bytes     int64 // of body, as they left this layer
	Duration  time.Duration
	Actor     int64 // 0 for nobody
	Stream    bool
	Aborted   bool // the handler cut the connection on purpose
}

// Attrs returns the summary under the keys every request line uses.
func (s Summary) Attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", s.RequestID),
		slog.String("method", s.Method),
		slog.String("route", s.Route),
		slog.Int("status", s.Status),
		slog.Int64("bytes", s.Bytes),
		slog.Duration("duration", s.Duration),
		slog.Int64("actor", s.Actor),
	}
	if s.Stream {
		attrs = append(attrs, slog.Bool("stream", true))
	}
	if s.Aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	return attrs
}

// Log writes one line per request when it is over, and hands the same facts to the observers (metrics). Neither
// path nor query is in it: a path can carry an identifier a person typed; the route pattern cannot.
func Log(log *slog.Logger, observers ...func(Summary)) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, ex := withExchange(r)
			rec := &recorder{ResponseWriter: w}
			start := time.Now()
			finished := false
			// Deferred, not called, so that a request cut off by http.ErrAbortHandler has its line too.
			defer func() {
				ex.setRoute(r.Pattern)
				s := Summary{
					RequestID: ex.id, Method: methodName(r.Method), Status: rec.statusCode(), Bytes: rec.bytes,
					Duration: time.Since(start), Aborted: !finished,
				}
				s.Route, s.Actor, s.Stream = ex.read()
				log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelInfo, "request", s.Attrs()...)
				for _, observe := range observers {
					observe(s)
				}
			}()
			next.ServeHTTP(rec, r)
			finished = true
		})
	}
}

// methodName keeps a method a client made up out of logs and metric labels.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return m
	}
	return "OTHER"
}

// recorder notes what was answered. Unwrap lets http.ResponseController reach the connection below.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// began reports whether the final header has been written, after which no error page can be sent.
func (rec *recorder) began() bool { return rec.status != 0 }

func (rec *recorder) statusCode() int {
	if rec.status == 0 {
		return http.StatusOK // net/http answers so when a handler writes nothing
	}
	return rec.status
}

func (rec *recorder) WriteHeader(status int) {
	if !rec.began() && (status >= 200 || status == http.StatusSwitchingProtocols) {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(p []byte) (int, error) {
	if !rec.began() {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// FlushError sends what is buffered below, which begins the answer even without a body.
func (rec *recorder) FlushError() error {
	if !rec.began() {
		rec.status = http.StatusOK
	}
	return http.NewResponseController(rec.ResponseWriter).Flush()
}

// Flush is FlushError for callers that use the older http.Flusher.
func (rec *recorder) Flush() { _ = rec.FlushError() }

// CrossOrigin refuses state-changing requests that a browser says come from another site (OWASP ASVS 5.0, 3.5.1).
// publicURL's origin is trusted in addition, for the case that a proxy in front changes the Host header. It must
// wrap the whole browser mux, not single routes. refused answers them; nil gives a plain 403.
func CrossOrigin(publicURL string, refused http.Handler) (Middleware, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("web: the public URL has no scheme and host")
	}
	p := http.NewCrossOriginProtection()
	if err := p.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return nil, fmt.Errorf("web: trust the public origin: %w", err)
	}
	if refused != nil {
		p.SetDenyHandler(refused)
	}
	return p.Handler, nil
}

// MaxBody limits a request's body to n bytes; reading past it fails with *http.MaxBytesError, which Adapter
// answers with 413.
func MaxBody(n int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, n)
			next.ServeHTTP(w, r)
		})
	}
}

// Timeout bounds an ordinary page: its context ends after d, and the connection's reads and writes fail a little
// later, which leaves time for the error page. Nothing is buffered, unlike http.TimeoutHandler. It replaces the
// Server's default per-request limits, so a long download is given a larger d. Do not put a stream behind it.
func Timeout(d time.Duration) Middleware {
	const grace = 5 * time.Second
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			setDeadlines(w, time.Now().Add(d+grace))
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// setDeadlines limits both directions of the connection. Errors are left alone: they mean a writer without
// deadlines, such as a test's recorder, where no peer can be slow.
func setDeadlines(w http.ResponseWriter, t time.Time) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(t)
	_ = rc.SetWriteDeadline(t)
}
