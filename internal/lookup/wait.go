package lookup

import "time"

// Wait is how long we wait for a vendor's word.
type Wait struct {
	Expected time.Duration // after it without a final event, the vendor is asked
	Limit    time.Duration // after it, an answer that still tells no outcome ends the attempt as expired
}

// Bounds of what an administrator may set; the schema repeats them.
const (
	MinExpected, MaxExpected = 30 * time.Second, time.Hour
	MinLimit, MaxLimit       = 5 * time.Minute, 48 * time.Hour
)

// Possible tells whether w may be set.
func (w Wait) Possible() bool {
	return w.Expected >= MinExpected && w.Expected <= MaxExpected && w.Limit >= MinLimit && w.Limit <= MaxLimit && w.Limit > w.Expected
}

// LongestGap keeps the questions about one attempt from growing rare before its limit.
const LongestGap = 15 * time.Minute

// Due tells whether the vendor is to be asked now about an attempt that was sent and last asked about at these moments,
// asks times so far (zero asked: never). The pauses grow, since each question is one call of the limit that all lookups
// share; the last question is that at the limit, and after it there is none.
func (w Wait) Due(sent, asked time.Time, asks int, now time.Time) bool {
	if sent.IsZero() || now.Sub(sent) < w.Expected {
		return false
	}
	if asked.IsZero() {
		return true
	}
	if end := sent.Add(w.Limit); !now.Before(end) {
		// A vendor that could not be reached for the last question is asked again until it answers.
		return asked.Before(end) || now.Sub(asked) >= LongestGap
	}
	gap := min(w.Expected<<min(asks-1, 10), LongestGap)
	return now.Sub(asked) >= max(gap, MinExpected)
}

// Over tells whether an attempt sent at this moment has waited as long as we do.
func (w Wait) Over(sent, now time.Time) bool { return !sent.IsZero() && now.Sub(sent) >= w.Limit }

// SettledBy is how an attempt's outcome became known.
type SettledBy string

const (
	SettledNot     SettledBy = ""        // it did not yet
	SettledWebhook SettledBy = "webhook" // the vendor told it
	SettledAsking  SettledBy = "asking"  // no event came; the vendor told it when it was asked
	SettledExpired SettledBy = "expired" // no event came, and the vendor, asked, told no outcome
	SettledRefused SettledBy = "refused" // the vendor did not take it up
)

// Final tells whether a phase is an outcome, so that nothing more has to come.
func (p Phase) Final() bool {
	switch p {
	case PhaseSucceeded, PhaseIncomplete, PhaseFailed, PhaseRefreshFailed:
		return true
	}
	return false
}

// Finals are the phases that are an outcome.
var Finals = []Phase{PhaseSucceeded, PhaseIncomplete, PhaseFailed, PhaseRefreshFailed}
