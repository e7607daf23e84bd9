package db

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
)

const bulkColumns = `b.id, b.uid, b.state, b.file_name, b.sha256, b.people, b.encoding, b.delimiter, b.columns, b.header, b.identifier_column, b.reference_column,
       c.dialect, c.name, b.platform, c.paused_at is not null, c.calls_per_minute, u.name, b.uploaded_at, b.judged_at, coalesce(s.name, ''),
       coalesce(b.sent_at, ` + never + `), coalesce(b.finished_at, ` + never + `), b.notice_version, b.means, coalesce(b.consent_given_at, ` + never + `),
       b.total, b.chosen, b.sent, ` + stalledBulk

const bulkTables = ` from bulks b join connections c on c.id = b.connection_id join users u on u.id = b.uploaded_by left join users s on s.id = b.sent_by`

func bulkTargets(b *bulk.Bulk) []any {
	return []any{&b.ID, &b.UID, &b.State, &b.FileName, &b.SHA256, &b.People, &b.Encoding, &b.Delimiter, &b.Columns, &b.Layout.Header, &b.Layout.Identifier,
		&b.Layout.Reference, &b.Dialect, &b.Connection, &b.Platform, &b.Paused, &b.PerMinute, &b.By, &b.UploadedAt, &b.JudgedAt, &b.SentBy,
		&b.SentAt, &b.FinishedAt, &b.Notice, &b.Means, &b.ConsentGiven, &b.Total, &b.Chosen, &b.Sent, &b.Stalled}
}

// Bulk gives a bulk of an environment as it stands, its rows counted.
func (db *DB) Bulk(ctx context.Context, env lookup.Environment, uid uuid.UUID) (b bulk.Bulk, err error) {
	err = pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `-- name: bulk
select `+bulkColumns+bulkTables+` where b.environment = $1 and b.uid = $2`, env, uid).Scan(bulkTargets(&b)...); err != nil {
			return found(err)
		}
		var verdicts, statuses, earlier []byte
		// At most as many rows as a file has; they are counted where they lie together.
		if err := tx.QueryRow(ctx, `-- name: rows of bulk counted
select coalesce((select jsonb_object_agg(verdict, n) from (select verdict, count(*) as n from bulk_rows where bulk_id = $1 group by verdict) v), '{}'),
       coalesce((select jsonb_object_agg(status, n) from (select l.status, count(*) as n from bulk_rows r join lookups l on l.id = r.lookup_id
                                                           where r.bulk_id = $1 group by l.status) s), '{}'),
       (select count(*) from bulk_rows where bulk_id = $1 and done_at is null),
       coalesce((select jsonb_agg(jsonb_build_object('UID', o.uid, 'At', o.sent_at, 'By', u.name) order by o.sent_at desc)
                   from bulks o join users u on u.id = o.sent_by where o.environment = $2 and (o.sha256 = $3 or o.people = $4)
                    and o.state <> 'draft' and o.id <> $1), '[]')`,
			b.ID, env, b.SHA256, b.People).Scan(&verdicts, &statuses, &b.Waiting, &earlier); err != nil {
			return err
		}
		for text, into := range map[*[]byte]any{&verdicts: &b.Counts, &statuses: &b.Statuses, &earlier: &b.Earlier} {
			if err := json.Unmarshal(*text, into); err != nil {
				return err
			}
		}
		if b.State == bulk.Draft {
			b.Waiting = 0
		}
		return nil
	})
	return b, err
}

// Bulks gives one page of an environment's bulks, newest first, without the counts of their rows.
func (db *DB) Bulks(ctx context.Context, env lookup.Environment, page lookup.Page) (list []bulk.Bulk, newer, older bool, err error) {
	q := where{}
	q.add("b.environment = ?", env)
	text, args, backwards := q.page("bulks", bulkColumns, bulkTables, "b.uploaded_at", "b.id", page)
	rows, err := db.pool.Query(ctx, text, args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b bulk.Bulk, err error) {
		err = row.Scan(bulkTargets(&b)...)
		return b, err
	})
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, err
}

const itemColumns = `r.number, r.line, coalesce(p.curp, p.rfc, r.identifier), r.reference, r.verdict, r.detail, r.of_line, coalesce(r.done_at, ` + never + `),
       coalesce(l.uid, '00000000-0000-0000-0000-000000000000'), coalesce(l.status, ''), coalesce(l.detail, ''), coalesce(l.warning, '')
  from bulk_rows r left join lookups l on l.id = r.lookup_id left join people p on p.id = l.person_id`

func scanItem(row pgx.CollectableRow) (i bulk.Item, err error) {
	err = row.Scan(&i.Number, &i.Line, &i.Identifier, &i.Reference, &i.Verdict, &i.Detail, &i.Of, &i.DoneAt,
		&i.LookupUID, &i.State.Status, &i.State.Detail, &i.State.Warning)
	return i, err
}

// BulkItems gives one page of a bulk's rows in the order of the file, those with a verdict, or ("") all. Of the page's
// cursors only the row's number counts; After leads further down the file.
func (db *DB) BulkItems(ctx context.Context, bulkID int64, verdict bulk.Verdict, page lookup.Page) (list []bulk.Item, before, after bool, err error) {
	q := where{}
	q.add("r.bulk_id = ?", bulkID)
	if verdict != "" {
		q.add("r.verdict = ?", verdict)
	}
	order, backwards := "asc", false
	switch {
	case page.Before.ID != 0:
		q.add("r.number < ?", page.Before.ID)
		order, backwards = "desc", true
	case page.After.ID != 0:
		q.add("r.number > ?", page.After.ID)
	}
	q.args = append(q.args, page.Limit+1)
	rows, err := db.pool.Query(ctx, `-- name: rows of bulk
select `+itemColumns+` where `+q.text()+" order by r.number "+order+" limit "+arg(len(q.args)), q.args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, scanItem)
	list, before, after = turn(list, page, backwards)
	return list, before, after, err
}
