package handlers

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/employment"
	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// person shows everything known of a person. That it was looked at is on the trail, each stretch of the history too.
func (c *Console) person(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	found, err := c.DB.ViewPerson(r.Context(), v.env, id, v.actor)
	if err != nil {
		return failed(err)
	}
	return c.showPerson(w, r, found, nil)
}

func (c *Console) showPerson(w http.ResponseWriter, r *http.Request, p db.Person, revealed map[string]string) error {
	page, err := c.personPage(r.Context(), c.page(w, r, "lookups", "person.title"), p, pageOf(r.URL.Query(), listRows))
	if err != nil {
		return failed(err)
	}
	page.Revealed = revealed
	return web.Render(w, r, http.StatusOK, views.Person(page))
}

// personPage puts the page of a person together, with a stretch of their history.
func (c *Console) personPage(ctx context.Context, in views.Page, p db.Person, stretch lookup.Page) (views.PersonPage, error) {
	page := views.PersonPage{Page: in, UID: p.UID, CURP: p.CURP, RFC: p.RFC, Name: p.Name, NSS: p.NSS,
		Lookups: p.Lookups, More: p.More, Compared: compared(p.Sources)}
	for _, s := range p.Sources {
		page.Sources = append(page.Sources, personSource(s))
	}
	list, newer, older, err := c.DB.PersonHistory(ctx, in.Env, p.UID, stretch)
	if err != nil {
		return page, err
	}
	for _, h := range list {
		page.History = append(page.History, happening(in.User, h))
	}
	page.Before, page.After = ends(list, newer, older, func(h db.Happening) lookup.Cursor { return lookup.Cursor{At: h.At, ID: h.Key} })
	return page, nil
}

// personLive streams the page of a person: whatever changes with any lookup of theirs, new ones too, shows its parts again.
// That it was looked at is on the trail, whether or not the page was open.
func (c *Console) personLive(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	stretch := pageOf(r.URL.Query(), listRows)
	page := c.page(w, r, "lookups", "")
	first, err := c.DB.FollowPerson(r.Context(), v.env, id, v.actor)
	if err != nil {
		return failed(err)
	}
	numbers := first.NSS
	watcher := c.Hub.Watch(live.Interest{Environment: v.env, News: true})
	defer watcher.Close()
	return c.stream(w, r, func(ctx context.Context, out *web.Stream, caughtUp func()) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-watcher.Wake():
			}
			changes, again := watcher.Take()
			if !again && !slices.ContainsFunc(changes, func(c *live.Change) bool { return c.Row.PersonUID == id }) {
				continue
			}
			found, err := c.DB.WatchPerson(ctx, v.env, id)
			if err != nil {
				return err
			}
			page.Now = c.Now()
			shown, err := c.personPage(ctx, page, found, stretch)
			if err != nil {
				return err
			}
			text, err := rendered(ctx, views.LivePerson(shown, found.NSS != numbers))
			if err != nil {
				return err
			}
			if err := out.Send("", text); err != nil {
				return err
			}
			numbers = found.NSS
			caughtUp()
		}
	})
}

var happeningKinds = map[db.HappeningKind]views.HappeningKind{
	db.HappenedLookup: views.HappenedLookup, db.HappenedAttempt: views.HappenedAttempt, db.HappenedOutcome: views.HappenedOutcome,
	db.HappenedPull: views.HappenedPull, db.HappenedDelivery: views.HappenedDelivery, db.HappenedConsent: views.HappenedConsent,
	db.HappenedAct: views.HappenedAct, db.HappenedNote: views.HappenedNote, db.HappenedExport: views.HappenedExport,
}

// happening is a line of the history as a reader may see it. That data left, with whom and why, is for whoever sees the person;
// a receipt tells of the rest of its file too, and is for those who may open it.
func happening(reader auth.User, h db.Happening) views.Happening {
	line := views.Happening{At: h.At, Kind: happeningKinds[h.Kind], Who: h.Who, Word: h.Word, Text: h.Text,
		LookupUID: h.LookupUID, Dialect: h.Dialect, Platform: h.Platform}
	switch act := audit.Action(h.Word); {
	case h.Kind == db.HappenedDelivery:
		line.Delivery = h.Subject
	case h.Kind == db.HappenedExport, h.Kind == db.HappenedAct && (act == audit.LookupExported || act == audit.ReportTaken):
		line.Text, line.Reason = "", h.Text
		if h.WhoID == reader.ID || reader.Role.May(auth.PowerOversee) {
			line.Receipt = h.Subject
		}
	}
	return line
}

func personSource(c db.Case) views.PersonSource {
	s := views.PersonSource{Row: c.Row, Profile: c.Profile, Employment: c.History}
	if c.EmploymentPull != nil {
		s.EmploymentAt, s.Digest = c.EmploymentPull.FetchedAt, hex.EncodeToString(c.EmploymentPull.SHA256)
	}
	return s
}

// compared pairs what Palenca said of one institution with what Buró says of the same. Two institutions are not compared:
// that they differ is no contradiction.
func compared(sources []db.Case) []views.SourcePair {
	var pairs []views.SourcePair
	for _, a := range sources {
		for _, b := range sources {
			if a.Dialect != lookup.Palenca || b.Dialect != lookup.Buro || a.History == nil || b.History == nil {
				continue
			}
			pairs = append(pairs, views.SourcePair{A: a.Row, B: b.Row, Records: len(a.History.Records),
				Changes: employment.BetweenSources(*a.History, string(a.Platform), *b.History)})
		}
	}
	return pairs
}

// revealPerson shows a full identifier once, as on the page of a lookup.
func (c *Console) revealPerson(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	field, action, err := revealing(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	value, err := c.DB.RevealPerson(r.Context(), v.env, id, action, v.actor)
	if err != nil {
		return failed(err)
	}
	if web.IsPartial(r) {
		return web.Render(w, r, http.StatusOK, views.Revealed(c.page(w, r, "lookups", ""), value))
	}
	found, err := c.DB.WatchPerson(r.Context(), v.env, id)
	if err != nil {
		return failed(err)
	}
	return c.showPerson(w, r, found, map[string]string{field: value})
}
