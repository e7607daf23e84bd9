package views

import (
	"slices"
	"strings"

	"cotejo/internal/employment"
)

// marksShown is how many gaps and overlaps are listed before the rest folds away.
const marksShown = 8

func (v CasePage) timeline() timeline {
	return drawTimeline(v.History.Records, v.asOf(), func(n int) string { return v.T("ui.count.days", "Count", n) })
}

// unplaced counts the records that no drawing can show.
func (v CasePage) unplaced() int {
	n := 0
	for _, r := range v.History.Records {
		if !r.Placed() {
			n++
		}
	}
	return n
}

// ahead tells whether a record begins after the day of the data: it is listed, and counts for nothing yet.
func (v CasePage) ahead(r employment.Record) bool { return r.Placed() && r.Start.After(v.asOf()) }

// lineWords tells the drawing to somebody who does not see it.
func (v CasePage) lineWords(t timeline) string {
	gaps, overlaps := 0, 0
	for _, b := range t.Bands {
		if b.Gap != nil {
			gaps++
		} else {
			overlaps++
		}
	}
	return v.T("lookups.line.svg_desc",
		"Records", v.T("ui.count.records", "Count", len(v.History.Records)),
		"Gaps", v.T("lookups.line.gaps", "Count", gaps),
		"Overlaps", v.T("lookups.line.overlaps", "Count", overlaps))
}

func (v CasePage) employer(i int) string {
	return orElse(v.History.Records[i].Employer, v.T("lookups.line.unnamed"))
}

func (v CasePage) barWords(r employment.Record) string {
	name := orElse(r.Employer, v.T("lookups.line.unnamed"))
	if v.ahead(r) {
		return v.T("lookups.line.bar_ahead", "Employer", name, "From", v.P.Date(r.Start))
	}
	if r.Open() {
		return v.T("lookups.line.bar_open", "Employer", name, "From", v.P.Date(r.Start))
	}
	return v.T("lookups.line.bar", "Employer", name, "From", v.P.Date(r.Start), "To", v.P.Date(r.End))
}

func (v CasePage) markTitle(b band) string {
	days := v.T("ui.count.days", "Count", b.days())
	if b.Gap != nil {
		return v.T("lookups.line.gap_days", "Days", days)
	}
	return v.T("lookups.line.overlap_days", "Days", days)
}

// markRest says when, between whom, and how far it can be relied on.
func (v CasePage) markRest(b band) string {
	when := v.T("lookups.line.range", "From", v.P.Date(b.start()), "To", v.P.Date(b.end()))
	if b.start().Equal(b.end()) {
		when = v.P.Date(b.start())
	}
	if o := b.Overlap; o != nil {
		var names []string
		for _, i := range o.Records {
			names = append(names, v.employer(i))
		}
		parts := []string{when, strings.Join(names, "; ")}
		if o.Peak > 2 {
			parts = append(parts, v.T("lookups.line.peak", "Peak", o.Peak))
		}
		if v.oneEmployer(o.Records) {
			parts = append(parts, v.T("lookups.line.one_employer"))
		}
		return sentence(strings.Join(parts, ", "))
	}
	g := b.Gap
	between := v.T("lookups.line.after", "Before", v.employer(g.Before))
	if g.After >= 0 {
		between = v.T("lookups.line.between", "Before", v.employer(g.Before), "After", v.employer(g.After))
	}
	text := sentence(when + ", " + between)
	if g.Doubtful {
		text += " " + v.T("lookups.line.doubtful")
	}
	return text
}

// oneEmployer tells whether records are all of one employer: their overlap is drawn, and is no second employer to the figures.
func (v CasePage) oneEmployer(records []int) bool {
	group := employment.Employers(v.History.Records)
	return group[records[0]] >= 0 && !slices.ContainsFunc(records, func(i int) bool { return group[i] != group[records[0]] })
}

// sentence ends a text with a full stop, unless it has one, as the name of a company often does.
func sentence(text string) string { return strings.TrimSuffix(text, ".") + "." }

func (v CasePage) markWords(b band) string { return v.markTitle(b) + ": " + v.markRest(b) }

// tenureWords is the same for a table: what a source gave no dates for, and what cannot be counted from those it gave, are told apart.
func (v CasePage) tenureWords(r employment.Record) string {
	if !r.Start.IsZero() {
		return orElse(v.tenure(r), v.T("ui.absent.not_applicable"))
	}
	return v.T("lookups.jobs.absent")
}

// tenure is how long a record lasted, up to the day of the data when it goes on or ends later; "" when its dates do not say,
// or it begins after that day.
func (v CasePage) tenure(r employment.Record) string {
	if !r.Placed() || v.ahead(r) {
		return ""
	}
	if r.Stands(v.asOf()) {
		return v.P.Months(r.Start, v.asOf())
	}
	return v.P.Months(r.Start, r.End)
}

// extra joins the facts of a record that only some sources give.
func (v CasePage) extra(r employment.Record) string {
	var parts []string
	if r.Institution != "" {
		parts = append(parts, institutionWord(v.Page, r.Institution)) // one answer of Buró mixes several
	}
	for _, f := range []struct{ id, value string }{
		{"lookups.jobs.job_title", r.JobTitle}, {"lookups.jobs.designation", r.Designation},
		{"lookups.jobs.modality", r.Modality}, {"lookups.jobs.pay_frequency", r.PayFrequency},
		{"lookups.jobs.quoted_days", r.QuotedDays},
	} {
		if f.value != "" {
			parts = append(parts, v.T(f.id, "Value", f.value))
		}
	}
	return strings.Join(parts, " · ")
}

func anchor(end bool) string {
	if end {
		return "end"
	}
	return "start"
}

func pinDX(left bool) string {
	if left {
		return "-14"
	}
	return "14"
}

// movementWord names an affiliation movement; a word of the source that we have no name for is shown as it came.
func movementWord(p Page, kind string) string {
	if id := "ui.movement." + kind; p.P.Has(id) {
		return p.T(id)
	}
	if kind == "" {
		return p.T("lookups.jobs.absent")
	}
	return kind
}

// amountWords writes an amount of the drawn series with its unit.
func (v CasePage) amountWords(s salarySeries, text string) string {
	if s == seriesMonthly {
		return v.T("ui.money.monthly", "Amount", v.P.Money(text))
	}
	return v.T("ui.money.daily", "Amount", v.P.Money(text))
}

// movementAtCap tells whether a movement's amount has reached the limit of its day (docs/hints.md#cap).
func (v CasePage) movementAtCap(m employment.Movement) bool {
	return employment.Insured(v.History.Platform, employment.Record{}) && employment.AtCap(m.BaseSalary, m.Date)
}

// recordAtCap tells the same of a record's amount: as of the answer while it goes on, else as of its last day.
func (v CasePage) recordAtCap(r employment.Record) bool {
	day := r.End
	if r.Open() || r.End.After(v.asOf()) {
		day = v.asOf()
	}
	return employment.Insured(v.History.Platform, r) && employment.AtCap(r.BaseSalary, day)
}

func (v CasePage) someAtCap() bool {
	return slices.ContainsFunc(v.History.Movements, v.movementAtCap) || slices.ContainsFunc(v.History.Records, v.recordAtCap)
}

// capWord is the mark on paper, "" without one.
func (v CasePage) capWord(at bool) string {
	if at {
		return v.T("lookups.salary.cap")
	}
	return ""
}
