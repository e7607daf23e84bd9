package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/internal/testdb"
)

const channel = "test_changes"

// bench is a hub over a real database; the lookups it reads are made up from their ids.
type bench struct {
	*live.Hub
	t     *testing.T
	pool  *pgxpool.Pool
	reads atomic.Int64
	slow  chan struct{} // while not nil, each read waits for a signal
	fail  atomic.Bool
}

// uidOf is the public id of a made-up lookup; odd ones are production's.
func uidOf(id int64) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(strconv.FormatInt(id, 10))) }

func environmentOf(id int64) lookup.Environment {
	if id%2 == 1 {
		return lookup.Production
	}
	return lookup.Sandbox
}

func open(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, pool: testdb.New(t)}
	b.Hub = live.New(b.pool, channel, func(ctx context.Context, id int64) (lookup.Row, error) {
		b.reads.Add(1)
		if b.slow != nil {
			select {
			case <-b.slow:
			case <-ctx.Done():
			}
		}
		if b.fail.Load() {
			return lookup.Row{}, fmt.Errorf("cannot read %d", id)
		}
		return lookup.Row{ID: id, UID: uidOf(id), Environment: environmentOf(id)}, ctx.Err()
	}, slog.New(slog.DiscardHandler))
	return b
}

// run starts the hub; the first watcher is told to look again when it listens.
func (b *bench) run() {
	b.t.Helper()
	ready := b.watch(lookup.Sandbox)
	ready.start()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	b.t.Cleanup(func() { cancel(); running.Wait() })
	ready.resynced()
	ready.Close()
	if !b.Up() {
		b.t.Error("listening, and not up")
	}
}

// change announces changes of lookups.
func (b *bench) change(ids ...int64) {
	b.t.Helper()
	for _, id := range ids {
		if _, err := b.pool.Exec(b.t.Context(), `select pg_notify($1, $2)`, channel, strconv.FormatInt(id, 10)); err != nil {
			b.t.Fatal(err)
		}
	}
}

type watcher struct {
	*live.Watcher
	t *testing.T
}

func (b *bench) watch(env lookup.Environment, shown ...int64) watcher {
	i := live.Interest{Environment: env}
	for _, id := range shown {
		i.Shown = append(i.Shown, uidOf(id))
	}
	w := watcher{b.Watch(i), b.t}
	b.t.Cleanup(w.Close)
	return w
}

// start takes the resync that every watch begins with.
func (w watcher) start() {
	w.t.Helper()
	<-w.Wake()
	if changes, resync := w.Take(); !resync || len(changes) > 0 {
		w.t.Errorf("a watch begins with resync=%v and %d changes", resync, len(changes))
	}
}

// next waits for changes and gives their ids.
func (w watcher) next() map[int64]bool {
	w.t.Helper()
	for {
		select {
		case <-w.Wake():
		case <-time.After(20 * time.Second):
			w.t.Fatal("nothing came")
		}
		changes, _ := w.Take()
		ids := map[int64]bool{}
		for _, c := range changes {
			ids[c.Row.ID] = true
		}
		if len(ids) > 0 {
			return ids
		}
	}
}

func (w watcher) resynced() {
	w.t.Helper()
	for {
		select {
		case <-w.Wake():
		case <-time.After(20 * time.Second):
			w.t.Fatal("no resync")
		}
		if _, resync := w.Take(); resync {
			return
		}
	}
}

// quiet wants nothing to have come; the caller has made sure that it would have by now.
func (w watcher) quiet() {
	w.t.Helper()
	if changes, _ := w.Take(); len(changes) > 0 {
		w.t.Errorf("got %d changes that are not shown", len(changes))
	}
}

func TestOnlyWhoShowsItIsTold(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.run()
	two, four, live3 := b.watch(lookup.Sandbox, 2), b.watch(lookup.Sandbox, 4, 6), b.watch(lookup.Production, 3, 2)
	news := watcher{b.Watch(live.Interest{Environment: lookup.Sandbox, News: true}), t}
	for _, w := range []watcher{two, four, live3, news} {
		w.start()
	}
	b.change(2)
	if got := two.next(); !got[2] || len(got) != 1 {
		t.Errorf("told of %v", got)
	}
	if !news.next()[2] || news.Shows(uidOf(2)) || !two.Shows(uidOf(2)) {
		t.Error("a list wants news of what it does not show")
	}
	b.change(3)
	if got := live3.next(); !got[3] || len(got) != 1 {
		t.Errorf("production was told of %v", got)
	}
	b.change(6)
	if got := four.next(); !got[6] || len(got) != 1 {
		t.Errorf("told of %v", got)
	}
	two.quiet() // 2 was offered before 3 and 6 were, so anything wrong had come by now
	live3.quiet()
	if news.next()[3] {
		t.Error("news crossed the environments")
	}
	b.change(0)
	if _, err := b.pool.Exec(t.Context(), `select pg_notify($1, 'no number')`, channel); err != nil {
		t.Fatal(err)
	}
	b.change(2)
	two.next() // nonsense on the channel does no harm
}

// Eight pages on one lookup cost one read and one rendering a change.
func TestOneReadPerChange(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.run()
	var pages [8]watcher
	for i := range pages {
		pages[i] = b.watch(lookup.Sandbox, 2)
		pages[i].start()
	}
	if b.Watching() != 8 {
		t.Errorf("%d watch", b.Watching())
	}
	before := b.reads.Load()
	var rendered atomic.Int64
	b.change(2)
	var looking sync.WaitGroup
	for _, page := range pages {
		looking.Go(func() {
			<-page.Wake()
			changes, _ := page.Take()
			for _, c := range changes {
				for _, key := range []string{"es", "en", "es"} {
					text, err := c.Render(key, func() (string, error) { rendered.Add(1); return "in " + key, nil })
					if text != "in "+key || err != nil {
						t.Errorf("rendered %q, %v", text, err)
					}
				}
			}
		})
	}
	looking.Wait()
	if n := b.reads.Load() - before; n != 1 {
		t.Errorf("%d reads for one change", n)
	}
	if n := rendered.Load(); n != 2 {
		t.Errorf("%d renderings for two languages", n)
	}
}

// A rendering that fails is not kept.
func TestFailedRenderingIsRepeated(t *testing.T) {
	t.Parallel()
	var c live.Change
	if _, err := c.Render("k", func() (string, error) { return "", context.Canceled }); err == nil {
		t.Error("no error")
	}
	if text, err := c.Render("k", func() (string, error) { return "fine", nil }); text != "fine" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// While one read is under way, many changes of one lookup become one, and a page that does not look holds up nobody.
func TestBurstsCoalesce(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.slow = make(chan struct{})
	b.run()
	asleep, awake := b.watch(lookup.Sandbox, 2, 4), b.watch(lookup.Sandbox, 2, 4)
	awake.start() // the other one never looks
	b.change(4)
	b.slow <- struct{}{} // its read is under way or done; the next ones gather
	awake.next()
	for range 50 {
		b.change(2)
	}
	close(b.slow)
	awake.next()
	b.change(4)
	for !awake.next()[4] {
	}
	if n := b.reads.Load(); n > 1+50+1 {
		t.Errorf("%d reads", n)
	}
	changes, resync := asleep.Take()
	if len(changes) != 2 || !resync {
		t.Errorf("a page that slept has %d changes, want the latest of each of two", len(changes))
	}
}

// When the listening connection dies, every page is told to look again, and changes come through as before.
func TestResyncAfterALostConnection(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.run()
	w := b.watch(lookup.Sandbox, 2)
	w.start()
	b.change(2)
	w.next()
	for range 2 {
		if _, err := b.pool.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`); err != nil {
			t.Fatal(err)
		}
		w.resynced()
		b.change(2)
		w.next()
	}
}

// A change that cannot be read makes every page look again instead of missing it.
func TestUnreadableChange(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.run()
	w := b.watch(lookup.Sandbox, 2)
	w.start()
	b.fail.Store(true)
	b.change(2)
	w.resynced()
	b.fail.Store(false)
	b.change(2)
	w.next()
}

func TestClosedWatchersAreForgotten(t *testing.T) {
	t.Parallel()
	b := open(t)
	w := b.watch(lookup.Sandbox, 2)
	w.Close()
	w.Close()
	if n := b.Watching(); n != 0 {
		t.Errorf("%d watch", n)
	}
	if b.Up() {
		t.Error("up before it runs")
	}
}
