// Cotejo is a self-hosted employment-verification console for Mexican lenders. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"cotejo/internal/config"
)

// version is set when building (Makefile).
var version = "unknown"

// command is one thing that the program can be told to do.
type command struct {
	name, args, does string
	run              func(ctx context.Context, c config.Config, args []string) error
}

var commands []command

func init() { // a table that its own help command reads cannot be initialised in place
	commands = []command{
		{"serve", "", "serve the console; the default", serve},
		{"sandbox", "", "serve the vendor's sandbox alone", serveSandbox},
		{"migrate", "up|down|status", "bring the database's schema up, take the newest step back, or show it", migrate},
		{"user", "add --email E --role R [--name N]", "add a user and print a one-time password", addUser},
		{"seed", "--lookups N --deliveries M", "fill a database without a production connection with made-up data", seed},
		{"bench", "", "measure this machine and print each figure with its limit", bench},
		{"health", "", "ask the running console whether it is ready", health},
		{"version", "", "print the version", func(context.Context, config.Config, []string) error { fmt.Println(version); return nil }},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the program at once
	}()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cotejo:", err)
		os.Exit(exitCode(err))
	}
}

// errUsage is for command lines that make no sense.
var errUsage = errors.New("run `cotejo help` for the commands")

func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func run(ctx context.Context, args []string) error {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "help" || name == "-h" || name == "--help" {
		usage(os.Stdout)
		return nil
	}
	for _, c := range commands {
		if c.name == name {
			settings, err := config.Load(environ())
			if err != nil {
				return fmt.Errorf("the settings have mistakes:\n%w", err)
			}
			for _, unknown := range settings.Unknown {
				slog.Warn("a setting that means nothing, perhaps misspelt", "setting", unknown)
			}
			return c.run(ctx, settings, args)
		}
	}
	return fmt.Errorf("there is no command %q: %w", name, errUsage)
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "Usage: cotejo [command]")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-48s %s\n", strings.TrimSpace(c.name+" "+c.args), c.does)
	}
	fmt.Fprintln(w, "\nSettings are environment variables:")
	for _, s := range config.Reference() {
		fmt.Fprintf(w, "  %-26s %s\n", s.Name, s.Meaning)
	}
}

func environ() map[string]string {
	all := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}
