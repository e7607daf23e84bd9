package db

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// MaxDocument is the largest document kept, in bytes; the schema repeats it. The reports of IMSS are well under 1 MB.
const MaxDocument = 20 << 20

// NewDocument is a document that a source offered with a pull, fetched at once because its link dies within minutes.
type NewDocument struct {
	Name        string
	Institution string
	UploadedAt  time.Time // zero when not given
	ContentType string    // as the server said, without parameters; "" when it said nothing usable
	Body        []byte    // nil when it could not be had
	Code        string    // why not; "" when it was
}

// Document is a stored document without its bytes.
type Document struct {
	UID         uuid.UUID
	Name        string // "" when the source gave none
	Institution string
	UploadedAt  time.Time
	ContentType string
	Size        int
	SHA256      []byte
	Code        string // why there are no bytes; "" when there are
	FetchedAt   time.Time
}

func storeDocuments(ctx context.Context, tx pgx.Tx, pullID int64, documents []NewDocument) error {
	for i, d := range documents {
		var sum []byte
		if len(d.Body) > 0 {
			s := sha256.Sum256(d.Body)
			sum = s[:]
		} else {
			d.Body = nil
		}
		if _, err := tx.Exec(ctx, `-- name: add document
insert into documents (pull_id, position, name, institution, uploaded_at, content_type, body, sha256, code)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			pullID, i, clip(d.Name), clip(d.Institution), orNull(d.UploadedAt), clip(d.ContentType), d.Body, sum, clip(d.Code)); err != nil {
			return fmt.Errorf("store a document: %w", err)
		}
	}
	return nil
}

const documentColumns = `d.uid, d.name, d.institution, coalesce(d.uploaded_at, ` + never + `), d.content_type, coalesce(length(d.body), 0), d.sha256, d.code, d.fetched_at`

func (d *Document) targets() []any {
	return []any{&d.UID, &d.Name, &d.Institution, &d.UploadedAt, &d.ContentType, &d.Size, &d.SHA256, &d.Code, &d.FetchedAt}
}

// readDocuments lists the documents of a lookup, newest first. One content is listed once, under a name if it ever came
// with one: the vendor offers the same paper with each record and again in its list of documents. Those that could not
// be had are listed while nothing later brought a document of that name.
func readDocuments(ctx context.Context, tx pgx.Tx, lookupID int64) ([]Document, error) {
	rows, err := tx.Query(ctx, `-- name: documents of lookup
select `+documentColumns+`
  from (select distinct on (f.sha256, case when f.sha256 is null then f.name end) f.id
          from documents f join pulls p on p.id = f.pull_id
         where p.lookup_id = $1
           and (f.body is not null or not exists (
                select 1 from documents g join pulls q on q.id = g.pull_id
                 where q.lookup_id = $1 and g.id > f.id and g.name = f.name and g.body is not null))
         order by f.sha256, case when f.sha256 is null then f.name end, f.name <> '' desc, f.id desc) once
  join documents d on d.id = once.id
 order by d.pull_id desc, d.position`, lookupID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Document, err error) {
		err = row.Scan(d.targets()...)
		return d, err
	})
}

// TakeDocument gives a document of an environment with its bytes for download, and writes that to the trail.
func (db *DB) TakeDocument(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (d Document, body []byte, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var personID, lookupID int64
		if err := tx.QueryRow(ctx, `-- name: take document
select `+documentColumns+`, d.body, l.person_id, l.id
  from documents d
  join pulls p on p.id = d.pull_id
  join lookups l on l.id = p.lookup_id
 where d.uid = $1 and l.environment = $2 and d.body is not null`, uid, env).Scan(append(d.targets(), &body, &personID, &lookupID)...); err != nil {
			return found(err)
		}
		return record(ctx, tx, by, note{action: audit.DocumentTaken, personID: personID, lookupID: lookupID, subject: uid.String()})
	})
	return d, body, err
}
