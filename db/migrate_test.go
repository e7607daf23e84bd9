package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/seal"
	"cotejo/internal/testdb"
)

// schemaOf writes down every column, constraint, index, function and trigger of a database.
func schemaOf(t *testing.T, url string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), `
select line from (
  select 'column ' || table_name || '.' || column_name || ' ' || data_type from information_schema.columns where table_schema = 'public'
  union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
   where connamespace = 'public'::regnamespace and conrelid <> 0
  union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
  union all select 'function ' || proname || ' ' || prosrc from pg_proc where pronamespace = 'public'::regnamespace
  union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal) s (line) order by line`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestMigrateUpDownUp(t *testing.T) {
	t.Parallel()
	url := testdb.Empty(t)
	if err := db.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	first := schemaOf(t, url)
	if len(first) < 200 {
		t.Fatalf("the schema has only %d parts", len(first))
	}
	if err := db.MigrateDown(t.Context(), url, true); err != nil {
		t.Fatal("down:", err)
	}
	for _, line := range schemaOf(t, url) {
		if !strings.Contains(line, "goose_db_version") {
			t.Error("left after taking everything back:", line)
		}
	}
	if err := db.Migrate(t.Context(), url); err != nil {
		t.Fatal("up again:", err)
	}
	if diff := cmp.Diff(first, schemaOf(t, url)); diff != "" {
		t.Error("the second schema differs (-first +second):\n", diff)
	}
}

func TestMigrateDownTakesOneBack(t *testing.T) {
	t.Parallel()
	url := testdb.Empty(t)
	if err := db.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	open := func() (ours, queue int) {
		list, err := db.Migrations(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			switch {
			case m.Applied:
			case strings.HasPrefix(m.Name, "river "):
				queue++
			default:
				ours++
			}
		}
		return ours, queue
	}
	if ours, queue := open(); ours != 0 || queue != 0 {
		t.Errorf("after up: %d of ours and %d of the queue's are open", ours, queue)
	}
	if err := db.MigrateDown(t.Context(), url, false); err != nil {
		t.Fatal(err)
	}
	if ours, queue := open(); ours != 1 || queue != 0 {
		t.Errorf("after one down: %d of ours and %d of the queue's are open, want 1 and 0", ours, queue)
	}
}

// A database that nobody migrated can be asked for its status, as `cotejo migrate status` does first of all.
func TestMigrationsOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	list, err := db.Migrations(t.Context(), testdb.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Applied {
			t.Errorf("%s is said to be applied", m.Name)
		}
	}
	if len(list) < 10 {
		t.Errorf("%d migrations", len(list))
	}
}

func TestMigrateByFourProcessesAtOnce(t *testing.T) {
	t.Parallel()
	url := testdb.Empty(t)
	key := seal.GenerateSecretKey()
	errs := make(chan error, 4)
	var start sync.WaitGroup
	start.Add(1)
	for range 4 {
		go func() {
			start.Wait()
			errs <- func() error {
				if err := db.Migrate(t.Context(), url); err != nil {
					return err
				}
				d, err := db.Open(t.Context(), url, nil)
				if err != nil {
					return err
				}
				defer d.Close()
				return errors.Join(d.Ready(t.Context()), d.UnlockSecrets(t.Context(), key))
			}()
		}()
	}
	start.Done()
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var keys, locks int
	if err := conn.QueryRow(t.Context(), `select (select count(*) from data_keys), (select count(*) from pg_locks
		where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()))`).Scan(&keys, &locks); err != nil {
		t.Fatal(err)
	}
	if keys != 1 || locks != 0 {
		t.Errorf("%d data keys and %d advisory locks are left, want 1 and 0", keys, locks)
	}
}

func TestSchemaKey(t *testing.T) {
	t.Parallel()
	base := fstest.MapFS{"00001_a.sql": {Data: []byte("create table a ();")}, "00002_b.sql": {Data: []byte("create table b ();")}}
	was := db.SchemaKeyOf(base, 6)
	tests := []struct {
		name  string
		files fstest.MapFS
		queue int64
		same  bool
	}{
		{"same", fstest.MapFS{"00001_a.sql": base["00001_a.sql"], "00002_b.sql": base["00002_b.sql"]}, 6, true},
		{"other files beside", fstest.MapFS{"00001_a.sql": base["00001_a.sql"], "00002_b.sql": base["00002_b.sql"], "migrations.go": {}}, 6, true},
		{"text changed", fstest.MapFS{"00001_a.sql": base["00001_a.sql"], "00002_b.sql": {Data: []byte("create table c ();")}}, 6, false},
		{"renamed", fstest.MapFS{"00001_a.sql": base["00001_a.sql"], "00003_b.sql": base["00002_b.sql"]}, 6, false},
		{"text moved between files", fstest.MapFS{"00001_a.sql": {Data: []byte("create table a ();create table b ();")}, "00002_b.sql": {}}, 6, false},
		{"one more", fstest.MapFS{"00001_a.sql": base["00001_a.sql"], "00002_b.sql": base["00002_b.sql"], "00003_c.sql": {}}, 6, false},
		{"queue newer", base, 7, false},
	}
	for _, test := range tests {
		if same := db.SchemaKeyOf(test.files, test.queue) == was; same != test.same {
			t.Errorf("%s: same key = %v, want %v", test.name, same, test.same)
		}
	}
	if k := db.SchemaKey(); len(k) != 16 || k != db.SchemaKey() {
		t.Errorf("SchemaKey() = %q", k)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	d := connect(t, url)
	if err := d.Ready(t.Context()); err != nil {
		t.Fatal("on the newest schema:", err)
	}
	for _, test := range []struct{ name, sql, back, want string }{
		{"ours behind", `delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)`,
			`insert into goose_db_version (version_id, is_applied) select max(version_id) + 1, true from goose_db_version`, "schema is at version"},
		{"queue behind", `delete from river_migration where version = ` + fmt.Sprint(db.NewestQueue),
			`insert into river_migration (line, version) values ('main', ` + fmt.Sprint(db.NewestQueue) + `)`, "queue's schema is at version"},
		{"nothing there", `drop table goose_db_version`, `select 1`, "read the schema's version"},
	} {
		if _, err := d.Pool().Exec(t.Context(), test.sql); err != nil {
			t.Fatal(err)
		}
		if err := d.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Ready() = %v, want %q in it", test.name, err, test.want)
		}
		if _, err := d.Pool().Exec(t.Context(), test.back); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnlockSecretsWithAnotherKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := connect(t, b.url)
	if _, err := other.ConnectionKey(t.Context(), b.sandbox.ID); err == nil {
		t.Error("a key was opened before UnlockSecrets")
	}
	if err := other.UnlockSecrets(t.Context(), seal.GenerateSecretKey()); !errors.Is(err, seal.ErrWrongSecretKey) {
		t.Errorf("UnlockSecrets with another key = %v, want ErrWrongSecretKey", err)
	}
}
