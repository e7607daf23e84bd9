package browsertest

import "testing"

// TestReplayStory has what came while nothing was processed processed again: a filter, the preview, progress that moves by
// itself, a pause, a cancellation; and finds a job that was given up.
func TestReplayStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve("COTEJO_WORKERS=0") // nothing moves before somebody works
	b := admin(t, p)
	id := b.request(people[0].curp, "SOL-1")
	s.change(`update attempts set account_id = 'acc', sent_at = now(), status = 'pending'`)
	s.change(`update lookups set status = 'pending'`)
	s.change(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, answered, account_id)
		select 'sandbox', s.id, s.connection_id, now() - interval '1 hour' + n * interval '1 second', 'POST', '[]', convert_to(body, 'utf8'), length(body), sha256(convert_to(body || n, 'utf8')),
		       'unmatched', 200, 'acc'
		  from (select id, connection_id from subscriptions where environment = 'sandbox' order by id limit 1) s, generate_series(1, 400) n,
		       lateral (select '{"data":{"account_id":"acc","webhook_action":"login.' || case when n = 1 then 'success' else 'created' end || '"}}') t (body)`)
	s.change(`update river_job set state = 'discarded', finalized_at = now(), attempt = max_attempts where kind = 'create_account'`)

	b.open("/deliveries?verdict=unmatched")
	b.leads(click(`.page__acts a[href^="/replays/new"]`))
	preview := ask[string](b, "location.pathname + location.search")
	b.says(".replay__count", "400 entregas")
	if n := b.count(`[data-result="changed"]`); n != 50 {
		t.Errorf("%d of the first 50 would change", n)
	}
	if status := value[string](s, `select status from lookups where uid = $1`, id); status != "pending" {
		t.Fatalf("the preview moved the lookup to %s", status)
	}
	b.look("replay, preview", preview, 200)
	begin := func() {
		t.Helper()
		b.leads(click(`form[action^="/replays?"] .btn--primary`))
		b.says("#replay .badge", "En curso")
	}
	begin()
	b.look("replay under way", b.path(), 200)
	b.leads(click(`form[action$="/pause"] .btn`))
	b.says("#replay .badge", "En pausa")
	b.leads(click(`form[action$="/resume"] .btn`))
	b.says("#replay .badge", "En curso")
	b.leads(click(`form[action$="/cancel"] .btn`))
	b.says("#replay .badge", "Cancelado")
	b.look("replay, cancelled", b.path(), 200)
	if n := value[int](s, `select count(*) from deliveries where runs > 0`); n != 0 {
		t.Errorf("%d deliveries ran", n)
	}

	b.open(preview)
	begin()
	ask[any](b, "window.sameDocument = true, null")
	s.serve()
	b.until(`document.querySelector("#replay").dataset.did === "400" && document.querySelectorAll("#replay-rows tr[data-result]").length === 50`)
	if !ask[bool](b, "window.sameDocument === true") {
		t.Error("the page was loaded again")
	}
	b.says("#replay .badge", "Terminado")
	if status := value[string](s, `select status from lookups where uid = $1`, id); status != "success" {
		t.Errorf("the lookup is %s", status)
	}
	b.open("/")
	b.leads(click("[data-dead] a"))
	b.says("tr[data-job]", "Pedir una consulta al proveedor")
	b.look("jobs", "/jobs", 200)
	b.look("replays", "/replays", 200)
}
