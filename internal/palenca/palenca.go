// Package palenca is the client of Palenca's v1 API. The vendor's words, spellings and contradictions end here: what
// leaves the package are webhook.Event, employment.History and profile.Profile. What it relies on is written down in
// docs/vendor.md.
//
// Each method makes one request, or says how many it may make, and never repeats one by itself: when and whether to try
// again is the caller's to decide, by the Error it gets. Nothing here logs, and nothing here keeps state apart from idle
// connections.
package palenca

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

// Options describe one connection.
type Options struct {
	BaseURL     string // with the version: https://sandbox.palenca.com/v1
	Environment lookup.Environment
	Key         string // the private key of that environment
	WidgetID    string
	HTTP        *http.Client                // nil: our own; redirects are never followed either way
	Wait        func(context.Context) error // called before each request, so that all processes share one limit; nil: none
	OnLimit     func(reset time.Time)       // told when the vendor's window is used up; nil: nobody is told
}

// Client talks to the vendor for one connection: one environment, one key, one widget. It is safe for concurrent use
// and cheap to make, so that a changed key needs no restart.
type Client struct {
	base, key, widget string
	http              *http.Client
	wait              func(context.Context) error
	onLimit           func(time.Time)
}

// keyForm is any printable text without spaces: the vendor publishes no form, and a line break would add a header.
var keyForm = regexp.MustCompile(`^[!-~]{1,512}$`)

// New checks o and makes a client; it makes no request. A sandbox connection is refused the live host and the other
// way round, and plain http any host but this machine (docs/vendor.md#hosts). No error quotes the key.
func New(o Options) (*Client, error) {
	if o.Environment != lookup.Sandbox && o.Environment != lookup.Production {
		return nil, errors.New("palenca: no environment given")
	}
	if id := connection.CheckBaseURL(o.BaseURL, o.Environment, lookup.Palenca, false); id != "" {
		return nil, fmt.Errorf("palenca: base URL refused: %s", id)
	}
	switch {
	case strings.HasPrefix(o.Key, "public_"):
		// Public keys are for the browser widget; the API would answer 401 to each request.
		return nil, errors.New("palenca: this is a public key, a private one is needed")
	case !keyForm.MatchString(o.Key):
		return nil, errors.New("palenca: the key is empty or has characters that no key has")
	}
	h := &http.Client{Transport: transport(), Timeout: timeout}
	if o.HTTP != nil {
		own := *o.HTTP
		h = &own
		if h.Timeout == 0 {
			h.Timeout = timeout
		}
	}
	// Go would carry x-api-key to wherever a redirect points on the same host, and turn a POST into a GET.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		base: strings.TrimRight(o.BaseURL, "/"), key: o.Key, widget: o.WidgetID,
		http: h, wait: o.Wait, onLimit: o.OnLimit,
	}, nil
}

// timeout bounds a whole request. It stays under the 30 s after which the queue gives up on a job, so that a job
// always learns how its own request ended.
const timeout = 25 * time.Second

// transport is shared by all clients, so that making one per job does not leak idle connections. The vendor asks for
// TLS 1.3; 1.2 is accepted for the sake of inspecting proxies in front of a lender's network.
var transport = sync.OnceValue(func() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
	}
})

// curpStart is enough to know a CURP by, whole or cut, in either case; no UUID begins like it.
var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	curpStart = regexp.MustCompile(`(?i)^[a-z]{4}[0-9]{6}[hmx]`)
)

// usableID tells whether id may stand in a path. Account ids also come in webhooks, which anybody can send us, so an id
// is not trusted to stay inside its path segment; and a CURP must never stand in a URL.
func usableID(id string) bool { return idForm.MatchString(id) && !curpStart.MatchString(id) }

// checkID refuses an unusable id before anything is sent.
func checkID(op, id string) error {
	if usableID(id) {
		return nil
	}
	return &Error{Op: op, Code: CodeBadID, Kind: GiveUp}
}
