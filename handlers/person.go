package handlers

import (
	"encoding/hex"
	"net/http"

	"cotejo/db"
	"cotejo/internal/employment"
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
	page := views.PersonPage{Page: c.page(w, r, "lookups", "person.title"), UID: p.UID, CURP: p.CURP, RFC: p.RFC, Name: p.Name, NSS: p.NSS,
		Revealed: revealed, Lookups: p.Lookups, More: p.More, Compared: compared(p.Sources)}
	for _, s := range p.Sources {
		page.Sources = append(page.Sources, personSource(s))
	}
	list, newer, older, err := c.DB.PersonHistory(r.Context(), visitOf(r).env, p.UID, pageOf(r.URL.Query(), listRows))
	if err != nil {
		return failed(err)
	}
	for _, h := range list {
		page.History = append(page.History, views.Happening{At: h.At, Kind: happeningKinds[h.Kind], Who: h.Who, Word: h.Word, Text: h.Text,
			LookupUID: h.LookupUID, Dialect: h.Dialect, Platform: h.Platform, Subject: h.Subject})
	}
	if newer && len(list) > 0 {
		page.Before = cursorText(lookup.Cursor{At: list[0].At, ID: list[0].Key})
	}
	if older && len(list) > 0 {
		last := list[len(list)-1]
		page.After = cursorText(lookup.Cursor{At: last.At, ID: last.Key})
	}
	return web.Render(w, r, http.StatusOK, views.Person(page))
}

var happeningKinds = map[db.HappeningKind]views.HappeningKind{
	db.HappenedLookup: views.HappenedLookup, db.HappenedAttempt: views.HappenedAttempt, db.HappenedOutcome: views.HappenedOutcome,
	db.HappenedPull: views.HappenedPull, db.HappenedDelivery: views.HappenedDelivery, db.HappenedConsent: views.HappenedConsent,
	db.HappenedAct: views.HappenedAct, db.HappenedNote: views.HappenedNote,
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
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	field := form.Get("field")
	action, known := secrets[field]
	if !known {
		return web.BadRequest("errors.bad.field")
	}
	v := visitOf(r)
	value, err := c.DB.RevealPerson(r.Context(), v.env, id, action, v.actor)
	if err != nil {
		return failed(err)
	}
	if web.IsPartial(r) {
		return web.Render(w, r, http.StatusOK, views.RevealedField(c.page(w, r, "lookups", ""), value))
	}
	found, err := c.DB.WatchPerson(r.Context(), v.env, id)
	if err != nil {
		return failed(err)
	}
	return c.showPerson(w, r, found, map[string]string{field: value})
}
