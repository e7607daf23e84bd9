package handlers_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/webhook"
)

// client makes a client of the token endpoint for a subscription.
func (c *console) client(boss *browser, page string) (id, secret string) {
	c.t.Helper()
	return boss.post(page+"/secrets", secretForm(webhook.KindClient, "", "", false)).once()
}

// token asks for one as the vendor does, as a form.
func (c *console) tokenFor(id, secret string) string {
	c.t.Helper()
	r := c.stranger().post("/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}).want(http.StatusOK)
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	c.must(json.Unmarshal([]byte(r.body), &answer))
	if answer.TokenType != "Bearer" || answer.ExpiresIn != 3600 || len(answer.AccessToken) != 43 || r.header.Get("Cache-Control") != "no-store" {
		c.t.Errorf("answered %s %d with %v", answer.TokenType, answer.ExpiresIn, r.header)
	}
	return answer.AccessToken
}

func TestOAuthTokenRequests(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	id, secret := c.client(boss, "/subscriptions/"+c.subscribe(boss, "token", "on").String())
	asJSON := func(id, secret, grant string) string {
		text, err := json.Marshal(map[string]string{"client_id": id, "client_secret": secret, "grant_type": grant})
		c.must(err)
		return string(text)
	}
	asForm := func(id, secret, grant string) string {
		return url.Values{"client_id": {id}, "client_secret": {secret}, "grant_type": {grant}}.Encode()
	}
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	const jsonType, formType, good = "application/json", "application/x-www-form-urlencoded", "client_credentials"
	for name, q := range map[string]struct {
		kind, body, authorization string
		status                    int
		code                      string
	}{
		"form":                {formType, asForm(id, secret, good), "", 200, ""},
		"JSON":                {jsonType + "; charset=utf-8", asJSON(id, secret, good), "", 200, ""},
		"Basic, form":         {formType, "grant_type=" + good, basic(id, secret), 200, ""},
		"Basic, JSON":         {jsonType, `{"grant_type":"client_credentials"}`, basic(id, secret), 200, ""},
		"wrong secret":        {formType, asForm(id, secret+"x", good), "", 401, "invalid_client"},
		"wrong secret, JSON":  {jsonType, asJSON(id, "", good), "", 401, "invalid_client"},
		"wrong secret, Basic": {formType, "grant_type=" + good, basic(id, "no"), 401, "invalid_client"},
		"unknown client":      {formType, asForm("cotejo-nobody", secret, good), "", 401, "invalid_client"},
		"no client":           {formType, "grant_type=" + good, "", 401, "invalid_client"},
		"NUL in it":           {jsonType, `{"client_id":"a\u0000","client_secret":"b","grant_type":"client_credentials"}`, "", 401, "invalid_client"},
		"not UTF-8":           {formType, "client_id=%ff&client_secret=x&grant_type=" + good, "", 401, "invalid_client"},
		"another grant":       {formType, asForm(id, secret, "password"), "", 400, "unsupported_grant_type"},
		"not JSON":            {jsonType, asForm(id, secret, good), "", 400, "invalid_request"},
		"JSON of other kinds": {jsonType, `{"client_id":7}`, "", 400, "invalid_request"},
		"too much":            {formType, asForm(id, secret, good) + "&x=" + strings.Repeat("x", 9000), "", 400, "invalid_request"},
		"nothing":             {"", "", "", 400, "unsupported_grant_type"},
	} {
		headers := []string{"Content-Type", q.kind}
		if q.authorization != "" {
			headers = append(headers, "Authorization", q.authorization)
		}
		r := c.stranger().do(http.MethodPost, "/oauth/token", strings.NewReader(q.body), headers...)
		if r.status != q.status || q.code != "" && r.body != fmt.Sprintf("{\"error\":%q}\n", q.code) {
			t.Errorf("%s: %d %s, want %d %s", name, r.status, r.body, q.status, q.code)
		}
		if (r.status == 401) != (r.header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: WWW-Authenticate %q (RFC 6749, 5.2)", name, r.header.Get("WWW-Authenticate"))
		}
	}
	c.stranger().get("/oauth/token").want(http.StatusMethodNotAllowed)
	if n := one[int](c, `select count(*) from hook_tokens`); n != 4 {
		t.Errorf("%d tokens given", n)
	}
	if log := c.log.String(); strings.Contains(log, secret) || strings.Contains(log, id) {
		t.Error("a client's credentials are in the log")
	}
	// The vendor asks before each delivery, and deliveries come in bursts.
	for range 60 {
		c.tokenFor(id, secret)
	}
}

func TestOAuthTokensCarryDeliveries(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	boss := c.as(auth.Administrator)
	other := "/subscriptions/" + c.subscribe(boss, "token", "on", "name", "Otra").String()
	page := "/subscriptions/" + c.subscribe(boss, "token", "on", "signature", "required").String()
	c.silence()
	boss.post(page+"/secrets", secretForm(webhook.KindSignature, "", keyText, false)).to(page)
	id, secret := c.client(boss, page)
	boss.get(page).want(http.StatusOK).has(c.site.URL+"/oauth/token", id).lacks(secret)
	good := c.tokenFor(id, secret)
	with := func(token, body string) []string {
		return []string{"Authorization", "Bearer " + token, "X-Signature", signed(keyBytes, body)}
	}
	c.deliver(`{"n":1}`, with(good, `{"n":1}`)...).want(http.StatusOK)
	c.sealed(with(good, `{"n":1}`))
	if n := one[int](c, `select count(*) from hook_tokens where position($1::bytea in hash) > 0 or length(hash) <> 32`, []byte(good)); n != 0 {
		t.Error("a token is stored in the clear")
	}
	boss.post(page+"/test", nil).to(page)
	if got := one[string](c, `select detail from audit_entries where action = $1 order by id desc limit 1`, audit.HookTested); got != "200" {
		t.Errorf("the test event is answered with %s", got)
	}
	refuse := func(token, body string, cause webhook.Cause) string {
		t.Helper()
		return c.refusal(body, with(token, body), cause)
	}
	c.refusal(`{"n":2}`, []string{"X-Signature", signed(keyBytes, `{"n":2}`)}, webhook.CauseTokenMissing)
	refuse("not-one-of-ours", `{"n":3}`, webhook.CauseTokenUnknown)
	refuse(c.tokenFor(c.client(boss, other)), `{"n":4}`, webhook.CauseTokenUnknown)

	// Signed with a secret that is not known yet, under a token that is good then and ended before anybody looks.
	lookup, attempt := c.request(alejandro)
	body := c.success(attempt)
	early := []string{"Authorization", "Bearer " + good, "X-Signature", signed(otherKey, body)}
	refused := c.refusal(body, early, webhook.CauseSignatureMismatch)
	c.exec(`update hook_tokens set expires_at = clock_timestamp()`)
	refuse(good, `{"n":5}`, webhook.CauseTokenExpired)
	late := c.refusal(`{"n":6}`, []string{"Authorization", "Bearer " + good, "X-Signature", signed(otherKey, `{"n":6}`)}, webhook.CauseSignatureMismatch)
	form := secretForm(webhook.KindSignature, "", otherText, false)
	form.Set("overlap", "24h")
	boss.post(page+"/secrets", form).to(page)
	boss.post(page+"/verify", nil).to(page)
	c.await(`select status = 'success' from lookups where uid = $1`, lookup)
	if got := one[string](c, `select verdict || cause from deliveries where uid = $1`, refused); got != "accepted" {
		t.Errorf("under a token that was good at receipt: %s", got)
	}
	if got := one[string](c, `select verdict || cause from deliveries where uid = $1`, late); got != "refusedtoken_expired" {
		t.Errorf("under a token that had ended: %s", got)
	}

	fresh := c.tokenFor(id, secret)
	c.deliver(`{"n":7}`, with(fresh, `{"n":7}`)...).want(http.StatusOK)
	boss.post(page+"/revoke", nil).to(page)
	refuse(fresh, `{"n":8}`, webhook.CauseTokenRevoked)
	again := c.tokenFor(id, secret) // the client stays; what it was given does not
	c.deliver(`{"n":9}`, with(again, `{"n":9}`)...).want(http.StatusOK)
	end := one[string](c, `select uid from subscription_secrets where name = $1`, id)
	boss.post(page+"/secrets/"+end+"/end", nil).to(page)
	refuse(again, `{"n":10}`, webhook.CauseTokenUnknown)
	c.stranger().post("/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}).want(http.StatusUnauthorized)
	if n := c.acts(audit.HookSecretEnded, strings.TrimPrefix(page, "/subscriptions/")); n != 2 {
		t.Errorf("%d entries of revoking and ending", n)
	}
	c.counted()
}
