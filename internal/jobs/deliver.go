package jobs

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
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
	if stored.Dialect != lookup.Palenca {
		return w.db.DeliveryUnreadable(ctx, id)
	}
	event, err := palenca.ParseEvent(stored.Body)
	if errors.Is(err, palenca.ErrUnreadable) {
		return w.db.DeliveryUnreadable(ctx, id)
	} else if err != nil {
		return err
	}
	return w.db.ApplyEvent(ctx, id, event)
}
