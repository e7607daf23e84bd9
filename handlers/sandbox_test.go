package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cotejo/handlers"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/views"
)

// simulator stands for the sandbox's switches and notes what it is told. The real ones are commanded in package main.
type simulator struct {
	board  views.SandboxBoard
	silent bool
	orders []views.UglyOrder
	set    []views.SandboxSwitches
	calls  []string
}

func (s *simulator) Board(context.Context, string) (views.SandboxBoard, error) {
	return s.board, s.done("board")
}

func (s *simulator) Order(_ context.Context, o views.UglyOrder) error {
	s.orders = append(s.orders, o)
	return s.done("order")
}

func (s *simulator) Switch(_ context.Context, v views.SandboxSwitches) error {
	s.set = append(s.set, v)
	return s.done("switch")
}

func (s *simulator) Forget(context.Context) error { return s.done("forget") }
func (s *simulator) Reset(context.Context) error  { return s.done("reset") }

func (s *simulator) done(what string) error {
	if what != "board" {
		s.calls = append(s.calls, what)
	}
	if s.silent {
		return errors.New("nobody answers")
	}
	return nil
}

func aBoard() views.SandboxBoard {
	gap := "5s"
	return views.SandboxBoard{Known: true, Dialects: []lookup.Dialect{lookup.Palenca},
		Cases: []views.UglyCase{
			{Name: "lost", Title: "Perdido", Group: "way", Person: eduardo, Dialects: []lookup.Dialect{lookup.Palenca, lookup.Buro}, Description: "No llega", Expected: "Se pregunta"},
			{Name: "wrong_signature", Title: "Firma", Group: "proof", Needs: "signature", Dialects: []lookup.Dialect{lookup.Palenca}, Lacking: []lookup.Dialect{lookup.Palenca}},
			{Name: "expired_jwt", Title: "JWT", Group: "proof", Needs: "jwt", Dialects: []lookup.Dialect{lookup.Buro}},
		},
		Orders:   []views.UglyOrder{{Case: "lost", Dialect: lookup.Palenca, Times: 3, Every: 10}},
		Switches: views.SandboxSwitches{RetryGap: &gap, Storm: &views.SandboxStorm{Seed: 7, Share: map[string]float64{"lost": 0.07, "huge_body": 0.01}}},
	}
}

func TestSandboxCases(t *testing.T) {
	t.Parallel()
	box := &simulator{board: aBoard()}
	c := open(t, func(o *handlers.Options) { o.Sandbox = box })
	admin, analyst, developer := c.as(auth.Administrator), c.as(auth.Analyst), c.as(auth.Developer)

	// Whoever may look people up sees the cases and their people; to order one strikes others, and is an administrator's.
	page := analyst.get("/sandbox").want(http.StatusOK).has("No llega", "Se pregunta")
	page.count("[data-case]", 3).count(`form[action="/sandbox/orders"]`, 0).count(`form[action="/sandbox/switches"]`, 0)
	page.count(`[data-case=lost] input[name=curp][value=`+eduardo+`]`, 1)
	for _, path := range []string{"/sandbox/orders", "/sandbox/orders/forget", "/sandbox/switches", "/sandbox/switches/reset"} {
		analyst.post(path, url.Values{"case": {"lost"}, "dialect": {"palenca"}, "times": {"1"}}).want(http.StatusForbidden)
		developer.post(path, nil).want(http.StatusForbidden)
	}
	page = admin.get("/sandbox").want(http.StatusOK)
	page.count(`[data-case=lost] form[action="/sandbox/orders"]`, 1).count(`[data-case=lost] [data-ordered=palenca]`, 1).count("[data-order]", 1)
	page.count(`[data-case=wrong_signature] form[action="/sandbox/orders"]`, 0).count(`[data-case=wrong_signature] a[href="/subscriptions"]`, 1)
	for name, value := range map[string]string{"retry_gap": "5", "delay": "", "seed": "7", "share_lost": "7"} {
		if got := page.attr(`#switches [name=`+name+`]`, "value"); got != value {
			t.Errorf("%s shows %q, want %q", name, got, value)
		}
	}

	admin.post("/sandbox/orders", url.Values{"case": {"lost"}, "dialect": {"palenca"}, "times": {"5"}, "every": {"2"}}).to("/sandbox#case-lost")
	admin.get("/sandbox").has("«Perdido»")
	for _, form := range []url.Values{
		{"case": {"rude"}, "dialect": {"palenca"}, "times": {"1"}}, {"case": {"lost"}, "dialect": {"buro"}, "times": {"1"}}, // not connected there
		{"case": {"expired_jwt"}, "dialect": {"palenca"}, "times": {"1"}}, {"case": {"lost"}, "dialect": {"palenca"}, "times": {"0"}},
		{"case": {"lost"}, "dialect": {"palenca"}, "times": {"many"}}, {"case": {"lost"}, "dialect": {"palenca"}, "times": {"1"}, "every": {"-2"}}, {},
	} {
		admin.post("/sandbox/orders", form).want(http.StatusUnprocessableEntity).count(".field__error", len(form["case"])+2*(1-len(form["case"])))
	}
	if diff := cmp.Diff([]views.UglyOrder{{Case: "lost", Dialect: lookup.Palenca, Times: 5, Every: 2}}, box.orders); diff != "" {
		t.Error(diff)
	}

	admin.post("/sandbox/switches", url.Values{"delay": {"1.5"}, "rate": {"0"}, "daily_limit": {"2"}, "no_external_id": {"null"}, "recent_login_412": {"on"},
		"share_lost": {"5"}, "share_duplicate": {"10"}, "seed": {"9"}}).to("/sandbox#switches")
	delay, rate := "1.5s", 0
	want := views.SandboxSwitches{Delay: &delay, Rate: &rate, DailyLimit: 2, RecentLogin412: true, NoExternalID: "null",
		Storm: &views.SandboxStorm{Seed: 9, Share: map[string]float64{"lost": 0.05, "duplicate": 0.1, "huge_body": 0.01}}} // what the form does not offer stays
	if diff := cmp.Diff([]views.SandboxSwitches{want}, box.set); diff != "" {
		t.Error(diff)
	}
	for field, value := range map[string]string{"delay": "-1", "retry_gap": "1e9", "rate": "x", "daily_limit": "101", "no_external_id": "odd", "share_lost": "101", "seed": "-1"} {
		admin.post("/sandbox/switches", url.Values{field: {value}}).want(http.StatusUnprocessableEntity).count(".field__error", 1)
	}
	admin.post("/sandbox/switches", url.Values{"share_lost": {"60"}, "share_late": {"60"}}).want(http.StatusUnprocessableEntity)
	admin.post("/sandbox/orders/forget", nil).to("/sandbox#cases")
	admin.post("/sandbox/switches/reset", nil).to("/sandbox#cases")
	if diff := cmp.Diff([]string{"order", "switch", "forget", "reset"}, box.calls); diff != "" {
		t.Error(diff)
	}

	// A sandbox that does not answer takes nothing else with it.
	box.silent = true
	admin.get("/sandbox").want(http.StatusOK).count("[data-person]", 9).count("[data-case]", 0).count(".alert--error", 1)
	admin.post("/sandbox/switches/reset", nil).to("/sandbox#cases")
	admin.get("/sandbox").count(".flash--error", 1)
}

// Without a sandbox of ours there is nothing to command, and in production there is no page.
func TestSandboxNotOurs(t *testing.T) {
	t.Parallel()
	c := open(t)
	admin := c.as(auth.Administrator)
	admin.get("/sandbox").want(http.StatusOK).count("[data-person]", 9).count("[data-case]", 0).count(".alert--error", 0)
	for _, path := range []string{"/sandbox/orders", "/sandbox/switches/reset"} {
		admin.post(path, nil).want(http.StatusNotFound)
	}
	admin.post("/environment", url.Values{"env": {"production"}, "confirm": {"on"}}).want(http.StatusSeeOther)
	for _, path := range []string{"/sandbox/orders", "/sandbox/orders/forget", "/sandbox/switches", "/sandbox/switches/reset"} {
		admin.post(path, nil).want(http.StatusNotFound)
	}
}
