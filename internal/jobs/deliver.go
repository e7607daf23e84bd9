package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/task"
)

type processDelivery struct {
	river.WorkerDefaults[task.ProcessDelivery]
	db *db.DB
}

// Work reads the event in a stored delivery and gives it its effect. A body that cannot be read is a fact to keep, not
// a failure to repeat.
func (w *processDelivery) Work(ctx context.Context, job *river.Job[task.ProcessDelivery]) error {
	id := job.Args.DeliveryID
	stored, err := w.db.DeliveryBody(ctx, id)
	if errors.Is(err, db.ErrNotFound) {
		return river.JobCancel(err)
	} else if err != nil || stored.Processed {
		return err
	}
	if event, ok := ReadEvent(stored.Dialect, stored.Body); ok {
		err = w.db.ApplyEvent(ctx, id, event)
	} else {
		err = w.db.DeliveryUnreadable(ctx, id)
	}
	if err != nil {
		// Beside the job's own record, which goes when the queue is tidied. When the database is what failed, this does too.
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), faultTime)
		defer cancel()
		_ = w.db.DeliveryFailed(noting, id, err)
	}
	return err
}

// faultTime is how long a failed run may take to say so on its delivery.
const faultTime = 5 * time.Second
