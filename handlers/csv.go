package handlers

import (
	"iter"

	"cotejo/db"
	"cotejo/internal/employment"
	"cotejo/internal/export"
	"cotejo/internal/profile"
)

// exportRows puts a lookup into the shape of the CSV.
func exportRows(c db.Case) iter.Seq2[export.Row, error] {
	l := export.Lookup{UID: c.UID, Reference: c.Reference, CURP: c.CURP, Platform: c.Platform, Environment: c.Environment,
		Dialect: c.Dialect, State: c.State, RequestedAt: c.RequestedAt}
	if len(c.Attempts) > 0 {
		l.AccountID = c.Attempts[0].AccountID
	}
	if c.EmploymentPull != nil {
		l.FetchedAt, l.SHA256 = c.EmploymentPull.FetchedAt, c.EmploymentPull.SHA256
	}
	l.Person, l.History = orZero(c.Profile), orZero(c.History)
	return l.Rows()
}

func orZero[T profile.Profile | employment.History](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}
