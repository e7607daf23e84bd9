package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/testdb"
	"cotejo/internal/webhook"
)

// A replay of 10,000 deliveries whose server is killed in the middle goes on at the next one's start: each delivery has
// run once, and each fact has taken effect once.
func TestReplayOutlivesItsServer(t *testing.T) {
	t.Parallel()
	s := newSite(t, "DATABASE_URL="+testdb.URL(t), "COTEJO_SECRET_KEY="+strings.Repeat("0123456789abcdef", 4), "COTEJO_METRICS_LISTEN=off", "COTEJO_SANDBOX=embedded")
	server := s.start()
	store := s.database(t.Context()).db
	exec := func(sql string) {
		t.Helper()
		_, err := store.Pool().Exec(t.Context(), sql)
		must(t, err)
	}
	by := audit.Actor{UserID: one[int64](t, store, `select min(id) from users`), Name: "test"}
	exec(`update connections set paused_at = now(), paused_code = 'test'`) // nobody calls the vendor
	person, err := curp.Parse(alejandro)
	must(t, err)
	for range 20 {
		now := time.Now()
		_, err := store.RequestLookup(t.Context(), db.NewLookup{Environment: lookup.Sandbox, Dialect: lookup.Palenca, CURP: person, Platform: lookup.IMSS, Source: lookup.SourceForm,
			Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(consent.Lifetime), NoticeVersion: "1.0", Means: "branch", Purpose: "credit"}}, by)
		must(t, err)
	}
	exec(`update attempts set status = 'pending', sent_at = now(), account_id = 'account-' || id; update lookups set status = 'pending'`)
	// As an outage leaves them: of each account 500 that nobody could match, the outcome among them.
	exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, answered, account_id, processed_at)
select 'sandbox', s.id, s.connection_id, now() - interval '1 hour' + n * interval '1 second', 'POST', '[]', convert_to(body, 'utf8'), length(body), sha256(convert_to(body || n, 'utf8')),
       'unmatched', 200, a.account_id, now()
  from attempts a join subscriptions s on s.connection_id = a.connection_id, generate_series(1, 500) n,
       lateral (select '{"data":{"account_id":"' || a.account_id || '","webhook_action":"login.' || case when n = 60 then 'success' else 'created' end || '"}}') t (body)
 order by n`)
	uid, err := store.StartReplay(t.Context(), lookup.Sandbox, webhook.ReplaySet{}, time.UTC, nil, by)
	must(t, err)
	await(t, store, uid, func(r webhook.Replay) bool { return r.Did() >= 1000 })
	must(t, server.Process.Signal(syscall.SIGKILL))
	<-server.done
	if r, err := store.Replay(t.Context(), lookup.Sandbox, uid); err != nil || r.State != webhook.ReplayRunning || r.Did() >= 10_000 {
		t.Fatalf("killed after %d, %s, %v", r.Did(), r.State, err)
	}
	// A minute passes, as far as the queue can tell.
	exec(`update river_leader set expires_at = now() - interval '1 second'; update river_job set attempted_at = attempted_at - interval '2 minutes' where state = 'running'`)
	s.start()
	r := await(t, store, uid, func(r webhook.Replay) bool { return r.State == webhook.ReplayDone })
	if r.Did() != 10_000 || r.Counts[webhook.ResultFailed] != 0 {
		t.Errorf("%d done: %+v", r.Did(), r.Counts)
	}
	for what, query := range map[string]string{
		"deliveries that did not run once":    `select count(*) from deliveries where runs <> 1`,
		"attempts without their success":      `select count(*) from attempts where status <> 'success'`,
		"attempts with other than 2 events":   `select count(*) from (select 1 from events group by attempt_id having count(*) <> 2) e`,
		"attempts not fetched for once":       `select count(*) from attempts a where 1 <> (select count(*) from river_job j where j.kind = 'fetch_employment' and j.args->>'attempt_id' = a.id::text)`,
		"stories with other than one success": `select count(*) from (select count(*) filter (where kind = 'status' and status = 'success') as n from moments group by attempt_id) m where n <> 1`,
	} {
		if n := one[int](t, store, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// await looks at a replay until it is as wanted.
func await(t *testing.T, store *db.DB, uid uuid.UUID, is func(webhook.Replay) bool) webhook.Replay {
	t.Helper()
	limit := time.After(5 * time.Minute) // thirty seconds on a machine of its own, without the race detector
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		r, err := store.Replay(t.Context(), lookup.Sandbox, uid)
		must(t, err)
		if is(r) {
			return r
		}
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("the replay stays at %d, %s", r.Did(), r.State)
		}
	}
}
