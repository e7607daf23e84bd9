package db

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// lookupsPage writes the statement for a page of the list of lookups.
func lookupsPage(env lookup.Environment, f lookup.Filter, page lookup.Page, zone *time.Location) (text string, args []any, backwards bool) {
	q := lookupConditions(env, f, zone)
	return q.page("lookups", rowColumns, rowTables+q.joins, q.at, q.id, page)
}

// lookupConditions is what a filter means, the only place that says so: whatever lists or exports filtered lookups starts
// from it. It is written for "from lookups l" followed by its joins; at and id are the key by which its rows are ordered,
// newest first, and paged. zone is the reader's, in which the filter's days are meant.
func lookupConditions(env lookup.Environment, f lookup.Filter, zone *time.Location) where {
	q := where{at: "l.requested_at", id: "l.id"}
	q.add("l.environment = ?", env)
	if f.Actor != "" {
		q.add("l.actor = ?", clean(string(f.Actor)))
	}
	if f.Status != "" {
		q.add("l.status = ?", clean(string(f.Status)))
	}
	if f.Platform != "" {
		q.add("l.platform = ?", clean(string(f.Platform)))
	}
	if f.Records != "" {
		q.add("l.employment_state = ?", clean(string(f.Records)))
	}
	if f.Analyst != (uuid.UUID{}) {
		q.add("l.requested_by = (select id from users where uid = ?)", f.Analyst)
	}
	q.days("l.requested_at", f.From, f.To, zone)
	return q
}
