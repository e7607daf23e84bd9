package employment

import (
	"math/big"
	"regexp"
	"strings"
	"time"
)

// capTimes is how many times the UMA a base salary for contributions has as its upper limit: Ley del Seguro Social,
// art. 28, read with the third transitory article of the decree on the minimum wage (DOF 2016-01-27), by which the UMA
// takes the place of the minimum wage there (docs/hints.md#cap).
const capTimes = 25

// umas are the daily values of the UMA in centavos, each from the day on which it came into force. INEGI publishes one a
// year in the DOF, in force from 1 February (Ley para determinar el valor de la UMA, art. 5); docs/hints.md#uma has them
// with their pages. What is not in this table gives no hint.
var umas = []struct {
	from     string
	centavos int64
}{
	{"2016-01-28", 73_04}, {"2017-02-01", 75_49}, {"2018-02-01", 80_60}, {"2019-02-01", 84_49}, {"2020-02-01", 86_88}, {"2021-02-01", 89_62},
	{"2022-02-01", 96_22}, {"2023-02-01", 103_74}, {"2024-02-01", 108_57}, {"2025-02-01", 113_14}, {"2026-02-01", 117_31},
}

// umasEnd is the first day for which no value is known here.
const umasEnd = "2027-02-01"

// Cap gives the upper limit of a daily base salary (SBC, MXN) on a day, as a decimal with two places; ok is false for a
// day whose UMA is not known here. The zone of the day plays no part.
func Cap(on time.Time) (limit string, ok bool) {
	day := on.Format(time.DateOnly)
	if on.IsZero() || day >= umasEnd {
		return "", false
	}
	for i := len(umas) - 1; i >= 0; i-- {
		if day >= umas[i].from {
			return big.NewRat(umas[i].centavos*capTimes, 100).FloatString(2), true
		}
	}
	return "", false
}

var decimal = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,12})?$`)

// AtCap tells whether a daily base salary has reached the upper limit of its day: then the real income may be higher, and
// the amount does not tell by how much. Of an amount that is no decimal nothing is said.
func AtCap(amount string, on time.Time) bool {
	limit, ok := Cap(on)
	amount = strings.TrimSpace(amount)
	if !ok || !decimal.MatchString(amount) {
		return false
	}
	a, _ := new(big.Rat).SetString(amount)
	l, _ := new(big.Rat).SetString(limit)
	return a.Cmp(l) >= 0
}

// Insured tells whether a record is of the IMSS, whose law has the limit; platform is the history's.
func Insured(platform string, r Record) bool {
	if r.Institution != "" {
		platform = r.Institution
	}
	return strings.EqualFold(platform, "imss")
}
