package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// withBuro starts a console with both dialects of the sandbox; c.conn is Buró's. Nothing is subscribed there yet.
func withBuro(t *testing.T) *console {
	t.Helper()
	c := withVendor(t)
	c.silence()
	// What runs at the start would find the connection and take its addresses by itself.
	c.await(`select exists (select from river_job where kind = $1 and state = 'completed')`, task.RefreshOutbound{}.Kind())
	var err error
	c.conn, err = c.SaveConnection(t.Context(), connection.Connection{Name: "Buró", Dialect: lookup.Buro, Environment: lookup.Sandbox,
		BaseURL: c.boxURL, CallsPerMinute: connection.MaxCallsPerMinute}, c.box.Credentials().BuroKey, audit.Actor{Name: "test"})
	c.must(err)
	return c
}

// buroForm is the form of a subscription at Buró.
func buroForm(pairs ...string) url.Values {
	v := hookForm(append([]string{"dialect", "buro", "name", "Avisos", "signature", "required"}, pairs...)...)
	v["events"] = []string{"verification.completed"}
	return v
}

// secrets are those that a page shows this one time, by kind.
func (r *reply) secrets() map[string]string {
	r.t.Helper()
	shown := map[string]string{}
	for _, n := range r.want(http.StatusOK).doc().Find("[data-once]").EachIter() {
		shown[n.AttrOr("data-once", "")] = n.Find("[data-once-secret]").Text()
	}
	return shown
}

// newest is the id of the subscription made last; its token becomes the one that deliver uses.
func (c *console) newest() (uid uuid.UUID, page string) {
	c.t.Helper()
	uid = one[uuid.UUID](c, `select uid from subscriptions order by id desc limit 1`)
	var err error
	c.token, err = c.TokenOf(c.t.Context(), uid)
	c.must(err)
	return uid, "/subscriptions/" + uid.String()
}

// verification has the sandbox look at a person, which ends in one delivery, and waits for it.
func (c *console) verification(curp string) {
	c.t.Helper()
	client, err := buro.New(buro.Options{BaseURL: c.boxURL, Environment: lookup.Sandbox, Key: c.box.Credentials().BuroKey})
	c.must(err)
	_, err = client.CreateConsent(c.t.Context(), curp, "203.0.113.7", "https://lender.example/privacy")
	c.must(err)
	v, err := client.CreateVerification(c.t.Context(), curp, uuid.NewString())
	c.must(err)
	c.await(`select exists (select 1 from deliveries where position($1::bytea in body) > 0 and (verdict = 'refused' or processed_at is not null))`, []byte(v.ID))
}

// Each way in which Buró shows who it is: told by its API, sealed, shown once, and right at the first delivery.
func TestBuroSubscriptionByForm(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]struct {
		form   []string
		kinds  []string // of secrets shown
		header string   // what a delivery carries beside its signature
	}{
		"signature":      {nil, []string{"signature"}, ""},
		"jwt":            {[]string{"jwt", "on"}, []string{"jwt", "signature"}, "authorization"},
		"custom headers": {[]string{"headers", "on"}, []string{"header", "signature"}, "x-cotejo-key"},
		"token endpoint": {[]string{"token", "on"}, []string{"client", "signature"}, "authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := withBuro(t)
			boss := c.as(auth.Administrator)
			r := boss.get("/subscriptions/new?dialect=buro").want(http.StatusOK).count(`input[name="events"][type="checkbox"]`, 0).count(`input[name="standard"]`, 0)
			r.count(`nav [href="/subscriptions/new?dialect=palenca"]`, 1)
			shown := boss.post("/subscriptions", buroForm(q.form...)).secrets()
			var kinds []string
			for kind, text := range shown {
				if kinds = append(kinds, kind); len(text) < 20 {
					t.Errorf("%s: %d characters", kind, len(text))
				}
			}
			if slices.Sort(kinds); !slices.Equal(kinds, q.kinds) {
				t.Fatalf("shown once: %v, want %v", kinds, q.kinds)
			}
			uid, page := c.newest()
			again := boss.get(page).want(http.StatusOK).count("[data-once]", 0)
			for kind, text := range shown {
				again.lacks(text)
				if strings.Contains(c.log.String(), text) || one[bool](c, `select exists (select 1 from subscription_secrets where position($1::bytea in sealed) > 0)`, []byte(text)) {
					t.Errorf("%s: logged or kept in the clear", kind)
				}
			}
			c.verification(alejandro)
			if got := c.last("concat_ws(' ', verdict, cause, action)"); got != "unmatched  verification.completed" {
				t.Errorf("the first delivery: %s, checks %s", got, c.last("checks"))
			}
			if headers := c.last("headers"); q.header != "" && !strings.Contains(headers, `["`+q.header+`"]`) || !strings.Contains(headers, `["x-signature"]`) {
				t.Errorf("headers %s: want %q and the signature, sealed", headers, q.header)
			}
			boss.get(page).count(`[data-verdict="unmatched"], .tally__n--unmatched`, 1)
			boss.post(page+"/test", nil).to(page)
			if got := c.last("concat_ws(' ', answered, action)"); !strings.HasPrefix(got, "200") {
				t.Errorf("the test event: %s, checks %s", got, c.last("checks"))
			}
			c.await(`select cause = 'test' from deliveries order by id desc limit 1`)

			// A change is no new registration, and makes nothing anew.
			id := one[string](c, `select vendor_id from subscriptions where uid = $1`, uid)
			boss.post(page, buroForm(append([]string{"name", "Otro nombre"}, q.form...)...)).to(page)
			want := []webhook.VendorHook{{ID: id, Name: "Otro nombre", URL: c.site.URL + "/hooks/" + c.token, Active: true, Sign: true}}
			if diff := cmp.Diff(want, c.hooks()); diff != "" {
				t.Errorf("at the vendor:\n%s", diff)
			}
			boss.post(page+"/delete", url.Values{"confirm": {"on"}}).to("/subscriptions")
			if len(c.hooks()) != 0 {
				t.Error("still at the vendor")
			}
		})
	}
}

// Whatever the vendor shows is replaced without a loss: it is told the new one, and the old one is good until its end.
func TestBuroSecretsAreRotated(t *testing.T) {
	t.Parallel()
	c := withBuro(t)
	boss := c.as(auth.Administrator)
	first := boss.post("/subscriptions", buroForm("headers", "on")).secrets()
	_, page := c.newest()
	rotate := secretForm(webhook.KindHeader, "X-Cotejo-Key", "", false)
	rotate.Set("overlap", "1h")
	second := boss.post(page+"/secrets", rotate).secrets()["header"]
	if second == "" || second == first["header"] {
		t.Fatal("no new value")
	}
	c.verification(alejandro)
	if got := c.last("verdict"); got != "unmatched" {
		t.Errorf("with the new value: %s, checks %s", got, c.last("checks"))
	}
	body := `{"event":"cotejo.test","verification_id":"v"}`
	key, err := webhook.DecodeSecret(first["signature"], false)
	c.must(err)
	send := func(value string, want int) {
		t.Helper()
		body += " "
		c.deliver(body, "X-Cotejo-Key", value, "X-Signature", signed(string(key), body)).want(want)
	}
	send(first["header"], http.StatusOK)
	send(second, http.StatusOK)
	c.exec(`update subscription_secrets set expires_at = clock_timestamp() where kind = 'header' and expires_at is not null`)
	send(first["header"], http.StatusUnauthorized)
	if !strings.Contains(c.last("checks"), "verify.header.retired") {
		t.Errorf("checks %s", c.last("checks"))
	}
	send(second, http.StatusOK)

	// The signature's key is the vendor's own: another subscription is made there and the first removed.
	before := c.hooks()[0].ID
	third := boss.post(page+"/renew", nil).secrets()["signature"]
	if after := c.hooks(); len(after) != 1 || after[0].ID == before || third == first["signature"] || third == "" {
		t.Errorf("renewed: %+v", after)
	}
	c.verification(eduardo)
	if got := c.last("verdict"); got != "unmatched" {
		t.Errorf("signed with the new key: %s, checks %s", got, c.last("checks"))
	}
	send(second, http.StatusOK) // the key before is good for a day
	if got := one[string](c, `select string_agg(coalesce(round(extract(epoch from expires_at - clock_timestamp()) / 3600)::text, 'open'), ' ' order by id) from subscription_secrets where kind = 'signature'`); got != "24 open" {
		t.Errorf("hours left: %s", got)
	}
	// Ended here, the vendor's value would be refused: it is told the next one at once, made anew when there is none.
	newest := one[string](c, `select uid from subscription_secrets where kind = 'header' order by id desc limit 1`)
	if made := boss.post(page+"/secrets/"+newest+"/end", nil).secrets()["header"]; made == "" || made == second {
		t.Error("no value in place of the one that ended")
	}
	c.verification("JITM910411HASMMR08")
	if got := c.last("verdict"); got != "unmatched" {
		t.Errorf("after the end of the value: %s, checks %s", got, c.last("checks"))
	}
}

// What the vendor has is compared with ours, for each dialect by itself.
func TestBuroIsCompared(t *testing.T) {
	t.Parallel()
	c := withBuro(t)
	boss := c.as(auth.Administrator)
	c.exec(`update subscriptions set deleted_at = now(), active = false`) // that of the fixture
	boss.post("/subscriptions", hookForm()).want(http.StatusSeeOther)     // and one at Palenca, which stays as it is
	boss.post("/subscriptions", buroForm()).want(http.StatusOK)
	uid, page := c.newest()
	expect := func(what string, want ...string) {
		t.Helper()
		var kinds []string
		for _, n := range boss.get("/subscriptions?compare").want(http.StatusOK).doc().Find("[data-difference]").EachIter() {
			kinds = append(kinds, n.AttrOr("data-difference", ""))
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("%s: differences %v, want %v", what, kinds, want)
		}
	}
	expect("at first")
	off := c.hooks()[0]
	off.Active = false
	_, _, err := c.desk().PutHook(t.Context(), c.conn, off)
	c.must(err)
	expect("switched off by the vendor", "inactive_there")
	boss.get("/subscriptions").count(`[data-vendor-off="`+uid.String()+`"]`, 1)
	boss.get(page).count(`[data-vendor-off="`+uid.String()+`"]`, 1)
	boss.post(page+"/mend", nil).to("/subscriptions")
	expect("switched on again")
	if got := c.hooks(); !got[0].Active {
		t.Errorf("mended, at the vendor: %+v", got)
	}
	c.silence()
	expect("gone", "missing_there")
	if key := boss.post(page+"/mend", nil).secrets()["signature"]; key == "" {
		t.Error("registered anew without its new key")
	}
	expect("registered anew")
	c.verification(alejandro)
	if got := c.last("verdict"); got != "unmatched" {
		t.Errorf("after it was mended: %s", got)
	}
	stray, _, err := c.desk().PutHook(t.Context(), c.conn, webhook.VendorHook{Name: "a stray", URL: "https://example.com/hook"})
	c.must(err)
	expect("a stray", "missing_here")
	// Of one account at the vendor that serves both environments, what the other one uses is left alone.
	c.exec(`insert into connections (name, dialect, environment, base_url, key_sealed, key_tail)
		select name, dialect, 'production', base_url, key_sealed, key_tail from connections where dialect = 'buro'`)
	c.exec(`insert into subscriptions (connection_id, environment, name, vendor_id, token_hash, token_sealed, token_tail)
		select c.id, c.environment, 'the other', $1, sha256('other'), s.token_sealed, s.token_tail
		  from connections c, subscriptions s where c.environment = 'production' and s.uid = $2`, stray, uid)
	expect("the other environment's")
	boss.post("/subscriptions/forget", url.Values{"vendor_id": {stray}, "dialect": {"buro"}}).want(http.StatusNotFound)
	c.exec(`update subscriptions set deleted_at = now(), active = false where environment = 'production'`)
	expect("a stray again", "missing_here")
	boss.post("/subscriptions/forget", url.Values{"vendor_id": {stray}, "dialect": {"buro"}}).to("/subscriptions")
	expect("forgotten")
	// One vendor that does not answer hides nothing of the other's.
	c.exec(`update connections set base_url = 'http://127.0.0.1:1' where dialect = 'palenca'`)
	c.silence()
	expect("one is silent", "missing_there")
	boss.get("/subscriptions?compare").has(spanish.T("subscriptions.flash.vendor_unreachable", "Name", "Palenca"))
}

// Where deliveries come from: asked of the vendor that says so, and enforced as the subscription wants.
func TestBuroAddresses(t *testing.T) {
	t.Parallel()
	c := withBuro(t)
	boss := c.as(auth.Administrator)
	shown := boss.post("/subscriptions", buroForm("addresses", "enforce")).secrets()
	_, page := c.newest()
	boss.get(page).want(http.StatusOK).count("[data-source]", 0)
	key, err := webhook.DecodeSecret(shown["signature"], false)
	c.must(err)
	sends := 0
	send := func(from string, want int) {
		t.Helper()
		sends++
		body := fmt.Sprintf(`{"event":"cotejo.test","verification_id":"v%d"}`, sends)
		c.deliver(body, "X-Signature", signed(string(key), body), "X-Forwarded-For", from).want(want)
	}
	send("127.0.0.1", http.StatusUnauthorized) // no list yet, and told to let nobody else in
	boss.post(page+"/addresses", nil).to(page)
	boss.get(page).want(http.StatusOK).count("[data-source]", 2).has("127.0.0.1", "::1")
	send("127.0.0.1", http.StatusOK)
	send("::1", http.StatusOK)
	send("203.0.113.9", http.StatusUnauthorized)
	if got := c.last("cause"); got != "address_unknown" {
		t.Errorf("cause %s", got)
	}
	boss.post(page, buroForm("addresses", "warn")).to(page)
	send("203.0.113.9", http.StatusOK)
	if !strings.Contains(c.last("checks"), `"warn"`) {
		t.Errorf("checks %s", c.last("checks"))
	}
	boss.post(page, buroForm()).to(page)
	send("203.0.113.9", http.StatusOK)
	if n := one[int](c, `select count(*) from audit_entries where action = $1`, audit.AddressesTaken); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
	// Palenca publishes none, and its page says so.
	other := "/subscriptions/" + one[string](c, `select s.uid from subscriptions s join connections n on n.id = s.connection_id where n.dialect = 'palenca'`)
	boss.get(other).want(http.StatusOK).has(spanish.T("hooks.sources.palenca")).count(`form[action="`+other+`/addresses"]`, 0)
	boss.post(other+"/addresses", nil).to(other)
	if n := one[int](c, `select count(*) from outbound_addresses`); n != 2 {
		t.Errorf("%d addresses stored", n)
	}
}

// Saving the connection registers a hook that demands the signature, with the vendor's key and addresses in place.
func TestBuroIsRegistered(t *testing.T) {
	t.Parallel()
	c := withBuro(t)
	for range 2 { // a second time changes nothing
		c.must(c.desk().Register(t.Context(), c.conn))
	}
	if got := c.hooks(); len(got) != 1 {
		t.Fatalf("at the vendor: %+v", got)
	}
	if got := one[string](c, `select concat_ws(' ', s.signature, count(x.id), (select count(*) from outbound_addresses where connection_id = s.connection_id))
  from subscriptions s left join subscription_secrets x on x.subscription_id = s.id where s.connection_id = $1 group by s.id`, c.conn.ID); got != "required 1 2" {
		t.Errorf("signature, secrets, addresses: %s", got)
	}
	c.verification(alejandro)
	if got := c.last("verdict"); got != "unmatched" {
		t.Errorf("the first delivery: %s, checks %s", got, c.last("checks"))
	}
	// A key that is not with us any more cannot be asked for again: the vendor makes another subscription.
	was := c.hooks()[0].ID
	c.exec(`delete from subscription_secrets`)
	c.must(c.desk().Register(t.Context(), c.conn))
	if got := c.hooks(); len(got) != 1 || got[0].ID == was {
		t.Errorf("registered anew: %+v", got)
	}
	c.verification(eduardo)
	if got := c.last("verdict"); got != "unmatched" {
		t.Errorf("with the new key: %s, checks %s", got, c.last("checks"))
	}
	boss := c.as(auth.Administrator)
	boss.post("/subscriptions", buroForm("jwt", "on", "headers", "on")).want(http.StatusUnprocessableEntity).count("#headers-error", 1)
}
