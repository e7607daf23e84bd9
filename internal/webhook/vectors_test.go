package webhook_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"cotejo/internal/locale"
	"cotejo/internal/webhook"
)

// at is when the vectors' requests came.
var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// vectors are values of testdata/vectors.txt by name.
type vectors map[string]string

func load(t testing.TB) vectors {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	v := vectors{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		v[name] = value
	}
	return v
}

func (v vectors) get(t testing.TB, name string) string {
	t.Helper()
	value, ok := v[name]
	if !ok {
		t.Fatalf("no vector %q", name)
	}
	return value
}

// secret is the key of that name as a secret.
func (v vectors) secret(t testing.TB, name string) webhook.Secret {
	t.Helper()
	key, err := hex.DecodeString(v.get(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Secret{ID: name, Key: key}
}

func retired(s webhook.Secret) webhook.Secret {
	s.ID, s.NotAfter = "retired "+s.ID, at.Add(-time.Hour)
	return s
}

func body(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/body.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// request is one with the vectors' body and these headers, name and value by turns.
func request(t testing.TB, headers ...string) webhook.Request {
	t.Helper()
	return webhook.Request{Method: "POST", Header: pairs(headers...), Body: body(t), At: at}
}

func pairs(headers ...string) []webhook.Header {
	var list []webhook.Header
	for i := 0; i < len(headers); i += 2 {
		list = append(list, webhook.Header{Name: headers[i], Value: headers[i+1]})
	}
	return list
}

// only is the check of a policy that asks for one scheme. It holds the outcome
// against the check and the check against the message files.
func only(t testing.TB, p webhook.Policy, r webhook.Request) webhook.Check {
	t.Helper()
	out := webhook.Verify(p, r)
	if len(out.Checks) != 1 {
		t.Fatalf("%d checks, want 1", len(out.Checks))
	}
	c := out.Checks[0]
	refused := c.Result == webhook.Fail
	if out.Refused != refused || out.Cause != c.Cause || refused != (c.Cause != "") || refused != (out.Answer == 401) || refused != (out.Line != "") {
		t.Errorf("outcome %+v does not follow from check %+v", out, c)
	}
	if (c.Result == webhook.Pass) != (c.SecretID != "") && c.Scheme != webhook.SchemeAddress && c.Scheme != webhook.SchemeToken && c.Scheme != webhook.SchemeHeaders {
		t.Errorf("%s with secret %q", c.Result, c.SecretID)
	}
	spoken(t, c.ReasonID, c.Args)
	return c
}

// spoken fails for a message that is missing or has a blank left open.
func spoken(t testing.TB, id string, args []any) {
	t.Helper()
	for _, lang := range locale.Languages {
		if text := locale.For(lang, nil).T(id, args...); text == "" || strings.ContainsAny(text, "⟨⟩{}") {
			t.Errorf("%s in %s with %v reads %q", id, lang, args, text)
		}
	}
}

// header is a header that has to have one value.
func header(name, value string) webhook.HeaderSecret {
	return webhook.HeaderSecret{Name: name, Secrets: []webhook.Secret{{Key: []byte(value)}}}
}
