package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

// Errand is what a worker needs to know to call the vendor for an attempt.
type Errand struct {
	AttemptID      int64
	AttemptUID     uuid.UUID
	LookupID       int64
	ConnectionID   int64
	ConnectionAsOf time.Time // when it was last changed
	Dialect        lookup.Dialect
	Environment    lookup.Environment
	PersonID       int64
	CURP, RFC      string // exactly one of the two
	Platform       lookup.Platform
	Status         lookup.Status
	AccountID      string
	SentAt         time.Time // zero: never marked for sending
	Consent        ErrandConsent
}

// ErrandConsent is what a vendor that wants consent recorded is told of ours. "" when there is none.
type ErrandConsent struct {
	ID        int64
	IP        string
	NoticeURL string
}

// Identifier gives what the vendor is asked about: a CURP or an RFC.
func (e Errand) Identifier() string {
	if e.CURP == "" {
		return e.RFC
	}
	return e.CURP
}

// Errand gives the errand of an attempt.
func (db *DB) Errand(ctx context.Context, attemptID int64) (Errand, error) {
	var e Errand
	err := db.pool.QueryRow(ctx, `-- name: errand
select a.id, a.uid, a.lookup_id, a.connection_id, c.changed_at, c.dialect, l.environment, p.id, coalesce(p.curp, ''), coalesce(p.rfc, ''), l.platform,
       a.status, a.account_id, coalesce(a.sent_at, `+never+`), k.id, k.ip, s.notice_url
  from attempts a
  join lookups l on l.id = a.lookup_id
  join people p on p.id = l.person_id
  join connections c on c.id = a.connection_id
  join consents k on k.id = a.consent_id
 cross join console s
 where a.id = $1`, attemptID).
		Scan(&e.AttemptID, &e.AttemptUID, &e.LookupID, &e.ConnectionID, &e.ConnectionAsOf, &e.Dialect, &e.Environment, &e.PersonID, &e.CURP, &e.RFC, &e.Platform,
			&e.Status, &e.AccountID, &e.SentAt, &e.Consent.ID, &e.Consent.IP, &e.Consent.NoticeURL)
	return e, found(err)
}

// MarkSent notes, before the call, that the vendor is about to be asked. first is false when an earlier run had
// already marked it: that run's call may have reached the vendor, which has no idempotency.
func (db *DB) MarkSent(ctx context.Context, attemptID int64) (first bool, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `-- name: mark sent
update attempts set sent_at = clock_timestamp() where id = $1 and sent_at is null`, attemptID)
		if err != nil {
			return err
		}
		if first = tag.RowsAffected() == 1; !first {
			return nil
		}
		return addMoment(ctx, tx, attemptID, moment{kind: lookup.MomentSent})
	})
	return first, err
}

// Unsend takes the mark back after a call of which it is certain that the vendor did not act on it.
func (db *DB) Unsend(ctx context.Context, attemptID int64) error {
	_, err := db.pool.Exec(ctx, `-- name: unsend
update attempts set sent_at = null where id = $1 and account_id = ''`, attemptID)
	return err
}

// Taken is the vendor's answer to a request.
type Taken struct {
	AccountID string
	UserID    string
	Took      time.Duration
	Found     bool // not created by this call but found at the vendor after an ambiguous one
}

// AttemptTaken stores the vendor's account for an attempt, moves it to pending, and claims the deliveries for that
// account that overtook this commit.
func (db *DB) AttemptTaken(ctx context.Context, attemptID int64, t Taken) error {
	t.AccountID, t.UserID = clip(t.AccountID), clip(t.UserID)
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var connectionID int64
		if err := tx.QueryRow(ctx, `-- name: connection of attempt
select connection_id from attempts where id = $1`, attemptID).Scan(&connectionID); err != nil {
			return found(err)
		}
		if err := lockAccount(ctx, tx, connectionID, t.AccountID); err != nil {
			return err
		}
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: attempt taken
update attempts set account_id = $2, vendor_user_id = case when $3 = '' then vendor_user_id else $3 end where id = $1`,
			attemptID, t.AccountID, t.UserID); err != nil {
			return err
		}
		kind := lookup.MomentTaken
		if t.Found {
			kind = lookup.MomentFound
		}
		if err := addMoment(ctx, tx, attemptID, moment{kind: kind, took: t.Took}); err != nil {
			return err
		}
		step := lookup.Advance(a.state, lookup.Report{Phase: lookup.PhaseOpened, Detail: a.state.Detail})
		if err := a.move(ctx, tx, step, moment{}); err != nil {
			return err
		}
		if err := db.claimDeliveries(ctx, tx, a.connectionID, t.AccountID); err != nil {
			return err
		}
		return notify(ctx, tx, a.lookupID)
	})
}

// AttemptRefused ends an attempt that the vendor refused to take up, with a code of package lookup.
func (db *DB) AttemptRefused(ctx context.Context, attemptID int64, code string) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil {
			return err
		}
		if err := addMoment(ctx, tx, attemptID, moment{kind: lookup.MomentRefused, text: code}); err != nil {
			return err
		}
		step := lookup.Advance(a.state, lookup.Report{Phase: lookup.PhaseFailed, Detail: code})
		if err := a.move(ctx, tx, step, moment{by: lookup.SettledRefused}); err != nil {
			return err
		}
		return notify(ctx, tx, a.lookupID)
	})
}

// attempt is a locked attempt row.
type attempt struct {
	id, lookupID, connectionID int64
	latest                     bool
	state                      lookup.State
	profile, employment        lookup.PullState
}

// lockAttempt locks an attempt and reads it. Whether it is the latest is read by a statement of its own: the one that waits
// for the lock sees what stood before it waited, and not the attempt that somebody opened meanwhile under that lock.
func lockAttempt(ctx context.Context, tx pgx.Tx, id int64) (attempt, error) {
	a := attempt{id: id}
	both := &pgx.Batch{}
	both.Queue(`-- name: lock attempt
select id from attempts where id = $1 for no key update`, id)
	both.Queue(`-- name: locked attempt
select a.lookup_id, a.connection_id, a.status, a.detail, a.warning, a.profile_state, a.employment_state,
       not exists (select 1 from attempts later where later.lookup_id = a.lookup_id and later.number > a.number)
  from attempts a where a.id = $1`, id).QueryRow(func(row pgx.Row) error {
		return row.Scan(&a.lookupID, &a.connectionID, &a.state.Status, &a.state.Detail, &a.state.Warning, &a.profile, &a.employment, &a.latest)
	})
	return a, found(tx.SendBatch(ctx, both).Close())
}

// move stores the step on the attempt and, if it is the latest one, on its lookup. The moment is written when the
// status itself changed; its kind and status are filled in here.
func (a *attempt) move(ctx context.Context, tx pgx.Tx, step lookup.Step, m moment) error {
	if !step.Moved {
		return nil
	}
	next := step.Next
	if _, err := tx.Exec(ctx, `-- name: move attempt
update attempts set status = $2, detail = $3, warning = $4,
       settled_at = case when $2 in ('queued', 'pending') then null else coalesce(settled_at, clock_timestamp()) end,
       settled_by = case when $2 in ('queued', 'pending') then '' when status <> $2 then $5 else settled_by end
 where id = $1`, a.id, next.Status, next.Detail, next.Warning, m.settles()); err != nil {
		return fmt.Errorf("move the attempt: %w", err)
	}
	if a.latest {
		if _, err := tx.Exec(ctx, `-- name: move lookup
update lookups set status = $2, detail = $3, warning = $4,
       status_at = case when status <> $2 then clock_timestamp() else status_at end where id = $1`,
			a.lookupID, next.Status, next.Detail, next.Warning); err != nil {
			return fmt.Errorf("move the lookup: %w", err)
		}
	}
	if next.Status != a.state.Status {
		m.kind, m.status = lookup.MomentStatus, next.Status
		if m.text == "" {
			m.text = next.Detail
		}
		if err := addMoment(ctx, tx, a.id, m); err != nil {
			return err
		}
	}
	a.state = next
	return nil
}

// fetching marks kinds of data as on their way and hands the fetches to the queue. A kind that we do not know is kept by
// its name only.
func (db *DB) fetching(ctx context.Context, tx pgx.Tx, a *attempt, eventID int64, entities []lookup.Entity) error {
	opts := &river.InsertOpts{Queue: task.QueueVendor, Priority: task.PrioritySingle, MaxAttempts: vendorTries}
	var source lookup.Source
	if err := tx.QueryRow(ctx, `-- name: source of attempt
select source from attempts where id = $1`, a.id).Scan(&source); err != nil {
		return found(err)
	}
	if source == lookup.SourceBulk {
		opts.Priority = task.PriorityFetch
	}
	for _, entity := range entities {
		state := lookup.PullFetching
		if !entity.Known() {
			state = lookup.PullNone
		}
		if err := setPullState(ctx, tx, a, entity, state); err != nil {
			return err
		}
		if !entity.Known() {
			continue
		}
		if _, err := db.jobs.InsertTx(ctx, tx, fetchJob(a.id, eventID, entity), opts); err != nil {
			return err
		}
	}
	return nil
}

func fetchJob(attemptID, eventID int64, entity lookup.Entity) river.JobArgs {
	switch entity {
	case lookup.EntityProfile:
		return task.FetchProfile{AttemptID: attemptID, EventID: eventID}
	case lookup.EntityEmployment:
		return task.FetchEmployment{AttemptID: attemptID, EventID: eventID}
	}
	return task.FetchEntity{AttemptID: attemptID, EventID: eventID, Entity: string(entity)}
}

// setPullState stores how far one kind of data has come, on the attempt and on the lookup it is the latest of. Profile and
// employment have columns, for lists; other kinds are rows of the attempt.
func setPullState(ctx context.Context, tx pgx.Tx, a *attempt, kind lookup.Entity, state lookup.PullState) error {
	statements, column := map[lookup.Entity][2]string{
		lookup.EntityProfile: {`-- name: attempt profile state
update attempts set profile_state = $2 where id = $1`, `-- name: lookup profile state
update lookups set profile_state = $2 where id = $1`},
		lookup.EntityEmployment: {`-- name: attempt employment state
update attempts set employment_state = $2 where id = $1`, `-- name: lookup employment state
update lookups set employment_state = $2 where id = $1`},
	}[kind]
	if !column {
		_, err := tx.Exec(ctx, `-- name: attempt entity state
insert into attempt_entities (attempt_id, name, state) values ($1, $2, $3)
on conflict (attempt_id, name) do update set state = excluded.state`, a.id, clip(string(kind)), state)
		return err
	}
	if _, err := tx.Exec(ctx, statements[0], a.id, state); err != nil {
		return err
	}
	if !a.latest {
		return nil
	}
	_, err := tx.Exec(ctx, statements[1], a.lookupID, state)
	return err
}

// moment is one line of an attempt's story.
type moment struct {
	kind       lookup.MomentKind
	status     lookup.Status
	text       string
	actorID    int64
	deliveryID int64
	took       time.Duration
	by         lookup.SettledBy // when it is no webhook that moved the attempt
}

// settles is how an attempt's outcome became known, if this moment tells one.
func (m moment) settles() lookup.SettledBy {
	if m.by == lookup.SettledNot && m.deliveryID != 0 {
		return lookup.SettledWebhook
	}
	return m.by
}

func addMoment(ctx context.Context, tx pgx.Tx, attemptID int64, m moment) error {
	_, err := tx.Exec(ctx, `-- name: add moment
insert into moments (attempt_id, kind, status, text, actor_id, delivery_id, took_ms)
values ($1, $2, $3, $4, nullif($5, 0), nullif($6, 0), $7)`,
		attemptID, m.kind, m.status, m.text, m.actorID, m.deliveryID, m.took.Milliseconds())
	if err != nil {
		return fmt.Errorf("add to the story: %w", err)
	}
	return nil
}

// lockAccount serialises, for one vendor account, the commit that learns its id and the event that mentions it.
// Without it each could look for the other just before the other commits.
func lockAccount(ctx context.Context, tx pgx.Tx, connectionID int64, accountID string) error {
	_, err := tx.Exec(ctx, `-- name: lock account
select pg_advisory_xact_lock(hashtextextended($2, $1))`, connectionID, accountID)
	return err
}

// SetWarning stores the vendor's observation beside an attempt's status: a fact of its own, which moves nothing.
func (db *DB) SetWarning(ctx context.Context, attemptID int64, warning string) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil {
			return err
		}
		next := a.state
		next.Warning = clip(warning)
		if next == a.state || warning == "" && a.state.Warning == lookup.WarningFailedRefresh {
			return nil // nothing new, or a warning of ours that the vendor does not know
		}
		if err := a.move(ctx, tx, lookup.Step{Next: next, Moved: true}, moment{}); err != nil {
			return err
		}
		return notify(ctx, tx, a.lookupID)
	})
}
