package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"cotejo/internal/audit"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/internal/vendors"
)

// upkeep makes a client for what is asked of a vendor beside lookups, within the limit that all processes share.
func (v *vendor) upkeep(ctx context.Context, c connection.Connection) (*vendors.Client, error) {
	key, err := v.db.ConnectionKey(ctx, c.ID)
	if err != nil {
		return nil, fmt.Errorf("open the connection's key: %w", err)
	}
	return vendors.New(vendors.Options{Connection: c, Key: key, HTTP: v.http,
		Wait:    func(ctx context.Context) error { return v.turn(ctx, c.ID, patience) },
		OnLimit: func(reset time.Time) { _ = v.db.HoldCalls(context.WithoutCancel(ctx), c.ID, reset) },
	})
}

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
		if err != nil {
			continue // paused: its banner says more
		}
		client, err := w.upkeep(ctx, c)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		theirs, err := client.Hooks(ctx)
		if _, slept := w.sleepOr(ctx, connectionID, c.ChangedAt, err); slept || err != nil {
			continue
		}
		sends := map[string]bool{}
		for _, t := range theirs {
			sends[t.ID] = t.Active
		}
		for _, h := range ours {
			failed = append(failed, w.db.ComparedHook(ctx, h.UID, h.VendorID, sends[h.VendorID]))
		}
	}
	return errors.Join(failed...)
}

// A list of addresses is good for seven days and should be renewed every week (docs/vendor-buro.md#buro-addresses): it is
// asked for a day before, and again every hour while the vendor does not answer.
const outboundAge = 6 * 24 * time.Hour

type refreshOutbound struct {
	river.WorkerDefaults[task.RefreshOutbound]
	*vendor
}

// Work asks for the lists of addresses that are due. What a vendor answers unreadably leaves the list as it was: half an
// allow list would refuse genuine deliveries.
func (w *refreshOutbound) Work(ctx context.Context, _ *river.Job[task.RefreshOutbound]) error {
	due, err := w.db.OutboundDue(ctx, lookup.Buro, outboundAge)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range due {
		c, err := w.connection(ctx, id)
		if err != nil {
			continue
		}
		client, err := w.upkeep(ctx, c)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		list, err := client.Outbound(ctx)
		if _, slept := w.sleepOr(ctx, id, c.ChangedAt, err); slept || err != nil {
			continue // the next hour asks again
		}
		failed = append(failed, w.db.SetOutbound(ctx, id, list, audit.Actor{Name: "cotejo"}))
	}
	return errors.Join(failed...)
}
