package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scene is a sandbox with one signed webhook in each dialect.
type scene struct {
	*bench
	*receiver
	c       *clock
	secret  map[string]string
	dialect string
}

func newScene(t *testing.T, dialect string) *scene {
	c := newClock()
	s := &scene{bench: open(t, Config{Now: c.now}), receiver: receive(t, nil), c: c, dialect: dialect, secret: map[string]string{}}
	h := s.subscribe(s.URL, `,"sign_request":true`)
	s.secret[palenca] = *h.PrivateKey
	s.secret[buro] = s.register(s.URL, "").SecretKey
	return s
}

// play starts an extraction and returns its id.
func (s *scene) play(identifier string) string {
	if s.dialect == buro {
		s.consented(identifier)
		var v startedJSON
		s.ask("POST", "/verifications", `{"identifier":"`+identifier+`","external_id":"A-1"}`).into(s.t, 202, &v)
		return v.ID
	}
	var made createdJSON
	s.do("POST", "/v1/users/accounts", `{"identifier":"`+identifier+`","country":"mx","platform":"imss","external_id":"A-1"}`).data(s.t, &made)
	return made.AccountID
}

// outcomes waits for count calls that tell an outcome, leaving out Palenca's
// created, and returns them in the order of arrival.
func (s *scene) outcomes(t *testing.T, count int) []post {
	t.Helper()
	var out []post
	for len(out) < count {
		if p := s.next(t); p.event.Data.WebhookAction != "login.created" {
			out = append(out, p)
		}
	}
	return out
}

// good tells whether a call's signature holds.
func (s *scene) good(p post) bool {
	header := signatureHeader
	if s.dialect == buro {
		header = "X-Signature"
	}
	return p.header.Get(header) == sign(s.secret[s.dialect], []byte(p.body))
}

// facts are the fields that tell the event, in either dialect.
func (s *scene) facts(t *testing.T, p post) map[string]any {
	m := p.told(t)
	if s.dialect == palenca {
		m, _ = m["data"].(map[string]any)
	}
	return m
}

func TestUglyEvents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		count int
		check func(t *testing.T, s *scene, got []post, id string)
	}{
		{"duplicate", 2, func(t *testing.T, s *scene, got []post, _ string) {
			if got[0].body != got[1].body || !s.good(got[0]) || !s.good(got[1]) {
				t.Errorf("%s and %s", got[0].body, got[1].body)
			}
		}},
		{"lost", 0, func(t *testing.T, s *scene, _ []post, id string) {
			for _, d := range s.deliveries() {
				if d.Ugly == "lost" && (d.State != dropped || len(d.Attempts) != 0 || d.AccountID != id) {
					t.Errorf("%+v", d)
				}
			}
		}},
		{"wrong_signature", 1, func(t *testing.T, s *scene, got []post, id string) {
			if s.good(got[0]) || !strings.Contains(got[0].body, id) {
				t.Error("the signature is right")
			}
		}},
		{"altered_body", 1, func(t *testing.T, s *scene, got []post, _ string) {
			f := s.facts(t, got[0])
			if s.good(got[0]) || s.dialect == buro && f["can_retry"] != true || s.dialect == palenca && f["platform"] != "issste" {
				t.Error(got[0].body)
			}
		}},
		{"unknown_event", 2, func(t *testing.T, s *scene, got []post, id string) {
			names := []string{fmt.Sprint(s.facts(t, got[0])[actionField[s.dialect]]), fmt.Sprint(s.facts(t, got[1])[actionField[s.dialect]])}
			slices.Sort(names)
			want := map[string][]string{palenca: {"login.renewed", "login.success"}, buro: {"verification.completed", "verification.renewed"}}[s.dialect]
			if diff := cmp.Diff(want, names); diff != "" || !s.good(got[0]) {
				t.Error(diff)
			}
		}},
		{"unknown_entity", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if !strings.Contains(got[0].body, `"employment_files","pension_fund"]`) {
				t.Error(got[0].body)
			}
		}},
		{"unknown_status", 1, func(t *testing.T, s *scene, got []post, id string) {
			path, key := "/v1/accounts/"+id, s.creds.APIKey
			if s.dialect == buro {
				path, key = "/verifications/"+id, s.creds.BuroKey
			}
			if r := s.do("GET", path, "", "x-api-key", key); !strings.Contains(r.text, `"status":"under_review"`) || !strings.Contains(got[0].body, "under_review") {
				t.Errorf("%s, %s", r.text, got[0].body)
			}
		}},
		{"unknown_detail", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if d := got[0].event.Data; d.WebhookAction != "login.error" || d.StatusDetails == nil || *d.StatusDetails != "imss_portal_under_water" {
				t.Error(got[0].body)
			}
		}},
		{"none_string", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if s.facts(t, got[0])["external_id"] != "None" || !s.good(got[0]) {
				t.Error(got[0].body)
			}
		}},
		{"null_character", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if s.facts(t, got[0])["external_id"] != "A-1\x00" || !strings.Contains(got[0].body, `\u0000`) || !s.good(got[0]) {
				t.Error(got[0].body)
			}
		}},
		{"missing_fields", 1, func(t *testing.T, s *scene, got []post, id string) {
			f := s.facts(t, got[0])
			for _, name := range []string{"user_id", "platform", "status_details", "external_id", "can_retry", "last_updated_at"} {
				if _, there := f[name]; there {
					t.Errorf("%s is there", name)
				}
			}
			if !strings.Contains(got[0].body, id) || !s.good(got[0]) {
				t.Error(got[0].body)
			}
		}},
		{"huge_body", 1, func(t *testing.T, s *scene, got []post, id string) {
			if len(got[0].body) <= 1<<20 || !json.Valid([]byte(got[0].body)) || !strings.Contains(got[0].body[:400], id) || !s.good(got[0]) {
				t.Errorf("%d bytes", len(got[0].body))
			}
		}},
		{"deep_body", 1, func(t *testing.T, s *scene, got []post, _ string) {
			var v any
			err := json.Unmarshal([]byte(got[0].body), &v)
			if err == nil || !strings.Contains(err.Error(), "depth") || strings.Count(got[0].body, "[") < deepLevels || !s.good(got[0]) {
				t.Errorf("%v", err)
			}
		}},
		{"empty_body", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if got[0].body != "" || !s.good(got[0]) {
				t.Errorf("%q", got[0].body)
			}
		}},
		{"nine_decimals", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if s.facts(t, got[0])["timestamp"] != "2026-11-20T12:00:00.123456789Z" {
				t.Error(got[0].body)
			}
		}},
		{"zoneless", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if s.facts(t, got[0])["last_updated_at"] != "2026-11-20T12:00:00" {
				t.Error(got[0].body)
			}
		}},
		{"invalid_curp", 1, func(t *testing.T, s *scene, got []post, _ string) {
			if s.facts(t, got[0])["identifier"] != impossibleCURP {
				t.Error(got[0].body)
			}
		}},
	} {
		for _, dialect := range both {
			found := caseIn(c.name, dialect)
			if found == nil || found.stage == onCall {
				continue
			}
			t.Run(c.name+"/"+dialect, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, dialect)
				s.order(`{"case":"` + c.name + `","dialect":"` + dialect + `"}`)
				id := s.play(gata)
				got := s.outcomes(t, c.count)
				c.check(t, s, got, id)
				// Once means once: the next one is as it should be.
				next := s.play(lale)
				p := s.outcomes(t, 1)[0]
				if !s.good(p) || !json.Valid([]byte(p.body)) || !strings.Contains(p.body, next) {
					t.Errorf("the next event: %.300s", p.body)
				}
				if r := s.do("GET", "/_sandbox/ugly", ""); !strings.Contains(r.text, `"orders":[]`) {
					t.Error("the order is still there")
				}
			})
		}
	}
}

func TestUglyLate(t *testing.T) {
	t.Parallel()
	s := newScene(t, palenca)
	s.set(`{"delay":"10s"}`)
	s.order(`{"case":"late","dialect":"palenca"}`)
	s.play(gata)
	s.ahead(s.c, 10*time.Second)
	if got := s.next(t).event.Data.WebhookAction; got != "login.success" {
		t.Errorf("first to come is %s", got)
	}
	s.ahead(s.c, s.lateBy())
	if got := s.next(t).event.Data.WebhookAction; got != "login.created" {
		t.Errorf("late one is %s", got)
	}

	s = newScene(t, buro)
	s.order(`{"case":"late","dialect":"buro"}`)
	s.play(gata)
	s.await(1, "verification ended")
	next := s.play(lale)
	if got := s.next(t).told(t)["verification_id"]; got != next {
		t.Errorf("first to come is %s", got)
	}
	s.ahead(s.c, s.lateBy())
	s.next(t)
}

func TestUglyOutOfOrder(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		s := newScene(t, dialect)
		s.order(`{"case":"out_of_order","dialect":"` + dialect + `"}`)
		first := s.play(gata)
		second := first
		if dialect == buro {
			s.await(1, "verification ended")
			second = s.play(lale)
		}
		a, z := s.next(t), s.next(t)
		if !strings.Contains(a.body, second) || !strings.Contains(z.body, first) || a.body == z.body {
			t.Errorf("%s: %s before %s", dialect, a.body, z.body)
		}
		if dialect == palenca && (a.event.Data.WebhookAction != "login.success" || z.event.Data.WebhookAction != "login.created") {
			t.Errorf("%s, %s", a.event.Data.WebhookAction, z.event.Data.WebhookAction)
		}
	}
	s := newScene(t, buro) // the wait for a next event ends
	limit := s.swapLimit() // before it is at work
	s.order(`{"case":"out_of_order","dialect":"buro"}`)
	s.play(gata)
	s.await(1, "verification ended")
	s.ahead(s.c, limit)
	s.next(t)
	s.await(1, "webhook attempt", "state=delivered")
	s.play(lale)
	s.next(t)
	if d := s.deliveries()[0]; d.State != delivered || !d.NextAt.IsZero() || len(d.Attempts) != 1 {
		t.Errorf("the first one was touched again: %+v", d)
	}
}

// An event that waits to change places does so after a restart, too.
func TestUglyOutOfOrderSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir, c, r := t.TempDir(), newClock(), receive(t, nil)
	b := open(t, Config{Dir: dir, Now: c.now})
	b.register(r.URL, "")
	b.order(`{"case":"out_of_order","dialect":"buro"}`)
	first := b.found(gata)
	b.stop()
	b = open(t, Config{Dir: dir, Now: c.now})
	second := b.verified(lale)
	if got := []any{r.next(t).told(t)["verification_id"], r.next(t).told(t)["verification_id"]}; got[0] != second.ID || got[1] != first.ID {
		t.Errorf("order %v", got)
	}
}

func TestUglyNothing(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		s := newScene(t, dialect)
		s.order(`{"case":"nothing","dialect":"` + dialect + `"}`)
		id := s.play(gata)
		s.ahead(s.c, 24*time.Hour)
		next := s.play(lale) // an event of another shows that the loop went round
		if p := s.next(t); !strings.Contains(p.body, next) || strings.Contains(p.body, id) {
			t.Errorf("%s: %s", dialect, p.body)
		}
		path, want, key := "/v1/accounts/"+id, `"status":"pending"`, s.creds.APIKey
		if dialect == buro {
			path, want, key = "/verifications/"+id, `"status":"in_progress"`, s.creds.BuroKey
		}
		if r := s.do("GET", path, "", "x-api-key", key); !strings.Contains(r.text, want) {
			t.Error(r.text)
		}
	}
}
