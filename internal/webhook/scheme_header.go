package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"time"
)

// HeaderSecret is one header that the vendor adds to each request with a value
// of ours (Buró on webhooks, "Custom Headers").
type HeaderSecret struct {
	Name  string // of any case
	Value string // compared exactly; an empty one never matches
}

// Format prints the name alone, whatever the verb.
func (h HeaderSecret) Format(f fmt.State, _ rune) { fmt.Fprint(f, h.Name+": "+redacted) }

// LogValue keeps the value out of slog.
func (h HeaderSecret) LogValue() slog.Value { return slog.StringValue(h.Name + ": " + redacted) }

// MarshalText keeps the value out of anything that prints a policy as JSON.
func (h HeaderSecret) MarshalText() ([]byte, error) { return []byte(h.Name + ": " + redacted), nil }

// checkHeaders compares every header, even after one was found wrong.
func checkHeaders(headers []HeaderSecret, r Request) Check {
	result := passed("verify.header.ok", "", "Count", len(headers))
	for _, h := range headers {
		bad := h.compare(r.values(h.Name))
		if bad != nil && result.Result == Pass {
			result = *bad
		}
	}
	return result
}

// compare gives the failure, or nil where the header has its one right value.
func (h HeaderSecret) compare(values []string) *Check {
	var bad Check
	switch {
	case h.Value == "":
		bad = failed(CauseHeaderMismatch, "verify.header.no_value", "Header", h.Name)
	case len(values) == 0:
		bad = failed(CauseHeaderMissing, "verify.header.missing", "Header", h.Name)
	case len(values) > 1:
		bad = failed(CauseHeaderMismatch, "verify.header.repeated", "Header", h.Name)
	case !sameText(values[0], h.Value):
		bad = failed(CauseHeaderMismatch, "verify.header.mismatch", "Header", h.Name)
	default:
		return nil
	}
	return &bad
}

// sameText compares in a time that tells neither content nor length: the
// digests have the same length whatever the texts have.
func sameText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// TokenState is what is known of an access token at a moment.
type TokenState string

const (
	TokenUnknown TokenState = "unknown" // never issued, or for another subscription
	TokenValid   TokenState = "valid"
	TokenExpired TokenState = "expired"
	TokenRevoked TokenState = "revoked"
)

// TokenPolicy asks for a bearer token that our own token endpoint issued
// (Buró on webhooks, "Token Endpoint").
type TokenPolicy struct {
	// Valid tells the state, at a time, of the token with this SHA-256. Only
	// digests are stored, so looking one up takes no constant time: its timing
	// is about a digest, from which no token can be made. A nil Valid knows none.
	Valid func(sum [sha256.Size]byte, at time.Time) TokenState
}

func (p *TokenPolicy) check(r Request) Check {
	token, state := r.bearer()
	switch state {
	case bearerMissing:
		return failed(CauseTokenMissing, "verify.token.missing")
	case bearerRepeated:
		return failed(CauseTokenUnknown, "verify.token.repeated")
	}
	known := TokenUnknown
	if p.Valid != nil {
		known = p.Valid(sha256.Sum256([]byte(token)), r.At)
	}
	switch known {
	case TokenValid:
		return passed("verify.token.ok", "")
	case TokenExpired:
		return failed(CauseTokenExpired, "verify.token.expired")
	case TokenRevoked:
		return failed(CauseTokenRevoked, "verify.token.revoked")
	}
	return failed(CauseTokenUnknown, "verify.token.unknown")
}
