package views

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// Each part is shown in each state that the program's own lists know, and no two states read alike.
func TestGallery(t *testing.T) {
	t.Parallel()
	parts := map[string]int{
		"status":     len(lookup.Statuses) + 1, // one that we have no word for
		"big status": len(lookup.Statuses), "verdict": len(webhook.Verdicts) + 2, "pull": len(lookup.PullStates), "actor": len(lookup.Actors) + 2,
		"bulk": len(bulk.States) + 2, "export": len(receipt.States) + 1, "replay": len(webhook.ReplayStates) + 1, "subscription": 4,
		"job": len(task.States), "access": 3, "live": len(liveStates), "flash": 3,
	}
	bothLanguages(t, func(t *testing.T, lang string) {
		doc := render(t, Gallery(GalleryPage{Page: testPage(lang)}))
		checkDocument(t, doc, lang)
		count(t, doc, ".gallery__icon", len(iconNames()))
		count(t, doc, "svg.chart", 2)
		if len(iconNames()) < 50 {
			t.Errorf("%d icons", len(iconNames()))
		}
		for part, states := range parts {
			words := map[string]bool{}
			doc.Find(`[data-part="` + part + `"] > *`).Each(func(_ int, s *goquery.Selection) {
				words[strings.TrimSpace(s.Text())] = true
			})
			if count(t, doc, `[data-part="`+part+`"] > *`, states); len(words) != states || words[""] {
				t.Errorf("%s: %d states read as %d: %v", part, states, len(words), words)
			}
		}
		count(t, doc, "[data-part=button]", len(buttonKinds))
		for _, state := range []string{":not([disabled], [aria-busy])", "[disabled]", "[aria-busy=true]"} {
			count(t, doc, "[data-part=button] > button"+state, len(buttonKinds))
		}
		count(t, doc, "#gallery-panels > .alert", 4)
		count(t, doc, "[data-part=live] > .live--paused", 1)
		count(t, doc, "[data-part=live] > .live--lost", 2)
		count(t, doc, "[data-part=flash] > .flash--error[role=alert]", 1)
		count(t, doc, "form .field", 11)
		count(t, doc, "form .field__error", 5)
	})
}
