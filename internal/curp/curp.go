package curp

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// Length is the number of characters of a CURP.
const Length = 18

// CURP is a text that has the form of a CURP. The zero value is none.
//
// Printing it through fmt or slog shows it masked, whatever the verb: a CURP in
// a log line is a leak that nobody notices. String is the explicit way to the
// 18 characters.
type CURP struct{ text string }

// clockless is later than any birth a CURP can spell (they end in 2099), so
// that Parse judges form alone.
var clockless = time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)

// Parse cleans s and checks the rules of form. What only warns does not fail,
// and neither does a birth in the future: Parse has no clock, because a CURP
// read back from the database must parse on any day. Input from a person goes
// through Explain first. The error is a *FormatError.
func Parse(s string) (CURP, error) {
	c := Explain(s, clockless)
	if c.Verdict == Block || c.Verdict == Short {
		return CURP{}, &FormatError{Reason: c.Headline}
	}
	return CURP{text: c.Text}, nil
}

// FormatError says why a text is no CURP. Its message names the rule only;
// neither the text nor a piece of it is in there.
type FormatError struct{ Reason Reason }

func (e *FormatError) Error() string { return "not a CURP: " + e.Reason.ID }

// String returns the 18 characters, for the vendor and the database; "" for the
// zero value.
func (c CURP) String() string { return c.text }

// IsZero reports whether c holds no CURP.
func (c CURP) IsZero() bool { return c.text == "" }

// Format prints the masked form for every verb, %s and %#v included.
func (c CURP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask(c.text)) }

// LogValue is the masked form, for slog.
func (c CURP) LogValue() slog.Value { return slog.StringValue(Mask(c.text)) }

// Birth is the date of birth at midnight UTC, a calendar date never to be
// shifted into a zone. Position 17 gives the century.
func (c CURP) Birth() time.Time {
	if c.IsZero() {
		return time.Time{}
	}
	year := 1900 + number(c.text[4:6])
	if !isDigit(rune(c.text[16])) {
		year += 100
	}
	return date(year, number(c.text[6:8]), number(c.text[8:10]))
}

// Sex is "H" (hombre), "M" (mujer) or "X" (neither).
func (c CURP) Sex() string {
	if c.IsZero() {
		return ""
	}
	return c.text[10:11]
}

// State is the two-letter code of the state of birth; "NE" for born abroad.
func (c CURP) State() string {
	if c.IsZero() {
		return ""
	}
	return c.text[11:13]
}

const dot = "•"

// Mask hides the ten characters in the middle of a CURP, where the birth date,
// the sex and the state are: GATA••••••••••LLA7. Anything but 18 plain letters
// and digits is not known to be a CURP and is hidden whole, its length included.
func Mask(s string) string {
	if s == "" {
		return ""
	}
	if len(s) != Length || strings.ContainsFunc(s, notPlain) {
		return strings.Repeat(dot, Length)
	}
	return s[:4] + strings.Repeat(dot, 10) + s[14:]
}

// pasted are characters that come along when an identifier is copied from a
// document: hyphens of every width, soft hyphens, zero-width marks.
const pasted = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\u200b\u200c\u200d\u2060\ufeff"

// Clean brings a typed or pasted identifier to the form the rules speak of:
// upper case, no spaces, no hyphens, Ñ as one character even where the sender
// (macOS file names, some PDFs) spells it as N and a combining tilde.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(pasted, r) {
			return -1
		}
		return r
	}, s)
	return strings.ReplaceAll(strings.ToUpper(s), "N\u0303", "Ñ")
}
