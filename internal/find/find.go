// Package find reads what somebody types into the search box: what it may mean, the likeliest meaning first, and the form in
// which each is looked for. It finds nothing itself; package db does.
package find

import (
	"log/slog"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"cotejo/internal/curp"
)

// Kind is what a text is taken for.
type Kind string

const (
	CURP      Kind = "curp"
	RFC       Kind = "rfc"
	NSS       Kind = "nss"
	Name      Kind = "name"
	Reference Kind = "reference"
	Employer  Kind = "employer"
)

// Kinds lists them in the order in which they are offered.
var Kinds = []Kind{CURP, RFC, NSS, Name, Reference, Employer}

// OfPeople tells whether what is found are people; else they are lookups.
func (k Kind) OfPeople() bool { return k == CURP || k == RFC || k == NSS || k == Name }

// Bounds of a text that is looked for, in characters.
const (
	Shortest = 2
	Longest  = 120
)

// Reading is one meaning of a text.
type Reading struct {
	Kind  Kind
	Key   string   // identifiers cleaned, in upper case; a reference as typed
	Words []string // of a name or employer, folded, each once
	Whole bool     // an identifier with all its characters; else its beginning
}

// LogValue keeps what was searched for out of logs.
func (r Reading) LogValue() slog.Value { return slog.StringValue(string(r.Kind)) }

// String keeps what was searched for out of errors.
func (r Reading) String() string { return string(r.Kind) }

var (
	// The beginning of a CURP that reaches into its date, so that no word of a name is one: letters, digits of a date, and what
	// follows as far as it was typed.
	curpBegins = regexp.MustCompile(`^[A-ZÑ]{4}[0-9]{1,6}$|^[A-ZÑ]{4}[0-9]{6}[HMX][A-Z]{0,5}$|^[A-ZÑ]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]?$`)
	rfcBegins  = regexp.MustCompile(`^[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{0,3}$`)
	digits     = regexp.MustCompile(`^[0-9]+$`)
)

// shortestNSS is how many digits the beginning of an NSS has at least: fewer would find half of the people.
const shortestNSS = 4

// Read gives the meanings that a text may have, the likeliest first. None: there is nothing to look for, since it is too
// short, too long, or holds no letter or digit.
func Read(text string) []Reading {
	text = strings.Join(strings.Fields(text), " ")
	words := Words(text)
	if n := utf8.RuneCountInString(text); n < Shortest || n > Longest || !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return nil
	}
	id := curp.Clean(text)
	name, employer := Reading{Kind: Name, Words: words}, Reading{Kind: Employer, Words: words}
	reference := Reading{Kind: Reference, Key: text}
	switch {
	case digits.MatchString(id):
		nss := Reading{Kind: NSS, Key: id, Whole: len(id) == curp.NSSLength}
		switch {
		case nss.Whole:
			return []Reading{nss, reference}
		case len(id) >= shortestNSS && len(id) < curp.NSSLength:
			return []Reading{reference, nss, employer}
		}
		return []Reading{reference, employer}
	case curpBegins.MatchString(id):
		list := []Reading{{Kind: CURP, Key: id, Whole: len(id) == curp.Length}}
		if mayBeRFC(id) {
			list = append(list, Reading{Kind: RFC, Key: id})
		}
		return append(list, reference)
	case mayBeRFC(id):
		return []Reading{{Kind: RFC, Key: id, Whole: wholeRFC(id)}, reference}
	case len(words) == 0: // letters that nothing is folded to, of another script
		return []Reading{reference}
	case strings.ContainsFunc(text, unicode.IsDigit):
		return []Reading{reference, employer}
	}
	return []Reading{name, employer, reference}
}

// mayBeRFC tells whether an RFC may begin so: letters and a day that there is, which keeps folio numbers like SOL-2026-0014 out.
func mayBeRFC(id string) bool { return rfcBegins.MatchString(id) && !curp.ExplainRFC(id).Blocked() }

// wholeRFC tells whether an RFC has the characters after its date: nine follow a company's three letters or a person's four.
func wholeRFC(id string) bool {
	rest := strings.TrimLeftFunc(id, func(r rune) bool { return !unicode.IsDigit(r) })
	return utf8.RuneCountInString(rest) == 9
}

// Fold makes accents, case and punctuation count for nothing: runs of a-z and 0-9, one space between them. The schema's
// function of this name says the same of what is stored.
func Fold(text string) string {
	var out strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(text) {
		switch {
		case r >= 0x300 && r <= 0x36f:
			continue
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		default:
			gap = true
			continue
		}
		if gap && out.Len() > 0 {
			out.WriteByte(' ')
		}
		gap = false
		out.WriteRune(r)
	}
	return out.String()
}

// Words gives the folded words of a text, each once.
func Words(text string) []string {
	var words []string
	seen := map[string]bool{}
	for _, w := range strings.Fields(Fold(text)) {
		if !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	return words
}

// wholeWord is up to how many letters a word is looked for as it is: as a beginning, "de" or "s" would find almost everybody.
const wholeWord = 2

// Query spells words for PostgreSQL's text search: all of them, in any order, long ones also as the beginning of a word.
// Folded words hold nothing that its syntax could mistake.
func Query(words []string) string {
	return query(words, func(w string) string {
		if len(w) > wholeWord {
			return "'" + w + "':*"
		}
		return "'" + w + "'"
	})
}

// Beginnings spells the same question for an index that holds each beginning of a long word as a word (word_beginnings, in
// the migrations).
func Beginnings(words []string) string {
	return query(words, func(w string) string { return "'" + w + "'" })
}

func query(words []string, spell func(string) string) string {
	terms := make([]string, len(words))
	for i, w := range words {
		terms[i] = spell(w)
	}
	return strings.Join(terms, " & ")
}
