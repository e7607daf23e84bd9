package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
)

// partOf is a row of /_sandbox/people: what both dialects say of a person.
type partOf struct {
	CURP          string    `json:"curp"` // or RFC
	Event         string    `json:"event,omitempty"`
	StatusDetails *string   `json:"status_details"`
	Warning       *string   `json:"warning"`
	Employment    bool      `json:"employment"`
	Buro          buroParts `json:"buro"`
	Ugly          string    `json:"ugly,omitempty"`
}

type buroParts struct {
	Case     string   `json:"case"` // full, partial, no_data, error
	CanRetry bool     `json:"can_retry"`
	Entities []string `json:"entities"`
}

func partsOf(list []person) []partOf {
	rows := []partOf{}
	for _, p := range list {
		row := partOf{
			CURP: p.CURP, StatusDetails: orNull(p.Details), Warning: orNull(p.Warning), Employment: p.full, Ugly: p.ugly,
			Buro: buroParts{p.buro.caseName(), p.buro.canRetry, listOf(p.buro.entities)},
		}
		if p.Status != "" {
			row.Event = "login." + p.Status
		}
		rows = append(rows, row)
	}
	return rows
}

// listPeople serves the tables of docs/sandbox.md#the-nine-people and
// #more-people to programs.
func (s *Server) listPeople(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"people": partsOf(people), "more": partsOf(others)})
}

// uglyJSON describes a case to the person at the sandbox.
type uglyJSON struct {
	Case        string   `json:"case"`
	Title       string   `json:"title"`
	Group       string   `json:"group"` // way, proof, text, api
	Dialects    []string `json:"dialects"`
	Strikes     stage    `json:"strikes"` // start, end, event, call; in Buró where the two differ
	Needs       string   `json:"needs"`   // what a webhook must carry: signature, jwt; "" = nothing
	Lacking     []string `json:"lacking"` // dialects without a webhook that carries it: an order there would wait
	Person      *string  `json:"person"`  // whom it always strikes
	Description *string  `json:"description"`
	Expected    *string  `json:"expected"` // of the receiving side
}

// listUgly shows every case, described in Spanish unless accept-language asks
// for English, and what is ordered and not yet played.
func (s *Server) listUgly(w http.ResponseWriter, r *http.Request) {
	rows := []uglyJSON{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range uglyCases {
		if i := slices.IndexFunc(rows, func(row uglyJSON) bool { return row.Case == c.name }); i >= 0 {
			rows[i].Dialects = append(rows[i].Dialects, c.in...)
			continue
		}
		row := uglyJSON{Case: c.name, Group: c.group, Dialects: slices.Clone(c.in), Strikes: c.stage, Needs: c.needs, Lacking: s.lacking(c)}
		row.Title = title("ugly."+c.name, r.Header.Get("accept-language"), "es")
		row.Description, row.Expected = speech("ugly."+c.name, r.Header.Get("accept-language"), "es")
		for _, p := range others {
			if p.ugly == c.name {
				row.Person = &p.CURP
			}
		}
		rows = append(rows, row)
	}
	writeJSON(w, http.StatusOK, map[string]any{"cases": rows, "orders": append([]uglyOrder{}, s.st.switches.get("all").Ugly...)})
}

// lacking lists the dialects in which no live webhook carries what the case
// spoils. The caller holds the lock.
func (s *Server) lacking(c uglyCase) []string {
	carried := map[string]bool{palenca: c.needs == "", buro: c.needs == ""}
	for _, h := range s.st.webhooks.rows {
		carried[palenca] = carried[palenca] || h.IsActive && h.Sign && c.needs == "signature"
	}
	for _, e := range s.st.endpoints.rows {
		carried[buro] = carried[buro] || e.IsActive && (c.needs == "signature" || e.Auth != nil && e.Auth.Type == c.needs)
	}
	return slices.DeleteFunc(slices.Clone(c.in), func(dialect string) bool { return carried[dialect] })
}

// orderUgly orders a case: for the next times that it can strike, or, with
// account, at once for that account or verification.
func (s *Server) orderUgly(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		uglyOrder
		Account string `json:"account"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err = dec.Decode(&ask); err == nil {
		if ask.Times == 0 {
			ask.Times = 1
		}
		err = ask.check()
	}
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, "bad_request", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	if ask.Account == "" {
		sw := s.st.switches.get("all")
		sw.Ugly = append(slices.Clone(sw.Ugly), ask.uglyOrder)
		s.st.switches.put("all", sw)
	} else {
		var problem string
		if count, problem = s.playNow(caseIn(ask.Case, ask.Dialect), ask.Dialect, ask.Account); problem != "" {
			fail(w, http.StatusUnprocessableEntity, "bad_request", problem, errorItem{problem, "account"})
			return
		}
	}
	if s.st.log.commit() != nil {
		fail(w, http.StatusServiceUnavailable, "service_unavailable", "The sandbox cannot write its state")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"case": ask.Case, "dialect": ask.Dialect, "deliveries": count, "orders": append([]uglyOrder{}, s.st.switches.get("all").Ugly...)})
}

// clearUgly forgets what is ordered and not yet played.
func (s *Server) clearUgly(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sw := s.st.switches.get("all")
	sw.Ugly = nil
	s.st.switches.put("all", sw)
	s.answerSettings(w)
}

// playNow plays a case on what is there already. The caller holds the lock and
// commits.
func (s *Server) playNow(c *uglyCase, dialect, id string) (count int, problem string) {
	a, v := s.st.accounts.get(id), s.st.verifications.get(id)
	switch {
	case c.stage == onCall:
		return 0, "A case of the API strikes calls, not accounts: use times"
	case dialect == palenca && a != nil:
		return s.playAccount(c, a), ""
	case dialect == buro && v != nil && c.stage == onEvent && v.Status == "in_progress":
		return 0, "The verification is still in progress"
	case dialect == buro && v != nil:
		return s.playVerification(c, v), ""
	}
	return 0, "Not found in this dialect"
}

func (s *Server) playAccount(c *uglyCase, a *account) int {
	l := s.latest(a)
	switch {
	case c.stage == atStart: // from now on, silence
		l.DueAt = time.Time{}
		s.st.logins.put(l.ID, l)
		s.silence(a.ID)
		return 0
	case c.stage == atEnd:
		s.settle(a, l, c.outcome)
		return s.emit(a, l.LastAction, l.Details)
	case c.name == "out_of_order":
		return s.emitAs(a, "login.created", "pending_for_data", c.name) + s.emit(a, l.LastAction, l.Details)
	case c.name == "late":
		return s.emit(a, "login.created", "pending_for_data")
	}
	return s.emitAs(a, l.LastAction, l.Details, c.name)
}

func (s *Server) playVerification(c *uglyCase, v *verification) int {
	switch c.stage {
	case atStart:
		v.DueAt = time.Time{}
		s.st.verifications.put(v.ID, v)
		s.silence(v.ID)
		return 0
	case atEnd:
		s.conclude(v, buroOutcomeOf(v.Identifier, s.exact()), c.status)
		return s.emitVerification(v, "verification.completed", "")
	}
	return s.emitVerification(v, "verification.completed", c.name)
}

// silence calls off whatever is on its way about an account or verification.
func (s *Server) silence(subject string) {
	for _, d := range s.st.deliveries.rows {
		if d.AccountID == subject && d.State == sending {
			s.st.finish(d, abandoned)
		}
	}
}
