package handlers_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/webhook"
)

// Keys as a person would type them, and their bytes.
const (
	keyText   = "c2VjcmV0IG51bWJlciBvbmU" // base64url of keyBytes
	keyBytes  = "secret number one"
	otherText = "c2VjcmV0IG51bWJlciB0d28"
	otherKey  = "secret number two"
)

// sum is HMAC-SHA256, computed here so that the code under test does not judge itself.
func sum(key, message string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return h.Sum(nil)
}

func signed(key, body string) string { return base64.StdEncoding.EncodeToString(sum(key, body)) }

// jwt writes a token of RFC 7515 by hand.
func jwt(header, claims, key string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return text + "." + base64.RawURLEncoding.EncodeToString(sum(key, text))
}

func bearer(key string, expires time.Time) string {
	return "Bearer " + jwt(`{"alg":"HS256","typ":"JWT"}`, fmt.Sprintf(`{"exp":%d}`, expires.Unix()), key)
}

// standard is the three headers of Standard Webhooks 1.0.0.
func standard(key, body string, at time.Time) []string {
	stamp := fmt.Sprint(at.Unix())
	return []string{"Webhook-Id", "msg_1", "Webhook-Timestamp", stamp,
		"Webhook-Signature", "v1," + base64.StdEncoding.EncodeToString(sum(key, "msg_1."+stamp+"."+body))}
}

// success is the vendor's event of an attempt that succeeded.
func (c *console) success(attempt uuid.UUID) string {
	c.t.Helper()
	c.await(`select account_id <> '' from attempts where uid = $1`, attempt)
	return fmt.Sprintf(`{"data":{"account_id":%q,"external_id":%q,"user_id":%q,"webhook_action":"login.success","status_details":null}}`,
		one[string](c, `select account_id from attempts where uid = $1`, attempt), attempt, uuid.New())
}

func secretForm(kind webhook.SecretKind, name, text string, raw bool) url.Values {
	v := url.Values{"kind": {string(kind)}, "name": {name}, "text": {text}, "overlap": {"0h"}}
	if raw {
		v.Set("raw", "on")
	}
	return v
}

// refusal wants a request answered with 401 and its one line, and kept with cause and checks, its credentials sealed.
func (c *console) refusal(body string, headers []string, cause webhook.Cause) (delivery string) {
	c.t.Helper()
	r := c.deliver(body, headers...).want(http.StatusUnauthorized)
	if !strings.HasPrefix(r.body, "refused: ") || strings.Index(r.body, "\n") != len(r.body)-1 {
		c.t.Errorf("%s: the reason is %q, want one line", cause, r.body)
	}
	if got := c.last("concat_ws(' ', verdict, cause, answered, runs, convert_from(body, 'UTF8'))"); got != fmt.Sprintf("refused %s 401 0 %s", cause, body) {
		c.t.Errorf("%s: stored as %s", cause, got)
	}
	var checks []struct{ Result, Cause, Reason string }
	c.must(json.Unmarshal([]byte(c.last("checks")), &checks))
	failed := 0
	for _, check := range checks {
		if check.Result == "fail" && check.Cause != "" && check.Reason != "" {
			failed++
		}
	}
	if failed == 0 {
		c.t.Errorf("%s: no check failed in %+v", cause, checks)
	}
	c.sealed(headers)
	return c.last("uid")
}

// sealed wants no credential of a request readable in what the newest delivery keeps of it.
func (c *console) sealed(headers []string) {
	c.t.Helper()
	kept := one[[]byte](c, `select coalesce(credentials_sealed, '') || convert_to(headers::text || checks::text, 'UTF8') from deliveries order by id desc limit 1`)
	for i := 0; i < len(headers); i += 2 {
		if open := strings.ToLower(headers[i]); open == "webhook-id" || open == "webhook-timestamp" || open == "x-forwarded-for" {
			continue
		}
		if value := headers[i+1]; len(value) > 5 && bytes.Contains(kept, []byte(value)) || strings.Contains(c.log.String(), value) && len(value) > 5 {
			c.t.Errorf("%s is kept or logged in the clear", headers[i])
		}
		if !bytes.Contains(kept, []byte(fmt.Sprintf("%q", strings.ToLower(headers[i])))) {
			c.t.Errorf("%s is not named", headers[i])
		}
	}
}

// attack is a request that must be refused, and for what.
type attack struct {
	headers []string
	cause   webhook.Cause
}

func TestVerifyEachAuthentication(t *testing.T) {
	t.Parallel()
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	claims := fmt.Sprintf(`{"exp":%d}`, soon.Unix())
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."
	for name, s := range map[string]struct {
		form    []string
		secrets []url.Values
		right   func(body string) []string
		wrong   func(body string) []attack
		late    func(body string) []string // right by the secret that mend adds
		mend    url.Values
	}{
		"signature": {
			form:    []string{"signature", "required", "signature_header", "X-Firma"},
			secrets: []url.Values{secretForm(webhook.KindSignature, "", keyText, false)},
			right:   func(body string) []string { return []string{"X-Firma", signed(keyBytes, body)} },
			wrong: func(body string) []attack {
				return []attack{{nil, webhook.CauseSignatureMissing}, {[]string{"X-Firma", signed(otherKey, body)}, webhook.CauseSignatureMismatch},
					{[]string{"X-Firma", signed(keyBytes, body+"\n")}, webhook.CauseSignatureMismatch},
					{[]string{"X-Firma", signed("", body)}, webhook.CauseSignatureMismatch}, // anybody can make this one
					{[]string{"X-Firma", "no signature at all"}, webhook.CauseSignatureMalformed}}
			},
			late: func(body string) []string { return []string{"X-Firma", signed(otherKey, body)} },
			mend: secretForm(webhook.KindSignature, "", otherText, false),
		},
		"signature in hex, key used raw": {
			form:    []string{"signature", "optional", "signature_encoding", "hex"},
			secrets: []url.Values{secretForm(webhook.KindSignature, "", "not base64 !", true)},
			right: func(body string) []string {
				return []string{"X-Signature", hex.EncodeToString(sum("not base64 !", body))}
			},
			wrong: func(body string) []attack {
				return []attack{{[]string{"X-Signature", hex.EncodeToString(sum(otherKey, body))}, webhook.CauseSignatureMismatch}}
			},
			late: func(body string) []string { return []string{"X-Signature", hex.EncodeToString(sum(otherKey, body))} },
			mend: secretForm(webhook.KindSignature, "", otherKey, true),
		},
		"jwt": {
			form:    []string{"jwt", "on"},
			secrets: []url.Values{secretForm(webhook.KindJWT, "", keyBytes, true)},
			right:   func(string) []string { return []string{"Authorization", bearer(keyBytes, soon)} },
			wrong: func(string) []attack {
				return []attack{{nil, webhook.CauseJWTMissing}, {[]string{"Authorization", "Bearer nonsense"}, webhook.CauseJWTMalformed},
					{[]string{"Authorization", "Basic " + keyText}, webhook.CauseJWTMissing},
					{[]string{"Authorization", bearer(keyBytes, past)}, webhook.CauseJWTExpired},
					{[]string{"Authorization", bearer(otherKey, soon)}, webhook.CauseJWTSignature},
					{[]string{"Authorization", "Bearer " + none}, webhook.CauseJWTAlgorithm},
					{[]string{"Authorization", "Bearer " + jwt(`{"alg":"HS512"}`, claims, keyBytes)}, webhook.CauseJWTAlgorithm},
					{[]string{"Authorization", "Bearer " + jwt(`{"alg":"HS256"}`, `{}`, keyBytes)}, webhook.CauseJWTNoExpiry}}
			},
			late: func(string) []string { return []string{"Authorization", bearer(otherKey, soon)} },
			mend: secretForm(webhook.KindJWT, "", otherKey, true),
		},
		"headers": {
			form: []string{"headers", "on"},
			secrets: []url.Values{secretForm(webhook.KindHeader, "X-Lender", "the first value", true),
				secretForm(webhook.KindHeader, "X-Branch", "the second value", true)},
			right: func(string) []string { return []string{"X-Lender", "the first value", "X-Branch", "the second value"} },
			wrong: func(string) []attack {
				return []attack{{[]string{"X-Lender", "the first value"}, webhook.CauseHeaderMissing},
					{[]string{"X-Lender", "the first value", "X-Branch", "another value"}, webhook.CauseHeaderMismatch},
					{[]string{"X-Lender", "The first value", "X-Branch", "the second value"}, webhook.CauseHeaderMismatch}}
			},
			late: func(string) []string { return []string{"X-Lender", "the first value", "X-Branch", "a third value"} },
			mend: secretForm(webhook.KindHeader, "x-branch", "a third value", true), // the same header, whatever its case
		},
		"standard webhooks": {
			form:    []string{"standard", "on"},
			secrets: []url.Values{secretForm(webhook.KindStandard, "", "whsec_"+keyText, false)},
			right:   func(body string) []string { return standard(keyBytes, body, time.Now()) },
			wrong: func(body string) []attack {
				return []attack{{nil, webhook.CauseSignatureMissing}, {standard(otherKey, body, time.Now()), webhook.CauseSignatureMismatch},
					{standard(keyBytes, body, past), webhook.CauseTimestampOld}, {standard(keyBytes, body, soon), webhook.CauseTimestampAhead}}
			},
			late: func(body string) []string { return standard(otherKey, body, time.Now()) },
			mend: secretForm(webhook.KindStandard, "", otherText, false),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := withVendor(t)
			boss := c.as(auth.Administrator)
			page := "/subscriptions/" + c.subscribe(boss, s.form...).String()
			c.silence()
			for _, secret := range s.secrets {
				boss.post(page+"/secrets", secret).to(page)
			}
			boss.get(page).want(http.StatusOK).lacks(keyText, keyBytes, "the first value")
			for i, a := range s.wrong(`{"wrong":1}`) {
				body := strings.ReplaceAll(`{"wrong":1}`, "1", fmt.Sprint(i))
				c.refusal(body, s.wrong(body)[i].headers, a.cause)
			}
			fine := `{"right":1}`
			c.deliver(fine, s.right(fine)...).want(http.StatusOK)
			if c.last("verdict || answered") == "refused401" || !strings.Contains(c.last("checks"), `"pass"`) {
				t.Errorf("what is right was stored with %s", c.last("checks"))
			}
			c.sealed(s.right(fine))
			boss.post(page+"/test", nil).to(page)
			if got := one[string](c, `select detail from audit_entries where action = $1 order by id desc limit 1`, audit.HookTested); got != "200" {
				t.Errorf("the test event is answered with %s", got)
			}

			// Two lookups' events under a secret that we do not have yet, then the secret, then both run.
			first, one1 := c.request(alejandro)
			second, two := c.request(eduardo)
			late := func(attempt uuid.UUID) string {
				t.Helper()
				body := c.success(attempt)
				cause := webhook.CauseSignatureMismatch
				switch name {
				case "jwt":
					cause = webhook.CauseJWTSignature
				case "headers":
					cause = webhook.CauseHeaderMismatch
				}
				return c.refusal(body, s.late(body), cause)
			}
			refused := late(one1)
			late(two)
			boss.post("/deliveries/"+refused+"/verify", nil).to("/deliveries/" + refused)
			if got := one[string](c, `select verdict || (select status from lookups where uid = $2) from deliveries where uid = $1`, refused, first); got != "refusedpending" {
				t.Errorf("verified again before anything was mended: %s", got)
			}
			boss.post(page+"/secrets", s.mend).to(page)
			boss.post("/deliveries/"+refused+"/verify", nil).to("/deliveries/" + refused)
			c.await(`select status = 'success' from lookups where uid = $1`, first)
			boss.post(page+"/verify", nil).to(page)
			c.await(`select status = 'success' from lookups where uid = $1`, second)
			c.await(`select count(*) = 2 from lookups where profile_state = 'complete' and employment_state = 'complete'`)
			c.await(`select count(*) = 0 from deliveries where verdict <> 'refused' and processed_at is null`)
			if n := one[int](c, `select count(*) from river_job where state in ('discarded', 'cancelled')`); n != 0 {
				t.Errorf("%d jobs failed for good", n)
			}
			if c.acts(audit.DeliveryVerified, refused) != 2 {
				t.Errorf("%d entries of verifying again", c.acts(audit.DeliveryVerified, refused))
			}
			c.counted()
		})
	}
}

// counted wants the hours' counters to agree with the rows, verdict by verdict.
func (c *console) counted() {
	c.t.Helper()
	if got := one[string](c, `select coalesce(string_agg(concat_ws(' ', hour, verdict, cause, rows, counted), '; '), '') from (
  select coalesce(r.hour, h.hour) as hour, coalesce(r.verdict, h.verdict) as verdict, coalesce(r.cause, h.cause) as cause, coalesce(r.n, 0) as rows, coalesce(h.n, 0) as counted
    from (select date_trunc('hour', received_at, 'UTC') as hour, verdict, cause, count(*) as n from deliveries group by 1, 2, 3) r
    full join (select hour, verdict, cause, sum(count) as n from delivery_hours group by 1, 2, 3) h using (hour, verdict, cause)) x where rows <> counted`); got != "" {
		c.t.Errorf("hour verdict cause rows counted: %s", got)
	}
}

func TestVerifyAddresses(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	boss := c.as(auth.Administrator)
	uid := c.subscribe(boss, "addresses", "warn")
	page := "/subscriptions/" + uid.String()
	from := func(address string) []string { return []string{"X-Forwarded-For", address} }
	c.deliver(`{"n":1}`, from("203.0.113.9")...).want(http.StatusOK)
	if !strings.Contains(c.last("checks"), `"warn"`) || c.last("remote_addr") != "203.0.113.9" {
		t.Errorf("warned with %s of %s", c.last("checks"), c.last("remote_addr"))
	}
	boss.post(page, hookForm("addresses", "enforce")).to(page)
	c.silence()
	id, attempt := c.request(alejandro)
	refused := c.refusal(c.success(attempt), from("203.0.113.9"), webhook.CauseAddressUnknown)
	// What a stranger writes in front of the trusted proxy's own entry does not count.
	c.refusal(`{"n":2}`, from("198.51.100.7, 203.0.113.10"), webhook.CauseAddressUnknown)
	c.must(c.SetOutbound(t.Context(), c.conn.ID, []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, audit.Actor{Name: "test"}))
	c.refusal(`{"n":3}`, from("198.51.100.7, 203.0.113.10"), webhook.CauseAddressUnknown)
	c.deliver(`{"n":4}`, from("198.51.100.7")...).want(http.StatusOK)
	c.must(c.SetOutbound(t.Context(), c.conn.ID, []netip.Prefix{netip.MustParsePrefix("203.0.113.9/32")}, audit.Actor{Name: "test"}))
	boss.post("/deliveries/"+refused+"/verify", nil).to("/deliveries/" + refused)
	c.await(`select status = 'success' from lookups where uid = $1`, id)
	boss.post(page, hookForm("addresses", "off")).to(page)
	c.deliver(`{"n":5}`, from("203.0.113.77")...).want(http.StatusOK)
	boss.post(page+"/verify", nil).to(page)
	if n := one[int](c, `select count(*) from deliveries where verdict = 'refused'`); n != 0 {
		t.Errorf("%d deliveries still refused", n)
	}
}

// Expiry is judged as of the receipt, however late somebody mends the setting.
func TestVerifyAsOfReceipt(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss, "jwt", "on").String()
	valid := c.refusal(`{"n":1}`, []string{"Authorization", bearer(keyBytes, time.Now().Add(-30*time.Minute))}, webhook.CauseJWTSignature)
	expired := c.refusal(`{"n":2}`, []string{"Authorization", bearer(keyBytes, time.Now().Add(-2*time.Hour))}, webhook.CauseJWTSignature)
	c.exec(`update deliveries set received_at = received_at - interval '1 hour'`)
	boss.post(page+"/secrets", secretForm(webhook.KindJWT, "", keyBytes, true)).to(page)
	boss.post(page+"/verify", nil).to(page)
	for delivery, want := range map[string]string{valid: "accepted ", expired: "refused jwt_expired"} {
		if got := one[string](c, `select verdict || ' ' || cause from deliveries where uid = $1`, delivery); got != want {
			t.Errorf("verified as of its receipt: %q, want %q", got, want)
		}
	}
	// What was refused for another reason than its authentication, or is settled, is not verified again.
	boss.post("/deliveries/"+valid+"/verify", nil).to("/deliveries/" + valid)
	c.stranger().get("/hooks/" + c.token).want(http.StatusMethodNotAllowed)
	boss.post("/deliveries/"+c.last("uid")+"/verify", nil).to("/deliveries/" + c.last("uid"))
	if c.last("verdict") != "refused" || c.acts(audit.DeliveryVerified, valid) != 1 {
		t.Error("verified what cannot be")
	}
	boss.post("/deliveries/"+uuid.NewString()+"/verify", nil).want(http.StatusNotFound)
	boss.post("/subscriptions/"+uuid.NewString()+"/verify", nil).want(http.StatusNotFound)
}

// A subscription switched off keeps what comes, and runs it once it is on again, not before.
func TestVerifyAfterSwitchingOn(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss).String()
	boss.post(page+"/switch", url.Values{"active": {"off"}}).to(page)
	c.silence()
	id, attempt := c.request(alejandro)
	c.deliver(c.success(attempt)).want(http.StatusUnauthorized).has("this subscription is switched off")
	refused := c.last("uid")
	boss.post("/deliveries/"+refused+"/verify", nil).to("/deliveries/" + refused)
	if got := one[string](c, `select verdict || ' ' || cause from deliveries where uid = $1`, refused); got != "refused disabled" {
		t.Errorf("while it is off: %s", got)
	}
	boss.post(page+"/switch", url.Values{"active": {"on"}}).to(page)
	boss.post(page+"/verify", nil).to(page)
	c.await(`select status = 'success' from lookups where uid = $1`, id)
}

// The vendor tries a refused delivery again and again; run again, the fact counts once.
func TestVerifyTheVendorsOwnRetries(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	c.silence()
	boss := c.as(auth.Administrator)
	page := "/subscriptions/" + c.subscribe(boss, "jwt", "on").String()
	id, _ := c.request(alejandro)
	c.await(`select status = 'pending' from lookups where uid = $1`, id)
	limit := time.After(30 * time.Second)
	for one[int](c, `select count(*) from deliveries where verdict = 'refused'`) < 2 {
		select {
		case <-limit:
			t.Fatal("the vendor never tried again")
		case <-time.Tick(20 * time.Millisecond):
		}
	}
	boss.get(page).want(http.StatusOK).count("[data-refused]", 1)
	boss.post(page, hookForm()).to(page)
	boss.post(page+"/verify", nil).to(page)
	c.await(`select status = 'success' from lookups where uid = $1`, id)
	c.await(`select count(*) = 0 from deliveries where verdict <> 'refused' and processed_at is null`)
	if n := one[int](c, `select count(*) from events where action = 'login.success'`); n != 1 {
		t.Errorf("%d successes", n)
	}
	if n := one[int](c, `select count(*) from river_job where state in ('discarded', 'cancelled')`); n != 0 {
		t.Errorf("%d jobs failed for good", n)
	}
}

// A flood of refused requests leaves what the quota allows, and everything counted.
func TestVerifyFloodIsBounded(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	boss := c.as(auth.Administrator)
	c.subscribe(boss, "signature", "required")
	before := time.Now().UTC().Truncate(time.Hour)
	const known, unknown, workers = 7000, 3000, 8
	// Past the network, of which nothing is said here: all that the program does with a request is done.
	refused := func(path, body string, want int, headers ...string) {
		r := httptest.NewRequest(http.MethodPost, c.site.URL+path, strings.NewReader(body))
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		if c.site.Config.Handler.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s is answered %d, want %d", path, w.Code, want)
		}
	}
	var sending sync.WaitGroup
	for worker := range workers {
		sending.Go(func() {
			for n := worker; n < known; n += workers {
				refused("/hooks/"+c.token, fmt.Sprintf(`{"n":%d}`, n), http.StatusUnauthorized, "X-Signature", signed(otherKey, "x"))
			}
			for n := worker; n < unknown; n += workers {
				refused(fmt.Sprintf("/hooks/unknown-%d", n), "{}", http.StatusNotFound)
			}
		})
	}
	sending.Wait()
	hours := int(time.Now().UTC().Truncate(time.Hour).Sub(before)/time.Hour) + 1
	stored := one[int](c, `select count(*) from deliveries`)
	if stored > hours*webhook.DefaultQuota.Requests || stored < webhook.DefaultQuota.Requests {
		t.Errorf("%d rows stored of %d in %d hours, want %d in each", stored, known, hours, webhook.DefaultQuota.Requests)
	}
	if n := one[int](c, `select sum(count) from delivery_hours where verdict = 'refused'`); n != known {
		t.Errorf("%d counted of %d", n, known)
	}
	if n := one[int](c, `select sum(count) from delivery_hours where cause = 'quota'`); n != known-stored {
		t.Errorf("%d counted beyond the quota of %d", n, known-stored)
	}
	gathered, err := c.metrics.Gather()
	c.must(err)
	if got := gathered[0].GetMetric()[0].GetCounter().GetValue(); got != unknown {
		t.Errorf("%v unknown addresses counted of %d", got, unknown)
	}
	if n := one[int](c, `select count(*) from river_job where kind = 'process_delivery'`); n != 0 {
		t.Errorf("%d jobs", n)
	}
	boss.get("/subscriptions").want(http.StatusOK).has("7,000")
}
