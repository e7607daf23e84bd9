package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/webhook"
)

// reasons are the findings' ids, short, each held against the message files.
func reasons(t testing.TB, found []webhook.Finding) []string {
	t.Helper()
	var list []string
	for _, f := range found {
		if f.Scheme == "" || f.Result == "" {
			t.Errorf("%s has no scheme or result", f.ReasonID)
		}
		spoken(t, f.ReasonID, f.Args)
		list = append(list, strings.TrimPrefix(strings.TrimPrefix(f.ReasonID, "verify."), "bench."))
	}
	return list
}

// sign is for combinations that testdata/vectors.sh does not compute.
func sign(key, message string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return h.Sum(nil)
}

func signed(key, message string) string { return base64.StdEncoding.EncodeToString(sign(key, message)) }

func TestBenchSignature(t *testing.T) {
	t.Parallel()
	v := load(t)
	key := v.secret(t, "key")
	raw, text := string(key.Key), string(body(t))
	good, hexed := v.get(t, "signature.base64"), v.get(t, "signature.hex")
	for name, c := range map[string]struct {
		headers []string
		body    string // as received, when not the vectors'
		want    []string
	}{
		"as expected":         {headers: []string{"X-Signature", good}, want: []string{"verifies"}},
		"characters":          {headers: []string{"X-Signature", v.get(t, "signature.undecoded")}, want: []string{"verifies_with", "key.characters"}},
		"padded characters":   {headers: []string{"X-Signature", signed(v.get(t, "secret")+"=", text)}, want: []string{"verifies_with", "key.characters"}},
		"hex":                 {headers: []string{"X-Signature", hexed}, want: []string{"verifies_with", "signature.hex"}},
		"base64url":           {headers: []string{"X-Signature", v.get(t, "signature.base64url")}, want: []string{"verifies_with", "signature.base64url"}},
		"hex in base64":       {headers: []string{"X-Signature", base64.StdEncoding.EncodeToString([]byte(hexed))}, want: []string{"verifies_with", "signature.hex_in_base64"}},
		"prefixed hex":        {headers: []string{"X-Signature", "SHA256=" + hexed}, want: []string{"verifies_with", "signature.prefix", "signature.hex"}},
		"quoted":              {headers: []string{"X-Signature", `"` + good + `"`}, want: []string{"verifies_with", "signature.quoted"}},
		"spaces":              {headers: []string{"X-Signature", " " + good + "\t"}, want: []string{"verifies_with", "signature.space"}},
		"escaped":             {headers: []string{"X-Signature", url.QueryEscape(good)}, want: []string{"verifies_with", "signature.escaped"}},
		"plus lost":           {headers: []string{"X-Signature", strings.ReplaceAll(v.get(t, "signature.undecoded"), "+", " ")}, want: []string{"verifies_with", "key.characters", "signature.plus"}},
		"cut":                 {headers: []string{"X-Signature", good[:30]}, want: []string{"verifies_with", "signature.truncated"}},
		"cut hex":             {headers: []string{"X-Signature", hexed[:41]}, want: []string{"verifies_with", "signature.hex", "signature.truncated"}},
		"cut beyond use":      {headers: []string{"X-Signature", good[:12]}, want: []string{"signature_length"}},
		"SHA-1":               {headers: []string{"X-Signature", base64.StdEncoding.EncodeToString(make([]byte, 20))}, want: []string{"nothing"}},
		"SHA-512":             {headers: []string{"X-Signature", hex.EncodeToString(make([]byte, 64))}, want: []string{"signature_length"}},
		"unreadable":          {headers: []string{"X-Signature", "¿?"}, want: []string{"signature_unreadable"}},
		"wrong secret":        {headers: []string{"X-Signature", v.get(t, "signature.other")}, want: []string{"nothing"}},
		"newline signed":      {headers: []string{"X-Signature", v.get(t, "signature.newline")}, want: []string{"verifies_with", "body.newline_added"}},
		"newline received":    {headers: []string{"X-Signature", good}, body: text + "\n", want: []string{"verifies_with", "body.newline_removed"}},
		"CRLF received":       {headers: []string{"X-Signature", good}, body: strings.ReplaceAll(text, "\n", "\r\n"), want: []string{"verifies_with", "body.crlf_to_lf"}},
		"CRLF signed":         {headers: []string{"X-Signature", signed(raw, strings.ReplaceAll(text, "\n", "\r\n"))}, want: []string{"verifies_with", "body.lf_to_crlf"}},
		"BOM received":        {headers: []string{"X-Signature", good}, body: "\ufeff" + text, want: []string{"verifies_with", "body.bom_removed"}},
		"BOM signed":          {headers: []string{"X-Signature", signed(raw, "\ufeff"+text)}, want: []string{"verifies_with", "body.bom_added"}},
		"empty signed":        {headers: []string{"X-Signature", v.get(t, "signature.empty")}, want: []string{"verifies_with", "body.empty"}},
		"Node signed":         {headers: []string{"X-Signature", v.get(t, "signature.node")}, want: []string{"verifies_with", "body.node"}},
		"Python signed":       {headers: []string{"X-Signature", v.get(t, "signature.python")}, want: []string{"verifies_with", "body.python"}},
		"two faults":          {headers: []string{"X-Signature", signed(v.get(t, "secret"), text+"\n")}, want: []string{"verifies_with", "key.characters", "body.newline_added"}},
		"under another name":  {headers: []string{"Date", "x", "X-Hub-Signature", good}, want: []string{"header_missing", "header_elsewhere", "verifies"}},
		"under any name":      {headers: []string{"X-Api-Key", hexed, "X-Foo", good}, want: []string{"header_missing", "header_elsewhere", "verifies"}},
		"missing":             {headers: []string{"X-Request-Id", "0190"}, want: []string{"header_missing"}},
		"twice":               {headers: []string{"X-Signature", v.get(t, "signature.other"), "X-Signature", good}, want: []string{"header_repeated", "verifies"}},
		"id and time signed":  {headers: append(standard("msg_1", "1767323045", "v1,?"), "X-Signature", v.get(t, "standard.signature")), want: []string{"verifies_with", "preamble.standard", "signature_unreadable"}},
		"time signed":         {headers: []string{"X-Timestamp", "1767323045", "X-Signature", signed(raw, "1767323045."+text)}, want: []string{"verifies_with", "preamble.timestamp"}},
		"body lost its end":   {headers: []string{"X-Signature", good, "Content-Length", fmt.Sprint(len(text))}, body: text[:100], want: []string{"length", "nothing"}},
		"length agrees":       {headers: []string{"X-Signature", good, "Content-Length", fmt.Sprint(len(text))}, want: []string{"verifies"}},
		"length is no number": {headers: []string{"X-Signature", good, "Content-Length", "-1"}, want: []string{"verifies"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, c.headers...)
			if c.body != "" {
				r.Body = []byte(c.body)
			}
			policy := webhook.Policy{Signature: &webhook.SignaturePolicy{Secrets: []webhook.Secret{key}, Required: true}}
			found := webhook.Diagnose(webhook.Bench{Policy: policy, Request: r})
			if diff := cmp.Diff(c.want, reasons(t, found)); diff != "" {
				t.Error(diff)
			}
			for _, f := range found {
				if f.Result == webhook.Pass && f.SecretID != "key" {
					t.Errorf("verifies with secret %q", f.SecretID)
				}
			}
			// What the bench calls right, Verify accepts, and the other way round.
			passes := !webhook.Verify(policy, r).Refused
			if right := slices.Equal(reasons(t, found), []string{"verifies"}); passes != right {
				t.Errorf("Verify passes: %v, the bench says so: %v", passes, right)
			}
		})
	}
}

func TestBenchSecrets(t *testing.T) {
	t.Parallel()
	v := load(t)
	key, other := v.secret(t, "key"), v.secret(t, "other")
	raw, text, secret := string(key.Key), string(body(t)), v.get(t, "secret")
	typed := func(text string, raw bool) []webhook.Candidate {
		return []webhook.Candidate{{ID: "typed", Text: text, Raw: raw}}
	}
	for name, c := range map[string]struct {
		secrets   []webhook.Secret
		typed     []webhook.Candidate
		signature string
		want      []string
	}{
		"typed alone":         {typed: typed(secret, false), signature: signed(raw, text), want: []string{"verifies"}},
		"typed beside":        {secrets: []webhook.Secret{other}, typed: typed(secret, false), signature: signed(raw, text), want: []string{"verifies_with", "key.typed"}},
		"typed and stored":    {secrets: []webhook.Secret{key}, typed: typed(secret, false), signature: signed(raw, text), want: []string{"verifies"}},
		"retired":             {secrets: []webhook.Secret{other, retired(key)}, signature: signed(raw, text), want: []string{"verifies_with", "key.retired"}},
		"raw, decoded there":  {typed: typed(secret, true), signature: signed(raw, text), want: []string{"verifies_with", "key.decoded"}},
		"decoded, raw there":  {typed: typed(secret, false), signature: signed(secret, text), want: []string{"verifies_with", "key.characters"}},
		"hex":                 {typed: typed(v.get(t, "key"), true), signature: signed(raw, text), want: []string{"verifies_with", "key.hex"}},
		"newline":             {typed: typed(secret, true), signature: signed(secret+"\n", text), want: []string{"verifies_with", "key.newline"}},
		"spaces around":       {typed: typed(" "+secret+"\n", false), signature: signed(raw, text), want: []string{"verifies_with", "key.trimmed"}},
		"spaces around, raw":  {typed: typed(" "+secret, true), signature: signed(secret, text), want: []string{"verifies_with", "key.trimmed"}},
		"whsec":               {typed: typed("whsec_"+secret, false), signature: signed(raw, text), want: []string{"verifies_with", "key.prefix"}},
		"cut, as Node does":   {typed: typed("ZxyWvUt987654321SecretKeyExample0", false), signature: signed(mustDecode(t, "ZxyWvUt987654321SecretKeyExample"), text), want: []string{"verifies_with", "key.cut"}},
		"stored raw, decoded": {secrets: []webhook.Secret{{ID: "r", Key: []byte(secret)}}, signature: signed(raw, text), want: []string{"verifies_with", "key.decoded"}},
		"stored raw, newline": {secrets: []webhook.Secret{{ID: "r", Key: []byte(secret)}}, signature: signed(secret+"\n", text), want: []string{"verifies_with", "key.newline"}},
		"none":                {secrets: []webhook.Secret{{ID: "empty"}}, typed: typed("", true), signature: signed("", text), want: []string{"no_secret"}},
		"far too long":        {typed: typed(strings.Repeat("A", 1<<16), true), signature: signed(raw, text), want: []string{"no_secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := webhook.Bench{Request: request(t, "X-Signature", c.signature), Secrets: c.typed}
			if c.secrets != nil {
				b.Policy.Signature = &webhook.SignaturePolicy{Secrets: c.secrets}
			}
			if diff := cmp.Diff(c.want, reasons(t, webhook.Diagnose(b))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func mustDecode(t *testing.T, text string) string {
	t.Helper()
	key, err := webhook.DecodeSecret(text, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

func TestBenchJWT(t *testing.T) {
	t.Parallel()
	v := load(t)
	raw := v.secret(t, "rawsecret")
	good := v.get(t, "jwt.good")
	for name, c := range map[string]struct {
		headers []string
		secrets []webhook.Secret
		want    []string
	}{
		"good":               {headers: bearer(good), want: []string{"verifies"}},
		"expired":            {headers: bearer(v.get(t, "jwt.expired")), want: []string{"jwt.expired", "verifies"}},
		"no expiry":          {headers: bearer(v.get(t, "jwt.no_expiry")), want: []string{"jwt.no_expiry", "verifies"}},
		"not yet":            {headers: bearer(v.get(t, "jwt.not_yet")), want: []string{"jwt.not_yet", "verifies"}},
		"clock ahead":        {headers: bearer(v.get(t, "jwt.ahead")), want: []string{"jwt_ahead", "verifies"}},
		"milliseconds":       {headers: bearer(v.get(t, "jwt.milliseconds")), want: []string{"jwt_milliseconds", "verifies"}},
		"wrong secret":       {headers: bearer(v.get(t, "jwt.other")), want: []string{"jwt_nothing"}},
		"retired":            {headers: bearer(good), secrets: []webhook.Secret{retired(raw)}, want: []string{"verifies_with", "key.retired"}},
		"decoded by sender":  {headers: bearer(v.get(t, "jwt.decoded")), secrets: []webhook.Secret{{ID: "s", Key: []byte(v.get(t, "secret"))}}, want: []string{"verifies_with", "key.decoded"}},
		"algorithm":          {headers: bearer(v.get(t, "jwt.alg.HS512")), want: []string{"jwt.algorithm"}},
		"unsigned":           {headers: bearer(v.get(t, "jwt.unsigned")), want: []string{"jwt.algorithm"}},
		"critical":           {headers: bearer(v.get(t, "jwt.critical")), want: []string{"jwt.critical", "verifies"}},
		"expiry in words":    {headers: bearer(v.get(t, "jwt.word_expiry")), want: []string{"jwt_unreadable"}},
		"no JWT":             {headers: bearer("opaque"), want: []string{"jwt_parts"}},
		"padded":             {headers: bearer(good + "="), want: []string{"jwt_unreadable"}},
		"missing":            {headers: []string{"Authorization", "Basic x"}, want: []string{"jwt.missing"}},
		"without its scheme": {headers: []string{"Authorization", good}, want: []string{"jwt.missing", "jwt_no_bearer", "verifies"}},
		"in another header":  {headers: []string{"X-Jwt", good}, want: []string{"jwt.missing", "jwt_elsewhere", "verifies"}},
		"twice":              {headers: append(bearer(good), bearer(good)...), want: []string{"jwt.repeated", "verifies"}},
		"no secret":          {headers: bearer(good), secrets: []webhook.Secret{}, want: []string{"no_secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrets := c.secrets
			if secrets == nil {
				secrets = []webhook.Secret{raw}
			}
			b := webhook.Bench{Policy: webhook.Policy{JWT: &webhook.JWTPolicy{Secrets: secrets}}, Request: request(t, c.headers...)}
			if diff := cmp.Diff(c.want, reasons(t, webhook.Diagnose(b))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBenchStandard(t *testing.T) {
	t.Parallel()
	v := load(t)
	text := string(body(t))
	good := v.get(t, "standard.signature")
	const stamp = "1767323045"
	for name, c := range map[string]struct {
		headers []string
		late    time.Duration
		want    []string
	}{
		"good":              {headers: standard("msg_1", stamp, "v1,"+good), want: []string{"verifies"}},
		"old":               {headers: standard("msg_1", stamp, "v1,"+good), late: time.Hour, want: []string{"standard.old", "verifies"}},
		"ahead":             {headers: standard("msg_1", stamp, "v1,"+good), late: -time.Hour, want: []string{"standard.ahead", "verifies"}},
		"no version":        {headers: standard("msg_1", stamp, good), want: []string{"verifies_with", "signature.no_prefix"}},
		"body alone signed": {headers: standard("msg_1", stamp, "v1,"+v.get(t, "signature.base64")), want: []string{"verifies_with", "preamble.none"}},
		"milliseconds":      {headers: standard("msg_1", stamp+"000", "v1,"+signed(string(v.secret(t, "key").Key), "msg_1."+stamp+"000."+text)), want: []string{"timestamp_milliseconds", "verifies"}},
		"time unreadable":   {headers: standard("msg_1", "soon", "v1,"+good), want: []string{"timestamp_unreadable", "nothing"}},
		"time twice":        {headers: append(standard("msg_1", stamp, "v1,"+good), "webhook-timestamp", stamp), want: []string{"header_repeated", "verifies"}},
		"id missing":        {headers: standard("msg_1", stamp, "v1,"+good)[2:], want: []string{"header_missing", "nothing"}},
		"unreadable":        {headers: standard("msg_1", stamp, "v1,?"), want: []string{"signature_unreadable"}},
		"nothing there":     {want: []string{"header_missing", "header_missing", "header_missing"}},
		"wrong secret":      {headers: standard("msg_1", stamp, "v1,"+v.get(t, "standard.other")), want: []string{"nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, c.headers...)
			r.At = at.Add(c.late)
			b := webhook.Bench{Policy: webhook.Policy{Standard: &webhook.StandardPolicy{Secrets: []webhook.Secret{v.secret(t, "key")}}}, Request: r}
			if diff := cmp.Diff(c.want, reasons(t, webhook.Diagnose(b))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBenchHeaders(t *testing.T) {
	t.Parallel()
	policy := webhook.Policy{Headers: []webhook.HeaderSecret{header("X-Api-Key", "Key-1")}}
	for name, c := range map[string]struct {
		headers []string
		want    []string
	}{
		"right":         {[]string{"x-api-key", "Key-1"}, []string{"header_ok"}},
		"missing":       {nil, []string{"header.missing"}},
		"another name":  {[]string{"Api-Key", "Key-1"}, []string{"header.missing", "header_elsewhere"}},
		"another value": {[]string{"X-Api-Key", "Key-2"}, []string{"header.mismatch"}},
		"spaces":        {[]string{"X-Api-Key", "Key-1 "}, []string{"header.mismatch", "header_space"}},
		"capitals":      {[]string{"X-Api-Key", "KEY-1"}, []string{"header.mismatch", "header_case"}},
		"scheme before": {[]string{"X-Api-Key", "Bearer Key-1"}, []string{"header.mismatch", "header_scheme"}},
	} {
		found := webhook.Diagnose(webhook.Bench{Policy: policy, Request: request(t, c.headers...)})
		if diff := cmp.Diff(c.want, reasons(t, found)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, f := range found {
			if strings.Contains(fmt.Sprint(f.Args), "Key-1") {
				t.Errorf("%s repeats the value: %v", name, f.Args)
			}
		}
	}
}

// TestBenchIsBounded: the largest body, with more secrets and headers than
// anybody has, costs a few hundred HMACs and says that it stopped.
func TestBenchIsBounded(t *testing.T) {
	t.Parallel()
	v := load(t)
	typed := make([]webhook.Candidate, 50)
	for i := range typed {
		typed[i] = webhook.Candidate{ID: fmt.Sprint(i), Text: fmt.Sprintf("secret-%04d", i), Raw: true}
	}
	small := request(t, append(standard("msg_1", "1767323045", "v1,"+v.get(t, "standard.other")), "X-Signature", v.get(t, "signature.other"))...)
	large := small
	large.Body = []byte(`["` + strings.Repeat("ñ\n", webhook.MaxBody/3-10) + `"]`)
	for name, c := range map[string]struct {
		r    webhook.Request
		want []string
	}{
		"small": {small, []string{"nothing", "cut_short", "nothing", "cut_short"}},
		"large": {large, []string{"nothing", "not_rewritten", "nothing", "cut_short", "not_rewritten"}},
	} {
		found := webhook.Diagnose(webhook.Bench{Request: c.r, Secrets: typed})
		if diff := cmp.Diff(c.want, reasons(t, found)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		tried := 0
		for _, f := range found {
			if f.ReasonID == "verify.bench.nothing" {
				tried += f.Args[1].(int)
			}
		}
		if tried == 0 || tried > 300 {
			t.Errorf("%s: %d combinations", name, tried)
		}
	}
	b := webhook.Bench{Request: small, Secrets: typed[:1], BodySize: len(small.Body) + 1}
	if diff := cmp.Diff([]string{"body_incomplete", "body_incomplete"}, reasons(t, webhook.Diagnose(b))); diff != "" {
		t.Error(diff)
	}
}

func TestBenchWithoutAnything(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"header_missing"}, reasons(t, webhook.Diagnose(webhook.Bench{}))); diff != "" {
		t.Error(diff)
	}
}

func FuzzDiagnose(f *testing.F) {
	v := load(f)
	f.Add("X-Signature", v.get(f, "signature.base64"), v.get(f, "secret"), body(f))
	f.Add("x-hub-signature-256", "sha256="+v.get(f, "signature.hex"), "whsec_x=", []byte(`{"a":1e400,"a":[{}]}`))
	f.Add("Authorization", v.get(f, "jwt.unsigned"), " ", []byte("\ufeff\r\n"))
	f.Fuzz(func(t *testing.T, name, value, secret string, text []byte) {
		r := webhook.Request{Header: pairs(name, value), Body: text, At: at}
		p := webhook.Policy{JWT: &webhook.JWTPolicy{}, Standard: &webhook.StandardPolicy{}, Signature: &webhook.SignaturePolicy{}}
		reasons(t, webhook.Diagnose(webhook.Bench{Policy: p, Request: r, Secrets: []webhook.Candidate{{Text: secret}, {Text: secret, Raw: true}}}))
	})
}
