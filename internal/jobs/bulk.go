package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"cotejo/db"
	"cotejo/internal/task"
)

// A bulk keeps few jobs open and feeds more as those end: thousands of them, each waking for every call that is allowed,
// would keep the database busy and everybody else's lookup behind them.
const (
	bulkOpen  = 12                     // lookups of one bulk that wait for a call to the vendor
	bulkTurn  = 3 * time.Second        // of one run of its job: a process that stops waits for it
	bulkLook  = 100 * time.Millisecond // how often it looks for room while calls go out fast
	bulkSleep = time.Second            // and how long it sleeps when none came for a while
	bulkStill = 20                     // looks without room, after which it sleeps
)

type runBulk struct {
	river.WorkerDefaults[task.RunBulk]
	db *db.DB
}

// Work hands out rows, each in a transaction of its own, until all had their turn, somebody pauses or cancels, or the run's
// own turn is over.
func (w *runBulk) Work(ctx context.Context, job *river.Job[task.RunBulk]) error {
	looks := time.NewTicker(bulkLook)
	defer looks.Stop()
	still := 0
	for began := time.Now(); time.Since(began) < bulkTurn; {
		room, going, err := w.db.BulkRoom(ctx, job.Args.BulkID, bulkOpen)
		switch {
		case errors.Is(err, db.ErrNotFound):
			return river.JobCancel(err)
		case err != nil || !going:
			return err
		case room > 0:
			still = 0
		case still == bulkStill:
			return river.JobSnooze(bulkSleep)
		default:
			still++
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-looks.C:
			}
		}
		for range room {
			more, err := w.db.HandOut(ctx, job.Args.BulkID, time.Now())
			if err != nil || !more {
				return err
			}
		}
	}
	return river.JobSnooze(0)
}

// yielding marks runs of jobs that are not the most urgent: their calls leave some of the limit to those that are. River
// takes jobs by priority, but those that woke together run together, and only one of them gets the next call.
type yielding struct{ river.MiddlewareDefaults }

type yieldKey struct{}

// Work satisfies rivertype.WorkerMiddleware.
func (*yielding) Work(ctx context.Context, job *rivertype.JobRow, do func(context.Context) error) error {
	if job.Priority > task.PrioritySingle {
		ctx = context.WithValue(ctx, yieldKey{}, true)
	}
	return do(ctx)
}

// yields tells whether the run's calls leave some of the limit to others.
func yields(ctx context.Context) bool { return ctx.Value(yieldKey{}) != nil }
