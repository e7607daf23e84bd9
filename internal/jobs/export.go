package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/internal/export"
	"cotejo/internal/receipt"
	"cotejo/internal/task"
)

// An export reads from one snapshot, so it cannot be made in turns as a bulk is. It has a time of its own instead, and tells
// by itself that it is alive (db.ResumeExports): the queue would notice a dead process only at the end of that time.
const (
	exportTime   = 2 * time.Hour
	resumeEvery  = time.Minute
	exportAtOnce = 2
)

type makeExport struct {
	river.WorkerDefaults[task.MakeExport]
	db *db.DB
}

// Timeout replaces JobTimeout.
func (*makeExport) Timeout(*river.Job[task.MakeExport]) time.Duration { return exportTime }

// Work makes the whole file. A run that a stopping process ends does not count as a try.
func (w *makeExport) Work(ctx context.Context, job *river.Job[task.MakeExport]) error {
	id := job.Args.ExportID
	err := w.db.RunExport(ctx, id, export.Write)
	switch cause := context.Cause(ctx); {
	case err == nil, errors.Is(err, db.ErrStopped):
		return nil
	case errors.Is(err, db.ErrGrown):
		return w.db.DropExport(ctx, id, receipt.Grown)
	case errors.Is(cause, river.ErrJobCancelledRemotely):
		return errors.Join(err, w.db.DropExport(context.WithoutCancel(ctx), id, receipt.Cancelled))
	case errors.Is(cause, context.Canceled):
		return river.JobSnooze(time.Second)
	case job.Attempt >= job.MaxAttempts:
		return errors.Join(err, w.db.DropExport(context.WithoutCancel(ctx), id, receipt.Failed))
	}
	return err
}

type resumeExports struct {
	river.WorkerDefaults[task.ResumeExports]
	db *db.DB
}

// Work begins exports again whose process died.
func (w *resumeExports) Work(ctx context.Context, _ *river.Job[task.ResumeExports]) error {
	_, err := w.db.ResumeExports(ctx)
	return err
}
