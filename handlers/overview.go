package handlers

import (
	"net/http"
	"slices"
	"time"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// latestRows is how many lookups the overview shows.
const latestRows = 6

// failureDays is how many days the overview counts failures of, in the reader's zone, today among them.
const failureDays = 30

// overview answers "what must I do now". Who may not see lookups gets the state of the hooks alone.
func (c *Console) overview(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	ctx := r.Context()
	page := views.OverviewPage{Page: c.page(w, r, "overview", "overview.title")}
	counts, err := c.DB.ActorCounts(ctx, v.env, views.WaitingCap)
	if err != nil {
		return failed(err)
	}
	for _, actor := range lookup.Actors {
		if n, ok := counts[actor]; ok {
			page.Duties = append(page.Duties, views.Duty{Actor: actor, Count: n})
		}
	}
	if v.User.Role.May(auth.PowerRead) {
		mine := lookup.Filter{Analyst: v.User.UID}
		if v.User.Role == auth.Auditor {
			mine = lookup.Filter{} // asks for none; sees everybody's
		}
		if page.Latest, _, _, err = c.DB.Lookups(ctx, v.env, mine, lookup.Page{Limit: latestRows}, v.printer.Zone()); err != nil {
			return failed(err)
		}
		if len(page.Latest) == 0 {
			any, _, _, err := c.DB.Lookups(ctx, v.env, lookup.Filter{}, lookup.Page{Limit: 1}, v.printer.Zone())
			if err != nil {
				return failed(err)
			}
			page.Fresh = len(any) == 0
		}
		zone := v.printer.Zone()
		now := c.Now().In(zone)
		from := time.Date(now.Year(), now.Month(), now.Day()-failureDays+1, 0, 0, 0, 0, zone)
		var failures []db.Failure
		if failures, page.MoreFailures, err = c.DB.Failures(ctx, v.env, from); err != nil {
			return failed(err)
		}
		page.FailuresFrom = from.Format(time.DateOnly)
		for _, f := range failures {
			page.Failures = append(page.Failures, views.Failure{Status: f.Status, Code: f.Detail, Platform: string(f.Platform), Count: f.Count})
		}
	}
	if v.User.Role.May(auth.PowerAdminister) {
		if page.DeadJobs, err = c.DB.DeadJobs(ctx, views.WaitingCap); err != nil {
			return failed(err)
		}
	}
	if page.Diagnosis, err = c.diagnosis(r); err != nil {
		return failed(err)
	}
	connections, err := c.DB.Connections(ctx, v.env)
	if err != nil {
		return failed(err)
	}
	registered := slices.ContainsFunc(connections, func(c connection.Connection) bool { return c.Subscription.VendorID != "" })
	last, err := c.DB.LastDelivery(ctx, v.env)
	if err != nil {
		return failed(err)
	}
	refused, err := c.DB.RefusedSince(ctx, v.env, c.Now().Add(-24*time.Hour), views.WaitingCap)
	if err != nil {
		return failed(err)
	}
	page.Webhooks = views.WebhookHealth{Registered: registered, LastDeliveryAt: last,
		Open: counts[lookup.ActorSource], Refused: refused}
	return web.Render(w, r, http.StatusOK, views.Overview(page))
}
