package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Names of events every stream sends by itself, of which htmx makes DOM events. A stream whose session has ended is opened once more
// and answered 401, at which the page offers to sign in.
const (
	EventOpen         = "stream-open"
	EventSessionEnded = "session-ended"
)

// Streams opens event streams (HTML standard, "Server-sent events") and counts them. A zero field stands for the
// default beside it. The zero value is ready; it must not be copied.
type Streams struct {
	Heartbeat  time.Duration // 15 s between comments, under the idle limit of usual proxies
	Check      time.Duration // 10 s between two looks at the session
	WriteLimit time.Duration // 10 s for one write, after which the client counts as gone
	Retry      time.Duration // 2 s the browser is asked to wait before it reconnects
	PerSession int           // 32 streams of one session
	Total      int           // 2000 streams of this process

	mu     sync.Mutex
	open   int
	perKey map[string]int
}

// StreamOptions ties a stream to a session.
type StreamOptions struct {
	Key   string                         // of the session, for the limit; "" is limited by Total alone
	Alive func(ctx context.Context) bool // false ends the stream; nil: it lives as long as its connection
}

// Stream is one client's open stream. Send may be called from several goroutines.
type Stream struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	rc    *http.ResponseController
	limit time.Duration
	ended bool
}

// Len returns the number of open streams.
func (s *Streams) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Serve opens a stream and runs feed, whose context ends with the connection, the session or the server. It
// returns after feed has returned: nil when the stream was ended from outside, TooMany when a limit is reached,
// otherwise feed's error. A Timeout around it would end it early.
func (s *Streams) Serve(w http.ResponseWriter, r *http.Request, opts StreamOptions, feed func(ctx context.Context, st *Stream) error) error {
	if !s.enter(opts.Key) {
		return TooMany(orDefault(s.Retry, 2*time.Second) * 5)
	}
	defer s.leave(opts.Key)
	exchangeOf(r.Context()).set(func(ex *exchange) { ex.stream = true })

	st := &Stream{w: w, rc: http.NewResponseController(w), limit: orDefault(s.WriteLimit, 10*time.Second)}
	// The read deadline too: when it passes, net/http takes the client for gone and ends the request's context.
	if err := st.rc.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("web: stream: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	h.Del("Content-Length")
	w.WriteHeader(http.StatusOK)

	// The retry hint rides on an event because hx-sse 4.0.1 forgets one that comes alone.
	retry := orDefault(s.Retry, 2*time.Second)
	if err := st.write(fmt.Sprintf("retry: %d\nevent: %s\ndata:\n\n", retry.Milliseconds(), EventOpen)); err != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	done := make(chan struct{})
	var panicked error
	go func() {
		defer close(done)
		defer cancel()
		defer func() {
			if v := recover(); v != nil { // outside the handler's goroutine it would end the process
				panicked = &panicError{value: v, stack: debug.Stack()}
			}
		}()
		s.keep(ctx, st, opts.Alive)
	}()
	// Deferred so that they hold when feed panics too: nothing may touch w after the handler has returned.
	defer func() { <-done }()
	defer cancel()
	err := feed(ctx, st)
	ended := ctx.Err() != nil
	cancel()
	<-done
	if panicked != nil {
		return panicked
	}
	if ended || errors.Is(err, errStreamEnded) {
		return nil
	}
	return err
}

// keep sends heartbeats and watches for what ends the stream.
func (s *Streams) keep(ctx context.Context, st *Stream, alive func(context.Context) bool) {
	beat := time.NewTicker(orDefault(s.Heartbeat, 15*time.Second))
	defer beat.Stop()
	check := time.NewTicker(orDefault(s.Check, 10*time.Second))
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-Stopping(ctx):
			return
		case <-beat.C:
			if st.write(": beat\n\n") != nil {
				return
			}
		case <-check.C:
			if alive == nil || alive(ctx) {
				continue
			}
			if ctx.Err() == nil {
				_ = st.Send(EventSessionEnded, "") // whether it arrives or not, the stream ends
			}
			return
		}
	}
}

var errStreamEnded = errors.New("web: stream ended")

// Send writes one event. name may be empty (htmx swaps such an event's data into the page) and holds no line
// break; data may have several lines. An error means that the client is gone: feed should return it.
func (st *Stream) Send(name, data string) error {
	if strings.ContainsAny(name, "\r\n\x00") {
		return fmt.Errorf("web: event name with a line break")
	}
	var b strings.Builder
	b.Grow(len(name) + len(data) + 32)
	if name != "" {
		b.WriteString("event: ")
		b.WriteString(name)
		b.WriteByte('\n')
	}
	// Each of the three line ends of the standard would otherwise end the field and begin another.
	data = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data)
	for line := range strings.SplitSeq(data, "\n") {
		b.WriteString("data: ")
		b.WriteString(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return st.write(b.String())
}

// write sends text at once. The deadline is taken back afterwards: HTTP/2 resets a stream whose deadline passes
// even when nothing is being written.
func (st *Stream) write(text string) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return errStreamEnded
	}
	_ = st.rc.SetWriteDeadline(time.Now().Add(st.limit)) // not supported by a test's recorder, which is never slow
	_, err := st.w.Write([]byte(text))
	if err == nil {
		err = st.rc.Flush()
	}
	if err != nil {
		st.ended = true
		return errStreamEnded // the cause is the client's going; it may quote his address
	}
	_ = st.rc.SetWriteDeadline(time.Time{})
	return nil
}

func (s *Streams) enter(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= orDefault(s.Total, 2000) || key != "" && s.perKey[key] >= orDefault(s.PerSession, 32) {
		return false
	}
	s.open++
	if key != "" {
		if s.perKey == nil {
			s.perKey = map[string]int{}
		}
		s.perKey[key]++
	}
	return true
}

func (s *Streams) leave(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if key == "" {
		return
	}
	if s.perKey[key]--; s.perKey[key] == 0 {
		delete(s.perKey, key)
	}
}
