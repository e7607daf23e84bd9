package views

import (
	"time"

	"cotejo/internal/auth"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
)

// OverviewPage answers "what must I do now".
type OverviewPage struct {
	Page
	Duties   []Duty       // how many lookups wait for whom; actors without a count show as none
	Latest   []lookup.Row // the newest few of this user, or of all for who asks for none
	Failures []Failure    // open failures by cause, the most frequent first
	// FailuresFrom is the first day of those counted, 2006-01-02 in the reader's zone. MoreFailures: there are other causes.
	FailuresFrom string
	MoreFailures bool
	Webhooks     WebhookHealth
	Diagnosis    lookup.Diagnosis // is it us or the source?
	Fresh        bool             // no lookup yet in this environment: the page is a guide
	DeadJobs     int              // jobs that were given up, capped at WaitingCap; 0 for who may not see them
}

// Duty is how many lookups wait for an actor, capped at WaitingCap.
type Duty struct {
	Actor lookup.Actor
	Count int
}

// Failure is one cause and the lookups that stand on it.
type Failure struct {
	Status   lookup.Status
	Code     string // status_details of the vendor, or a code of ours; "" when none was given
	Platform string
	Count    int // exact: the counters know it
}

// WebhookHealth is whether the vendor's word still reaches us.
type WebhookHealth struct {
	Registered     bool // a subscription exists at the vendor
	LastDeliveryAt time.Time
	Open           int // lookups that wait for the vendor, capped
	Refused        int // deliveries refused in the last 24 hours, capped
}

// quiet is how long the vendor may say nothing while lookups wait, before the page warns: twice the longest usual
// extraction and the vendor's first retries.
const quiet = 15 * time.Minute

// duty gives the count of an actor.
func (v OverviewPage) duty(actor lookup.Actor) int {
	for _, d := range v.Duties {
		if d.Actor == actor {
			return d.Count
		}
	}
	return 0
}

// shownActors are those whose turn means work for somebody; what is finished is no duty.
var shownActors = []lookup.Actor{lookup.ActorAnalyst, lookup.ActorPerson, lookup.ActorSource, lookup.ActorCotejo}

// mood is how webhooks stand: "unregistered", "refusing", "silent", "waiting" (none came yet, none is due) or "well".
func (v OverviewPage) mood() string {
	w := v.Webhooks
	silent := w.Open > 0 && v.Now.Sub(w.LastDeliveryAt) > quiet
	switch {
	case !w.Registered:
		return "unregistered"
	case w.Refused > 0:
		return "refusing"
	case w.LastDeliveryAt.IsZero():
		return "waiting"
	case silent:
		return "silent"
	}
	return "well"
}

func moodMark(mood string) string {
	switch mood {
	case "well":
		return "success"
	case "waiting":
		return "queued"
	case "silent":
		return "incomplete"
	}
	return "error"
}

// cause explains a failure. A vendor may give no reason, or one that nobody has explained yet; that is said, not hidden.
func cause(p Page, f Failure) locale.Detail {
	if f.Code == "" {
		return locale.Detail{Title: p.T("overview.failures.no_reason"), Actor: string(f.Status.Actor())}
	}
	d := p.P.Detail(f.Code, f.Platform)
	if !d.Known {
		return locale.Detail{Title: p.T("lookups.ask.unknown_title"), Next: p.T("lookups.ask.unknown_next"), Actor: string(f.Status.Actor())}
	}
	d.Actor = turn(f.Status, d.Actor)
	return d
}

// failureList is the list of exactly the lookups behind a failure.
func (v OverviewPage) failureList(f Failure) string {
	detail := f.Code
	if detail == "" {
		detail = lookup.NoDetail
	}
	return FilterValues{Status: string(f.Status), Detail: detail, Platform: f.Platform, From: v.FailuresFrom}.url()
}

// overviewLead is the one line that says what to do now.
func overviewLead(v OverviewPage) string {
	switch n := v.duty(lookup.ActorAnalyst); {
	case !v.May(auth.PowerRead):
		return v.T("overview.lead.developer")
	case v.Fresh:
		return v.T("overview.lead.fresh")
	case n == 0:
		return v.T("overview.lead.clear")
	case n >= WaitingCap:
		return v.T("overview.lead.flooded", "Many", capped(n))
	default:
		return v.T("overview.lead.waiting", "Count", n)
	}
}

// stream is the address of the live stream for the rows shown.
func (v OverviewPage) stream() string { return LookupsPage{Page: v.Page, Rows: v.Latest}.stream() }
