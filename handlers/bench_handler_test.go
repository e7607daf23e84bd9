package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/webhook"
)

// findings are the reasons that the bench gives.
func (r *reply) findings() (ids []string) {
	r.t.Helper()
	for _, n := range r.want(http.StatusOK).doc().Find("[data-finding]").EachIter() {
		ids = append(ids, n.AttrOr("data-finding", ""))
	}
	return ids
}

func (r *reply) finds(reason string) *reply {
	r.t.Helper()
	if ids := r.findings(); !slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, reason) }) {
		r.t.Errorf("%s: found %v, want %s", r.what, ids, reason)
	}
	return r
}

func (r *reply) outcome(want string) *reply {
	r.t.Helper()
	if got := r.attr("[data-outcome]", "data-outcome"); got != want {
		r.t.Errorf("%s: %s, want %s", r.what, got, want)
	}
	return r
}

func TestBenchOfAStoredDelivery(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	uid := c.subscribe(boss, "signature", "required").String()
	page := "/subscriptions/" + uid
	boss.post(page+"/secrets", secretForm(webhook.KindSignature, "", keyText, false)).to(page)
	body := `{"data":{"account_id":"a","identifier":"` + alejandro + `","webhook_action":"login.created"}}`
	wrong := signed(otherKey, body)
	c.deliver(body, "X-Signature", wrong).want(http.StatusUnauthorized)
	id := c.last("uid")
	r := boss.get("/bench?delivery="+id).outcome("refused").lacks(wrong, keyText, keyBytes, alejandro)
	r.count(`[data-check="signature"][data-result="fail"]`, 1).count(`input[name="delivery"][value="`+id+`"]`, 1)
	if len(r.findings()) == 0 {
		t.Error("nothing found out")
	}
	// With the sender's own secret typed in, the bench says that it is that one.
	typed := url.Values{"delivery": {id}, "secret": {otherText}, "subscription": {uid}}
	r = boss.post("/bench", typed).outcome("refused").finds("verify.bench.").lacks(otherText, otherKey, wrong)
	if slices.Equal(r.findings(), boss.get("/bench?delivery="+id).findings()) {
		t.Error("the secret typed in changes nothing")
	}
	// By what another subscription asks for, which has the sender's secret, it would pass; by none, nothing is judged.
	another := c.subscribe(boss, "signature", "required").String()
	boss.post("/subscriptions/"+another+"/secrets", secretForm(webhook.KindSignature, "", otherText, false)).to("/subscriptions/" + another)
	r = boss.post("/bench", url.Values{"delivery": {id}, "secret": {""}, "subscription": {another}}).outcome("accepted")
	r.count(`select[name="subscription"] option[selected][value="`+another+`"]`, 1)
	boss.post("/bench", url.Values{"delivery": {id}, "secret": {otherText}, "subscription": {""}}).finds("verify.bench.").count("[data-outcome]", 0)
	boss.post("/bench", url.Values{"delivery": {id}, "subscription": {uuid.NewString()}}).want(http.StatusUnprocessableEntity).count("#subscription-error", 1)
	boss.get("/bench?delivery=" + id).outcome("refused")
	boss.post(page+"/secrets", secretForm(webhook.KindSignature, "", otherText, false)).to(page)
	boss.get("/bench?delivery=" + id).outcome("accepted")
	boss.get("/bench?delivery=" + uuid.NewString()).want(http.StatusNotFound)
	boss.post("/bench", url.Values{"delivery": {uuid.NewString()}, "secret": {"x"}, "subscription": {uid}}).want(http.StatusNotFound)
	if log := c.log.String(); strings.Contains(log, otherText) || strings.Contains(log, wrong) || strings.Contains(log, alejandro) {
		t.Error("the log has a secret or a person in it")
	}
	// Of a subscription that is gone nothing is left to judge by; the delivery can still be looked into.
	c.exec(`update subscriptions set deleted_at = now() where uid = $1`, uid)
	boss.get("/bench?delivery="+id).want(http.StatusOK).count("[data-outcome]", 0)
}

func TestBenchOfWhatIsPasted(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	sent := `{"b": 1, "a": [1, 2]}`
	paste := func(pairs ...string) url.Values {
		v := url.Values{"headers": {"POST /hooks/x HTTP/1.1\nContent-Type: application/json\r\nX-Signature: " + signed(keyBytes, sent) + "\n\n"}, "body": {sent}, "secret": {keyText}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	boss.get("/bench").want(http.StatusOK).count(`form[action="/bench"]`, 1)
	boss.get("/bench?delivery=x").want(http.StatusOK)
	for name, q := range map[string]struct {
		form   url.Values
		reason string
	}{
		"as sent":       {paste(), "verify.bench."},
		"re-serialised": {paste("body", `{"b":1,"a":[1,2]}`), "verify.bench.body."},
		"a line end":    {paste("body", sent+"\r\n"), "verify.bench.body.newline_removed"},
		"key used raw":  {paste("secret", keyBytes), "verify.bench."},
		"no signature":  {paste("headers", "Content-Type: application/json"), "verify.bench.header_missing"},
		"wrong secret":  {paste("secret", otherText), "verify.bench."},
		"an old token":  {paste("headers", "Authorization: "+bearer(keyBytes, time.Now().Add(-time.Hour)), "secret", keyBytes, "raw", "on"), "verify."},
	} {
		t.Log(name)
		boss.post("/bench", q.form).finds(q.reason).lacks(q.form.Get("secret")).count(`input[name="secret"][value]:not([value=""])`, 0).count("[data-outcome]", 0)
	}
	for field, form := range map[string]url.Values{
		"headers": paste("headers", "no colon here"), "body": paste("body", ""), "secret": paste("secret", ""), "subscription": paste("subscription", uuid.NewString()),
	} {
		r := boss.post("/bench", form).want(http.StatusUnprocessableEntity).count("#"+field+"-error", 1)
		if secret := form.Get("secret"); secret != "" {
			r.lacks(secret)
		}
	}
	// By what a subscription asks for, without its secret leaving the store.
	uid := c.subscribe(boss, "signature", "required").String()
	boss.post("/subscriptions/"+uid+"/secrets", secretForm(webhook.KindSignature, "", keyText, false))
	boss.post("/bench", paste("subscription", uid, "secret", "")).outcome("accepted").lacks(keyText)
	boss.post("/bench", paste("subscription", uid, "secret", "", "body", sent+" ")).outcome("refused").finds("verify.bench.").lacks(keyText)
	if n := one[int](c, `select count(*) from deliveries`); n != 0 {
		t.Errorf("%d deliveries stored of what was pasted", n)
	}
	if log := c.log.String(); strings.Contains(log, keyText) || strings.Contains(log, keyBytes) || strings.Contains(log, otherText) {
		t.Error("a secret is in the log")
	}
}
