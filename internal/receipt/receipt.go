// Package receipt is what an export leaves behind: what was taken out of Cotejo, by whom and why, and the hash by which
// its file is known again. The words for it stand in docs/exports.md.
package receipt

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// Kind is what an export holds.
type Kind string

const (
	Employment Kind = "employment" // the employment records of one lookup
	Report     Kind = "report"     // one lookup on paper, as PDF
	Bulk       Kind = "bulk"       // what became of each row of a bulk
	Lookups    Kind = "lookups"    // a filtered list of lookups
	Records    Kind = "records"    // the employment records of a filtered list of lookups
	Deliveries Kind = "deliveries" // a filtered list of deliveries, without their bodies
)

// Kinds lists them all.
var Kinds = []Kind{Employment, Report, Bulk, Lookups, Records, Deliveries}

// Listed tells whether an export of this kind follows a filter; the others are of one lookup or one bulk.
func (k Kind) Listed() bool { return k == Lookups || k == Records || k == Deliveries }

// Limits of exports.
const (
	MostPeople = 100            // persons of whom a signed-in person may take data out without saying why
	AtOnce     = 5000           // rows of a list that are sent as an answer; more become a job
	Kept       = 24 * time.Hour // the file of a job, from its end on
	MinReason  = 10             // characters
	MaxReason  = 500
)

// ManyPeople stands for every number of persons over MostPeople: nobody counts further.
const ManyPeople = MostPeople + 1

// Selection is what a person asks to take out.
type Selection struct {
	Environment lookup.Environment
	Kind        Kind
	Lookups     lookup.Filter     // of Lookups and Records
	Deliveries  webhook.Filter    // of Deliveries
	Zone        string            // IANA name of the zone in which the filter's days are meant
	Words       map[string]string // the filter as the list's address spells it, without what was searched for in bodies
	Subject     uuid.UUID         // the bulk's or lookup's
}

// Location is the zone of the filter's days.
func (s Selection) Location() *time.Location {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Asking is a selection with why it is asked for, and how many persons it was found to be about.
type Asking struct {
	Selection
	Reason string
	People int // at most ManyPeople
}

// Allows tells whether a file of so many people is what was asked for: one of more than MostPeople needs the reason and the
// password of somebody who was told so.
func (a Asking) Allows(people int) bool { return people <= MostPeople || a.People > MostPeople }

// Receipt tells of one file. It is written once, with the audit entry of the export, and never changed.
type Receipt struct {
	ID          int64
	UID         uuid.UUID
	Environment lookup.Environment
	Kind        Kind
	Subject     uuid.UUID         // lookup or bulk; zero of a list
	Words       map[string]string // the filter as the list's address spells it
	Zone        string
	Reason      string
	People      int // at most ManyPeople
	Rows        int64
	Bytes       int64
	SHA256      []byte // of the file's exact bytes, byte order mark included
	MadeByID    int64
	MadeBy      string // as the person was called then
	MadeAt      time.Time
}

// State is how far an export that is made in the background has come.
type State string

const (
	Waiting   State = "waiting" // for a worker
	Making    State = "making"
	Ready     State = "ready"     // there is a receipt, and a file
	Expired   State = "expired"   // there is a receipt, the file is gone
	Cancelled State = "cancelled" // by a person
	Failed    State = "failed"    // given up after its last run
	Grown     State = "grown"     // came to hold the data of more people than its asking allows
)

// States lists them all.
var States = []State{Waiting, Making, Ready, Expired, Cancelled, Failed, Grown}

// Open tells whether the export still moves.
func (s State) Open() bool { return s == Waiting || s == Making }

// Export is one that is made, or was made, in the background.
type Export struct {
	ID         int64
	UID        uuid.UUID // also that of its receipt
	Asking     Asking
	State      State
	Goal, Done int64 // items of the list, and those that are in the file; a lookup may have any number of rows
	Rows       int64
	Bytes      int64
	AskedByID  int64
	AskedBy    string
	AskedAt    time.Time
	FinishedAt time.Time // zero while it moves
	ExpiresAt  time.Time // of the file; zero until there is one
}

// ReasonProblem gives the message id of what is wrong with a reason, "" when nothing is. A receipt is never changed, so
// whatever identifies a person is refused.
func ReasonProblem(reason string, people int) string {
	n := utf8.RuneCountInString(reason)
	switch {
	case n == 0 && people <= MostPeople:
		return ""
	case n < MinReason && people > MostPeople:
		return "exports.form.reason_short"
	case n > MaxReason:
		return "exports.form.reason_long"
	case curp.Mentions(reason):
		return "exports.form.reason_personal"
	}
	return ""
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// IDsIn gives the ids that a file's name holds: one of them is that of its receipt.
func IDsIn(name string) []uuid.UUID {
	const most = 4
	var ids []uuid.UUID
	for _, text := range uuids.FindAllString(strings.ToLower(name), most) {
		if id, err := uuid.Parse(text); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// FileName names the file of a receipt: kind, the UUID of what it is about if that is one thing, the time in UTC, the
// receipt. No CURP and no word of a person, since file names end up in download histories and subjects of mails.
func (r Receipt) FileName() string {
	name := string(r.Kind)
	if r.Subject != uuid.Nil {
		name += "-" + r.Subject.String()
	}
	ending := ".csv"
	if r.Kind == Report {
		ending = ".pdf"
	}
	return name + "-" + r.MadeAt.UTC().Format("20060102T150405Z") + "-" + r.UID.String() + ending
}
