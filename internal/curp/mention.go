package curp

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// gap is what Clean takes out, and the second half of an Ñ that is spelled as two characters.
const gap = `[\s\v\x{85}\p{Z}\-\x{ad}\x{2010}-\x{2014}\x{2212}\x{200b}-\x{200d}\x{2060}\x{feff}\x{303}]*`

var (
	// Written in one piece the form is enough, whatever is wrong with the rest.
	inOnePiece = regexp.MustCompile(`(?i)[A-ZÑ&]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]|\b[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{2}[0-9A]\b`)
	// In groups, pieces of a sentence may fall into the form ("corte 220126 una"), so there the rules judge as well.
	curpInGroups = spaced(`[A-Z]`, 4, `[0-9]`, 6, `[HMX]`, 1, `[A-Z]`, 5, `[0-9A-Z]`, 1, `[0-9]`, 1)
	rfcInGroups  = spaced(`[A-ZÑ&]`, 4, `[0-9]`, 6, `[A-Z0-9]`, 2, `[0-9A]`, 1)
	digitGroups  = regexp.MustCompile(`[0-9](?:` + gap + `[0-9])*`)
	digitGroup   = regexp.MustCompile(`[0-9]+`)
	// What has groups of digits and stands for nobody: UUIDs, hashes, dates.
	nobodys = regexp.MustCompile(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32,}\b|\b(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\b`)
)

// spaced makes an expression of classes and counts, with a gap between any two characters.
func spaced(pairs ...any) *regexp.Regexp {
	var classes []string
	for pair := range slices.Chunk(pairs, 2) {
		classes = append(classes, slices.Repeat([]string{pair[0].(string)}, pair[1].(int))...)
	}
	return regexp.MustCompile(`(?i)` + strings.Join(classes, gap))
}

// Mentions tells whether a text holds a CURP, a person's RFC or the eleven digits of an NSS, in any spelling that Clean brings
// to one: with spaces and hyphens, and with letters right before the digits. For texts that are kept for ever, or stand where
// many look.
func Mentions(text string) bool { return len(mentions(text)) > 0 }

// Redact puts … for everything that Mentions finds.
func Redact(text string) string {
	var b strings.Builder
	done := 0
	for _, m := range mentions(text) {
		if m[1] > done {
			if m[0] >= done {
				b.WriteString(text[done:m[0]] + "…")
			}
			done = m[1]
		}
	}
	return b.String() + text[done:]
}

// mentions gives where they begin and end, in order; they may overlap.
func mentions(text string) (list [][]int) {
	// As long as what they stand for, so that places in one text are places in the other.
	text = nobodys.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(".", len(s)) })
	list = inOnePiece.FindAllStringIndex(text, -1)
	list = append(list, among(text, curpInGroups, func(s string) bool { return !Explain(s, clockless).Blocked() })...)
	list = append(list, among(text, rfcInGroups, func(s string) bool { return ExplainRFC(s).Verdict == Pass })...)
	list = append(list, numbers(text)...)
	slices.SortFunc(list, func(a, b []int) int { return slices.Compare(a, b) })
	return list
}

// among gives those matches of a form that are what they look like.
func among(text string, form *regexp.Regexp, is func(string) bool) (list [][]int) {
	for from := 0; ; {
		m := form.FindStringIndex(text[from:])
		if m == nil {
			return list
		}
		begin, end := from+m[0], from+m[1]
		if is(text[begin:end]) {
			list, from = append(list, []int{begin, end}), end
		} else {
			_, width := utf8.DecodeRuneInString(text[begin:])
			from = begin + width
		}
	}
}

// numbers gives the stretches of neighbouring groups of digits that come to the length of an NSS, whatever other numbers stand
// beside them.
func numbers(text string) (list [][]int) {
	for _, run := range digitGroups.FindAllStringIndex(text, -1) {
		groups := digitGroup.FindAllStringIndex(text[run[0]:run[1]], -1)
		for first := 0; first < len(groups); first++ {
			n := 0
			for last := first; last < len(groups) && n < NSSLength; last++ {
				if n += groups[last][1] - groups[last][0]; n == NSSLength {
					list = append(list, []int{run[0] + groups[first][0], run[0] + groups[last][1]})
					first = last
				}
			}
		}
	}
	return list
}
