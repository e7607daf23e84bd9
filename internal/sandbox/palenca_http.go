package sandbox

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// palenca is the table of contents of the v1 dialect.
func (s *Server) palenca(mux *http.ServeMux) {
	for pattern, h := range map[string]http.HandlerFunc{
		"POST /v1/users":                        s.createUser,
		"GET /v1/users/{id}":                    s.getUser,
		"DELETE /v1/users/{id}":                 s.deleteUser,
		"POST /v1/users/search":                 s.searchUsers,
		"GET /v1/users/{id}/accounts":           s.userAccounts,
		"POST /v1/users/{id}/accounts":          s.createAccount,
		"POST /v1/users/accounts":               s.createAccount,
		"POST /v1/accounts":                     s.createAccount,
		"GET /v1/accounts":                      s.accountsByGovID,
		"GET /v1/accounts/find-by-identifier":   s.accountByIdentifier,
		"GET /v1/accounts/{id}":                 s.getAccount,
		"DELETE /v1/accounts/{id}":              s.deleteAccount,
		"GET /v1/accounts/{id}/profile":         s.getProfile,
		"GET /v1/accounts/{id}/employment":      s.getEmployment,
		"GET /v1/accounts/{id}/logins":          s.accountLogins,
		"GET /v1/accounts/{id}/last-login":      s.lastLogin,
		"GET /v1/logins/{id}":                   s.getLogin,
		"POST /v1/accounts/{id}/retry":          s.rerun("platform_retry"),
		"POST /v1/accounts/{id}/refresh":        s.rerun("refresh"),
		"POST /v1/accounts/{id}/resend-webhook": s.resendAccount,
		"POST /v1/logins/{id}/send-webhook":     s.resendLogin,
		"POST /v1/webhooks":                     s.createWebhook,
		"GET /v1/webhooks":                      s.listWebhooks,
		"GET /v1/webhooks/{id}":                 s.getWebhook,
		"PUT /v1/webhooks/{id}":                 s.updateWebhook,
		"DELETE /v1/webhooks/{id}":              s.deleteWebhook,
		"GET /v1/widgets":                       s.listWidgets,
		"POST /v1/widgets":                      s.createWidget,
		"GET /v1/widgets/{id}":                  s.getWidget,
		"GET /v1/platforms/status":              s.platformStatus,
		"GET /v1/ping":                          s.ping,
		"GET /ping":                             s.ping,
		"/v1/":                                  s.unknownRoute,
	} {
		mux.Handle(pattern, s.palencaCall(h))
	}
}

// palencaCall is what every call of the dialect goes through, in the order in
// which the vendor's answers imply it: request id, key, rate, ordered faults.
func (s *Server) palencaCall(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", uuid.NewString())
		if r.URL.Path != "/ping" { // liveness needs no key
			key := r.Header.Get("x-api-key")
			if key == "" {
				fail(w, http.StatusUnauthorized, "missing_api_key", "The x-api-key header is missing")
				return
			}
			if subtle.ConstantTimeCompare([]byte(key), []byte(s.creds.APIKey)) != 1 {
				fail(w, http.StatusUnauthorized, "invalid_api_key", "The API key is not valid for this environment")
				return
			}
			if !s.admit(w) {
				return
			}
		}
		if f := s.takeFault(r); f != nil {
			s.failAsOrdered(w, r, f, next)
			return
		}
		if err := s.stateError(); err != nil {
			fail(w, http.StatusServiceUnavailable, "service_unavailable", "The sandbox cannot write its state")
			return
		}
		next(w, r)
	})
}

// stateError is not nil once a write has failed. From then on every call is
// refused: an answer would promise what a restart forgets.
func (s *Server) stateError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st.log.err
}

// rateWindow counts calls in fixed windows of a minute, as the vendor does:
// "until the next window".
type rateWindow struct {
	ends time.Time
	used int
}

// admit counts a call and writes the three headers of the vendor's rate
// limit; over it, it answers 429 and returns false.
func (s *Server) admit(w http.ResponseWriter) bool {
	s.mu.Lock()
	limit, now := s.rate(), s.now()
	if limit == 0 {
		s.mu.Unlock()
		return true
	}
	if !now.Before(s.window.ends) {
		s.window = rateWindow{ends: now.Add(time.Minute)}
	}
	s.window.used++
	used, ends := s.window.used, s.window.ends
	s.mu.Unlock()
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(limit-used, 0)))
	// Rounded up, so that a client that waits until then is let in.
	h.Set("X-RateLimit-Reset", strconv.FormatInt(ends.Add(time.Second-1).Unix(), 10))
	if used > limit {
		fail(w, http.StatusTooManyRequests, "too_many_requests", "Rate limit exceeded")
		return false
	}
	return true
}

// takeFault returns the ordered fault for this call and uses it up.
func (s *Server) takeFault(r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	sw := s.st.switches.get("all")
	f := sw.FailNext
	if f == nil || !f.matches(r) {
		return nil
	}
	if f.Times--; f.Times <= 0 {
		sw.FailNext = nil
	}
	s.st.switches.put("all", sw)
	_ = s.st.log.commit() // its error is kept and answered by palencaCall
	taken := *f
	s.cfg.Log.Info("ordered fault", "mode", cmp.Or(f.Mode, "status"), "status", f.Status, "left", f.Times)
	return &taken
}

// hangLimit ends a hanging call whose client never gives up.
const hangLimit = 2 * time.Minute

// failAsOrdered answers a call with an ordered fault.
func (s *Server) failAsOrdered(w http.ResponseWriter, r *http.Request, f *fault, next http.HandlerFunc) {
	if f.After {
		next(discard{http.Header{}}, r)
	}
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
	}
	if len(f.Body) > 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_, _ = w.Write(f.Body)
		return
	}
	code := f.Code
	if code == "" {
		code = map[int]string{401: "invalid_api_key", 403: "forbidden", 404: "not_found", 412: "recent_login_successful",
			422: "bad_request", 429: "too_many_requests", 504: "request_timeout"}[f.Status]
	}
	if code == "" {
		code = "service_unavailable"
	}
	fail(w, f.Status, code, "Ordered by the sandbox's switch fail_next")
}

// discard takes the answer that the client will not get.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// pagination counts pages from 1; no items make no pages.
type pagination struct {
	Page         int `json:"page"`
	ItemsPerPage int `json:"items_per_page"`
	TotalItems   int `json:"total_items"`
	TotalPages   int `json:"total_pages"`
}

type errorItem struct {
	Message  string `json:"message"`
	Location string `json:"location"`
}

// errorBody is the envelope's error; code is the part that programs read.
type errorBody struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Errors  []errorItem `json:"errors"`
}

// envelope is the frame of every answer; pagination is a sibling of data, and
// only there for lists and employment.
type envelope struct {
	Success    bool        `json:"success"`
	Error      *errorBody  `json:"error"`
	Data       any         `json:"data"`
	Pagination *pagination `json:"pagination,omitempty"`
}

func answer(w http.ResponseWriter, status int, data any) {
	writeJSON(w, status, envelope{Success: true, Data: data})
}

func answerPage(w http.ResponseWriter, data any, p pagination) {
	writeJSON(w, http.StatusOK, envelope{Success: true, Data: data, Pagination: &p})
}

func fail(w http.ResponseWriter, status int, code, message string, items ...errorItem) {
	if items == nil {
		items = []errorItem{}
	}
	writeJSON(w, status, envelope{Error: &errorBody{Code: code, Message: message, Errors: items}})
}

func notFound(w http.ResponseWriter, what string) {
	fail(w, http.StatusNotFound, "not_found", what+" not found")
}

// unknownRoute answers as the framework behind the vendor's API does, outside
// the envelope.
func (s *Server) unknownRoute(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, map[string]string{"detail": "Not Found"})
}

func (s *Server) ping(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "pong") }

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

// encode writes JSON as other languages do: & < > stay as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only types of this package come here, and they encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
