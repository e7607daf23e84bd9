package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/task"
)

// A run of a replay's job goes through batches for a while and then lets the next run go on: a job may not take longer than
// JobTimeout, and a process that stops waits for the batch under way only.
const (
	replayBatch = 100 // deliveries in one transaction: some tenths of a second
	replayTurn  = 10 * time.Second
)

type runReplay struct {
	river.WorkerDefaults[task.RunReplay]
	db *db.DB
}

// Work gives deliveries their turn until all had theirs, somebody pauses or cancels, or the run's own turn is over.
func (w *runReplay) Work(ctx context.Context, job *river.Job[task.RunReplay]) error {
	for began := time.Now(); time.Since(began) < replayTurn; {
		more, err := w.db.ReplayBatch(ctx, job.Args.ReplayID, replayBatch, ReadEvent)
		if errors.Is(err, db.ErrNotFound) {
			return river.JobCancel(err)
		} else if err != nil || !more {
			return err
		}
	}
	return river.JobSnooze(0)
}
