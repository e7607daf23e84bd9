package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

const userColumns = `u.id, u.uid, u.email, u.name, u.role, u.language, u.zone, u.theme, u.must_change,
       coalesce(u.disabled_at, ` + never + `), coalesce(u.last_sign_in_at, ` + never + `), u.created_at`

func scanUser(row pgx.Row, more ...any) (auth.User, error) {
	var u auth.User
	into := append([]any{&u.ID, &u.UID, &u.Email, &u.Name, &u.Role, &u.Language, &u.Zone, &u.Theme, &u.MustChange,
		&u.DisabledAt, &u.LastSignInAt, &u.CreatedAt}, more...)
	err := row.Scan(into...)
	return u, found(err)
}

// User gives a user by id.
func (db *DB) User(ctx context.Context, id int64) (auth.User, error) {
	return scanUser(db.pool.QueryRow(ctx, `-- name: user by id
select `+userColumns+`
  from users u where u.id = $1`, id))
}

// UserByUID gives a user by public id.
func (db *DB) UserByUID(ctx context.Context, uid uuid.UUID) (auth.User, error) {
	return scanUser(db.pool.QueryRow(ctx, `-- name: user by uid
select `+userColumns+`
  from users u where u.uid = $1`, uid))
}

// UserByEmail gives a user and the hash of the password. The address is compared without case and outer spaces.
func (db *DB) UserByEmail(ctx context.Context, email string) (u auth.User, passwordHash string, err error) {
	u, err = scanUser(db.pool.QueryRow(ctx, `-- name: user by email
select `+userColumns+`, u.password_hash
  from users u where u.email = $1`, CleanEmail(email)), &passwordHash)
	return u, passwordHash, err
}

// PasswordHash gives the hash of a user's password.
func (db *DB) PasswordHash(ctx context.Context, userID int64) (hash string, err error) {
	err = db.pool.QueryRow(ctx, `-- name: password hash
select password_hash from users where id = $1`, userID).Scan(&hash)
	return hash, found(err)
}

// CleanEmail is how addresses are stored and compared.
func CleanEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Users lists every user, active ones first, by name. A console has dozens of them.
func (db *DB) Users(ctx context.Context) ([]auth.User, error) {
	rows, err := db.pool.Query(ctx, `-- name: users
select `+userColumns+`
  from users u order by (u.disabled_at is not null), lower(u.name), u.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.User, error) { return scanUser(row) })
}

// NewUser is a user to add.
type NewUser struct {
	Email, Name  string
	Role         auth.Role
	Language     string
	PasswordHash string
	MustChange   bool
}

// AddUser adds a user. ErrConflict: the address is taken.
func (db *DB) AddUser(ctx context.Context, n NewUser, by audit.Actor) (auth.User, error) {
	var u auth.User
	err := db.inTx(ctx, func(tx pgx.Tx) (err error) {
		u, err = scanUser(tx.QueryRow(ctx, `-- name: add user
insert into users as u (email, name, role, language, password_hash, must_change)
values ($1, $2, $3, $4, $5, $6)
returning `+userColumns, CleanEmail(n.Email), strings.TrimSpace(n.Name), n.Role, n.Language, n.PasswordHash, n.MustChange))
		if violates(err, "users_email") {
			return ErrConflict
		}
		if err != nil {
			return fmt.Errorf("add the user: %w", err)
		}
		return record(ctx, tx, by, note{action: audit.UserAdded, subject: u.UID.String(), detail: string(n.Role)})
	})
	return u, err
}

// FirstAdministrator adds an administrator when there is no user at all, and tells whether it did. mustChange is for a
// password that the operator did not choose.
func (db *DB) FirstAdministrator(ctx context.Context, email, passwordHash string, mustChange bool) (added bool, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		// Two processes may start at once on a new database.
		if _, err := tx.Exec(ctx, `-- name: lock users
lock table users in share row exclusive mode`); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `-- name: first administrator
insert into users (email, name, role, password_hash, must_change)
select $1, 'Administración', 'administrator', $2, $3 where not exists (select 1 from users)`, CleanEmail(email), passwordHash, mustChange)
		if err != nil {
			return fmt.Errorf("add the first administrator: %w", err)
		}
		added = tag.RowsAffected() == 1
		if !added {
			return nil
		}
		return record(ctx, tx, audit.Actor{Name: "cotejo"}, note{action: audit.UserAdded, detail: string(auth.Administrator)})
	})
	return added, err
}

// ErrLastAdministrator refuses a change that would leave nobody who can administer.
var ErrLastAdministrator = fmt.Errorf("%w: the last active administrator", ErrConflict)

// ChangeUser sets a user's name and role.
func (db *DB) ChangeUser(ctx context.Context, uid uuid.UUID, name string, role auth.Role, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if err := keepAnAdministrator(ctx, tx, uid, role != auth.Administrator); err != nil {
			return err
		}
		var id int64
		var before auth.Role
		// Locked by a statement of its own, as a connection's bucket is: keys that refer to the row are checked all the time.
		if err := tx.QueryRow(ctx, `-- name: user to change
select id, role from users where uid = $1 for no key update`, uid).Scan(&id, &before); err != nil {
			return found(err)
		}
		if _, err := tx.Exec(ctx, `-- name: change user
update users set name = $2, role = $3 where id = $1`, id, strings.TrimSpace(name), role); err != nil {
			return err
		}
		// A changed role takes effect at once; sessions keep no copy of it.
		return record(ctx, tx, by, note{action: audit.UserChanged, subject: uid.String(), detail: string(before) + " → " + string(role)})
	})
}

// DisableUser keeps a user from signing in and ends all their sessions.
func (db *DB) DisableUser(ctx context.Context, uid uuid.UUID, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if err := keepAnAdministrator(ctx, tx, uid, true); err != nil {
			return err
		}
		id, err := setDisabled(ctx, tx, uid, true)
		if err != nil {
			return err
		}
		if err := endSessions(ctx, tx, id, nil); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.UserDisabled, subject: uid.String()})
	})
}

// EnableUser lets a disabled user sign in again.
func (db *DB) EnableUser(ctx context.Context, uid uuid.UUID, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := setDisabled(ctx, tx, uid, false); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.UserEnabled, subject: uid.String()})
	})
}

func setDisabled(ctx context.Context, tx pgx.Tx, uid uuid.UUID, disabled bool) (id int64, err error) {
	err = tx.QueryRow(ctx, `-- name: set disabled
update users set disabled_at = case when $2 then coalesce(disabled_at, clock_timestamp()) end where uid = $1 returning id`,
		uid, disabled).Scan(&id)
	return id, found(err)
}

// keepAnAdministrator refuses, when the change takes the role away, if uid is the only active administrator. The locks
// make two administrators who disable each other at once come one after the other. They are "no key" locks, like all of
// ours: plain ones would wait for foreign keys towards these rows, held by whoever waits for the head of the trail.
func keepAnAdministrator(ctx context.Context, tx pgx.Tx, uid uuid.UUID, loses bool) error {
	if !loses {
		return nil
	}
	rows, err := tx.Query(ctx, `-- name: lock administrators
select uid from users where role = 'administrator' and disabled_at is null order by id for no key update`)
	if err != nil {
		return err
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	if len(left) == 1 && left[0] == uid {
		return ErrLastAdministrator
	}
	return nil
}

// ResetPassword sets a password that the user must change at the next sign-in, and ends all their sessions.
func (db *DB) ResetPassword(ctx context.Context, uid uuid.UUID, passwordHash string, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, `-- name: reset password
update users set password_hash = $2, must_change = true where uid = $1 returning id`, uid, passwordHash).Scan(&id)
		if err != nil {
			return found(err)
		}
		if err := endSessions(ctx, tx, id, nil); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.PasswordReset, subject: uid.String()})
	})
}

// ChangePassword sets a user's own password and ends their other sessions; keep is the hash of the one that stays.
func (db *DB) ChangePassword(ctx context.Context, userID int64, passwordHash string, keep []byte, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: change password
update users set password_hash = $2, must_change = false where id = $1`, userID, passwordHash); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, userID, keep); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.PasswordChanged})
	})
}

// ChangeAccount sets a user's own name, language, zone and theme.
func (db *DB) ChangeAccount(ctx context.Context, u auth.User, by audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: change account
update users set name = $2, language = $3, zone = $4, theme = $5 where id = $1`,
			u.ID, strings.TrimSpace(u.Name), u.Language, u.Zone, u.Theme); err != nil {
			return err
		}
		return record(ctx, tx, by, note{action: audit.UserChanged, subject: u.UID.String()})
	})
}

// NobodySignedIn tells that the console is new: nobody has ever signed in.
func (db *DB) NobodySignedIn(ctx context.Context) (fresh bool, err error) {
	err = db.pool.QueryRow(ctx, `-- name: nobody signed in
select not exists (select 1 from users where last_sign_in_at is not null)`).Scan(&fresh)
	return fresh, err
}
