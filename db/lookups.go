package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/audit"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

// NewLookup is a lookup to make, for exactly one of CURP and RFC.
type NewLookup struct {
	Environment lookup.Environment
	Dialect     lookup.Dialect
	Connection  uuid.UUID // which connection to ask; zero: the environment's one of Dialect
	CURP        curp.CURP
	RFC         string // 12 or 13 characters as curp.ExplainRFC cleans them; Buró only
	Platform    lookup.Platform
	Reference   string
	Source      lookup.Source
	Consent     consent.Record
}

// ErrNoConnection means that no vendor account is set up for the environment.
var ErrNoConnection = fmt.Errorf("%w: no connection", ErrNotFound)

// ErrIdentifier means that a connection cannot look up what was given: an RFC at Palenca, or both or none.
var ErrIdentifier = errors.New("the source does not take this identifier")

// RequestLookup records a lookup with its consent and first attempt, and hands the attempt to the queue: all or nothing.
func (db *DB) RequestLookup(ctx context.Context, n NewLookup, by audit.Actor) (uuid.UUID, error) {
	var uid uuid.UUID
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		var connectionID int64
		var dialect lookup.Dialect
		err := tx.QueryRow(ctx, `-- name: connection for lookup
select id, dialect from connections
 where environment = $1 and case when $3 = '00000000-0000-0000-0000-000000000000'::uuid then dialect = $2 else uid = $3 end`,
			n.Environment, n.Dialect, n.Connection).Scan(&connectionID, &dialect)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNoConnection
		} else if err != nil {
			return err
		}
		// The schema holds that it is one of the two; that Palenca takes no RFC is the vendor's rule.
		if (n.CURP.String() == "") == (n.RFC == "") || n.RFC != "" && dialect != lookup.Buro {
			return ErrIdentifier
		}
		personID, err := addPerson(ctx, tx, n)
		if err != nil {
			return err
		}
		_, uid, err = db.makeLookup(ctx, tx, n, connectionID, personID, by)
		return err
	})
	return uid, err
}

// addPerson gives the person of a lookup, and locks their row until the transaction ends: whoever else asks about the same
// person now waits, and then sees this lookup.
func addPerson(ctx context.Context, tx pgx.Tx, n NewLookup) (id int64, err error) {
	// The update makes the row come back when it is already there. It must not name a column of a key: that
	// would lock the row against the foreign keys of the audit trail, whose head is locked last, and deadlock with them.
	person, identifier := `-- name: person
insert into people (environment, curp) values ($1, $2)
on conflict (environment, curp) do update set asked_at = excluded.asked_at returning id`, n.CURP.String()
	if n.RFC != "" {
		person, identifier = `-- name: person by rfc
insert into people (environment, rfc) values ($1, $2)
on conflict (environment, rfc) do update set asked_at = excluded.asked_at returning id`, n.RFC
	}
	if err := tx.QueryRow(ctx, person, n.Environment, identifier).Scan(&id); err != nil {
		return 0, fmt.Errorf("store the person: %w", err)
	}
	return id, nil
}

// makeLookup records a lookup of a person: consent, first attempt with its job, announcement and, last, the audit entry.
func (db *DB) makeLookup(ctx context.Context, tx pgx.Tx, n NewLookup, connectionID, personID int64, by audit.Actor) (id int64, uid uuid.UUID, err error) {
	var consentID int64
	c := n.Consent
	if err := tx.QueryRow(ctx, `-- name: add consent
insert into consents (person_id, recorded_by, given_at, expires_at, notice_version, means, purpose, ip)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
		personID, by.UserID, c.GivenAt, c.ExpiresAt, c.NoticeVersion, c.Means, c.Purpose, c.IP).Scan(&consentID); err != nil {
		return 0, uid, fmt.Errorf("store the consent: %w", err)
	}
	if err := tx.QueryRow(ctx, `-- name: add lookup
insert into lookups (environment, person_id, connection_id, consent_id, platform, reference, source, requested_by)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning id, uid`,
		n.Environment, personID, connectionID, consentID, n.Platform, n.Reference, n.Source, by.UserID).Scan(&id, &uid); err != nil {
		return 0, uid, fmt.Errorf("store the lookup: %w", err)
	}
	if err := db.addAttempt(ctx, tx, id, connectionID, n.Source, by.UserID); err != nil {
		return 0, uid, err
	}
	if err := notify(ctx, tx, id); err != nil {
		return 0, uid, err
	}
	return id, uid, record(ctx, tx, by, note{action: audit.LookupRequested, personID: personID, lookupID: id})
}

// addAttempt opens the next attempt of a lookup and hands it to the queue.
func (db *DB) addAttempt(ctx context.Context, tx pgx.Tx, lookupID, connectionID int64, source lookup.Source, userID int64) error {
	var attemptID int64
	if err := tx.QueryRow(ctx, `-- name: add attempt
insert into attempts (lookup_id, connection_id, number, source)
select $1, $2, coalesce(max(number), 0) + 1, $3 from attempts where lookup_id = $1 returning id`,
		lookupID, connectionID, source).Scan(&attemptID); err != nil {
		return fmt.Errorf("open an attempt: %w", err)
	}
	kind := lookup.MomentRequested
	if source == lookup.SourceAutomatic {
		kind = lookup.MomentAutomatic
	}
	if err := addMoment(ctx, tx, attemptID, moment{kind: kind, actorID: userID}); err != nil {
		return err
	}
	priority := task.PrioritySingle
	if source == lookup.SourceBulk {
		priority = task.PriorityBulk
	}
	_, err := db.jobs.InsertTx(ctx, tx, task.CreateAccount{AttemptID: attemptID},
		&river.InsertOpts{Queue: task.QueueVendor, Priority: priority, MaxAttempts: vendorTries})
	return err
}

// vendorTries is how often a call to the vendor is run before its job is given up. Waiting for a token is not a run.
const vendorTries = 8

const rowColumns = `l.id, l.uid, l.environment, c.dialect, l.platform, coalesce(p.curp, ''), coalesce(p.rfc, ''), p.uid, p.name, l.reference, l.source, u.name, l.requested_at,
       l.status, l.detail, l.warning, l.status_at, l.profile_state, l.employment_state,
       l.records, l.employers, l.employer, coalesce(l.employed_since, '0001-01-01'::date), coalesce(l.ended_on, '0001-01-01'::date), l.monthly_salary, make_interval(secs => w.expected_seconds),
       coalesce(o.name, ''), array(select t.name from lookup_tags lt join tags t on t.id = lt.tag_id where lt.lookup_id = l.id order by t.folded)`

const rowTables = `
  from lookups l
  join people p on p.id = l.person_id
  join connections c on c.id = l.connection_id
  join users u on u.id = l.requested_by
  join waits w on w.dialect = c.dialect
  left join users o on o.id = l.owner_id
`

func rowTargets(r *lookup.Row) []any {
	return []any{&r.ID, &r.UID, &r.Environment, &r.Dialect, &r.Platform, &r.CURP, &r.RFC, &r.PersonUID, &r.PersonName, &r.Reference, &r.Source, &r.RequestedBy, &r.RequestedAt,
		&r.State.Status, &r.State.Detail, &r.State.Warning, &r.StatusAt, &r.Profile, &r.Employment,
		&r.Gist.Records, &r.Gist.Employers, &r.Gist.CurrentName, &r.Gist.Since, &r.Gist.EndedOn, &r.Gist.MonthlySalary, &r.Expected,
		&r.Owner, &r.Tags}
}

func scanRow(row pgx.CollectableRow) (lookup.Row, error) {
	var r lookup.Row
	err := row.Scan(rowTargets(&r)...)
	return r, err
}

// Lookups gives one page of an environment's lookups, newest first, and whether there are newer and older ones.
// zone is the reader's, in which the filter's days are meant.
func (db *DB) Lookups(ctx context.Context, env lookup.Environment, f lookup.Filter, page lookup.Page, zone *time.Location) (rows []lookup.Row, newer, older bool, err error) {
	ids, newer, older, err := db.inPage(ctx, lookupConditions(env, f, zone), page)
	if err != nil {
		return nil, false, false, err
	}
	found, err := db.pool.Query(ctx, `-- name: lookups
select `+rowColumns+rowTables+` where l.id = any($1) order by l.requested_at desc, l.id desc`, ids)
	if err != nil {
		return nil, false, false, err
	}
	rows, err = pgx.CollectRows(found, scanRow)
	return rows, newer, older, err
}

// LookupRows gives the rows of an environment under uids, for pages that show them. Unknown ids are left out.
func (db *DB) LookupRows(ctx context.Context, env lookup.Environment, uids []uuid.UUID) ([]lookup.Row, error) {
	rows, err := db.pool.Query(ctx, `-- name: lookup rows
select `+rowColumns+rowTables+` where l.environment = $1 and l.uid = any($2)`, env, uids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRow)
}

// LookupRow gives one row by internal id: the one query per change, however many watch.
func (db *DB) LookupRow(ctx context.Context, id int64) (lookup.Row, error) {
	var r lookup.Row
	err := db.pool.QueryRow(ctx, `-- name: lookup row
select `+rowColumns+rowTables+` where l.id = $1`, id).Scan(rowTargets(&r)...)
	return r, found(err)
}

// ActorCounts tells for each actor but nobody how many lookups wait on them, to limit and no further, from the counters.
func (db *DB) ActorCounts(ctx context.Context, env lookup.Environment, limit int) (map[lookup.Actor]int, error) {
	rows, err := db.pool.Query(ctx, `-- name: actor counts
select status, sum(count)::bigint from lookup_counts where environment = $1 group by status`, env)
	if err != nil {
		return nil, err
	}
	counts := map[lookup.Actor]int{lookup.ActorAnalyst: 0, lookup.ActorPerson: 0, lookup.ActorSource: 0, lookup.ActorCotejo: 0}
	var status lookup.Status
	var n int
	_, err = pgx.ForEachRow(rows, []any{&status, &n}, func() error {
		if actor := status.Actor(); actor != lookup.ActorNobody {
			counts[actor] = min(counts[actor]+n, limit)
		}
		return nil
	})
	return counts, err
}

// Failure is a group of lookups that stand failed for the same cause.
type Failure struct {
	Status   lookup.Status
	Detail   string
	Platform lookup.Platform
	Count    int
}

// MostFailures is how many causes are given at most: codes are an open set.
const MostFailures = 50

// failuresWest are the offsets from UTC, in hours to the west, of which failures are counted by day (migration 00026).
var failuresWest = []int{0, 5, 6, 7, 8}

// Failures groups the failed lookups of an environment asked for since a moment by cause, most frequent first, of equals the
// one that was met last; more tells that there are other causes. A number is that of the list from the same moment on. All come
// from counters where the moment is midnight somewhere in Mexico or in UTC. Elsewhere days begin at another hour, and what was
// asked for up to the first whole day in UTC is counted from the lookups.
func (db *DB) Failures(ctx context.Context, env lookup.Environment, since time.Time) (failures []Failure, more bool, err error) {
	since = since.UTC()
	west, whole, before := since.Hour(), since, ""
	if !since.Equal(since.Truncate(time.Hour)) || !slices.Contains(failuresWest, west) {
		west, whole = 0, since.Truncate(24*time.Hour).AddDate(0, 0, 1)
		before = `
        union all
        select l.status, l.detail, l.platform, count(*), ($3::date - 1)
          from lookups l
         where l.environment = $1 and l.status in ('expired', 'error', 'incomplete') and l.requested_at >= $4 and l.requested_at < $3
           and l.facet in (select k.facet from lookup_facets k where k.environment = $1 and k.status in ('expired', 'error', 'incomplete'))
         group by l.status, l.detail, l.platform`
	}
	args := []any{env, west, whole}
	if before != "" {
		args = append(args, since)
	}
	rows, err := db.pool.Query(ctx, `-- name: failures by cause
select status, detail, platform, sum(n)::bigint
  from (select status, detail, platform, sum(count) as n, max(day) as day
          from failure_days where environment = $1 and west = $2 and day >= failure_day($3, $2) group by status, detail, platform having sum(count) > 0`+before+`) x
 group by status, detail, platform order by sum(n) desc, max(day) desc, status, detail, platform limit `+strconv.Itoa(MostFailures+1), args...)
	if err != nil {
		return nil, false, err
	}
	failures, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f Failure, err error) {
		err = row.Scan(&f.Status, &f.Detail, &f.Platform, &f.Count)
		return f, err
	})
	if more = len(failures) > MostFailures; more {
		failures = failures[:MostFailures]
	}
	return failures, more, err
}

// LatestOf gives the newest lookup of each person under curps, by CURP.
func (db *DB) LatestOf(ctx context.Context, env lookup.Environment, curps []string) (map[string]lookup.Row, error) {
	rows, err := db.pool.Query(ctx, `-- name: latest of people
select distinct on (p.id) `+rowColumns+rowTables+`
 where p.environment = $1 and p.curp = any($2) order by p.id, l.requested_at desc, l.id desc`, env, curps)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, scanRow)
	latest := map[string]lookup.Row{}
	for _, r := range list {
		latest[r.CURP] = r
	}
	return latest, err
}

// RequestedSince gives the lookups that a filter lets through and that were requested after a moment, newest first, up to limit.
func (db *DB) RequestedSince(ctx context.Context, env lookup.Environment, f lookup.Filter, since time.Time, limit int, zone *time.Location) ([]uuid.UUID, error) {
	q := lookupConditions(env, f, zone)
	q.carried(q.at+" > ?", since)
	return db.lookupIDs(ctx, q, lookup.Page{Limit: limit - 1})
}

// ListedAbove gives the lookups that a filter lets through now and that stand in its list above one, up to limit. Without
// one, which ends a list that shows all there is, it gives the list's newest.
func (db *DB) ListedAbove(ctx context.Context, env lookup.Environment, f lookup.Filter, last uuid.UUID, limit int, zone *time.Location) ([]uuid.UUID, error) {
	page := lookup.Page{Limit: limit - 1}
	if last != uuid.Nil {
		err := db.pool.QueryRow(ctx, `-- name: place in list
select requested_at, id from lookups where environment = $1 and uid = $2`, env, last).Scan(&page.Before.At, &page.Before.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, nil // nothing stands above what is not there
		} else if err != nil {
			return nil, err
		}
	}
	return db.lookupIDs(ctx, lookupConditions(env, f, zone), page)
}

func (db *DB) lookupIDs(ctx context.Context, q where, page lookup.Page) ([]uuid.UUID, error) {
	text, args, _ := q.ids(page)
	rows, err := db.pool.Query(ctx, `-- name: ids of lookups
select l.uid from lookups l where l.id in (`+text+`) order by l.requested_at desc, l.id desc`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}
