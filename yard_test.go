package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/config"
	"cotejo/internal/jobs"
	"cotejo/internal/live"
	"cotejo/internal/sandbox"
	"cotejo/internal/seal"
	"cotejo/internal/testdb"
	"cotejo/internal/vendors"
	"cotejo/static"
	"cotejo/web"
)

// yard is the whole product with the vendor's sandbox beside it: the console on a port, the hooks, the queue, all talking
// over HTTP. It differs from serve in its clock only: retries and time-outs come sooner.
type yard struct {
	*db.DB
	*guest
	box box
	ran chan struct{}
}

// box is a sandbox as its switches are reached from outside.
type box struct {
	t     *testing.T
	base  string
	creds sandbox.Credentials
}

// impatience is how long calls to the vendor may take in a yard: long enough for a busy machine, where a call that is given up
// makes the vendor be asked for what the test has not come to.
const impatience = 6 * time.Second

func openYard(t *testing.T) *yard {
	t.Helper()
	store, err := db.Open(t.Context(), testdb.URL(t), nil)
	must(t, err)
	t.Cleanup(store.Close)
	must(t, store.UnlockSecrets(t.Context(), seal.GenerateSecretKey()))
	hash, err := handlers.HashPassword(adminPassword)
	must(t, err)
	_, err = store.AddUser(t.Context(), db.NewUser{Email: adminEmail, Name: "Ana", Role: auth.Administrator, Language: "es-MX", PasswordHash: hash}, audit.Actor{Name: "test"})
	must(t, err)

	vendorBox, err := sandbox.Open(sandbox.Config{RetryGap: 300 * time.Millisecond})
	must(t, err)
	vendorServer := httptest.NewServer(vendorBox.Handler())
	running, end := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() { _ = vendorBox.Run(running) })
	t.Cleanup(func() {
		end()
		loop.Wait()
		vendorServer.CloseClientConnections()
		vendorServer.Close()
		_ = vendorBox.Close()
	})

	site := httptest.NewUnstartedServer(nil)
	address := "http://" + site.Listener.Addr().String()
	at, err := url.Parse(address)
	must(t, err)
	settings := config.Config{HooksURL: at}
	assets, err := web.NewAssets(static.Dist())
	must(t, err)
	console := handlers.New(handlers.Options{DB: store, Hub: live.New(store.Pool(), db.Channel, store.LookupRow, discard), Log: discard, Assets: assets,
		PublicURL: address, HooksURL: address, Trusted: web.RemoteAddr(nil), Vendor: vendors.Desk{DB: store, HooksURL: address},
		Sandbox: switchboard{vendorServer.URL, store, http.DefaultClient}})
	if site.Config.Handler, err = console.Handler(); err != nil {
		t.Fatal(err)
	}
	site.Start()
	t.Cleanup(func() { site.CloseClientConnections(); site.Close() })

	creds := vendorBox.Credentials()
	must(t, connectSandbox(t.Context(), settings, store, vendorServer.URL, creds, true))
	y := &yard{DB: store, guest: browse(t, address), box: box{t, vendorServer.URL, creds}, ran: make(chan struct{}, 1)}
	unlimited(t, store)
	runner, err := jobs.Start(context.Background(), jobs.Config{DB: store, HTTP: &http.Client{Timeout: impatience}, Log: slog.New(slog.DiscardHandler), Workers: 8,
		Retry: func(int) time.Duration { return 20 * time.Millisecond },
		After: func(string, time.Duration, error) {
			select {
			case y.ran <- struct{}{}:
			default:
			}
		}})
	must(t, err)
	t.Cleanup(func() { _ = runner.Stop(context.Background()) })
	y.signIn()
	return y
}

// unlimited lifts our own limit of calls, which would make a test last for minutes. What the vendor's limit does is
// tested in package jobs.
func unlimited(t *testing.T, store *db.DB) {
	t.Helper()
	_, err := store.Pool().Exec(t.Context(), `alter table connections drop constraint if exists connections_calls_per_minute_check;
update connections set calls_per_minute = 1000000, tokens = 1000`)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one reads one value.
func one[T any](t *testing.T, store *db.DB, sql string, args ...any) T {
	t.Helper()
	var v T
	must(t, store.Pool().QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

// await waits until a query answers true.
func (y *yard) await(sql string, args ...any) {
	y.t.Helper()
	limit := time.After(60 * time.Second)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !one[bool](y.t, y.DB, sql, args...) {
		select {
		case <-y.ran:
		case <-look.C:
		case <-limit:
			y.t.Fatalf("never true: %s %v", sql, args)
		}
	}
}

// call uses a route of the sandbox's own.
func (b box) call(method, path, body string, into any) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+"/_sandbox/"+path, strings.NewReader(body))
	must(b.t, err)
	req.Header.Set("x-api-key", b.creds.APIKey)
	res, err := http.DefaultClient.Do(req)
	must(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.t, err)
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	if into != nil {
		must(b.t, json.Unmarshal(text, into))
	}
}

// sent is a delivery as the sandbox has it.
type sent struct {
	Dialect, Action, Body, State, SHA256, Ugly, Shape string
	AccountID                                         string `json:"account_id"`
	Attempts                                          []struct{ Status int }
}

func (b box) deliveries() []sent {
	b.t.Helper()
	var got struct{ Deliveries []sent }
	b.call(http.MethodGet, "deliveries?limit=1000000", "", &got)
	return got.Deliveries
}

// asked is what the vendor was asked for.
type asked struct {
	Dialect, ID, Identifier, Status, Details, Case string
	Seq                                            int
	ExternalID                                     *string `json:"external_id"`
}

func (b box) extractions() (all []asked) {
	b.t.Helper()
	for after := 0; ; {
		var got struct{ Extractions []asked }
		b.call(http.MethodGet, fmt.Sprintf("extractions?after=%d", after), "", &got)
		if len(got.Extractions) == 0 {
			return all
		}
		all = append(all, got.Extractions...)
		after = all[len(all)-1].Seq
	}
}
