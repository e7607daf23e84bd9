package sandbox

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler returns the whole sandbox: each dialect at the vendor's own paths,
// and under /_sandbox/ what the vendor does not have.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.palenca(mux)
	s.buro(mux)
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /_sandbox/settings":              s.getSettings,
		"POST /_sandbox/settings":             s.setSettings,
		"DELETE /_sandbox/settings":           s.resetSettings,
		"GET /_sandbox/people":                s.listPeople,
		"GET /_sandbox/deliveries":            s.listDeliveries,
		"GET /_sandbox/extractions":           s.listExtractions,
		"POST /_sandbox/accounts/{id}/events": s.emitByHand,
		"GET /_sandbox/ugly":                  s.listUgly,
		"POST /_sandbox/ugly":                 s.orderUgly,
		"DELETE /_sandbox/ugly":               s.clearUgly,
		"GET /_sandbox/notices":               s.listNotices,
	} {
		mux.Handle(pattern, s.withKey(h))
	}
	mux.HandleFunc("GET /_sandbox/{$}", s.card)
	mux.HandleFunc("GET /_sandbox/files/{id}/{name}", s.file)
	mux.HandleFunc("/_sandbox/redirected", s.redirected)
	return s.logged(mux)
}

// logged writes one line a call, with the pattern instead of the path: query
// strings here carry CURPs.
func (s *Server) logged(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		seen := &statusWriter{ResponseWriter: w} // stays 0 for a call that was cut
		began := time.Now()
		defer func() {
			s.cfg.Log.Info("sandbox call", "route", pattern, "status", seen.status, "duration", time.Since(began))
		}()
		mux.ServeHTTP(seen, r)
	})
}

// statusWriter remembers the status for the log. It hides http.Flusher and the
// like: no route here streams, and the one fault that must send half an answer
// reaches them through Unwrap.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// withKey guards the sandbox's own routes, by the key of either dialect. They
// neither count towards the rate nor meet ordered faults: the hand on the
// switches must always get through.
func (s *Server) withKey(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := []byte(r.Header.Get("x-api-key"))
		if subtle.ConstantTimeCompare(key, []byte(s.creds.APIKey))|subtle.ConstantTimeCompare(key, []byte(s.creds.BuroKey)) != 1 {
			fail(w, http.StatusUnauthorized, "invalid_api_key", "The sandbox's own routes need its API key in x-api-key")
			return
		}
		next(w, r)
	})
}

// card says who answers here; see Probe. It is the one route without a key.
func (s *Server) card(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"cotejo_sandbox": true, "instance": s.creds.Instance, "dialects": []string{palenca, buro}})
}

func (s *Server) getSettings(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answerSettings(w)
}

// answerSettings shows the switches and, beside them, what applies now.
func (s *Server) answerSettings(w http.ResponseWriter) {
	if err := s.st.log.commit(); err != nil {
		fail(w, http.StatusServiceUnavailable, "service_unavailable", "The sandbox cannot write its state")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"switches":  s.st.switches.get("all"),
		"in_effect": map[string]any{"delay": span(s.delay()), "retry_gap": span(s.retryGap()), "rate": s.rate()},
	})
}

// setSettings changes the switches that the body names and leaves the others.
// Here, unlike at the vendor's routes, an unknown name is an error: a switch
// with a typing mistake would test nothing.
func (s *Server) setSettings(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sw := *s.st.switches.get("all")
	sw.EventDelay, sw.FailNext, sw.Ugly, sw.Storm = nil, nil, nil, nil // given anew as a whole, or kept
	given := map[string]json.RawMessage{}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err = json.Unmarshal(body, &given); err == nil {
		err = dec.Decode(&sw)
	}
	if err == nil {
		err = sw.check()
	}
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, "bad_request", err.Error())
		return
	}
	if _, ok := given["event_delay"]; !ok {
		sw.EventDelay = s.st.switches.get("all").EventDelay
	}
	if _, ok := given["fail_next"]; !ok {
		sw.FailNext = s.st.switches.get("all").FailNext
	}
	if _, ok := given["ugly"]; !ok {
		sw.Ugly = s.st.switches.get("all").Ugly
	}
	if _, ok := given["storm"]; !ok {
		sw.Storm = s.st.switches.get("all").Storm
	}
	s.st.switches.put("all", &sw)
	s.answerSettings(w)
}

func (s *Server) resetSettings(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.switches.put("all", &switches{})
	s.answerSettings(w)
}

// listDeliveries shows deliveries with their attempts, newest first; query:
// account_id (for Buró the verification's id), dialect, limit (100).
func (s *Server) listDeliveries(w http.ResponseWriter, r *http.Request) {
	account, dialect := r.URL.Query().Get("account_id"), r.URL.Query().Get("dialect")
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = 100
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := sorted(s.st.deliveries, func(d *delivery) int { return -d.Seq }, func(d *delivery) bool {
		return (account == "" || d.AccountID == account) && (dialect == "" || d.Dialect == dialect || d.Dialect == "" && dialect == palenca)
	})
	type row struct {
		*delivery
		SHA256 string `json:"sha256"` // of the bytes as they go out
	}
	shown := []row{}
	for _, d := range rows[:min(limit, len(rows))] {
		sum := sha256.Sum256(shape(d.Body, d.Shape))
		shown = append(shown, row{d, hex.EncodeToString(sum[:])})
	}
	writeJSON(w, http.StatusOK, map[string]any{"deliveries": shown})
}

// emitByHand sends any event of an account, also one that the vendor has never
// heard of. With "apply" a login.success, incomplete or error also becomes the
// account's status.
func (s *Server) emitByHand(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	action, details, apply := f.text("action"), f.text("status_details"), f.flag("apply")
	f.require("action", action != "")
	if f.refused(w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(w, r)
	if a == nil {
		return
	}
	if apply != nil && *apply {
		status, ok := strings.CutPrefix(action, "login.")
		if !ok || status != "success" && status != "incomplete" && status != "error" {
			fail(w, http.StatusUnprocessableEntity, "bad_request", "Only login.success, login.incomplete and login.error can be applied", errorItem{"Not a final event", "action"})
			return
		}
		s.settle(a, s.latest(a), outcome{Status: status, Details: details})
	}
	count := s.emit(a, action, details)
	if err := s.st.log.commit(); err != nil {
		fail(w, http.StatusServiceUnavailable, "service_unavailable", "The sandbox cannot write its state")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"deliveries": count})
}
