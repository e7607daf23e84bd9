package webhook

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestAction is the event that an administrator sends to see that a hook can be reached and lets the right sender in.
// It is never the vendor's.
const TestAction = "cotejo.test"

// Sign gives the headers with which a request of body passes the policy at a moment: the other side of Verify, for test
// events of our own. token is used where the policy asks for one of our token endpoint.
func Sign(p Policy, body []byte, id, token string, at time.Time) ([]Header, error) {
	var headers []Header
	add := func(name, value string) { headers = append(headers, Header{Name: name, Value: value}) }
	if s := p.Signature; s != nil {
		if key, ok := newestLive(s.Secrets, at); ok {
			add(s.header(), s.encode(mac(key, body)))
		}
	}
	if p.JWT != nil {
		if key, ok := newestLive(p.JWT.Secrets, at); ok {
			claims := jwt.RegisteredClaims{Issuer: "cotejo", IssuedAt: jwt.NewNumericDate(at), ExpiresAt: jwt.NewNumericDate(at.Add(time.Minute))}
			text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
			if err != nil {
				return nil, err
			}
			add("Authorization", "Bearer "+text)
		}
	}
	if p.Token != nil {
		add("Authorization", "Bearer "+token)
	}
	for _, h := range p.Headers {
		if value, ok := newestLive(h.Secrets, at); ok {
			add(h.Name, string(value))
		}
	}
	if s := p.Standard; s != nil {
		if key, ok := newestLive(s.Secrets, at); ok {
			stamp := strconv.FormatInt(at.Unix(), 10)
			sum := mac(key, []byte(id), []byte("."), []byte(stamp), []byte("."), body)
			add(standardID, id)
			add(standardTimestamp, stamp)
			add(standardSignature, "v1,"+base64.StdEncoding.EncodeToString(sum))
		}
	}
	return headers, nil
}

// newestLive gives the key of the newest secret that counts at a moment; secrets come newest first.
func newestLive(secrets []Secret, at time.Time) ([]byte, bool) {
	for _, s := range secrets {
		if s.live(at) {
			return s.Key, true
		}
	}
	return nil, false
}

func (p *SignaturePolicy) encode(sum []byte) string {
	switch {
	case len(p.Encodings) > 0 && p.Encodings[0] == Hex:
		return p.Prefix + hex.EncodeToString(sum)
	case len(p.Encodings) > 0 && p.Encodings[0] == Base64URL:
		return p.Prefix + base64.URLEncoding.EncodeToString(sum)
	}
	return p.Prefix + base64.StdEncoding.EncodeToString(sum)
}
