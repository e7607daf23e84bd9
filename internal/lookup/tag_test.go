package lookup_test

import (
	"strings"
	"testing"

	"cotejo/internal/lookup"
)

func TestCleanTag(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"  Revisión   Manual ":         "revisión manual|",
		"2026-q1":                      "2026-q1|",
		"nómina/12345":                 "nómina/12345|",
		"":                             "|work.tag.empty",
		"2026":                         "2026|work.tag.empty",
		"--":                           "--|work.tag.empty",
		"nss 02189216878":              "nss 02189216878|work.tag.number",
		"GATA000408HTLRLLA7":           "gata000408htlrlla7|work.tag.number",
		"a@b.mx":                       "a@b.mx|work.tag.signs",
		"<b>":                          "<b>|work.tag.signs",
		strings.Repeat("ñ", 30):        strings.Repeat("ñ", 30) + "|",
		strings.Repeat("ñ", 31):        strings.Repeat("ñ", 31) + "|work.tag.long",
		"cre\u0301dito":                "cre\u0301dito|",
		"tel 55 12 34 56 78 no es nss": "tel 55 12 34 56 78 no es nss|",
	} {
		name, problem := lookup.CleanTag(typed)
		if got := name + "|" + problem; got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
