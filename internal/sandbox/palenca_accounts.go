package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// createdJSON is the answer printed by the vendor's IMSS tutorial: without
// external_id, which only its schema adds.
type createdJSON struct {
	UserID             string   `json:"user_id"`
	Country            string   `json:"country"`
	Platform           string   `json:"platform"`
	AccountID          string   `json:"account_id"`
	NextStep           *string  `json:"next_step"`
	Methods            []string `json:"methods"`
	AlternativeMethods []string `json:"alternative_methods"`
	Hint               *string  `json:"hint"`
}

// accountJSON is the schema's Account, in the order of the newest sample.
type accountJSON struct {
	AccountID      string  `json:"account_id"`
	Country        string  `json:"country"`
	Platform       string  `json:"platform"`
	Identifier     string  `json:"identifier"`
	WorkerID       *string `json:"worker_id"`
	GovID          *string `json:"gov_id"`
	LastSuccess    *string `json:"last_successful_connection"`
	Warning        *string `json:"warning"`
	Status         string  `json:"status"`
	StatusDetails  *string `json:"status_details"`
	Message        *string `json:"message"`
	Recommendation *string `json:"recommendation"`
	NextStep       *string `json:"next_step"`
	CreatedAt      string  `json:"created_at"`
	UserID         string  `json:"user_id,omitempty"` // only with add_user_id=true
}

func (s *Server) accountJSON(a *account, r *http.Request) accountJSON {
	out := accountJSON{
		AccountID: a.ID, Country: a.Country, Platform: a.Platform, Identifier: a.Identifier, GovID: orNull(a.GovID),
		Warning: orNull(a.Warning), Status: a.Status, StatusDetails: orNull(a.Details), CreatedAt: stamp(a.CreatedAt),
	}
	if !a.LastSuccess.IsZero() {
		out.LastSuccess = orNull(stamp(a.LastSuccess))
	}
	out.Message, out.Recommendation = advice(a.Status, a.Details, r.Header.Get("accept-language"))
	return out
}

// order is a request for an account, understood.
type order struct {
	userID, externalID, widgetID string
	country, platform            string
	identifier, govID, bulkID    string
	source                       string
}

// createAccount serves the three ways to ask for one: POST /v1/users/accounts,
// /v1/users/{id}/accounts and /v1/accounts.
func (s *Server) createAccount(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	o := order{
		userID: f.id("user_id"), externalID: f.text("external_id"), country: f.oneOf("country", countries),
		platform: f.platform(), identifier: strings.ToUpper(strings.TrimSpace(f.text("identifier"))),
		govID: f.text("gov_id"), bulkID: f.id("bulk_id"), source: f.oneOf("source", sources),
	}
	if id := r.PathValue("id"); id != "" {
		o.userID = id
	}
	if h := r.Header.Get("x-source"); o.source == "" && slices.Contains(sources, h) {
		o.source = h
	}
	var widgetKnown bool
	o.widgetID, widgetKnown = s.chosenWidget(f)
	f.require("identifier", o.identifier != "")
	f.require("country", o.country != "")
	f.require("platform", o.platform != "")
	if r.URL.Path == "/v1/accounts" {
		f.require("user_id", o.userID != "")
	}
	if f.refused(w) {
		return
	}
	if !slices.Contains(played, o.platform) {
		fail(w, http.StatusServiceUnavailable, "platform_unavailable", "The sandbox plays imss and issste")
		return
	}
	if o.country != "mx" {
		fail(w, http.StatusUnprocessableEntity, "bad_request", "Malformed or missing parameter", errorItem{"The platform exists only in mx", "country"})
		return
	}
	// Our choice: what cannot be a CURP is refused at once, what merely fails
	// its check digit is accepted and not found at RENAPO later.
	if _, err := readCURP(o.identifier); errors.Is(err, errCURPFormat) {
		fail(w, http.StatusUnprocessableEntity, "bad_request", "Malformed or missing parameter", errorItem{"The identifier is not a valid CURP", "identifier"})
		return
	}
	if !widgetKnown {
		notFound(w, "Widget")
		return
	}
	if f := personFault(o.identifier, palenca); f != nil {
		s.failAsOrdered(w, r, f, func(w http.ResponseWriter, r *http.Request) { s.fulfil(w, r, o) })
		return
	}
	s.fulfil(w, r, o)
}

// fulfil creates the account and starts its extraction. The vendor has no
// idempotency, and neither have we: the same order twice gives two accounts.
func (s *Server) fulfil(w http.ResponseWriter, r *http.Request, o order) {
	s.mu.Lock()
	var u *user
	if o.userID != "" {
		if u = s.st.users.get(o.userID); u == nil {
			s.mu.Unlock()
			notFound(w, "User")
			return
		}
		o.widgetID = u.WidgetID
	}
	if status, code, message := s.refusal(o); status != 0 {
		s.mu.Unlock()
		fail(w, status, code, message)
		return
	}
	if u == nil {
		u = s.addUser("", o.externalID, o.widgetID)
	}
	a := &account{
		ID: uuid.NewString(), Seq: s.st.next(), UserID: u.ID, WidgetID: o.widgetID, Country: o.country, Platform: o.platform,
		Identifier: o.identifier, GovID: o.govID, BulkID: o.bulkID, CreatedAt: s.now(),
	}
	if a.GovID == "" {
		a.GovID = a.Identifier // for government platforms they are the same thing
	}
	u.Accounts = append(u.Accounts, a.ID)
	s.st.users.put(u.ID, u)
	if o.source == "" {
		o.source = "api"
	}
	s.begin(a, o.source)
	out := createdJSON{UserID: u.ID, Country: a.Country, Platform: a.Platform, AccountID: a.ID, Methods: []string{}, AlternativeMethods: []string{}}
	err := s.st.log.commit()
	s.mu.Unlock()
	committed(w, err, http.StatusOK, out)
}

// recent is the vendor's "less than 12 hours ago" of recent_login_successful.
const recent = 12 * time.Hour

// refusal applies the two limits that are off unless switched on.
func (s *Server) refusal(o order) (status int, code, message string) {
	sw, now := s.st.switches.get("all"), s.now()
	if sw.RecentLogin412 {
		for _, a := range s.st.accounts.rows {
			if a.Identifier == o.identifier && a.Platform == o.platform && !a.LastSuccess.IsZero() && now.Sub(a.LastSuccess) < recent {
				return http.StatusPreconditionFailed, "recent_login_successful", "There is a successful login less than 12 hours old"
			}
		}
	}
	if sw.DailyLimit > 0 {
		today := now.Format(time.DateOnly)
		for id := range s.st.perDay.rows { // yesterday's counts are of no more use
			if !strings.HasSuffix(id, today) {
				s.st.perDay.remove(id)
			}
		}
		key := o.platform + " " + o.identifier + " " + today
		count := 1
		if n := s.st.perDay.get(key); n != nil {
			count = *n + 1
		}
		if count > sw.DailyLimit {
			return http.StatusTooManyRequests, "too_many_requests", "Too many attempts for this identifier today, try the next day"
		}
		s.st.perDay.put(key, &count)
	}
	return 0, "", ""
}

// platform reads a code or, as the schema allows, an array of them. The answer
// for several is published nowhere, so an array must hold exactly one.
func (f *form) platform() string {
	v := f.value("platform")
	var list []string
	if json.Unmarshal(v, &list) == nil {
		if len(list) != 1 {
			f.fault("platform", "This sandbox takes one platform a call", "too_long")
			return ""
		}
		f.fields["platform"], _ = json.Marshal(list[0])
	}
	return f.oneOf("platform", platforms)
}

func (s *Server) userAccounts(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.st.users.get(r.PathValue("id"))
	if u == nil {
		notFound(w, "User")
		return
	}
	rows := []accountJSON{}
	for _, id := range u.Accounts {
		rows = append(rows, s.accountJSON(s.st.accounts.get(id), r))
	}
	answer(w, http.StatusOK, map[string]any{"user_id": u.ID, "accounts": rows})
}

// parameter returns a required query parameter; "" means already answered.
func parameter(w http.ResponseWriter, r *http.Request, name string) string {
	v := strings.TrimSpace(r.URL.Query().Get(name))
	if v == "" {
		fail(w, http.StatusUnprocessableEntity, "bad_request", "Malformed or missing parameter", errorItem{"Field required", name})
	}
	return v
}

// accountsByGovID lists every account of a person, oldest first.
func (s *Server) accountsByGovID(w http.ResponseWriter, r *http.Request) {
	gov := parameter(w, r, "gov_id")
	if gov == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []accountJSON{}
	for _, a := range sorted(s.st.accounts, func(a *account) int { return a.Seq }, func(a *account) bool { return strings.EqualFold(a.GovID, gov) }) {
		rows = append(rows, s.accountJSON(a, r))
	}
	answer(w, http.StatusOK, map[string]any{"accounts": rows})
}

// accountByIdentifier answers with one account; of several the newest.
func (s *Server) accountByIdentifier(w http.ResponseWriter, r *http.Request) {
	identifier := parameter(w, r, "identifier")
	if identifier == "" {
		return
	}
	platform := r.URL.Query().Get("platform")
	s.mu.Lock()
	defer s.mu.Unlock()
	found := sorted(s.st.accounts, func(a *account) int { return -a.Seq }, func(a *account) bool {
		return strings.EqualFold(a.Identifier, identifier) && (platform == "" || a.Platform == platform)
	})
	if len(found) == 0 {
		notFound(w, "Account")
		return
	}
	answer(w, http.StatusOK, s.accountJSON(found[0], r))
}

// account finds the account of the path; nil means already answered. The
// caller holds the lock.
func (s *Server) account(w http.ResponseWriter, r *http.Request) *account {
	a := s.st.accounts.get(r.PathValue("id"))
	if a == nil {
		notFound(w, "Account")
	}
	return a
}

func (s *Server) getAccount(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(w, r); a != nil {
		out := s.accountJSON(a, r)
		if r.URL.Query().Get("add_user_id") == "true" {
			out.UserID = a.UserID
		}
		answer(w, http.StatusOK, out)
	}
}

func (s *Server) deleteAccount(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(w, r); a != nil {
		s.dropAccount(a)
		committed(w, s.st.log.commit(), http.StatusOK, map[string]string{"account_id": a.ID})
	}
}
