package figures

import (
	"strconv"
	"strings"
)

// Text writes a figure without a language, as docs/figures.md prints it: "at most 45 days [short]", "+12.5% (400 to 450)",
// "1 of 2", "not known: no_amount".
func (f Figure) Text() string {
	if !f.Known {
		return "not known: " + string(f.Why)
	}
	var b strings.Builder
	if f.Bound != Exact {
		b.WriteString(strings.ReplaceAll(string(f.Bound), "_", " ") + " ")
	}
	switch f.Unit {
	case YesNo:
		b.WriteString(map[bool]string{true: "yes", false: "no"}[f.Yes])
	case Days:
		b.WriteString(strconv.Itoa(f.Days) + " d")
	case Weeks:
		b.WriteString(strconv.Itoa(f.Days/7) + " w " + strconv.Itoa(f.Days%7) + " d")
	case Count:
		b.WriteString(strconv.Itoa(f.Count))
		if f.ID == SwitchRises || f.ID == SwitchFalls {
			b.WriteString(" of " + strconv.Itoa(f.Of))
		}
	case Rate:
		b.WriteString(f.Rate)
	case Money:
		b.WriteString(f.Amount + " " + string(f.Pay))
	case Share:
		b.WriteString(percent(f.Tenths))
		if f.Before != "" {
			b.WriteString(" (" + f.Before + " to " + f.After + ")")
		} else {
			b.WriteString(" of " + strconv.Itoa(f.Count))
		}
	}
	if len(f.Cautions) > 0 {
		words := make([]string, len(f.Cautions))
		for i, c := range f.Cautions {
			words[i] = string(c)
		}
		b.WriteString(" [" + strings.Join(words, ", ") + "]")
	}
	return b.String()
}

// percent writes tenths of a percent with their sign; zero has none.
func percent(tenths int) string {
	sign := ""
	switch {
	case tenths > 0:
		sign = "+"
	case tenths < 0:
		sign, tenths = "-", -tenths
	}
	return sign + strconv.Itoa(tenths/10) + "." + strconv.Itoa(tenths%10) + "%"
}
