package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"testing"
)

// Each case strikes about its share, whoever comes when; a seed makes the same weather again.
func TestStormShares(t *testing.T) {
	t.Parallel()
	const n = 20_000
	weather := &storm{Seed: 7, Share: map[string]float64{"duplicate": 0.10, "out_of_order": 0.10, "lost": 0.05, "wrong_signature": 0.05}}
	for _, dialect := range both {
		got, again, other := map[string]int{}, 0, 0
		for i := range n {
			l := letter{dialect: dialect, person: fmt.Sprint(i), action: "login.created", signed: true}
			c := weather.strike(l)
			if c == weather.strike(l) {
				again++
			}
			if c != (&storm{Seed: 8, Share: weather.Share}).strike(l) {
				other++
			}
			if c != nil {
				got[c.name]++
			}
		}
		for name, share := range weather.Share {
			if math.Abs(float64(got[name])/n-share) > 0.01 {
				t.Errorf("%s: %s strikes %d of %d", dialect, name, got[name], n)
			}
		}
		if again != n || other == 0 || len(got) != 4 {
			t.Errorf("%s: %d of %d the same again, %d different with another seed, %v", dialect, again, n, other, got)
		}
	}
	if c := (*storm)(nil).strike(letter{}); c != nil {
		t.Errorf("no storm strikes %s", c.name)
	}
	all := &storm{Share: map[string]float64{"wrong_signature": 1}}
	if c := all.strike(letter{dialect: palenca}); c != nil {
		t.Error("a signature is spoilt that is not there")
	}
	all = &storm{Share: map[string]float64{"out_of_order": 1}}
	if c := all.strike(letter{dialect: palenca, action: "login.success", final: true}); c != nil {
		t.Error("an outcome waits for an event that does not come")
	}
}

// The storm is a switch; what was asked for and what was sent can be read beside it.
func TestStormOverHTTP(t *testing.T) {
	t.Parallel()
	s := newScene(t, buro)
	for _, bad := range []string{`{"share":{"rude":0.1}}`, `{"share":{"api_500":0.1}}`, `{"share":{"lost":-0.1}}`, `{"share":{"lost":0.6,"late":0.6}}`, `{"seed":"x"}`} {
		if r := s.do("POST", "/_sandbox/settings", `{"storm":`+bad+`}`); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
	s.set(`{"storm":{"seed":1,"share":{"duplicate":1}}}`)
	s.set(`{"delay":"0s"}`) // another switch leaves it
	id := s.play(gata)
	s.outcomes(t, 2)
	s.set(`{"storm":null}`)
	next := s.play(lale)
	s.outcomes(t, 1)
	var sent struct {
		Deliveries []struct {
			Ugly, SHA256 string
			AccountID    string `json:"account_id"`
		}
	}
	s.do("GET", "/_sandbox/deliveries", "").into(t, http.StatusOK, &sent)
	if len(sent.Deliveries) != 3 || sent.Deliveries[2].Ugly != "duplicate" || sent.Deliveries[1].SHA256 != sent.Deliveries[2].SHA256 ||
		sent.Deliveries[0].Ugly != "" || len(sent.Deliveries[0].SHA256) != 64 {
		t.Errorf("%+v", sent)
	}
	var asked struct{ Extractions []extraction }
	s.do("GET", "/_sandbox/extractions", "").into(t, http.StatusOK, &asked)
	if got := asked.Extractions; len(got) != 2 || got[0].ID != id || got[0].Case != "full" || *got[0].ExternalID != "A-1" || got[0].Identifier != gata {
		t.Fatalf("%+v", got)
	}
	s.do("GET", fmt.Sprintf("/_sandbox/extractions?after=%d&limit=5", asked.Extractions[0].Seq), "").into(t, http.StatusOK, &asked)
	if got := asked.Extractions; len(got) != 1 || got[0].ID != next {
		t.Errorf("%+v", got)
	}
	p := newScene(t, palenca)
	account := p.play(gata)
	p.outcomes(t, 1)
	p.do("GET", "/_sandbox/extractions", "").into(t, http.StatusOK, &asked)
	if got := asked.Extractions; len(got) != 1 || got[0].ID != account || got[0].Status != "success" || *got[0].ExternalID != "A-1" {
		t.Errorf("%+v", got)
	}
}
