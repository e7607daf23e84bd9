package curp

import (
	"strings"
	"time"
)

// ExplainEither reads s as a CURP or as an RFC, for a source that answers for both. A person's begin alike, so an unfinished
// text is taken for a CURP until it cannot be one; no finished text is both, because position 13 is a letter in every CURP
// and a digit or A in an RFC, and no state's code ends in A.
func ExplainEither(s string, today time.Time) Check {
	c := Explain(s, today)
	text := []rune(c.Text)
	company := len(text) > 3 && isDigit(text[3])
	onlyRFC := strings.ContainsAny(string(text[:min(4, len(text))]), "Ñ&")
	if !company && !onlyRFC && (len(text) <= 10 || len(text) > 13 || !c.Blocked()) {
		return c
	}
	r := ExplainRFC(s)
	if !company && !onlyRFC && len(text) < 13 && r.Blocked() {
		return c
	}
	return Check{Text: r.Text, RFC: r.Kind, IsRFC: true, Parts: r.parts(text), Verdict: r.Verdict, Headline: r.Headline}
}

// parts lists the stretches of an RFC reached so far. What is wrong is told by the headline; here the stretch is marked.
func (c RFCCheck) parts(text []rune) []Part {
	who, head := "person", 4
	if c.Kind == RFCCompany {
		who, head = "company", 3
	}
	bad, worst := c.at(text, head)
	var parts []Part
	for _, p := range []struct {
		name, note string
		from, to   int
	}{
		{"letters", "letters_" + who, 0, head},
		{"date", "date_" + who, head, head + 6},
		{"homoclave", "homoclave", head + 6, head + 8},
		{"digit", "digit", head + 8, head + 9},
	} {
		if len(text) <= p.from {
			break
		}
		part := Part{Name: p.name, Text: string(text[p.from:min(p.to, len(text))]), Verdict: Pass, Reason: Reason{ID: "curp.rfc_part." + p.note}}
		switch {
		case bad >= p.from && bad < p.to:
			part.Verdict = worst
		case len(text) < p.to:
			part.Verdict = Short
		}
		parts = append(parts, part)
	}
	return parts
}

// at gives the index of what the verdict is about, -1 when it is no single character's, and how bad that is.
func (c RFCCheck) at(text []rune, head int) (int, Verdict) {
	switch c.Headline.ID {
	case "curp.rfc.date_absent":
		return head, Block
	case "curp.rfc.digit_differs":
		return head + 8, Warn
	}
	for i, r := range text {
		if rfcFault(i, head, r) != "" {
			return i, Block
		}
	}
	return -1, Pass
}
