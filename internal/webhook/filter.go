package webhook

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// Filter narrows the list of deliveries. Its parts combine.
type Filter struct {
	Dialect  lookup.Dialect
	Hook     uuid.UUID
	Verdict  Verdict
	Cause    Cause
	Action   string
	Account  string
	Lookup   uuid.UUID
	State    State
	Answered int       // HTTP status, 0 for any
	From, To time.Time // calendar days, both inclusive
	Text     string    // in the body; only within a few days, because no index helps
}

// State is how far the processing of a delivery has come.
type State string

const (
	StateWaiting   State = "waiting"   // for a worker
	StateFailing   State = "failing"   // its last run failed; it runs again
	StateProcessed State = "processed" // refused ones are never processed
)

// States lists them all.
var States = []State{StateWaiting, StateFailing, StateProcessed}

// Answers are the HTTP statuses that a stored request was answered with.
var Answers = []int{200, 401, 405, 413}

// State tells how far processing has come, "" of a refused one.
func (d Delivery) State() State {
	switch {
	case d.Verdict == Refused:
		return ""
	case !d.ProcessedAt.IsZero():
		return StateProcessed
	case d.LastError != "":
		return StateFailing
	}
	return StateWaiting
}

// Match tells whether a filter lets a delivery with its body through: in memory what the list's query does, for what
// arrives while a page is open. Days are those of zone.
func (f Filter) Match(d Delivery, zone *time.Location) bool {
	state := d.State()
	midnight := func(day time.Time, plus int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day()+plus, 0, 0, 0, 0, zone)
	}
	return (f.Dialect == "" || f.Dialect == d.Dialect) &&
		(f.Hook == uuid.Nil || f.Hook == d.Hook) &&
		(f.Verdict == "" || f.Verdict == d.Verdict) &&
		(f.Cause == "" || f.Cause == d.Cause) &&
		(f.Action == "" || f.Action == d.Action) &&
		(f.Account == "" || f.Account == d.AccountID) &&
		(f.Lookup == uuid.Nil || f.Lookup == d.LookupUID) &&
		(f.State == "" || f.State == state || f.State == StateWaiting && state == StateFailing) &&
		(f.Answered == 0 || f.Answered == d.Answered) &&
		(f.From.IsZero() || !d.ReceivedAt.Before(midnight(f.From, 0))) &&
		(f.To.IsZero() || d.ReceivedAt.Before(midnight(f.To, 1))) &&
		(f.Text == "" || bytes.Contains(d.Body, []byte(f.Text)))
}
