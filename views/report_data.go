package views

import (
	"encoding/hex"
	"strings"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/report"
)

// figureSections are the continuity figures with the rule of each beside it.
func (r paper) figureSections() []report.Section {
	result, ok := r.seen().Figures()
	if !ok || len(r.History.Records) == 0 {
		return nil
	}
	n, ref := r.numbers(result), r.employmentRef()
	columns := []report.Column{{Title: r.T("report.figure"), Width: 25}, {Title: r.T("report.value"), Width: 29}, {Title: r.T("report.rule"), Width: 40, Quiet: true}, {Title: r.T("report.ref"), Width: 6}}
	t := &report.Table{Columns: columns}
	defined := map[string]bool{}
	for _, f := range result.Figures {
		value, beside := n.value(f)
		cell := report.Cell{Text: value, Bold: f.Known, Sub: withText(nil, beside, n.givenBeside(f))}
		for _, c := range f.Cautions {
			cell.Sub = append(cell.Sub, r.T("report.caution", "Text", r.T("figures.caution."+string(c))))
		}
		rule := ""
		if !defined[stem(f.ID)] { // the spans of a time out of work have one definition
			defined[stem(f.ID)] = true
			rule = r.T("figures.short."+stem(f.ID)) + " " + r.T("figures.edge."+stem(f.ID))
		}
		t.Rows = append(t.Rows, []report.Cell{{Text: n.figureName(f)}, cell, {Text: rule}, {Text: ref}})
	}
	return []report.Section{{Title: r.T("report.figures", "Date", r.P.Date(r.figuresDay())), Source: r.origin(ref, r.EmploymentPull),
		Text: []string{r.T("figures.foot")}, Alerts: r.caveats(result), Table: t}}
}

func withText(list []string, texts ...string) []string {
	for _, text := range texts {
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}

// jobs are the records: drawn, with gaps and overlaps in words, and listed.
func (r paper) jobs() []report.Section {
	if why, vacant := r.vacant(); vacant {
		return []report.Section{{Title: r.T("lookups.jobs.title"), Source: r.origin(r.employmentRef(), r.EmploymentPull), Alerts: []string{why.Title}, Text: []string{why.Body}}}
	}
	ref := r.employmentRef()
	line := report.Section{Title: r.T("lookups.line.title"), Source: r.origin(ref, r.EmploymentPull), Line: r.reportLine()}
	if r.Case.Employment == lookup.PullPartial {
		line.Alerts = append(line.Alerts, r.T("lookups.jobs.partial"))
	}
	if r.Case.Employment == lookup.PullFailed {
		line.Alerts = append(line.Alerts, r.T("lookups.jobs.failed_title")+". "+r.T("lookups.jobs.old"))
	}
	marks := r.timeline().Bands
	for _, b := range marks {
		line.Facts = append(line.Facts, report.Fact{Label: b.Name + " · " + r.markTitle(b), Value: r.markRest(b), Ref: ref})
	}
	if len(marks) == 0 {
		line.Text = append(line.Text, r.T("lookups.line.no_gaps"))
	}
	if n := r.unplaced(); n > 0 {
		line.Foot = append(line.Foot, r.T("lookups.line.unplaced", "Count", n))
	}
	if len(r.History.Records) > report.MaxBars {
		line.Foot = append(line.Foot, r.T("report.line_many"))
	}
	line.Foot = append(line.Foot, r.T("lookups.line.rule", "Date", r.P.Date(r.asOf())))

	t := &report.Table{Columns: []report.Column{{Title: r.T("ui.field.employer"), Width: 34}, {Title: r.T("ui.field.state"), Width: 13}, {Title: r.T("ui.field.start"), Width: 11},
		{Title: r.T("ui.field.end"), Width: 11}, {Title: r.T("ui.field.duration"), Width: 13}, {Title: r.T("ui.field.base_salary"), Width: 11, Right: true},
		{Title: r.T("ui.field.monthly_salary"), Width: 12, Right: true}, {Title: r.T("report.ref"), Width: 6}}}
	for _, i := range newestFirst(r.History.Records) {
		t.Rows = append(t.Rows, r.jobCells(r.History.Records[i], ref))
	}
	table := report.Section{Title: r.T("lookups.jobs.title"), Source: r.origin(ref, r.EmploymentPull), Table: t}
	if r.someAtCap() {
		table.Foot = []string{r.T("lookups.salary.cap_note")}
	}
	return []report.Section{line, table}
}

func (r paper) jobCells(x employment.Record, ref string) []report.Cell {
	absent := r.T("lookups.jobs.absent")
	employer := report.Cell{Text: orElse(x.Employer, r.T("lookups.line.unnamed")), Bold: true}
	if x.Registration != "" {
		employer.Sub = append(employer.Sub, r.T("lookups.jobs.registration", "Number", x.Registration))
	}
	employer.Sub = withText(employer.Sub, r.extra(x))
	start, end := report.Cell{Text: absent}, report.Cell{Text: r.T("lookups.jobs.open"), Bold: true}
	if !x.Start.IsZero() {
		start.Text = r.P.Date(x.Start)
	}
	if r.ahead(x) {
		start.Sub = []string{r.T("lookups.jobs.ahead")}
	}
	if !x.Open() {
		end = report.Cell{Text: r.P.Date(x.End)}
		if !x.Start.IsZero() && !x.Placed() {
			end.Sub = []string{r.T("lookups.jobs.impossible")}
		}
	}
	return []report.Cell{employer, {Text: orElse(x.State, absent)}, start, end, {Text: r.tenureWords(x)},
		{Text: orElse(r.P.Money(x.BaseSalary), absent), Sub: withText(nil, r.capWord(r.recordAtCap(x)))}, {Text: orElse(r.P.Money(x.Monthly), absent)}, {Text: ref}}
}

// reportLine is the drawing of the records over time, nil when there are none to draw or too many for a page.
func (r paper) reportLine() *report.Timeline {
	drawn := r.timeline()
	if len(drawn.Bars) == 0 || len(drawn.Bars) > report.MaxBars {
		return nil
	}
	t := &report.Timeline{To: r.asOf()}
	for _, b := range drawn.Bars {
		x := r.History.Records[b.Record]
		line := report.Bar{From: x.Start, To: x.End, Open: b.Now, Label: r.barWords(x)}
		if x.Open() {
			line.To = r.asOf()
			if line.To.Before(x.Start) {
				line.To = x.Start
			}
		}
		if t.From.IsZero() || line.From.Before(t.From) {
			t.From = line.From
		}
		if line.To.After(t.To) {
			t.To = line.To
		}
		t.Bars = append(t.Bars, line)
	}
	for _, b := range drawn.Bands {
		t.Marks = append(t.Marks, report.Mark{From: b.start(), To: b.end(), Name: b.Name, Lap: b.Overlap != nil})
	}
	return t
}

// weeks are the weeks as given, and what the source says of the person as a whole.
func (r paper) weeks() []report.Section {
	if r.History == nil {
		return nil
	}
	ref := r.employmentRef()
	s := report.Section{Title: r.weeksTitle(), Source: r.origin(ref, r.EmploymentPull)}
	for _, w := range []struct {
		label string
		n     *int
	}{{r.T("ui.field.weeks_quoted"), r.History.Weeks.Quoted}, {r.T("ui.field.weeks_discounted"), r.History.Weeks.Discounted}, {r.T("ui.field.weeks_reinstated"), r.History.Weeks.Reintegrated}} {
		value := r.T("lookups.weeks.not_given")
		if w.n != nil {
			value = r.P.Number(int64(*w.n))
		}
		s.Facts = append(s.Facts, report.Fact{Label: w.label, Value: value, Ref: ref})
	}
	s.Facts = append(s.Facts, report.Fact{Label: r.T("lookups.weeks.status"), Value: r.situation(), Ref: ref},
		report.Fact{Label: r.T("lookups.weeks.rights"), Value: orElse(r.History.EndOfRight, r.T("lookups.case.absent")), Ref: ref})
	s.Foot = []string{r.T("report.weeks_note")}
	return []report.Section{s}
}

// movements are the salaries as they moved.
func (r paper) movements() []report.Section {
	if r.History == nil || len(r.History.Movements) == 0 {
		return nil
	}
	ref := r.employmentRef()
	t := &report.Table{Columns: []report.Column{{Title: r.T("ui.field.date"), Width: 13}, {Title: r.T("ui.field.movement"), Width: 22}, {Title: r.T("ui.field.employer"), Width: 36},
		{Title: r.T("lookups.salary.sbc"), Width: 13, Right: true}, {Title: r.T("ui.field.change"), Width: 12, Right: true}, {Title: r.T("report.ref"), Width: 6}}}
	for _, m := range salaryRows(*r.History, r.asOf()) {
		change := report.Cell{Text: r.T("ui.absent.not_applicable")}
		if m.Known {
			change.Text = r.P.Percent(m.Change)
		} else if m.First {
			change.Text = r.T("lookups.salary.first")
		}
		if m.Other {
			change.Sub = []string{r.T("lookups.salary.elsewhere")}
		}
		day := r.T("lookups.jobs.absent")
		if !m.Date.IsZero() {
			day = r.P.Date(m.Date)
		}
		t.Rows = append(t.Rows, []report.Cell{{Text: day}, {Text: movementWord(r.Page, m.Type)}, {Text: orElse(m.Employer, r.T("lookups.line.unnamed"))},
			{Text: orElse(r.P.Money(m.BaseSalary), r.T("lookups.jobs.absent")), Sub: withText(nil, r.capWord(r.movementAtCap(m.Movement)))}, change, {Text: ref}})
	}
	return []report.Section{{Title: r.T("lookups.salary.table"), Source: r.origin(ref, r.EmploymentPull), Table: t, Foot: []string{r.salaryRule()}}}
}

// entities are the other kinds of data, each row a block of labels and values, and the documents by name and hash.
func (r paper) entities() []report.Section {
	var sections []report.Section
	for _, e := range r.Entities {
		ref := r.pull(entityWord(r.Page, e.Entity), e.Pull)
		s := report.Section{Title: entityWord(r.Page, e.Entity), Source: r.origin(ref, e.Pull)}
		s.Table = r.entityTable(e, ref)
		sections = append(sections, s)
	}
	if len(r.Documents) == 0 {
		return sections
	}
	s := report.Section{Title: r.T("lookups.document.title")}
	for _, d := range r.Documents {
		name := orElse(d.Name, r.T("lookups.document.unnamed"))
		if d.Code != "" {
			s.Facts = append(s.Facts, report.Fact{Label: name, Value: r.whyNot(d.Code)})
			continue
		}
		ref := r.sources.number(reportSource{key: d.UID.String(), what: r.T("report.source.document", "Name", name), id: d.UID.String(), at: d.FetchedAt, sha256: hex.EncodeToString(d.SHA256)})
		s.Facts = append(s.Facts, report.Fact{Label: r.T("lookups.origin.digest"), Value: name, Beside: r.P.Bytes(d.Size) + ", " + r.P.DateTime(d.FetchedAt), Ref: ref})
	}
	return append(sections, s)
}

// entityTable has the columns of the page for kinds that come as lists, and what a row has beyond them in one more.
func (r paper) entityTable(e EntityTable, ref string) *report.Table {
	shown := entityColumns[e.Entity]
	t := &report.Table{}
	for _, c := range shown {
		width := 10.0
		if strings.HasSuffix(c.label, "name") {
			width = 21
		}
		t.Columns = append(t.Columns, report.Column{Title: labelWord(r.Page, c.label), Width: width, Right: c.number})
	}
	t.Columns = append(t.Columns, report.Column{Title: r.T("report.fact"), Width: 32, Quiet: true}, report.Column{Title: r.T("report.ref"), Width: 5})
	for _, row := range e.Rows {
		cells := make([]report.Cell, 0, len(t.Columns))
		for _, c := range shown {
			cell := report.Cell{Text: orElse(cellWord(r.Page, row, c.label), r.T("lookups.jobs.absent"))}
			if c.below != "" {
				cell.Sub = withText(nil, cellWord(r.Page, row, c.below))
			}
			cells = append(cells, cell)
		}
		var parts []string
		for _, cell := range rest(shown, row) {
			parts = append(parts, labelWord(r.Page, cell.Label)+": "+cellWord(r.Page, withFirst(row, cell), cell.Label))
		}
		t.Rows = append(t.Rows, append(cells, report.Cell{Text: strings.Join(parts, " · ")}, report.Cell{Text: ref}))
	}
	return t
}

// hints compare the CURP with what the sources say.
func (r paper) hints() []report.Section {
	hints := r.seen().Hints()
	if len(hints) == 0 {
		return nil
	}
	s := report.Section{Title: r.T("hints.title")}
	for _, h := range hints {
		if !h.Compared() {
			continue
		}
		mark, ref := r.T("hints.mark.agrees"), r.profileRef()
		if h.Result != profile.Agrees {
			mark = r.T("hints.mark.look")
		}
		if h.Kind == profile.HintRegistration {
			ref = r.employmentRef()
		}
		s.Facts = append(s.Facts, report.Fact{Label: mark, Value: hintWords(r.Page, h), Ref: ref})
	}
	s.Foot = withText(nil, uncompared(r.Page, hints), r.T("hints.foot"))
	return []report.Section{s}
}

// notes are the decision notes with the hash of what each froze.
func (r paper) notes() []report.Section {
	sections := []report.Section{{Title: r.T("decisions.title")}}
	if len(r.Desk.Notes) == 0 {
		sections[0].Text = []string{r.T("decisions.none")}
	}
	for _, n := range r.Desk.Notes {
		ref := r.sources.number(reportSource{key: n.UID.String(), what: r.T("report.source.decision"), id: n.UID.String(), at: n.At, sha256: hex.EncodeToString(n.SHA256)})
		s := report.Section{Facts: []report.Fact{{Label: r.T("report.by_at", "Who", n.By, "When", r.P.DateTime(n.At)), Value: n.Reason, Ref: ref}}}
		if f, ok := n.Facts(); ok {
			var now []string
			for _, id := range []figures.ID{figures.Employed, figures.CurrentJob, figures.SalaryNow} {
				frozen := r.frozen(f)
				if len(f.Figures) > 0 {
					value, _ := frozen.value(frozen.get(id))
					now = append(now, frozen.figureName(frozen.get(id))+": "+value)
				}
			}
			s.Facts[0].Beside = strings.Join(append([]string{r.T("decisions.facts_as_of") + ": " + r.P.Date(n.AsOf)}, now...), " · ")
		}
		sections = append(sections, s)
	}
	return sections
}
