package locale

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var knownActors = []string{cotejo, source, person, analyst, nobody, support, developer}

func TestCodesAreTheVendors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		codes []string
		want  int
	}{"status_details": {Codes, 115}, "ours": {OwnCodes, 12}, "Buró": {BuroCodes, 6}, "warnings": {Warnings, 20}} {
		unique := slices.Compact(slices.Sorted(slices.Values(tt.codes)))
		if len(tt.codes) != tt.want || len(unique) != tt.want {
			t.Errorf("%s: %d codes, %d different, want %d", name, len(tt.codes), len(unique), tt.want)
		}
	}
}

// TestEveryDetailIsWhole reads each code in each language on each platform.
func TestEveryDetailIsWhole(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages {
		p := For(lang, nil)
		for _, platform := range []string{"imss", "issste", "uber", "all", ""} {
			for _, code := range slices.Concat(Codes, OwnCodes, BuroCodes) {
				checkDetail(t, lang+" "+platform, p.Detail(code, platform), code)
			}
		}
		for _, code := range Warnings {
			checkDetail(t, lang+" warning", p.Warning(code), code)
		}
	}
}

// split finds a contraction that a blank broke in two: "de" + "el IMSS".
var split = regexp.MustCompile(`\b(a|de) el `)

func checkDetail(t *testing.T, where string, d Detail, code string) {
	t.Helper()
	if d.Code != code || !d.Known || !slices.Contains(knownActors, d.Actor) {
		t.Errorf("%s %s: code %q, known %v, actor %q", where, code, d.Code, d.Known, d.Actor)
	}
	for name, text := range map[string]string{"title": d.Title, "meaning": d.Meaning, "next": d.Next} {
		if text == "" || strings.ContainsAny(text, "⟨{<") {
			t.Errorf("%s %s: %s = %q", where, code, name, text)
		}
	}
	for _, text := range []string{d.Title, d.Meaning, d.Next} {
		if split := split.FindString(text); split != "" {
			t.Errorf("%s %s: %q is one word in Spanish: %q", where, code, split, text)
		}
	}
	// A title stands in a table cell and carries no full stop; the rest are sentences.
	if n := utf8.RuneCountInString(d.Title); n > 55 || strings.HasSuffix(d.Title, ".") || d.Title == code {
		t.Errorf("%s %s: title of %d characters: %q", where, code, n, d.Title)
	}
	if !strings.HasSuffix(d.Meaning, ".") || !strings.HasSuffix(d.Next, ".") {
		t.Errorf("%s %s: not a sentence: %q %q", where, code, d.Meaning, d.Next)
	}
}

// TestNoTextIsRepeated: a text that fits two codes explains neither.
func TestNoTextIsRepeated(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages {
		p, seen := For(lang, nil), map[string]string{}
		for _, code := range slices.Concat(Codes, OwnCodes, BuroCodes) {
			d := p.Detail(code, "imss")
			for _, text := range []string{d.Title, d.Meaning, d.Next} {
				if other, twice := seen[text]; twice {
					t.Errorf("%s: %s and %s say the same: %q", lang, other, code, text)
				}
				seen[text] = code
			}
		}
	}
}

// TestPlatformPicksTheOffice: nobody is sent to IMSS over an ISSSTE login, and
// the other way round. Texts that name both on purpose are listed.
func TestPlatformPicksTheOffice(t *testing.T) {
	t.Parallel()
	both := []string{
		"curp_not_in_platform", "user_curp_not_in_platform", // which of the two to try
		"too_many_requests",       // the vendor says it of both
		"employment_info_in_imss", // the code itself names IMSS
		"nss_not_found_in_imss",
		"rpci_timeout", // a document of IMSS
	}
	for _, lang := range Languages {
		p := For(lang, nil)
		for _, code := range slices.Concat(Codes, OwnCodes, BuroCodes) {
			if slices.Contains(both, code) {
				continue
			}
			for platform, foreign := range map[string]string{"imss": "ISSSTE", "issste": "IMSS", "": "IMSS"} {
				d := p.Detail(code, platform)
				if strings.Contains(d.Title+d.Meaning+d.Next, foreign) {
					t.Errorf("%s: %s on %q speaks of %s: %+v", lang, code, platform, foreign, d)
				}
			}
		}
	}
}

func TestDetail(t *testing.T) {
	t.Parallel()
	es := For("es-MX", nil)
	imss, issste := es.Detail("curp_has_inconsistencies", "imss"), es.Detail("curp_has_inconsistencies", "ISSSTE")
	if !strings.Contains(imss.Next, "subdelegación del IMSS") || !strings.Contains(issste.Next, "oficina del ISSSTE") {
		t.Errorf("office: %q and %q", imss.Next, issste.Next)
	}
	nss := es.Detail("nss_not_found_in_imss", "imss")
	if nss.Title != "El IMSS no encuentra su NSS" || nss.Actor != person {
		t.Errorf("nss_not_found_in_imss: %+v", nss)
	}
	if elsewhere := es.Detail("nss_not_found_in_imss", "issste"); elsewhere.Actor != analyst || elsewhere.Title == nss.Title {
		t.Errorf("nss_not_found_in_imss on issste: %+v", elsewhere)
	}
	if status, warning := es.Detail("zero_quoted_weeks", "imss"), es.Warning("zero_quoted_weeks"); status.Meaning == warning.Meaning {
		t.Errorf("a warning says what the status says: %q", status.Meaning)
	}
}

func TestUnknownCodes(t *testing.T) {
	t.Parallel()
	p := For("en", nil)
	for _, code := range []string{"", "made_up", "curp_has_inconsistencies.title", "institution.imss"} {
		want := Detail{Code: code, Title: code}
		if diff := cmp.Diff(want, p.Detail(code, "imss")); diff != "" {
			t.Errorf("Detail(%q) (-want +got):\n%s", code, diff)
		}
		if diff := cmp.Diff(want, p.Warning(code)); diff != "" {
			t.Errorf("Warning(%q) (-want +got):\n%s", code, diff)
		}
	}
	if p.Warning("rider_account").Known == p.Detail("rider_account", "").Known {
		t.Error("a warning is no status detail")
	}
}
