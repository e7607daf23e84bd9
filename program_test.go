package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary be Cotejo itself, so that commands, signals and exit codes are tested as they are.
const asProgram = "TEST_RUNS_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "1" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// site is a data directory and the addresses that a Cotejo on it uses.
type site struct {
	t                        *testing.T
	dir                      string
	listen, sandbox, metrics string
	env                      []string
}

const (
	adminEmail    = "admin@example.mx"
	adminPassword = "marked first password"
)

func newSite(t *testing.T, env ...string) *site {
	t.Helper()
	// Not t.TempDir: its parent is closed to the user that root drops to.
	dir, err := os.MkdirTemp("", "cotejo-serve-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &site{t: t, dir: dir, listen: free(t), sandbox: free(t), metrics: free(t), env: env}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	return s
}

// free is an address on which nothing listens.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (s *site) command(args []string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "COTEJO_DATA_DIR=" + s.dir, "COTEJO_LISTEN=" + s.listen,
		"COTEJO_SANDBOX_LISTEN=" + s.sandbox, "COTEJO_METRICS_LISTEN=" + s.metrics, "COTEJO_SANDBOX_DELAY=0s", "COTEJO_SANDBOX_RETRY_GAP=200ms",
		"COTEJO_ADMIN_EMAIL=" + adminEmail, "COTEJO_ADMIN_PASSWORD=" + adminPassword}, append(s.env, env...)...)
	return cmd
}

// run runs a command to its end.
func (s *site) run(args []string, env ...string) (out string, code int) {
	s.t.Helper()
	cmd := s.command(args, env...)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// process is a running server; said is all it has printed, on both outputs.
type process struct {
	*exec.Cmd
	t    *testing.T
	said *output
	done chan struct{}
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts a server and waits for its ready line.
func (s *site) start(env ...string) *process {
	s.t.Helper()
	said := &output{more: make(chan struct{}, 1)}
	p := &process{Cmd: s.command([]string{"serve"}, env...), t: s.t, said: said, done: make(chan struct{})}
	p.Stdout, p.Stderr = said, said
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { defer close(p.done); _ = p.Wait() }()
	s.t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	limit := time.After(90 * time.Second)
	for !strings.Contains(said.String(), "Cotejo is ready") {
		select {
		case <-said.more:
		case <-p.done:
			if strings.Contains(said.String(), "no PostgreSQL") && os.Getenv("CI") != "true" {
				s.t.Skip("SKIPPED, needs PostgreSQL")
			}
			s.t.Fatalf("the server ended:\n%s", said)
		case <-limit:
			s.t.Fatalf("never ready:\n%s", said)
		}
	}
	return p
}

// stop ends the server by a signal and gives its exit code.
func (p *process) stop(signal syscall.Signal) int {
	_ = p.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		_ = p.Process.Kill()
		p.t.Errorf("the server did not end:\n%s", p.said)
		<-p.done
	}
	return p.ProcessState.ExitCode()
}

// guest is a browser. It notes every address that it was sent to, and every page of an error.
type guest struct {
	t     *testing.T
	base  string
	http  *http.Client
	notes strings.Builder
}

func (s *site) guest() *guest { return browse(s.t, "http://"+s.listen) }

func browse(t *testing.T, base string) *guest {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &guest{t: t, base: base, http: &http.Client{Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (g *guest) signIn() *guest {
	g.t.Helper()
	if code, _, _ := g.post("/login", url.Values{"email": {adminEmail}, "password": {adminPassword}}); code != http.StatusSeeOther {
		g.t.Fatalf("sign in: %d", code)
	}
	return g
}

func (g *guest) get(path string) (code int, body string) {
	g.t.Helper()
	code, body, _ = g.do(http.MethodGet, path, "", "")
	return code, body
}

func (g *guest) post(path string, form url.Values) (code int, body, location string) {
	g.t.Helper()
	return g.do(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
}

func (g *guest) do(method, path, kind, body string) (code int, answer, location string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.base+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	res, err := g.http.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	location = res.Header.Get("Location")
	fmt.Fprintf(&g.notes, "%v\n", res.Header)
	if res.StatusCode >= 400 && res.StatusCode != http.StatusUnprocessableEntity {
		g.notes.Write(text)
	}
	return res.StatusCode, string(text), location
}

// lookup asks for one and gives its path.
func (g *guest) lookup(curp string) string {
	g.t.Helper()
	code, body, location := g.post("/lookups", url.Values{"curp": {curp}, "platform": {"imss"}, "consent": {"on"}, "confirm": {"check_digit"}})
	if code != http.StatusSeeOther {
		g.t.Fatalf("request a lookup: %d\n%.500s", code, body)
	}
	return location
}

// until looks at a page until it says something.
func (g *guest) until(path string, parts ...string) string {
	g.t.Helper()
	limit := time.After(60 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		_, body := g.get(path)
		missing := false
		for _, part := range parts {
			missing = missing || !strings.Contains(body, part)
		}
		if !missing {
			return body
		}
		select {
		case <-look.C:
		case <-limit:
			g.t.Fatalf("%s never says %q", path, parts)
		}
	}
}

// database opens the site's own database from beside the running server.
func (s *site) database(ctx context.Context) *store {
	s.t.Helper()
	c := s.settings()
	opened, err := openStore(ctx, &c, discard, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(opened.close)
	return opened
}

func (s *site) read(name ...string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{s.dir}, name...)...))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}
