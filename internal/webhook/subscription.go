package webhook

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// SignatureMode is what a subscription asks of the signature header.
type SignatureMode string

const (
	SignatureOff      SignatureMode = "off"
	SignatureOptional SignatureMode = "optional" // a wrong one is refused, a missing one is not
	SignatureRequired SignatureMode = "required"
)

// SecretKind is what a secret of a subscription is for.
type SecretKind string

const (
	KindSignature SecretKind = "signature"
	KindJWT       SecretKind = "jwt"
	KindHeader    SecretKind = "header"
	KindStandard  SecretKind = "standard"
	KindClient    SecretKind = "client" // of our own token endpoint
)

// Subscription is a hook of ours and what it asks of requests. Its secrets are sealed; notes of them are all it shows.
type Subscription struct {
	ID, ConnectionID int64
	UID              uuid.UUID
	Environment      lookup.Environment
	Dialect          lookup.Dialect
	Name             string
	VendorID         string // "" until registered
	TokenTail        string
	Events           []string
	Active           bool
	Settings
	VendorActive bool      // as last seen at the vendor
	VendorSeenAt time.Time // zero: never compared
	CreatedAt    time.Time
	ChangedAt    time.Time
	ChangedBy    string
	LastArrival  time.Time
	Secrets      []SecretNote
	Counts       map[Verdict]int64 // of the last 24 hours
}

// Settings are the authentications of a subscription, any combination.
type Settings struct {
	Signature         SignatureMode
	SignatureHeader   string
	SignatureEncoding Encoding
	JWT               bool
	Headers           bool
	Token             bool
	Standard          bool
	Addresses         AddressMode
	WindowMinutes     int // within which the same bytes are a copy
}

// Asks tells whether the settings need secrets to judge a request.
func (s Settings) Asks() bool {
	return s.Signature != SignatureOff || s.JWT || s.Headers || s.Token || s.Standard
}

// SecretNote is what is shown of a secret.
type SecretNote struct {
	UID       uuid.UUID
	Kind      SecretKind
	Name      string // a header's name, a client's id
	Tail      string // last four characters; "" of a short one
	Raw       bool
	CreatedAt time.Time
	ExpiresAt time.Time // end of its overlap; zero: none
}

// SubscriptionForm is what an administrator typed.
type SubscriptionForm struct {
	Name                                                             string
	Events                                                           []string
	Signature, SignatureHeader, SignatureEncoding, Addresses, Window string
	JWT, Headers, Token, Standard                                    bool
}

// Problem is one thing wrong with a form: the field and the message to show there.
type Problem struct {
	Field string
	ID    string
	Args  []any
}

// Limits of the form.
const (
	maxSubscriptionName = 80
	maxWindow           = 1440
)

// Check judges the form and gives the settings in it.
func (f SubscriptionForm) Check() (Settings, []Problem) {
	var problems []Problem
	add := func(field, id string, args ...any) { problems = append(problems, Problem{field, id, args}) }
	s := Settings{Signature: SignatureMode(f.Signature), SignatureHeader: f.SignatureHeader, SignatureEncoding: Encoding(f.SignatureEncoding),
		JWT: f.JWT, Headers: f.Headers, Token: f.Token, Standard: f.Standard, Addresses: AddressMode(f.Addresses)}
	switch {
	case strings.TrimSpace(f.Name) == "":
		add("name", "hooks.form.name_missing")
	case len([]rune(f.Name)) > maxSubscriptionName:
		add("name", "hooks.form.name_long", "Max", maxSubscriptionName)
	}
	if len(f.Events) == 0 {
		add("events", "hooks.form.events_missing")
	}
	if s.Signature != SignatureOff && s.Signature != SignatureOptional && s.Signature != SignatureRequired {
		add("signature", "hooks.form.signature_bad")
	}
	if !headerName(s.SignatureHeader) {
		add("signature_header", "hooks.form.header_bad")
	}
	if s.SignatureEncoding != Base64 && s.SignatureEncoding != Base64URL && s.SignatureEncoding != Hex {
		add("signature_encoding", "hooks.form.encoding_bad")
	}
	if s.Addresses != AddressOff && s.Addresses != AddressWarn && s.Addresses != AddressEnforce {
		add("addresses", "hooks.form.addresses_bad")
	}
	if s.JWT && s.Token {
		// Both come as a bearer token, and a request has one.
		add("jwt", "hooks.form.jwt_or_token")
	}
	n, err := strconv.Atoi(f.Window)
	if err != nil || n < 1 || n > maxWindow {
		add("window", "hooks.form.window_bad", "Max", maxWindow)
	}
	s.WindowMinutes = n
	return s, problems
}

// headerName tells whether s may name a header (RFC 9110, 5.1).
func headerName(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// CheckHeaderName gives the message of what is wrong with a header that a request must carry, "" when nothing is.
func CheckHeaderName(name string) string {
	if !headerName(name) {
		return "hooks.form.header_bad"
	}
	switch strings.ToLower(name) {
	case "authorization", "content-type", "content-length", "host", "connection", "transfer-encoding":
		return "hooks.form.header_reserved"
	}
	return ""
}

// Credential tells whether a header's value proves who sends under this policy; it is then sealed and never shown.
func (p Policy) Credential(name string) bool {
	if IsCredential(name) || p.Signature != nil && strings.EqualFold(name, p.Signature.header()) {
		return true
	}
	for _, h := range p.Headers {
		if strings.EqualFold(name, h.Name) {
			return true
		}
	}
	return false
}

// VendorHook is a subscription as the vendor has it.
type VendorHook struct {
	ID     string // "" on registering
	Name   string
	URL    string // with its token: a credential
	Active bool
	Sign   bool     // the vendor is asked to sign
	Events []string // not repeated by every vendor
}
