package localpg

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestMain doubles as the other cotejo process: started with a directory in the
// environment it runs a cluster until its standard input closes.
func TestMain(m *testing.M) {
	dir := os.Getenv("LOCALPG_TEST_OWNER")
	if dir == "" {
		os.Exit(m.Run())
	}
	c, err := Start(context.Background(), Options{Dir: dir, Fast: true, Log: quiet})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("owned", c.Owned())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := c.Stop(context.Background()); err != nil {
		os.Exit(1)
	}
}

var quiet = slog.New(slog.DiscardHandler)

func TestStartUseStopAgain(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	c := start(t, dir)
	exec1(t, c, `create table kept (n int)`)
	exec1(t, c, `insert into kept values (7)`)
	if !c.Owned() {
		t.Error("the first process must own the server")
	}
	stop(t, c)
	stop(t, c) // harmless
	if _, err := pgx.Connect(t.Context(), c.URL()); err == nil {
		t.Fatal("the server still answers after Stop")
	}
	if got := query(t, start(t, dir), `select n::text from kept`); got != "7" {
		t.Errorf("after a restart: %q, want 7", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c := start(t, dataDir(t))
	for name, want := range map[string]string{
		"listen_addresses": "", "log_error_verbosity": "terse", "log_min_error_statement": "panic",
		"unix_socket_permissions": "0700", "server_encoding": "UTF8", "TimeZone": "UTC",
		"data_checksums": "on", "fsync": "off",
	} {
		if got := query(t, c, `select current_setting('`+name+`')`); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := query(t, c, `select lower('ÑANDÚ')`); got != "ñandú" {
		t.Errorf("lower('ÑANDÚ') = %q: letters beyond ASCII must fold", got)
	}
	for _, path := range []string{c.at.root, c.at.run, c.at.data} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v, want 0700", path, st.Mode(), err)
		}
	}
}

// A violated key is quoted in DETAIL and the statement after it; neither may
// reach the log, where nobody would look for a CURP.
func TestLogHoldsNoData(t *testing.T) {
	t.Parallel()
	c := start(t, dataDir(t))
	exec1(t, c, `create table person (curp text primary key)`)
	exec1(t, c, `insert into person values ('ABCD010101HDFBCD09')`)
	conn := connect(t, c)
	if _, err := conn.Exec(t.Context(), `insert into person values ('ABCD010101HDFBCD09')`); err == nil {
		t.Fatal("the duplicate went in")
	}
	stop(t, c)
	text, err := os.ReadFile(c.at.log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "duplicate key") {
		t.Errorf("the log misses the error itself:\n%s", text)
	}
	if strings.Contains(string(text), "ABCD010101") {
		t.Errorf("the log quotes the value:\n%s", text)
	}
}

func TestSecondProcessAttachesAndTakesOver(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := start(t, dir)
	second := start(t, dir) // flock is per open file, so one process can play two
	if second.Owned() || first.URL() != second.URL() {
		t.Fatalf("the second must attach to %s, got %s owned=%t", first.URL(), second.URL(), second.Owned())
	}
	exec1(t, second, `create table seen (n int)`)

	third := start(t, dir)
	stop(t, third) // an attached one leaves without a trace
	query(t, first, `select count(*)::text from seen`)

	stop(t, first)
	eventually(t, "the attached process to take over", second.Owned)
	query(t, second, `select count(*)::text from seen`)
}

func TestManyStartAtOnce(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	var wg sync.WaitGroup
	clusters := make([]*Cluster, 4)
	for i := range clusters {
		wg.Go(func() {
			c, err := Start(t.Context(), Options{Dir: dir, Fast: true, Log: quiet})
			if err != nil {
				t.Error(err)
				return
			}
			clusters[i] = c
		})
	}
	wg.Wait()
	owners := 0
	for _, c := range clusters {
		if c == nil {
			continue
		}
		t.Cleanup(func() { stop(t, c) })
		query(t, c, `select 'here'`)
		if c.Owned() {
			owners++
		}
	}
	if owners != 1 {
		t.Errorf("%d owners, want exactly one", owners)
	}
}

// SIGKILL of the owner: on Linux the kernel takes the server down; elsewhere the
// next start does. Either way the next start works and the data is there.
func TestOwnerKilled(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	owner := otherProcess(t, dir)
	c := start(t, dir)
	exec1(t, c, `create table kept (n int)`)
	if c.Owned() {
		t.Fatal("the other process should own the server")
	}
	kill(t, owner)
	eventually(t, "take-over after SIGKILL", c.Owned)
	query(t, c, `select count(*)::text from kept`)
}

// SIGKILL of everything, postmaster included: its lock file stays.
func TestEverythingKilled(t *testing.T) {
	t.Parallel()
	dir, at, owner, pid := owned(t)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	kill(t, owner)
	eventually(t, "the postmaster to be gone", func() bool { return !isPostmaster(pid, at.data) })
	if _, err := os.Stat(filepath.Join(at.data, "postmaster.pid")); err != nil {
		t.Fatalf("the case needs a stale lock file: %v", err)
	}
	query(t, start(t, dir), `select 'recovered'`)
}

// A backend that is busy when the postmaster is killed notices late, and PostgreSQL does not start beside it.
func TestLastOnesLeaving(t *testing.T) {
	t.Parallel()
	dir, at, owner, pid := owned(t)
	conn, err := pgx.Connect(t.Context(), (&Cluster{at: at}).URL())
	if err != nil {
		t.Fatal(err)
	}
	backend := int(conn.PgConn().PID())
	defer conn.Close(context.Background())
	for _, step := range []struct {
		pid    int
		signal syscall.Signal
	}{{backend, syscall.SIGSTOP}, {pid, syscall.SIGKILL}} {
		if err := syscall.Kill(step.pid, step.signal); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = syscall.Kill(backend, syscall.SIGCONT) })
	kill(t, owner)
	eventually(t, "the postmaster to be gone", func() bool { return !isPostmaster(pid, at.data) })
	began := make(chan error)
	var c *Cluster
	go func() {
		var err error
		c, err = Start(t.Context(), Options{Dir: dir, Fast: true, Log: quiet})
		began <- err
	}()
	eventually(t, "PostgreSQL to refuse", func() bool {
		text, _ := os.ReadFile(at.log)
		return strings.Contains(string(text), "still in use")
	})
	if err := syscall.Kill(backend, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-began; err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	query(t, c, `select 'recovered'`)
}

// After a container restarts, the number in the stale file may be a stranger's.
func TestStaleFileNamesAStranger(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	c := start(t, dir)
	text, err := os.ReadFile(filepath.Join(c.at.data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)

	stranger := exec.Command("sleep", "600")
	stranger.SysProcAttr = attributes(c.as) // the server's own user: PostgreSQL ignores others'
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	_, rest, _ := strings.Cut(string(text), "\n")
	path := filepath.Join(c.at.data, "postmaster.pid")
	if err := os.WriteFile(path, []byte(strconv.Itoa(stranger.Process.Pid)+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, c.as.uid, c.as.gid); err != nil {
		t.Fatal(err)
	}
	query(t, start(t, dir), `select 'recovered'`)
	if !alive(stranger.Process.Pid) {
		t.Error("the stranger was harmed")
	}
}

func TestInterruptedInitdb(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	as, err := accountFor(dir)
	if err != nil {
		t.Fatal(err)
	}
	at, _, err := prepare(dir, as)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(at.data+".new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	query(t, start(t, dir), `select 'made anew'`)
}

func TestLongPathMovesTheSocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(dataDir(t), strings.Repeat("long-", 20))
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	t.Cleanup(func() { _ = os.RemoveAll(c.at.run) })
	if len(c.at.run) > maxSocketPath || !strings.HasPrefix(c.at.run, "/tmp/cotejo-") {
		t.Errorf("socket folder %s", c.at.run)
	}
	query(t, c, `select 'short'`)
}

// Root's own folders are closed to the user that root would drop to.
func TestFolderOnlyRootMayEnter(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root drops to another user")
	}
	outer := dataDir(t) // 0700, and above the data directory
	dir := filepath.Join(outer, "data")
	if !canMap() {
		_, err := Start(t.Context(), Options{Dir: dir, Fast: true, Log: quiet})
		if err == nil || !strings.Contains(err.Error(), outer+" is closed to user") {
			t.Errorf("error %v must name the closed folder", err)
		}
		return
	}
	c := start(t, dir)
	exec1(t, c, `create table kept (n int)`)
	stop(t, c)
	c = start(t, dir)
	query(t, c, `select count(*)::text from kept`)
	if st, err := os.Stat(outer); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder above was opened: %v %v", st.Mode(), err)
	}
}

func TestServerThatCannotStart(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	c := start(t, dir)
	stop(t, c)
	if err := os.WriteFile(filepath.Join(c.at.data, "postgresql.conf"), []byte("no_such_setting = on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir, Fast: true, Log: quiet})
	if err == nil || !strings.Contains(err.Error(), c.at.log) || strings.Contains(err.Error(), "shut down") {
		t.Fatalf("error %v must name the log and the cause", err)
	}
	if f, err := tryLock(c.at.lock); err != nil || f == nil {
		t.Errorf("the lock was not given up: %v", err)
	}
}
