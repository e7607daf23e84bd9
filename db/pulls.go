package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// NewPull is the raw side of one fetch.
type NewPull struct {
	AttemptID  int64
	EventID    int64 // why it was made; 0 when nobody's event
	State      lookup.PullState
	HTTPStatus int
	Took       time.Duration
	Code       string // why it failed, "" otherwise
	Body       []byte // exact bytes
	SHA256     [32]byte
	More       []Page // of an answer that came in pages, those after the first
	Documents  []NewDocument
}

// Page is one answer of several.
type Page struct {
	HTTPStatus int
	Took       time.Duration
	Body       []byte // exact bytes
	SHA256     [32]byte
}

// StoreProfile keeps a profile pull with what was read from it; more is what the source says beside who the person is.
func (db *DB) StoreProfile(ctx context.Context, n NewPull, p profile.Profile, more ...lookup.Cells) error {
	return db.storePull(ctx, "profile", lookup.MomentProfile, n, func(tx pgx.Tx, pullID int64, a attempt) error {
		if _, err := tx.Exec(ctx, `-- name: add profile
insert into profiles (pull_id, account_id, first_name, last_name, email, phone, birthday) values ($1, $2, $3, $4, $5, $6, $7)`,
			pullID, clean(p.AccountID), clean(p.FirstName), clean(p.LastName), clean(p.Email), clean(p.Phone), orNull(p.Birthday)); err != nil {
			return fmt.Errorf("store the profile: %w", err)
		}
		for i, id := range p.IDs {
			if _, err := tx.Exec(ctx, `-- name: add profile id
insert into profile_ids (pull_id, position, type, name, value) values ($1, $2, $3, $4, $5)`, pullID, i, clean(id.Type), clean(id.Name), clean(id.Value)); err != nil {
				return fmt.Errorf("store an identifier: %w", err)
			}
		}
		if err := storeRows(ctx, tx, pullID, more); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: name person
update people set name = case when $2 <> '' then $2 else name end, nss = case when $3 <> '' then $3 else nss end
 where id = (select person_id from lookups where id = $1)`, a.lookupID, clean(p.FullName()), clean(p.NSS()))
		return err
	})
}

// StoreEmployment keeps an employment pull with what was read from it, and the gist of it on the lookup.
func (db *DB) StoreEmployment(ctx context.Context, n NewPull, h employment.History, g lookup.Gist) error {
	return db.storePull(ctx, "employment", lookup.MomentEmployment, n, func(tx pgx.Tx, pullID int64, a attempt) error {
		files := make([]string, len(h.Files))
		for i, f := range h.Files {
			files[i] = clean(f.Type)
		}
		if _, err := tx.Exec(ctx, `-- name: add employment
insert into employments (pull_id, platform, account_id, id_type, status, complete, end_of_rights,
                         quoted_weeks, discounted_weeks, reintegrated_weeks, files)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			pullID, clean(h.Platform), clean(h.AccountID), clean(h.IDType), clean(h.Status), clean(h.Complete), clean(h.EndOfRight),
			h.Weeks.Quoted, h.Weeks.Discounted, h.Weeks.Reintegrated, files); err != nil {
			return fmt.Errorf("store the employment: %w", err)
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"employment_records"},
			[]string{"pull_id", "position", "employer", "registration", "start_date", "end_date", "federal_entity", "base_salary",
				"monthly_salary", "job_title", "designation", "modality", "payment_frequency", "quoted_days", "institution"},
			pgx.CopyFromSlice(len(h.Records), func(i int) ([]any, error) {
				r := h.Records[i]
				return []any{pullID, i, clean(r.Employer), clean(r.Registration), orNull(r.Start), orNull(r.End), clean(r.State),
					clean(r.BaseSalary), clean(r.Monthly), clean(r.JobTitle), clean(r.Designation), clean(r.Modality),
					clean(r.PayFrequency), clean(r.QuotedDays), clean(r.Institution)}, nil
			}))
		if err != nil {
			return fmt.Errorf("store the employment records: %w", err)
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"employment_movements"},
			[]string{"pull_id", "position", "type", "employer", "registration", "event_date", "end_date", "base_salary"},
			pgx.CopyFromSlice(len(h.Movements), func(i int) ([]any, error) {
				m := h.Movements[i]
				return []any{pullID, i, clean(m.Type), clean(m.Employer), clean(m.Registration), orNull(m.Date), orNull(m.End), clean(m.BaseSalary)}, nil
			}))
		if err != nil {
			return fmt.Errorf("store the movements: %w", err)
		}
		if !a.latest {
			return nil
		}
		_, err = tx.Exec(ctx, `-- name: lookup gist
update lookups set records = $2, employers = $3, employer = $4, employed_since = $5, ended_on = $6, monthly_salary = $7 where id = $1`,
			a.lookupID, g.Records, g.Employers, clean(g.CurrentName), orNull(g.Since), orNull(g.EndedOn), clean(g.MonthlySalary))
		return err
	})
}

// PullFailed keeps what came of a fetch that was given up, with the code of why.
func (db *DB) PullFailed(ctx context.Context, kind string, n NewPull) error {
	n.State = lookup.PullFailed
	return db.storePull(ctx, kind, lookup.MomentPullFailed, n, func(pgx.Tx, int64, attempt) error { return nil })
}

// Pulled tells whether an answer of this kind was stored for an event since a moment: by an earlier run of the job that
// was made then.
func (db *DB) Pulled(ctx context.Context, attemptID, eventID int64, kind lookup.Entity, since time.Time) (stored bool, err error) {
	err = db.pool.QueryRow(ctx, `-- name: pulled
select exists (select from pulls p join attempts a on a.lookup_id = p.lookup_id
                where a.id = $1 and p.attempt_id = a.id and p.event_id is not distinct from nullif($2, 0) and p.kind = $3 and p.fetched_at >= $4)`,
		attemptID, eventID, kind, since).Scan(&stored)
	return stored, err
}

// storePull keeps the raw bytes, lets read store what they say, and moves the pull's state: one transaction.
func (db *DB) storePull(ctx context.Context, kind string, told lookup.MomentKind, n NewPull, read func(pgx.Tx, int64, attempt) error) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		a, err := lockAttempt(ctx, tx, n.AttemptID)
		if err != nil {
			return err
		}
		return keepPull(ctx, tx, a, kind, told, n, read)
	})
}

// keepPull is storePull under the attempt's lock.
func keepPull(ctx context.Context, tx pgx.Tx, a attempt, kind string, told lookup.MomentKind, n NewPull, read func(pgx.Tx, int64, attempt) error) error {
	// A decision note reads all answers of a lookup under the lookup's lock.
	if _, err := tx.Exec(ctx, `-- name: lock lookup of pull
select id from lookups where id = $1 for no key update`, a.lookupID); err != nil {
		return fmt.Errorf("lock the lookup: %w", err)
	}
	var pullID int64
	if err := tx.QueryRow(ctx, `-- name: add pull
insert into pulls (lookup_id, attempt_id, event_id, kind, state, http_status, took_ms, code, body, sha256)
values ($1, $2, nullif($3, 0), $4, $5, $6, $7, $8, $9, $10) returning id`,
		a.lookupID, a.id, n.EventID, kind, n.State, n.HTTPStatus, n.Took.Milliseconds(), clip(n.Code), notNull(n.Body), n.SHA256[:]).Scan(&pullID); err != nil {
		return fmt.Errorf("store the pull: %w", err)
	}
	if err := storePages(ctx, tx, pullID, n.More); err != nil {
		return err
	}
	if err := read(tx, pullID, a); err != nil {
		return err
	}
	if err := storeDocuments(ctx, tx, pullID, n.Documents); err != nil {
		return err
	}
	if err := setPullState(ctx, tx, &a, lookup.Entity(kind), n.State); err != nil {
		return err
	}
	text := string(n.State)
	if n.State == lookup.PullFailed {
		text = kind
	}
	if err := addMoment(ctx, tx, a.id, moment{kind: told, text: text, took: n.Took}); err != nil {
		return err
	}
	return notify(ctx, tx, a.lookupID)
}

func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
