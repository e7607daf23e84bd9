package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// Policy is what a subscription asks of a request, besides its secret address;
// the zero value asks for nothing more. Any combination may be asked for.
type Policy struct {
	Signature *SignaturePolicy
	JWT       *JWTPolicy
	Headers   []HeaderSecret
	Token     *TokenPolicy
	Standard  *StandardPolicy
	Addresses *AddressPolicy
}

// String says which schemes are asked for and nothing about their secrets.
func (p Policy) String() string {
	var asked []string
	for _, s := range p.schemes() {
		asked = append(asked, string(s.scheme))
	}
	return strings.Join(asked, "+")
}

// Format prints what String says, whatever the verb.
func (p Policy) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.String()) }

// LogValue keeps the secrets out of slog.
func (p Policy) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Request is one HTTP request as it was received, or as it was stored.
type Request struct {
	Method string
	Header []Header  // one entry per line received, credentials unsealed
	Body   []byte    // exact bytes: what was signed is never parsed first
	At     time.Time // of receipt
	Addr   netip.Addr
}

// Scheme names one way to authenticate a request.
type Scheme string

const (
	SchemeSignature Scheme = "signature"
	SchemeJWT       Scheme = "jwt"
	SchemeHeaders   Scheme = "headers"
	SchemeToken     Scheme = "token"
	SchemeStandard  Scheme = "standard"
	SchemeAddress   Scheme = "address"
)

// Result is how one check ended.
type Result string

const (
	Pass Result = "pass"
	Fail Result = "fail" // the request is refused
	Warn Result = "warn" // worth a look; refuses nothing
	Skip Result = "skip" // there was nothing to judge, and it was not required
)

// Check is the result of one scheme. ReasonID is its message, with Args as
// pairs of name and value; neither holds anything secret.
type Check struct {
	Scheme   Scheme
	Result   Result
	Cause    Cause // of a Fail
	ReasonID string
	Args     []any
	SecretID string // the secret that verified, "" otherwise
}

// Outcome is what Verify finds.
type Outcome struct {
	Checks  []Check // of every scheme asked for, in the order of Policy
	Refused bool
	Cause   Cause  // of the first check that failed
	Answer  int    // the HTTP status of a refusal, 0 otherwise
	Line    string // the reason as one English line for the sender; no secret
}

// refusedStatus answers every request that is not authentic. The vendor counts
// anything but 200 and 201 as failed and sends again (docs/vendor.md#delivery-retries).
const refusedStatus = 401

// VerifyCauses are the causes that Verify refuses for.
var VerifyCauses = []Cause{
	CauseSignatureMissing, CauseSignatureMalformed, CauseSignatureMismatch,
	CauseJWTMissing, CauseJWTMalformed, CauseJWTAlgorithm, CauseJWTExpired, CauseJWTNoExpiry, CauseJWTNotYet, CauseJWTSignature,
	CauseHeaderMissing, CauseHeaderMismatch,
	CauseTokenMissing, CauseTokenUnknown, CauseTokenExpired, CauseTokenRevoked,
	CauseTimestampOld, CauseTimestampAhead, CauseTimestampMalformed,
	CauseAddressUnknown,
}

// lines are for the sender's log. They speak to a machine, so they have one
// language, and say no more than the sender's developer needs.
var lines = map[Cause]string{
	CauseSignatureMissing:   "refused: the signature header is missing",
	CauseSignatureMalformed: "refused: the signature header cannot be read",
	CauseSignatureMismatch:  "refused: the signature does not match the body",
	CauseJWTMissing:         "refused: the bearer token is missing",
	CauseJWTMalformed:       "refused: the bearer token is not a readable JWT",
	CauseJWTAlgorithm:       "refused: the JWT is not signed with HS256",
	CauseJWTExpired:         "refused: the JWT has expired",
	CauseJWTNoExpiry:        "refused: the JWT has no expiry",
	CauseJWTNotYet:          "refused: the JWT is not valid yet",
	CauseJWTSignature:       "refused: the JWT is signed with another secret",
	CauseHeaderMissing:      "refused: a required header is missing",
	CauseHeaderMismatch:     "refused: a required header has another value",
	CauseTokenMissing:       "refused: the access token is missing",
	CauseTokenUnknown:       "refused: the access token is unknown",
	CauseTokenExpired:       "refused: the access token has expired",
	CauseTokenRevoked:       "refused: the access token was revoked",
	CauseTimestampOld:       "refused: the timestamp is too old",
	CauseTimestampAhead:     "refused: the timestamp is in the future",
	CauseTimestampMalformed: "refused: the timestamp cannot be read",
	CauseAddressUnknown:     "refused: the source address is not known",
}

// Verify judges a request by a policy, as of the request's receipt: expiry,
// retired secrets and clocks are measured at r.At, so that a stored delivery
// can be verified again after a setting was mended.
//
// Every check asked for runs, so that whoever mends a setting sees all that is
// wrong at once; the first that fails, in the order of Policy, decides.
// Credentials are compared in constant time, against every secret there is. A
// sender can tell from the answer's timing what it sent, not what was expected.
func Verify(p Policy, r Request) Outcome {
	var out Outcome
	for _, s := range p.schemes() {
		c := s.check(r)
		c.Scheme = s.scheme
		out.Checks = append(out.Checks, c)
		if c.Result == Fail && !out.Refused {
			out.Refused, out.Cause, out.Answer, out.Line = true, c.Cause, refusedStatus, lines[c.Cause]
		}
	}
	return out
}

type scheme struct {
	scheme Scheme
	check  func(Request) Check
}

// schemes lists what the policy asks for, in its order.
func (p Policy) schemes() []scheme {
	var list []scheme
	add := func(asked bool, name Scheme, check func(Request) Check) {
		if asked {
			list = append(list, scheme{name, check})
		}
	}
	add(p.Signature != nil, SchemeSignature, p.Signature.check)
	add(p.JWT != nil, SchemeJWT, p.JWT.check)
	add(len(p.Headers) > 0, SchemeHeaders, func(r Request) Check { return checkHeaders(p.Headers, r) })
	add(p.Token != nil, SchemeToken, p.Token.check)
	add(p.Standard != nil, SchemeStandard, p.Standard.check)
	add(p.Addresses != nil && p.Addresses.asked(), SchemeAddress, p.Addresses.check)
	return list
}

func passed(reason, secretID string, args ...any) Check {
	return Check{Result: Pass, ReasonID: reason, SecretID: secretID, Args: args}
}

func failed(cause Cause, reason string, args ...any) Check {
	return Check{Result: Fail, Cause: cause, ReasonID: reason, Args: args}
}

// values are those of every line of a header, in the order received. Two lines
// of one credential are no credential: proxies and frameworks disagree which
// one counts, and a check that reads one while the next hop reads the other is
// how checks are passed by.
func (r Request) values(name string) []string {
	var list []string
	for _, h := range r.Header {
		if strings.EqualFold(h.Name, name) {
			list = append(list, h.Value)
		}
	}
	return list
}

// mac is HMAC-SHA256 over the parts as one message.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// match is what the secrets say about a credential.
type match struct {
	any     bool    // there was a live secret to ask
	live    *Secret // the live one that made it
	retired *Secret // the retired one that made it
}

// ask puts the question to every secret, whatever the others answered, so that
// the time it takes does not tell which one matched.
func ask(secrets []Secret, at time.Time, madeWith func(key []byte) bool) match {
	var m match
	for i := range secrets {
		s := &secrets[i]
		if len(s.Key) == 0 {
			continue
		}
		live, made := s.live(at), madeWith(s.Key)
		m.any = m.any || live
		switch {
		case made && live && m.live == nil:
			m.live = s
		case made && !live && m.retired == nil:
			m.retired = s
		}
	}
	return m
}

// instant writes a time for a message: the same in every language and zone.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// span writes how far apart two times are, to the second.
func span(d time.Duration) string { return d.Abs().Round(time.Second).String() }
