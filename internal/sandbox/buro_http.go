package sandbox

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// buro is the table of contents of the Buró de Ingresos dialect. Its paths have
// no prefix, as at the vendor, and none of them is one of Palenca's.
func (s *Server) buro(mux *http.ServeMux) {
	for pattern, h := range map[string]http.HandlerFunc{
		"POST /consents":                     s.createConsent,
		"GET /consents":                      s.listConsents,
		"POST /consents/bulk":                s.bulkConsents,
		"POST /verifications":                s.createVerification,
		"GET /verifications":                 s.listVerifications,
		"POST /verifications/bulk":           s.bulkVerifications,
		"GET /verifications/{id}":            s.getVerification,
		"DELETE /verifications/{id}":         s.deleteVerification,
		"GET /bulks/{id}":                    s.getBulk,
		"GET /bulks/{id}/items":              s.listBulkItems,
		"DELETE /bulks/{id}":                 s.cancelBulk,
		"GET /profile/{identifier}":          s.buroProfile,
		"GET /employments/{identifier}":      s.buroEmployments,
		"GET /employment-files/{identifier}": s.buroFiles,
		"GET /invoices/{identifier}":         s.buroInvoices,
		"GET /earnings/{identifier}":         s.buroEarnings,
		"GET /business-profile/{identifier}": s.buroBusiness,
		"POST /webhooks":                     s.createEndpoint,
		"GET /webhooks":                      s.listEndpoints,
		"GET /webhooks/{id}":                 s.getEndpoint,
		"PATCH /webhooks/{id}":               s.patchEndpoint,
		"DELETE /webhooks/{id}":              s.deleteEndpoint,
		"GET /outbound_ips":                  s.outboundIPs,
	} {
		mux.Handle(pattern, s.buroCall(h))
	}
}

// buroCall is what every call of the dialect goes through. /outbound_ips needs
// no key: the vendor's page calls it without.
func (s *Server) buroCall(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", uuid.NewString())
		if r.URL.Path != "/outbound_ips" {
			if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), []byte(s.creds.BuroKey)) != 1 {
				buroFail(w, http.StatusUnauthorized, "unauthorized", "Invalid X-API-Key")
				return
			}
			if !s.admit(w, buro) {
				buroFail(w, http.StatusTooManyRequests, "too_many_requests", "Rate limit exceeded")
				return
			}
		}
		if f := s.takeFault(r, buro); f != nil {
			s.failAsOrdered(w, r, f, next)
			return
		}
		if err := s.stateError(); err != nil {
			buroUnwritten(w)
			return
		}
		if f := personRewriting(r.PathValue("identifier")); f != nil {
			s.failAsOrdered(w, r, f, next)
			return
		}
		next(w, r)
	})
}

// buroError is the error of every status but 401.
type buroError struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Details []buroFault `json:"details"`
}

// buroFault is one entry of details; its shape is ours.
type buroFault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

var buroCodes = map[int]string{400: "validation_error", 401: "unauthorized", 404: "verification_not_found", 422: "validation_error", 429: "too_many_requests"}

// buroFail answers with an error. On 401 it is flat, and error is a string:
// the vendor's page prints it so (docs/sandbox.md#the-second-dialect).
func buroFail(w http.ResponseWriter, status int, code, message string, details ...buroFault) {
	if status == http.StatusUnauthorized {
		writeJSON(w, status, map[string]string{"error": "Unauthorized", "message": "Invalid X-API-Key"})
		return
	}
	writeJSON(w, status, map[string]buroError{"error": {code, message, details}})
}

func buroInvalid(w http.ResponseWriter, field, message string) {
	buroFail(w, http.StatusBadRequest, "validation_error", "The request is not valid", buroFault{field, message})
}

func buroUnwritten(w http.ResponseWriter) {
	buroFail(w, http.StatusServiceUnavailable, "internal_error", "The sandbox cannot write its state")
}

// buroDone answers a call that changed the state; 204 has no body.
func (s *Server) buroDone(w http.ResponseWriter, status int, body any) {
	if s.st.log.commit() != nil {
		buroUnwritten(w)
		return
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	writeJSON(w, status, body)
}

// maxBulkBody holds the vendor's 100,000 items.
const maxBulkBody = 32 << 20

// readBuro decodes a body into v and reports whether it could; otherwise the
// call is answered. Unknown fields are ignored.
func readBuro(w http.ResponseWriter, r *http.Request, v any) bool {
	limit := int64(maxBody)
	if strings.HasSuffix(r.URL.Path, "/bulk") {
		limit = maxBulkBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			buroFail(w, http.StatusRequestEntityTooLarge, "validation_error", "The body is too large")
		}
		return false
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			buroInvalid(w, kind.Field, "Wrong type")
		} else {
			buroInvalid(w, "body", "Not a JSON document")
		}
		return false
	}
	return true
}

// buroPage reads page and items_per_page, 1 and 100 by default, at most 100 a
// page as the vendor has it.
func buroPage(w http.ResponseWriter, r *http.Request) (page, size int, ok bool) {
	page, size = 1, 100
	for name, to := range map[string]*int{"page": &page, "items_per_page": &size} {
		if text := r.URL.Query().Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 1_000_000 || name == "items_per_page" && n > 100 {
				buroInvalid(w, name, "Out of range")
				return 0, 0, false
			}
			*to = n
		}
	}
	return page, size, true
}

// newID is a UUIDv7, as this vendor's ids look.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// outboundIPs are the addresses that webhooks come from: ours.
func (s *Server) outboundIPs(w http.ResponseWriter, _ *http.Request) {
	type row struct {
		Address string `json:"ip_address"`
	}
	writeJSON(w, http.StatusOK, []row{{"127.0.0.1"}, {"::1"}})
}
