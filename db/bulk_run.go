package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/bulk"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

// BulkRoom tells how many more lookups of a bulk may be waiting for a call to the vendor, out of most. Those that wait for
// the vendor's own work do not count. going is false when the bulk is not to go on.
func (db *DB) BulkRoom(ctx context.Context, id int64, most int) (room int, going bool, err error) {
	var busy int
	err = db.pool.QueryRow(ctx, `-- name: room of bulk
select b.state = 'sending', case when b.state <> 'sending' then 0 else
       (select count(*) from bulk_rows r join lookups l on l.id = r.lookup_id
         where r.bulk_id = b.id and (l.status = 'queued' or l.profile_state = 'fetching' or l.employment_state = 'fetching')) end
  from bulks b where b.id = $1`, id).Scan(&going, &busy)
	return max(most-busy, 0), going, found(err)
}

// sending is a bulk whose next row has its turn.
type sending struct {
	asking
	consent consent.Record
	by      audit.Actor
}

// HandOut gives the next row of a bulk its turn: its lookup is made as any other is, unless something speaks against it by
// now. Row and lookup are one transaction, so that a process that dies asks nobody twice. more is false when no row is left,
// or the bulk is not to go on.
func (db *DB) HandOut(ctx context.Context, id int64, now time.Time) (more bool, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var state bulk.State
		s := sending{asking: asking{bulkID: id}, consent: consent.Record{}}
		// Two runs of one bulk go one after the other; pausing and cancelling wait for the row.
		if err := tx.QueryRow(ctx, `-- name: lock bulk
select b.state, b.environment, b.connection_id, c.dialect, b.platform, b.sha256, b.people, coalesce(b.consent_given_at, `+never+`),
       coalesce(b.consent_expires_at, `+never+`), b.notice_version, b.means, b.purpose, b.sent_ip, coalesce(u.id, 0), coalesce(u.name, '')
  from bulks b join connections c on c.id = b.connection_id left join users u on u.id = b.sent_by where b.id = $1 for no key update of b`, id).
			Scan(&state, &s.environment, &s.connectionID, &s.dialect, &s.platform, &s.sha256, &s.people, &s.consent.GivenAt,
				&s.consent.ExpiresAt, &s.consent.NoticeVersion, &s.consent.Means, &s.consent.Purpose, &s.by.IP, &s.by.UserID, &s.by.Name); err != nil {
			return found(err)
		}
		if state != bulk.Sending {
			return nil
		}
		var r bulk.Row
		err := tx.QueryRow(ctx, `-- name: next row of bulk
select number, identifier, reference, verdict from bulk_rows where bulk_id = $1 and done_at is null order by number limit 1`, id).
			Scan(&r.Number, &r.Identifier, &r.Reference, &r.Verdict)
		if errors.Is(err, pgx.ErrNoRows) {
			_, err := tx.Exec(ctx, `-- name: bulk done
update bulks set state = 'done', finished_at = clock_timestamp() where id = $1`, id)
			return err
		} else if err != nil {
			return err
		}
		more = true
		return db.handOut(ctx, tx, s, r, now)
	})
	return more, err
}

func (db *DB) handOut(ctx context.Context, tx pgx.Tx, s sending, r bulk.Row, now time.Time) error {
	if !s.consent.Live(now) {
		return holdRow(ctx, tx, s.bulkID, r.Number, bulk.NoConsent)
	}
	s.consent.IP = s.by.IP
	n := NewLookup{Environment: s.environment, Platform: s.platform, Reference: r.Reference, Source: lookup.SourceBulk, Consent: s.consent}
	if number, err := curp.Parse(r.Identifier); err == nil {
		n.CURP = number
	} else {
		n.RFC = r.Identifier
	}
	// From here on nobody else begins to ask about this person, so what is read of their past stays true.
	personID, err := addPerson(ctx, tx, n)
	if err != nil {
		return err
	}
	past, err := s.past(ctx, tx, []string{r.Identifier}, now)
	if err != nil {
		return err
	}
	if verdict := past[r.Identifier]; verdict != bulk.Send {
		return holdRow(ctx, tx, s.bulkID, r.Number, verdict)
	}
	lookupID, _, err := db.makeLookup(ctx, tx, n, s.connectionID, personID, s.by)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `-- name: row of bulk sent
update bulk_rows set lookup_id = $3, connection_id = $4, identifier = '', done_at = clock_timestamp() where bulk_id = $1 and number = $2`,
		s.bulkID, r.Number, lookupID, s.connectionID); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `-- name: bulk came so far
update bulks set sent = sent + 1 where id = $1`, s.bulkID)
	return err
}

func holdRow(ctx context.Context, tx pgx.Tx, id int64, number int, verdict bulk.Verdict) error {
	_, err := tx.Exec(ctx, `-- name: row of bulk held
update bulk_rows set verdict = $3, detail = '', done_at = clock_timestamp() where bulk_id = $1 and number = $2`, id, number, verdict)
	return err
}
