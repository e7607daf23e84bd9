package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

func TestCompareDeliveries(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	send := func(body string, headers ...string) string {
		t.Helper()
		c.deliver(body, headers...).want(http.StatusOK)
		return c.last("uid")
	}
	first := send(`{"a":1,"identifier":"`+alejandro+`","n":12345678901234567890}`, "X-Api-Key", "a credential")
	second := send(`{"a":2,"identifier":"`+eduardo+`","n":12345678901234567890}`, "X-Api-Key", "another one", "X-New", "yes")
	r := b.get("/deliveries/"+first+"/compare/"+second).want(http.StatusOK).lacks(alejandro, eduardo, "a credential", "another one", c.token).
		has("12345678901234567890", "x-new: yes")
	for line, want := range map[string]int{`"a":1,`: 1, `"a":2,`: 1} {
		if n := strings.Count(r.doc().Find("[data-line=old], [data-line=new]").Text(), line); n != want {
			t.Errorf("%s is %d times among what differs, want %d", line, n, want)
		}
	}
	if n := c.trail(audit.DeliveryViewed, b.user); n != 2 {
		t.Errorf("%d views on the trail, want one of each", n)
	}
	same := b.get("/deliveries/" + first + "/compare/" + first).want(http.StatusOK)
	same.count("[data-line=old]", 0).count("[data-line=new]", 0)
	// Long bodies are compared in bounded work and shown whole.
	var one1, two strings.Builder
	for n := range 1500 {
		fmt.Fprintf(&one1, `{"left":%d},`, n)
		fmt.Fprintf(&two, `{"right":%d},`, n)
	}
	long := b.get("/deliveries/" + send("[0,"+one1.String()+"1]") + "/compare/" + send("[0,"+two.String()+"1]")).want(http.StatusOK)
	long.has(`"left":1499`, `"right":1499`)
	for _, path := range []string{first + "/compare/" + uuid.NewString(), uuid.NewString() + "/compare/" + first, first + "/compare/x"} {
		b.get("/deliveries/" + path).want(http.StatusNotFound)
	}
}

func TestCompareFiltersWithRows(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	boss := c.as(auth.Administrator)
	mine := c.subscribe(boss, "signature", "required").String()
	c.silence()
	c.deliver(`{"needle":"in 100%_of cases"}`).want(http.StatusUnauthorized)
	c.stranger().get("/hooks/" + c.token).want(http.StatusMethodNotAllowed)
	boss.post("/subscriptions/"+mine, hookForm()).to("/subscriptions/" + mine)
	c.silence()
	c.deliver(`not JSON`).want(http.StatusOK)
	c.deliver(`{"data":{"account_id":"nobody0","webhook_action":"login.success"}}`).want(http.StatusOK)
	c.deliver(`{"data":{"account_id":"nobody0","webhook_action":"login.success"}}`).want(http.StatusOK)
	lookup, attempt := c.request(alejandro)
	body := c.success(attempt)
	c.deliver(body).want(http.StatusOK)
	c.deliver(strings.Replace(body, "{", "{ ", 1)).want(http.StatusOK) // the same fact in other bytes
	c.await(`select status = 'success' from lookups where uid = $1`, lookup)
	c.await(`select count(*) = 0 from deliveries where processed_at is null and verdict <> 'refused'`)
	c.exec(`update deliveries set received_at = received_at - interval '30 days' where cause = 'method'`)
	c.exec(`update delivery_hours set hour = hour - interval '30 days' where cause = 'method'`)
	c.counted()

	today, ago := time.Now().In(time.UTC), func(days int) string { return time.Now().AddDate(0, 0, -days).Format(time.DateOnly) }
	week := "&from=" + ago(5) + "&to=" + today.AddDate(0, 0, 1).Format(time.DateOnly)
	for query, want := range map[string]int{
		"": 7, "verdict=refused": 2, "cause=signature_missing": 1, "cause=method": 1, "cause=unreadable": 1, "cause=same_bytes": 1, "cause=same_fact": 1,
		"verdict=unmatched": 1, "verdict=duplicate": 2, "verdict=duplicate&cause=same_fact": 1, "cause=nonsense": 7,
		"subscription=" + mine: 7, "subscription=" + uuid.NewString(): 0, "subscription=x": 7, "account=nobody0": 2, "action=login.success": 4,
		"text=needle" + week: 1, "text=100%25_of" + week: 1, "text=1__" + week: 0, "text=nothing+like+it" + week: 0,
		"text=needle&verdict=ignored" + week: 0,
	} {
		path := "/deliveries?" + query
		if strings.HasPrefix(query, "text=") {
			path = boss.sift(query)
		}
		if n := boss.get(path).want(http.StatusOK).count("#filter-errors", 0).doc().Find("[data-delivery]").Length(); n != want {
			t.Errorf("?%s shows %d rows, want %d", query, n, want)
		}
	}
	for name, query := range map[string]string{
		"no dates": "text=needle", "one date": "text=needle&from=" + ago(1), "eight days": "text=needle&from=" + ago(7) + "&to=" + ago(0),
		"backwards": "text=needle&from=" + ago(1) + "&to=" + ago(3), "too long": "text=" + strings.Repeat("x", 201) + week,
		"a CURP elsewhere": "account=" + alejandro, "no lookup": "lookup=x",
	} {
		form, err := url.ParseQuery(query)
		c.must(err)
		r := boss.post("/deliveries", form).want(http.StatusUnprocessableEntity)
		if got := r.attr("#f-text", "value"); got != form.Get("text") {
			t.Errorf("%s: %.60q is shown as %.60q", name, form.Get("text"), got)
		}
		if note := r.doc().Find("#filter-errors p").Length(); note != 1 {
			t.Errorf("%s: %d notes at the text", name, note)
		}
		r.lacks(alejandro, strings.ToLower(eduardo))
	}
	boss.get("/deliveries?account=" + url.QueryEscape(alejandro)).want(http.StatusOK).lacks(alejandro)
	if strings.Contains(c.log.String(), alejandro) {
		t.Error("a CURP is in the log")
	}
}
