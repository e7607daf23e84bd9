package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// maxCaughtUp is how many new deliveries a stream sends when it opens; beyond, the reader loads the page again.
const maxCaughtUp = 200

// deliveriesLive streams the deliveries that the list's filter lets through, new ones and those of the page that changed.
// Each event is a row; whether it goes on top of the list or is only counted is for the page to say, which knows what is
// being read. A stream starts by showing everything again, so that no log of events is needed to catch up.
func (c *Console) deliveriesLive(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	query := r.URL.Query()
	l, err := c.ledger(r, query)
	if err != nil {
		return err
	}
	if len(l.problems) > 0 {
		return web.NotFound(nil) // the page that opens a stream has none
	}
	if l.filter.Text != "" {
		if err := c.DB.FollowedBodies(r.Context(), l.values.Search, v.actor); err != nil {
			return failed(err)
		}
	}
	s := &deliveryStream{console: c, page: c.page(w, r, "deliveries", ""), env: v.env, filter: l.filter, zone: v.printer.Zone(),
		since: cursorOf(query.Get("since")), shown: map[uuid.UUID]bool{}}
	for text := range strings.SplitSeq(query.Get("ids"), ",") {
		if id, err := uuid.Parse(text); err == nil && len(s.shown) < maxShown {
			s.shown[id] = true
		}
	}
	watcher := c.Hub.WatchDeliveries(v.env, s.wants)
	defer watcher.Close()
	return c.stream(w, r, func(ctx context.Context, out *web.Stream, caughtUp func()) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-watcher.Wake():
			}
			s.page.Now = c.Now()
			changes, resync := watcher.Take()
			if resync {
				if err := s.catchUp(ctx, out); err != nil {
					return err
				}
			}
			for _, change := range changes {
				if err := s.send(ctx, out, change); err != nil {
					return err
				}
			}
			caughtUp()
		}
	})
}

// deliveryStream is one list's view of the deliveries.
type deliveryStream struct {
	console *Console
	page    views.Page
	env     lookup.Environment
	filter  webhook.Filter
	zone    *time.Location
	since   lookup.Cursor // the newest row of the page
	shown   map[uuid.UUID]bool
}

// wants tells whether the list shows a delivery: one that is on the page stays there, whatever it has become.
func (s *deliveryStream) wants(d webhook.Delivery) bool {
	if s.shown[d.UID] {
		return true
	}
	newer := d.ReceivedAt.Compare(s.since.At)
	return (newer > 0 || newer == 0 && d.ID > s.since.ID) && s.filter.Match(d, s.zone)
}

// catchUp sends the rows of the page as they now are, and those that came above them.
func (s *deliveryStream) catchUp(ctx context.Context, out *web.Stream) error {
	uids := make([]uuid.UUID, 0, len(s.shown))
	for uid := range s.shown {
		uids = append(uids, uid)
	}
	rows, err := s.console.DB.DeliveryRows(ctx, s.env, uids)
	if err != nil {
		return err // the browser reconnects and is shown everything
	}
	if s.since != (lookup.Cursor{}) {
		fresh, _, _, err := s.console.DB.Deliveries(ctx, s.env, s.filter, lookup.Page{Before: s.since, Limit: maxCaughtUp}, s.zone)
		if err != nil {
			return err
		}
		rows = append(rows, fresh...)
	}
	for _, d := range rows {
		if err := s.send(ctx, out, &live.DeliveryChange{Delivery: d}); err != nil {
			return err
		}
	}
	return nil
}

func (s *deliveryStream) send(ctx context.Context, out *web.Stream, change *live.DeliveryChange) error {
	key := strings.Join([]string{string(s.env), string(s.page.User.Role), s.page.P.Lang(), s.page.P.Zone().String()}, "|")
	text, err := change.Render(key, func() (string, error) {
		return rendered(ctx, views.DeliveryRow(s.page, change.Delivery))
	})
	if err != nil {
		return err
	}
	return out.Send("delivery", text)
}
