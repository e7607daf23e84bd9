package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"cotejo/web"
)

func TestAssets(t *testing.T) {
	t.Parallel()
	css := strings.Repeat("body { color: black }\n", 100)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(zw, "console.log(1)")
	_ = zw.Close()
	a, err := web.NewAssets(fstest.MapFS{
		"app.css":        {Data: []byte(css)},
		"app.js":         {Data: []byte("console.log(1)")},
		"app.js.gz":      {Data: zipped.Bytes()},
		"icons/logo.svg": {Data: []byte("<svg/>")},
		"favicon.ico":    {Data: []byte("ico")},
		"README":         {Data: []byte("placeholder")},
		"LEGAL.txt":      {Data: []byte("licence")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !a.Built() {
		t.Error("a bundle counts as not built")
	}
	h := web.SecurityHeaders(false)(web.Gzip(a))
	url := a.URL("app.css")
	if !regexp.MustCompile(`^/assets/app-[0-9a-f]{16}\.css$`).MatchString(url) || !strings.HasPrefix(a.URL("icons/logo.svg"), "/assets/icons/logo-") || a.URL("README") != "" {
		t.Errorf("addresses %q %q %q", url, a.URL("icons/logo.svg"), a.URL("README"))
	}
	const immutable = "public, max-age=31536000, immutable"
	cases := []struct {
		path, accept string
		status       int
		contentType  string
		cache        string
		encoding     string
		body         string
	}{
		{url, "", 200, "text/css; charset=utf-8", immutable, "", css},
		{url, "gzip", 200, "text/css; charset=utf-8", immutable, "gzip", css},
		{a.URL("app.js"), "gzip", 200, "text/javascript; charset=utf-8", immutable, "gzip", "console.log(1)"},
		{a.URL("icons/logo.svg"), "gzip", 200, "image/svg+xml", immutable, "", "<svg/>"},
		{"/assets/app.css", "", 200, "text/css; charset=utf-8", "no-cache", "", css},
		{"/assets/README", "", 404, "", "no-store", "", ""},
		{"/assets/app-0000000000000000.css", "", 404, "", "no-store", "", ""},
		{"/assets/../app.css", "", 404, "", "no-store", "", ""},
		{"/assets/", "", 404, "", "no-store", "", ""},
		{"/elsewhere", "", 404, "", "no-store", "", ""},
	}
	for _, c := range cases {
		rec := do(h, get(c.path, "Accept-Encoding", c.accept))
		hd := rec.Header()
		if rec.Code != c.status || hd.Get("Cache-Control") != c.cache || hd.Get("Content-Encoding") != c.encoding {
			t.Errorf("%s: %d %v", c.path, rec.Code, hd)
			continue
		}
		if c.status != 200 {
			continue
		}
		var in io.Reader = rec.Body
		if c.encoding == "gzip" {
			if in, err = gzip.NewReader(rec.Body); err != nil {
				t.Fatal(err)
			}
		}
		if body, _ := io.ReadAll(in); string(body) != c.body || hd.Get("Content-Type") != c.contentType {
			t.Errorf("%s: %q %q", c.path, hd.Get("Content-Type"), body)
		}
		again := do(h, get(c.path, "Accept-Encoding", c.accept, "If-None-Match", `"x", W/`+hd.Get("ETag")))
		if again.Code != 304 || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", c.path, again.Code)
		}
	}
	if zip, flat := do(h, get(url, "Accept-Encoding", "gzip")), do(h, get(url)); zip.Header().Get("ETag") == flat.Header().Get("ETag") || zip.Header().Get("Vary") != "Accept-Encoding" {
		t.Error("two encodings share an ETag")
	}
	head := get(url)
	head.Method = http.MethodHead
	if rec := do(h, head); rec.Code != 200 || rec.Body.Len() != 0 || rec.Header().Get("Content-Length") != "2200" {
		t.Errorf("HEAD: %d %v", rec.Code, rec.Header())
	}
	if rec := do(h, postForm(url, "")); rec.Code != 405 || rec.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", rec.Code)
	}
	if rec := do(a.File("favicon.ico"), get("/favicon.ico")); rec.Body.String() != "ico" || rec.Header().Get("Content-Type") != "image/x-icon" {
		t.Errorf("favicon: %d %v", rec.Code, rec.Header())
	}
	if rec := do(a.File("absent.ico"), get("/favicon.ico")); rec.Code != 404 {
		t.Errorf("absent file: %d", rec.Code)
	}
}

func TestAssetsAddressFollowsContent(t *testing.T) {
	t.Parallel()
	url := func(css string) string {
		a, err := web.NewAssets(fstest.MapFS{"app.css": {Data: []byte(css)}})
		if err != nil {
			t.Fatal(err)
		}
		return a.URL("app.css")
	}
	if first := url("a"); first == url("b") || first != url("a") {
		t.Error("the address does not follow the content")
	}
}

func TestPlaceholderIsNoBundle(t *testing.T) {
	t.Parallel()
	a, err := web.NewAssets(fstest.MapFS{"README": {Data: []byte("not built")}, "logo.svg": {Data: []byte("<svg/>")}})
	if err != nil || a.Built() || a.URL("app.css") != "" {
		t.Errorf("built %v, %q, %v", a.Built(), a.URL("app.css"), err)
	}
}
