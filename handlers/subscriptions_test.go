package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

// hookForm is the form of a subscription that asks for nothing but its address.
func hookForm(pairs ...string) url.Values {
	v := url.Values{"name": {"Palenca dos"}, "events": palenca.LoginEvents, "signature": {"off"}, "signature_header": {"X-Signature"},
		"signature_encoding": {"base64"}, "addresses": {"off"}, "window": {"20"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// hooks is what the sandbox has registered.
func (c *console) hooks() []webhook.VendorHook {
	c.t.Helper()
	list, err := c.desk().Hooks(c.t.Context(), c.conn)
	c.must(err)
	return list
}

// silence takes every subscription away from the sandbox, so that what arrives is what the test sends.
func (c *console) silence() {
	c.t.Helper()
	for _, h := range c.hooks() {
		c.must(c.desk().DropHook(c.t.Context(), c.conn, h.ID))
	}
}

// subscribe adds a subscription by form and gives its id; its token becomes the one that deliver uses.
func (c *console) subscribe(boss *browser, pairs ...string) uuid.UUID {
	c.t.Helper()
	boss.post("/subscriptions", hookForm(pairs...))
	uid := one[uuid.UUID](c, `select uid from subscriptions order by id desc limit 1`)
	var err error
	c.token, err = c.TokenOf(c.t.Context(), uid)
	c.must(err)
	return uid
}

// acts counts what a user did to a subject.
func (c *console) acts(action audit.Action, subject string) int {
	c.t.Helper()
	return one[int](c, `select count(*) from audit_entries where action = $1 and subject = $2`, action, subject)
}

func TestSubscriptionIsRegistered(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	c.silence()
	boss := c.as(auth.Administrator)
	boss.get("/subscriptions/new").want(http.StatusOK).count(`form[action^="/subscriptions?"]`, 1)
	form := hookForm("name", "Solo éxitos")
	form["events"] = []string{"login.success"}
	r := boss.post("/subscriptions", form)
	uid := one[uuid.UUID](c, `select uid from subscriptions where name = 'Solo éxitos'`)
	page := "/subscriptions/" + uid.String()
	r.to(page)
	token, err := c.TokenOf(t.Context(), uid)
	c.must(err)
	if len(token) != 43 || one[bool](c, `select position($1::bytea in token_sealed) > 0 from subscriptions where uid = $2`, []byte(token), uid) {
		t.Error("the address is guessable or stored in the clear")
	}
	want := []webhook.VendorHook{{ID: one[string](c, `select vendor_id from subscriptions where uid = $1`, uid), Name: "Solo éxitos", URL: c.site.URL + "/hooks/" + token, Active: true}}
	if diff := cmp.Diff(want, c.hooks()); diff != "" {
		t.Error(diff)
	}
	boss.get(page).want(http.StatusOK).lacks(token).has(token[len(token)-4:])

	// A change sends the list of events, too: without it the vendor would widen the subscription to everything.
	form.Set("name", "Solo buenas nuevas")
	boss.post(page, form).to(page)
	if got := c.hooks(); len(got) != 1 || got[0].Name != "Solo buenas nuevas" {
		t.Errorf("at the vendor: %+v", got)
	}
	lookup, _ := c.request(alejandro)
	c.await(`select status = 'success' from lookups where uid = $1`, lookup)
	if got := one[[]string](c, `select array_agg(distinct action) from deliveries`); !slices.Equal(got, []string{"login.success"}) {
		t.Errorf("events that came: %v", got)
	}

	boss.post(page+"/switch", url.Values{"active": {"off"}}).to(page)
	if got := c.hooks(); got[0].Active || one[bool](c, `select active from subscriptions where uid = $1`, uid) {
		t.Errorf("switched off, at the vendor: %+v", got)
	}
	boss.post(page+"/switch", url.Values{"active": {"on"}}).to(page)
	if got := c.hooks(); !got[0].Active {
		t.Errorf("switched on, at the vendor: %+v", got)
	}
	boss.post(page+"/address", nil).want(http.StatusOK).has(c.site.URL + "/hooks/" + token)
	boss.get(page).lacks(token)

	boss.post(page+"/delete", nil).to(page) // without the box ticked
	if len(c.hooks()) != 1 {
		t.Error("deleted without being sure")
	}
	boss.post(page+"/delete", url.Values{"confirm": {"on"}}).to("/subscriptions")
	if len(c.hooks()) != 0 {
		t.Error("still at the vendor")
	}
	boss.get(page).want(http.StatusNotFound)
	c.stranger().do(http.MethodPost, "/hooks/"+token, strings.NewReader("{}")).want(http.StatusNotFound)
	boss.get("/deliveries").want(http.StatusOK).count(`[data-delivery]`, 1)
	for action, n := range map[audit.Action]int{audit.HookAdded: 1, audit.HookChanged: 1, audit.HookSwitched: 2, audit.HookAddressShown: 1, audit.HookDeleted: 1} {
		if got := c.acts(action, uid.String()); got != n {
			t.Errorf("%s: %d entries, want %d", action, got, n)
		}
	}
	if strings.Contains(c.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestSubscriptionFormIsJudged(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	for field, form := range map[string]url.Values{
		"name": hookForm("name", " "), "signature": hookForm("signature", "maybe"), "signature_header": hookForm("signature_header", "X Y"),
		"signature_encoding": hookForm("signature_encoding", "rot13"), "addresses": hookForm("addresses", "?"), "window": hookForm("window", "0"),
		"jwt": hookForm("jwt", "on", "token", "on"), "events": func() url.Values { v := hookForm(); v.Del("events"); return v }(),
	} {
		boss.post("/subscriptions", form).want(http.StatusUnprocessableEntity).count("#"+field+"-error", 1)
	}
	if n := one[int](c, `select count(*) from subscriptions`); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
	// The vendor does not answer: ours is there, says so, and can be announced later.
	r := boss.post("/subscriptions", hookForm())
	uid := one[string](c, `select uid from subscriptions order by id desc limit 1`)
	r.to("/subscriptions/" + uid)
	boss.get("/subscriptions/"+uid).want(http.StatusOK).count("[data-unregistered]", 1)
	boss.get("/subscriptions?compare").want(http.StatusOK).count("[data-difference]", 0)
}

func TestSubscriptionsAreCompared(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	c.silence()
	c.exec(`update subscriptions set deleted_at = now(), active = false`) // that of the fixture
	boss := c.as(auth.Administrator)
	uid := c.subscribe(boss)
	page := "/subscriptions/" + uid.String()
	differences := func() (kinds []string) {
		t.Helper()
		doc := boss.get("/subscriptions?compare").want(http.StatusOK).doc()
		for _, n := range doc.Find("[data-difference]").EachIter() {
			kinds = append(kinds, n.AttrOr("data-difference", ""))
		}
		return kinds
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if got := differences(); !slices.Equal(got, want) {
			t.Errorf("%s: differences %v, want %v", what, got, want)
		}
	}
	put := func(h webhook.VendorHook) string {
		t.Helper()
		h.Events = palenca.LoginEvents
		id, _, err := c.desk().PutHook(t.Context(), c.conn, h)
		c.must(err)
		return id
	}
	mend := func(what string) {
		t.Helper()
		boss.post(page+"/mend", nil).to("/subscriptions")
		expect(what + " mended")
		if got := c.hooks(); len(got) != 1 || !got[0].Active || got[0].URL != c.site.URL+"/hooks/"+c.token {
			t.Errorf("%s mended, at the vendor: %+v", what, got)
		}
	}
	expect("at first")
	there := c.hooks()[0]

	off := there
	off.Active = false
	put(off)
	expect("switched off by the vendor", "inactive_there")
	boss.get("/subscriptions").count(`[data-vendor-off="`+uid.String()+`"]`, 1)
	mend("inactive")
	boss.get("/subscriptions").count(`[data-vendor-off]`, 0)

	other := there
	other.URL = c.site.URL + "/hooks/elsewhere"
	put(other)
	expect("another address", "other_url")
	mend("address")

	c.silence()
	expect("gone", "missing_there")
	mend("gone")

	// One that was made by a call whose answer got lost is found again, not made a second time.
	c.exec(`update subscriptions set vendor_id = $1 where uid = $2`, uuid.NewString(), uid)
	expect("its id unknown", "missing_there", "missing_here")
	mend("id")

	stray := put(webhook.VendorHook{Name: "a stray", URL: "https://example.com/hook", Active: true})
	expect("a stray", "missing_here")
	boss.post("/subscriptions/forget", url.Values{"vendor_id": {one[string](c, `select vendor_id from subscriptions where uid = $1`, uid)}}).want(http.StatusNotFound)
	boss.post("/subscriptions/forget", url.Values{"vendor_id": {stray}}).to("/subscriptions")
	expect("forgotten")
	if c.acts(audit.HookDeleted, stray) != 1 || c.acts(audit.HookChanged, uid.String()) != 4 {
		t.Errorf("trail: %d forgotten, %d mended", c.acts(audit.HookDeleted, stray), c.acts(audit.HookChanged, uid.String()))
	}

	// Lost at the vendor while it is off here: made again, and off there as well.
	boss.post(page+"/switch", url.Values{"active": {"off"}}).to(page)
	c.silence()
	boss.post(page+"/mend", nil).to("/subscriptions")
	if got := c.hooks(); len(got) != 1 || got[0].Active {
		t.Errorf("made again: %+v", got)
	}
	expect("off on both sides")
}
