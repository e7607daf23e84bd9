package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/config"
	"cotejo/internal/jobs"
	"cotejo/internal/live"
	"cotejo/internal/vendors"
	"cotejo/static"
	"cotejo/web"
	"cotejo/web/metrics"
)

// Order of an end: no more jobs, streams, requests, pool, and PostgreSQL last.
const (
	jobsGrace    = 10 * time.Second
	startTimeout = 2 * time.Minute
)

// serve runs the console until ctx ends.
func serve(ctx context.Context, c config.Config, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	slog.SetDefault(log)
	// Ports first: two consoles on one port is the usual mistake, and it should not cost a start of PostgreSQL.
	listeners, err := listen(c)
	if err != nil {
		return err
	}
	defer listeners.close()

	meter := metrics.New("cotejo")
	statements := duration(meter.Registry(), "cotejo_statement_seconds", "Time of database statements by name.", "name")
	works := duration(meter.Registry(), "cotejo_job_seconds", "Time of job runs by kind.", "kind")

	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s, err := openStore(starting, &c, log, func(name string, took time.Duration, err error) {
		statements.WithLabelValues(name, outcome(err)).Observe(took.Seconds())
	})
	if err != nil {
		return err
	}
	defer s.close()
	howToSignIn, err := ensureAdministrator(starting, c, s)
	if err != nil {
		return err
	}

	// What runs in the background ends after the requests that need it.
	background, endBackground := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer endBackground()

	hub := live.New(s.db.Pool(), db.Channel, s.db.LookupRow, log)
	hub.FollowDeliveries(db.DeliveryPrefix, s.db.DeliveryChanges)
	running.Go(func() { hub.Run(background) })

	assets, err := web.NewAssets(static.Dist())
	if err != nil {
		return err
	}
	if !assets.Built() {
		log.Warn("assets not built: pages are plain HTML without styles and live updates; run make assets")
	}
	streams := &web.Streams{}
	meter.WatchStreams("cotejo", streams)
	console := handlers.New(handlers.Options{
		DB: s.db, Hub: hub, Log: log, Assets: assets, PublicURL: c.PublicURL.String(), HooksURL: c.HooksURL.String(), Secure: c.Secure(),
		Trusted: web.RemoteAddr(c.TrustedProxies), Vendor: vendors.Desk{DB: s.db, HooksURL: c.HooksURL.String()}, Sandbox: newSwitchboard(c, s.db), Metrics: meter.Registry(), Observe: meter.Observe, Streams: streams, Read: jobs.ReadEvent, Dev: c.Dev,
	})
	handler, err := console.Handler()
	if err != nil {
		return err
	}
	serving, endServing := context.WithCancel(context.WithoutCancel(ctx))
	defer endServing()
	failed := make(chan error, 3)
	var requests sync.WaitGroup
	start := func(ln net.Listener, h http.Handler) {
		if ln == nil {
			return
		}
		requests.Go(func() {
			if err := (&web.Server{Handler: h, Log: log}).Serve(serving, ln); err != nil {
				failed <- err
			}
		})
	}
	start(listeners.pages, handler)
	start(listeners.hooks, console.HooksHandler())
	start(listeners.metrics, metricsMux(meter))

	var runner *jobs.Runner
	if c.Workers > 0 {
		if runner, err = jobs.Start(background, jobs.Config{DB: s.db, Log: log, Workers: c.Workers,
			After: func(kind string, took time.Duration, err error) {
				works.WithLabelValues(kind, outcome(err)).Observe(took.Seconds())
			}}); err != nil {
			return err
		}
	}
	about, err := joinSandbox(starting, background, &running, c, s.db, log)
	if err != nil {
		endServing()
		requests.Wait()
		return err
	}
	ready(c, howToSignIn, about)

	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-failed:
	}
	if runner != nil {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobsGrace)
		defer cancel()
		if stopErr := runner.Stop(grace); stopErr != nil {
			log.Warn("jobs were cut off; they run again elsewhere or at the next start", "error", stopErr)
		}
	}
	endServing()
	requests.Wait()
	return err
}

func ready(c config.Config, howToSignIn, sandbox string) {
	if sandbox != "" {
		fmt.Println(sandbox)
	}
	fmt.Printf("Cotejo is ready at %s: %s\n", c.PublicURL, howToSignIn)
}

// listenersOf are the addresses served; hooks and metrics may be nil.
type listenersOf struct{ pages, hooks, metrics net.Listener }

func (l listenersOf) close() {
	for _, ln := range []net.Listener{l.pages, l.hooks, l.metrics} {
		if ln != nil {
			ln.Close()
		}
	}
}

func listen(c config.Config) (l listenersOf, err error) {
	for _, one := range []struct {
		setting, address string
		into             *net.Listener
	}{
		{"COTEJO_LISTEN", c.Listen, &l.pages},
		{"COTEJO_HOOKS_LISTEN", c.HooksListen, &l.hooks},
		{"COTEJO_METRICS_LISTEN", c.MetricsListen, &l.metrics},
	} {
		if one.address == "" {
			continue
		}
		if *one.into, err = net.Listen("tcp", one.address); err != nil {
			l.close()
			if errors.Is(err, syscall.EADDRINUSE) {
				return l, fmt.Errorf("%s is in use, perhaps by another Cotejo: stop it, or set %s to another address", one.address, one.setting)
			}
			return l, fmt.Errorf("%s: %w", one.setting, err)
		}
	}
	return l, nil
}

func metricsMux(m *metrics.Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	return mux
}

func duration(reg prometheus.Registerer, name, help, label string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{label, "outcome"})
	reg.MustRegister(h)
	return h
}

func outcome(err error) string {
	var snooze *river.JobSnoozeError
	if errors.As(err, &snooze) {
		return "snoozed" // it waits for its turn; nothing failed
	}
	if err != nil {
		return "error"
	}
	return "ok"
}
