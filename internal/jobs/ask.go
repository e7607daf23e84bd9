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
	"cotejo/internal/task"
)

// overdueEvery is how often overdue attempts are looked for.
const overdueEvery = time.Minute

type settleOverdue struct {
	river.WorkerDefaults[task.SettleOverdue]
	db  *db.DB
	now func() time.Time
}

// Work hands a question to the queue for each attempt whose final event is overdue, and gives up fetches whose job is gone.
func (w *settleOverdue) Work(ctx context.Context, _ *river.Job[task.SettleOverdue]) error {
	_, err := w.db.QueueOverdue(ctx, w.now())
	_, lost := w.db.GiveUpFetches(ctx)
	return errors.Join(err, lost)
}

type askVendor struct {
	river.WorkerDefaults[task.AskVendor]
	*vendor
	now func() time.Time
}

// Work asks the vendor how an attempt stands of which no final event came. A vendor that does not know it, or cannot be
// reached, has told nothing; only time makes that the end.
func (w *askVendor) Work(ctx context.Context, job *river.Job[task.AskVendor]) error {
	e, err := w.db.Errand(ctx, job.Args.AttemptID)
	if errors.Is(err, db.ErrNotFound) {
		return river.JobCancel(err)
	} else if err != nil || !e.Status.Open() {
		return err // an event came meanwhile
	}
	answer, err := w.ask(ctx, e)
	if err != nil {
		slept, done := w.sleepOr(ctx, e.ConnectionID, e.ConnectionAsOf, err)
		if done {
			return slept
		}
		refused, known := refusalOf(err)
		if !known || !refused.final && job.Attempt < job.MaxAttempts {
			return err
		}
		answer = db.Answer{Code: refused.code}
	}
	_, err = w.db.AnsweredLate(ctx, e.AttemptID, answer, w.now())
	return err
}

// ask puts the question in the connection's dialect. An attempt whose request may never have reached the vendor is looked
// for by our own id first.
func (w *askVendor) ask(ctx context.Context, e db.Errand) (db.Answer, error) {
	if e.SentAt.IsZero() {
		return db.Answer{Code: lookup.CodeNeverSent}, nil
	}
	c, err := w.connection(ctx, e.ConnectionID)
	if err != nil {
		return db.Answer{}, err
	}
	if c.Dialect == lookup.Buro {
		return w.askBuro(ctx, c, e)
	}
	return w.askPalenca(ctx, c, e)
}

// notThere is the vendor's answer about an attempt that it does not have.
var notThere = db.Answer{Code: "not_found"}

func (w *askVendor) askPalenca(ctx context.Context, c connection.Connection, e db.Errand) (db.Answer, error) {
	client, err := w.client(ctx, c, nil)
	if err != nil {
		return db.Answer{}, err
	}
	if e.AccountID == "" {
		account, there, err := client.FindByExternalID(ctx, e.AttemptUID.String())
		if err != nil || !there {
			return notThere, err
		}
		if err := w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: account.ID, UserID: account.UserID, Found: true}); err != nil {
			return db.Answer{}, err
		}
		e.AccountID = account.ID
	}
	shared, err := w.db.SharedAccount(ctx, e.AttemptID)
	if err != nil {
		return db.Answer{}, err
	}
	if shared {
		// The account's own status may be what an earlier attempt came to; only a login that began after this one was sent
		// is its own.
		logins, err := client.Logins(ctx, e.AccountID)
		if err != nil {
			return db.Answer{}, err
		}
		return db.Answer{Report: newestLogin(logins, e.SentAt)}, nil
	}
	account, err := client.Account(ctx, e.AccountID)
	var refused *palenca.Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return notThere, nil
	} else if err != nil {
		return db.Answer{}, fmt.Errorf("ask about attempt %d: %w", e.AttemptID, err)
	}
	return db.Answer{Report: account.Report()}, nil
}

// askBuro asks for the verification, which is of one attempt only.
func (w *askVendor) askBuro(ctx context.Context, c connection.Connection, e db.Errand) (db.Answer, error) {
	client, err := w.buro(ctx, c, nil)
	if err != nil {
		return db.Answer{}, err
	}
	var v buro.Verification
	if e.AccountID == "" {
		there := false
		if v, there, err = client.FindByExternalID(ctx, e.Identifier(), e.AttemptUID.String()); err != nil || !there {
			return notThere, err
		}
		err = w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: v.ID, Found: true})
	} else {
		v, err = client.Verification(ctx, e.AccountID)
	}
	var refused *buro.Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound && refused.Code == "verification_not_found" {
		return notThere, nil
	} else if err != nil {
		return db.Answer{}, fmt.Errorf("ask about attempt %d: %w", e.AttemptID, err)
	}
	return db.Answer{Report: v.Report(), Entities: v.Kinds()}, nil
}

// clocksDiffer is how far the vendor's clock may be behind ours.
const clocksDiffer = time.Minute

// newestLogin gives the report of the newest login since a moment. One without a time cannot be told from an older one.
func newestLogin(logins []palenca.Login, since time.Time) lookup.Report {
	var newest palenca.Login
	for _, l := range logins {
		if l.CreatedAt.After(since.Add(-clocksDiffer)) && l.CreatedAt.After(newest.CreatedAt) {
			newest = l
		}
	}
	if newest.CreatedAt.IsZero() {
		return lookup.Report{}
	}
	return newest.Report()
}
