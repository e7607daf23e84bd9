// Package testdb gives every test a database of its own: a clone of a template
// that was migrated once. Test only.
//
// The server is COTEJO_TEST_DATABASE_URL if that is set (`make test` starts one
// for all packages), else a throw-away cluster per test process. Neither outlives
// the tests.
package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cotejo/db"
	"cotejo/internal/localpg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// EnvURL names the variable that points at a server for all test processes: the
// URL of any database on it, whose role may create databases.
const EnvURL = "COTEJO_TEST_DATABASE_URL"

// New returns a pool on a database of the newest schema that no other test sees.
// The pool is closed and the database dropped when the test ends. Without
// PostgreSQL the test is skipped, or fails where CI=true.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closePool(t, pool) })
	return pool
}

// closePool does not wait for ever on a connection that a test forgot to release.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() { pool.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Errorf("testdb: %d connections were never released to the pool", pool.Stat().AcquiredConns())
	}
}

// URL returns the connection string of such a database, for code that makes its
// own connections.
func URL(t testing.TB) string {
	t.Helper()
	s := shared(t)
	name, err := s.clone(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.drop(t, name) })
	return s.url(name)
}

// Empty returns the connection string of a database without any schema, for
// tests of the migrations themselves.
func Empty(t testing.TB) string {
	t.Helper()
	s := shared(t)
	name := newName()
	if err := s.exec(context.Background(), `create database `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.drop(t, name) })
	return s.url(name)
}

// server is a PostgreSQL on which databases may come and go.
type server struct {
	admin   *url.URL
	key     string // of the schema: names the template
	migrate func(ctx context.Context, url string) error

	mu       sync.Mutex
	template string // set once it is built
}

var open = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	text := os.Getenv(EnvURL)
	if text == "" {
		var err error
		if text, err = throwAway(ctx); err != nil {
			return nil, err
		}
	}
	return newServer(text, db.SchemaKey(), db.Migrate)
})

func newServer(text, key string, migrate func(context.Context, string) error) (*server, error) {
	admin, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(admin.Scheme, "postgres") {
		return nil, errors.New("testdb: " + EnvURL + " must be a postgres:// URL")
	}
	return &server{admin: admin, key: key, migrate: migrate}, nil
}

// shared is the server of this process; without one the test ends here.
func shared(t testing.TB) *server {
	t.Helper()
	s, err := open()
	switch {
	case err == nil:
	case errors.Is(err, localpg.ErrNoBinaries) && os.Getenv("CI") != "true":
		t.Skipf("SKIPPED, needs PostgreSQL: %v", err)
	default:
		t.Fatal(err)
	}
	return s
}

func (s *server) url(name string) string {
	u := *s.admin
	u.Path = "/" + name
	return u.String()
}

// clone copies the template. file_copy beats the default wal_log on a schema of
// this size: 30 ms against 47 ms.
func (s *server) clone(ctx context.Context) (string, error) {
	template, err := s.ready(ctx)
	if err != nil {
		return "", err
	}
	name := newName()
	return name, s.exec(ctx, `create database `+name+` template `+template+` strategy file_copy`)
}

// ready builds the template if no process has. Being marked as a template is the
// last step, so a half-built one from a killed process is told apart and redone.
func (s *server) ready(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.template != "" {
		return s.template, nil
	}
	sum := fnv.New64a()
	sum.Write([]byte(s.key))
	name := fmt.Sprintf("cotejo_template_%016x", sum.Sum64())

	conn, err := pgx.Connect(ctx, s.admin.String())
	if err != nil {
		return "", fmt.Errorf("testdb: %w", err)
	}
	defer conn.Close(ctx) // and with it the lock
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1)`, int64(sum.Sum64())); err != nil {
		return "", fmt.Errorf("testdb: lock the template: %w", err)
	}
	var done bool
	err = conn.QueryRow(ctx, `select datistemplate from pg_database where datname = $1`, name).Scan(&done)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("testdb: look for the template: %w", err)
	}
	if !done {
		if err := s.build(ctx, conn, name); err != nil {
			return "", fmt.Errorf("testdb: build the template: %w", err)
		}
	}
	s.template = name
	return name, nil
}

func (s *server) build(ctx context.Context, conn *pgx.Conn, name string) error {
	for _, sql := range []string{`drop database if exists ` + name + ` with (force)`, `create database ` + name} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := s.migrate(ctx, s.url(name)); err != nil {
		return err
	}
	// A template in use cannot be copied, so nobody may connect from here on.
	_, err := conn.Exec(ctx, `alter database `+name+` is_template true allow_connections false`)
	return err
}

func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.admin.String())
	if err != nil {
		return fmt.Errorf("testdb: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("testdb: %w", err)
	}
	return nil
}

func (s *server) drop(t testing.TB, name string) {
	if err := s.exec(context.Background(), `drop database if exists `+name+` with (force)`); err != nil {
		t.Error(err)
	}
}

func newName() string { return "cotejo_test_" + strings.ToLower(rand.Text()) }
