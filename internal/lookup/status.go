// Package lookup holds what a lookup is: one request for one person at one vendor, its attempts, their statuses and
// the single rule by which an event moves an attempt. It does no I/O; package db applies what it decides.
package lookup

// Status is where one attempt stands. It says who acts next (Actor). The schema repeats the set as a CHECK.
type Status string

const (
	Queued     Status = "queued"     // accepted by us, not yet at the vendor
	Pending    Status = "pending"    // the vendor works on it
	Expired    Status = "expired"    // no final event came and the vendor, asked, did not know
	Error      Status = "error"      // a technical fault; an analyst may ask again later
	Incomplete Status = "incomplete" // the person has to mend something first
	Success    Status = "success"    // the vendor has an answer, possibly an empty one
)

// Statuses lists every status, by urgency for a reader: what waits on a colleague first.
var Statuses = []Status{Error, Expired, Incomplete, Pending, Queued, Success}

// Known tells whether s is one of ours.
func (s Status) Known() bool { return s.rank() >= 0 }

// rank orders statuses within one attempt: it only ever rises, so that a late event cannot move a final status back.
// Error and incomplete share a rank; the vendor may still recover either into a success by itself.
func (s Status) rank() int {
	switch s {
	case Queued:
		return 0
	case Pending:
		return 1
	case Expired:
		return 2
	case Error, Incomplete:
		return 3
	case Success:
		return 4
	}
	return -1
}

// Open tells whether an outcome is still to come.
func (s Status) Open() bool { return s == Queued || s == Pending }

// Actor is who has to act next on a lookup.
type Actor string

const (
	ActorCotejo  Actor = "cotejo"
	ActorSource  Actor = "source"
	ActorPerson  Actor = "person"
	ActorAnalyst Actor = "analyst"
	ActorNobody  Actor = "nobody"
)

// Actors lists the actors in the order in which the list's tabs show them.
var Actors = []Actor{ActorAnalyst, ActorPerson, ActorSource, ActorCotejo, ActorNobody}

// Actor tells who acts next.
func (s Status) Actor() Actor {
	switch s {
	case Queued:
		return ActorCotejo
	case Pending:
		return ActorSource
	case Incomplete:
		return ActorPerson
	case Error, Expired:
		return ActorAnalyst
	}
	return ActorNobody
}

// StatusesOf gives the statuses in which a has to act.
func (a Actor) Statuses() []Status {
	var of []Status
	for _, s := range Statuses {
		if s.Actor() == a {
			of = append(of, s)
		}
	}
	return of
}

// PullState is how far one kind of data of an attempt (profile, employment) has come. It stands beside the status,
// never inside it: a success may be empty, and a pull may fail while the login succeeded.
type PullState string

const (
	PullNone     PullState = "none"
	PullFetching PullState = "fetching"
	PullComplete PullState = "complete"
	PullPartial  PullState = "partial"
	PullEmpty    PullState = "empty"
	PullFailed   PullState = "failed"
)

// PullStates lists them all.
var PullStates = []PullState{PullNone, PullFetching, PullComplete, PullPartial, PullEmpty, PullFailed}

// Environment separates test data from real data. It is part of every person's, lookup's and delivery's key.
type Environment string

const (
	Sandbox    Environment = "sandbox"
	Production Environment = "production"
)

// Dialect is the vendor API that a connection speaks.
type Dialect string

const (
	Palenca Dialect = "palenca"
	Buro    Dialect = "buro"
)

// Platform is the source asked. The set is the vendor's and open. Of Palenca these two can be requested by form; Buró asks
// all its sources at once.
type Platform string

const (
	IMSS       Platform = "imss"
	ISSSTE     Platform = "issste"
	AllSources Platform = "all"
)

// Dialects lists them in the order in which forms offer them.
var Dialects = []Dialect{Palenca, Buro}

// Known tells whether d is one of ours.
func (d Dialect) Known() bool { return d == Palenca || d == Buro }

// Requestable tells whether a person may ask Palenca for p.
func (p Platform) Requestable() bool { return p == IMSS || p == ISSSTE }

// Source is how an attempt came to be.
type Source string

const (
	SourceForm    Source = "form"
	SourceBulk    Source = "bulk"
	SourceRefresh Source = "refresh" // asked again after a success

	// Of attempts only.
	SourceRetry     Source = "retry"     // asked again after a failure
	SourceAutomatic Source = "automatic" // asked again by Cotejo, because the vendor said that it may help
)

// Codes of ours for an attempt that ended without an event of the vendor. They stand where its status_details would.
const (
	CodeUnauthorized  = "vendor_unauthorized"
	CodeForbidden     = "vendor_forbidden"
	CodeRecentSuccess = "recent_login_successful"
	CodeRejected      = "vendor_rejected"
	CodeUnavailable   = "vendor_unavailable"
	CodeNoFinalEvent  = "no_final_event"
	CodeNeverSent     = "never_sent" // the job that was to ask the vendor is gone

	// Of a fetch: the job that was to make it is gone.
	CodeNeverFetched = "never_fetched"

	// Of Buró only (docs/vendor-buro.md#buro-consent).
	CodeConsentRequired   = "consent_required"   // the vendor took our consent and yet knows none
	CodeConsentIncomplete = "consent_incomplete" // ours lacks what the vendor wants: an address, a notice to link to
)
