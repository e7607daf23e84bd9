package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/task"
	"cotejo/views"
)

// stuck is a console with a lookup of which the vendor's success came and was not processed: its job was given up. Beside
// it stand a delivery for somebody else's account, one that is no event, and a refused one.
func stuck(t *testing.T) (c *console, id uuid.UUID, deliveries []string) {
	t.Helper()
	c = hooked(t)
	id, _ = c.request(alejandro)
	c.exec(`update attempts set account_id = 'acc', sent_at = now(), status = 'pending'`)
	c.exec(`update lookups set status = 'pending'`)
	for _, body := range []string{`{"data":{"account_id":"acc","webhook_action":"login.success"}}`, `{"data":{"account_id":"foreign","webhook_action":"login.success"}}`, `no event`} {
		c.deliver(body).want(http.StatusOK)
		deliveries = append(deliveries, c.last("uid"))
	}
	c.exec(`delete from river_job`)
	c.stranger().do(http.MethodPut, "/hooks/"+c.token, strings.NewReader(`x`)).want(http.StatusMethodNotAllowed)
	return c, id, append(deliveries, c.last("uid"))
}

func TestReplayByFilter(t *testing.T) {
	t.Parallel()
	c, id, deliveries := stuck(t)
	b := c.as(auth.Supervisor)
	list := b.get("/deliveries?account=").want(http.StatusOK)
	path := list.attr(`a[href^="/replays/new"]`, "href")
	preview := b.get(path).want(http.StatusOK).count("[data-result]", 3).count(`[data-result="changed"]`, 3).count(`#replay-ask`, 1).
		has("3 entregas", "Cambiaría", "Quedan fuera las rechazadas (1)")
	if row := preview.doc().Find(`[data-delivery="` + deliveries[0] + `"]`).Text(); !hasAll(row, []string{"Empleo", "se está pidiendo", "En proceso", "Con resultado"}) {
		t.Errorf("the preview of the success: %s", row)
	}
	if got := one[string](c, `select status from lookups where uid = $1`, id); got != "pending" {
		t.Fatalf("a preview moved the lookup to %s", got)
	}
	form := url.Values{}
	for _, field := range preview.doc().Find(`form[action^="/replays?"] input`).EachIter() {
		name, _ := field.Attr("name")
		value, _ := field.Attr("value")
		form.Set(name, value)
	}
	begun := b.post("/replays", form).want(http.StatusSeeOther)
	page := begun.header.Get("Location")
	at := b.get(page).want(http.StatusOK).count(`#replay[data-state="running"]`, 1).count("progress[max='3'][value='0']", 1)
	if at.doc().Find(`[hx-sse\:connect="`+page+`/live"]`).Length() != 1 {
		t.Error("the page is not live")
	}
	stream := b.watchAt(page+"/live", "")
	stream.until(`data-state="running"`)
	b.post(page+"/pause", nil).to(page)
	b.get(page).has("En pausa").count(`form[action$="/resume"]`, 1).count(`form[action$="/pause"]`, 0)
	b.post(page+"/resume", nil).to(page)
	c.work()
	stream.until(`data-state="done"`, `data-result="changed"`, `hx-target="#replay-rows"`)
	done := b.get(page).want(http.StatusOK).count(`#replay[data-did="3"]`, 1).count("tr[data-result]", 3).count(`form[action$="/cancel"]`, 0)
	done.count(`[hx-sse\:connect]`, 0).has("Terminado")
	b.get(page+"?result=failed").count("tr[data-result]", 0)
	b.get(page+"?result=changed").count("tr[data-result]", 3)
	if got := one[string](c, `select status from lookups where uid = $1`, id); got != "success" {
		t.Errorf("the lookup is %s", got)
	}
	b.post(page+"/cancel", nil).to(page)
	b.get(page).has("ya estaba así o ya terminó")
	b.get("/replays").want(http.StatusOK).count("tr[data-replay]", 1)
	if n := one[int](c, `select count(*) from audit_entries where action = any($1) and actor = $2`,
		[]string{string(audit.ReplayStarted), string(audit.ReplayPaused), string(audit.ReplayResumed)}, b.user.Name); n != 3 {
		t.Errorf("%d entries on the trail", n)
	}
}

func TestReplayOfOne(t *testing.T) {
	t.Parallel()
	c, _, deliveries := stuck(t)
	b := c.as(auth.Administrator)
	path := b.get("/deliveries/"+deliveries[0]).attr(`a[href^="/replays/new"]`, "href")
	b.get(path).want(http.StatusOK).count("tr[data-result]", 1).has("Una sola entrega")
	b.get("/deliveries/"+deliveries[3]).count(`a[href^="/replays/new"]`, 0)
	b.get("/replays/new?delivery="+deliveries[3]).want(http.StatusOK).count(`form[action^="/replays?"]`, 0).has("Ninguna entrega")
	page := b.post("/replays", url.Values{"delivery": {deliveries[0]}}).want(http.StatusSeeOther).header.Get("Location")
	b.get(page).has("Una sola entrega").count("progress[max='1']", 1)
	b.post(page+"/cancel", nil).to(page)
	b.get(page).has("Cancelado").count("tr[data-result]", 0)
}

func TestReplayRefusals(t *testing.T) {
	t.Parallel()
	c, _, deliveries := stuck(t)
	b := c.as(auth.Supervisor)
	b.get("/replays").has("Todavía no se ha reprocesado nada")
	b.post("/replays", url.Values{"account": {"nobody0"}}).to("/replays/new?account=nobody0")
	b.get("/replays/new?account=nobody0").has("No había ninguna entrega", "Ninguna entrega")
	// A filter that was not applied would choose more than was meant.
	b.get("/replays/new?text="+alejandro).want(http.StatusUnprocessableEntity).lacks(alejandro).count(`form[action^="/replays?"]`, 0)
	b.get("/replays/new?text=x").want(http.StatusUnprocessableEntity)
	for _, typo := range []string{"verdict=refusd", "delivery=none", "status=x&account=nobody0", "subscription=x"} {
		b.get("/replays/new?"+typo).want(http.StatusUnprocessableEntity).has("un valor que no existe").count(`form[action^="/replays"]`, 0)
	}
	b.get("/replays/new?verdict=accepted&Tello=x").want(http.StatusUnprocessableEntity).has(spanish.T("replays.new.filter_name")).lacks("Tello").count(`form[action^="/replays"]`, 0)
	b.post("/replays", url.Values{"verdict": {"refusd"}}).want(http.StatusSeeOther)
	b.post("/replays", url.Values{"text": {"x"}, "account": {"nobody0"}}).to("/replays/new?account=nobody0")
	b.post("/replays", url.Values{"search": {uuid.NewString()}}).want(http.StatusSeeOther)
	if n := one[int](c, `select count(*) from replays`); n != 0 {
		t.Errorf("%d replays began", n)
	}
	// Of a text that was searched for, only that there was one is kept.
	day := one[string](c, `select to_char(now() at time zone 'America/Mexico_City', 'YYYY-MM-DD')`)
	these := b.get(b.sift("text=foreign&from="+day+"&to="+day)).attr(`a[href^="/replays/new"]`, "href")
	form := b.get(these).want(http.StatusOK).count("tr[data-result]", 1).has("foreign").lacks("text=").fields(`form[action^="/replays?"]`)
	if n := c.trail(audit.Searched, b.user); n != 2 {
		t.Errorf("%d searches on the trail, want that of the list and that of the preview", n)
	}
	b.post("/replays", form).want(http.StatusSeeOther)
	if got := one[string](c, `select total || ' ' || (chosen_by->>'text') from replays`); got != "1 …" {
		t.Errorf("kept: %s", got)
	}
	// The other environment has none of it.
	c.exec(`update console set environment = 'production'`)
	b.get("/replays").has("Todavía no se ha reprocesado nada")
	b.get("/replays/" + one[uuid.UUID](c, `select uid from replays`).String()).want(http.StatusNotFound)
	b.get("/replays/new?delivery=" + deliveries[0]).has("Ninguna entrega")
	analyst := c.as(auth.Analyst)
	analyst.get("/deliveries").count(`a[href^="/replays"]`, 0)
}

func TestFilterNamesAreTheFilters(t *testing.T) {
	t.Parallel()
	if got := views.DeliveryFilterNames(); !slices.Contains(got, "verdict") || len(got) != 11 {
		t.Errorf("%q", got)
	}
}

func TestJobsPage(t *testing.T) {
	t.Parallel()
	c, id, deliveries := stuck(t)
	b := c.as(auth.Administrator)
	b.get("/jobs").want(http.StatusOK).has("No hay trabajos aquí").count("tr[data-job]", 0)
	b.get("/").count("[data-dead]", 0)
	delivery := one[int64](c, `select id from deliveries where uid = $1`, uuid.MustParse(deliveries[0]))
	attempt := one[int64](c, `select id from attempts`)
	add := func(kind string, state task.State, args, fault string) int64 {
		t.Helper()
		ends := map[task.State]string{task.Discarded: "now()", task.Completed: "now()", task.Cancelled: "now()"}[state]
		if ends == "" {
			ends = "null"
		}
		errors := "null"
		if fault != "" {
			errors = `array[jsonb_build_object('attempt', 1, 'at', now(), 'error', '` + fault + `', 'trace', '')]`
		}
		return one[int64](c, `insert into river_job (kind, state, args, errors, max_attempts, attempt, finalized_at, queue, scheduled_at)
			values ($1, $2::text::river_job_state, $3, `+errors+`, 25, 25, `+ends+`, 'delivery', now() + interval '1 hour') returning id`, kind, state, args)
	}
	dead := add("process_delivery", task.Discarded, fmt.Sprintf(`{"delivery_id":%d}`, delivery), "no "+alejandro+" and 12345678901")
	waits := add("fetch_profile", task.Retryable, fmt.Sprintf(`{"attempt_id":%d,"event_id":1}`, attempt), "vendor says 503")
	done := add("tidy", task.Completed, `{}`, "")
	other := add("left_by_another", task.Scheduled, `{"who":"`+alejandro+`"}`, "")
	page := b.get("/jobs").want(http.StatusOK).count("tr[data-job]", 4).lacks(alejandro, "12345678901")
	page.has("vendor says 503", "no •••••••• and", "left_by_another", "Procesar una entrega")
	page.count(`a[href="/deliveries/`+deliveries[0]+`"]`, 1).count(`a[href="/lookups/`+id.String()+`"]`, 1)
	b.get("/jobs?state=discarded").count("tr[data-job]", 1)
	b.get("/jobs?kind=fetch_profile").count("tr[data-job]", 1)
	b.get("/jobs?state=running").count("tr[data-job]", 0)
	b.get("/").count(`[data-dead="1"] a[href="/jobs?state=discarded"]`, 1)
	state := func(id int64) string {
		t.Helper()
		return one[string](c, `select state::text from river_job where id = $1`, id)
	}
	ids := func(of ...int64) url.Values {
		form := url.Values{}
		for _, id := range of {
			form.Add("id", strconv.FormatInt(id, 10))
		}
		return form
	}
	b.post("/jobs/retry", nil).want(http.StatusSeeOther)
	b.get("/jobs").has("Marque primero algún trabajo")
	// What is done is not done again, whatever a form says.
	b.post("/jobs/retry", ids(dead, done, 1<<40)).to("/jobs")
	b.get("/jobs").has("1 trabajo corre de nuevo")
	if got := state(dead) + " " + state(done); got != "available completed" {
		t.Errorf("after the retry: %s", got)
	}
	b.post("/jobs/cancel", ids(dead, waits, done)).to("/jobs")
	if got := state(dead) + " " + state(waits) + " " + state(done) + " " + state(other); got != "cancelled cancelled completed scheduled" {
		t.Errorf("after the cancellation: %s", got)
	}
	b.post("/jobs/retry", url.Values{"all": {"on"}, "state": {"cancelled"}}).to("/jobs?state=cancelled")
	if got := state(dead) + " " + state(waits) + " " + state(other); got != "available available scheduled" {
		t.Errorf("after the retry of all: %s", got)
	}
	if got := one[string](c, `select string_agg(action || ' ' || subject, ', ' order by id) from audit_entries where action like 'job.%'`); got !=
		fmt.Sprintf("job.retried %d, job.cancelled %[1]d, job.cancelled %d, job.retried %[1]d, job.retried %[2]d", dead, waits) {
		t.Errorf("trail: %s", got)
	}
}

func TestJobsPages(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.exec(`insert into river_job (kind, state, args, max_attempts, queue) select 'tidy', 'available', '{}', 25, 'upkeep' from generate_series(1, 120)`)
	b := c.as(auth.Administrator)
	seen := map[string]bool{}
	var paths []string
	for path, ok := "/jobs?kind=tidy", true; ok; path, ok = b.get(path).doc().Find(`a[rel="next"]`).Attr("href") {
		paths = append(paths, path)
		for _, row := range b.get(path).doc().Find("tr[data-job]").EachIter() {
			id, _ := row.Attr("data-job")
			seen[id] = true
		}
	}
	if len(seen) != 120 || len(paths) != 3 {
		t.Errorf("%d jobs on %d pages", len(seen), len(paths))
	}
	back := b.get(paths[2]).attr(`a[rel="prev"]`, "href")
	if got, want := b.get(back).attr("tr[data-job]", "data-job"), b.get(paths[1]).attr("tr[data-job]", "data-job"); got != want {
		t.Errorf("the way back begins with %s, want %s", got, want)
	}
	for _, kind := range task.Kinds {
		if word := b.get("/jobs?kind=" + kind).doc().Find(`select[name=kind] option[selected]`).Text(); word == "" || word == kind {
			t.Errorf("%s has no words", kind)
		}
	}
}
