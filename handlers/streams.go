package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"cotejo/db"
	"cotejo/web"
)

// feed sends what a page is to show, until its context ends. It calls caughtUp when the page shows all there is.
type feed func(ctx context.Context, out *web.Stream, caughtUp func()) error

// stream serves the live part of a page for as long as its session lives, its person may see what it shows, and its turn
// lasts. An error makes the browser come back and be shown everything.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, feed feed) error {
	v, session, alive := visitOf(r), string(c.sessions.Hash(r)), c.sessions.Alive(r)
	options := web.StreamOptions{Key: session, Alive: func(ctx context.Context) bool {
		if !alive(ctx) {
			return false
		}
		now, err := c.DB.User(ctx, v.User.ID)
		return err != nil && !errors.Is(err, db.ErrNotFound) || now.Role == v.User.Role && now.Active()
	}}
	return c.Streams.Serve(w, r, options, func(ctx context.Context, out *web.Stream) error {
		ctx, turn := c.turns.take(ctx, session)
		defer turn.release()
		err := feed(ctx, out, turn.caughtUp)
		if ctx.Err() != nil {
			return nil // whatever it was doing, its turn is over
		}
		return err
	})
}

// streamLooks streams a page that looks anew from time to time. look renders it, and tells whether more is to come.
func (c *Console) streamLooks(w http.ResponseWriter, r *http.Request, pause time.Duration, look func(ctx context.Context) (text string, more bool, err error)) error {
	return c.stream(w, r, func(ctx context.Context, out *web.Stream, caughtUp func()) error {
		again := time.NewTicker(pause)
		defer again.Stop()
		for shown, more := "", true; ; {
			if more {
				var text string
				var err error
				if text, more, err = look(ctx); err != nil {
					return err
				}
				if text != shown {
					if err := out.Send("", text); err != nil {
						return err
					}
					shown = text
				}
				caughtUp()
			} else {
				again.Stop() // closing would only make the browser ask again
			}
			select {
			case <-ctx.Done():
				return nil
			case <-again.C:
			}
		}
	})
}

// placesPerSession is how many streams one browser may hold over plain http. It opens six connections to an origin
// (RFC 9112, 9.4 leaves the number to it), pages need some of them, and HTTP/2, where this is no matter, is spoken
// with TLS only.
const placesPerSession = 4

// turns lets any number of a session's pages be live through a few connections. When there are more streams than
// places, the one that has been open longest ends, once its page has caught up: otherwise many pages on a slow machine
// would take each other's places before any was shown anything. Its page comes back by itself after the pause that the
// stream's start told it, and is shown everything again, so it is late by that pause and misses nothing.
type turns struct {
	places int // 0: no limit

	mu   sync.Mutex
	open map[string][]*turn // by session, the longest open first
}

type turn struct {
	of      *turns
	session string
	end     context.CancelFunc
	served  bool // its page has caught up
	over    bool // another stream needs its place
}

// take gives a stream its turn: a context that ends when another stream needs the place.
func (t *turns) take(ctx context.Context, session string) (context.Context, *turn) {
	ctx, end := context.WithCancel(ctx)
	mine := &turn{of: t, session: session, end: end}
	if t.places == 0 {
		return ctx, mine
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[string][]*turn{}
	}
	open := append(t.open[session], mine)
	for len(open) > t.places {
		if open[0].over = true; open[0].served {
			open[0].end()
		}
		open = open[1:]
	}
	t.open[session] = open
	return ctx, mine
}

// caughtUp says that the page shows all there is, so that its turn may end.
func (m *turn) caughtUp() {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	if m.served = true; m.over {
		m.end()
	}
}

// release gives the place back.
func (m *turn) release() {
	m.end()
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	left := slices.DeleteFunc(m.of.open[m.session], func(other *turn) bool { return other == m })
	if len(left) == 0 {
		delete(m.of.open, m.session)
	} else {
		m.of.open[m.session] = left
	}
}
