package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
)

// vendor is how workers reach the vendor: by the connection of an attempt, within the limit all processes share.
type vendor struct {
	db   *db.DB
	http *http.Client
}

// notYet ends a call before it is made: no token is left, or the vendor told us to wait. The job sleeps and holds no slot.
type notYet struct{ wait time.Duration }

func (e notYet) Error() string { return "no call allowed yet" }

// pauseCheck is how often a job looks whether a paused connection was resumed.
const pauseCheck = 30 * time.Second

// patience is how long a job that has made one call waits in its slot for the next. Giving up between two pages of one
// answer would throw the calls already made away, and the next run would need them all again.
const patience = 10 * time.Second

// client makes a client for one run of a job. before, when not nil, runs when a call is allowed, right before it is made.
func (v *vendor) client(ctx context.Context, c connection.Connection, before func(context.Context) error) (*palenca.Client, error) {
	key, err := v.key(ctx, c, lookup.Palenca)
	if err != nil {
		return nil, err
	}
	return palenca.New(palenca.Options{BaseURL: c.BaseURL, Environment: c.Environment, Key: key, WidgetID: c.WidgetID, HTTP: v.http,
		Wait: v.wait(c, before), OnLimit: v.hold(ctx, c)})
}

// buro is client for the other dialect.
func (v *vendor) buro(ctx context.Context, c connection.Connection, before func(context.Context) error) (*buro.Client, error) {
	key, err := v.key(ctx, c, lookup.Buro)
	if err != nil {
		return nil, err
	}
	return buro.New(buro.Options{BaseURL: c.BaseURL, Environment: c.Environment, Key: key, SandboxHeader: c.SandboxHeader, HTTP: v.http,
		Wait: v.wait(c, before), OnLimit: v.hold(ctx, c)})
}

func (v *vendor) key(ctx context.Context, c connection.Connection, speaks lookup.Dialect) (string, error) {
	if c.Dialect != speaks {
		return "", fmt.Errorf("connection %d speaks %s and not %s", c.ID, c.Dialect, speaks)
	}
	key, err := v.db.ConnectionKey(ctx, c.ID)
	if err != nil {
		return "", fmt.Errorf("open the connection's key: %w", err)
	}
	return key, nil
}

// wait gives each call of a run its turn within the limit that all processes share.
func (v *vendor) wait(c connection.Connection, before func(context.Context) error) func(context.Context) error {
	left := time.Duration(0) // nothing is lost before the first call
	return func(ctx context.Context) error {
		if err := v.turn(ctx, c.ID, left); err != nil {
			return err
		}
		left = patience
		if before != nil {
			return before(ctx)
		}
		return nil
	}
}

// hold keeps all processes from calling when the vendor's window is used up. Losing this hint costs a refused call,
// which says the same again.
func (v *vendor) hold(ctx context.Context, c connection.Connection) func(time.Time) {
	return func(reset time.Time) { _ = v.db.HoldCalls(context.WithoutCancel(ctx), c.ID, reset) }
}

// turn takes a token, waiting up to patience for it.
func (v *vendor) turn(ctx context.Context, connectionID int64, patience time.Duration) error {
	for {
		take := v.db.TakeToken
		if yields(ctx) {
			take = v.db.TakeSpareToken
		}
		wait, err := take(ctx, connectionID)
		if err != nil || wait <= 0 {
			return err
		}
		if patience -= wait; patience < 0 {
			return notYet{wait}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// connection gives the connection of an attempt, or the reason to sleep while it is paused.
func (v *vendor) connection(ctx context.Context, id int64) (connection.Connection, error) {
	c, err := v.db.ConnectionByID(ctx, id)
	if err == nil && c.Paused() {
		err = notYet{pauseCheck}
	}
	return c, err
}

// refusal is what jobs act upon of a vendor's error, in either dialect.
type refusal struct {
	code       string // for a pull that failed
	detail     string // for an attempt that ended
	final      bool   // the same call will not work
	ambiguous  bool   // the vendor may have acted on it all the same
	keyRefused bool
	until      time.Time // not before; zero when the vendor did not ask for it
}

// refusalOf reads a vendor's error; ok is false for faults of ours.
func refusalOf(err error) (r refusal, ok bool) {
	var ofPalenca *palenca.Error
	var ofBuro *buro.Error
	switch {
	case errors.As(err, &ofPalenca):
		r = refusal{code: ofPalenca.Code, detail: ofPalenca.Detail(), final: ofPalenca.Kind == palenca.GiveUp, ambiguous: ofPalenca.Ambiguous,
			keyRefused: ofPalenca.KeyRefused()}
		if ofPalenca.Kind == palenca.WaitUntil {
			r.until = ofPalenca.Until
		}
		return r, true
	case errors.As(err, &ofBuro):
		r = refusal{code: ofBuro.Code, detail: ofBuro.Detail(), final: ofBuro.Kind == buro.GiveUp, ambiguous: ofBuro.Ambiguous,
			keyRefused: ofBuro.KeyRefused()}
		if ofBuro.Kind == buro.WaitUntil {
			r.until = ofBuro.Until
		}
		if ofBuro.Daily() {
			// One person's limit: nobody else waits for it, and asking again today is never tried
			// (docs/vendor-buro.md#buro-limits).
			r.final, r.until = true, time.Time{}
		}
		return r, true
	}
	return r, false
}

// sleepOr turns the reasons to wait into a snooze and pauses the connection when the vendor refused our key. Any other
// error comes back as it is; done tells that err was dealt with. asOf is when the connection had last been changed, as read before
// its key was.
func (v *vendor) sleepOr(ctx context.Context, connectionID int64, asOf time.Time, err error) (_ error, done bool) {
	var wait notYet
	if errors.As(err, &wait) {
		return river.JobSnooze(max(wait.wait, 50*time.Millisecond)), true
	}
	refused, ok := refusalOf(err)
	if !ok {
		return err, false
	}
	if refused.keyRefused {
		// One wrong key would fail every lookup alike: hold them back and tell an administrator instead.
		if err := v.db.PauseConnection(ctx, connectionID, refused.detail, asOf); err != nil {
			return err, true
		}
		return river.JobSnooze(pauseCheck), true
	}
	if !refused.until.IsZero() {
		if err := v.db.HoldCalls(ctx, connectionID, refused.until); err != nil {
			return err, true
		}
		return river.JobSnooze(max(time.Until(refused.until), time.Second)), true
	}
	return err, false
}
