package db

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"cotejo/internal/audit"
	"cotejo/internal/bulk"
	"cotejo/internal/consent"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

// How long a bulk keeps what has served its purpose.
const (
	DraftsKept      = 24 * time.Hour      // drafts that nobody sent, whole
	IdentifiersKept = 30 * 24 * time.Hour // of rows that were not asked, after the bulk or its consent ended
)

// NewBulk is a file to be kept as a draft, or a draft read another way: its rows judged by what stands in them.
type NewBulk struct {
	Environment lookup.Environment
	Dialect     lookup.Dialect
	Platform    lookup.Platform
	FileName    string // "" for what was pasted
	File        []byte
	SHA256      []byte // of File
	Encoding    bulk.Encoding
	Delimiter   bulk.Delimiter
	Columns     []string
	Layout      bulk.Layout
	Rows        []bulk.Row
}

// AddBulk stores a draft with a verdict per row.
func (db *DB) AddBulk(ctx context.Context, n NewBulk, now time.Time, by audit.Actor) (uid uuid.UUID, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		connectionID, err := connectionOf(ctx, tx, n.Environment, n.Dialect)
		if err != nil {
			return err
		}
		var id int64
		if err := tx.QueryRow(ctx, `-- name: add bulk
insert into bulks (environment, connection_id, platform, file_name, file, sha256, encoding, delimiter, columns, header, identifier_column, reference_column,
                   uploaded_by, judged_at, total, people)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning id, uid`,
			n.Environment, connectionID, n.Platform, clean(n.FileName), n.File, n.SHA256, n.Encoding, n.Delimiter, n.Columns, n.Layout.Header,
			n.Layout.Identifier, n.Layout.Reference, by.UserID, now, len(n.Rows), bulk.SumPeople(n.Platform, n.Rows)).Scan(&id, &uid); err != nil {
			return fmt.Errorf("store the bulk: %w", err)
		}
		if err := writeRows(ctx, tx, id, connectionID, n, now); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.BulkUploaded, subject: uid.String(), detail: strconv.Itoa(len(n.Rows))})
	})
	return uid, err
}

// BulkFile gives the bytes of a draft's file and how they were read last. ErrConflict: it was sent, and the file is gone.
func (db *DB) BulkFile(ctx context.Context, env lookup.Environment, uid uuid.UUID) (file []byte, as bulk.Spelling, err error) {
	err = db.pool.QueryRow(ctx, `-- name: bulk file
select coalesce(file, ''), encoding, delimiter from bulks where environment = $1 and uid = $2`, env, uid).Scan(&file, &as.Encoding, &as.Delimiter)
	if err == nil && len(file) == 0 {
		err = ErrConflict
	}
	return file, as, found(err)
}

// ReadBulkAgain judges a draft anew: spelled, separated or laid out another way, for another source, or because time went by. Of n only what a
// person may choose counts, and the rows.
func (db *DB) ReadBulkAgain(ctx context.Context, env lookup.Environment, uid uuid.UUID, n NewBulk, now time.Time, by audit.Actor) error {
	n.Environment = env
	return db.inTx(ctx, func(tx pgx.Tx) error {
		id, err := lockDraft(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		connectionID, err := connectionOf(ctx, tx, env, n.Dialect)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: forget rows of bulk
delete from bulk_rows where bulk_id = $1`, id); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `-- name: read bulk again
update bulks set connection_id = $2, platform = $3, columns = $4, header = $5, identifier_column = $6, reference_column = $7, judged_at = $8, total = $9,
       people = $10, encoding = $11, delimiter = $12 where id = $1 returning sha256`,
			id, connectionID, n.Platform, n.Columns, n.Layout.Header, n.Layout.Identifier, n.Layout.Reference, now, len(n.Rows),
			bulk.SumPeople(n.Platform, n.Rows), n.Encoding, n.Delimiter).Scan(&n.SHA256); err != nil {
			return err
		}
		if err := writeRows(ctx, tx, id, connectionID, n, now); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.BulkRead, subject: uid.String(), detail: strconv.Itoa(len(n.Rows))})
	})
}

func connectionOf(ctx context.Context, tx pgx.Tx, env lookup.Environment, dialect lookup.Dialect) (id int64, err error) {
	err = tx.QueryRow(ctx, `-- name: connection of dialect
select id from connections where environment = $1 and dialect = $2`, env, dialect).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNoConnection
	}
	return id, err
}

func lockDraft(ctx context.Context, tx pgx.Tx, env lookup.Environment, uid uuid.UUID) (id int64, err error) {
	var state bulk.State
	err = tx.QueryRow(ctx, `-- name: lock draft
select id, state from bulks where environment = $1 and uid = $2 for no key update`, env, uid).Scan(&id, &state)
	if err == nil && state != bulk.Draft {
		err = ErrConflict
	}
	return id, found(err)
}

// writeRows stores rows with the verdict that their people's past gives those that have none against them yet.
func writeRows(ctx context.Context, tx pgx.Tx, id, connectionID int64, n NewBulk, now time.Time) error {
	var identifiers []string
	for _, r := range n.Rows {
		if r.Verdict == bulk.Send || r.Verdict == bulk.Doubtful {
			identifiers = append(identifiers, r.Identifier)
		}
	}
	at := asking{environment: n.Environment, connectionID: connectionID, dialect: n.Dialect, platform: n.Platform, bulkID: id, sha256: n.SHA256,
		people: bulk.SumPeople(n.Platform, n.Rows)}
	past, err := at.past(ctx, tx, identifiers, now)
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"bulk_rows"},
		[]string{"bulk_id", "number", "line", "identifier", "reference", "verdict", "detail", "of_line"},
		pgx.CopyFromSlice(len(n.Rows), func(i int) ([]any, error) {
			r := n.Rows[i]
			if verdict, known := past[r.Identifier]; known && (r.Verdict == bulk.Send || r.Verdict == bulk.Doubtful) && verdict != bulk.Send {
				r.Verdict, r.Detail = verdict, ""
			}
			return []any{id, r.Number, r.Line, clean(r.Identifier), clean(r.Reference), string(r.Verdict), r.Detail, r.Of}, nil
		}))
	if err != nil {
		return fmt.Errorf("store the rows: %w", err)
	}
	return nil
}

// asking is whom a bulk asks, and because of which file and people.
type asking struct {
	environment  lookup.Environment
	connectionID int64
	dialect      lookup.Dialect
	platform     lookup.Platform
	bulkID       int64
	sha256       []byte
	people       []byte
}

// past weighs what is known of people: by identifier, for those who are known at all.
func (a asking) past(ctx context.Context, tx pgx.Tx, identifiers []string, now time.Time) (map[string]bulk.Verdict, error) {
	begin, _ := lookup.Day(now)
	rows, err := tx.Query(ctx, `-- name: past of people
with known as (
  select p.id, p.curp as identifier from people p where p.environment = $1 and p.curp = any($2)
  union all
  select p.id, p.rfc from people p where p.environment = $1 and p.rfc = any($2))
select k.identifier, past.success, past.today, past.open,
       exists (select 1 from lookups l join bulk_rows r on r.lookup_id = l.id join bulks b on b.id = r.bulk_id
                where l.person_id = k.id and l.connection_id = $3 and l.platform = $4 and (b.sha256 = $6 or b.people = $9) and b.id <> $7 and r.done_at > $8)
  from known k
 cross join lateral (
  select coalesce(max(coalesce(a.final_event_at, a.settled_at)) filter (where a.status = 'success'), `+never+`) as success,
         count(*) filter (where a.sent_at >= $5 and a.settled_by <> 'refused') as today,
         coalesce(bool_or(a.status in ('queued', 'pending')), false) as open
    from lookups l join attempts a on a.lookup_id = l.id
   where l.person_id = k.id and l.connection_id = $3 and l.platform = $4) past`,
		a.environment, identifiers, a.connectionID, a.platform, begin, a.sha256, a.bulkID, now.Add(-bulk.SameFile), a.people)
	if err != nil {
		return nil, err
	}
	verdicts := map[string]bulk.Verdict{}
	var identifier string
	var asked, open bool
	p := lookup.Past{Dialect: a.dialect, Platform: a.platform}
	_, err = pgx.ForEachRow(rows, []any{&identifier, &p.LastSuccess, &p.Today, &open, &asked}, func() error {
		p.State.Status = lookup.Success // settled, whatever it was
		if open {
			p.State.Status = lookup.Queued
		}
		verdicts[identifier] = bulk.Weigh(p, now)
		if asked && verdicts[identifier] != bulk.Open {
			verdicts[identifier] = bulk.Asked
		}
		return nil
	})
	return verdicts, err
}

// DiscardBulk forgets a draft with its rows. ErrConflict: it was sent.
func (db *DB) DiscardBulk(ctx context.Context, env lookup.Environment, uid uuid.UUID, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		id, err := lockDraft(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: discard bulk
delete from bulks where id = $1`, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.BulkDiscarded, subject: uid.String()})
	})
}

// ErrNothingToSend means that no row of a draft is to be asked.
var ErrNothingToSend = fmt.Errorf("%w: no row to send", ErrConflict)

// Sending is what a person decides about a draft.
type Sending struct {
	JudgedAt time.Time      // of the draft that the person saw
	Consent  consent.Record // that everybody in it is said to have given
	Insist   bool           // also send the rows that were warned about
}

// SendBulk hands a draft to the queue and forgets the file's bytes and its names of columns. ErrConflict: it was sent, or judged anew since the
// person saw it.
func (db *DB) SendBulk(ctx context.Context, env lookup.Environment, uid uuid.UUID, s Sending, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		id, err := lockDraft(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		var seen bool
		if err := tx.QueryRow(ctx, `-- name: draft as seen
select judged_at = $2 from bulks where id = $1`, id, s.JudgedAt).Scan(&seen); err != nil || !seen {
			return errors.Join(err, ErrConflict)
		}
		given := s.Consent
		chosen := []string{string(bulk.Send)}
		if s.Insist {
			chosen = append(chosen, string(bulk.Doubtful))
		}
		tag, err := tx.Exec(ctx, `-- name: hold rows of bulk
update bulk_rows set done_at = clock_timestamp() where bulk_id = $1 and verdict <> all($2)`, id, chosen)
		if err != nil {
			return err
		}
		var total int
		if err := tx.QueryRow(ctx, `-- name: send bulk
update bulks set state = 'sending', file = null, columns = '{}', sent_by = $2, sent_ip = $3, sent_at = clock_timestamp(), chosen = total - $4::integer,
       consent_given_at = $5, consent_expires_at = $6, notice_version = $7, means = $8, purpose = $9
 where id = $1 returning total`, id, by.UserID, by.IP, tag.RowsAffected(),
			given.GivenAt, given.ExpiresAt, given.NoticeVersion, given.Means, given.Purpose).Scan(&total); err != nil {
			return fmt.Errorf("send the bulk: %w", err)
		}
		if int64(total) == tag.RowsAffected() {
			return ErrNothingToSend
		}
		if err := db.runBulk(ctx, tx, id); err != nil {
			return err
		}
		detail := fmt.Sprintf("%d of %d, notice %s, %s", int64(total)-tag.RowsAffected(), total, given.NoticeVersion, given.Means)
		return record(ctx, tx, by, note{action: audit.BulkSent, subject: uid.String(), detail: detail})
	})
}

func (db *DB) runBulk(ctx context.Context, tx pgx.Tx, id int64) error {
	return db.queueOnce(ctx, tx, task.RunBulk{BulkID: id}, &river.InsertOpts{Queue: task.QueueBulk})
}

// bulkMoves says from which states a person may bring a bulk into another. A sending one may be resumed, for when its job
// was given up or cancelled.
var bulkMoves = map[bulk.State]struct {
	from   []string
	action audit.Action
}{
	bulk.Paused:    {[]string{"sending"}, audit.BulkPaused},
	bulk.Sending:   {[]string{"paused", "sending"}, audit.BulkResumed},
	bulk.Cancelled: {[]string{"sending", "paused"}, audit.BulkCancelled},
}

// SwitchBulk pauses, resumes or cancels a bulk that was sent. What was handed out goes on. ErrConflict: it has ended, or is
// so already.
func (db *DB) SwitchBulk(ctx context.Context, env lookup.Environment, uid uuid.UUID, to bulk.State, by audit.Actor) error {
	move, ok := bulkMoves[to]
	if !ok {
		return fmt.Errorf("%w: nobody brings a bulk into the state %q", ErrConflict, to)
	}
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		var was bulk.State
		var may, stalled bool
		// Waits for the row under way.
		if err := tx.QueryRow(ctx, `-- name: bulk to switch
select id, state, state = any($3), `+stalledBulk+` from bulks b where environment = $1 and uid = $2 for no key update`, env, uid, move.from).
			Scan(&id, &was, &may, &stalled); err != nil {
			return found(err)
		}
		if !may || was == to && !stalled {
			return ErrConflict
		}
		if _, err := tx.Exec(ctx, `-- name: switch bulk
update bulks set state = $2, finished_at = case when $2 = 'cancelled' then clock_timestamp() end where id = $1`, id, to); err != nil {
			return err
		}
		switch to {
		case bulk.Sending:
			if err := db.runBulk(ctx, tx, id); err != nil {
				return err
			}
		case bulk.Cancelled:
			if _, err := tx.Exec(ctx, `-- name: drop rows of bulk
update bulk_rows set verdict = 'cancelled', detail = '', done_at = clock_timestamp() where bulk_id = $1 and done_at is null`, id); err != nil {
				return err
			}
		}
		return record(ctx, tx, by, note{action: move.action, subject: uid.String()})
	})
}

// stalledBulk tells of bulk b that it should be sending and nobody works it.
const stalledBulk = `(b.state = 'sending' and not exists (select 1 from river_job j where j.kind = 'run_bulk' and j.args = jsonb_build_object('bulk_id', b.id)
                       and j.state in ('available', 'pending', 'retryable', 'running', 'scheduled')))`

// bulkOver tells of bulk b that it has been over for so long: it ended, or nobody may be asked by its consent any more, which
// is the only end of one that is paused for ever.
const bulkOver = `least(b.finished_at, b.consent_expires_at) < clock_timestamp() - $1::interval`
