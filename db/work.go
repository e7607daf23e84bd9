package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// Work is what colleagues keep about a case beside the answer: whose it is, how it is sorted, what they wrote down.
type Work struct {
	Owner      uuid.UUID // zero: nobody's
	Tags       []lookup.Tag
	Notes      []CaseNote // newest first
	Colleagues []auth.User
	Known      []lookup.Tag // every tag of the environment
}

// CaseNote is what somebody wrote down about a case.
type CaseNote struct {
	UID    uuid.UUID
	At     time.Time
	Author string
	Text   string
}

// ErrManyTags means that a lookup, or an environment, has as many tags as it may.
var ErrManyTags = fmt.Errorf("%w: too many tags", ErrConflict)

// ErrNoOwner means that a case was to become the case of somebody who is not there or cannot ask.
var ErrNoOwner = fmt.Errorf("%w: no such owner", ErrConflict)

func readWork(ctx context.Context, tx pgx.Tx, env lookup.Environment, lookupID int64) (w Work, err error) {
	if err := tx.QueryRow(ctx, `-- name: owner of lookup
select coalesce((select uid from users where id = l.owner_id), '00000000-0000-0000-0000-000000000000') from lookups l where l.id = $1`, lookupID).Scan(&w.Owner); err != nil {
		return w, err
	}
	rows, err := tx.Query(ctx, `-- name: tags of lookup
select t.uid, t.name from lookup_tags g join tags t on t.id = g.tag_id where g.lookup_id = $1 order by t.folded`, lookupID)
	if err != nil {
		return w, err
	}
	if w.Tags, err = pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Tag]); err != nil {
		return w, err
	}
	if rows, err = tx.Query(ctx, `-- name: notes of lookup
select uid, written_at, author, text from case_notes where lookup_id = $1 order by id desc`, lookupID); err != nil {
		return w, err
	}
	if w.Notes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[CaseNote]); err != nil {
		return w, err
	}
	if rows, err = tx.Query(ctx, `-- name: colleagues
select uid, name from users where disabled_at is null and role = any($1) order by name`, askers()); err != nil {
		return w, err
	}
	if w.Colleagues, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (u auth.User, err error) {
		err = row.Scan(&u.UID, &u.Name)
		return u, err
	}); err != nil {
		return w, err
	}
	if rows, err = tx.Query(ctx, tagsOf, env, TagsKept); err != nil {
		return w, err
	}
	w.Known, err = pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Tag])
	return w, err
}

// askers are the roles to which a case can belong: those that ask.
func askers() (roles []string) {
	for _, r := range auth.Roles {
		if r.May(auth.PowerRequest) {
			roles = append(roles, string(r))
		}
	}
	return roles
}

// onCase does something to a case: what is done, its announcement and its audit entry are one transaction. Nothing is
// recorded when done says so.
func (db *DB) onCase(ctx context.Context, env lookup.Environment, uid uuid.UUID, action audit.Action, by audit.Actor,
	do func(tx pgx.Tx, lookupID int64) (subject string, done bool, err error)) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id, personID int64
		if err := tx.QueryRow(ctx, `-- name: case to work on
select id, person_id from lookups where environment = $1 and uid = $2 for no key update`, env, uid).Scan(&id, &personID); err != nil {
			return found(err)
		}
		subject, done, err := do(tx, id)
		if err != nil || !done {
			return err
		}
		if err := notify(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: action, personID: personID, lookupID: id, subject: subject})
	})
}

// SetReference changes the own reference of a lookup. The trail says that it changed; free text stays out of what is kept
// for ever.
func (db *DB) SetReference(ctx context.Context, env lookup.Environment, uid uuid.UUID, reference string, by audit.Actor) error {
	return db.onCase(ctx, env, uid, audit.ReferenceChanged, by, func(tx pgx.Tx, id int64) (string, bool, error) {
		tag, err := tx.Exec(ctx, `-- name: set reference
update lookups set reference = $2 where id = $1 and reference <> $2`, id, reference)
		return "", tag.RowsAffected() > 0, err
	})
}

// SetOwner makes a case somebody's, or with the zero id nobody's. Somebody who cannot ask gives ErrNoOwner.
func (db *DB) SetOwner(ctx context.Context, env lookup.Environment, uid, owner uuid.UUID, by audit.Actor) error {
	return db.onCase(ctx, env, uid, audit.OwnerChanged, by, func(tx pgx.Tx, id int64) (subject string, done bool, err error) {
		var ownerID *int64
		if owner != uuid.Nil {
			subject = owner.String()
			if err := tx.QueryRow(ctx, `-- name: new owner
select id from users where uid = $1 and disabled_at is null and role = any($2)`, owner, askers()).Scan(&ownerID); errors.Is(err, pgx.ErrNoRows) {
				return "", false, ErrNoOwner
			} else if err != nil {
				return "", false, err
			}
		}
		tag, err := tx.Exec(ctx, `-- name: set owner
update lookups set owner_id = $2 where id = $1 and owner_id is distinct from $2`, id, ownerID)
		return subject, tag.RowsAffected() > 0, err
	})
}

// AddTag puts a tag on a lookup; a tag that the environment does not have yet comes to be. name is as lookup.CleanTag gives it.
// One that differs only by accents or case is the same tag.
func (db *DB) AddTag(ctx context.Context, env lookup.Environment, uid uuid.UUID, name, folded string, by audit.Actor) error {
	return db.onCase(ctx, env, uid, audit.TagAdded, by, func(tx pgx.Tx, id int64) (string, bool, error) {
		tag, err := findTag(ctx, tx, env, name, folded)
		if err != nil {
			return "", false, err
		}
		var there int
		if err := tx.QueryRow(ctx, `-- name: count tags of lookup
select count(*) from lookup_tags where lookup_id = $1 and tag_id <> $2`, id, tag.id).Scan(&there); err != nil {
			return "", false, err
		}
		if there >= lookup.MaxTags {
			return "", false, ErrManyTags
		}
		done, err := tx.Exec(ctx, `-- name: add tag to lookup
insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, $2, l.requested_at from lookups l where l.id = $1
on conflict do nothing`, id, tag.id)
		return tag.uid.String(), done.RowsAffected() > 0, err
	})
}

type tagRow struct {
	id  int64
	uid uuid.UUID
}

// findTag gives the tag of a name, which may come to be now.
func findTag(ctx context.Context, tx pgx.Tx, env lookup.Environment, name, folded string) (t tagRow, err error) {
	const known = `-- name: tag by name
select id, uid from tags where environment = $1 and folded = $2`
	if err = tx.QueryRow(ctx, known, env, folded).Scan(&t.id, &t.uid); !errors.Is(err, pgx.ErrNoRows) {
		return t, err
	}
	added, err := tx.Exec(ctx, `-- name: add tag
insert into tags (environment, name, folded) select $1, $2, $3 where (select count(*) from tags where environment = $1) < $4
on conflict (environment, folded) do nothing`, env, name, folded, TagsKept)
	if err != nil {
		return t, err
	}
	if err = tx.QueryRow(ctx, known, env, folded).Scan(&t.id, &t.uid); errors.Is(err, pgx.ErrNoRows) && added.RowsAffected() == 0 {
		return t, ErrManyTags
	}
	return t, err
}

// RemoveTag takes a tag off a lookup.
func (db *DB) RemoveTag(ctx context.Context, env lookup.Environment, uid, tag uuid.UUID, by audit.Actor) error {
	return db.onCase(ctx, env, uid, audit.TagRemoved, by, func(tx pgx.Tx, id int64) (string, bool, error) {
		done, err := tx.Exec(ctx, `-- name: remove tag of lookup
delete from lookup_tags where lookup_id = $1 and tag_id = (select id from tags where environment = $2 and uid = $3)`, id, env, tag)
		return tag.String(), done.RowsAffected() > 0, err
	})
}

// WriteNote adds a note to a case. It stays as it is: a correction is another note.
func (db *DB) WriteNote(ctx context.Context, env lookup.Environment, uid uuid.UUID, text string, by audit.Actor) error {
	return db.onCase(ctx, env, uid, audit.NoteWritten, by, func(tx pgx.Tx, id int64) (string, bool, error) {
		var added uuid.UUID
		err := tx.QueryRow(ctx, `-- name: add case note
insert into case_notes (lookup_id, written_by, author, text) values ($1, $2, $3, $4) returning uid`, id, by.UserID, by.Name, clean(text)).Scan(&added)
		return added.String(), true, err
	})
}
