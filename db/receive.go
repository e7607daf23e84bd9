package db

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// RetryWindow is the least age at which a repeated event counts as a new one. It is how long the vendor may send the same delivery again: four tries about 30 s apart, or "a few minutes"
// in its older pages (docs/vendor.md#delivery-retries), with room to spare.
const RetryWindow = 20 * time.Minute

// Receipt is a request as it reached a hook, with what is already known of it.
type Receipt struct {
	Subscription webhook.Subscription
	ReceivedAt   time.Time
	RemoteAddr   string
	Method       string
	Headers      [][2]string // as received, credentials left out
	Credentials  [][2]string // sealed apart
	Body         []byte
	Size         int64           // as received; larger than Body when it was cut
	Verdict      webhook.Verdict // Accepted or Refused
	Cause        webhook.Cause   // of a refusal
	Checks       []webhook.Check // how each authentication went
	Answer       int
}

// Receive stores a request and counts it. Refused ones beyond the hour's quota are counted only, and get the zero id. An accepted one is compared by its bytes with those of the vendor's retry window, and a
// new one is handed to the queue in the same transaction: when Receive returns, nothing can be lost.
func (db *DB) Receive(ctx context.Context, r Receipt) (uid uuid.UUID, verdict webhook.Verdict, err error) {
	headers, err := storedHeaders(r)
	if err != nil {
		return uid, "", err
	}
	checks, err := json.Marshal(storedChecks(r.Checks))
	if err != nil {
		return uid, "", err
	}
	uid = uuid.New()
	var credentials []byte
	if len(r.Credentials) > 0 {
		plain, err := json.Marshal(r.Credentials)
		if err != nil {
			return uid, "", err
		}
		if credentials, err = db.seal(plain, credentialsPurpose(uid)); err != nil {
			return uid, "", err
		}
	}
	sum := sha256.Sum256(r.Body)
	s := r.Subscription
	verdict = r.Verdict
	var id int64
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		if r.Verdict == webhook.Refused {
			full, err := quotaFull(ctx, tx, s.ID, r.ReceivedAt)
			if err != nil {
				return err
			}
			if full {
				uid = uuid.Nil
				return countDelivery(ctx, tx, s.ID, r.ReceivedAt, webhook.Refused, webhook.CauseQuota, 0, 0)
			}
		}
		var cause webhook.Cause
		// The comparison comes after verification, so that a forgery cannot take a key before the real delivery does.
		if err := tx.QueryRow(ctx, `-- name: receive
with twin as (
  select id, action, account_id from deliveries
   where $11 = 'accepted' and subscription_id = $3 and body_sha256 = $10 and received_at > $5::timestamptz - $14::interval
     and verdict <> 'refused' and cause <> 'same_bytes' and body_size > 0
   order by received_at limit 1)
insert into deliveries (uid, environment, subscription_id, connection_id, received_at, remote_addr, method, headers,
                        credentials_sealed, body, body_size, body_sha256, verdict, cause, answered, answer_micros, twin_of, processed_at,
                        action, account_id, checks)
select $1, $2, $3, $4, $5, $6, $7, $8::json, $9, $15, $16, $10,
       case when (select id from twin) is not null then 'duplicate' else $11 end,
       case when (select id from twin) is not null then 'same_bytes' else $12 end,
       $13, least(greatest(extract(epoch from clock_timestamp() - $5::timestamptz) * 1000000, 0), 2147483647), (select id from twin),
       case when $11 = 'refused' or (select id from twin) is not null then clock_timestamp() end,
       coalesce((select action from twin), ''), coalesce((select account_id from twin), ''), $17::jsonb
returning id, verdict, cause`,
			uid, s.Environment, s.ID, s.ConnectionID, r.ReceivedAt, r.RemoteAddr, r.Method, headers,
			credentials, sum[:], r.Verdict, r.Cause, r.Answer, window(s), notNull(r.Body), r.Size, checks).Scan(&id, &verdict, &cause); err != nil {
			return fmt.Errorf("store the delivery: %w", err)
		}
		if err := countDelivery(ctx, tx, s.ID, r.ReceivedAt, verdict, cause, 1, len(r.Body)+len(headers)+len(credentials)); err != nil {
			return err
		}
		if verdict != webhook.Accepted {
			return nil
		}
		return db.process(ctx, tx, id)
	})
	if err == nil && id != 0 {
		db.tell(id)
	}
	return uid, verdict, err
}

// window is how long the same bytes count as a copy.
func window(s webhook.Subscription) time.Duration {
	if s.WindowMinutes == 0 {
		return RetryWindow
	}
	return time.Duration(s.WindowMinutes) * time.Minute
}

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

// storedCheck is a check as kept with its delivery.
type storedCheck struct {
	Scheme webhook.Scheme `json:"scheme"`
	Result webhook.Result `json:"result"`
	Cause  webhook.Cause  `json:"cause,omitempty"`
	Reason string         `json:"reason"`
	Args   []any          `json:"args,omitempty"`
	Secret string         `json:"secret,omitempty"`
}

func storedChecks(checks []webhook.Check) []storedCheck {
	stored := make([]storedCheck, len(checks))
	for i, c := range checks {
		stored[i] = storedCheck{c.Scheme, c.Result, c.Cause, c.ReasonID, c.Args, c.SecretID}
	}
	return stored
}

// storedHeaders writes the headers as [[name, value], …]; a credential's name stands alone, its value is sealed apart.
func storedHeaders(r Receipt) ([]byte, error) {
	stored := make([][]string, 0, len(r.Headers)+len(r.Credentials))
	for _, h := range r.Headers {
		stored = append(stored, []string{h[0], h[1]})
	}
	for _, h := range r.Credentials {
		stored = append(stored, []string{h[0]})
	}
	return json.Marshal(stored)
}

func credentialsPurpose(uid uuid.UUID) string { return "delivery credentials/" + uid.String() }

// process hands a stored delivery to the queue.
func (db *DB) process(ctx context.Context, tx pgx.Tx, deliveryID int64) error {
	_, err := db.jobs.InsertTx(ctx, tx, task.ProcessDelivery{DeliveryID: deliveryID},
		&river.InsertOpts{Queue: task.QueueDelivery, Priority: 1})
	return err
}

// claimDeliveries hands the deliveries that waited for an account to the queue, in the order in which they came.
func (db *DB) claimDeliveries(ctx context.Context, tx pgx.Tx, connectionID int64, accountID string) error {
	rows, err := tx.Query(ctx, `-- name: waiting deliveries
select id from deliveries
 where connection_id = $1 and account_id = $2 and verdict = 'unmatched' and cause = '' order by id for no key update`, connectionID, accountID)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := recount(ctx, tx, ids, webhook.Accepted, webhook.CauseNone); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: claim deliveries
update deliveries set verdict = 'accepted', processed_at = null where id = any($1)`, ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := db.process(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// StoredBody is what a worker needs of a delivery to read the event inside.
type StoredBody struct {
	Dialect   lookup.Dialect
	Body      []byte
	Processed bool
}

// DeliveryBody gives the body of a delivery to a worker.
func (db *DB) DeliveryBody(ctx context.Context, id int64) (StoredBody, error) {
	var b StoredBody
	err := db.pool.QueryRow(ctx, `-- name: delivery for worker
select c.dialect, d.body, d.processed_at is not null
  from deliveries d join connections c on c.id = d.connection_id where d.id = $1`, id).Scan(&b.Dialect, &b.Body, &b.Processed)
	return b, found(err)
}

// DeliveryUnreadable settles a delivery whose body holds no event that we can read. It stays stored as it came.
func (db *DB) DeliveryUnreadable(ctx context.Context, id int64) error {
	return db.inTxOf(ctx, id, func(tx pgx.Tx) error {
		var processed bool
		if err := tx.QueryRow(ctx, `-- name: lock unreadable
select processed_at is not null from deliveries where id = $1 for no key update`, id).Scan(&processed); err != nil {
			return found(err)
		}
		if processed {
			return nil
		}
		if err := recount(ctx, tx, []int64{id}, webhook.Ignored, webhook.CauseUnreadable); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: delivery unreadable
update deliveries set verdict = 'ignored', cause = 'unreadable', processed_at = clock_timestamp(), runs = runs + 1 where id = $1`, id)
		return err
	})
}

// ApplyEvent gives the event read from a delivery its effect: one transaction for the event, the status, the story and
// the announcement. Applying a delivery twice has the effect of applying it once.
func (db *DB) ApplyEvent(ctx context.Context, deliveryID int64, e webhook.Event) error {
	e = storable(e)
	return db.inTxOf(ctx, deliveryID, func(tx pgx.Tx) error {
		d := delivery{id: deliveryID}
		if err := tx.QueryRow(ctx, `-- name: connection of delivery
select connection_id from deliveries where id = $1`, deliveryID).Scan(&d.connectionID); err != nil {
			return found(err)
		}
		// Locks are taken in one order everywhere: account, delivery, attempt, lookup, audit.
		if err := lockAccount(ctx, tx, d.connectionID, e.AccountID); err != nil {
			return err
		}
		var processed bool
		if err := tx.QueryRow(ctx, `-- name: lock delivery
select received_at, processed_at is not null from deliveries where id = $1 for no key update`, deliveryID).
			Scan(&d.receivedAt, &processed); err != nil {
			return err
		}
		if processed {
			return nil
		}
		if e.Action == webhook.TestAction {
			return d.settle(ctx, tx, e, webhook.Ignored, webhook.CauseTest, 0, 0)
		}
		attemptID, err := matchAttempt(ctx, tx, d.connectionID, e)
		if errors.Is(err, pgx.ErrNoRows) {
			return d.settle(ctx, tx, e, webhook.Unmatched, webhook.CauseNone, 0, 0)
		} else if err != nil {
			return err
		}
		a, err := lockAttempt(ctx, tx, attemptID)
		if err != nil {
			return err
		}
		return db.effect(ctx, tx, d, a, e)
	})
}

// matchAttempt finds the attempt that an event is about: by the id of ours that the vendor echoes, which was committed
// before the vendor was asked, else by the vendor's account, whose latest attempt is meant.
func matchAttempt(ctx context.Context, tx pgx.Tx, connectionID int64, e webhook.Event) (id int64, err error) {
	external, _ := uuid.Parse(e.ExternalID) // anything else matches nothing
	err = tx.QueryRow(ctx, `-- name: match attempt
select id from (
  select id, 1 as way from attempts where uid = $2 and connection_id = $1
  union all
  (select id, 2 from attempts where connection_id = $1 and account_id = $3 and $3 <> '' order by id desc limit 1)) found
 order by way limit 1`, connectionID, external, e.AccountID).Scan(&id)
	return id, err
}

type delivery struct {
	id, connectionID int64
	receivedAt       time.Time
	replay           *replaying // nil: the processing that follows a receipt
}

// effect stores the event under its key and moves the attempt, or finds that the same fact was told before.
func (db *DB) effect(ctx context.Context, tx pgx.Tx, d delivery, a attempt, e webhook.Event) error {
	var earlier int64
	var earlierAt time.Time
	var nth int
	err := tx.QueryRow(ctx, `-- name: event by key
select id, received_at, nth from events where attempt_id = $1 and key = $2 order by nth desc limit 1`, a.id, e.Key).
		Scan(&earlier, &earlierAt, &nth)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	// Palenca gives an event neither id nor time, so a retry cannot be told from a second event of the same kind
	// except by the clock: past the retry window, a second success follows a refresh and calls for a new fetch.
	again := nth > 0 && !e.Dated && e.Report.Phase == lookup.PhaseSucceeded && d.receivedAt.Sub(earlierAt) >= RetryWindow
	if nth > 0 && !again {
		if !d.replay.knows(earlier) {
			if err := addMoment(ctx, tx, a.id, moment{kind: lookup.MomentRepeated, text: e.Action, deliveryID: d.id}); err != nil {
				return err
			}
		}
		return d.settle(ctx, tx, e, webhook.Duplicate, webhook.CauseSameFact, a.lookupID, earlier)
	}
	var eventID int64
	if err := tx.QueryRow(ctx, `-- name: add event
insert into events (attempt_id, key, nth, action, phase, detail, delivery_id, received_at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
		a.id, e.Key, nth+1, e.Action, e.Report.Phase, e.Report.Detail, d.id, d.receivedAt).Scan(&eventID); err != nil {
		return fmt.Errorf("store the event: %w", err)
	}
	return db.give(ctx, tx, d, a, e, eventID)
}

// give lets a stored event move the attempt, and settles the delivery that told it.
func (db *DB) give(ctx context.Context, tx pgx.Tx, d delivery, a attempt, e webhook.Event, eventID int64) error {
	if err := db.learnAccount(ctx, tx, a, e); err != nil {
		return err
	}
	if err := heard(ctx, tx, a.id, e.Report.Phase, d.receivedAt); err != nil {
		return err
	}
	before := a
	step, err := d.advance(ctx, tx, a, e, eventID)
	if err != nil {
		return err
	}
	if err := a.move(ctx, tx, step, moment{text: e.Action, deliveryID: d.id}); err != nil {
		return err
	}
	verdict, cause := webhook.Accepted, webhook.CauseNone
	told := moment{text: e.Action, deliveryID: d.id}
	switch {
	case e.Report.Phase == lookup.PhaseUnknown:
		verdict, cause, told.kind = webhook.Ignored, webhook.CauseUnknownEvent, lookup.MomentUnknown
	case step.Late:
		cause, told.kind = webhook.CauseLate, lookup.MomentLate
	case e.Report.Phase == lookup.PhaseOpened && !step.Moved:
		told.kind = lookup.MomentOpened
	case e.Report.Phase == lookup.PhaseRefreshFailed && before.state.Status == a.state.Status:
		told.kind = lookup.MomentRefresh
	case before.state.Status == a.state.Status:
		told.kind = lookup.MomentRepeated
	}
	if e.Deprecated && cause == webhook.CauseNone {
		cause = webhook.CauseDeprecated
	}
	if told.kind != "" {
		if err := addMoment(ctx, tx, a.id, told); err != nil {
			return err
		}
	}
	if step.Fetch {
		if err := db.fetchNamed(ctx, tx, d, &a, e, eventID); err != nil {
			return err
		}
	}
	if err := d.change(ctx, tx, "status", string(before.state.Status), string(a.state.Status)); err != nil {
		return err
	}
	if err := d.change(ctx, tx, "warning", before.state.Warning, a.state.Warning); err != nil {
		return err
	}
	if d.replay == nil && step.Moved { // whoever replays an old fault looks at it, and asks again or not
		if err := db.retryItself(ctx, tx, a, time.Now()); err != nil {
			return err
		}
	}
	if err := d.settle(ctx, tx, e, verdict, cause, a.lookupID, eventID); err != nil {
		return err
	}
	return notify(ctx, tx, a.lookupID)
}

// fetchNamed has the kinds of data fetched that a success named, and notes what that changed. A vendor that says that there is
// nothing has answered: profile and employment are empty, not missing.
func (db *DB) fetchNamed(ctx context.Context, tx pgx.Tx, d delivery, a *attempt, e webhook.Event, eventID int64) error {
	entities := e.Entities
	if entities == nil {
		entities = lookup.Usual
	}
	state := func(entity lookup.Entity) (lookup.PullState, error) {
		switch entity {
		case lookup.EntityProfile:
			return a.profile, nil
		case lookup.EntityEmployment:
			return a.employment, nil
		}
		return entityState(ctx, tx, a.id, entity)
	}
	note := func(entity lookup.Entity, to lookup.PullState) error {
		was, err := state(entity)
		if err != nil || !entity.Known() {
			return err
		}
		return d.change(ctx, tx, string(entity), string(was), string(to))
	}
	if len(entities) == 0 {
		for _, entity := range lookup.Usual {
			// What an earlier event brought stands: it was found then, and is still shown with its date.
			if was, err := state(entity); err != nil {
				return err
			} else if was != lookup.PullNone {
				continue
			}
			if err := note(entity, lookup.PullEmpty); err != nil {
				return err
			}
			if err := setPullState(ctx, tx, a, entity, lookup.PullEmpty); err != nil {
				return err
			}
		}
		return nil
	}
	for _, entity := range entities {
		if err := note(entity, lookup.PullFetching); err != nil {
			return err
		}
	}
	return db.fetching(ctx, tx, a, eventID, entities)
}

// learnAccount takes the account's id from an event that overtook our own commit of it, and claims what waits for it.
func (db *DB) learnAccount(ctx context.Context, tx pgx.Tx, a attempt, e webhook.Event) error {
	tag, err := tx.Exec(ctx, `-- name: learn account
update attempts set account_id = $2, vendor_user_id = case when vendor_user_id = '' then $3 else vendor_user_id end
 where id = $1 and account_id = '' and $2 <> ''`, a.id, e.AccountID, e.UserID)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return db.claimDeliveries(ctx, tx, a.connectionID, e.AccountID)
}

// advance is what an event does to its attempt, as of the moment at which its delivery came: two deliveries may be
// processed in another order than they came in, and only the order of arrival counts.
func (d delivery) advance(ctx context.Context, tx pgx.Tx, a attempt, e webhook.Event, eventID int64) (step lookup.Step, err error) {
	step = lookup.Advance(a.state, e.Report)
	if step.Late {
		if err := tx.QueryRow(ctx, `-- name: arrived late
select exists (select 1 from events where attempt_id = $1 and id <> $2 and received_at < $3)`, a.id, eventID, d.receivedAt).Scan(&step.Late); err != nil {
			return step, err
		}
	}
	if step.Next.Warning != a.state.Warning {
		var overtaken bool
		if err := tx.QueryRow(ctx, `-- name: warning overtaken
select exists (select 1 from events where attempt_id = $1 and id <> $2 and received_at > $3 and phase in ('succeeded', 'refresh_failed'))`,
			a.id, eventID, d.receivedAt).Scan(&overtaken); err != nil {
			return step, err
		}
		if overtaken {
			step.Next.Warning = a.state.Warning
			step.Moved = step.Next != a.state
		}
	}
	switch {
	case step.Fetch && d.replay != nil:
		step.Fetch, err = d.lacksData(ctx, tx, a, e)
	case step.Fetch && !step.Moved:
		var told bool
		told, err = askedFirst(ctx, tx, a.id, e.Report.Phase, d.receivedAt)
		step.Fetch = !told
	}
	return step, err
}

func (d delivery) change(ctx context.Context, tx pgx.Tx, what, before, after string) error {
	if before == after {
		return nil
	}
	_, err := tx.Exec(ctx, `-- name: add change
insert into changes (delivery_id, what, before, after, replay_id) values ($1, $2, $3, $4, nullif($5, 0))`,
		d.id, what, before, after, d.replay.noted(webhook.Change{What: what, Before: before, After: after}))
	return err
}

func (d delivery) settle(ctx context.Context, tx pgx.Tx, e webhook.Event, v webhook.Verdict, c webhook.Cause, lookupID, eventID int64) error {
	// A preview counts nothing: it would hold counters that receipts at the same moment need.
	if !d.replay.preview() {
		if err := recount(ctx, tx, []int64{d.id}, v, c); err != nil {
			return err
		}
	}
	d.replay.settled(v, c, lookupID)
	_, err := tx.Exec(ctx, `-- name: settle delivery
update deliveries set verdict = $2, cause = $3, action = $4, account_id = $5, lookup_id = nullif($6, 0), event_id = nullif($7, 0),
       twin_of = case when $2 = 'duplicate' then (select e.delivery_id from events e where e.id = $7) else twin_of end,
       processed_at = clock_timestamp(), runs = runs + 1, last_error = ''
 where id = $1`, d.id, v, c, e.Action, e.AccountID, lookupID, eventID)
	if err != nil {
		return fmt.Errorf("settle the delivery: %w", err)
	}
	// Copies are not read again; a list that is narrowed to an account shows them too.
	_, err = tx.Exec(ctx, `-- name: settle copies
update deliveries set action = $2, account_id = $3 where twin_of = $1 and cause = 'same_bytes' and action = ''`, d.id, e.Action, e.AccountID)
	return err
}
