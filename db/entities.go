package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// EntityTable is one kind of data other than profile and employment, in the one shape in which they all are shown.
type EntityTable struct {
	Entity lookup.Entity
	Pull   Pull
	Rows   []lookup.Cells
}

// StoreEntity keeps a pull of one of the kinds of data that have no tables of their own, as rows of labels and values.
func (db *DB) StoreEntity(ctx context.Context, kind lookup.Entity, n NewPull, rows []lookup.Cells) error {
	return db.storePull(ctx, string(kind), lookup.MomentKind(kind), n, func(tx pgx.Tx, pullID int64, a attempt) error {
		if err := storeRows(ctx, tx, pullID, rows); err != nil || kind != lookup.EntityBusiness || len(rows) == 0 {
			return err
		}
		// A company has no profile to be named by.
		_, err := tx.Exec(ctx, `-- name: name company
update people set name = $2 where id = (select person_id from lookups where id = $1) and rfc is not null and $2 <> ''`,
			a.lookupID, clean(cmp.Or(rows[0].Value("legal_name"), rows[0].Value("commercial_name"))))
		return err
	})
}

// storeRows leaves out values that say nothing, and rows of nothing else.
func storeRows(ctx context.Context, tx pgx.Tx, pullID int64, rows []lookup.Cells) error {
	var stored [][]any
	for i, row := range rows {
		var labels, contents []string
		for _, cell := range row {
			if cell.Value != "" {
				labels, contents = append(labels, cell.Label), append(contents, clean(cell.Value))
			}
		}
		if len(labels) > 0 {
			stored = append(stored, []any{pullID, i, labels, contents})
		}
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"pull_rows"}, []string{"pull_id", "position", "labels", "contents"}, pgx.CopyFromRows(stored))
	if err != nil {
		return fmt.Errorf("store the rows: %w", err)
	}
	return nil
}

func storePages(ctx context.Context, tx pgx.Tx, pullID int64, pages []Page) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"pull_pages"}, []string{"pull_id", "page", "http_status", "took_ms", "body", "sha256"},
		pgx.CopyFromSlice(len(pages), func(i int) ([]any, error) {
			p := pages[i]
			return []any{pullID, i + 2, p.HTTPStatus, int32(p.Took.Milliseconds()), notNull(p.Body), p.SHA256[:]}, nil
		}))
	if err != nil {
		return fmt.Errorf("store the pages: %w", err)
	}
	return nil
}

func readRows(ctx context.Context, tx pgx.Tx, pullID int64) ([]lookup.Cells, error) {
	rows, err := tx.Query(ctx, `-- name: pull rows
select labels, contents from pull_rows where pull_id = $1 order by position`, pullID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (lookup.Cells, error) {
		var labels, contents []string
		if err := row.Scan(&labels, &contents); err != nil {
			return nil, err
		}
		cells := make(lookup.Cells, len(labels))
		for i := range labels {
			cells[i] = lookup.Cell{Label: labels[i], Value: contents[i]}
		}
		return cells, nil
	})
}

// readEntities gives the newest readable pull of each kind of data that a lookup has besides profile and employment.
func readEntities(ctx context.Context, tx pgx.Tx, lookupID int64) ([]EntityTable, error) {
	var tables []EntityTable
	for _, kind := range lookup.Entities {
		if slices.Contains(lookup.Usual, kind) {
			continue
		}
		pull, err := latestPull(ctx, tx, lookupID, string(kind))
		if err != nil {
			return nil, err
		}
		if pull == nil {
			continue
		}
		rows, err := readRows(ctx, tx, pull.ID)
		if err != nil {
			return nil, err
		}
		tables = append(tables, EntityTable{Entity: kind, Pull: *pull, Rows: rows})
	}
	return tables, nil
}

// entityState tells how far a kind of data of an attempt has come that has no column.
func entityState(ctx context.Context, tx pgx.Tx, attemptID int64, kind lookup.Entity) (lookup.PullState, error) {
	state := lookup.PullNone
	err := tx.QueryRow(ctx, `-- name: entity state
select state from attempt_entities where attempt_id = $1 and name = $2`, attemptID, clip(string(kind))).Scan(&state)
	if errors.Is(err, pgx.ErrNoRows) {
		return lookup.PullNone, nil
	}
	return state, err
}

// readFindings adds to attempts what the vendor named besides profile and employment: kinds that we know first.
func readFindings(ctx context.Context, tx pgx.Tx, ids []int64, at map[int64]*lookup.Attempt) error {
	rows, err := tx.Query(ctx, `-- name: entities of attempts
select attempt_id, name, state from attempt_entities where attempt_id = any($1)
 order by attempt_id, array_position($2::text[], name) nulls last, name`, ids, lookup.Entities)
	if err != nil {
		return err
	}
	var attemptID int64
	var f lookup.Finding
	_, err = pgx.ForEachRow(rows, []any{&attemptID, &f.Entity, &f.State}, func() error {
		at[attemptID].Findings = append(at[attemptID].Findings, f)
		return nil
	})
	return err
}
