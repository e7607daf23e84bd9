package curp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// now is the day the tests are run on.
var now = date(2026, 11, 22)

// TestDocumented takes every CURP printed in the vendors' pages.
func TestDocumented(t *testing.T) {
	t.Parallel()
	const pass, digitOff, noVowel = "curp.reason.pass", "curp.reason.digit_differs", "curp.reason.vowel_unusual"
	tests := []struct {
		text    string
		verdict Verdict
		id      string
		digit   string // expected, where it differs
	}{
		// The nine of the sandbox, docs/vendor.md#sandbox-identifiers.
		{"GATA000408HTLRLLA7", Pass, pass, ""},
		{"LALE870908HDFRPD02", Pass, pass, ""},
		{"JITM910411HASMMR08", Pass, pass, ""},
		{"ZUAL000827HMCXRSA8", Pass, pass, ""},
		{"AATE910411HASLMG07", Pass, pass, ""},
		{"POTP910411HASBMP04", Pass, pass, ""},
		{"MEMC760502MMCJGR00", Pass, pass, ""},
		{"AUAT940412HCLQQM08", Pass, pass, ""},
		{"DETJ910411HASLMR04", Pass, pass, ""},
		// Other samples of theirs, some of which break the rules.
		{"CUAI911021MOCRQS09", Pass, pass, ""},
		{"CERC660204HMCLCR09", Pass, pass, ""},
		{"GOPJ930704HDFPRR05", Pass, pass, ""},
		{"OICE940722HGFRST08", Block, "curp.reason.state_unknown", "5"},
		{"MAPE850312HDFRRR02", Warn, digitOff, "7"},
		{"GAWH790919MDFRRR02", Warn, digitOff, "1"},
		{"LOPM850312HDFPRS19", Warn, digitOff, "5"},
		{"LOFM300312HDFPRS09", Warn, digitOff, "8"},
		{"RIAB980522HDFZNR02", Warn, digitOff, "9"},
		{"NAMP960111HCMLNS03", Warn, digitOff, "4"},
		{"DNVQ190124HMNKDM46", Warn, noVowel, ""},
		// The worked example of the official instructions.
		{"SABC560626MDFLRN01", Pass, pass, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			c := Explain(tt.text, now)
			if c.Verdict != tt.verdict || c.Headline.ID != tt.id {
				t.Errorf("%v %s, want %v %s", c.Verdict, c.Headline.ID, tt.verdict, tt.id)
			}
			if got := c.DigitOnly(); got != (tt.id == digitOff) {
				t.Errorf("DigitOnly() = %v", got)
			}
			if last := c.Parts[5]; tt.digit != "" {
				want := Reason{"curp.part.digit_differs", []any{"Expected", tt.digit, "Got", last.Text}}
				if diff := cmp.Diff(want, last.Reason); diff != "" || last.Verdict != Warn {
					t.Errorf("digit: %v\n%s", last.Verdict, diff)
				}
			} else if last.Verdict != Pass {
				t.Errorf("digit: %v", last)
			}
			_, err := Parse(tt.text)
			if (err != nil) != (tt.verdict == Block) {
				t.Errorf("Parse: %v", err)
			}
		})
	}
}

// TestReasons meets each reason at least once, and finds words for all of them.
func TestReasons(t *testing.T) {
	t.Parallel()
	es, en := words(t, "es"), words(t, "en")
	tests := []struct {
		text string
		id   string // after curp.reason.
		part string // the part that says so; "" when it is the whole
		args []any
	}{
		{"", "empty", "", nil},
		{" - ", "empty", "", nil},
		{"GATA", "short", "", []any{"Count", 14, "Total", 4}},
		{"GATA000408HTLRLLA", "short", "", []any{"Count", 1, "Total", 17}},
		{"GATA000408HTLRLLA77", "too_long", "", []any{"Count", 1, "Total", 19}},
		{"GAATA000408HTLRLLA7X", "too_long", "", []any{"Count", 2, "Total", 20}},
		{"GA7", "letter_wanted", "initials", []any{"Position", 3, "Got", "7"}},
		{"G#TA", "letter_wanted", "initials", []any{"Position", 2, "Got", "#"}},
		{"G0TA", "letter_slip", "initials", []any{"Position", 2, "Got", "0", "Suggest", "O"}},
		{"GA5A", "letter_slip", "initials", []any{"Position", 3, "Got", "5", "Suggest", "S"}},
		{"1ATA", "letter_slip", "initials", []any{"Position", 1, "Got", "1", "Suggest", "I"}},
		{"GAÑA000408HTLRLLA7", "enye", "initials", []any{"Position", 3}},
		{"GAN\u0303A", "enye", "initials", []any{"Position", 3}},
		{"gáta", "accent", "initials", []any{"Position", 2, "Got", "Á", "Suggest", "A"}},
		{"GAЖA", "symbol", "initials", []any{"Position", 3, "Got", "Ж"}},
		{"GA٣A", "symbol", "initials", []any{"Position", 3, "Got", "٣"}},
		{"GA\u202e", "letter_wanted", "initials", []any{"Position", 3, "Got", "U+202E"}},
		{"GATAA", "digit_wanted", "birth", []any{"Position", 5, "Got", "A"}},
		{"GATA00O4", "digit_slip", "birth", []any{"Position", 7, "Got", "O", "Suggest", "0"}},
		{"GATA000I", "digit_slip", "birth", []any{"Position", 8, "Got", "I", "Suggest", "1"}},
		{"GATAÑ", "digit_wanted", "birth", []any{"Position", 5, "Got", "Ñ"}},
		{"GATA٣", "symbol", "birth", []any{"Position", 5, "Got", "٣"}},
		{"GATA0013", "month_absent", "birth", []any{"Month", "13"}},
		{"GATA0000", "month_absent", "birth", []any{"Month", "00"}},
		{"GATA000400", "day_zero", "birth", nil},
		{"GATA000431", "day_absent", "birth", []any{"Day", 31}},
		{"GATA990230", "day_absent", "birth", []any{"Day", 30}},
		{"GATA990229", "leap_absent", "birth", []any{"Year", "99"}},
		{"GATA000229HTLRLL0", "leap_absent", "birth", []any{"Year", "1900"}},
		{"GATA010229HTLRLLA", "leap_absent", "birth", []any{"Year", "2001"}},
		{"GATA261123HTLRLLA", "birth_future", "birth", []any{"Birth", date(2026, 11, 23)}},
		{"LALE870908HDFRPDA2", "birth_future", "birth", []any{"Birth", date(2087, 9, 8)}},
		{"GATA000408HTLRLL07", "age_unlikely", "birth", []any{"Birth", date(1900, 4, 8), "Years", 126, "Count", 126}},
		{"GATA000408K", "sex_unknown", "sex_state", []any{"Got", "K"}},
		{"GATA0004084", "letter_wanted", "sex_state", []any{"Position", 11, "Got", "4"}},
		{"GATA000408Ñ", "symbol", "sex_state", []any{"Position", 11, "Got", "Ñ"}},
		{"GATA000408HK", "state_start", "sex_state", []any{"Code", "K"}},
		{"GATA000408H0", "letter_slip", "sex_state", []any{"Position", 12, "Got", "0", "Suggest", "O"}},
		{"GATA000408HN1", "letter_slip", "sex_state", []any{"Position", 13, "Got", "1", "Suggest", "L"}},
		{"GATA000408HT1", "letter_slip", "sex_state", []any{"Position", 13, "Got", "1", "Suggest", "L"}},
		{"GATA000408HZ0", "letter_wanted", "sex_state", []any{"Position", 13, "Got", "0"}},
		{"GATA000408HMX", "state_unknown", "sex_state", []any{"Code", "MX"}},
		{"GATA000408HTLR8L", "letter_slip", "consonants", []any{"Position", 15, "Got", "8", "Suggest", "B"}},
		{"GATA000408HTLR1L", "letter_slip", "consonants", []any{"Position", 15, "Got", "1", "Suggest", "L"}},
		{"GATA000408HTLR4L", "letter_wanted", "consonants", []any{"Position", 15, "Got", "4"}},
		{"GATA000408HTLRÑL", "enye", "consonants", []any{"Position", 15}},
		{"GATA000408HTLRLL#", "symbol", "differentiator", []any{"Position", 17, "Got", "#"}},
		{"GATA000408HTLRLLÁ", "accent", "differentiator", []any{"Position", 17, "Got", "Á", "Suggest", "A"}},
		{"GATA000408HTLRLLAZ", "digit_slip", "digit", []any{"Position", 18, "Got", "Z", "Suggest", "2"}},
		{"GATA000408HTLRLLAX", "digit_wanted", "digit", []any{"Position", 18, "Got", "X"}},
		{"GTTA", "vowel_unusual", "initials", []any{"Position", 2, "Got", "T"}},
		{"GATA000408HTLRAL", "consonant_unusual", "consonants", []any{"Position", 15, "Got", "A"}},
		{"GATA000408HTLRLLA8", "digit_differs", "digit", []any{"Expected", "7", "Got", "8"}},
		{"GATA000408HTLRLLA7", "pass", "", nil},
	}
	met := map[string]bool{}
	for _, tt := range tests {
		met["curp.reason."+tt.id] = true
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			c := Explain(tt.text, now)
			if diff := cmp.Diff(Reason{"curp.reason." + tt.id, tt.args}, c.Headline); diff != "" {
				t.Errorf("headline (-want +got):\n%s", diff)
			}
			say(t, es, c.Headline)
			say(t, en, c.Headline)
			said := ""
			for _, p := range c.Parts {
				say(t, es, p.Reason)
				say(t, en, p.Reason)
				if said == "" && p.Verdict > Pass {
					said = p.Name
				}
			}
			if tt.part != "" && said != tt.part {
				t.Errorf("said by %q, want %q", said, tt.part)
			}
		})
	}
	for id := range es {
		id = strings.TrimSuffix(strings.TrimSuffix(id, ".one"), ".other")
		if strings.HasPrefix(id, "curp.reason.") && !met[id] {
			t.Errorf("%s is never met", id)
		}
	}
}

func TestEveryMonthsEnd(t *testing.T) {
	t.Parallel()
	es := words(t, "es")
	ends := map[string]int{"01": 31, "02": 29, "03": 31, "04": 30, "05": 31, "06": 30, "07": 31, "08": 31, "09": 30, "10": 31, "11": 30, "12": 31}
	for month, last := range ends {
		fits := Explain("GATA00"+month+string(rune('0'+last/10))+string(rune('0'+last%10)), now)
		if fits.Blocked() {
			t.Errorf("%s-%d: %v", month, last, fits)
		}
		c := Explain("GATA00"+month+string(rune('0'+(last+1)/10))+string(rune('0'+(last+1)%10)), now)
		if got := c.Parts[1].Reason.ID; got != "curp.part.day_absent_"+month {
			t.Errorf("%s-%d: %s", month, last+1, got)
		}
		say(t, es, c.Parts[1].Reason)
	}
}

// TestTyping types a CURP key by key: nothing is wrong on the way.
func TestTyping(t *testing.T) {
	t.Parallel()
	const whole = "ZUAL000827HMCXRSA8"
	for n := range len(whole) {
		c := Explain(whole[:n], now)
		if c.Verdict != Short || c.Blocked() || c.Warned() || c.DigitOnly() {
			t.Errorf("after %d: %v", n, c)
		}
		text := ""
		for _, p := range c.Parts {
			text += p.Text
			if p.Verdict > Pass {
				t.Errorf("after %d: %v", n, p)
			}
		}
		if text != whole[:n] {
			t.Errorf("after %d the parts make %q", n, text)
		}
		var ferr *FormatError
		if _, err := Parse(whole[:n]); !errors.As(err, &ferr) || ferr.Reason.ID != c.Headline.ID {
			t.Errorf("Parse after %d: %v", n, err)
		}
	}
}

// TestShortNeverWarns: a warning shows while typing, but only a whole text may
// be sent once confirmed.
func TestShortNeverWarns(t *testing.T) {
	t.Parallel()
	c := Explain("GTTA00", now)
	if c.Verdict != Short || c.Warned() || c.Headline.ID != "curp.reason.vowel_unusual" {
		t.Errorf("%v", c)
	}
	two := Explain("GTTA000408HTLRLLA0", now)
	if !two.Warned() || two.DigitOnly() {
		t.Errorf("a vowel and a digit: %v, DigitOnly %v", two, two.DigitOnly())
	}
}

func TestCenturyAndToday(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		today      time.Time
		verdict    Verdict
		note       Reason
	}{
		{"born today", "GATA261122HTLRLLA", now, Pass, Reason{"curp.part.birth", []any{"Birth", now, "Years", 0, "Count", 0}}},
		{"birthday tomorrow", "GATA001123HTLRLLA", now, Pass, Reason{"curp.part.birth", []any{"Birth", date(2000, 11, 23), "Years", 25, "Count", 25}}},
		{"29 February 2000", "GATA000229HTLRLLA", now, Pass, Reason{"curp.part.birth", []any{"Birth", date(2000, 2, 29), "Years", 26, "Count", 26}}},
		{"29 February 00, century open", "GATA000229", now, Pass, Reason{"curp.part.birth", []any{"Birth", date(2000, 2, 29), "Years", 26, "Count", 26}}},
		{"only one century can be", "LALE870908", now, Pass, Reason{"curp.part.birth", []any{"Birth", date(1987, 9, 8), "Years", 39, "Count", 39}}},
		{"both can be", "GATA000408", now, Pass, Reason{"curp.part.birth_either", []any{"Birth", date(1900, 4, 8), "Later", date(2000, 4, 8)}}},
		{"the last of an age that is believed", "GATA151123HTLRLL0", now, Pass, Reason{"curp.part.birth", []any{"Birth", date(1915, 11, 23), "Years", 110, "Count", 110}}},
		{"one day older", "GATA151122HTLRLL0", now, Warn, Reason{"curp.part.age_unlikely", []any{"Birth", date(1915, 11, 22), "Years", 111, "Count", 111}}},
		{
			"today is a day in its own zone", "GATA261122HTLRLLA", time.Date(2026, 11, 22, 23, 0, 0, 0, time.FixedZone("", -6*3600)),
			Pass, Reason{"curp.part.birth", []any{"Birth", now, "Years", 0, "Count", 0}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Explain(tt.text, tt.today).Parts[1]
			if diff := cmp.Diff(tt.note, p.Reason); diff != "" || p.Verdict != tt.verdict {
				t.Errorf("%v (-want +got):\n%s", p.Verdict, diff)
			}
		})
	}
}

// A page keeps one place for each stretch from the first character to the last, so that nothing below it moves.
func TestSlots(t *testing.T) {
	t.Parallel()
	const text = "GATA000408HTLRLLA7"
	for n := range len(text) + 1 {
		check := Explain(text[:n], now)
		slots := check.Slots()
		if len(slots) != 6 {
			t.Fatalf("%d characters: %d slots", n, len(slots))
		}
		for i, slot := range slots {
			reached := i < len(check.Parts)
			if reached && slot.Text != check.Parts[i].Text || !reached && strings.Trim(slot.Text, "·") != "" || slot.Reason.ID == "" {
				t.Errorf("%d characters: slot %d is %q, %s", n, i, slot.Text, slot.Reason)
			}
		}
	}
}
