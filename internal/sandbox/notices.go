package sandbox

import (
	"net/http"
	"time"

	"github.com/google/uuid"
)

// notice stands for the e-mail that the vendor sends when it switches a webhook
// off, and for what else a person at the sandbox should know.
type notice struct {
	ID        string    `json:"id"`
	Seq       int       `json:"seq"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"` // webhook_disabled, redirect_followed
	Dialect   string    `json:"dialect,omitempty"`
	WebhookID string    `json:"webhook_id,omitempty"`
}

const keptNotices = 200

// notify keeps a notice. The caller holds the lock and commits.
func (s *Server) notify(kind, dialect, hook string) {
	n := &notice{ID: uuid.NewString(), Seq: s.st.next(), At: s.now(), Kind: kind, Dialect: dialect, WebhookID: hook}
	s.st.notices.put(n.ID, n)
	s.cfg.Log.Info("notice", "kind", kind, "webhook", hook)
	if len(s.st.notices.rows) > keptNotices {
		oldest := sorted(s.st.notices, func(n *notice) int { return n.Seq }, nil)[0]
		s.st.notices.remove(oldest.ID)
	}
}

// listNotices shows them newest first, each with a sentence in the caller's
// language, Spanish by default.
func (s *Server) listNotices(w http.ResponseWriter, r *http.Request) {
	type row struct {
		*notice
		Message        *string `json:"message"`
		Recommendation *string `json:"recommendation"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []row{}
	for _, n := range sorted(s.st.notices, func(n *notice) int { return -n.Seq }, nil) {
		message, recommendation := speech("notice."+n.Kind, r.Header.Get("accept-language"), "es")
		rows = append(rows, row{n, message, recommendation})
	}
	writeJSON(w, http.StatusOK, map[string]any{"notices": rows})
}
