// Package task holds the arguments of each kind of job. They carry ids only: a job row is read by people, logged and
// kept, so nothing personal may be in it. Package db inserts them, package jobs works them.
package task

// CreateAccount asks the vendor for one attempt.
type CreateAccount struct {
	AttemptID int64 `json:"attempt_id"`
}

// Kind names the job.
func (CreateAccount) Kind() string { return "create_account" }

// ProcessDelivery turns a stored delivery into an event and its effects.
type ProcessDelivery struct {
	DeliveryID int64 `json:"delivery_id"`
}

// Kind names the job.
func (ProcessDelivery) Kind() string { return "process_delivery" }

// FetchProfile pulls the profile of an attempt whose login succeeded.
type FetchProfile struct {
	AttemptID int64 `json:"attempt_id"`
	EventID   int64 `json:"event_id"` // why: the pull's lineage leads to this event
}

// Kind names the job.
func (FetchProfile) Kind() string { return "fetch_profile" }

// FetchEmployment pulls the employment history of an attempt whose login succeeded.
type FetchEmployment struct {
	AttemptID int64 `json:"attempt_id"`
	EventID   int64 `json:"event_id"`
}

// Kind names the job.
func (FetchEmployment) Kind() string { return "fetch_employment" }

// Tidy drops what has outlived its purpose: sealed credential headers after seven days, ended sessions, old sign-in
// failures; and settles unmatched deliveries as foreign after a day.
type Tidy struct{}

// Kind names the job.
func (Tidy) Kind() string { return "tidy" }

// CompareHooks holds our subscriptions against the vendors' own lists, so that one that a vendor switched off by itself
// is noticed.
type CompareHooks struct{}

// Kind names the job.
func (CompareHooks) Kind() string { return "compare_hooks" }

// Queues keep slow calls to the vendor from holding back the processing of what it sends us.
const (
	QueueVendor   = "vendor"
	QueueDelivery = "delivery"
	QueueUpkeep   = "upkeep"
)
