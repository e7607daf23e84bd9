package db

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// criteria are the filters of an export as its job reads them: whole, so that what a filter learns later is exported too.
type criteria struct {
	Lookups    lookup.Filter
	Deliveries webhook.Filter
}

// criteriaPurpose seals them: a text that is looked for in bodies may be anything.
const criteriaPurpose = "filter of export/"

// exportTries is how often an export is begun before it is given up. A process that stops or dies is none.
const exportTries = 3

// AskExport hands an export to the queue.
func (db *DB) AskExport(ctx context.Context, a receipt.Asking, by audit.Actor) (uid uuid.UUID, err error) {
	filter, err := json.Marshal(criteria{Lookups: a.Lookups, Deliveries: a.Deliveries})
	if err != nil {
		return uid, err
	}
	uid = uuid.New()
	if filter, err = db.seal(filter, criteriaPurpose+uid.String()); err != nil {
		return uid, err
	}
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		if err := tx.QueryRow(ctx, `-- name: ask export
insert into exports (uid, environment, kind, criteria, words, zone, reason, people, asked_by, asked_name, asked_ip)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id`,
			uid, a.Environment, a.Kind, filter, wordsJSON(a.Words), clean(a.Zone), clean(a.Reason), a.People, by.UserID, by.Name, by.IP).Scan(&id); err != nil {
			return fmt.Errorf("store the export: %w", err)
		}
		if err := db.queueExport(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.ExportAsked, subject: uid.String(), detail: string(a.Kind)})
	})
	return uid, err
}

func (db *DB) queueExport(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := db.jobs.InsertTx(ctx, tx, task.MakeExport{ExportID: id}, &river.InsertOpts{Queue: task.QueueExport, MaxAttempts: exportTries})
	return err
}

// ErrStopped ends a run of an export that is not to go on: somebody cancelled it, it has ended, or another run began.
var ErrStopped = fmt.Errorf("%w: the export does not go on", ErrConflict)

// RunExport makes the file of an export from the beginning, from one snapshot, and keeps it in pieces; the last of them
// commits with the receipt and the audit entry, so that there is no file without them. ErrStopped: it is not to go on;
// ErrGrown: it holds the data of more people than it was asked for.
func (db *DB) RunExport(ctx context.Context, id int64, write Writing) error {
	run, err := db.claimExport(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = run.wait() }()
	ctx, end := context.WithCancel(ctx)
	defer end()
	go run.alive(ctx)
	err = pgx.BeginTxFunc(ctx, db.pool, snapshot, func(tx pgx.Tx) error {
		w := chosen(run.asking.Selection)
		// The bar has to have an end. A job may take the time to count, a page may not.
		if err := tx.QueryRow(ctx, `-- name: goal of export
select count(*) from `+w.table+w.joins+" where "+w.text(), w.args...).Scan(&run.goal); err != nil {
			return err
		}
		n, err := write(run, run.asking.Kind, extracts[run.asking.Kind].names(), run.counted(exportRows(ctx, tx, run.asking.Selection, run.of, run.seen)))
		if run.rows = n; err != nil {
			return err
		}
		run.asking.People, err = run.of.grown(run.asking)
		return err
	})
	if err == nil {
		err = db.endExport(ctx, run)
	}
	if err != nil && run.overtaken() {
		return errors.Join(ErrStopped, err) // its fault is no longer the export's
	}
	return err
}

// overtaken tells whether another run began meanwhile, or the export has ended.
func (r *exportRun) overtaken() bool {
	var gone bool
	err := r.db.pool.QueryRow(context.WithoutCancel(r.ctx), `-- name: export run overtaken
select run <> $2 or state <> 'making' from exports where id = $1`, r.id, r.run).Scan(&gone)
	return err == nil && gone
}

// exportRun is one run of an export, and the writer that keeps its file.
type exportRun struct {
	ctx    context.Context
	db     *DB
	id     int64
	uid    uuid.UUID
	run    int
	asking receipt.Asking
	by     audit.Actor
	of     crowd // whose data is in the file so far

	progress
	held, spare []byte     // the piece that is being filled, and the memory of the one before it
	pending     chan error // of the piece that is being kept meanwhile; nil: none is
	packed      bytes.Buffer
	deflate     *flate.Writer
	sum         hash.Hash
	beat        time.Time
}

// progress is how far a run has come.
type progress struct {
	goal, done, rows, bytes int64
	pieces                  int
}

// piece is how much of a file is kept in one row.
const piece = 1 << 20

// claimExport begins a run: whatever earlier ones left is thrown away, and they cannot go on.
func (db *DB) claimExport(ctx context.Context, id int64) (*exportRun, error) {
	r := &exportRun{ctx: ctx, db: db, id: id, of: crowd{}, held: make([]byte, 0, piece), spare: make([]byte, 0, piece), sum: sha256.New(), beat: time.Now()}
	var err error
	if r.deflate, err = flate.NewWriter(&r.packed, flate.BestSpeed); err != nil {
		return nil, err
	}
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var filter []byte
		err := tx.QueryRow(ctx, `-- name: claim export
update exports set state = 'making', run = run + 1, goal = 0, done = 0, rows = 0, bytes = 0, beat_at = clock_timestamp()
 where id = $1 and state in ('waiting', 'making')
returning uid, run, environment, kind, criteria, words, zone, reason, people, asked_by, asked_name, asked_ip`, id).
			Scan(&r.uid, &r.run, &r.asking.Environment, &r.asking.Kind, &filter, &r.asking.Words, &r.asking.Zone, &r.asking.Reason, &r.asking.People,
				&r.by.UserID, &r.by.Name, &r.by.IP)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrStopped
		} else if err != nil {
			return err
		}
		var c criteria
		if filter, err = db.open(filter, criteriaPurpose+r.uid.String()); err == nil {
			err = json.Unmarshal(filter, &c)
		}
		if err != nil {
			return fmt.Errorf("read the filter of an export: %w", err)
		}
		r.asking.Lookups, r.asking.Deliveries = c.Lookups, c.Deliveries
		_, err = tx.Exec(ctx, dropChunks, id)
		return err
	})
	return r, err
}

const dropChunks = `-- name: drop chunks
delete from export_chunks where export_id = $1`

func (r *exportRun) counted(rows iter.Seq2[[][]byte, error]) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		for row, err := range rows {
			r.rows++
			if !yield(row, err) {
				return
			}
		}
	}
}

// Write keeps the next bytes of the file.
func (r *exportRun) Write(p []byte) (int, error) {
	r.sum.Write(p)
	r.bytes += int64(len(p))
	for rest := p; len(rest) > 0; {
		n := min(len(rest), piece-len(r.held))
		r.held, rest = append(r.held, rest[:n]...), rest[n:]
		if len(r.held) == piece {
			if err := r.hand(); err != nil {
				return len(p) - len(rest), err
			}
		}
	}
	return len(p), nil
}

// hand has a full piece kept while the next one is read and filled: to compress and store takes about as long.
func (r *exportRun) hand() error {
	if err := r.wait(); err != nil {
		return err
	}
	full, at, pending := r.held, r.progress, make(chan error, 1)
	r.pieces++
	r.held, r.spare, r.pending = r.spare[:0], full, pending
	go func() { pending <- r.keep(r.ctx, r.db.pool, full, at) }()
	return nil
}

// wait gives the error of the piece that is being kept.
func (r *exportRun) wait() (err error) {
	if r.pending != nil {
		err = <-r.pending
		r.pending = nil
	}
	return err
}

// keep stores a piece and tells how far the export has come, unless it is not to go on.
func (r *exportRun) keep(ctx context.Context, in interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, full []byte, at progress) error {
	r.packed.Reset()
	r.deflate.Reset(&r.packed)
	if _, err := r.deflate.Write(full); err != nil {
		return err
	}
	if err := r.deflate.Close(); err != nil {
		return err
	}
	rows, err := in.Query(ctx, `-- name: add chunk
with mine as (
  update exports set goal = $4, done = $5, rows = $6, bytes = $7, beat_at = clock_timestamp()
   where id = $1 and run = $2 and state = 'making' returning id)
insert into export_chunks (export_id, number, data) select id, $3, $8 from mine returning number`,
		r.id, r.run, at.pieces, at.goal, at.done, at.rows, at.bytes, r.packed.Bytes())
	if err != nil {
		return err
	}
	if _, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int]); errors.Is(err, pgx.ErrNoRows) {
		return ErrStopped
	} else if err != nil {
		return fmt.Errorf("keep a piece of an export: %w", err)
	}
	return nil
}

// alive says now and then that somebody works on the export, until ctx ends: counting, or finding the first rows of a rare
// filter, may take longer than exportSilence, and whoever is silent for that long is replaced.
func (r *exportRun) alive(ctx context.Context) {
	beats := time.NewTicker(exportSilence / 6)
	defer beats.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beats.C:
			// A beat that fails is made up for by the next.
			_, _ = r.db.pool.Exec(ctx, `-- name: export alive
update exports set beat_at = clock_timestamp() where id = $1 and run = $2 and state = 'making'`, r.id, r.run)
		}
	}
}

// seen tells now and then how far the export has come, also while it finds no rows.
func (r *exportRun) seen(items int64) error {
	r.done = items
	if time.Since(r.beat) < time.Second {
		return nil
	}
	r.beat = time.Now()
	tag, err := r.db.pool.Exec(r.ctx, `-- name: export came so far
update exports set goal = $3, done = $4, rows = $5, bytes = $6, beat_at = clock_timestamp() where id = $1 and run = $2 and state = 'making'`,
		r.id, r.run, r.goal, r.done, r.rows, r.bytes)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrStopped
	}
	return err
}

// endExport keeps the last piece, with the receipt and the audit entry.
func (db *DB) endExport(ctx context.Context, r *exportRun) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		r.done = r.goal
		if err := r.wait(); err != nil {
			return err
		}
		if err := r.keep(ctx, tx, r.held, r.progress); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: export ready
update exports set state = 'ready', criteria = null, finished_at = clock_timestamp(), expires_at = clock_timestamp() + $2::interval where id = $1`,
			r.id, receipt.Kept); err != nil {
			return err
		}
		a := r.asking
		_, err := addReceipt(ctx, tx, receipt.Receipt{UID: r.uid, Environment: a.Environment, Kind: a.Kind, Words: a.Words, Zone: a.Zone, Reason: a.Reason,
			People: a.People, Rows: r.rows, Bytes: r.bytes, SHA256: r.sum.Sum(nil)}, r.of, r.by, note{action: audit.ListExported})
		return err
	})
}

// CancelExport stops an export of a person's own and throws away what is there of its file. ErrConflict: it has ended.
func (db *DB) CancelExport(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		var open bool
		// Waits for the piece under way; the run notices with its next one.
		if err := tx.QueryRow(ctx, `-- name: export to cancel
select id, state in ('waiting', 'making') from exports where environment = $1 and uid = $2 and asked_by = $3 for no key update`, env, uid, by.UserID).
			Scan(&id, &open); err != nil {
			return found(err)
		}
		if !open {
			return ErrConflict
		}
		if err := stopExport(ctx, tx, id, receipt.Cancelled); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.ExportCancelled, subject: uid.String()})
	})
}

// DropExport gives an export up that cannot be made (receipt.Failed), is not to be made (receipt.Grown) or whose job was cancelled in the queue
// (receipt.Cancelled).
func (db *DB) DropExport(ctx context.Context, id int64, as receipt.State) error {
	return db.inTx(ctx, func(tx pgx.Tx) error { return stopExport(ctx, tx, id, as) })
}

func stopExport(ctx context.Context, tx pgx.Tx, id int64, as receipt.State) error {
	stopped, err := tx.Exec(ctx, `-- name: stop export
update exports set state = $2, criteria = null, finished_at = clock_timestamp() where id = $1 and state in ('waiting', 'making')`, id, as)
	if err != nil || stopped.RowsAffected() == 0 {
		return err // a file that is there stays
	}
	_, err = tx.Exec(ctx, dropChunks, id)
	return err
}

// exportSilence is after how long without a sign an export counts as left behind by a process that died.
const exportSilence = time.Minute

// ResumeExports queues exports anew that nobody works, and tells how many. One whose job was cancelled in the queue before it
// ran is given up: it is not to come back.
func (db *DB) ResumeExports(ctx context.Context) (n int, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `-- name: exports left behind
select e.id, coalesce((select j.state = 'cancelled' from river_job j where j.kind = 'make_export' and j.args @> jsonb_build_object('export_id', e.id)
                        order by j.id desc limit 1), false)
  from exports e
 where e.state in ('waiting', 'making') and e.beat_at < clock_timestamp() - $1::interval
   and not exists (select 1 from river_job j where j.kind = 'make_export' and j.args = jsonb_build_object('export_id', e.id)
                      and j.state in ('available', 'pending', 'retryable', 'scheduled'))
 order by e.beat_at limit 10 for no key update of e skip locked`, exportSilence)
		if err != nil {
			return err
		}
		type left struct {
			ID        int64
			Cancelled bool
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[left])
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.Cancelled {
				if err := stopExport(ctx, tx, e.ID, receipt.Cancelled); err != nil {
					return err
				}
				continue
			}
			if err := db.queueExport(ctx, tx, e.ID); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
