// Package webhook holds what a delivery is: one HTTP POST as it reached us, the verdict on it, and the event inside in
// words that no vendor owns. Parsing a body into an event belongs to the vendor's own package.
package webhook

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// Verdict is what we made of a delivery.
type Verdict string

const (
	Accepted  Verdict = "accepted"  // authentic, and its fact is new
	Duplicate Verdict = "duplicate" // the same bytes or the same fact came before
	Unmatched Verdict = "unmatched" // authentic, but no attempt of ours is known (yet) for its account
	Ignored   Verdict = "ignored"   // authentic, and nothing to do: unreadable, or an event outside the documented set
	Refused   Verdict = "refused"   // not authenticated or not acceptable; kept with its cause
)

// Verdicts lists them all.
var Verdicts = []Verdict{Accepted, Duplicate, Unmatched, Ignored, Refused}

// Cause explains a verdict that needs it. The set is fixed; each has a sentence in the message files.
type Cause string

const (
	CauseNone         Cause = ""
	CauseUnreadable   Cause = "unreadable"    // not JSON, or not of a shape we know
	CauseUnknownEvent Cause = "unknown_event" // recorded; moves nothing
	CauseLate         Cause = "late"          // arrived after a later event of the same attempt
	CauseSameBytes    Cause = "same_bytes"    // the body came before within the vendor's retry window
	CauseSameFact     Cause = "same_fact"     // another body with the same meaning came before
	CauseForeign      Cause = "foreign"       // nobody here asked for that account (widget or vendor console)
	CauseTooLarge     Cause = "too_large"
	CauseMethod       Cause = "method"     // not a POST
	CauseDisabled     Cause = "disabled"   // the subscription is switched off here
	CauseTest         Cause = "test"       // an event of our own, sent to try the hook
	CauseDeprecated   Cause = "deprecated" // accepted; the vendor sends this event only to those who ask for it by name
	CauseQuota        Cause = "quota"      // refused beyond what Quota keeps of one subscription and hour

	// What Verify refuses for.
	CauseSignatureMissing   Cause = "signature_missing"
	CauseSignatureMalformed Cause = "signature_malformed"
	CauseSignatureMismatch  Cause = "signature_mismatch"
	CauseJWTMissing         Cause = "jwt_missing"
	CauseJWTMalformed       Cause = "jwt_malformed"
	CauseJWTAlgorithm       Cause = "jwt_algorithm" // anything but HS256
	CauseJWTExpired         Cause = "jwt_expired"
	CauseJWTNoExpiry        Cause = "jwt_no_expiry"
	CauseJWTNotYet          Cause = "jwt_not_yet"
	CauseJWTSignature       Cause = "jwt_signature"
	CauseHeaderMissing      Cause = "header_missing"
	CauseHeaderMismatch     Cause = "header_mismatch"
	CauseTokenMissing       Cause = "token_missing"
	CauseTokenUnknown       Cause = "token_unknown"
	CauseTokenExpired       Cause = "token_expired"
	CauseTokenRevoked       Cause = "token_revoked"
	CauseTimestampOld       Cause = "timestamp_old"
	CauseTimestampAhead     Cause = "timestamp_ahead" // further in the future than clocks differ
	CauseTimestampMalformed Cause = "timestamp_malformed"
	CauseAddressUnknown     Cause = "address_unknown"
)

// Causes lists those by which a list of deliveries can be narrowed.
var Causes = append([]Cause{CauseUnreadable, CauseUnknownEvent, CauseLate, CauseSameBytes, CauseSameFact, CauseForeign, CauseTest, CauseDeprecated,
	CauseTooLarge, CauseMethod, CauseDisabled}, VerifyCauses...)

// MaxBody is the largest body read in full, in bytes. The vendor's own are under 1 kB.
const MaxBody = 256 << 10

// KeptOfRefused is how many bytes of a refused body are kept.
const KeptOfRefused = 16 << 10

// credentials are the headers that may prove who sends: they are sealed at rest and never shown.
var credentials = map[string]bool{
	"authorization": true, "proxy-authorization": true, "cookie": true, "x-api-key": true, "x-signature": true,
	"x-palenca-signature": true, "webhook-signature": true,
}

// IsCredential tells whether a header's value is a credential, by its name alone.
func IsCredential(name string) bool {
	name = strings.ToLower(name)
	return credentials[name] || strings.Contains(name, "secret") || strings.Contains(name, "token") || strings.Contains(name, "password")
}

// Delivery is one stored HTTP request.
type Delivery struct {
	ID           int64
	UID          uuid.UUID
	Environment  lookup.Environment
	Dialect      lookup.Dialect
	Subscription string // its name
	TokenTail    string // last four characters of the hook token
	ReceivedAt   time.Time
	RemoteAddr   string
	Method       string
	Headers      []Header // credentials redacted
	Body         []byte   // exact bytes, or the first KeptOfRefused of a refused one
	Size         int      // bytes as received
	SHA256       []byte
	Verdict      Verdict
	Cause        Cause
	Answered     int // HTTP status
	AnswerMicros int // time from first byte to answer
	Action       string
	AccountID    string
	LookupUID    uuid.UUID // zero when it belongs to none
	Reference    string
	ProcessedAt  time.Time // zero until processed
	Attempts     int       // processing runs
	LastError    string
	Twins        []Twin
	Changes      []Change
	Checks       []Check // how each authentication went, at receipt or when it was verified again
	Hook         uuid.UUID
}

// Header is one received header line.
type Header struct {
	Name, Value string
	Sealed      bool // a credential: its value is sealed apart and not shown
}

// Twin is another delivery of the same bytes or the same fact.
type Twin struct {
	UID        uuid.UUID
	ReceivedAt time.Time
	Verdict    Verdict
	Cause      Cause
}

// Change is one thing that a delivery changed.
type Change struct {
	What, Before, After string // What: status, profile, employment, warning; values are the sets of package lookup
}

// Event is the fact inside a delivery.
type Event struct {
	Dialect    lookup.Dialect
	Action     string // the vendor's name for it
	AccountID  string // the vendor's id of the account (or verification)
	UserID     string
	ExternalID string // our attempt's UUID as text, when it came back; "" otherwise
	Platform   string
	Report     lookup.Report
	// Entities are the kinds of data that a success names, an open set. nil: it does not say, so the usual two are
	// fetched; empty: there is nothing to fetch.
	Entities   []lookup.Entity
	Deprecated bool   // the vendor sends it to those only who asked for it by name
	Dated      bool   // Key tells when, so that the same key later is the same fact and never a new one
	Key        string // semantic key: equal for two deliveries that tell the same fact of one attempt
}

// HourCount is how many deliveries of a verdict came in one hour.
type HourCount struct {
	Hour    time.Time
	Verdict Verdict
	Count   int64
}
