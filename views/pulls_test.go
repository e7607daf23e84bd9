package views

import (
	"strings"
	"testing"

	"cotejo/internal/lineage"
	"cotejo/internal/lookup"
)

func pullPage(lang, body string, at int) PullPage {
	v := PullPage{Page: testPage(lang), Pull: PullNote{UID: testID(30), FetchedAt: noon, Delivery: testID(31)}, Kind: lookup.EntityEmployment, State: lookup.PullComplete,
		Dialect: lookup.Palenca, Platform: lookup.IMSS, LookupUID: testID(1), Attempt: 1, Parts: []PullPart{{200, 20, strings.Repeat("ab", 32), true}, {200, 9, strings.Repeat("cd", 32), true}}}
	lines, whole := lineage.Lines([][]byte{[]byte(body)})
	v.Show(1, at, lines[0], whole[0])
	return v
}

func TestPullPage(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := pullPage(lang, `{"data":{"employment_history":[{"base_salary":512.60}],"employment_info":{"quoted_weeks":7}}}`, 1)
		v.Fact, v.Masked, v.Hidden = "employment_history-0-base_salary", true, true
		doc := render(t, Pull(v))
		checkDocument(t, doc, lang)
		says(t, doc, ".raw__line--fact", `"base_salary": 512.60`)
		attr(t, doc, "#at-employment_info", "data-n", "8")
		count(t, doc, ".parts__link", 2)
		count(t, doc, `.parts [aria-current=page]`, 1)
		count(t, doc, "#pull-windows", 0)
		for _, body := range []string{"", "no JSON at all", strings.Repeat("x", lineage.MaxParsed+1)} {
			checkDocument(t, render(t, Pull(pullPage(lang, body, 1))), lang)
		}
		v.State, v.Code, v.Parts[0].Matches = lookup.PullFailed, "timeout", false
		count(t, render(t, Pull(v)), "[data-proof=bad]", 1)
	})
}

// A long answer is shown by a thousand lines, the ones around what was asked for.
func TestPullWindows(t *testing.T) {
	t.Parallel()
	body := `{"l":[` + strings.TrimSuffix(strings.Repeat("1,", 2500), ",") + `]}`
	doc := render(t, Pull(pullPage("en", body, 1203)))
	count(t, doc, ".raw__line", 1000)
	attr(t, doc, ".raw__line", "data-n", "1001")
	attr(t, doc, `#pull-windows [rel=prev]`, "href", "/pulls/"+testID(30).String())
	attr(t, doc, `#pull-windows [rel=next]`, "href", "/pulls/"+testID(30).String()+"?from=2001")
	says(t, doc, "#pull-windows", "Lines 1,001 to 2,000 of 2,504")
}

func TestFactPath(t *testing.T) {
	t.Parallel()
	v := answered("en")
	if got, want := v.inEmployment(lineage.RecordBase, 2), "/pulls/"+v.EmploymentPull.UID.String()+"?at=employment_history-2-base_salary#at-employment_history-2-base_salary"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if v.EmploymentPull = (PullNote{}); v.inEmployment(lineage.RecordBase, 2) != "" {
		t.Error("a fact leads to an answer that is not there")
	}
}
