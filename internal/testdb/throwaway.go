package testdb

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"

	"cotejo/internal/localpg"
)

// sweep waits for the end of the test process, which closes its standard input,
// then ends the server if it still runs (where there is no parent-death signal)
// and removes the folder. A test process has no place of its own for this: it
// may panic, time out or call os.Exit.
const sweep = `cat >/dev/null
pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null) || pid=
if [ -n "$pid" ]; then
	kill -INT "$pid" 2>/dev/null
	n=0
	while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
fi
rm -rf "$1"`

// sweeper's standard input; held for as long as the process lives.
var sweeper io.WriteCloser

// throwAway starts a cluster that goes with this process and returns its URL.
func throwAway(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "cotejo-test-")
	if err != nil {
		return "", fmt.Errorf("testdb: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", sweep, "sweep", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests only
	if sweeper, err = cmd.StdinPipe(); err != nil {
		return "", fmt.Errorf("testdb: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("testdb: %w", err)
	}
	c, err := localpg.Start(ctx, localpg.Options{Dir: dir, Fast: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		_ = sweeper.Close()
		return "", err
	}
	return c.URL(), nil
}
