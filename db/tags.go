package db

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// TagsKept is how many tags an environment may have: more than anybody reads through, few enough to list them all.
const TagsKept = 200

const tagsOf = `-- name: tags
select uid, name from tags where environment = $1 order by folded limit $2`

// Tags lists the tags of an environment by name.
func (db *DB) Tags(ctx context.Context, env lookup.Environment) ([]lookup.Tag, error) {
	rows, err := db.pool.Query(ctx, tagsOf, env, TagsKept)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Tag])
}

// TagUse is a tag and how many lookups have it, counted up to a limit.
type TagUse struct {
	lookup.Tag
	Lookups int
}

// TagUses lists the tags of an environment with how much each is used, counting to limit and no further.
func (db *DB) TagUses(ctx context.Context, env lookup.Environment, limit int) ([]TagUse, error) {
	rows, err := db.pool.Query(ctx, `-- name: uses of tags
select t.uid, t.name, (select count(*) from (select 1 from lookup_tags g where g.tag_id = t.id limit $2) few)
  from tags t where t.environment = $1 order by t.folded limit $3`, env, limit, TagsKept)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (u TagUse, err error) {
		err = row.Scan(&u.UID, &u.Name, &u.Lookups)
		return u, err
	})
}

// RenameTag gives a tag another name. Where a tag of that name is there already, the two become one, the other.
func (db *DB) RenameTag(ctx context.Context, env lookup.Environment, uid uuid.UUID, name, folded string, by audit.Actor) (merged bool, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		id, err := lockTag(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		var other int64
		if err := tx.QueryRow(ctx, `-- name: other tag of that name
select coalesce((select id from tags where environment = $1 and folded = $2 and id <> $3 for update), 0)`, env, folded, id).Scan(&other); err != nil {
			return err
		}
		if merged = other != 0; !merged {
			if _, err := tx.Exec(ctx, `-- name: rename tag
update tags set name = $2, folded = $3 where id = $1`, id, name, folded); err != nil {
				return err
			}
			return record(ctx, tx, by, note{action: audit.TagRenamed, subject: uid.String()})
		}
		if _, err := tx.Exec(ctx, `-- name: merge tags
insert into lookup_tags (lookup_id, tag_id, requested_at) select lookup_id, $2, requested_at from lookup_tags where tag_id = $1
on conflict do nothing`, id, other); err != nil {
			return err
		}
		if err := dropTag(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.TagRenamed, subject: uid.String(), detail: "merged"})
	})
	return merged, err
}

// DeleteTag takes a tag off every lookup and away.
func (db *DB) DeleteTag(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		id, err := lockTag(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		if err := dropTag(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.TagDeleted, subject: uid.String()})
	})
}

func lockTag(ctx context.Context, tx pgx.Tx, env lookup.Environment, uid uuid.UUID) (id int64, err error) {
	err = tx.QueryRow(ctx, `-- name: lock tag
select id from tags where environment = $1 and uid = $2 for update`, env, uid).Scan(&id)
	return id, found(err)
}

func dropTag(ctx context.Context, tx pgx.Tx, id int64) error {
	if _, err := tx.Exec(ctx, `-- name: take tag off
delete from lookup_tags where tag_id = $1`, id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `-- name: delete tag
delete from tags where id = $1`, id)
	return err
}
