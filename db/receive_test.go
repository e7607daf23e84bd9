package db_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func body(text string) func(*db.Receipt) {
	return func(r *db.Receipt) { r.Body, r.Size = []byte(text), int64(len(text)) }
}

func refusedFor(cause webhook.Cause) func(*db.Receipt) {
	return func(r *db.Receipt) { r.Verdict, r.Cause, r.Answer = webhook.Refused, cause, 401 }
}

func (b *bench) twinOf(delivery int64) int64 {
	return value[int64](b, `select coalesce(twin_of, 0) from deliveries where id = $1`, delivery)
}

func TestReceiveSameBytes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	start := time.Now().Add(-2 * time.Hour)
	after := func(d time.Duration) func(*db.Receipt) { return at(start.Add(d)) }
	same := body(`{"a":1}`)

	first := b.deliver(same, after(0))
	if b.verdict(first) != "accepted " || b.jobs("process_delivery") != 1 {
		t.Fatalf("a new delivery is %q with %d jobs", b.verdict(first), b.jobs("process_delivery"))
	}
	for i, d := range []time.Duration{0, 30 * time.Second, db.RetryWindow - time.Second} {
		twin := b.deliver(same, after(d))
		if b.verdict(twin) != "duplicate same_bytes" || b.twinOf(twin) != first {
			t.Errorf("copy %d is %q of %d, want a duplicate of %d", i, b.verdict(twin), b.twinOf(twin), first)
		}
	}
	if n := b.jobs("process_delivery"); n != 1 {
		t.Errorf("%d jobs, want only the first delivery's", n)
	}
	if other := b.deliver(same, after(time.Second), func(r *db.Receipt) { r.Subscription = b.liveHook }); b.verdict(other) != "accepted " {
		t.Errorf("the same bytes at another hook are %q", b.verdict(other))
	}
	// The window counts from the delivery that was taken, not from its last copy: a real second event is not swallowed.
	later := b.deliver(same, after(db.RetryWindow))
	if b.verdict(later) != "accepted " {
		t.Errorf("after the window the delivery is %q", b.verdict(later))
	}
	if twin := b.deliver(same, after(db.RetryWindow+time.Second)); b.twinOf(twin) != later {
		t.Errorf("a copy after the window is one of %d, want %d", b.twinOf(twin), later)
	}
	for range 2 {
		if id := b.deliver(body(""), after(0)); b.verdict(id) != "accepted " {
			t.Errorf("an empty delivery is %q", b.verdict(id))
		}
	}
}

// A copy that comes while its first is being read belongs to the same account: a list narrowed to it shows both.
func TestReceiveCopyOfWhatIsBeingRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.deliver(body(`{"a":1}`))
	tx, err := b.Pool().Begin(b.ctx)
	b.must(err)
	defer func() { _ = tx.Rollback(b.ctx) }()
	_, err = tx.Exec(b.ctx, `update deliveries set action = 'login.success', account_id = 'account', processed_at = now() where id = $1`, first)
	b.must(err)
	received := make(chan error)
	go func() {
		_, _, err := b.Receive(b.ctx, b.receipt(`{"a":1}`))
		received <- err
	}()
	for value[int](b, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 0 {
		select {
		case err := <-received:
			t.Fatalf("the copy did not wait: %v", err)
		case <-time.Tick(5 * time.Millisecond):
		}
	}
	b.must(tx.Commit(b.ctx))
	b.must(<-received)
	if got := value[string](b, `select action || ' ' || account_id from deliveries where twin_of = $1`, first); got != "login.success account" {
		t.Errorf("the copy is of %q", got)
	}
}

func TestReceiveRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	forged := b.deliver(body(`{"a":1}`), refusedFor("bad_token"), func(r *db.Receipt) { r.Size = 5 << 20 })
	if b.verdict(forged) != "refused bad_token" || b.jobs("process_delivery") != 0 {
		t.Errorf("a forgery is %q with %d jobs", b.verdict(forged), b.jobs("process_delivery"))
	}
	if size := value[int64](b, `select body_size from deliveries where id = $1`, forged); size != 5<<20 {
		t.Errorf("size %d, want that of the request", size)
	}
	if real := b.deliver(body(`{"a":1}`)); b.verdict(real) != "accepted " {
		t.Errorf("after a forgery of it the real delivery is %q", b.verdict(real))
	}
	if again := b.deliver(body(`{"a":1}`), refusedFor("bad_token")); b.verdict(again) != "refused bad_token" || b.twinOf(again) != 0 {
		t.Errorf("a forged copy is %q", b.verdict(again))
	}
	if _, _, err := b.Receive(b.ctx, db.Receipt{Subscription: b.hook, ReceivedAt: time.Now(), Method: "POST", Verdict: webhook.Refused}); err == nil {
		t.Error("a refusal without a cause was stored")
	}
}

// In a table that was never analysed, the search for a copy still goes by the bytes.
func TestReceiveFindsCopiesByTheirBytes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rows, err := b.Pool().Query(b.ctx, "explain "+db.ReceiveStatement, uuid.New(), "sandbox", b.hook.ID, b.hook.ConnectionID, time.Now(), "", "POST", "[]",
		nil, make([]byte, 32), webhook.Accepted, "", 200, time.Minute, []byte("x"), 1, "[]")
	b.must(err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	b.must(err)
	if plan := strings.Join(lines, "\n"); !strings.Contains(plan, "using deliveries_same_bytes") && !strings.Contains(plan, "on deliveries_same_bytes") {
		t.Error(plan)
	}
}

// Times of processes differ; no clock may keep a delivery out.
func TestReceiveWithClocksApart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, d := range []time.Duration{-100 * 24 * time.Hour, time.Hour} {
		id := b.deliver(at(time.Now().Add(d)))
		if took := value[int](b, `select answer_micros from deliveries where id = $1`, id); took < 0 {
			t.Errorf("%v off: answered in %d µs", d, took)
		}
	}
}

func TestReceiveSealsCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const secret = "Bearer eyJ-very-secret"
	exact := "{\"name\":\"\\u0000\xff\"}\x00"
	r := b.receipt(exact)
	r.Headers = [][2]string{{"X-Twice", "1"}, {"x-twice", "2\x00\xff"}, {"Content-Type", "application/json"}}
	r.Credentials = [][2]string{{"Authorization", secret}}
	uid, verdict, err := b.Receive(b.ctx, r)
	b.must(err)
	if verdict != webhook.Accepted {
		t.Errorf("verdict %s", verdict)
	}
	row := value[[]byte](b, `select convert_to(d::text, 'UTF8') || credentials_sealed || body from deliveries d where uid = $1`, uid)
	if bytes.Contains(row, []byte("very-secret")) {
		t.Error("the stored row holds the credential")
	}
	if sealed := value[int](b, `select length(credentials_sealed) from deliveries where uid = $1`, uid); sealed < len(secret) {
		t.Errorf("%d sealed bytes", sealed)
	}
	d, err := b.ViewDelivery(b.ctx, lookup.Sandbox, uid, audit.DeliveryViewed, b.by)
	b.must(err)
	want := []webhook.Header{{Name: "X-Twice", Value: "1"}, {Name: "x-twice", Value: "2\x00\uFFFD"}, {Name: "Content-Type", Value: "application/json"},
		{Name: "Authorization", Sealed: true}}
	if diff := cmp.Diff(want, d.Headers); diff != "" {
		t.Error("headers (-want +got):\n", diff)
	}
	if string(d.Body) != exact || d.Size != len(exact) || d.TokenTail != b.hook.TokenTail || d.Answered != 200 || d.RemoteAddr != "198.51.100.9" {
		t.Errorf("delivery: %+v", d)
	}
	if got := value[string](b, `select action || ' ' || subject from audit_entries order by id desc limit 1`); got != "delivery.viewed "+uid.String() {
		t.Errorf("trail: %s", got)
	}
	if _, err := b.ViewDelivery(b.ctx, lookup.Sandbox, uuid.New(), audit.DeliveryViewed, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("an unknown delivery: %v", err)
	}
}

func TestDeliveryForWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.deliver(body("no json"))
	for i, want := range []db.StoredBody{{Dialect: lookup.Palenca, Body: []byte("no json")}, {Dialect: lookup.Palenca, Body: []byte("no json"), Processed: true}} {
		got, err := b.DeliveryBody(b.ctx, id)
		b.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
		b.must(b.DeliveryUnreadable(b.ctx, id))
	}
	if v := b.verdict(id); v != "ignored unreadable" {
		t.Errorf("verdict %q", v)
	}
	if n := value[int](b, `select runs from deliveries where id = $1`, id); n != 1 {
		t.Errorf("%d runs, want 1: the second found it processed", n)
	}
	if _, err := b.DeliveryBody(b.ctx, 1<<40); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("the body of nothing: %v", err)
	}
}

// A filtered list merges the same deliveries as are found one by one, whichever way its pages are turned.
func TestDeliveriesPageBothWays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.deliver(at(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	hook := value[uuid.UUID](b, `select uid from subscriptions`)
	b.exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, cause, answered, action, account_id, processed_at, last_error)
select environment, subscription_id, connection_id, received_at + g / 5 * interval '10 minutes', method, headers, convert_to('body ' || x % 10, 'utf8'), 6, body_sha256,
       verdict, case when verdict = 'accepted' then '' when x % 3 = 0 then 'method' else 'unreadable' end, case when verdict = 'refused' then 405 else 200 end,
       (array['login.success', 'login.error', 'login.incomplete', ''])[1 + x / 5 % 4], 'account ' || x % 40, case when verdict = 'refused' or x % 3 < 2 then received_at end, case when x % 9 = 2 then 'timeout' else '' end
  from (select d.*, g, g * g % 9973 as x, (array['accepted', 'ignored', 'refused', 'accepted'])[1 + case when g < 200 then 0 else (g * g % 9973) / 2 % 4 end] as verdict
          from (select environment, subscription_id, connection_id, received_at, method, headers, body_sha256 from deliveries) d, generate_series(1, 700) g) d`)
	if n := value[int](b, `select count(*) from delivery_facets`); n < 20 {
		t.Fatalf("%d facets are merged in no time", n)
	}
	for plain, f := range map[string]webhook.Filter{
		`true`:                                      {},
		`connection_id > 0`:                         {Dialect: lookup.Palenca},
		`subscription_id > 0`:                       {Hook: hook},
		`verdict = 'accepted'`:                      {Verdict: webhook.Accepted},
		`cause = 'method'`:                          {Cause: webhook.CauseMethod},
		`action = 'login.error'`:                    {Action: "login.error"},
		`account_id = 'account 5'`:                  {Account: "account 5"},
		`answered = 405`:                            {Answered: 405},
		`processed_at is null`:                      {State: webhook.StateWaiting},
		`processed_at is null and last_error <> ''`: {State: webhook.StateFailing},
		`verdict = 'ignored' and action = 'login.success' and processed_at is not null`:                                                 {Verdict: webhook.Ignored, Action: "login.success", State: webhook.StateProcessed},
		`answered = 200 and cause = 'unreadable' and received_at < '2026-03-02'`:                                                        {Answered: 200, Cause: webhook.CauseUnreadable, To: day(2026, 3, 1)},
		`convert_from(body, 'utf8') = 'body 7'`:                                                                                         {Text: "body 7"},
		`convert_from(body, 'utf8') = 'body 7' and verdict = 'accepted' and received_at >= '2026-03-02' and received_at < '2026-03-03'`: {Text: "body 7", Verdict: webhook.Accepted, From: day(2026, 3, 2), To: day(2026, 3, 2)},
	} {
		want := value[[]int64](b, `select coalesce(array_agg(id order by received_at desc, id desc), '{}') from deliveries where `+plain)
		for _, limit := range []int{3, 50, 1000} {
			bothWays(b, plain, limit, want, func(d webhook.Delivery) lookup.Cursor { return lookup.Cursor{At: d.ReceivedAt, ID: d.ID} }, func(page lookup.Page) ([]webhook.Delivery, bool, bool, error) {
				return b.Deliveries(b.ctx, lookup.Sandbox, f, page, time.UTC)
			})
		}
	}
}

func TestDeliveriesFilter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b.deliver(at(start))
	b.exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, cause, answered, action, account_id)
select environment, subscription_id, connection_id, received_at + (g / 30) * interval '1 hour', method, headers, body, body_size, body_sha256,
       case when g % 5 = 0 then 'refused' else 'ignored' end, 'unreadable', 200, 'action ' || g % 3, 'account ' || g % 4
  from deliveries, generate_series(1, 129) g`)
	for _, test := range []struct {
		f   webhook.Filter
		sql string
	}{
		{webhook.Filter{Verdict: webhook.Refused}, `verdict = 'refused'`},
		{webhook.Filter{Action: "action 1"}, `action = 'action 1'`},
		{webhook.Filter{Account: "account 2"}, `account_id = 'account 2'`},
		{webhook.Filter{From: start.AddDate(0, 0, 1)}, `false`},
		{webhook.Filter{Verdict: "\x00", Action: "a\x00", Account: "\xff"}, `false`}, // an address may say anything
		{webhook.Filter{From: start, To: start, Verdict: webhook.Ignored, Account: "account 2"}, `verdict = 'ignored' and account_id = 'account 2'`},
	} {
		list, _, _, err := b.Deliveries(b.ctx, lookup.Sandbox, test.f, lookup.Page{Limit: 200}, time.UTC)
		b.must(err)
		if want := value[int](b, `select count(*) from deliveries where `+test.sql); len(list) != want {
			t.Errorf("%+v gives %d, want %d", test.f, len(list), want)
		}
	}
	b.exec(`insert into delivery_hours (subscription_id, hour, verdict, cause, shard, count) select subscription_id, received_at, verdict, cause, 0, count(*)
  from deliveries where verdict = 'refused' group by 1, 2, 3, 4`)
	for limit, want := range map[int]int{100: 25, 10: 10} {
		if n, err := b.RefusedSince(b.ctx, lookup.Sandbox, start, limit); err != nil || n != want {
			t.Errorf("refused, counted to %d: %d, %v", limit, n, err)
		}
	}
	if n, err := b.RefusedSince(b.ctx, lookup.Sandbox, time.Now().Add(time.Hour), 100); err != nil || n != 0 {
		t.Errorf("refused since now: %d, %v", n, err)
	}
}
