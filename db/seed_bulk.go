package db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// dismantled are the statements that put back what a bulk load goes quicker without, in the order in which they have to run.
type dismantled []string

// dismantle puts aside, within the caller's transaction, so that unless it commits nothing is gone: foreign keys of and to
// the seeded tables, their indexes but for the primary keys, which grow at one end, and the triggers of attempts and
// employment records, whose work seeded.count does for all rows at once. What they are is read from the database: the migrations alone say it.
func dismantle(ctx context.Context, tx pgx.Tx) (dismantled, error) {
	var tables []string
	for _, t := range seedTables {
		tables = append(tables, t.table)
	}
	rows, err := tx.Query(ctx, `-- name: bulk constraints
with seeded as (select t::regclass as id from unnest($1::text[]) t)
select 1 as turn, format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as down,
       format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) as up
  from pg_constraint c where c.contype = 'f' and (c.conrelid in (select id from seeded) or c.confrelid in (select id from seeded))
union all
select 2, format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname),
       format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
  from pg_constraint c where c.contype = 'u' and c.conrelid in (select id from seeded)
union all
select 3, format('drop index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
  from pg_index i where i.indrelid in (select id from seeded) and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
union all
select 4, format('alter table %I disable trigger user', t), format('alter table %I enable trigger user', t) from unnest(array['attempts', 'employment_records']) t
 order by turn, down`, tables)
	if err != nil {
		return nil, err
	}
	var up, down []string
	var turn int
	var drop, restore string
	if _, err := pgx.ForEachRow(rows, []any{&turn, &drop, &restore}, func() error {
		down, up = append(down, drop), append([]string{restore}, up...) // a foreign key rests on a unique one
		return nil
	}); err != nil {
		return nil, err
	}
	for _, statement := range down {
		if _, err := tx.Exec(ctx, "-- name: put aside\n"+statement); err != nil {
			return nil, err
		}
	}
	return up, nil
}

// restore builds indexes and checks keys, each in one go.
func (d dismantled) restore(ctx context.Context, tx pgx.Tx) error {
	if len(d) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `-- name: room to sort
set local maintenance_work_mem = '256MB'`); err != nil {
		return err
	}
	for _, statement := range d {
		if _, err := tx.Exec(ctx, "-- name: put back\n"+statement); err != nil {
			return err
		}
	}
	return nil
}

// seeded are the first ids of what a seed added.
type seeded struct{ lookups, attempts, deliveries, pulls int64 }

// errNoConsent is what the trigger of attempts would have said.
var errNoConsent = errors.New("an attempt without a live consent")

// count writes the counters of the hours: of deliveries, and of attempts if their triggers were off (bulk), whose refusal
// of attempts without consent is made up for too. A test holds that both ways count alike.
func (s seeded) count(ctx context.Context, tx pgx.Tx, bulk bool) error {
	if _, err := tx.Exec(ctx, `-- name: count seeded deliveries
insert into delivery_hours as h (subscription_id, hour, verdict, cause, shard, count, kept, bytes)
select subscription_id, date_trunc('hour', received_at, 'UTC'), verdict, cause, 0, count(*),
       count(*), sum(length(body) + octet_length(headers::text))
  from deliveries where id >= $1 group by 1, 2, 3, 4
on conflict (subscription_id, hour, verdict, cause, shard)
do update set count = h.count + excluded.count, kept = h.kept + excluded.kept, bytes = h.bytes + excluded.bytes`, s.deliveries); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: seeded people asked
update people p set asked_at = l.at from (select person_id, max(requested_at) as at from lookups where id >= $1 group by person_id having count(*) > 1) l
 where p.id = l.person_id and p.asked_at < l.at`, s.lookups); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: seeded outcomes
insert into outcomes_told (subscription_id, sent_at, attempt_id)
select distinct d.subscription_id, a.sent_at, a.id
  from attempts a join events e on e.attempt_id = a.id join deliveries d on d.event_id = e.id
 where a.id >= $1 and a.sent_at > clock_timestamp() - $2::interval and e.phase = any($3)
on conflict do nothing`, s.attempts, outcomesKept, lookup.Finals); err != nil {
		return err
	}
	if !bulk {
		return nil
	}
	var lacking bool
	var bounds int
	if err := tx.QueryRow(ctx, `-- name: seeded consents
select exists (select 1 from attempts a join lookups l on l.id = a.lookup_id
                left join consents c on c.id = a.consent_id and c.person_id = l.person_id and c.given_at <= now() + interval '1 minute' and c.expires_at > now()
                where a.id >= $1 and c.id is null), cardinality(took_bounds())`, s.attempts).Scan(&lacking, &bounds); err != nil {
		return err
	}
	if lacking {
		return errNoConsent
	}
	// These join whole tables, of whose new rows the planner expects too few. The second one is in steps, since joined at will the
	// spellings would meet every lookup of their environment first.
	if _, err := tx.Exec(ctx, `-- name: join by hash
set local enable_nestloop = off`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: seeded employers
insert into employers (environment, name, folded)
select distinct on (environment, folded) environment, name, folded
  from (select l.environment, left(r.employer, 200) as name, folded(left(r.employer, 200)) as folded
          from employment_records r join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id
         where r.pull_id >= $1 group by l.environment, left(r.employer, 200)) n
 where folded <> '' order by environment, folded, name
on conflict (environment, folded) do nothing`, s.pulls); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: seeded lookups of employers
with told as materialized (
  select distinct l.id as lookup_id, l.environment, left(r.employer, 200) as name
    from employment_records r join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id where r.pull_id >= $1),
spelled as materialized (
  select n.environment, n.name, e.id
    from (select distinct environment, name from told) n join employers e on e.environment = n.environment and e.folded = folded(n.name))
insert into lookup_employers (employer_id, lookup_id)
select distinct s.id, t.lookup_id from told t join spelled s on s.environment = t.environment and s.name = t.name order by 1, 2
on conflict do nothing`, s.pulls); err != nil {
		return err
	}
	stretches := make([]string, bounds+1)
	for i := range stretches {
		stretches[i] = fmt.Sprintf("count(*) filter (where stretch = %d)", i+1)
	}
	_, err := tx.Exec(ctx, `-- name: count seeded attempts
insert into attempt_hours as h (connection_id, hour, platform, shard, started, refused, heard, asked, success, incomplete, error, expired,
                                took, failed_at, failed_detail)
select connection_id, hour, platform, shard, count(*), count(*) filter (where settled_by = 'refused'), count(final_event_at),
       count(*) filter (where final_event_at is null and settled_by = 'asking'), count(*) filter (where status = 'success'),
       count(*) filter (where status = 'incomplete'), count(*) filter (where status = 'error' and settled_by <> 'refused'),
       count(*) filter (where status = 'expired'), array[`+strings.Join(stretches, ", ")+`],
       max(settled_at) filter (where failed), coalesce((array_agg(detail order by settled_at desc, id desc) filter (where failed))[1], '')
  from (select a.id, a.connection_id, date_trunc('hour', a.sent_at, 'UTC') as hour, l.platform, a.id % 8 as shard, a.status, a.settled_by, a.settled_at,
               a.detail, a.final_event_at, a.status = 'expired' or a.status = 'error' and a.settled_by <> 'refused' as failed,
               1 + width_bucket(extract(epoch from a.final_event_at - a.sent_at)::double precision, took_bounds()) as stretch
          from attempts a join lookups l on l.id = a.lookup_id where a.id >= $1 and a.sent_at is not null) one
 group by connection_id, hour, platform, shard`+addHours, s.attempts)
	return err
}
