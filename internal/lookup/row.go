package lookup

import (
	"time"

	"github.com/google/uuid"
)

// Row is a lookup as lists show it: the latest attempt's state and, once known, the answer in one line.
type Row struct {
	ID          int64
	UID         uuid.UUID
	Environment Environment
	Dialect     Dialect
	Platform    Platform
	CURP        string // "" when the lookup is for an RFC
	RFC         string // the identifier asked about when there is no CURP; what a profile says of an RFC is not here
	PersonUID   uuid.UUID
	PersonName  string // "" until a profile arrived
	Reference   string
	Source      Source
	RequestedBy string
	RequestedAt time.Time
	State       State
	StatusAt    time.Time
	Profile     PullState
	Employment  PullState
	Gist        Gist
	Expected    time.Duration // how long its vendor usually takes
	Owner       string        // whose case it is, "" when nobody's
	Tags        []string      // by name
}

// Identifier gives what was asked about: a CURP or an RFC.
func (r Row) Identifier() string {
	if r.CURP == "" {
		return r.RFC
	}
	return r.CURP
}

// Gist is the one-line answer kept with a lookup, so that no list has to read employment records.
type Gist struct {
	Records       int       // employment records in the latest pull
	Employers     int       // distinct employers among them
	CurrentName   string    // employer of the open record that began last, "" when none is open
	Since         time.Time // its start date; zero when unknown
	EndedOn       time.Time // when nothing is open: the last end date; zero when unknown
	MonthlySalary string    // of that record, exact text as received; "" when not given
}

// Filter narrows a list. The zero value shows everything of an environment.
type Filter struct {
	Actor    Actor
	Status   Status
	Platform Platform
	Records  PullState
	From, To time.Time // calendar days in the reader's zone, both inclusive; zero means open
	Analyst  uuid.UUID // who asked
	Source   Source    // SourceForm and SourceBulk: how it began; the others: how its latest attempt came about
	Dialect  Dialect
	Tag      uuid.UUID
	Owner    uuid.UUID
	Overdue  bool   // still open, and waiting for longer than its vendor usually takes
	Detail   string // why it failed or is incomplete, as the vendor or we say it; NoDetail: nobody said
}

// NoDetail stands in a filter for failures of which nobody said why.
const NoDetail = "-"

// Sources lists how lookups and their attempts come about, in the order in which a filter offers them.
var Sources = []Source{SourceForm, SourceBulk, SourceRefresh, SourceRetry, SourceAutomatic}

// Again tells whether s says how a lookup was asked about once more, and not how it began.
func (s Source) Again() bool { return s == SourceRefresh || s == SourceRetry || s == SourceAutomatic }

// Cursor is the key of a row: lists page by key, never by offset.
type Cursor struct {
	At time.Time
	ID int64
}

// Page asks for a stretch of a list: older than After, or newer than Before; both zero means the newest.
type Page struct {
	After  Cursor
	Before Cursor
	Limit  int
}

// Case is one lookup with everything its page shows.
type Case struct {
	Row
	Consent  ConsentNote
	Attempts []Attempt // newest first
}

// ConsentNote is the consent under which a lookup was made, as shown beside it.
type ConsentNote struct {
	GivenAt       time.Time
	ExpiresAt     time.Time
	NoticeVersion string
	Means         string
	RecordedBy    string
}

// Attempt is one try at the vendor.
type Attempt struct {
	ID         int64
	UID        uuid.UUID // what the vendor gets as external_id
	Number     int
	Source     Source
	State      State
	AccountID  string // the vendor's id, "" until it answered
	RequestAt  time.Time
	SentAt     time.Time // zero until marked for sending
	SettledAt  time.Time // zero while open
	Profile    PullState
	Employment PullState
	Findings   []Finding // other kinds of data that the vendor named, in the order of Entities, unknown ones last
	Story      []Moment  // oldest first
}

// Moment is one line of an attempt's timeline.
type Moment struct {
	At       time.Time
	Kind     MomentKind
	Status   Status // for MomentStatus
	Text     string // a code or count that the sentence of this kind shows
	Actor    string // the person's name, for what a person did
	Delivery uuid.UUID
	TookMS   int
}

// MomentKind is what happened. Each has a sentence in the message files under lookups.story.
type MomentKind string

const (
	MomentRequested  MomentKind = "requested"      // a person asked
	MomentSent       MomentKind = "sent"           // marked for sending to the vendor
	MomentTaken      MomentKind = "taken"          // the vendor answered with an account
	MomentFound      MomentKind = "found"          // after an ambiguous end the account was found at the vendor
	MomentRefused    MomentKind = "refused"        // the vendor refused the request; Text is the code
	MomentOpened     MomentKind = "opened"         // an event confirmed that the vendor works on it
	MomentStatus     MomentKind = "status"         // an event moved the status
	MomentRepeated   MomentKind = "repeated"       // an event said again what was known
	MomentRefresh    MomentKind = "refresh_failed" // a refresh after a success failed; the success stands
	MomentLate       MomentKind = "late"           // an event arrived after a later one; it moved nothing
	MomentUnknown    MomentKind = "unknown"        // an event outside the documented set
	MomentProfile    MomentKind = "profile"        // a profile was fetched; Text is the pull state
	MomentEmployment MomentKind = "employment"     // employment was fetched; Text is the pull state
	MomentPullFailed MomentKind = "pull_failed"    // a fetch was given up; Text is the kind of data
	MomentConsented  MomentKind = "consented"      // the vendor recorded our consent
	MomentInvoices   MomentKind = "invoices"       // the other kinds of data: Text is the pull state
	MomentEarnings   MomentKind = "earnings"
	MomentFiles      MomentKind = "employment_files"
	MomentBusiness   MomentKind = "business_profile"
	MomentAutomatic  MomentKind = "automatic"  // Cotejo asked again by itself
	MomentAsked      MomentKind = "asked"      // no event had come; the vendor was asked and told the outcome
	MomentAskOpen    MomentKind = "ask_open"   // asked, the vendor was still at work
	MomentAskFailed  MomentKind = "ask_failed" // asked, it told nothing; Text is the code
)
