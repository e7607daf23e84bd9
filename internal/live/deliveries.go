package live

import (
	"context"
	"slices"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// FollowDeliveries makes the hub tell of deliveries too: of notifications that begin with prefix. read gives deliveries
// with their bodies. It is called before Run.
func (h *Hub) FollowDeliveries(prefix string, read func(ctx context.Context, ids []int64) ([]webhook.Delivery, error)) {
	h.prefix, h.readDeliveries = prefix, read
}

// DeliveryChange is one delivery, new or changed, as it now is.
type DeliveryChange struct {
	Delivery webhook.Delivery
	Rendering
}

// DeliveryWatcher is one open list of deliveries.
type DeliveryWatcher struct {
	hub   *Hub
	env   lookup.Environment
	wants func(webhook.Delivery) bool
	*inbox[*DeliveryChange]
}

// WatchDeliveries opens a watch on the deliveries of an environment for which wants holds; it is asked by the hub, so it
// must be quick. The watch starts with everything to be looked at.
func (h *Hub) WatchDeliveries(env lookup.Environment, wants func(webhook.Delivery) bool) *DeliveryWatcher {
	w := &DeliveryWatcher{hub: h, env: env, wants: wants, inbox: newInbox[*DeliveryChange]()}
	h.mu.Lock()
	h.deliveries[w] = struct{}{}
	h.mu.Unlock()
	return w
}

// Close ends the watch.
func (w *DeliveryWatcher) Close() {
	w.hub.mu.Lock()
	delete(w.hub.deliveries, w)
	w.hub.mu.Unlock()
}

func (h *Hub) deliveryWatchers() []*DeliveryWatcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*DeliveryWatcher, 0, len(h.deliveries))
	for w := range h.deliveries {
		list = append(list, w)
	}
	return list
}

func (h *Hub) resyncDeliveries() {
	for _, w := range h.deliveryWatchers() {
		w.lookAgain()
	}
}

// publishDeliveries reads what changed, all that came together in one query, and hands it to the lists that want it.
func (h *Hub) publishDeliveries(ctx context.Context, changes *pending) {
	for {
		ids, ok := changes.take(ctx)
		if !ok {
			return
		}
		watchers := h.deliveryWatchers()
		if len(watchers) == 0 {
			continue
		}
		if slices.Contains(ids, 0) {
			h.resyncDeliveries()
			continue
		}
		list, err := h.readDeliveries(ctx, ids)
		if err != nil {
			if ctx.Err() == nil {
				h.log.Warn("read changed deliveries", "count", len(ids), "error", err)
				h.resyncDeliveries()
			}
			continue
		}
		for _, d := range list {
			change := &DeliveryChange{Delivery: d}
			for _, w := range watchers {
				if w.env == d.Environment && w.wants(d) {
					w.put(d.ID, change)
				}
			}
		}
	}
}
