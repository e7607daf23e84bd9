// Package audit names what people do to personal data and to settings. Entries are written by package db in the
// transaction of the act itself; the table refuses changes and chains every entry to the one before.
package audit

import (
	"time"

	"github.com/google/uuid"
)

// Action is what was done. Each has a sentence in the message files.
type Action string

const (
	SignIn            Action = "session.sign_in"
	SignInFailed      Action = "session.sign_in_failed"
	SignOut           Action = "session.sign_out"
	LookupRequested   Action = "lookup.requested"
	LookupViewed      Action = "lookup.viewed"
	LookupExported    Action = "lookup.exported"
	ReportTaken       Action = "lookup.report" // as PDF; the subject is the report's reference
	PullViewed        Action = "pull.viewed"
	PullRevealed      Action = "pull.revealed"
	PullBody          Action = "pull.body"
	CURPRevealed      Action = "curp.revealed"
	NSSRevealed       Action = "nss.revealed"
	DeliveryViewed    Action = "delivery.viewed"
	DeliveryBody      Action = "delivery.body"
	UserAdded         Action = "user.added"
	UserChanged       Action = "user.changed"
	UserDisabled      Action = "user.disabled"
	UserEnabled       Action = "user.enabled"
	PasswordReset     Action = "user.password_reset"
	PasswordChanged   Action = "user.password_changed"
	ConnectionAdded   Action = "connection.added"
	ConnectionEdited  Action = "connection.changed"
	ConnectionTested  Action = "connection.tested"
	ConnectionResumed Action = "connection.resumed"
	EnvironmentSet    Action = "console.environment"
	ConsoleChanged    Action = "console.changed"
	PersonViewed      Action = "person.viewed"
	RFCRevealed       Action = "rfc.revealed"
	DocumentTaken     Action = "document.downloaded"
	HookAdded         Action = "hook.added"
	HookChanged       Action = "hook.changed"
	HookSwitched      Action = "hook.switched"
	HookDeleted       Action = "hook.deleted"
	HookSecretAdded   Action = "hook.secret_added"
	HookSecretEnded   Action = "hook.secret_ended"
	HookAddressShown  Action = "hook.address_shown"
	HookTested        Action = "hook.tested"
	AddressesTaken    Action = "addresses.taken"
	DeliveryVerified  Action = "delivery.verified_again"
	DeliveryReplayed  Action = "delivery.replayed"
	ReplayStarted     Action = "replay.started"
	ReplayPaused      Action = "replay.paused"
	ReplayResumed     Action = "replay.resumed"
	ReplayCancelled   Action = "replay.cancelled"
	JobRetried        Action = "job.retried"
	JobCancelled      Action = "job.cancelled"
	BodyRevealed      Action = "delivery.revealed"
	LookupAgain       Action = "lookup.again"
	WaitsChanged      Action = "console.waits"
	DecisionNoted     Action = "decision.noted"
	BulkUploaded      Action = "bulk.uploaded"
	BulkRead          Action = "bulk.read_again" // its columns were read another way, or another source was chosen
	BulkDiscarded     Action = "bulk.discarded"
	BulkSent          Action = "bulk.sent"
	BulkPaused        Action = "bulk.paused"
	BulkResumed       Action = "bulk.resumed"
	BulkCancelled     Action = "bulk.cancelled"
	BulkExported      Action = "bulk.exported"
	ListExported      Action = "list.exported"
	ExportAsked       Action = "export.asked" // of a file that is made in the background
	ExportCancelled   Action = "export.cancelled"
	ExportTaken       Action = "export.downloaded"
	Searched          Action = "person.searched" // with its kind and how much was shown; what was typed is kept nowhere
	ReferenceChanged  Action = "lookup.reference"
	OwnerChanged      Action = "lookup.owner"
	TagAdded          Action = "lookup.tagged"
	TagRemoved        Action = "lookup.untagged"
	NoteWritten       Action = "lookup.noted"
	TagRenamed        Action = "tag.renamed"
	TagDeleted        Action = "tag.deleted"
)

// Actor is who acts, as seen by the request.
type Actor struct {
	UserID int64
	Name   string
	IP     string
}

// Entry is one line of the trail.
type Entry struct {
	ID        int64
	At        time.Time
	Actor     string
	Action    Action
	IP        string
	LookupUID uuid.UUID
	Detail    string
	Hash      []byte
}
