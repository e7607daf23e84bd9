package handlers

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// maxShown is how many lookups one page can watch; no page of ours shows more.
const maxShown = 200

// listPause is how long changes are gathered before a filtered list asks which of them it would show: what a storm of them
// costs does not depend on how many they are.
const listPause = time.Second

// lookupsLive streams the changes of what a page shows: rows of a list, or one case. Each event is a partial that
// htmx puts in the row's place. A stream starts by showing everything again, so that a browser that slept or lost its
// connection needs no log of events to catch up.
func (c *Console) lookupsLive(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	query := r.URL.Query()
	var shown []uuid.UUID
	for text := range strings.SplitSeq(query.Get("ids"), ",") {
		if id, err := uuid.Parse(text); err == nil && len(shown) < maxShown {
			shown = append(shown, id)
		}
	}
	page := c.page(w, r, "lookups", "")
	since, err := time.Parse(time.RFC3339Nano, query.Get("since"))
	list := query.Get("view") == "list"
	s := &liveStream{console: c, page: page, env: v.env, shown: shown, since: since, asOf: chosenDay(query.Get("as_of"), c.Now()), fresh: map[uuid.UUID]bool{},
		actor: v.actor, seen: map[uuid.UUID]bool{}}
	values, filter := lookupFilter(query)
	s.filter, s.waiting = filter, views.News{Path: values.Path(), Listed: filter != lookup.Filter{}}
	if s.waiting.Listed {
		s.waiting.Count = -1 // what the page was told before this stream may hold no more
	}
	s.whole = query.Get("last") == "all"
	s.last, _ = uuid.Parse(query.Get("last")) // none: the page is not the list's first
	news := list && err == nil
	watcher := c.Hub.Watch(live.Interest{Environment: v.env, Shown: shown, News: news})
	defer watcher.Close()
	show := s.showCase
	if list {
		show = s.showRow
	}
	return c.stream(w, r, func(ctx context.Context, out *web.Stream, caughtUp func()) error {
		var due <-chan time.Time // when the list's own conditions are asked again
		for {
			asked := false
			select {
			case <-ctx.Done():
				return nil
			case <-watcher.Wake():
			case <-due:
				due, asked = nil, true
			}
			// The page's clock moves on with each look, for relative times.
			s.page.Now = c.Now()
			changes, resync := watcher.Take()
			if resync {
				rows, err := c.DB.LookupRows(ctx, v.env, shown)
				if err != nil {
					return err // the browser reconnects and is shown everything
				}
				for _, row := range rows {
					if err := show(ctx, out, &live.Change{Row: row}, false); err != nil {
						return err
					}
				}
				if news {
					if err := s.catchUp(ctx, out, watcher); err != nil {
						return err
					}
				}
			}
			for _, change := range changes {
				if !watcher.Shows(change.Row.UID) {
					if s.filter != (lookup.Filter{}) {
						// Whether the list would show it, its own query tells; it is asked once for what comes together.
						if due == nil && !asked {
							due = time.After(listPause)
						}
					} else if err := s.showNews(ctx, out, change.Row); err != nil {
						return err
					}
				} else if err := show(ctx, out, change, true); err != nil {
					return err
				}
			}
			if asked {
				if err := s.catchUp(ctx, out, watcher); err != nil {
					return err
				}
			}
			caughtUp()
		}
	})
}

// liveStream is one page's view of the changes.
type liveStream struct {
	console *Console
	page    views.Page
	env     lookup.Environment
	shown   []uuid.UUID
	since   time.Time // when the page was rendered
	asOf    time.Time // of the figures of a case; zero: today
	fresh   map[uuid.UUID]bool
	actor   audit.Actor
	seen    map[uuid.UUID]bool // cases that the actor has been shown
	filter  lookup.Filter      // of a list: what it would show is what is announced
	last    uuid.UUID          // at the end of a list's first page, where there are others
	whole   bool               // the list's only page
	waiting views.News         // as last told
}

// key holds all that a rendering depends on beside the lookup itself.
func (s *liveStream) key(view string) string {
	return strings.Join([]string{view, string(s.env), string(s.page.User.Role), s.page.P.Lang(), s.page.P.Zone().String()}, "|")
}

func (s *liveStream) showRow(ctx context.Context, out *web.Stream, change *live.Change, fresh bool) error {
	view := "row"
	if fresh {
		view = "fresh row"
	}
	text, err := change.Render(s.key(view), func() (string, error) {
		return rendered(ctx, views.LiveRow(s.page, change.Row, fresh))
	})
	if err != nil {
		return err
	}
	return out.Send("", text)
}

func (s *liveStream) showCase(ctx context.Context, out *web.Stream, change *live.Change, _ bool) error {
	// A case names its reader, below a decision and on paper.
	view := "case|" + s.asOf.Format(time.DateOnly) + "|" + strconv.FormatInt(s.page.User.ID, 10)
	text, err := change.Render(s.key(view), func() (string, error) {
		found, err := s.follow(ctx, change.Row.UID)
		if err != nil {
			return "", err
		}
		deliveries, err := s.console.DB.DeliveriesOf(ctx, found.ID)
		if err != nil {
			return "", err
		}
		shown := casePage(s.page, found, deliveries)
		shown.Desk.AsOf = s.asOf
		return rendered(ctx, views.LiveCase(shown))
	})
	if err != nil {
		return err
	}
	return out.Send("", text)
}

// follow reads a case, the first time in a way that its being seen is on the trail: an address of a stream can be asked
// for without a page.
func (s *liveStream) follow(ctx context.Context, id uuid.UUID) (db.Case, error) {
	if s.seen[id] {
		return s.console.DB.WatchLookup(ctx, s.env, id)
	}
	found, err := s.console.DB.FollowLookup(ctx, s.env, id, s.actor)
	if err == nil {
		s.seen[id] = true
	}
	return found, err
}

// catchUp counts the lookups that stand above the list, or within its first page, and are not on it.
func (s *liveStream) catchUp(ctx context.Context, out *web.Stream, watcher *live.Watcher) error {
	ids, err := s.above(ctx)
	if err != nil {
		return err
	}
	if s.waiting.Listed {
		clear(s.fresh) // what came to fit a filter may have left again
	}
	for _, uid := range ids {
		if !watcher.Shows(uid) {
			s.fresh[uid] = true
		}
	}
	return s.sendNews(ctx, out)
}

// above gives what pressing the news would show above the end of the page. A lookup asked for long ago may come to fit a
// filter now; on its further pages a list cannot tell such a one from those that stood before it, and counts what was
// asked for since.
func (s *liveStream) above(ctx context.Context) ([]uuid.UUID, error) {
	if s.waiting.Listed && (s.whole || s.last != uuid.Nil) {
		return s.console.DB.ListedAbove(ctx, s.env, s.filter, s.last, len(s.shown)+views.WaitingCap, s.page.P.Zone())
	}
	return s.console.DB.RequestedSince(ctx, s.env, s.filter, s.since, views.WaitingCap, s.page.P.Zone())
}

// showNews counts lookups that came after the page, without moving what is being read.
func (s *liveStream) showNews(ctx context.Context, out *web.Stream, row lookup.Row) error {
	if row.RequestedAt.After(s.since) {
		s.fresh[row.UID] = true
	}
	return s.sendNews(ctx, out)
}

// sendNews tells the count where it is another than was told.
func (s *liveStream) sendNews(ctx context.Context, out *web.Stream) error {
	n := min(len(s.fresh), views.WaitingCap)
	if n == s.waiting.Count {
		return nil
	}
	s.waiting.Count = n
	text, err := rendered(ctx, views.LiveNews(s.page, s.waiting))
	if err != nil {
		return err
	}
	return out.Send("", text)
}

func rendered(ctx context.Context, component templ.Component) (string, error) {
	var out bytes.Buffer
	err := component.Render(ctx, &out)
	return out.String(), err
}
