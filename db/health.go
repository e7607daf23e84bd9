package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// Unheard is an attempt that the vendor took up and no webhook told an outcome of.
type Unheard struct {
	ID        int64
	LookupUID uuid.UUID
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	SentAt    time.Time
	Status    lookup.Status
	SettledBy lookup.SettledBy
	AskedAt   time.Time // zero: not asked about
	Asks      int
	Number    int
}

// UnheardFilter narrows the unheard. Settled: "" for all, else one of SettledAsking, SettledExpired, or "nothing".
type UnheardFilter struct {
	Settled string
	Dialect lookup.Dialect
}

// NothingYet is the filter's word for attempts whose outcome nobody knows.
const NothingYet = "nothing"

// Unheard gives a page of the attempts of an environment sent since a moment and before another one, of which no webhook
// told an outcome, newest first, and whether there are newer and older ones.
func (db *DB) Unheard(ctx context.Context, env lookup.Environment, f UnheardFilter, since, until time.Time, page lookup.Page) (list []Unheard, newer, older bool, err error) {
	text, args, backwards := unheardPage(env, f, since, until, page)
	rows, err := db.pool.Query(ctx, text, args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (u Unheard, err error) {
		err = row.Scan(&u.ID, &u.LookupUID, &u.Dialect, &u.Platform, &u.SentAt, &u.Status, &u.SettledBy, &u.AskedAt, &u.Asks, &u.Number)
		return u, err
	})
	if err != nil {
		return nil, false, false, err
	}
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, nil
}

func unheardPage(env lookup.Environment, f UnheardFilter, since, until time.Time, page lookup.Page) (text string, args []any, backwards bool) {
	q := where{}
	q.add("a.final_event_at is null")
	q.add("a.account_id <> ''")
	q.add("a.settled_by <> 'refused'") // nothing more is to come
	q.add("c.environment = ?", env)
	q.add("a.sent_at >= ?", since)
	q.add("a.sent_at < ?", until)
	if f.Dialect != "" {
		q.add("c.dialect = ?", clean(string(f.Dialect)))
	}
	switch f.Settled {
	case "":
	case NothingYet:
		q.add("a.settled_by = ''")
	default:
		q.add("a.settled_by = ?", clean(f.Settled))
	}
	return q.page("unheard", `a.id, l.uid, c.dialect, l.platform, a.sent_at, a.status, a.settled_by, coalesce(a.asked_at, `+never+`), a.asks, a.number`,
		"\n  from attempts a join connections c on c.id = a.connection_id join lookups l on l.id = a.lookup_id\n", "a.sent_at", "a.id", page)
}

// UnheardAge counts the unheard of one stretch of age by what settled them.
type UnheardAge struct {
	Stretch int // index into the bounds given; the first is below the first bound
	By      lookup.SettledBy
	Count   int64
}

// UnheardAges counts the unheard of an environment sent since a moment, by age. It reads at most 50,000.
func (db *DB) UnheardAges(ctx context.Context, env lookup.Environment, since, now time.Time, bounds []time.Duration) ([]UnheardAge, error) {
	ends := make([]time.Time, len(bounds)) // of the stretches, rising
	for i, b := range bounds {
		ends[len(bounds)-1-i] = now.Add(-b)
	}
	rows, err := db.pool.Query(ctx, `-- name: unheard ages
select cardinality($3::timestamptz[]) - width_bucket(u.sent_at, $3::timestamptz[]), u.settled_by, count(*)
  from (select a.sent_at, a.settled_by from attempts a join connections c on c.id = a.connection_id
         where a.final_event_at is null and a.account_id <> '' and a.settled_by <> 'refused' and c.environment = $1 and a.sent_at >= $2
         order by a.sent_at desc, a.id desc limit 50000) u
 group by 1, 2 order by 1, 2`, env, since, ends)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[UnheardAge])
}

// HookHeard is how many attempts one subscription told an outcome of, of those sent over its connection.
type HookHeard struct {
	Name      string
	UID       uuid.UUID
	Dialect   lookup.Dialect
	Active    bool
	CreatedAt time.Time
	Started   int64 // taken up since the moment asked for, and since the subscription exists
	Heard     int64
}

// HooksHeard compares, for each live subscription of an environment, the attempts sent between two moments with those whose
// outcome it delivered; of the last eight days, since no longer is kept who told an outcome. The counts of one hour are whole: a subscription made within an hour counts from the next one on.
func (db *DB) HooksHeard(ctx context.Context, env lookup.Environment, since, until time.Time) ([]HookHeard, error) {
	rows, err := db.pool.Query(ctx, `-- name: hooks heard
select s.name, s.uid, c.dialect, s.active, s.created_at,
       (select coalesce(sum(h.started - h.refused), 0)::bigint from attempt_hours h
         where h.connection_id = s.connection_id and h.hour >= b.begin and h.hour < $3),
       (select count(*) from outcomes_told t where t.subscription_id = s.id and t.sent_at >= b.begin and t.sent_at < $3)
  from subscriptions s join connections c on c.id = s.connection_id
 cross join lateral (select greatest($2, date_trunc('hour', s.created_at, 'UTC') + case when date_trunc('hour', s.created_at, 'UTC') = s.created_at
                                                                                        then interval '0' else interval '1 hour' end) as begin) b
 where s.environment = $1 and s.deleted_at is null order by s.active desc, s.name, s.id`, env, since, until)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[HookHeard])
}
