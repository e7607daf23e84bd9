package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/config"
	"cotejo/internal/localpg"
)

// store is the database a command works on, with the PostgreSQL under it when that is ours.
type store struct {
	url     string
	cluster *localpg.Cluster // nil with DATABASE_URL
	db      *db.DB
}

// openStore starts or joins the database, brings its schema up and unlocks the secrets in it.
func openStore(ctx context.Context, c *config.Config, log *slog.Logger, trace db.Trace) (_ *store, err error) {
	s, err := startStore(ctx, *c, log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := db.Migrate(ctx, s.url); err != nil {
		return nil, err
	}
	if err := c.EnsureSecretKey(); err != nil {
		return nil, err
	}
	if s.db, err = db.Open(ctx, s.url, trace); err != nil {
		return nil, err
	}
	return s, s.db.UnlockSecrets(ctx, c.SecretKey)
}

// startStore gives the address of a PostgreSQL that answers.
func startStore(ctx context.Context, c config.Config, log *slog.Logger) (*store, error) {
	if !c.Local() {
		return &store{url: string(c.DatabaseURL)}, nil
	}
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil { // the child user of the local PostgreSQL has to pass through
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	cluster, err := localpg.Start(ctx, localpg.Options{Dir: c.DataDir, Bin: c.PGBin, Log: log})
	if err != nil {
		return nil, err
	}
	return &store{url: cluster.URL(), cluster: cluster}, nil
}

// close closes the pool first and stops PostgreSQL last, if it is ours to stop.
func (s *store) close() {
	if s.db != nil {
		s.db.Close()
	}
	if s.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.cluster.Stop(ctx); err != nil {
		slog.Error("stop PostgreSQL", "error", err)
	}
}

// ensureAdministrator makes the first administrator on a new console and tells how to sign in. A generated password is
// shown on a terminal only; elsewhere output ends up in logs, so it goes to a file that only this user can read.
func ensureAdministrator(ctx context.Context, c config.Config, s *store) (how string, err error) {
	password, generated := string(c.AdminPassword), false
	if password == "" {
		password, generated = newPassword(), true
	}
	hash, err := handlers.HashPassword(password)
	if err != nil {
		return "", err
	}
	added, err := s.db.FirstAdministrator(ctx, c.AdminEmail, hash, generated)
	if err != nil {
		return "", err
	}
	path := passwordFile(c)
	switch {
	case added && !generated:
		return fmt.Sprintf("sign in as %s with COTEJO_ADMIN_PASSWORD", c.AdminEmail), nil
	case added && term.IsTerminal(int(os.Stdout.Fd())):
		return fmt.Sprintf("sign in as %s with the password %s (shown this once, to be changed at the first sign-in)", c.AdminEmail, password), nil
	case added:
		if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("keep the administrator's password: %w", err)
		}
		return fmt.Sprintf("sign in as %s with the password in %s (to be changed at the first sign-in)", c.AdminEmail, path), nil
	}
	if _, err := os.Stat(path); err == nil {
		if fresh, err := s.db.NobodySignedIn(ctx); err == nil && fresh {
			return fmt.Sprintf("sign in as %s with the password in %s", c.AdminEmail, path), nil
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			slog.Warn("remove the used first password", "error", err)
		}
	}
	return "sign in with your account", nil
}
