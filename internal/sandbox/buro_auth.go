package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authentication is how a webhook's deliveries prove themselves beside their
// signature; Type says which of the other fields count.
type authentication struct {
	Type string `json:"type"` // jwt, custom_headers, token_endpoint

	Secret            string `json:"secret,omitempty"`
	ExpirationSeconds int    `json:"expiration_seconds,omitempty"` // 0 = 3600

	Headers map[string]string `json:"headers,omitempty"`

	URL            string            `json:"url,omitempty"`
	Method         string            `json:"method,omitempty"` // "" = POST
	RequestHeaders map[string]string `json:"request_headers,omitempty"`
	RequestBody    json.RawMessage   `json:"request_body,omitempty"`
	ResponseKey    string            `json:"response_key,omitempty"` // "" = access_token; a.b goes down
}

// fault names the field that cannot be; "" when all can.
func (a *authentication) fault() (field, message string) {
	switch a.Type {
	case "jwt":
		if a.Secret == "" {
			return "authentication.secret", "Required."
		}
		if a.ExpirationSeconds < 0 {
			return "authentication.expiration_seconds", "Negative."
		}
	case "custom_headers":
		if len(a.Headers) == 0 {
			return "authentication.headers", "Required."
		}
		if !validHeaders(a.Headers) {
			return "authentication.headers", "Not a header."
		}
	case "token_endpoint":
		if !isHTTP(a.URL) {
			return "authentication.url", "Not a URL."
		}
		if !validHeaders(a.RequestHeaders) {
			return "authentication.request_headers", "Not a header."
		}
		if a.Method = strings.ToUpper(a.Method); a.Method != "" && a.Method != "GET" && a.Method != "POST" && a.Method != "PUT" {
			return "authentication.method", "Not GET, POST or PUT."
		}
	default:
		return "authentication.type", "Not jwt, custom_headers or token_endpoint."
	}
	return "", ""
}

// validHeaders takes what can be sent at all: letters of a token as names, no
// line breaks in values.
func validHeaders(headers map[string]string) bool {
	for name, value := range headers {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
		}) || strings.ContainsAny(value, "\r\n\x00") {
			return false
		}
	}
	return true
}

// dress puts a webhook's authentication on a parcel; a token is fetched later,
// without the lock.
func (e *endpoint) dress(p *parcel, d *delivery, now time.Time) {
	if e.Auth == nil {
		return
	}
	switch e.Auth.Type {
	case "jwt":
		p.header.Set("Authorization", "Bearer "+e.Auth.mint(d.Token, now))
	case "custom_headers":
		for name, value := range e.Auth.Headers {
			p.header.Set(name, value)
		}
	case "token_endpoint":
		p.token = e.Auth
	}
}

// mint makes a JWT (RFC 7519) with HS256, as the vendor's sample header is. The
// claims are on no page: ours are iat and exp. kind is "" for a good one,
// expired, or none for a token that claims to need no signature.
func (a *authentication) mint(kind string, now time.Time) string {
	life := time.Duration(cmp.Or(a.ExpirationSeconds, 3600)) * time.Second
	alg := "HS256"
	switch kind {
	case "expired":
		now = now.Add(-life - time.Hour)
	case "none":
		alg = "none"
	}
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(encode(v)) }
	text := part(struct {
		Alg string `json:"alg"`
		Typ string `json:"typ"`
	}{alg, "JWT"}) + "." + part(map[string]int64{"iat": now.Unix(), "exp": now.Add(life).Unix()})
	if kind == "none" {
		return text + "."
	}
	m := hmac.New(sha256.New, []byte(a.Secret))
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// errToken fails an attempt whose token could not be had. What the token
// endpoint said is not repeated: it may echo the secret.
var errToken = errors.New("token endpoint")

// fetchToken asks a token endpoint as configured. A body is sent as JSON, or as
// a form when the headers say so.
func (s *Server) fetchToken(ctx context.Context, a *authentication) (string, error) {
	header := http.Header{}
	for name, value := range a.RequestHeaders {
		header.Set(name, value)
	}
	body := []byte(a.RequestBody)
	if strings.HasPrefix(header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		body = formOf(a.RequestBody)
	} else if len(body) > 0 && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(a.Method, http.MethodPost), a.URL, bytes.NewReader(body))
	if err != nil {
		return "", errToken
	}
	req.Header = header
	res, err := s.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: no answer", errToken)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || res.StatusCode < 200 || res.StatusCode > 299 {
		return "", fmt.Errorf("%w: status %d", errToken, res.StatusCode)
	}
	for key := range strings.SplitSeq(cmp.Or(a.ResponseKey, "access_token"), ".") {
		var level map[string]json.RawMessage
		if json.Unmarshal(text, &level) != nil {
			return "", fmt.Errorf("%w: no %s in the answer", errToken, a.ResponseKey)
		}
		text = level[key]
	}
	var token string
	if json.Unmarshal(text, &token) != nil || token == "" || strings.ContainsAny(token, "\r\n\x00") {
		return "", fmt.Errorf("%w: no %s in the answer", errToken, a.ResponseKey)
	}
	return token, nil
}

// formOf writes the fields of a JSON object as a form; what is not a string
// keeps its JSON text.
func formOf(object json.RawMessage) []byte {
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal(object, &fields)
	form := url.Values{}
	for name, raw := range fields {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		form.Set(name, text)
	}
	return []byte(form.Encode())
}
