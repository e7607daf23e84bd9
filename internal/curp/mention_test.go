package curp

import (
	"strings"
	"testing"
	"unicode"
)

func TestMentions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"lo pide gata000408htlrlla7":                "lo pide …",
		"lo pide GATA-000408-HTLRLLA7.":             "lo pide ….",
		"lo pide GATA 000408 HTLRLLA7":              "lo pide …",
		"G A T A\u00a0000408\u2011HTLR\u200bLLA7 y": "… y",
		"xxGATA000408HTLRLLA7yy":                    "xx…yy",
		"GATA001399HTLRLLA7":                        "…", // no such day, and still somebody's
		"lo pide GODE561231GR8 por correo":          "lo pide … por correo",
		"GODE-561231-GR8, gode 561231 gr8":          "…, …",
		"proveedor ABC680524P76":                    "proveedor …", // of a company, which no rule tells from a person's letters
		"del NSS 02189216878":                       "del NSS …",
		"NSS02189216878":                            "NSS…",
		"nss_02189216878.csv":                       "nss_….csv",
		"0218-92-1687-8":                            "…",
		"02 18 92 1687 8 y 02189216878":             "… y …",
		"NSS 02189216878 2026":                      "NSS … 2026",
		"folio 12 02189216878":                      "folio 12 …",
		"02189216878\n3 casos":                      "…\n3 casos",
		"02189216878 02189216878":                   "… …",
		"02189216878-1":                             "…-1",
		"12 0218-92-1687-8 77":                      "12 … 77",
		"+52 55 1234 5678":                          "",
		"GATA000408HTLRLLA7GATA000408HTLRLLA7":      "……",
		"expediente 2026-0118 del 22 de noviembre":  "",
		"corte del 220126 una vez":                  "",
		"cartera 202601 hasta el 21":                "",
		"del 2026-11-01 al 2026-11-30":              "",
		"corte 2026-11-22 101 casos":                "",
		"20261122T060509Z":                          "",
		"1234567890, 123456789012":                  "",
		"0c9b1f6e-1111-4222-8333-abc92571101a":      "",
		"01234567-1234-4123-8123-123456789012":      "",
		"sha " + strings.Repeat("0218921687 8a", 1): "sha …a",
		strings.Repeat("02189216878abcdef", 3):      "",
		"Alejandro García":                          "",
		"GATA000408HTLRLLA":                         "",
		"":                                          "",
	} {
		found := want != ""
		if !found {
			want = text
		}
		if got := Redact(text); got != want || Mentions(text) != found {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// What Clean takes out does not hide anybody.
func TestMentionsAsCleanDoes(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune) {
		if s := string(r); Clean(s) != "" || r == 0 {
			continue
		}
		for _, text := range []string{"GATA000408HTLRLLA7", "02189216878"} {
			if apart := strings.Join(strings.Split(text, ""), string(r)); !Mentions(apart) {
				t.Errorf("%s with %U in between goes unseen", text[:4], r)
			}
		}
	}
}

func FuzzMentions(f *testing.F) {
	for _, seed := range []string{"GATA-000408-HTLRLLA7", "Ñ 0218 92 1687 8", "\xff12345678901", "GODE 561231 GR8"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if redacted := Redact(text); (redacted != text) != Mentions(text) && !strings.Contains(text, "…") {
			t.Errorf("%q becomes %q", text, redacted)
		}
	})
}
