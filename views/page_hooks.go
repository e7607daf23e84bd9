package views

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// SubscriptionsPage lists the hooks of the environment's connection and holds them against the vendor's own list.
type SubscriptionsPage struct {
	Page
	List        []webhook.Subscription
	Differences []HookDifference
	Hours       []HourCount
	Quiet       []string // names of those from which nothing came while attempts were open
}

// HookDifference is one thing in which the vendor's list of webhooks and ours disagree. Kind is one of Diff….
type HookDifference struct {
	Kind     string
	Name     string // as whoever has it calls it
	Dialect  lookup.Dialect
	VendorID string    // "" when the vendor does not have it
	UID      uuid.UUID // zero when it is missing here
}

// The kinds of HookDifference.
const (
	DiffMissingHere   = "missing_here"   // the vendor sends to us by a webhook that we do not know
	DiffMissingThere  = "missing_there"  // the vendor does not have ours any more
	DiffInactiveThere = "inactive_there" // the vendor switched it off
	DiffOtherURL      = "other_url"      // it sends to another address
)

// HourCount is how many deliveries of one verdict arrived within the hour that begins at Hour.
type HourCount struct {
	Hour    time.Time
	Verdict webhook.Verdict
	Count   int64
}

// SubscriptionPage is one subscription, or the form of a new one while its UID is zero.
type SubscriptionPage struct {
	Page
	Subscription webhook.Subscription
	Values       webhook.SubscriptionForm
	Errors       map[string]Note // fields of webhook.Problem, confirm; "" for the whole
	Offered      []string        // events of the dialect as the vendor spells them, without "*"
	Secret       SecretValues
	SecretErrors map[string]Note // kind, name, text, overlap; "" for the whole
	Once         []OnceSecret
	Address      string // the whole hook address, only on the answer that reveals it
	TokenURL     string // where the vendor asks us for tokens
	Refused      int    // refused in the last 24 hours that could be verified again
	Dialect      lookup.Dialect
	Dialects     []lookup.Dialect      // of a new one: those with a connection
	Addresses    webhook.AddressPolicy // the vendor's own list; empty where it has none
}

// SecretValues is the form of a new secret as typed. Text is never sent back to a page.
type SecretValues struct {
	Kind    string // a webhook.SecretKind
	Name    string // of a header or client
	Text    string // "" has one generated
	Raw     bool   // the characters themselves are the key
	Overlap string // one of Overlaps: how long the ones before stay good
}

// OnceSecret is a secret just made, here or by the vendor. It is shown on the answer to the act that made it, and nowhere else.
type OnceSecret struct {
	Kind, Name, Text string
}

// Overlaps are the values of SecretValues.Overlap. A rotation without loss needs the old secret to stay good until the
// sender uses the new one.
var Overlaps = []string{"0h", "1h", "24h", "7d"}

// SecretKinds are the kinds in the order in which a page shows them.
var SecretKinds = []webhook.SecretKind{
	webhook.KindSignature, webhook.KindJWT, webhook.KindHeader, webhook.KindStandard, webhook.KindClient,
}

// BenchPage looks into a request that does not verify: what was pasted, or a stored delivery.
type BenchPage struct {
	Page
	Values        BenchValues
	Subscriptions []webhook.Subscription
	Errors        map[string]Note // headers, body, secret, subscription; "" for the whole
	Findings      []webhook.Finding
	Outcome       *webhook.Outcome  // what Verify says by the chosen subscription, nil when none was chosen
	Delivery      *webhook.Delivery // the stored one that is looked into, nil for what was pasted
}

// BenchValues is what was pasted. Secret is never sent back to a page.
type BenchValues struct {
	Headers, Body, Secret string
	Raw                   bool
	Subscription          string // a UUID, "" for none
}

// ComparePage holds two deliveries against each other. Bodies are as they may be shown.
type ComparePage struct {
	Page
	A, B    webhook.Delivery
	Headers []DiffLine
	Body    []DiffLine
	Same    bool // the bodies agree to the byte
}

// DiffLine is one line of a comparison: in both, in A alone (Left) or in B alone (Right).
type DiffLine struct {
	Kind        string // one of Line…
	Left, Right string
}

// The kinds of DiffLine.
const (
	LineSame = "same"
	LineOld  = "old" // only Left
	LineNew  = "new" // only Right
)
