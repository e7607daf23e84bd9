package sandbox

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func FuzzReadCURP(f *testing.F) {
	for _, p := range people {
		f.Add(p.CURP)
	}
	f.Add("SABC000229MDFLRNA1")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := readCURP(text)
		if err != nil {
			return
		}
		if facts.text != text || facts.state == "" || facts.birth.IsZero() || curpDigit(text) != text[17] {
			t.Errorf("%q: %+v", text, facts)
		}
		if given, first, _ := personName(facts); given == "" || first == "" {
			t.Errorf("%q has no name", text)
		}
		for _, p := range careerOf("imss", text, asOf) {
			if p.start.Before(facts.birth.AddDate(16, 0, 0)) {
				t.Errorf("%q works from %v", text, p.start)
			}
		}
	})
}

// Whatever is sent, the answer is one that the contract knows.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{orderGata, `{}`, `[]`, `null`, `{"platform":["imss"]}`, `{"options":{"page":-1}}`, `{"events":[1]}`, `{"delay":"1s"}`, "{\"identifier\":\"\\u0000\"}"} {
		f.Add(body)
	}
	routes := []string{"/v1/users", "/v1/users/search", "/v1/users/accounts", "/v1/accounts", "/v1/webhooks", "/v1/widgets", "/_sandbox/settings"}
	known := []int{200, 201, 404, 413, 422, 503}
	f.Fuzz(func(t *testing.T, body string) {
		s, err := Open(Config{Delay: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range routes {
			w := call(s, http.MethodPost, path, body)
			if path == "/_sandbox/settings" && w.Code == 200 {
				break // the switches may order any fault for what follows
			}
			if !slices.Contains(known, w.Code) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}

// The same of the second dialect, whose errors have shapes of their own.
func FuzzBuroBodies(f *testing.F) {
	for _, body := range []string{`{"identifier":"` + gata + `","ip_address":"::1","privacy_notice_url":"https://a.example"}`, `{}`, `[]`, `[null]`, `null`, `"x"`,
		`{"verifications":[{"identifier":"Ñ&A850612V21"}]}`, `{"endpoint_url":"http://a","authentication":{"type":"token_endpoint","url":"http://b","request_body":[1]}}`,
		`{"case":"lost","dialect":"buro"}`, "{\"identifier\":\"\\u0000\"}"} {
		f.Add(body)
	}
	routes := []string{"/consents", "/consents/bulk", "/verifications", "/verifications/bulk", "/webhooks", "/_sandbox/ugly"}
	known := []int{200, 201, 202, 400, 413, 422}
	f.Fuzz(func(t *testing.T, body string) {
		s, err := Open(Config{Delay: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		s.creds.APIKey = s.creds.BuroKey // call sends the first
		for _, path := range routes {
			if w := call(s, http.MethodPost, path, body); !slices.Contains(known, w.Code) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}

func FuzzReadRFC(f *testing.F) {
	for _, text := range []string{"GODE561231GR8", "MNT850612KR4", "XAXX010101000", "ÑOÑE000229AA0", "&&&000229AA0", "AAAA000229AAA"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := readRFC(text)
		if err != nil {
			return
		}
		if r.business {
			if legal, short := legalName(r); legal == "" || short == "" {
				t.Errorf("%q has no name", text)
			}
			return
		}
		p := personOf(r)
		if given, first, _ := personName(p); given == "" || first == "" || p.birth != r.since {
			t.Errorf("%q: %+v", text, p)
		}
	})
}
