package handlers

import (
	"net/http"
	"slices"
	"time"

	"cotejo/db"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// Missing webhooks are looked for among the attempts of the last week.
const missingDays = 7

// missingBounds are the ages between which the page counts, after the vendors' expected time.
var missingBounds = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}

func (c *Console) missing(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	ctx := r.Context()
	now := c.Now()
	query := r.URL.Query()
	page := views.MissingPage{Page: c.page(w, r, "missing", "missing.title"), Since: now.AddDate(0, 0, -missingDays)}
	f := db.UnheardFilter{}
	if how := query.Get("settled"); slices.Contains(views.MissingSettled, how) {
		f.Settled, page.Settled = how, how
	}
	if d := lookup.Dialect(query.Get("dialect")); d.Known() {
		f.Dialect, page.Dialect = d, string(d)
	}
	waits, err := c.DB.Waits(ctx)
	if err != nil {
		return failed(err)
	}
	connections, err := c.DB.Connections(ctx, v.env)
	if err != nil {
		return failed(err)
	}
	longest := longestWait(waits, connections, f.Dialect)
	for _, at := range connections {
		page.Dialects = append(page.Dialects, at.Dialect)
	}
	if page.Ages, err = c.missingAges(r, page.Since, now, longest); err != nil {
		return failed(err)
	}
	hour := now.UTC().Truncate(time.Hour)
	if page.Hours, err = c.DB.SourceHours(ctx, v.env, hour.Add(-23*time.Hour)); err != nil {
		return failed(err)
	}
	heard, err := c.DB.HooksHeard(ctx, v.env, hour.Add(-24*time.Hour), hour)
	if err != nil {
		return failed(err)
	}
	for _, h := range heard {
		page.HooksHeard = append(page.HooksHeard, views.MissingHook{Name: h.Name, UID: h.UID, Dialect: h.Dialect, Active: h.Active, Started: h.Started, Heard: h.Heard})
	}
	rows, newer, older, err := c.DB.Unheard(ctx, v.env, f, page.Since, now.Add(-longest), pageOf(query, listRows))
	if err != nil {
		return failed(err)
	}
	for _, u := range rows {
		page.Rows = append(page.Rows, views.MissingRow{Lookup: u.LookupUID, Dialect: u.Dialect, Platform: u.Platform, SentAt: u.SentAt,
			Status: u.Status, SettledBy: u.SettledBy, AskedAt: u.AskedAt, Asks: u.Asks, Number: u.Number})
	}
	page.Before, page.After = ends(rows, newer, older, func(u db.Unheard) lookup.Cursor { return lookup.Cursor{At: u.SentAt, ID: u.ID} })
	return web.Render(w, r, http.StatusOK, views.Missing(page))
}

// longestWait is the longest expected time of the vendors in use: before it nothing is missed.
func longestWait(waits map[lookup.Dialect]lookup.Wait, connections []connection.Connection, only lookup.Dialect) time.Duration {
	longest := time.Duration(0)
	for _, at := range connections {
		if only == "" || at.Dialect == only {
			longest = max(longest, waits[at.Dialect].Expected)
		}
	}
	return max(longest, lookup.MinExpected)
}

func (c *Console) missingAges(r *http.Request, since, now time.Time, expected time.Duration) ([]views.MissingAge, error) {
	bounds := []time.Duration{expected}
	for _, b := range missingBounds {
		if b > expected {
			bounds = append(bounds, b)
		}
	}
	counts, err := c.DB.UnheardAges(r.Context(), visitOf(r).env, since, now, bounds)
	if err != nil {
		return nil, err
	}
	ages := make([]views.MissingAge, len(bounds)+1)
	for i := range ages {
		if ages[i].Young = i == 0; i > 0 {
			ages[i].From = bounds[i-1]
		}
		if i < len(bounds) {
			ages[i].To = bounds[i]
		}
	}
	for _, n := range counts {
		age := &ages[min(n.Stretch, len(bounds))]
		switch n.By {
		case lookup.SettledAsking:
			age.Asked += n.Count
		case lookup.SettledExpired:
			age.Expired += n.Count
		default:
			age.Nothing += n.Count
		}
	}
	return ages, nil
}
