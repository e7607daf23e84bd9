package buro

import (
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// Authentication is how the vendor shows at our receiver who it is, beside the signature that it always sends. Exactly
// one of the three is set (docs/vendor-buro.md#buro-authentication).
type Authentication struct {
	JWT     *JWT
	Headers map[string]Secret // custom_headers: sent with every delivery as they are
	Token   *TokenEndpoint
}

// JWT has the vendor sign a token (HS256) for each delivery.
type JWT struct {
	Secret   Secret
	Lifetime time.Duration // in whole seconds
}

// TokenEndpoint has the vendor fetch a bearer token before each delivery.
type TokenEndpoint struct {
	URL         string
	Method      string // POST or GET
	Headers     map[string]Secret
	Body        map[string]Secret
	ResponseKey string // the member of the answer that holds the token
}

// LogValue says which one it is and nothing of what is in it.
func (a Authentication) LogValue() slog.Value { return slog.StringValue(a.kind()) }

// String does the same for texts.
func (a Authentication) String() string { return a.kind() }

func (a Authentication) kind() string {
	switch {
	case a.JWT != nil && a.Headers == nil && a.Token == nil:
		return "jwt"
	case a.JWT == nil && a.Headers != nil && a.Token == nil:
		return "custom_headers"
	case a.JWT == nil && a.Headers == nil && a.Token != nil:
		return "token_endpoint"
	}
	return "none"
}

// wire gives the object that is sent; false when it could not work. Nothing on the vendor's pages says what it checks.
func (a Authentication) wire() (map[string]any, bool) {
	out := map[string]any{"type": a.kind()}
	switch a.kind() {
	case "jwt":
		out["secret"], out["expiration_seconds"] = string(a.JWT.Secret), int(a.JWT.Lifetime/time.Second)
		return out, a.JWT.Secret != "" && a.JWT.Lifetime >= time.Second
	case "custom_headers":
		out["headers"] = bare(a.Headers)
		return out, len(a.Headers) > 0 && headersGood(a.Headers)
	case "token_endpoint":
		t := a.Token
		out["url"], out["method"], out["response_key"] = t.URL, t.Method, t.ResponseKey
		out["request_headers"], out["request_body"] = bare(t.Headers), bare(t.Body)
		u, err := url.Parse(t.URL)
		good := err == nil && u.User == nil && (u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && loopback(u.Hostname()))
		return out, good && (t.Method == http.MethodPost || t.Method == http.MethodGet) && t.ResponseKey != "" && headersGood(t.Headers)
	}
	return nil, false
}

// bare takes the covers off, for the request's body only.
func bare(covered map[string]Secret) map[string]string {
	out := map[string]string{}
	for name, value := range covered {
		out[name] = string(value)
	}
	return out
}

// owned are the headers that are not ours to set: the signature, and what HTTP itself needs.
var owned = []string{"X-Signature", "Content-Length", "Host", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade"}

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$") // RFC 9110 section 5.6.2
	headerValue = regexp.MustCompile(`^[!-~]([ -~]*[!-~])?$`)               // a line break would add a header
)

// headersGood refuses what would break a request apart or replace its signature.
func headersGood(headers map[string]Secret) bool {
	for name, value := range headers {
		if !headerName.MatchString(name) || !headerValue.MatchString(string(value)) || slices.Contains(owned, http.CanonicalHeaderKey(name)) {
			return false
		}
	}
	return true
}
