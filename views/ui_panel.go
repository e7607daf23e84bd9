package views

import "github.com/a-h/templ"

// Fact is a label and its value: Text, or Body for anything that is more than text. A fact with neither is not shown;
// what is absent has to be named by whoever makes the fact.
type Fact struct {
	Label string
	Text  string
	Body  templ.Component
}

// PageLinks are the neighbours of a page of a list, "" where there is none. Lists page by key and know no total.
type PageLinks struct {
	Newer, Older string
	Rows         int
}

// words tell how many rows there are, and that the list ends here when it does not also begin here.
func (l PageLinks) words(p Page) string {
	rows := p.T("ui.page.rows", "Count", l.Rows)
	if l.Older == "" && l.Newer != "" {
		rows += "; " + p.T("ui.page.last")
	}
	return rows
}

// Crumb is a step back from a page.
type Crumb struct {
	Word, Path string
}

// alertIcon fits an alert's kind: info, success, warn, error.
func alertIcon(kind string) string {
	if kind == "" {
		return "info"
	}
	return kind
}
