package testdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// fake is a schema of one table, counting how often it is migrated.
func fake(migrated *atomic.Int32) func(context.Context, string) error {
	return func(ctx context.Context, url string) error {
		migrated.Add(1)
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `create table kept (n int)`)
		return err
	}
}

func other(t *testing.T, key string, migrate func(context.Context, string) error) *server {
	t.Helper()
	s, err := newServer(shared(t).admin.String(), key, migrate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.template != "" {
			_ = s.exec(context.Background(), `alter database `+s.template+` is_template false`)
			s.drop(t, s.template)
		}
	})
	return s
}

func TestTemplateIsMigratedOnce(t *testing.T) {
	t.Parallel()
	var migrated atomic.Int32
	key := t.Name() + newName()
	var wg sync.WaitGroup
	for range 3 { // three test processes
		s := other(t, key, fake(&migrated))
		for range 2 { // with two tests each
			wg.Go(func() {
				name, err := s.clone(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer s.drop(t, name)
				if got := count(t, s.url(name)); got != 0 {
					t.Errorf("%d rows in a new database", got)
				}
			})
		}
	}
	wg.Wait()
	if n := migrated.Load(); n != 1 {
		t.Errorf("migrated %d times, want once", n)
	}
}

func TestHalfBuiltTemplateIsRedone(t *testing.T) {
	t.Parallel()
	var migrated atomic.Int32
	key := t.Name() + newName()
	broken := errors.New("broken off")
	s := other(t, key, func(ctx context.Context, url string) error { return broken })
	if _, err := s.clone(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("error %v, want the migration's own", err)
	}
	s = other(t, key, fake(&migrated))
	name, err := s.clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.drop(t, name)
	count(t, s.url(name))
}

func TestDatabasesAreApartAndDropped(t *testing.T) {
	t.Parallel()
	var first string
	t.Run("one", func(t *testing.T) {
		first = Empty(t)
		second := Empty(t)
		if first == second {
			t.Fatal("two tests share a database")
		}
		conn, err := pgx.Connect(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if conn, err := pgx.Connect(t.Context(), first); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the database outlives its test")
	}
}

func TestNewHasTheSchema(t *testing.T) {
	t.Parallel()
	pool := New(t)
	var queue bool
	err := pool.QueryRow(t.Context(), `select to_regclass('river_job') is not null`).Scan(&queue)
	if err != nil || !queue {
		t.Errorf("the queue's table is missing: %v", err)
	}
}

func TestNewServerRefuses(t *testing.T) {
	t.Parallel()
	if _, err := newServer("host=/tmp dbname=x", "k", nil); err == nil || !strings.Contains(err.Error(), EnvURL) {
		t.Errorf("error %v must name %s", err, EnvURL)
	}
}

// The cluster of a test process that is killed must go, and its folder with it.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "gone", "postgres", "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", sweep, "sweep", filepath.Join(dir, "gone"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the sweeper does not end")
	}
	if _, err := os.Stat(filepath.Join(dir, "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder stays: %v", err)
	}
}

func count(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Error(err)
		return -1
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), `select count(*) from kept`).Scan(&n); err != nil {
		t.Error(err)
	}
	return n
}
