package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"time"
)

// HeaderSecret is one header that the vendor adds to each request with a value
// of ours (Buró on webhooks, "Custom Headers"). While a value is replaced the
// older ones are good until their end, like keys: the vendor may use them still.
type HeaderSecret struct {
	Name    string   // of any case
	Secrets []Secret // values as keys, the newest first; compared exactly
}

// Format prints the name alone, whatever the verb.
func (h HeaderSecret) Format(f fmt.State, _ rune) { fmt.Fprint(f, h.Name+": "+redacted) }

// LogValue keeps the values out of slog.
func (h HeaderSecret) LogValue() slog.Value { return slog.StringValue(h.Name + ": " + redacted) }

// MarshalText keeps the values out of anything that prints a policy as JSON.
func (h HeaderSecret) MarshalText() ([]byte, error) { return []byte(h.Name + ": " + redacted), nil }

// checkHeaders compares every header, even after one was found wrong.
func checkHeaders(headers []HeaderSecret, r Request) Check {
	result := passed("verify.header.ok", "", "Count", len(headers))
	for _, h := range headers {
		bad := h.compare(r.values(h.Name), r.At)
		if bad != nil && result.Result == Pass {
			result = *bad
		}
	}
	return result
}

// compare gives the failure, or nil where the header has one value that is right at a moment.
func (h HeaderSecret) compare(values []string, at time.Time) *Check {
	var bad Check
	m := ask(h.Secrets, at, func(key []byte) bool { return len(values) == 1 && sameText(values[0], string(key)) })
	switch {
	case !m.any && m.retired == nil:
		bad = failed(CauseHeaderMismatch, "verify.header.no_value", "Header", h.Name)
	case len(values) == 0:
		bad = failed(CauseHeaderMissing, "verify.header.missing", "Header", h.Name)
	case len(values) > 1:
		bad = failed(CauseHeaderMismatch, "verify.header.repeated", "Header", h.Name)
	case m.live == nil && m.retired != nil:
		bad = failed(CauseHeaderMismatch, "verify.header.retired", "Header", h.Name, "Since", instant(m.retired.NotAfter))
	case m.live == nil:
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
