package db_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

func session(id string, user int64, ends time.Duration) db.Session {
	hash := sha256.Sum256([]byte(id))
	now := time.Now().Truncate(time.Microsecond)
	return db.Session{Hash: hash[:], Data: []byte(`{"x":1}`), UserID: user, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(ends), IP: "192.0.2.1", UserAgent: "Firefox"}
}

func (b *bench) signIn(id string, user int64) db.Session {
	b.t.Helper()
	s := session(id, user, time.Hour)
	b.must(b.ReplaceSession(b.ctx, nil, s))
	return s
}

func (b *bench) alive(s db.Session) bool {
	b.t.Helper()
	_, err := b.LoadSession(b.ctx, s.Hash)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		b.t.Fatal(err)
	}
	return err == nil
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	u, err := b.AddUser(b.ctx, db.NewUser{Email: "  Luis@Example.MX ", Name: " Luis ", Role: auth.Auditor, Language: "en", PasswordHash: "hash", MustChange: true}, b.by)
	b.must(err)
	if u.Email != "luis@example.mx" || u.Name != "Luis" || !u.MustChange || !u.Active() || !u.LastSignInAt.IsZero() || u.Zone != "America/Mexico_City" {
		t.Errorf("added %+v", u)
	}
	got, hash, err := b.UserByEmail(b.ctx, "LUIS@example.mx\t")
	b.must(err)
	if diff := cmp.Diff(u, got); diff != "" || hash != "hash" {
		t.Errorf("by address: hash %q (-added +read):\n%s", hash, diff)
	}
	for _, read := range []func() (auth.User, error){
		func() (auth.User, error) { return b.User(b.ctx, u.ID) },
		func() (auth.User, error) { return b.UserByUID(b.ctx, u.UID) },
	} {
		if got, err := read(); err != nil || got != u {
			t.Errorf("read %+v, %v", got, err)
		}
	}
	if hash, err := b.PasswordHash(b.ctx, u.ID); err != nil || hash != "hash" {
		t.Errorf("password hash %q, %v", hash, err)
	}
	if _, err := b.AddUser(b.ctx, db.NewUser{Email: "luis@EXAMPLE.mx", Name: "x", Role: auth.Analyst, Language: "en"}, b.by); !errors.Is(err, db.ErrConflict) {
		t.Errorf("a taken address: %v, want ErrConflict", err)
	}
	if _, err := b.AddUser(b.ctx, db.NewUser{Email: "x@example.mx", Name: "x", Role: "root", Language: "en"}, b.by); err == nil || errors.Is(err, db.ErrConflict) {
		t.Errorf("an unknown role: %v", err)
	}
	u.Name, u.Language, u.Zone, u.Theme = "Luis B", "es-MX", "America/Tijuana", "dark"
	b.must(b.ChangeAccount(b.ctx, u, b.by))
	if got, err := b.User(b.ctx, u.ID); err != nil || got != u {
		t.Errorf("account %+v, %v", got, err)
	}
	b.must(b.ChangeUser(b.ctx, u.UID, "Luis C", auth.Analyst, b.by))
	if got := value[string](b, `select detail from audit_entries order by id desc limit 1`); got != "auditor → analyst" {
		t.Errorf("trail: %s", got)
	}
	b.must(b.DisableUser(b.ctx, u.UID, b.by))
	list, err := b.Users(b.ctx)
	b.must(err)
	if len(list) != 2 || list[1].UID != u.UID || list[1].Active() || list[1].Role != auth.Analyst {
		t.Errorf("list %+v", list)
	}
	for name, err := range map[string]error{
		"disable": b.DisableUser(b.ctx, uuid.New(), b.by), "enable": b.EnableUser(b.ctx, uuid.New(), b.by),
		"change": b.ChangeUser(b.ctx, uuid.New(), "x", auth.Analyst, b.by), "reset": b.ResetPassword(b.ctx, uuid.New(), "x", b.by),
	} {
		if !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s nobody: %v", name, err)
		}
	}
	if _, _, err := b.UserByEmail(b.ctx, "nobody@example.mx"); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("an unknown address: %v", err)
	}
}

func TestLastAdministratorStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.user("one@example.mx", auth.Administrator)
	for name, do := range map[string]func() error{
		"disable": func() error { return b.DisableUser(b.ctx, one.UID, b.by) },
		"demote":  func() error { return b.ChangeUser(b.ctx, one.UID, "One", auth.Analyst, b.by) },
	} {
		if err := do(); !errors.Is(err, db.ErrLastAdministrator) || !errors.Is(err, db.ErrConflict) {
			t.Errorf("%s: %v, want ErrLastAdministrator", name, err)
		}
	}
	b.must(b.ChangeUser(b.ctx, one.UID, "Renamed", auth.Administrator, b.by))
	// Each of two takes the other's role away at the same moment; one of them has to stay.
	for i := range 10 {
		two := b.user(uuid.NewString()+"@example.mx", auth.Administrator)
		errs := make(chan error, 2)
		go func() { errs <- b.DisableUser(b.ctx, one.UID, b.by) }()
		go func() { errs <- b.ChangeUser(b.ctx, two.UID, "Two", auth.Analyst, b.by) }()
		var refused int
		for range 2 {
			if err := <-errs; errors.Is(err, db.ErrLastAdministrator) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if n := value[int](b, `select count(*) from users where role = 'administrator' and disabled_at is null`); n != 1 || refused != 1 {
			t.Fatalf("round %d: %d administrators are left, %d changes were refused", i, n, refused)
		}
		b.must(b.EnableUser(b.ctx, one.UID, b.by))
		b.must(b.ChangeUser(b.ctx, two.UID, "Two", auth.Analyst, b.by))
	}
}

func TestFirstAdministrator(t *testing.T) {
	t.Parallel()
	d, url := open(t)
	b := &bench{DB: d, t: t, ctx: t.Context(), url: url}
	fresh, err := b.NobodySignedIn(b.ctx)
	b.must(err)
	other := connect(t, url)
	type answer struct {
		added bool
		err   error
	}
	answers := make(chan answer, 2)
	for _, process := range []*db.DB{d, other} {
		go func() {
			added, err := process.FirstAdministrator(b.ctx, " Boss@Example.mx", "hash", true)
			answers <- answer{added, err}
		}()
	}
	one, two := <-answers, <-answers
	if one.err != nil || two.err != nil || one.added == two.added {
		t.Errorf("two processes: %+v and %+v, want one to add", one, two)
	}
	u, hash, err := b.UserByEmail(b.ctx, "boss@example.mx")
	if err != nil || hash != "hash" || u.Role != auth.Administrator || !u.MustChange {
		t.Errorf("%+v, %q, %v", u, hash, err)
	}
	b.must(b.SignedIn(b.ctx, u.Email, audit.Actor{UserID: u.ID, Name: u.Name}))
	if after, err := b.NobodySignedIn(b.ctx); err != nil || !fresh || after {
		t.Errorf("nobody signed in: first %v, then %v, %v", fresh, after, err)
	}
}

func TestEndingSessions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	u := b.user("luis@example.mx", auth.Analyst)
	mine, bystander := b.signIn("mine", u.ID), b.signIn("other's", b.analyst.ID)

	second := b.signIn("second", u.ID)
	b.must(b.ChangePassword(b.ctx, u.ID, "new", mine.Hash, b.by))
	if !b.alive(mine) || b.alive(second) || !b.alive(bystander) {
		t.Error("a changed password ends the other sessions of its user and no more")
	}
	if got, _ := b.User(b.ctx, u.ID); got.MustChange {
		t.Error("a password of one's own has to be changed")
	}
	b.must(b.ResetPassword(b.ctx, u.UID, "newer", b.by))
	if got, _ := b.User(b.ctx, u.ID); !got.MustChange || b.alive(mine) || !b.alive(bystander) {
		t.Error("a reset ends all sessions and asks for a new password")
	}
	third := b.signIn("third", u.ID)
	b.must(b.DisableUser(b.ctx, u.UID, b.by))
	// A request that was under way must not bring the session back.
	if err := b.SaveSession(b.ctx, third); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("saving an ended session: %v, want ErrNotFound", err)
	}
	if err := b.TouchSession(b.ctx, third.Hash, time.Now(), time.Now().Add(time.Hour)); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("touching an ended session: %v, want ErrNotFound", err)
	}
	b.must(b.EnableUser(b.ctx, u.UID, b.by))
	if b.alive(third) {
		t.Error("an ended session came back to life")
	}
	fourth := b.signIn("fourth", u.ID)
	b.exec(`update users set disabled_at = now() where id = $1`, u.ID)
	if b.alive(fourth) {
		t.Error("a disabled user's session is alive")
	}
	b.must(b.SignedOut(b.ctx, bystander.Hash, b.by))
	if b.alive(bystander) {
		t.Error("a session outlived its sign-out")
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := db.Console{Environment: lookup.Production, Institution: "Caja Ñ", NoticeVersion: "2.0", NoticeURL: "https://x.mx", ConsentDays: 30}
	b.must(b.SetEnvironment(b.ctx, lookup.Production, b.by))
	b.must(b.SetConsole(b.ctx, want, b.by))
	if got, err := b.Console(b.ctx); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if trail := value[string](b, `select string_agg(action || ' ' || detail, ',' order by id) from audit_entries where action like 'console%'`); trail != "console.environment production,console.changed " {
		t.Errorf("trail %q", trail)
	}
}

func TestVisit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 {
		b.must(b.AttemptRefused(b.ctx, b.request(lookup.Sandbox, alejandro).attempt, lookup.CodeRejected))
	}
	b.request(lookup.Sandbox, alejandro)
	b.must(b.AttemptRefused(b.ctx, b.request(lookup.Production, alejandro).attempt, lookup.CodeRejected))
	b.must(b.PauseConnection(b.ctx, b.production.ID, lookup.CodeUnauthorized, time.Now()))
	console, err := b.Console(b.ctx)
	b.must(err)
	check := func(limit int, want db.Visit) {
		t.Helper()
		want.User, want.Console = b.analyst, console
		got, err := b.Visit(b.ctx, b.analyst.ID, limit)
		b.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("(-want +got):\n", diff)
		}
	}
	check(100, db.Visit{Waiting: 3})
	check(2, db.Visit{Waiting: 2})
	b.must(b.SetEnvironment(b.ctx, lookup.Production, b.by))
	console.Environment = lookup.Production
	check(100, db.Visit{Waiting: 1, Paused: lookup.CodeUnauthorized})
	b.must(b.DisableUser(b.ctx, b.analyst.UID, b.by))
	if _, err := b.Visit(b.ctx, b.analyst.ID, 1); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a disabled user's visit: %v", err)
	}
}
