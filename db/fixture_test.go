package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/seal"
	"cotejo/internal/testdb"
	"cotejo/internal/webhook"
)

// Two of the vendor's published test people (docs/vendor.md#sandbox).
const (
	alejandro = "GATA000408HTLRLLA7"
	eduardo   = "LALE870908HDFRPD02"
)

// bench is a database with an analyst and one connection with its hook per environment.
type bench struct {
	*db.DB
	t                   testing.TB
	ctx                 context.Context
	url                 string
	analyst             auth.User
	by                  audit.Actor
	sandbox, production connection.Connection
	hook, liveHook      db.Subscription
}

// open gives a fresh database with unlocked secrets and nothing in it.
func open(t testing.TB) (*db.DB, string) {
	t.Helper()
	url := testdb.URL(t)
	d := connect(t, url)
	if err := d.UnlockSecrets(t.Context(), seal.GenerateSecretKey()); err != nil {
		t.Fatal(err)
	}
	return d, url
}

// connect is another process on the database at url.
func connect(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func newBench(t testing.TB) *bench {
	t.Helper()
	d, url := open(t)
	b := &bench{DB: d, t: t, ctx: t.Context(), url: url}
	b.analyst = b.user("ana@example.mx", auth.Analyst)
	b.by = audit.Actor{UserID: b.analyst.ID, Name: b.analyst.Name, IP: "192.0.2.7"}
	b.sandbox, b.hook = b.connection(lookup.Sandbox)
	b.production, b.liveHook = b.connection(lookup.Production)
	return b
}

func (b *bench) user(email string, role auth.Role) auth.User {
	b.t.Helper()
	u, err := b.AddUser(b.ctx, db.NewUser{Email: email, Name: "Ana Prueba", Role: role, Language: "es-MX", PasswordHash: "x"}, audit.Actor{Name: "test"})
	b.must(err)
	return u
}

func (b *bench) connection(env lookup.Environment) (connection.Connection, db.Subscription) {
	b.t.Helper()
	c, err := b.SaveConnection(b.ctx, connection.Connection{Environment: env, Dialect: lookup.Palenca, Name: "Palenca",
		BaseURL: "https://" + string(env) + ".example/v1", WidgetID: "w", CallsPerMinute: 120}, "private_key_of_"+string(env), b.by)
	b.must(err)
	token := "token of " + string(env)
	_, err = b.AddSubscription(b.ctx, c, "hook", token, []string{"*"})
	b.must(err)
	s, err := b.SubscriptionByToken(b.ctx, token)
	b.must(err)
	return c, s
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// exec runs a statement of the test's own.
func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	_, err := b.Pool().Exec(b.ctx, sql, args...)
	b.must(err)
}

// value reads one value by a query of the test's own.
func value[T any](b *bench, sql string, args ...any) T {
	b.t.Helper()
	var v T
	b.must(b.Pool().QueryRow(b.ctx, sql, args...).Scan(&v))
	return v
}

// refused wants a statement refused with an SQLSTATE.
func (b *bench) refused(code, sql string, args ...any) {
	b.t.Helper()
	_, err := b.Pool().Exec(b.ctx, sql, args...)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != code {
		b.t.Errorf("%s\ngave %v, want SQLSTATE %s", sql, err, code)
	}
}

func newLookup(t testing.TB, env lookup.Environment, text string) db.NewLookup {
	t.Helper()
	c, err := curp.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	return db.NewLookup{Environment: env, Dialect: lookup.Palenca, CURP: c, Platform: lookup.IMSS, Reference: "EXP-1", Source: lookup.SourceForm,
		Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(consent.Lifetime), NoticeVersion: "1.0", Means: "branch", Purpose: "credit", IP: "192.0.2.7"}}
}

// made is a lookup with its first attempt.
type made struct {
	uid, attemptUID uuid.UUID
	id, attempt     int64
}

func (b *bench) request(env lookup.Environment, text string) made {
	b.t.Helper()
	uid, err := b.RequestLookup(b.ctx, newLookup(b.t, env, text), b.by)
	b.must(err)
	m := made{uid: uid}
	b.must(b.Pool().QueryRow(b.ctx, `select l.id, a.id, a.uid from lookups l join attempts a on a.lookup_id = l.id
		where l.uid = $1 order by a.number desc limit 1`, uid).Scan(&m.id, &m.attempt, &m.attemptUID))
	return m
}

// taken is a lookup whose attempt the vendor took up under account.
func (b *bench) taken(account string) made {
	b.t.Helper()
	m := b.request(lookup.Sandbox, alejandro)
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: account, UserID: "user"}))
	return m
}

func (b *bench) receipt(body string) db.Receipt {
	return db.Receipt{Subscription: b.hook, ReceivedAt: time.Now(), RemoteAddr: "198.51.100.9", Method: "POST",
		Headers: [][2]string{{"Content-Type", "application/json"}}, Body: []byte(body), Size: int64(len(body)), Verdict: webhook.Accepted, Answer: 200}
}

// deliver stores a delivery and gives its id; every body is its own unless given.
func (b *bench) deliver(change ...func(*db.Receipt)) int64 {
	b.t.Helper()
	r := b.receipt(fmt.Sprintf(`{"body":%q}`, uuid.New()))
	for _, c := range change {
		c(&r)
	}
	uid, _, err := b.Receive(b.ctx, r)
	b.must(err)
	return value[int64](b, `select id from deliveries where uid = $1`, uid)
}

func event(action, account string, phase lookup.Phase, detail string) webhook.Event {
	return webhook.Event{Dialect: lookup.Palenca, Action: action, AccountID: account, UserID: "user",
		Report: lookup.Report{Phase: phase, Detail: detail}, Key: action + "/" + account + "/" + detail}
}

func created(account string) webhook.Event {
	return event("login.created", account, lookup.PhaseOpened, "pending_for_data")
}

func success(account string) webhook.Event {
	return event("login.success", account, lookup.PhaseSucceeded, "")
}

// tell delivers an event and applies it, and gives the delivery's id.
func (b *bench) tell(e webhook.Event, change ...func(*db.Receipt)) int64 {
	b.t.Helper()
	id := b.deliver(change...)
	b.must(b.ApplyEvent(b.ctx, id, e))
	return id
}

// at moves a receipt to another moment.
func at(when time.Time) func(*db.Receipt) { return func(r *db.Receipt) { r.ReceivedAt = when } }

func (b *bench) jobs(kind string) int {
	b.t.Helper()
	return value[int](b, `select count(*) from river_job where kind = $1`, kind)
}

func (b *bench) verdict(delivery int64) string {
	b.t.Helper()
	return value[string](b, `select verdict || ' ' || cause from deliveries where id = $1`, delivery)
}

func (b *bench) status(m made) string {
	b.t.Helper()
	return value[string](b, `select l.status || ' ' || a.status from lookups l join attempts a on a.lookup_id = l.id where a.id = $1`, m.attempt)
}
