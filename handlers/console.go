// Package handlers is what each address of Cotejo does. routes.go is the table of contents. A handler reads the
// request, calls one method of package db, and shows one component of package views; it holds no SQL and no sentence.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cotejo/db"
	"cotejo/internal/connection"
	"cotejo/internal/live"
	"cotejo/internal/webhook"
	"cotejo/web"
)

// Options are what the console is made of.
type Options struct {
	DB        *db.DB
	Hub       *live.Hub
	Log       *slog.Logger
	Assets    *web.Assets
	PublicURL string // scheme and host; the origin of our own pages
	HooksURL  string // scheme and host under which the vendor reaches /hooks/
	Secure    bool   // PublicURL is https
	Trusted   web.Middleware
	Vendor    Vendor
	Sandbox   Sandbox // nil: there is none whose switches are ours
	Metrics   prometheus.Registerer
	Observe   func(web.Summary) // told of each request; nil: nobody is
	Now       func() time.Time  // nil: time.Now
	Streams   *web.Streams      // nil: the default limits
	Read      webhook.Reader    // of the event in a stored body, for previews
	Confirm   time.Duration     // how long a password counts for reveals; 0: half an hour
	Dev       bool              // serves what only those need who change the pages
}

// Vendor is the outside world, where the process ends: what an administrator does there by hand.
type Vendor interface {
	// Test asks the vendor for its widgets under a key; code is "" when it answered, else the vendor's or one of ours,
	// and status is that of its answer, 0 when none came.
	Test(ctx context.Context, c connection.Connection, key string) (code string, status int, took time.Duration)
	// Register makes sure that the vendor sends its events of the connection's widget to our hook.
	Register(ctx context.Context, c connection.Connection) error
	// Hooks lists the vendor's own subscriptions.
	Hooks(ctx context.Context, c connection.Connection) ([]webhook.VendorHook, error)
	// PutHook registers a hook or, with an id, changes it. It gives the vendor's id and, where the vendor makes one, the
	// secret with which it signs.
	PutHook(ctx context.Context, c connection.Connection, h webhook.VendorHook) (id, secret string, err error)
	// DropHook removes a subscription at the vendor; one that is gone already is no error.
	DropHook(ctx context.Context, c connection.Connection, id string) error
	// Outbound lists the addresses that the vendor sends from, or webhook.ErrNoAddresses.
	Outbound(ctx context.Context, c connection.Connection) ([]netip.Prefix, error)
}

// Console is the browser's side of Cotejo and the vendor's.
type Console struct {
	Options
	sessions *web.Sessions
	adapter  *web.Adapter
	signIns  *web.Limiter
	unknown  prometheus.Counter
	turns    turns
	guesses  *guesses
}

// New puts the console together.
func New(o Options) *Console {
	if o.Confirm == 0 {
		o.Confirm = confirmEvery
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Streams == nil {
		o.Streams = &web.Streams{}
	}
	c := &Console{Options: o, signIns: web.NewLimiter(6*time.Second, 20, 10_000), guesses: newGuesses()}
	if !o.Secure {
		c.turns.places = placesPerSession
	}
	c.sessions = web.NewSessions(sessionRecords{o.DB}, web.SessionConfig{
		Name: "cotejo", Secure: o.Secure,
		// A page left open keeps its stream, not its session.
		Passive: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/live") },
	})
	c.adapter = &web.Adapter{Log: o.Log, ErrorPage: c.errorPage, InternalPage: internalPages(o.Assets.URL)}
	c.unknown = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "cotejo_hook_unknown_total", Help: "Requests to hook addresses that are not ours; they are not stored."})
	if o.Metrics != nil {
		o.Metrics.MustRegister(c.unknown)
	}
	return c
}

// Handler serves everything: the pages behind their own checks, the hooks beside them with theirs.
func (c *Console) Handler() (http.Handler, error) {
	pages, err := c.pages()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	hooks := c.hooks()
	mux.Handle("/hooks/", hooks)
	mux.Handle("/oauth/token", hooks)
	mux.Handle("/", pages)
	return c.around(mux), nil
}

// HooksHandler serves the hooks alone, for a listener of their own.
func (c *Console) HooksHandler() http.Handler {
	mux := http.NewServeMux()
	hooks := c.hooks()
	mux.Handle("/hooks/", hooks)
	mux.Handle("/oauth/token", hooks)
	mux.Handle("GET /healthz", web.Healthz())
	return c.around(c.adapter.Mux(mux))
}

// around is what every request goes through.
func (c *Console) around(h http.Handler) http.Handler {
	observers := []func(web.Summary){}
	if c.Observe != nil {
		observers = append(observers, c.Observe)
	}
	return web.Chain(h, web.RequestID, c.Trusted, web.Log(c.Log, observers...), web.SecurityHeaders(c.Secure), c.adapter.Recover)
}

// maxForm bounds the body of a request to a page that takes no upload.
const maxForm = 1 << 20

// pages is the browser's mux, wrapped whole against requests that another site makes the browser send.
func (c *Console) pages() (http.Handler, error) {
	mux := http.NewServeMux()
	routes := c.routes()
	if c.Dev {
		routes = append(routes, c.devRoutes()...)
	}
	for _, route := range routes {
		mux.Handle(route.Pattern, c.serve(route))
	}
	mux.Handle("GET "+web.AssetsPrefix, c.Assets)
	mux.Handle("GET /favicon.ico", c.Assets.File("favicon.svg"))
	mux.Handle("GET /healthz", web.Healthz())
	mux.Handle("GET /readyz", web.Readyz(c.Log, c.DB.Ready))
	crossOrigin, err := web.CrossOrigin(c.PublicURL, c.adapter.Handle(func(http.ResponseWriter, *http.Request) error {
		return web.Forbidden(nil)
	}))
	if err != nil {
		return nil, err
	}
	return web.Chain(c.adapter.Mux(mux), crossOrigin, web.Gzip, c.sessions.Attach(c.adapter)), nil
}

// pageTime is how long an ordinary page may take, uploadTime one to which a file travels, fileTime one whose file may be of
// any size.
const (
	pageTime   = 20 * time.Second
	uploadTime = time.Minute
	fileTime   = 30 * time.Minute
)

func (c *Console) serve(route Route) http.Handler {
	h := c.adapter.Handle(c.admit(route))
	if route.Stream {
		return web.Chain(h, web.MaxBody(maxForm))
	}
	takes, body := pageTime, int64(maxForm)
	if route.Upload > 0 {
		takes, body = uploadTime, route.Upload
	}
	if route.Takes > 0 {
		takes = route.Takes
	}
	return web.Chain(h, web.Timeout(takes), web.MaxBody(body))
}
