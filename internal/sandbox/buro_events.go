package sandbox

import (
	"slices"
	"time"
)

// buroSignatureHeader is on every delivery, whatever its authentication.
const buroSignatureHeader = "X-Signature"

// buroEvent is the documented payload. The same text goes to every webhook and
// with every attempt.
type buroEvent struct {
	Event          string    `json:"event"`
	VerificationID string    `json:"verification_id"`
	Identifier     string    `json:"identifier"`
	Status         string    `json:"status"`
	DataAvailable  bool      `json:"data_available"`
	CanRetry       bool      `json:"can_retry"`
	Entities       []string  `json:"entities"`
	LastUpdatedAt  time.Time `json:"last_updated_at"`
	Timestamp      time.Time `json:"timestamp"`
	ExternalID     *string   `json:"external_id"`
}

// emitVerification queues an event for every webhook that subscribed to it and
// returns how many deliveries that made; ugly "" = as ordered. The caller holds
// the lock and commits.
func (s *Server) emitVerification(v *verification, name, ugly string) int {
	// timestamp is the event's, last_updated_at the verification's; they are the
	// same in every sample because the event follows at once.
	body := string(encode(buroEvent{
		name, v.ID, v.Identifier, v.Status, v.DataAvailable, v.CanRetry, listOf(v.Entities), v.UpdatedAt, v.UpdatedAt, v.ExternalID,
	}))
	count := 0
	for _, e := range sorted(s.st.endpoints, func(e *endpoint) int { return e.Seq }, nil) {
		if !e.IsActive || !slices.Contains(e.Events, name) {
			continue
		}
		count += s.post(letter{
			dialect: buro, hook: e.ID, url: e.URL, subject: v.ID, person: v.Identifier, action: name, body: body,
			final: name == "verification.completed", signed: true, jwt: e.Auth != nil && e.Auth.Type == "jwt", ugly: ugly,
		})
	}
	s.poke()
	return count
}

// countFailures switches a webhook off after too many events in a row that used
// up their attempts, and leaves a notice where the vendor sends an e-mail.
// The caller holds the lock; a finished delivery is booked once.
func (s *Server) countFailures(d *delivery) {
	e := s.st.endpoints.get(d.WebhookID)
	if e == nil {
		return
	}
	if d.State == delivered {
		if e.Failed != 0 {
			e.Failed = 0
			s.st.endpoints.put(e.ID, e)
		}
		return
	}
	e.Failed++
	if limit := s.disableAfter(); limit > 0 && e.Failed >= limit && e.IsActive {
		e.IsActive, e.UpdatedAt = false, s.exact()
		s.notify("webhook_disabled", buro, e.ID)
	}
	s.st.endpoints.put(e.ID, e)
}
