package handlers

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/internal/decision"
	"cotejo/views"
	"cotejo/web"
)

// figures prints the definitions of the continuity figures.
func (c *Console) figures(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, views.Figures(views.FiguresPage{Page: c.page(w, r, "lookups", "figures.page.title")}))
}

// asOf reads the date that a reader asks figures for. One that is none is said so, and they are of today.
func asOf(r *http.Request, page *views.CasePage) { askedFor(r.URL.Query().Get("as_of"), page) }

func askedFor(text string, page *views.CasePage) {
	_, ok := decision.AsOf(text, page.Now)
	page.Desk.BadDate = !ok
	page.Desk.AsOf = chosenDay(text, page.Now)
}

// chosenDay is the date of the figures, zero for today: a page left open goes on to be of today.
func chosenDay(text string, now time.Time) time.Time {
	if day, ok := decision.AsOf(text, now); ok && text != "" {
		return day
	}
	return time.Time{}
}

// decide writes a decision note. A refused one comes back with its text, on the page as it is now.
func (c *Console) decide(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	// Browsers send CRLF for a line's end (HTML, "constructing the entry list").
	reason := strings.ReplaceAll(form.Get("reason"), "\r\n", "\n")
	day, ok := decision.AsOf(form.Get("as_of"), c.Now())
	if !ok {
		return web.BadRequest("errors.bad.field")
	}
	v := visitOf(r)
	problem := decision.Problem(reason)
	if problem == "" {
		err := c.DB.Decide(r.Context(), v.env, id, db.NewDecision{Reason: strings.TrimSpace(reason), AsOf: day, Shown: form.Get("shown")}, v.actor)
		switch {
		case err == nil:
			path := "/lookups/" + id.String()
			if !day.Equal(decision.Day(c.Now())) {
				path += "?as_of=" + day.Format(time.DateOnly)
			}
			return c.done(w, r, path+"#decisions", "decisions.saved")
		case errors.Is(err, decision.ErrChanged):
			problem = "decisions.changed"
		default:
			return failed(err)
		}
	}
	found, err := c.DB.FollowLookup(r.Context(), v.env, id, v.actor)
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
	shown.Desk.AsOf, shown.Desk.Reason, shown.Desk.Err = day, reason, views.Note{ID: problem}
	return web.Invalid(w, r, views.Lookup(shown))
}
