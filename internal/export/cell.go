package export

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text is a cell that holds what somebody wrote, a source or a colleague. It is neutralised on the way out.
type Text string

// MarshalCSV is called by gocsv.
func (t Text) MarshalCSV() (string, error) { return neutral(string(t)), nil }

// Amount is a number as received, digit by digit. Only if it is no plain number is it treated like text: a negative one
// must stay a number, although it begins with a minus sign.
type Amount string

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// MarshalCSV is called by gocsv.
func (a Amount) MarshalCSV() (string, error) {
	if decimal.MatchString(string(a)) {
		return string(a), nil
	}
	return neutral(string(a)), nil
}

// Day is a calendar date, written YYYY-MM-DD; the zero one is an empty cell.
type Day time.Time

// MarshalCSV is called by gocsv.
func (d Day) MarshalCSV() (string, error) {
	if time.Time(d).IsZero() {
		return "", nil
	}
	return time.Time(d).Format(time.DateOnly), nil
}

// Moment is a point in time, written in UTC to the second (RFC 3339); the zero one is an empty cell.
type Moment time.Time

// MarshalCSV is called by gocsv.
func (m Moment) MarshalCSV() (string, error) {
	if time.Time(m).IsZero() {
		return "", nil
	}
	return time.Time(m).UTC().Format(time.RFC3339), nil
}

// Milli is a point in time in UTC to the millisecond (RFC 3339): deliveries come within the same second.
type Milli time.Time

// MarshalCSV is called by gocsv.
func (m Milli) MarshalCSV() (string, error) {
	if time.Time(m).IsZero() {
		return "", nil
	}
	return time.Time(m).UTC().Format("2006-01-02T15:04:05.000Z07:00"), nil
}

// neutral makes a text safe to open in a spreadsheet: text that would begin a formula gets a leading apostrophe (OWASP,
// "CSV Injection"), and control characters other than tab and line feed, which no reader shows, are dropped. An
// apostrophe is put before everything that begins a formula once leading space, quotes and apostrophes are taken off,
// so the original comes back by taking off exactly one.
func neutral(s string) string {
	s = clean(s)
	if active(s) {
		return "'" + s
	}
	return s
}

func clean(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r != '\n' && r != '\t' && unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}

// active tells whether a spreadsheet may take s for a formula. Readers differ in what they skip at the start: spaces,
// marks without width, quotes; and some fold full-width signs into plain ones. A tab or line end there is active by
// itself, because some readers split the cell at it.
func active(s string) bool {
	for _, r := range s {
		switch {
		case r == '\t', r == '\n':
			return true
		case strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", r):
			return true
		case !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && !strings.ContainsRune("\"'\u2018\u2019\u201c\u201d\uff02\uff07", r):
			return false
		}
	}
	return false
}

// needsQuotes is encoding/csv's own rule for a comma between fields: no field is quoted for what stands after its first
// character but for a comma, a quote or a line end.
func needsQuotes(field string) bool {
	if field == "" {
		return false
	}
	if field == `\.` || strings.ContainsAny(field, ",\"\r\n") {
		return true
	}
	first, _ := utf8.DecodeRuneInString(field)
	return unicode.IsSpace(first)
}
