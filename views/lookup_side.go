package views

import (
	"cotejo/internal/figures"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// weeksTitle names the IMSS only where it is the source: no other institution counts weeks.
func (v CasePage) weeksTitle() string {
	if v.Case.Platform == lookup.IMSS {
		return v.T("lookups.weeks.title")
	}
	return v.T("lookups.weeks.title_other")
}

// situation is the source's word for the person's standing, in ours when we have one.
func (v CasePage) situation() string {
	status := v.History.Status
	if status == "" {
		return v.T("lookups.case.absent")
	}
	if id := "ui.employment." + status; v.P.Has(id) {
		return v.T(id)
	}
	return status
}

func fileWord(p Page, kind string) string {
	if id := "lookups.file." + kind; p.P.Has(id) {
		return p.T(id)
	}
	return kind
}

// noProfile says why there is none.
func (v CasePage) noProfile() string {
	switch {
	case v.Case.Profile == lookup.PullFetching:
		return v.T("lookups.profile.fetching")
	case v.Case.Profile == lookup.PullFailed:
		return v.T("lookups.profile.failed")
	case v.Case.Profile == lookup.PullEmpty:
		return v.T("lookups.profile.empty")
	case v.status().Open():
		return v.T("lookups.profile.waiting")
	case v.status() == lookup.Success && v.arriving(v.Case.Profile):
		return v.T("lookups.profile.fetching")
	case v.status() == lookup.Success:
		return v.T("lookups.profile.elsewhere")
	}
	return v.T("lookups.profile.never")
}

// otherIDs are the profile's identifiers that have no line of their own. The CURP and the NSS stand masked at the top
// of the page and must not slip in here in full.
func (v CasePage) otherIDs() []profile.ID {
	var rest []profile.ID
	for _, id := range v.Profile.IDs {
		switch {
		case id.Value == "" || id.Value == v.Case.CURP || id.Value == v.Profile.NSS() || id.Value == v.Profile.RFC():
		case id.Name == "curp" || id.Type == "curp" || id.Type == "national" || id.Name == "nss" || id.Type == "social_security_number":
		default:
			rest = append(rest, id)
		}
	}
	return rest
}

func orSource(s lookup.Source) lookup.Source {
	if s == "" {
		return lookup.SourceForm
	}
	return s
}

func (v CasePage) expiryLabel() string {
	if v.Case.Consent.ExpiresAt.After(v.Now) {
		return v.T("lookups.consent.expires")
	}
	return v.T("lookups.consent.expired")
}

// newDay tells whether a moment falls on another day than the one before it, where a time of day alone would mislead.
func (v CasePage) newDay(story []lookup.Moment, i int) bool {
	if i == 0 {
		return false
	}
	day := func(t time.Time) string { return t.In(v.P.Zone()).Format(time.DateOnly) }
	return day(story[i].At) != day(story[i-1].At)
}

func storyIcon(m lookup.Moment) string {
	switch m.Kind {
	case lookup.MomentRequested:
		return "analyst"
	case lookup.MomentSent:
		return "send"
	case lookup.MomentTaken, lookup.MomentFound, lookup.MomentOpened:
		return "source"
	case lookup.MomentRefused, lookup.MomentPullFailed, lookup.MomentRefresh:
		return "error"
	case lookup.MomentStatus:
		return statusMark(m.Status)
	case lookup.MomentRepeated, lookup.MomentLate:
		return "duplicate"
	case lookup.MomentUnknown:
		return "unreadable"
	case lookup.MomentProfile, lookup.MomentEmployment, lookup.MomentInvoices, lookup.MomentEarnings, lookup.MomentFiles, lookup.MomentBusiness:
		return "down"
	case lookup.MomentConsented:
		return "check"
	}
	return "info"
}

func storyMark(m lookup.Moment) string {
	switch {
	case m.Kind == lookup.MomentStatus:
		return "story__item--" + statusMark(m.Status)
	case m.Kind == lookup.MomentRefused || m.Kind == lookup.MomentPullFailed:
		return "story__item--error"
	}
	return ""
}

// storyWords is the sentence of a moment.
func storyWords(p Page, m lookup.Moment) string {
	switch m.Kind {
	case lookup.MomentRequested:
		if m.Actor == "" {
			return p.T("lookups.story.requested_nobody")
		}
		return p.T("lookups.story.requested", "Who", m.Actor)
	case lookup.MomentStatus:
		return statusWord(p, m.Status)
	case lookup.MomentProfile, lookup.MomentEmployment:
		state := m.Text
		if id := "ui.pull." + string(m.Kind) + "." + m.Text; p.P.Has(id) {
			state = p.T(id)
		}
		return p.T("lookups.story."+string(m.Kind), "State", state)
	case lookup.MomentInvoices, lookup.MomentEarnings, lookup.MomentFiles, lookup.MomentBusiness:
		return p.T("lookups.story.entity", "Entity", entityWord(p, lookup.Entity(m.Kind)), "State", p.T("lookups.entity.word."+pullWord(lookup.PullState(m.Text))))
	}
	if id := "lookups.story." + string(m.Kind); p.P.Has(id) {
		return p.T(id)
	}
	return p.T("lookups.story.misc")
}

// storyNote is what stands below the sentence, "" when there is nothing to add.
func storyNote(p Page, m lookup.Moment) string {
	if m.Text == deprecatedEvent {
		return p.T("lookups.story.deprecated")
	}
	if id := "lookups.story." + string(m.Kind) + "_note"; p.P.Has(id) {
		return p.T(id)
	}
	if m.TookMS > 0 {
		return p.T("lookups.story.took", "Span", p.P.Span(time.Duration(m.TookMS)*time.Millisecond))
	}
	return ""
}

// storyCode is the vendor's own word for the moment, "" where the sentence already holds it.
func storyCode(m lookup.Moment) string {
	switch m.Kind {
	case lookup.MomentProfile, lookup.MomentEmployment, lookup.MomentInvoices, lookup.MomentEarnings, lookup.MomentFiles, lookup.MomentBusiness:
		return ""
	}
	return m.Text
}

// deprecatedEvent is accepted as long as it is sent (docs/vendor-buro.md#buro-webhook).
const deprecatedEvent = "verification.historical"

func deliveryPath(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return "/deliveries/" + id.String()
}

// salaryNote says what is drawn and that it is the source's.
func (v CasePage) salaryNote(s salaries) string {
	if s.Series == seriesNone {
		return v.T("lookups.salary.note")
	}
	return v.T("lookups.salary."+string(s.Series)) + ", " + v.T("lookups.salary.note")
}

// flatNote says of what is drawn as one amount over a whole record that its changes are not told, "" when all is dated.
func (v CasePage) flatNote(s salaries) string {
	switch {
	case !s.Flat:
		return ""
	case s.Series == seriesMovements:
		return v.T("lookups.salary.flat_some")
	}
	return v.T("lookups.salary.flat")
}

// salaryRule says what the changes in the table are against, and how many of its amounts belong to no record.
func (v CasePage) salaryRule() string {
	rule := v.T("lookups.salary.rule")
	if stray := figures.Of(*v.History, v.asOf(), v.asOf()).Stray; len(stray) > 0 {
		return rule + " " + v.T("lookups.salary.stray", "Count", len(stray))
	}
	return rule
}
