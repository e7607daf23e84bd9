package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"cotejo/internal/testdb"
)

const (
	adminEmail    = "admin@cotejo.local"
	adminPassword = "una frase larga de prueba"
)

// patience is how long anything may take on a machine that does much else; nothing waits that long by itself.
const patience = 60 * time.Second

// site is one installation: a database, a sandbox, and the processes that serve it.
type site struct {
	t        testing.TB
	database string
	dir      string
	key      string
	sandbox  string // address the sandbox listens on
	db       *pgxpool.Pool
}

// newSite makes an installation without a process yet.
func newSite(t testing.TB) *site {
	t.Helper()
	needs(t)
	s := &site{t: t, database: testdb.URL(t), dir: t.TempDir(), sandbox: freeAddress(t)}
	s.key = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("browser."), 4))
	pool, err := pgxpool.New(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s.db = pool
	return s
}

// process is one running `cotejo serve`.
type process struct {
	url        string
	sandboxKey string
	log        output
	end        func() // ends it now instead of with the test
}

var (
	readyLine   = regexp.MustCompile(`^Cotejo is ready at (http://\S+):`)
	sandboxLine = regexp.MustCompile(`API key (\S+), widget`)
)

// program is the program with the installation's settings.
func (s *site) program(args ...string) *exec.Cmd {
	s.t.Helper()
	binary, err := shared.binary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+s.database, "COTEJO_SECRET_KEY="+s.key, "COTEJO_DATA_DIR="+s.dir,
		"COTEJO_METRICS_LISTEN=off", "COTEJO_ADMIN_EMAIL="+adminEmail, "COTEJO_ADMIN_PASSWORD="+adminPassword,
		"COTEJO_SANDBOX=embedded", "COTEJO_SANDBOX_LISTEN="+s.sandbox, "COTEJO_SANDBOX_DELAY=200ms", "COTEJO_SANDBOX_RATE=0")
	return cmd
}

// seed adds invented lookups.
func (s *site) seed(lookups int) {
	s.t.Helper()
	if text, err := s.program("seed", "--lookups", fmt.Sprint(lookups), "--deliveries", "0").CombinedOutput(); err != nil {
		s.t.Fatalf("seed: %v\n%s", err, text)
	}
}

// serve starts a process of the installation and returns when it is ready. When the test ends the process has to end in
// order, having logged no error and nobody's CURP.
func (s *site) serve(settings ...string) *process {
	s.t.Helper()
	p := &process{}
	cmd := s.program()
	cmd.Env = append(append(cmd.Env, "COTEJO_LISTEN="+freeAddress(s.t)), settings...)
	cmd.Stderr = &p.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if m := sandboxLine.FindStringSubmatch(lines.Text()); m != nil {
				p.sandboxKey = m[1]
			}
			if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
				p.url = m[1]
				close(ready)
			}
		}
		ended <- cmd.Wait()
	}()
	p.end = sync.OnceFunc(func() { s.stop(cmd, ended, p) })
	s.t.Cleanup(p.end)
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		s.t.Fatalf("the program did not start: %v\n%s", err, p.log.String())
	case <-time.After(patience):
		s.t.Fatalf("the program was not ready in time\n%s", p.log.String())
	}
	return p
}

func (s *site) stop(cmd *exec.Cmd, ended <-chan error, p *process) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			s.t.Errorf("the program ended with %v", err)
		}
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		s.t.Error("the program did not end when told to")
	}
	log := p.log.String()
	bad := strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic")
	for _, person := range people {
		bad = bad || strings.Contains(log, person.curp)
	}
	if bad || s.t.Failed() {
		s.t.Logf("log of %s:\n%s", p.url, log)
	}
	if bad {
		s.t.Error("the program logged an error or a CURP")
	}
}

// output keeps what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// tell sends a command to the sandbox as docs/sandbox.md#switches describes.
func (s *site) tell(p *process, path string, body any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.sandbox+"/_sandbox"+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("x-api-key", p.sandboxKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 {
		s.t.Fatalf("the sandbox answered %d: %s", resp.StatusCode, answer)
	}
}

// value reads one value of the database.
func value[T any](s *site, query string, args ...any) T {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(), query, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// change writes to the database what no page can bring about.
func (s *site) change(statement string, args ...any) {
	s.t.Helper()
	if tag, err := s.db.Exec(s.t.Context(), statement, args...); err != nil || tag.RowsAffected() == 0 {
		s.t.Fatalf("%s: %v, %v", statement, tag, err)
	}
}

// until waits for a condition of the database, for what no page shows.
func (s *site) until(condition string, args ...any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if value[bool](s, "select "+condition, args...) {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("never became true: %s", condition)
		}
	}
}

// ports lie below those that systems give to outgoing connections, so that none of these takes one between here and the
// start of the program; two runs at a time start at different ones.
var ports atomic.Int32

func init() { ports.Store(int32(18000 + os.Getpid()%1000*12)) }

func freeAddress(t testing.TB) string {
	t.Helper()
	for range 500 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.Add(1)))
		if err != nil {
			continue
		}
		address := ln.Addr().String()
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no free port")
	return ""
}

// person is one of the sandbox's nine people (docs/sandbox.md#the-nine-people).
type person struct{ curp, status, records, detail string }

var people = []person{
	{"GATA000408HTLRLLA7", "success", "complete", ""},
	{"LALE870908HDFRPD02", "success", "complete", ""},
	{"JITM910411HASMMR08", "success", "complete", ""},
	{"ZUAL000827HMCXRSA8", "success", "empty", ""},
	{"AATE910411HASLMG07", "success", "empty", ""},
	{"POTP910411HASBMP04", "incomplete", "none", "curp_has_inconsistencies"},
	{"MEMC760502MMCJGR00", "incomplete", "none", "nss_not_found_in_imss"},
	{"AUAT940412HCLQQM08", "error", "none", "service_degradation"},
	{"DETJ910411HASLMR04", "error", "none", "service_degradation"},
}
