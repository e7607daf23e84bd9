package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

const orderGata = `{"identifier":"` + gata + `","country":"mx","platform":"imss"}`

func TestFailNext(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Delay: time.Hour})
	for _, c := range []struct {
		fault string
		want  []int // 0 = the connection is cut
		code  string
		made  int // accounts there are afterwards
	}{
		{`{"status":503,"times":2,"route":"POST /v1/users/accounts"}`, []int{503, 503, 200}, "service_unavailable", 1},
		{`{"status":429,"route":"POST /v1/users"}`, []int{429, 200}, "too_many_requests", 2},
		{`{"status":403,"code":"access_forbidden"}`, []int{403, 200}, "access_forbidden", 3},
		{`{"status":500,"after":true}`, []int{500}, "service_unavailable", 4},
		{`{"mode":"cut","after":true}`, []int{0}, "", 5},
		{`{"mode":"cut","times":2}`, []int{0, 0, 200}, "", 6},
		{`{"status":200,"body":{"surprise":true}}`, []int{200}, "", 6},
		{`{"status":500,"route":"GET /v1/logins"}`, []int{200}, "", 7},
	} {
		b.set(`{"fail_next":` + c.fault + `}`)
		for i, want := range c.want {
			// http.Client repeats some broken calls by itself, but never a POST with a body.
			r, err := b.try("POST", "/v1/users/accounts", orderGata)
			if (err != nil) != (want == 0) || r.status != want {
				t.Errorf("%s, call %d: %d %v", c.fault, i, r.status, err)
			}
			if i == 0 && c.code != "" && !strings.Contains(r.text, `"code":"`+c.code+`"`) {
				t.Errorf("%s: %s", c.fault, r.text)
			}
		}
		b.set(`{"fail_next":null}`)
		var got struct{ Accounts []accountJSON }
		b.do("GET", "/v1/accounts?gov_id="+gata, "").data(t, &got)
		if len(got.Accounts) != c.made {
			t.Errorf("%s: %d accounts, want %d", c.fault, len(got.Accounts), c.made)
		}
	}
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	b.set(`{"fail_next":{"mode":"hang"}}`)
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", b.http.URL+"/v1/users/accounts", strings.NewReader(orderGata))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", b.creds.APIKey)
	failed := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
		}
		failed <- err
	}()
	b.await(1, "ordered fault", "mode=hang")
	leave()
	if err := <-failed; err == nil {
		t.Error("answered")
	}
	b.await(1, "sandbox call", "/v1/users/accounts", "status=0") // it noticed that the client left
	if r := b.do("POST", "/v1/users/accounts", orderGata); r.status != 200 {
		t.Errorf("next call: %d", r.status)
	}
}

func TestRecentLoginAndDailyLimit(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	b.create(gata)
	b.await(1, "login ended")
	b.create(gata) // off by default: a second account
	b.await(1, "login ended")
	b.set(`{"recent_login_412":true}`)
	if r := b.do("POST", "/v1/users/accounts", orderGata); r.status != 412 || !strings.Contains(r.text, "recent_login_successful") {
		t.Errorf("%d %s", r.status, r.text)
	}
	if r := b.do("POST", "/v1/users/accounts", strings.Replace(orderGata, "imss", "issste", 1)); r.status != 200 {
		t.Errorf("another platform: %d", r.status)
	}
	c.forward(12 * time.Hour)
	b.create(gata)
	b.await(2, "login ended")
	b.set(`{"recent_login_412":false,"daily_limit":2}`)
	for i, want := range []int{200, 200, 429} {
		if r := b.do("POST", "/v1/users/accounts", orderGata); r.status != want {
			t.Errorf("creation %d: %d", i, r.status)
		}
	}
	c.forward(24 * time.Hour)
	b.create(gata)
}

func TestDropDuplicateAndDelay(t *testing.T) {
	t.Parallel()
	c := newClock()
	b, r := open(t, Config{Now: c.now}), receive(t, nil)
	b.subscribe(r.URL, "")

	b.set(`{"drop_webhooks":1}`)
	b.create(gata)
	if got := r.next(t).event.Data.WebhookAction; got != "login.success" {
		t.Errorf("first to come is %s", got)
	}
	if d := b.deliveries()[0]; d.State != dropped || d.Action != "login.created" || len(d.Attempts) != 0 {
		t.Errorf("%+v", d)
	}

	b.set(`{"duplicate_webhooks":true}`)
	b.create(gata)
	count := map[string]int{}
	for range 4 {
		count[r.next(t).body]++
	}
	for body, n := range count {
		if n != 2 {
			t.Errorf("%d times %s", n, body)
		}
	}

	b.set(`{"duplicate_webhooks":false,"event_delay":{"login.created":"40s"}}`)
	b.create(gata)
	if got := r.next(t).event.Data.WebhookAction; got != "login.success" {
		t.Errorf("first to come is %s", got)
	}
	b.ahead(c, 40*time.Second)
	if got := r.next(t).event.Data.WebhookAction; got != "login.created" {
		t.Errorf("late one is %s", got)
	}
}

func TestNoExternalID(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{Delay: time.Hour}), receive(t, nil)
	b.subscribe(r.URL, "")
	for how, want := range map[string]string{"": `"external_id":"None",`, "null": `"external_id":null,`, "empty": `"external_id":"",`, "missing": ""} {
		b.set(`{"no_external_id":"` + how + `"}`)
		b.create(gata)
		body := r.next(t).body
		if want != "" && !strings.Contains(body, want) || want == "" && strings.Contains(body, "external_id") {
			t.Errorf("%q: %s", how, body)
		}
	}
	b.do("POST", "/v1/users/accounts", strings.Replace(orderGata, "{", `{"external_id":"A-1",`, 1))
	if body := r.next(t).body; !strings.Contains(body, `"external_id":"A-1"`) {
		t.Error(body)
	}
}

func TestWithoutSalaries(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	made := b.create(gata)
	b.await(1, "login ended")
	b.set(`{"without_salaries":true}`)
	got := b.do("GET", "/v1/accounts/"+made.AccountID+"/employment", "").text
	if strings.Contains(got, "salary") || strings.Contains(got, "employment_events") || !strings.Contains(got, "employer_registration") {
		t.Error(got)
	}
}

func TestEventByHand(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{Delay: time.Hour}), receive(t, nil)
	b.subscribe(r.URL, "")
	made := b.create(gata)
	r.next(t)
	path := "/_sandbox/accounts/" + made.AccountID + "/events"
	if got := b.do("POST", path, `{"action":"login.retry","status_details":"failed_refresh"}`).text; got != `{"deliveries":1}` {
		t.Error(got)
	}
	e := r.next(t).event.Data
	if e.WebhookAction != "login.retry" || *e.StatusDetails != "failed_refresh" {
		t.Errorf("%+v", e)
	}
	var a accountJSON
	b.do("GET", "/v1/accounts/"+made.AccountID, "").data(t, &a)
	if a.Status != "pending" {
		t.Errorf("an event by hand changed the status to %s", a.Status)
	}
	b.do("POST", path, `{"action":"login.error","status_details":"captcha_required","apply":true}`)
	r.next(t)
	b.do("GET", "/v1/accounts/"+made.AccountID, "").data(t, &a)
	if a.Status != "error" || *a.StatusDetails != "captcha_required" {
		t.Errorf("applied: %+v", a)
	}
	for body, want := range map[string]int{`{}`: 422, `{"action":"user.created","apply":true}`: 422, `{"action":"x","apply":"yes"}`: 422} {
		if got := b.do("POST", path, body).status; got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	if got := b.do("POST", "/_sandbox/accounts/none/events", `{"action":"x"}`).status; got != 404 {
		t.Errorf("unknown account: %d", got)
	}
}

func TestSettingsAreKeptCheckedAndReset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, Config{Dir: dir, Delay: time.Hour, Rate: 5000})
	b.set(`{"delay":"0s","drop_webhooks":3}`)
	b.set(`{"rate":0,"event_delay":{"login.error":"5s"}}`)
	for _, bad := range []string{`{"dely":"1s"}`, `{"delay":"soon"}`, `{"delay":"-1s"}`, `{"rate":-1}`, `{"fail_next":{"status":99}}`,
		`{"fail_next":{"mode":"explode"}}`, `{"no_external_id":"nil"}`, `{"fail_next":{"status":500,"times":-1}}`, `[]`, ``} {
		if r := b.do("POST", "/_sandbox/settings", bad); r.status != 422 {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
	b.stop()
	b = open(t, Config{Dir: dir, Delay: time.Hour, Rate: 5000})
	type view struct {
		Switches switches
		InEffect struct {
			Delay span
			Rate  int
		} `json:"in_effect"`
	}
	var v view
	if err := json.Unmarshal([]byte(b.do("GET", "/_sandbox/settings", "").text), &v); err != nil {
		t.Fatal(err)
	}
	if v.InEffect.Delay != 0 || v.InEffect.Rate != 0 || v.Switches.DropWebhooks != 3 || v.Switches.EventDelay["login.error"] != span(5*time.Second) {
		t.Errorf("after a restart: %+v", v)
	}
	v = view{}
	if err := json.Unmarshal([]byte(b.do("DELETE", "/_sandbox/settings", "").text), &v); err != nil {
		t.Fatal(err)
	}
	if v.InEffect.Delay != span(time.Hour) || v.InEffect.Rate != 5000 || v.Switches.DropWebhooks != 0 {
		t.Errorf("after a reset: %+v", v)
	}
}

func TestPeopleAndKeys(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	var got struct {
		People []struct {
			CURP, Event   string
			StatusDetails *string `json:"status_details"`
			Employment    bool
		}
	}
	if err := json.Unmarshal([]byte(b.do("GET", "/_sandbox/people", "").text), &got); err != nil || len(got.People) != 9 {
		t.Fatalf("%v %+v", err, got)
	}
	if p := got.People[0]; p.CURP != gata || p.Event != "login.success" || p.StatusDetails != nil || !p.Employment {
		t.Errorf("%+v", p)
	}
	if p := got.People[5]; p.Event != "login.incomplete" || *p.StatusDetails != "curp_has_inconsistencies" || p.Employment {
		t.Errorf("%+v", p)
	}
	for _, path := range []string{"/_sandbox/people", "/_sandbox/settings", "/_sandbox/deliveries"} {
		if r := b.do("GET", path, "", "x-api-key", "private_wrong"); r.status != 401 {
			t.Errorf("%s without the key: %d", path, r.status)
		}
	}
	if r := b.do("GET", "/_sandbox/", "", "x-api-key", ""); r.status != 200 || !strings.Contains(r.text, `"cotejo_sandbox":true`) {
		t.Errorf("card: %d %s", r.status, r.text)
	}
}
