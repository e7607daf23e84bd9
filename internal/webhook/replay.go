package webhook

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// Reader reads the event in a stored body; ok is false when there is none that we can read. It is pure: the same body
// gives the same event until the program changes.
type Reader func(dialect lookup.Dialect, body []byte) (e Event, ok bool)

// ReplayState is where a replay stands. The schema repeats the set as a CHECK.
type ReplayState string

const (
	ReplayRunning   ReplayState = "running"
	ReplayPaused    ReplayState = "paused"
	ReplayCancelled ReplayState = "cancelled"
	ReplayDone      ReplayState = "done"
)

// ReplayStates lists them all.
var ReplayStates = []ReplayState{ReplayRunning, ReplayPaused, ReplayCancelled, ReplayDone}

// Ended tells whether nothing of the replay is to come.
func (s ReplayState) Ended() bool { return s == ReplayCancelled || s == ReplayDone }

// ReplayResult is what processing a delivery again came to. The schema repeats the set as a CHECK.
type ReplayResult string

const (
	ResultChanged    ReplayResult = "changed"    // a verdict, a status, a warning, or data to be fetched
	ResultNothing    ReplayResult = "nothing"    // its effect stands already
	ResultUnmatched  ReplayResult = "unmatched"  // no attempt of ours is known for its account
	ResultUnreadable ReplayResult = "unreadable" // no event that we can read
	ResultFailed     ReplayResult = "failed"     // with the error; nothing was changed
)

// ReplayResults lists them all.
var ReplayResults = []ReplayResult{ResultChanged, ResultNothing, ResultUnmatched, ResultUnreadable, ResultFailed}

// MostReplayed is how many deliveries one replay takes; more have to be chosen in parts.
const MostReplayed = 100_000

// ReplaySet says which deliveries to process again: one of them, or those that the ledger's filter lets through. Refused
// ones are never among them: whether they are authentic is judged by verifying them again.
type ReplaySet struct {
	Delivery uuid.UUID // zero: by the filter
	Filter   Filter
	UpTo     int64 // the newest that was counted, by internal id; 0: no limit
}

// Replay is one replay with how far it has come.
type Replay struct {
	ID          int64
	UID         uuid.UUID
	By          string // name of the user
	RequestedAt time.Time
	State       ReplayState
	Chosen      map[string]string // the filter as the address spelled it
	Total       int
	Counts      map[ReplayResult]int
	FinishedAt  time.Time
	Stalled     bool // it should be running and no job of it is alive
}

// Did is how many deliveries have had their turn.
func (r Replay) Did() (n int) {
	for _, count := range r.Counts {
		n += count
	}
	return n
}

// Replayed is what became, or would become, of one delivery.
type Replayed struct {
	DeliveryID  int64
	DeliveryUID uuid.UUID
	ReceivedAt  time.Time
	Action      string
	LookupUID   uuid.UUID // zero when it belongs to none
	Reference   string
	Result      ReplayResult
	VerdictWas  Verdict
	CauseWas    Cause
	Verdict     Verdict
	Cause       Cause
	Changes     []Change // of the rows of its lookup
	Error       string
	DoneAt      time.Time
}
