// Package bench measures Cotejo on the machine it runs on: a new PostgreSQL with its usual durability, the console as a
// process of its own, and a client in this one. Next to each figure stands the limit of the same machine in the same
// run, so that a slow or busy machine shows as such and not as a slow console. Its SQL is here and not in package db: it
// is what the limits are made of, and part of no program that serves.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/localpg"
	"cotejo/internal/lookup"
	"cotejo/internal/seal"
	"cotejo/internal/seed"
)

// Options say what to measure.
type Options struct {
	Serve []string // the command line that serves the console
	Bare  []string // the command line that serves ServeBare
	Quick bool     // small data and short runs: shows that the bench runs, not how fast Cotejo is
	PGBin string   // folder of initdb and postgres; empty: looked for
	// Lookups and Deliveries of the larger database; 0: 200,000, five deliveries to a lookup. The smaller one has 10,000, or a
	// twentieth if that is less.
	Lookups, Deliveries int
	// Dir keeps the databases, so that another run of the same sizes need not load them again; empty: they are removed.
	Dir string
	// Fill adds invented lookups to the sandbox of a database.
	Fill    func(ctx context.Context, store *db.DB, plan seed.Plan) error
	Log     io.Writer // progress
	Version string
}

// size is how much a run measures.
type size struct {
	small, large int // lookups of the two databases compared
	each         int // deliveries to a lookup
	asks         int // of each question
	every        int // of so many questions one is asked
	burst        time.Duration
	repeats      int
	pages        int // requests of each page
	changes      int // changes watched
	rows         int // of a CSV
	clients      int // that deliver at once
}

func (o Options) size() size {
	s := size{small: 10_000, large: 200_000, each: 5, asks: 3, every: 1, burst: 4 * time.Second, repeats: 3, pages: 100, changes: 300, rows: 200_000, clients: 16}
	if o.Quick {
		s = size{small: 200, large: 400, each: 3, asks: 1, every: 25, burst: 150 * time.Millisecond, repeats: 1, pages: 5, changes: 10, rows: 500, clients: 4}
	}
	if o.Lookups > 0 {
		s.large, s.small = o.Lookups, min(s.small, max(o.Lookups/20, 100))
	}
	if o.Deliveries > 0 {
		s.each = max(o.Deliveries/s.large, 1)
	}
	return s
}

// limit ends a run that hangs. Two busy cores took twelve minutes, and load a thousand lookups in two seconds.
func (s size) limit() time.Duration {
	return 25*time.Minute + time.Duration(s.large/1000)*4*time.Second
}

// run is one run of the bench.
type run struct {
	Options
	size
	site
	dir   string
	key   seal.SecretKey
	token string // of the hook
	out   *Report
}

// site is one database of the bench.
type site struct {
	url string
	db  *db.DB
}

// Run measures everything, one thing after the other, and cleans up behind itself. A run that fails half-way still
// gives the report of what it measured before.
func Run(ctx context.Context, o Options) (_ *Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.size().limit())
	defer cancel()
	dir, key := o.Dir, seal.GenerateSecretKey()
	if dir == "" {
		if dir, err = os.MkdirTemp("", "cotejo-bench-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	} else if key, err = keptKey(dir); err != nil {
		return nil, err
	}
	r := &run{Options: o, size: o.size(), dir: dir, key: key, out: newReport(o)}
	cluster, err := localpg.Start(ctx, localpg.Options{Dir: dir, Bin: o.PGBin, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if stopErr := cluster.Stop(end); err == nil {
			err = stopErr
		}
	}()
	r.url = cluster.URL()
	if err := r.open(ctx, &r.site); err != nil {
		return nil, err
	}
	defer r.db.Close()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"fill and lists", r.lists},
		{"hook", r.hook},
		{"deliveries", r.deliveries},
		{"from change to screen", r.screen},
		{"CSV", r.csv},
		{"CURPs and events", r.words},
	} {
		began := time.Now()
		fmt.Fprintf(o.Log, "%s …\n", step.name)
		if err := step.do(ctx); err != nil {
			r.out.finish()
			return r.out, fmt.Errorf("measure %s: %w", step.name, err)
		}
		fmt.Fprintf(o.Log, "%s: %s\n", step.name, time.Since(began).Round(time.Second/10))
	}
	r.out.finish()
	return r.out, nil
}

func (r *run) open(ctx context.Context, at *site) (err error) {
	if err := db.Migrate(ctx, at.url); err != nil {
		return err
	}
	if at.db, err = db.Open(ctx, at.url, nil); err != nil {
		return err
	}
	if err := at.db.UnlockSecrets(ctx, r.key); err != nil {
		return err
	}
	// The administrator that the pages are asked for as is made before the invented analysts, who are users too.
	console, err := r.console(ctx, at.url, 0)
	if err != nil {
		return err
	}
	console.stop()
	return at.db.Pool().QueryRow(ctx, `-- name: server version
show server_version`).Scan(&r.out.Postgres)
}

// keptKey gives the key under which a kept folder's databases seal.
func keptKey(dir string) (seal.SecretKey, error) {
	path := filepath.Join(dir, "bench.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key := seal.GenerateSecretKey()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return key, err
		}
		return key, os.WriteFile(path, []byte(key.Encode()), 0o600)
	} else if err != nil {
		return seal.SecretKey{}, err
	}
	return seal.ParseSecretKey(string(text))
}

// fill adds lookups to a database, unless it is kept and has them, and settles it as it would be settled after a day.
func (r *run) fill(ctx context.Context, store *db.DB, lookups int) error {
	began := time.Now()
	var there int
	if err := store.Pool().QueryRow(ctx, `-- name: bench lookups there
select count(*) from lookups`).Scan(&there); err != nil {
		return err
	}
	// How long it took stands in the folder, for the run that finds it loaded.
	loaded := filepath.Join(r.dir, fmt.Sprintf("loaded-%d-%d", lookups, r.each*lookups))
	if there >= lookups {
		text, err := os.ReadFile(loaded)
		if took, parseErr := time.ParseDuration(string(text)); err == nil && parseErr == nil {
			r.out.Seeds = append(r.out.Seeds, Seeded{Lookups: lookups, Deliveries: r.each * lookups, Took: took})
		}
		return settle(ctx, store)
	}
	err := r.Fill(ctx, store, seed.Plan{Lookups: lookups, Deliveries: r.each * lookups, Now: began})
	if err != nil {
		return err
	}
	r.out.Seeds = append(r.out.Seeds, Seeded{Lookups: lookups, Deliveries: r.each * lookups, Took: time.Since(began)})
	if err := os.WriteFile(loaded, []byte(time.Since(began).String()), 0o600); err != nil {
		return err
	}
	return settle(ctx, store)
}

// hook gives the address of a hook of the bench's database.
func (r *run) hook(ctx context.Context) error {
	at, err := r.db.Connection(ctx, lookup.Sandbox, lookup.Palenca)
	if err != nil {
		return err
	}
	_, r.token, err = r.db.HookToken(ctx, at.ID)
	return err
}

// settle does at once what autovacuum and the checkpointer would do during a measurement.
func settle(ctx context.Context, store *db.DB) error {
	for _, statement := range []string{"-- name: settle tables\nvacuum (analyze)", "-- name: settle files\ncheckpoint"} {
		if _, err := store.Pool().Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// each asks for rows and hands them on.
func each[T any](ctx context.Context, store *db.DB, query string, args ...any) ([]T, error) {
	rows, err := store.Pool().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}
