package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/config"
)

// newPassword makes a password of 26 letters and digits: 130 bits.
func newPassword() string { return strings.ToLower(rand.Text()) }

func passwordFile(c config.Config) string { return filepath.Join(c.DataDir, "first-password") }

// migrate moves the schema, or shows how far it is.
func migrate(ctx context.Context, c config.Config, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("migrate takes up, down or status: %w", errUsage)
	}
	s, err := startStore(ctx, c, slog.Default())
	if err != nil {
		return err
	}
	defer s.close()
	switch args[0] {
	case "up":
		return db.Migrate(ctx, s.url)
	case "down":
		return db.MigrateDown(ctx, s.url, false)
	case "status":
		list, err := db.Migrations(ctx, s.url)
		for _, m := range list {
			state := "pending"
			if m.Applied {
				state = "applied"
			}
			fmt.Printf("%-8s %5d  %s\n", state, m.Version, m.Name)
		}
		return err
	}
	return fmt.Errorf("migrate takes up, down or status: %w", errUsage)
}

// addUser adds a user from the command line, for instance when no administrator can sign in any more.
func addUser(ctx context.Context, c config.Config, args []string) error {
	if len(args) == 0 || args[0] != "add" {
		return fmt.Errorf("user takes add: %w", errUsage)
	}
	flags := flag.NewFlagSet("user add", flag.ContinueOnError)
	email := flags.String("email", "", "address to sign in with")
	role := flags.String("role", "", "administrator, supervisor, analyst, auditor or developer")
	name := flags.String("name", "", "name as colleagues see it")
	if err := flags.Parse(args[1:]); err != nil {
		return errors.Join(err, errUsage)
	}
	switch {
	case !strings.Contains(*email, "@"):
		return fmt.Errorf("--email needs an address: %w", errUsage)
	case !auth.Role(*role).Known():
		return fmt.Errorf("--role is one of %v: %w", auth.Roles, errUsage)
	}
	if *name == "" {
		*name, _, _ = strings.Cut(*email, "@")
	}
	s, err := openStore(ctx, &c, slog.Default(), nil)
	if err != nil {
		return err
	}
	defer s.close()
	password := newPassword()
	hash, err := handlers.HashPassword(password)
	if err != nil {
		return err
	}
	_, err = s.db.AddUser(ctx, db.NewUser{Email: *email, Name: *name, Role: auth.Role(*role), Language: "es-MX", PasswordHash: hash, MustChange: true},
		audit.Actor{Name: "command line"})
	if errors.Is(err, db.ErrConflict) {
		return fmt.Errorf("there is a user with that address already")
	} else if err != nil {
		return err
	}
	fmt.Printf("Added as %s. One-time password, to be changed at the first sign-in: %s\n", *role, password)
	return nil
}

// health asks the running console whether it is ready; containers call it.
func health(ctx context.Context, c config.Config, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(c.Listen)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the console does not answer at %s", c.Listen)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the console is not ready: %s", res.Status)
	}
	fmt.Fprintln(os.Stdout, "ready")
	return nil
}

// reachable turns an address that listens everywhere into one that can be called.
func reachable(listen string) string {
	host, port, ok := strings.Cut(listen, ":")
	if ok && (host == "" || host == "0.0.0.0") {
		return "127.0.0.1:" + port
	}
	return strings.Replace(listen, "[::]", "[::1]", 1)
}
