package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// caseWork gives what colleagues keep about a case to its page.
func caseWork(w db.Work) views.CaseWork {
	shown := views.CaseWork{Owner: w.Owner, Tags: w.Tags, Colleagues: w.Colleagues, Known: w.Known}
	for _, n := range w.Notes {
		shown.Notes = append(shown.Notes, views.CaseNote{UID: n.UID, At: n.At, Author: n.Author, Text: n.Text})
	}
	return shown
}

// work is a form of the case: it gives the text of its field to do, which gives the message of what is wrong with it, or does
// it. A good form leads back to the case, a bad one is shown on it with what was typed.
func (c *Console) work(field, saved string, do func(r *http.Request, id uuid.UUID, text string) (problem string, err error)) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathID(r)
		if err != nil {
			return err
		}
		form, err := web.ParseForm(r, web.FormLimits{})
		if err != nil {
			return err
		}
		text := form.Get(field)
		problem, err := do(r, id, text)
		if err != nil {
			return failed(err)
		}
		if problem == "" {
			return c.done(w, r, "/lookups/"+id.String()+"#work", saved)
		}
		v := visitOf(r)
		found, err := c.DB.FollowLookup(r.Context(), v.env, id, v.actor) // nothing was done that the trail would tell of
		if err != nil {
			return failed(err)
		}
		deliveries, err := c.DB.DeliveriesOf(r.Context(), found.ID)
		if err != nil {
			return failed(err)
		}
		page := c.page(w, r, "lookups", "")
		page.Title = views.LookupTitle(page, found.Reference)
		shown := casePage(page, found, deliveries)
		shown.Work.Typed, shown.Work.Err = map[string]string{field: text}, map[string]views.Note{field: {ID: problem}}
		return web.Invalid(w, r, views.Lookup(shown))
	}
}

func (c *Console) setReference(r *http.Request, id uuid.UUID, text string) (problem string, err error) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > views.MaxReference {
		return "work.reference.long", nil
	}
	v := visitOf(r)
	return "", c.DB.SetReference(r.Context(), v.env, id, text, v.actor)
}

func (c *Console) setOwner(r *http.Request, id uuid.UUID, text string) (problem string, err error) {
	owner := uuid.Nil
	if text != "" {
		if owner, err = uuid.Parse(text); err != nil {
			return "work.owner.unknown", nil
		}
	}
	v := visitOf(r)
	err = c.DB.SetOwner(r.Context(), v.env, id, owner, v.actor)
	if errors.Is(err, db.ErrNoOwner) {
		return "work.owner.unknown", nil
	}
	return "", err
}

func (c *Console) addTag(r *http.Request, id uuid.UUID, text string) (problem string, err error) {
	name, problem := lookup.CleanTag(text)
	folded := find.Fold(name)
	if problem == "" && folded == "" {
		problem = "work.tag.empty" // letters of a script that nothing is folded to
	}
	if problem != "" {
		return problem, nil
	}
	v := visitOf(r)
	err = c.DB.AddTag(r.Context(), v.env, id, name, folded, v.actor)
	if errors.Is(err, db.ErrManyTags) {
		return "work.tag.full", nil
	}
	return "", err
}

func (c *Console) removeTag(r *http.Request, id uuid.UUID, text string) (problem string, err error) {
	tag, err := uuid.Parse(text)
	if err != nil {
		return "", web.NotFound(err)
	}
	v := visitOf(r)
	return "", c.DB.RemoveTag(r.Context(), v.env, id, tag, v.actor)
}

func (c *Console) writeNote(r *http.Request, id uuid.UUID, text string) (problem string, err error) {
	// Browsers send CRLF for a line's end (HTML, "constructing the entry list").
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "work.notes.missing", nil
	case n > views.MaxNote:
		return "work.notes.long", nil
	}
	v := visitOf(r)
	return "", c.DB.WriteNote(r.Context(), v.env, id, text, v.actor)
}

// tags is where the tags of the environment are kept in order.
func (c *Console) tags(w http.ResponseWriter, r *http.Request) error {
	page, err := c.tagsPage(w, r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.Tags(page))
}

func (c *Console) tagsPage(w http.ResponseWriter, r *http.Request) (views.TagsPage, error) {
	page := views.TagsPage{Page: c.page(w, r, "tags", "work.manage.title")}
	uses, err := c.DB.TagUses(r.Context(), visitOf(r).env, views.WaitingCap)
	if err != nil {
		return page, failed(err)
	}
	for _, u := range uses {
		page.Tags = append(page.Tags, views.TagUse{Tag: u.Tag, Lookups: u.Lookups})
	}
	return page, nil
}

func (c *Console) renameTag(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	name, problem := lookup.CleanTag(form.Get("name"))
	folded := find.Fold(name)
	if problem == "" && folded == "" {
		problem = "work.tag.empty"
	}
	if problem != "" {
		page, err := c.tagsPage(w, r)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(page.Tags, func(t views.TagUse) bool { return t.UID == id }) {
			return web.NotFound(errors.New("no such tag"))
		}
		page.Of, page.Typed, page.Err = id, form.Get("name"), views.Note{ID: problem}
		return web.Invalid(w, r, views.Tags(page))
	}
	v := visitOf(r)
	merged, err := c.DB.RenameTag(r.Context(), v.env, id, name, folded, v.actor)
	if err != nil {
		return failed(err)
	}
	if merged {
		return c.done(w, r, "/tags", "work.manage.merged")
	}
	return c.done(w, r, "/tags", "work.manage.renamed")
}

func (c *Console) deleteTag(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	if err := c.DB.DeleteTag(r.Context(), v.env, id, v.actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/tags", "work.manage.deleted")
}
