package sandbox

import (
	"regexp"
	"testing"
)

var signatures = regexp.MustCompile(`Signature=[0-9a-f]+`)

// The first three are printed by the vendors and pass; the last two are printed
// by them, too, and fail.
func TestRFC(t *testing.T) {
	t.Parallel()
	for text, digit := range map[string]byte{"GODE561231GR8": '8', "CUAI911021Q11": '1', "NAN1105241B4": '4', "MNT850612KR4": '9', "CAOE931024T16": '3'} {
		r, err := readRFC(text)
		if err != nil || r.business != (len(text) == 12) {
			t.Errorf("%s: %v %+v", text, err, r)
		}
		if got := rfcDigit(text[:len(text)-1]); got != digit {
			t.Errorf("%s: digit %c, want %c", text, got, digit)
		}
	}
	for _, text := range []string{"", "GODE561331GR8", "GODE56123GR8", "gode561231gr8", "G1DE561231GR8", gata} {
		if _, err := readRFC(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// A person found by RFC is somebody: a CURP that reads, a name that fits.
func TestPersonBehindAnRFC(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"COTE850612V21", "ÑOÑE850612V21", "&XDE561231GR8", rfcOf(mustRead(t, gata))} {
		r, err := readRFC(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		f := personOf(r)
		if _, err := readCURP(f.text); err != nil {
			t.Errorf("%s: CURP %q: %v", text, f.text, err)
		}
		if given, first, _ := personName(f); given == "" || first == "" {
			t.Errorf("%s has no name", text)
		}
	}
	r, _ := readRFC(rfcOf(mustRead(t, gata)))
	if f := personOf(r); f.text != gata {
		t.Errorf("the RFC of %s leads to %s", gata, f.text)
	}
}

func mustRead(t *testing.T, curp string) curpFacts {
	t.Helper()
	f, err := readCURP(curp)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestNamedPeopleAreOfficial(t *testing.T) {
	t.Parallel()
	seen, cases := map[string]bool{}, map[string]bool{}
	for _, p := range everyone {
		if seen[p.CURP] {
			t.Errorf("%s twice", p.CURP)
		}
		seen[p.CURP] = true
		if len(p.CURP) == 18 {
			mustRead(t, p.CURP)
		} else if rfcDigit(p.CURP[:len(p.CURP)-1]) != p.CURP[len(p.CURP)-1] {
			t.Errorf("%s: wrong digit", p.CURP)
		}
		if p.ugly != "" {
			cases[p.ugly] = true
			if caseIn(p.ugly, palenca) == nil && caseIn(p.ugly, buro) == nil {
				t.Errorf("%s: no case %s", p.CURP, p.ugly)
			}
		}
	}
	for _, c := range uglyCases {
		if !cases[c.name] && c.name != "api_401" {
			t.Errorf("nobody plays %s", c.name)
		}
		if sayings()["ugly."+c.name].Message["es"] == "" {
			t.Errorf("%s is not described", c.name)
		}
	}
}
