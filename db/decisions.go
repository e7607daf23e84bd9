package db

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/decision"
	"cotejo/internal/lookup"
)

// NewDecision is a decision note as a person sends it.
type NewDecision struct {
	Reason string
	AsOf   time.Time // date of the figures on the page
	Shown  string    // decision.Seen.Digest of what the page showed
}

// Decide writes a decision note on a lookup: what was seen is read again under the lookup's lock, and frozen when it is
// what the page showed; decision.ErrChanged when it is not. A lookup that still waits for an answer gives ErrConflict.
func (db *DB) Decide(ctx context.Context, env lookup.Environment, uid uuid.UUID, n NewDecision, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		// Answers are stored under this lock too, so nothing can come between reading and freezing.
		if err := tx.QueryRow(ctx, `-- name: lookup to decide
select id from lookups where environment = $1 and uid = $2 for no key update`, env, uid).Scan(&id); err != nil {
			return found(err)
		}
		c, personID, err := readCase(ctx, tx, env, uid)
		if err != nil {
			return err
		}
		if c.State.Status.Open() {
			return ErrConflict
		}
		frozen, sum, err := c.Seen(n.AsOf).Freeze()
		if err != nil {
			return fmt.Errorf("freeze the facts: %w", err)
		}
		if hex.EncodeToString(sum[:]) != n.Shown {
			return decision.ErrChanged
		}
		var added uuid.UUID
		if err := tx.QueryRow(ctx, `-- name: add decision
insert into decisions (lookup_id, decided_by, decided_name, reason, as_of, frozen, sha256) values ($1, $2, $3, $4, $5, $6, $7) returning uid`,
			id, by.UserID, by.Name, clean(n.Reason), n.AsOf, frozen, sum[:]).Scan(&added); err != nil {
			return fmt.Errorf("store the decision note: %w", err)
		}
		if err := notify(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.DecisionNoted, personID: personID, lookupID: id, subject: added.String()})
	})
}

// Seen is what a page shows of a case, with figures as of a date.
func (c Case) Seen(asOf time.Time) decision.Seen {
	var stored []decision.Answer
	for _, t := range c.Entities {
		stored = append(stored, decision.Answer{Entity: t.Entity, Pull: frozenPull("", &t.Pull)})
	}
	var found []lookup.Finding
	if len(c.Attempts) > 0 {
		found = c.Attempts[0].Findings
	}
	var papers []decision.Document
	for _, d := range c.Documents {
		papers = append(papers, decision.Document{ID: d.UID.String(), SHA256: hex.EncodeToString(d.SHA256), Code: d.Code})
	}
	return decision.Seen{Lookup: c.Row, Profile: c.Profile, History: c.History, AsOf: asOf, Others: decision.Others(found, stored), Documents: papers,
		ProfilePull: frozenPull(c.Row.Profile, c.ProfilePull), EmploymentPull: frozenPull(c.Row.Employment, c.EmploymentPull)}
}

func frozenPull(state lookup.PullState, p *Pull) decision.Pull {
	if p == nil {
		return decision.Pull{State: state}
	}
	return decision.Pull{State: state, ID: p.UID.String(), SHA256: hex.EncodeToString(p.SHA256), FetchedAt: p.FetchedAt}
}

// readDecisions gives the decision notes on a lookup, newest first.
func readDecisions(ctx context.Context, tx pgx.Tx, lookupID int64) ([]decision.Note, error) {
	rows, err := tx.Query(ctx, `-- name: decisions
select uid, decided_at, decided_name, reason, as_of, frozen, sha256 from decisions where lookup_id = $1 order by id desc`, lookupID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[decision.Note])
}
