package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/seal"
)

type keys = *seal.Ring

// UnlockSecrets reads the data keys that seal secrets at rest, making the first one on a new database. It fails when
// secret is not the key they were wrapped with.
func (db *DB) UnlockSecrets(ctx context.Context, secret seal.SecretKey) error {
	var wrapped [][]byte
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		// Two processes may start at once on a new database: the second one waits and finds the first one's key.
		if _, err := tx.Exec(ctx, `-- name: lock data keys
lock table data_keys in share row exclusive mode`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `-- name: data keys
select wrapped from data_keys order by id`)
		if err != nil {
			return err
		}
		if wrapped, err = pgx.CollectRows(rows, pgx.RowTo[[]byte]); err != nil || len(wrapped) > 0 {
			return err
		}
		first, err := seal.NewDataKey(secret, 1)
		if err != nil {
			return err
		}
		wrapped = [][]byte{first}
		_, err = tx.Exec(ctx, `-- name: add data key
insert into data_keys (wrapped) values ($1)`, first)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the data keys: %w", err)
	}
	db.keys, err = seal.Open(secret, wrapped...)
	return err
}

var errLocked = errors.New("secrets are locked: UnlockSecrets comes first")

// seal encrypts a secret for one purpose, which names the place it is kept in; it opens nowhere else.
func (db *DB) seal(plain []byte, purpose string) ([]byte, error) {
	if db.keys == nil {
		return nil, errLocked
	}
	return db.keys.Seal(plain, purpose), nil
}

func (db *DB) open(sealed []byte, purpose string) ([]byte, error) {
	if db.keys == nil {
		return nil, errLocked
	}
	return db.keys.Open(sealed, purpose)
}
