package webhook_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"cotejo/internal/webhook"
)

func TestJWT(t *testing.T) {
	t.Parallel()
	v := load(t)
	key, other := v.secret(t, "rawsecret"), v.secret(t, "other")
	good := v.get(t, "jwt.good")
	part := strings.Split(good, ".")
	cases := map[string]struct {
		headers []string
		secrets []webhook.Secret
		leeway  time.Duration
		cause   webhook.Cause
		reason  string
	}{
		"good":                    {headers: bearer(good), reason: "ok"},
		"scheme in any case":      {headers: []string{"authorization", "bEARER  " + good}, reason: "ok"},
		"claims we do not judge":  {headers: bearer(v.get(t, "jwt.loose")), reason: "ok"},
		"issued in the future":    {headers: bearer(v.get(t, "jwt.ahead")), reason: "ok"},
		"second secret":           {headers: bearer(good), secrets: []webhook.Secret{other, key}, reason: "ok"},
		"retired secret":          {headers: bearer(good), secrets: []webhook.Secret{other, retired(key)}, cause: webhook.CauseJWTSignature, reason: "retired"},
		"no secret":               {headers: bearer(good), secrets: []webhook.Secret{}, cause: webhook.CauseJWTSignature, reason: "no_secret"},
		"empty key":               {headers: bearer(v.get(t, "jwt.emptykey")), secrets: []webhook.Secret{{ID: "none"}}, cause: webhook.CauseJWTSignature, reason: "no_secret"},
		"empty key beside ours":   {headers: bearer(v.get(t, "jwt.emptykey")), secrets: []webhook.Secret{{ID: "none"}, key}, cause: webhook.CauseJWTSignature, reason: "signature"},
		"another secret":          {headers: bearer(v.get(t, "jwt.other")), cause: webhook.CauseJWTSignature, reason: "signature"},
		"expired":                 {headers: bearer(v.get(t, "jwt.expired")), cause: webhook.CauseJWTExpired, reason: "expired"},
		"expired within leeway":   {headers: bearer(v.get(t, "jwt.expired")), leeway: 61 * time.Second, reason: "ok"},
		"expired at the leeway":   {headers: bearer(v.get(t, "jwt.expired")), leeway: time.Minute, cause: webhook.CauseJWTExpired, reason: "expired"},
		"negative leeway is none": {headers: bearer(good), leeway: -2 * time.Hour, reason: "ok"},
		"no expiry":               {headers: bearer(v.get(t, "jwt.no_expiry")), cause: webhook.CauseJWTNoExpiry, reason: "no_expiry"},
		"null expiry":             {headers: bearer(v.get(t, "jwt.null_expiry")), cause: webhook.CauseJWTNoExpiry, reason: "no_expiry"},
		"expiry as quoted digits": {headers: bearer(v.get(t, "jwt.text_expiry")), reason: "ok"}, // the library is lenient, and the time is judged
		"expiry in words":         {headers: bearer(v.get(t, "jwt.word_expiry")), cause: webhook.CauseJWTMalformed, reason: "malformed"},
		"not yet":                 {headers: bearer(v.get(t, "jwt.not_yet")), cause: webhook.CauseJWTNotYet, reason: "not_yet"},
		"not yet within leeway":   {headers: bearer(v.get(t, "jwt.not_yet")), leeway: 2 * time.Minute, reason: "ok"},
		"critical extension":      {headers: bearer(v.get(t, "jwt.critical")), cause: webhook.CauseJWTMalformed, reason: "critical"},
		"no algorithm":            {headers: bearer(v.get(t, "jwt.no_algorithm")), cause: webhook.CauseJWTAlgorithm, reason: "algorithm"},
		"unsigned":                {headers: bearer(v.get(t, "jwt.unsigned")), cause: webhook.CauseJWTAlgorithm, reason: "algorithm"},
		"unsigned, no secret":     {headers: bearer(v.get(t, "jwt.unsigned")), secrets: []webhook.Secret{}, cause: webhook.CauseJWTAlgorithm, reason: "algorithm"},
		"signature taken off":     {headers: bearer(part[0] + "." + part[1] + "."), cause: webhook.CauseJWTSignature, reason: "signature"},
		"padded":                  {headers: bearer(good + "="), cause: webhook.CauseJWTMalformed, reason: "malformed"},
		"two parts":               {headers: bearer(part[0] + "." + part[1]), cause: webhook.CauseJWTMalformed, reason: "malformed"},
		"four parts":              {headers: bearer(good + ".x"), cause: webhook.CauseJWTMalformed, reason: "malformed"},
		"no JSON":                 {headers: bearer("AAAA.AAAA.AAAA"), cause: webhook.CauseJWTMalformed, reason: "malformed"},
		"null for a header":       {headers: bearer("bnVsbA.bnVsbA.AAAA"), cause: webhook.CauseJWTAlgorithm, reason: "algorithm"},
		"huge":                    {headers: bearer(strings.Repeat("a.", 1<<19)), cause: webhook.CauseJWTMalformed, reason: "malformed"},
		"no header":               {cause: webhook.CauseJWTMissing, reason: "missing"},
		"another scheme":          {headers: []string{"Authorization", "Basic " + good}, cause: webhook.CauseJWTMissing, reason: "missing"},
		"no scheme":               {headers: []string{"Authorization", good}, cause: webhook.CauseJWTMissing, reason: "missing"},
		"scheme alone":            {headers: []string{"Authorization", "Bearer "}, cause: webhook.CauseJWTMissing, reason: "missing"},
		"twice":                   {headers: append(bearer(good), bearer(good)...), cause: webhook.CauseJWTMalformed, reason: "repeated"},
	}
	// Each is signed with HMAC over the right key, so that the name alone is wrong.
	for _, alg := range []string{"none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "x"} {
		c := cases["unsigned"]
		c.headers = bearer(v.get(t, "jwt.alg."+alg))
		cases["algorithm "+alg] = c
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrets := c.secrets
			if secrets == nil {
				secrets = []webhook.Secret{key}
			}
			got := only(t, webhook.Policy{JWT: &webhook.JWTPolicy{Secrets: secrets, Leeway: c.leeway}}, request(t, c.headers...))
			if got.Cause != c.cause || got.ReasonID != "verify.jwt."+c.reason {
				t.Errorf("got %q, %s", got.Cause, got.ReasonID)
			}
		})
	}
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// TestRFC7515 verifies the example of RFC 7515, appendix A.1, which expired in
// March 2011: as of its time it passes, and a delivery stored then still does.
func TestRFC7515(t *testing.T) {
	t.Parallel()
	const token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	key, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	expiry := time.Unix(1300819380, 0)
	for _, c := range []struct {
		at    time.Time
		cause webhook.Cause
	}{
		{expiry.Add(-time.Hour), webhook.CauseNone},
		{expiry.Add(-time.Second), webhook.CauseNone},
		{expiry, webhook.CauseJWTExpired},
		{at, webhook.CauseJWTExpired},
	} {
		r := request(t, bearer(token)...)
		r.At = c.at
		got := only(t, webhook.Policy{JWT: &webhook.JWTPolicy{Secrets: []webhook.Secret{{ID: "A.1", Key: key}}}}, r)
		if got.Cause != c.cause {
			t.Errorf("at %s: %q, want %q", c.at, got.Cause, c.cause)
		}
	}
}

// TestExpiryToTheSecond: the difference is what tells a wrong clock from a
// replayed request.
func TestExpiryToTheSecond(t *testing.T) {
	t.Parallel()
	v := load(t)
	p := webhook.Policy{JWT: &webhook.JWTPolicy{Secrets: []webhook.Secret{v.secret(t, "rawsecret")}}}
	for name, want := range map[string]string{"jwt.expired": "1m0s", "jwt.not_yet": "2m0s"} {
		c := only(t, p, request(t, bearer(v.get(t, name))...))
		if got := c.Args[3]; got != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}

func FuzzJWT(f *testing.F) {
	v := load(f)
	for name, value := range v {
		if strings.HasPrefix(name, "jwt.") {
			f.Add("Bearer " + value)
		}
	}
	f.Add("Bearer ..")
	f.Add("\xff\x00 a.b.c")
	f.Add("Bearer eyJhbGciOiJ7ezw-fX0ifQ.e30.") // an algorithm "{{<>}}"
	p := webhook.Policy{JWT: &webhook.JWTPolicy{Secrets: []webhook.Secret{v.secret(f, "rawsecret")}}}
	ours := map[string]bool{}
	for _, name := range []string{"jwt.good", "jwt.loose", "jwt.ahead", "jwt.milliseconds", "jwt.text_expiry"} {
		ours[v.get(f, name)] = true
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := request(t, "Authorization", header)
		got := only(t, p, r)
		if _, token, _ := strings.Cut(header, " "); got.Result == webhook.Pass && !ours[strings.TrimLeft(token, " ")] {
			t.Errorf("%q verifies", header)
		}
		for _, finding := range webhook.Diagnose(webhook.Bench{Policy: p, Request: r}) {
			spoken(t, finding.ReasonID, finding.Args)
		}
	})
}
