// Package employment holds an employment history as a source gave it: records, movements and weeks, with the exact
// text of every amount. What the source gave is never recomputed, rounded or added up.
package employment

import "time"

// History is the answer to one request for employment.
type History struct {
	Platform   string
	AccountID  string
	IDType     string
	Status     string // the source's word: employed, unemployed, retired, …; "" when absent
	Complete   string // the source's employment_history_status: empty, partial, complete; "" when absent
	Weeks      Weeks
	EndOfRight string // as received; its format is not published
	Files      []File
	Records    []Record   // in the order received
	Movements  []Movement // in the order received
}

// Weeks are the weeks as the source gave them; nil when it did not. Their sum is nowhere defined, so none is made.
type Weeks struct {
	Quoted, Discounted, Reintegrated *int
}

// File names a document that the source offers. Its link dies within minutes and is not kept.
type File struct {
	Type string
}

// Record is one spell with an employer (registro laboral).
type Record struct {
	Employer     string
	Registration string    // registro patronal, as received
	Start, End   time.Time // calendar dates at midnight UTC; zero Start: not given; zero End: open (vigente)
	State        string    // entidad federativa
	BaseSalary   string    // SBC, MXN per day, exact text as received; "" when not given
	Monthly      string    // MXN per month, exact text as received; "" when not given
	JobTitle     string
	Designation  string
	Modality     string
	PayFrequency string
	QuotedDays   string
	Institution  string // whose record it is where one answer mixes several: imss, issste, …; "" when the source does not say
}

// Open tells whether the spell has no end date.
func (r Record) Open() bool { return r.End.IsZero() }

// Movement is one affiliation movement (alta, reingreso, modificación de salario, baja).
type Movement struct {
	Type         string // the source's word: reentry, salary_modification, discharge, …
	Employer     string
	Registration string
	Date, End    time.Time
	BaseSalary   string
}
