package locale

import (
	"strconv"
	"strings"
)

// Number writes an integer with a comma every three digits, in both languages.
func (p *Printer) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	if sign, rest, negative := strings.Cut(digits, "-"); negative {
		return sign + "-" + group(rest)
	}
	return group(digits)
}

// Money writes an amount in pesos from the exact decimal text of the vendor's
// answer: "15593.29" is "$15,593.29". No float is involved and no digit is
// rounded: decimals stay as they came, filled to two. Text that is no plain
// decimal (an exponent, a word) is returned as it came, "" as "".
func (p *Printer) Money(text string) string {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if !isDigits(whole) || dotted && !isDigits(fraction) {
		return text
	}
	// A leading zero is no number in JSON (RFC 8259, section 6).
	if len(whole) > 1 && whole[0] == '0' {
		return text
	}
	for len(fraction) < 2 {
		fraction += "0"
	}
	sign := "$"
	if negative {
		sign = "-$"
	}
	return sign + group(whole) + "." + fraction
}

// Percent writes a change given in tenths of a percent, always with its sign:
// 192 is "+19.2 %" in Spanish and "+19.2%" in English. Zero has no sign.
func (p *Printer) Percent(tenths int) string {
	sign, magnitude := "", uint64(tenths)
	switch {
	case tenths > 0:
		sign = "+"
	case tenths < 0:
		sign, magnitude = "-", -uint64(tenths)
	}
	whole := group(strconv.FormatUint(magnitude/10, 10))
	return p.T("format.percent", "Value", sign+whole+"."+strconv.FormatUint(magnitude%10, 10))
}

// Bytes writes a size in decimal units, as file managers and the vendor do:
// 378 is "378 B", 6100 is "6.1 kB". Sizes are cut to a tenth, not rounded up,
// so that nothing under a limit reads as the limit. A negative size is "".
func (p *Printer) Bytes(n int64) string {
	if n < 0 {
		return ""
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	units, unit := []string{"kB", "MB", "GB", "TB", "PB", "EB"}, 0
	tenths := n / 100
	for tenths >= 10_000 && unit < len(units)-1 {
		tenths /= 1000
		unit++
	}
	text := strconv.FormatInt(tenths/10, 10)
	if tenths%10 != 0 {
		text += "." + strconv.FormatInt(tenths%10, 10)
	}
	return text + " " + units[unit]
}

// group puts a comma before every third digit from the right.
func group(digits string) string {
	first := len(digits) % 3
	if first == 0 && len(digits) > 0 {
		first = 3
	}
	var b strings.Builder
	b.Grow(len(digits) + len(digits)/3)
	b.WriteString(digits[:first])
	for i := first; i < len(digits); i += 3 {
		b.WriteByte(',')
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
