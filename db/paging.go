package db

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"cotejo/internal/lookup"
)

// where gathers conditions with their arguments; "?" stands for the next one.
type where struct {
	conditions []string
	args       []any
	joins      string   // tables beside the usual ones that a condition needs, each with its "join"
	carrier    string   // the one of them that repeats the facets of the rows; "": the rows themselves have them
	at, id     string   // the key of the rows, where a condition decides it
	facets     []string // conditions on k, the facets of the rows
	under      string   // one that goes with them, where there are any
	rest       []string // those conditions on the rows that their facet does not imply
}

func (w *where) add(condition string, args ...any) {
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

// unseen adds a condition that the planner is kept from making use of: what the rows are to be found by is another one, of
// fewer rows.
func (w *where) unseen(condition string, args ...any) {
	w.add("coalesce("+condition+", false)", args...)
}

// slot adds a condition on a text of which facets know the slot only. Among the rows of a facet the planner is kept from
// reckoning how many have it: for the few that it expects it would sort them all, where the first rows are wanted.
func (w *where) slot(table, column, text string) {
	is := w.inSlot(table, column, text)
	w.rest = append(w.rest, "coalesce("+is+", false)")
}

func (w *where) inSlot(table, column, text string) (is string) {
	w.args = append(w.args, text)
	is = table + "." + column + " = " + arg(len(w.args))
	w.conditions, w.facets = append(w.conditions, is), append(w.facets, "k.slot = facet_slot("+arg(len(w.args))+")")
	return is
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
		w.add(column+" >= ?", midnight(from, 0))
	}
	if !to.IsZero() {
		w.add(column+" < ?", midnight(to, 1))
	}
}

// page writes the statement for a page ordered by (at, id), newest first. It asks for one row more than the limit, to
// know whether there are others. backwards: the rows come oldest first.
func (w *where) page(name, columns, tables, at, id string, page lookup.Page) (text string, args []any, backwards bool) {
	order, backwards := w.from(at, id, page)
	return "-- name: " + name + "\nselect " + columns + tables + " where " + strings.Join(w.conditions, " and ") + "\n" + order, w.args, backwards
}

// from begins at a page's cursor, and gives the order of its rows with their number.
func (w *where) from(at, id string, page lookup.Page) (order string, backwards bool) {
	direction := " desc"
	switch {
	case page.Before != (lookup.Cursor{}):
		w.add("("+at+", "+id+") > (?, ?)", page.Before.At, page.Before.ID)
		direction, backwards = "", true
	case page.After != (lookup.Cursor{}):
		w.add("("+at+", "+id+") < (?, ?)", page.After.At, page.After.ID)
	}
	// The number stands in the text: a plan made for any argument would expect a tenth of the table.
	return " order by " + at + direction + ", " + id + direction + " limit " + strconv.Itoa(page.Limit+1), backwards
}

// facetPage writes the statement for a page of table's rows, ordered by at and id, which facets keep (migration 00019). It
// takes the newest rows of each facet that fits and merges them, so that no combination of filters, however rare, has it
// look through the rows of others. Where no condition is one of facets, it is an ordinary page. Facets are read where the
// rows' key is: a tag's rows repeat those of their lookups.
func (w *where) facetPage(table, alias, at, facets, columns, tables string, page lookup.Page) (text string, args []any, backwards bool) {
	if len(w.facets) == 0 {
		return w.page(table, columns, tables+w.joins, w.at, w.id, page)
	}
	key, _, _ := strings.Cut(w.at, ".")
	order, backwards := w.from(w.at, w.id, page)
	from, rest := table+" "+alias+w.joins, strings.Join(w.rest, " and ")
	if w.carrier != "" && !strings.Contains(rest, alias+".") {
		from = w.carrier // nothing is asked of the rows that it does not repeat
	}
	as := strings.NewReplacer(w.at, "m.at", w.id, "m.id")
	shown := strings.NewReplacer(w.at, alias+"."+at, w.id, alias+".id")
	text = "-- name: " + table + "\nselect " + columns + tables + " where " + alias + `.id in (
    select m.id
      from ` + facets + ` k cross join lateral (
             select ` + w.at + " as at, " + w.id + " as id from " + from + `
              where ` + strings.Join(append([]string{key + ".facet = k.facet"}, w.rest...), " and ") + `
             ` + order + `) m
     where ` + strings.Join(w.facets, " and ") + `
     ` + as.Replace(order) + `)
` + shown.Replace(order)
	return text, w.args, backwards
}

// inFacets adds that a row's facet is one of those that fit. It says nothing new, but lets the few rows of a rare filter be
// found where a set is read whole and not by pages.
func (w *where) inFacets(facets string) {
	if len(w.facets) == 0 {
		return
	}
	carrier, _, _ := strings.Cut(w.at, ".")
	w.conditions = append(w.conditions, carrier+".facet in (select k.facet from "+facets+" k where "+strings.Join(w.facets, " and ")+")")
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
