package locale

import (
	"math"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

func TestNumber(t *testing.T) {
	t.Parallel()
	p := For("es-MX", nil)
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 123456: "123,456", 1234567: "1,234,567",
		-1: "-1", -123: "-123", -1234: "-1,234",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := p.Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestNumberAgreesWithCLDR holds our grouping against the data of Unicode.
func TestNumberAgreesWithCLDR(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages {
		p, cldr := For(lang, nil), message.NewPrinter(language.MustParse(lang))
		for _, n := range []int64{0, 12, 999, 1000, 54321, 1_000_000, 987_654_321, -4500} {
			if got, want := p.Number(n), cldr.Sprintf("%d", n); got != want {
				t.Errorf("%s: Number(%d) = %q, CLDR writes %q", lang, n, got, want)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	p := For("es-MX", nil)
	for text, want := range map[string]string{
		"15593.29": "$15,593.29", "0": "$0.00", "7": "$7.00", "512.6": "$512.60", "94212.0": "$94,212.00",
		"1234567.891": "$1,234,567.891", "0.05": "$0.05", "-5.5": "-$5.50", "-1000": "-$1,000.00",
		// The amount a float would spoil.
		"9007199254740993.10": "$9,007,199,254,740,993.10",
		// No plain decimal: as it came.
		"": "", "1e3": "1e3", "n/d": "n/d", "1,234.5": "1,234.5", ".5": ".5", "5.": "5.", "-": "-", "--5": "--5",
		"+5": "+5", "1.2.3": "1.2.3", "007": "007", " 5": " 5", "٣": "٣", "$5": "$5",
	} {
		if got := p.Money(text); got != want {
			t.Errorf("Money(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzMoney: taking our marks away gives back the text received, zeros added to
// reach two decimals aside; or the text is untouched.
func FuzzMoney(f *testing.F) {
	for _, seed := range []string{"15593.29", "-0.1", "", "1e5", "1234567", "00.5", "9.999999999999", "-$"} {
		f.Add(seed)
	}
	p := For("en", nil)
	f.Fuzz(func(t *testing.T, text string) {
		got := p.Money(text)
		if got == text {
			return
		}
		bare := strings.NewReplacer("$", "", ",", "").Replace(got)
		padding, ok := strings.CutPrefix(bare, text)
		if !ok || strings.Trim(padding, ".0") != "" {
			t.Fatalf("Money(%q) = %q: digits changed", text, got)
		}
		whole, fraction, _ := strings.Cut(bare, ".")
		if len(fraction) < 2 || whole == "" {
			t.Fatalf("Money(%q) = %q: no amount", text, got)
		}
		if again := p.Money(bare); again != got {
			t.Fatalf("Money(%q) = %q, but Money(%q) = %q", text, got, bare, again)
		}
	})
}

func TestPercent(t *testing.T) {
	t.Parallel()
	es, en := For("es-MX", nil), For("en", nil)
	for tenths, want := range map[int][2]string{
		192: {"+19.2 %", "+19.2%"}, 0: {"0.0 %", "0.0%"}, -5: {"-0.5 %", "-0.5%"}, 1000: {"+100.0 %", "+100.0%"},
		-12_345: {"-1,234.5 %", "-1,234.5%"}, math.MinInt: {"-922,337,203,685,477,580.8 %", "-922,337,203,685,477,580.8%"},
	} {
		if got := [2]string{es.Percent(tenths), en.Percent(tenths)}; got != want {
			t.Errorf("Percent(%d) = %q, want %q", tenths, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	p := For("es-MX", nil)
	for n, want := range map[int64]string{
		0: "0 B", 378: "378 B", 999: "999 B", 1000: "1 kB", 1049: "1 kB", 6100: "6.1 kB", 16_000: "16 kB",
		16_384: "16.3 kB", 999_999: "999.9 kB", 1_000_000: "1 MB", 1_200_000: "1.2 MB", 256_000: "256 kB",
		2_500_000_000: "2.5 GB", math.MaxInt64: "9.2 EB", -1: "",
	} {
		if got := p.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func BenchmarkT(b *testing.B) {
	p := For("es-MX", nil)
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			p.T("ui.status.pending")
		}
	})
	b.Run("blank", func(b *testing.B) {
		for b.Loop() {
			p.T("ui.live.changed", "When", "ayer")
		}
	})
	b.Run("plural", func(b *testing.B) {
		for b.Loop() {
			p.T("ui.count.records", "Count", 4)
		}
	})
}
