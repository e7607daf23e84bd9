package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Healthz answers 200 as long as the process can answer at all. It asks nothing of the database: restarting us
// would not mend that.
func Healthz() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeLine(w, http.StatusOK, "ok\n")
	})
}

// Readyz answers 200 when check passes within two seconds and the server is not stopping, else 503. The reason is
// logged and not told: the address is open to anybody.
func Readyz(log *slog.Logger, check func(ctx context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-Stopping(r.Context()):
			writeLine(w, http.StatusServiceUnavailable, "stopping\n")
			return
		default:
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := check(ctx); err != nil {
			log.LogAttrs(r.Context(), slog.LevelWarn, "not ready",
				slog.String("request_id", RequestIDOf(r.Context())), slog.String("error", err.Error()))
			writeLine(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		writeLine(w, http.StatusOK, "ready\n")
	})
}

func writeLine(w http.ResponseWriter, status int, line string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line)
}
