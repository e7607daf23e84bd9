package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxLog is the size at which the server's log starts anew at the next start.
const maxLog = 8 << 20

// server is the child process.
type server struct {
	proc   *os.Process
	logged int           // bytes in its log before it
	state  string        // how it ended, once it has
	done   chan struct{} // closed when it has ended
	quit   chan struct{} // closed when its end is expected
}

// initialise makes the cluster if there is none. It is made beside its place and
// renamed, so that an interrupted initdb leaves nothing that looks finished.
func (c *Cluster) initialise(ctx context.Context, bin binaries) error {
	if dataMajor(c.at.data) != 0 {
		return nil
	}
	if _, err := os.Lstat(c.at.data); err == nil {
		return fmt.Errorf("%s exists but holds no PostgreSQL cluster: move it away", c.at.data)
	}
	fresh := c.at.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clear an interrupted first start: %w", err)
	}
	// Bytes decide the order, so that no system update changes an index; letters
	// are still letters to lower() and ilike.
	ctype := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		ctype = "en_US.UTF-8"
	}
	args := []string{"-D", fresh, "-U", role, "-A", "trust", "-E", "UTF8",
		"--locale=C", "--lc-ctype=" + ctype, "--data-checksums"}
	if c.opts.Fast {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, bin.tool("initdb"), args...)
	cmd.Env = childEnv()
	cmd.Dir = c.at.root // the caller's own folder may be closed to the account
	cmd.SysProcAttr = attributes(c.as)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := runLocked(cmd); err != nil {
		return fmt.Errorf("initdb failed (%w): %s", err, strings.TrimSpace(out.String()))
	}
	if err := os.Rename(fresh, c.at.data); err != nil {
		return fmt.Errorf("put the new cluster in its place: %w", err)
	}
	return nil
}

// serverArgs hold every setting, so that the cluster's own files never matter.
// The log may not carry personal data: terse drops the DETAIL line, which quotes
// the values of a violated key, and no failing statement is repeated.
func (c *Cluster) serverArgs() []string {
	set := []string{
		"listen_addresses=", "unix_socket_permissions=0700",
		"log_error_verbosity=terse", "log_min_error_statement=panic", "logging_collector=off",
		"log_destination=stderr", "timezone=UTC", "log_timezone=UTC", "jit=off",
	}
	if c.opts.Fast {
		set = append(set, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"autovacuum=off", "max_connections=300")
	}
	args := []string{"-D", c.at.data, "-k", c.at.run, "-p", port}
	for _, s := range set {
		args = append(args, "-c", s)
	}
	return args
}

// childEnv is deliberately bare: COTEJO_SECRET_KEY and the PG* variables of
// somebody's shell are none of the server's business. LC_ALL also keeps macOS
// from starting threads in the postmaster.
func childEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// startServer starts postgres in a process group of its own, so that Ctrl-C in
// the terminal reaches Cotejo only and the database is the last to go.
func startServer(program string, args []string, at layout, as account) (*server, error) {
	flags, logged := os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0
	if st, err := os.Stat(at.log); err == nil && st.Size() > maxLog {
		flags |= os.O_TRUNC
	} else if err == nil {
		logged = int(st.Size())
	}
	out, err := os.OpenFile(at.log, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of PostgreSQL: %w", err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = childEnv()
	cmd.Dir = at.root
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = attributes(as)

	s := &server{logged: logged, done: make(chan struct{}), quit: make(chan struct{})}
	started := make(chan error)
	go func() {
		// On Linux the parent-death signal is tied to the thread that forked
		// (prctl(2), PR_SET_PDEATHSIG): that thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer out.Close()
		err := cmd.Start()
		if err == nil {
			s.proc = cmd.Process
		}
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // a fast shutdown is no error, and watch tells of any other end
		s.state = cmd.ProcessState.String()
		close(s.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("PostgreSQL cannot be started: %w", err)
	}
	return s, nil
}

// watch tells the log when a server that answered ends by itself.
func (s *server) watch(log *slog.Logger, at layout) {
	<-s.done
	select {
	case <-s.quit:
	default:
		log.Error("local PostgreSQL ended by itself", "log", at.log, "state", s.state)
	}
}

// stop asks for a fast shutdown (SIGINT), and for an immediate one when ctx ends.
func (s *server) stop(ctx context.Context) error {
	close(s.quit)
	_ = s.proc.Signal(syscall.SIGINT) // fails only if it has ended already
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	_ = s.proc.Signal(syscall.SIGQUIT)
	select {
	case <-s.done:
	case <-time.After(5 * time.Second): // PostgreSQL kills its own children after five seconds, too
		_ = s.proc.Kill()
		<-s.done
	}
	return fmt.Errorf("PostgreSQL did not stop in time and was ended at once: %w", ctx.Err())
}

// runLocked runs a short command on a thread that outlives it (see startServer).
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// clearPrevious sees to what a killed Cotejo left behind. The caller holds the
// lock, so a server that still runs here has lost its owner: it is stopped, so
// that the next one is a child of ours.
func clearPrevious(ctx context.Context, at layout) error {
	pid, err := lockFilePID(filepath.Join(at.data, "postmaster.pid"))
	if err != nil {
		return err
	}
	if isPostmaster(pid, at.data) {
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the PostgreSQL that a killed cotejo left (process %d): %w", pid, err)
		}
	}
	for isPostmaster(pid, at.data) { // not alive: an unreaped process keeps its number
		select {
		case <-ctx.Done():
			return fmt.Errorf("the PostgreSQL that a killed cotejo left (process %d) does not stop: %w", pid, ctx.Err())
		case <-time.After(poll):
		}
	}
	for _, path := range []string{
		filepath.Join(at.data, "postmaster.pid"),
		filepath.Join(at.run, ".s.PGSQL."+port+".lock"),
	} {
		if err := disarm(path); err != nil {
			return err
		}
	}
	return nil
}

// disarm sees to a lock file that names a living process which is no server of
// ours: numbers repeat after a container restarts, and an unreaped process keeps
// its own. PostgreSQL would refuse to start. The file is put in our name, the
// parent's, which PostgreSQL takes for stale while still checking the shared
// memory that the file names; removing the file would lose that check.
func disarm(path string) error {
	pid, err := lockFilePID(path)
	if err != nil || pid == 0 || !alive(pid) {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read a stale lock file: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	text = []byte(strconv.Itoa(os.Getpid()) + "\n" + rest)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("clear a stale lock file: %w", err)
	}
	return nil
}

// lockFilePID is the process a PostgreSQL lock file names in its first line; 0:
// no file, or nothing readable in it.
func lockFilePID(path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("read the previous server's lock file: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && pid > 1 {
		return pid, nil
	}
	return 0, nil
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// words are what a server has said in its log since it was started, and the last reason among them.
func (s *server) words(at layout) (all, last string) {
	text, err := os.ReadFile(at.log)
	if err != nil || len(text) < s.logged {
		return "", "(no log)"
	}
	all = strings.TrimSpace(string(text[s.logged:]))
	lines := strings.Split(all, "\n")
	for _, line := range slices.Backward(lines) {
		if _, why, ok := strings.Cut(line, "FATAL:"); ok {
			return all, strings.TrimSpace(why)
		}
	}
	return all, lines[len(lines)-1]
}
