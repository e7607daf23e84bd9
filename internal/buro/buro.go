// Package buro is the client of Buró de Ingresos, the vendor's API for Mexican government data. Its words, spellings and
// contradictions end here: what leaves the package are webhook.Event, employment.History, profile.Profile and a few
// small types for what the other vendor does not have. What it relies on is written down in docs/vendor-buro.md.
//
// Each method makes one request, or says how many it may make, and never repeats one by itself: when and whether to try
// again is the caller's to decide, by the Error it gets. Nothing here logs, and nothing here keeps state apart from idle
// connections.
//
// Unlike the other dialect, this one is keyed by person: a CURP or an RFC stands in the path of most requests. So no
// text of the transport, which quotes addresses, ever leaves the package.
package buro

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

// Options describe one connection.
type Options struct {
	BaseURL     string // without a version: https://api.burodeingresos.com
	Environment lookup.Environment
	Key         string
	// SandboxHeader sends "x-sandbox: true" with every request and, in return, lets a sandbox connection use the live
	// host. Only a client of 2025 shows that header, no page of the vendor does: where the vendor does not know it,
	// such requests are live and billed (docs/vendor-buro.md#buro-hosts). Our own sandbox needs none.
	SandboxHeader bool
	HTTP          *http.Client                // nil: our own; redirects are never followed either way
	Wait          func(context.Context) error // called before each request, so that all processes share one limit; nil: none
	OnLimit       func(reset time.Time)       // told when the vendor's window is used up; nil: nobody is told
}

// Client talks to the vendor for one connection: one environment, one key. It is safe for concurrent use and cheap to
// make, so that a changed key needs no restart.
type Client struct {
	base, key string
	sandbox   bool // send x-sandbox
	local     bool // the vendor is on this machine, so its documents may be too
	http      *http.Client
	wait      func(context.Context) error
	onLimit   func(time.Time)
}

// keyForm is any printable text without spaces: the vendor publishes no form, and a line break would add a header.
var keyForm = regexp.MustCompile(`^[!-~]{1,512}$`)

// New checks o and makes a client; it makes no request. A sandbox connection is refused the live host unless
// SandboxHeader says otherwise, a production one this machine, and plain http any host but this machine. The other
// dialect's hosts are refused, so that no key gets to the wrong vendor. No error quotes the key.
func New(o Options) (*Client, error) {
	if o.Environment != lookup.Sandbox && o.Environment != lookup.Production {
		return nil, errors.New("buro: no environment given")
	}
	if id := connection.CheckBaseURL(o.BaseURL, o.Environment, lookup.Buro, o.SandboxHeader); id != "" {
		return nil, fmt.Errorf("buro: base URL refused: %s", id)
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, errors.New("buro: base URL cannot be read")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case o.SandboxHeader && o.Environment != lookup.Sandbox:
		return nil, errors.New("buro: the sandbox header is for sandbox connections")
	case !keyForm.MatchString(o.Key):
		return nil, errors.New("buro: the key is empty or has characters that no key has")
	}
	h := &http.Client{Transport: transport(), Timeout: timeout}
	if o.HTTP != nil {
		own := *o.HTTP
		h = &own
		if h.Timeout == 0 {
			h.Timeout = timeout
		}
	}
	// Go would carry X-API-Key to wherever a redirect points on the same host, and turn a POST into a GET.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		base: strings.TrimRight(o.BaseURL, "/"), key: o.Key, sandbox: o.SandboxHeader, local: loopback(host),
		http: h, wait: o.Wait, onLimit: o.OnLimit,
	}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// timeout bounds a whole request. It stays under the 30 s after which the queue gives up on a job, so that a job
// always learns how its own request ended.
const timeout = 25 * time.Second

// transport is shared by all clients, so that making one per job does not leak idle connections. TLS 1.2 is accepted
// for the sake of inspecting proxies in front of a lender's network.
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

var (
	idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	// personStart is enough to know a CURP or an RFC by, whole or cut, in either case; no UUID begins like it.
	personStart = regexp.MustCompile(`(?i)^[a-zñ&]{3,4}[0-9]{6}`)
	// personForm is what a CURP (18) and an RFC (13 a person, 12 a company) are made of. Their structure is not judged:
	// identifiers on the vendor's own pages break it (docs/vendor-buro.md#buro-identifier).
	personForm = regexp.MustCompile(`^[A-Z0-9Ñ&]{12,18}$`)
)

// usableID tells whether an id of the vendor's may stand in a path. Verification ids also come in webhooks, which
// anybody can send us, so an id is not trusted to stay inside its path segment.
func usableID(id string) bool { return idForm.MatchString(id) && !personStart.MatchString(id) }

// checkID refuses an unusable id before anything is sent.
func checkID(op, id string) error {
	if usableID(id) {
		return nil
	}
	return &Error{Op: op, Code: CodeBadID, Kind: GiveUp}
}

// person checks an identifier and makes a path segment of it. It is wanted as people write it officially, in capitals:
// what is sent has to be what consent was recorded for.
func person(op, identifier string) (string, error) {
	switch n := utf8.RuneCountInString(identifier); {
	case n != 12 && n != 13 && n != 18, !personForm.MatchString(identifier):
		return "", &Error{Op: op, Code: CodeBadIdentifier, Kind: GiveUp}
	}
	return url.PathEscape(identifier), nil
}
