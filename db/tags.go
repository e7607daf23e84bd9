package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// TagsKept is how many tags an environment may have: more than anybody reads through, few enough to list them all.
const TagsKept = 200

// Tags lists the tags of an environment by name.
func (db *DB) Tags(ctx context.Context, env lookup.Environment) ([]lookup.Tag, error) {
	rows, err := db.pool.Query(ctx, `-- name: tags
select uid, name from tags where environment = $1 order by folded limit $2`, env, TagsKept)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Tag])
}
