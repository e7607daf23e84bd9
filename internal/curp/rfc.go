package curp

import (
	"log/slog"
	"strings"
	"time"
)

// RFCKind is whom an RFC stands for.
type RFCKind int

const (
	RFCUnknown RFCKind = iota // the fourth character, which tells, is not there or is wrong
	RFCPerson                 // 13 characters
	RFCCompany                // 12
	RFCGeneric                // XAXX010101000 or XEXX010101000: nobody in particular
)

// RFCCheck is what a typed RFC says. A letter out of place or a date that does
// not exist blocks; the check character and the generic RFCs warn, because the
// SAT itself has issued numbers that break the rule (docs/vendor.md#rfc).
type RFCCheck struct {
	Text     string
	Kind     RFCKind
	Verdict  Verdict
	Headline Reason
	Date     string // YYMMDD of birth or foundation, once all of it is there and exists
}

// Blocked reports that the text cannot become an RFC by typing on.
func (c RFCCheck) Blocked() bool { return c.Verdict == Block }

// String leaves the RFC out, which holds a birth date.
func (c RFCCheck) String() string { return c.Verdict.String() + ": " + c.Headline.ID }

// LogValue leaves the RFC out, for slog.
func (c RFCCheck) LogValue() slog.Value { return slog.StringValue(c.String()) }

// BirthDiffers reports that a person's RFC names another birth date than the
// CURP. The letters are not compared: the SAT keeps Ñ and drops other vowels.
func (c RFCCheck) BirthDiffers(birth time.Time) bool {
	return c.Kind == RFCPerson && c.Date != "" && c.Date != birth.Format("060102")
}

// ExplainRFC cleans s and reads it: 4 letters (a person) or 3 (a company), six
// digits of a date, two characters to tell namesakes apart, one check character.
// Partial input is welcome. Its date has no century, so none of them is future.
func ExplainRFC(s string) RFCCheck {
	c := RFCCheck{Text: Clean(s)}
	text := []rune(c.Text)
	full := 13
	switch {
	case len(text) > 3 && isDigit(text[3]):
		c.Kind, full = RFCCompany, 12
	case len(text) > 3 && isRFCLetter(text[3]):
		c.Kind = RFCPerson
	}
	if c.Text == "XAXX010101000" || c.Text == "XEXX010101000" {
		c.Kind, c.Date, c.Verdict, c.Headline = RFCGeneric, "010101", Warn, Reason{ID: "curp.rfc.generic"}
		return c
	}
	c.Verdict, c.Headline = c.judge(text, full)
	return c
}

// judge fills Date and returns the verdict, faults in the order of the text.
func (c *RFCCheck) judge(text []rune, full int) (Verdict, Reason) {
	if extra := len(text) - full; extra > 0 {
		return Block, Reason{"curp.rfc.too_long", []any{"Count", extra, "Total", len(text), "Full", full}}
	}
	head := full - 9
	for i, r := range text {
		if id := rfcFault(i, head, r); id != "" {
			return Block, Reason{id, []any{"Position", i + 1, "Got", show(r)}}
		}
	}
	if len(text) >= head+6 {
		day := string(text[head : head+6])
		if !someDay(day) {
			return Block, Reason{"curp.rfc.date_absent", []any{"Date", day}}
		}
		c.Date = day
	}
	switch missing := full - len(text); {
	case len(text) == 0:
		return Short, Reason{ID: "curp.rfc.empty"}
	case missing > 0:
		return Short, Reason{"curp.rfc.short", []any{"Count", missing, "Total", len(text)}}
	}
	got := text[full-1]
	if want := rfcCheck(text[:full-1]); want != got {
		return Warn, Reason{"curp.rfc.digit_differs", []any{"Expected", string(want), "Got", string(got)}}
	}
	if c.Kind == RFCCompany {
		return Pass, Reason{ID: "curp.rfc.pass_company"}
	}
	return Pass, Reason{ID: "curp.rfc.pass_person"}
}

// MaskRFC hides the date in the middle of an RFC: GODE••••••GR8. Anything else is hidden whole, its length included; ""
// stays "".
func MaskRFC(s string) string {
	head := len([]rune(s)) - 9
	switch c := ExplainRFC(s); {
	case s == "":
		return ""
	case c.Text != s || c.Verdict == Block || c.Verdict == Short:
		return strings.Repeat(dot, 13)
	}
	text := []rune(s)
	return string(text[:head]) + strings.Repeat(dot, 6) + string(text[head+6:])
}

// rfcFault names what is wrong with r at index i, after head letters; "" if nothing.
func rfcFault(i, head int, r rune) string {
	switch {
	case i < head && !isRFCLetter(r):
		return "curp.rfc.letter_wanted"
	case i >= head && i < head+6 && !isDigit(r):
		return "curp.rfc.digit_wanted"
	case i >= head+6 && i < head+8 && !isDigit(r) && !isLetter(r):
		return "curp.rfc.symbol"
	case i == head+8 && !isDigit(r) && r != 'A':
		return "curp.rfc.check_wanted"
	}
	return ""
}

// isRFCLetter holds for the first letters: unlike the CURP, an RFC keeps Ñ, and
// a company's may hold an ampersand.
func isRFCLetter(r rune) bool { return isLetter(r) || r == 'Ñ' || r == '&' }

// someDay reports whether YYMMDD exists in the 1900s or in the 2000s.
func someDay(s string) bool {
	yy, month, day := number(s[:2]), number(s[2:4]), number(s[4:])
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	return date(1900+yy, month, day).Day() == day || date(2000+yy, month, day).Day() == day
}

// rfcRank differs from the CURP's alphabet: the ampersand stands where the CURP
// has Ñ, and the space that fills up a company's RFC comes last but one.
var rfcRank = ranks("0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ")

// rfcCheck computes the last character from the 12 (or 11) before it.
func rfcCheck(before []rune) rune {
	sum := 0
	for i, r := range []rune(strings.Repeat(" ", 12-len(before)) + string(before)) {
		sum += rfcRank[r] * (13 - i)
	}
	return []rune("0A987654321")[sum%11]
}
