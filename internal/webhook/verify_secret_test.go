package webhook_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"cotejo/internal/webhook"
)

func TestDecodeSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		raw  bool
		want string // hex
		err  *webhook.SecretError
	}{
		"unpadded":             {text: "-_-_AA", want: "fbffbf00"},
		"padded":               {text: "-_-_AA==", want: "fbffbf00"},
		"standard alphabet":    {text: "+/+/AA==", want: "fbffbf00"},
		"both alphabets":       {text: "+_-/AA", want: "fbffbf00"},
		"loose last bits":      {text: "-_-_AB", want: "fbffbf00"}, // as Node reads it
		"raw":                  {text: "-_-_AA==", raw: true, want: hex.EncodeToString([]byte("-_-_AA=="))},
		"raw, not ASCII":       {text: "clavé", raw: true, want: hex.EncodeToString([]byte("clavé"))},
		"raw, space inside":    {text: "a b", raw: true, want: "612062"},
		"empty":                {err: webhook.ErrSecretEmpty},
		"only spaces":          {text: " \t", err: webhook.ErrSecretEmpty},
		"space before":         {text: " AAAA", err: webhook.ErrSecretSpace},
		"newline after":        {text: "AAAA\n", err: webhook.ErrSecretSpace},
		"no-break space":       {text: "AAAA\u00a0", err: webhook.ErrSecretSpace},
		"raw with a space":     {text: "AAAA ", raw: true, err: webhook.ErrSecretSpace},
		"line break inside":    {text: "AA\nAA", err: webhook.ErrSecretUndecodable},
		"space inside":         {text: "AA AA", err: webhook.ErrSecretUndecodable},
		"one character left":   {text: "AAAAA", err: webhook.ErrSecretUndecodable},
		"the vendor's sample":  {text: "ZxyWvUt987654321SecretKeyExample0", err: webhook.ErrSecretUndecodable},
		"the sample, raw":      {text: "ZxyWvUt987654321SecretKeyExample0", raw: true, want: hex.EncodeToString([]byte("ZxyWvUt987654321SecretKeyExample0"))},
		"padding that is not":  {text: "AAAA=", err: webhook.ErrSecretUndecodable},
		"padding alone":        {text: "====", err: webhook.ErrSecretUndecodable},
		"no alphabet":          {text: "ñandú!", err: webhook.ErrSecretUndecodable},
		"too long":             {text: strings.Repeat("A", 1025), raw: true, err: webhook.ErrSecretLong},
		"standard's is no key": {text: "whsec_AAECAw==", err: webhook.ErrSecretUndecodable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := webhook.DecodeSecret(c.text, c.raw)
			if c.err == nil && err != nil || c.err != nil && !errors.Is(err, c.err) || hex.EncodeToString(key) != c.want {
				t.Fatalf("got %x, %v", key, err)
			}
			if c.err != nil {
				spoken(t, c.err.ReasonID, nil)
				if c.text != "" && strings.TrimSpace(c.text) != "" && strings.Contains(err.Error(), strings.TrimSpace(c.text)) {
					t.Errorf("the error repeats the secret: %v", err)
				}
			}
		})
	}
}

func TestDecodeStandardSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"whsec_AAECAw==": nil, "AAECAw==": nil, "AAECAw": nil,
		"whsec_": webhook.ErrSecretEmpty, " whsec_AAECAw==": webhook.ErrSecretSpace, "whsec_ AAECAw==": webhook.ErrSecretSpace,
		"whpk_AAECAw==": webhook.ErrSecretAsymmetric, "whsk_AAECAw==": webhook.ErrSecretAsymmetric, "whsec_A": webhook.ErrSecretUndecodable,
	} {
		key, err := webhook.DecodeStandardSecret(text)
		if !errors.Is(err, want) || want == nil && hex.EncodeToString(key) != "00010203" {
			t.Errorf("%q: %x, %v", text, key, err)
		}
	}
	spoken(t, webhook.ErrSecretAsymmetric.ReasonID, nil)
}

// TestSecretsAreNotPrinted, by any verb, by slog in both its formats, or as JSON.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const hush = "hush-hush"
	s := webhook.Secret{ID: "s1", Key: []byte(hush)}
	p := webhook.Policy{
		Signature: &webhook.SignaturePolicy{Secrets: []webhook.Secret{s}},
		JWT:       &webhook.JWTPolicy{Secrets: []webhook.Secret{s}},
		Headers:   []webhook.HeaderSecret{header("X-Api-Key", hush)},
		Standard:  &webhook.StandardPolicy{Secrets: []webhook.Secret{s}},
	}
	var out bytes.Buffer
	for _, v := range []any{s, &s, []webhook.Secret{s}, p, p.Signature, *p.JWT, p.Headers, p.Headers[0], p.Standard} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "v", v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Error(err)
		}
	}
	hidden := []string{hush, hex.EncodeToString([]byte(hush)), "aHVzaC1odXNo", "104 117", "0x68, 0x75"}
	for _, form := range hidden {
		if i := strings.Index(strings.ToLower(out.String()), strings.ToLower(form)); i >= 0 {
			t.Errorf("printed as %q: …%s…", form, out.String()[max(0, i-80):i+len(form)])
		}
	}
	if !strings.Contains(out.String(), "signature+jwt+headers+standard") {
		t.Error("a policy in the log does not say what it asks for")
	}
}

func FuzzDecodeSecret(f *testing.F) {
	f.Add("-_-_AA==", false)
	f.Add("whsec_AAECAw==", false)
	f.Add("ZxyWvUt987654321SecretKeyExample0", true)
	f.Fuzz(func(t *testing.T, text string, raw bool) {
		key, err := webhook.DecodeSecret(text, raw)
		if (err == nil) != (len(key) > 0) {
			t.Errorf("%q: %d bytes, %v", text, len(key), err)
		}
		if raw && err == nil && string(key) != text {
			t.Errorf("%q became %q", text, key)
		}
		var reason *webhook.SecretError
		if err != nil && (!errors.As(err, &reason) || reason.ReasonID == "") {
			t.Errorf("%q: %v has no message", text, err)
		}
		if key, err := webhook.DecodeStandardSecret(text); (err == nil) != (len(key) > 0) {
			t.Errorf("%q as a standard secret: %d bytes, %v", text, len(key), err)
		}
	})
}
