package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/config"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
	"cotejo/internal/vendors"
	"cotejo/web"
)

// serveSandbox runs the vendor in a box alone, until ctx ends.
func serveSandbox(ctx context.Context, c config.Config, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var running sync.WaitGroup
	box, err := startSandbox(ctx, &running, c, log)
	if err != nil {
		return err
	}
	fmt.Println(describe("http://"+c.SandboxListen, box.Credentials()))
	running.Wait()
	return nil
}

// startSandbox opens the sandbox's state and serves it; both end with ctx. log gets each call made to it.
func startSandbox(ctx context.Context, running *sync.WaitGroup, c config.Config, log *slog.Logger) (*sandbox.Server, error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", c.SandboxListen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: stop what runs there, or set COTEJO_SANDBOX_LISTEN to another address", c.SandboxListen)
	} else if err != nil {
		return nil, fmt.Errorf("COTEJO_SANDBOX_LISTEN: %w", err)
	}
	box, err := sandbox.Open(sandbox.Config{Dir: sandboxDir(c), Delay: c.SandboxDelay, RetryGap: c.SandboxRetryGap, Rate: c.SandboxRate,
		Log: log.With("part", "sandbox"), BaseURL: "http://" + c.SandboxListen})
	if err != nil {
		ln.Close()
		return nil, err
	}
	running.Go(func() {
		if err := (&web.Server{Handler: box.Handler(), Log: log}).Serve(ctx, ln); err != nil {
			log.Error("serve the sandbox", "error", err)
		}
	})
	running.Go(func() {
		err := box.Run(ctx)
		if err = errors.Join(err, box.Close()); err != nil {
			log.Error("run the sandbox", "error", err)
		}
	})
	return box, nil
}

// joinSandbox embeds the sandbox, or joins one that already answers at its address, and connects the console to it:
// a connection, and a webhook registered over HTTP like with the real vendor. It gives the lines to print.
func joinSandbox(ctx, background context.Context, running *sync.WaitGroup, c config.Config, store *db.DB, log *slog.Logger) (string, error) {
	base := "http://" + c.SandboxListen
	switch c.Sandbox.Mode {
	case config.SandboxOff:
		return "", nil
	case config.SandboxRemote:
		base = strings.TrimRight(c.Sandbox.URL.String(), "/")
	}
	instance, err := sandbox.Probe(ctx, base)
	if err != nil {
		return "", fmt.Errorf("what answers at %s is not our sandbox: set COTEJO_SANDBOX_LISTEN or COTEJO_SANDBOX to another address", base)
	}
	if instance == "" && c.Sandbox.Mode == config.SandboxRemote {
		return "", fmt.Errorf("no sandbox answers at %s: start `cotejo sandbox` there, or set COTEJO_SANDBOX", base)
	}
	var creds sandbox.Credentials
	if instance == "" {
		// What the console's own log says of a call is enough here.
		box, err := startSandbox(background, running, c, slog.New(slog.DiscardHandler))
		if err != nil {
			return "", err
		}
		creds = box.Credentials()
	} else if creds, err = sandbox.ReadCredentials(sandboxDir(c)); err != nil || creds.Instance != instance {
		return "", fmt.Errorf("the sandbox at %s belongs to another data directory: set COTEJO_DATA_DIR to its own, or COTEJO_SANDBOX_LISTEN to another address", base)
	}
	owner := instance == ""
	if err := connectSandbox(ctx, c, store, base, creds, owner); err != nil {
		return "", fmt.Errorf("connect to the sandbox: %w", err)
	}
	return describe(base, creds), nil
}

func describe(base string, creds sandbox.Credentials) string {
	return fmt.Sprintf("Sandbox at %s: API key %s, widget %s, Buró API key %s", base, creds.APIKey, creds.WidgetID, creds.BuroKey)
}

func sandboxDir(c config.Config) string { return c.DataDir + "/sandbox" }

// connectSandbox connects the console to both dialects of the sandbox, each with its webhook. Of several processes on one
// database, the one that runs the sandbox decides where its webhooks go.
func connectSandbox(ctx context.Context, c config.Config, store *db.DB, base string, creds sandbox.Credentials, owner bool) error {
	desk := vendors.Desk{DB: store, HooksURL: c.HooksURL.String()}
	for _, as := range []struct {
		connection.Connection
		key string
	}{
		{connection.Connection{Name: "Palenca", Dialect: lookup.Palenca, BaseURL: base + "/v1", WidgetID: creds.WidgetID}, creds.APIKey},
		{connection.Connection{Name: "Buró de Ingresos", Dialect: lookup.Buro, BaseURL: base}, creds.BuroKey},
	} {
		as.Environment, as.CallsPerMinute = lookup.Sandbox, connection.MaxCallsPerMinute
		stored, err := ensureConnection(ctx, store, as.Connection, as.key)
		if err == nil && strings.HasPrefix(stored.BaseURL, "http://") {
			err = desk.Join(ctx, stored, owner)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", as.Dialect, err)
		}
	}
	return nil
}

// ensureConnection stores a connection to the sandbox if there is none of its dialect, or the sandbox moved or has another
// key. One to the vendor's own host is an administrator's and stays.
func ensureConnection(ctx context.Context, store *db.DB, want connection.Connection, key string) (connection.Connection, error) {
	by := audit.Actor{Name: "cotejo"}
	stored, err := store.Connection(ctx, want.Environment, want.Dialect)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return store.SaveConnection(ctx, want, key, by)
	case err != nil || !strings.HasPrefix(stored.BaseURL, "http://"):
		return stored, err
	}
	if known, err := store.ConnectionKey(ctx, stored.ID); err == nil && known == key && stored.BaseURL == want.BaseURL {
		return stored, nil
	}
	stored.BaseURL, stored.WidgetID = want.BaseURL, want.WidgetID
	return store.SaveConnection(ctx, stored, key, by)
}

// newToken is the secret part of a hook's address: 256 random bits.
func newToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
