package db

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// Person is whoever was asked about, with every lookup and, side by side, the newest answer of each source. Answers of two
// sources are never merged: the same months may stand in both.
type Person struct {
	UID       uuid.UUID
	CURP, RFC string // exactly one of the two
	Name      string // "" until a profile arrived
	NSS       string
	Lookups   []lookup.Row // newest first, PersonLookups at most
	More      bool         // there are older lookups
	Sources   []Case       // the newest lookup with an answer of each dialect and platform, newest first; without attempts and consent
}

// PersonLookups is how many lookups a person's page lists.
const PersonLookups = 50

// ViewPerson gives a person of an environment, and writes to the trail that all of it was looked at.
func (db *DB) ViewPerson(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (Person, error) {
	var p Person
	err := db.inTx(ctx, func(tx pgx.Tx) (err error) {
		var id int64
		if p, id, err = readPerson(ctx, tx, env, uid); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.PersonViewed, personID: id})
	})
	return p, err
}

// WatchPerson gives a person for a page that is already open.
func (db *DB) WatchPerson(ctx context.Context, env lookup.Environment, uid uuid.UUID) (Person, error) {
	var p Person
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		p, _, err = readPerson(ctx, tx, env, uid)
		return err
	})
	return p, err
}

// FollowPerson is WatchPerson for whoever may not have the page open: unless they looked at it within the last twelve hours, the
// longest that a session lasts, that they do now is written to the trail.
func (db *DB) FollowPerson(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (p Person, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		if p, id, err = readPerson(ctx, tx, env, uid); err != nil {
			return err
		}
		var seen bool
		if err := tx.QueryRow(ctx, `-- name: person seen lately
select exists (select from audit_entries where person_id = $1 and actor_id = $2 and action = $3 and at > clock_timestamp() - interval '12 hours')`,
			id, by.UserID, audit.PersonViewed).Scan(&seen); err != nil || seen {
			return err
		}
		return record(ctx, tx, by, note{action: audit.PersonViewed, personID: id})
	})
	return p, err
}

func readPerson(ctx context.Context, tx pgx.Tx, env lookup.Environment, uid uuid.UUID) (p Person, id int64, err error) {
	err = tx.QueryRow(ctx, `-- name: person page
select id, uid, coalesce(curp, ''), coalesce(rfc, ''), name, nss from people where environment = $1 and uid = $2`, env, uid).
		Scan(&id, &p.UID, &p.CURP, &p.RFC, &p.Name, &p.NSS)
	if err != nil {
		return p, 0, found(err)
	}
	rows, err := tx.Query(ctx, `-- name: lookups of person
select `+rowColumns+rowTables+` where l.person_id = $1 order by l.requested_at desc, l.id desc limit $2`, id, PersonLookups+1)
	if err != nil {
		return p, 0, err
	}
	if p.Lookups, err = pgx.CollectRows(rows, scanRow); err != nil {
		return p, 0, err
	}
	if p.More = len(p.Lookups) > PersonLookups; p.More {
		p.Lookups = p.Lookups[:PersonLookups]
	}
	rows, err = tx.Query(ctx, `-- name: sources of person
select `+rowColumns+rowTables+`
 where l.id in (select distinct on (o.connection_id, o.platform) o.id from lookups o
                 where o.person_id = $1 and exists (select 1 from pulls q where q.lookup_id = o.id and q.state <> 'failed')
                 order by o.connection_id, o.platform, o.requested_at desc, o.id desc)
 order by l.requested_at desc, l.id desc`, id)
	if err != nil {
		return p, 0, err
	}
	answered, err := pgx.CollectRows(rows, scanRow)
	if err != nil {
		return p, 0, err
	}
	for _, row := range answered {
		c := Case{Case: lookup.Case{Row: row}}
		if err := readAnswer(ctx, tx, &c); err != nil {
			return p, 0, err
		}
		p.Sources = append(p.Sources, c)
	}
	return p, id, nil
}
