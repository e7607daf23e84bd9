package handlers_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/jobs"
	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/sandbox"
	"cotejo/internal/seal"
	"cotejo/internal/testdb"
	"cotejo/internal/vendors"
	"cotejo/static"
	"cotejo/web"
)

// Two of the vendor's published test people (docs/vendor.md#sandbox).
const (
	alejandro = "GATA000408HTLRLLA7"
	eduardo   = "LALE870908HDFRPD02"
)

const password = "correct horse battery"

var passwordHash = sync.OnceValue(func() string {
	hash, err := handlers.HashPassword(password)
	if err != nil {
		panic(err)
	}
	return hash
})

// console is a whole Cotejo on a port of its own, put together as serve does it.
type console struct {
	*db.DB
	*handlers.Console
	t       *testing.T
	dbURL   string
	site    *httptest.Server
	metrics *prometheus.Registry
	box     *sandbox.Server // nil without a vendor
	boxURL  string
	conn    connection.Connection
	token   string        // of the hook
	ran     chan struct{} // signalled when a job has run
	log     journal
}

// open starts a console without a vendor's connection.
func open(t *testing.T, change ...func(*handlers.Options)) *console {
	t.Helper()
	c := &console{t: t, dbURL: testdb.URL(t), metrics: prometheus.NewRegistry(), ran: make(chan struct{}, 1)}
	var err error
	if c.DB, err = db.Open(t.Context(), c.dbURL, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.DB.Close)
	c.must(c.UnlockSecrets(t.Context(), seal.GenerateSecretKey()))
	log := slog.New(slog.NewTextHandler(&c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	hub := live.New(c.Pool(), db.Channel, c.LookupRow, log)
	hub.FollowDeliveries(db.DeliveryPrefix, c.DeliveryChanges)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	assets, err := web.NewAssets(static.Dist())
	c.must(err)
	c.site = httptest.NewUnstartedServer(nil)
	address := "http://" + c.site.Listener.Addr().String()
	options := handlers.Options{DB: c.DB, Hub: hub, Log: log, Read: jobs.ReadEvent, Assets: assets, PublicURL: address, HooksURL: address,
		Trusted: web.RemoteAddr([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), Vendor: vendors.Desk{DB: c.DB, HooksURL: address}, Metrics: c.metrics}
	for _, f := range change {
		f(&options)
	}
	c.Console = handlers.New(options)
	handler, err := c.Handler()
	c.must(err)
	c.site.Config.Handler = handler
	c.site.Start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.log.lines("level=ERROR"))
		}
	})
	t.Cleanup(func() { c.site.CloseClientConnections(); c.site.Close() })
	return c
}

// withVendor starts a console, the sandbox, the hook between them and the workers.
func withVendor(t *testing.T) *console {
	t.Helper()
	c := open(t)
	box, err := sandbox.Open(sandbox.Config{RetryGap: 50 * time.Millisecond})
	c.must(err)
	c.box = box
	server := httptest.NewServer(box.Handler())
	c.boxURL = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = box.Run(ctx) })
	creds := box.Credentials()
	c.connect(lookup.Sandbox, server.URL+"/v1", creds.APIKey, creds.WidgetID)
	client, err := palenca.New(palenca.Options{BaseURL: c.conn.BaseURL, Environment: lookup.Sandbox, Key: creds.APIKey, WidgetID: creds.WidgetID})
	c.must(err)
	_, err = client.CreateWebhook(t.Context(), palenca.Webhook{Name: "test", WidgetID: creds.WidgetID, Sandbox: true, Active: true,
		URL: c.site.URL + "/hooks/" + c.token, Events: palenca.LoginEvents})
	c.must(err)
	c.work()
	t.Cleanup(func() { cancel(); running.Wait(); server.Close(); _ = box.Close() })
	return c
}

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// lines with a word in them, for the message of a failed test.
func (j *journal) lines(word string) string {
	var found []string
	for line := range strings.Lines(j.String()) {
		if strings.Contains(line, word) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// connect stores a connection with its hook, and a full bucket of calls.
func (c *console) connect(env lookup.Environment, base, key, widget string) {
	c.t.Helper()
	var err error
	c.conn, err = c.SaveConnection(c.t.Context(), connection.Connection{Name: "Palenca", Dialect: lookup.Palenca, Environment: env,
		BaseURL: base, WidgetID: widget, CallsPerMinute: connection.MaxCallsPerMinute}, key, audit.Actor{Name: "test"})
	c.must(err)
	c.exec(`update connections set tokens = 1000`)
	c.token = "hooktoken-" + string(env) + "-0123456789"
	_, err = c.AddSubscription(c.t.Context(), c.conn, "test", c.token, palenca.LoginEvents)
	c.must(err)
}

// work starts the workers of the queue.
func (c *console) work() {
	c.t.Helper()
	runner, err := jobs.Start(context.Background(), jobs.Config{DB: c.DB, Log: slog.New(slog.DiscardHandler), Workers: 4,
		Retry: func(int) time.Duration { return 10 * time.Millisecond },
		After: func(string, time.Duration, error) {
			select {
			case c.ran <- struct{}{}:
			default:
			}
		}})
	c.must(err)
	c.t.Cleanup(func() { _ = runner.Stop(context.Background()) })
}

// await waits until a query answers true, looking after each run of a job, and once in a while because a run is written down
// a little later.
func (c *console) await(sql string, args ...any) {
	c.t.Helper()
	limit := time.After(30 * time.Second)
	for !one[bool](c, sql, args...) {
		select {
		case <-c.ran:
		case <-time.Tick(50 * time.Millisecond):
		case <-limit:
			c.t.Fatalf("never true: %s %v", sql, args)
		}
	}
}

func (c *console) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) exec(sql string, args ...any) {
	c.t.Helper()
	_, err := c.Pool().Exec(c.t.Context(), sql, args...)
	c.must(err)
}

// one reads one value.
func one[T any](c *console, sql string, args ...any) T {
	c.t.Helper()
	var v T
	c.must(c.Pool().QueryRow(c.t.Context(), sql, args...).Scan(&v))
	return v
}

// stop makes the database go away for everybody, and start makes it come back.
func (c *console) stop()  { c.t.Helper(); c.takes(false) }
func (c *console) start() { c.t.Helper(); c.takes(true) }

func (c *console) takes(connections bool) {
	c.t.Helper()
	u, err := url.Parse(c.dbURL)
	c.must(err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	conn, err := pgx.Connect(c.t.Context(), u.String())
	c.must(err)
	defer conn.Close(context.Background())
	allow := "false"
	if connections {
		allow = "true"
	}
	_, err = conn.Exec(c.t.Context(), "alter database "+pgx.Identifier{name}.Sanitize()+" allow_connections "+allow)
	c.must(err)
	if !connections {
		_, err = conn.Exec(c.t.Context(), "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", name)
		c.must(err)
	}
}

// add makes a user who may sign in with the password of all tests.
func (c *console) add(email string, role auth.Role) auth.User {
	c.t.Helper()
	u, err := c.AddUser(c.t.Context(), db.NewUser{Email: email, Name: "Ana Prueba", Role: role, Language: "es-MX", PasswordHash: passwordHash()},
		audit.Actor{Name: "test"})
	c.must(err)
	return u
}

// desk does for real what an administrator does at the vendor, like serve's own.
func (c *console) desk() vendors.Desk { return vendors.Desk{DB: c.DB, HooksURL: c.site.URL} }
