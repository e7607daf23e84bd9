package sandbox

import "time"

// consent is a person's leave to be looked up.
type consent struct {
	ID         string    `json:"id"`
	Seq        int       `json:"seq"`
	Identifier string    `json:"identifier"`
	IP         string    `json:"ip_address"`
	NoticeURL  string    `json:"privacy_notice_url"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// verification is one look at all sources; DueAt is set while it runs.
type verification struct {
	ID            string    `json:"id"`
	Seq           int       `json:"seq"`
	Identifier    string    `json:"identifier"`
	ExternalID    *string   `json:"external_id,omitempty"`
	ConsentID     string    `json:"consent_id"`
	Status        string    `json:"status"`
	DataAvailable bool      `json:"data_available"`
	CanRetry      bool      `json:"can_retry"`
	Entities      []string  `json:"entities,omitempty"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at,omitzero"`
	DueAt         time.Time `json:"due_at,omitzero"`
}

// finding is what can be read about an identifier: the vendor keeps data by
// person, so a later verification replaces what an earlier one found.
type finding struct {
	Identifier     string    `json:"identifier"`
	VerificationID string    `json:"verification_id"`
	Entities       []string  `json:"entities"`
	At             time.Time `json:"at"`
}

// endpoint is a webhook of the Buró dialect.
type endpoint struct {
	ID          string          `json:"id"`
	Seq         int             `json:"seq"`
	Description string          `json:"description"`
	URL         string          `json:"endpoint_url"`
	SecretKey   string          `json:"secret_key"` // base64url of 32 bytes
	IsActive    bool            `json:"is_active"`
	Auth        *authentication `json:"authentication,omitempty"`
	Events      []string        `json:"events"`
	Failed      int             `json:"failed,omitempty"` // events in a row that used up their attempts
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
}

// bulk is a list worked off as one. Its items do not change once they are
// there: how a verification stands is asked of the verification.
type bulk struct {
	ID        string     `json:"id"`
	Seq       int        `json:"seq"`
	Type      string     `json:"type"` // consent, verification
	Items     []bulkItem `json:"items"`
	CreatedAt time.Time  `json:"created_at"`
	Cancelled bool       `json:"cancelled,omitempty"`
}

type bulkItem struct {
	Identifier string  `json:"identifier"`
	ExternalID *string `json:"external_id,omitempty"`
	ID         string  `json:"id,omitempty"`   // of what was created; "" = refused
	Code       string  `json:"code,omitempty"` // why it was refused
}

// exact is the present to the nanosecond, the precision of this vendor's times.
func (s *Server) exact() time.Time { return s.cfg.Now().UTC().Round(0) }
