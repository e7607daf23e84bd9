package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

func TestConnectionForm(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	creds := c.box.Credentials()
	b := c.as(auth.Administrator)
	form := func(pairs ...string) url.Values {
		v := url.Values{"name": {"Palenca"}, "base_url": {c.boxURL + "/v1/"}, "key": {creds.APIKey}, "widget_id": {creds.WidgetID}, "calls_per_minute": {"100"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	b.get("/connection").want(http.StatusOK).lacks(creds.APIKey, c.token).has(creds.APIKey[len(creds.APIKey)-4:])
	for field, bad := range map[string]url.Values{
		"base_url":         form("base_url", "http://vendor.example/v1"),
		"key":              form("key", "public_0123"),
		"calls_per_minute": form("calls_per_minute", "121"),
		"name":             form("name", " "),
		"price":            form("price", "12,50"),
		"currency":         form("price", "1", "currency", "pesos"),
	} {
		r := b.post("/connection", bad).want(http.StatusUnprocessableEntity).count("#"+field+"-error", 1).lacks(creds.APIKey)
		if got, _ := r.doc().Find("input[name=" + field + "]").Attr("value"); field != "key" && got != strings.TrimSpace(bad.Get(field)) {
			t.Errorf("%s: typed %q, shown %q", field, bad.Get(field), got)
		}
	}
	b.post("/connection", form("key", "")).to("/connection") // an empty key keeps the one there is
	b.post("/connection/test", nil).want(http.StatusOK).count(`[data-test="ok"]`, 1).lacks(creds.APIKey)
	b.post("/connection", form("key", "private_wrong_key_0123456789")).to("/connection")
	b.post("/connection/test", nil).want(http.StatusOK).count(`[data-test="failed"]`, 1).has(spanish.T("admin.connection.test_unauthorized"))
	b.post("/connection", form("base_url", "http://127.0.0.1:1/v1")).to("/connection")
	b.post("/connection/test", nil).want(http.StatusOK).has(spanish.T("admin.connection.test_unreachable")).lacks("127.0.0.1:1:")
	if n := c.trail(audit.ConnectionTested, b.user); n != 3 {
		t.Errorf("%d tests on the trail, want 3", n)
	}
	if n := c.trail(audit.ConnectionEdited, b.user); n != 3 {
		t.Errorf("%d changes on the trail, want 3", n)
	}
}

// A price is one of the fields; whoever posts the form without it leaves it as it is.
func TestPriceForm(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	creds := c.box.Credentials()
	b := c.as(auth.Administrator)
	form := url.Values{"name": {"Palenca"}, "base_url": {c.boxURL + "/v1"}, "widget_id": {creds.WidgetID}, "calls_per_minute": {"100"}}
	form.Set("price", " 12.50 ")
	form.Set("currency", "usd")
	b.post("/connection", form).to("/connection")
	page := b.get("/connection").want(http.StatusOK).has("$12.50 USD")
	if got := page.attr("#price", "value") + " " + page.attr("#currency", "value"); got != "12.50 USD" {
		t.Errorf("kept as %s", got)
	}
	form.Del("price")
	form.Del("currency")
	b.post("/connection", form).to("/connection")
	b.get("/connection").has("$12.50 USD")
	form.Set("price", "")
	b.post("/connection", form).to("/connection")
	b.get("/connection").lacks("$12.50")
	if n := one[int](c, `select count(*) from audit_entries where action = 'connection.changed' and detail like '% price %'`); n != 2 {
		t.Errorf("%d changes of the price on the trail, want 2", n)
	}
}

// Each dialect has its own form, key, test and rule for addresses on the one page.
func TestConnectionOfBuro(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	creds := c.box.Credentials()
	b := c.as(auth.Administrator)
	form := func(pairs ...string) url.Values {
		v := url.Values{"dialect": {"buro"}, "name": {"Buró"}, "base_url": {c.boxURL}, "key": {creds.BuroKey}, "calls_per_minute": {"60"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	b.post("/connection/test", url.Values{"dialect": {"buro"}}).want(http.StatusNotFound)
	b.post("/connection/resume", url.Values{"dialect": {"buro"}}).want(http.StatusNotFound)
	b.post("/connection", form("dialect", "other")).want(http.StatusBadRequest)
	for _, bad := range []string{"https://api.burodeingresos.com", "https://api.palenca.com/v1"} {
		b.post("/connection", form("base_url", bad)).want(http.StatusUnprocessableEntity).count("#buro_base_url-error", 1).count("#base_url-error", 0).lacks(creds.BuroKey)
	}
	b.post("/connection", form()).to("/connection")
	b.get("/connection").want(http.StatusOK).lacks(creds.BuroKey).has(creds.BuroKey[len(creds.BuroKey)-4:]).count(`form[action^="/connection/test?"]`, 2)
	if n := one[int](c, `select count(*) from connections where dialect = 'buro' and widget_id = '' and calls_per_minute = 60 and not sandbox_header`); n != 1 {
		t.Errorf("%d connections of Buró", n)
	}
	if n := one[int](c, `select count(*) from connections where dialect = 'palenca' and widget_id <> ''`); n != 1 {
		t.Error("the other dialect's connection was changed")
	}
	tested := b.post("/connection/test", url.Values{"dialect": {"buro"}}).want(http.StatusOK)
	tested.count(`[data-test]`, 1).count(`#connection-buro [data-test="ok"]`, 1)
	buro := one[int64](c, `select id from connections where dialect = 'buro'`)
	c.must(c.PauseConnection(t.Context(), buro, "vendor_unauthorized", time.Now()))
	b.get("/connection").want(http.StatusOK).count(`[data-paused="buro"]`, 1).count(`[data-paused]`, 1)
	b.post("/connection/resume", url.Values{"dialect": {"buro"}}).to("/connection")
	if one[bool](c, `select paused_at is not null from connections where dialect = 'buro'`) {
		t.Error("still paused")
	}
	// The live host in the sandbox only with the header that is said to make a request a test.
	b.post("/connection", form("base_url", "https://gateway.example", "sandbox_header", "on")).to("/connection")
	if !one[bool](c, `select sandbox_header from connections where dialect = 'buro'`) {
		t.Error("the header was not stored")
	}
}

func TestFirstConnection(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Administrator)
	b.get("/connection").want(http.StatusOK)
	b.post("/connection/test", nil).want(http.StatusNotFound)
	b.post("/connection/resume", nil).want(http.StatusNotFound)
	form := url.Values{"name": {"Palenca"}, "base_url": {"http://127.0.0.1:1/v1"}, "widget_id": {""}, "calls_per_minute": {"10"}}
	b.post("/connection", form).want(http.StatusUnprocessableEntity).count("#key-error", 1)
	if n := one[int](c, `select count(*) from connections`); n != 0 {
		t.Errorf("%d connections of a refused form", n)
	}
}

func TestResumeConnection(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Administrator)
	c.must(c.PauseConnection(t.Context(), c.conn.ID, "vendor_unauthorized", time.Now()))
	if b.get("/").doc().Find(`form[action^="/connection/resume?"], a[href="/connection"]`).Length() == 0 {
		t.Error("the banner of a paused connection leads nowhere")
	}
	b.post("/connection/resume", nil).to("/connection")
	if one[bool](c, `select paused_at is not null from connections`) {
		t.Error("still paused")
	}
	if n := c.trail(audit.ConnectionResumed, b.user); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
}

// Going live takes a tick, with or without script.
func TestGoingLiveAsks(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Administrator)
	b.post("/environment", url.Values{"env": {"production"}}).want(http.StatusSeeOther)
	if got := one[string](c, `select environment from console`); got != "sandbox" {
		t.Error("live without being asked")
	}
	b.post("/environment", url.Values{"env": {"production"}, "confirm": {"on"}}).to("/connection")
	if got := one[string](c, `select environment from console`); got != "production" {
		t.Errorf("environment %s", got)
	}
	if n := c.trail(audit.EnvironmentSet, b.user); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
}
