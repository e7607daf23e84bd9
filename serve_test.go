package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/config"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

var discard = slog.New(slog.DiscardHandler)

// settings are the site's, as the program reads them.
func (s *site) settings() config.Config {
	s.t.Helper()
	environ := map[string]string{}
	for _, pair := range s.command(nil).Env {
		name, value, _ := strings.Cut(pair, "=")
		environ[name] = value
	}
	c, err := config.Load(environ)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

const (
	alejandro = "GATA000408HTLRLLA7"
	postPID   = "postgres/data/postmaster.pid"
)

// verify asks about a person at the other vendor, whose connection and webhook the first start made too.
func (s *site) verify(text string) uuid.UUID {
	s.t.Helper()
	ctx, c := s.t.Context(), s.settings()
	opened, err := openStore(ctx, &c, discard, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer opened.close() // at once: a process that stays would take PostgreSQL over
	store := opened.db
	number, err := curp.Parse(text)
	if err != nil {
		s.t.Fatal(err)
	}
	var by audit.Actor
	if err := store.Pool().QueryRow(ctx, `select id, name from users order by id limit 1`).Scan(&by.UserID, &by.Name); err != nil {
		s.t.Fatal(err)
	}
	now := time.Now()
	uid, err := store.RequestLookup(ctx, db.NewLookup{Environment: lookup.Sandbox, Dialect: lookup.Buro, CURP: number, Platform: lookup.AllSources,
		Source: lookup.SourceForm, Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(time.Hour), NoticeVersion: "1.0", Means: "branch", Purpose: consent.PurposeCredit}}, by)
	if err != nil {
		s.t.Fatal(err)
	}
	return uid
}

// One life of a console: first start, work, a second process beside it, the end, and the next start.
func TestServe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if out, code := s.run([]string{"health"}); code != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, s.listen) {
		t.Errorf("health without a server: exit %d, %q", code, out)
	}
	first := s.start()
	if said := first.said.String(); !regexp.MustCompile(`Sandbox at http://`+s.sandbox+`: API key private_[0-9a-f_]{36}, widget [0-9a-f-]{36}, Buró API key buro_sandbox_[0-9a-f_]{36}\n`).MatchString(said) ||
		!strings.Contains(said, "Cotejo is ready at http://"+s.listen) || strings.Contains(said, adminPassword) {
		t.Errorf("printed at start:\n%s", said)
	}
	if out, code := s.run([]string{"health"}); code != 0 || out != "ready\n" {
		t.Errorf("health: exit %d, %q", code, out)
	}
	g := s.guest().signIn()
	done := g.lookup(alejandro)
	g.until(done, `data-status="success"`, `data-records="complete"`)
	verified := s.verify(alejandro)
	g.until("/lookups/"+verified.String(), `data-status="success"`, `data-records="complete"`)

	// A second one on the same port says so in one sentence, and costs no start of PostgreSQL.
	out, code := s.run([]string{"serve"})
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 1 || len(lines) != 1 || !strings.Contains(out, s.listen) || !strings.Contains(out, "COTEJO_LISTEN") {
		t.Errorf("a taken port: exit %d, %q", code, out)
	}
	// On ports of its own it joins: the same database, the same sandbox.
	beside := *s
	beside.listen, beside.metrics = free(t), free(t)
	second := beside.start()
	h := beside.guest().signIn()
	h.until(done, `data-status="success"`)
	if out, code := s.run([]string{"migrate", "status"}); code != 0 || !strings.Contains(out, "\napplied ") || strings.Contains(out, "\npending ") {
		t.Errorf("migrate status: exit %d\n%s", code, out)
	}
	out, code = s.run([]string{"user", "add", "--email", "beto@example.mx", "--role", "analyst"})
	password := regexp.MustCompile(`[a-z0-9]{26}`).FindString(out)
	if code != 0 || password == "" {
		t.Fatalf("user add: exit %d, %q", code, out)
	}
	if got, _, _ := s.guest().post("/login", url.Values{"email": {"beto@example.mx"}, "password": {password}}); got != http.StatusSeeOther {
		t.Errorf("the new user's sign-in: %d", got)
	}
	for _, bad := range [][]string{{"user", "add", "--email", "beto@example.mx", "--role", "analyst"}, {"user", "add", "--email", "x@example.mx", "--role", "king"},
		{"user", "remove"}, {"migrate", "sideways"}, {"dance"}, {"serve", "now"}} {
		if out, code := s.run(bad); code == 0 || strings.Contains(out, "panic") {
			t.Errorf("%v: exit %d, %q", bad, code, out)
		}
	}
	if code := second.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the second one ends with %d:\n%s", code, second.said)
	}
	if _, err := os.Stat(filepath.Join(s.dir, postPID)); err != nil {
		t.Error("the second one took PostgreSQL with it")
	}

	// Ctrl-C in the middle of work: what is under way is finished or taken up again, once.
	var open []string
	for range 3 {
		open = append(open, g.lookup(alejandro))
	}
	if code := first.stop(syscall.SIGINT); code != 0 {
		t.Errorf("Ctrl-C ends with %d:\n%s", code, first.said)
	}
	if strings.Contains(first.said.String(), "level=ERROR") {
		t.Errorf("errors in the log:\n%s", first.said)
	}
	if _, err := os.Stat(filepath.Join(s.dir, postPID)); !os.IsNotExist(err) {
		t.Error("PostgreSQL outlives the console")
	}

	third := s.start()
	for _, path := range append(open, done) {
		g.until(path, `data-status="success"`, `data-records="complete"`) // the session survives too
	}
	var accounts int
	ctx := t.Context()
	if err := s.database(ctx).db.Pool().QueryRow(ctx, `select count(distinct account_id) from attempts where account_id <> ''`).Scan(&accounts); err != nil || accounts != 5 {
		t.Errorf("%d accounts for five lookups, %v", accounts, err)
	}
	if code := third.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("ends with %d", code)
	}
}

// The first password goes to a file that only this user reads when nobody looks at a terminal, and goes away once used.
func TestFirstPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, "COTEJO_ADMIN_PASSWORD=", "COTEJO_SANDBOX=off", "COTEJO_METRICS_LISTEN=off")
	p := s.start()
	path := filepath.Join(s.dir, "first-password")
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("the first password's file: %v, %v", st, err)
	}
	password := strings.TrimSpace(s.read("first-password"))
	if said := p.said.String(); !strings.Contains(said, path) || strings.Contains(said, password) {
		t.Errorf("printed:\n%s", said)
	}
	g := s.guest()
	if code, _, _ := g.post("/login", url.Values{"email": {adminEmail}, "password": {password}}); code != http.StatusSeeOther {
		t.Fatalf("sign in: %d", code)
	}
	if _, body := g.get("/"); !strings.Contains(body, `action="/account/password"`) {
		t.Error("the generated password need not be changed")
	}
	p.stop(syscall.SIGTERM)
	p = s.start()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("a used password stays on the disk")
	}
	if key, err := os.Stat(filepath.Join(s.dir, "secret-key")); err == nil && key.Mode().Perm() != 0o600 {
		t.Errorf("the secret key's mode is %v", key.Mode())
	}
	p.stop(syscall.SIGTERM)
}

// All mistakes in the settings are told at once, one line each, with an example and without a secret.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out, code := s.run([]string{"serve"}, "COTEJO_LISTEN=nowhere", "COTEJO_SANDBOX_DELAY=soon", "COTEJO_WORKERS=-1",
		"COTEJO_SECRET_KEY=marked secret", "DATABASE_URL=postgres://u:marked@h:notaport/x", "COTEJO_ADMIN_EMAIL=nobody")
	if code != 1 {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"COTEJO_LISTEN", "COTEJO_SANDBOX_DELAY", "COTEJO_WORKERS", "COTEJO_SECRET_KEY", "DATABASE_URL", "COTEJO_ADMIN_EMAIL"} {
		if strings.Count(out, want+"=") != 1 {
			t.Errorf("no line with an example for %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "marked") {
		t.Errorf("a secret is printed:\n%s", out)
	}
}
