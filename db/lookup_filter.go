package db

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// lookupsPage writes the statement for a page of the list of lookups.
func lookupsPage(env lookup.Environment, f lookup.Filter, page lookup.Page, zone *time.Location) (text string, args []any, backwards bool) {
	return lookupsList(env, f, rowColumns, rowTables, page, zone)
}

// lookupsList is a page of the list with columns of the caller's, from the tables that have them.
func lookupsList(env lookup.Environment, f lookup.Filter, columns, tables string, page lookup.Page, zone *time.Location) (text string, args []any, backwards bool) {
	q := lookupConditions(env, f, zone)
	return q.facetPage("lookups", "l", "requested_at", "lookup_facets", columns, tables, page)
}

// lookupConditions is what a filter means, the only place that says so: whatever lists or exports filtered lookups starts
// from it. It is written for "from lookups l" followed by its joins; at and id are the key by which its rows are ordered,
// newest first, and paged. zone is the reader's, in which the filter's days are meant.
func lookupConditions(env lookup.Environment, f lookup.Filter, zone *time.Location) where {
	q := where{at: "l.requested_at", id: "l.id"}
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
	// A tag is on fewer lookups than a person has cases, who has fewer than one who asks all day. Its rows repeat both.
	asked, of := q.add, "l"
	if f.Tag != (uuid.UUID{}) {
		of = "g"
	} else if f.Owner != (uuid.UUID{}) {
		asked = q.unseen
	}
	if f.Analyst != (uuid.UUID{}) {
		asked(of+".requested_by = (select id from users where uid = ?)", f.Analyst)
	}
	if f.Owner != (uuid.UUID{}) {
		q.add(of+".owner_id = (select id from users where uid = ?)", f.Owner)
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
		if f.Analyst != (uuid.UUID{}) || f.Owner != (uuid.UUID{}) {
			q.slot("l", "detail", clean(detailOf(f))) // of the few that are theirs
		} else {
			// Those that failed have an index of their own, by facet and detail.
			q.rest = append(q.rest, "l."+failed, q.inSlot("l", "detail", clean(detailOf(f))))
		}
	}
	if f.Overdue {
		// Judged one by one among the open lookups: whatever is newer than a vendor's usual time is soon passed by.
		q.facet("l", "status", "in ('queued', 'pending')")
		q.add(`(
  select coalesce(a.sent_at, a.requested_at) + make_interval(secs => x.expected_seconds) < clock_timestamp()
    from attempts a join connections y on y.id = a.connection_id join waits x on x.dialect = y.dialect
   where a.lookup_id = l.id order by a.number desc limit 1)`)
	}
	if f.Tag != (uuid.UUID{}) {
		// The tag's own index has its lookups in the list's order, which is why the key is read there.
		q.joins, q.carrier, q.at, q.id = "  join lookup_tags g on g.lookup_id = l.id\n", "lookup_tags g", "g.requested_at", "g.lookup_id"
		q.add("g.tag_id = (select id from tags where environment = ? and uid = ?)", env, f.Tag)
	}
	q.days(q.at, f.From, f.To, zone)
	if len(q.facets) > 0 || f.Analyst != (uuid.UUID{}) || f.Owner != (uuid.UUID{}) {
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
