package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// Console holds the settings of the console as a whole.
type Console struct {
	Environment   lookup.Environment
	Institution   string
	NoticeVersion string // of the privacy notice under which consent is taken
	NoticeURL     string
	ConsentDays   int
}

// Console gives the console's settings.
func (db *DB) Console(ctx context.Context) (Console, error) {
	var c Console
	err := db.pool.QueryRow(ctx, `-- name: console
select environment, institution, notice_version, notice_url, consent_days from console`).
		Scan(&c.Environment, &c.Institution, &c.NoticeVersion, &c.NoticeURL, &c.ConsentDays)
	return c, err
}

// SetEnvironment switches the whole console between test data and real data.
func (db *DB) SetEnvironment(ctx context.Context, env lookup.Environment, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: set environment
update console set environment = $1, changed_at = now()`, env); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.EnvironmentSet, detail: string(env)})
	})
}

// SetConsole sets the institution's name and the privacy notice.
func (db *DB) SetConsole(ctx context.Context, c Console, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: set console
update console set institution = $1, notice_version = $2, notice_url = $3, consent_days = $4, changed_at = now()`,
			c.Institution, c.NoticeVersion, c.NoticeURL, c.ConsentDays); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.ConsoleChanged})
	})
}
