package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// endpointJSON is a webhook as shown. secret_key is there at creation only;
// of authentication only the type is ever shown again.
type endpointJSON struct {
	ID          string    `json:"id"`
	CompanyID   string    `json:"company_id"`
	Description string    `json:"description"`
	URL         string    `json:"endpoint_url"`
	SecretKey   string    `json:"secret_key,omitempty"`
	IsActive    bool      `json:"is_active"`
	Auth        *authType `json:"authentication,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type authType struct {
	Type string `json:"type"`
}

func (s *Server) endpointJSON(e *endpoint) endpointJSON {
	out := endpointJSON{
		ID: e.ID, CompanyID: s.creds.CompanyID, Description: e.Description, URL: e.URL,
		IsActive: e.IsActive, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if e.Auth != nil {
		out.Auth = &authType{e.Auth.Type}
	}
	return out
}

// buroEvents are the two events of the vendor. The field that subscribes is on
// no page; ours is events, and without it only the first is sent.
var buroEvents = []string{"verification.completed", "verification.historical"}

// endpointForm is what create and patch share; nil means absent.
type endpointForm struct {
	Description *string         `json:"description"`
	URL         *string         `json:"endpoint_url"`
	IsActive    *bool           `json:"is_active"`
	Events      []string        `json:"events"`
	Auth        json.RawMessage `json:"authentication"`
}

// apply copies what is present into e, or tells the field that cannot be.
func (f endpointForm) apply(e *endpoint) (field, message string) {
	if f.Description != nil {
		e.Description = *f.Description
	}
	if f.URL != nil {
		if !isHTTP(*f.URL) {
			return "endpoint_url", "Not a URL."
		}
		e.URL = *f.URL
	}
	if f.Events != nil {
		for _, name := range f.Events {
			if !slices.Contains(buroEvents, name) {
				return "events", "Unknown event."
			}
		}
		e.Events = f.Events
	}
	if string(f.Auth) == "null" {
		e.Auth = nil
	} else if f.Auth != nil {
		a := &authentication{}
		if json.Unmarshal(f.Auth, a) != nil {
			return "authentication", "Wrong type."
		}
		if field, message = a.fault(); field != "" {
			return field, message
		}
		e.Auth = a
	}
	if f.IsActive != nil {
		// Whoever switches it on says that the fault is mended.
		if *f.IsActive && !e.IsActive {
			e.Failed = 0
		}
		e.IsActive = *f.IsActive
	}
	return "", ""
}

func (s *Server) createEndpoint(w http.ResponseWriter, r *http.Request) {
	var f endpointForm
	if !readBuro(w, r, &f) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.exact()
	e := &endpoint{ID: newID(), Seq: s.st.next(), SecretKey: newSecret(), IsActive: true, Events: buroEvents[:1], CreatedAt: now, UpdatedAt: now}
	field, message := f.apply(e)
	if field == "" && e.URL == "" {
		field, message = "endpoint_url", "Required."
	}
	if field != "" {
		buroInvalid(w, field, message)
		return
	}
	s.st.endpoints.put(e.ID, e)
	out := s.endpointJSON(e)
	out.SecretKey = e.SecretKey
	s.buroDone(w, http.StatusCreated, out)
}

func (s *Server) patchEndpoint(w http.ResponseWriter, r *http.Request) {
	var f endpointForm
	if !readBuro(w, r, &f) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(w, r)
	if e == nil {
		return
	}
	changed := *e
	if field, message := f.apply(&changed); field != "" {
		buroInvalid(w, field, message)
		return
	}
	changed.UpdatedAt = s.exact()
	s.st.endpoints.put(e.ID, &changed)
	s.buroDone(w, http.StatusOK, s.endpointJSON(&changed))
}

// endpoint finds the webhook of the path; nil means already answered. The code
// of its absence is not among the vendor's.
func (s *Server) endpoint(w http.ResponseWriter, r *http.Request) *endpoint {
	e := s.st.endpoints.get(r.PathValue("id"))
	if e == nil {
		buroFail(w, http.StatusNotFound, "webhook_not_found", "Webhook not found")
	}
	return e
}

func (s *Server) getEndpoint(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.endpoint(w, r); e != nil {
		writeJSON(w, http.StatusOK, s.endpointJSON(e))
	}
}

// listEndpoints answers with a bare array.
func (s *Server) listEndpoints(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []endpointJSON{}
	for _, e := range sorted(s.st.endpoints, func(e *endpoint) int { return e.Seq }, nil) {
		rows = append(rows, s.endpointJSON(e))
	}
	writeJSON(w, http.StatusOK, rows)
}

// deleteEndpoint also calls off what was still to be sent there.
func (s *Server) deleteEndpoint(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(w, r)
	if e == nil {
		return
	}
	for _, d := range s.st.deliveries.rows {
		if d.WebhookID == e.ID && d.State == sending {
			s.st.finish(d, abandoned)
		}
	}
	s.st.endpoints.remove(e.ID)
	s.buroDone(w, http.StatusNoContent, nil)
}
