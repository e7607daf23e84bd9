package views

import (
	"strings"
	"time"

	"cotejo/internal/decision"
	"cotejo/internal/lookup"
)

// gist is what a row answers before it is opened: the main line, and what stands below it.
type gist struct{ Main, Sub string }

func gistOf(p Page, r lookup.Row) gist {
	switch r.State.Status {
	case lookup.Queued:
		return gist{p.T("lookups.gist.queued"), p.T("lookups.gist.queued_sub")}
	case lookup.Success:
		return successGist(p, r)
	case lookup.Incomplete, lookup.Error, lookup.Expired:
		return detailGist(p, r)
	}
	return gist{p.T("lookups.gist.pending"), ""} // the time that it has taken runs below (rowWait)
}

func detailGist(p Page, r lookup.Row) gist {
	if r.State.Detail == "" {
		return gist{p.T("lookups.gist.no_reason"), ""}
	}
	d := p.P.Detail(r.State.Detail, string(r.Platform))
	if !d.Known {
		return gist{p.T("lookups.gist.unknown_reason"), r.State.Detail}
	}
	return gist{d.Title, firstSentence(d.Next)}
}

// firstSentence keeps a row to what has to be done; the rest of the advice stands on the lookup's page.
func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

func successGist(p Page, r lookup.Row) gist {
	switch r.Employment {
	case lookup.PullEmpty:
		return gist{p.T("lookups.gist.empty"), p.T("lookups.gist.empty_sub")}
	case lookup.PullFailed:
		if r.Gist.Records == 0 {
			return gist{p.T("lookups.gist.failed"), p.T("lookups.gist.failed_sub")}
		}
	case lookup.PullComplete, lookup.PullPartial:
		if r.Gist.Records == 0 {
			return gist{p.T("lookups.gist.empty"), p.T("lookups.gist.empty_sub")}
		}
	default:
		if r.Gist.Records == 0 && !arriving(r.Dialect, r.Employment) {
			return gist{p.T("lookups.gist.elsewhere"), p.T("lookups.gist.elsewhere_sub")}
		}
		if r.Gist.Records == 0 {
			return gist{p.T("lookups.gist.arriving"), p.T("lookups.gist.arriving_sub")}
		}
	}
	g := employmentGist(p, r.Gist, r.StatusAt)
	if r.Employment == lookup.PullPartial {
		g.Sub = join(p, g.Sub, p.T("lookups.gist.partial"))
	}
	return g
}

// employmentGist names the current employer, for how long, and the salary as the source gave it. What was not given is
// said, never left out: "no salary" and "salary unknown" decide differently.
//
// The tenure runs to the day the source answered: of the time since then it has said nothing.
func employmentGist(p Page, g lookup.Gist, asOf time.Time) gist {
	employers := p.T("ui.count.employers", "Count", g.Employers)
	if g.CurrentName == "" && g.Since.IsZero() && g.MonthlySalary == "" {
		main := p.T("lookups.gist.ended_unknown")
		switch {
		case g.EndedOn.IsZero():
		case g.EndedOn.Before(decision.Day(asOf)):
			main = p.T("lookups.gist.ended", "Date", p.P.Date(g.EndedOn))
		default: // the last day of a job is one of it
			main = p.T("lookups.gist.ends", "Date", p.P.Date(g.EndedOn))
		}
		return gist{main, employers}
	}
	main := g.CurrentName
	if main == "" {
		main = p.T("lookups.gist.no_employer")
	}
	since := p.T("lookups.gist.since_unknown")
	switch {
	case g.Since.IsZero():
	case g.Since.After(decision.Day(asOf)):
		since = p.T("lookups.gist.begins", "Date", p.P.Date(g.Since))
	default:
		since = p.T("lookups.gist.since", "Tenure", p.P.Months(g.Since, decision.Day(asOf)), "Date", p.P.Date(g.Since))
	}
	salary := p.T("lookups.gist.no_salary")
	if g.MonthlySalary != "" {
		salary = p.T("ui.money.monthly", "Amount", p.P.Money(g.MonthlySalary))
	}
	return gist{main, join(p, join(p, since, salary), employers)}
}

func join(p Page, a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return p.T("lookups.gist.join", "A", a, "B", b)
}
