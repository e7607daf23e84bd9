// Package decision holds decision notes: what a named person decided on a lookup and why, with the facts and figures that
// stood on the page at that moment, frozen. Cotejo takes no part in a decision and proposes none.
package decision

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// MaxReason bounds the text of a note, in characters.
const MaxReason = 4000

// ErrChanged means that what would be frozen is not what the person had on the page.
var ErrChanged = errors.New("what the page showed has changed")

// Note is one decision note.
type Note struct {
	UID    uuid.UUID
	At     time.Time
	By     string // name of who decided, as it was then
	Reason string
	AsOf   time.Time // date of the figures
	Frozen []byte    // Facts as JSON, exact bytes
	SHA256 []byte    // of Frozen
}

// Facts gives what was frozen; ok is false when a later program cannot read it.
func (n Note) Facts() (f Facts, ok bool) {
	err := json.Unmarshal(n.Frozen, &f)
	return f, err == nil && f.Version == version
}

// version is that of the frozen JSON. A field may be added within one; a changed meaning is a new one.
const version = 1

// Facts are what a page showed of a lookup. Neither CURP nor NSS nor a name is in it: the lookup leads to them.
type Facts struct {
	Version     int                `json:"version"`
	Lookup      uuid.UUID          `json:"lookup"`
	Environment lookup.Environment `json:"environment"`
	Platform    lookup.Platform    `json:"platform"`
	Dialect     lookup.Dialect     `json:"dialect"`
	Status      lookup.Status      `json:"status"`
	Detail      string             `json:"detail"`
	Warning     string             `json:"warning"`
	Profile     Pull               `json:"profile"`
	Employment  Pull               `json:"employment"`
	AsOf        string             `json:"as_of"` // 2006-01-02
	Standing    Standing           `json:"standing"`
	Records     []Record           `json:"records"`
	Movements   []Movement         `json:"movements"`
	Figures     []figures.Figure   `json:"figures"`
	Undated     []int              `json:"undated"` // indexes of records left out of the figures
	Later       []int              `json:"later"`
	Stray       []int              `json:"stray"` // indexes of movements left out
	Hints       []profile.Hint     `json:"hints"`
	Others      []Answer           `json:"others"`    // null in notes from before these were kept
	Documents   []Document         `json:"documents"` // likewise
}

// Pull is the response that facts came from. Without an id there was none.
type Pull struct {
	State     lookup.PullState `json:"state"`
	ID        string           `json:"id,omitempty"`
	SHA256    string           `json:"sha256,omitempty"`
	FetchedAt time.Time        `json:"fetched_at,omitzero"`
}

// utc makes a moment read alike wherever it was read from.
func (p Pull) utc() Pull {
	p.FetchedAt = p.FetchedAt.UTC()
	return p
}

// Answer is the newest readable response of one of the other kinds of data. Its rows name people and companies, so they
// stay in the stored answer, which its id leads to and its hash holds.
type Answer struct {
	Entity lookup.Entity `json:"entity"`
	Pull
}

// Document is a paper that the page offered. Its name, which the source gives, may be that of a person.
type Document struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256,omitempty"` // of what was received
	Code   string `json:"code,omitempty"`   // why there is none
}

// Others tells of each kind of data besides profile and employment how far it has come, as the page shows it: what the
// latest attempt found, then what stands from earlier ones.
func Others(found []lookup.Finding, stored []Answer) []Answer {
	list := []Answer{}
	for _, f := range found {
		a := Answer{Entity: f.Entity}
		if i := slices.IndexFunc(stored, func(s Answer) bool { return s.Entity == f.Entity }); i >= 0 {
			a = stored[i]
		}
		a.State = f.State
		list = append(list, a)
	}
	for _, s := range stored {
		if !slices.ContainsFunc(found, func(f lookup.Finding) bool { return f.Entity == s.Entity }) {
			s.State = lookup.PullComplete // the attempt that brought it is not the one on show
			list = append(list, s)
		}
	}
	return list
}

// Standing is what the source said of the person as a whole.
type Standing struct {
	Status       string `json:"status"`
	EndOfRight   string `json:"end_of_rights"`
	Quoted       *int   `json:"quoted_weeks"`
	Discounted   *int   `json:"discounted_weeks"`
	Reintegrated *int   `json:"reintegrated_weeks"`
}

// Record is an employment record as shown, with all that its row says. Dates are 2006-01-02 or "".
type Record struct {
	Employer     string `json:"employer"`
	Registration string `json:"registration"`
	Start        string `json:"start"`
	End          string `json:"end"`
	State        string `json:"federal_entity"`
	BaseSalary   string `json:"base_salary"`
	Monthly      string `json:"monthly_salary"`
	Institution  string `json:"institution,omitempty"` // from here on: not in notes from before these were kept
	JobTitle     string `json:"job_title,omitempty"`
	Designation  string `json:"designation,omitempty"`
	Modality     string `json:"modality,omitempty"`
	PayFrequency string `json:"payment_frequency,omitempty"`
	QuotedDays   string `json:"quoted_days,omitempty"`
}

// History gives the records back as they were shown; a date that a later program cannot read is absent.
func (f Facts) History() employment.History {
	h := employment.History{Platform: string(f.Platform)}
	day := func(text string) time.Time {
		d, _ := time.Parse(time.DateOnly, text) // the zero time is absence
		return d
	}
	for _, r := range f.Records {
		h.Records = append(h.Records, employment.Record{Employer: r.Employer, Registration: r.Registration, Start: day(r.Start), End: day(r.End), State: r.State,
			BaseSalary: r.BaseSalary, Monthly: r.Monthly, Institution: r.Institution, JobTitle: r.JobTitle, Designation: r.Designation, Modality: r.Modality,
			PayFrequency: r.PayFrequency, QuotedDays: r.QuotedDays})
	}
	return h
}

// Movement is an affiliation movement as shown.
type Movement struct {
	Type         string `json:"type"`
	Employer     string `json:"employer"`
	Registration string `json:"registration"`
	Date         string `json:"date"`
	BaseSalary   string `json:"base_salary"`
}

// Seen is what a page shows of a lookup, before it is frozen. Profile and History are nil until they were fetched.
type Seen struct {
	Lookup         lookup.Row
	ProfilePull    Pull
	EmploymentPull Pull
	Profile        *profile.Profile
	History        *employment.History
	Others         []Answer // of Others
	Documents      []Document
	AsOf           time.Time
}

// Figures computes the figures of what is seen; ok is false without a history.
func (s Seen) Figures() (r figures.Result, ok bool) {
	if s.History == nil {
		return r, false
	}
	// The data is as of its day where the date of the figures is taken, too.
	return figures.Of(*s.History, s.AsOf, Day(s.EmploymentPull.FetchedAt)), true
}

// Hints compares the CURP with what the sources say.
func (s Seen) Hints() []profile.Hint {
	if s.Profile == nil && s.History == nil {
		return nil
	}
	var registrations []string
	if s.History != nil {
		for _, r := range s.History.Records {
			registrations = append(registrations, r.Registration)
		}
	}
	var p profile.Profile
	if s.Profile != nil {
		p = *s.Profile
	}
	return profile.Hints(s.Lookup.CURP, p, registrations)
}

// Freeze writes what is seen as JSON: the same lookup seen twice gives the same bytes.
func (s Seen) Freeze() (frozen []byte, sum [32]byte, err error) {
	f := Facts{Version: version, Lookup: s.Lookup.UID, Environment: s.Lookup.Environment, Platform: s.Lookup.Platform, Dialect: s.Lookup.Dialect,
		Status: s.Lookup.State.Status, Detail: s.Lookup.State.Detail, Warning: s.Lookup.State.Warning,
		Profile: s.ProfilePull.utc(), Employment: s.EmploymentPull.utc(), AsOf: s.AsOf.Format(time.DateOnly), Hints: s.Hints()}
	f.Others, f.Documents = []Answer{}, append([]Document{}, s.Documents...)
	for _, a := range s.Others {
		f.Others = append(f.Others, Answer{a.Entity, a.utc()})
	}
	if r, ok := s.Figures(); ok {
		f.Figures, f.Undated, f.Later, f.Stray = r.Figures, r.Undated, r.Later, r.Stray
		h := *s.History
		f.Standing = Standing{Status: h.Status, EndOfRight: h.EndOfRight, Quoted: h.Weeks.Quoted, Discounted: h.Weeks.Discounted, Reintegrated: h.Weeks.Reintegrated}
		for _, x := range h.Records {
			f.Records = append(f.Records, Record{x.Employer, x.Registration, date(x.Start), date(x.End), x.State, x.BaseSalary, x.Monthly,
				x.Institution, x.JobTitle, x.Designation, x.Modality, x.PayFrequency, x.QuotedDays})
		}
		for _, x := range h.Movements {
			f.Movements = append(f.Movements, Movement{x.Type, x.Employer, x.Registration, date(x.Date), x.BaseSalary})
		}
	}
	if frozen, err = json.Marshal(f); err != nil {
		return nil, sum, err
	}
	return frozen, sha256.Sum256(frozen), nil
}

// Digest is the hash of what is seen, in hex, for a form to send back: "" when it cannot be frozen.
func (s Seen) Digest() string {
	_, sum, err := s.Freeze()
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum[:])
}

// Problem gives the message id of what is wrong with a reason, "" when nothing is.
func Problem(reason string) string {
	switch n := utf8.RuneCountInString(strings.TrimSpace(reason)); {
	case n == 0:
		return "decisions.reason_missing"
	case n > MaxReason:
		return "decisions.reason_long"
	}
	return ""
}

// Day is the calendar day of an instant where figures are dated, Mexico City; the zero time stays zero.
func Day(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	y, m, d := t.In(lookup.DayZone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// earliest bounds the dates that figures are asked for: no source has records from before.
var earliest = time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)

// AsOf reads the date that a reader asks figures for. An empty text is today; ok is false for one that is no date, lies
// ahead of today, or before 1900, and the date is today then, too.
func AsOf(text string, now time.Time) (day time.Time, ok bool) {
	today := Day(now)
	if text == "" {
		return today, true
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.After(today) || day.Before(earliest) {
		return today, false
	}
	return day, true
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
