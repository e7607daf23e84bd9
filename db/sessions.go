package db

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
)

// Session is a browser's session as stored: the id itself is never here, only its SHA-256.
type Session struct {
	Hash      []byte
	Data      []byte
	UserID    int64 // 0 before sign-in
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	IP        string
	UserAgent string
}

const deleteSession = `-- name: delete session
delete from sessions where hash = $1`

// LoadSession gives the unexpired session under hash, or ErrNotFound. A session of a disabled user is not found.
func (db *DB) LoadSession(ctx context.Context, hash []byte) (Session, error) {
	const query = `-- name: load session
select s.hash, s.data, coalesce(s.user_id, 0), s.created_at, s.seen_at, s.expires_at, s.ip, s.user_agent
  from sessions s left join users u on u.id = s.user_id
 where s.hash = $1 and s.expires_at > clock_timestamp() and u.disabled_at is null`
	var s Session
	err := db.pool.QueryRow(ctx, query, hash).
		Scan(&s.Hash, &s.Data, &s.UserID, &s.CreatedAt, &s.SeenAt, &s.ExpiresAt, &s.IP, &s.UserAgent)
	return s, found(err)
}

// EndedSession gives the user of a session whose time is over, while its row is there; ErrNotFound also when the user was
// disabled, or the session still lives. One that was signed out of leaves no row.
func (db *DB) EndedSession(ctx context.Context, hash []byte) (userID int64, err error) {
	err = db.pool.QueryRow(ctx, `-- name: ended session
select u.id from sessions s join users u on u.id = s.user_id
 where s.hash = $1 and s.expires_at <= clock_timestamp() and u.disabled_at is null`, hash).Scan(&userID)
	return userID, found(err)
}

func typedPurpose(userID int64) string { return "typed." + strconv.FormatInt(userID, 10) }

// SealTyped seals what a user sent after their session had ended, for the page on which they sign in again. It is stored nowhere.
func (db *DB) SealTyped(plain []byte, userID int64) ([]byte, error) {
	return db.seal(plain, typedPurpose(userID))
}

// OpenTyped opens what SealTyped sealed for the same user, and nothing else.
func (db *DB) OpenTyped(sealed []byte, userID int64) ([]byte, error) {
	return db.open(sealed, typedPurpose(userID))
}

// ReplaceSession adds s and ends the session under old (nil: none), at once: a sign-in gets a new id, and the one that
// was there before it dies.
func (db *DB) ReplaceSession(ctx context.Context, old []byte, s Session) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, deleteSession, old); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: add session
insert into sessions (hash, data, user_id, created_at, seen_at, expires_at, ip, user_agent)
values ($1, $2, nullif($3, 0), $4, $5, $6, $7, $8)`,
			s.Hash, s.Data, s.UserID, s.CreatedAt, s.SeenAt, s.ExpiresAt, s.IP, clean(s.UserAgent))
		return err
	})
}

// SaveSession sets the data and the times of a session that is still there, else it gives ErrNotFound: a request that was
// under way while the session ended must not bring it back.
func (db *DB) SaveSession(ctx context.Context, s Session) error {
	tag, err := db.pool.Exec(ctx, `-- name: save session
update sessions set data = $2, seen_at = $3, expires_at = $4 where hash = $1`, s.Hash, s.Data, s.SeenAt, s.ExpiresAt)
	return oneRow(tag, err)
}

// TouchSession sets the times alone, so that a slow page cannot undo a change of the data. ErrNotFound as SaveSession.
func (db *DB) TouchSession(ctx context.Context, hash []byte, seenAt, expiresAt time.Time) error {
	tag, err := db.pool.Exec(ctx, `-- name: touch session
update sessions set seen_at = $2, expires_at = $3 where hash = $1`, hash, seenAt, expiresAt)
	return oneRow(tag, err)
}

// DeleteSession ends the session under hash. Ending one that is not there is no error.
func (db *DB) DeleteSession(ctx context.Context, hash []byte) error {
	_, err := db.pool.Exec(ctx, deleteSession, hash)
	return err
}

// endSessions ends a user's sessions, except the one under keep (nil: all).
func endSessions(ctx context.Context, tx pgx.Tx, userID int64, keep []byte) error {
	_, err := tx.Exec(ctx, `-- name: end sessions of user
delete from sessions where user_id = $1 and hash is distinct from $2`, userID, keep)
	return err
}

// The pauses after failed sign-ins: as many failures within the window as are free make the next try wait until the
// oldest of them has left it.
const (
	freeTries     = 5
	failureWindow = 15 * time.Minute
)

// SignInWait tells how long a sign-in has to wait because of failures for the account or from the address, and how
// many tries remain before a pause. Both are counted for all processes together.
func (db *DB) SignInWait(ctx context.Context, email, ip string) (wait time.Duration, left int, err error) {
	const query = `-- name: count sign-in failures
select count(*), coalesce(extract(epoch from clock_timestamp() - min(failed_at)), 0)::float8
  from (select failed_at from sign_in_failures where key = $1 and failed_at > clock_timestamp() - $2::interval
         order by failed_at desc limit $3) newest`
	left = freeTries
	for _, k := range failureKeys(email, ip) {
		var failures int
		var oldest float64
		if err := db.pool.QueryRow(ctx, query, k.hash, failureWindow, k.free).Scan(&failures, &oldest); err != nil {
			return 0, 0, fmt.Errorf("count failed sign-ins: %w", err)
		}
		if failures >= k.free {
			wait = max(wait, failureWindow-time.Duration(oldest*float64(time.Second)))
		}
		left = min(left, max(k.free-failures, 0))
	}
	return wait, left, nil
}

type failureKey struct {
	hash []byte
	free int
}

// failureKeys: a few tries for one account, more for one address, behind which a whole branch may sit. A network of IPv6 (/64) counts
// as one address: its subscriber changes the rest at will.
func failureKeys(email, ip string) []failureKey {
	if addr, err := netip.ParseAddr(ip); err == nil && addr.Is6() && !addr.Is4In6() {
		network, _ := addr.Prefix(64)
		ip = network.String()
	}
	account := sha256.Sum256([]byte("account " + CleanEmail(email)))
	address := sha256.Sum256([]byte("address " + ip))
	return []failureKey{{account[:], freeTries}, {address[:], 10 * freeTries}}
}

// SignInFailed counts a failed sign-in and writes it to the trail. The address typed is not recorded: people type
// passwords there.
func (db *DB) SignInFailed(ctx context.Context, email string, userID int64, who audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		for _, k := range failureKeys(email, who.IP) {
			if _, err := tx.Exec(ctx, `-- name: add sign-in failure
insert into sign_in_failures (key) values ($1)`, k.hash); err != nil {
				return err
			}
		}
		if userID == 0 {
			return nil
		}
		who.UserID = userID
		return record(ctx, tx, who, note{action: audit.SignInFailed})
	})
}

// SignedIn notes a sign-in and forgets the account's failures.
func (db *DB) SignedIn(ctx context.Context, email string, who audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: forget sign-in failures
delete from sign_in_failures where key = $1`, failureKeys(email, who.IP)[0].hash); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `-- name: note sign-in
update users set last_sign_in_at = clock_timestamp() where id = $1`, who.UserID); err != nil {
			return err
		}
		return record(ctx, tx, who, note{action: audit.SignIn})
	})
}

// SignedOut writes a sign-out to the trail and ends the session.
func (db *DB) SignedOut(ctx context.Context, hash []byte, who audit.Actor) error {
	return db.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, deleteSession, hash); err != nil {
			return err
		}
		return record(ctx, tx, who, note{action: audit.SignOut})
	})
}
