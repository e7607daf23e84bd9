package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// start makes the call that starts an extraction, without following redirects.
func (s *scene) start(ctx context.Context, identifier string) (*http.Response, error) {
	path, key, body := "/v1/users/accounts", s.creds.APIKey, `{"identifier":"`+identifier+`","country":"mx","platform":"imss"}`
	if s.dialect == buro {
		path, key, body = "/verifications", s.creds.BuroKey, `{"identifier":"`+identifier+`"}`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-api-key", key)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(req)
}

func TestUglyCalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		status  int
		palenca string // in the body
		buro    string
	}{
		{"api_400", 400, "", `{"error":{"code":"validation_error"`},
		{"api_401", 401, `{"success":false,"error":{"code":"invalid_api_key"`, `{"error":"Unauthorized","message":"Invalid X-API-Key"}`},
		{"api_412", 412, `"code":"recent_login_successful"`, ""},
		{"api_422", 422, `"code":"bad_request"`, `{"error":{"code":"validation_error"`},
		{"api_422_detail", 422, `{"detail":[{"loc":["body","identifier"]`, `{"detail":[{"loc":["body","identifier"]`},
		{"api_429", 429, `"code":"too_many_requests"`, `"code":"too_many_requests"`},
		{"api_429_no_reset", 429, `"code":"too_many_requests"`, `"code":"too_many_requests"`},
		{"api_429_daily", 429, "", `"code":"daily_verification_limit_exceeded"`},
		{"api_500", 500, `"success":false`, `"code":"internal_error"`},
		{"api_redirect", 307, "", ""},
	} {
		for _, dialect := range both {
			if caseIn(c.name, dialect) == nil {
				continue
			}
			t.Run(c.name+"/"+dialect, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, dialect)
				s.set(`{"rate":120}`)
				s.consented(gata)
				s.order(`{"case":"` + c.name + `","dialect":"` + dialect + `"}`)
				res, err := s.start(t.Context(), gata)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				text, _ := io.ReadAll(res.Body)
				want := map[string]string{palenca: c.palenca, buro: c.buro}[dialect]
				if res.StatusCode != c.status || !strings.Contains(string(text), want) {
					t.Errorf("%d %s", res.StatusCode, text)
				}
				switch c.name {
				case "api_429":
					if res.Header.Get("X-RateLimit-Reset") != "1795176020" || res.Header.Get("X-RateLimit-Remaining") != "0" { // twenty seconds on
						t.Errorf("%v", res.Header)
					}
				case "api_429_no_reset":
					if res.Header.Get("X-RateLimit-Reset") != "" || res.Header.Get("Retry-After") != "" {
						t.Errorf("%v", res.Header)
					}
				case "api_redirect":
					if res.Header.Get("Location") != s.http.URL+"/_sandbox/redirected" {
						t.Errorf("%v", res.Header)
					}
				}
				again, err := s.start(t.Context(), gata)
				if err != nil || again.StatusCode > 202 {
					t.Errorf("the next call: %v %v", err, again)
				}
			})
		}
	}
}

// A client that follows the redirect gives itself away.
func TestFollowedRedirectIsNoticed(t *testing.T) {
	t.Parallel()
	s := newScene(t, palenca)
	s.order(`{"case":"api_redirect","dialect":"palenca"}`)
	if r := s.do("POST", "/v1/users/accounts", orderGata); r.status != 200 || !strings.Contains(r.text, "redirected") {
		t.Errorf("%d %s", r.status, r.text)
	}
	if r := s.do("GET", "/_sandbox/notices", ""); !strings.Contains(r.text, `"kind":"redirect_followed"`) {
		t.Error(r.text)
	}
}

// The answer stops in the middle, but what was asked for was done.
func TestUglyCutAnswer(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		s := newScene(t, dialect)
		s.consented(gata)
		s.order(`{"case":"api_cut","dialect":"` + dialect + `"}`)
		res, err := s.start(t.Context(), gata)
		if err != nil {
			t.Fatalf("%s: not even a head: %v", dialect, err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(text) == 0 || res.StatusCode > 202 {
			t.Errorf("%s: %d %q %v", dialect, res.StatusCode, text, err)
		}
		s.outcomes(t, 1) // it was carried out
	}
}

func TestUglyTimeout(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		s := newScene(t, dialect)
		s.consented(gata)
		s.order(`{"case":"api_timeout","dialect":"` + dialect + `"}`)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if res, err := s.start(ctx, gata); err == nil {
			res.Body.Close()
			t.Errorf("%s: answered %d", dialect, res.StatusCode)
		}
		cancel()
		res, err := s.start(t.Context(), gata)
		if err != nil || res.StatusCode > 202 {
			t.Errorf("%s: the next call: %v", dialect, err)
		}
	}
}

// In Palenca's events there is no time and no CURP, so these show in answers.
func TestUglyAnswers(t *testing.T) {
	t.Parallel()
	s := newScene(t, palenca)
	id := s.play(gata)
	s.outcomes(t, 1)
	for name, want := range map[string]string{
		"nine_decimals": `"created_at":"2026-11-20T12:00:00.123456789+00:00"`,
		"zoneless":      `"created_at":"2026-11-20T12:00:00.000000"`,
		"invalid_curp":  `"gov_id":"` + impossibleCURP + `"`,
	} {
		s.order(`{"case":"` + name + `","dialect":"palenca"}`)
		if r := s.do("GET", "/v1/accounts/"+id, ""); r.status != 200 || !strings.Contains(r.text, want) || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
		if r := s.do("GET", "/v1/accounts/"+id, ""); strings.Contains(r.text, want) {
			t.Errorf("%s did not end", name)
		}
	}
	s.order(`{"case":"api_500","dialect":"palenca","route":"GET /v1/accounts"}`)
	if r := s.do("GET", "/v1/accounts/"+id, ""); r.status != 500 {
		t.Errorf("another route: %d", r.status)
	}
	s.set(`{"fail_next":{"dialect":"buro","status":503}}`)
	if r := s.do("GET", "/v1/accounts/"+id, ""); r.status != 200 {
		t.Errorf("the other dialect's fault: %d", r.status)
	}
	if r := s.ask("GET", "/webhooks", ""); r.status != 503 || !strings.Contains(r.text, `{"error":{"code":"internal_error"`) {
		t.Errorf("%d %s", r.status, r.text)
	}
}

// The named people need no order: their case strikes every time.
func TestUglyPeople(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		s := newScene(t, dialect)
		s.ask("POST", "/webhooks", `{"endpoint_url":"`+s.URL+`","authentication":{"type":"jwt","secret":"s"}}`)
		for _, p := range others {
			c := caseIn(p.ugly, dialect)
			if c == nil || p.ugly == "api_timeout" {
				continue
			}
			s.consented(p.CURP)
			for round := range 2 {
				if c.stage == onCall && c.faults[dialect].Mode == "" {
					res, err := s.start(t.Context(), p.CURP)
					if err != nil || res.StatusCode != c.faults[dialect].Status {
						t.Errorf("%s: %v %v", p.ugly, err, res)
					}
				} else if c.stage == onEvent && !c.created {
					id := s.play(p.CURP)
					s.await(1, " ended")
					ds := s.deliveries()
					if !slices.ContainsFunc(ds, func(d delivery) bool { return d.AccountID == id && d.Ugly == p.ugly }) {
						t.Errorf("%s/%s, round %d: nothing happened", dialect, p.ugly, round)
					}
				}
			}
		}
	}
	s := newScene(t, palenca)
	id := s.play("CUBI960616HSPVRS03") // invalid_curp: in every answer about the account
	s.outcomes(t, 1)
	for range 2 {
		if r := s.do("GET", "/v1/accounts/"+id+"/profile", ""); !strings.Contains(r.text, impossibleCURP) {
			t.Error(r.text)
		}
	}
	s.dialect = buro
	s.play("AAAO870512MSPLLL02") // null_character: in the data, too
	s.await(1, "verification ended")
	if r := s.ask("GET", "/employments/AAAO870512MSPLLL02", ""); !strings.Contains(r.text, `\u0000"`) {
		t.Error(r.text)
	}
}
