package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server runs a handler with limits against slow and greedy clients, and stops without cutting anybody off. The
// zero value of each limit stands for the default named beside it.
type Server struct {
	Handler http.Handler
	Log     *slog.Logger

	ReadHeaderTimeout time.Duration // 10 s from the first byte to the last header
	RequestTimeout    time.Duration // 60 s for reading the body and for writing the answer; Timeout changes it, streams lift it
	IdleTimeout       time.Duration // 2 min between two requests of one connection
	ShutdownTimeout   time.Duration // 20 s for requests under way when the context ends
	MaxHeaderBytes    int           // 32 KiB
}

// stopKey holds the channel that is closed when the server begins to stop.
type stopKey struct{}

// Stopping returns a channel that is closed when the Server serving ctx's request begins to stop; nil outside one.
// Ordinary requests may finish then, streams must end.
func Stopping(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(stopKey{}).(chan struct{})
	return ch
}

// Serve answers on ln until ctx ends. Then it takes no new connection, tells the streams to end, waits for the
// requests under way, and at the end of ShutdownTimeout cancels their contexts and closes what is left, which is
// reported as an error. A clean stop returns nil.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	stopping := make(chan struct{})
	// Not derived from ctx: its end must not tear requests that have time to finish.
	base, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), stopKey{}, stopping))
	defer cancel()

	srv := &http.Server{
		Handler:           s.limited(),
		ReadHeaderTimeout: orDefault(s.ReadHeaderTimeout, 10*time.Second),
		IdleTimeout:       orDefault(s.IdleTimeout, 2*time.Minute),
		MaxHeaderBytes:    orDefault(s.MaxHeaderBytes, 32<<10),
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	srv.RegisterOnShutdown(sync.OnceFunc(func() { close(stopping) }))

	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("web: serve: %w", err)
	case <-ctx.Done():
	}

	deadline, done := context.WithTimeout(base, orDefault(s.ShutdownTimeout, 20*time.Second))
	defer done()
	err := srv.Shutdown(deadline)
	if err != nil {
		cancel()
		err = fmt.Errorf("web: connections cut after the time for a graceful stop: %w", errors.Join(err, srv.Close()))
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// limited gives each request its deadlines. http.Server's own WriteTimeout would do the same, but a handler
// behind it could not tell that from a limit somebody chose.
func (s *Server) limited() http.Handler {
	d := orDefault(s.RequestTimeout, time.Minute)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setDeadlines(w, time.Now().Add(d))
		s.Handler.ServeHTTP(w, r)
	})
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
