package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// Console holds the settings of the console as a whole.
type Console struct {
	Environment   lookup.Environment
	Institution   string
	NoticeVersion string // of the privacy notice under which consent is taken
	NoticeURL     string
	ConsentDays   int
}

// Console gives the console's settings.
func (db *DB) Console(ctx context.Context) (Console, error) {
	var c Console
	err := db.pool.QueryRow(ctx, `-- name: console
select environment, institution, notice_version, notice_url, consent_days from console`).
		Scan(&c.Environment, &c.Institution, &c.NoticeVersion, &c.NoticeURL, &c.ConsentDays)
	return c, err
}

// Visit gives what every page needs to know, in one question: who asks, the console's settings, how many lookups wait
// for an analyst (to limit), the code with which the vendor paused our calls, and what is wrong with receiving.
// ErrNotFound: no such active user.
//
// The newest delivery is asked for by its place in an index. Asked whether one came since $4, a plan made for every value
// expects a third of the table to fit, and reads the table until one does: from its oldest row on.
func (db *DB) Visit(ctx context.Context, userID int64, limit int) (v Visit, err error) {
	c := &v.Console
	v.User, err = scanUser(db.pool.QueryRow(ctx, `-- name: visit
select `+userColumns+`, c.environment, c.institution, c.notice_version, c.notice_url, c.consent_days,
       (select least(coalesce(sum(n.count), 0), $2) from lookup_counts n where n.environment = c.environment and n.status in ('expired', 'error')),
       coalesce((select paused_code from connections where environment = c.environment and paused_at is not null limit 1), ''),
       case when exists (select 1 from subscriptions s where s.environment = c.environment and s.active and s.deleted_at is null and not s.vendor_active)
              then 'vendor_off'
            when (select coalesce(sum(h.count) filter (where h.verdict = 'refused'), 0) >= $3
                     and coalesce(sum(h.count) filter (where h.verdict = 'refused'), 0) * 4 >= coalesce(sum(h.count), 0)
                    from subscriptions s join delivery_hours h on h.subscription_id = s.id
                   where s.environment = c.environment and s.deleted_at is null and h.hour >= date_trunc('hour', now(), 'UTC') - interval '1 hour')
              then 'failing'
            when exists (select 1 from attempts a join connections k on k.id = a.connection_id
                          where a.status = 'pending' and a.sent_at < now() - $4::interval and a.sent_at > now() - interval '7 days' and k.environment = c.environment)
             and coalesce((select d.received_at from deliveries d where d.environment = c.environment and d.verdict <> 'refused'
                            order by d.received_at desc, d.id desc limit 1), '-infinity') <= now() - $4::interval
              then 'quiet'
            when (select coalesce(sum(h.started - h.refused - h.heard), 0) >= $5 and coalesce(sum(h.started - h.refused - h.heard), 0) * 10 >= sum(h.started - h.refused)
                    from connections k join waits w on w.dialect = k.dialect join attempt_hours h on h.connection_id = k.id
                   where k.environment = c.environment and h.hour >= date_trunc('hour', now(), 'UTC') - interval '6 hours'
                     and h.hour + interval '1 hour' + make_interval(secs => w.expected_seconds) <= now())
              then 'missing'
            else '' end
  from users u cross join console c where u.id = $1 and u.disabled_at is null`, userID, limit, manyRefused, quietAfter, manyMissing),
		&c.Environment, &c.Institution, &c.NoticeVersion, &c.NoticeURL, &c.ConsentDays, &v.Waiting, &v.Paused, &v.Hooks)
	return v, err
}

// Visit is what every page needs to know.
type Visit struct {
	User    auth.User
	Console Console
	Waiting int
	Paused  string
	Hooks   string // vendor_off, failing, quiet, missing; "" when nothing is wrong
}

// HooksMissing says that outcomes are known of attempts, or overdue, that no webhook told.
const HooksMissing = "missing"

// When the console says that something is wrong with receiving: this many refusals within two hours, if they are a
// quarter of what came; nothing at all for twice the longest extraction while attempts are open; or no final event of this
// many attempts that were sent in the last six full clock hours and had their time, if they are a tenth of those.
const (
	manyMissing = 5
	manyRefused = 5
	quietAfter  = 15 * time.Minute
)

// SetEnvironment switches the whole console between test data and real data.
func (db *DB) SetEnvironment(ctx context.Context, env lookup.Environment, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: set environment
update console set environment = $1, changed_at = now()`, env); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.EnvironmentSet, detail: string(env)})
	})
}

// SetConsole sets the institution's name and the privacy notice.
func (db *DB) SetConsole(ctx context.Context, c Console, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: set console
update console set institution = $1, notice_version = $2, notice_url = $3, consent_days = $4, changed_at = now()`,
			c.Institution, c.NoticeVersion, c.NoticeURL, c.ConsentDays); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.ConsoleChanged})
	})
}
