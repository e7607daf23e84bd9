package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, Delay: time.Hour})
	var ids []string
	for _, external := range []string{`"a"`, `"b"`, `null`} {
		var u userJSON
		r := b.do("POST", "/v1/users", `{"external_id":`+external+`,"unknown":{"field":1}}`)
		r.data(t, &u)
		if r.status != 201 || (u.ExternalID == nil) != (external == "null") {
			t.Errorf("%d %s", r.status, r.text)
		}
		ids = append(ids, u.UserID)
		c.forward(24 * time.Hour)
	}
	search := func(body string) (got []string, p pagination) {
		t.Helper()
		r := b.do("POST", "/v1/users/search", body)
		var found struct{ Users []userJSON }
		r.data(t, &found)
		for _, u := range found.Users {
			got = append(got, u.UserID)
		}
		var e envelope
		_ = json.Unmarshal([]byte(r.text), &e)
		return got, *e.Pagination
	}
	first, day2 := "2026-11-20", "2026-11-21"
	for body, want := range map[string][]string{
		`{}`:                     {ids[2], ids[1], ids[0]},
		`{"external_id":"b"}`:    {ids[1]},
		`{"external_id":"none"}`: nil,
		`{"start_date":"` + first + `","end_date":"` + day2 + `"}`:                                  {ids[1], ids[0]},
		`{"start_date":"` + day2 + `","end_date":"` + first + `"}`:                                  {ids[1], ids[0]}, // the other page's order
		`{"start_date":"2026-11-21T12:00:00Z","end_date":"2026-12-01"}`:                             {ids[2], ids[1]},
		`{"start_date":"2026-11-21T12:00:00.000001","end_date":"2026-11-22T12:00:00.000000+00:00"}`: {ids[2]},
		`{"options":{"items_per_page":2,"page":2}}`:                                                 {ids[0]},
		`{"options":{"items_per_page":2,"page":9}}`:                                                 nil,
	} {
		if got, _ := search(body); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	if _, p := search(`{"options":{"items_per_page":2}}`); p != (pagination{1, 2, 3, 2}) {
		t.Errorf("%+v", p)
	}

	var made createdJSON
	b.do("POST", "/v1/users/"+ids[0]+"/accounts", orderGata).data(t, &made)
	b.do("POST", "/v1/accounts", strings.Replace(orderGata, "{", `{"user_id":"`+ids[0]+`",`, 1)).data(t, &made)
	var mine struct {
		UserID   string `json:"user_id"`
		Accounts []accountJSON
	}
	b.do("GET", "/v1/users/"+ids[0]+"/accounts", "").data(t, &mine)
	if made.UserID != ids[0] || mine.UserID != ids[0] || len(mine.Accounts) != 2 || mine.Accounts[1].AccountID != made.AccountID {
		t.Errorf("%+v", mine)
	}
	if r := b.do("DELETE", "/v1/accounts/"+made.AccountID, ""); r.status != 200 {
		t.Errorf("delete: %d", r.status)
	}
	b.do("GET", "/v1/users/"+ids[0]+"/accounts", "").data(t, &mine)
	if len(mine.Accounts) != 1 {
		t.Errorf("%d accounts left", len(mine.Accounts))
	}
	b.do("POST", "/v1/users/accounts", orderGata, "x-source", "console").data(t, &made)
	var l loginJSON
	if b.do("GET", "/v1/accounts/"+made.AccountID+"/last-login", "").data(t, &l); l.Source != "console" {
		t.Errorf("source %s", l.Source)
	}
	var known userJSON
	b.do("POST", "/v1/users", `{"user_id":"`+ids[1]+`"}`).data(t, &known)
	if known.ExternalID == nil || *known.ExternalID != "b" {
		t.Errorf("a known user_id: %+v", known)
	}
}

func TestAccountAndItsLogins(t *testing.T) {
	t.Parallel()
	c := newClock()
	b, r := open(t, Config{Now: c.now, Delay: time.Minute}), receive(t, nil)
	b.subscribe(r.URL, "")
	made := b.create(gata)
	path := "/v1/accounts/" + made.AccountID
	golden(t, "account_pending.json", b.do("GET", path, "", "accept-language", "es-MX").text, made.AccountID, "ACCOUNT")
	if got := b.do("GET", path+"/profile", "").status; got != http.StatusNotFound {
		t.Errorf("profile before the end: %d", got)
	}
	r.next(t)
	b.await(1, "webhook attempt")
	b.ahead(c, time.Minute)
	r.next(t)
	golden(t, "account_success.json", b.do("GET", path+"?add_user_id=true", "").text, made.AccountID, "ACCOUNT", made.UserID, "USER")

	// A second login, and a third call while it is under way, which opens none.
	for range 2 {
		var a accountJSON
		b.do("POST", path+"/refresh", "").data(t, &a)
		if a.Status != "pending" || a.LastSuccess == nil {
			t.Errorf("during a refresh: %+v", a)
		}
	}
	if got := b.do("GET", path+"/employment", "").status; got != 200 {
		t.Errorf("employment during a refresh: %d", got)
	}
	r.next(t)
	b.await(1, "webhook attempt")
	b.ahead(c, time.Minute)
	r.next(t)
	b.do("POST", path+"/retry", "")
	r.next(t)
	var list struct{ Logins []loginJSON }
	b.do("GET", path+"/logins", "").data(t, &list)
	var got []string
	for _, l := range list.Logins {
		got = append(got, l.Source+" "+l.Status)
	}
	if want := []string{"platform_retry pending", "refresh success", "api success"}; !slices.Equal(got, want) {
		t.Errorf("logins %v", got)
	}
	var last, first loginJSON
	b.do("GET", path+"/last-login", "").data(t, &last)
	b.do("GET", "/v1/logins/"+list.Logins[2].ID, "").data(t, &first)
	if last.ID != list.Logins[0].ID || first.AuthenticatedAt == nil || first.AccountID != made.AccountID {
		t.Errorf("%+v %+v", last, first)
	}
	for route, want := range map[string]string{path + "/resend-webhook": "login.created", "/v1/logins/" + first.ID + "/send-webhook": "login.success"} {
		if res := b.do("POST", route, ""); res.status != 200 {
			t.Errorf("%s: %d", route, res.status)
		}
		if e := r.next(t).event.Data; e.WebhookAction != want {
			t.Errorf("%s sent %s", route, e.WebhookAction)
		}
	}
	var found accountJSON
	b.do("GET", "/v1/accounts/find-by-identifier?identifier="+gata+"&platform=imss", "").data(t, &found)
	if found.AccountID != made.AccountID {
		t.Errorf("%+v", found)
	}
	if res := b.do("GET", "/v1/accounts/find-by-identifier?identifier="+gata+"&platform=issste", ""); res.status != 404 {
		t.Errorf("another platform: %d", res.status)
	}
}

func TestWebhookCRUDAndThePutTrap(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Delay: time.Hour})
	res := b.do("POST", "/v1/webhooks", `{"url":"http://127.0.0.1:1/h","name":"n","is_sandbox":true,"widget_id":"`+b.creds.WidgetID+`","events":["login.success"]}`)
	var h webhookJSON
	res.data(t, &h)
	golden(t, "webhook_created.json", res.text, h.WebhookID, "WEBHOOK", b.creds.WidgetID, "WIDGET")
	if res.status != 201 || strings.Contains(res.text, "events") {
		t.Errorf("%d %s", res.status, res.text)
	}
	events := func() []string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.st.webhooks.get(h.WebhookID).Events
	}
	path := "/v1/webhooks/" + h.WebhookID
	b.do("PUT", path, `{"name":"m","events":["login.error"]}`).data(t, &h)
	if got := events(); !slices.Equal(got, []string{"login.error"}) || h.Name != "m" || h.URL != "http://127.0.0.1:1/h" {
		t.Errorf("%v %+v", got, h)
	}
	b.do("PUT", path, `{"name":"o"}`)
	if got := events(); !slices.Equal(got, []string{"*"}) {
		t.Errorf("a PUT without events left %v", got)
	}
	b.do("PUT", path, `{"sign_request":true,"is_active":false,"events":[]}`).data(t, &h)
	if !h.SignRequest || h.PrivateKey == nil || h.IsActive {
		t.Errorf("%+v", h)
	}
	b.do("GET", path, "").data(t, &h)
	if h.PrivateKey != nil {
		t.Error("GET shows the key")
	}
	if r := b.do("DELETE", path, ""); r.status != 200 {
		t.Errorf("delete: %d", r.status)
	}
	var list struct{ Webhooks []webhookJSON }
	if b.do("GET", "/v1/webhooks", "").data(t, &list); len(list.Webhooks) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	var list struct{ Widgets []widgetJSON }
	b.do("GET", "/v1/widgets", "").data(t, &list)
	if len(list.Widgets) != 1 || list.Widgets[0].ID != b.creds.WidgetID || !list.Widgets[0].IsSandbox {
		t.Errorf("%+v", list)
	}
	var one widgetJSON
	if b.do("GET", "/v1/widgets/"+b.creds.WidgetID, "").data(t, &one); one.Name == "" {
		t.Errorf("%+v", one)
	}
	for query, want := range map[string]int{"": 2, "?country=mx&category=government": 2, "?country=co": 0, "?category=gig": 0} {
		var got struct{ Platforms []map[string]string }
		if b.do("GET", "/v1/platforms/status"+query, "").data(t, &got); len(got.Platforms) != want {
			t.Errorf("%s: %+v", query, got)
		}
	}
}
