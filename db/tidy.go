package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// How long things are kept that have outlived their purpose.
const (
	credentialsKept = 7 * 24 * time.Hour
	foreignAfter    = 24 * time.Hour
	sessionsKept    = 12 * time.Hour                 // ended ones, by which what somebody typed meanwhile is theirs (EndedSession)
	outcomesKept    = 8 * 24 * time.Hour             // who told an outcome: no page looks further back than a day, and a webhook of last week's attempt still counts once
	tokensKept      = credentialsKept + 24*time.Hour // verifying a stored delivery again needs the token that it came with
)

// Tidy drops credential headers after seven days, ended sessions, old sign-in failures, who told an outcome and tokens that no stored delivery
// can be judged by any more, and settles deliveries for accounts that nobody here asked for as foreign after a day. Drafts of
// bulks and files of exports go after a day, searches after an hour, identifiers of bulks that nobody was asked about, and
// what their files and people are known by, after thirty days. Counters of attempts are folded. A step that fails keeps no other from its turn.
func (db *DB) Tidy(ctx context.Context) error {
	var faults []error
	// The rows of a batch stand in an array, which is made once: joined instead, a plan may choose them anew for each row.
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`-- name: drop credentials
update deliveries set credentials_sealed = null where id = any(array(
  select id from deliveries where credentials_sealed is not null and received_at < clock_timestamp() - $1::interval order by received_at limit 5000))`, []any{credentialsKept}},
		{`-- name: settle foreign
update deliveries set cause = 'foreign' where id = any(array(
  select id from deliveries where verdict = 'unmatched' and cause = '' and received_at < clock_timestamp() - $1::interval limit 5000))
   and verdict = 'unmatched' and cause = ''`, []any{foreignAfter}},
		{`-- name: drop sessions
delete from sessions where hash = any(array(select hash from sessions where expires_at < clock_timestamp() - $1::interval limit 5000))`, []any{sessionsKept}},
		{`-- name: drop sign-in failures
delete from sign_in_failures where ctid = any(array(select ctid from sign_in_failures where failed_at < clock_timestamp() - $1::interval limit 5000))`, []any{failureWindow}},
		{`-- name: drop searches
delete from searches where id = any(array(select id from searches where expires_at < clock_timestamp() limit 5000))`, nil},
		{`-- name: drop outcomes
delete from outcomes_told where ctid = any(array(
  select t.ctid from subscriptions s join outcomes_told t on t.subscription_id = s.id and t.sent_at < clock_timestamp() - $1::interval limit 5000))`, []any{outcomesKept}},
		{`-- name: drop tokens
delete from hook_tokens where hash = any(array(select hash from hook_tokens where expires_at < clock_timestamp() - $1::interval limit 5000))`, []any{tokensKept}},
		// A draft has 5 MB of file and 10,000 rows at most, which go with it.
		{`-- name: drop drafts
delete from bulks where id = any(array(select id from bulks where state = 'draft' and uploaded_at < clock_timestamp() - $1::interval limit 20))
   and state = 'draft'`, []any{DraftsKept}},
		{`-- name: drop identifiers of bulks
update bulk_rows set identifier = '' where ctid = any(array(
  select r.ctid from bulks b join bulk_rows r on r.bulk_id = b.id
   where ` + bulkOver + ` and r.identifier <> '' limit 5000))`, []any{IdentifiersKept}},
		{`-- name: drop hashes of bulks
update bulks set people = null, sha256 = null where id = any(array(select b.id from bulks b where ` + bulkOver + ` and (b.people is not null or b.sha256 is not null) limit 5000))`, []any{IdentifiersKept}},
		// Expired, a file is read by nobody; then its pieces go, each up to a mebibyte. Its receipt stays.
		{`-- name: expire exports
update exports set state = 'expired' where id = any(array(
  select id from exports where state = 'ready' and expires_at < clock_timestamp() limit 5000)) and state = 'ready'`, nil},
		{`-- name: drop files
delete from export_chunks where ctid = any(array(
  select c.ctid from export_chunks c join exports e on e.id = c.export_id where e.state = 'expired' limit 200))`, nil},
		{foldHours, foldArgs},
	} {
		faults = append(faults, inBatches(ctx, db.pool.Exec, statement.text, statement.args...))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}

// inBatches runs a statement that takes a limited number of rows until it finds none. What a batch did is committed: after a
// pause of weeks there may be more than one run of the job has time for, and the next goes on.
func inBatches(ctx context.Context, exec func(context.Context, string, ...any) (pgconn.CommandTag, error), text string, args ...any) error {
	for {
		tag, err := exec(ctx, text, args...)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
	}
}

// AuditBroken gives the ids of audit entries at which the chain does not hold: edited, missing or inserted ones.
func (db *DB) AuditBroken(ctx context.Context) ([]int64, error) {
	rows, err := db.pool.Query(ctx, `-- name: audit broken links
select audit_broken_links()`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var broken []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		broken = append(broken, id)
	}
	return broken, rows.Err()
}
