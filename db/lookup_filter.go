package db

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// lookupConditions is what a filter means, the only place that says so: whatever lists or exports filtered lookups starts
// from it. It is written for "from lookups l" followed by its joins; at and id are the key by which its rows are ordered,
// newest first, and paged. zone is the reader's, in which the filter's days are meant.
func lookupConditions(env lookup.Environment, f lookup.Filter, zone *time.Location) where {
	q := where{table: "lookups l", facetsOf: "lookup_facets", at: "l.requested_at", id: "l.id"}
	q.within("l", "environment", "= ?", env)
	if f.Actor != "" {
		q.facet("l", "status", "= any(?)", statusesOf(f.Actor))
	}
	if f.Status != "" {
		q.facet("l", "status", "= ?", clean(string(f.Status)))
	}
	if f.Platform != "" {
		q.facet("l", "platform", "= ?", clean(string(f.Platform)))
	}
	if f.Records != "" {
		q.facet("l", "employment_state", "= ?", clean(string(f.Records)))
	}
	of := "l"
	if f.Tag != uuid.Nil {
		of = "g" // its rows repeat both
	}
	if f.Analyst != uuid.Nil {
		q.carried(of+".requested_by = (select id from users where uid = ?)", f.Analyst)
	}
	if f.Owner != uuid.Nil {
		q.carried(of+".owner_id = (select id from users where uid = ?)", f.Owner)
	}
	if f.Dialect != "" {
		q.facet("l", "connection_id", "= (select id from connections where environment = ? and dialect = ?)", env, clean(string(f.Dialect)))
	}
	switch {
	case f.Source.Again():
		q.facet("l", "again", "= ?", string(f.Source))
	case f.Source != "":
		q.facet("l", "source", "= ?", clean(string(f.Source)))
	}
	if f.Detail != "" {
		const failed = "status in ('expired', 'error', 'incomplete')"
		q.implied("l."+failed, "k."+failed)
		all := f.Analyst == uuid.Nil && f.Owner == uuid.Nil && f.Tag == uuid.Nil
		if all {
			q.rest = append(q.rest, "l."+failed) // those that failed have an index of their own, by facet and detail
		}
		q.slot(of, "detail", clean(detailOf(f)), all)
	}
	if f.Overdue {
		// Judged one by one among the open lookups: whatever is newer than a vendor's usual time is soon passed by.
		q.facet("l", "status", "in ('queued', 'pending')")
		q.add(`(
  select coalesce(a.sent_at, a.requested_at) + make_interval(secs => x.expected_seconds) < clock_timestamp()
    from attempts a join connections y on y.id = a.connection_id join waits x on x.dialect = y.dialect
   where a.lookup_id = l.id order by a.number desc limit 1)`)
		q.dear = true
	}
	if f.Tag != uuid.Nil {
		// The tag's own index has its lookups in the list's order, which is why the key is read there.
		q.joins, q.carrier, q.at, q.id = "  join lookup_tags g on g.lookup_id = l.id\n", "lookup_tags g", "g.requested_at", "g.lookup_id"
		q.carried("g.tag_id = (select id from tags where environment = ? and uid = ?)", env, f.Tag)
	}
	q.days(q.at, f.From, f.To, zone)
	if len(q.facets) > 0 || f.Analyst != uuid.Nil || f.Owner != uuid.Nil {
		q.facets = append(q.facets, q.under) // those of one analyst or owner are kept by facets too
	}
	return q
}

// statusesOf are those in which a lookup waits for an actor.
func statusesOf(actor lookup.Actor) (statuses []string) {
	for _, s := range lookup.Statuses {
		if s.Actor() == actor {
			statuses = append(statuses, string(s))
		}
	}
	return statuses
}

// detailOf is the detail that a filter wants, "" for those without one.
func detailOf(f lookup.Filter) string {
	if f.Detail == lookup.NoDetail {
		return ""
	}
	return f.Detail
}
