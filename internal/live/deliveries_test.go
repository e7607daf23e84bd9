package live_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// follow makes the hub read made-up deliveries, and counts the reads.
func (b *bench) follow() (reads *atomic.Int64) {
	reads = &atomic.Int64{}
	b.FollowDeliveries("d", func(_ context.Context, ids []int64) (list []webhook.Delivery, err error) {
		reads.Add(1)
		for _, id := range ids {
			list = append(list, webhook.Delivery{ID: id, UID: uidOf(id), Environment: environmentOf(id)})
		}
		return list, nil
	})
	return reads
}

// came waits until a watcher was told of all ids, and gives what it was told of.
func came(t *testing.T, w *live.DeliveryWatcher, ids ...int64) (all []int64) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		if !slices.ContainsFunc(ids, func(id int64) bool { return !slices.Contains(all, id) }) {
			return all
		}
		select {
		case <-w.Wake():
		case <-limit:
			t.Fatalf("told of %v, want %v", all, ids)
		}
		changes, _ := w.Take()
		for _, c := range changes {
			all = append(all, c.Delivery.ID)
		}
	}
}

func (b *bench) notify(payloads ...string) {
	b.t.Helper()
	for _, payload := range payloads {
		if _, err := b.pool.Exec(b.t.Context(), `select pg_notify($1, $2)`, channel, payload); err != nil {
			b.t.Fatal(err)
		}
	}
}

func everything(webhook.Delivery) bool { return true }

// A delivery is read once however many lists watch, and goes to those that want it.
func TestDeliveriesAreReadOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	reads := b.follow()
	b.run()
	var watchers []*live.DeliveryWatcher
	for range 50 {
		w := b.WatchDeliveries(lookup.Sandbox, everything)
		t.Cleanup(w.Close)
		watchers = append(watchers, w)
	}
	choosy := b.WatchDeliveries(lookup.Sandbox, func(d webhook.Delivery) bool { return d.ID == 6 })
	t.Cleanup(choosy.Close)
	b.notify("d2")
	for _, w := range watchers {
		came(t, w, 2)
	}
	if n := reads.Load(); n != 1 {
		t.Errorf("read %d times for %d lists", n, len(watchers))
	}
	b.notify("d3", "d4", "d6") // 3 is of production
	for _, w := range watchers {
		if got := came(t, w, 4, 6); slices.Contains(got, 3) {
			t.Error("a delivery crossed the environments")
		}
	}
	if got := came(t, choosy, 6); !slices.Equal(got, []int64{6}) {
		t.Errorf("a list that wants one was told of %v", got)
	}
	if b.reads.Load() != 0 {
		t.Error("deliveries were taken for lookups")
	}
	// More than is worth telling: everybody looks again. A change is rendered once for all.
	b.notify("d")
	for _, w := range watchers[:2] {
		again := false
		for !again {
			<-w.Wake()
			_, again = w.Take()
		}
	}
	change, renders := &live.DeliveryChange{}, 0
	for range 3 {
		if text, err := change.Render("key", func() (string, error) { renders++; return fmt.Sprint(renders), nil }); err != nil || text != "1" {
			t.Errorf("rendered as %q, %v", text, err)
		}
	}
}

// Nobody watches: nothing is read.
func TestUnwatchedDeliveriesAreNotRead(t *testing.T) {
	t.Parallel()
	b := open(t)
	reads := b.follow()
	b.run()
	last := b.watch(lookup.Sandbox, 8)
	last.start()
	b.notify("d2", "d4", "8") // when 8 came, the others have been heard
	last.next()
	if n := reads.Load(); n != 0 {
		t.Errorf("%d reads for nobody", n)
	}
	last.Close()
	w := b.WatchDeliveries(lookup.Sandbox, everything)
	b.notify("d6")
	came(t, w, 6)
	w.Close()
	if b.Watching() != 0 {
		t.Errorf("%d still watch", b.Watching())
	}
}
