package views

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"cotejo/internal/auth"
	"cotejo/internal/decision"
	"cotejo/internal/employment"
	"cotejo/internal/figures"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// Desk is what a reader brings to a lookup: a date for its figures, and notes on it.
type Desk struct {
	AsOf    time.Time // zero: today
	BadDate bool      // a date was asked for that is none
	Notes   []decision.Note
	Reason  string // of a note that was refused, as typed
	Err     Note   // why
	Why     string // reason of a report that was refused, as typed
	WhyErr  Note
}

// figuresDay is the date of the figures.
func (v CasePage) figuresDay() time.Time {
	if v.Desk.AsOf.IsZero() {
		return decision.Day(v.Now)
	}
	return v.Desk.AsOf
}

// today tells whether the figures are of today.
func (v CasePage) today() bool { return v.figuresDay().Equal(decision.Day(v.Now)) }

// asOfQuery is what keeps a chosen date in an address, "" for today: then tomorrow's page is of tomorrow.
func (v CasePage) asOfQuery(before string) string {
	if v.today() {
		return ""
	}
	return before + "as_of=" + v.figuresDay().Format(time.DateOnly)
}

// seen is what this page shows, for figures, hints and notes.
func (v CasePage) seen() decision.Seen {
	pull := func(state lookup.PullState, n PullNote) decision.Pull {
		if !n.Is() {
			return decision.Pull{State: state}
		}
		return decision.Pull{State: state, ID: n.UID.String(), SHA256: n.SHA256, FetchedAt: n.FetchedAt}
	}
	var stored []decision.Answer
	for _, t := range v.Entities {
		stored = append(stored, decision.Answer{Entity: t.Entity, Pull: pull("", t.Pull)})
	}
	var papers []decision.Document
	for _, d := range v.Documents {
		papers = append(papers, decision.Document{ID: d.UID.String(), SHA256: hex.EncodeToString(d.SHA256), Code: d.Code})
	}
	return decision.Seen{Lookup: v.Case.Row, Profile: v.Profile, History: v.History, AsOf: v.figuresDay(),
		Others: decision.Others(v.attempt().Findings, stored), Documents: papers,
		ProfilePull: pull(v.Case.Profile, v.ProfilePull), EmploymentPull: pull(v.Case.Employment, v.EmploymentPull)}
}

// numbers are the figures of a lookup, or those frozen with a note, with what it takes to say them.
type numbers struct {
	Page
	figures []figures.Figure
	from    func(record int) string // a record in words, "" when it is not there
	given   func(record int) string // the monthly amount that the source gives beside a daily one
}

func (v CasePage) numbers(r figures.Result) numbers {
	return numbers{Page: v.Page, figures: r.Figures, from: func(i int) string {
		if i >= len(v.History.Records) {
			return ""
		}
		return v.T("figures.from_line", "Employer", v.employer(i), "Date", v.P.Date(v.History.Records[i].Start))
	}, given: func(i int) string {
		if r := v.History.Records[i]; r.BaseSalary != "" && r.Monthly != "" {
			return v.P.Money(r.Monthly)
		}
		return ""
	}}
}

// frozen are the figures of a note.
func (v CasePage) frozen(f decision.Facts) numbers {
	return numbers{Page: v.Page, figures: f.Figures, from: func(int) string { return "" }, given: func(int) string { return "" }}
}

func (n numbers) get(id figures.ID) figures.Figure {
	i := slices.IndexFunc(n.figures, func(f figures.Figure) bool { return f.ID == id })
	if i < 0 {
		return figures.Figure{ID: id}
	}
	return n.figures[i]
}

// stem is the id without its span: the longest time out of work in 1, 3 and 5 years is defined once.
func stem(id figures.ID) string {
	for _, s := range []string{"out_longest", "out_total"} {
		if strings.HasPrefix(string(id), s) {
			return s
		}
	}
	return string(id)
}

// figureGroups are the figures as they stand together; those of time out of work have a table.
var figureGroups = []struct {
	name string
	ids  []figures.ID
}{
	{"time", []figures.ID{figures.Employed, figures.CurrentJob, figures.SinceLast, figures.WeeksWorked, figures.WeeksMany}},
	{"out", nil},
	{"employers", []figures.ID{figures.EmployersTotal, figures.EmployersUnique, figures.EmployersPerYear}},
	{"pay", []figures.ID{figures.SalaryNow, figures.SalaryChange12, figures.SalaryChange24, figures.MedianChange, figures.SwitchRises, figures.SwitchFalls, figures.CurrentChanges}},
}

var (
	outSpans = []string{"y1", "y3", "y5", "ever"}
	outRows  = [][]figures.ID{
		{figures.OutLongest1, figures.OutLongest3, figures.OutLongest5, figures.OutLongestEver},
		{figures.OutTotal1, figures.OutTotal3, figures.OutTotal5, figures.OutTotalEver},
	}
)

// value is a figure in a few words, and what stands beside it in small.
func (n numbers) value(f figures.Figure) (value, beside string) {
	if !f.Known {
		if f.Why == figures.IsEmployed || f.Why == figures.NotEmployed {
			return n.T("figures.not_applicable"), n.T("figures.why." + string(f.Why))
		}
		return n.T("figures.unknown"), n.T("figures.why." + orElse(string(f.Why), string(figures.NoRecords)))
	}
	value, beside = n.plain(f)
	if f.Bound != figures.Exact {
		value = n.T("figures."+string(f.Bound), "Value", value)
	}
	return value, beside
}

func (n numbers) plain(f figures.Figure) (value, beside string) {
	days := n.T("ui.count.days", "Count", f.Days)
	switch f.Unit {
	case figures.YesNo:
		if f.Yes {
			return n.T("ui.word.yes"), ""
		}
		return n.T("ui.word.no"), ""
	case figures.Days:
		return n.days(f, days)
	case figures.Weeks:
		weeks := n.T("ui.count.weeks", "Count", f.Days/7)
		if f.Days%7 == 0 {
			return weeks, days
		}
		return n.T("figures.weeks_days", "Weeks", weeks, "Days", n.T("ui.count.days", "Count", f.Days%7)), days
	case figures.Count:
		if f.ID != figures.SwitchRises && f.ID != figures.SwitchFalls {
			return n.P.Number(int64(f.Count)), ""
		}
		if f.Of == 0 && f.Bound == figures.Exact {
			return n.P.Number(0), n.T("figures.no_switch")
		}
		return n.T("figures.part", "Part", f.Count, "Count", f.Of), ""
	case figures.Rate:
		return f.Rate, ""
	case figures.Money:
		return n.amount(f, f.Amount), ""
	case figures.Share:
		if f.Before == "" {
			return n.P.Percent(f.Tenths), n.T("figures.middle", "Count", f.Count)
		}
		return n.P.Percent(f.Tenths), n.T("figures.step", "Before", n.amount(f, f.Before), "After", n.amount(f, f.After))
	}
	return "", ""
}

func (n numbers) days(f figures.Figure, days string) (value, beside string) {
	switch {
	case f.Days == 0:
		return days, ""
	case f.ID == figures.CurrentJob || f.ID == figures.SinceLast:
		return n.P.Months(f.From, f.To), n.T("figures.days_since", "Days", days, "Date", n.P.Date(f.From))
	case f.From.IsZero():
		return days, ""
	}
	return days, n.T("figures.stretch", "From", n.P.Date(f.From), "To", n.P.Date(f.To))
}

func (n numbers) amount(f figures.Figure, text string) string {
	return n.T("ui.money."+string(f.Pay), "Amount", n.P.Money(text))
}

// sources are the records behind a figure, in words.
func (n numbers) sources(f figures.Figure) []string {
	var list []string
	for _, i := range f.Records {
		if text := n.from(i); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// givenBeside says the monthly amount of the record that the salary comes from: shown as given, never computed.
func (n numbers) givenBeside(f figures.Figure) string {
	if f.ID != figures.SalaryNow || f.Pay != figures.Daily || len(f.Records) != 1 {
		return ""
	}
	monthly := n.given(f.Records[0])
	if monthly == "" {
		return ""
	}
	return n.T("figures.as_given", "Amount", n.T("ui.money.monthly", "Amount", monthly))
}

// caveats are what a reader has to know of all figures at once.
func (v CasePage) caveats(r figures.Result) []string {
	var list []string
	fetched := v.P.Date(r.Fetched)
	switch {
	case r.Ahead() > 0 && r.Figure(figures.Employed).Yes:
		list = append(list, v.T("figures.ahead", "Count", r.Ahead(), "Date", fetched))
	case !r.Fetched.IsZero() && r.AsOf.Before(r.Fetched):
		list = append(list, v.T("figures.past", "Date", fetched))
	}
	if n := len(r.Undated); n > 0 {
		list = append(list, v.T("figures.undated", "Count", n))
	}
	if n := len(r.Later); n > 0 {
		list = append(list, v.T("figures.later", "Count", n))
	}
	if n := len(r.Stray); n > 0 {
		list = append(list, v.T("figures.stray", "Count", n))
	}
	return list
}

// hintWords is the sentence of a hint.
func hintWords(p Page, h profile.Hint) string {
	return p.T("hints."+string(h.Kind)+"."+string(h.Result), "Part", h.Count, "Total", h.Of)
}

// uncompared names what could not be compared, "" when everything was.
func uncompared(p Page, hints []profile.Hint) string {
	var list []string
	for _, h := range hints {
		if !h.Compared() {
			list = append(list, p.T("hints."+string(h.Kind)+".absent"))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return p.T("hints.absent", "List", strings.Join(list, ", "))
}

// mayNote tells whether this reader may write a note now.
func (v CasePage) mayNote() bool { return v.May(auth.PowerRequest) && !v.status().Open() }

// pullWordsFrozen says which response a note's facts came from.
func (v CasePage) pullWordsFrozen(p decision.Pull) string {
	return v.T("decisions.facts_pull", "When", v.P.DateTime(p.FetchedAt), "Digest", digest(p.SHA256))
}

// stateFrozen says how far another kind of data had come, "" where its answer alone says it.
func (v CasePage) stateFrozen(a decision.Answer) string {
	if a.ID != "" && a.State == lookup.PullComplete {
		return ""
	}
	return v.T("lookups.entity.word." + pullWord(a.State))
}

// asFrozen is a case with the employment records of a note, as they were shown.
func (v CasePage) asFrozen(f decision.Facts) CasePage {
	h := f.History()
	return CasePage{Page: v.Page, Case: v.Case, History: &h, EmploymentPull: PullNote{FetchedAt: f.Employment.FetchedAt}}
}

// recordWords is what the table of jobs says of a record, in one line.
func (v CasePage) recordWords(r employment.Record) string {
	var parts []string
	say := func(text, sub string) {
		if text != "" && sub != "" {
			text += " (" + sub + ")"
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	if r.Registration != "" {
		say(v.T("lookups.jobs.registration", "Number", r.Registration), "")
	}
	say(v.extra(r), "")
	say(r.State, "")
	start, early, end, wrong := v.T("lookups.jobs.absent"), "", v.T("lookups.jobs.open"), ""
	if !r.Start.IsZero() {
		start = v.P.Date(r.Start)
	}
	if v.ahead(r) {
		early = v.T("lookups.jobs.ahead")
	}
	if !r.Open() {
		end = v.P.Date(r.End)
		if !r.Start.IsZero() && !r.Placed() {
			wrong = v.T("lookups.jobs.impossible")
		}
	}
	say(v.T("ui.field.start")+": "+start, early)
	say(v.T("ui.field.end")+": "+end, wrong)
	say(v.tenure(r), "")
	if r.BaseSalary != "" {
		say(v.T("ui.money.daily", "Amount", v.P.Money(r.BaseSalary)), v.capWord(v.recordAtCap(r)))
	}
	if r.Monthly != "" {
		say(v.T("ui.money.monthly", "Amount", v.P.Money(r.Monthly)), "")
	}
	return strings.Join(parts, " · ")
}

func noteHash(n decision.Note) string { return hex.EncodeToString(n.SHA256) }

// FiguresPage holds the definitions of the figures.
type FiguresPage struct{ Page }

// definedFigures are the figures as they are defined: the spans of a time out of work together.
func definedFigures() []string {
	var list []string
	for _, id := range figures.IDs {
		if s := stem(id); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// figureRules are the rules that all figures share, in the order of the page.
var figureRules = []string{"date", "days", "undated", "employer", "amounts", "movements"}

// figureName is the name of a figure, with its span where it has one.
func (n numbers) figureName(f figures.Figure) string {
	for _, ids := range outRows {
		if i := slices.Index(ids, f.ID); i >= 0 {
			return n.T("figures.group.out") + ", " + n.T("figures.span."+outSpans[i]) + ": " + n.T("figures.name."+stem(f.ID))
		}
	}
	return n.T("figures.name." + stem(f.ID))
}
