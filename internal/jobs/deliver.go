package jobs

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/buro"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
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
	event, err := readEvent(stored)
	if errors.Is(err, palenca.ErrUnreadable) || errors.Is(err, buro.ErrUnreadable) {
		return w.db.DeliveryUnreadable(ctx, id)
	} else if err != nil {
		return err
	}
	return w.db.ApplyEvent(ctx, id, event)
}

func readEvent(stored db.StoredBody) (webhook.Event, error) {
	if stored.Dialect == lookup.Buro {
		e, _, err := buro.ParseEvent(stored.Body)
		return e, err
	}
	return palenca.ParseEvent(stored.Body)
}
