package webhook

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// MaxSecrets is how many secrets of one subscription may be live at once: the
// one in use, its successor during a rotation, and one to spare.
const MaxSecrets = 3

// maxSecretText is the longest secret accepted as text, in bytes. HMAC hashes a
// longer key down to 32 bytes, so nothing is gained beyond it.
const maxSecretText = 1024

const redacted = "[secret]"

// Secret is one key that may have made a credential. An empty Key never
// verifies anything: HMAC would accept it, and so would anybody's signature.
type Secret struct {
	ID       string    // the caller's name for it, free of secret parts
	Key      []byte    // the bytes that enter HMAC
	NotAfter time.Time // retired after it; zero: never
}

// live tells whether the secret counts for a request received at.
func (s Secret) live(at time.Time) bool {
	return len(s.Key) > 0 && (s.NotAfter.IsZero() || !at.After(s.NotAfter))
}

// Format prints the id alone, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted+s.ID) }

// LogValue keeps the key out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted + s.ID) }

// MarshalText keeps the key out of anything that prints a policy as JSON. How
// secrets are stored is the database's business.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted + s.ID), nil }

// SecretError says why a text is no secret. ReasonID is the message for the
// field it was typed into; the error itself never repeats the text.
type SecretError struct {
	ReasonID string
	text     string
}

func (e *SecretError) Error() string { return "webhook: " + e.text }

// What DecodeSecret and DecodeStandardSecret refuse.
var (
	ErrSecretEmpty       = &SecretError{"verify.secret.empty", "the secret is empty"}
	ErrSecretSpace       = &SecretError{"verify.secret.space", "the secret begins or ends with a space"}
	ErrSecretLong        = &SecretError{"verify.secret.long", "the secret is too long"}
	ErrSecretUndecodable = &SecretError{"verify.secret.undecodable", "the secret is not base64url"}
	ErrSecretAsymmetric  = &SecretError{"verify.secret.asymmetric", "the secret is half of an asymmetric pair"}
)

// DecodeSecret turns a secret as the vendor prints it into the key of its HMAC.
//
// The vendor's recipe is Node's Buffer.from(secret, 'base64url')
// (Buró on webhooks, "Verify Webhook Signatures"), which takes both base64 alphabets, mixed if
// need be, with or without padding; so does this. Node also drops in silence
// what it cannot decode, and would make a key of half a secret: here that is
// ErrSecretUndecodable. The vendor's own sample of 33 characters is such a text.
//
// With raw the characters themselves are the key. A space around either kind is
// ErrSecretSpace: it comes from copying, and nobody would see it.
func DecodeSecret(text string, raw bool) ([]byte, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, ErrSecretEmpty
	case strings.TrimFunc(text, unicode.IsSpace) != text:
		return nil, ErrSecretSpace
	case len(text) > maxSecretText:
		return nil, ErrSecretLong
	case raw:
		return []byte(text), nil
	}
	key, ok := decodeBase64(text)
	if !ok || len(key) == 0 {
		return nil, ErrSecretUndecodable
	}
	return key, nil
}

// The forms of keys in Standard Webhooks 1.0.0, "Signature scheme".
const (
	symmetricPrefix = "whsec_"
	publicPrefix    = "whpk_"
	privatePrefix   = "whsk_"
)

// DecodeStandardSecret turns a secret of Standard Webhooks 1.0.0, base64 after
// "whsec_" (which may be left out), into the key of its HMAC. The asymmetric
// kind is refused with ErrSecretAsymmetric: it is not supported here.
func DecodeStandardSecret(text string) ([]byte, error) {
	if strings.HasPrefix(text, publicPrefix) || strings.HasPrefix(text, privatePrefix) {
		return nil, ErrSecretAsymmetric
	}
	return DecodeSecret(strings.TrimPrefix(text, symmetricPrefix), false)
}

var toURLAlphabet = strings.NewReplacer("+", "-", "/", "_")

// decodeBase64 reads base64 in either alphabet, with its padding or without any.
func decodeBase64(text string) ([]byte, bool) {
	// encoding/base64 skips line breaks, which have no place in one line.
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	encoding := base64.RawURLEncoding
	if strings.HasSuffix(text, "=") {
		encoding = base64.URLEncoding
	}
	key, err := encoding.DecodeString(toURLAlphabet.Replace(text))
	return key, err == nil
}
