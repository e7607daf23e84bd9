package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
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
	if c.Dialect != lookup.Palenca {
		return nil, fmt.Errorf("connection %d speaks %s, which has no client", c.ID, c.Dialect)
	}
	key, err := v.db.ConnectionKey(ctx, c.ID)
	if err != nil {
		return nil, fmt.Errorf("open the connection's key: %w", err)
	}
	left := time.Duration(0) // nothing is lost before the first call
	return palenca.New(palenca.Options{
		BaseURL: c.BaseURL, Environment: c.Environment, Key: key, WidgetID: c.WidgetID, HTTP: v.http,
		Wait: func(ctx context.Context) error {
			if err := v.turn(ctx, c.ID, left); err != nil {
				return err
			}
			left = patience
			if before != nil {
				return before(ctx)
			}
			return nil
		},
		OnLimit: func(reset time.Time) {
			// Losing this hint costs a refused call, which says the same again.
			_ = v.db.HoldCalls(context.WithoutCancel(ctx), c.ID, reset)
		},
	})
}

// turn takes a token, waiting up to patience for it.
func (v *vendor) turn(ctx context.Context, connectionID int64, patience time.Duration) error {
	for {
		wait, err := v.db.TakeToken(ctx, connectionID)
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

// sleepOr turns the reasons to wait into a snooze and pauses the connection when the vendor refused our key. Any other
// error comes back as it is; done tells that err was dealt with.
func (v *vendor) sleepOr(ctx context.Context, connectionID int64, err error) (_ error, done bool) {
	var wait notYet
	if errors.As(err, &wait) {
		return river.JobSnooze(max(wait.wait, 50*time.Millisecond)), true
	}
	var refused *palenca.Error
	if !errors.As(err, &refused) {
		return err, false
	}
	if refused.KeyRefused() {
		// One wrong key would fail every lookup alike: hold them back and tell an administrator instead.
		if err := v.db.PauseConnection(ctx, connectionID, refused.Detail()); err != nil {
			return err, true
		}
		return river.JobSnooze(pauseCheck), true
	}
	if refused.Kind == palenca.WaitUntil {
		if err := v.db.HoldCalls(ctx, connectionID, refused.Until); err != nil {
			return err, true
		}
		return river.JobSnooze(max(time.Until(refused.Until), time.Second)), true
	}
	return err, false
}
