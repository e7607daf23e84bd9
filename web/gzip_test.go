package web_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"cotejo/web"
)

func TestGzip(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<p>uno dos tres</p>", 200)
	answer := func(contentType, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			for part := range strings.SplitSeq(body, "|") {
				_, _ = io.WriteString(w, part)
			}
		}
	}
	const html = "text/html; charset=utf-8"
	cases := map[string]struct {
		h      http.Handler
		accept []string
		zipped bool
		vary   string
	}{
		"page":            {answer(html, long, "Content-Length", "3800"), []string{"Accept-Encoding", "gzip, br"}, true, "Accept-Encoding"},
		"csv in parts":    {answer("text/csv", strings.Repeat("a,b\r\n|", 500)), []string{"Accept-Encoding", "deflate, gzip;q=0.5"}, true, "Accept-Encoding"},
		"short":           {answer(html, "<p>x</p>"), []string{"Accept-Encoding", "gzip"}, false, "Accept-Encoding"},
		"not wanted":      {answer(html, long), nil, false, "Accept-Encoding"},
		"refused":         {answer(html, long), []string{"Accept-Encoding", "gzip;q=0"}, false, "Accept-Encoding"},
		"refused, .000":   {answer(html, long), []string{"Accept-Encoding", "br, gzip; q=0.000"}, false, "Accept-Encoding"},
		"nonsense weight": {answer(html, long), []string{"Accept-Encoding", "gzip;q=x"}, false, "Accept-Encoding"},
		"image":           {answer("image/png", long), []string{"Accept-Encoding", "gzip"}, false, ""},
		"stream":          {answer("text/event-stream", long), []string{"Accept-Encoding", "gzip"}, false, ""},
		"no type":         {answer("", long), []string{"Accept-Encoding", "gzip"}, false, ""},
		"already":         {answer(html, long, "Content-Encoding", "br"), []string{"Accept-Encoding", "gzip"}, false, ""},
		"from elsewhere":  {answer(html, long), []string{"Accept-Encoding", "gzip", "Sec-Fetch-Site", "cross-site"}, false, "Accept-Encoding"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := do(c.h, get("/")).Body.String()
			rec := do(web.Gzip(c.h), get("/", c.accept...))
			got := rec.Body.String()
			if zipped := rec.Header().Get("Content-Encoding") == "gzip"; zipped != c.zipped {
				t.Fatalf("compressed %v", zipped)
			}
			if c.zipped {
				if len(got) >= len(want) || rec.Header().Get("Content-Length") != "" {
					t.Errorf("%d bytes of %d, header %v", len(got), len(want), rec.Header())
				}
				zr, err := gzip.NewReader(rec.Body)
				if err != nil {
					t.Fatal(err)
				}
				plain, err := io.ReadAll(zr)
				if err != nil {
					t.Fatal(err)
				}
				got = string(plain)
			}
			if got != want {
				t.Errorf("body differs: %d bytes, want %d", len(got), len(want))
			}
			if v := rec.Header().Get("Vary"); v != c.vary {
				t.Errorf("Vary %q", v)
			}
		})
	}
}

func TestGzipKeepsStatusAndEmptyBodies(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 204, 303, 304, 422} {
		rec := do(web.Gzip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			w.WriteHeader(500) // the first one counts
		})), get("/", "Accept-Encoding", "gzip"))
		if rec.Code != status || rec.Body.Len() != 0 || rec.Header().Get("Content-Encoding") != "" {
			t.Errorf("%d: %d %q", status, rec.Code, rec.Header())
		}
	}
	rec := do(web.Gzip(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), get("/", "Accept-Encoding", "gzip"))
	if rec.Code != 200 {
		t.Errorf("a silent handler: %d", rec.Code)
	}
}

func TestGzipPassesEarlyHints(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(web.Log(quiet())(web.Gzip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
	}))))
	defer srv.Close()
	hinted := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		hinted = code
		return nil
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if hinted != 103 || res.StatusCode != 202 {
		t.Errorf("hint %d, status %d", hinted, res.StatusCode)
	}
}

func TestGzipFlushesWhatIsThere(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	web.Gzip(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "a,b\r\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		zr, err := gzip.NewReader(strings.NewReader(rec.Body.String()))
		if err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 5)
		if _, err := io.ReadFull(zr, line); err != nil || string(line) != "a,b\r\n" {
			t.Errorf("after the flush: %q, %v", line, err)
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("hijack: %v", err)
		}
	})).ServeHTTP(rec, get("/", "Accept-Encoding", "gzip"))
	if !rec.Flushed {
		t.Error("not flushed")
	}
}

func TestGzipSendsNoHalfAnswer(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	h := web.Gzip((&web.Adapter{Log: quiet()}).Handle(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, strings.Repeat("a,b\r\n", 1000))
		return errors.New("row 1001")
	}))
	if !aborts(h, rec, get("/", "Accept-Encoding", "gzip")) {
		t.Error("not cut")
	}
	if zr, err := gzip.NewReader(rec.Body); err == nil {
		if _, err := io.ReadAll(zr); err == nil {
			t.Error("the half reads as a whole")
		}
	}
}
