package web

import (
	"container/list"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter slows down guessing: a token bucket for each client address, in the memory of this process. It is a
// first fence, before any password is hashed; the count of failures per account is kept where all processes see it.
type Limiter struct {
	limit rate.Limit
	burst int
	max   int

	mu      sync.Mutex
	buckets map[netip.Prefix]*list.Element // of *bucket
	recent  *list.List                     // most recently used first
}

type bucket struct {
	key    netip.Prefix
	tokens *rate.Limiter
}

// NewLimiter allows burst requests at once and one more every interval, for each address. It remembers at most
// maxKeys addresses and forgets the one longest unused first.
func NewLimiter(interval time.Duration, burst, maxKeys int) *Limiter {
	return &Limiter{limit: rate.Every(interval), burst: burst, max: max(maxKeys, 1),
		buckets: map[netip.Prefix]*list.Element{}, recent: list.New()}
}

// Allow takes a token for addr. When there is none it returns false and how long until there is.
func (l *Limiter) Allow(addr netip.Addr) (ok bool, retryAfter time.Duration) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	res := l.bucket(limiterKey(addr)).ReserveN(now, 1)
	if !res.OK() {
		return false, time.Minute // a burst of 0: nothing is ever allowed
	}
	if wait := res.DelayFrom(now); wait > 0 {
		res.CancelAt(now)
		return false, wait
	}
	return true, 0
}

func (l *Limiter) bucket(key netip.Prefix) *rate.Limiter {
	if el := l.buckets[key]; el != nil {
		l.recent.MoveToFront(el)
		return el.Value.(*bucket).tokens
	}
	if l.recent.Len() >= l.max {
		oldest := l.recent.Remove(l.recent.Back()).(*bucket)
		delete(l.buckets, oldest.key)
	}
	b := &bucket{key: key, tokens: rate.NewLimiter(l.limit, l.burst)}
	l.buckets[key] = l.recent.PushFront(b)
	return b.tokens
}

// limiterKey takes an IPv6 /64 as one client: a subscriber gets at least that much, to change address at will.
func limiterKey(addr netip.Addr) netip.Prefix {
	addr = plain(addr)
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero Prefix for no address: all such clients share one bucket
	return p
}

// Limit answers 429 to requests other than GET and HEAD from an address that is over its limit.
func (l *Limiter) Limit(a *Adapter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				if ok, wait := l.Allow(ClientIP(r)); !ok {
					exchangeOf(r.Context()).setRoute(r.Pattern)
					a.Fail(w, r, TooMany(wait))
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}
