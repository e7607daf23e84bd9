package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"cotejo/migrations"
)

// migrationLock serialises goose and River's migrator across processes. River's own takes no lock, and two of them on an
// empty database fail. The number is arbitrary and ours.
const migrationLock = 7_204_981_336

// Migrate brings the database at url to the newest schema, ours and the queue's. It may run in several processes at once.
func Migrate(ctx context.Context, url string) error {
	return migrating(ctx, url, func(goose *goose.Provider, queue *rivermigrate.Migrator[pgxTx]) error {
		if _, err := goose.Up(ctx); err != nil {
			return fmt.Errorf("migrate our schema: %w", err)
		}
		if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate the queue's schema: %w", err)
		}
		return nil
	})
}

// MigrateDown takes back our newest migration, or all of them and the queue's schema.
func MigrateDown(ctx context.Context, url string, all bool) error {
	return migrating(ctx, url, func(goose *goose.Provider, queue *rivermigrate.Migrator[pgxTx]) error {
		if !all {
			_, err := goose.Down(ctx)
			return err
		}
		if _, err := goose.DownTo(ctx, 0); err != nil {
			return err
		}
		_, err := queue.Migrate(ctx, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1})
		return err
	})
}

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrations tells which steps of our schema and of the queue's are applied.
func Migrations(ctx context.Context, url string) ([]Migration, error) {
	var list []Migration
	err := migrating(ctx, url, func(goose *goose.Provider, queue *rivermigrate.Migrator[pgxTx]) error {
		ours, err := goose.Status(ctx)
		if err != nil {
			return err
		}
		for _, m := range ours {
			list = append(list, Migration{Version: m.Source.Version, Name: m.Source.Path, Applied: !m.AppliedAt.IsZero()})
		}
		applied, err := queue.ExistingVersions(ctx)
		if err != nil {
			return err
		}
		done := map[int]bool{}
		for _, v := range applied {
			done[v.Version] = true
		}
		for _, v := range queue.AllVersions() {
			list = append(list, Migration{Version: int64(v.Version), Name: "river " + v.Name, Applied: done[v.Version]})
		}
		return nil
	})
	return list, err
}

// migrating runs do under the migration lock, on a small pool of its own: migrators that share the process's pool can
// wait for each other's connection for ever.
func migrating(ctx context.Context, url string, do func(*goose.Provider, *rivermigrate.Migrator[pgxTx]) error) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read the database address: %w", err)
	}
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer pool.Close()
	lock, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, "-- name: lock migrations\nselect pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("wait for the migration lock: %w", err)
	}
	defer func() {
		// A failed unlock ends with the connection, which goes with the pool.
		_, _ = lock.Exec(context.WithoutCancel(ctx), "-- name: unlock migrations\nselect pg_advisory_unlock($1)", int64(migrationLock))
	}()

	ours := stdlib.OpenDBFromPool(pool)
	defer ours.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, ours, migrations.Files, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	queue, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the queue's migrations: %w", err)
	}
	return do(provider, queue)
}

// SchemaKey identifies the newest schema: it changes with any migration of ours or of the queue.
func SchemaKey() string { return schemaKey(migrations.Files, newestQueue) }

func schemaKey(files fs.FS, queue int64) string {
	sum := sha256.New()
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // embedded
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	fmt.Fprintf(sum, "river %d", queue)
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// newestQueue is the queue's version that Ready expects at least.
var newestQueue = func() int64 {
	queue, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		panic(err) // the queue's own migrations are embedded
	}
	all := queue.AllVersions()
	return int64(all[len(all)-1].Version)
}()

// newestMigration is the version that Ready expects.
var newestMigration = func() int64 {
	names, _ := fs.Glob(migrations.Files, "*.sql")
	newest, err := goose.NumericComponent(names[len(names)-1])
	if err != nil {
		panic(err) // embedded
	}
	return newest
}()
