package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// VendorConsent is a consent of ours as a vendor recorded it.
type VendorConsent struct {
	ID        int64
	VendorID  string
	ExpiresAt time.Time // by the vendor's word
}

// LiveVendorConsent gives the newest consent that the vendor of an errand's connection holds of its person and would
// still take, or ErrNotFound.
func (db *DB) LiveVendorConsent(ctx context.Context, e Errand) (VendorConsent, error) {
	var c VendorConsent
	err := db.pool.QueryRow(ctx, `-- name: live vendor consent
select id, vendor_id, expires_at from vendor_consents
 where connection_id = $1 and person_id = $2 and ended_at is null and expires_at > clock_timestamp() order by id desc limit 1`,
		e.ConnectionID, e.PersonID).Scan(&c.ID, &c.VendorID, &c.ExpiresAt)
	return c, found(err)
}

// VendorConsented stores that the vendor recorded the consent of an errand.
func (db *DB) VendorConsented(ctx context.Context, e Errand, vendorID, noticeURL string, expiresAt time.Time, took time.Duration) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: add vendor consent
insert into vendor_consents (environment, connection_id, person_id, consent_id, vendor_id, notice_url, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)`,
			e.Environment, e.ConnectionID, e.PersonID, e.Consent.ID, clip(vendorID), clean(noticeURL), expiresAt); err != nil {
			return fmt.Errorf("store the vendor's consent: %w", err)
		}
		return addMoment(ctx, tx, e.AttemptID, moment{kind: lookup.MomentConsented, took: took})
	})
}

// VendorConsentEnded stores that the vendor no longer knows what it held of an errand's person.
func (db *DB) VendorConsentEnded(ctx context.Context, e Errand) error {
	_, err := db.pool.Exec(ctx, `-- name: end vendor consents
update vendor_consents set ended_at = clock_timestamp() where connection_id = $1 and person_id = $2 and ended_at is null`,
		e.ConnectionID, e.PersonID)
	return err
}
