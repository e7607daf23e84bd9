package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// previewRows is how many deliveries a page of a preview goes through: really processed and taken back, so some tenths of
// a second.
const previewRows = 50

func (c *Console) replays(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	list, newer, older, err := c.DB.Replays(r.Context(), v.env, pageOf(r.URL.Query(), listRows))
	if err != nil {
		return failed(err)
	}
	page := views.ReplaysPage{Page: c.page(w, r, "replays", "replays.title"), List: list}
	page.Before, page.After = ends(list, newer, older, func(r webhook.Replay) lookup.Cursor { return lookup.Cursor{At: r.RequestedAt, ID: r.ID} })
	return web.Render(w, r, http.StatusOK, views.Replays(page))
}

// replaySet reads which deliveries are meant: one, or those that the ledger's filter lets through.
func (c *Console) replaySet(r *http.Request, q url.Values) (set webhook.ReplaySet, l ledger, err error) {
	if id, err := uuid.Parse(q.Get("delivery")); err == nil {
		set.Delivery = id
	} else {
		if l, err = c.ledger(r, q); err != nil { // personal data go from the caller's map too
			return set, l, err
		}
		note := unapplied("replays.new.", q, l.values.Query(uuid.Nil), append(views.DeliveryFilterNames(), "delivery"), "up_to", "after")
		if note.Is() && len(l.problems) == 0 {
			l.problems["filter"] = note
		}
	}
	set.Filter = l.filter
	set.UpTo, _ = strconv.ParseInt(q.Get("up_to"), 10, 64)
	return set, l, nil
}

// newReplay counts what a replay would take and shows what it would change, page by page.
func (c *Console) newReplay(w http.ResponseWriter, r *http.Request) error {
	v, ctx := visitOf(r), r.Context()
	query := r.URL.Query()
	set, l, err := c.replaySet(r, query)
	if err != nil {
		return err
	}
	if len(l.problems) > 0 {
		// The page leads back to its own address, from which what may be personal has to go as well.
		r = r.Clone(ctx)
		r.URL.RawQuery = l.values.Query(uuid.Nil).Encode()
	}
	page := views.NewReplayPage{Page: c.page(w, r, "replays", "replays.new.title"), Values: l.values, Delivery: set.Delivery, Errors: l.problems}
	if len(l.problems) > 0 { // a filter that was not applied would choose more than was meant
		return web.Render(w, r, http.StatusUnprocessableEntity, views.NewReplay(page))
	}
	if err := c.searchedBodies(r, l); err != nil {
		return err
	}
	if page.Subscriptions, err = c.DB.Hooks(ctx, v.env); err != nil {
		return failed(err)
	}
	if page.Count, page.Refused, page.UpTo, err = c.DB.CountReplay(ctx, v.env, set, v.printer.Zone(), views.WaitingCap); err != nil {
		return failed(err)
	}
	if set.UpTo > 0 {
		page.UpTo = set.UpTo
	}
	set.UpTo = page.UpTo
	after := cursorOf(query.Get("after")).ID
	if page.Count > 0 && page.Count <= webhook.MostReplayed {
		var more bool
		page.Rows, more, err = c.DB.PreviewReplay(ctx, v.env, set, v.printer.Zone(), after, previewRows, c.Read)
		switch {
		case errors.Is(err, db.ErrBusy):
			page.Busy = true
		case err != nil:
			return failed(err)
		}
		if more {
			last := page.Rows[len(page.Rows)-1]
			page.After = cursorText(lookup.Cursor{At: last.ReceivedAt, ID: last.DeliveryID})
		}
		page.First = after == 0
	}
	return web.Render(w, r, http.StatusOK, views.NewReplay(page))
}

// startReplay begins the replay that the preview was of: up to the newest delivery that was counted.
func (c *Console) startReplay(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	q := url.Values{}
	for _, name := range append(views.DeliveryFilterNames(), "text", "delivery", "up_to") { // no form of ours sends a text: it is refused
		if value := form.Get(name); value != "" {
			q.Set(name, value)
		}
	}
	v := visitOf(r)
	set, l, err := c.replaySet(r, q)
	if err != nil {
		return err
	}
	back := "/replays/new?" + l.values.Query(set.Delivery).Encode()
	if len(l.problems) > 0 {
		return c.flash(w, r, web.FlashError, back, "replays.flash.filter")
	}
	if err := c.searchedBodies(r, l); err != nil { // that nothing was chosen tells what bodies hold
		return err
	}
	uid, err := c.DB.StartReplay(r.Context(), v.env, set, v.printer.Zone(), l.values.Kept(set.Delivery), v.actor)
	switch {
	case errors.Is(err, db.ErrNothingChosen):
		return c.flash(w, r, web.FlashError, back, "replays.flash.nothing")
	case errors.Is(err, db.ErrTooMany):
		return c.flash(w, r, web.FlashError, back, "replays.flash.too_many")
	case err != nil:
		return failed(err)
	}
	return web.Redirect303(w, r, "/replays/"+uid.String())
}

func (c *Console) replay(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	page, err := c.replayPage(r.Context(), c.page(w, r, "replays", "replays.page.title"), id, query)
	if err != nil {
		return failed(err)
	}
	return web.Render(w, r, http.StatusOK, views.Replay(page))
}

// replayPage reads a replay with a page of its results.
func (c *Console) replayPage(ctx context.Context, p views.Page, id uuid.UUID, query url.Values) (page views.ReplayPage, err error) {
	page = views.ReplayPage{Page: p}
	if page.Replay, err = c.DB.Replay(ctx, p.Env, id); err != nil {
		return page, err
	}
	if result := webhook.ReplayResult(query.Get("result")); slices.Contains(webhook.ReplayResults, result) {
		page.Result = result
	}
	if page.Subscriptions, err = c.DB.Hooks(ctx, p.Env); err != nil {
		return page, err
	}
	var newer, older bool
	if page.Rows, newer, older, err = c.DB.Replayed(ctx, page.Replay.ID, page.Result, pageOf(query, listRows)); err != nil {
		return page, err
	}
	page.Before, page.After = ends(page.Rows, newer, older, func(r webhook.Replayed) lookup.Cursor {
		return lookup.Cursor{At: r.ReceivedAt, ID: r.DeliveryID}
	})
	return page, nil
}

// switchReplay pauses, resumes or cancels. Somebody else may have been quicker, or the replay has ended: the page says how
// it stands.
func (c *Console) switchReplay(to webhook.ReplayState) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathID(r)
		if err != nil {
			return err
		}
		v := visitOf(r)
		path := "/replays/" + id.String()
		err = c.DB.SwitchReplay(r.Context(), v.env, id, to, v.actor)
		if errors.Is(err, db.ErrConflict) {
			return c.flash(w, r, web.FlashInfo, path, "replays.flash.already")
		} else if err != nil {
			return failed(err)
		}
		return c.done(w, r, path, "replays.flash."+string(to))
	}
}

// replayPause is how often a page's stream looks at its replay. It moves several times a second, so being told of each step
// would show no more; one row by its key is what a look costs.
const replayPause = 500 * time.Millisecond

// replayLive streams how far a replay has come, and its results when it has ended.
func (c *Console) replayLive(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if _, err := c.DB.Replay(r.Context(), visitOf(r).env, id); err != nil {
		return failed(err)
	}
	page := c.page(w, r, "replays", "replays.page.title")
	query := r.URL.Query()
	return c.streamLooks(w, r, replayPause, func(ctx context.Context) (string, bool, error) {
		page.Now = c.Now()
		at, err := c.replayPage(ctx, page, id, query)
		if err != nil {
			return "", false, err
		}
		text, err := rendered(ctx, views.LiveReplay(at))
		return text, !at.Replay.State.Ended(), err
	})
}
