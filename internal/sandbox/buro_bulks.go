package sandbox

import (
	"net/http"
	"time"
)

// maxBulkItems is the vendor's "up to 100,000".
const maxBulkItems = 100_000

// bulkConsents takes a bare array of consents. What is wrong with one item
// does not stop the others.
func (s *Server) bulkConsents(w http.ResponseWriter, r *http.Request) {
	var list []consentForm
	if !readBuro(w, r, &list) || !bulkSize(w, len(list), "body") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &bulk{ID: newID(), Seq: s.st.next(), Type: "consent", CreatedAt: s.exact()}
	for _, f := range list {
		item := bulkItem{Identifier: f.Identifier}
		if field, _ := f.fault(); field != "" {
			item.Code = "validation_error"
		} else {
			item.ID = s.addConsent(f).ID
		}
		b.Items = append(b.Items, item)
	}
	s.startBulk(w, b)
}

// bulkVerifications takes {"verifications":[…]}; the daily limit and the need
// of a consent hold for each item.
func (s *Server) bulkVerifications(w http.ResponseWriter, r *http.Request) {
	var list struct {
		Verifications []verificationForm `json:"verifications"`
	}
	if !readBuro(w, r, &list) || !bulkSize(w, len(list.Verifications), "verifications") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &bulk{ID: newID(), Seq: s.st.next(), Type: "verification", CreatedAt: s.exact()}
	for _, f := range list.Verifications {
		item := bulkItem{Identifier: f.Identifier, ExternalID: f.ExternalID}
		if v, no := s.verify(f); no.Status != 0 {
			item.Code = no.Code
		} else {
			item.ID = v.ID
		}
		b.Items = append(b.Items, item)
	}
	s.startBulk(w, b)
}

func bulkSize(w http.ResponseWriter, count int, field string) bool {
	if count == 0 || count > maxBulkItems {
		buroInvalid(w, field, "Between 1 and 100000 items")
		return false
	}
	return true
}

// bulkJSON describes a bulk; the vendor's answer to its creation is this too,
// as far as its pages tell.
type bulkJSON struct {
	BulkID    string      `json:"bulk_id"`
	Type      string      `json:"type"`
	Status    string      `json:"status"`
	CreatedAt time.Time   `json:"created_at"`
	Metrics   bulkMetrics `json:"metrics"`
}

type bulkMetrics struct {
	Total      int `json:"total"`
	Completed  int `json:"completed"`
	Failed     int `json:"failed"`
	InProgress int `json:"in_progress"`
}

func (s *Server) startBulk(w http.ResponseWriter, b *bulk) {
	s.st.bulks.put(b.ID, b)
	s.buroDone(w, http.StatusAccepted, s.bulkJSON(b))
}

func (s *Server) bulkJSON(b *bulk) bulkJSON {
	out := bulkJSON{BulkID: b.ID, Type: b.Type, Status: "completed", CreatedAt: b.CreatedAt, Metrics: bulkMetrics{Total: len(b.Items)}}
	for _, item := range b.Items {
		switch status, _ := s.itemState(b, item); status {
		case "completed":
			out.Metrics.Completed++
		case "in_progress":
			out.Metrics.InProgress++
			out.Status = "in_progress"
		default:
			out.Metrics.Failed++
		}
	}
	if b.Cancelled {
		out.Status = "cancelled"
	}
	return out
}

// itemState tells how an item stands: completed, in_progress or error, with a
// code. The vendor's list of codes is not published; these are its API's.
func (s *Server) itemState(b *bulk, item bulkItem) (status, code string) {
	if item.ID == "" {
		return "error", item.Code
	}
	if b.Type == "consent" {
		return "completed", "ok"
	}
	switch v := s.st.verifications.get(item.ID); {
	case v == nil:
		return "error", "cancelled"
	case v.Status == "in_progress":
		return "in_progress", "in_progress"
	default:
		return "completed", "ok"
	}
}

func (s *Server) bulk(w http.ResponseWriter, r *http.Request) *bulk {
	b := s.st.bulks.get(r.PathValue("id"))
	if b == nil {
		buroFail(w, http.StatusNotFound, "bulk_verification_not_found", "Bulk not found")
	}
	return b
}

func (s *Server) getBulk(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bulk(w, r); b != nil {
		writeJSON(w, http.StatusOK, s.bulkJSON(b))
	}
}

// listBulkItems shows items in the order in which they came; ?status= filters.
func (s *Server) listBulkItems(w http.ResponseWriter, r *http.Request) {
	page, size, ok := buroPage(w, r)
	if !ok {
		return
	}
	type row struct {
		ID         *string `json:"id"`
		Identifier string  `json:"identifier"`
		ExternalID *string `json:"external_id"`
		Status     string  `json:"status"`
		StatusCode string  `json:"status_code"`
	}
	want := r.URL.Query().Get("status")
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bulk(w, r)
	if b == nil {
		return
	}
	rows := []row{}
	for _, item := range b.Items {
		if status, code := s.itemState(b, item); want == "" || want == status {
			rows = append(rows, row{orNull(item.ID), item.Identifier, item.ExternalID, status, code})
		}
	}
	writeJSON(w, http.StatusOK, struct {
		Items      []row      `json:"items"`
		Pagination pagination `json:"pagination"`
	}{append([]row{}, window(rows, page, size)...), pages(page, size, len(rows))})
}

// cancelBulk drops the verifications that are still under way; what is done
// stays done.
func (s *Server) cancelBulk(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bulk(w, r)
	if b == nil {
		return
	}
	if b.Type == "verification" {
		for _, item := range b.Items {
			if v := s.st.verifications.get(item.ID); v != nil && v.Status == "in_progress" {
				s.dropVerification(v)
			}
		}
	}
	b.Cancelled = true
	s.st.bulks.put(b.ID, b)
	s.buroDone(w, http.StatusOK, s.bulkJSON(b))
}
