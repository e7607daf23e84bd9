package sandbox

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/quick"
)

func TestReadCURP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		curp  string
		err   error
		birth string
		state string
		woman bool
	}{
		{"GATA000408HTLRLLA7", nil, "2000-04-08", "TLAXCALA", false},
		{"JITM910411HASMMR08", nil, "1991-04-11", "AGUASCALIENTES", false},
		{"SABC560626MDFLRN01", nil, "1956-06-26", "CIUDAD DE MÉXICO", true},
		{"SABC560626MDFLRN02", errCURPDigit, "1956-06-26", "CIUDAD DE MÉXICO", true},
		{"OICE940722HGFRST08", errCURPFormat, "", "", false}, // no such state
		{"SABC560631MDFLRN01", errCURPFormat, "", "", false}, // no such day
		{"SABC000229MDFLRNA1", errCURPDigit, "2000-02-29", "CIUDAD DE MÉXICO", true},
		{"SABC010229MDFLRNA1", errCURPFormat, "", "", false},  // 2001 is no leap year
		{"SABC000229MDFLRN01", errCURPFormat, "", "", false},  // 1900 was none either
		{"SABC560626MDFLRN0", errCURPFormat, "", "", false},   // short
		{"sabc560626MDFLRN01", errCURPFormat, "", "", false},  // the caller raises case
		{"SABC560626MDFLRN012", errCURPFormat, "", "", false}, // long
		{"", errCURPFormat, "", "", false},
	} {
		f, err := readCURP(c.curp)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.curp, err, c.err)
			continue
		}
		if errors.Is(err, errCURPFormat) {
			continue
		}
		if got := f.birth.Format("2006-01-02"); got != c.birth || f.state != c.state || f.woman != c.woman {
			t.Errorf("%s: %s %s woman=%v", c.curp, got, f.state, f.woman)
		}
	}
}

func TestDocumentedPeopleAreValidAndComplete(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, p := range people {
		if _, err := readCURP(p.CURP); err != nil {
			t.Errorf("%s: %v", p.CURP, err)
		}
		switch {
		case p.full:
			count["full"]++
		case p.empty:
			count["empty"]++
		default:
			count[p.Status+" "+p.Details]++
		}
	}
	want := map[string]int{"full": 3, "empty": 2, "incomplete curp_has_inconsistencies": 1, "incomplete nss_not_found_in_imss": 1, "error service_degradation": 2}
	for k, n := range want {
		if count[k] != n {
			t.Errorf("%s: %d people, want %d", k, count[k], n)
		}
	}
}

func TestNSSDigit(t *testing.T) {
	t.Parallel()
	for _, nss := range []string{"02189216878", "03179170729"} { // the vendor's two samples that pass
		if got := nssDigit(nss[:10]); got != nss[10] {
			t.Errorf("%s: digit %c", nss, got)
		}
	}
}

func TestNameLetters(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"GARCIA": "GAR", "ALVAREZ": "AAL", "ÑANDU": "XAN", "ZUÑIGA": "ZUX", "EVA": "EAV", "CRUZ": "CUR", "LEO": "LEX",
	} {
		i, v, c := nameLetters(name)
		if got := string([]byte{i, v, c}); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestMonthlyMatchesTheVendorsSamples(t *testing.T) {
	t.Parallel()
	for base, want := range map[centavos]centavos{104497: 3178799, 42019: 1278218, 55086: 1675716, 23245: 707113} {
		if got := base.monthly(); got != want {
			t.Errorf("%d: %d, want %d", base, got, want)
		}
	}
}

// The property is stated with exact fractions: |monthly − base × 30.42| is at
// most half a centavo, and at exactly half it is rounded up.
func TestMonthlyRoundsHalfUp(t *testing.T) {
	t.Parallel()
	half := big.NewRat(1, 2)
	property := func(n uint32) bool {
		base := centavos(n)
		exact := new(big.Rat).Mul(big.NewRat(int64(base), 1), big.NewRat(3042, 100))
		diff := new(big.Rat).Sub(big.NewRat(int64(base.monthly()), 1), exact)
		return diff.Cmp(half) <= 0 && diff.Cmp(new(big.Rat).Neg(half)) > 0
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	if got := centavos(25).monthly(); got != 761 { // 760.5
		t.Errorf("half: %d, want 761", got)
	}
}

func TestAmountsAreExactText(t *testing.T) {
	t.Parallel()
	for amount, want := range map[centavos]string{104497: "1044.97", 35050: "350.5", 9421200: "94212.0", 5: "0.05", 10: "0.1", 0: "0.0"} {
		if got, err := json.Marshal(amount); err != nil || string(got) != want {
			t.Errorf("%d: %s %v, want %s", amount, got, err, want)
		}
	}
}

func TestBaseSalaryStaysInsideTheLimits(t *testing.T) {
	t.Parallel()
	for year := 1990; year <= 2060; year++ {
		low, high := baseSalary(year, 0), baseSalary(year, 1_000_000)
		if low <= wageIn(year) || high != 25*unitIn(year) || low >= high {
			t.Errorf("%d: %d … %d", year, low, high)
		}
		if year > 1990 && wageIn(year) < wageIn(year-1) {
			t.Errorf("%d: the minimum wage fell", year)
		}
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ status, details, accept, want string }{
		{"success", "", "", "The account is connected"},
		{"success", "", "es-MX,es;q=0.9", "La cuenta está conectada"},
		{"success", "", "de, pt-BR;q=0.5", "A conta está conectada"},
		{"pending", "pending_for_data", "es", "Estamos recopilando tu información"},
		{"error", "platform_error", "en", "The source failed"},
	} {
		message, recommendation := advice(c.status, c.details, c.accept)
		if message == nil || *message != c.want || recommendation == nil {
			t.Errorf("%+v: %v %v", c, message, recommendation)
		}
	}
	for key, said := range sayings() {
		langs := []string{"en", "es", "pt"}
		if strings.HasPrefix(key, "ugly.") || strings.HasPrefix(key, "notice.") {
			langs = langs[:2] // ours, for whoever sits at the sandbox
		}
		for _, lang := range langs {
			if said.Message[lang] == "" || said.Recommendation[lang] == "" {
				t.Errorf("%s has no text in %s", key, lang)
			}
		}
	}
}
