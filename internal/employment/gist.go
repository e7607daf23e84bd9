package employment

import (
	"strings"
	"time"

	"cotejo/internal/lookup"
)

// Gist puts a history into the one line that lists show. The current record is the open one that began last; two that
// began on one day are taken in the order received. Amounts stay as received.
func Gist(h History) lookup.Gist {
	g := lookup.Gist{Records: len(h.Records)}
	employers := make(map[int]bool)
	for i, employer := range Employers(h.Records) {
		if employer >= 0 {
			employers[employer] = true
		}
		// An end before its start may be either date's fault: nothing is told from it.
		if r := h.Records[i]; (r.Placed() || r.Start.IsZero()) && r.End.After(g.EndedOn) {
			g.EndedOn = r.End
		}
	}
	g.Employers = len(employers)
	i := Latest(h.Records)
	if i < 0 || !h.Records[i].Open() {
		return g
	}
	r := h.Records[i]
	g.CurrentName, g.Since, g.MonthlySalary = r.Employer, r.Start, r.Monthly
	g.EndedOn = time.Time{} // only told when nothing is open
	return g
}

// Latest gives the index of the record that tells most of today: the open one that began last, or, when none is open,
// the one that ended last; -1 without records.
func Latest(records []Record) int {
	best := -1
	for i, r := range records {
		if best < 0 || later(r, records[best]) {
			best = i
		}
	}
	return best
}

func later(a, b Record) bool {
	switch {
	case a.Open() != b.Open():
		return a.Open()
	case a.Open(), a.End.Equal(b.End):
		return a.Start.After(b.Start)
	}
	return a.End.After(b.End)
}

// normal folds the spellings of one employer's name that differ only in case, spacing, dots and commas: "ACME SA DE CV" and
// "Acme, S.A. de C.V." are one. Accents are kept; they do tell names apart.
func normal(name string) string {
	name = strings.NewReplacer(".", "", ",", " ", "\u00a0", " ").Replace(strings.ToUpper(name))
	return strings.Join(strings.Fields(name), " ")
}
