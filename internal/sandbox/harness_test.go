package sandbox

import (
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
)

const gata = "GATA000408HTLRLLA7"

// clock is the time of a test; it moves only when told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// journalist is a log that tests listen to: a signal instead of a sleep.
type journalist struct {
	lines chan string
	mu    sync.Mutex
	all   strings.Builder
}

func (j *journalist) Write(line []byte) (int, error) {
	j.mu.Lock()
	j.all.Write(line)
	j.mu.Unlock()
	select {
	case j.lines <- string(line):
	default:
	}
	return len(line), nil
}

func (j *journalist) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.String()
}

// bench is a sandbox on a real port with its loop running.
type bench struct {
	*Server
	log         *journalist
	t           *testing.T
	http        *httptest.Server
	pause, stop func()
}

func open(t *testing.T, cfg Config) *bench {
	t.Helper()
	log := &journalist{lines: make(chan string, 10000)}
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Server: s, t: t, log: log}
	b.http = httptest.NewServer(s.Handler())
	b.resumeRun()
	b.stop = sync.OnceFunc(func() {
		b.pause()
		b.http.Close()
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(b.stop)
	return b
}

// resumeRun starts the loop, pause ends it and waits until it has ended.
func (b *bench) resumeRun() {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.pause = func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("Run: %v", err)
		}
	}
}

// await waits for count more log lines that contain every one of parts.
func (b *bench) await(count int, parts ...string) {
	b.t.Helper()
	limit := time.After(20 * time.Second)
	for count > 0 {
		select {
		case line := <-b.log.lines:
			found := true
			for _, p := range parts {
				found = found && strings.Contains(line, p)
			}
			if found {
				count--
			}
		case <-limit:
			b.t.Fatalf("no log line with %q", parts)
		}
	}
}

// deliveries returns what the sandbox has sent or will send, oldest first.
func (b *bench) deliveries() []delivery {
	b.t.Helper()
	var got struct{ Deliveries []delivery }
	if err := json.Unmarshal([]byte(b.do("GET", "/_sandbox/deliveries", "").text), &got); err != nil {
		b.t.Fatal(err)
	}
	slices.Reverse(got.Deliveries)
	return got.Deliveries
}

// set changes switches.
func (b *bench) set(body string) {
	b.t.Helper()
	if r := b.do("POST", "/_sandbox/settings", body); r.status != 200 {
		b.t.Fatalf("settings: %d %s", r.status, r.text)
	}
}

// ahead moves the clock and lets the loop see it.
func (b *bench) ahead(c *clock, d time.Duration) {
	c.forward(d)
	b.poke()
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	text   string
}

// data decodes the envelope's data into v.
func (r reply) data(t *testing.T, v any) {
	t.Helper()
	e := struct {
		Success bool            `json:"success"`
		Data    json.RawMessage `json:"data"`
	}{}
	if err := json.Unmarshal([]byte(r.text), &e); err != nil || !e.Success {
		t.Fatalf("status %d, not a success: %s", r.status, r.text)
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		t.Fatal(err)
	}
}

// do calls the API with the sandbox's key; body "" = none.
func (b *bench) do(method, path, body string, headers ...string) reply {
	b.t.Helper()
	r, err := b.try(method, path, body, headers...)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) try(method, path, body string, headers ...string) (reply, error) {
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("x-api-key", b.creds.APIKey)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(text)}, err
}

// create makes an account for a CURP.
func (b *bench) create(curp string) createdJSON {
	b.t.Helper()
	var c createdJSON
	b.do("POST", "/v1/users/accounts", `{"identifier":"`+curp+`","country":"mx","platform":"imss","widget_id":"`+b.creds.WidgetID+`"}`).data(b.t, &c)
	return c
}

// post is one webhook call as a receiver saw it.
type post struct {
	header http.Header
	body   string
	event  event
}

// receiver takes webhooks; answer decides each call's status (nil: 200).
type receiver struct {
	*httptest.Server
	calls chan post
}

func receive(t *testing.T, answer func(n int, p post) int) *receiver {
	t.Helper()
	r := &receiver{calls: make(chan post, 1000)}
	var mu sync.Mutex
	n := 0
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		p := post{header: req.Header, body: string(body)}
		_ = json.Unmarshal(body, &p.event)
		mu.Lock()
		n++
		status := http.StatusOK
		if answer != nil {
			status = answer(n, p)
		}
		mu.Unlock()
		w.WriteHeader(status)
		r.calls <- p
	}))
	t.Cleanup(r.Close)
	return r
}

// next waits for a call.
func (r *receiver) next(t *testing.T) post {
	t.Helper()
	select {
	case p := <-r.calls:
		return p
	case <-time.After(20 * time.Second):
		t.Fatal("no webhook came")
		return post{}
	}
}

// subscribe registers a webhook; extra is more JSON, beginning with a comma.
func (b *bench) subscribe(url, extra string) webhookJSON {
	b.t.Helper()
	var h webhookJSON
	r := b.do("POST", "/v1/webhooks", `{"url":"`+url+`","name":"test","is_sandbox":true,"widget_id":"`+b.creds.WidgetID+`"`+extra+`}`)
	r.data(b.t, &h)
	return h
}
