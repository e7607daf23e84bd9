// Package db holds every SQL statement of Cotejo, one file per subject. One change of state is one method is one
// transaction: row, job, audit entry and notification together. Statements are named by their first line.
package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"cotejo/internal/audit"
)

type pgxTx = pgx.Tx

// Channel is the one channel on which changes are announced. The payload is a lookup's id and nothing else, or that of a
// delivery behind DeliveryPrefix.
const Channel = "cotejo_lookups"

// Errors that callers tell apart. ErrNotFound also stands for a row of the other environment.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
)

// DB is Cotejo's database. It is safe for concurrent use.
type DB struct {
	pool *pgxpool.Pool
	jobs *river.Client[pgx.Tx] // inserts only; package jobs works them
	keys keys

	teller *teller
}

// Open connects to the database at url. The schema must be there (Migrate). Statements are prepared once per
// connection; trace, when not nil, is told of each statement by its name.
func Open(ctx context.Context, url string, trace Trace) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database address: %w", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = "cotejo"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.MaxConns = max(config.MaxConns, 16)
	if trace != nil {
		config.ConnConfig.Tracer = tracer{trace}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	db := &DB{pool: pool, jobs: jobs}
	db.startTelling()
	return db, nil
}

// Pool is the connection pool, for the queue's workers and the listener.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Close closes every connection.
func (db *DB) Close() {
	db.teller.stop()
	db.teller.done.Wait()
	db.pool.Close()
}

// Ready tells whether the database answers and its schema is the one this program was built for.
func (db *DB) Ready(ctx context.Context) error {
	const newest = `-- name: schema version
select max(version_id) from goose_db_version where is_applied`
	var version int64
	if err := db.pool.QueryRow(ctx, newest).Scan(&version); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version != newestMigration {
		return fmt.Errorf("the schema is at version %d and this program needs %d: run cotejo migrate up", version, newestMigration)
	}
	const queue = `-- name: queue version
select coalesce(max(version), 0) from river_migration where line = 'main'`
	if err := db.pool.QueryRow(ctx, queue).Scan(&version); err != nil {
		return fmt.Errorf("read the queue's version: %w", err)
	}
	if version < newestQueue {
		return fmt.Errorf("the queue's schema is at version %d and this program needs %d: run cotejo migrate up", version, newestQueue)
	}
	return nil
}

// inTx runs do in one transaction.
func (db *DB) inTx(ctx context.Context, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db.pool, do)
}

// notify announces a change of a lookup when the transaction commits.
func notify(ctx context.Context, tx pgx.Tx, lookupID int64) error {
	_, err := tx.Exec(ctx, `-- name: notify lookup
select pg_notify($1, $2)`, Channel, strconv.FormatInt(lookupID, 10))
	return err
}

// note is one audit entry; zero ids stand for nothing.
type note struct {
	action   audit.Action
	personID int64
	lookupID int64
	subject  string // whom or what else: a user's, connection's or delivery's UUID
	detail   string
}

// record writes an audit entry in the caller's transaction. It locks the head of the chain, so it comes last.
func record(ctx context.Context, tx pgx.Tx, who audit.Actor, n note) error {
	_, err := tx.Exec(ctx, `-- name: audit
insert into audit_entries (actor_id, actor, action, ip, person_id, lookup_id, subject, detail)
values (nullif($1, 0), $2, $3, $4, nullif($5, 0), nullif($6, 0), $7, $8)`,
		who.UserID, who.Name, n.action, who.IP, n.personID, n.lookupID, n.subject, n.detail)
	if err != nil {
		return fmt.Errorf("write the audit entry: %w", err)
	}
	return nil
}

// found turns the driver's "no rows" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// oneRow gives ErrNotFound when a statement for one row met none.
func oneRow(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return err
}

// violates tells whether err is the refusal of the named constraint.
func violates(err error, constraint string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == constraint
}

// orNull stores a zero time as null.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// never is what queries return for a null time: Go's zero time, so that IsZero holds.
const never = `'0001-01-01 00:00:00+00'::timestamptz`

// Down tells whether err means that the database cannot be reached or does not take statements now, as opposed to one
// that refused this statement.
func Down(err error) bool {
	// A server that refuses to let us in at all is down for us, whatever code it gives.
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		// Class 57: shut down, starting up, cancelled; 53: out of connections, memory or disk; 08: connection trouble.
		switch refused.Code[:2] {
		case "57", "53", "08":
			return true
		}
		return false
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, puddle.ErrClosedPool)
}
