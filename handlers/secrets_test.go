package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/webhook"
)

// once reads the secret that a page shows this one time, and its name.
func (r *reply) once() (name, text string) {
	r.t.Helper()
	r.want(http.StatusOK).count("[data-once-secret]", 1)
	return r.doc().Find("[data-once-name]").Text(), r.doc().Find("[data-once-secret]").Text()
}

func TestSecretRotation(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss, "signature", "required").String()
	add := func(n int, overlap string) *reply {
		t.Helper()
		form := secretForm(webhook.KindSignature, "", fmt.Sprintf("the %d. secret, as it is", n), true)
		form.Set("overlap", overlap)
		return boss.post(page+"/secrets", form)
	}
	sends := 0
	send := func(n, want int) {
		t.Helper()
		sends++
		body := fmt.Sprintf(`{"send":%d}`, sends)
		c.deliver(body, "X-Signature", signed(fmt.Sprintf("the %d. secret, as it is", n), body)).want(want)
	}
	send(1, http.StatusUnauthorized) // required, and no secret yet: nothing passes
	add(1, "24h").to(page)
	add(2, "24h").to(page)
	add(3, "1h").to(page)
	for n := 1; n <= 3; n++ {
		send(n, http.StatusOK)
	}
	add(4, "24h").want(http.StatusUnprocessableEntity).count("#secret-text-error", 1)
	send(4, http.StatusUnauthorized)
	send(1, http.StatusOK) // a refused rotation ends nothing
	if got := one[string](c, `select string_agg(coalesce(round(extract(epoch from expires_at - clock_timestamp()) / 3600)::text, 'open'), ' ' order by id) from subscription_secrets`); got != "1 1 open" {
		t.Errorf("hours left: %s", got)
	}
	// At the end of its overlap a secret is good no more, and says so.
	c.exec(`update subscription_secrets set expires_at = clock_timestamp() where id = (select min(id) from subscription_secrets)`)
	send(1, http.StatusUnauthorized)
	if !strings.Contains(c.last("checks"), "verify.signature.retired") {
		t.Errorf("checks %s", c.last("checks"))
	}
	send(2, http.StatusOK)
	add(4, "").to(page) // what is not chosen is the careful choice
	for n, want := range map[int]int{2: http.StatusOK, 3: http.StatusOK, 4: http.StatusOK} {
		send(n, want)
	}
	add(5, "0h").to(page) // three are live, and all end at once
	for n, want := range map[int]int{2: http.StatusUnauthorized, 3: http.StatusUnauthorized, 4: http.StatusUnauthorized, 5: http.StatusOK} {
		send(n, want)
	}
	newest := one[string](c, `select uid from subscription_secrets order by id desc limit 1`)
	boss.post(page+"/secrets/"+newest+"/end", nil).to(page)
	send(5, http.StatusUnauthorized)
	boss.post(page+"/secrets/"+newest+"/end", nil).want(http.StatusNotFound)
	boss.post(page+"/secrets/x/end", nil).want(http.StatusNotFound)
	boss.post("/subscriptions/"+uuid.NewString()+"/secrets", secretForm(webhook.KindJWT, "", "x", true)).want(http.StatusNotFound)
	subject := strings.TrimPrefix(page, "/subscriptions/")
	if added, ended := c.acts(audit.HookSecretAdded, subject), c.acts(audit.HookSecretEnded, subject); added != 5 || ended != 1 {
		t.Errorf("%d added and %d ended on the trail", added, ended)
	}
	boss.get(page).want(http.StatusOK).lacks("secret, as it is")
	if strings.Contains(c.log.String(), "secret, as it is") {
		t.Error("a secret is in the log")
	}
	if n := one[int](c, `select count(*) from subscription_secrets where position('secret, as it is'::bytea in sealed) > 0`); n != 0 {
		t.Errorf("%d secrets in the clear", n)
	}
}

// A secret of a header gives way to the next of its name; another subscription's are its own.
func TestSecretOfAHeaderIsReplaced(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss, "headers", "on").String()
	c.deliver(`{}`).want(http.StatusUnauthorized) // asked for and none set: nothing passes
	boss.post(page+"/secrets", secretForm(webhook.KindHeader, "X-Lender", "the old value", true)).to(page)
	boss.post(page+"/secrets", secretForm(webhook.KindHeader, "X-LENDER", "the new value", true)).to(page)
	c.deliver(`{"n":1}`, "X-Lender", "the old value").want(http.StatusUnauthorized)
	c.deliver(`{"n":2}`, "X-Lender", "the new value").want(http.StatusOK)
	// Not asked for any more, its value is a credential still.
	boss.post(page, hookForm()).to(page)
	c.deliver(`{"n":3}`, "X-Lender", "the new value").want(http.StatusOK)
	c.sealed([]string{"X-Lender", "the new value"})
}

func TestSecretsAreShownOnce(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss, "standard", "on").String()
	for _, kind := range []webhook.SecretKind{webhook.KindSignature, webhook.KindJWT, webhook.KindStandard, webhook.KindHeader, webhook.KindClient} {
		form := secretForm(kind, "", "", false)
		if kind == webhook.KindHeader {
			form.Set("name", "X-Lender")
		}
		if kind == webhook.KindClient {
			form.Set("text", "typed for nothing") // both halves are made here
		}
		name, text := boss.post(page+"/secrets", form).once()
		if len(text) < 43 || (kind == webhook.KindClient) != strings.HasPrefix(name, "cotejo-") {
			t.Errorf("%s: %d characters under %q", kind, len(text), name)
		}
		boss.get(page).want(http.StatusOK).lacks(text).count("[data-once-secret]", 0).count(`[data-secrets="`+string(kind)+`"]`, 1)
		if strings.Contains(c.log.String(), text) {
			t.Errorf("%s: in the log", kind)
		}
		if kind == webhook.KindStandard {
			if strings.TrimPrefix(text, "whsec_") == text {
				t.Errorf("a secret of Standard Webhooks without its prefix: %d characters", len(text))
			}
		}
	}
}

func TestSecretsAreJudged(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss).String()
	for field, forms := range map[string][]url.Values{
		"kind": {secretForm("other", "", "x", true)},
		"name": {secretForm(webhook.KindHeader, "", "x", true), secretForm(webhook.KindHeader, "X Y", "x", true), secretForm(webhook.KindHeader, "Authorization", "x", true)},
		"text": {secretForm(webhook.KindSignature, "", "not base64 !", false), secretForm(webhook.KindSignature, "", " padded ", true),
			secretForm(webhook.KindStandard, "", "whpk_"+keyText, false), secretForm(webhook.KindJWT, "", strings.Repeat("x", 2000), true)},
	} {
		for _, form := range forms {
			r := boss.post(page+"/secrets", form).want(http.StatusUnprocessableEntity).count("#secret-"+field+"-error", 1)
			if text := form.Get("text"); len(text) > 3 {
				r.lacks(text)
			}
		}
	}
	if n := one[int](c, `select count(*) from subscription_secrets`); n != 0 {
		t.Errorf("%d secrets stored", n)
	}
}

// The vendor's own key is kept sealed, shown once, and not taken for a new one when the vendor repeats it.
func TestSecretOfTheVendor(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	boss := c.as(auth.Administrator)
	_, key := boss.post("/subscriptions", hookForm("signature", "optional")).once()
	uid := one[string](c, `select uid from subscriptions order by id desc limit 1`)
	page := "/subscriptions/" + uid
	boss.get(page).want(http.StatusOK).lacks(key)
	boss.post(page, hookForm("signature", "required")).to(page)
	boss.post(page+"/switch", url.Values{"active": {"off"}}).to(page)
	boss.post(page+"/mend", nil).to("/subscriptions")
	if got := one[string](c, `select concat_ws(' ', count(*), count(expires_at)) from subscription_secrets`); got != "1 0" {
		t.Errorf("secrets and their ends: %s", got)
	}
	c.silence()
	_, next := boss.post(page, hookForm("signature", "required")).once() // registered anew, with a new key
	if next == key || one[int](c, `select count(*) from subscription_secrets`) != 2 {
		t.Error("the new key is not kept beside the old one")
	}
}
