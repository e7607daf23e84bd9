package lookup

// Phase is what one event says of a login, in words that no vendor owns.
type Phase string

const (
	PhaseOpened        Phase = "opened"         // the vendor took it up
	PhaseSucceeded     Phase = "succeeded"      // data can be fetched now
	PhaseIncomplete    Phase = "incomplete"     // the person has to act
	PhaseFailed        Phase = "failed"         // a technical fault
	PhaseRefreshFailed Phase = "refresh_failed" // a refresh of an earlier success failed
	PhaseUnknown       Phase = "unknown"        // an event outside the documented set: recorded, moves nothing
)

// Report is the part of an event that can move an attempt.
type Report struct {
	Phase  Phase
	Detail string // the vendor's status_details, "" when absent
}

// State is what is known of one attempt.
type State struct {
	Status  Status
	Detail  string // why it stands there, "" when the vendor gave none
	Warning string // an observation beside the status
}

// Step is the effect of a report on a state.
type Step struct {
	Next  State
	Moved bool // Next differs from the state before
	Late  bool // the report describes an earlier moment than the one already reached
	Fetch bool // profile and employment are to be fetched (again)
}

// WarningFailedRefresh stands beside a success whose later refresh failed, until one works.
const WarningFailedRefresh = "failed_refresh"

// Advance applies a report to the state of the attempt it belongs to. It is pure and total: any order of any reports
// ends in the state of the highest rank, and a repeated report changes nothing but may call for a new fetch.
func Advance(now State, r Report) Step {
	step := Step{Next: now}
	switch r.Phase {
	case PhaseUnknown:
		return step
	case PhaseRefreshFailed:
		// A failed refresh leaves an earlier success standing and says so beside it; before any success it is a failure.
		if now.Status != Success {
			return rise(now, Error, r.Detail)
		}
		return warn(now, r.Detail)
	case PhaseOpened:
		step = rise(now, Pending, r.Detail)
		step.Late = !step.Moved && now.Status != Pending
		return step
	case PhaseIncomplete:
		return final(now, Incomplete, r.Detail)
	case PhaseFailed:
		return final(now, Error, r.Detail)
	case PhaseSucceeded:
		step = rise(now, Success, r.Detail)
		if step.Next.Warning == WarningFailedRefresh { // the refresh after it worked
			step.Next.Warning, step.Moved = "", true
		}
		step.Fetch = true
	}
	return step
}

// final is for the two unsuccessful outcomes. They share a rank, so the first one stands; after a success they are
// either late or tell of a refresh that failed, and never take the success away.
func final(now State, to Status, detail string) Step {
	step := rise(now, to, detail)
	step.Late = !step.Moved && now.Status == Success
	return step
}

func rise(now State, to Status, detail string) Step {
	if to.rank() <= now.Status.rank() {
		return Step{Next: now}
	}
	return Step{Next: State{Status: to, Detail: detail, Warning: now.Warning}, Moved: true}
}

func warn(now State, detail string) Step {
	if detail == "" {
		detail = WarningFailedRefresh
	}
	next := now
	next.Warning = detail
	return Step{Next: next, Moved: next != now}
}

// Expire ends an attempt of which no final event came, and of which the vendor, asked, told no outcome. It moves what is
// open only; whatever the vendor says later outranks it. detail is one of our codes.
func Expire(now State, detail string) Step {
	if !now.Status.Open() {
		return Step{Next: now}
	}
	return rise(now, Expired, detail)
}
