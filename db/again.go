package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/consent"
	"cotejo/internal/lookup"
)

// Again is what there is to know before a person is asked about again.
type Again struct {
	Past      lookup.Past
	Limits    []lookup.Limit // the gravest first
	Next      lookup.Source  // what the new attempt would be
	Number    int            // of the new attempt
	Reference string
}

// Limited refuses to ask again because of limits that were not confirmed, or that nothing can be done about.
type Limited struct{ Limits []lookup.Limit }

func (e *Limited) Error() string { return "asking again meets limits that were not confirmed" }

// Unwrap makes it a conflict.
func (e *Limited) Unwrap() error { return ErrConflict }

// past is what a transaction knows of a lookup's person at its source.
type past struct {
	lookup.Past
	lookupID, personID, connectionID, attemptID int64
	number, automatic                           int
	reference                                   string
}

func readPast(ctx context.Context, tx pgx.Tx, lookupID int64, now time.Time) (p past, err error) {
	p.lookupID = lookupID
	if err = tx.QueryRow(ctx, `-- name: past of lookup
select l.person_id, l.connection_id, l.reference, c.dialect, l.platform, c.paused_at is not null, k.expires_at,
       a.id, a.number, a.status, a.detail, a.warning, coalesce(a.settled_at, `+never+`),
       (select count(*) from attempts o where o.lookup_id = l.id and o.source = 'automatic')
  from lookups l join connections c on c.id = l.connection_id join consents k on k.id = l.consent_id
  join lateral (select x.id, x.number, x.status, x.detail, x.warning, x.settled_at from attempts x
                 where x.lookup_id = l.id order by x.number desc limit 1) a on true
 where l.id = $1`, lookupID).
		Scan(&p.personID, &p.connectionID, &p.reference, &p.Dialect, &p.Platform, &p.Paused, &p.ConsentEnds,
			&p.attemptID, &p.number, &p.State.Status, &p.State.Detail, &p.State.Warning, &p.SettledAt, &p.automatic); err != nil {
		return p, found(err)
	}
	begin, _ := lookup.Day(now)
	err = tx.QueryRow(ctx, `-- name: past of person
select coalesce(max(coalesce(a.final_event_at, a.settled_at)) filter (where a.status = 'success'), `+never+`),
       coalesce((array_agg(l.uid order by coalesce(a.final_event_at, a.settled_at) desc) filter (where a.status = 'success'))[1], '00000000-0000-0000-0000-000000000000'),
       coalesce((array_agg(l.uid order by a.id desc) filter (where l.id <> $6 and a.settled_at is null))[1], '00000000-0000-0000-0000-000000000000'),
       count(*) filter (where a.sent_at >= $4 and a.settled_by <> 'refused'),
       coalesce(max(a.settled_at) filter (where a.status = 'error' and a.detail = $5), `+never+`)
  from lookups l join attempts a on a.lookup_id = l.id
 where l.person_id = $1 and l.connection_id = $2 and l.platform = $3`, p.personID, p.connectionID, p.Platform, begin, lookup.DetailThrottled, p.lookupID).
		Scan(&p.LastSuccess, &p.SuccessOf, &p.Elsewhere, &p.Today, &p.Throttled)
	return p, err
}

// Again tells what stands against asking about a lookup's person again.
func (db *DB) Again(ctx context.Context, env lookup.Environment, uid uuid.UUID, now time.Time) (a Again, err error) {
	err = pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		id, err := lookupID(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		p, err := readPast(ctx, tx, id, now)
		a = p.again(now)
		return err
	})
	return a, err
}

func (p past) again(now time.Time) Again {
	return Again{Past: p.Past, Limits: lookup.Limits(p.Past, now), Next: p.State.Next(), Number: p.number + 1, Reference: p.reference}
}

func lookupID(ctx context.Context, tx pgx.Tx, env lookup.Environment, uid uuid.UUID) (id int64, err error) {
	err = tx.QueryRow(ctx, `-- name: lookup id
select id from lookups where environment = $1 and uid = $2`, env, uid).Scan(&id)
	return id, found(err)
}

// AskAgain opens a new attempt of a lookup: a retry after a failure, a new look after a success. confirmed are the limits
// that the person has read and goes past; the limits are judged anew here, and *Limited tells of those that are left. A
// consent, when given, takes the place of the one on record.
func (db *DB) AskAgain(ctx context.Context, env lookup.Environment, uid uuid.UUID, confirmed []lookup.LimitKind, given *consent.Record, now time.Time, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		id, err := lookupID(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		p, err := readPast(ctx, tx, id, now)
		if err != nil {
			return err
		}
		// An event may settle the attempt, and a colleague may ask again, at this very moment.
		if _, err := lockAttempt(ctx, tx, p.attemptID); err != nil {
			return err
		}
		// Nor does a bulk, the form or another lookup of theirs begin to ask about the person between what is read and what is opened.
		if _, err := tx.Exec(ctx, `-- name: lock person of lookup
with mine as materialized (select person_id from lookups where id = $1 for no key update)
select 1 from people where id = (select person_id from mine) for no key update`, id); err != nil {
			return err
		}
		locked := p.attemptID
		if p, err = readPast(ctx, tx, id, now); err != nil {
			return err
		}
		if p.attemptID != locked {
			p.State.Status = lookup.Queued // somebody else was quicker
		}
		if given != nil {
			p.ConsentEnds = given.ExpiresAt
		}
		var left []lookup.Limit
		var passed []string
		for _, l := range lookup.Limits(p.Past, now) {
			switch {
			case l.Weight == lookup.Hint:
			case l.Weight != lookup.Barred && slices.Contains(confirmed, l.Kind):
				passed = append(passed, string(l.Kind))
			default:
				left = append(left, l)
			}
		}
		if len(left) > 0 {
			return &Limited{lookup.Limits(p.Past, now)}
		}
		if given != nil {
			if err := newConsent(ctx, tx, p, *given, by); err != nil {
				return err
			}
		}
		source := p.State.Next()
		if err := db.reopen(ctx, tx, id, p.connectionID, source, by.UserID); err != nil {
			return err
		}
		if err := notify(ctx, tx, id); err != nil {
			return err
		}
		detail := strings.TrimSpace(string(source) + " " + strings.Join(passed, " "))
		return record(ctx, tx, by, note{action: audit.LookupAgain, personID: p.personID, lookupID: id, detail: detail})
	})
}

func newConsent(ctx context.Context, tx pgx.Tx, p past, c consent.Record, by audit.Actor) error {
	var id int64
	if err := tx.QueryRow(ctx, `-- name: add consent again
insert into consents (person_id, recorded_by, given_at, expires_at, notice_version, means, purpose, ip)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
		p.personID, by.UserID, c.GivenAt, c.ExpiresAt, c.NoticeVersion, c.Means, c.Purpose, c.IP).Scan(&id); err != nil {
		return fmt.Errorf("store the consent: %w", err)
	}
	// Earlier attempts keep the consent under which they were sent.
	_, err := tx.Exec(ctx, `-- name: renew consent
update lookups set consent_id = $2 where id = $1`, p.lookupID, id)
	return err
}

// reopen opens the next attempt of a lookup, whose state is that attempt's from now on. What earlier attempts brought
// stays and is shown with its date.
func (db *DB) reopen(ctx context.Context, tx pgx.Tx, lookupID, connectionID int64, source lookup.Source, userID int64) error {
	if err := db.addAttempt(ctx, tx, lookupID, connectionID, source, userID); err != nil {
		if violates(err, "attempts_need_consent") || violates(err, "attempts_lookup_id_number_key") {
			return errors.Join(ErrConflict, err)
		}
		return err
	}
	_, err := tx.Exec(ctx, `-- name: reopen lookup
update lookups set status = 'queued', detail = '', warning = '', status_at = clock_timestamp(), profile_state = 'none', employment_state = 'none', again = $2
 where id = $1`, lookupID, source)
	return err
}

// retryItself asks once more about an attempt that failed, where the vendor says that it may help: can_retry is true after
// every fault, and two attempts a day make one repetition at most (docs/vendor-buro.md#buro-limits).
func (db *DB) retryItself(ctx context.Context, tx pgx.Tx, a attempt, now time.Time) error {
	if !a.latest || a.state.Status != lookup.Error || a.state.Detail != lookup.DetailMayRetry {
		return nil
	}
	p, err := readPast(ctx, tx, a.lookupID, now)
	if err != nil || !lookup.RetriesItself(a.state, p.Past, p.automatic, now) {
		return err
	}
	return db.reopen(ctx, tx, a.lookupID, a.connectionID, lookup.SourceAutomatic, 0)
}
