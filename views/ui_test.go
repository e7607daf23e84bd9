package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func TestBadgesAlwaysHaveIconAndWord(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		p := testPage(lang)
		for _, status := range append(lookup.Statuses, "from_tomorrow") {
			checkMarkup(t, render(t, StatusBadge(p, status)))
			checkMarkup(t, render(t, BigStatusBadge(p, status)))
		}
		causes := []webhook.Cause{webhook.CauseNone, webhook.CauseForeign, webhook.CauseUnreadable, webhook.CauseLate, webhook.CauseTooLarge}
		for _, verdict := range webhook.Verdicts {
			for _, cause := range causes {
				doc := render(t, VerdictBadge(p, verdict, cause))
				checkMarkup(t, doc)
				count(t, doc, ".badge .icon", 1)
			}
		}
		for _, kind := range []string{"profile", "employment"} {
			for _, state := range append(lookup.PullStates, "") {
				checkMarkup(t, render(t, PullBadge(p, kind, state)))
			}
		}
		for _, actor := range []string{"cotejo", "source", "person", "analyst", "nobody", "support", "developer"} {
			checkMarkup(t, render(t, ActorTag(p, actor)))
		}
	})
}

func TestVerdictBadgeNamesTheCauseThatMatters(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	says(t, render(t, VerdictBadge(p, webhook.Unmatched, webhook.CauseNone)), ".badge--unmatched", "Sin pareja")
	says(t, render(t, VerdictBadge(p, webhook.Ignored, webhook.CauseForeign)), ".badge--foreign", "Ajena")
	says(t, render(t, VerdictBadge(p, webhook.Ignored, webhook.CauseUnreadable)), ".badge--unreadable", "Ilegible")
	says(t, render(t, VerdictBadge(p, webhook.Refused, webhook.CauseTooLarge)), ".badge--refused", "Rechazada")
}

func TestMasked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ kind, value, shown, spoken string }{
		"curp":     {"curp", "GATA000408HTLRLLA7", "GATA••••••••••LLA7", "CURP oculta; empieza con GATA y termina con LLA7"},
		"nss":      {"nss", "12345678901", "•••••••8901", "NSS oculto; termina con 8901"},
		"odd curp": {"curp", "<script>", "••••••••••••••••••", "Dato oculto"},
		"absent":   {"nss", "", "", "la fuente no lo informó"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := render(t, Masked(testPage("es-MX"), test.kind, test.value))
			if got := doc.Find("[aria-hidden]").Text(); got != test.shown {
				t.Errorf("shown %q, want %q", got, test.shown)
			}
			says(t, doc, "body", test.spoken)
			if test.value != "" && strings.Contains(doc.Text(), test.value) {
				t.Error("the value is on the page")
			}
		})
	}
}

func TestRevealIsAForm(t *testing.T) {
	t.Parallel()
	doc := render(t, Reveal(testPage("es-MX"), "/lookups/1/reveal", "curp"))
	checkMarkup(t, doc)
	attr(t, doc, "form", "action", "/lookups/1/reveal")
	attr(t, doc, "form", "hx-post", "/lookups/1/reveal")
	attr(t, doc, "input", "value", "curp")
}

func TestTimes(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	doc := render(t, Ago(p, noon.Add(-3*time.Minute)))
	attr(t, doc, "time", "datetime", "2026-03-15T17:38:23Z")
	attr(t, doc, "time", "title", "15 mar 2026, 11:38:23")
	says(t, doc, "time", "hace 3 min")

	// A date is the same in every zone: midnight UTC is the day before in Mexico.
	doc = render(t, Day(p, time.Date(2023, time.January, 15, 0, 0, 0, 0, time.UTC)))
	attr(t, doc, "time", "datetime", "2023-01-15")
	says(t, doc, "time", "15 ene 2023")

	says(t, render(t, Moment(p, noon)), "time", "15 mar 2026, 11:41:23")
	says(t, render(t, Clock(p, noon)), "time", "11:41:23")
	for name, zero := range map[string]string{
		"ago": html(t, Ago(p, time.Time{})), "moment": html(t, Moment(p, time.Time{})), "day": html(t, Day(p, time.Time{})),
	} {
		if strings.Contains(zero, "<time") || !strings.Contains(zero, "u-muted") {
			t.Errorf("%s of no time: %s", name, zero)
		}
	}
}

func TestFieldTiesHelpAndError(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	doc := render(t, Field(p, Input{Name: "rate", Type: "number", Label: "Límite", Unit: "por minuto", Value: "240", Help: "Hasta 120.", Err: Note{ID: "admin.connection.calls_bad", Args: []any{"Max", 120}}, Required: true}))
	checkMarkup(t, doc)
	attr(t, doc, "input", "aria-describedby", "rate-error rate-help")
	attr(t, doc, "input", "aria-invalid", "true")
	says(t, doc, "#rate-error", "Escriba un número de 1 a 120.")
	count(t, doc, "input[required]", 1)

	plain := render(t, Field(p, Input{Name: "x", ID: "other", Label: "X", Optional: true}))
	checkMarkup(t, plain)
	count(t, plain, "[aria-describedby], [aria-invalid], [required], [readonly]", 0)
	attr(t, plain, "label", "for", "other")
	says(t, plain, "label", "opcional")
}

func TestChoices(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	choice := Choice{Name: "role", Label: "Rol", Value: "b", Options: []Option{{Value: "a", Word: "A"}, {Value: "b", Word: "B", Help: "la segunda"}}}
	doc := render(t, Picks(p, choice))
	checkMarkup(t, doc)
	attr(t, doc, "input[checked]", "value", "b")
	attr(t, doc, "input", "id", "role") // where the list of errors leads
	count(t, doc, ".picks--stack", 1)
	doc = render(t, Select(p, choice))
	checkMarkup(t, doc)
	attr(t, doc, "option[selected]", "value", "b")
	doc = render(t, Check(p, Tick{Name: "consent", Word: "Sí", Checked: true, Err: Note{ID: "admin.flash.environment_unsure"}}))
	checkMarkup(t, doc)
	attr(t, doc, "input[checked]", "value", "on")
	attr(t, doc, "input", "aria-describedby", "consent-error")
}

func TestInOrder(t *testing.T) {
	t.Parallel()
	whole, a, b := Note{ID: "w"}, Note{ID: "a"}, Note{ID: "b"}
	got := InOrder(map[string]Note{"": whole, "b": b, "a": a}, "a", "c", "b")
	want := []FieldError{{"a", a}, {"b", b}, {"", whole}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	doc := render(t, ErrorList(testPage("es-MX"), nil))
	count(t, doc, ".alert", 0)
}

func TestPager(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	doc := render(t, Pager(p, PageLinks{Older: "/x?after=1", Rows: 25}))
	count(t, doc, "a", 1)
	attr(t, doc, "a", "rel", "next")
	says(t, doc, "nav", "25 en esta página")
	doc = render(t, Pager(p, PageLinks{Newer: "/x", Rows: 9}))
	says(t, doc, "nav", "9 en esta página; es la última")
}

func TestFacts(t *testing.T) {
	t.Parallel()
	doc := render(t, Facts(Fact{Label: "Nada"}, Fact{Label: "Palabra", Text: "<b>"}, Fact{Label: "Pieza", Body: Icon("info")}))
	checkMarkup(t, doc)
	count(t, doc, "dt", 2)
	count(t, doc, "dd", 2)
	count(t, doc, "dd b", 0)
}

func TestSayWritesDatesTheReadersWay(t *testing.T) {
	t.Parallel()
	note := Note{ID: "lookups.filter.since", Args: []any{"Date", time.Date(2024, time.March, 15, 0, 0, 0, 0, time.UTC)}}
	if got := testPage("es-MX").Say(note); got != "desde 15 mar 2024" {
		t.Errorf("said %q", got)
	}
	if (Note{}).Is() || !note.Is() {
		t.Error("Is tells nothing from something")
	}
}
