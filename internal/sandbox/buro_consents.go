package sandbox

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// consentForm is what the vendor wants to know of a consent.
type consentForm struct {
	Identifier string `json:"identifier"`
	IP         string `json:"ip_address"`
	NoticeURL  string `json:"privacy_notice_url"`
}

// fault names the field that cannot be; "" when all can.
func (f *consentForm) fault() (field, message string) {
	f.Identifier = strings.ToUpper(strings.TrimSpace(f.Identifier))
	if !isIdentifier(f.Identifier) {
		return "identifier", "Invalid identifier format."
	}
	if _, err := netip.ParseAddr(f.IP); err != nil {
		return "ip_address", "Not an IP address."
	}
	if !isHTTP(f.NoticeURL) {
		return "privacy_notice_url", "Not a URL."
	}
	return "", ""
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// isIdentifier takes a CURP or an RFC by their form alone. Check digits are
// left for the sources to judge, as everywhere in the sandbox.
func isIdentifier(text string) bool {
	if len(text) == 18 {
		_, err := readCURP(text)
		return err == nil || errors.Is(err, errCURPDigit)
	}
	_, err := readRFC(text)
	return err == nil
}

// consentJSON is a consent; a list leaves created_at out.
type consentJSON struct {
	ID         string     `json:"id"`
	Identifier string     `json:"identifier"`
	IP         string     `json:"ip_address"`
	NoticeURL  string     `json:"privacy_notice_url"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	ExpiresAt  time.Time  `json:"expires_at"`
}

// addConsent keeps a consent for a year and, as both samples of the vendor's
// answers have it, six hours more: one of its two times is Mexico's, marked Z.
func (s *Server) addConsent(f consentForm) *consent {
	now := s.exact()
	c := &consent{
		ID: newID(), Seq: s.st.next(), Identifier: f.Identifier, IP: f.IP, NoticeURL: f.NoticeURL,
		CreatedAt: now, ExpiresAt: now.AddDate(1, 0, 0).Add(6 * time.Hour),
	}
	s.st.consents.put(c.ID, c)
	s.st.newest[c.Identifier] = c.ID
	return c
}

// liveConsent is the consent under which an identifier may be looked up now;
// nil when there is none.
func (s *Server) liveConsent(identifier string) *consent {
	c := s.st.consents.get(s.st.newest[identifier])
	if c == nil || !s.exact().Before(c.ExpiresAt) {
		return nil
	}
	return c
}

func (s *Server) createConsent(w http.ResponseWriter, r *http.Request) {
	var f consentForm
	if !readBuro(w, r, &f) {
		return
	}
	if field, message := f.fault(); field != "" {
		buroInvalid(w, field, message)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.addConsent(f)
	s.buroDone(w, http.StatusCreated, consentJSON{c.ID, c.Identifier, c.IP, c.NoticeURL, &c.CreatedAt, c.ExpiresAt})
}

// listConsents shows consents newest first, also those that have expired.
func (s *Server) listConsents(w http.ResponseWriter, r *http.Request) {
	page, size, ok := buroPage(w, r)
	if !ok {
		return
	}
	identifier := strings.ToUpper(r.URL.Query().Get("identifier"))
	s.mu.Lock()
	defer s.mu.Unlock()
	found := sorted(s.st.consents, func(c *consent) int { return -c.Seq }, func(c *consent) bool { return identifier == "" || c.Identifier == identifier })
	rows := []consentJSON{}
	for _, c := range window(found, page, size) {
		rows = append(rows, consentJSON{c.ID, c.Identifier, c.IP, c.NoticeURL, nil, c.ExpiresAt})
	}
	writeJSON(w, http.StatusOK, struct {
		Consents   []consentJSON `json:"consents"`
		Pagination pagination    `json:"pagination"`
	}{rows, pages(page, size, len(found))})
}
