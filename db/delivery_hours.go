package db

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// quotaFull tells whether a subscription's refusals of an hour have used up what is kept of them. While there is room,
// receipts at the same moment go one after the other, so that not even a flood keeps more than the quota.
func quotaFull(ctx context.Context, tx pgx.Tx, subscriptionID int64, at time.Time) (bool, error) {
	full := func() (bool, error) {
		var kept int
		var bytes int64
		err := tx.QueryRow(ctx, `-- name: quota
select coalesce(sum(kept), 0)::int, coalesce(sum(bytes), 0)::bigint from delivery_hours
 where subscription_id = $1 and hour = date_trunc('hour', $2::timestamptz, 'UTC') and verdict = 'refused'`, subscriptionID, at).Scan(&kept, &bytes)
		return !webhook.DefaultQuota.Keep(kept, bytes), err
	}
	if is, err := full(); is || err != nil {
		return is, err
	}
	if _, err := tx.Exec(ctx, `-- name: lock quota
select pg_advisory_xact_lock(hashtextextended('quota', $1))`, subscriptionID); err != nil {
		return false, err
	}
	return full()
}

// hourShards spreads the counter of one hour, so that receipts at the same moment seldom wait for each other.
const hourShards = 32

// countDelivery counts a delivery in the hour in which it came.
func countDelivery(ctx context.Context, tx pgx.Tx, subscriptionID int64, at time.Time, v webhook.Verdict, c webhook.Cause, kept, bytes int) error {
	_, err := tx.Exec(ctx, `-- name: count delivery
insert into delivery_hours as h (subscription_id, hour, verdict, cause, shard, count, kept, bytes)
values ($1, date_trunc('hour', $7::timestamptz, 'UTC'), $2, $3, $4, 1, $5, $6)
on conflict (subscription_id, hour, verdict, cause, shard)
do update set count = h.count + 1, kept = h.kept + excluded.kept, bytes = h.bytes + excluded.bytes`,
		subscriptionID, v, c, rand.IntN(hourShards), kept, bytes, at)
	return err
}

// recount moves deliveries to the counter of another verdict; it comes before their rows are changed. A shard may fall
// below zero, the sum over all of them does not. What is kept of refusals stays where it is: it was stored then.
func recount(ctx context.Context, tx pgx.Tx, ids []int64, v webhook.Verdict, c webhook.Cause) error {
	_, err := tx.Exec(ctx, `-- name: recount deliveries
with gone as (
  select subscription_id, date_trunc('hour', received_at, 'UTC') as hour, verdict, cause, count(*) as n
    from deliveries where id = any($1) and (verdict <> $2 or cause <> $3) group by 1, 2, 3, 4),
moved as (
  select subscription_id, hour, verdict, cause, -n as n from gone
  union all
  select subscription_id, hour, $2, $3, n from gone)
insert into delivery_hours as h (subscription_id, hour, verdict, cause, shard, count)
select subscription_id, hour, verdict, cause, $4, sum(n) from moved group by 1, 2, 3, 4 order by 1, 2, 3, 4
on conflict (subscription_id, hour, verdict, cause, shard) do update set count = h.count + excluded.count`,
		ids, v, c, rand.IntN(hourShards))
	if err != nil {
		return fmt.Errorf("count the deliveries: %w", err)
	}
	return nil
}

// DeliveryHours counts the deliveries of an environment by hour and verdict since a moment, from the counters.
func (db *DB) DeliveryHours(ctx context.Context, env lookup.Environment, since time.Time) ([]webhook.HourCount, error) {
	rows, err := db.pool.Query(ctx, `-- name: delivery hours
select h.hour, h.verdict, sum(h.count)::bigint
  from delivery_hours h join subscriptions s on s.id = h.subscription_id
 where s.environment = $1 and h.hour >= $2 group by h.hour, h.verdict order by h.hour, h.verdict`, env, since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[webhook.HourCount])
}
