package db

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/decision"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// Pull is one fetch, without what was read from it.
type Pull struct {
	ID         int64
	UID        uuid.UUID
	State      lookup.PullState
	FetchedAt  time.Time
	HTTPStatus int
	TookMS     int
	Size       int
	SHA256     []byte
	Code       string
	Pages      int       // answers it came in, 1 for most
	Delivery   uuid.UUID // that caused it; zero when none did
}

// Case is a lookup with all that its page shows.
type Case struct {
	lookup.Case
	Profile        *profile.Profile    // nil: no successful pull yet
	History        *employment.History // nil: no successful pull yet
	ProfilePull    *Pull
	EmploymentPull *Pull
	ProfileMore    lookup.Cells  // what the source says beside who the person is: address, estimated income, …
	Entities       []EntityTable // the newest readable pull of each other kind of data, in the order of lookup.Entities
	Documents      []Document    // of all pulls, each content once, newest first
	Before         Before        // the answers before the newest ones
	Decisions      []decision.Note
	Work           Work
	Earlier        uuid.UUID // the same person's latest other success at the same source; zero when there is none
}

// ViewLookup gives a lookup of an environment, and writes to the trail that it was looked at.
func (db *DB) ViewLookup(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (Case, error) {
	return db.auditedCase(ctx, env, uid, audit.LookupViewed, by)
}

// WatchLookup gives a lookup for a page that is already open: its view is on the trail, each refresh of it is not.
func (db *DB) WatchLookup(ctx context.Context, env lookup.Environment, uid uuid.UUID) (Case, error) {
	var c Case
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		c, _, err = readCase(ctx, tx, env, uid)
		return err
	})
	return c, err
}

// FollowLookup is WatchLookup for whoever may not have the page open: unless they looked at it within the last twelve
// hours, the longest that a session lasts, that they do now is written to the trail.
func (db *DB) FollowLookup(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) (c Case, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var personID int64
		if c, personID, err = readCase(ctx, tx, env, uid); err != nil {
			return err
		}
		var seen bool
		if err := tx.QueryRow(ctx, `-- name: seen lately
select exists (select from audit_entries where person_id = $1 and lookup_id = $2 and actor_id = $3 and action = $4 and at > clock_timestamp() - interval '12 hours')`,
			personID, c.ID, by.UserID, audit.LookupViewed).Scan(&seen); err != nil || seen {
			return err
		}
		return record(ctx, tx, by, note{action: audit.LookupViewed, personID: personID, lookupID: c.ID})
	})
	return c, err
}

// Reveal gives a person's full CURP, RFC or NSS and writes that to the trail. The RFC is the one asked about.
func (db *DB) Reveal(ctx context.Context, env lookup.Environment, uid uuid.UUID, what audit.Action, by audit.Actor) (value string, err error) {
	column := "coalesce(p.curp, '')"
	switch what {
	case audit.NSSRevealed:
		column = "p.nss"
	case audit.RFCRevealed:
		column = "coalesce(p.rfc, '')"
	}
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var personID, lookupID int64
		if err := tx.QueryRow(ctx, `-- name: reveal
select p.id, l.id, `+column+` from lookups l join people p on p.id = l.person_id where l.environment = $1 and l.uid = $2`,
			env, uid).Scan(&personID, &lookupID, &value); err != nil {
			return found(err)
		}
		return record(ctx, tx, by, note{action: what, personID: personID, lookupID: lookupID})
	})
	return value, err
}

func readCase(ctx context.Context, tx pgx.Tx, env lookup.Environment, uid uuid.UUID) (c Case, personID int64, err error) {
	targets := append(rowTargets(&c.Row), &personID,
		&c.Consent.GivenAt, &c.Consent.ExpiresAt, &c.Consent.NoticeVersion, &c.Consent.Means, &c.Consent.RecordedBy, &c.Earlier)
	err = tx.QueryRow(ctx, `-- name: case
select `+rowColumns+`, p.id, k.given_at, k.expires_at, k.notice_version, k.means, ku.name,
       coalesce((select e.uid from lookups e where e.person_id = l.person_id and e.platform = l.platform and e.status = 'success' and e.id <> l.id
                  order by e.requested_at desc, e.id desc limit 1), '00000000-0000-0000-0000-000000000000')`+rowTables+`
  join consents k on k.id = l.consent_id
  join users ku on ku.id = k.recorded_by
 where l.environment = $1 and l.uid = $2`, env, uid).Scan(targets...)
	if err != nil {
		return c, 0, found(err)
	}
	if c.Attempts, err = readAttempts(ctx, tx, c.ID); err != nil {
		return c, 0, err
	}
	if err = readAnswer(ctx, tx, &c); err != nil {
		return c, 0, err
	}
	if c.Decisions, err = readDecisions(ctx, tx, c.ID); err != nil {
		return c, 0, err
	}
	if c.Work, err = readWork(ctx, tx, env, c.ID); err != nil {
		return c, 0, err
	}
	return c, personID, readBefore(ctx, tx, &c)
}

// readAnswer adds the newest readable pulls to a case, and what was read from them.
func readAnswer(ctx context.Context, tx pgx.Tx, c *Case) (err error) {
	if c.ProfilePull, err = latestPull(ctx, tx, c.ID, "profile"); err != nil {
		return err
	}
	if c.ProfilePull != nil {
		if c.Profile, err = readProfile(ctx, tx, c.ProfilePull.ID); err != nil {
			return err
		}
		more, err := readRows(ctx, tx, c.ProfilePull.ID)
		if err != nil {
			return err
		}
		for _, row := range more {
			c.ProfileMore = append(c.ProfileMore, row...)
		}
	}
	if c.EmploymentPull, err = latestPull(ctx, tx, c.ID, "employment"); err != nil {
		return err
	}
	if c.EmploymentPull != nil {
		if c.History, err = readHistory(ctx, tx, c.EmploymentPull.ID); err != nil {
			return err
		}
	}
	if c.Dialect != lookup.Buro {
		return nil // the other dialect has nothing more
	}
	if c.Entities, err = readEntities(ctx, tx, c.ID); err != nil {
		return err
	}
	c.Documents, err = readDocuments(ctx, tx, c.ID)
	return err
}

func readAttempts(ctx context.Context, tx pgx.Tx, lookupID int64) ([]lookup.Attempt, error) {
	rows, err := tx.Query(ctx, `-- name: attempts of lookup
select id, uid, number, source, status, detail, warning, account_id, requested_at, coalesce(sent_at, `+never+`),
       coalesce(settled_at, `+never+`), profile_state, employment_state
  from attempts where lookup_id = $1 order by number desc`, lookupID)
	if err != nil {
		return nil, err
	}
	attempts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a lookup.Attempt, err error) {
		err = row.Scan(&a.ID, &a.UID, &a.Number, &a.Source, &a.State.Status, &a.State.Detail, &a.State.Warning, &a.AccountID,
			&a.RequestAt, &a.SentAt, &a.SettledAt, &a.Profile, &a.Employment)
		return a, err
	})
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(attempts))
	at := map[int64]*lookup.Attempt{}
	for i := range attempts {
		ids[i] = attempts[i].ID
		at[ids[i]] = &attempts[i]
	}
	rows, err = tx.Query(ctx, `-- name: moments of attempts
select m.attempt_id, m.at, m.kind, m.status, m.text, coalesce(u.name, ''), coalesce(d.uid, '00000000-0000-0000-0000-000000000000'), m.took_ms
  from moments m left join users u on u.id = m.actor_id left join deliveries d on d.id = m.delivery_id
 where m.attempt_id = any($1) order by m.id`, ids)
	if err != nil {
		return nil, err
	}
	var m lookup.Moment
	var attemptID int64
	if _, err = pgx.ForEachRow(rows, []any{&attemptID, &m.At, &m.Kind, &m.Status, &m.Text, &m.Actor, &m.Delivery, &m.TookMS}, func() error {
		at[attemptID].Story = append(at[attemptID].Story, m)
		return nil
	}); err != nil {
		return nil, err
	}
	return attempts, readFindings(ctx, tx, ids, at)
}

const (
	pullColumns = `p.id, p.uid, p.state, p.fetched_at, p.http_status, p.took_ms, length(p.body), p.sha256, p.code,
       1 + (select count(*) from pull_pages g where g.pull_id = p.id), coalesce(d.uid, '00000000-0000-0000-0000-000000000000')`
	pullTables = ` from pulls p left join events e on e.id = p.event_id left join deliveries d on d.id = e.delivery_id`
)

func (p *Pull) targets() []any {
	return []any{&p.ID, &p.UID, &p.State, &p.FetchedAt, &p.HTTPStatus, &p.TookMS, &p.Size, &p.SHA256, &p.Code, &p.Pages, &p.Delivery}
}

// latestPull gives the newest pull of a kind that brought something readable, or nil.
func latestPull(ctx context.Context, tx pgx.Tx, lookupID int64, kind string) (*Pull, error) {
	var p Pull
	err := tx.QueryRow(ctx, `-- name: latest pull
select `+pullColumns+pullTables+`
 where p.lookup_id = $1 and p.kind = $2 and p.state <> 'failed' order by p.id desc limit 1`, lookupID, kind).Scan(p.targets()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &p, err
}

func readProfile(ctx context.Context, tx pgx.Tx, pullID int64) (*profile.Profile, error) {
	var p profile.Profile
	err := tx.QueryRow(ctx, `-- name: profile
select account_id, first_name, last_name, email, phone, coalesce(birthday, '0001-01-01'::date) from profiles where pull_id = $1`, pullID).
		Scan(&p.AccountID, &p.FirstName, &p.LastName, &p.Email, &p.Phone, &p.Birthday)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `-- name: profile ids
select type, name, value from profile_ids where pull_id = $1 order by position`, pullID)
	if err != nil {
		return nil, err
	}
	p.IDs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[profile.ID])
	return &p, err
}

func readHistory(ctx context.Context, tx pgx.Tx, pullID int64) (*employment.History, error) {
	var h employment.History
	var files []string
	err := tx.QueryRow(ctx, `-- name: employment
select platform, account_id, id_type, status, complete, end_of_rights, quoted_weeks, discounted_weeks, reintegrated_weeks, files
  from employments where pull_id = $1`, pullID).
		Scan(&h.Platform, &h.AccountID, &h.IDType, &h.Status, &h.Complete, &h.EndOfRight,
			&h.Weeks.Quoted, &h.Weeks.Discounted, &h.Weeks.Reintegrated, &files)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		h.Files = append(h.Files, employment.File{Type: f})
	}
	rows, err := tx.Query(ctx, `-- name: employment records
select employer, registration, coalesce(start_date, '0001-01-01'::date), coalesce(end_date, '0001-01-01'::date), federal_entity,
       base_salary, monthly_salary, job_title, designation, modality, payment_frequency, quoted_days, institution
  from employment_records where pull_id = $1 order by position`, pullID)
	if err != nil {
		return nil, err
	}
	if h.Records, err = pgx.CollectRows(rows, pgx.RowToStructByPos[employment.Record]); err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `-- name: employment movements
select type, employer, registration, coalesce(event_date, '0001-01-01'::date), coalesce(end_date, '0001-01-01'::date), base_salary
  from employment_movements where pull_id = $1 order by position`, pullID)
	if err != nil {
		return nil, err
	}
	h.Movements, err = pgx.CollectRows(rows, pgx.RowToStructByPos[employment.Movement])
	return &h, err
}

// auditedCase reads a case and writes that to the trail, in one transaction.
func (db *DB) auditedCase(ctx context.Context, env lookup.Environment, uid uuid.UUID, what audit.Action, by audit.Actor) (c Case, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) (err error) {
		var personID int64
		if c, personID, err = readCase(ctx, tx, env, uid); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: what, personID: personID, lookupID: c.ID})
	})
	return c, err
}
