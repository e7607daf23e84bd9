package handlers

import (
	"net/http"
	"time"

	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// sources shows the health of each source.
func (c *Console) sources(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	now := c.Now()
	hours, err := c.DB.SourceHours(r.Context(), v.env, now.AddDate(0, 0, -views.SourceDays-1))
	if err != nil {
		return failed(err)
	}
	page := views.SourcesPage{Page: c.page(w, r, "sources", "sources.title"), Hours: hours, Diagnosis: lookup.Diagnose(hours, oursOf(v), now)}
	return web.Render(w, r, http.StatusOK, views.Sources(page))
}

// diagnosis answers "is it us or the source?" for the overview.
func (c *Console) diagnosis(r *http.Request) (lookup.Diagnosis, error) {
	v := visitOf(r)
	now := c.Now()
	hours, err := c.DB.SourceHours(r.Context(), v.env, now.Add(-lookup.BlameHours*time.Hour))
	return lookup.Diagnose(hours, oursOf(v), now), err
}

// oursOf is what is wrong on our side of the way.
func oursOf(v visit) string {
	if v.Paused != "" {
		return lookup.OursPaused
	}
	return v.Hooks
}
