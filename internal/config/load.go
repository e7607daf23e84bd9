package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"cotejo/internal/seal"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5/pgxpool"
)

// environment is the settings as they are written; its tags and the reference
// table are held together by a test.
type environment struct {
	DatabaseURL     string        `env:"DATABASE_URL"`
	DataDir         string        `env:"COTEJO_DATA_DIR"`
	PGBin           string        `env:"COTEJO_PG_BIN"`
	Listen          string        `env:"COTEJO_LISTEN" envDefault:"127.0.0.1:8080"`
	HooksListen     string        `env:"COTEJO_HOOKS_LISTEN"`
	MetricsListen   string        `env:"COTEJO_METRICS_LISTEN" envDefault:"127.0.0.1:9090"`
	PublicURL       string        `env:"COTEJO_PUBLIC_URL"`
	HooksURL        string        `env:"COTEJO_HOOKS_URL"`
	InsecureHTTP    bool          `env:"COTEJO_INSECURE_HTTP" envDefault:"0"`
	TrustedProxies  []string      `env:"COTEJO_TRUSTED_PROXIES"`
	SecretKey       string        `env:"COTEJO_SECRET_KEY"`
	Sandbox         string        `env:"COTEJO_SANDBOX"`
	SandboxListen   string        `env:"COTEJO_SANDBOX_LISTEN" envDefault:"127.0.0.1:8090"`
	SandboxDelay    time.Duration `env:"COTEJO_SANDBOX_DELAY" envDefault:"4s"`
	SandboxRetryGap time.Duration `env:"COTEJO_SANDBOX_RETRY_GAP" envDefault:"30s"`
	SandboxRate     int           `env:"COTEJO_SANDBOX_RATE" envDefault:"120"`
	Workers         int           `env:"COTEJO_WORKERS" envDefault:"8"`
	Dev             bool          `env:"COTEJO_DEV" envDefault:"0"`
	AdminEmail      string        `env:"COTEJO_ADMIN_EMAIL" envDefault:"admin@cotejo.local"`
	AdminPassword   string        `env:"COTEJO_ADMIN_PASSWORD"`
}

// mistakes gathers one line per wrong setting.
type mistakes []error

// add names the variable, what is wrong with it, and how it could be written.
func (m *mistakes) add(name, format string, args ...any) {
	*m = append(*m, fmt.Errorf("%s %s (example: %s=%s)", name, fmt.Sprintf(format, args...), name, example(name)))
}

// Load checks the environment and derives what it leaves open. The error joins
// all mistakes, one line each; it never holds the value of a secret. Load reads
// and writes no file: see EnsureSecretKey.
func Load(environ map[string]string) (Config, error) {
	var (
		e   environment
		bad mistakes
	)
	bad.parse(&e, environ)

	c := Config{
		DatabaseURL: Secret(e.DatabaseURL), PGBin: e.PGBin,
		SandboxDelay: e.SandboxDelay, SandboxRetryGap: e.SandboxRetryGap, SandboxRate: e.SandboxRate,
		Workers: e.Workers, Dev: e.Dev, AdminEmail: e.AdminEmail, AdminPassword: Secret(e.AdminPassword),
		Unknown: unknown(environ),
	}
	var err error
	if c.DataDir, err = dataDir(e.DataDir); err != nil {
		bad.add("COTEJO_DATA_DIR", "cannot be made absolute")
	}
	if e.DatabaseURL != "" {
		// The library's own message may quote the password.
		if _, err := pgxpool.ParseConfig(e.DatabaseURL); err != nil {
			bad.add("DATABASE_URL", "is no PostgreSQL connection string")
		}
	}
	bad.secretKey(&c, e)
	bad.listeners(&c, e)
	c.PublicURL = bad.publicURL("COTEJO_PUBLIC_URL", e.PublicURL, c.Listen, nil)
	c.HooksURL = bad.publicURL("COTEJO_HOOKS_URL", e.HooksURL, c.HooksListen, c.PublicURL)
	if !e.InsecureHTTP {
		bad.plainHTTP("COTEJO_PUBLIC_URL", "COTEJO_LISTEN", c.PublicURL, c.Listen)
		bad.plainHTTP("COTEJO_HOOKS_URL", "COTEJO_HOOKS_LISTEN", c.HooksURL, c.HooksListen)
	}
	c.TrustedProxies = bad.proxies(e.TrustedProxies)
	c.Sandbox = bad.sandbox(e.Sandbox, c.Local())
	bad.ranges(c)
	if len(bad) > 0 {
		return Config{}, errors.Join(bad...)
	}
	return c, nil
}

// parse fills e and turns the library's complaints into lines of ours.
func (m *mistakes) parse(e *environment, environ map[string]string) {
	err := env.ParseWithOptions(e, env.Options{Environment: environ})
	if err == nil {
		return
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		*m = append(*m, err)
		return
	}
	for _, err := range all.Errors {
		var wrong env.ParseError
		if !errors.As(err, &wrong) {
			*m = append(*m, err)
			continue
		}
		field, _ := reflect.TypeFor[environment]().FieldByName(wrong.Name)
		name := field.Tag.Get("env")
		what := map[reflect.Type]string{
			reflect.TypeFor[time.Duration](): "a duration such as 30s or 2m",
			reflect.TypeFor[int]():           "a whole number",
			reflect.TypeFor[bool]():          "0 or 1",
		}[field.Type]
		m.add(name, "is %q, not %s", environ[name], what)
	}
}

func (m *mistakes) secretKey(c *Config, e environment) {
	const name = "COTEJO_SECRET_KEY"
	if e.SecretKey == "" {
		if !c.Local() {
			m.add(name, "is required with DATABASE_URL: without it the stored secrets could not be read after a restart")
		}
		return
	}
	key, err := seal.ParseSecretKey(e.SecretKey)
	if err != nil {
		m.add(name, "cannot be used: %v", err)
		return
	}
	c.SecretKey = key
}

func (m *mistakes) listeners(c *Config, e environment) {
	if strings.EqualFold(e.MetricsListen, "off") {
		e.MetricsListen = ""
	}
	taken := map[string]string{}
	for _, l := range []struct {
		name, value string
		to          *string
	}{
		{"COTEJO_LISTEN", e.Listen, &c.Listen},
		{"COTEJO_HOOKS_LISTEN", e.HooksListen, &c.HooksListen},
		{"COTEJO_METRICS_LISTEN", e.MetricsListen, &c.MetricsListen},
		{"COTEJO_SANDBOX_LISTEN", e.SandboxListen, &c.SandboxListen},
	} {
		if l.value == "" {
			continue
		}
		_, port, err := net.SplitHostPort(l.value)
		if err != nil {
			m.add(l.name, "is %q, not host:port", l.value)
			continue
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil {
			m.add(l.name, "is %q, its port is no number up to 65535", l.value)
			continue
		} else if n > 0 { // port 0 is a free one, chosen at start
			if other, ok := taken[l.value]; ok {
				m.add(l.name, "is %s, which %s has already", l.value, other)
			}
			taken[l.value] = l.name
		}
		*l.to = l.value
	}
}

// publicURL checks a base URL. Empty: the listener's own address, or the
// fallback where there is no listener. Everything is served from the root.
func (m *mistakes) publicURL(name, value, listen string, fallback *url.URL) *url.URL {
	if value == "" {
		if listen == "" {
			return fallback
		}
		host, port, _ := net.SplitHostPort(listen) // checked by listeners
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			host = "localhost"
		}
		return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	}
	u, ok := baseURL(value)
	if !ok {
		m.add(name, "is %q, not http:// or https:// with a host and nothing after it", withoutSecret(value))
		return nil
	}
	return u
}

func baseURL(value string) (*url.URL, bool) {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, false
	}
	u.Path = ""
	return u, true
}

// withoutSecret drops what a misplaced URL could carry before its host.
func withoutSecret(value string) string {
	if i := strings.LastIndexByte(value, '@'); i >= 0 {
		return "…" + value[i:]
	}
	return value
}

// plainHTTP refuses sessions and webhooks in the clear on a network. Behind a
// proxy that speaks https the public URL says so, and any listener will do.
func (m *mistakes) plainHTTP(name, listenName string, public *url.URL, listen string) {
	if public == nil || public.Scheme == "https" || listen == "" || loopback(listen) {
		return
	}
	m.add(name, "is plain http while %s is %s, which is not loopback: use https, or set COTEJO_INSECURE_HTTP=1", listenName, listen)
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func (m *mistakes) proxies(values []string) []netip.Prefix {
	var out []netip.Prefix
	for _, v := range values {
		v = strings.TrimSpace(v)
		if v == "" {
			continue
		}
		if p, err := netip.ParsePrefix(v); err == nil {
			out = append(out, p.Masked())
		} else if a, err := netip.ParseAddr(v); err == nil && a.Zone() == "" {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		} else {
			m.add("COTEJO_TRUSTED_PROXIES", "has %q, which is neither an address nor a network", v)
		}
	}
	return out
}

func (m *mistakes) sandbox(value string, local bool) Sandbox {
	switch {
	case value == "" && local, value == string(SandboxEmbedded):
		return Sandbox{Mode: SandboxEmbedded}
	case value == "", value == string(SandboxOff):
		return Sandbox{Mode: SandboxOff}
	}
	u, ok := baseURL(value)
	if !ok {
		m.add("COTEJO_SANDBOX", "is %q, not embedded, off or the URL of a running sandbox", withoutSecret(value))
		return Sandbox{Mode: SandboxOff}
	}
	return Sandbox{Mode: SandboxRemote, URL: u}
}

func (m *mistakes) ranges(c Config) {
	for _, r := range []struct {
		name string
		n    int64
	}{
		{"COTEJO_SANDBOX_DELAY", int64(c.SandboxDelay)},
		{"COTEJO_SANDBOX_RETRY_GAP", int64(c.SandboxRetryGap)},
		{"COTEJO_SANDBOX_RATE", int64(c.SandboxRate)},
		{"COTEJO_WORKERS", int64(c.Workers)},
	} {
		if r.n < 0 {
			m.add(r.name, "is negative")
		}
	}
	if user, host, ok := strings.Cut(c.AdminEmail, "@"); !ok || user == "" || host == "" || strings.ContainsAny(c.AdminEmail, " \t\r\n") {
		m.add("COTEJO_ADMIN_EMAIL", "is no e-mail address")
	}
}
