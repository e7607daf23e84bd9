package views

import (
	"cotejo/internal/consent"
	"cotejo/internal/curp"
)

func verdictIcon(v curp.Verdict) string {
	switch v {
	case curp.Pass:
		return "success"
	case curp.Warn:
		return "warn"
	case curp.Block:
		return "error"
	}
	return "info"
}

func partIcon(v curp.Verdict) string {
	switch v {
	case curp.Pass:
		return "check"
	case curp.Warn:
		return "warn"
	case curp.Block:
		return "x"
	}
	return "clock"
}

// confirmReason says what is doubtful, so that the question can be answered without looking up.
func confirmReason(p Page, f NewLookupForm) string {
	if f.Check == nil {
		return ""
	}
	return f.Check.Headline.Say(p.T, p.P.Date)
}

func meansOptions(p Page) []Option {
	options := make([]Option, len(consent.Means))
	for i, m := range consent.Means {
		options[i] = Option{Value: m, Word: meansWord(p, m)}
	}
	return options
}

func meansWord(p Page, means string) string {
	if id := "ui.means." + means; p.P.Has(id) {
		return p.T(id)
	}
	return means
}
