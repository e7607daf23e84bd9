package webhook

import (
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// DefaultLeeway is how much two honest clocks may differ on a JWT's times.
const DefaultLeeway = 30 * time.Second

// maxBearer is the longest token read, in bytes. Those of the vendor have 200.
const maxBearer = 8 << 10

// JWTPolicy asks for a bearer token signed with HS256, which the vendor makes
// anew for each request from a secret of ours (Buró on webhooks, "JWT Bearer Token").
type JWTPolicy struct {
	Secrets []Secret      // the characters of the secret as given to the vendor, as bytes
	Leeway  time.Duration // for exp and nbf; none if not positive
}

// algorithm is the only one accepted. A list that a token could choose from is
// what "alg": "none" and the confusion of RS256 with HS256 live on.
var algorithm = jwt.SigningMethodHS256.Alg()

// times are the claims that are judged. The others are the sender's business,
// and a number where a text is usual does not make them wrong.
type times struct {
	Expires   *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
}

func (t *times) GetExpirationTime() (*jwt.NumericDate, error) { return t.Expires, nil }
func (t *times) GetNotBefore() (*jwt.NumericDate, error)      { return t.NotBefore, nil }
func (*times) GetIssuedAt() (*jwt.NumericDate, error)         { return nil, nil }
func (*times) GetAudience() (jwt.ClaimStrings, error)         { return nil, nil }
func (*times) GetIssuer() (string, error)                     { return "", nil }
func (*times) GetSubject() (string, error)                    { return "", nil }

func (p *JWTPolicy) check(r Request) Check {
	text, state := r.bearer()
	switch state {
	case bearerMissing:
		return failed(CauseJWTMissing, "verify.jwt.missing")
	case bearerRepeated:
		return failed(CauseJWTMalformed, "verify.jwt.repeated")
	}
	if len(text) > maxBearer {
		return failed(CauseJWTMalformed, "verify.jwt.malformed")
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{algorithm}), jwt.WithExpirationRequired(), jwt.WithStrictDecoding(),
		jwt.WithLeeway(max(p.Leeway, 0)), jwt.WithTimeFunc(func() time.Time { return r.At }),
	)
	// Read first, so that what is no JWT is called that whatever secrets there are.
	token, _, err := parser.ParseUnverified(text, &times{})
	if bad := unreadable(token, err); bad != nil {
		return *bad
	}
	var (
		claims  times
		problem error // with the times of a token that one of the secrets signed
	)
	m := ask(p.Secrets, r.At, func(key []byte) bool {
		var c times
		_, err := parser.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return key, nil })
		if errors.Is(err, jwt.ErrTokenSignatureInvalid) {
			return false
		}
		claims, problem = c, err
		return true
	})
	switch {
	case m.live != nil:
		return judge(claims, problem, m.live.ID, r.At)
	case m.retired != nil:
		return failed(CauseJWTSignature, "verify.jwt.retired", "Since", instant(m.retired.NotAfter))
	case !m.any:
		return failed(CauseJWTSignature, "verify.jwt.no_secret")
	}
	return failed(CauseJWTSignature, "verify.jwt.signature")
}

// unreadable is the check for a token that no secret could make good.
func unreadable(token *jwt.Token, err error) *Check {
	var bad Check
	switch {
	case token == nil || errors.Is(err, jwt.ErrTokenMalformed):
		bad = failed(CauseJWTMalformed, "verify.jwt.malformed")
	case token.Method == nil || token.Method.Alg() != algorithm:
		alg, _ := token.Header["alg"].(string)
		bad = failed(CauseJWTAlgorithm, "verify.jwt.algorithm", "Algorithm", clipped(alg))
	case token.Header["crit"] != nil:
		// RFC 7515 section 4.1.11: an extension marked critical and not
		// understood makes the token invalid. The library leaves that to us.
		bad = failed(CauseJWTMalformed, "verify.jwt.critical")
	default:
		return nil
	}
	return &bad
}

// judge says what is wrong with the times of an authentic token.
func judge(c times, problem error, secretID string, at time.Time) Check {
	switch {
	case problem == nil:
		return passed("verify.jwt.ok", secretID, "Until", instant(c.Expires.Time))
	case c.Expires == nil:
		return failed(CauseJWTNoExpiry, "verify.jwt.no_expiry")
	case errors.Is(problem, jwt.ErrTokenExpired):
		return failed(CauseJWTExpired, "verify.jwt.expired", "Expired", instant(c.Expires.Time), "Late", span(at.Sub(c.Expires.Time)))
	case errors.Is(problem, jwt.ErrTokenNotValidYet):
		return failed(CauseJWTNotYet, "verify.jwt.not_yet", "From", instant(c.NotBefore.Time), "Early", span(c.NotBefore.Sub(at)))
	}
	return failed(CauseJWTMalformed, "verify.jwt.malformed")
}

// bearerState is what the Authorization header holds.
type bearerState int

const (
	bearerFound    bearerState = iota
	bearerMissing              // no header, or another scheme
	bearerRepeated             // several headers
)

// bearer reads the token of RFC 6750 section 2.1. Whatever else the header holds
// is not repeated anywhere: it may be a credential without its scheme.
func (r Request) bearer() (token string, state bearerState) {
	values := r.values("Authorization")
	if len(values) > 1 {
		return "", bearerRepeated
	}
	if len(values) == 0 {
		return "", bearerMissing
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", bearerMissing
	}
	return token, bearerFound
}

// clipped makes a word from outside fit to be shown: short, and of the
// characters that names are made of.
func clipped(word string) string {
	const most = 24
	clean := strings.Map(func(c rune) rune {
		if c < '0' && !strings.ContainsRune("+-.", c) || c > 'z' || strings.ContainsRune(":;<=>?@[\\]^`", c) {
			return '?'
		}
		return c
	}, word)
	if len(clean) > most {
		return clean[:most] + "…"
	}
	return clean
}
