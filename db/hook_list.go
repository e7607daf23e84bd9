package db

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// RegisteredHook is a live subscription as the vendor knows it.
type RegisteredHook struct {
	UID      uuid.UUID
	VendorID string
}

// RegisteredHooks lists the live subscriptions that a vendor was told of, by connection.
func (db *DB) RegisteredHooks(ctx context.Context) (map[int64][]RegisteredHook, error) {
	rows, err := db.pool.Query(ctx, `-- name: registered hooks
select connection_id, uid, vendor_id from subscriptions where active and deleted_at is null and vendor_id <> '' order by id`)
	if err != nil {
		return nil, err
	}
	hooks := map[int64][]RegisteredHook{}
	var connectionID int64
	var h RegisteredHook
	_, err = pgx.ForEachRow(rows, []any{&connectionID, &h.UID, &h.VendorID}, func() error {
		hooks[connectionID] = append(hooks[connectionID], h)
		return nil
	})
	return hooks, err
}
