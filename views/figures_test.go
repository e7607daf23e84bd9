package views

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"cotejo/internal/auth"
	"cotejo/internal/decision"
	"cotejo/internal/employment"
	"cotejo/internal/figures"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// Every figure, reason, caution and hint has its words, in both languages.
func TestFiguresHaveWords(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		p := testPage(lang)
		say := func(id string) {
			t.Helper()
			if !p.P.Has(id) {
				t.Errorf("no message %s", id)
			}
		}
		for _, id := range figures.IDs {
			for _, part := range []string{"name", "short", "edge"} {
				say("figures." + part + "." + stem(id))
			}
		}
		for _, why := range figures.Reasons {
			say("figures.why." + string(why))
		}
		for _, c := range figures.Cautions {
			say("figures.caution." + string(c))
		}
		for kind, results := range map[profile.HintKind][]profile.Result{
			profile.HintCURP: {profile.Agrees, profile.Differs}, profile.HintName: {profile.Agrees, profile.Initials, profile.Consonants}, profile.HintSex: nil,
			profile.HintBirth: {profile.Agrees, profile.Differs}, profile.HintNSS: {profile.Agrees, profile.Form, profile.Digit, profile.Year},
			profile.HintRFC: {profile.Agrees, profile.Form, profile.Digit, profile.Generic}, profile.HintRFCCURP: {profile.Agrees, profile.Differs},
			profile.HintRegistration: {profile.Agrees, profile.Form},
		} {
			for _, result := range append(results, profile.Absent) {
				say("hints." + string(kind) + "." + string(result))
			}
		}
		doc := render(t, Figures(FiguresPage{Page: p}))
		checkDocument(t, doc, lang)
		count(t, doc, ".defs__item[id]", len(definedFigures()))
	})
}

func TestFiguresPanel(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := answered(lang)
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		for _, id := range figures.IDs {
			count(t, doc, `#figures [data-figure="`+string(id)+`"]`, 1)
			// The four spans of a time out of work are defined once, below their table; whatever else has its own definition inside.
			definition := `#figures [data-figure="` + string(id) + `"] .fig__more`
			if stem(id) != string(id) {
				definition = "#figures .fig__pair #fig-" + stem(id)
			}
			says(t, doc, definition, v.T("figures.short."+stem(id)))
		}
		attr(t, doc, "#as_of", "value", "2026-03-15")
		attr(t, doc, "#as_of", "max", "2026-03-15")
		count(t, doc, "#as_of-today", 0)
		if strings.Contains(html(t, Lookup(v)), "as_of=") {
			t.Error("today is in an address, and tomorrow will not be today")
		}
	})
}

func TestFiguresAsOf(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	h := employment.History{Records: []employment.Record{
		{Employer: "Alfa", Start: date("2020-01-01"), End: date("2020-12-31"), BaseSalary: "400.00", Monthly: "12168.00"},
		{Employer: "Beta", Start: date("2021-01-01"), BaseSalary: "500.00"}, {Employer: "Gama"},
	}}
	v.History = &h
	v.Desk.AsOf = date("2020-12-31")
	doc := render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	for selector, want := range map[string]string{
		`[data-figure="employed"] .fig__value`:        "Sí",
		`[data-figure="current_job"] .fig__value`:     "1 año",
		`[data-figure="current_job"] .fig__beside`:    "366 días, desde el 1 ene 2020",
		`[data-figure="weeks_worked"] .fig__value`:    "al menos 52 semanas y 2 días",
		`[data-figure="since_last"] .fig__value`:      "No aplica",
		`[data-figure="salary_now"] .fig__value`:      "$400.00 al día",
		`[data-figure="salary_now"] dd`:               "$12,168.00 al mes",
		`[data-figure="salary_change_12m"]`:           "No se sabe",
		`[data-figure="employers_unique"]`:            "Alfa, desde el 1 ene 2020",
		`#figures .alert`:                             "1 registro sin fechas utilizables",
		`#figures .alert li:last-child`:               "1 registro empieza después de la fecha",
		`[data-figure="out_longest_1y"]`:              "Ninguno",
		`[data-figure="switch_rises"] .fig__value`:    "al menos 0 de 0 cambios",
		`[data-figure="employers_per_year"] dd`:       "al menos 1.00",
		`[data-figure="current_changes"] .fig__value`: "No se sabe",
	} {
		says(t, doc, selector, want)
	}
	attr(t, doc, "#as_of", "value", "2020-12-31")
	attr(t, doc, "#as_of-today", "href", "/lookups/"+v.Case.UID.String()+"#figures")
	count(t, doc, `[hx-sse\:connect$="&as_of=2020-12-31"]`, 1)
	attr(t, doc, `#decide [name="as_of"]`, "value", "2020-12-31")

	v.Desk = Desk{BadDate: true}
	doc = render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	attr(t, doc, "#as_of", "aria-invalid", "true")
	says(t, doc, "#as_of-error", "entre 1900 y hoy")
}

// The time of the data and the date of the figures are told apart.
func TestFiguresAfterTheData(t *testing.T) {
	t.Parallel()
	v := answered("en")
	v.EmploymentPull.FetchedAt = noon.AddDate(0, 0, -10)
	says(t, render(t, Lookup(v)), "#figures .alert", "For the 10 days after it")
	v.History = nil
	count(t, render(t, Lookup(v)), "#figures", 0)
}

func TestHintsPanel(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	doc := render(t, caseHints(v))
	checkMarkup(t, doc)
	attr(t, doc, `[data-hint="name"]`, "data-result", "agrees")
	attr(t, doc, `[data-hint="rfc"]`, "data-result", "digit")
	says(t, doc, ".panel__body > .u-muted", "Sin comparar: sexo")
	if text := html(t, caseHints(v)); strings.Contains(text, goodCURP) || strings.Contains(text, "12345674417") {
		t.Error("a number is in a hint")
	}
	count(t, render(t, caseHints(casePage("es-MX", lookup.Pending))), "section", 0)
}

func TestDecisionNotes(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := answered(lang)
		frozen, sum, err := v.seen().Freeze()
		if err != nil {
			t.Fatal(err)
		}
		v.Desk.Notes = []decision.Note{
			{UID: testID(40), At: noon, By: "Ana <b>", Reason: "Primera línea\n<script>", AsOf: date("2026-03-15"), Frozen: frozen, SHA256: sum[:]},
			{UID: testID(41), At: noon.Add(-time.Hour), By: "Beto", Reason: "x", Frozen: []byte(`{"version":9}`), SHA256: sum[:]},
		}
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		count(t, doc, "[data-decision]", 2)
		attr(t, doc, `#decide [name="shown"]`, "value", v.seen().Digest())
		says(t, doc, "[data-decision] .noted__hash", v.seen().Digest())
		says(t, doc, "[data-decision] .noted__text", "<script>")
		count(t, doc, "#reason[hx-morph-skip]", 1)

		v.Desk.Err, v.Desk.Reason = Note{ID: "decisions.changed"}, "sigue aquí"
		doc = render(t, Lookup(v))
		checkDocument(t, doc, lang)
		says(t, doc, "#reason", "sigue aquí")
		attr(t, doc, "#reason", "aria-invalid", "true")
		count(t, doc, `#decide [role=alert] a[href="#reason"]`, 1)

		v.Page = v.as(auth.Auditor)
		count(t, render(t, Lookup(v)), "#decide", 0)
	})
	count(t, render(t, Lookup(casePage("es-MX", lookup.Pending))), "#decide", 0)
	v := ofBuro(testPage("es-MX"))
	v.Entities[0].Pull.UID = testID(33)
	frozen, sum, err := v.seen().Freeze()
	if err != nil {
		t.Fatal(err)
	}
	v.Desk.Notes = []decision.Note{{UID: testID(40), At: noon, By: "Ana", Reason: "x", AsOf: date("2026-03-15"), Frozen: frozen, SHA256: sum[:]},
		{UID: testID(41), At: noon, By: "Beto", Reason: "x", Frozen: []byte(`{"version":1,"dialect":"buro"}`), SHA256: sum[:]}}
	doc := render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	attr(t, doc, `[data-frozen="invoices"] a`, "href", "/pulls/"+testID(33).String())
	says(t, doc, `[data-frozen="business_profile"]`, "no se pudo")
	count(t, doc, `[data-frozen="document"]`, 3)
	count(t, doc, `[data-frozen="document"] a[href="/documents/`+v.Documents[0].UID.String()+`"]`, 1)
	says(t, doc, "[data-decision]:last-of-type", "anterior a que se guardara")
	v.Page = v.as(auth.Auditor)
	count(t, render(t, Lookup(casePage("es-MX", lookup.Error))), "#decide", 1)
}

// Whatever the table of jobs says of a record, the facts frozen with a note say too: a column added later must be frozen.
func TestDecisionNoteHoldsTheJobs(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := answered(lang)
		v.History.Records = append(v.History.Records, employment.Record{Employer: "SECRETARÍA", Registration: "Y1234567101", Start: date("2019-05-02"), End: date("2026-03-15"), State: "Colima",
			BaseSalary: "2999.99", Monthly: "91000.01", JobTitle: "MÉDICO", Designation: "BASE", Modality: "10", PayFrequency: "quincenal", QuotedDays: "2510", Institution: "imss"},
			employment.Record{End: date("2001-02-03")}, employment.Record{Employer: "AL REVÉS", Start: date("2005-01-02"), End: date("2005-01-01")})
		frozen, sum, err := v.seen().Freeze()
		if err != nil {
			t.Fatal(err)
		}
		v.Desk.Notes = []decision.Note{{UID: testID(40), At: noon, By: "Ana", Reason: "x", AsOf: date("2026-03-15"), Frozen: frozen, SHA256: sum[:]}}
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		count(t, doc, `[data-decision] [data-frozen="record"]`, len(v.History.Records))
		kept := strings.Join(strings.Fields(doc.Find(`[data-decision] [data-frozen="record"]`).Text()), " ")
		said := 0
		doc.Find(".table--jobs tbody").Find("b, span, time, a").Each(func(_ int, s *goquery.Selection) {
			text := strings.Join(strings.Fields(s.Text()), " ")
			if text == v.T("lookups.jobs.absent") || text == v.T("ui.absent.not_applicable") || text == v.T("pulls.record") {
				return
			}
			if said++; !strings.Contains(kept, text) {
				t.Errorf("%q is on the page and not in the note", text)
			}
		})
		if said < 8*len(v.History.Records)-12 {
			t.Errorf("%d texts compared", said)
		}
	})
}
