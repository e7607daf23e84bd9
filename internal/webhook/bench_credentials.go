package webhook

import (
	"crypto/hmac"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// benchClaims are the times of a token that is only looked at.
type benchClaims struct {
	times
	Issued *jwt.NumericDate `json:"iat"`
}

// milliseconds: a time in seconds beyond this is in the year 5138 or, far
// likelier, in milliseconds.
const milliseconds = 1e11

// hasJWT tells whether the bearer token looks like a JWT.
func (r Request) hasJWT() bool {
	text, state := r.bearer()
	return state == bearerFound && looksLikeJWT(text)
}

func looksLikeJWT(text string) bool {
	if len(text) > maxBearer || strings.Count(text, ".") != 2 {
		return false
	}
	_, _, err := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
	return !errors.Is(err, jwt.ErrTokenMalformed)
}

// jwt looks into a bearer token; p is nil when none is asked for.
func (t *trials) jwt(p *JWTPolicy, b Bench) []Finding {
	if p == nil {
		p = &JWTPolicy{}
	}
	text, found := findJWT(b.Request)
	if text == "" {
		return found
	}
	// Unverified on purpose: what a bad token says is what explains it.
	var c benchClaims
	token, parts, err := jwt.NewParser().ParseUnverified(text, &c)
	switch {
	case strings.Count(text, ".") != 2 || len(text) > maxBearer:
		return append(found, finding(Fail, "verify.bench.jwt_parts"))
	case token == nil || errors.Is(err, jwt.ErrTokenMalformed):
		return append(found, finding(Fail, "verify.bench.jwt_unreadable"))
	case token.Method == nil || token.Method.Alg() != algorithm:
		alg, _ := token.Header["alg"].(string)
		found = append(found, finding(Fail, "verify.jwt.algorithm", "Algorithm", clipped(alg)))
		// No key is tried: which secret fits another algorithm changes nothing.
		return append(found, c.findings(p.Leeway, t.at)...)
	case token.Header["crit"] != nil:
		found = append(found, finding(Fail, "verify.jwt.critical"))
	}
	found = append(found, c.findings(p.Leeway, t.at)...)
	return append(found, t.jwtKey(p, b, parts[0]+"."+parts[1], token.Signature)...)
}

// findJWT gives the token to look at, even one in the wrong place.
func findJWT(r Request) (text string, found []Finding) {
	text, state := r.bearer()
	switch state {
	case bearerFound:
		return text, nil
	case bearerRepeated:
		found = append(found, finding(Fail, "verify.jwt.repeated"))
	default:
		found = append(found, finding(Fail, "verify.jwt.missing"))
	}
	for i, h := range r.Header {
		if i == maxHeaders {
			break
		}
		// The last word, so that a scheme before it, known or not, is no obstacle.
		fields := strings.Fields(h.Value)
		if len(fields) == 0 || !looksLikeJWT(fields[len(fields)-1]) {
			continue
		}
		switch {
		case !strings.EqualFold(h.Name, "Authorization"):
			found = append(found, finding(Warn, "verify.bench.jwt_elsewhere", "Found", clipped(h.Name)))
		case state == bearerMissing:
			found = append(found, finding(Warn, "verify.bench.jwt_no_bearer"))
		}
		return fields[len(fields)-1], found
	}
	return "", found
}

// findings are about the times of a token, with the exact difference.
func (c benchClaims) findings(leeway time.Duration, at time.Time) []Finding {
	var found []Finding
	leeway = max(leeway, 0)
	// The bounds are those of the library, to the second: a token that expires
	// at this very moment has expired.
	switch exp := c.Expires; {
	case exp == nil:
		found = append(found, finding(Fail, "verify.jwt.no_expiry"))
	case exp.Unix() > milliseconds:
		found = append(found, finding(Warn, "verify.bench.jwt_milliseconds"))
	case !at.Before(exp.Add(leeway)):
		found = append(found, finding(Fail, "verify.jwt.expired", "Expired", instant(exp.Time), "Late", span(at.Sub(exp.Time))))
	}
	if nbf := c.NotBefore; nbf != nil && at.Before(nbf.Add(-leeway)) {
		found = append(found, finding(Fail, "verify.jwt.not_yet", "From", instant(nbf.Time), "Early", span(nbf.Sub(at))))
	}
	// Nothing is refused for iat (RFC 7519 gives it no such meaning), but it is
	// the best witness of two clocks that differ.
	if iat := c.Issued; iat != nil && iat.Unix() <= milliseconds && at.Before(iat.Add(-leeway)) {
		found = append(found, finding(Warn, "verify.bench.jwt_ahead", "Issued", instant(iat.Time), "Early", span(iat.Sub(at))))
	}
	return found
}

// jwtKey looks for the secret that signed the token. The vendor takes the
// characters of a JWT secret as they are, so that is how a typed one is meant.
func (t *trials) jwtKey(p *JWTPolicy, b Bench, signed string, signature []byte) []Finding {
	typed := make([]Candidate, 0, len(b.Secrets))
	for _, c := range b.Secrets {
		typed = append(typed, Candidate{c.ID, c.Text, true})
	}
	keys := readings(p.Secrets, typed, t.at)
	if len(keys) == 0 {
		return []Finding{finding(Skip, "verify.bench.no_secret")}
	}
	tried := t.hmacs
	for _, k := range keys {
		sum, ok := t.sum(k.key, []byte(signed))
		if !ok {
			break
		}
		if hmac.Equal(signature, sum) {
			return verifies(k.secretID, k.aspects())
		}
	}
	return []Finding{finding(Fail, "verify.bench.jwt_nothing", "Count", t.hmacs-tried)}
}

// diagnoseHeaders says of each header what is wrong with it. It compares with
// what the subscription knows and repeats none of it.
func diagnoseHeaders(headers []HeaderSecret, r Request) []Finding {
	var found []Finding
	for _, h := range headers {
		values := r.values(h.Name)
		bad := h.compare(values, r.At)
		if bad == nil {
			found = append(found, finding(Pass, "verify.bench.header_ok", "Header", h.Name))
			continue
		}
		found = append(found, finding(Fail, bad.ReasonID, bad.Args...))
		found = append(found, h.likely(values, r)...)
	}
	return found
}

// likely gives what most often explains a wrong or missing header, by the newest value that counts.
func (h HeaderSecret) likely(values []string, r Request) []Finding {
	key, ok := newestLive(h.Secrets, r.At)
	if !ok {
		return nil
	}
	want := string(key)
	// Wrong here and there cannot be told apart: only that the rest is equal.
	for _, v := range values {
		_, bare, _ := strings.Cut(v, " ")
		switch {
		case sameText(strings.TrimSpace(v), strings.TrimSpace(want)):
			return []Finding{finding(Warn, "verify.bench.header_space", "Header", h.Name)}
		case sameText(strings.ToLower(v), strings.ToLower(want)):
			return []Finding{finding(Warn, "verify.bench.header_case", "Header", h.Name)}
		case sameText(bare, want):
			return []Finding{finding(Warn, "verify.bench.header_scheme", "Header", h.Name)}
		}
	}
	for i, other := range r.Header {
		if i == maxHeaders {
			break
		}
		if !strings.EqualFold(other.Name, h.Name) && sameText(other.Value, want) {
			return []Finding{finding(Warn, "verify.bench.header_elsewhere", "Header", h.Name, "Found", clipped(other.Name))}
		}
	}
	return nil
}
