package db

import (
	"context"
	"crypto/sha256"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// Response is a pull with the exact bytes of all its pages.
type Response struct {
	Pull
	Kind      lookup.Entity
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	LookupUID uuid.UUID
	Reference string
	Attempt   int
	Bodies    []ResponsePage
	Known     []string // the person's identifiers, which a masked body must not show
}

// ResponsePage is one page of an answer. Matches tells whether its bytes, hashed again, still give the hash that was kept
// when they came.
type ResponsePage struct {
	HTTPStatus int
	Body       []byte
	SHA256     []byte
	Matches    bool
}

// ViewPull gives an answer of an environment with its bytes, and writes to the trail what was done with it: looked at
// (masked), revealed or downloaded.
func (db *DB) ViewPull(ctx context.Context, env lookup.Environment, uid uuid.UUID, what audit.Action, by audit.Actor) (a Response, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var personID, lookupID int64
		var curp, rfc, nss string
		var first ResponsePage
		targets := append(a.Pull.targets(), &a.Kind, &first.Body, &a.Attempt, &a.LookupUID, &a.Reference, &a.Platform, &a.Dialect, &lookupID, &personID, &curp, &rfc, &nss)
		if err := tx.QueryRow(ctx, `-- name: answer
select `+pullColumns+`, p.kind, p.body, a.number, l.uid, l.reference, l.platform, c.dialect, l.id, n.id, coalesce(n.curp, ''), coalesce(n.rfc, ''), n.nss`+pullTables+`
  join attempts a on a.id = p.attempt_id
  join lookups l on l.id = p.lookup_id
  join connections c on c.id = l.connection_id
  join people n on n.id = l.person_id
 where p.uid = $1 and l.environment = $2`, uid, env).Scan(targets...); err != nil {
			return found(err)
		}
		first.HTTPStatus, first.SHA256 = a.HTTPStatus, a.SHA256
		rows, err := tx.Query(ctx, `-- name: pages of answer
select http_status, body, sha256 from pull_pages where pull_id = $1 order by page`, a.ID)
		if err != nil {
			return err
		}
		more, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p ResponsePage, err error) {
			err = row.Scan(&p.HTTPStatus, &p.Body, &p.SHA256)
			return p, err
		})
		if err != nil {
			return err
		}
		a.Bodies = append([]ResponsePage{first}, more...)
		for i, page := range a.Bodies {
			sum := sha256.Sum256(page.Body)
			a.Bodies[i].Matches = string(sum[:]) == string(page.SHA256)
		}
		a.Known = []string{curp, rfc, nss}
		return record(ctx, tx, by, note{action: what, personID: personID, lookupID: lookupID, subject: uid.String()})
	})
	return a, err
}
