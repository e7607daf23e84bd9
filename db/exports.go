package db

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/bulk"
	"cotejo/internal/receipt"
)

// Writing puts rows of a list into a file: package export's Write. columns are the names of the cells.
type Writing func(w io.Writer, kind receipt.Kind, columns []string, rows iter.Seq2[[][]byte, error]) (n int64, err error)

// ErrLong means that an export has more rows than are sent as an answer.
var ErrLong = errors.New("more rows than one answer holds")

// ErrGrown means that an export holds the data of more people than may be taken out without a reason, and that none was
// given: the list has grown since it was counted.
var ErrGrown = fmt.Errorf("%w: more people than when the export was asked for", ErrConflict)

// snapshot is how exports are read: nothing that changes meanwhile shows in the file.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// ExportCount is how much a selection holds, counted to receipt.AtOnce items and no further.
type ExportCount struct {
	Items   int // lookups or deliveries; over receipt.AtOnce: more than that
	Records int // employment records of those lookups, as their rows say; 0 over receipt.AtOnce
	People  int // at most receipt.ManyPeople
}

// CountExport tells how much a selection holds. A list that is longer than can be counted counts as one of many people,
// whoever is in it, and its records are not added up.
func (db *DB) CountExport(ctx context.Context, s receipt.Selection) (c ExportCount, err error) {
	q := selected(s)
	text, args := q.some(receipt.AtOnce + 1)
	ids, err := db.idsBy(ctx, q, text, args)
	if err != nil {
		return c, err
	}
	if len(ids) > receipt.AtOnce {
		return ExportCount{Items: receipt.AtOnce + 1, People: receipt.ManyPeople}, nil
	}
	text = `-- name: count of export
select coalesce(sum(l.records), 0), count(distinct l.person_id) from lookups l where l.id = any($1)`
	if s.Kind == receipt.Deliveries {
		text = `-- name: count of exported deliveries
select 0, count(distinct l.person_id)` + deliveryTables + ` where d.id = any($1)`
	}
	c.Items = len(ids)
	err = db.pool.QueryRow(ctx, text, ids).Scan(&c.Records, &c.People)
	c.People = min(c.People, receipt.ManyPeople)
	return c, err
}

// MakeExport makes the file of a selection at once, in memory, and writes its receipt and the audit entry. ErrLong: it
// has more than receipt.AtOnce rows; ErrGrown: of more people than it was asked for.
func (db *DB) MakeExport(ctx context.Context, a receipt.Asking, write Writing, by audit.Actor) (r receipt.Receipt, file []byte, err error) {
	var out bytes.Buffer
	var n int64
	of := crowd{}
	err = pgx.BeginTxFunc(ctx, db.pool, snapshot, func(tx pgx.Tx) error {
		rows := exportRows(ctx, tx, a.Selection, of, func(int64) error { return nil })
		if n, err = write(&out, a.Kind, extracts[a.Kind].names(), atMost(rows, receipt.AtOnce)); err != nil {
			return err
		}
		a.People, err = of.grown(a)
		return err
	})
	if err != nil {
		return r, nil, err
	}
	file = out.Bytes()
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		r, err = addReceipt(ctx, tx, receiptOf(a, n, file), of, by, note{action: audit.ListExported})
		return err
	})
	return r, file, err
}

// atMost gives rows until there are more than limit, and then ErrLong.
func atMost(rows iter.Seq2[[][]byte, error], limit int) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		n := 0
		for row, err := range rows {
			if n++; n > limit && err == nil {
				row, err = nil, ErrLong
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// receiptOf is the receipt of a file that is in memory.
func receiptOf(a receipt.Asking, rows int64, file []byte) receipt.Receipt {
	sum := sha256.Sum256(file)
	return receipt.Receipt{UID: uuid.New(), Environment: a.Environment, Kind: a.Kind, Subject: a.Subject, Words: a.Words, Zone: a.Zone,
		Reason: a.Reason, People: a.People, Rows: rows, Bytes: int64(len(file)), SHA256: sum[:]}
}

// addReceipt writes a receipt with the people whose data the file held and, last, the audit entry of its export, about whom or
// what n says. A file of one person needs no people: the entry names them.
func addReceipt(ctx context.Context, tx pgx.Tx, r receipt.Receipt, of crowd, by audit.Actor, n note) (receipt.Receipt, error) {
	r.MadeByID, r.MadeBy = by.UserID, by.Name
	var subject *uuid.UUID
	if r.Subject != uuid.Nil {
		subject = &r.Subject
	}
	if err := tx.QueryRow(ctx, `-- name: add receipt
insert into receipts (uid, environment, kind, subject, words, zone, reason, people, rows, bytes, sha256, made_by, made_name)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning id, made_at`,
		r.UID, r.Environment, r.Kind, subject, wordsJSON(r.Words), clean(r.Zone), clean(r.Reason), r.People, r.Rows, r.Bytes, r.SHA256, r.MadeByID, r.MadeBy).
		Scan(&r.ID, &r.MadeAt); err != nil {
		return r, err
	}
	if err := addCrowd(ctx, tx, r.ID, of); err != nil {
		return r, fmt.Errorf("write down the people of an export: %w", err)
	}
	n.subject, n.detail = r.UID.String(), string(r.Kind)+", "+strconv.FormatInt(r.Rows, 10)
	return r, record(ctx, tx, by, n)
}

// wordsJSON writes a filter's words down. Their values come from an address, which may hold anything.
func wordsJSON(words map[string]string) []byte {
	kept := map[string]string{}
	for name, value := range words {
		kept[name] = clip(value)
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return []byte("{}") // strings always marshal
	}
	return text
}

// ExportLookup makes the file of one lookup's employment records, and writes its receipt and the audit entry. file is
// given what the lookup's page shows.
func (db *DB) ExportLookup(ctx context.Context, a receipt.Asking, file func(Case) (rows int, text []byte, err error), by audit.Actor) (r receipt.Receipt, text []byte, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		c, personID, err := readCase(ctx, tx, a.Environment, a.Subject)
		if err != nil {
			return err
		}
		var n int
		if n, text, err = file(c); err != nil {
			return err
		}
		a.Kind, a.People = receipt.Employment, 1
		r, err = addReceipt(ctx, tx, receiptOf(a, int64(n), text), nil, by, note{action: audit.LookupExported, personID: personID, lookupID: c.ID})
		return err
	})
	return r, text, err
}

// ReportLookup makes the report of one lookup, and writes its receipt and the audit entry. The receipt's id is given, because
// it stands on the report's pages.
func (db *DB) ReportLookup(ctx context.Context, a receipt.Asking, id uuid.UUID, file func(Case) ([]byte, error), by audit.Actor) (r receipt.Receipt, pdf []byte, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		c, personID, err := readCase(ctx, tx, a.Environment, a.Subject)
		if err != nil {
			return err
		}
		if pdf, err = file(c); err != nil {
			return err
		}
		a.Kind, a.People = receipt.Report, 1
		r = receiptOf(a, int64(c.Gist.Records), pdf)
		r.UID = id
		r, err = addReceipt(ctx, tx, r, nil, by, note{action: audit.ReportTaken, personID: personID, lookupID: c.ID})
		return err
	})
	return r, pdf, err
}

// ExportBulk makes the file of what became of each row of a bulk, and writes its receipt and the audit entry.
func (db *DB) ExportBulk(ctx context.Context, a receipt.Asking, file func(bulk.Bulk, []bulk.Item) (text []byte, err error), by audit.Actor) (r receipt.Receipt, text []byte, err error) {
	b, err := db.Bulk(ctx, a.Environment, a.Subject)
	if err != nil {
		return r, nil, err
	}
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `-- name: export bulk
select `+itemColumns+` where r.bulk_id = $1 order by r.number`, b.ID)
		if err != nil {
			return err
		}
		items, err := pgx.CollectRows(rows, scanItem)
		if err != nil {
			return err
		}
		if text, err = file(b, items); err != nil {
			return err
		}
		of, err := crowdOfBulk(ctx, tx, a.Environment, b.ID)
		if err != nil {
			return err
		}
		a.Kind, a.People = receipt.Bulk, min(b.Total, receipt.ManyPeople)
		r, err = addReceipt(ctx, tx, receiptOf(a, int64(len(items)), text), of, by, note{action: audit.BulkExported})
		return err
	})
	return r, text, err
}
