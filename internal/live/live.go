// Package live tells open pages that a lookup changed. One connection LISTENs; each change is read once, however many
// watch, and goes only to the watchers that show it. After a dropped connection every watcher is told to look again.
package live

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// Hub fans changes out to watchers.
type Hub struct {
	pool    *pgxpool.Pool
	channel string
	read    func(ctx context.Context, id int64) (lookup.Row, error)
	log     *slog.Logger

	// Where deliveries are followed too: what begins the payload of one, and how they are read.
	prefix         string
	readDeliveries func(ctx context.Context, ids []int64) ([]webhook.Delivery, error)

	mu         sync.Mutex
	watchers   map[*Watcher]struct{}
	deliveries map[*DeliveryWatcher]struct{}
	up         atomic.Bool
}

// New makes a hub for a notification channel whose payload is a lookup's internal id; read gives that lookup.
func New(pool *pgxpool.Pool, channel string, read func(context.Context, int64) (lookup.Row, error), log *slog.Logger) *Hub {
	return &Hub{pool: pool, channel: channel, read: read, log: log, watchers: map[*Watcher]struct{}{}, deliveries: map[*DeliveryWatcher]struct{}{}}
}

// Up tells whether the hub is listening right now.
func (h *Hub) Up() bool { return h.up.Load() }

// Watching is how many streams are open.
func (h *Hub) Watching() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers) + len(h.deliveries)
}

// Run listens until ctx ends, reconnecting after each fault.
func (h *Hub) Run(ctx context.Context) {
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		err := h.listen(ctx)
		h.up.Store(false)
		if ctx.Err() != nil {
			return
		}
		h.log.Warn("live updates interrupted", "error", err)
		if time.Since(began) > time.Minute {
			pause = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, 5*time.Second)
		}
	}
}

// listen takes a connection out of the pool for good: one that has LISTENed must not go back. It listens first and
// then has every watcher catch up, so that no change falls between the two.
func (h *Hub) listen(ctx context.Context) error {
	pooled, err := h.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen "+pgx.Identifier{h.channel}.Sanitize()); err != nil {
		return err
	}
	h.up.Store(true)
	h.resync()

	changes, deliveries := newPending(), newPending()
	ctx, cancel := context.WithCancel(ctx)
	var publishing sync.WaitGroup
	publishing.Go(func() { h.publish(ctx, changes) })
	publishing.Go(func() { h.publishDeliveries(ctx, deliveries) })
	defer func() { cancel(); publishing.Wait() }()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if of, is := strings.CutPrefix(n.Payload, h.prefix); is && h.readDeliveries != nil {
			id, _ := strconv.ParseInt(of, 10, 64) // none: everything is looked at again
			deliveries.add(id)
		} else if id, err := strconv.ParseInt(n.Payload, 10, 64); err == nil {
			changes.add(id)
		}
	}
}

// publish reads each changed lookup and hands it to the watchers that show it. A burst of changes of one lookup
// becomes one read.
func (h *Hub) publish(ctx context.Context, changes *pending) {
	for {
		ids, ok := changes.take(ctx)
		if !ok {
			return
		}
		for _, id := range ids {
			if h.Watching() == 0 {
				continue
			}
			row, err := h.read(ctx, id)
			if err != nil {
				if ctx.Err() == nil {
					h.log.Warn("read a changed lookup", "lookup", id, "error", err)
					h.resync()
				}
				continue
			}
			change := &Change{Row: row}
			for _, w := range h.list() {
				w.offer(change)
			}
		}
	}
}

func (h *Hub) resync() {
	for _, w := range h.list() {
		w.lookAgain()
	}
	h.resyncDeliveries()
}

func (h *Hub) list() []*Watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Watcher, 0, len(h.watchers))
	for w := range h.watchers {
		list = append(list, w)
	}
	return list
}

// Change is one changed lookup as it now is.
type Change struct {
	Row lookup.Row
	Rendering
}

// Interest is what a page shows.
type Interest struct {
	Environment lookup.Environment
	Shown       []uuid.UUID // lookups on the page
	News        bool        // also told of lookups that are not on it
}

// Watcher is one open page.
type Watcher struct {
	hub   *Hub
	env   lookup.Environment
	shown map[uuid.UUID]bool
	news  bool

	*inbox[*Change]
}

// Watch opens a watch. It starts with Resync set, so that what changed while the page travelled is shown too.
func (h *Hub) Watch(i Interest) *Watcher {
	w := &Watcher{hub: h, env: i.Environment, news: i.News, shown: map[uuid.UUID]bool{}, inbox: newInbox[*Change]()}
	for _, id := range i.Shown {
		w.shown[id] = true
	}
	h.mu.Lock()
	h.watchers[w] = struct{}{}
	h.mu.Unlock()
	return w
}

// Close ends the watch.
func (w *Watcher) Close() {
	w.hub.mu.Lock()
	delete(w.hub.watchers, w)
	w.hub.mu.Unlock()
}

// Shows tells whether the lookup is on the page.
func (w *Watcher) Shows(id uuid.UUID) bool { return w.shown[id] }

// offer never blocks: a slow page gets the latest state of each lookup, once.
func (w *Watcher) offer(c *Change) {
	if c.Row.Environment != w.env || (!w.news && !w.shown[c.Row.UID]) {
		return
	}
	w.put(c.Row.ID, c)
}

// pending gathers ids of changed lookups, each once, in order.
type pending struct {
	mu   sync.Mutex
	ids  []int64
	in   map[int64]bool
	some chan struct{}
}

func newPending() *pending { return &pending{in: map[int64]bool{}, some: make(chan struct{}, 1)} }

func (p *pending) add(id int64) {
	p.mu.Lock()
	if !p.in[id] {
		p.in[id] = true
		p.ids = append(p.ids, id)
	}
	p.mu.Unlock()
	select {
	case p.some <- struct{}{}:
	default:
	}
}

func (p *pending) take(ctx context.Context) ([]int64, bool) {
	select {
	case <-ctx.Done():
		return nil, false
	case <-p.some:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := p.ids
	p.ids, p.in = nil, map[int64]bool{}
	return ids, true
}
