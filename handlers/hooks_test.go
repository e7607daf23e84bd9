package handlers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// hooked is a console with a hook and no vendor behind it: what arrives is what the test sends.
func hooked(t *testing.T) *console {
	t.Helper()
	c := open(t)
	c.connect(lookup.Sandbox, "http://127.0.0.1:1/v1", "private_test_key_0123456789", uuid.NewString())
	return c
}

// deliver posts a body to the hook.
func (c *console) deliver(body string, headers ...string) *reply {
	c.t.Helper()
	return c.stranger().do(http.MethodPost, "/hooks/"+c.token, strings.NewReader(body), append([]string{"Content-Type", "application/json"}, headers...)...)
}

// last reads one column of the newest delivery as text.
func (c *console) last(column string) string {
	c.t.Helper()
	return one[string](c, `select `+column+`::text from deliveries order by id desc limit 1`)
}

func TestHookKeepsTheExactBytes(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	whole := `{"x":"` + strings.Repeat("a", webhook.MaxBody-8) + `"}`
	for name, body := range map[string]string{
		"event":         `{"data":{"account_id":"a"},"webhook_action":"login.created"}`,
		"NUL escape":    `{"a":"\u0000"}`,
		"NUL byte":      "{\"a\":\"\x00\"}",
		"invalid UTF-8": "{\"a\":\"\xff\xfe\"}",
		"not JSON":      "hello",
		"empty":         "",
		"256 KiB":       whole,
	} {
		r := c.deliver(body).want(http.StatusOK)
		if r.body != "ok" {
			t.Errorf("%s: answered %q, want exactly ok", name, r.body)
		}
		if got := one[[]byte](c, `select body from deliveries order by id desc limit 1`); !bytes.Equal(got, []byte(body)) {
			t.Errorf("%s: %d bytes stored, not the %d sent", name, len(got), len(body))
		}
		if got := c.last("concat_ws(' ', verdict, cause, answered, method, body_size)"); got != fmt.Sprintf("accepted  200 POST %d", len(body)) {
			t.Errorf("%s: stored as %q", name, got)
		}
	}
	if n := one[int](c, `select count(*) from river_job where kind = 'process_delivery'`); n != 7 {
		t.Errorf("%d jobs for 7 deliveries", n)
	}
}

func TestHookRefusals(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.stranger()
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, "BREW"} {
		r := b.do(method, "/hooks/"+c.token, nil).want(http.StatusMethodNotAllowed)
		if r.header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: Allow is %q", method, r.header.Get("Allow"))
		}
		if got := c.last("concat_ws(' ', verdict, cause, answered, method)"); got != "refused method 405 "+method {
			t.Errorf("%s: stored as %q", method, got)
		}
	}
	big := strings.Repeat("0123456789abcdef", webhook.MaxBody/16) + "and more"
	c.deliver(big).want(http.StatusRequestEntityTooLarge)
	if got := c.last("concat_ws(' ', verdict, cause, answered, body_size)"); got != fmt.Sprintf("refused too_large 413 %d", len(big)) {
		t.Errorf("too large: stored as %q", got)
	}
	if got := one[[]byte](c, `select body from deliveries order by id desc limit 1`); string(got) != big[:webhook.KeptOfRefused] {
		t.Errorf("%d bytes of a refused body kept, want the first %d", len(got), webhook.KeptOfRefused)
	}
	// Without a length announced, only what was read is known.
	b.do(http.MethodPost, "/hooks/"+c.token, io.MultiReader(strings.NewReader(big))).want(http.StatusRequestEntityTooLarge)
	if got := c.last("body_size"); got != fmt.Sprint(webhook.MaxBody+1) {
		t.Errorf("chunked: size %s", got)
	}

	stored := one[int](c, `select count(*) from deliveries`)
	for _, path := range []string{"/hooks/unknown", "/hooks/%00", "/hooks/" + strings.Repeat("x", 4000), "/hooks/" + c.token + "x", "/hooks/" + c.token[1:]} {
		b.do(http.MethodPost, path, strings.NewReader("{}")).want(http.StatusNotFound)
	}
	b.do(http.MethodPost, "/hooks/", strings.NewReader("{}")).want(http.StatusNotFound)
	if n := one[int](c, `select count(*) from deliveries`); n != stored {
		t.Error("a request to an address that is not ours was stored")
	}
	gathered, err := c.metrics.Gather()
	c.must(err)
	if len(gathered) != 1 || gathered[0].GetName() != "cotejo_hook_unknown_total" || gathered[0].GetMetric()[0].GetCounter().GetValue() != 5 {
		t.Errorf("unknown addresses are counted as %v, want 5", gathered)
	}

	c.exec(`update subscriptions set active = false`)
	c.deliver(`{"off":1}`).want(http.StatusUnauthorized)
	if got := c.last("concat_ws(' ', verdict, cause, answered, convert_from(body, 'UTF8'))"); got != `refused disabled 401 {"off":1}` {
		t.Errorf("switched off: stored as %q", got)
	}
	if n := one[int](c, `select count(*) from river_job where kind = 'process_delivery'`); n != 0 {
		t.Errorf("%d jobs for refused deliveries", n)
	}
}

func TestHookSealsCredentials(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.deliver(`{}`, "Authorization", "Bearer verysecret", "X-Palenca-Signature", "verysecret", "X-Custom-Token", "verysecret",
		"User-Agent", "Vendor/1", "X-Odd", "caf\xe9").want(http.StatusOK)
	headers := c.last("headers")
	if strings.Contains(headers, "verysecret") || !strings.Contains(headers, `"authorization"`) || !strings.Contains(headers, "Vendor/1") {
		t.Errorf("headers stored as %s", headers)
	}
	if strings.Contains(c.last("encode(credentials_sealed, 'escape')"), "verysecret") {
		t.Error("credentials stored in the clear")
	}
}

// The same bytes twice, even at once, are one delivery and its duplicates.
func TestHookTellsDuplicates(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.deliver(`{"n":1}`).want(http.StatusOK)
	c.deliver(`{"n":1}`).want(http.StatusOK)
	c.deliver(`{"n": 1}`).want(http.StatusOK)
	if got := one[string](c, `select string_agg(concat_ws('/', verdict, cause, twin_of is not null), ' ' order by id) from deliveries`); got != "accepted//f duplicate/same_bytes/t accepted//f" {
		t.Errorf("stored as %q", got)
	}
	if n := one[int](c, `select count(*) from river_job`); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
}

// 200 means committed: what fails at the very commit is answered 503, and the next try is no duplicate.
func TestHookAnswersAfterTheCommit(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$`)
	c.exec(`create constraint trigger refuse after insert on deliveries deferrable initially deferred for each row execute function refuse()`)
	r := c.deliver(`{"n":1}`).want(http.StatusServiceUnavailable).lacks("disk full")
	if strings.TrimSpace(r.body) == "" || strings.Count(r.body, "\n") > 1 {
		t.Errorf("the reason is %q, want one line", r.body)
	}
	if n := one[int](c, `select (select count(*) from deliveries) + (select count(*) from river_job)`); n != 0 {
		t.Errorf("%d rows of a refused commit", n)
	}
	c.exec(`drop trigger refuse on deliveries`)
	c.deliver(`{"n":1}`).want(http.StatusOK)
	if got := c.last("verdict"); got != "accepted" {
		t.Errorf("after the fault: %s", got)
	}
	c.stop()
	c.deliver(`{"n":2}`).want(http.StatusServiceUnavailable)
	c.start()
	c.deliver(`{"n":2}`).want(http.StatusOK)
}

// Whatever the body, it is answered with 200 and judged afterwards.
func TestHookJudgesBodiesLater(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.work()
	for body, want := range map[string]string{
		``:      "ignored unreadable",
		`hello`: "ignored unreadable",
		`[]`:    "ignored unreadable",
		`{"data":{"account_id":"x","webhook_action":null}}`: "ignored unreadable",
		"{\"a\":\"\xff\"": "ignored unreadable",
		`{"data":{"account_id":"11111111-2222-4333-8444-555555555555","webhook_action":"login.success"}}`:     "unmatched ",
		`{"data":{"account_id":"a\u0000b","webhook_action":"login.\u0000success","status_details":"\u0000"}}`: "unmatched ",
	} {
		c.deliver(body).want(http.StatusOK)
		id := one[int64](c, `select max(id) from deliveries`)
		c.await(`select processed_at is not null from deliveries where id = $1`, id)
		if got := one[string](c, `select verdict || ' ' || cause from deliveries where id = $1`, id); got != want {
			t.Errorf("%q is %q, want %q", body, got, want)
		}
	}
}

// A body that names a lookup of ours under a stranger's token moves nothing: only a known token speaks for the vendor.
func TestHookForgery(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	uid, attempt := c.request(alejandro)
	c.await(`select status = 'success' and profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, uid)
	forged, err := json.Marshal(map[string]any{"data": map[string]any{"webhook_action": "login.error",
		"account_id": one[string](c, `select account_id from attempts where uid = $1`, attempt), "external_id": attempt}})
	c.must(err)
	before := one[string](c, `select l::text from lookups l where uid = $1`, uid)
	c.stranger().do(http.MethodPost, "/hooks/"+c.token+"x", bytes.NewReader(forged)).want(http.StatusNotFound)
	c.stranger().do(http.MethodPost, "/hooks/forged", bytes.NewReader(forged)).want(http.StatusNotFound)
	if after := one[string](c, `select l::text from lookups l where uid = $1`, uid); after != before {
		t.Errorf("a forgery changed\n%s\ninto\n%s", before, after)
	}
}

// A busy minute: every delivery answered with 200 is stored, once.
func TestHookUnderLoad(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	var sending sync.WaitGroup
	for worker := range 8 {
		sending.Go(func() {
			for n := range 10 {
				c.deliver(fmt.Sprintf(`{"worker":%d,"n":%d}`, worker, n)).want(http.StatusOK)
			}
		})
	}
	sending.Wait()
	if n := one[int](c, `select count(distinct body) from deliveries where verdict = 'accepted'`); n != 80 {
		t.Errorf("%d deliveries stored of 80", n)
	}
	if n := one[int](c, `select count(*) from river_job where kind = 'process_delivery'`); n != 80 {
		t.Errorf("%d jobs for 80 deliveries", n)
	}
}
