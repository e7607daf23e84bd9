// Package config reads Cotejo's settings from the environment. Every mistake is
// reported at once, one line each, and no secret is ever printed.
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cotejo/internal/localpg"
	"cotejo/internal/seal"
)

// Config is what the program runs by: checked, with every derived value filled in.
type Config struct {
	// DatabaseURL is empty when Cotejo runs its own PostgreSQL (see Local).
	DatabaseURL Secret
	DataDir     string // absolute
	PGBin       string // folder of initdb and postgres; empty: looked for

	Listen        string // host:port of the pages
	HooksListen   string // host:port of the webhooks alone; empty: on Listen
	MetricsListen string // host:port; empty: no metrics listener
	PublicURL     *url.URL
	HooksURL      *url.URL // what vendors are given, without the /hooks/ path
	// TrustedProxies are the addresses whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix

	// SecretKey is zero until EnsureSecretKey when Local and not set.
	SecretKey seal.SecretKey

	Sandbox         Sandbox
	SandboxListen   string
	SandboxDelay    time.Duration // length of an extraction
	SandboxRetryGap time.Duration // between two deliveries of one event
	SandboxRate     int           // requests a minute; 0: no limit

	Workers int // concurrent jobs; 0: this process does no job work

	Dev bool // the component gallery is served

	AdminEmail    string
	AdminPassword Secret // empty: generated

	// Unknown are COTEJO_* variables that mean nothing, likely misspelt: worth a
	// warning, not a refusal.
	Unknown []string
}

// Local tells whether Cotejo runs its own PostgreSQL.
func (c Config) Local() bool { return c.DatabaseURL == "" }

// Secure tells whether browsers come by https: the cookie is then Secure and
// carries the __Host- prefix.
func (c Config) Secure() bool { return c.PublicURL != nil && c.PublicURL.Scheme == "https" }

// SandboxMode says where the vendor in a box is.
type SandboxMode string

// The three modes of COTEJO_SANDBOX.
const (
	SandboxOff      SandboxMode = "off"
	SandboxEmbedded SandboxMode = "embedded" // in this process
	SandboxRemote   SandboxMode = "remote"   // another process, at Sandbox.URL
)

// Sandbox is COTEJO_SANDBOX.
type Sandbox struct {
	Mode SandboxMode
	URL  *url.URL // of the remote one, else nil
}

func (s Sandbox) String() string {
	if s.URL != nil {
		return s.URL.String()
	}
	return string(s.Mode)
}

// Secret is text that never prints itself; string(s) is the one way to it.
type Secret string

func (s Secret) redact() string {
	if s == "" {
		return "[not set]"
	}
	return "[redacted]"
}

// Format keeps the text out of every fmt verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.redact()) }

// LogValue keeps the text out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.redact()) }

// MarshalText keeps the text out of encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.redact()), nil }

// attrs are the settings worth a line at start-up.
func (c Config) attrs() []slog.Attr {
	proxies := make([]string, len(c.TrustedProxies))
	for i, p := range c.TrustedProxies {
		proxies[i] = p.String()
	}
	return []slog.Attr{
		slog.Any("database_url", c.DatabaseURL),
		slog.String("data_dir", c.DataDir),
		slog.String("listen", c.Listen),
		slog.String("hooks_listen", c.HooksListen),
		slog.String("metrics_listen", c.MetricsListen),
		slog.String("public_url", text(c.PublicURL)),
		slog.String("hooks_url", text(c.HooksURL)),
		slog.String("trusted_proxies", strings.Join(proxies, ",")),
		slog.Bool("secret_key_set", !c.SecretKey.IsZero()),
		slog.String("sandbox", c.Sandbox.String()),
		slog.String("sandbox_listen", c.SandboxListen),
		slog.Duration("sandbox_delay", c.SandboxDelay),
		slog.Duration("sandbox_retry_gap", c.SandboxRetryGap),
		slog.Int("sandbox_rate", c.SandboxRate),
		slog.Int("workers", c.Workers),
	}
}

// LogValue lists the settings without the secrets and without the
// administrator, whose address is personal data.
func (c Config) LogValue() slog.Value { return slog.GroupValue(c.attrs()...) }

// Format prints what LogValue lists, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	parts := make([]string, 0, 16)
	for _, a := range c.attrs() {
		parts = append(parts, a.Key+"="+a.Value.Resolve().String())
	}
	fmt.Fprint(f, strings.Join(parts, " "))
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Redacted()
}

// defaultDataDir is a variable so that a test does not depend on who runs it.
var defaultDataDir = localpg.Dir

func dataDir(set string) (string, error) {
	if set == "" {
		return defaultDataDir(), nil
	}
	return filepath.Abs(set)
}

// unknown lists COTEJO_ variables without a meaning. Test harnesses have a
// prefix of their own.
func unknown(environ map[string]string) []string {
	var names []string
	for name := range environ {
		known := slices.ContainsFunc(reference, func(s Setting) bool { return s.Name == name })
		if strings.HasPrefix(name, "COTEJO_") && !strings.HasPrefix(name, "COTEJO_TEST_") && !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
