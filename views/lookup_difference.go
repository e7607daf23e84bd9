package views

import (
	"strings"
	"time"

	"cotejo/internal/employment"
	"cotejo/internal/profile"
)

// CaseChange is what differs between the newest answers of a lookup and those before them.
type CaseChange struct {
	Records  []employment.Change
	Profile  []profile.Change
	From, To time.Time // when the two histories, or else the two profiles, were fetched
	FromID   string    // the hashes of what they were read from
	ToID     string
}

// changeMark is the icon of a change of the employment.
func changeMark(kind employment.ChangeKind) string {
	switch kind {
	case employment.NewJob, employment.ReopenedJob:
		return "plus"
	case employment.EndedJob:
		return "out"
	case employment.GoneJob:
		return "warn"
	}
	return "again"
}

// changeWord names what changed: a kind of change, or the field.
func changeWord(p Page, c employment.Change) string {
	if c.Kind == employment.Field {
		return p.T("difference.field." + c.Name)
	}
	return p.T("difference.kind." + string(c.Kind))
}

// changeValue writes a value of a change the reader's way: dates as dates, amounts as amounts, and absence in words.
func changeValue(p Page, c employment.Change, value string) string {
	if value == "" && c.Kind == employment.EndedJob {
		return p.T("lookups.jobs.open")
	}
	if value == "" && c.Kind == employment.ReopenedJob {
		return p.T("lookups.jobs.open")
	}
	switch {
	case c.Kind == employment.NewJob && value == "", c.Kind == employment.GoneJob && value == "":
		return p.T("difference.absent")
	case c.Kind == employment.NewJob, c.Kind == employment.GoneJob:
		start, end, _ := strings.Cut(value, "/")
		return spanWords(p, start, end)
	case value == "":
		return p.T("lookups.jobs.absent")
	case c.Name == "start" || c.Name == "end":
		return dateWords(p, value)
	case c.Kind == employment.BaseSalary || c.Kind == employment.Monthly:
		return p.P.Money(value)
	case c.Name == "status" && p.P.Has("ui.employment."+value):
		return p.T("ui.employment." + value)
	}
	return value
}

func spanWords(p Page, start, end string) string {
	from, to := p.T("lookups.jobs.absent"), p.T("lookups.jobs.open")
	if start != "" {
		from = dateWords(p, start)
	}
	if end != "" {
		to = dateWords(p, end)
	}
	return p.T("difference.span", "From", from, "To", to)
}

func dateWords(p Page, value string) string {
	if t, err := time.Parse(time.DateOnly, value); err == nil {
		return p.P.Date(t)
	}
	return value
}

// profileWord names a field of the profile; an identifier with a name of the source's own keeps it.
func profileWord(p Page, name string) string {
	if id := "difference.profile." + name; p.P.Has(id) {
		return p.T(id)
	}
	return name
}

// profileValue writes a value of the profile. Identifiers that the page masks elsewhere stay masked.
func profileValue(p Page, c profile.Change, value string) string {
	switch {
	case value == "":
		return p.T("lookups.case.absent")
	case c.Sensitive():
		mask := maskOf(c.Name, value)
		return mask.start + mask.dots + mask.end
	case c.Name == "birthday":
		return dateWords(p, value)
	}
	return value
}
