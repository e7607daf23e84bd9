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
