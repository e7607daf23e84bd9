package jobs

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

type compareHooks struct {
	river.WorkerDefaults[task.CompareHooks]
	*vendor
}

// Work asks each vendor for its list of webhooks and notes how it has ours. A vendor that does not answer is asked again
// at the next turn; what an unanswered question means is nobody's guess.
func (w *compareHooks) Work(ctx context.Context, _ *river.Job[task.CompareHooks]) error {
	hooks, err := w.db.RegisteredHooks(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for connectionID, ours := range hooks {
		c, err := w.connection(ctx, connectionID)
		if err != nil || c.Dialect != lookup.Palenca {
			continue // paused: its banner says more
		}
		client, err := w.client(ctx, c, nil)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		theirs, err := client.Webhooks(ctx)
		if _, slept := w.sleepOr(ctx, connectionID, err); slept || err != nil {
			continue
		}
		sends := map[string]bool{}
		for _, t := range theirs {
			sends[t.ID] = t.Active
		}
		for _, h := range ours {
			failed = append(failed, w.db.SawHook(ctx, h.UID, h.VendorID, sends[h.VendorID]))
		}
	}
	return errors.Join(failed...)
}
