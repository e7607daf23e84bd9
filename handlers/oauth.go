package handlers

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"cotejo/db"
	"cotejo/web"
)

// tokenLife is how long a token of ours is good. The vendor asks for one before each delivery, so it need not be long.
const tokenLife = time.Hour

// maxTokenRequest bounds the body of a token request, in bytes.
const maxTokenRequest = 8 << 10

// tokenRequest is a client-credentials request (RFC 6749, 4.4). The vendor sends it as JSON or as a form, as configured
// with it (docs/vendor-buro.md#buro-authentication).
type tokenRequest struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	GrantType    string `json:"grant_type"`
}

// issueToken gives a client of a subscription a bearer token for its deliveries.
func (c *Console) issueToken(w http.ResponseWriter, r *http.Request) error {
	req, err := readTokenRequest(r)
	if err != nil {
		return sayToken(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
	}
	if req.GrantType != "client_credentials" {
		return sayToken(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
	}
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	err = c.DB.IssueToken(r.Context(), req.ClientID, req.ClientSecret, token, tokenLife)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return sayToken(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case err != nil:
		c.Log.ErrorContext(r.Context(), "issue a token", "error", err, "request", web.RequestIDOf(r.Context()))
		return sayToken(w, http.StatusServiceUnavailable, map[string]any{"error": "temporarily_unavailable"})
	}
	return sayToken(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second)})
}

// readTokenRequest takes JSON or a form, and a client that names itself by HTTP Basic (RFC 6749, 2.3.1).
func readTokenRequest(r *http.Request) (req tokenRequest, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxTokenRequest+1))
	if err != nil || len(body) > maxTokenRequest {
		return req, errors.New("token request: body not read whole")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		err = json.Unmarshal(body, &req)
	} else {
		var form url.Values
		form, err = url.ParseQuery(string(body))
		req = tokenRequest{form.Get("client_id"), form.Get("client_secret"), form.Get("grant_type")}
	}
	if id, secret, ok := r.BasicAuth(); ok && req.ClientID == "" {
		req.ClientID, req.ClientSecret = id, secret
	}
	return req, err
}

// sayToken answers as RFC 6749, 5.1 and 5.2 ask.
func sayToken(w http.ResponseWriter, status int, body map[string]any) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="cotejo hooks"`)
	}
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}
