// Package figures computes continuity figures of an employment history as of a date that the reader chooses: how long,
// with what gaps, with how many employers, and how the salary moved. Each figure comes with the records it rests on and,
// where it cannot be known, with the reason. docs/figures.md defines every one of them; its worked examples are the
// tests of this package.
//
// Nothing here judges a person, and no amount is a float: they are compared as exact decimals and shown as received.
package figures

import (
	"time"

	"cotejo/internal/employment"
)

// ID names a figure, here, in docs/figures.md, in the message files and in frozen decision notes.
type ID string

const (
	Employed         ID = "employed"
	CurrentJob       ID = "current_job"
	SinceLast        ID = "since_last"
	WeeksWorked      ID = "weeks_worked"
	WeeksMany        ID = "weeks_many"
	EmployersTotal   ID = "employers_total"
	EmployersUnique  ID = "employers_unique"
	EmployersPerYear ID = "employers_per_year"
	OutLongest1      ID = "out_longest_1y"
	OutLongest3      ID = "out_longest_3y"
	OutLongest5      ID = "out_longest_5y"
	OutLongestEver   ID = "out_longest_ever"
	OutTotal1        ID = "out_total_1y"
	OutTotal3        ID = "out_total_3y"
	OutTotal5        ID = "out_total_5y"
	OutTotalEver     ID = "out_total_ever"
	SalaryNow        ID = "salary_now"
	SalaryChange12   ID = "salary_change_12m"
	SalaryChange24   ID = "salary_change_24m"
	MedianChange     ID = "median_change"
	SwitchRises      ID = "switch_rises"
	SwitchFalls      ID = "switch_falls"
	CurrentChanges   ID = "current_changes"
)

// IDs lists the figures in the order in which they are read.
var IDs = []ID{
	Employed, CurrentJob, SinceLast, WeeksWorked, WeeksMany,
	EmployersTotal, EmployersUnique, EmployersPerYear,
	OutLongest1, OutLongest3, OutLongest5, OutLongestEver, OutTotal1, OutTotal3, OutTotal5, OutTotalEver,
	SalaryNow, SalaryChange12, SalaryChange24, MedianChange, SwitchRises, SwitchFalls, CurrentChanges,
}

// Unit says which fields of a Figure hold its value.
type Unit string

const (
	YesNo Unit = "yes_no" // Yes
	Days  Unit = "days"   // Days, and From and To where it is one stretch
	Weeks Unit = "weeks"  // Days, to be read as weeks and days
	Count Unit = "count"  // Count, and Of where it is a part of something
	Rate  Unit = "rate"   // Rate
	Money Unit = "money"  // Amount
	Share Unit = "share"  // Tenths, and Before and After where it is one step
)

// Reason says why a figure is not known. Each has a sentence in the message files under figures.why.
type Reason string

const (
	NoRecords       Reason = "no_records"        // no dated record had begun by the date
	Undated         Reason = "undated"           // a record without usable dates may decide it
	IsEmployed      Reason = "is_employed"       // asked of somebody without a job only
	NotEmployed     Reason = "not_employed"      // asked of somebody with a job only
	NotEmployedThen Reason = "not_employed_then" // no job on the earlier of two days
	NoAmount        Reason = "no_amount"         // the source gave no amount that counts
	NoAmountThen    Reason = "no_amount_then"
	OneAmount       Reason = "one_amount" // one amount for the whole job: how it moved is not told
	NoChanges       Reason = "no_changes" // there is nothing to take the middle of
	UnderYear       Reason = "under_year" // a rate per year of less than a year would mislead
	Unnamed         Reason = "unnamed"    // every employer is without name and registration
)

// Bound says that the true value may lie on one side of the one given, because of records without usable dates or names.
type Bound string

const (
	Exact   Bound = ""
	AtLeast Bound = "at_least"
	AtMost  Bound = "at_most"
)

// Caution is what a reader has to know beside a value. Each has a sentence in the message files under figures.caution.
type Caution string

const (
	Several    Caution = "several"    // more than one record stands on that day, for current_job more than one stay
	Returned   Caution = "returned"   // an earlier stay with the same employer is not counted in
	Short      Caution = "short"      // the history begins within the years looked at
	Flat       Caution = "flat"       // an amount that the source gives for a whole job, not for that day
	Missing    Caution = "missing"    // one of several records on that day has no amount
	Differs    Caution = "differs"    // the record's own amount is not that of its last movement
	Uncompared Caution = "uncompared" // some changes of employer have no two amounts to compare
	Nameless   Caution = "nameless"   // jobs whose employer is not told are left out
)

// Reasons and Cautions list them all, for whoever puts them into words.
var (
	Reasons  = []Reason{NoRecords, Undated, IsEmployed, NotEmployed, NotEmployedThen, NoAmount, NoAmountThen, OneAmount, NoChanges, UnderYear, Unnamed}
	Cautions = []Caution{Several, Returned, Short, Flat, Missing, Differs, Uncompared, Nameless}
)

// Figure is one figure. Which fields hold the value is told by Unit; without Known there is none, and Why says so.
type Figure struct {
	ID       ID        `json:"id"`
	Unit     Unit      `json:"unit"`
	Known    bool      `json:"known"`
	Why      Reason    `json:"why,omitempty"`
	Bound    Bound     `json:"bound,omitempty"`
	Cautions []Caution `json:"cautions,omitempty"`

	Yes    bool      `json:"yes,omitempty"`
	Days   int       `json:"days,omitempty"`
	From   time.Time `json:"from,omitzero"` // first and last day of a stretch, both counted
	To     time.Time `json:"to,omitzero"`
	Count  int       `json:"count,omitempty"`
	Of     int       `json:"of,omitempty"`
	Rate   string    `json:"rate,omitempty"`   // two decimals
	Amount string    `json:"amount,omitempty"` // exact text as received
	Pay    Pay       `json:"pay,omitempty"`    // what Amount, Before and After are
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
	Tenths int       `json:"tenths,omitempty"` // of a percent, with its sign

	// Records are the indexes, rising, of the records that the value was computed from.
	Records []int `json:"records,omitempty"`
}

// Pay is the kind of amount that a history's salary figures are in. Two kinds are never mixed or converted.
type Pay string

const (
	NoPay   Pay = ""
	Daily   Pay = "daily"   // salario base de cotización, MXN per day
	Monthly Pay = "monthly" // MXN per month, as the source gave it
)

// Result is every figure of a history as of a date, and what was left out of them.
type Result struct {
	AsOf    time.Time
	Fetched time.Time // day on which the source gave the history; zero: not told
	Pay     Pay
	Figures []Figure // in the order of IDs
	Undated []int    // indexes of records that cannot be placed in time
	Later   []int    // indexes of records that begin after the date
	Stray   []int    // indexes of movements with an amount that belong to no record
}

// Figure gives one figure.
func (r Result) Figure(id ID) Figure {
	for _, f := range r.Figures {
		if f.ID == id {
			return f
		}
	}
	return Figure{ID: id}
}

// Ahead counts the days from the day of the data to the date, 0 when the date is not later: for those days open records
// are only presumed to go on.
func (r Result) Ahead() int {
	if r.Fetched.IsZero() {
		return 0
	}
	return max(dayOf(r.AsOf)-dayOf(r.Fetched), 0)
}

// Of computes every figure of a history as of a date. fetched is the day on which the source gave it, zero when that is
// not known. Of both only the calendar date counts.
//
// The values do not depend on the order of records or movements. Records that cannot be placed in time, and those that
// begin after the date, take part in no value.
func Of(h employment.History, asOf, fetched time.Time) Result {
	c := read(h, dayOf(asOf), fetched)
	r := Result{AsOf: dateOf(c.day), Pay: c.pay, Undated: c.undated, Later: c.later, Stray: c.stray}
	if !fetched.IsZero() {
		r.Fetched = dateOf(dayOf(fetched))
	}
	r.Figures = append(r.Figures, c.employed(), c.currentJob(), c.sinceLast(), c.weeksWorked(), c.weeksMany())
	r.Figures = append(r.Figures, c.employers()...)
	r.Figures = append(r.Figures, c.outOfWork()...)
	r.Figures = append(r.Figures, c.salaryNow(), c.salaryChange(SalaryChange12, 12), c.salaryChange(SalaryChange24, 24), c.medianChange())
	r.Figures = append(r.Figures, c.switchFigures()...)
	r.Figures = append(r.Figures, c.currentChanges())
	return r
}

// unknown is a figure that cannot be known.
func unknown(id ID, unit Unit, why Reason) Figure { return Figure{ID: id, Unit: unit, Why: why} }

const secondsPerDay = 24 * 60 * 60

// dayOf numbers the calendar day that t carries; the zone of t plays no part.
func dayOf(t time.Time) int {
	year, month, day := t.Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay) // exact: midnight is a whole multiple
}

func dateOf(day int) time.Time { return time.Unix(int64(day)*secondsPerDay, 0).UTC() }

// back gives the same day of the month some months earlier, or the last day of that month where it has no such day.
func back(day, months int) int {
	y, m, d := dateOf(day).Date()
	last := time.Date(y, m+1-time.Month(months), 0, 0, 0, 0, 0, time.UTC).Day()
	return dayOf(time.Date(y, m-time.Month(months), min(d, last), 0, 0, 0, 0, time.UTC))
}
