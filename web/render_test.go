package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"cotejo/web"
)

func text(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	})
}

func TestRender(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	rec := do(a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return web.Render(w, r, http.StatusCreated, text("<p>á</p>"))
	}), get("/"))
	if rec.Code != 201 || rec.Body.String() != "<p>á</p>" {
		t.Errorf("%d %q", rec.Code, rec.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Length": "9", "Cache-Control": "no-store", "ETag": "",
		"Vary": "HX-Request, HX-Request-Type, HX-History-Restore-Request",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestRenderThatFailsHalfWayShowsNothing(t *testing.T) {
	t.Parallel()
	half := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "half a page")
		return errors.New("broken")
	})
	a := &web.Adapter{Log: quiet()}
	rec := do(a.Handle(func(w http.ResponseWriter, r *http.Request) error { return web.Render(w, r, 200, half) }), get("/"))
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "half") {
		t.Errorf("%d %q", rec.Code, rec.Body)
	}
	// The pooled buffer must come back empty.
	for range 10 {
		rec := do(a.Handle(func(w http.ResponseWriter, r *http.Request) error { return web.Invalid(w, r, text("whole")) }), get("/"))
		if rec.Code != 422 || rec.Body.String() != "whole" {
			t.Errorf("%d %q", rec.Code, rec.Body)
		}
	}
}

func TestIsPartial(t *testing.T) {
	t.Parallel()
	cases := []struct {
		header []string
		want   bool
	}{
		{nil, false},
		{[]string{"HX-Request", "true", "HX-Request-Type", "partial"}, true},
		{[]string{"HX-Request", "true"}, true},
		{[]string{"HX-Request", "true", "HX-Request-Type", "full"}, false},
		{[]string{"HX-Request", "true", "HX-Request-Type", "partial", "HX-History-Restore-Request", "true"}, false},
		{[]string{"HX-Request-Type", "partial"}, false},
	}
	for _, c := range cases {
		if got := web.IsPartial(get("/", c.header...)); got != c.want {
			t.Errorf("%v: %v", c.header, got)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	soft, full := web.Redirect303, web.RedirectFull
	cases := []struct {
		name     string
		redirect func(http.ResponseWriter, *http.Request, string) error
		htmx     bool
		path     string
		status   int
		header   string
	}{
		{"browser", soft, false, "/lookups/7?a=b#c", 303, "Location"},
		{"browser, full", full, false, "/", 303, "Location"},
		{"htmx", soft, true, "/lookups/7", 200, "HX-Location"},
		{"htmx, its own list syntax", soft, true, "/a,path:https://evil.example/", 200, "HX-Location"},
		{"htmx, full", full, true, "/login", 200, "HX-Redirect"},
		{"elsewhere", soft, false, "https://evil.example/", 500, ""},
		{"elsewhere, no scheme", soft, true, "//evil.example/", 500, ""},
	}
	for _, c := range cases {
		r := postForm("/", "")
		if c.htmx {
			r.Header.Set("HX-Request", "true")
		}
		rec := do(a.Handle(func(w http.ResponseWriter, r *http.Request) error { return c.redirect(w, r, c.path) }), r)
		if rec.Code != c.status {
			t.Errorf("%s: status %d", c.name, rec.Code)
		}
		for _, name := range []string{"Location", "HX-Location", "HX-Redirect"} {
			want := ""
			if name == c.header {
				want = c.path
			}
			if want != "" && name == "HX-Location" {
				want = `{"path":"` + c.path + `"}`
			}
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", c.name, name, got, want)
			}
		}
		if c.status != 500 && (rec.Body.Len() != 0 || !strings.Contains(rec.Header().Get("Vary"), "HX-Request")) {
			t.Errorf("%s: body %q, headers %v", c.name, rec.Body, rec.Header())
		}
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"/", "/lookups", "/a//b", "/a?next=https://x", "/a#b", "/%C3%B1"} {
		if !web.LocalPath(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", "a", "//x", "/\\x", "\\\\x", "/\t/x", "/\n", "http://x", "javascript:alert(1)", " /", "/ñ", "/a b", "/%zz", "/\x7f"} {
		if web.LocalPath(s) {
			t.Errorf("%q passes", s)
		}
	}
}
