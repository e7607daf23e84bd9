package curp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplainNSS(t *testing.T) {
	t.Parallel()
	es, en := words(t, "es"), words(t, "en")
	tests := []struct {
		text    string
		verdict Verdict
		id      string
		args    []any
	}{
		{"03179170729", Pass, "pass", nil},
		{" 03-17-91-7072-9 ", Pass, "pass", nil},
		{"", Short, "empty", nil},
		{"0317917072", Short, "short", []any{"Count", 1, "Total", 10}},
		{"0", Short, "short", []any{"Count", 10, "Total", 1}},
		{"031791707290", Warn, "too_long", []any{"Count", 1, "Total", 12}},
		{"0317917O729", Warn, "digit_wanted", []any{"Position", 8, "Got", "O"}},
		{"03179170720", Warn, "digit_differs", []any{"Expected", "9", "Got", "0"}},
		{"00000000000", Pass, "pass", nil},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			c := ExplainNSS(tt.text)
			if diff := cmp.Diff(Reason{"curp.nss." + tt.id, tt.args}, c.Headline); diff != "" || c.Verdict != tt.verdict {
				t.Errorf("%v, want %v (-want +got):\n%s", c.Verdict, tt.verdict, diff)
			}
			say(t, es, c.Headline)
			say(t, en, c.Headline)
		})
	}
	c := ExplainNSS("03179170729")
	if diff := cmp.Diff([]string{"03", "17", "91"}, []string{c.Subdelegation, c.Registered, c.Born}); diff != "" {
		t.Error(diff)
	}
	say(t, es, Reason{ID: "curp.nss.birth_differs"})
	for year, want := range map[int]bool{1991: false, 1990: true, 2000: true} {
		if got := c.BirthDiffers(date(year, 1, 1)); got != want {
			t.Errorf("BirthDiffers(%d) = %v", year, got)
		}
	}
	if ExplainNSS("03179770727").BirthDiffers(now) || ExplainNSS("03").BirthDiffers(now) {
		t.Error("97 may stand for unknown, and a short number says nothing")
	}
}

func TestMaskNSS(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("•", 11)
	for in, want := range map[string]string{"12345674417": "•••••••4417", "": "", "4417": whole, "123456744170": whole, "1234567441X": whole} {
		if got := MaskNSS(in); got != want {
			t.Errorf("MaskNSS(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestExplainRFC(t *testing.T) {
	t.Parallel()
	es, en := words(t, "es"), words(t, "en")
	tests := []struct {
		text    string
		kind    RFCKind
		verdict Verdict
		id      string
		args    []any
	}{
		// The vendors' samples.
		{"GODE561231GR8", RFCPerson, Pass, "pass_person", nil},
		{"CUAI911021Q11", RFCPerson, Pass, "pass_person", nil},
		{"NAN1105241B4", RFCCompany, Pass, "pass_company", nil},
		{"MNT850612KR4", RFCCompany, Warn, "digit_differs", []any{"Expected", "9", "Got", "4"}},
		{"CAOE931024T16", RFCPerson, Warn, "digit_differs", []any{"Expected", "3", "Got", "6"}},
		{"XAXX010101000", RFCGeneric, Warn, "generic", nil},
		{"xexx-010101-000", RFCGeneric, Warn, "generic", nil},
		{"", RFCUnknown, Short, "empty", nil},
		{"GOD", RFCUnknown, Short, "short", []any{"Count", 10, "Total", 3}},
		{"NAN1", RFCCompany, Short, "short", []any{"Count", 8, "Total", 4}},
		{"GODE561231GR", RFCPerson, Short, "short", []any{"Count", 1, "Total", 12}},
		{"GODE561231GR88", RFCPerson, Block, "too_long", []any{"Count", 1, "Total", 14, "Full", 13}},
		{"NAN1105241B44", RFCCompany, Block, "too_long", []any{"Count", 1, "Total", 13, "Full", 12}},
		{"G0D", RFCUnknown, Block, "letter_wanted", []any{"Position", 2, "Got", "0"}},
		{"GOD*", RFCUnknown, Block, "letter_wanted", []any{"Position", 4, "Got", "*"}},
		{"GODE5O", RFCPerson, Block, "digit_wanted", []any{"Position", 6, "Got", "O"}},
		{"GODE561331", RFCPerson, Block, "date_absent", []any{"Date", "561331"}},
		{"GODE560229", RFCPerson, Short, "short", []any{"Count", 3, "Total", 10}},
		{"GODE550229", RFCPerson, Block, "date_absent", []any{"Date", "550229"}},
		{"GODE000229", RFCPerson, Short, "short", []any{"Count", 3, "Total", 10}},
		{"GODE561231Ñ", RFCPerson, Block, "symbol", []any{"Position", 11, "Got", "Ñ"}},
		{"GODE561231GRB", RFCPerson, Block, "check_wanted", []any{"Position", 13, "Got", "B"}},
		{"Ñ&D1105241B", RFCCompany, Short, "short", []any{"Count", 1, "Total", 11}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			c := ExplainRFC(tt.text)
			if diff := cmp.Diff(Reason{"curp.rfc." + tt.id, tt.args}, c.Headline); diff != "" || c.Verdict != tt.verdict || c.Kind != tt.kind {
				t.Errorf("kind %d %v, want kind %d %v (-want +got):\n%s", c.Kind, c.Verdict, tt.kind, tt.verdict, diff)
			}
			if c.Blocked() != (tt.verdict == Block) {
				t.Error("Blocked() disagrees")
			}
			say(t, es, c.Headline)
			say(t, en, c.Headline)
		})
	}
}

func TestRFCBirth(t *testing.T) {
	t.Parallel()
	es := words(t, "es")
	say(t, es, Reason{ID: "curp.rfc.birth_differs"})
	tests := []struct {
		text string
		want bool
	}{{"GODE561231GR8", false}, {"GODE561230GR8", true}, {"GODE56", false}, {"NAN1105241B4", false}, {"XAXX010101000", false}}
	for _, tt := range tests {
		if got := ExplainRFC(tt.text).BirthDiffers(date(1956, 12, 31)); got != tt.want {
			t.Errorf("%s: %v", tt.text, got)
		}
	}
}

// TestRFCCheckReachesA: eleven remainders have eleven characters.
func TestRFCCheckReachesA(t *testing.T) {
	t.Parallel()
	seen := map[rune]bool{}
	for last := 'A'; last <= 'Z'; last++ {
		seen[rfcCheck([]rune("GODE561231G"+string(last)))] = true
	}
	if len(seen) != 11 || !seen['A'] || !seen['0'] {
		t.Errorf("%d check characters", len(seen))
	}
}

func TestRegistroPatronal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, want string
		ok       bool
	}{
		{"Y523412908", "Y52 34129 08", true},
		{"y52-34129-08-1", "Y52 34129 08 1", true},
		{"Y52 34129 08", "Y52 34129 08", true},
		{"0123456789", "012 34567 89", true},
		{"Y5234129", "Y5234129", false},
		{"Y52341290812", "Y52341290812", false},
		{"YY23412908", "YY23412908", false},
		{"Ñ52341290", "Ñ52341290", false},
		{"None", "None", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if got, ok := RegistroPatronal(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("RegistroPatronal(%q) = %q, %v, want %q, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

// Where a source answers for both, what is typed reads as a CURP until it cannot be one.
func TestExplainEither(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		rfc     RFCKind
		isRFC   bool
		verdict Verdict
		parts   string
	}{
		{"", RFCUnknown, false, Short, ""},
		{"GODE", RFCUnknown, false, Short, "GODE pass"},
		{"GODE561231", RFCUnknown, false, Short, "GODE pass, 561231 pass"},
		{"GODE561231HDF", RFCUnknown, false, Short, "GODE pass, 561231 pass, HDF pass"},
		{"GODE561231GR8", RFCPerson, true, Pass, "GODE pass, 561231 pass, GR pass, 8 pass"},
		{"gode-561231-gr9", RFCPerson, true, Warn, "GODE pass, 561231 pass, GR pass, 9 warn"},
		{"GODE561231GR", RFCPerson, true, Short, "GODE pass, 561231 pass, GR pass"},
		{"GODE569931GR8", RFCPerson, true, Block, "GODE pass, 569931 block, GR pass, 8 pass"},
		{"GODE5612X1HD", RFCUnknown, false, Block, "GODE pass, 5612X1 block, HD short"},
		{"AB&1", RFCCompany, true, Short, "AB& pass, 1 short"},
		{"PEÑ", RFCUnknown, true, Short, "PEÑ short"},
		{"XAXX010101000", RFCGeneric, true, Warn, "XAXX pass, 010101 pass, 00 pass, 0 pass"},
		{"GATA000408HTLRLLA7", RFCUnknown, false, Pass, "GATA pass, 000408 pass, HTL pass, RLL pass, A pass, 7 pass"},
	} {
		c := ExplainEither(tt.text, now)
		var parts []string
		for _, p := range c.Parts {
			parts = append(parts, p.Text+" "+p.Verdict.String())
			if p.Reason.ID == "" {
				t.Errorf("%q: %s has no note", tt.text, p.Name)
			}
		}
		if got := strings.Join(parts, ", "); got != tt.parts || c.IsRFC != tt.isRFC || c.RFC != tt.rfc || c.Verdict != tt.verdict {
			t.Errorf("%q: RFC %v of kind %d, %v, %s", tt.text, c.IsRFC, c.RFC, c.Verdict, got)
		}
		if slots := c.Slots(); len(slots) < len(c.Parts) || !c.IsRFC && len(slots) != 6 {
			t.Errorf("%q: %d slots", tt.text, len(slots))
		}
	}
}

func TestMaskRFC(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "GODE561231GR8": "GODE••••••GR8", "ABC680524P76": "ABC••••••P76", "PEÑ680524P76": "PEÑ••••••P76",
		"GODE561231GR": "•••••••••••••", "gode561231gr8": "•••••••••••••", "no": "•••••••••••••",
	} {
		if got := MaskRFC(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
