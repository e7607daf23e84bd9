package db_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/webhook"
)

func TestSessionsRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anonymous := session("a", 0, time.Hour)
	anonymous.UserAgent = "odd\x00\xff"
	b.must(b.ReplaceSession(b.ctx, nil, anonymous))
	anonymous.UserAgent = "odd\uFFFD\uFFFD"
	got, err := b.LoadSession(b.ctx, anonymous.Hash)
	b.must(err)
	if diff := cmp.Diff(anonymous, got); diff != "" {
		t.Error("(-stored +read):\n", diff)
	}
	signed := session("b", b.analyst.ID, time.Hour)
	b.must(b.ReplaceSession(b.ctx, anonymous.Hash, signed))
	if b.alive(anonymous) || !b.alive(signed) {
		t.Error("the session before a sign-in outlived it")
	}
	if err := b.ReplaceSession(b.ctx, nil, signed); err == nil {
		t.Error("one id was given to two sessions")
	}
	signed.Data, signed.SeenAt, signed.ExpiresAt = []byte("\x00\xff"), signed.SeenAt.Add(time.Minute), signed.ExpiresAt.Add(time.Minute)
	b.must(b.SaveSession(b.ctx, signed))
	if got, err := b.LoadSession(b.ctx, signed.Hash); err != nil || cmp.Diff(signed, got) != "" {
		t.Errorf("saved: %v\n%s", err, cmp.Diff(signed, got))
	}
	signed.SeenAt, signed.ExpiresAt = signed.SeenAt.Add(time.Minute), signed.ExpiresAt.Add(time.Minute)
	b.must(b.TouchSession(b.ctx, signed.Hash, signed.SeenAt, signed.ExpiresAt))
	if got, err := b.LoadSession(b.ctx, signed.Hash); err != nil || cmp.Diff(signed, got) != "" {
		t.Errorf("touched: %v\n%s", err, cmp.Diff(signed, got))
	}
	for range 2 {
		b.must(b.DeleteSession(b.ctx, signed.Hash))
	}
	old := session("c", b.analyst.ID, -time.Second)
	b.must(b.ReplaceSession(b.ctx, nil, old))
	if b.alive(signed) || b.alive(old) {
		t.Error("a deleted or expired session is found")
	}
}

func TestSignInWait(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const email, ip = "ana@example.mx", "192.0.2.7"
	check := func(name, email, ip string, waits bool, left int) {
		t.Helper()
		wait, got, err := b.SignInWait(b.ctx, email, ip)
		b.must(err)
		if waits != (wait > 0) || wait > db.FailureWindow || got != left {
			t.Errorf("%s: wait %v, %d left; want a wait: %v, %d left", name, wait, got, waits, left)
		}
	}
	fail := func(email, ip string) { b.must(b.SignInFailed(b.ctx, email, 0, audit.Actor{IP: ip})) }

	check("at first", email, ip, false, 5)
	for range 4 {
		fail(email, ip)
	}
	check("after four", email, ip, false, 1)
	b.must(b.SignInFailed(b.ctx, email, b.analyst.ID, audit.Actor{IP: ip}))
	check("after five", email, ip, true, 0)
	check("in capitals", " ANA@example.mx", ip, true, 0)
	check("from elsewhere", email, "203.0.113.1", true, 0)
	check("someone else beside", "otra@example.mx", ip, false, 5)
	if n := value[int](b, `select count(*) from audit_entries where action = 'session.sign_in_failed'`); n != 1 {
		t.Errorf("%d failures on the trail, want the one of a known user", n)
	}
	if leaks := value[int](b, `select count(*) from audit_entries e where e::text like '%ana@%'`); leaks != 0 {
		t.Error("the trail holds the address typed")
	}

	// The wait ends when the oldest of the failures that count has left the window, however many came before.
	b.exec(`update sign_in_failures set failed_at = clock_timestamp() - interval '14 minutes'`)
	fail(email, ip)
	wait, _, err := b.SignInWait(b.ctx, email, ip)
	b.must(err)
	if wait > time.Minute || wait < 50*time.Second {
		t.Errorf("after five old failures and a new one: wait %v, want one minute", wait)
	}
	for range 3 {
		fail(email, ip)
	}
	b.must(b.SignedIn(b.ctx, " Ana@Example.mx", b.by))
	check("after a success", email, ip, false, 5)
	if u, err := b.User(b.ctx, b.analyst.ID); err != nil || u.LastSignInAt.IsZero() {
		t.Errorf("last sign-in %v, %v", u.LastSignInAt, err)
	}

	for i := range 50 {
		fail(fmt.Sprintf("user%d@example.mx", i), "198.51.100.1")
	}
	check("an address after fifty", "new@example.mx", "198.51.100.1", true, 0)
	check("another address", "new@example.mx", "198.51.100.2", false, 5)
	for i := range 50 {
		fail(fmt.Sprintf("one%d@example.mx", i), fmt.Sprintf("2001:db8:0:1::%x", i+1))
	}
	check("the network after fifty from its addresses", "new@example.mx", "2001:db8:0:1:ffff::1", true, 0)
	check("another network", "new@example.mx", "2001:db8:0:2::1", false, 5)
	b.exec(`update sign_in_failures set failed_at = failed_at - interval '15 minutes'`)
	check("when the window has passed", "new@example.mx", "198.51.100.1", false, 5)
}

func TestTidy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	now := time.Now()
	with := func(r *db.Receipt) { r.Credentials = [][2]string{{"Authorization", "Bearer x"}} }
	oldest, recent := b.deliver(with, at(now.Add(-db.CredentialsKept-time.Minute))), b.deliver(with, at(now.Add(-db.CredentialsKept+time.Hour)))
	stranger, fresh := b.tell(created("a"), at(now.Add(-25*time.Hour))), b.tell(created("b"), at(now.Add(-23*time.Hour)))
	ended, late, alive := session("ended", 0, -13*time.Hour), session("late", b.analyst.ID, -time.Minute), session("alive", b.analyst.ID, time.Hour)
	b.must(b.ReplaceSession(b.ctx, nil, ended))
	b.must(b.ReplaceSession(b.ctx, nil, late))
	b.must(b.ReplaceSession(b.ctx, nil, alive))
	b.must(b.SignInFailed(b.ctx, "a@example.mx", 0, audit.Actor{}))
	b.exec(`update sign_in_failures set failed_at = failed_at - $1::interval`, db.FailureWindow)
	b.must(b.SignInFailed(b.ctx, "b@example.mx", 0, audit.Actor{}))

	for range 2 {
		b.must(b.Tidy(b.ctx))
		has := func(id int64) bool {
			return value[bool](b, `select credentials_sealed is not null from deliveries where id = $1`, id)
		}
		if has(oldest) || !has(recent) {
			t.Errorf("credentials: old %v, recent %v", has(oldest), has(recent))
		}
		if b.verdict(stranger) != "unmatched "+string(webhook.CauseForeign) || b.verdict(fresh) != "unmatched " {
			t.Errorf("unmatched: old %q, recent %q", b.verdict(stranger), b.verdict(fresh))
		}
		if n := value[int](b, `select count(*) from sessions`); n != 2 || !b.alive(alive) || b.alive(late) {
			t.Errorf("%d sessions", n)
		}
		// One that ended a short while ago opens nothing, and still tells whose it was.
		if id, err := b.EndedSession(b.ctx, late.Hash); err != nil || id != b.analyst.ID {
			t.Errorf("the session that ended was that of %d, %v", id, err)
		}
		for _, s := range []db.Session{ended, alive} {
			if id, err := b.EndedSession(b.ctx, s.Hash); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("a session that lives, or is gone, has ended for %d, %v", id, err)
			}
		}
		if n := value[int](b, `select count(*) from sign_in_failures`); n != 2 {
			t.Errorf("%d failures, want the two keys of the recent one", n)
		}
	}
	// A step that fails keeps no other from its turn, and more than one batch goes at once.
	b.exec(`insert into sign_in_failures (key, failed_at) select 'x', now() - interval '1 day' from generate_series(1, 5001)`)
	b.exec(`alter table sessions rename to elsewhere`)
	if err := b.Tidy(b.ctx); err == nil || value[int](b, `select count(*) from sign_in_failures`) != 2 {
		t.Errorf("with one table gone: %v, and %d failures are left", err, value[int](b, `select count(*) from sign_in_failures`))
	}
	b.exec(`alter table elsewhere rename to sessions`)
	// Tokens go when no delivery that came with them can be verified again.
	b.exec(`insert into subscription_secrets (uid, subscription_id, kind, name, sealed, tail, raw, hash) select gen_random_uuid(), id, 'client', 'c', 'x', '', false, sha256('x') from subscriptions limit 1`)
	b.exec(`insert into hook_tokens (hash, secret_id, expires_at) select sha256(d::text::bytea), (select max(id) from subscription_secrets), now() - d * interval '1 day' + interval '1 hour' from generate_series(7, 9) d`)
	b.must(b.Tidy(b.ctx))
	if n := value[int](b, `select count(*) from hook_tokens`); n != 2 {
		t.Errorf("%d tokens are left, want those of the last eight days", n)
	}
	// Settled as foreign, a delivery is claimed no more.
	m := b.request("sandbox", alejandro)
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: "a"}))
	if v := b.verdict(stranger); v != "unmatched foreign" {
		t.Errorf("a foreign delivery became %q", v)
	}
}
