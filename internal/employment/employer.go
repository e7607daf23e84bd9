package employment

import (
	"strings"

	"cotejo/internal/curp"
)

// Fold brings the spellings of an employer's name that count as one to one text, "" for no name. It is for comparing, not
// for showing: what a person reads is the name as received.
func Fold(name string) string { return normal(name) }

// FoldRegistration brings a registro patronal to the ten characters that sources agree on: the eleventh is its check digit,
// which some give and some do not (docs/vendor.md#registro-patronal).
func FoldRegistration(s string) string {
	s = curp.Clean(s)
	if len(s) == 11 {
		return s[:10]
	}
	return s
}

// Employers tells employers apart: for each record the number of its employer, an index among the records, or -1 when it is
// not told. Records belong to one employer when their names fold alike or their registrations are the same, directly or
// through a third record: companies change names, and one company has several registrations (docs/figures.md, Employer).
func Employers(records []Record) []int {
	group := make([]int, len(records))
	first := map[string]int{}
	var find func(i int) int
	find = func(i int) int {
		if group[i] != i {
			group[i] = find(group[i])
		}
		return group[i]
	}
	for i, r := range records {
		group[i] = i
		for _, key := range []string{"name " + Fold(r.Employer), "registration " + FoldRegistration(r.Registration)} {
			if strings.HasSuffix(key, " ") {
				continue
			}
			if j, known := first[key]; known {
				group[find(i)] = find(j)
			} else {
				first[key] = i
			}
		}
	}
	for i, r := range records {
		group[i] = find(i)
		if Fold(r.Employer) == "" && FoldRegistration(r.Registration) == "" {
			group[i] = -1
		}
	}
	return group
}
