// Command withpg runs another command with a throw-away PostgreSQL, whose URL it
// passes in COTEJO_TEST_DATABASE_URL, and ends with that command's exit code:
//
//	withpg go test ./...
//
// Without PostgreSQL it says so and runs the command all the same: the tests
// then skip aloud, or fail where CI=true.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"cotejo/internal/localpg"
)

// envURL repeats testdb.EnvURL: importing that package would bring package
// testing, and its flags, into a command.
const envURL = "COTEJO_TEST_DATABASE_URL"

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg command [argument …]")
		os.Exit(2)
	}
	os.Exit(run(args))
}

func run(args []string) int {
	// Before the server starts: a signal now must not leave it behind. Terminal
	// signals reach the command by themselves, SIGTERM is passed on.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)

	defer signal.Stop(signals)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = os.Environ()

	if os.Getenv(envURL) == "" {
		end, url, err := cluster()
		switch {
		case errors.Is(err, localpg.ErrNoBinaries):
			fmt.Fprintln(os.Stderr, "withpg: no database tests:", err)
		case err != nil:
			fmt.Fprintln(os.Stderr, "withpg:", err)
			return 1
		default:
			defer end()
			cmd.Env = append(cmd.Env, envURL+"="+url)
		}
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
		return 127
	}
	go func() {
		for s := range signals {
			if s != os.Interrupt {
				_ = cmd.Process.Signal(s)
			}
		}
	}()
	err := cmd.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() < 0 {
		return 1 // ended by a signal
	}
	return cmd.ProcessState.ExitCode()
}

func cluster() (end func(), url string, err error) {
	dir, err := os.MkdirTemp("", "cotejo-test-")
	if err != nil {
		return nil, "", err
	}
	remove := func() { _ = os.RemoveAll(dir) }
	c, err := localpg.Start(context.Background(), localpg.Options{Dir: dir, Fast: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		remove()
		return nil, "", err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "withpg:", err)
		}
		remove()
	}, c.URL(), nil
}
