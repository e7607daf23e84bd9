package handlers

import (
	"context"
	"slices"
	"sync"
)

// placesPerSession is how many streams one browser may hold over plain http. It opens six connections to an origin
// (RFC 9112, 9.4 leaves the number to it), pages need some of them, and HTTP/2, where this is no matter, is spoken
// with TLS only.
const placesPerSession = 4

// turns lets any number of a session's pages be live through a few connections. When there are more streams than
// places, the one that has been open longest ends. Its page comes back by itself after the pause that the stream's
// start told it, and is shown everything again, so it is late by that pause and misses nothing.
type turns struct {
	places int // 0: no limit

	mu   sync.Mutex
	open map[string][]*turn // by session, the longest open first
}

type turn struct{ end context.CancelFunc }

// take gives a stream its turn: a context that ends when another stream needs the place. release gives the place back.
func (t *turns) take(ctx context.Context, session string) (_ context.Context, release func()) {
	ctx, end := context.WithCancel(ctx)
	if t.places == 0 {
		return ctx, end
	}
	mine := &turn{end: end}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[string][]*turn{}
	}
	open := append(t.open[session], mine)
	for len(open) > t.places {
		open[0].end()
		open = open[1:]
	}
	t.open[session] = open
	return ctx, func() {
		end()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.open[session] = slices.DeleteFunc(t.open[session], func(other *turn) bool { return other == mine })
		if len(t.open[session]) == 0 {
			delete(t.open, session)
		}
	}
}
