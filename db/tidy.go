package db

import (
	"context"
	"fmt"
	"time"
)

// How long things are kept that have outlived their purpose.
const (
	credentialsKept = 7 * 24 * time.Hour
	foreignAfter    = 24 * time.Hour
)

// Tidy drops credential headers after seven days, ended sessions and old sign-in failures, and settles deliveries for
// accounts that nobody here asked for as foreign after a day. Drafts of bulks and files of exports go after a day, searches
// after an hour.
func (db *DB) Tidy(ctx context.Context) error {
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`-- name: drop credentials
update deliveries set credentials_sealed = null
 where credentials_sealed is not null and received_at < clock_timestamp() - $1::interval`, []any{credentialsKept}},
		{`-- name: settle foreign
update deliveries set cause = 'foreign'
 where verdict = 'unmatched' and cause = '' and received_at < clock_timestamp() - $1::interval`, []any{foreignAfter}},
		{`-- name: drop sessions
delete from sessions where expires_at < clock_timestamp()`, nil},
		{`-- name: drop sign-in failures
delete from sign_in_failures where failed_at < clock_timestamp() - $1::interval`, []any{failureWindow}},
		{`-- name: drop searches
delete from searches where expires_at < clock_timestamp()`, nil},
	} {
		if _, err := db.pool.Exec(ctx, statement.text, statement.args...); err != nil {
			return fmt.Errorf("tidy: %w", err)
		}
	}
	if err := db.tidyBulks(ctx); err != nil {
		return err
	}
	return db.tidyExports(ctx)
}

// AuditBroken gives the ids of audit entries at which the chain does not hold: edited, missing or inserted ones.
func (db *DB) AuditBroken(ctx context.Context) ([]int64, error) {
	rows, err := db.pool.Query(ctx, `-- name: audit broken links
select audit_broken_links()`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var broken []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		broken = append(broken, id)
	}
	return broken, rows.Err()
}
