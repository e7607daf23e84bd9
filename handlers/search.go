package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"cotejo/db"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// searchForm is the box on a page of its own, with what it takes.
func (c *Console) searchForm(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, views.Search(views.SearchPage{Page: c.page(w, r, "search", "search.title")}))
}

// startSearch keeps what was typed under an id of its own, so that its pages have addresses that tell nothing: they can be
// reloaded, turned and gone back to.
func (c *Console) startSearch(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v := visitOf(r)
	text := strings.TrimSpace(form.Get("text"))
	if len(find.Read(text)) == 0 {
		page := views.SearchPage{Page: c.page(w, r, "search", "search.title"), Err: views.Note{ID: "search.unusable"}}
		page.Search = text
		return web.Invalid(w, r, views.Search(page))
	}
	id, err := c.DB.KeepSearch(r.Context(), v.env, text, v.User.ID)
	if err != nil {
		return failed(err)
	}
	return web.Redirect303(w, r, "/search/"+id.String())
}

// search shows what a kept search finds: under the reading that the reader chose, else under the first that finds anything.
func (c *Console) search(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	page := views.SearchPage{Page: c.page(w, r, "search", "search.title"), ID: id}
	text, err := c.DB.KeptSearch(r.Context(), v.env, id, v.User.ID)
	if errors.Is(err, db.ErrNotFound) {
		page.Gone = true
		return web.Render(w, r, http.StatusNotFound, views.Search(page))
	} else if err != nil {
		return failed(err)
	}
	page.Readings = find.Read(text)
	tried := page.Readings
	if i := slices.IndexFunc(tried, func(one find.Reading) bool { return string(one.Kind) == r.URL.Query().Get("as") }); i >= 0 {
		tried, page.Chosen = tried[i:i+1], true
	}
	if !tried[0].Whole {
		page.Search = text // an identifier is not repeated in full
	}
	found, err := c.DB.Find(r.Context(), v.env, tried, pageOf(r.URL.Query(), listRows), v.actor)
	if err != nil {
		return failed(err)
	}
	page.Shown, page.Vain, page.Lookups = found.Reading, found.Vain, found.Lookups
	page.Employers, page.ManyEmployer = found.Employers, found.ManyEmployer
	for _, p := range found.People {
		page.People = append(page.People, views.FoundPerson{UID: p.UID, CURP: p.CURP, RFC: p.RFC, Name: p.Name, NSS: p.NSS, AskedAt: p.AskedAt, Lookups: p.Lookups, Latest: p.Latest})
	}
	if found.Newer && found.First != (lookup.Cursor{}) {
		page.Before = cursorText(found.First)
	}
	if found.Older {
		page.After = cursorText(found.Last)
	}
	return web.Render(w, r, http.StatusOK, views.Search(page))
}
