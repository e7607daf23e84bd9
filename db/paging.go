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
	joins      string // tables beside the usual ones that a condition needs, each with its "join"
	at, id     string // the key of the rows, where a condition decides it
}

func (w *where) add(condition string, args ...any) {
	for _, arg := range args {
		w.args = append(w.args, arg)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
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
	order := at + " desc, " + id + " desc"
	switch {
	case page.Before != (lookup.Cursor{}):
		w.add("("+at+", "+id+") > (?, ?)", page.Before.At, page.Before.ID)
		order, backwards = at+", "+id, true
	case page.After != (lookup.Cursor{}):
		w.add("("+at+", "+id+") < (?, ?)", page.After.At, page.After.ID)
	}
	w.args = append(w.args, page.Limit+1)
	text = "-- name: " + name + "\nselect " + columns + tables + " where " + strings.Join(w.conditions, " and ") +
		"\n order by " + order + " limit $" + strconv.Itoa(len(w.args))
	return text, w.args, backwards
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
