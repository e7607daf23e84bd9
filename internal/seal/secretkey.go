package seal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// SecretKey is COTEJO_SECRET_KEY: 32 bytes that unlock everything sealed. It
// never prints itself; Encode is the one way to its text.
type SecretKey struct {
	bytes [keySize]byte
	set   bool
}

// GenerateSecretKey makes a new random secret key.
func GenerateSecretKey() SecretKey {
	k := SecretKey{set: true}
	rand.Read(k.bytes[:])
	return k
}

// ParseSecretKey reads 32 bytes written as hex (64 digits) or base64 (43 or 44
// characters, either alphabet). Its errors never repeat the text.
func ParseSecretKey(text string) (SecretKey, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return SecretKey{}, errors.New("it is empty")
	}
	raw, ok := decode(text)
	if !ok {
		return SecretKey{}, fmt.Errorf("its %d characters are neither base64 nor hex of 32 bytes", len(text))
	}
	if len(raw) != keySize {
		return SecretKey{}, fmt.Errorf("it holds %d bytes, 32 are needed", len(raw))
	}
	k := SecretKey{set: true}
	copy(k.bytes[:], raw)
	if repeated(raw) {
		return SecretKey{}, errors.New("all its bytes are the same: it was not made at random")
	}
	return k, nil
}

// decode tries hex first: 64 hex digits are valid base64, too, of 48 bytes.
func decode(text string) ([]byte, bool) {
	if len(text) == 2*keySize {
		if raw, err := hex.DecodeString(text); err == nil {
			return raw, true
		}
	}
	bare := strings.TrimRight(text, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := enc.DecodeString(bare); err == nil {
			return raw, true
		}
	}
	return nil, false
}

func repeated(raw []byte) bool {
	for _, b := range raw {
		if b != raw[0] {
			return false
		}
	}
	return true
}

// IsZero tells whether there is no key.
func (k SecretKey) IsZero() bool { return !k.set }

// Encode writes the key as base64 for the file or setting that keeps it.
func (k SecretKey) Encode() string { return base64.StdEncoding.EncodeToString(k.bytes[:]) }

// Format keeps the key out of every fmt verb, %x and %#v included.
func (k SecretKey) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue keeps the key out of slog.
func (k SecretKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the key out of encoders.
func (k SecretKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
