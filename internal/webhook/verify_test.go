package webhook_test

import (
	"crypto/sha256"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/locale"
	"cotejo/internal/webhook"
)

// everything is a policy that asks for all there is, and a request that has it.
func everything(t testing.TB) (webhook.Policy, webhook.Request) {
	t.Helper()
	v := load(t)
	key := []webhook.Secret{v.secret(t, "key")}
	jwt := []webhook.Secret{v.secret(t, "rawsecret")}
	p := webhook.Policy{
		Signature: &webhook.SignaturePolicy{Secrets: key, Required: true},
		JWT:       &webhook.JWTPolicy{Secrets: jwt},
		Headers:   []webhook.HeaderSecret{header("X-Api-Key", "k-1")},
		Token:     &webhook.TokenPolicy{Valid: func([sha256.Size]byte, time.Time) webhook.TokenState { return webhook.TokenValid }},
		Standard:  &webhook.StandardPolicy{Secrets: key},
		Addresses: &webhook.AddressPolicy{Mode: webhook.AddressEnforce, Known: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, RefreshedAt: at},
	}
	headers := slices.Concat(
		[]string{"X-Signature", v.get(t, "signature.base64"), "X-Api-Key", "k-1"},
		bearer(v.get(t, "jwt.good")),
		standard("msg_1", "1767323045", "v1,"+v.get(t, "standard.signature")),
	)
	r := request(t, headers...)
	r.Addr = netip.MustParseAddr("192.0.2.1")
	return p, r
}

func TestVerifyNothingAsked(t *testing.T) {
	t.Parallel()
	if out := webhook.Verify(webhook.Policy{}, request(t)); len(out.Checks) != 0 || out.Refused || out.Answer != 0 || out.Line != "" {
		t.Errorf("got %+v", out)
	}
}

// TestVerifyRunsEveryCheck: the first failure decides, and the others are told all the same.
func TestVerifyRunsEveryCheck(t *testing.T) {
	t.Parallel()
	p, r := everything(t)
	if out := webhook.Verify(p, r); out.Refused || len(out.Checks) != 6 {
		t.Fatalf("a request with everything: %+v", out)
	}
	r.Header, r.Addr = nil, netip.Addr{}
	out := webhook.Verify(p, r)
	var causes []webhook.Cause
	var schemes []webhook.Scheme
	for _, c := range out.Checks {
		causes, schemes = append(causes, c.Cause), append(schemes, c.Scheme)
	}
	wantCauses := []webhook.Cause{
		webhook.CauseSignatureMissing, webhook.CauseJWTMissing, webhook.CauseHeaderMissing,
		webhook.CauseTokenMissing, webhook.CauseSignatureMissing, webhook.CauseAddressUnknown,
	}
	wantSchemes := []webhook.Scheme{
		webhook.SchemeSignature, webhook.SchemeJWT, webhook.SchemeHeaders,
		webhook.SchemeToken, webhook.SchemeStandard, webhook.SchemeAddress,
	}
	if diff := cmp.Diff(wantCauses, causes) + cmp.Diff(wantSchemes, schemes); diff != "" {
		t.Error(diff)
	}
	if !out.Refused || out.Cause != webhook.CauseSignatureMissing || out.Answer != 401 || out.Line != "refused: the signature header is missing" {
		t.Errorf("got %+v", out)
	}
}

// TestVerifyAsOfReceipt: a delivery refused for a setting passes once the
// setting is mended, however long ago it came.
func TestVerifyAsOfReceipt(t *testing.T) {
	t.Parallel()
	p, r := everything(t)
	stored := r
	p.Signature.Secrets[0].NotAfter = at.Add(time.Second) // retired since
	if out := webhook.Verify(p, stored); out.Refused {
		t.Errorf("verified again: %+v", out)
	}
	r.At = at.AddDate(0, 0, 1)
	out := webhook.Verify(p, r)
	want := []webhook.Cause{webhook.CauseSignatureMismatch, webhook.CauseJWTExpired, "", "", webhook.CauseSignatureMismatch, ""}
	for i, c := range out.Checks {
		if c.Cause != want[i] {
			t.Errorf("a day later, %s: %q, want %q", c.Scheme, c.Cause, want[i])
		}
	}
}

// TestEveryCause has a request that is refused for it. The tests of each scheme
// hold more; this one sees to it that the set is whole.
func TestEveryCause(t *testing.T) {
	t.Parallel()
	v := load(t)
	key, raw := []webhook.Secret{v.secret(t, "key")}, []webhook.Secret{v.secret(t, "rawsecret")}
	signature := webhook.Policy{Signature: &webhook.SignaturePolicy{Secrets: key, Required: true}}
	jwt := webhook.Policy{JWT: &webhook.JWTPolicy{Secrets: raw}}
	headers := webhook.Policy{Headers: []webhook.HeaderSecret{header("X-Api-Key", "k-1")}}
	token := func(s webhook.TokenState) webhook.Policy {
		return webhook.Policy{Token: &webhook.TokenPolicy{Valid: func([sha256.Size]byte, time.Time) webhook.TokenState { return s }}}
	}
	relay := webhook.Policy{Standard: &webhook.StandardPolicy{Secrets: key}}
	signed := "v1," + v.get(t, "standard.signature")
	later := func(d time.Duration, headers []string) webhook.Request {
		r := request(t, headers...)
		r.At = at.Add(d)
		return r
	}
	cases := map[webhook.Cause]struct {
		p webhook.Policy
		r webhook.Request
	}{
		webhook.CauseSignatureMissing:   {signature, request(t)},
		webhook.CauseSignatureMalformed: {signature, request(t, "X-Signature", "?")},
		webhook.CauseSignatureMismatch:  {signature, request(t, "X-Signature", v.get(t, "signature.other"))},
		webhook.CauseJWTMissing:         {jwt, request(t)},
		webhook.CauseJWTMalformed:       {jwt, request(t, bearer("x")...)},
		webhook.CauseJWTAlgorithm:       {jwt, request(t, bearer(v.get(t, "jwt.unsigned"))...)},
		webhook.CauseJWTExpired:         {jwt, request(t, bearer(v.get(t, "jwt.expired"))...)},
		webhook.CauseJWTNoExpiry:        {jwt, request(t, bearer(v.get(t, "jwt.no_expiry"))...)},
		webhook.CauseJWTNotYet:          {jwt, request(t, bearer(v.get(t, "jwt.not_yet"))...)},
		webhook.CauseJWTSignature:       {jwt, request(t, bearer(v.get(t, "jwt.other"))...)},
		webhook.CauseHeaderMissing:      {headers, request(t)},
		webhook.CauseHeaderMismatch:     {headers, request(t, "X-Api-Key", "k-2")},
		webhook.CauseTokenMissing:       {token(webhook.TokenValid), request(t)},
		webhook.CauseTokenUnknown:       {token(webhook.TokenUnknown), request(t, bearer("x")...)},
		webhook.CauseTokenExpired:       {token(webhook.TokenExpired), request(t, bearer("x")...)},
		webhook.CauseTokenRevoked:       {token(webhook.TokenRevoked), request(t, bearer("x")...)},
		webhook.CauseTimestampOld:       {relay, later(time.Hour, standard("msg_1", "1767323045", signed))},
		webhook.CauseTimestampAhead:     {relay, later(-time.Hour, standard("msg_1", "1767323045", signed))},
		webhook.CauseTimestampMalformed: {relay, request(t, standard("msg_1", "now", signed)...)},
		webhook.CauseAddressUnknown:     {webhook.Policy{Addresses: &webhook.AddressPolicy{Mode: webhook.AddressEnforce}}, request(t)},
	}
	lines := map[string]webhook.Cause{}
	for _, cause := range webhook.VerifyCauses {
		c, ok := cases[cause]
		if !ok {
			t.Errorf("no request is refused for %s", cause)
			continue
		}
		out := webhook.Verify(c.p, c.r)
		if out.Cause != cause || only(t, c.p, c.r).Cause != cause {
			t.Errorf("%s: refused for %q", cause, out.Cause)
		}
		if twin, ok := lines[out.Line]; ok || !strings.HasPrefix(out.Line, "refused: ") || strings.ContainsAny(out.Line, "\r\n") {
			t.Errorf("%s says %q, as %q does", cause, out.Line, twin)
		}
		lines[out.Line] = cause
	}
	if len(cases) != len(webhook.VerifyCauses) {
		t.Errorf("%d cases for %d causes", len(cases), len(webhook.VerifyCauses))
	}
}

func TestCausesAndSchemesHaveWords(t *testing.T) {
	t.Parallel()
	ids := []string{"verify.cause.quota.title", "verify.cause.quota.explanation"}
	for _, c := range webhook.VerifyCauses {
		ids = append(ids, "verify.cause."+string(c)+".title", "verify.cause."+string(c)+".explanation")
	}
	p, r := everything(t)
	for _, c := range webhook.Verify(p, r).Checks {
		ids = append(ids, "verify.scheme."+string(c.Scheme))
	}
	for _, e := range webhook.Encodings {
		ids = append(ids, "verify.bench.signature."+string(e))
	}
	for _, id := range ids {
		for _, lang := range locale.Languages {
			if !locale.For(lang, nil).Has(id) {
				t.Errorf("%s: no %q", lang, id)
			}
		}
	}
}

// TestHostileRequests: nothing a stranger sends makes the checks or the bench
// panic, pass, or repeat a credential.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	p, good := everything(t)
	var many []webhook.Header
	for range 5000 {
		many = append(many, webhook.Header{Name: "X-Other", Value: "x"}, webhook.Header{Name: "Webhook-Signature", Value: "v1,"})
	}
	const canary = "c4n4ry-value"
	for name, r := range map[string]webhook.Request{
		"nothing":      {},
		"many headers": {Header: many, At: at},
		"huge values":  {Header: pairs("X-Signature", strings.Repeat("=", 1<<20), "Authorization", "Bearer "+strings.Repeat(".", 1<<20), "webhook-id", strings.Repeat(".", 1<<20), "webhook-timestamp", strings.Repeat("9", 1<<20), "webhook-signature", strings.Repeat("v1, ", 1<<18), "X-Api-Key", strings.Repeat("k", 1<<20)), At: at},
		"no text":      {Header: pairs("X-Signature", "\xff\x00", "Authorization", "Bearer \xff.\xff.\xff", "webhook-id", "\x00", "webhook-timestamp", "\xff", "webhook-signature", "v1,\xff", "X-Api-Key", "\xff"), Body: []byte("\xff\xfe{"), At: at},
		"empty values": {Header: pairs("X-Signature", "", "Authorization", "", "webhook-id", "", "webhook-timestamp", "", "webhook-signature", "", "X-Api-Key", "", "", ""), At: at},
		"doubled":      {Header: append(good.Header[:len(good.Header):len(good.Header)], good.Header...), Body: good.Body, At: at},
		"deep body":    {Header: good.Header, Body: []byte(strings.Repeat("[", 1<<16)), At: at},
		"deep JSON":    {Header: good.Header, Body: []byte(strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), At: at},
		"credentials":  {Header: pairs("X-Signature", canary, "Authorization", canary, "webhook-id", canary, "webhook-timestamp", canary, "webhook-signature", canary, "X-Api-Key", canary), At: at},
		"far future":   {Header: good.Header, Body: good.Body, At: time.Date(292277026596, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := webhook.Verify(p, r)
			if !out.Refused || out.Answer != 401 {
				t.Errorf("not refused: %+v", out)
			}
			for _, c := range out.Checks {
				spoken(t, c.ReasonID, c.Args)
				told(t, canary, c.Args)
			}
			for _, f := range webhook.Diagnose(webhook.Bench{Policy: p, Request: r}) {
				spoken(t, f.ReasonID, f.Args)
				told(t, canary, f.Args)
			}
		})
	}
}

func told(t *testing.T, secret string, args []any) {
	t.Helper()
	for _, a := range args {
		if text, ok := a.(string); ok && strings.Contains(text, secret) {
			t.Errorf("a reason repeats what was sent: %v", args)
		}
	}
}

// TestSecretsAreComparedInConstantTime reads the sources: what belongs to a
// secret is compared by crypto/hmac or crypto/subtle alone.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`bytes\.(Equal|Compare|HasPrefix)|reflect\.DeepEqual|\b(key|sum|mac|token|secret|signature|value)\)? [!=]= [^"n0]|\.(Key|Value|Text)\b\)? [!=]= [^"n0]`)
	sizes := regexp.MustCompile(`len\([^()]*\)`)
	allowed := map[string]bool{
		"token == nil || errors.Is(err, jwt.ErrTokenMalformed)": true,
		"if value == sampleSignature {":                         true, // printed on a public page
	}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for number, line := range strings.Split(string(source), "\n") {
			if line = strings.TrimSpace(line); forbidden.MatchString(sizes.ReplaceAllString(line, "")) && !allowed[line] && !strings.HasPrefix(line, "//") {
				t.Errorf("%s:%d: %s", name, number+1, line)
			}
		}
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	q := webhook.Quota{Requests: 2, Bytes: 100}
	for _, c := range []struct {
		stored int
		bytes  int64
		keep   bool
	}{{0, 0, true}, {1, 99, true}, {2, 0, false}, {0, 100, false}, {1, 1 << 40, false}} {
		if got := q.Keep(c.stored, c.bytes); got != c.keep {
			t.Errorf("%d requests of %d bytes: %v", c.stored, c.bytes, got)
		}
	}
	if (webhook.Quota{}).Keep(0, 0) {
		t.Error("the zero quota keeps something")
	}
	// Ten thousand refused requests of the largest kept size in one hour.
	var stored int
	var size int64
	for range 10_000 {
		if webhook.DefaultQuota.Keep(stored, size) {
			stored, size = stored+1, size+webhook.KeptOfRefused
		}
	}
	if stored == 0 || stored > webhook.DefaultQuota.Requests || size > webhook.DefaultQuota.Bytes+webhook.KeptOfRefused {
		t.Errorf("kept %d requests, %d bytes", stored, size)
	}
}
