// Package report sets a document in words on paper: a PDF of letter pages with its title, facts, tables with repeated
// heads, a drawing of employment over time, numbered sources, and on every page its number, its reference and, for test
// data, a mark that nobody can overlook.
//
// It knows neither lookups nor languages: whoever calls it has put everything into words. The same Document gives the
// same bytes; the library asks no clock because Document.At is given.
package report

import "time"

// Document is a report in words. Texts may hold any characters: control and direction characters are taken out, and those
// that the embedded letters lack are drawn as a box.
type Document struct {
	Title    string    // in the file's properties, so never a person's name, CURP or NSS
	Author   string    // there, too: the institution
	At       time.Time // date of the file
	Head     Head
	Running  string                       // at the top of each page
	Foot     string                       // at the foot of each page: the report's reference and time
	PageOf   func(page, pages int) string // "Página 2 de 5"
	Mark     string                       // on every page, as a strip and across it; "" for real data
	Sections []Section
	Boxes    string // said at the end when a character had to be drawn as a box
}

// Head is how the first page begins.
type Head struct{ Kicker, Title, Line string }

// Section is a stretch of a report. What is empty is left out; the rest stands in the order of the fields.
type Section struct {
	Title  string // "" continues the section before
	Source string // one line on where the facts below come from
	Alerts []string
	Line   *Timeline
	Facts  []Fact
	Text   []string // paragraphs
	Table  *Table
	Foot   []string // in small
}

// Fact is a label with its value. Ref is its numbered source, "" without one.
type Fact struct {
	Label, Value, Beside, Ref string
	Mono                      bool // an identifier or a hash, in letters of one width
}

// Table is a table whose head is repeated on every page it reaches.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// Column is one column. Width is its share of the page's width against the other columns' shares.
type Column struct {
	Title string
	Width float64
	Right bool // numbers
	Mono  bool
	Quiet bool // explanations, in small
}

// Cell is one cell, with smaller lines below its text.
type Cell struct {
	Text string
	Sub  []string
	Bold bool
}

// Timeline draws stretches of days as bars, one below the other.
type Timeline struct {
	From, To time.Time
	Bars     []Bar
	Marks    []Mark // drawn behind the bars, each with its letter below them
}

// Bar is a stretch with its name; Open ones stand on the date of the data and are drawn so.
type Bar struct {
	From, To time.Time
	Label    string
	Open     bool
}

// Mark is a gap, or with Lap an overlap.
type Mark struct {
	From, To time.Time
	Name     string
	Lap      bool
}
