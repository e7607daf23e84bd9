package db

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
)

// where gathers conditions with their arguments; "?" stands for the next one.
type where struct {
	table      string // of the rows, with its alias
	facetsOf   string // the table of their facets; "": they have none
	conditions []string
	args       []any
	joins      string   // tables beside the usual ones that a condition needs, each with its "join"
	carrier    string   // the one of them that repeats the facets of the rows; "": the rows themselves have them
	at, id     string   // the key of the rows, where a condition decides it
	facets     []string // conditions on k, the facets of the rows
	under      string   // one that goes with them, where there are any
	rest       []string // those conditions on the rows that their facet does not imply
	own        bool     // whether one of these is on what only the rows have, and no carrier
	dear       bool     // whether one of these takes long to judge, so that no row is to be judged twice
}

// add adds a condition on the rows.
func (w *where) add(condition string, args ...any) {
	w.carried(condition, args...)
	w.own = true
}

// carried adds a condition on what the carrier has, if there is one.
func (w *where) carried(condition string, args ...any) {
	condition = w.arguments(condition, args)
	w.conditions, w.rest = append(w.conditions, condition), append(w.rest, condition)
}

// within narrows to one value of a part of facets that every list is narrowed to: it alone does not make a list go by facets,
// and whoever comes by them needs not look at the rows for it.
func (w *where) within(table, column, condition string, args ...any) {
	condition = column + " " + w.arguments(condition, args)
	w.conditions, w.under = append(w.conditions, table+"."+condition), "k."+condition
}

// facet adds a condition on a value that is a part of facets: column is its name in both tables.
func (w *where) facet(table, column, condition string, args ...any) {
	condition = column + " " + w.arguments(condition, args)
	w.conditions, w.facets = append(w.conditions, table+"."+condition), append(w.facets, "k."+condition)
}

// implied adds a condition that facets say in another way.
func (w *where) implied(condition, facets string) {
	w.conditions, w.facets = append(w.conditions, condition), append(w.facets, facets)
}

// unseen is a condition that the planner is kept from making use of: it would reckon how many rows have it, and where it
// expects few it sorts them all, though the first are wanted, or finds by it what another condition finds with fewer rows.
func unseen(condition string) string { return "coalesce(" + condition + ", false)" }

// slot adds a condition on a text of which facets know the slot only, and which the carrier has, if there is one. found tells
// that an index has the rows of a facet by this text, so that the planner may look for it.
func (w *where) slot(table, column, text string, found bool) {
	w.args = append(w.args, text)
	is := table + "." + column + " = " + arg(len(w.args))
	w.implied(is, "k.slot = facet_slot("+arg(len(w.args))+")")
	if !found {
		is = unseen(is)
	}
	w.rest = append(w.rest, is)
}

func (w *where) arguments(condition string, args []any) string {
	for _, arg := range args {
		w.args = append(w.args, arg)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	return condition
}

// days narrows to calendar days of a zone, both inclusive.
func (w *where) days(column string, from, to time.Time, zone *time.Location) {
	midnight := func(day time.Time, plus int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day()+plus, 0, 0, 0, 0, zone)
	}
	if !from.IsZero() {
		w.carried(column+" >= ?", midnight(from, 0))
	}
	if !to.IsZero() {
		w.carried(column+" < ?", midnight(to, 1))
	}
}

// page writes the statement for a page ordered by (at, id), newest first. It asks for one row more than the limit, to
// know whether there are others. backwards: the rows come oldest first.
func (w *where) page(name, columns, tables, at, id string, page lookup.Page) (text string, args []any, backwards bool) {
	order, backwards := w.from(at, id, page)
	return "-- name: " + name + "\nselect " + columns + tables + " where " + strings.Join(w.conditions, " and ") + "\n" + order.rows(page.Limit+1), w.args, backwards
}

// ordering is the order of a page's rows.
type ordering struct{ at, id, direction string }

func (o ordering) by() string { return " order by " + o.at + o.direction + ", " + o.id + o.direction }

// rows is the order with a number of rows. It stands in the text: a plan made for any argument would expect a tenth of the table.
func (o ordering) rows(n int) string { return o.by() + " limit " + strconv.Itoa(n) }

func (o ordering) of(at, id string) ordering { return ordering{at, id, o.direction} }

// from begins at a page's cursor, and gives the order of its rows.
func (w *where) from(at, id string, page lookup.Page) (order ordering, backwards bool) {
	order = ordering{at, id, " desc"}
	switch {
	case page.Before != (lookup.Cursor{}):
		w.carried("("+at+", "+id+") > (?, ?)", page.Before.At, page.Before.ID)
		order.direction, backwards = "", true
	case page.After != (lookup.Cursor{}):
		w.carried("("+at+", "+id+") < (?, ?)", page.After.At, page.After.ID)
	}
	return order, backwards
}

// fewFirst is how many of the newest rows of each stretch of an index show how far back a page reaches that merges them: thirteen
// have a page of them.
const fewFirst = 4

// ids writes the statement for the ids of a page's rows, in their order. Where conditions are ones of facets (migration
// 00019) it takes the newest rows of each facet that fits and merges them, so that no combination of filters, however rare,
// has it look through the rows of others. A few of each show how far back the page reaches, so that not a whole page of each
// is read, of which most would be sorted away. Facets are read where the rows' key is: a tag's rows repeat those of their lookups.
//
// What the rows show is read by their ids, in a statement of its own, whose plan is kept: this one differs by filter, and with all
// tables joined to make its plan would take longer than to run it.
func (w *where) ids(page lookup.Page) (text string, args []any, backwards bool) {
	order, backwards := w.from(w.at, w.id, page)
	name := w.name()
	if len(w.facets) == 0 {
		return "-- name: page of " + name + "\nselect " + w.id + " from " + w.table + w.joins + " where " + strings.Join(w.conditions, " and ") + order.rows(page.Limit+1), w.args, backwards
	}
	merged := order.of("m.at", "m.id")
	if w.dear {
		return "-- name: page of " + name + "\nselect m.id from " + w.facetsOf + " k" + w.ofFacet(order, page.Limit+1, "") + " where " + strings.Join(w.facets, " and ") +
			merged.rows(page.Limit+1), w.args, backwards
	}
	beyond := " >= (coalesce((select at from last), '-infinity'), coalesce((select id from last), 0))"
	if backwards {
		beyond = " <= (coalesce((select at from last), 'infinity'), coalesce((select id from last), 9223372036854775807))"
	}
	return "-- name: page of " + name + `
with few as materialized (
  select k.facet, m.at, m.id from ` + w.facetsOf + " k" + w.ofFacet(order, fewFirst, "") + `
   where ` + strings.Join(w.facets, " and ") + `),
last as (select at, id from (select m.at, m.id, row_number() over (` + merged.by() + `) as nth from few m) f where nth = ` + strconv.Itoa(page.Limit+1) + `)
select m.id from (select distinct facet from few) k` + w.ofFacet(order, page.Limit+1, " and ("+w.at+", "+w.id+")"+beyond) + merged.rows(page.Limit+1), w.args, backwards
}

// some writes the statement for the ids of any rows, as many as a limit: one facet after the other, in no order of all.
func (w *where) some(limit int) (text string, args []any) {
	if len(w.facets) == 0 {
		text, args, _ = w.ids(lookup.Page{Limit: limit - 1})
		return text, args
	}
	return "-- name: some of " + w.name() + "\nselect m.id from " + w.facetsOf + " k" + w.ofFacet(ordering{w.at, w.id, " desc"}, limit, "") + " where " + strings.Join(w.facets, " and ") +
		" limit " + strconv.Itoa(limit), w.args
}

// name is the table's, without its alias.
func (w *where) name() string {
	name, _, _ := strings.Cut(w.table, " ")
	return name
}

// ofFacet joins the first rows of a facet k, as m.
func (w *where) ofFacet(order ordering, rows int, more string) string {
	key, _, _ := strings.Cut(w.at, ".")
	from := w.table + w.joins
	if w.carrier != "" && !w.own {
		from = w.carrier
	}
	return " cross join lateral (\n         select " + w.at + " as at, " + w.id + " as id from " + from + "\n          where " +
		strings.Join(append([]string{key + ".facet = k.facet"}, w.rest...), " and ") + more + order.rows(rows) + ") m"
}

// inPage gives the ids of a page's rows, newest first, and whether there are newer and older ones.
func (db *DB) inPage(ctx context.Context, w where, page lookup.Page) (ids []int64, newer, older bool, err error) {
	text, args, backwards := w.ids(page)
	if ids, err = db.idsBy(ctx, w, text, args); err != nil {
		return nil, false, false, err
	}
	ids, newer, older = turn(ids, page, backwards)
	return ids, newer, older, nil
}

// idsBy runs what ids or some wrote.
func (db *DB) idsBy(ctx context.Context, w where, text string, args []any) (ids []int64, err error) {
	var batch pgx.Batch
	if len(w.facets) > 0 {
		// The same plan serves whatever the values are, and to make one takes longer than to run it.
		batch.Queue(`-- name: keep the plan
select set_config('plan_cache_mode', 'force_generic_plan', true)`)
	}
	batch.Queue(text, args...).Query(func(rows pgx.Rows) error {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	return ids, db.pool.SendBatch(ctx, &batch).Close()
}

// inFacets adds that a row's facet is one of those that fit. It says nothing new, but lets the few rows of a rare filter be
// found where a set is read whole and not by pages.
func (w *where) inFacets() {
	if len(w.facets) == 0 {
		return
	}
	carrier, _, _ := strings.Cut(w.at, ".")
	w.conditions = append(w.conditions, carrier+".facet in (select k.facet from "+w.facetsOf+" k where "+strings.Join(w.facets, " and ")+")")
}

// turn cuts the extra row off, puts rows newest first, and tells whether there are newer and older ones.
func turn[T any](rows []T, page lookup.Page, backwards bool) (_ []T, newer, older bool) {
	more := len(rows) > page.Limit
	if more {
		rows = rows[:page.Limit]
	}
	if backwards {
		slices.Reverse(rows)
		return rows, more, true
	}
	return rows, page.After != (lookup.Cursor{}), more
}
