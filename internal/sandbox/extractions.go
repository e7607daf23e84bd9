package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// extraction is what the vendor was asked for, in either dialect: an account of
// Palenca or a verification of Buró.
type extraction struct {
	Dialect    string  `json:"dialect"`
	ID         string  `json:"id"`
	Seq        int     `json:"seq"`
	ExternalID *string `json:"external_id"`
	Identifier string  `json:"identifier"`
	Status     string  `json:"status"`
	Details    string  `json:"status_details,omitempty"` // Palenca
	Case       string  `json:"case,omitempty"`           // Buró: full, partial, no_data, error
}

// listExtractions shows what was asked for, oldest first, so that a client can
// be held against it: nothing forgotten, nothing asked for twice. Query: after
// (the seq of the last row seen), limit (1000).
func (s *Server) listExtractions(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = 1000
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []extraction{}
	for _, a := range s.st.accounts.rows {
		row := extraction{Dialect: palenca, ID: a.ID, Seq: a.Seq, Identifier: a.Identifier, Status: a.Status, Details: a.Details}
		if u := s.st.users.get(a.UserID); u != nil {
			row.ExternalID = u.ExternalID
		}
		rows = append(rows, row)
	}
	for _, v := range s.st.verifications.rows {
		row := extraction{Dialect: buro, ID: v.ID, Seq: v.Seq, Identifier: v.Identifier, Status: v.Status, ExternalID: v.ExternalID}
		if v.Status == "completed" {
			row.Case = buroOutcome{v.Entities, v.CanRetry}.caseName()
		}
		rows = append(rows, row)
	}
	rows = slices.DeleteFunc(rows, func(e extraction) bool { return e.Seq <= after })
	slices.SortFunc(rows, func(a, b extraction) int { return cmp.Compare(a.Seq, b.Seq) })
	writeJSON(w, http.StatusOK, map[string]any{"extractions": rows[:min(limit, len(rows))]})
}
