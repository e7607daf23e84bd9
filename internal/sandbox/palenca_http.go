package sandbox

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"net/http"

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
			if !s.admit(w, palenca) {
				fail(w, http.StatusTooManyRequests, "too_many_requests", "Rate limit exceeded")
				return
			}
		}
		if f := s.takeFault(r, palenca); f != nil {
			s.failAsOrdered(w, r, f, next)
			return
		}
		if err := s.stateError(); err != nil {
			fail(w, http.StatusServiceUnavailable, "service_unavailable", "The sandbox cannot write its state")
			return
		}
		if f := s.accountRewriting(r); f != nil {
			s.failAsOrdered(w, r, f, next)
			return
		}
		next(w, r)
	})
}

// accountRewriting is for reads of an account that belongs to a person of an ugly case.
func (s *Server) accountRewriting(r *http.Request) *fault {
	if r.Method != http.MethodGet || r.PathValue("id") == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.st.accounts.get(r.PathValue("id")); a != nil {
		return personRewriting(a.Identifier)
	}
	return nil
}

// stateError is not nil once a write has failed. From then on every call is
// refused: an answer would promise what a restart forgets.
func (s *Server) stateError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st.log.err
}

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
