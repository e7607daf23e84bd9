package views

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
)

func TestStory(t *testing.T) {
	t.Parallel()
	kinds := []lookup.MomentKind{
		lookup.MomentRequested, lookup.MomentSent, lookup.MomentTaken, lookup.MomentFound, lookup.MomentRefused, lookup.MomentStatus, lookup.MomentRepeated,
		lookup.MomentLate, lookup.MomentUnknown, lookup.MomentProfile, lookup.MomentEmployment, lookup.MomentPullFailed, "strange",
	}
	bothLanguages(t, func(t *testing.T, lang string) {
		v := casePage(lang, lookup.Success)
		var story []lookup.Moment
		for i, kind := range kinds {
			story = append(story, lookup.Moment{At: noon.Add(time.Duration(i) * 4 * time.Hour), Kind: kind, Status: lookup.Success, Text: "complete", Actor: "Mariana", Delivery: testID(40), TookMS: 287})
		}
		v.Case.Attempts[0].Story = story
		older := v.Case.Attempts[0]
		older.Number, older.Story = 0, nil
		v.Case.Attempts = append(v.Case.Attempts, older)
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		items := doc.Find("#h-story").Closest("section").Find(".story__item")
		if items.Length() != len(kinds) {
			t.Fatalf("%d moments, want %d", items.Length(), len(kinds))
		}
		count(t, doc, `.story__item a[href="/deliveries/`+testID(40).String()+`"]`, len(kinds))
		count(t, doc, "#story-more", 1)
		seen := map[string]bool{}
		for _, m := range story {
			words := storyWords(v.Page, m)
			if words == "" || seen[words] {
				t.Errorf("%s says %q", m.Kind, words)
			}
			seen[words] = true
		}
		// twelve steps of four hours pass midnight in Mexico City twice
		if n := len(v.Case.Attempts[0].Story); n > 0 {
			newDays := 0
			for i := range story {
				if v.newDay(story, i) {
					newDays++
				}
			}
			if newDays != 2 {
				t.Errorf("%d new days", newDays)
			}
		}
	})
}

func TestWeeksAbsent(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	v.Case.Platform = lookup.ISSSTE
	v.History.Weeks = employment.Weeks{}
	doc := render(t, Lookup(v))
	says(t, doc, "#h-weeks", "Semanas y situación")
	section := doc.Find("#h-weeks").Closest("section").Text()
	if !strings.Contains(section, "La fuente no las informó") || strings.Contains(section, "271") {
		t.Error(section)
	}
}

// Weeks stand as given. Their sum is defined nowhere, so none of it is on the page.
func TestWeeksAsGiven(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := answered(lang)
		given := []int{4271, 1308, 2057}
		v.History.Weeks = employment.Weeks{Quoted: &given[0], Discounted: &given[1], Reintegrated: &given[2]}
		doc := render(t, Lookup(v))
		section := doc.Find("#h-weeks").Closest("section")
		for i, name := range []string{"quoted", "discounted", "reintegrated"} {
			label := v.T("lookups.weeks." + name)
			value := section.Find("dt").FilterFunction(func(_ int, dt *goquery.Selection) bool { return strings.TrimSpace(dt.Text()) == label }).Next()
			if got := strings.TrimSpace(value.Text()); value.Length() != 1 || !strings.HasPrefix(got, v.P.Number(int64(given[i]))) {
				t.Errorf("%s: %q, want %d", label, got, given[i])
			}
		}
		page := doc.Text()
		for _, n := range []int{4271 + 1308 + 2057, 4271 - 1308 + 2057, 4271 + 1308, 4271 - 1308, 4271 + 2057, 1308 + 2057} {
			if strings.Contains(page, v.P.Number(int64(n))) {
				t.Errorf("%d is on the page, which nobody gave", n)
			}
		}
	})
}

func TestOtherIDsHoldNoHiddenOnes(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	ids := v.otherIDs()
	if len(ids) != 1 || ids[0].Type != "passport" {
		t.Errorf("%v", ids)
	}
}
