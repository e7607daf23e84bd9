package curp

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// NSSLength is the number of digits of an NSS.
const NSSLength = 11

// NSS is a social security number as the source gave it, whatever its form: it
// stays a string for its leading zeros. fmt and slog show it masked; string(n)
// is the explicit way to the digits.
type NSS string

// Format prints the masked form for every verb.
func (n NSS) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, MaskNSS(string(n))) }

// LogValue is the masked form, for slog.
func (n NSS) LogValue() slog.Value { return slog.StringValue(MaskNSS(string(n))) }

// MaskNSS leaves the last four of eleven digits: •••••••4417. Anything else is
// hidden whole, its length included; "" stays "".
func MaskNSS(s string) string {
	if s == "" {
		return ""
	}
	if len(s) != NSSLength || strings.ContainsFunc(s, notDigit) {
		return strings.Repeat(dot, NSSLength)
	}
	return strings.Repeat(dot, 7) + s[7:]
}

func notDigit(r rune) bool { return !isDigit(r) }

// NSSCheck is what a typed NSS says: two digits each for the subdelegation, the
// year of registration and the year of birth, four in sequence, one check digit.
// The verdict is never Block: the source may hold numbers that break the rules
// (docs/vendor.md#nss), so what is odd is a hint. The fields are set when the
// text has eleven digits.
type NSSCheck struct {
	Text          string
	Verdict       Verdict
	Headline      Reason
	Subdelegation string
	Registered    string // YY, century not told
	Born          string // YY; 97 also stands for unknown in old numbers
}

// String leaves the number out.
func (c NSSCheck) String() string { return c.Verdict.String() + ": " + c.Headline.ID }

// LogValue leaves the number out, for slog.
func (c NSSCheck) LogValue() slog.Value { return slog.StringValue(c.String()) }

// ExplainNSS cleans s and compares its form and check digit (Luhn over the
// first ten).
func ExplainNSS(s string) NSSCheck {
	c := NSSCheck{Text: Clean(s), Verdict: Warn}
	text := []rune(c.Text)
	for i, r := range text {
		if !isDigit(r) {
			c.Headline = Reason{"curp.nss.digit_wanted", []any{"Position", i + 1, "Got", show(r)}}
			return c
		}
	}
	switch missing := NSSLength - len(text); {
	case len(text) == 0:
		c.Verdict, c.Headline = Short, Reason{ID: "curp.nss.empty"}
		return c
	case missing > 0:
		c.Verdict, c.Headline = Short, Reason{"curp.nss.short", []any{"Count", missing, "Total", len(text)}}
		return c
	case missing < 0:
		c.Headline = Reason{"curp.nss.too_long", []any{"Count", -missing, "Total", len(text)}}
		return c
	}
	c.Subdelegation, c.Registered, c.Born = c.Text[:2], c.Text[2:4], c.Text[4:6]
	if want := luhn(c.Text[:10]); want != c.Text[10] {
		c.Headline = Reason{"curp.nss.digit_differs", []any{"Expected", string(want), "Got", c.Text[10:]}}
		return c
	}
	c.Verdict, c.Headline = Pass, Reason{ID: "curp.nss.pass"}
	return c
}

// BirthDiffers reports that the number names another year of birth than the
// CURP: a hint that it may be somebody else's.
func (c NSSCheck) BirthDiffers(birth time.Time) bool {
	return c.Born != "" && c.Born != "97" && number(c.Born) != birth.Year()%100
}

// luhn doubles every second digit from the left; with ten digits that is the
// usual direction from the right too.
func luhn(ten string) byte {
	sum := 0
	for i, r := range ten {
		n := int(r-'0') * (1 + i%2)
		sum += n/10 + n%10
	}
	return byte('0' + (10-sum%10)%10)
}
