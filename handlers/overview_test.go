package handlers_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"cotejo/internal/auth"
)

// The number beside a cause of failure is that of the lookups behind its link.
func TestCausesLeadToTheirLookups(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	for range 3 {
		c.request(alejandro)
	}
	c.exec(`update lookups set status = 'error', detail = 'service_degradation'`)
	// One of them is older than what is counted, and none of its list.
	c.exec(`update failure_days set count = count - 1 where status = 'error'`)
	c.exec(`update lookups set requested_at = now() - interval '40 days' where id = (select min(id) from lookups)`)
	b := c.as(auth.Analyst)
	page := b.get("/").want(http.StatusOK).count(".cause", 1).count("#more-failures", 0)
	n, err := strconv.Atoi(strings.Fields(page.doc().Find(".cause__n").Text())[0])
	if href := page.attr(".cause__n", "href"); err != nil || n != 2 || !strings.Contains(href, "from=") {
		t.Errorf("%d lookups at %s: %v", n, href, err)
	} else {
		b.get(href).want(http.StatusOK).count("tr[data-row]", n)
	}
	// Codes are an open set: that there are more causes than fit is said.
	c.exec(`insert into failure_days (environment, west, day, status, detail, platform, shard, count)
	        select 'sandbox', 6, failure_day(now(), 6), 'error', 'cause_' || n, 'imss', 0, 1 from generate_series(1, 60) n`)
	b.get("/").count(".cause", 50).count("#more-failures", 1)
	// The counters know the number, however large.
	c.exec(`update failure_days set count = 12345 where detail = 'cause_60'`)
	if n := strings.Fields(b.get("/").doc().Find(".cause__n").First().Text())[0]; n != "12,345" {
		t.Errorf("12,345 lookups with one cause are shown as %s", n)
	}
}
