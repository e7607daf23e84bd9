package db_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

func TestTakeTokenIsShared(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := connect(t, b.url) // another process
	// A rate so low that nothing flows in during the test; a full bucket holds a quarter of a minute's calls.
	for _, test := range []struct{ perMinute, holds int }{{40, 10}, {3, 1}} {
		b.exec(`update connections set calls_per_minute = $2, tokens = 1000, refilled_at = clock_timestamp() where id = $1`, b.sandbox.ID, test.perMinute)
		began := time.Now()
		var got atomic.Int64
		var all sync.WaitGroup
		for i := range 40 {
			d := []*db.DB{b.DB, other}[i%2]
			all.Go(func() {
				wait, err := d.TakeToken(b.ctx, b.sandbox.ID)
				if err != nil {
					t.Error(err)
				}
				if wait == 0 {
					got.Add(1)
				}
				if most := time.Minute * 4 / 3 / time.Duration(test.perMinute); wait < 0 || wait > most {
					t.Errorf("wait of %v, want at most one call's %v", wait, most)
				}
			})
		}
		all.Wait()
		most := int64(test.holds) + int64(time.Since(began).Minutes()*float64(test.perMinute)) + 1
		if n := got.Load(); n < int64(test.holds) || n > most {
			t.Errorf("%d a minute: a burst of %d got through, want %d to %d", test.perMinute, n, test.holds, most)
		}
	}
	if _, err := b.TakeToken(b.ctx, 1<<40); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a token of nothing: %v", err)
	}
}

// Keys that refer to a connection are checked all the time; callers in a row for its bucket must not deadlock over that.
func TestTakeTokenBesideForeignKeys(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := connect(t, b.url)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for range 40 {
				if _, err := []*db.DB{b.DB, other}[i%2].TakeToken(b.ctx, b.sandbox.ID); err != nil {
					t.Error(err)
					return
				}
			}
		})
		all.Go(func() {
			for range 40 {
				_, err := b.Pool().Exec(b.ctx, `with held as materialized (select id from connections where id = $1 for key share) select pg_sleep(0.003) from held`, b.sandbox.ID)
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestTakeTokenRefills(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(`update connections set calls_per_minute = 60, tokens = 0, refilled_at = clock_timestamp() where id = $1`, b.sandbox.ID)
	wait, err := b.TakeToken(b.ctx, b.sandbox.ID)
	b.must(err)
	if wait <= 0 || wait > 4*time.Second/3 {
		t.Errorf("an empty bucket asks for %v, want the time of one call at most", wait)
	}
	b.exec(`update connections set refilled_at = clock_timestamp() - interval '1 hour' where id = $1`, b.sandbox.ID)
	var n int
	for ; wait > 0 || n == 0; n++ { // an hour fills it to 15 and no further
		if wait, err = b.TakeToken(b.ctx, b.sandbox.ID); err != nil || wait > 0 {
			t.Fatalf("after an hour: wait %v, %v", wait, err)
		}
	}
	for ; wait == 0 && n < 30; n++ {
		wait, err = b.TakeToken(b.ctx, b.sandbox.ID)
		b.must(err)
	}
	if n < 15 || n > 20 {
		t.Errorf("an hour's rest let %d calls through, want 15 and those of the time it took", n)
	}
}

func TestHoldCalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(`update connections set tokens = 20, refilled_at = clock_timestamp()`)
	b.must(b.HoldCalls(b.ctx, b.sandbox.ID, time.Now().Add(40*time.Second)))
	b.must(b.HoldCalls(b.ctx, b.sandbox.ID, time.Now().Add(10*time.Second))) // an earlier one does not shorten it
	wait, err := b.TakeToken(b.ctx, b.sandbox.ID)
	b.must(err)
	if wait < 30*time.Second || wait > 41*time.Second {
		t.Errorf("wait %v, want about 40 s", wait)
	}
	if left := value[float64](b, `select tokens from connections where id = $1`, b.sandbox.ID); left < 20 {
		t.Errorf("a call that was held back cost a token: %v left", left)
	}
	if wait, err := b.TakeToken(b.ctx, b.production.ID); err != nil || wait != 0 {
		t.Errorf("the other connection waits %v, %v", wait, err)
	}
	b.exec(`update connections set blocked_until = clock_timestamp() - interval '1 second'`)
	if wait, err := b.TakeToken(b.ctx, b.sandbox.ID); err != nil || wait != 0 {
		t.Errorf("after the hold: wait %v, %v", wait, err)
	}
}

// A price is kept with who set it and when, as long as it is the same; what it became is on the trail.
func TestPriceOfAConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.sandbox
	if !cmp.Equal(c.Price, connection.Price{Currency: connection.Pesos}) {
		t.Fatalf("a price that nobody set: %+v", c.Price)
	}
	save := func(p connection.Price, by audit.Actor) connection.Price {
		t.Helper()
		c.Price = p
		var err error
		c, err = b.SaveConnection(b.ctx, c, "", by)
		b.must(err)
		return c.Price
	}
	first := save(connection.Price{Amount: "12.50", Currency: "MXN"}, b.by)
	if first.Amount != "12.50" || first.Currency != "MXN" || first.SetBy != b.analyst.Name || time.Since(first.SetAt) > time.Minute {
		t.Errorf("set: %+v", first)
	}
	if same := save(first, audit.Actor{Name: "cotejo"}); !cmp.Equal(same, first) {
		t.Errorf("the same price became %+v", same)
	}
	if usd := save(connection.Price{Amount: "12.50", Currency: "USD"}, audit.Actor{Name: "cotejo"}); usd.Currency != "USD" || usd.SetBy != "" || !usd.SetAt.After(first.SetAt) {
		t.Errorf("another currency: %+v", usd)
	}
	if none := save(connection.Price{Currency: "USD"}, b.by); !cmp.Equal(none, connection.Price{Currency: "USD"}) {
		t.Errorf("taken away: %+v", none)
	}
	want := "sandbox price 12.50 MXN,sandbox,sandbox price 12.50 USD,sandbox price none USD"
	if got := value[string](b, `select string_agg(detail, ',' order by id) from audit_entries where action = 'connection.changed'`); got != want {
		t.Errorf("the trail says %q", got)
	}
	for _, bad := range []string{"1,5", "-1", "1e3", "01", ".5", "1.", "1000000000", "1.00001"} {
		b.refused(checkViolation, `update connections set price = '`+bad+`', priced_at = now()`)
	}
	b.refused(checkViolation, `update connections set price = '1'`)
	b.refused(checkViolation, `update connections set currency = 'peso'`)
}

func TestSaveConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	key := func() string {
		k, err := b.ConnectionKey(b.ctx, b.sandbox.ID)
		b.must(err)
		return k
	}
	sealed := func() []byte {
		return value[[]byte](b, `select key_sealed from connections where id = $1`, b.sandbox.ID)
	}
	first := sealed()
	if key() != "private_key_of_sandbox" || bytes.Contains(first, []byte("private_key")) || b.sandbox.KeyTail != "dbox" {
		t.Errorf("key %q, tail %q", key(), b.sandbox.KeyTail)
	}
	b.must(b.PauseConnection(b.ctx, b.sandbox.ID, lookup.CodeUnauthorized, time.Now()))
	b.must(b.HoldCalls(b.ctx, b.sandbox.ID, time.Now().Add(time.Hour)))

	c := b.sandbox
	c.Name, c.CallsPerMinute = "Otra", 60
	got, err := b.SaveConnection(b.ctx, c, "", b.by)
	b.must(err)
	if got.Name != "Otra" || got.CallsPerMinute != 60 || got.KeyTail != "dbox" || !got.Paused() || got.PausedCode != lookup.CodeUnauthorized || got.ChangedBy != b.analyst.Name {
		t.Errorf("saved without a key: %+v", got)
	}
	if !bytes.Equal(first, sealed()) {
		t.Error("an empty key changed the sealed one")
	}

	got, err = b.SaveConnection(b.ctx, c, "private_another_key", b.by)
	b.must(err)
	if got.ID != b.sandbox.ID || got.UID != b.sandbox.UID || got.Paused() || got.PausedCode != "" || got.KeyTail != "_key" || key() != "private_another_key" {
		t.Errorf("saved with a key: %+v", got)
	}
	if wait, err := b.TakeToken(b.ctx, b.sandbox.ID); err != nil || wait > time.Minute {
		t.Errorf("a new key left calls held for %v, %v", wait, err)
	}
	if _, err := b.SaveConnection(b.ctx, connection.Connection{Environment: lookup.Sandbox, Dialect: lookup.Buro, Name: "n", CallsPerMinute: 1}, "", b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a new connection without a key: %v", err)
	}
	short, err := b.SaveConnection(b.ctx, connection.Connection{Environment: lookup.Sandbox, Dialect: lookup.Buro, Name: "n", CallsPerMinute: 1}, "short", b.by)
	b.must(err)
	if short.KeyTail != "" {
		t.Errorf("the tail %q gives most of a short key away", short.KeyTail)
	}
	want := "connection.added,connection.added,connection.changed,connection.changed,connection.added"
	if trail := value[string](b, `select string_agg(action, ',' order by id) from audit_entries where action like 'connection%'`); trail != want {
		t.Errorf("trail %s, want %s", trail, want)
	}
	if leaks := value[int](b, `select count(*) from audit_entries e where e::text like '%private_%'`); leaks != 0 {
		t.Error("the trail holds a key")
	}
}

func TestKeysStayWhereTheyAreSealed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(`update connections set key_sealed = (select key_sealed from connections where environment = 'sandbox') where environment = 'production'`)
	if key, err := b.ConnectionKey(b.ctx, b.production.ID); err == nil {
		t.Errorf("a sandbox key opens for production: %q", key)
	}
	b.exec(`update subscriptions set token_sealed = (select token_sealed from subscriptions where environment = 'sandbox') where environment = 'production'`)
	if _, token, err := b.HookToken(b.ctx, b.production.ID); err == nil {
		t.Errorf("a token opens for another hook: %q", token)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(b.PauseConnection(b.ctx, b.sandbox.ID, lookup.CodeUnauthorized, time.Now()))
	first, err := b.Connection(b.ctx, lookup.Sandbox, lookup.Palenca)
	b.must(err)
	b.must(b.PauseConnection(b.ctx, b.sandbox.ID, lookup.CodeForbidden, time.Now()))
	again, err := b.ConnectionByID(b.ctx, b.sandbox.ID)
	b.must(err)
	if !first.Paused() || !again.PausedAt.Equal(first.PausedAt) || again.PausedCode != lookup.CodeForbidden {
		t.Errorf("paused at %v (%s), then %v (%s)", first.PausedAt, first.PausedCode, again.PausedAt, again.PausedCode)
	}
	b.must(b.ResumeConnection(b.ctx, again, b.by))
	if c, err := b.ConnectionByID(b.ctx, b.sandbox.ID); err != nil || c.Paused() || c.PausedCode != "" {
		t.Errorf("after resume: %+v, %v", c, err)
	}
	if _, err := b.Connection(b.ctx, lookup.Production, lookup.Buro); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a connection that is not there: %v", err)
	}
	// A call made with the old key is refused after the new one was entered: that says nothing of the new one.
	renewed, err := b.SaveConnection(b.ctx, again, "private_key_that_is_new", b.by)
	b.must(err)
	b.must(b.PauseConnection(b.ctx, again.ID, lookup.CodeUnauthorized, again.ChangedAt))
	if c, err := b.ConnectionByID(b.ctx, again.ID); err != nil || c.Paused() {
		t.Errorf("paused for the key that it had before: %+v, %v", c, err)
	}
	b.must(b.PauseConnection(b.ctx, again.ID, lookup.CodeUnauthorized, renewed.ChangedAt))
	if c, err := b.ConnectionByID(b.ctx, again.ID); err != nil || !c.Paused() {
		t.Errorf("not paused for its own key: %+v, %v", c, err)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uid, token, err := b.HookToken(b.ctx, b.sandbox.ID)
	b.must(err)
	if token != "token of sandbox" || b.hook.Environment != lookup.Sandbox || !b.hook.Active || b.hook.TokenTail != "dbox" {
		t.Errorf("token %q, hook %+v", token, b.hook)
	}
	row := value[string](b, `select s::text || encode(s.token_sealed, 'escape') from subscriptions s where uid = $1`, uid)
	if strings.Contains(row, token) {
		t.Error("the stored row holds the token")
	}
	b.must(b.SubscriptionRegistered(b.ctx, uid, "vendor id"))
	received := time.Now().Add(-time.Minute)
	b.deliver(at(received))
	c, err := b.ConnectionByID(b.ctx, b.sandbox.ID)
	b.must(err)
	s := c.Subscription
	if s.UID != uid || s.VendorID != "vendor id" || s.RegisteredAt.IsZero() || s.LastDeliveryAt.Sub(received).Abs() > time.Millisecond {
		t.Errorf("subscription %+v", s)
	}
	for _, unknown := range []string{"", "token", "token of sandbox "} {
		if _, err := b.SubscriptionByToken(b.ctx, unknown); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("token %q: %v", unknown, err)
		}
	}
}
