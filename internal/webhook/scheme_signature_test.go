package webhook_test

import (
	"slices"
	"strings"
	"testing"

	"cotejo/internal/webhook"
)

func TestSignature(t *testing.T) {
	t.Parallel()
	v := load(t)
	key, other := v.secret(t, "key"), v.secret(t, "other")
	good := v.get(t, "signature.base64")
	changed := body(t)
	changed[10] ^= 1
	all := webhook.Encodings
	for name, c := range map[string]struct {
		policy  webhook.SignaturePolicy
		headers []string
		body    []byte
		cause   webhook.Cause
		reason  string
		secret  string
	}{
		"as the vendor":           {headers: []string{"X-Signature", good}, reason: "ok", secret: "key"},
		"in any case":             {headers: []string{"x-SIGNATURE", good}, reason: "ok", secret: "key"},
		"without padding":         {headers: []string{"X-Signature", strings.TrimRight(good, "=")}, reason: "ok", secret: "key"},
		"wrong padding":           {headers: []string{"X-Signature", good + "="}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"hex, accepted":           {policy: webhook.SignaturePolicy{Encodings: all}, headers: []string{"X-Signature", v.get(t, "signature.hex")}, reason: "ok", secret: "key"},
		"hex in capitals":         {policy: webhook.SignaturePolicy{Encodings: all}, headers: []string{"X-Signature", strings.ToUpper(v.get(t, "signature.hex"))}, reason: "ok", secret: "key"},
		"base64url, accepted":     {policy: webhook.SignaturePolicy{Encodings: all}, headers: []string{"X-Signature", v.get(t, "signature.base64url")}, reason: "ok", secret: "key"},
		"hex, not accepted":       {headers: []string{"X-Signature", v.get(t, "signature.hex")}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"base64url, not accepted": {headers: []string{"X-Signature", v.get(t, "signature.base64url")}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"base64, not accepted":    {policy: webhook.SignaturePolicy{Encodings: []webhook.Encoding{webhook.Hex}}, headers: []string{"X-Signature", good}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"unknown encoding":        {policy: webhook.SignaturePolicy{Encodings: []webhook.Encoding{"rot13"}}, headers: []string{"X-Signature", good}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"another header":          {policy: webhook.SignaturePolicy{Header: "X-Palenca-Signature"}, headers: []string{"x-palenca-signature", good}, reason: "ok", secret: "key"},
		"prefix":                  {policy: webhook.SignaturePolicy{Prefix: "sha256=", Encodings: all}, headers: []string{"X-Signature", "sha256=" + v.get(t, "signature.hex")}, reason: "ok", secret: "key"},
		"prefix missing":          {policy: webhook.SignaturePolicy{Prefix: "sha256="}, headers: []string{"X-Signature", good}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"second of three secrets": {policy: webhook.SignaturePolicy{Secrets: []webhook.Secret{other, key, retired(other)}}, headers: []string{"X-Signature", good}, reason: "ok", secret: "key"},
		"live and retired alike":  {policy: webhook.SignaturePolicy{Secrets: []webhook.Secret{retired(key), key}}, headers: []string{"X-Signature", good}, reason: "ok", secret: "key"},
		"retired secret":          {policy: webhook.SignaturePolicy{Secrets: []webhook.Secret{other, retired(key)}}, headers: []string{"X-Signature", good}, cause: webhook.CauseSignatureMismatch, reason: "retired"},
		"raw secret":              {policy: webhook.SignaturePolicy{Secrets: []webhook.Secret{v.secret(t, "rawsecret")}}, headers: []string{"X-Signature", v.get(t, "signature.raw")}, reason: "ok", secret: "rawsecret"},
		"missing, required":       {policy: webhook.SignaturePolicy{Required: true}, cause: webhook.CauseSignatureMissing, reason: "missing"},
		"missing, not required":   {reason: "absent"},
		"wrong, not required":     {headers: []string{"X-Signature", v.get(t, "signature.other")}, cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"empty":                   {headers: []string{"X-Signature", ""}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"empty key":               {policy: webhook.SignaturePolicy{Secrets: []webhook.Secret{{ID: "none"}}}, headers: []string{"X-Signature", good}, cause: webhook.CauseSignatureMismatch, reason: "no_secret"},
		"twice":                   {headers: []string{"X-Signature", good, "x-signature", good}, cause: webhook.CauseSignatureMalformed, reason: "repeated"},
		"joined by a proxy":       {headers: []string{"X-Signature", good + ", " + good}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"line break inside":       {headers: []string{"X-Signature", good[:20] + "\n" + good[20:]}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"one bit of the body":     {headers: []string{"X-Signature", good}, body: changed, cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"newline added":           {headers: []string{"X-Signature", good}, body: append(body(t), '\n'), cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"cut":                     {headers: []string{"X-Signature", good[:40]}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"signature of nothing":    {headers: []string{"X-Signature", v.get(t, "signature.empty")}, body: []byte{}, reason: "ok", secret: "key"},
		"secret not yet decoded":  {headers: []string{"X-Signature", v.get(t, "signature.undecoded")}, cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"huge":                    {headers: []string{"X-Signature", strings.Repeat("A", 1<<20)}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"no text":                 {headers: []string{"X-Signature", "\xff\xfe\x00"}, cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"another name":            {headers: []string{"X-Signature-256", good}, reason: "absent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.policy
			if p.Secrets == nil {
				p.Secrets = []webhook.Secret{key}
			}
			r := request(t, c.headers...)
			if c.body != nil {
				r.Body = c.body
			}
			got := only(t, webhook.Policy{Signature: &p}, r)
			if got.Cause != c.cause || got.ReasonID != "verify.signature."+c.reason || got.SecretID != c.secret {
				t.Errorf("got %q, %s, secret %q", got.Cause, got.ReasonID, got.SecretID)
			}
		})
	}
}

// TestPrintedSampleDoesNotVerify: the vendor's page prints a secret, a payload
// and a signature that do not belong together. Not its recipe (the payload as
// JSON.stringify writes it), not the page's own printing of it, and nothing that
// the bench knows makes the signature; so nothing was bent to make it pass.
func TestPrintedSampleDoesNotVerify(t *testing.T) {
	t.Parallel()
	const signature = "42FhFAPEEba//HkW3/8HSyB3j2S9hY2eTHAowk5PJcM="
	const secret = "p4AaudslHLBF9h5k7Brl0aGs3ijt0QM4yHhUWyQTp14"
	payload := []string{
		`"event": "verification.completed",`, `"verification_id": "019906e3-0a7a-71bc-a81c-14d2d8dbef9d",`,
		`"identifier": "CERC660204HMCLCR09",`, `"status": "completed",`, `"data_available": true,`, `"can_retry": false,`,
		`"entities": ["profile", "employment", "employment_files"],`, `"last_updated_at": "2025-09-01T20:06:39.976067400Z",`,
		`"timestamp": "2025-09-01T20:06:39.976067400Z",`, `"external_id": null`,
	}
	printed := "{\n" + strings.Join(payload, "\n") + "\n}"
	indented := "{\n  " + strings.Join(payload, "\n  ") + "\n}"
	recipe := strings.ReplaceAll(strings.NewReplacer(`": `, `":`, `", "`, `","`).Replace(strings.Join(payload, "")), ", ", ",")
	key, err := webhook.DecodeSecret(secret, false)
	if err != nil || len(key) != 32 {
		t.Fatalf("secret: %d bytes, %v", len(key), err)
	}
	for name, text := range map[string]string{"recipe": "{" + recipe + "}", "printed": printed, "indented": indented} {
		policy := webhook.Policy{Signature: &webhook.SignaturePolicy{Secrets: []webhook.Secret{{ID: "sample", Key: key}}}}
		r := webhook.Request{Header: pairs("X-Signature", signature), Body: []byte(text), At: at}
		if c := only(t, policy, r); c.Cause != webhook.CauseSignatureMismatch {
			t.Errorf("%s: %q", name, c.Cause)
		}
		found := webhook.Diagnose(webhook.Bench{Policy: policy, Request: r, Secrets: []webhook.Candidate{{ID: "typed", Text: secret}}})
		got := reasons(t, found)
		if !slices.Contains(got, "vendor_sample") || !slices.Contains(got, "nothing") {
			t.Errorf("%s: the bench finds %v", name, got)
		}
	}
}

func FuzzSignature(f *testing.F) {
	v := load(f)
	for _, name := range []string{"base64", "base64url", "hex"} {
		f.Add(v.get(f, "signature."+name), "")
	}
	f.Add("sha256=", "sha256=")
	f.Add("\xff, ====", "=")
	key := []webhook.Secret{v.secret(f, "key")}
	sums := []string{v.get(f, "signature.base64"), v.get(f, "signature.base64url"), v.get(f, "signature.hex")}
	f.Fuzz(func(t *testing.T, header, prefix string) {
		p := &webhook.SignaturePolicy{Prefix: prefix, Encodings: webhook.Encodings, Secrets: key}
		r := request(t, "X-Signature", header)
		got := only(t, webhook.Policy{Signature: p}, r)
		bare := strings.TrimRight(strings.TrimPrefix(header, prefix), "=")
		if got.Result == webhook.Pass && !slices.ContainsFunc(sums, func(sum string) bool {
			sum = strings.TrimRight(sum, "=")
			// Two bits of the last character carry nothing.
			return strings.EqualFold(sum, bare) || len(bare) == 43 && bare[:42] == sum[:42]
		}) {
			t.Errorf("%q verifies", header)
		}
		webhook.Diagnose(webhook.Bench{Policy: webhook.Policy{Signature: p}, Request: r})
	})
}
