package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"cotejo/db"
	measure "cotejo/internal/bench"
	"cotejo/internal/config"
	plans "cotejo/internal/seed"
)

// bench measures this machine, with a PostgreSQL and a console of its own, and prints each figure with its limit.
func bench(ctx context.Context, c config.Config, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "small data and short runs, to see that it works")
	lookups := flags.Int("lookups", 0, "lookups of the larger database; 0 for 200,000")
	deliveries := flags.Int("deliveries", 0, "its deliveries; 0 for five to a lookup")
	dir := flags.String("dir", "", "keep the databases in this folder, and use those that are there")
	into := flags.String("write", "", "also write the figures into this document")
	bare := flags.Bool("bare-server", false, "be the server that the webhooks are compared with (the bench starts it itself)")
	if err := flags.Parse(args); err != nil {
		return errors.Join(err, errUsage)
	}
	if flags.NArg() > 0 || *lookups < 0 || *deliveries < 0 {
		return errUsage
	}
	if *bare {
		return measure.ServeBare(ctx, string(c.DatabaseURL), c.Listen)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	report, err := measure.Run(ctx, measure.Options{
		Serve: []string{self, "serve"}, Bare: []string{self, "bench", "--bare-server"}, Quick: *quick, Lookups: *lookups, Deliveries: *deliveries, Dir: *dir, PGBin: c.PGBin, Log: os.Stderr, Version: version,
		Fill: func(ctx context.Context, store *db.DB, plan plans.Plan) error {
			return fill(ctx, store, c, plan, os.Stderr)
		},
	})
	if report != nil {
		report.Markdown(os.Stdout)
	}
	if err != nil {
		return err
	}
	if *into != "" {
		return report.WriteInto(*into)
	}
	return nil
}
