package employment

import (
	"slices"
	"strings"
)

// BetweenSources lists where two sources disagree about one person's employment at one institution: a is an answer about that
// institution alone, b one that may mix several. Before is what a says and After what b says. Only what both give is compared,
// because a value that one of them never gives is no contradiction; a record in one of them only always counts.
func BetweenSources(a History, institution string, b History) []Change {
	a.Records, b.Records = at(a.Records, institution), at(b.Records, institution)
	return slices.DeleteFunc(Difference(a, b), func(c Change) bool {
		switch c.Kind {
		case BaseSalary, Monthly, EmployerName, Field:
			return c.Before == "" || c.After == ""
		}
		return false
	})
}

// at gives the records of an institution, and those of which it is not said whose they are, in one spelling.
func at(records []Record, institution string) []Record {
	var list []Record
	for _, r := range records {
		if r.Institution == "" || strings.EqualFold(r.Institution, institution) {
			r.Institution = institution
			list = append(list, r)
		}
	}
	return list
}
