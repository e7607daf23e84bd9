package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

var pageBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffer is the size above which a buffer is left to the collector rather than kept for the next page.
const keepBuffer = 1 << 20

// Render renders component and then answers with it, so that a failure half-way is a clean 500. Pages hold
// personal data: they have no ETag and are stored nowhere.
func Render(w http.ResponseWriter, r *http.Request, status int, component templ.Component) error {
	buf := pageBuffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keepBuffer {
			buf.Reset()
			pageBuffers.Put(buf)
		}
	}()
	if err := component.Render(r.Context(), buf); err != nil {
		return fmt.Errorf("web: render: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	h.Set("Cache-Control", "no-store")
	varyHTMX(h)
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes()) // the client is gone; no page can tell him
	return nil
}

// Invalid shows a form again with its errors: 422 and the same component (htmx 4 swaps a 422 as it does a 200).
func Invalid(w http.ResponseWriter, r *http.Request, component templ.Component) error {
	return Render(w, r, http.StatusUnprocessableEntity, component)
}

// varyHTMX keeps a fragment from being shown as the page of the same address, by a cache or the back button.
func varyHTMX(h http.Header) {
	for _, line := range h.Values("Vary") {
		if strings.Contains(line, "HX-Request") {
			return
		}
	}
	h.Add("Vary", "HX-Request, HX-Request-Type, HX-History-Restore-Request")
}

// IsPartial reports whether htmx wants a fragment. A boosted link, a request that targets the body or selects from
// the answer (HX-Request-Type: full) and one that restores history need the whole page.
func IsPartial(r *http.Request) bool {
	h := r.Header
	return h.Get("HX-Request") == "true" && h.Get("HX-Request-Type") != "full" && h.Get("HX-History-Restore-Request") != "true"
}

// Redirect303 sends the browser to path, a page of ours, after a POST. fetch would follow a 303 with the headers of
// the first request, and htmx would put a whole page into a fragment's place: htmx is answered 200 with HX-Location
// instead, which loads path into the body and into the address bar (its headers count on 2xx only).
func Redirect303(w http.ResponseWriter, r *http.Request, path string) error {
	return redirect(w, r, path, "HX-Location")
}

// RedirectFull is Redirect303 with a full load of the page under htmx too: after sign-in, sign-out or a change of
// language, when nothing of the page at hand may stay.
func RedirectFull(w http.ResponseWriter, r *http.Request, path string) error {
	return redirect(w, r, path, "HX-Redirect")
}

func redirect(w http.ResponseWriter, r *http.Request, path, htmxHeader string) error {
	if !LocalPath(path) {
		return fmt.Errorf("web: redirect to what is not a path of ours")
	}
	varyHTMX(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("HX-Request") == "true" {
		value := path
		if htmxHeader == "HX-Location" {
			// As JSON: htmx reads other text as a list of settings, where "/a,path:https://b" means b.
			quoted, err := json.Marshal(map[string]string{"path": path})
			if err != nil {
				return fmt.Errorf("web: redirect: %w", err)
			}
			value = string(quoted)
		}
		w.Header().Set(htmxHeader, value)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	// Not http.Redirect: its body repeats the address.
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// LocalPath reports whether s is a path on this host, fit for a redirect to a place the client named (OWASP ASVS
// 5.0, 3.7.2): it begins with one slash, names no host, and holds nothing a browser reads as something else.
func LocalPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c == '\\' || c >= 0x7f {
			return false // browsers drop tabs and read a backslash as a slash
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil
}
