package sandbox

import (
	"encoding/json"
	"testing"
)

const lale = "LALE870908HDFRPD02"

// ask calls the Buró dialect with its key; body "" = none.
func (b *bench) ask(method, path, body string) reply {
	b.t.Helper()
	return b.do(method, path, body, "x-api-key", b.creds.BuroKey)
}

// into decodes a bare body, after checking the status.
func (r reply) into(t *testing.T, status int, v any) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.text)
	}
	if err := json.Unmarshal([]byte(r.text), v); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
}

// consented records a consent.
func (b *bench) consented(identifier string) consentJSON {
	b.t.Helper()
	var c consentJSON
	b.ask("POST", "/consents", `{"identifier":"`+identifier+`","ip_address":"127.0.0.1","privacy_notice_url":"https://lender.example/aviso"}`).into(b.t, 201, &c)
	return c
}

// verified starts a verification under a new consent.
func (b *bench) verified(identifier string) startedJSON {
	b.t.Helper()
	b.consented(identifier)
	var v startedJSON
	b.ask("POST", "/verifications", `{"identifier":"`+identifier+`"}`).into(b.t, 202, &v)
	return v
}

// found starts a verification and waits for its end.
func (b *bench) found(identifier string) startedJSON {
	b.t.Helper()
	v := b.verified(identifier)
	b.await(1, "verification ended", v.ID)
	return v
}

// register makes a Buró webhook; extra is more JSON, beginning with a comma.
func (b *bench) register(url, extra string) endpointJSON {
	b.t.Helper()
	var e endpointJSON
	b.ask("POST", "/webhooks", `{"description":"test","endpoint_url":"`+url+`"`+extra+`}`).into(b.t, 201, &e)
	return e
}

// told decodes a Buró event as any receiver would: loosely.
func (p post) told(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(p.body), &m); err != nil {
		t.Fatalf("%v: %.200s", err, p.body)
	}
	return m
}

// order orders an ugly case and returns the answer.
func (b *bench) order(body string) reply {
	b.t.Helper()
	r := b.do("POST", "/_sandbox/ugly", body)
	if r.status != 200 {
		b.t.Fatalf("%s: %d %s", body, r.status, r.text)
	}
	return r
}
