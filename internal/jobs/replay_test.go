package jobs_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/jobs"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
	"cotejo/internal/webhook"
)

// past stores deliveries of the vendor's as an outage would have left them, 500 for each account: one that was
// processed, 489 that told the same fact, a success whose job was given up, and nine copies of that which were taken for
// foreign. Nobody calls the vendor.
func (b *bench) past(accounts int) {
	b.t.Helper()
	b.exec(`update connections set paused_at = now(), paused_code = 'test'`)
	for range accounts {
		b.request(alejandro)
	}
	b.exec(`delete from river_job`)
	b.exec(`update attempts set status = 'pending', sent_at = now(), account_id = 'account-' || id`)
	b.exec(`update lookups set status = 'pending'`)
	b.exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, cause, answered, account_id, processed_at)
		select 'sandbox', s.id, s.connection_id, now() - interval '1 day' + n * interval '1 second', 'POST', '[]', convert_to(body, 'utf8'), length(body), sha256(convert_to(body || n, 'utf8')),
		       case when n <= 491 then 'accepted' else 'unmatched' end, case when n <= 491 then '' else 'foreign' end, 200, a.account_id, case when n <> 491 then now() end
		  from subscriptions s, attempts a, generate_series(1, 500) n,
		       lateral (select '{"data":{"account_id":"' || a.account_id || '","webhook_action":"login.' || case when n <= 490 then 'created' else 'success' end || '"}}') t (body)
		 where s.connection_id = $1 order by n`, b.conn.ID)
	b.exec(`insert into events (attempt_id, key, action, phase, delivery_id, received_at)
		select a.id, '["palenca","' || a.account_id || '","login.created",null]', 'login.created', 'opened', min(d.id), min(d.received_at)
		  from deliveries d join attempts a on a.account_id = d.account_id group by a.id`)
	b.exec(`update deliveries d set event_id = e.id, lookup_id = a.lookup_id, verdict = case when e.delivery_id = d.id then 'accepted' else 'duplicate' end,
		       cause = case when e.delivery_id = d.id then '' else 'same_fact' end
		  from events e join attempts a on a.id = e.attempt_id where a.account_id = d.account_id and position('created' in convert_from(d.body, 'utf8')) > 0`)
}

// gateAt makes whoever changes a delivery wait until the gate is opened.
func (b *bench) gateAt(delivery int64) (open func()) {
	b.t.Helper()
	b.exec(`create table gate (id int primary key); insert into gate values (1)`)
	b.exec(`create function wait_at_gate() returns trigger language plpgsql as $$ begin perform id from gate for share; return new; end $$`)
	b.exec(`create trigger wait_at_gate before update on deliveries for each row when (new.id = ` + strconv.FormatInt(delivery, 10) + `) execute function wait_at_gate()`)
	gate, err := b.Pool().Begin(b.t.Context())
	b.must(err)
	_, err = gate.Exec(b.t.Context(), `select id from gate for update`)
	b.must(err)
	return func() { b.t.Helper(); b.must(gate.Commit(b.t.Context())) }
}

// waits waits until a statement with a word in it waits for a lock.
func (b *bench) waits(word string) {
	b.t.Helper()
	b.await1(func() bool {
		return one[bool](b, `select count(*) > 0 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
			and wait_event_type = 'Lock' and query like '%' || $1 || '%'`, word)
	})
}

// A process that is cut off in the middle of 2,000 leaves no delivery half done and none twice: the next one goes on.
func TestReplayIsCutOff(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.past(4)
	open := b.gateAt(one[int64](b, `select max(id) - 1000 from deliveries`))
	uid, err := b.StartReplay(t.Context(), lookup.Sandbox, webhook.ReplaySet{}, time.UTC, nil, b.by)
	b.must(err)
	first := b.work()
	b.waits("deliver") // in the middle of a batch, with effects that nobody has seen yet
	killed, cancel := context.WithCancel(t.Context())
	cancel()
	_ = first.Stop(killed)
	r := b.replayed(uid)
	if r.State != webhook.ReplayRunning || r.Did() < 100 || r.Did()%100 != 0 || r.Did() > 1900 {
		t.Fatalf("killed after %d, %s", r.Did(), r.State)
	}
	open()
	b.work()
	b.await1(func() bool { return b.replayed(uid).State == webhook.ReplayDone })

	r = b.replayed(uid)
	if r.Did() != 2000 || r.Counts[webhook.ResultChanged] != 40 || r.Counts[webhook.ResultNothing] != 1960 {
		t.Errorf("%+v", r.Counts)
	}
	for what, query := range map[string]string{
		"deliveries that did not run once":   `select count(*) from deliveries where runs <> 1`,
		"attempts without their success":     `select count(*) from attempts where status <> 'success'`,
		"attempts with other than 2 events":  `select count(*) from (select 1 from events group by attempt_id having count(*) <> 2) e`,
		"attempts not fetched for once":      `select count(*) from attempts a where 1 <> (select count(*) from river_job j where j.kind = 'fetch_employment' and j.args->>'attempt_id' = a.id::text)`,
		"changes other than one of a status": `select count(*) from (select 1 from changes c join deliveries d on d.id = c.delivery_id where what = 'status' group by d.lookup_id having count(*) <> 1) c`,
		"entries missing on the trail":       `select 40 - count(*) from audit_entries where action = 'delivery.replayed'`,
		"stories with other than one success": `select count(*) from (select count(*) filter (where kind = 'status' and status = 'success') as n
			from moments group by attempt_id) m where n <> 1`,
	} {
		if n := one[int](b, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// Paused, it stands still however long the workers look; resumed, it goes on.
func TestReplayIsPausedAndResumed(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.past(2)
	open := b.gateAt(one[int64](b, `select max(id) - 500 from deliveries`))
	uid, err := b.StartReplay(t.Context(), lookup.Sandbox, webhook.ReplaySet{}, time.UTC, nil, b.by)
	b.must(err)
	b.must(b.SwitchReplay(t.Context(), lookup.Sandbox, uid, webhook.ReplayPaused, b.by))
	b.work()
	b.await1(func() bool {
		return one[int](b, `select count(*) from river_job where kind = 'run_replay' and state = 'completed'`) == 1
	})
	if r := b.replayed(uid); r.Did() != 0 || r.State != webhook.ReplayPaused {
		t.Errorf("paused: %d done, %s", r.Did(), r.State)
	}
	b.must(b.SwitchReplay(t.Context(), lookup.Sandbox, uid, webhook.ReplayRunning, b.by))
	b.waits("deliver")
	cancelled := make(chan error)
	go func() { cancelled <- b.SwitchReplay(t.Context(), lookup.Sandbox, uid, webhook.ReplayCancelled, b.by) }()
	b.waits("replay to switch")
	open()
	b.must(<-cancelled)
	did := b.replayed(uid).Did()
	b.await1(func() bool {
		return one[int](b, `select count(*) from river_job where kind = 'run_replay' and state = 'completed'`) == 2
	})
	if r := b.replayed(uid); r.Did() != did || r.State != webhook.ReplayCancelled || did < 400 || did > 700 {
		t.Errorf("cancelled after %d: %d done, %s", did, r.Did(), r.State)
	}
}

// A delivery that could not be processed says so, in words that may be read.
func TestFailedProcessingIsNoted(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.exec(`create function trip() returns trigger language plpgsql as $$ begin
		raise exception 'GATA000408HTLRLLA7 is in the way' using errcode = 'check_violation', constraint = 'tripped'; end $$`)
	b.exec(`create trigger trip before insert on events for each row execute function trip()`)
	b.request(alejandro)
	b.exec(`delete from river_job`)
	b.exec(`update attempts set account_id = 'acc', sent_at = now(), status = 'pending'`)
	b.exec(`update lookups set status = 'pending'`)
	hook, err := b.SubscriptionByToken(t.Context(), "the-token-of-this-test")
	b.must(err)
	text := `{"data":{"account_id":"acc","webhook_action":"login.success"}}`
	_, _, err = b.Receive(t.Context(), db.Receipt{Subscription: hook, ReceivedAt: time.Now(), Method: "POST", Body: []byte(text), Size: int64(len(text)),
		Verdict: webhook.Accepted, Answer: 200})
	b.must(err)
	b.work(func(c *jobs.Config) { c.Retry = func(int) time.Duration { return time.Hour } })
	b.await(`select count(*) = 1 from river_job where kind = 'process_delivery' and errors is not null`)
	const why = "store the event: SQLSTATE 23514 (tripped)"
	if got := one[string](b, `select last_error || ' ' || runs from deliveries`); got != why+" 1" {
		t.Errorf("on the delivery: %q", got)
	}
	if got := one[string](b, `select errors[1]->>'error' from river_job where kind = 'process_delivery'`); got != why {
		t.Errorf("with the job: %q", got)
	}
}

func (b *bench) replayed(uid uuid.UUID) webhook.Replay {
	b.t.Helper()
	r, err := b.Replay(context.Background(), lookup.Sandbox, uid)
	b.must(err)
	return r
}
