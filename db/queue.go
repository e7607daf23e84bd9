package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
)

// Jobs gives one page of the queue, the newest first. Of the page's cursors only the job's id counts. The queue serves both
// environments; a job names its delivery or lookup only where that is of env.
func (db *DB) Jobs(ctx context.Context, env lookup.Environment, f task.Filter, page lookup.Page) (list []task.Job, newer, older bool, err error) {
	order, backwards := river.SortOrderDesc, page.Before.ID != 0
	from := page.After.ID
	if backwards {
		order, from = river.SortOrderAsc, page.Before.ID
	}
	params := river.NewJobListParams().First(page.Limit+1).OrderBy(river.JobListOrderByID, order)
	if f.State != "" {
		params = params.States(rivertype.JobState(f.State))
	}
	if f.Kind != "" {
		params = params.Kinds(f.Kind)
	}
	if from != 0 {
		params = params.After(river.JobListCursorFromJob(&rivertype.JobRow{ID: from}))
	}
	found, err := db.jobs.JobList(ctx, params)
	if err != nil {
		return nil, false, false, fmt.Errorf("list the jobs: %w", err)
	}
	for _, row := range found.Jobs {
		list = append(list, jobOf(row))
	}
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, db.nameJobs(ctx, env, list)
}

func jobOf(row *rivertype.JobRow) task.Job {
	j := task.Job{ID: row.ID, Kind: row.Kind, State: task.State(row.State), Attempt: row.Attempt, MaxAttempts: row.MaxAttempts, CreatedAt: row.CreatedAt, At: row.ScheduledAt}
	switch {
	case row.FinalizedAt != nil:
		j.At = *row.FinalizedAt
	case row.State == rivertype.JobStateRunning && row.AttemptedAt != nil:
		j.At = *row.AttemptedAt
	}
	args := map[string]json.RawMessage{}
	_ = json.Unmarshal(row.EncodedArgs, &args) // of a kind that we do not know, perhaps
	for name, value := range args {
		j.Args = append(j.Args, task.Arg{Name: name, Value: Masked(string(value))})
	}
	slices.SortFunc(j.Args, func(a, b task.Arg) int { return strings.Compare(a.Name, b.Name) })
	if n := len(row.Errors); n > 0 {
		j.Error, j.ErrorAt = Masked(row.Errors[n-1].Error), row.Errors[n-1].At
	}
	return j
}

// nameJobs fills in what jobs are about.
func (db *DB) nameJobs(ctx context.Context, env lookup.Environment, list []task.Job) error {
	deliveries, attempts := make([]int64, len(list)), make([]int64, len(list))
	for i, j := range list {
		for _, a := range j.Args {
			id, _ := strconv.ParseInt(a.Value, 10, 64)
			switch a.Name {
			case "delivery_id":
				deliveries[i] = id
			case "attempt_id":
				attempts[i] = id
			}
		}
	}
	rows, err := db.pool.Query(ctx, `-- name: what jobs are about
select 'delivery', id, uid from deliveries where id = any($2) and environment = $1
union all
select 'attempt', a.id, l.uid from attempts a join lookups l on l.id = a.lookup_id where a.id = any($3) and l.environment = $1`, env, deliveries, attempts)
	if err != nil {
		return err
	}
	var what string
	var id int64
	var uid uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&what, &id, &uid}, func() error {
		for i := range list {
			if what == "delivery" && deliveries[i] == id {
				list[i].Delivery = uid
			} else if what == "attempt" && attempts[i] == id {
				list[i].Lookup = uid
			}
		}
		return nil
	})
	return err
}

// JobCounts counts the queue by state and kind, to limit in each state: what has long been completed is many rows. They are
// counted in the order of River's index, or a state that hardly any job is in would be looked for among all.
func (db *DB) JobCounts(ctx context.Context, limit int) ([]task.Count, error) {
	rows, err := db.pool.Query(ctx, `-- name: job counts
select j.kind, s.state, count(*)
  from unnest($1::text[]) s (state)
  cross join lateral (select kind from river_job where river_job.state = s.state::river_job_state order by queue, priority, scheduled_at, id limit $2) j
 group by 1, 2 order by 1, 2`, task.States, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[task.Count])
}

// DeadJobs counts the jobs that were given up, to limit.
func (db *DB) DeadJobs(ctx context.Context, limit int) (n int, err error) {
	err = db.pool.QueryRow(ctx, `-- name: dead jobs
select count(*) from (select 1 from river_job where state = 'discarded' limit $1) dead`, limit).Scan(&n)
	return n, err
}

// queueOnce hands a job to the queue, unless one with the same arguments waits there: what is paused and resumed at once has
// a job that only sleeps. That one is locked, so that it begins after the commit and does not end over what stood before.
// One that runs may be about to end, and does not count.
func (db *DB) queueOnce(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) error {
	encoded, err := json.Marshal(args)
	if err != nil {
		return err
	}
	var waits int64
	err = tx.QueryRow(ctx, `-- name: job that waits
select id from river_job where kind = $1 and args = $2::jsonb and state in ('available', 'pending', 'retryable', 'scheduled')
 order by id limit 1 for no key update`, args.Kind(), string(encoded)).Scan(&waits)
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	_, err = db.jobs.InsertTx(ctx, tx, args, opts)
	return err
}

// MostJobs is how many jobs one press acts on.
const MostJobs = 500

// JobsLike gives the ids of jobs that a filter lets through, up to MostJobs, the oldest first.
func (db *DB) JobsLike(ctx context.Context, f task.Filter) ([]int64, error) {
	params := river.NewJobListParams().First(MostJobs).OrderBy(river.JobListOrderByID, river.SortOrderAsc).States(rivertype.JobState(f.State))
	if f.Kind != "" {
		params = params.Kinds(f.Kind)
	}
	found, err := db.jobs.JobList(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	ids := make([]int64, len(found.Jobs))
	for i, row := range found.Jobs {
		ids[i] = row.ID
	}
	return ids, nil
}

// RetryJobs has jobs run now, those that can be, each with one more run if it had none left.
func (db *DB) RetryJobs(ctx context.Context, ids []int64, by audit.Actor) (n int, err error) {
	return db.eachJob(ctx, ids, audit.JobRetried, by, task.State.Retries, db.jobs.JobRetryTx)
}

// CancelJobs ends jobs that have not ended. One that runs is told to stop, wherever it runs.
func (db *DB) CancelJobs(ctx context.Context, ids []int64, by audit.Actor) (n int, err error) {
	return db.eachJob(ctx, ids, audit.JobCancelled, by, task.State.Cancels, db.jobs.JobCancelTx)
}

func (db *DB) eachJob(ctx context.Context, ids []int64, action audit.Action, by audit.Actor, may func(task.State) bool,
	do func(context.Context, pgx.Tx, int64) (*rivertype.JobRow, error)) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	ids = slices.Compact(slices.Sorted(slices.Values(ids))) // in one order, as everybody's locks
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		for _, id := range ids {
			row, err := db.jobs.JobGetTx(ctx, tx, id)
			if errors.Is(err, rivertype.ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			if !may(task.State(row.State)) {
				continue
			}
			if _, err := do(ctx, tx, id); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				return err
			}
			n++
			if err := record(ctx, tx, by, note{action: action, subject: strconv.FormatInt(id, 10), detail: row.Kind}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
