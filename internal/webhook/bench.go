package webhook

import (
	"strings"
	"time"
)

// Bench is a request to look into: a stored delivery, or what somebody pasted.
type Bench struct {
	Policy   Policy      // of the subscription; the zero value stands for the vendor's signature as documented
	Request  Request     // At is the receipt, or now for what was pasted
	Secrets  []Candidate // typed for the occasion, beside those of the policy
	BodySize int         // bytes as received, when more than were kept; 0: Body is whole
}

// Candidate is a secret as a person typed it. Unlike one of a subscription it
// may be anything, even what DecodeSecret refuses: perhaps the sender uses it so.
type Candidate struct {
	ID   string // shown, so free of secret parts
	Text string
	Raw  bool // meant as the characters themselves
}

// Finding is one thing that the bench found out: a whole sentence by its id,
// with Args as pairs of name and value, none of them secret. A Pass says that
// something verifies, a Fail why it does not, a Warn how it differs from what
// the subscription expects, a Skip what could not be tried.
type Finding struct {
	Scheme   Scheme
	Result   Result
	ReasonID string
	Args     []any
	SecretID string
}

// What Diagnose does at most. The vendor's bodies are under 1 kB, where it is
// the number that counts; a body of MaxBody is hashed 256 times, in some 0.2 s.
const (
	maxTrials = 300
	maxHashed = 64 << 20 // bytes
	maxKeys   = 6        // secrets looked at
)

// Diagnose finds out why a request fails to verify, by trying what senders and
// proxies are known to do: another reading of the secret, another encoding of
// the signature, a body that was written anew on its way. It explains and never
// decides; only Verify does. The work is bounded whatever is pasted.
func Diagnose(b Bench) []Finding {
	t := &trials{at: b.Request.At}
	var found []Finding
	found = append(found, contentLength(b)...)
	if p := b.Policy.Signature; p != nil || b.looksSigned() {
		if p == nil {
			p = &SignaturePolicy{}
		}
		found = append(found, mark(SchemeSignature, t.signature(p, b))...)
	}
	if b.Policy.JWT != nil || b.Request.hasJWT() && b.Policy.Token == nil {
		found = append(found, mark(SchemeJWT, t.jwt(b.Policy.JWT, b))...)
	}
	if len(b.Policy.Headers) > 0 {
		found = append(found, mark(SchemeHeaders, diagnoseHeaders(b.Policy.Headers, b.Request))...)
	}
	if p := b.Policy.Standard; p != nil || len(b.Request.values(standardSignature)) > 0 {
		if p == nil {
			p = &StandardPolicy{}
		}
		found = append(found, mark(SchemeStandard, t.standard(p, b))...)
	}
	return found
}

// looksSigned tells whether the vendor's signature is worth a look although no
// policy asks for it: it is there, or nothing else is asked for.
func (b Bench) looksSigned() bool {
	p := b.Policy
	nothing := p.JWT == nil && len(p.Headers) == 0 && p.Token == nil && p.Standard == nil
	return len(b.Request.values(DefaultSignatureHeader)) > 0 || nothing && len(b.Request.values(standardSignature)) == 0
}

func mark(scheme Scheme, list []Finding) []Finding {
	for i := range list {
		list[i].Scheme = scheme
	}
	return list
}

func finding(result Result, reason string, args ...any) Finding {
	return Finding{Result: result, ReasonID: reason, Args: args}
}

// contentLength finds a body that lost or won bytes after it was sent.
func contentLength(b Bench) []Finding {
	size := max(b.BodySize, len(b.Request.Body))
	for _, text := range b.Request.values("Content-Length") {
		if declared, ok := number(text); ok && declared != size {
			return mark(SchemeSignature, []Finding{finding(Warn, "verify.bench.length", "Declared", declared, "Got", size)})
		}
	}
	return nil
}

// number reads a size in bytes, as far as it makes sense here.
func number(text string) (int, bool) {
	if text == "" || len(text) > 9 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n, true
}

// trials counts the work done for one diagnosis.
type trials struct {
	at     time.Time
	hmacs  int
	hashed int
	cut    bool // something was left untried
}

// sum is mac within the bounds; ok is false once they are reached.
func (t *trials) sum(key []byte, parts ...[]byte) (sum []byte, ok bool) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if t.hmacs >= maxTrials || t.hashed+size > maxHashed {
		t.cut = true
		return nil, false
	}
	t.hmacs++
	t.hashed += size
	return mac(key, parts...), true
}
