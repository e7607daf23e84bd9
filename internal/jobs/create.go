package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

type createAccount struct {
	river.WorkerDefaults[task.CreateAccount]
	*vendor
}

// Work asks the vendor for one attempt. The vendor knows no idempotency, so the attempt is marked as sent before the
// call; a run that finds the mark of an earlier one looks for what that one may have made before it asks again.
func (w *createAccount) Work(ctx context.Context, job *river.Job[task.CreateAccount]) error {
	e, err := w.db.Errand(ctx, job.Args.AttemptID)
	if errors.Is(err, db.ErrNotFound) {
		return river.JobCancel(err)
	} else if err != nil {
		return err
	}
	if e.AccountID != "" || e.Status != lookup.Queued {
		return nil // an earlier run, or an event that overtook it, did the work
	}
	err = w.ask(ctx, e)
	if err == nil {
		return nil
	}
	if slept, done := w.sleepOr(ctx, e.ConnectionID, e.ConnectionAsOf, err); done {
		if sure(err) {
			return errors.Join(w.db.Unsend(ctx, e.AttemptID), slept)
		}
		return slept
	}
	return w.settle(ctx, job, e, err)
}

// ask asks the vendor in its dialect.
func (w *createAccount) ask(ctx context.Context, e db.Errand) error {
	c, err := w.connection(ctx, e.ConnectionID)
	if err != nil {
		return err
	}
	if c.Dialect == lookup.Buro {
		return w.verify(ctx, c, e)
	}
	return w.login(ctx, c, e)
}

// creation marks the attempt as sent right before the call that creates, and times it. One client serves the whole run:
// having looked, it waits for its turn to ask instead of going back to sleep and looking again, which under a used-up
// limit would go on for ever.
type creation struct {
	db        *db.DB
	attemptID int64
	now       bool // the next call creates
	began     time.Time
}

func (c *creation) before(ctx context.Context) error {
	if !c.now {
		return nil
	}
	c.began = time.Now()
	_, err := c.db.MarkSent(ctx, c.attemptID)
	return err
}

// login asks Palenca for an account.
func (w *createAccount) login(ctx context.Context, c connection.Connection, e db.Errand) error {
	external := e.AttemptUID.String()
	making := &creation{db: w.db, attemptID: e.AttemptID}
	client, err := w.client(ctx, c, making.before)
	if err != nil {
		return err
	}
	if !e.SentAt.IsZero() {
		account, ok, err := client.FindByExternalID(ctx, external)
		if err != nil {
			return unsure{fmt.Errorf("look for attempt %d at the vendor: %w", e.AttemptID, err)}
		}
		if ok {
			return w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: account.ID, UserID: account.UserID, Found: true})
		}
	}
	making.now = true
	account, err := client.CreateAccount(ctx, e.CURP, e.Platform, external)
	if err != nil {
		return err
	}
	return w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: account.ID, UserID: account.UserID, Took: time.Since(making.began)})
}

// unsure is a failed search for what an earlier run may have created: whatever the vendor said to it, that run's call is
// as open as before.
type unsure struct{ error }

// Unwrap gives the search's own error.
func (u unsure) Unwrap() error { return u.error }

// sure tells that the vendor certainly did not act on a call that failed with err.
func sure(err error) bool {
	var search unsure
	if errors.As(err, &search) {
		return false
	}
	refused, ok := refusalOf(err)
	return ok && !refused.ambiguous
}

// aside is a failed call beside the one that creates: whatever became of it, it asked the vendor for nothing.
type aside struct{ error }

// Unwrap gives the call's own error.
func (a aside) Unwrap() error { return a.error }

// open tells that the vendor may hold, and bill, what the attempt asked for, although err ended the run.
func open(err error) bool {
	var search unsure
	if errors.As(err, &search) {
		return true
	}
	var beside aside
	if errors.As(err, &beside) {
		return false
	}
	refused, ok := refusalOf(err)
	return ok && refused.ambiguous
}

// settle ends the attempt when the vendor's refusal is final or the tries are used up; else the queue runs it again. What the
// vendor may hold is never told as refused, which would invite to ask for it, and to be billed, once more: it stays
// sent and open, and when it is overdue the vendor is asked for it by our id.
func (w *createAccount) settle(ctx context.Context, job *river.Job[task.CreateAccount], e db.Errand, err error) error {
	if errors.Is(err, errConsentIncomplete) {
		return w.db.AttemptRefused(ctx, e.AttemptID, lookup.CodeConsentIncomplete)
	}
	refused, ok := refusalOf(err)
	if !ok {
		return err // a fault of ours; the queue tries again
	}
	if open(err) {
		if job.Attempt >= job.MaxAttempts {
			return nil // it stays sent and open, and the vendor is asked what became of it (ask.go)
		}
		return err
	}
	if refused.final && !refused.ambiguous {
		return w.db.AttemptRefused(ctx, e.AttemptID, refused.detail)
	}
	if job.Attempt >= job.MaxAttempts {
		return w.db.AttemptRefused(ctx, e.AttemptID, lookup.CodeUnavailable)
	}
	if sure(err) {
		return errors.Join(w.db.Unsend(ctx, e.AttemptID), err)
	}
	return err
}
