package sandbox

import (
	"cmp"
	"container/heap"
	"net/http"
	"strings"
	"time"
)

// verificationForm is an order. curp, rfc, phone and email are taken and not
// shown again, as at the vendor.
type verificationForm struct {
	Identifier string  `json:"identifier"`
	ExternalID *string `json:"external_id"`
	CURP       *string `json:"curp"`
	RFC        *string `json:"rfc"`
	Phone      *string `json:"phone"`
	Email      *string `json:"email"`
}

// refusal is why an order was not taken; Status 0 = it was.
type refusal struct {
	Status        int
	Code, Message string
	Field         string
}

// mexicoCity has had no summer time since 2022.
var mexicoCity = time.FixedZone("America/Mexico_City", -6*60*60)

// verify starts a verification. The caller holds the lock and commits.
func (s *Server) verify(f verificationForm) (*verification, refusal) {
	f.Identifier = strings.ToUpper(strings.TrimSpace(f.Identifier))
	if !isIdentifier(f.Identifier) {
		return nil, refusal{http.StatusBadRequest, "validation_error", "The request is not valid", "identifier"}
	}
	c := s.liveConsent(f.Identifier)
	if c == nil {
		return nil, refusal{http.StatusBadRequest, "consent_required", "There is no valid consent for this identifier", ""}
	}
	if limit := s.st.switches.get("all").DailyLimit; limit > 0 && !s.countToday(f.Identifier, limit) {
		return nil, refusal{http.StatusTooManyRequests, "daily_verification_limit_exceeded", "The attempts of this identifier for today are used up", ""}
	}
	v := &verification{
		ID: newID(), Seq: s.st.next(), Identifier: f.Identifier, ExternalID: f.ExternalID, ConsentID: c.ID,
		Status: "in_progress", CreatedAt: s.exact(),
	}
	if s.struck(atStart, buro, v.Identifier) == nil { // otherwise nothing will ever come
		v.DueAt = s.now().Add(s.delay())
		heap.Push(&s.plan.agenda, appointment{at: v.DueAt, verified: v.ID})
		s.poke()
	}
	s.st.verifications.put(v.ID, v)
	return v, refusal{}
}

// countToday counts an attempt and reports whether it is within the limit. The
// vendor counts by identifier and company and day; that its day is Mexico
// City's is our choice. Only attempts that were taken count.
func (s *Server) countToday(identifier string, limit int) bool {
	today := s.exact().In(mexicoCity).Format(time.DateOnly)
	for id := range s.st.perBuroDay.rows { // yesterday's counts are of no more use
		if !strings.HasSuffix(id, today) {
			s.st.perBuroDay.remove(id)
		}
	}
	key, count := identifier+" "+today, 1
	if n := s.st.perBuroDay.get(key); n != nil {
		count = *n + 1
	}
	if count > limit {
		return false
	}
	s.st.perBuroDay.put(key, &count)
	return true
}

// startedJSON is the answer to an order.
type startedJSON struct {
	ID         string    `json:"id"`
	Identifier string    `json:"identifier"`
	Status     string    `json:"status"`
	ConsentID  string    `json:"consent_id"`
	CreatedAt  time.Time `json:"created_at"`
	ExternalID *string   `json:"external_id"`
}

func (s *Server) createVerification(w http.ResponseWriter, r *http.Request) {
	var f verificationForm
	if !readBuro(w, r, &f) {
		return
	}
	start := func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		v, no := s.verify(f)
		if no.Status != 0 {
			if no.Field != "" {
				buroInvalid(w, no.Field, "Invalid identifier format.")
				return
			}
			buroFail(w, no.Status, no.Code, no.Message)
			return
		}
		s.buroDone(w, http.StatusAccepted, startedJSON{v.ID, v.Identifier, v.Status, v.ConsentID, v.CreatedAt, v.ExternalID})
	}
	if f := personFault(strings.ToUpper(strings.TrimSpace(f.Identifier)), buro); f != nil {
		s.failAsOrdered(w, r, f, start)
		return
	}
	start(w, r)
}

// listVerifications shows them newest first; start_date is the earliest day of
// creation, in Mexico City.
func (s *Server) listVerifications(w http.ResponseWriter, r *http.Request) {
	page, size, ok := buroPage(w, r)
	if !ok {
		return
	}
	identifier := strings.ToUpper(r.URL.Query().Get("identifier"))
	var from time.Time
	if text := r.URL.Query().Get("start_date"); text != "" {
		var err error
		if from, err = time.ParseInLocation(time.DateOnly, text, mexicoCity); err != nil {
			buroInvalid(w, "start_date", "Not a date")
			return
		}
	}
	type row struct {
		ID         string  `json:"id"`
		Identifier string  `json:"identifier"`
		Status     string  `json:"status"`
		ConsentID  string  `json:"consent_id"`
		ExternalID *string `json:"external_id"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := sorted(s.st.verifications, func(v *verification) int { return -v.Seq }, func(v *verification) bool {
		return (identifier == "" || v.Identifier == identifier) && !v.CreatedAt.Before(from)
	})
	rows := []row{}
	for _, v := range window(found, page, size) {
		rows = append(rows, row{v.ID, v.Identifier, v.Status, v.ConsentID, v.ExternalID})
	}
	writeJSON(w, http.StatusOK, struct {
		Verifications []row      `json:"verifications"`
		Pagination    pagination `json:"pagination"`
	}{rows, pages(page, size, len(found))})
}

// verification finds the verification of the path; nil means already answered.
func (s *Server) verification(w http.ResponseWriter, r *http.Request) *verification {
	v := s.st.verifications.get(r.PathValue("id"))
	if v == nil {
		buroFail(w, http.StatusNotFound, "verification_not_found", "Verification not found")
	}
	return v
}

func (s *Server) getVerification(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.verification(w, r)
	if v == nil {
		return
	}
	out := struct {
		ID            string     `json:"id"`
		Identifier    string     `json:"identifier"`
		Status        string     `json:"status"`
		DataAvailable bool       `json:"data_available"`
		CanRetry      bool       `json:"can_retry"`
		Entities      []string   `json:"entities"`
		CreatedAt     time.Time  `json:"created_at"`
		UpdatedAt     *time.Time `json:"updated_at"`
		ConsentID     string     `json:"consent_id"`
		IsBillable    bool       `json:"is_billable"`
		ExternalID    *string    `json:"external_id"`
	}{v.ID, v.Identifier, v.Status, v.DataAvailable, v.CanRetry, listOf(v.Entities), v.CreatedAt, nil, v.ConsentID, v.DataAvailable, v.ExternalID}
	if !v.UpdatedAt.IsZero() {
		out.UpdatedAt = &v.UpdatedAt
	}
	writeJSON(w, http.StatusOK, out)
}

// listOf makes an empty list of none at all.
func listOf(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

// deleteVerification forgets a verification, calls its events off, and takes
// with it what it had found.
func (s *Server) deleteVerification(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.verification(w, r)
	if v == nil {
		return
	}
	s.dropVerification(v)
	s.buroDone(w, http.StatusOK, struct {
		Identifier     string    `json:"identifier"`
		Status         string    `json:"status"`
		Message        string    `json:"message"`
		VerificationID string    `json:"verification_id"`
		ExternalID     *string   `json:"external_id"`
		DeletedAt      time.Time `json:"deleted_at"`
	}{v.Identifier, "deleted", "Verification successfully deleted", v.ID, v.ExternalID, s.exact()})
}

func (s *Server) dropVerification(v *verification) {
	for _, d := range s.st.deliveries.rows {
		if d.AccountID == v.ID && d.State == sending {
			s.st.finish(d, abandoned)
		}
	}
	if f := s.st.findings.get(v.Identifier); f != nil && f.VerificationID == v.ID {
		s.st.findings.remove(v.Identifier)
	}
	s.st.verifications.remove(v.ID)
}

// endVerification settles a verification whose time has come.
func (s *Server) endVerification(id string, now time.Time) {
	v := s.st.verifications.get(id)
	if v == nil || v.DueAt.IsZero() || v.DueAt.After(now) {
		return
	}
	status := ""
	if c := s.struck(atEnd, buro, v.Identifier); c != nil {
		status = c.status
	}
	before := s.st.findings.get(v.Identifier)
	s.conclude(v, buroOutcomeOf(v.Identifier, s.exact()), status)
	if before != nil {
		s.emitVerification(v, "verification.historical", "")
	}
	s.emitVerification(v, "verification.completed", "")
}

// conclude gives a verification its result. It is completed whatever was
// found: the cases differ in their flags alone.
func (s *Server) conclude(v *verification, o buroOutcome, status string) {
	now := s.exact()
	v.Status = cmp.Or(status, "completed")
	v.DataAvailable, v.CanRetry, v.Entities = len(o.entities) > 0, o.canRetry, o.entities
	v.DueAt, v.UpdatedAt = time.Time{}, now
	if v.DataAvailable {
		s.st.findings.put(v.Identifier, &finding{v.Identifier, v.ID, v.Entities, now})
	}
	s.st.verifications.put(v.ID, v)
	s.cfg.Log.Info("verification ended", "verification", v.ID, "status", v.Status, "entities", len(v.Entities))
}
