package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/jobs"
	"cotejo/internal/live"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/sandbox"
	"cotejo/internal/seal"
	"cotejo/internal/testdb"
	"cotejo/static"
	"cotejo/web"
)

const alejandro = "GATA000408HTLRLLA7"

// bench is the vendor's sandbox, the hooks and the queue, talking over HTTP.
type bench struct {
	*db.DB
	t      *testing.T
	box    *sandbox.Server
	vendor *httptest.Server
	calls  *calls
	by     audit.Actor
	conn   connection.Connection
	ran    chan struct{}
	hook   string // the address given to the vendor
	hooks  string // where all hooks are
}

// calls counts what reaches the vendor, by method and path.
type calls struct {
	mu   sync.Mutex
	made []string
	at   []time.Time
}

func (c *calls) count(route string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, made := range c.made {
		if strings.HasPrefix(made, route) {
			n++
		}
	}
	return n
}

// open starts everything but the workers. extra is more of the sandbox's configuration.
func open(t *testing.T, extra sandbox.Config) *bench {
	t.Helper()
	url := testdb.URL(t)
	store, err := db.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	b := &bench{DB: store, t: t, calls: &calls{}, ran: make(chan struct{}, 1)}
	b.must(b.UnlockSecrets(t.Context(), seal.GenerateSecretKey()))
	if extra.RetryGap == 0 {
		extra.RetryGap = 50 * time.Millisecond
	}
	b.box, err = sandbox.Open(extra)
	b.must(err)
	inner := b.box.Handler()
	b.vendor = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/_sandbox/") {
			b.calls.mu.Lock()
			b.calls.made, b.calls.at = append(b.calls.made, r.Method+" "+r.URL.Path), append(b.calls.at, time.Now())
			b.calls.mu.Unlock()
		}
		inner.ServeHTTP(w, r)
	}))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.box.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		b.vendor.CloseClientConnections()
		b.vendor.Close()
		_ = b.box.Close()
	})

	user, err := b.AddUser(t.Context(), db.NewUser{Email: "ana@example.mx", Name: "Ana", Role: auth.Analyst, Language: "es-MX", PasswordHash: "x"}, audit.Actor{Name: "test"})
	b.must(err)
	b.by = audit.Actor{UserID: user.ID, Name: user.Name}
	b.conn, err = b.SaveConnection(t.Context(), connection.Connection{Name: "Palenca", Dialect: lookup.Palenca, Environment: lookup.Sandbox,
		BaseURL: b.vendor.URL + "/v1", WidgetID: b.box.Credentials().WidgetID, CallsPerMinute: connection.MaxCallsPerMinute}, b.box.Credentials().APIKey, b.by)
	b.must(err)
	b.exec(`update connections set tokens = 1000`)

	assets, err := web.NewAssets(static.Dist())
	b.must(err)
	silent := slog.New(slog.DiscardHandler)
	hooks := httptest.NewServer(handlers.New(handlers.Options{DB: b.DB, Hub: live.New(b.Pool(), db.Channel, b.LookupRow, silent), Log: silent,
		Assets: assets, PublicURL: "http://127.0.0.1", Trusted: web.RemoteAddr(nil)}).HooksHandler())
	t.Cleanup(hooks.Close)
	const token = "the-token-of-this-test"
	_, err = b.AddSubscription(t.Context(), b.conn, "test", token, palenca.LoginEvents)
	b.must(err)
	client, err := palenca.New(palenca.Options{BaseURL: b.conn.BaseURL, Environment: lookup.Sandbox, Key: b.box.Credentials().APIKey, WidgetID: b.conn.WidgetID})
	b.must(err)
	b.hooks = hooks.URL + "/hooks/"
	b.hook = b.hooks + token
	_, err = client.CreateWebhook(t.Context(), palenca.Webhook{Name: "test", WidgetID: b.conn.WidgetID, Sandbox: true, Active: true,
		URL: b.hook, Events: palenca.LoginEvents})
	b.must(err)
	return b
}

// work starts a runner, as a process of its own would.
func (b *bench) work(change ...func(*jobs.Config)) *jobs.Runner {
	b.t.Helper()
	config := jobs.Config{DB: b.DB, Log: slog.New(slog.DiscardHandler), Workers: 4,
		Retry: func(int) time.Duration { return 10 * time.Millisecond },
		After: func(string, time.Duration, error) { b.signal() }}
	for _, f := range change {
		f(&config)
	}
	runner, err := jobs.Start(context.Background(), config)
	b.must(err)
	b.t.Cleanup(func() { _ = runner.Stop(context.Background()) })
	return runner
}

func (b *bench) signal() {
	select {
	case b.ran <- struct{}{}:
	default:
	}
}

// await waits until a query answers true, looking after each run of a job.
func (b *bench) await(sql string, args ...any) {
	b.t.Helper()
	limit := time.After(40 * time.Second)
	for !one[bool](b, sql, args...) {
		select {
		case <-b.ran:
		case <-limit:
			b.t.Fatalf("never true: %s %v", sql, args)
		}
	}
}

// await1 waits for a condition that no run of a job announces: what the vendor got, and how the queue stands.
func (b *bench) await1(ok func() bool) {
	b.t.Helper()
	limit := time.After(40 * time.Second)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit:
			b.t.Fatal("never true")
		}
	}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	_, err := b.Pool().Exec(b.t.Context(), sql, args...)
	b.must(err)
}

func one[T any](b *bench, sql string, args ...any) T {
	b.t.Helper()
	var v T
	b.must(b.Pool().QueryRow(b.t.Context(), sql, args...).Scan(&v))
	return v
}

// request records a lookup, which puts its attempt into the queue.
func (b *bench) request(text string) uuid.UUID {
	b.t.Helper()
	number, err := curp.Parse(text)
	b.must(err)
	now := time.Now()
	uid, err := b.RequestLookup(b.t.Context(), db.NewLookup{Environment: lookup.Sandbox, Dialect: lookup.Palenca, CURP: number, Platform: lookup.IMSS,
		Source: lookup.SourceForm, Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(time.Hour), NoticeVersion: "1.0", Means: "branch", Purpose: consent.PurposeCredit}}, b.by)
	b.must(err)
	return uid
}

// done waits for a lookup to have a status and to fetch nothing any more, and tells how it stands.
func (b *bench) done(uid uuid.UUID) string {
	b.t.Helper()
	b.await(`select status not in ('queued', 'pending') and profile_state <> 'fetching' and employment_state <> 'fetching' from lookups where uid = $1`, uid)
	return b.state(uid)
}

func (b *bench) state(uid uuid.UUID) string {
	b.t.Helper()
	return one[string](b, `select concat_ws(' ', status, nullif(detail, ''), profile_state, employment_state) from lookups where uid = $1`, uid)
}

// set orders the sandbox to misbehave.
func (b *bench) set(switches string) {
	b.t.Helper()
	b.ask(http.MethodPost, "/_sandbox/settings", switches, nil)
}

// ask calls the sandbox by hand, past the count of calls.
func (b *bench) ask(method, path, body string, into any) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.vendor.URL+path, bytes.NewReader([]byte(body)))
	b.must(err)
	req.Header.Set("x-api-key", b.box.Credentials().APIKey)
	res, err := http.DefaultClient.Do(req)
	b.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	b.must(err)
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	if into != nil {
		b.must(json.Unmarshal(text, into))
	}
}

// created lists the accounts that the vendor made: each announces itself.
func (b *bench) created() []string {
	b.t.Helper()
	var sent struct {
		Deliveries []struct {
			AccountID string `json:"account_id"`
		} `json:"deliveries"`
	}
	b.ask(http.MethodGet, "/_sandbox/deliveries?limit=1000", "", &sent)
	var ids []string
	for _, d := range sent.Deliveries {
		ids = append(ids, d.AccountID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (b *bench) accounts() int { b.t.Helper(); return len(b.created()) }

// account is the only one.
func (b *bench) account() string {
	b.t.Helper()
	ids := b.created()
	if len(ids) != 1 {
		b.t.Fatalf("%d accounts, want one", len(ids))
	}
	return ids[0]
}
