package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"cotejo/db"
	"cotejo/internal/connection"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/task"
)

type fetchProfile struct {
	river.WorkerDefaults[task.FetchProfile]
	*vendor
}

// Work pulls the profile of an attempt.
func (w *fetchProfile) Work(ctx context.Context, job *river.Job[task.FetchProfile]) error {
	return w.fetch(ctx, lookup.EntityProfile, job.Args.AttemptID, job.Args.EventID, job.JobRow)
}

type fetchEmployment struct {
	river.WorkerDefaults[task.FetchEmployment]
	*vendor
}

// Work pulls the employment history of an attempt. An empty one is an answer, not a fault.
func (w *fetchEmployment) Work(ctx context.Context, job *river.Job[task.FetchEmployment]) error {
	return w.fetch(ctx, lookup.EntityEmployment, job.Args.AttemptID, job.Args.EventID, job.JobRow)
}

type fetchEntity struct {
	river.WorkerDefaults[task.FetchEntity]
	*vendor
}

// Work pulls one of the other kinds of data of an attempt.
func (w *fetchEntity) Work(ctx context.Context, job *river.Job[task.FetchEntity]) error {
	return w.fetch(ctx, lookup.Entity(job.Args.Entity), job.Args.AttemptID, job.Args.EventID, job.JobRow)
}

// lastWord is how long a job may take, past its end, to write down how it ended. It is over before RescueAfter.
const lastWord = 5 * time.Second

// fetch does what all kinds share: find the account, call, sleep when told to, and keep a final failure. A run whose
// process died between our commit and the queue's note of it is run again, and finds its answer stored.
func (v *vendor) fetch(ctx context.Context, kind lookup.Entity, attemptID, eventID int64, run *rivertype.JobRow) error {
	last := run.Attempt >= run.MaxAttempts
	if run.Attempt > 1 {
		if stored, err := v.db.Pulled(ctx, attemptID, eventID, kind, run.CreatedAt); stored || err != nil {
			return err
		}
	}
	e, err := v.db.Errand(ctx, attemptID)
	if errors.Is(err, db.ErrNotFound) {
		return river.JobCancel(err)
	} else if err != nil {
		return err
	}
	pull := db.NewPull{AttemptID: attemptID, EventID: eventID}
	err = func() error {
		c, err := v.connection(ctx, e.ConnectionID)
		if err != nil {
			return err
		}
		if c.Dialect == lookup.Buro {
			return v.fetchBuro(ctx, c, e, kind, &pull, last)
		}
		return v.fetchPalenca(ctx, c, e, kind, &pull)
	}()
	if err == nil {
		return nil
	}
	slept, done := v.sleepOr(ctx, e.ConnectionID, e.ConnectionAsOf, err)
	if done {
		return slept
	}
	if refused, ok := refusalOf(err); ok && (last || refused.final) {
		pull.Code, pull.Documents = refused.code, nil
		// What was given up is kept even when the job's own time is over: that is often why.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWord)
		defer cancel()
		return v.db.PullFailed(ctx, string(kind), pull)
	}
	return err
}

func (v *vendor) fetchPalenca(ctx context.Context, c connection.Connection, e db.Errand, kind lookup.Entity, pull *db.NewPull) error {
	client, err := v.client(ctx, c, nil)
	if err != nil {
		return err
	}
	if kind == lookup.EntityEmployment {
		h, raw, err := client.Employment(ctx, e.AccountID)
		received(pull, raw)
		if err != nil {
			return err
		}
		pull.State = palenca.State(h)
		return v.db.StoreEmployment(ctx, *pull, h, employment.Gist(h))
	}
	// The warning that the vendor keeps with the account, data from a fallback source or a person who never contributed,
	// is told there and nowhere else (docs/vendor.md#warnings).
	state, err := client.Account(ctx, e.AccountID)
	if err != nil {
		return err
	}
	if err := v.db.SetWarning(ctx, e.AttemptID, state.Warning); err != nil {
		return err
	}
	p, raw, err := client.Profile(ctx, e.AccountID)
	received(pull, raw)
	if err != nil {
		return err
	}
	pull.State = lookup.PullComplete
	if p.FullName() == "" && len(p.IDs) == 0 {
		pull.State = lookup.PullEmpty
	}
	return v.db.StoreProfile(ctx, *pull, p)
}

// received keeps the answer as it came, whatever it turns out to say.
func received(pull *db.NewPull, raw palenca.Raw) {
	pull.HTTPStatus, pull.Took, pull.Body, pull.SHA256 = raw.Status, raw.Took, raw.Body, raw.SHA256
}
