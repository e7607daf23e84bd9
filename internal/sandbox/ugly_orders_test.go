package sandbox

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Cases are played on what is there already, too.
func TestUglyOnAnAccount(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		s := newScene(t, dialect)
		id := s.play(gata)
		s.outcomes(t, 1)
		on := func(name string) string {
			return s.order(`{"case":"` + name + `","dialect":"` + dialect + `","account":"` + id + `"}`).text
		}
		if got := on("duplicate"); !strings.Contains(got, `"deliveries":2`) {
			t.Error(got)
		}
		if got := s.outcomes(t, 2); got[0].body != got[1].body || !strings.Contains(got[0].body, id) {
			t.Errorf("%s: %s", dialect, got[0].body)
		}
		on("unknown_status")
		if got := s.outcomes(t, 1); !strings.Contains(got[0].body, "under_review") {
			t.Error(got[0].body)
		}
		if got := on("nothing"); !strings.Contains(got, `"deliveries":0`) {
			t.Error(got)
		}
		for name, problem := range map[string]string{"api_500": "use times", "lost": ""} {
			r := s.do("POST", "/_sandbox/ugly", `{"case":"`+name+`","dialect":"`+dialect+`","account":"`+id+`"}`)
			if (r.status == 422) != (problem != "") || !strings.Contains(r.text, problem) {
				t.Errorf("%s: %d %s", name, r.status, r.text)
			}
		}
		if dialect == palenca {
			on("out_of_order")
			if a, z := s.next(t).event.Data.WebhookAction, s.next(t).event.Data.WebhookAction; a == "login.created" || z != "login.created" {
				t.Errorf("%s, %s", a, z)
			}
			on("late")
			if got := s.next(t).event.Data.WebhookAction; got != "login.created" {
				t.Error(got)
			}
		}
	}
}

func TestUglyOrdersAreChecked(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for _, body := range []string{`{}`, `{"case":"duplicate"}`, `{"case":"rude","dialect":"buro"}`, `{"case":"expired_jwt","dialect":"palenca"}`,
		`{"case":"lost","dialect":"buro","times":-1}`, `{"case":"lost","dialect":"buro","account":"nobody"}`, `{"case":"lost","dialect":"buro","tmes":1}`, `no`} {
		if r := b.do("POST", "/_sandbox/ugly", body); r.status != 422 {
			t.Errorf("%s: %d %s", body, r.status, r.text)
		}
	}
	b.order(`{"case":"lost","dialect":"buro","times":3,"every":2}`)
	if r := b.do("GET", "/_sandbox/settings", ""); !strings.Contains(r.text, `"ugly":[{"case":"lost","dialect":"buro","times":3,"every":2}]`) {
		t.Error(r.text)
	}
	b.set(`{"delay":"1s"}`) // another switch leaves the orders
	b.set(`{"disable_after":0}`)
	if r := b.do("GET", "/_sandbox/ugly", ""); !strings.Contains(r.text, `"times":3`) {
		t.Error("forgotten")
	}
	b.do("DELETE", "/_sandbox/ugly", "")
	if r := b.do("GET", "/_sandbox/ugly", "", "x-api-key", b.creds.BuroKey); !strings.Contains(r.text, `"orders":[]`) {
		t.Error("kept")
	}
}

// Every n-th event, and several orders side by side: what a storm is made of.
func TestUglyEvery(t *testing.T) {
	t.Parallel()
	s := newScene(t, buro)
	s.order(`{"case":"lost","dialect":"buro","times":2,"every":3}`)
	s.order(`{"case":"duplicate","dialect":"buro","times":9,"every":2}`)
	for range 8 {
		s.play(gata)
	}
	s.await(8, "verification ended")
	s.outcomes(t, 9)
	var got []string
	for _, d := range s.deliveries() {
		got = append(got, d.Ugly)
	}
	// The lost ones do not count as an occasion for the second order.
	want := []string{"", "duplicate", "duplicate", "lost", "", "duplicate", "duplicate", "lost", "", "duplicate", "duplicate"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUglyListIsInSpanish(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	var got struct{ Cases []uglyJSON }
	b.do("GET", "/_sandbox/ugly", "").into(t, http.StatusOK, &got)
	names := map[string]bool{}
	for _, c := range got.Cases {
		if names[c.Case] || c.Description == nil || c.Expected == nil || c.Title == "" || c.Group == "" || len(c.Dialects) == 0 || c.Person == nil && c.Case != "api_401" {
			t.Errorf("%+v", c)
		}
		names[c.Case] = true
	}
	if len(names) < 30 || *got.Cases[0].Description != "El mismo evento llega dos veces" {
		t.Errorf("%d cases, %v", len(names), *got.Cases[0].Description)
	}
	b.do("GET", "/_sandbox/ugly", "", "accept-language", "en-US").into(t, http.StatusOK, &got)
	if *got.Cases[0].Description != "The same event comes twice" || got.Cases[0].Title != "Duplicate" {
		t.Error(*got.Cases[0].Description)
	}
	lacking := func() map[string][]string {
		b.do("GET", "/_sandbox/ugly", "").into(t, http.StatusOK, &got)
		m := map[string][]string{}
		for _, c := range got.Cases {
			m[c.Case] = c.Lacking
		}
		return map[string][]string{"signature": m["wrong_signature"], "jwt": m["expired_jwt"], "none": m["duplicate"]}
	}
	// An order that no webhook can meet would wait for ever.
	want := map[string][]string{"signature": {palenca, buro}, "jwt": {buro}, "none": {}}
	if diff := cmp.Diff(want, lacking()); diff != "" {
		t.Error(diff)
	}
	b.subscribe("http://127.0.0.1:9/", `,"sign_request":true`)
	b.register("http://127.0.0.1:9/", `,"authentication":{"type":"jwt","secret":"0123456789abcdef0123456789abcdef"}`)
	want = map[string][]string{"signature": {}, "jwt": {}, "none": {}}
	if diff := cmp.Diff(want, lacking()); diff != "" {
		t.Error(diff)
	}
}
