// Package seal encrypts the few secrets Cotejo has to keep and read back: vendor
// keys, webhook secrets, credential headers of a delivery, TOTP seeds.
//
// Two levels. Data keys encrypt the secrets and are stored wrapped by the secret
// key (COTEJO_SECRET_KEY), which is stored nowhere near them. So a new secret
// key rewraps a handful of data keys and touches no secret, and a new data key
// seals from now on while the older ones still open. The package is pure: it
// takes and returns bytes, and where they are kept is the caller's business.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
)

// Formats, all bytes; AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D):
//
//	sealed:  version(1) key id(4) nonce(12) ciphertext+tag, purpose and header as AAD
//	wrapped: version(1) key id(4) nonce(12) ciphertext+tag of the 32-byte data key
const (
	version    = 1
	idSize     = 4
	headerSize = 1 + idSize
	nonceSize  = 12
	tagSize    = 16
	keySize    = 32

	// Overhead is how much longer a sealed value is than the plain one, in bytes.
	Overhead = headerSize + nonceSize + tagSize
)

var (
	// ErrUnknownKey means that a value was sealed with a data key the ring lacks.
	ErrUnknownKey = errors.New("seal: sealed with a data key that is not here")
	// ErrWrongSecretKey means that a data key was wrapped by another secret key
	// (or that its bytes were changed; the two cannot be told apart).
	ErrWrongSecretKey = errors.New("seal: COTEJO_SECRET_KEY is not the one these secrets were sealed with")
	// ErrCorrupt means that a sealed value was changed, or sealed for another purpose.
	ErrCorrupt = errors.New("seal: the sealed value was changed or belongs elsewhere")
	// ErrFormat means that the bytes are no sealed value or wrapped key of this version.
	ErrFormat = errors.New("seal: not a sealed value of this version")
)

// Ring holds the data keys: the newest seals, each opens. It is immutable and
// safe for concurrent use. It never prints its keys.
type Ring struct {
	newest uint32
	keys   map[uint32]cipher.AEAD
	plain  map[uint32][]byte // for Rewrap
}

// NewDataKey returns a fresh random data key wrapped by secret. id numbers it;
// the highest number in a ring seals. id must be at least 1.
func NewDataKey(secret SecretKey, id uint32) ([]byte, error) {
	if id == 0 {
		return nil, errors.New("seal: data keys are numbered from 1")
	}
	key := make([]byte, keySize)
	rand.Read(key) // never fails: crypto/rand aborts the program instead
	return wrap(secret, id, key)
}

// Open unwraps the stored data keys. It fails with ErrWrongSecretKey if one was
// wrapped by another secret key, and if there is none at all.
func Open(secret SecretKey, wrapped ...[]byte) (*Ring, error) {
	if len(wrapped) == 0 {
		return nil, errors.New("seal: no data key")
	}
	wrapper, err := secret.wrapper()
	if err != nil {
		return nil, err
	}
	r := &Ring{keys: map[uint32]cipher.AEAD{}, plain: map[uint32][]byte{}}
	for _, w := range wrapped {
		id, err := keyID(w)
		if err != nil {
			return nil, err
		}
		if len(w) != Overhead+keySize || id == 0 {
			return nil, ErrFormat
		}
		if _, twice := r.keys[id]; twice {
			return nil, fmt.Errorf("seal: two data keys are numbered %d", id)
		}
		key, err := wrapper.Open(nil, w[headerSize:headerSize+nonceSize], w[headerSize+nonceSize:], w[:headerSize])
		if err != nil {
			return nil, ErrWrongSecretKey
		}
		if r.keys[id], err = aead(key); err != nil {
			return nil, err
		}
		r.plain[id] = key
		r.newest = max(r.newest, id)
	}
	return r, nil
}

// Newest is the number of the data key that seals.
func (r *Ring) Newest() uint32 { return r.newest }

// Seal encrypts plain for one purpose, such as "connection/api_key/<uuid>". The
// purpose is authenticated, not stored: Open needs the same one, so a value
// copied into another row or column does not open there.
func (r *Ring) Seal(plain []byte, purpose string) []byte {
	out := make([]byte, headerSize+nonceSize, Overhead+len(plain))
	header(out, r.newest)
	rand.Read(out[headerSize:])
	return r.keys[r.newest].Seal(out, out[headerSize:], plain, bound(out[:headerSize], purpose))
}

// Open decrypts a sealed value. Errors: ErrFormat, ErrUnknownKey, ErrCorrupt.
func (r *Ring) Open(sealed []byte, purpose string) ([]byte, error) {
	id, err := keyID(sealed)
	if err != nil {
		return nil, err
	}
	key, ok := r.keys[id]
	if !ok {
		return nil, ErrUnknownKey
	}
	nonce, text := sealed[headerSize:headerSize+nonceSize], sealed[headerSize+nonceSize:]
	plain, err := key.Open(nil, nonce, text, bound(sealed[:headerSize], purpose))
	if err != nil {
		return nil, ErrCorrupt
	}
	return plain, nil
}

// Stale tells whether a value was sealed with an older data key than the newest,
// so that a rotation knows what is left to seal again.
func (r *Ring) Stale(sealed []byte) bool {
	id, err := keyID(sealed)
	return err == nil && id != r.newest
}

// Rewrap returns every data key, oldest first, wrapped by a new secret key. No
// sealed value changes.
func (r *Ring) Rewrap(secret SecretKey) ([][]byte, error) {
	out := make([][]byte, 0, len(r.plain))
	for id := uint32(1); id <= r.newest; id++ {
		key, ok := r.plain[id]
		if !ok {
			continue // a retired number
		}
		w, err := wrap(secret, id, key)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// Format keeps the keys out of every fmt verb.
func (r *Ring) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue keeps the keys out of slog.
func (r *Ring) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the keys out of encoders.
func (r *Ring) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func wrap(secret SecretKey, id uint32, key []byte) ([]byte, error) {
	wrapper, err := secret.wrapper()
	if err != nil {
		return nil, err
	}
	out := make([]byte, headerSize+nonceSize, Overhead+keySize)
	header(out, id)
	rand.Read(out[headerSize:])
	return wrapper.Seal(out, out[headerSize:], key, out[:headerSize]), nil
}

// wrapper derives the wrapping key (RFC 5869). The label keeps this use of the
// secret key apart from any other, such as signing cookies.
func (k SecretKey) wrapper() (cipher.AEAD, error) {
	derived, err := k.Derive("cotejo data key wrapping v1")
	if err != nil {
		return nil, err
	}
	return aead(derived)
}

// Derive returns 32 bytes for one use of the secret key, named by label: HKDF
// with SHA-256 (RFC 5869). Different labels give independent keys.
func (k SecretKey) Derive(label string) ([]byte, error) {
	if k.IsZero() {
		return nil, errors.New("seal: there is no secret key")
	}
	key, err := hkdf.Key(sha256.New, k.bytes[:], nil, label, keySize)
	if err != nil {
		return nil, fmt.Errorf("seal: derive a key: %w", err)
	}
	return key, nil
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return gcm, nil
}

func header(out []byte, id uint32) {
	out[0] = version
	binary.BigEndian.PutUint32(out[1:], id)
}

func keyID(b []byte) (uint32, error) {
	if len(b) < Overhead || b[0] != version {
		return 0, ErrFormat
	}
	return binary.BigEndian.Uint32(b[1:headerSize]), nil
}

// bound is the additional data: the header has a fixed length, so the two parts
// cannot be shifted against each other.
func bound(header []byte, purpose string) []byte {
	return append(append(make([]byte, 0, len(header)+len(purpose)), header...), purpose...)
}
