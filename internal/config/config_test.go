package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"cotejo/internal/seal"

	"github.com/google/go-cmp/cmp"
)

const key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func load(t *testing.T, environ map[string]string) Config {
	t.Helper()
	c, err := Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := load(t, nil)
	got := map[string]any{
		"local": c.Local(), "secure": c.Secure(), "dir": c.DataDir, "listen": c.Listen, "hooks": c.HooksListen,
		"metrics": c.MetricsListen, "public": text(c.PublicURL), "hooksURL": text(c.HooksURL), "proxies": len(c.TrustedProxies),
		"key": c.SecretKey.IsZero(), "sandbox": c.Sandbox.String(), "sandboxListen": c.SandboxListen, "delay": c.SandboxDelay,
		"gap": c.SandboxRetryGap, "rate": c.SandboxRate, "workers": c.Workers, "admin": c.AdminEmail, "unknown": len(c.Unknown),
	}
	want := map[string]any{
		"local": true, "secure": false, "dir": defaultDataDir(), "listen": "127.0.0.1:8080", "hooks": "",
		"metrics": "127.0.0.1:9090", "public": "http://127.0.0.1:8080", "hooksURL": "http://127.0.0.1:8080", "proxies": 0,
		"key": true, "sandbox": "embedded", "sandboxListen": "127.0.0.1:8090", "delay": 4 * time.Second,
		"gap": 30 * time.Second, "rate": 120, "workers": 8, "admin": "admin@cotejo.local", "unknown": 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestDerived(t *testing.T) {
	t.Parallel()
	db := map[string]string{"DATABASE_URL": "postgres://u:pw@db/x", "COTEJO_SECRET_KEY": key}
	tests := []struct {
		name    string
		environ map[string]string
		got     func(Config) string
		want    string
	}{
		{"empty is unset", map[string]string{"COTEJO_LISTEN": "", "DATABASE_URL": ""}, func(c Config) string { return c.Listen }, "127.0.0.1:8080"},
		{"own database: no sandbox", db, func(c Config) string { return c.Sandbox.String() }, "off"},
		{"remote sandbox", map[string]string{"COTEJO_SANDBOX": "http://127.0.0.1:8090/"}, func(c Config) string { return string(c.Sandbox.Mode) + " " + c.Sandbox.String() }, "remote http://127.0.0.1:8090"},
		{"sandbox off", map[string]string{"COTEJO_SANDBOX": "off"}, func(c Config) string { return c.Sandbox.String() }, "off"},
		{"no delay", map[string]string{"COTEJO_SANDBOX_DELAY": "0s"}, func(c Config) string { return c.SandboxDelay.String() }, "0s"},
		{"no workers", map[string]string{"COTEJO_WORKERS": "0"}, func(c Config) string { return fmt.Sprint(c.Workers) }, "0"},
		{"no metrics", map[string]string{"COTEJO_METRICS_LISTEN": "off"}, func(c Config) string { return c.MetricsListen }, ""},
		{"https behind a proxy", map[string]string{"COTEJO_LISTEN": ":8080", "COTEJO_PUBLIC_URL": "https://x.mx/"}, func(c Config) string { return fmt.Sprint(c.PublicURL, c.HooksURL, c.Secure()) }, "https://x.mx https://x.mx true"},
		{"every interface, insecure", map[string]string{"COTEJO_LISTEN": "0.0.0.0:80", "COTEJO_INSECURE_HTTP": "1"}, func(c Config) string { return text(c.PublicURL) }, "http://localhost:80"},
		{"own hooks listener", map[string]string{"COTEJO_HOOKS_LISTEN": "[::1]:8081"}, func(c Config) string { return text(c.HooksURL) }, "http://[::1]:8081"},
		{"hooks address given", map[string]string{"COTEJO_HOOKS_LISTEN": ":8081", "COTEJO_HOOKS_URL": "https://h.mx"}, func(c Config) string { return text(c.HooksURL) }, "https://h.mx"},
		{"localhost is loopback", map[string]string{"COTEJO_LISTEN": "localhost:8080"}, func(c Config) string { return text(c.PublicURL) }, "http://localhost:8080"},
		{"unknown variables", map[string]string{"COTEJO_LISTN": "x", "COTEJO_TEST_DATABASE_URL": "x", "HOME": "/"}, func(c Config) string { return strings.Join(c.Unknown, ",") }, "COTEJO_LISTN"},
		{"data dir is made absolute", map[string]string{"COTEJO_DATA_DIR": "here"}, func(c Config) string { return fmt.Sprintln(filepath.IsAbs(c.DataDir), filepath.Base(c.DataDir)) }, "true here\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.got(load(t, tt.environ)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	c := load(t, map[string]string{"COTEJO_TRUSTED_PROXIES": "10.1.2.3/8, 127.0.0.1,,::1"})
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
	if diff := cmp.Diff(want, c.TrustedProxies, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		want        string
	}{
		{"DATABASE_URL", "mysql//nothing here", "is no PostgreSQL connection string"},
		{"COTEJO_LISTEN", "8080", "not host:port"},
		{"COTEJO_LISTEN", "127.0.0.1:http-alt", "its port is no number"},
		{"COTEJO_LISTEN", "127.0.0.1:70000", "its port is no number"},
		{"COTEJO_METRICS_LISTEN", "127.0.0.1:8080", "which COTEJO_LISTEN has already"},
		{"COTEJO_PUBLIC_URL", "cotejo.mx", "not http:// or https://"},
		{"COTEJO_PUBLIC_URL", "https://cotejo.mx/app", "nothing after it"},
		{"COTEJO_PUBLIC_URL", "https://user:hunter2@cotejo.mx", "nothing after it"},
		{"COTEJO_HOOKS_URL", "ftp://cotejo.mx", "not http:// or https://"},
		{"COTEJO_INSECURE_HTTP", "perhaps", "not 0 or 1"},
		{"COTEJO_TRUSTED_PROXIES", "10.0.0.0/40", "neither an address nor a network"},
		{"COTEJO_SECRET_KEY", "hunter2!", "neither base64 nor hex"},
		{"COTEJO_SANDBOX", "on", "not embedded, off or the URL"},
		{"COTEJO_SANDBOX_DELAY", "5", "not a duration"},
		{"COTEJO_SANDBOX_RETRY_GAP", "-5s", "is negative"},
		{"COTEJO_SANDBOX_RATE", "many", "not a whole number"},
		{"COTEJO_WORKERS", "-1", "is negative"},
		{"COTEJO_ADMIN_EMAIL", "ana", "is no e-mail address"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Parallel()
			environ := map[string]string{tt.name: tt.value}
			if tt.name == "DATABASE_URL" {
				environ["COTEJO_SECRET_KEY"] = key
			}
			_, err := Load(environ)
			if err == nil {
				t.Fatal("accepted")
			}
			line := err.Error()
			if strings.Contains(line, "\n") || !strings.HasPrefix(line, tt.name+" ") ||
				!strings.Contains(line, tt.want) || !strings.Contains(line, "(example: "+tt.name+"=") {
				t.Errorf("want one line on %s with %q and an example, got:\n%s", tt.name, tt.want, line)
			}
			if strings.Contains(line, "hunter2") {
				t.Errorf("the line shows a secret: %s", line)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Load(map[string]string{
		"DATABASE_URL": "postgres://u:hunter2@db/x", "COTEJO_LISTEN": "0.0.0.0:8080", "COTEJO_HOOKS_LISTEN": "0.0.0.0:8081",
		"COTEJO_WORKERS": "x", "COTEJO_SANDBOX_DELAY": "y", "COTEJO_TRUSTED_PROXIES": "a,b",
	})
	if err == nil {
		t.Fatal("accepted")
	}
	var names []string
	for line := range strings.Lines(err.Error()) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	want := []string{"COTEJO_SANDBOX_DELAY", "COTEJO_WORKERS", "COTEJO_SECRET_KEY", "COTEJO_PUBLIC_URL", "COTEJO_HOOKS_URL", "COTEJO_TRUSTED_PROXIES", "COTEJO_TRUSTED_PROXIES"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("the error shows a secret")
	}
}

func TestNothingSecretPrints(t *testing.T) {
	t.Parallel()
	c := load(t, map[string]string{"DATABASE_URL": "postgres://u:hunter2@db/x", "COTEJO_SECRET_KEY": key, "COTEJO_ADMIN_PASSWORD": "hunter2", "COTEJO_ADMIN_EMAIL": "ana@x.mx"})
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", c, "url", c.DatabaseURL)
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", c, c, c, &c, c.AdminPassword, c.DatabaseURL)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{"hunter2", key[:16], "68756e74"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q shows in:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "database_url=[redacted]") || !strings.Contains(out.String(), "secret_key_set=true") {
		t.Errorf("the settings are not listed:\n%s", out.String())
	}
}

func TestReferenceMatchesTheStruct(t *testing.T) {
	t.Parallel()
	var fromStruct, fromReference []string
	for f := range reflect.TypeFor[environment]().Fields() {
		fromStruct = append(fromStruct, f.Tag.Get("env")+"="+f.Tag.Get("envDefault"))
	}
	for _, s := range Reference() {
		fromReference = append(fromReference, s.Name+"="+s.Default)
		if !strings.HasSuffix(s.Meaning, ".") || s.Example == "" {
			t.Errorf("%s needs a meaning that is a sentence, and an example", s.Name)
		}
	}
	if diff := cmp.Diff(fromStruct, fromReference); diff != "" {
		t.Errorf("(-struct +reference):\n%s", diff)
	}
}

func TestEnsureSecretKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	var wg sync.WaitGroup
	keys := make([]seal.SecretKey, 8)
	for i := range keys {
		wg.Go(func() {
			c := load(t, map[string]string{"COTEJO_DATA_DIR": dir})
			if err := c.EnsureSecretKey(); err != nil {
				t.Error(err)
			}
			keys[i] = c.SecretKey
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k.IsZero() {
			t.Fatal("processes that start at once disagree about the key")
		}
	}
	path := filepath.Join(dir, secretKeyFile)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}

	c := load(t, map[string]string{"COTEJO_DATA_DIR": dir, "COTEJO_SECRET_KEY": key})
	if err := c.EnsureSecretKey(); err != nil || c.SecretKey == keys[0] {
		t.Errorf("the environment must win over the file: %v", err)
	}
}

func TestEnsureSecretKeyRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"open to others", key, 0o644, "chmod 600"},
		{"damaged", "0001", 0o600, "cannot be used"},
		{"empty", "", 0o600, "it is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, secretKeyFile), []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			c := load(t, map[string]string{"COTEJO_DATA_DIR": dir})
			if err := c.EnsureSecretKey(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	remote := Config{DatabaseURL: "postgres://db/x"}
	if err := remote.EnsureSecretKey(); err == nil {
		t.Error("a key was made for somebody else's database")
	}
}
