package web_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"cotejo/web"
)

// The whole stack over a real connection, as a product puts it together.
func TestWholeChain(t *testing.T) {
	t.Parallel()
	log, lines := newLog()
	a := &web.Adapter{Log: log}
	ss := web.NewSessions(newRecords(), web.SessionConfig{Name: "cotejo"})
	streams := &web.Streams{Check: 20 * time.Millisecond}
	mux := http.NewServeMux()
	handle := func(pattern string, h web.Handler) { mux.Handle(pattern, a.Handle(h)) }
	handle("POST /login", func(w http.ResponseWriter, r *http.Request) error {
		f, err := web.ParseForm(r, web.FormLimits{})
		if err != nil {
			return err
		}
		if f.Raw("password") != " right " {
			return web.Invalid(w, r, text("<p>wrong</p>"))
		}
		if err := ss.Rotate(w, r, 7); err != nil {
			return err
		}
		return web.Redirect303(w, r, "/page")
	})
	handle("POST /logout", func(w http.ResponseWriter, r *http.Request) error {
		if err := ss.End(w, r); err != nil {
			return err
		}
		return web.RedirectFull(w, r, "/page")
	})
	handle("GET /page", func(w http.ResponseWriter, r *http.Request) error {
		if ss.Current(r).UserID == 0 {
			return web.Render(w, r, 200, text("stranger"))
		}
		return web.Render(w, r, 200, text(strings.Repeat("<p>member</p>", 500)))
	})
	handle("GET /live", func(w http.ResponseWriter, r *http.Request) error {
		if ss.Current(r).UserID == 0 {
			return web.Unauthorized(errors.New("stream without a session"))
		}
		return streams.Serve(w, r, web.StreamOptions{Key: string(ss.Hash(r)), Alive: ss.Alive(r)}, until)
	})
	cross, err := web.CrossOrigin("http://cotejo.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	h := web.Chain(a.Mux(mux), web.RequestID, web.RemoteAddr(nil), web.Log(log), web.SecurityHeaders(false), a.Recover,
		cross, web.Gzip, web.MaxBody(1<<16), ss.Attach(a))
	addr, stop := serve(t, &web.Server{Handler: h, Log: log})

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	base := "http://" + addr
	post := func(path, password string) (int, string) {
		t.Helper()
		res, err := client.PostForm(base+path, url.Values{"password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if status, body := post("/login", "right"); status != 422 || body != "<p>wrong</p>" {
		t.Errorf("wrong password: %d %q", status, body)
	}
	if res, err := client.Get(base + "/live"); err != nil || res.StatusCode != 401 {
		t.Errorf("a stream for a stranger: %v %v", res, err)
	}
	// The client follows the 303, and takes off the compression, by itself.
	if status, body := post("/login", " right "); status != 200 || strings.Count(body, "member") != 500 {
		t.Errorf("sign-in: %d, %d bytes", status, len(body))
	}
	live, err := client.Get(base + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	if status, body := post("/logout", ""); status != 200 || body != "stranger" {
		t.Errorf("sign-out: %d %.40q", status, body)
	}
	var events []string
	for in := bufio.NewScanner(live.Body); in.Scan(); {
		if name, ok := strings.CutPrefix(in.Text(), "event: "); ok {
			events = append(events, name)
		}
	}
	if got := strings.Join(events, " "); got != "stream-open session-ended" {
		t.Errorf("the stream of a session that ended: %q", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	out := lines.String()
	for _, want := range []string{`route="GET /live" status=200`, "stream=true", "actor=7", `route="POST /login" status=303`} {
		if !strings.Contains(out, want) {
			t.Errorf("the log lacks %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "right") {
		t.Error("a password is in the log")
	}
}
