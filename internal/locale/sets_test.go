package locale_test

import (
	"testing"

	"cotejo/internal/auth"
	"cotejo/internal/consent"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// TestClosedSetsHaveWords: templates complete an id with a value of a closed
// set ("ui.status." + status), which no reading of the sources can check.
func TestClosedSetsHaveWords(t *testing.T) {
	t.Parallel()
	statuses := texts(lookup.Statuses)
	sets := map[string][]string{
		"ui.status.":          statuses,
		"ui.status_meaning.":  statuses,
		"ui.status_next.":     statuses,
		"ui.pull.profile.":    texts(lookup.PullStates),
		"ui.pull.employment.": texts(lookup.PullStates),
		"ui.pull_meaning.":    texts(lookup.PullStates),
		"ui.verdict.":         texts(webhook.Verdicts),
		"ui.verdict_meaning.": texts(webhook.Verdicts),
		"ui.role.":            texts(auth.Roles),
		"ui.role_meaning.":    texts(auth.Roles),
		"ui.env.":             texts([]lookup.Environment{lookup.Sandbox, lookup.Production}),
		"ui.dialect.":         texts([]lookup.Dialect{lookup.Palenca, lookup.Buro}),
		"ui.platform.":        texts([]lookup.Platform{lookup.IMSS, lookup.ISSSTE}),
		"ui.source.":          texts([]lookup.Source{lookup.SourceForm, lookup.SourceBulk, lookup.SourceRefresh, lookup.SourceRetry, lookup.SourceAutomatic}),
		"ui.means.":           consent.Means,
		"ui.employment.": {
			"employed", "active", "unemployed", "retired", "potentially_retired", "voluntary_contributions",
			"self_employed", "banned", "unknown",
		},
		"ui.movement.": {"reentry", "salary_modification", "discharge"},
	}
	actors := append(texts(lookup.Actors), "support", "developer")
	sets["ui.actor."], sets["ui.acts."] = actors, actors
	for _, lang := range locale.Languages {
		p := locale.For(lang, nil)
		for prefix, words := range sets {
			for _, word := range words {
				if !p.Has(prefix + word) {
					t.Errorf("%s: no %q", lang, prefix+word)
				}
			}
		}
	}
}

// TestOurCodesAreExplained: a refused request gets the same care as the vendor's own details.
func TestOurCodesAreExplained(t *testing.T) {
	t.Parallel()
	p := locale.For("es-MX", nil)
	for _, code := range []string{
		lookup.CodeUnauthorized, lookup.CodeForbidden, lookup.CodeRecentSuccess, lookup.CodeRejected,
		lookup.CodeNoFinalEvent, lookup.CodeNeverSent, "failed_refresh",
	} {
		if !p.Detail(code, "imss").Known {
			t.Errorf("%s has no text", code)
		}
	}
}

func texts[S ~string](set []S) []string {
	words := make([]string, len(set))
	for i, word := range set {
		words[i] = string(word)
	}
	return words
}
