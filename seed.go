package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/config"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	plans "cotejo/internal/seed"
)

// seed fills the database with invented lookups and deliveries.
func seed(ctx context.Context, c config.Config, args []string) error {
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	lookups := flags.Int("lookups", 2000, "how many lookups to add")
	deliveries := flags.Int("deliveries", 6000, "how many deliveries to add with them")
	if err := flags.Parse(args); err != nil {
		return errors.Join(err, errUsage)
	}
	if *lookups < 1 || *deliveries < 0 || flags.NArg() > 0 {
		return fmt.Errorf("seed takes --lookups, one at least, and --deliveries: %w", errUsage)
	}
	s, err := openStore(ctx, &c, slog.Default(), nil)
	if err != nil {
		return err
	}
	defer s.close()
	// The invented analysts are users: after them, no first start would make an administrator any more.
	how, err := ensureAdministrator(ctx, c, s)
	if err != nil {
		return err
	}
	began := time.Now()
	plan := plans.Plan{Lookups: *lookups, Deliveries: *deliveries, Now: began}
	if err := fill(ctx, s.db, c, plan, os.Stderr); err != nil {
		return err
	}
	fmt.Printf("Added %d lookups and %d deliveries in %s; %s\n", *lookups, *deliveries, time.Since(began).Round(100*time.Millisecond), how)
	return nil
}

// fill adds a plan's lookups to the sandbox, connecting it first if nothing has, and tells w how far it is.
func fill(ctx context.Context, store *db.DB, c config.Config, plan plans.Plan, w io.Writer) error {
	hook, err := seedHook(ctx, store, c)
	if err != nil {
		return err
	}
	defer fmt.Fprintln(w)
	return store.Seed(ctx, hook, plan, func(done int) {
		fmt.Fprintf(w, "\r%d of %d lookups", done, plan.Lookups)
	})
}

// seedHook gives the sandbox's hook. On a new database it makes the connection that `cotejo serve` takes over with the
// key of its own sandbox, at the same address.
func seedHook(ctx context.Context, store *db.DB, c config.Config) (db.Subscription, error) {
	if err := store.MaySeed(ctx); err != nil {
		return db.Subscription{}, err
	}
	by := audit.Actor{Name: "command line"}
	at, err := store.Connection(ctx, lookup.Sandbox, lookup.Palenca)
	if errors.Is(err, db.ErrNotFound) {
		at, err = store.SaveConnection(ctx, connection.Connection{Name: "Palenca", Dialect: lookup.Palenca, Environment: lookup.Sandbox,
			BaseURL: "http://" + c.SandboxListen + "/v1", CallsPerMinute: connection.MaxCallsPerMinute}, newToken(), by)
	}
	if err != nil {
		return db.Subscription{}, err
	}
	_, token, err := store.HookToken(ctx, at.ID)
	if errors.Is(err, db.ErrNotFound) {
		token = newToken()
		_, err = store.AddSubscription(ctx, at, "Cotejo", token, palenca.LoginEvents)
	}
	if err != nil {
		return db.Subscription{}, err
	}
	return store.SubscriptionByToken(ctx, token)
}
