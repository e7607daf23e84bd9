package db

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// Attempts are counted by a trigger (migrations, attempt_hours): each in one of the shards 0 to 7 of the hour in which it was
// sent. Once an hour has passed its shards are folded into one row; what moves an attempt of it later begins a shard anew,
// which holds the difference and may be below zero, until the next folding adds it. So whoever adds up all rows of
// an hour counts right at any moment, and a month has hundreds of rows where it would have thousands.
const (
	foldedShard = 8                   // the row that only folding writes: no attempt waits for another there
	foldAfter   = 3 * time.Hour       // after the beginning of an hour: by then most of it has an outcome, and few differences come
	hoursKept   = 40 * 24 * time.Hour // before it, days in UTC are kept instead: no page looks at hours that are older than a month
)

// tookColumns adds up the stretches of attempt_hours.took over rows.
var tookColumns = func() string {
	sums := make([]string, len(lookup.TookBounds)+1)
	for i := range sums {
		sums[i] = fmt.Sprintf("sum(h.took[%d])::bigint", i+1)
	}
	return "array[" + strings.Join(sums, ", ") + "]"
}()

// addHours adds rows of attempt_hours to those that are there.
const addHours = `
on conflict (connection_id, hour, platform, shard) do update
   set started = h.started + excluded.started, refused = h.refused + excluded.refused, heard = h.heard + excluded.heard,
       asked = h.asked + excluded.asked, success = h.success + excluded.success, incomplete = h.incomplete + excluded.incomplete,
       error = h.error + excluded.error, expired = h.expired + excluded.expired,
       took = array(select mine + yours from unnest(h.took, excluded.took) with ordinality u (mine, yours, i) order by i),
       failed_at = greatest(h.failed_at, excluded.failed_at),
       failed_detail = case when excluded.failed_at >= coalesce(h.failed_at, '-infinity') then excluded.failed_detail else h.failed_detail end`

// foldHours folds the shards of hours that have passed, and old hours into days, a batch of rows at a time. Rows that somebody
// holds wait for the next time, and not the other way round: a replay holds many, in no order that could be kept to here.
// What it tells Exec is how many rows are gone.
var foldHours = `-- name: fold hours
with passed as materialized (
  select connection_id, hour, platform, shard from attempt_hours
   where hour < now() - $1::interval and shard <> $2 or hour < now() - $3::interval and hour <> date_trunc('day', hour, 'UTC')
   order by connection_id, hour, platform, shard limit 5000 for update skip locked),
gone as (
  delete from attempt_hours h using passed p
   where h.connection_id = p.connection_id and h.hour = p.hour and h.platform = p.platform and h.shard = p.shard
  returning h.connection_id, h.hour, h.platform, h.shard, h.started, h.refused, h.heard, h.asked, h.success, h.incomplete, h.error, h.expired,
            h.took, h.failed_at, h.failed_detail),
folded as (
  insert into attempt_hours as h (connection_id, hour, platform, shard, started, refused, heard, asked, success, incomplete, error, expired,
                                  took, failed_at, failed_detail)
  select h.connection_id, case when h.hour < now() - $3::interval then date_trunc('day', h.hour, 'UTC') else h.hour end, h.platform, $2,
         sum(h.started), sum(h.refused), sum(h.heard), sum(h.asked), sum(h.success), sum(h.incomplete), sum(h.error), sum(h.expired),
         ` + tookColumns + `, max(h.failed_at), (array_agg(h.failed_detail order by h.failed_at desc nulls last, h.hour desc, h.shard))[1]
    from gone h group by 1, 2, 3 order by 1, 2, 3` + addHours + `)
select 1 from gone`

var foldArgs = []any{foldAfter, foldedShard, hoursKept}

// SourceHours gives the attempts of an environment sent since a moment, counted by source, and of each by hour, oldest first. They
// come from kept counters: no attempt is read. Beyond 40 days they are by day.
func (db *DB) SourceHours(ctx context.Context, env lookup.Environment, since time.Time) ([]lookup.SourceHour, error) {
	// Few hours have more than one row. To add those up and tell the sources apart here takes a tenth of what nineteen sums for each
	// hour and an order by text take there.
	rows, err := db.pool.Query(ctx, `-- name: source hours
select c.dialect, h.platform, h.hour, h.started, h.refused, h.heard, h.asked, h.success, h.incomplete, h.error, h.expired, h.took,
       coalesce(h.failed_at, `+never+`), h.failed_detail
  from connections c join attempt_hours h on h.connection_id = c.id
 where c.environment = $1 and h.hour >= $2 order by h.hour, h.shard`, env, since)
	if err != nil {
		return nil, err
	}
	type source struct{ dialect, platform string }
	hours := map[source][]lookup.SourceHour{}
	var of source
	var h lookup.SourceHour
	if _, err := pgx.ForEachRow(rows, []any{&of.dialect, &of.platform, &h.Hour, &h.Started, &h.Refused, &h.Heard, &h.Asked, &h.Success, &h.Incomplete,
		&h.Error, &h.Expired, &h.Took, &h.FailedAt, &h.FailedDetail}, func() error {
		list := hours[of]
		if n := len(list); n > 0 && list[n-1].Hour.Equal(h.Hour) {
			list[n-1].Add(h.Tally)
			return nil
		} else if n == 0 {
			list = make([]lookup.SourceHour, 0, max(0, min(int(time.Since(since)/time.Hour)+1, 24*32)))
		}
		h.Dialect, h.Platform = lookup.Dialect(of.dialect), lookup.Platform(of.platform)
		hours[of] = append(list, h)
		return nil
	}); err != nil {
		return nil, err
	}
	order := slices.SortedFunc(maps.Keys(hours), func(a, b source) int {
		return cmp.Or(cmp.Compare(b.dialect, a.dialect), cmp.Compare(a.platform, b.platform))
	})
	var list []lookup.SourceHour
	for _, of := range order {
		list = append(list, hours[of]...)
	}
	return list, nil
}
