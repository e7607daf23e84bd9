package handlers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// failedLookup is a lookup of a person by a browser, failed at the source.
func (c *console) failedLookup(b *browser, person string) (id string, attempt int64) {
	c.t.Helper()
	reply := b.post("/lookups", url.Values{"curp": {person}, "platform": {"imss"}, "consent": {"on"}}).want(http.StatusSeeOther)
	id = reply.header.Get("Location")[len("/lookups/"):]
	attempt = one[int64](c, `select a.id from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1 order by number desc limit 1`, id)
	c.must(c.AttemptTaken(c.t.Context(), attempt, db.Taken{AccountID: "account of " + id}))
	_, err := c.AnsweredLate(c.t.Context(), attempt, db.Answer{Report: lookup.Report{Phase: lookup.PhaseFailed, Detail: "service_degradation"}}, time.Now())
	c.must(err)
	return id, attempt
}

func TestAskAgain(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.connect(lookup.Sandbox, "http://127.0.0.1:1/v1", "private_x", "w")
	ana := c.as(auth.Analyst)
	id, _ := c.failedLookup(ana, alejandro)
	path := "/lookups/" + id + "/again"
	ana.get("/lookups/"+id).want(http.StatusOK).count(`#case-again[href="`+path+`"]`, 1)

	// Nothing stands against it: one button.
	page := ana.get(path).want(http.StatusOK).count("[data-limit]", 0).has("Nada se opone")
	ana.post(path, url.Values{"confirm": {page.attr("input[name=confirm]", "value")}}).to("/lookups/" + id)
	ana.get("/lookups/"+id).want(http.StatusOK).count(`#lookup[data-status=queued]`, 1).count("#case-again", 0).has("Reintento")
	ana.post(path, nil).want(http.StatusUnprocessableEntity).count(`[data-limit=open]`, 1).count(`form[action="`+path+`"] button`, 0)

	// A success under 12 hours ago: refused until it is confirmed.
	other, attempt := c.failedLookup(ana, alejandro)
	c.exec(`update attempts set status = 'success', settled_at = now() - interval '1 hour' where id = $1`, attempt)
	c.exec(`update lookups set status = 'success' where uid = $1`, other)
	again := "/lookups/" + other + "/again"
	page = ana.get(again).want(http.StatusOK).count(`[data-limit=recent_success]`, 1).has("Volver a verificar", "12 horas").
		count(`[data-limit=elsewhere] a[href="/lookups/`+id+`"]`, 1)
	ana.post(again, nil).want(http.StatusUnprocessableEntity).count(`[data-limit=recent_success]`, 1)
	if n := one[int](c, `select count(*) from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1`, other); n != 1 {
		t.Errorf("%d attempts without a confirmation", n)
	}
	ana.post(again, url.Values{"confirm": {page.attr("input[name=confirm]", "value")}}).to("/lookups/" + other)

	// The consent has ended: the form takes a new one.
	last, _ := c.failedLookup(ana, eduardo)
	c.exec(`update consents set given_at = now() - interval '2 days', expires_at = now() - interval '1 day'`)
	ended := "/lookups/" + last + "/again"
	ana.get(ended).want(http.StatusOK).count(`[data-limit=consent]`, 1).count("input[name=consent]", 1)
	ana.post(ended, nil).want(http.StatusUnprocessableEntity).count("#consent-error", 1)
	ana.post(ended, url.Values{"consent": {"on"}, "means": {"phone"}}).to("/lookups/" + last)
	if n := one[int](c, `select count(*) from audit_entries where action = 'lookup.again'`); n != 3 {
		t.Errorf("%d entries on the trail", n)
	}
}

func TestAskAgainAccess(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.connect(lookup.Sandbox, "http://127.0.0.1:1/v1", "private_x", "w")
	id, _ := c.failedLookup(c.as(auth.Analyst), alejandro)
	for _, role := range []auth.Role{auth.Auditor, auth.Developer} {
		b := c.as(role)
		b.get("/lookups/" + id + "/again").want(http.StatusForbidden)
		b.post("/lookups/"+id+"/again", nil).want(http.StatusForbidden)
	}
	boss := c.as(auth.Supervisor)
	boss.get("/lookups/" + uuid.NewString() + "/again").want(http.StatusNotFound)
	boss.post("/lookups/"+uuid.NewString()+"/again", nil).want(http.StatusNotFound)
	boss.get("/lookups/nonsense/again").want(http.StatusNotFound)
	c.exec(`update console set environment = 'production'`)
	boss.get("/lookups/" + id + "/again").want(http.StatusNotFound)
}

// What never came is listed with how it became known, to everybody who may see deliveries, and to a developer without a
// way to the person.
func TestMissingPage(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.connect(lookup.Sandbox, "http://127.0.0.1:1/v1", "private_x", "w")
	ana := c.as(auth.Analyst)
	ana.get("/missing").want(http.StatusOK).has("No falta ningún aviso")
	ana.get("/sources").want(http.StatusOK).has("Todavía no hay nada que medir")
	id, attempt := c.failedLookup(ana, alejandro)
	c.exec(`update attempts set sent_at = now() - interval '2 hours' where id = $1`, attempt)
	ana.get("/missing").want(http.StatusOK).count(`[data-missing="`+id+`"][data-settled=asking]`, 1).count(`a[href="/lookups/`+id+`"]`, 1)
	ana.get("/missing?settled=expired").want(http.StatusOK).count("[data-missing]", 0).has("Ninguno con este filtro")
	ana.get("/missing?settled=asking&dialect=palenca").want(http.StatusOK).count("[data-missing]", 1)
	ana.get("/missing?settled=x&after=nonsense").want(http.StatusOK).count("[data-missing]", 1)
	ana.get("/sources").want(http.StatusOK).count(`[data-source=imss]`, 1).has("service_degradation").lacks(alejandro)
	ana.get("/").want(http.StatusOK).count("[data-blame]", 1)
	dev := c.as(auth.Developer)
	dev.get("/missing").want(http.StatusOK).count("[data-missing]", 1).count(`td a[href^="/lookups/"], th a[href^="/lookups/"]`, 0)
	dev.get("/sources").want(http.StatusOK)
	c.stranger().get("/missing").want(http.StatusSeeOther)
}

func TestWaitsForm(t *testing.T) {
	t.Parallel()
	c := open(t)
	boss := c.as(auth.Administrator)
	if got := boss.get("/settings").want(http.StatusOK).attr("#palenca", "value"); got != "180" {
		t.Errorf("Palenca is expected after %s s", got)
	}
	form := url.Values{"palenca_expected": {"60"}, "palenca_limit": {"30"}, "buro_expected": {"480"}, "buro_limit": {"7"}}
	boss.post("/settings/waits", form).want(http.StatusUnprocessableEntity).count("#buro-error", 1).count("#palenca-error", 0)
	form.Set("buro_limit", "x")
	boss.post("/settings/waits", form).want(http.StatusUnprocessableEntity)
	form.Set("buro_limit", "90")
	boss.post("/settings/waits", form).to("/settings")
	if got := one[string](c, `select string_agg(expected_seconds || '/' || limit_seconds, ' ' order by dialect) from waits`); got != "480/5400 60/1800" {
		t.Errorf("waits are %s", got)
	}
	c.as(auth.Supervisor).post("/settings/waits", form).want(http.StatusForbidden)
}
