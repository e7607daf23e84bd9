package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"cotejo/internal/seal"

	"github.com/google/go-cmp/cmp"
)

func ring(t *testing.T, secret seal.SecretKey, ids ...uint32) (*seal.Ring, [][]byte) {
	t.Helper()
	var wrapped [][]byte
	for _, id := range ids {
		w, err := seal.NewDataKey(secret, id)
		if err != nil {
			t.Fatal(err)
		}
		wrapped = append(wrapped, w)
	}
	r, err := seal.Open(secret, wrapped...)
	if err != nil {
		t.Fatal(err)
	}
	return r, wrapped
}

func TestSealOpen(t *testing.T) {
	t.Parallel()
	r, _ := ring(t, seal.GenerateSecretKey(), 1)
	for _, plain := range [][]byte{{}, []byte("private_key"), bytes.Repeat([]byte{0xff}, 5000)} {
		sealed := r.Seal(plain, "p")
		if len(sealed) != len(plain)+seal.Overhead {
			t.Errorf("%d bytes sealed to %d, want %d more", len(plain), len(sealed), seal.Overhead)
		}
		if len(plain) > 0 && bytes.Contains(sealed, plain) {
			t.Error("the plain text shows")
		}
		got, err := r.Open(sealed, "p")
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if bytes.Equal(r.Seal([]byte("x"), "p"), r.Seal([]byte("x"), "p")) {
		t.Error("two seals of one value are equal: the nonce repeats")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	r, _ := ring(t, seal.GenerateSecretKey(), 1, 2)
	sealed := r.Seal([]byte("secret"), "connection/1")
	flip := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		return b
	}
	tests := []struct {
		name    string
		sealed  []byte
		purpose string
		want    error
	}{
		{"another purpose", sealed, "connection/2", seal.ErrCorrupt},
		{"longer purpose", sealed, "connection/10", seal.ErrCorrupt},
		{"changed version", flip(0), "connection/1", seal.ErrFormat},
		{"unknown key", flip(1), "connection/1", seal.ErrUnknownKey},
		{"another key of the ring", append([]byte{1, 0, 0, 0, 1}, sealed[5:]...), "connection/1", seal.ErrCorrupt},
		{"changed nonce", flip(5), "connection/1", seal.ErrCorrupt},
		{"changed text", flip(18), "connection/1", seal.ErrCorrupt},
		{"changed tag", flip(len(sealed) - 1), "connection/1", seal.ErrCorrupt},
		{"cut short", sealed[:20], "connection/1", seal.ErrFormat},
		{"nothing", nil, "connection/1", seal.ErrFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := r.Open(tt.sealed, tt.purpose)
			if !errors.Is(err, tt.want) || got != nil {
				t.Errorf("got %q, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	secret := seal.GenerateSecretKey()
	old, wrapped := ring(t, secret, 1)
	before := old.Seal([]byte("kept"), "p")

	second, err := seal.NewDataKey(secret, 2)
	if err != nil {
		t.Fatal(err)
	}
	both, err := seal.Open(secret, second, wrapped[0]) // any order
	if err != nil {
		t.Fatal(err)
	}
	if got, err := both.Open(before, "p"); err != nil || string(got) != "kept" {
		t.Errorf("an older value: %q, %v", got, err)
	}
	after := both.Seal([]byte("new"), "p")
	if both.Newest() != 2 || !both.Stale(before) || both.Stale(after) {
		t.Errorf("newest %d, stale(before) %t, stale(after) %t", both.Newest(), both.Stale(before), both.Stale(after))
	}
	if _, err := old.Open(after, "p"); !errors.Is(err, seal.ErrUnknownKey) {
		t.Errorf("without the new key: %v", err)
	}
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	before, after := seal.GenerateSecretKey(), seal.GenerateSecretKey()
	r, wrapped := ring(t, before, 1, 3) // 2 was retired
	value := r.Seal([]byte("kept"), "p")
	again, err := r.Rewrap(after)
	if err != nil || len(again) != 2 {
		t.Fatal(len(again), err)
	}
	moved, err := seal.Open(after, again...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := moved.Open(value, "p"); err != nil || string(got) != "kept" {
		t.Errorf("after rewrapping: %q, %v", got, err)
	}
	if _, err := seal.Open(before, again...); !errors.Is(err, seal.ErrWrongSecretKey) {
		t.Errorf("the former secret key still opens: %v", err)
	}
	if _, err := seal.Open(after, wrapped...); !errors.Is(err, seal.ErrWrongSecretKey) {
		t.Errorf("the new secret key opens what it did not wrap: %v", err)
	}
}

func TestOpenRingRefuses(t *testing.T) {
	t.Parallel()
	secret := seal.GenerateSecretKey()
	_, wrapped := ring(t, secret, 1)
	renumbered := bytes.Clone(wrapped[0])
	renumbered[4] = 2
	tests := []struct {
		name    string
		secret  seal.SecretKey
		wrapped [][]byte
		want    string
	}{
		{"no data key", secret, nil, "no data key"},
		{"no secret key", seal.SecretKey{}, wrapped, "no secret key"},
		{"number twice", secret, [][]byte{wrapped[0], wrapped[0]}, "numbered 1"},
		{"number changed", secret, [][]byte{renumbered}, "COTEJO_SECRET_KEY"},
		{"cut short", secret, [][]byte{wrapped[0][:40]}, "not a sealed value"},
		{"not wrapped at all", secret, [][]byte{[]byte("x")}, "not a sealed value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := seal.Open(tt.secret, tt.wrapped...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := seal.NewDataKey(secret, 0); err == nil {
		t.Error("a data key was numbered 0")
	}
}

func TestParseSecretKey(t *testing.T) {
	t.Parallel()
	key := seal.GenerateSecretKey()
	b64 := key.Encode()
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(i + 0xe0)
	}
	tests := []struct {
		name, text, err string
	}{
		{"base64", b64, ""},
		{"without padding", strings.TrimRight(b64, "="), ""},
		{"with a line end", b64 + "\n", ""},
		{"url alphabet", strings.NewReplacer("+", "-", "/", "_").Replace(b64), ""},
		{"hex", hex.EncodeToString(raw), ""},
		{"capital hex", strings.ToUpper(hex.EncodeToString(raw)), ""},
		{"empty", "  ", "it is empty"},
		{"too short", "c2hvcnQ=", "holds 5 bytes"},
		{"too long", strings.Repeat("QUJD", 12), "holds 36 bytes"},
		{"words", "correct horse battery staple", "neither base64 nor hex"},
		{"all zero", strings.Repeat("0", 64), "not made at random"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := seal.ParseSecretKey(tt.text)
			if tt.err == "" {
				if err != nil || got.IsZero() {
					t.Fatal(err)
				}
				again, err := seal.ParseSecretKey(got.Encode())
				if err != nil || again != got {
					t.Error("Encode and ParseSecretKey disagree")
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if text := strings.TrimSpace(tt.text); text != "" && strings.Contains(err.Error(), text) {
				t.Error("the error repeats the key")
			}
		})
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	key := seal.GenerateSecretKey()
	a, err := key.Derive("a")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := key.Derive("a")
	b, _ := key.Derive("b")
	if len(a) != 32 || !bytes.Equal(a, again) || bytes.Equal(a, b) {
		t.Error("Derive must be repeatable, 32 bytes, and differ by label")
	}
}

func TestNothingPrints(t *testing.T) {
	t.Parallel()
	key := seal.GenerateSecretKey()
	r, _ := ring(t, key, 1)
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "key", key, "ring", r, "both", []any{key, r})
	type holder struct {
		Key  seal.SecretKey
		Ring *seal.Ring
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, key, r, holder{key, r})
	}
	if err := json.NewEncoder(&out).Encode(holder{key, r}); err != nil {
		t.Fatal(err)
	}
	raw, err := seal.ParseSecretKey(key.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for name, leak := range map[string]string{"base64": raw.Encode(), "hex": hexOf(t, raw), "decimal": decimalOf(t, raw)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the key shows as %s", name)
		}
	}
	if diff := cmp.Diff("[redacted]", fmt.Sprint(key)); diff != "" {
		t.Error(diff)
	}
}

func bytesOf(t *testing.T, k seal.SecretKey) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(k.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func hexOf(t *testing.T, k seal.SecretKey) string { return hex.EncodeToString(bytesOf(t, k))[:12] }

func decimalOf(t *testing.T, k seal.SecretKey) string {
	raw := bytesOf(t, k)
	return fmt.Sprintf("%d %d %d %d", raw[0], raw[1], raw[2], raw[3])
}

func FuzzOpen(f *testing.F) {
	secret, err := seal.ParseSecretKey("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		f.Fatal(err)
	}
	w, err := seal.NewDataKey(secret, 1)
	if err != nil {
		f.Fatal(err)
	}
	r, err := seal.Open(secret, w)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{1, 0, 0, 0, 1}, "p")
	f.Fuzz(func(t *testing.T, b []byte, purpose string) {
		if got, err := r.Open(b, purpose); err == nil {
			t.Errorf("%x opened to %x", b, got)
		}
		if _, err := seal.Open(secret, b); err == nil {
			t.Errorf("%x unwrapped", b)
		}
	})
}
