package handlers

import (
	"cotejo/db"
	"cotejo/internal/employment"
	"cotejo/internal/profile"
	"cotejo/views"
)

// caseChange compares the newest answers of a lookup with those before them; nil when there is nothing to compare.
func caseChange(c db.Case) *views.CaseChange {
	var change views.CaseChange
	if c.Before.ProfilePull != nil && c.Before.Profile != nil && c.Profile != nil {
		change.Profile = profile.Difference(*c.Before.Profile, *c.Profile)
		change.From, change.To = c.Before.ProfilePull.FetchedAt, c.ProfilePull.FetchedAt
	}
	if c.Before.EmploymentPull != nil && c.Before.History != nil && c.History != nil {
		change.Records = employment.Difference(*c.Before.History, *c.History)
		change.From, change.To = c.Before.EmploymentPull.FetchedAt, c.EmploymentPull.FetchedAt
	}
	if change.To.IsZero() {
		return nil
	}
	return &change
}
