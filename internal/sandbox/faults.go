package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fault is what the next calls get instead of an answer.
type fault struct {
	Dialect string          `json:"dialect,omitempty"` // "" = both
	Route   string          `json:"route"`             // "POST /v1/users/accounts" or "/v1": method optional, path a prefix; "" = every vendor route
	Times   int             `json:"times"`             // calls left
	Mode    string          `json:"mode"`              // "status" (default), "cut" the connection, "half" an answer, "hang" until the client gives up, "redirect", "rewrite"
	Status  int             `json:"status"`            // for mode status; for redirect 307 unless given
	Code    string          `json:"code"`              // error code of the envelope; "" = the one that fits status
	Body    json.RawMessage `json:"body"`              // instead of the envelope
	After   bool            `json:"after"`             // carry the call out first: the client cannot know that it worked
	Reset   *span           `json:"reset,omitempty"`   // the rate limit's headers, with this time to wait
	NoReset bool            `json:"no_reset,omitempty"`
	Rewrite string          `json:"rewrite,omitempty"` // for mode rewrite: a key of rewritings
}

// matches compares with the path as called; a prefix also takes what follows.
func (f *fault) matches(r *http.Request, dialect string) bool {
	method, path, found := strings.Cut(f.Route, " ")
	if !found {
		method, path = "", f.Route
	}
	return (f.Dialect == "" || f.Dialect == dialect) && (method == "" || method == r.Method) && strings.HasPrefix(r.URL.Path, path)
}

func (f *fault) check() error {
	switch f.Mode {
	case "", "status":
		if f.Status < 200 || f.Status > 599 {
			return fmt.Errorf("fail_next.status: %d is not 200-599", f.Status)
		}
	case "redirect":
		if f.Status != 0 && (f.Status < 300 || f.Status > 399) {
			return fmt.Errorf("fail_next.status: %d is not 300-399", f.Status)
		}
	case "rewrite":
		if rewritings[f.Rewrite] == nil {
			return fmt.Errorf("fail_next.rewrite: %q is not known", f.Rewrite)
		}
	case "cut", "half", "hang":
	default:
		return fmt.Errorf("fail_next.mode: %q is not status, cut, half, hang, redirect or rewrite", f.Mode)
	}
	if f.Dialect != "" && f.Dialect != palenca && f.Dialect != buro {
		return fmt.Errorf("fail_next.dialect: %q is not palenca or buro", f.Dialect)
	}
	if f.Times < 0 {
		return fmt.Errorf("fail_next.times: %d", f.Times)
	}
	if f.Times == 0 {
		f.Times = 1
	}
	return nil
}

// takeFault returns the ordered fault for this call and uses it up: what
// fail_next says first, then the cases ordered by name.
func (s *Server) takeFault(r *http.Request, dialect string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	sw := s.st.switches.get("all")
	f := sw.FailNext
	if f == nil || !f.matches(r, dialect) {
		o := s.takeOrder(dialect, func(c *uglyCase, o uglyOrder) bool {
			return c.stage == onCall && c.faultIn(dialect, o.Route).matches(r, dialect)
		})
		if o == nil {
			return nil
		}
		_ = s.st.log.commit() // its error is kept and answered by every later call
		f = caseIn(o.Case, dialect).faultIn(dialect, o.Route)
		s.cfg.Log.Info("ordered fault", "case", o.Case, "mode", cmp.Or(f.Mode, "status"), "status", f.Status)
		return f
	}
	if f.Times--; f.Times <= 0 {
		sw.FailNext = nil
	}
	s.st.switches.put("all", sw)
	_ = s.st.log.commit()
	taken := *f
	s.cfg.Log.Info("ordered fault", "mode", cmp.Or(f.Mode, "status"), "status", f.Status, "left", f.Times)
	return &taken
}

// hangLimit ends a hanging call whose client never gives up.
const hangLimit = 2 * time.Minute

// failAsOrdered answers a call with an ordered fault.
func (s *Server) failAsOrdered(w http.ResponseWriter, r *http.Request, f *fault, next http.HandlerFunc) {
	if f.After {
		next(&tape{}, r)
	}
	f.rateHeaders(w.Header(), s.now())
	switch f.Mode {
	case "hang":
		// Only after its body is read does net/http notice that a client left.
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
		t := time.NewTimer(hangLimit)
		defer t.Stop()
		select {
		case <-r.Context().Done():
		case <-t.C:
		}
		panic(http.ErrAbortHandler)
	case "cut":
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	case "half":
		s.half(w, r, next)
	case "redirect":
		w.Header().Set("Location", s.base(r.Host)+"/_sandbox/redirected")
		w.WriteHeader(cmp.Or(f.Status, http.StatusTemporaryRedirect))
		return
	case "rewrite":
		t := &tape{}
		next(t, r)
		t.play(w, []byte(rewritings[f.Rewrite](t.body.String())))
		return
	}
	if len(f.Body) > 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_, _ = w.Write(f.Body)
		return
	}
	const message = "Ordered at the sandbox"
	if s.speaks(r) == buro {
		buroFail(w, f.Status, cmp.Or(f.Code, buroCodes[f.Status], "internal_error"), message)
		return
	}
	code := map[int]string{401: "invalid_api_key", 403: "forbidden", 404: "not_found", 412: "recent_login_successful",
		422: "bad_request", 429: "too_many_requests", 504: "request_timeout"}[f.Status]
	fail(w, f.Status, cmp.Or(f.Code, code, "service_unavailable"), message)
}

// speaks tells the dialect of a call by its path, the way the mux does.
func (s *Server) speaks(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/v1/") || r.URL.Path == "/ping" {
		return palenca
	}
	return buro
}

// base is the address of the links handed out: as configured, or the one that
// the sandbox was called by.
func (s *Server) base(host string) string { return cmp.Or(s.cfg.BaseURL, "http://"+host) }

func (f *fault) rateHeaders(h http.Header, now time.Time) {
	if f.NoReset {
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			h.Del(name)
		}
	}
	if f.Reset != nil {
		h.Set("X-RateLimit-Limit", "120")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(time.Duration(*f.Reset)+time.Second-1).Unix(), 10))
	}
}

// half announces the whole answer, sends its first half and closes.
func (s *Server) half(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	t := &tape{}
	next(t, r)
	whole := t.body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
	t.play(w, whole[:len(whole)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// tape takes an answer so that it can be lost, cut or changed.
type tape struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (t *tape) Header() http.Header {
	if t.header == nil {
		t.header = http.Header{}
	}
	return t.header
}

func (t *tape) Write(b []byte) (int, error) { return t.body.Write(b) }
func (t *tape) WriteHeader(status int)      { t.status = status }

// play sends what was taken, with another body.
func (t *tape) play(w http.ResponseWriter, body []byte) {
	for name, values := range t.header {
		w.Header()[name] = values
	}
	w.WriteHeader(cmp.Or(t.status, http.StatusOK))
	_, _ = w.Write(body)
}

// redirected is where an ordered redirect leads. A client that comes here has
// followed it, with its key; that is worth a notice.
func (s *Server) redirected(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.notify("redirect_followed", "", "")
	_ = s.st.log.commit()
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"redirected": true})
}

// rateWindow counts calls in fixed windows of a minute, as the vendor does:
// "until the next window".
type rateWindow struct {
	ends time.Time
	used int
}

// admit counts a call and writes the three headers of the vendor's rate
// limit; over it, it returns false, and the caller answers 429.
func (s *Server) admit(w http.ResponseWriter, dialect string) bool {
	s.mu.Lock()
	limit, now, window := s.rate(), s.now(), s.windows[dialect]
	if limit == 0 {
		s.mu.Unlock()
		return true
	}
	if !now.Before(window.ends) {
		*window = rateWindow{ends: now.Add(time.Minute)}
	}
	window.used++
	used, ends := window.used, window.ends
	s.mu.Unlock()
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(limit-used, 0)))
	// Rounded up, so that a client that waits until then is let in.
	h.Set("X-RateLimit-Reset", strconv.FormatInt(ends.Add(time.Second-1).Unix(), 10))
	return used <= limit
}
