package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// account is one that the vendor may tell of.
type account struct{ ID, Attempt, User string }

// accounts gives the newest accounts known; open: those without an outcome.
func (r *run) accounts(ctx context.Context, open bool, n int) ([]account, error) {
	return each[account](ctx, r.db, `-- name: bench accounts
select account_id, uid::text, vendor_user_id from attempts
 where account_id <> '' and (status = 'pending' or not $1) order by id desc limit $2`, open, n)
}

// body is an event as the vendor words it. nonce makes every body's bytes its own.
func (a account) body(action, detail string, nonce int64) string {
	return fmt.Sprintf(`{"webhook_url":"https://bench.invalid/hooks/%d","data":{"user_id":"%s","account_id":"%s","external_id":"%s","platform":"imss","status_details":"%s","webhook_action":"%s"}}`,
		nonce, a.User, a.ID, a.Attempt, detail, action)
}

var nonces atomic.Int64

// deliveries measures how many webhooks are acknowledged, each after its commit, and how many a server acknowledges
// that does nothing but one INSERT of the same bytes.
func (r *run) deliveries(ctx context.Context) error {
	known, err := r.accounts(ctx, false, 20_000)
	if err != nil {
		return err
	}
	if _, err := r.db.Pool().Exec(ctx, `-- name: bench table
create table if not exists bench_bare (id bigint generated always as identity primary key, received_at timestamptz not null default clock_timestamp(), body bytea not null)`); err != nil {
		return err
	}
	bare, err := r.start(ctx, r.Bare, r.url, "/")
	if err != nil {
		return err
	}
	defer bare.stop()
	alone, err := r.console(ctx, r.url, 0)
	if err != nil {
		return err
	}
	defer alone.stop()
	var limit, storing, working burst
	for range r.repeats {
		for _, one := range []struct {
			to   *process
			path string
			into *burst
		}{{bare, "/", &limit}, {alone, "/hooks/" + r.token, &storing}} {
			got, err := r.burst(ctx, one.to, one.path, known)
			if err != nil {
				return err
			}
			one.into.add(got)
		}
	}
	alone.stop()
	// What was only stored would keep the workers busy for longer than the rest of the bench takes.
	if _, err := r.db.Pool().Exec(ctx, `-- name: bench forget jobs
truncate river_job`); err != nil {
		return err
	}
	whole, err := r.console(ctx, r.url, 8)
	if err != nil {
		return err
	}
	defer whole.stop()
	var applied samples
	for range r.repeats {
		began := time.Now()
		got, err := r.burst(ctx, whole, "/hooks/"+r.token, known)
		if err != nil {
			return err
		}
		working.add(got)
		if err := r.drain(ctx); err != nil { // so that each burst begins alike
			return err
		}
		applied = append(applied, float64(got.sent)/time.Since(began).Seconds())
	}
	bareRate, bareMS := limit.rates.median(), limit.took
	r.out.add(Figure{What: "Webhooks acknowledged, receiving alone", Value: storing.rates.median(), Unit: "/s", Limit: bareRate, LimitIs: "bare server, one INSERT each"})
	r.out.add(Figure{What: "Webhooks acknowledged, events applied meanwhile", Value: working.rates.median(), Unit: "/s", Limit: bareRate, LimitIs: "bare server, one INSERT each"})
	for _, p := range []int{50, 99} {
		r.out.add(Figure{What: fmt.Sprintf("Time to acknowledge, receiving alone, p%d", p), Value: storing.took.percentile(p), Unit: "ms", Limit: bareMS.percentile(p), LimitIs: "bare server"})
	}
	for _, p := range []int{50, 99} {
		r.out.add(Figure{What: fmt.Sprintf("Time to acknowledge, events applied meanwhile, p%d", p), Value: working.took.percentile(p), Unit: "ms", Limit: bareMS.percentile(p), LimitIs: "bare server"})
	}
	r.out.add(Figure{What: "Events received and applied, burst and backlog", Value: applied.median(), Unit: "/s"})
	return nil
}

// burst is what came of sending for a while.
type burst struct {
	sent  int     // all, the warm-up too
	rates samples // acknowledged per second, one for each run
	took  samples // milliseconds, of each request
}

func (b *burst) add(other burst) {
	b.sent += other.sent
	b.rates, b.took = append(b.rates, other.rates...), append(b.took, other.took...)
}

// burst sends from several clients at once; the first tenth of a second warms connections and is not counted. Each client
// counts at least one request.
func (r *run) burst(ctx context.Context, to *process, path string, known []account) (burst, error) {
	var wg sync.WaitGroup
	results := make([]samples, r.clients)
	failed := make([]error, r.clients)
	var sent atomic.Int64
	warm := time.Now().Add(100 * time.Millisecond)
	end := warm.Add(r.size.burst)
	for i := range r.clients {
		wg.Go(func() {
			for {
				n := nonces.Add(1)
				body := known[n%int64(len(known))].body("login.created", "pending_for_data", n)
				began := time.Now()
				if began.After(end) && len(results[i]) > 0 { // a busy machine may take the whole time for one
					return
				}
				status, _, err := to.do(ctx, http.MethodPost, path, "application/json", strings.NewReader(body))
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("a delivery was answered %d", status)
				}
				if err != nil {
					failed[i] = err
					return
				}
				sent.Add(1)
				if began.After(warm) {
					results[i] = append(results[i], millis(time.Since(began)))
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(warm)
	if err := errors.Join(failed...); err != nil {
		return burst{}, err
	}
	var all samples
	for _, s := range results {
		all = append(all, s...)
	}
	return burst{sent: int(sent.Load()), rates: samples{float64(len(all)) / took.Seconds()}, took: all}, nil
}

// drain waits until the workers have nothing left.
func (r *run) drain(ctx context.Context) error {
	for {
		var waiting int
		if err := r.db.Pool().QueryRow(ctx, `-- name: bench queue
select count(*) from river_job where kind = 'process_delivery' and state in ('available', 'running', 'retryable', 'scheduled')`).Scan(&waiting); err != nil {
			return err
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// poolSize is the console's, so that both servers put the same load on the database.
const poolSize = 16

// ServeBare is the limit for webhooks: a server that does one INSERT of the body and answers 200. It ends with ctx.
func ServeBare(ctx context.Context, url, listen string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	config.MaxConns = poolSize
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Method == http.MethodPost {
			_, err = pool.Exec(r.Context(), `-- name: bare insert
insert into bench_bare (body) values ($1)`, body)
		}
		if err != nil {
			http.Error(w, "not stored", http.StatusServiceUnavailable)
		}
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
