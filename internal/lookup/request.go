package lookup

import (
	"strings"
	"time"
	"unicode/utf8"

	"cotejo/internal/curp"
)

// Form is what a person typed into the lookup form, kept as typed so that a refused form can be shown again.
type Form struct {
	CURP      string // or an RFC, where the source takes one
	Platform  string // whom to ask: imss and issste through Palenca, all through Buró
	Reference string // the analyst's own reference; the vendor never sees it
	Consent   bool   // "I hold this person's express consent"
	Means     string // how consent was given, one of consent.Means
	Confirm   string // "check_digit" when the analyst insists on an identifier with a doubtful digit
}

// Dialect tells through which vendor the form's source is asked.
func (f Form) Dialect() Dialect {
	if Platform(f.Platform) == AllSources {
		return Buro
	}
	return Palenca
}

// Explain reads the identifier. What is an RFC is recognised whatever the source, so that the form can say why it will not do.
func (f Form) Explain(today time.Time) curp.Check { return curp.ExplainEither(f.CURP, today) }

// ConfirmCheckDigit is the value of Form.Confirm that lets a CURP with warnings through.
const ConfirmCheckDigit = "check_digit"

// MaxReference is the longest own reference, in characters.
const MaxReference = 80

// Problem is one thing wrong with a form: the field, and the message to show there.
type Problem struct {
	Field string
	ID    string
	Args  []any
}

// Check judges the form as of today. With no problems, confirm tells whether the analyst has still to confirm a
// warning about the CURP before anything is sent.
func (f Form) Check(today time.Time) (check curp.Check, problems []Problem, confirm bool) {
	check = f.Explain(today)
	switch {
	case strings.TrimSpace(f.CURP) == "":
		problems = append(problems, Problem{Field: "curp", ID: "lookups.form.curp_missing"})
	case check.IsRFC && f.Dialect() != Buro:
		problems = append(problems, Problem{Field: "curp", ID: "lookups.form.rfc_elsewhere"})
	case check.RFC == curp.RFCGeneric:
		problems = append(problems, Problem{Field: "curp", ID: check.Headline.ID})
	case check.Blocked():
		problems = append(problems, Problem{Field: "curp", ID: check.Headline.ID, Args: check.Headline.Args})
	case check.Verdict == curp.Short && check.IsRFC:
		problems = append(problems, Problem{Field: "curp", ID: "curp.rfc.short", Args: check.Headline.Args})
	case check.Verdict == curp.Short:
		// While it is typed an unfinished CURP is no fault; sent, it is.
		n := utf8.RuneCountInString(check.Text)
		problems = append(problems, Problem{Field: "curp", ID: "curp.reason.short", Args: []any{"Count", curp.Length - n, "Total", n}})
	case check.Warned() && f.Confirm != ConfirmCheckDigit:
		confirm = true
	}
	if p := Platform(f.Platform); !p.Requestable() && p != AllSources {
		problems = append(problems, Problem{Field: "platform", ID: "lookups.form.platform_missing"})
	}
	if utf8.RuneCountInString(f.Reference) > MaxReference {
		problems = append(problems, Problem{Field: "external_id", ID: "lookups.form.reference_long", Args: []any{"Max", MaxReference}})
	}
	if !f.Consent {
		problems = append(problems, Problem{Field: "consent", ID: "lookups.form.consent_missing"})
	}
	return check, problems, confirm && len(problems) == 0
}
