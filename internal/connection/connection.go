// Package connection holds a vendor account of ours: which dialect and environment, where, with which key, how often
// it may be called, and the rule that keeps sandbox keys and live hosts apart.
package connection

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// Connection is a vendor account of ours. The key itself is sealed and never part of it.
type Connection struct {
	ID             int64
	UID            uuid.UUID
	Name           string
	Dialect        lookup.Dialect
	Environment    lookup.Environment
	BaseURL        string
	KeyTail        string // last four characters
	WidgetID       string // Palenca only
	SandboxHeader  bool   // Buró only: send x-sandbox, and in return may use the live host from the sandbox
	CallsPerMinute int
	PausedAt       time.Time // zero unless the vendor refused our key
	PausedCode     string
	ChangedAt      time.Time
	ChangedBy      string
	Price          Price
	Subscription   Subscription
}

// Paused tells whether calls are held back because the vendor refused our key.
func (c Connection) Paused() bool { return !c.PausedAt.IsZero() }

// Subscription is the webhook registered with the vendor for a connection.
type Subscription struct {
	UID            uuid.UUID
	VendorID       string
	TokenTail      string
	RegisteredAt   time.Time
	LastDeliveryAt time.Time
}

// The published hosts (docs/vendor.md#hosts, docs/vendor-buro.md#buro-hosts). Buró has no host for tests.
const (
	palencaDomain     = "palenca.com"
	palencaProduction = "api.palenca.com"
	palencaSandbox    = "sandbox.palenca.com"
	buroDomain        = "burodeingresos.com"
	buroProduction    = "api.burodeingresos.com"
)

// MaxCallsPerMinute is the limit of either vendor for all endpoints together (docs/vendor.md#rate-limit,
// docs/vendor-buro.md#buro-limits).
const MaxCallsPerMinute = 120

// Form is what an administrator typed.
type Form struct {
	Name           string
	Dialect        lookup.Dialect
	BaseURL        string
	Key            string // "" keeps the sealed one
	WidgetID       string // Palenca only
	SandboxHeader  bool   // Buró only
	CallsPerMinute string
	Price          string // of a billable lookup, before VAT; "" sets none
	Currency       string // "" is Pesos
}

// Problem is one thing wrong with the form: the field and the message to show there.
type Problem struct {
	Field string
	ID    string
	Args  []any
}

// Check judges what was typed for an environment. stored tells that there is a sealed key already, which an empty one keeps.
func (f Form) Check(env lookup.Environment, stored bool) []Problem {
	var problems []Problem
	add := func(field, id string, args ...any) { problems = append(problems, Problem{field, id, args}) }
	switch {
	case strings.TrimSpace(f.Name) == "":
		add("name", "admin.connection.name_missing")
	case len([]rune(f.Name)) > 80:
		add("name", "admin.connection.name_long", "Max", 80)
	}
	if id := CheckBaseURL(f.BaseURL, env, f.Dialect, f.SandboxHeader); id != "" {
		add("base_url", id)
	}
	if f.SandboxHeader && (f.Dialect != lookup.Buro || env != lookup.Sandbox) {
		add("sandbox_header", "admin.connection.header_live")
	}
	switch {
	case f.Key == "" && !stored:
		add("key", "admin.connection.key_missing")
	case f.Dialect == lookup.Palenca && strings.HasPrefix(f.Key, "public_"):
		add("key", "admin.connection.key_public")
	case strings.ContainsFunc(f.Key, func(r rune) bool { return r <= ' ' || r > '~' }) || len(f.Key) > 512:
		add("key", "admin.connection.key_bad")
	}
	if f.WidgetID != "" && f.Dialect == lookup.Palenca {
		if _, err := uuid.Parse(f.WidgetID); err != nil {
			add("widget_id", "admin.connection.widget_bad")
		}
	}
	if n, err := strconv.Atoi(f.CallsPerMinute); err != nil || n < 1 || n > MaxCallsPerMinute {
		add("calls_per_minute", "admin.connection.calls_bad", "Max", MaxCallsPerMinute)
	}
	price := f.Priced()
	if price.Known() && !priceForm.MatchString(price.Amount) {
		add("price", "admin.connection.price_bad")
	}
	if !currencyForm.MatchString(price.Currency) {
		add("currency", "admin.connection.currency_bad")
	}
	return problems
}

// CheckBaseURL gives the message id of what is wrong with a dialect's API address for an environment, "" when nothing is.
// A key for tests is never sent to the live host and the other way round, nor to the other vendor; plain http goes to
// this machine only. Where requests carry Buró's sandbox header, its one host is allowed in the sandbox too.
func CheckBaseURL(raw string, env lookup.Environment, dialect lookup.Dialect, sandboxHeader bool) string {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "admin.connection.url_bad"
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") // a dot at the end names the same host (RFC 1034 section 3.1)
	live := host == palencaProduction || host == buroProduction && !sandboxHeader
	other := palencaDomain
	if dialect == lookup.Palenca {
		other = buroDomain
	}
	switch {
	case u.Scheme == "http" && !loopback(host):
		return "admin.connection.url_plain"
	case u.Scheme != "http" && u.Scheme != "https":
		return "admin.connection.url_bad"
	case host == other || strings.HasSuffix(host, "."+other):
		return "admin.connection.url_is_other"
	case env == lookup.Sandbox && live:
		return "admin.connection.url_is_live"
	case env == lookup.Production && (host == palencaSandbox || loopback(host)):
		return "admin.connection.url_is_test"
	}
	return ""
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
