package handlers_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"cotejo/internal/auth"
)

// browser keeps cookies and follows no redirect, so that each answer can be looked at.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
	user auth.User
}

func (c *console) stranger() *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &browser{t: c.t, base: c.site.URL, http: &http.Client{Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a new user of a role, signed in.
func (c *console) as(role auth.Role) *browser {
	c.t.Helper()
	b := c.stranger()
	b.user = c.add(string(role)+"@example.mx", role)
	b.signIn(b.user.Email, password).want(http.StatusSeeOther)
	return b
}

func (b *browser) signIn(email, password string) *reply {
	b.t.Helper()
	return b.post("/login", url.Values{"email": {email}, "password": {password}})
}

func (b *browser) get(path string, headers ...string) *reply {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil, headers...)
}

func (b *browser) post(path string, form url.Values, headers ...string) *reply {
	b.t.Helper()
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func (b *browser) do(method, path string, body io.Reader, headers ...string) *reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &reply{t: b.t, what: method + " " + path, status: res.StatusCode, header: res.Header, body: string(text)}
}

// cookie gives the value of the session's cookie.
func (b *browser) cookie() string {
	u, _ := url.Parse(b.base)
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == "cotejo" {
			return c.Value
		}
	}
	return ""
}

// reply is an answer, read whole.
type reply struct {
	t          *testing.T
	what, body string
	status     int
	header     http.Header
	parsed     *goquery.Document
}

func (r *reply) want(status int) *reply {
	r.t.Helper()
	if r.status != status {
		r.t.Errorf("%s: status %d, want %d\n%s", r.what, r.status, status, shorten(r.body))
	}
	return r
}

// to wants a redirect after a form.
func (r *reply) to(location string) *reply {
	r.t.Helper()
	r.want(http.StatusSeeOther)
	if got := r.header.Get("Location"); got != location {
		r.t.Errorf("%s: leads to %q, want %q", r.what, got, location)
	}
	return r
}

func (r *reply) has(parts ...string) *reply {
	r.t.Helper()
	text := r.body
	if strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		text += "\n" + r.doc().Text()
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			r.t.Errorf("%s: no %q in the answer\n%s", r.what, part, shorten(r.body))
		}
	}
	return r
}

func (r *reply) lacks(parts ...string) *reply {
	r.t.Helper()
	for _, part := range parts {
		if strings.Contains(r.body, part) {
			r.t.Errorf("%s: %q is in the answer", r.what, part)
		}
	}
	return r
}

func (r *reply) doc() *goquery.Document {
	r.t.Helper()
	if r.parsed == nil {
		var err error
		if r.parsed, err = goquery.NewDocumentFromReader(strings.NewReader(r.body)); err != nil {
			r.t.Fatal(err)
		}
	}
	return r.parsed
}

// count wants a number of elements.
func (r *reply) count(selector string, want int) *reply {
	r.t.Helper()
	if got := r.doc().Find(selector).Length(); got != want {
		r.t.Errorf("%s: %d elements %s, want %d", r.what, got, selector, want)
	}
	return r
}

func (r *reply) attr(selector, name string) string {
	r.t.Helper()
	v, ok := r.doc().Find(selector).First().Attr(name)
	if !ok {
		r.t.Errorf("%s: no %s with %s", r.what, selector, name)
	}
	return v
}

func shorten(body string) string { return body[:min(len(body), 600)] }
