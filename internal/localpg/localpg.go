// Package localpg is the PostgreSQL that needs no setting up: it finds the
// installed binaries, makes a cluster under Cotejo's data directory once, and
// runs it as a child on a private unix socket for as long as Cotejo runs.
//
// Every process of one data directory meets at one lock file. Who holds it owns
// the server; everyone else attaches. When the owner goes, an attached process
// that is still running takes the lock, starts the server again and carries on,
// so `cotejo seed` ending never leaves `cotejo serve` without a database.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	database = "cotejo"
	role     = "cotejo"
	port     = "5432" // only the suffix of the socket's name: there is no TCP listener

	startLimit = 2 * time.Minute
	poll       = 30 * time.Millisecond
)

// Options say where the cluster lives and how it runs.
type Options struct {
	// Dir is Cotejo's data directory; the cluster is Dir/postgres. Empty: Dir().
	Dir string
	// Bin is the folder that holds initdb and postgres. Empty: they are looked for.
	Bin string
	// Log receives one line per start, stop and take-over. Nil: slog.Default().
	Log *slog.Logger
	// Fast gives up durability (fsync off) and raises the connection limit. Tests only.
	Fast bool
}

// Cluster is a PostgreSQL that answers. It is safe for concurrent use.
type Cluster struct {
	opts Options
	at   layout
	as   account
	log  *slog.Logger

	mu      sync.Mutex
	lock    *os.File // held while this process owns the server
	server  *server  // nil while attached
	stopped bool

	stopWaiting context.CancelFunc // ends the wait for the lock
	waited      chan struct{}      // closed when that wait has ended
}

// Start returns a PostgreSQL of o.Dir that answers queries on the database
// "cotejo". If another Cotejo process already runs it, Start attaches: it then
// neither starts nor stops anything while that process lives. When that process
// ends, connections break for a moment and the server is started again from here. A server left over
// from a killed process is stopped first, and its stale lock file is no obstacle.
//
// Errors are single sentences meant for the person at the terminal; missing or
// too old binaries give ErrNoBinaries.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Dir == "" {
		o.Dir = Dir()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", o.Dir, err)
	}
	as, err := accountFor(dir)
	if err != nil {
		return nil, err
	}
	at, as, err := prepare(dir, as)
	if err != nil {
		return nil, err
	}
	c := &Cluster{opts: o, at: at, as: as, log: o.Log}

	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		owned, err := c.own(ctx)
		if err != nil {
			return nil, err
		}
		if owned {
			return c, nil
		}
		// The holder may still be making the cluster, or may be on its way out:
		// either it answers or its lock becomes ours.
		if c.ping(ctx, database) == nil {
			c.log.Info("local PostgreSQL attached", "dir", at.root)
			c.waitForLock()
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another cotejo process holds %s but its PostgreSQL does not answer: %w", at.lock, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// URL is the connection string of the application's database, without a secret:
// the socket's folder is closed to everyone but the owner.
func (c *Cluster) URL() string { return c.url(database) }

// Owned tells whether this process runs the server (false: attached).
func (c *Cluster) Owned() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server != nil
}

// Stop ends the server with a fast shutdown if this process owns it, and gives
// up the lock either way. When ctx ends first the server is told to quit at once
// (it recovers from its log at the next start). Calling Stop again is harmless.
func (c *Cluster) Stop(ctx context.Context) error {
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	c.stopped = true
	cancel, waited := c.stopWaiting, c.waited
	c.mu.Unlock()
	if cancel != nil { // outside the mutex: a take-over in progress needs it
		cancel()
		<-waited
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.server != nil {
		err = c.server.stop(ctx)
		c.server = nil
		c.log.Info("local PostgreSQL stopped", "dir", c.at.root)
	}
	c.unlock()
	return err
}

// own takes the lock if it is free and starts the server; false means that
// another process holds it.
func (c *Cluster) own(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := tryLock(c.at.lock)
	if err != nil || f == nil {
		return false, err
	}
	c.lock = f
	began := time.Now()
	if err := c.launch(ctx); err != nil {
		c.unlock()
		return false, err
	}
	c.log.Info("local PostgreSQL started", "dir", c.at.root, "duration", time.Since(began).Round(time.Millisecond))
	return true, nil
}

// waitForLock takes over when the owner has gone. Polling, because a blocking
// flock cannot be called off.
func (c *Cluster) waitForLock() {
	ctx, cancel := context.WithCancel(context.Background())
	c.stopWaiting, c.waited = cancel, make(chan struct{})
	go func() {
		defer close(c.waited)
		tick := time.NewTicker(10 * poll)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			owned, err := c.own(ctx)
			if owned {
				return
			}
			if err != nil && ctx.Err() == nil {
				c.log.Error("local PostgreSQL cannot be taken over", "dir", c.at.root, "error", err)
				tick.Reset(time.Second) // say it once a second at most
			}
		}
	}()
}

// launch makes the cluster if there is none, clears what a killed process left,
// starts the server and sees to the database. The caller holds lock and mutex.
func (c *Cluster) launch(ctx context.Context) error {
	bin, err := find(c.opts.Bin, dataMajor(c.at.data))
	if err != nil {
		return err
	}
	if err := c.initialise(ctx, bin); err != nil {
		return err
	}
	if err := clearPrevious(ctx, c.at); err != nil {
		return err
	}
	for began := time.Now(); ; {
		srv, err := startServer(bin.tool("postgres"), c.serverArgs(), c.at, c.as)
		if err != nil {
			return err
		}
		if err = c.awaitReady(ctx, srv); err == nil {
			go srv.watch(c.log, c.at)
			c.server = srv
			return nil
		}
		// Whatever the caller's deadline, the child must not be left behind.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err = errors.Join(err, srv.stop(end))
		cancel()
		if !errors.Is(err, errLastOnesLeaving) || time.Since(began) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(poll):
		}
	}
}

// patience is how long the backends of a killed server may take to notice: one that is busy notices when it is done.
const patience = 30 * time.Second

// errLastOnesLeaving means that a server was killed and its backends, which notice it by themselves, are not all gone:
// they still hold the memory that they share, and PostgreSQL starts only without them.
var errLastOnesLeaving = errors.New("a killed PostgreSQL has not ended yet")

// awaitReady waits until the server answers and makes the database if it is new.
func (c *Cluster) awaitReady(ctx context.Context, srv *server) error {
	for {
		if c.ping(ctx, "postgres") == nil {
			return c.createDatabase(ctx)
		}
		select {
		case <-srv.done:
			all, why := srv.words(c.at)
			if strings.Contains(all, "shared memory block") && strings.Contains(all, "still in use") {
				return fmt.Errorf("%w; it says in %s: %s", errLastOnesLeaving, c.at.log, why)
			}
			return fmt.Errorf("PostgreSQL ended while starting; it says in %s: %s", c.at.log, why)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer in time, see %s: %w", c.at.log, ctx.Err())
		case <-time.After(poll):
		}
	}
}

func (c *Cluster) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the local PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	err = conn.QueryRow(ctx, `select exists (select 1 from pg_database where datname = $1)`, database).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, `create database `+database)
	}
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}

func (c *Cluster) ping(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url(name))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// url spells out port and role, so that PGPORT or PGUSER in somebody's shell
// cannot lead elsewhere.
func (c *Cluster) url(name string) string {
	q := url.Values{"host": {c.at.run}, "port": {port}, "user": {role}}
	return "postgres:///" + name + "?" + q.Encode()
}

func (c *Cluster) unlock() {
	if c.lock != nil {
		_ = c.lock.Close() // closing the only descriptor releases the lock
		c.lock = nil
	}
}
