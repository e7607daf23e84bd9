package config

import "slices"

// Setting is one line of the settings table in the documentation.
type Setting struct {
	Name    string
	Default string // as it would be written; empty: none, or derived as Meaning says
	Meaning string
	Example string
}

// Reference lists every setting in the order of the documentation. The texts are
// for operators; the documentation and the error messages are made from them.
func Reference() []Setting { return slices.Clone(reference) }

var reference = []Setting{
	{"DATABASE_URL", "", "PostgreSQL 15 or newer. Empty: Cotejo runs its own under COTEJO_DATA_DIR.", "postgres://cotejo@db.internal/cotejo?sslmode=verify-full"},
	{"COTEJO_DATA_DIR", "", "Where the local PostgreSQL, the generated secret key and the sandbox's state live. Empty: /var/lib/cotejo for root, else `cotejo` under the XDG data home.", "/var/lib/cotejo"},
	{"COTEJO_PG_BIN", "", "Folder of PostgreSQL's `initdb` and `postgres`. Empty: looked for on PATH and in the usual places.", "/usr/lib/postgresql/15/bin"},
	{"COTEJO_LISTEN", "127.0.0.1:8080", "Where the pages are served.", "127.0.0.1:8080"},
	{"COTEJO_HOOKS_LISTEN", "", "A listener that serves only `/hooks/` and `/oauth/token`. Empty: they are served on COTEJO_LISTEN.", "127.0.0.1:8081"},
	{"COTEJO_METRICS_LISTEN", "127.0.0.1:9090", "Where `/metrics` is served; `off` for nowhere.", "127.0.0.1:9090"},
	{"COTEJO_PUBLIC_URL", "", "How browsers reach Cotejo. Empty: http:// and COTEJO_LISTEN. With https the cookie is Secure and has the `__Host-` prefix.", "https://cotejo.example.com"},
	{"COTEJO_HOOKS_URL", "", "How vendors reach the webhooks. Empty: http:// and COTEJO_HOOKS_LISTEN if that is set, else COTEJO_PUBLIC_URL.", "https://hooks.example.com"},
	{"COTEJO_INSECURE_HTTP", "0", "1 allows plain http on a listener that is not loopback.", "1"},
	{"COTEJO_TRUSTED_PROXIES", "", "Addresses whose X-Forwarded-For is believed, separated by commas.", "10.0.0.0/8,127.0.0.1"},
	{"COTEJO_SECRET_KEY", "", "32 random bytes in base64 or hex that the stored secrets are encrypted under. Empty: generated to `secret.key` in the data directory; required with DATABASE_URL.", "$(openssl rand -base64 32)"},
	{"COTEJO_SANDBOX", "", "`embedded`, `off`, or the URL of a running `cotejo sandbox`. Empty: `embedded` with the local PostgreSQL, else `off`.", "embedded"},
	{"COTEJO_SANDBOX_LISTEN", "127.0.0.1:8090", "Where the sandbox serves the vendors' interfaces.", "127.0.0.1:8090"},
	{"COTEJO_SANDBOX_DELAY", "4s", "How long an extraction takes in the sandbox.", "0s"},
	{"COTEJO_SANDBOX_RETRY_GAP", "30s", "How long the sandbox waits before it delivers an event again.", "30s"},
	{"COTEJO_SANDBOX_RATE", "120", "Requests a minute the sandbox accepts from one key; 0 for no limit.", "120"},
	{"COTEJO_WORKERS", "8", "Jobs worked at once; 0 turns job work off in this process.", "8"},
	{"COTEJO_DEV", "0", "1 adds `/gallery`, where each component is shown in each state. For whoever changes the pages.", "1"},
	{"COTEJO_ADMIN_EMAIL", "admin@cotejo.local", "Address of the first administrator, made when there is no user.", "ana@example.com"},
	{"COTEJO_ADMIN_PASSWORD", "", "The first administrator's password. Empty: generated and shown once.", "a long sentence of your own"},
}

func example(name string) string {
	for _, s := range reference {
		if s.Name == name {
			return s.Example
		}
	}
	return ""
}
