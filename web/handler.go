package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

// Handler answers a request or returns an error that says why it cannot. It must not write an error page itself.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Error is a failure with a kind a client may know. Its text goes to the log only, never to the user.
type Error struct {
	Status     int           // what the client is told
	MessageID  string        // of a sentence that explains a 400 to the person; "" for the kind's own one
	RetryAfter time.Duration // for 429 and 503; 0 sends no Retry-After
	Err        error         // the cause; may be nil
}

func (e *Error) Error() string {
	text := http.StatusText(e.Status)
	if e.MessageID != "" {
		text += " (" + e.MessageID + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// NotFound says that the thing does not exist, or that this person may not learn whether it does.
func NotFound(err error) error { return &Error{Status: http.StatusNotFound, Err: err} }

// Unauthorized says that a sign-in is needed, to a client that cannot be redirected to one (a stream, a partial).
func Unauthorized(err error) error { return &Error{Status: http.StatusUnauthorized, Err: err} }

// Forbidden says that this person's role does not allow it.
func Forbidden(err error) error { return &Error{Status: http.StatusForbidden, Err: err} }

// BadRequest says that the request makes no sense; msgID names the sentence that tells the person why. A form
// with wrong values is not this: it is shown again with Invalid.
func BadRequest(msgID string) error {
	return &Error{Status: http.StatusBadRequest, MessageID: msgID}
}

// Conflict says that the thing has changed since the person saw it.
func Conflict(err error) error { return &Error{Status: http.StatusConflict, Err: err} }

// TooLarge says that the body is over its limit.
func TooLarge(err error) error { return &Error{Status: http.StatusRequestEntityTooLarge, Err: err} }

// TooMany says that the client must wait for retryAfter.
func TooMany(retryAfter time.Duration) error {
	return &Error{Status: http.StatusTooManyRequests, RetryAfter: retryAfter}
}

// Unavailable says that something we need does not answer now.
func Unavailable(err error) error { return &Error{Status: http.StatusServiceUnavailable, Err: err} }

// Failure is what an error page may show.
type Failure struct {
	Status    int
	RequestID string
	MessageID string // see Error.MessageID
}

// RequestIDPlaceholder is replaced by the request's id in the bytes Adapter.InternalPage returns.
const RequestIDPlaceholder = "{request-id}"

// Adapter turns a Handler's errors and panics into a status, a page and one log line.
type Adapter struct {
	Log *slog.Logger

	// ErrorPage writes a page, or for IsPartial(r) a fragment, with status f.Status. It is not asked for 500.
	// nil sends plain text.
	ErrorPage func(w http.ResponseWriter, r *http.Request, f Failure)

	// InternalPage returns the 500 page, rendered when the process started: what broke the request may break
	// rendering too. It only chooses one (language, page or fragment). nil sends plain text.
	InternalPage func(r *http.Request) []byte
}

// Handle makes h an http.Handler. After the answer has begun an error can no longer be shown; it is logged and
// the connection cut, so that half a file is not taken for a whole one.
func (a *Adapter) Handle(h Handler) http.Handler {
	return a.Recover(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r.Context()).setRoute(r.Pattern)
		if err := h(w, r); err != nil {
			a.Fail(w, r, err)
		}
	}))
}

// Recover answers a panic with the 500 page and logs its stack. Handle has it built in; in the chain it covers
// the middleware as well.
func (a *Adapter) Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, ok := w.(*recorder)
		if !ok {
			rec = &recorder{ResponseWriter: w}
		}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler)
			}
			a.fail(rec, r, &panicError{value: v, stack: debug.Stack()})
		}()
		next.ServeHTTP(rec, r)
	})
}

// Fail answers with err, for middleware that is not a Handler.
func (a *Adapter) Fail(w http.ResponseWriter, r *http.Request, err error) {
	rec, ok := w.(*recorder)
	if !ok {
		rec = &recorder{ResponseWriter: w}
	}
	a.fail(rec, r, err)
}

// Mux serves mux, notes the route for the log, and answers what no route matches with our own page instead of
// net/http's line of text.
func (a *Adapter) Mux(mux *http.ServeMux) http.Handler {
	return a.Recover(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		exchangeOf(r.Context()).setRoute(pattern)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// Only the mux knows whether another method would have matched (405 and Allow), so ask it.
		probe := &probe{header: http.Header{}}
		h.ServeHTTP(probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.header.Get("Allow"))
			a.Fail(w, r, &Error{Status: http.StatusMethodNotAllowed})
			return
		}
		a.Fail(w, r, NotFound(nil))
	}))
}

type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

func (a *Adapter) fail(rec *recorder, r *http.Request, err error) {
	e := classify(r.Context(), err)
	a.log(r, e, rec.began())
	if rec.began() {
		panic(http.ErrAbortHandler)
	}
	h := rec.Header()
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Encoding", "Content-Length",
		"ETag", "Last-Modified", "Location", "HX-Location", "HX-Redirect", "HX-Push-Url"} {
		h.Del(name) // the handler's, for the answer it could not give
	}
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		seconds := (e.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if e.Status == StatusClientGone {
		rec.WriteHeader(e.Status) // goes nowhere, but puts the right status into the request's line
		return
	}
	id := RequestIDOf(r.Context())
	if e.Status != http.StatusInternalServerError && a.ErrorPage != nil && a.errorPage(rec, r, Failure{
		Status: e.Status, RequestID: id, MessageID: e.MessageID}) {
		return
	}
	if rec.began() {
		return
	}
	status, body := e.Status, []byte(http.StatusText(e.Status)+"\n")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if status == http.StatusInternalServerError && a.InternalPage != nil {
		if page := a.InternalPage(r); len(page) > 0 {
			body = bytes.ReplaceAll(page, []byte(RequestIDPlaceholder), []byte(id))
			h.Set("Content-Type", "text/html; charset=utf-8")
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	rec.WriteHeader(status)
	_, _ = rec.Write(body) // a client that is gone cannot be told
}

// errorPage reports whether the hook wrote a page; a hook that panics is logged and counts as silent.
func (a *Adapter) errorPage(rec *recorder, r *http.Request, f Failure) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			a.log(r, classify(r.Context(), &panicError{value: v, stack: debug.Stack()}), rec.began())
			ok = false
		}
	}()
	a.ErrorPage(rec, r, f)
	return rec.began()
}

// StatusClientGone is logged, never sent, for a request whose client left before the answer.
const StatusClientGone = 499 // no standard number exists; proxies use this one

// classify finds the kind of an error that does not carry one.
func classify(ctx context.Context, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Status: e.Status, MessageID: e.MessageID, RetryAfter: e.RetryAfter, Err: err}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &Error{Status: http.StatusRequestEntityTooLarge, Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Status: http.StatusServiceUnavailable, Err: err}
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return &Error{Status: StatusClientGone, Err: err}
	}
	return &Error{Status: http.StatusInternalServerError, Err: err}
}

func (a *Adapter) log(r *http.Request, e *Error, began bool) {
	level := slog.LevelInfo
	if e.Status >= 500 {
		level = slog.LevelError
	}
	route, actor, _ := exchangeOf(r.Context()).read()
	attrs := []slog.Attr{
		slog.String("request_id", RequestIDOf(r.Context())),
		slog.String("method", methodName(r.Method)),
		slog.String("route", route),
		slog.Int("status", e.Status),
		slog.Int64("actor", actor),
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	} else {
		attrs = append(attrs, slog.String("error", e.Error()))
	}
	if began {
		attrs = append(attrs, slog.Bool("answer_begun", true))
	}
	var p *panicError
	if errors.As(e.Err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	a.Log.LogAttrs(context.WithoutCancel(r.Context()), level, "request failed", attrs...)
}

// panicError is a recovered panic. Of its value only the runtime's own texts and the type are shown: a value made
// by a program may hold the data it was working on.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic with a %T", p.value)
}
