package db

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

const receiptColumns = `r.id, r.uid, r.environment, r.kind, coalesce(r.subject, '00000000-0000-0000-0000-000000000000'), r.words, r.zone, r.reason, r.people,
       r.rows, r.bytes, r.sha256, r.made_by, r.made_name, r.made_at`

func receiptTargets(r *receipt.Receipt) []any {
	return []any{&r.ID, &r.UID, &r.Environment, &r.Kind, &r.Subject, &r.Words, &r.Zone, &r.Reason, &r.People,
		&r.Rows, &r.Bytes, &r.SHA256, &r.MadeByID, &r.MadeBy, &r.MadeAt}
}

func scanReceipt(row pgx.CollectableRow) (r receipt.Receipt, err error) {
	err = row.Scan(receiptTargets(&r)...)
	return r, err
}

// Receipts gives one page of an environment's receipts, newest first: those of one user, or (0) everybody's.
func (db *DB) Receipts(ctx context.Context, env lookup.Environment, userID int64, page lookup.Page) (list []receipt.Receipt, newer, older bool, err error) {
	text, args, backwards := receiptsPage(env, userID, page)
	rows, err := db.pool.Query(ctx, text, args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, scanReceipt)
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, err
}

func receiptsPage(env lookup.Environment, userID int64, page lookup.Page) (text string, args []any, backwards bool) {
	q := where{}
	q.add("r.environment = ?", env)
	if userID != 0 {
		q.add("r.made_by = ?", userID)
	}
	return q.page("receipts", receiptColumns, " from receipts r", "r.made_at", "r.id", page)
}

// Receipt gives a receipt of an environment by its UUID.
func (db *DB) Receipt(ctx context.Context, env lookup.Environment, uid uuid.UUID) (r receipt.Receipt, err error) {
	err = db.pool.QueryRow(ctx, `-- name: receipt
select `+receiptColumns+` from receipts r where r.environment = $1 and r.uid = $2`, env, uid).Scan(receiptTargets(&r)...)
	return r, found(err)
}

// ReceiptsOf gives the receipts of an environment for files with a hash, newest first, up to five: a list that did not
// change gives the same file again.
func (db *DB) ReceiptsOf(ctx context.Context, env lookup.Environment, sha256 []byte) ([]receipt.Receipt, error) {
	rows, err := db.pool.Query(ctx, `-- name: receipts of file
select `+receiptColumns+` from receipts r where r.environment = $1 and r.sha256 = $2 order by r.id desc limit 5`, env, sha256)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanReceipt)
}

const exportColumns = `e.id, e.uid, e.environment, e.kind, e.words, e.zone, e.reason, e.people, e.state, e.goal, e.done, e.rows, e.bytes,
       e.asked_by, e.asked_name, e.asked_at, coalesce(e.finished_at, ` + never + `), coalesce(e.expires_at, ` + never + `)`

func exportTargets(e *receipt.Export) []any {
	return []any{&e.ID, &e.UID, &e.Asking.Environment, &e.Asking.Kind, &e.Asking.Words, &e.Asking.Zone, &e.Asking.Reason, &e.Asking.People, &e.State,
		&e.Goal, &e.Done, &e.Rows, &e.Bytes, &e.AskedByID, &e.AskedBy, &e.AskedAt, &e.FinishedAt, &e.ExpiresAt}
}

// Export gives an export of an environment that is made, or was made, in the background.
func (db *DB) Export(ctx context.Context, env lookup.Environment, uid uuid.UUID) (e receipt.Export, err error) {
	err = db.pool.QueryRow(ctx, `-- name: export
select `+exportColumns+` from exports e where e.environment = $1 and e.uid = $2`, env, uid).Scan(exportTargets(&e)...)
	return e, found(err)
}

// OpenExports is how many exports without a receipt are listed.
const OpenExports = 20

// ExportsWithout gives the newest exports of an environment that have no receipt: under way, cancelled or failed. Those of
// one user, or (0) everybody's; up to OpenExports, and whether there are more.
func (db *DB) ExportsWithout(ctx context.Context, env lookup.Environment, userID int64) (list []receipt.Export, more bool, err error) {
	q := where{}
	q.add("e.environment = ?", env)
	q.add("e.state not in ('ready', 'expired')")
	if userID != 0 {
		q.add("e.asked_by = ?", userID)
	}
	rows, err := db.pool.Query(ctx, `-- name: exports without receipt
select `+exportColumns+` from exports e where `+q.text()+` order by e.id desc limit `+strconv.Itoa(OpenExports+1), q.args...)
	if err != nil {
		return nil, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e receipt.Export, err error) {
		err = row.Scan(exportTargets(&e)...)
		return e, err
	})
	return list[:min(len(list), OpenExports)], len(list) > OpenExports, err
}

// TakeExport writes to the trail that a person downloads the file of an export of their own, and gives what its name and
// length are made of. ErrNotFound also: the file is gone, or somebody else asked for it.
func (db *DB) TakeExport(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (r receipt.Receipt, id int64, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `-- name: take export
select e.id, `+receiptColumns+` from exports e join receipts r on r.uid = e.uid
 where e.environment = $1 and e.uid = $2 and e.asked_by = $3 and e.state = 'ready' and e.expires_at > clock_timestamp()`, env, uid, by.UserID).
			Scan(append([]any{&id}, receiptTargets(&r)...)...); err != nil {
			return found(err)
		}
		return record(ctx, tx, by, note{action: audit.ExportTaken, subject: uid.String()})
	})
	return r, id, err
}

// WriteExport writes the file of an export piece by piece: no more than one is in memory, and no transaction waits for a
// slow reader.
func (db *DB) WriteExport(ctx context.Context, id int64, bytesOf int64, w io.Writer) error {
	for written, number := int64(0), 0; written < bytesOf; number++ {
		var packed []byte
		if err := db.pool.QueryRow(ctx, `-- name: chunk
select data from export_chunks where export_id = $1 and number = $2`, id, number).Scan(&packed); err != nil {
			return fmt.Errorf("read a piece of an export: %w", found(err))
		}
		n, err := io.Copy(w, io.LimitReader(flate.NewReader(bytes.NewReader(packed)), piece))
		if err != nil {
			return err
		}
		written += n
	}
	return nil
}
