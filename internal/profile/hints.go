package profile

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"cotejo/internal/curp"
)

// Hint is one comparison of what was asked with what the sources say. It is a reason to look again, never a verdict:
// every rule compared here has exceptions that an authority itself has issued (docs/vendor.md#curp, #nss, #rfc,
// #registro-patronal). Nothing in a hint is personal: it says what agrees, not what it is.
type Hint struct {
	Kind   HintKind `json:"kind"`
	Result Result   `json:"result"`
	Count  int      `json:"count,omitempty"` // of Of, where several things were compared
	Of     int      `json:"of,omitempty"`
}

// HintKind is what was compared. With its Result it has a sentence in the message files, under hints.
type HintKind string

const (
	HintCURP         HintKind = "curp"         // the one asked about with the one in the profile
	HintName         HintKind = "name"         // CURP with the letters of the name
	HintBirth        HintKind = "birth"        // CURP with the date of birth
	HintSex          HintKind = "sex"          // CURP with the sex
	HintNSS          HintKind = "nss"          // check digit, and the year of birth in it
	HintRFC          HintKind = "rfc"          // check digit
	HintRFCCURP      HintKind = "rfc_curp"     // the first ten characters of both
	HintRegistration HintKind = "registration" // shape of the employers' registrations
)

// HintKinds lists them in the order in which they are read.
var HintKinds = []HintKind{HintCURP, HintName, HintBirth, HintSex, HintNSS, HintRFC, HintRFCCURP, HintRegistration}

// Result is how a comparison came out.
type Result string

const (
	Agrees     Result = "agrees"
	Differs    Result = "differs"
	Initials   Result = "initials"   // a name: positions 1 to 4 differ
	Consonants Result = "consonants" // a name: positions 14 to 16 differ
	Form       Result = "form"       // a number: not of the usual form
	Digit      Result = "digit"      // a number: the check digit differs
	Year       Result = "year"       // an NSS: another year of birth
	Generic    Result = "generic"    // an RFC that stands for nobody in particular
	Absent     Result = "absent"     // one of the two is not given
)

// Compared tells whether there was anything to compare.
func (h Hint) Compared() bool { return h.Result != Absent }

// Hints compares the CURP asked about with a profile and with the registrations of its employers. When an RFC was asked
// about, asked is "" and the profile's own CURP is taken.
//
// The sources give no sex, and one is not guessed from a given name.
func Hints(asked string, p Profile, registrations []string) []Hint {
	own := curp.Clean(p.id("curp", "national"))
	c, err := curp.Parse(asked)
	if err != nil {
		c, _ = curp.Parse(own)
	}
	return []Hint{
		{Kind: HintCURP, Result: same(asked, own)},
		{Kind: HintName, Result: nameHint(c, p)},
		{Kind: HintBirth, Result: birthHint(c, p.Birthday)},
		{Kind: HintSex, Result: Absent},
		{Kind: HintNSS, Result: nssHint(c, p.NSS())},
		{Kind: HintRFC, Result: rfcHint(p.RFC())},
		{Kind: HintRFCCURP, Result: rfcAgainst(c, p.RFC())},
		registrationHint(registrations),
	}
}

func same(a, b string) Result {
	switch {
	case a == "" || b == "":
		return Absent
	case a == b:
		return Agrees
	}
	return Differs
}

func birthHint(c curp.CURP, birthday time.Time) Result {
	if c.IsZero() || birthday.IsZero() {
		return Absent
	}
	return same(c.Birth().Format(time.DateOnly), birthday.Format(time.DateOnly))
}

func nssHint(c curp.CURP, nss string) Result {
	if nss == "" {
		return Absent
	}
	n := curp.ExplainNSS(nss)
	switch {
	case n.Born == "":
		return Form
	case n.Verdict != curp.Pass:
		return Digit
	case !c.IsZero() && n.BirthDiffers(c.Birth()):
		return Year
	}
	return Agrees
}

func rfcHint(rfc string) Result {
	if rfc == "" {
		return Absent
	}
	r := curp.ExplainRFC(rfc)
	switch {
	case r.Kind == curp.RFCGeneric:
		return Generic
	case r.Verdict == curp.Pass:
		return Agrees
	case r.Verdict == curp.Warn:
		return Digit
	}
	return Form
}

// rfcAgainst compares the ten characters that a person's RFC and CURP are both made of.
func rfcAgainst(c curp.CURP, rfc string) Result {
	r := curp.ExplainRFC(rfc)
	if c.IsZero() || r.Kind != curp.RFCPerson || r.Verdict == curp.Block || r.Verdict == curp.Short {
		return Absent
	}
	// A CURP has X where an RFC keeps Ñ.
	return same(c.String()[:10], string([]rune(strings.ReplaceAll(r.Text, "Ñ", "X"))[:10]))
}

func registrationHint(registrations []string) Hint {
	h := Hint{Kind: HintRegistration, Result: Absent}
	for _, r := range registrations {
		if r == "" {
			continue
		}
		h.Of++
		if _, usual := curp.RegistroPatronal(r); !usual {
			h.Count++
		}
	}
	switch {
	case h.Count > 0:
		h.Result = Form
	case h.Of > 0:
		h.Result = Agrees
	}
	return h
}

// particles are passed over where letters of a name are taken, and given names that so many people have are when
// another follows (Instructivo normativo para la asignación de la CURP, DOF 2021-10-18, annex).
var (
	particles = strings.Fields("DA DAS DE DEL DER DI DIE DD EL LA LAS LE LES LOS MAC MC VAN VON Y")
	passed    = strings.Fields("MARIA MA M JOSE J")
)

// nameHint compares the letters that a CURP takes from a name. Two surnames come as one text, and either may be of
// several words; so any of the words after the first may begin the second surname, and the best fit counts.
func nameHint(c curp.CURP, p Profile) Result {
	surnames, given := words(p.LastName), words(p.FirstName)
	if c.IsZero() || len(surnames) == 0 || len(given) == 0 {
		return Absent
	}
	name := given[0]
	if len(given) > 1 && slices.Contains(passed, name) {
		name = given[1]
	}
	seconds := surnames[1:]
	if len(seconds) == 0 {
		seconds = []string{""}
	}
	result := Initials
	for _, second := range seconds {
		text := c.String()
		vowel := text[1] == 'X' || text[1] == inner(surnames[0], true) // X also stands for a letter changed to avoid a word
		if text[0] != initial(surnames[0]) || !vowel || text[2] != initial(second) || text[3] != initial(name) {
			continue
		}
		if text[13] == inner(surnames[0], false) && text[14] == inner(second, false) && text[15] == inner(name, false) {
			return Agrees
		}
		result = Consonants
	}
	return result
}

// words are the words of a name that count, in capitals without accents; Ñ stays for now.
func words(name string) []string {
	name = strings.ReplaceAll(strings.ToUpper(norm.NFC.String(name)), "Ñ", "\x00")
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x300 && r < 0x370: // a combining mark: the accent
			return -1
		case r == '-' || r == '.' || r == '\u00a0':
			return ' '
		}
		return r
	}, norm.NFD.String(name))
	all := strings.Fields(name)
	rest := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(particles, w) })
	if len(rest) == 0 {
		return all
	}
	return rest
}

// initial is the first letter as a CURP has it: X for one that is not there or not from A to Z.
func initial(word string) byte {
	if word == "" {
		return 'X'
	}
	return plain(word[0])
}

// inner is the first vowel or consonant after the first letter, X without one.
func inner(word string, vowel bool) byte {
	for i := 1; i < len(word); i++ {
		if strings.ContainsRune("AEIOU", rune(word[i])) == vowel {
			return plain(word[i])
		}
	}
	return 'X'
}

func plain(b byte) byte {
	if b < 'A' || b > 'Z' {
		return 'X'
	}
	return b
}
