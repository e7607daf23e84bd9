package sandbox

import (
	"encoding/json"
	"net/http"
)

// event is the webhook payload printed by the vendor's IMSS tutorial. Nothing
// in it identifies the delivery, and there is no time.
type event struct {
	WebhookURL string    `json:"webhook_url"`
	Data       eventData `json:"data"`
}

type eventData struct {
	UserID        string          `json:"user_id"`
	AccountID     string          `json:"account_id"`
	ExternalID    json.RawMessage `json:"external_id,omitempty"`
	Platform      string          `json:"platform"`
	StatusDetails *string         `json:"status_details"`
	WebhookAction string          `json:"webhook_action"`
}

// palencaEvent encodes an event for one webhook. An unset external_id is the
// string "None", as documented, unless the switch no_external_id says otherwise.
func (s *Server) palencaEvent(h *webhook, a *account, action, details string) string {
	var external json.RawMessage
	if u := s.st.users.get(a.UserID); u != nil && u.ExternalID != nil {
		external = encode(*u.ExternalID)
	} else {
		external = map[string]json.RawMessage{
			"": []byte(`"None"`), "null": []byte("null"), "empty": []byte(`""`),
		}[s.st.switches.get("all").NoExternalID]
	}
	return string(encode(event{h.URL, eventData{a.UserID, a.ID, external, a.Platform, orNull(details), action}}))
}

// loginJSON is the schema's Login. Insights are not played: their fields stay
// false and null.
type loginJSON struct {
	ID              string  `json:"id"`
	BulkID          *string `json:"bulk_id"`
	AccountID       string  `json:"account_id"`
	CompanyID       string  `json:"company_id"`
	Status          string  `json:"status"`
	Platform        string  `json:"platform"`
	Source          string  `json:"source"`
	StatusDetails   *string `json:"status_details"`
	AuthenticatedAt *string `json:"authenticated_at"`
	Message         *string `json:"message"`
	Recommendation  *string `json:"recommendation"`
	AutomaticRetry  bool    `json:"automatic_retry"`
	HasInsights     bool    `json:"has_insights"`
	InsightsStatus  *string `json:"insights_status"`
	InsightsDetails *string `json:"insights_status_details"`
	CreatedAt       string  `json:"created_at"`
	UpdatedAt       string  `json:"updated_at"`
}

func (s *Server) loginJSON(l *login, r *http.Request) loginJSON {
	out := loginJSON{
		ID: l.ID, BulkID: orNull(l.BulkID), AccountID: l.AccountID, CompanyID: s.creds.CompanyID, Status: l.Status,
		Platform: s.st.accounts.get(l.AccountID).Platform, Source: l.Source, StatusDetails: orNull(l.Details),
		CreatedAt: stamp(l.CreatedAt), UpdatedAt: stamp(l.UpdatedAt),
	}
	if !l.Authenticated.IsZero() {
		out.AuthenticatedAt = orNull(stamp(l.Authenticated))
	}
	out.Message, out.Recommendation = advice(l.Status, l.Details, r.Header.Get("accept-language"))
	return out
}

// accountLogins lists an account's logins, newest first.
func (s *Server) accountLogins(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(w, r)
	if a == nil {
		return
	}
	rows := []loginJSON{}
	for i := len(a.Logins) - 1; i >= 0; i-- {
		rows = append(rows, s.loginJSON(s.st.logins.get(a.Logins[i]), r))
	}
	answer(w, http.StatusOK, map[string]any{"logins": rows})
}

// latest is the login that an account's status speaks of.
func (s *Server) latest(a *account) *login { return s.st.logins.get(a.Logins[len(a.Logins)-1]) }

func (s *Server) lastLogin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(w, r); a != nil {
		answer(w, http.StatusOK, s.loginJSON(s.latest(a), r))
	}
}

func (s *Server) getLogin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.st.logins.get(r.PathValue("id"))
	if l == nil {
		notFound(w, "Login")
		return
	}
	answer(w, http.StatusOK, s.loginJSON(l, r))
}

// rerun opens a new login for an account; while one is under way it opens
// none, so that asking twice costs one extraction.
func (s *Server) rerun(source string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := s.account(w, r)
		if a == nil {
			return
		}
		if s.latest(a).DueAt.IsZero() {
			s.begin(a, source)
		}
		committed(w, s.st.log.commit(), http.StatusOK, s.accountJSON(a, r))
	}
}

func (s *Server) resendAccount(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(w, r); a != nil {
		s.resend(w, s.latest(a))
	}
}

func (s *Server) resendLogin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.st.logins.get(r.PathValue("id"))
	if l == nil {
		notFound(w, "Login")
		return
	}
	s.resend(w, l)
}

// resend emits the last event of a login once more, as a delivery of its own.
func (s *Server) resend(w http.ResponseWriter, l *login) {
	s.emit(s.st.accounts.get(l.AccountID), l.LastAction, l.Details)
	committed(w, s.st.log.commit(), http.StatusOK, map[string]string{"account_id": l.AccountID, "webhook_action": l.LastAction})
}
