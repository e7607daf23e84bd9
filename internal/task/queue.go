package task

import (
	"time"

	"github.com/google/uuid"
)

// State is where a job stands in the queue, in the words of its tables.
type State string

const (
	Available State = "available" // its turn comes next
	Running   State = "running"
	Retryable State = "retryable" // a run failed; it runs again by itself
	Scheduled State = "scheduled" // it waits for its moment
	Discarded State = "discarded" // dead: given up after its last run
	Cancelled State = "cancelled"
	Completed State = "completed"
)

// States lists those that people look for, the gravest first.
var States = []State{Discarded, Retryable, Running, Available, Scheduled, Cancelled, Completed}

// Kinds lists every kind of job.
var Kinds = []string{
	CreateAccount{}.Kind(), ProcessDelivery{}.Kind(), FetchProfile{}.Kind(), FetchEmployment{}.Kind(), FetchEntity{}.Kind(),
	AskVendor{}.Kind(), SettleOverdue{}.Kind(), RunReplay{}.Kind(), RunBulk{}.Kind(), MakeExport{}.Kind(), ResumeExports{}.Kind(), CompareHooks{}.Kind(), RefreshOutbound{}.Kind(), Tidy{}.Kind(),
}

// Retries tells whether a job in state s can be told to run now.
func (s State) Retries() bool {
	return s == Discarded || s == Retryable || s == Cancelled || s == Scheduled
}

// Cancels tells whether a job in state s can be cancelled.
func (s State) Cancels() bool {
	return s == Available || s == Running || s == Retryable || s == Scheduled
}

// Job is one row of the queue as people see it: ids, times and an error in words of ours.
type Job struct {
	ID          int64
	Kind        string
	State       State
	Attempt     int
	MaxAttempts int
	CreatedAt   time.Time
	At          time.Time // of its next run, its run or its end, by its state
	Args        []Arg
	Error       string // of its last run that failed; "" when none did
	ErrorAt     time.Time
	Delivery    uuid.UUID // what it is about, where that is of the environment asked for
	Lookup      uuid.UUID
}

// Arg is one argument of a job: numbers of ours and words of closed sets.
type Arg struct{ Name, Value string }

// Filter narrows the list of jobs; "" does not.
type Filter struct {
	State State
	Kind  string
}

// Count is how many jobs of a kind stand in a state, counted to a limit.
type Count struct {
	Kind  string
	State State
	N     int
}
