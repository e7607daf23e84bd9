package jobs

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/task"
)

type fetchProfile struct {
	river.WorkerDefaults[task.FetchProfile]
	*vendor
}

// Work pulls the profile of an attempt, and the warning that the vendor keeps with the account: data from a fallback
// source, or a person who never contributed, is told there and nowhere else (docs/vendor.md#warnings).
func (w *fetchProfile) Work(ctx context.Context, job *river.Job[task.FetchProfile]) error {
	last := job.Attempt >= job.MaxAttempts
	return w.fetch(ctx, "profile", job.Args.AttemptID, job.Args.EventID, last, func(ctx context.Context, c *palenca.Client, account string, pull *db.NewPull) error {
		state, err := c.Account(ctx, account)
		if err != nil {
			return err
		}
		if err := w.db.SetWarning(ctx, job.Args.AttemptID, state.Warning); err != nil {
			return err
		}
		p, raw, err := c.Profile(ctx, account)
		received(pull, raw)
		if err != nil {
			return err
		}
		pull.State = lookup.PullComplete
		if p.FullName() == "" && len(p.IDs) == 0 {
			pull.State = lookup.PullEmpty
		}
		return w.db.StoreProfile(ctx, *pull, p)
	})
}

type fetchEmployment struct {
	river.WorkerDefaults[task.FetchEmployment]
	*vendor
}

// Work pulls the employment history of an attempt. An empty one is an answer, not a fault.
func (w *fetchEmployment) Work(ctx context.Context, job *river.Job[task.FetchEmployment]) error {
	last := job.Attempt >= job.MaxAttempts
	return w.fetch(ctx, "employment", job.Args.AttemptID, job.Args.EventID, last, func(ctx context.Context, c *palenca.Client, account string, pull *db.NewPull) error {
		h, raw, err := c.Employment(ctx, account)
		received(pull, raw)
		if err != nil {
			return err
		}
		pull.State = palenca.State(h)
		return w.db.StoreEmployment(ctx, *pull, h, employment.Gist(h))
	})
}

// received keeps the answer as it came, whatever it turns out to say.
func received(pull *db.NewPull, raw palenca.Raw) {
	pull.HTTPStatus, pull.Took, pull.Body, pull.SHA256 = raw.Status, raw.Took, raw.Body, raw.SHA256
}

// fetch does what both kinds share: find the account, call, sleep when told to, and keep a final failure.
func (v *vendor) fetch(ctx context.Context, kind string, attemptID, eventID int64, last bool,
	call func(context.Context, *palenca.Client, string, *db.NewPull) error) error {
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
		client, err := v.client(ctx, c, nil)
		if err != nil {
			return err
		}
		return call(ctx, client, e.AccountID, &pull)
	}()
	if err == nil {
		return nil
	}
	slept, done := v.sleepOr(ctx, e.ConnectionID, err)
	if done {
		return slept
	}
	var refused *palenca.Error
	if errors.As(err, &refused) && (last || refused.Kind == palenca.GiveUp) {
		pull.Code = refused.Code
		return v.db.PullFailed(ctx, kind, pull)
	}
	return err
}
