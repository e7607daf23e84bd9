package web

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// gzipMinSize is the body size under which compressing costs more than it saves.
const gzipMinSize = 1024

// 2 takes half the time of 5 on our pages, and a third of the default's, for a tenth more bytes.
var gzipWriters = sync.Pool{New: func() any {
	zw, _ := gzip.NewWriterLevel(io.Discard, 2)
	return zw
}}

// Gzip compresses pages, scripts, styles and CSV files for clients that accept it. Event streams are left alone.
//
// On BREACH (a secret in a compressed page guessed by its length): our pages hold no anti-CSRF token or other
// credential to guess, because forgery is stopped by CrossOrigin. They do hold personal data, so an answer to a
// request that another site made the browser send is never compressed.
func Gzip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || r.Header.Get("Sec-Fetch-Site") == "cross-site" || !acceptsGzip(r.Header) {
			next.ServeHTTP(&varyWriter{ResponseWriter: w}, r)
			return
		}
		gw := &gzipWriter{ResponseWriter: w}
		next.ServeHTTP(gw, r)
		// Not deferred: a handler that panicked must not have its beginning sent as a whole answer.
		gw.close()
	})
}

func acceptsGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			q, found := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
			if !found {
				return true
			}
			v, err := strconv.ParseFloat(q, 64)
			return err == nil && v > 0
		}
	}
	return false
}

func compressible(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch t {
	case "text/html", "text/css", "text/csv", "text/plain", "text/javascript", "application/json", "image/svg+xml":
		return true
	}
	return false
}

// varyWriter tells caches that another client would have got another encoding.
type varyWriter struct {
	http.ResponseWriter
	done bool
}

func (v *varyWriter) Unwrap() http.ResponseWriter { return v.ResponseWriter }

func (v *varyWriter) vary() {
	if h := v.Header(); !v.done && compressible(h.Get("Content-Type")) {
		h.Add("Vary", "Accept-Encoding")
	}
	v.done = true
}

func (v *varyWriter) WriteHeader(status int) {
	if status >= 200 {
		v.vary()
	}
	v.ResponseWriter.WriteHeader(status)
}

func (v *varyWriter) Write(p []byte) (int, error) {
	v.vary()
	return v.ResponseWriter.Write(p)
}

// gzipWriter holds back the first gzipMinSize bytes and then decides once.
type gzipWriter struct {
	http.ResponseWriter
	status  int // 0 before WriteHeader
	held    []byte
	decided bool
	zw      *gzip.Writer // nil when the body goes out as it is
}

func (g *gzipWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (g *gzipWriter) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	if g.status == 0 {
		g.status = status
	}
}

func (g *gzipWriter) Write(p []byte) (int, error) {
	if g.status == 0 {
		g.status = http.StatusOK
	}
	if !g.decided {
		if len(g.held)+len(p) < gzipMinSize && g.mayCompress() {
			g.held = append(g.held, p...)
			return len(p), nil
		}
		if err := g.decide(true); err != nil {
			return 0, err
		}
	}
	return g.out(p)
}

func (g *gzipWriter) out(p []byte) (int, error) {
	if g.zw != nil {
		return g.zw.Write(p)
	}
	return g.ResponseWriter.Write(p)
}

func (g *gzipWriter) mayCompress() bool {
	h := g.Header()
	switch g.status {
	case http.StatusNoContent, http.StatusNotModified, http.StatusPartialContent:
		return false
	}
	return h.Get("Content-Encoding") == "" && compressible(h.Get("Content-Type"))
}

// decide writes the header and what was held back; long says that the body is worth compressing.
func (g *gzipWriter) decide(long bool) error {
	g.decided = true
	h := g.Header()
	if compressible(h.Get("Content-Type")) && h.Get("Content-Encoding") == "" {
		h.Add("Vary", "Accept-Encoding")
	}
	if long && g.mayCompress() {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		g.zw = gzipWriters.Get().(*gzip.Writer)
		g.zw.Reset(g.ResponseWriter)
	}
	if g.status == 0 {
		g.status = http.StatusOK
	}
	g.ResponseWriter.WriteHeader(g.status)
	if len(g.held) == 0 {
		return nil
	}
	_, err := g.out(g.held)
	g.held = nil
	return err
}

// FlushError sends what there is, so that a long export shows its progress.
func (g *gzipWriter) FlushError() error {
	if !g.decided {
		if err := g.decide(true); err != nil {
			return err
		}
	}
	if g.zw != nil {
		if err := g.zw.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// Flush is FlushError for callers that use the older http.Flusher.
func (g *gzipWriter) Flush() { _ = g.FlushError() }

// Hijack is refused: the bytes held back here would be lost.
func (g *gzipWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.ErrUnsupported
}

func (g *gzipWriter) close() {
	if !g.decided {
		if g.status == 0 {
			return // nothing was answered; net/http does it
		}
		_ = g.decide(false) // the client is gone; the handler has nobody left to tell
	}
	if g.zw != nil {
		_ = g.zw.Close()
		g.zw.Reset(io.Discard) // do not keep the connection alive from the pool
		gzipWriters.Put(g.zw)
		g.zw = nil
	}
}
