package webhook

import (
	"errors"
	"fmt"
	"log/slog"
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

// DefaultSettings are those of a subscription that nobody set up by form. Buró signs every delivery, so its signature is
// demanded (docs/vendor-buro.md#buro-signature); of Palenca nothing but the secret address is known.
func DefaultSettings(d lookup.Dialect) Settings {
	s := Settings{Signature: SignatureOff, SignatureHeader: DefaultSignatureHeader, SignatureEncoding: Base64, Addresses: AddressOff, WindowMinutes: DefaultWindow}
	if d == lookup.Buro {
		s.Signature = SignatureRequired
	}
	return s
}

// DefaultWindow is how many minutes the same bytes are a copy: the vendor's retries, with room (docs/vendor.md#delivery-retries).
const DefaultWindow = 20

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
	Dialect                                                          lookup.Dialect
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
	if f.Dialect == lookup.Buro && count(s.JWT, s.Headers, s.Token) > 1 && !(s.JWT && s.Token) {
		// The vendor shows one thing beside its signature, so a second one would refuse everything.
		add("headers", "hooks.form.one_auth")
	}
	n, err := strconv.Atoi(f.Window)
	if err != nil || n < 1 || n > maxWindow {
		add("window", "hooks.form.window_bad", "Max", maxWindow)
	}
	s.WindowMinutes = n
	return s, problems
}

func count(set ...bool) (n int) {
	for _, is := range set {
		if is {
			n++
		}
	}
	return n
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

// ErrNoAddresses says that a vendor publishes no list of the addresses it sends from.
var ErrNoAddresses = errors.New("webhook: the vendor publishes no addresses")

// VendorHook is a subscription as the vendor has it.
type VendorHook struct {
	ID     string // "" on registering
	Name   string
	URL    string // with its token: a credential
	Active bool
	Sign   bool     // the vendor is asked to sign
	Events []string // not repeated by any vendor
	Auth   VendorAuth
}

// VendorAuth is what a vendor is told to show with each delivery, beside its signature. At most one of the three; none
// leaves what the vendor has as it is (docs/vendor-buro.md#buro-authentication).
type VendorAuth struct {
	JWT                            string            // the secret it signs tokens with
	Headers                        map[string]string // sent as they are
	Client, ClientSecret, TokenURL string            // of our token endpoint
}

// Format prints which one it is and nothing of what is in it, whatever the verb.
func (a VendorAuth) Format(f fmt.State, _ rune) { fmt.Fprint(f, string(a.Kind())) }

// LogValue keeps the secrets out of slog.
func (a VendorAuth) LogValue() slog.Value { return slog.StringValue(string(a.Kind())) }

// Kind is the kind of secret that the vendor is told, "" for none.
func (a VendorAuth) Kind() SecretKind {
	switch {
	case a.JWT != "":
		return KindJWT
	case len(a.Headers) > 0:
		return KindHeader
	case a.Client != "":
		return KindClient
	}
	return ""
}
