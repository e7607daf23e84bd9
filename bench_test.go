package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cotejo/db"
	measure "cotejo/internal/bench"
	"cotejo/internal/config"
	"cotejo/internal/localpg"
	plans "cotejo/internal/seed"
)

// The bench starts servers as processes of their own. In its test they are this test program, told so by a variable.
const asServer = "COTEJO_TEST_SERVE"

func init() {
	what := os.Getenv(asServer)
	if what == "" {
		return
	}
	settings, err := config.Load(environ())
	if err == nil && len(os.Args) > 1 && os.Args[1] == "bench" {
		err = bench(context.Background(), settings, os.Args[2:])
	} else if err == nil {
		err = serve(context.Background(), settings, nil)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

func TestBenchRunsThrough(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL and servers")
	}
	t.Setenv(asServer, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var progress strings.Builder
	settings := config.Config{SandboxListen: "127.0.0.1:8090"}
	report, err := measure.Run(t.Context(), measure.Options{
		Serve: []string{self, "serve"}, Bare: []string{self, "bench", "--bare-server"}, Quick: true, Log: &progress, Version: "test",
		Fill: func(ctx context.Context, store *db.DB, plan plans.Plan) error {
			return fill(ctx, store, settings, plan, &progress)
		},
	})
	if errors.Is(err, localpg.ErrNoBinaries) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, needs PostgreSQL: %v", err)
	} else if err != nil {
		t.Fatal(err, progress.String())
	}
	for _, f := range report.Figures {
		if f.Value <= 0 && f.Unit != "MiB" || f.Limit < 0 || f.Limit > 0 && f.LimitIs == "" {
			t.Errorf("%+v", f)
		}
		if f.Unit == "ms" && f.Value > float64(time.Minute.Milliseconds()) {
			t.Errorf("%s: %v ms", f.What, f.Value)
		}
	}
	if len(report.Figures) < 12 || len(report.Pages) != 17 || len(report.Sweeps) != 4 || len(report.Seeds) != 2 {
		t.Errorf("%d figures, %d pages, %d seeds", len(report.Figures), len(report.Pages), len(report.Seeds))
	}

	doc := filepath.Join(t.TempDir(), "benchmarks.md")
	b, err := os.ReadFile("docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(doc, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over its own figures
		if err := report.WriteInto(doc); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(b), "<!--")
	if text := string(written); !strings.HasPrefix(text, head) || strings.Count(text, "| Webhooks acknowledged, receiving alone |") != 1 {
		t.Errorf("the document reads:\n%s", text)
	}
	if err := report.WriteInto(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("figures went into a document that is not there")
	}
}

func TestSeedRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--lookups", "0"}, {"--deliveries", "-1"}, {"ten"}, {"--lookups", "x"}} {
		if err := seed(t.Context(), config.Config{}, args); exitCode(err) != 2 {
			t.Errorf("seed %v: %v", args, err)
		}
	}
	for _, args := range [][]string{{"--fast"}, {"now"}, {"--lookups", "-1"}} {
		if err := bench(t.Context(), config.Config{}, args); exitCode(err) != 2 {
			t.Errorf("bench %v: %v", args, err)
		}
	}
}
