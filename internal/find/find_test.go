package find_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/find"
)

// A text is taken for what it most likely is, and whatever else it may be is offered.
func TestRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"GATA000408HTLRLLA7":     "curp:GATA000408HTLRLLA7! reference:GATA000408HTLRLLA7",
		" gata000408 htlrlla7 ":  "curp:GATA000408HTLRLLA7! reference:gata000408 htlrlla7",
		"GATA00":                 "curp:GATA00 reference:GATA00",
		"GATA000408":             "curp:GATA000408 rfc:GATA000408 reference:GATA000408",
		"GATA000408HT":           "curp:GATA000408HT rfc:GATA000408HT reference:GATA000408HT",
		"GATA000408AB1":          "rfc:GATA000408AB1! reference:GATA000408AB1",
		"ÑUÑ9001019X1":           "rfc:ÑUÑ9001019X1! reference:ÑUÑ9001019X1",
		"02189216878":            "nss:02189216878! reference:02189216878",
		"0218 9216-878":          "nss:02189216878! reference:0218 9216-878",
		"021892":                 "reference:021892 nss:021892 employer:[021892]",
		"77":                     "reference:77 employer:[77]",
		"123456789012":           "reference:123456789012 employer:[123456789012]",
		"SOL-2026-0014":          "reference:SOL-2026-0014 employer:[sol 2026 0014]",
		"EXP-7":                  "reference:EXP-7 employer:[exp 7]",
		"7 Eleven México":        "reference:7 Eleven México employer:[7 eleven mexico]",
		"García Ñúñez, José":     "name:[garcia nunez jose] employer:[garcia nunez jose] reference:García Ñúñez, José",
		"jose  JOSÉ":             "name:[jose] employer:[jose] reference:jose JOSÉ",
		"Петров":                 "reference:Петров",
		"x":                      "",
		"  ":                     "",
		"--":                     "",
		strings.Repeat("é", 121): "",
	} {
		var got []string
		for _, r := range find.Read(text) {
			word := string(r.Kind) + ":" + r.Key
			if r.Words != nil {
				word += fmt.Sprint(r.Words)
			}
			if r.Whole {
				word += "!"
			}
			got = append(got, word)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", " ¡ ": "", "GARCÍA  Ñúñez": "garcia nunez", "Coppel, S.A. de C.V.": "coppel s a de c v", "ﬁn Ⅳ": "fin iv", "3M": "3m", "İstanbul": "istanbul", "a\u0301b": "ab",
	} {
		if got := find.Fold(text); got != want {
			t.Errorf("%q folds to %q, want %q", text, got, want)
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	words := []string{"de", "garcia", "s"}
	if got, want := find.Query(words), "'de' & 'garcia':* & 's'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := find.Beginnings(words), "'de' & 'garcia' & 's'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What is searched for is personal data: a reading prints its kind alone.
func TestReadingsDoNotPrint(t *testing.T) {
	t.Parallel()
	for _, r := range find.Read("GATA000408HTLRLLA7") {
		if got := fmt.Sprintf("%v %s %s", r, r, r.LogValue()); strings.Contains(got, "GATA") {
			t.Errorf("prints %q", got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("GATA000408")
	f.Add("Ñ\u0303 \u0000")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range find.Read(text) {
			for _, w := range r.Words {
				if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
					t.Errorf("%q has the word %q", text, w)
				}
			}
			if r.Words == nil && utf8.RuneCountInString(r.Key) < 2 {
				t.Errorf("%q leads to %q", text, r.Key)
			}
		}
		if find.Fold(find.Fold(text)) != find.Fold(text) {
			t.Errorf("%q folds further", text)
		}
	})
}
