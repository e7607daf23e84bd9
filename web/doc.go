// Package web is HTTP without the business: the server and its time limits, middleware, sessions, forms,
// rendering, live streams, assets. It knows no route, no user and no sentence of the product, and imports
// nothing of it; what it needs from outside comes in as a small interface or a hook.
//
// A product puts it together from the outside in:
//
//	Server
//	  Chain(RequestID, RemoteAddr, Log, SecurityHeaders, adapter.Recover)
//	    "/"       Chain(CrossOrigin, Gzip, MaxBody, sessions.Attach) → adapter.Mux(pages), each page adapter.Handle(h)
//	    "/hooks/" a stack of its own: no cookies, no origin check
//
// Privacy rule of the package: no path value, query, form value, cookie, address or header a client sent is
// ever logged or put into an error text.
package web

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
)

// Middleware wraps a handler with one concern.
type Middleware func(http.Handler) http.Handler

// Chain applies middleware to h; the first one named is the outermost.
func Chain(h http.Handler, ms ...Middleware) http.Handler {
	for i := len(ms) - 1; i >= 0; i-- {
		h = ms[i](h)
	}
	return h
}

// exchange is what the layers of one request tell one another. Outer layers cannot see what inner ones put into
// a derived context, so the outermost one puts this holder there and the inner ones fill it in.
type exchange struct {
	id string     // of our own making; empty when RequestID is not in the chain
	ip netip.Addr // the client as judged by RemoteAddr; invalid when it is not in the chain

	mu     sync.Mutex
	route  string // the pattern the mux chose
	actor  int64  // the signed-in user, 0 for nobody
	stream bool   // the answer is an event stream: its duration says nothing about speed
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	ex, _ := ctx.Value(exchangeKey{}).(*exchange)
	return ex
}

// withExchange returns the request's holder, making one when this is the outermost layer.
func withExchange(r *http.Request) (*http.Request, *exchange) {
	if ex := exchangeOf(r.Context()); ex != nil {
		return r, ex
	}
	ex := &exchange{}
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, ex)), ex
}

func (ex *exchange) set(f func(*exchange)) {
	if ex == nil {
		return
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	f(ex)
}

func (ex *exchange) setRoute(pattern string) {
	if pattern != "" {
		ex.set(func(ex *exchange) { ex.route = pattern })
	}
}

func (ex *exchange) read() (route string, actor int64, stream bool) {
	if ex == nil {
		return "", 0, false
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.route, ex.actor, ex.stream
}

// SetActor records who makes the request, for the request's log line. Safe for concurrent use; without Log in the
// chain it does nothing.
func SetActor(ctx context.Context, id int64) {
	exchangeOf(ctx).set(func(ex *exchange) { ex.actor = id })
}

// RequestIDOf returns the request's id, or "" when RequestID is not in the chain.
func RequestIDOf(ctx context.Context) string {
	if ex := exchangeOf(ctx); ex != nil {
		return ex.id
	}
	return ""
}
