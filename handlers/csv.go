package handlers

import (
	"bytes"
	"iter"
	"net/http"
	"strconv"

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

// sendCSV downloads rows. They are written whole before the first byte leaves: a file that stops half-way looks complete.
func sendCSV(w http.ResponseWriter, name string, rows iter.Seq2[export.Row, error]) error {
	var file bytes.Buffer
	if _, err := export.WriteEmployment(&file, rows); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(file.Len()))
	_, err := file.WriteTo(w)
	return err
}
