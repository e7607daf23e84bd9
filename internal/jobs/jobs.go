// Package jobs works the queue: what each kind of job does. Jobs hold ids only; what they do to our data is one method
// of package db each, so that a job that dies anywhere can simply run again.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"cotejo/db"
	"cotejo/internal/task"
)

// A job that takes longer than JobTimeout is cancelled; one whose process died is taken up again after RescueAfter.
const (
	JobTimeout  = 30 * time.Second
	RescueAfter = 60 * time.Second
)

// Jobs are fetched as many at a time as workers are free, so the pause between two fetches bounds how many are worked in a
// second: River's own of 100 ms would be 80 for eight workers. River announces at most one new job of a queue per 100 ms
// and process; one that is committed just after the fetch which that brought would wait for the next look.
const (
	fetchEvery = 5 * time.Millisecond
	lookEvery  = 200 * time.Millisecond
)

// Config is what the workers need.
type Config struct {
	DB      *db.DB
	HTTP    *http.Client                                     // towards the vendor; nil: the client's own
	Workers int                                              // jobs worked at once; 0: 8
	Log     *slog.Logger                                     // warnings and errors, with ids only
	Retry   func(attempt int) time.Duration                  // pause after a failed run; nil: River's, which grows to hours
	After   func(kind string, took time.Duration, err error) // told of each run, for the metrics; nil: nobody is
	Now     func() time.Time                                 // when attempts are overdue; nil: time.Now
}

// Runner works the queue until it is stopped.
type Runner struct{ client *river.Client[pgx.Tx] }

// Start begins to work the queue.
func Start(ctx context.Context, c Config) (*Runner, error) {
	if c.Workers == 0 {
		c.Workers = 8
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	v := &vendor{db: c.DB, http: c.HTTP}
	workers := river.NewWorkers()
	river.AddWorker(workers, &createAccount{vendor: v})
	river.AddWorker(workers, &processDelivery{db: c.DB})
	river.AddWorker(workers, &fetchProfile{vendor: v})
	river.AddWorker(workers, &fetchEmployment{vendor: v})
	river.AddWorker(workers, &fetchEntity{vendor: v})
	river.AddWorker(workers, &tidy{db: c.DB})
	river.AddWorker(workers, &settleOverdue{db: c.DB, now: c.Now})
	river.AddWorker(workers, &askVendor{vendor: v, now: c.Now})
	river.AddWorker(workers, &compareHooks{vendor: v})
	river.AddWorker(workers, &runReplay{db: c.DB})
	river.AddWorker(workers, &runBulk{db: c.DB})
	river.AddWorker(workers, &refreshOutbound{vendor: v})
	river.AddWorker(workers, &makeExport{db: c.DB})
	river.AddWorker(workers, &resumeExports{db: c.DB})
	config := &river.Config{
		Queues: map[string]river.QueueConfig{
			// Calls to the vendor wait on the network; a slow vendor must not hold back what it sends us.
			task.QueueVendor:   {MaxWorkers: c.Workers, FetchCooldown: fetchEvery, FetchPollInterval: lookEvery},
			task.QueueDelivery: {MaxWorkers: c.Workers, FetchCooldown: fetchEvery, FetchPollInterval: lookEvery},
			task.QueueUpkeep:   {MaxWorkers: 1},
			task.QueueReplay:   {MaxWorkers: 1},
			task.QueueBulk:     {MaxWorkers: 2},
			task.QueueExport:   {MaxWorkers: exportAtOnce},
		},
		Workers:              workers,
		JobTimeout:           JobTimeout,
		RescueStuckJobsAfter: RescueAfter,
		Logger:               slog.New(atLeast{slog.LevelWarn, c.Log.Handler()}),
		PeriodicJobs: []*river.PeriodicJob{
			periodic(time.Hour, task.Tidy{}, true),
			periodic(overdueEvery, task.SettleOverdue{}, true),
			// Not at the start: the first thing a new console does is to register its hook.
			periodic(10*time.Minute, task.CompareHooks{}, false),
			periodic(time.Hour, task.RefreshOutbound{}, true),
			periodic(resumeEvery, task.ResumeExports{}, true),
		},
	}
	if c.Retry != nil {
		config.RetryPolicy = retryAfter(c.Retry)
	}
	config.Middleware = []rivertype.Middleware{&plain{}, &yielding{}}
	if c.After != nil {
		config.Middleware = append(config.Middleware, &told{after: c.After})
	}
	client, err := river.NewClient(riverpgxv5.New(c.DB.Pool()), config)
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	// The runner outlives ctx's cancellation until Stop, so that running jobs can finish.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("start the workers: %w", err)
	}
	return &Runner{client}, nil
}

func periodic(every time.Duration, args river.JobArgs, atStart bool) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every), func() (river.JobArgs, *river.InsertOpts) {
		return args, &river.InsertOpts{Queue: task.QueueUpkeep}
	}, &river.PeriodicJobOpts{RunOnStart: atStart})
}

// Stop takes no more jobs, lets running ones finish until ctx ends, and then cancels them; they run again elsewhere.
func (r *Runner) Stop(ctx context.Context) error {
	err := r.client.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return r.client.StopAndCancel(last)
	}
	return err
}

// retryAfter lets tests and impatient operators choose the pause between runs.
type retryAfter func(attempt int) time.Duration

// NextRetry satisfies river.ClientRetryPolicy.
func (p retryAfter) NextRetry(job *rivertype.JobRow) time.Time { return time.Now().Add(p(job.Attempt)) }

type told struct {
	river.MiddlewareDefaults
	after func(string, time.Duration, error)
}

// Work times a run.
func (m *told) Work(ctx context.Context, job *rivertype.JobRow, do func(context.Context) error) error {
	began := time.Now()
	err := do(ctx)
	m.after(job.Kind, time.Since(began), err)
	return err
}

// atLeast keeps River's own progress notes out of our log.
type atLeast struct {
	level slog.Level
	slog.Handler
}

// Enabled satisfies slog.Handler.
func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// calmFor is how many attempts at its own upkeep may fail before it is an error: River tries again after a second or two.
const calmFor = 2

// Handle takes two things calmly: an attempt at River's own upkeep that it makes again by itself, and a leader that could
// not say goodbye in its second, for its term ends by itself.
func (h atLeast) Handle(ctx context.Context, r slog.Record) error {
	if r.Level > slog.LevelWarn && (strings.Contains(r.Message, "Error attempting to resign") || triedAgain(r)) {
		r.Level = slog.LevelWarn
	}
	return h.Handler.Handle(ctx, r)
}

func triedAgain(r slog.Record) (again bool) {
	r.Attrs(func(a slog.Attr) bool {
		again = a.Key == "attempt" && a.Value.Kind() == slog.KindInt64 && a.Value.Int64() <= calmFor
		return !again
	})
	return again
}

type tidy struct {
	river.WorkerDefaults[task.Tidy]
	db *db.DB
}

// Work drops what has outlived its purpose.
func (w *tidy) Work(ctx context.Context, _ *river.Job[task.Tidy]) error { return w.db.Tidy(ctx) }
