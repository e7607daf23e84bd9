package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// DefaultSignatureHeader is where Buró puts its signature (Buró on webhooks, "Verify Webhook Signatures").
const DefaultSignatureHeader = "X-Signature"

// Encoding is how a signature is written in its header.
type Encoding string

const (
	Base64    Encoding = "base64"    // RFC 4648 section 4, padded or not
	Base64URL Encoding = "base64url" // RFC 4648 section 5, padded or not
	Hex       Encoding = "hex"       // of either case
)

// Encodings lists them all.
var Encodings = []Encoding{Base64, Base64URL, Hex}

// SignaturePolicy asks for HMAC-SHA256 over the raw body. Buró sends it in
// base64 under X-Signature with every authentication. Palenca has it too, but
// publishes neither header nor algorithm (sign_request), so both are settings
// and its absence need not refuse.
type SignaturePolicy struct {
	Header    string     // default DefaultSignatureHeader
	Encodings []Encoding // what to accept; default Base64, as Buró sends
	Prefix    string     // stands before the signature ("sha256="); default none
	Secrets   []Secret   // up to MaxSecrets live ones
	Required  bool       // refuse a request without the header
}

func (p *SignaturePolicy) header() string {
	if p.Header == "" {
		return DefaultSignatureHeader
	}
	return p.Header
}

// accepts tells whether the policy takes signatures in that encoding.
func (p *SignaturePolicy) accepts(e Encoding) bool {
	return e == Base64 && len(p.Encodings) == 0 || slices.Contains(p.Encodings, e)
}

// check refuses a signature that is there and wrong even where none is
// required: it shows that the body was changed or that the key is another.
func (p *SignaturePolicy) check(r Request) Check {
	name := p.header()
	values := r.values(name)
	switch {
	case len(values) > 1:
		return failed(CauseSignatureMalformed, "verify.signature.repeated", "Header", name)
	case len(values) == 0 && p.Required:
		return failed(CauseSignatureMissing, "verify.signature.missing", "Header", name)
	case len(values) == 0:
		return Check{Result: Skip, ReasonID: "verify.signature.absent", Args: []any{"Header", name}}
	}
	text, prefixed := strings.CutPrefix(values[0], p.Prefix)
	var sums [][]byte
	for _, e := range Encodings {
		if sum, ok := e.decode(text); ok && p.accepts(e) && len(sum) == sha256.Size {
			sums = append(sums, sum)
		}
	}
	if !prefixed || len(sums) == 0 {
		return failed(CauseSignatureMalformed, "verify.signature.malformed", "Header", name)
	}
	m := ask(p.Secrets, r.At, func(key []byte) bool { return oneOf(sums, mac(key, r.Body)) })
	switch {
	case m.live != nil:
		return passed("verify.signature.ok", m.live.ID, "Header", name)
	case m.retired != nil:
		return failed(CauseSignatureMismatch, "verify.signature.retired", "Header", name, "Since", instant(m.retired.NotAfter))
	case !m.any:
		return failed(CauseSignatureMismatch, "verify.signature.no_secret")
	}
	return failed(CauseSignatureMismatch, "verify.signature.mismatch", "Header", name)
}

// decode reads a signature; ok is false for what is not of the encoding.
func (e Encoding) decode(text string) (sum []byte, ok bool) {
	// No signature is longer than SHA-512 in hex; encoding/base64 skips line breaks.
	if text == "" || len(text) > 128 || strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	var err error
	switch bare := strings.TrimRight(text, "="); {
	case e == Hex:
		sum, err = hex.DecodeString(text)
	case bare != text && len(text)%4 != 0:
		return nil, false // padding that does not fit
	case e == Base64:
		sum, err = base64.RawStdEncoding.DecodeString(bare)
	case e == Base64URL:
		sum, err = base64.RawURLEncoding.DecodeString(bare)
	default:
		return nil, false
	}
	return sum, err == nil
}

// oneOf compares with all of them, each in constant time.
func oneOf(sums [][]byte, want []byte) bool {
	found := false
	for _, sum := range sums {
		found = hmac.Equal(sum, want) || found
	}
	return found
}
