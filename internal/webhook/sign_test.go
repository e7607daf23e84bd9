package webhook

import (
	"crypto/sha256"
	"testing"
	"time"
)

// TestSignedRequestsVerify holds the two sides together: what Sign writes, Verify takes, and a changed body it does not.
func TestSignedRequestsVerify(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	old := Secret{ID: "old", Key: []byte("old key"), NotAfter: at.Add(-time.Hour)}
	live := Secret{ID: "live", Key: []byte("a key of thirty-two bytes length")}
	valid := func([sha256.Size]byte, time.Time) TokenState { return TokenValid }
	for name, policy := range map[string]Policy{
		"signature":          {Signature: &SignaturePolicy{Secrets: []Secret{old, live}, Required: true}},
		"signature, hex":     {Signature: &SignaturePolicy{Secrets: []Secret{live}, Required: true, Encodings: []Encoding{Hex}, Header: "X-Palenca-Signature"}},
		"signature, url":     {Signature: &SignaturePolicy{Secrets: []Secret{live}, Required: true, Encodings: []Encoding{Base64URL}}},
		"jwt":                {JWT: &JWTPolicy{Secrets: []Secret{live}, Leeway: DefaultLeeway}},
		"headers":            {Headers: []HeaderSecret{{Name: "X-One", Secrets: []Secret{{Key: []byte("1")}}}, {Name: "X-Two", Secrets: []Secret{{Key: []byte("2")}, {Key: []byte("1")}}}}},
		"token":              {Token: &TokenPolicy{Valid: valid}},
		"standard":           {Standard: &StandardPolicy{Secrets: []Secret{live}}},
		"signature with jwt": {Signature: &SignaturePolicy{Secrets: []Secret{live}, Required: true}, JWT: &JWTPolicy{Secrets: []Secret{live}, Leeway: DefaultLeeway}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(`{"data":{"webhook_action":"cotejo.test"}}`)
			headers, err := Sign(policy, body, "msg_1", "a token", at)
			if err != nil {
				t.Fatal(err)
			}
			request := Request{Method: "POST", Header: headers, Body: body, At: at}
			if out := Verify(policy, request); out.Refused {
				t.Errorf("own request refused for %s", out.Cause)
			}
			request.Header = nil
			if out := Verify(policy, request); !out.Refused {
				t.Error("a request without credentials passed")
			}
			if policy.Signature != nil || policy.Standard != nil {
				request.Header, request.Body = headers, append([]byte(nil), append(body, ' ')...)
				if out := Verify(policy, request); !out.Refused {
					t.Error("a changed body passed")
				}
			}
		})
	}
}
