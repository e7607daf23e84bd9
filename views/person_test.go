package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
)

// aPerson was asked about at both vendors, which disagree.
func aPerson(p Page) PersonPage {
	weeks := 336
	imss := aRow
	imss.State, imss.Employment, imss.StatusAt = lookup.State{Status: lookup.Success}, lookup.PullComplete, noon
	imss.Gist = lookup.Gist{Records: 1, Employers: 1, CurrentName: "ALFA", Since: date("2023-01-15")}
	buro := imss
	buro.UID, buro.Dialect, buro.Platform = uuid.MustParse("018e4003-7c1d-7b02-9a55-3f0c6e1d4b99"), lookup.Buro, lookup.AllSources
	a := employment.History{Weeks: employment.Weeks{Quoted: &weeks}, Records: []employment.Record{{Employer: "ALFA", Registration: "Y1", Start: date("2023-01-15"), BaseSalary: "500.10"}}}
	b := employment.History{Records: []employment.Record{{Employer: "ALFA", Registration: "Y1", Start: date("2023-01-15"), End: date("2026-01-31"), BaseSalary: "510", Institution: "imss"},
		{Employer: "UNIVERSIDAD", Start: date("2010-01-01"), End: date("2011-12-31"), Monthly: "9000", Institution: "issste"}}}
	v := PersonPage{Page: p, UID: uuid.MustParse("018e4003-7c1d-7b02-9a55-3f0c6e1d4b77"), CURP: goodCURP, NSS: "12345678903", Name: "GARZA TOLEDO, ALFONSO",
		Lookups: []lookup.Row{buro, imss}, More: true, After: "abc", Before: "xyz",
		Sources:  []PersonSource{{Row: buro, Employment: &b, EmploymentAt: noon, Digest: strings.Repeat("ab", 32)}, {Row: imss, Employment: &a}},
		Compared: []SourcePair{{A: imss, B: buro, Records: 1, Changes: employment.BetweenSources(a, "imss", b)}}}
	for i, h := range []Happening{
		{Kind: HappenedAct, Who: "Ana", Word: string(audit.PersonViewed)},
		{Kind: HappenedAct, Who: "Ana", Word: string(audit.CURPRevealed), LookupUID: imss.UID},
		{Kind: HappenedAct, Who: "Ana", Word: "something.new"},
		{Kind: HappenedPull, Word: "complete", Text: "employment", LookupUID: buro.UID, Dialect: lookup.Buro, Platform: lookup.AllSources},
		{Kind: HappenedPull, Word: "failed", Text: "invoices", LookupUID: buro.UID},
		{Kind: HappenedOutcome, Word: "success", Text: "no_data", LookupUID: buro.UID},
		{Kind: HappenedDelivery, Word: "accepted", Text: "verification.completed", LookupUID: buro.UID, Delivery: imss.UID},
		{Kind: HappenedDelivery, Word: "refused", Text: "x", LookupUID: buro.UID, Delivery: imss.UID},
		{Kind: HappenedAttempt, Word: "retry", Text: "2", LookupUID: buro.UID},
		{Kind: HappenedLookup, Who: "Ana", Word: "form", Text: "SOL-1", LookupUID: buro.UID, Dialect: lookup.Buro, Platform: lookup.AllSources},
		{Kind: HappenedConsent, Who: "Ana", Word: "branch", Text: "1.0"},
		{Kind: HappenedExport, Who: "Ana", Word: "records", Reason: "cartera <de> noviembre", Receipt: imss.UID},
		{Kind: HappenedExport, Who: "Luis", Word: "bulk"},
	} {
		h.At = noon.Add(-time.Duration(i) * 5 * time.Hour)
		v.History = append(v.History, h)
	}
	return v
}

func TestPersonPage(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		doc := render(t, Person(aPerson(testPage(lang))))
		checkDocument(t, doc, lang)
		count(t, doc, "[data-source]", 2)
		count(t, doc, `[data-source="buro-all"] .spells__item`, 2)
		count(t, doc, `[data-source="palenca-imss"] .spells__item`, 1) // nothing of the other source slipped in
		count(t, doc, "[data-happened]", 13)
		count(t, doc, `[data-happened=export]`, 2)
		count(t, doc, `[data-happened=export] a[href="/exports/`+aRow.UID.String()+`"]`, 1)
		says(t, doc, `[data-happened=export] .story__note + .story__note`, "cartera <de> noviembre")
		count(t, doc, "[data-compared] [data-difference]", 2)
		count(t, doc, `[data-difference="ended_job"]`, 1)
		count(t, doc, ".story__day", 4)
		attr(t, doc, ".pager [rel=next]", "href", "/people/018e4003-7c1d-7b02-9a55-3f0c6e1d4b77?after=abc#history")
		attr(t, doc, ".pager [rel=prev]", "href", "/people/018e4003-7c1d-7b02-9a55-3f0c6e1d4b77?before=xyz#history")
		if text := doc.Text(); strings.Contains(text, goodCURP) || strings.Contains(text, "12345678903") {
			t.Error("an identifier in full that nobody revealed")
		}
		if title := doc.Find("title").Text(); strings.Contains(title, "GARZA") {
			t.Error("a name in the browser's history")
		}
	})
}

func TestPersonStates(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	fresh := render(t, Person(PersonPage{Page: p, UID: aRow.UID, RFC: "TNX9804159P9"}))
	checkDocument(t, fresh, "es-MX")
	count(t, fresh, ".empty", 1)
	says(t, fresh, ".person__ids", "TNX••••••9P9")
	count(t, fresh, "[data-compared]", 0)

	agree := aPerson(p)
	agree.Compared[0].Changes = nil
	says(t, render(t, Person(agree)), "[data-compared]", "Las dos fuentes coinciden en 1 registro.")

	shown := aPerson(p)
	shown.Revealed = map[string]string{"curp": goodCURP}
	says(t, render(t, Person(shown)), "#person-curp", goodCURP)

	auditor := aPerson(p)
	auditor.User.Role = auth.Auditor
	count(t, render(t, Person(auditor)), ".reveal__form", 0)
}
