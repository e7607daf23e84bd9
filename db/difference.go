package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/employment"
	"cotejo/internal/profile"
)

// Before is what a lookup knew before its newest answers, to be compared with them; nil where there was no earlier answer.
type Before struct {
	Profile        *profile.Profile
	History        *employment.History
	ProfilePull    *Pull
	EmploymentPull *Pull
}

// readBefore reads the answers before the newest ones of a lookup.
func readBefore(ctx context.Context, tx pgx.Tx, c *Case) (err error) {
	if c.EmploymentPull != nil {
		if c.Before.EmploymentPull, err = pullBefore(ctx, tx, c.EmploymentPull.ID); err != nil {
			return err
		}
	}
	if c.Before.EmploymentPull != nil {
		if c.Before.History, err = readHistory(ctx, tx, c.Before.EmploymentPull.ID); err != nil {
			return err
		}
	}
	if c.ProfilePull != nil {
		if c.Before.ProfilePull, err = pullBefore(ctx, tx, c.ProfilePull.ID); err != nil {
			return err
		}
	}
	if c.Before.ProfilePull != nil {
		c.Before.Profile, err = readProfile(ctx, tx, c.Before.ProfilePull.ID)
	}
	return err
}

// pullBefore gives the readable pull of the same lookup and kind to compare one with: the newest one of another attempt,
// since a second fetch within an attempt seldom brings news; without one, the newest before it. nil when it is the first.
func pullBefore(ctx context.Context, tx pgx.Tx, pullID int64) (*Pull, error) {
	var p Pull
	err := tx.QueryRow(ctx, `-- name: pull before
select b.id, b.uid, b.state, b.fetched_at, b.http_status, b.took_ms, length(b.body), b.sha256, b.code
  from pulls p join pulls b on b.lookup_id = p.lookup_id and b.kind = p.kind and b.id < p.id and b.state <> 'failed'
 where p.id = $1 order by b.attempt_id <> p.attempt_id desc, b.id desc limit 1`, pullID).
		Scan(&p.ID, &p.UID, &p.State, &p.FetchedAt, &p.HTTPStatus, &p.TookMS, &p.Size, &p.SHA256, &p.Code)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &p, err
}
