package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/task"
)

type createAccount struct {
	river.WorkerDefaults[task.CreateAccount]
	*vendor
}

// Work asks the vendor for one attempt. The vendor knows no idempotency, so the attempt is marked as sent before the
// call; a run that finds the mark of an earlier one looks for the account at the vendor before it asks again.
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
	if slept, done := w.sleepOr(ctx, e.ConnectionID, err); done {
		if sure(err) {
			return errors.Join(w.db.Unsend(ctx, e.AttemptID), slept)
		}
		return slept
	}
	return w.settle(ctx, job, e, err)
}

func (w *createAccount) ask(ctx context.Context, e db.Errand) error {
	c, err := w.connection(ctx, e.ConnectionID)
	if err != nil {
		return err
	}
	external := e.AttemptUID.String()
	// One client for the whole run: having looked, it waits for its turn to ask instead of going back to sleep and
	// looking again, which under a used-up limit would go on for ever.
	var began time.Time
	asking := false
	client, err := w.client(ctx, c, func(ctx context.Context) error {
		if !asking {
			return nil
		}
		began = time.Now()
		_, err := w.db.MarkSent(ctx, e.AttemptID)
		return err
	})
	if err != nil {
		return err
	}
	if !e.SentAt.IsZero() {
		account, ok, err := client.FindByExternalID(ctx, external)
		if err != nil {
			return fmt.Errorf("look for attempt %d at the vendor: %w", e.AttemptID, err)
		}
		if ok {
			return w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: account.ID, UserID: account.UserID, Found: true})
		}
	}
	asking = true
	account, err := client.CreateAccount(ctx, e.CURP, e.Platform, external)
	if err != nil {
		return err
	}
	return w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: account.ID, UserID: account.UserID, Took: time.Since(began)})
}

// sure tells that the vendor certainly did not act on a call that failed with err.
func sure(err error) bool {
	var refused *palenca.Error
	return errors.As(err, &refused) && !refused.Ambiguous
}

// settle ends the attempt when the vendor's refusal is final or the tries are used up; else the queue runs it again.
func (w *createAccount) settle(ctx context.Context, job *river.Job[task.CreateAccount], e db.Errand, err error) error {
	var refused *palenca.Error
	if !errors.As(err, &refused) {
		return err // a fault of ours; the queue tries again
	}
	if refused.Kind == palenca.GiveUp && !refused.Ambiguous {
		return w.db.AttemptRefused(ctx, e.AttemptID, refused.Detail())
	}
	if job.Attempt >= job.MaxAttempts {
		return w.db.AttemptRefused(ctx, e.AttemptID, lookup.CodeUnavailable)
	}
	if sure(err) {
		return errors.Join(w.db.Unsend(ctx, e.AttemptID), err)
	}
	return err
}
