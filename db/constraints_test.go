package db_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// SQLSTATEs that the schema's own rules refuse with.
const (
	checkViolation      = "23514"
	foreignKeyViolation = "23503"
	restrictViolation   = "23001"
)

func TestNoAttemptWithoutLiveConsent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	now := time.Now()
	for _, test := range []struct {
		name         string
		given, until time.Time
		ok           bool
	}{
		{"live", now.Add(-time.Hour), now.Add(time.Hour), true},
		{"a clock a little ahead", now.Add(20 * time.Second), now.Add(time.Hour), true},
		{"expired", now.Add(-2 * time.Hour), now.Add(-time.Hour), false},
		{"not yet given", now.Add(time.Hour), now.Add(2 * time.Hour), false},
	} {
		n := newLookup(t, lookup.Sandbox, alejandro)
		n.Consent.GivenAt, n.Consent.ExpiresAt = test.given, test.until
		_, err := b.RequestLookup(b.ctx, n, b.by)
		var pg *pgconn.PgError
		if test.ok != (err == nil) || !test.ok && (!errors.As(err, &pg) || pg.ConstraintName != "attempts_need_consent") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if n := value[int](b, `select count(*) from lookups`); n != 2 {
		t.Errorf("%d lookups are stored, want the 2 with a live consent", n)
	}

	// What the code above might forget, the database does not: a later attempt meets the same gate.
	m := b.request(lookup.Sandbox, alejandro)
	b.exec(`update consents set given_at = now() - interval '2 days', expires_at = now() - interval '1 day' where id = (select consent_id from lookups where id = $1)`, m.id)
	b.refused(checkViolation, `insert into attempts (lookup_id, connection_id, number, source) values ($1, $2, 2, 'refresh')`, m.id, b.sandbox.ID)
}

func TestConsentOfAnotherPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, other := b.request(lookup.Sandbox, alejandro), b.request(lookup.Sandbox, eduardo)
	b.refused(foreignKeyViolation, `update lookups set consent_id = (select consent_id from lookups where id = $2) where id = $1`, one.id, other.id)
}

func TestEnvironmentsNeverCross(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	test, live := b.request(lookup.Sandbox, alejandro), b.request(lookup.Production, alejandro)

	if n := value[int](b, `select count(*) from people where curp = $1`, alejandro); n != 2 {
		t.Errorf("one CURP in both environments makes %d people, want 2", n)
	}
	for _, sql := range []string{
		`update lookups set environment = 'production' where id = $1 and 0 < $2::bigint`,
		`update lookups set person_id = (select person_id from lookups where id = $2) where id = $1`,
		`update lookups set connection_id = (select connection_id from lookups where id = $2) where id = $1`,
		`update attempts set connection_id = (select connection_id from lookups where id = $2) where lookup_id = $1`,
		`update deliveries set environment = 'production' where 0 < $1::bigint + $2::bigint`,
		`update deliveries set connection_id = (select connection_id from lookups where id = $2) where 0 < $1::bigint`,
		`update deliveries set lookup_id = $2 where 0 < $1::bigint`,
		`update subscriptions set environment = 'production' where connection_id = (select connection_id from lookups where id = $1) and 0 < $2::bigint`,
	} {
		b.deliver()
		b.refused(foreignKeyViolation, sql, test.id, live.id)
	}

	for env, want := range map[lookup.Environment]made{lookup.Sandbox: test, lookup.Production: live} {
		other := map[lookup.Environment]made{lookup.Sandbox: live, lookup.Production: test}[env]
		rows, _, _, err := b.Lookups(b.ctx, env, lookup.Filter{}, lookup.Page{Limit: 10}, time.UTC)
		b.must(err)
		if len(rows) != 1 || rows[0].UID != want.uid || rows[0].Environment != env {
			t.Errorf("the list of %s shows %v", env, rows)
		}
		rows, err = b.LookupRows(b.ctx, env, []uuid.UUID{test.uid, live.uid})
		b.must(err)
		if len(rows) != 1 || rows[0].UID != want.uid {
			t.Errorf("LookupRows of %s gives %v", env, rows)
		}
		if _, err := b.ViewLookup(b.ctx, env, other.uid, b.by); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s shows a lookup of the other side: %v", env, err)
		}
		if _, err := b.Reveal(b.ctx, env, other.uid, audit.CURPRevealed, b.by); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s reveals a CURP of the other side: %v", env, err)
		}
		if _, err := b.exportLookup(env, other.uid); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s exports a lookup of the other side: %v", env, err)
		}
	}
}

// The same account id and the same echoed attempt at the other connection match nothing.
func TestDeliveriesNeverCross(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	e := success("acc")
	e.ExternalID = m.attemptUID.String()
	id := b.tell(e, func(r *db.Receipt) { r.Subscription = b.liveHook })
	if v := b.verdict(id); v != "unmatched " {
		t.Errorf("a production delivery for a sandbox attempt is %q, want unmatched", v)
	}
	if s := b.status(m); s != "pending pending" {
		t.Errorf("the sandbox attempt is %s", s)
	}
	for env, want := range map[lookup.Environment]int{lookup.Sandbox: 0, lookup.Production: 1} {
		list, _, _, err := b.Deliveries(b.ctx, env, webhook.Filter{}, lookup.Page{Limit: 10}, time.UTC)
		b.must(err)
		if len(list) != want {
			t.Errorf("%s lists %d deliveries, want %d", env, len(list), want)
		}
		uid := value[uuid.UUID](b, `select uid from deliveries where id = $1`, id)
		_, err = b.ViewDelivery(b.ctx, env, uid, audit.DeliveryViewed, b.by)
		if (want == 1) != (err == nil) {
			t.Errorf("%s: ViewDelivery = %v", env, err)
		}
		last, err := b.LastDelivery(b.ctx, env)
		b.must(err)
		if last.IsZero() == (want == 1) {
			t.Errorf("%s: LastDelivery = %v", env, last)
		}
	}
}

func TestSetsAreClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	b.tell(success("acc"))
	for _, sql := range []string{
		`update lookups set status = 'done'`,
		`update attempts set status = 'retry'`,
		`update attempts set status = 'pending'`, // settled, so not open
		`update attempts set profile_state = 'ok'`,
		`update lookups set employment_state = ''`,
		`update lookups set source = 'api'`,
		`update deliveries set verdict = 'lost'`,
		`update deliveries set verdict = 'refused', cause = ''`,
		`update changes set what = 'records'`,
		`update users set role = 'root'`,
		`update users set email = 'Ana@example.mx'`,
		`update people set curp = lower(curp)`,
		`update consents set expires_at = given_at`,
		`update consents set means = 'word of mouth'`,
		`update console set environment = 'staging'`,
		`update connections set calls_per_minute = 121`,
		`insert into console (one, environment, institution, notice_version) values (false, 'sandbox', '', '')`,
	} {
		b.refused(checkViolation, sql)
	}
	// The schema's set and its idea of who acts next are those of package lookup.
	b.exec(`alter table attempts disable trigger all; alter table attempts drop constraint attempts_check`)
	for _, s := range lookup.Statuses {
		b.exec(`update lookups set status = $2 where id = $1`, m.id, s)
		if got := value[lookup.Actor](b, `select actor from lookups where id = $1`, m.id); got != s.Actor() {
			t.Errorf("%s: the schema says %s acts next, the code %s", s, got, s.Actor())
		}
	}
	for _, p := range lookup.PullStates {
		b.exec(`update lookups set profile_state = $2, employment_state = $2 where id = $1`, m.id, p)
	}
	for _, v := range webhook.Verdicts {
		b.exec(`update deliveries set verdict = $1, cause = 'unreadable'`, v)
	}
}

func TestPullsAreNeverEdited(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	b.must(b.StoreProfile(b.ctx, pull(m, `{}`), someProfile()))
	b.must(b.StoreEmployment(b.ctx, pull(m, `{}`), someHistory(), lookup.Gist{Records: 2}))
	for _, sql := range []string{
		`update pulls set body = ''`,
		`update profiles set first_name = 'X'`,
		`update profile_ids set value = 'X'`,
		`update employments set status = 'X'`,
		`update employment_records set monthly_salary = '1'`,
		`update employment_movements set base_salary = '1'`,
	} {
		b.refused(restrictViolation, sql)
	}
}

// Errors end up in logs: none of them may carry what the row holds.
func TestErrorsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	n := newLookup(t, lookup.Sandbox, alejandro)
	n.Platform, n.Reference = "", "the reference"
	_, err := b.RequestLookup(b.ctx, n, b.by)
	if err == nil {
		t.Fatal("a lookup without a platform was stored")
	}
	for _, secret := range []string{alejandro, n.Reference, "the reference"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
	m := b.request(lookup.Sandbox, alejandro)
	args := value[string](b, `select args::text from river_job where kind = 'create_account'`)
	if diff := cmp.Diff(value[string](b, `select jsonb_build_object('attempt_id', $1::bigint)::text`, m.attempt), args); diff != "" {
		t.Error("a job holds more than ids (-want +got):\n", diff)
	}
}
