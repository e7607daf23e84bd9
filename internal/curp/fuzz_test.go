package curp

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// form is the rule of form in one expression, written apart from the code; the
// date is left to the time package.
var form = regexp.MustCompile(`^[A-Z]{4}(\d{6})[HMX](?:AS|B[CS]|C[CHLMS]|D[FG]|G[RT]|HG|JC|M[CNS]|N[ELT]|OC|PL|Q[RT]|S[LPR]|T[CLS]|VZ|YN|ZS)[A-Z]{3}([A-Z\d])\d$`)

// usual is form with the vowel and the consonants in their places.
var usual = regexp.MustCompile(`^.[AEIOUX].{11}[B-DF-HJ-NP-TV-Z]{3}..$`)

// formed judges by the expression and the time package alone.
func formed(text string) (birth time.Time, ok bool) {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, false
	}
	century := "19"
	if m[2] >= "A" {
		century = "20"
	}
	birth, err := time.Parse("20060102", century+m[1])
	return birth, err == nil
}

func FuzzExplain(f *testing.F) {
	for _, s := range []string{"", "GATA000408HTLRLLA7", "OICE940722HGFRST08", "gata 000229", "GTTA991301XNEAEIÑZ", "ÑÁ\xff\u202e\u0303", "LALE870908HDFRPDA2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Explain(s, now)
		if again := Clean(c.Text); again != c.Text {
			t.Fatalf("cleaning %q twice gives %q, then %q", s, c.Text, again)
		}
		length := utf8.RuneCountInString(c.Text)
		birth, ok := formed(c.Text)
		ok = ok && !birth.After(now)
		if length >= Length && c.Blocked() == ok {
			t.Fatalf("%q: %v, yet the expression says %v", c.Text, c, ok)
		}
		if length < Length && c.Verdict != Short && c.Verdict != Block {
			t.Fatalf("%q is short and %v", c.Text, c.Verdict)
		}
		text, worst := "", Short
		for _, p := range c.Parts {
			text, worst = text+p.Text, max(worst, p.Verdict)
			if !strings.HasPrefix(p.Reason.ID, "curp.part.") || len(p.Reason.Args)%2 != 0 {
				t.Fatalf("%q: %s has reason %q", c.Text, p.Name, p.Reason.ID)
			}
		}
		if !strings.HasPrefix(c.Text, text) || utf8.RuneCountInString(text) != min(length, Length) {
			t.Fatalf("the parts of %q make %q", c.Text, text)
		}
		if length == Length && c.Verdict != worst {
			t.Fatalf("%q: %v, its worst part %v", c.Text, c.Verdict, worst)
		}
		if c.Verdict == Pass && !usual.MatchString(c.Text) || c.DigitOnly() && !c.Warned() {
			t.Fatalf("%q: %v", c.Text, c)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"GATA000408HTLRLLA7", "GATA990408HTLRLLA7", "gata-000408 htlrlla7", "GATA000229HTLRLL07", "GATA000408HTLRLLA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse(s)
		text := Clean(s)
		birth, ok := formed(text)
		if (err == nil) != ok {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			if _, clean := strings.CutPrefix(err.Error(), "not a CURP: curp.reason."); !clean || c != (CURP{}) {
				t.Fatalf("%v with %v", err, c.String())
			}
			return
		}
		if check := Explain(s, now); check.Blocked() != birth.After(now) {
			t.Fatalf("Parse took %q, and Explain says %v", text, check)
		}
		if c.String() != text || !c.Birth().Equal(birth) || c.Sex() == "" || !isState(c.State()) {
			t.Fatalf("%q: birth %v, sex %q, state %q", text, c.Birth(), c.Sex(), c.State())
		}
		if again, err := Parse(c.String()); err != nil || again != c {
			t.Fatalf("%q does not parse again: %v", text, err)
		}
	})
}

func FuzzMask(f *testing.F) {
	f.Add("GATA000408HTLRLLA7")
	f.Add("03179170729")
	f.Add("MARIA GARCIA LOPEZ")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Mask(s); s != "" && (strings.Count(got, dot) < 10 || len([]rune(got)) != Length || len(s) != Length && strings.Trim(got, dot) != "" ||
			strings.Trim(got, dot) != "" && got != s[:4]+strings.Repeat(dot, 10)+s[14:]) {
			t.Fatalf("Mask(%q) = %q", s, got)
		}
		if got := MaskNSS(s); s != "" && (strings.Count(got, dot) < 7 || strings.TrimLeft(got, dot) != "" && !strings.HasSuffix(s, strings.TrimLeft(got, dot))) {
			t.Fatalf("MaskNSS(%q) = %q", s, got)
		}
	})
}

func FuzzExplainNSS(f *testing.F) {
	for _, s := range []string{"", "03179170729", "0317917072", "O3179170729", "031791707290"} {
		f.Add(s)
	}
	elevens := regexp.MustCompile(`^\d{11}$`)
	f.Fuzz(func(t *testing.T, s string) {
		c := ExplainNSS(s)
		whole := elevens.MatchString(c.Text)
		if c.Verdict == Block || c.Verdict == Pass && !whole || (c.Born != "") != whole {
			t.Fatalf("%q: %v", c.Text, c)
		}
		if !strings.HasPrefix(c.Headline.ID, "curp.nss.") || len(c.Headline.Args)%2 != 0 {
			t.Fatalf("%q: reason %q", c.Text, c.Headline.ID)
		}
		if c.Headline.ID == "curp.nss.digit_differs" {
			right := c.Text[:10] + c.Headline.Args[1].(string)
			if ExplainNSS(right).Verdict != Pass {
				t.Fatalf("the digit expected for %q does not pass", c.Text)
			}
		}
	})
}

func FuzzExplainRFC(f *testing.F) {
	for _, s := range []string{"", "GODE561231GR8", "NAN1105241B4", "XAXX010101000", "Ñ&D1105241B", "GODE5612"} {
		f.Add(s)
	}
	shape := regexp.MustCompile(`^[A-ZÑ&]{3,4}\d{6}[A-Z\d]{2}[\dA]$`)
	f.Fuzz(func(t *testing.T, s string) {
		c := ExplainRFC(s)
		if whole := c.Verdict == Pass || c.Verdict == Warn; whole && !shape.MatchString(c.Text) {
			t.Fatalf("%q: %v", c.Text, c)
		}
		if !strings.HasPrefix(c.Headline.ID, "curp.rfc.") || len(c.Headline.Args)%2 != 0 {
			t.Fatalf("%q: reason %q", c.Text, c.Headline.ID)
		}
		if c.Headline.ID == "curp.rfc.digit_differs" {
			right := c.Text[:len(c.Text)-1] + c.Headline.Args[1].(string)
			if ExplainRFC(right).Verdict != Pass {
				t.Fatalf("the character expected for %q does not pass", c.Text)
			}
		}
	})
}
