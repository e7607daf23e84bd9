// Package bulk reads a file of people to be asked about and judges each row before anything is sent: what it holds, what
// speaks against sending it, and what became of it. It does no I/O; CURPs that it is given stay in what it returns, and
// none of its errors quotes a file.
package bulk

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// Limits of one file.
const (
	MaxRows    = 10_000
	MaxBytes   = 5_000_000
	MaxColumns = 100
)

// State is where a bulk stands. The schema repeats the set as a CHECK.
type State string

const (
	Draft     State = "draft"     // judged and stored, nothing sent
	Sending   State = "sending"   // rows are handed out, some at a time
	Paused    State = "paused"    // a person stopped handing out
	Cancelled State = "cancelled" // a person ended it; what was handed out goes on
	Done      State = "done"      // every row had its turn
)

// States lists them in the order of their life.
var States = []State{Draft, Sending, Paused, Cancelled, Done}

// Ended tells whether no row is to be handed out any more.
func (s State) Ended() bool { return s == Cancelled || s == Done }

// Verdict is what becomes of a row, or became of it. The schema repeats the set as a CHECK.
type Verdict string

const (
	Send      Verdict = "send"      // is asked, or was
	Doubtful  Verdict = "doubtful"  // warned about: is asked only where a person insists
	Invalid   Verdict = "invalid"   // cannot be asked; Row.Detail says why
	Duplicate Verdict = "duplicate" // its person stands in the file already, on line Row.Of
	Recent    Verdict = "recent"    // a success under 12 hours ago
	Open      Verdict = "open"      // an attempt is under way
	Limit     Verdict = "limit"     // the vendor's attempts of today are used up
	Asked     Verdict = "asked"     // asked because of this same file or people, SameFile ago at most
	NoConsent Verdict = "consent"   // the consent ended before its turn came
	Dropped   Verdict = "cancelled" // its turn had not come when the bulk was cancelled
)

// Verdicts lists those of rows in the order in which pages show them.
var Verdicts = []Verdict{Send, Doubtful, Invalid, Duplicate, Recent, Open, Limit, Asked, NoConsent, Dropped}

// SameFile is how long a person who was asked because of a file is not asked because of the same file again, or of one with
// the same people, whatever the answer was: sending a file twice is far more often a slip than a wish.
const SameFile = 7 * 24 * time.Hour

// Row is one row of a file that was judged.
type Row struct {
	Number     int    // from 1, in the order of the file
	Line       int    // of the file, where an editor shows it
	Identifier string // a CURP or an RFC as lookup.Form cleans it; of an invalid row, what was there
	Reference  string
	Verdict    Verdict
	Detail     string // message id of the reason of Invalid and Doubtful
	Of         int    // line of the first row with the same identifier; 0 unless Duplicate
}

// Item is a row as it stands in the database.
type Item struct {
	Row
	DoneAt    time.Time // zero while its turn is to come
	LookupUID uuid.UUID // zero when nothing was asked
	State     lookup.State
}

// Bulk is one bulk with how far it has come.
type Bulk struct {
	ID           int64
	UID          uuid.UUID
	State        State
	FileName     string
	SHA256       []byte // of the file
	People       []byte // SumPeople; nil, as SHA256 is, once both were forgotten
	Encoding     Encoding
	Delimiter    Delimiter
	Columns      []string
	Layout       Layout
	Dialect      lookup.Dialect
	Connection   string // its name
	Platform     lookup.Platform
	Paused       bool // the connection makes no calls
	PerMinute    int  // calls that the connection allows
	By           string
	UploadedAt   time.Time
	JudgedAt     time.Time
	SentBy       string // "" for a draft
	SentAt       time.Time
	FinishedAt   time.Time
	Notice       string // version of the privacy notice; "" for a draft
	Means        string
	ConsentGiven time.Time
	Total        int
	Counts       map[Verdict]int
	Chosen       int // rows that were to be asked when it was sent; 0 for a draft
	Waiting      int // rows whose turn is to come; 0 for a draft
	Sent         int // rows with a lookup
	Statuses     map[lookup.Status]int
	Stalled      bool // it should be running and no job of it is alive
	Earlier      []Earlier
}

// Earlier is a bulk that was sent from the same file, or from one with the same people for the same source.
type Earlier struct {
	UID uuid.UUID
	At  time.Time
	By  string
}

// Settled is how many of the lookups have their outcome.
func (b Bulk) Settled() int {
	n := 0
	for status, count := range b.Statuses {
		if !status.Open() {
			n += count
		}
	}
	return n
}

// Held is how many rows nobody is asked about.
func (b Bulk) Held() int { return b.Total - b.Sent - b.Waiting }

// CallsEach is how many of the vendor's calls a lookup takes that brings a history: to ask, and to fetch profile and
// employment with the account's own word on how complete they are.
const CallsEach = 4

// Takes is how long n lookups take at least at a limit of calls a minute, of which the queue uses three quarters.
func Takes(n, perMinute int) time.Duration {
	if perMinute <= 0 {
		return 0
	}
	return time.Duration(float64(n*CallsEach) / (0.75 * float64(perMinute)) * float64(time.Minute))
}
