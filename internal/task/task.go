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

// FetchEntity pulls one other kind of data of an attempt: one of lookup.Entities.
type FetchEntity struct {
	AttemptID int64  `json:"attempt_id"`
	EventID   int64  `json:"event_id"`
	Entity    string `json:"entity"`
}

// Kind names the job.
func (FetchEntity) Kind() string { return "fetch_entity" }

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

// RefreshOutbound asks the vendors that publish the addresses they send from for lists that are a week old.
type RefreshOutbound struct{}

// Kind names the job.
func (RefreshOutbound) Kind() string { return "refresh_outbound" }

// SettleOverdue finds attempts whose final event is overdue and has the vendor asked about them.
type SettleOverdue struct{}

// Kind names the job.
func (SettleOverdue) Kind() string { return "settle_overdue" }

// AskVendor asks the vendor how an attempt stands of which no final event came.
type AskVendor struct {
	AttemptID int64 `json:"attempt_id"`
}

// Kind names the job.
func (AskVendor) Kind() string { return "ask_vendor" }

// RunReplay processes the deliveries of a replay again, batch after batch.
type RunReplay struct {
	ReplayID int64 `json:"replay_id"`
}

// Kind names the job.
func (RunReplay) Kind() string { return "run_replay" }

// RunBulk hands out the rows of a bulk, some at a time.
type RunBulk struct {
	BulkID int64 `json:"bulk_id"`
}

// Kind names the job.
func (RunBulk) Kind() string { return "run_bulk" }

// MakeExport makes the file of an export that is too large for one answer.
type MakeExport struct {
	ExportID int64 `json:"export_id"`
}

// Kind names the job.
func (MakeExport) Kind() string { return "make_export" }

// ResumeExports begins exports again whose process died.
type ResumeExports struct{}

// Kind names the job.
func (ResumeExports) Kind() string { return "resume_exports" }

// Priorities of calls to the vendor, the most urgent first. What somebody waits for overtakes a bulk; within a bulk,
// bringing an answer home comes before asking for the next.
const (
	PrioritySingle = 1
	PriorityFetch  = 2
	PriorityBulk   = 3
)

// Queues keep slow calls to the vendor from holding back the processing of what it sends us.
const (
	QueueVendor   = "vendor"
	QueueDelivery = "delivery"
	QueueUpkeep   = "upkeep"
	QueueBulk     = "bulk"
	QueueExport   = "export" // reads for minutes
	QueueReplay   = "replay" // of its own, so that thousands of old deliveries never hold back a new one
)
