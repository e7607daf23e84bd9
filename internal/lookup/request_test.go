package lookup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
)

var today = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func TestFormCheck(t *testing.T) {
	t.Parallel()
	good := lookup.Form{CURP: "GATA000408HTLRLLA7", Platform: "imss", Reference: "EXP-1", Consent: true, Means: "branch"}
	for _, test := range []struct {
		name    string
		change  func(*lookup.Form)
		fields  []string // with problems
		confirm bool
	}{
		{"good", func(f *lookup.Form) {}, nil, false},
		{"good in small letters with spaces", func(f *lookup.Form) { f.CURP = " gata000408 htlrlla7 " }, nil, false},
		{"issste", func(f *lookup.Form) { f.Platform = "issste" }, nil, false},
		{"no reference", func(f *lookup.Form) { f.Reference = "" }, nil, false},
		{"nothing", func(f *lookup.Form) { *f = lookup.Form{} }, []string{"curp", "platform", "consent"}, false},
		{"blank", func(f *lookup.Form) { f.CURP = " \t" }, []string{"curp"}, false},
		{"too short", func(f *lookup.Form) { f.CURP = "GATA000408HTLRLLA" }, []string{"curp"}, false},
		{"short and confirmed", func(f *lookup.Form) { f.CURP, f.Confirm = "GATA", "check_digit" }, []string{"curp"}, false},
		{"blocked: no such state", func(f *lookup.Form) { f.CURP = "GATA000408HZZRLLA7" }, []string{"curp"}, false},
		{"blocked: no such day", func(f *lookup.Form) { f.CURP = "GATA000231HTLRLLA7" }, []string{"curp"}, false},
		{"blocked: too long", func(f *lookup.Form) { f.CURP += "7" }, []string{"curp"}, false},
		{"blocked stays blocked", func(f *lookup.Form) { f.CURP, f.Confirm = "GATA000231HTLRLLA7", "check_digit" }, []string{"curp"}, false},
		{"digit only", func(f *lookup.Form) { f.CURP = "GATA000408HTLRLLA8" }, nil, true},
		{"digit confirmed", func(f *lookup.Form) { f.CURP, f.Confirm = "GATA000408HTLRLLA8", "check_digit" }, nil, false},
		{"something else confirmed", func(f *lookup.Form) { f.CURP, f.Confirm = "GATA000408HTLRLLA8", "on" }, nil, true},
		{"digit, and a problem first", func(f *lookup.Form) { f.CURP, f.Consent = "GATA000408HTLRLLA8", false }, []string{"consent"}, false},
		{"an RFC through Buró", func(f *lookup.Form) { f.CURP, f.Platform = "gode 561231 gr8", "all" }, nil, false},
		{"a CURP through Buró", func(f *lookup.Form) { f.Platform = "all" }, nil, false},
		{"an RFC with another digit", func(f *lookup.Form) { f.CURP, f.Platform = "GODE561231GR9", "all" }, nil, true},
		{"an RFC with another digit, confirmed", func(f *lookup.Form) { f.CURP, f.Platform, f.Confirm = "GODE561231GR9", "all", "check_digit" }, nil, false},
		{"an unfinished RFC", func(f *lookup.Form) { f.CURP, f.Platform = "GODE561231GR", "all" }, []string{"curp"}, false},
		{"an RFC of nobody", func(f *lookup.Form) { f.CURP, f.Platform, f.Confirm = "XAXX010101000", "all", "check_digit" }, []string{"curp"}, false},
		{"an RFC through Palenca", func(f *lookup.Form) { f.CURP = "GODE561231GR8" }, []string{"curp"}, false},
		{"no consent", func(f *lookup.Form) { f.Consent = false }, []string{"consent"}, false},
		{"platform of no form", func(f *lookup.Form) { f.Platform = "uber" }, []string{"platform"}, false},
		{"longest reference", func(f *lookup.Form) { f.Reference = strings.Repeat("ñ", 80) }, nil, false},
		{"long reference", func(f *lookup.Form) { f.Reference = strings.Repeat("ñ", 81) }, []string{"external_id"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := good
			test.change(&f)
			check, problems, confirm := f.Check(today)
			var fields []string
			for _, p := range problems {
				fields = append(fields, p.Field)
				if p.ID == "" {
					t.Errorf("%s: a problem without a sentence", p.Field)
				}
			}
			if diff := cmp.Diff(test.fields, fields); diff != "" {
				t.Error("problems (-want +got):\n", diff)
			}
			if confirm != test.confirm {
				t.Errorf("confirm %v, want %v", confirm, test.confirm)
			}
			if test.confirm && !check.IsRFC && !check.DigitOnly() {
				t.Errorf("what is to be confirmed is more than the digit: %v", check)
			}
		})
	}
}
