package db

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Trace is told of each statement: its name (first line, "-- name: …"), how long it took and how it ended.
type Trace func(name string, took time.Duration, err error)

type tracer struct{ tell Trace }

type started struct {
	name string
	at   time.Time
}

type startedKey struct{}

// TraceQueryStart notes the statement's name; statements without one (begin, commit, the queue's own) go under "other".
func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, startedKey{}, started{name: statementName(data.SQL), at: time.Now()})
}

// TraceQueryEnd tells of the statement. Neither its text nor its arguments go anywhere.
func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if s, ok := ctx.Value(startedKey{}).(started); ok {
		t.tell(s.name, time.Since(s.at), data.Err)
	}
}

// TraceBatchStart notes when a batch began.
func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return context.WithValue(ctx, startedKey{}, started{at: time.Now()})
}

// TraceBatchQuery tells of one statement of a batch: how long after the batch's begin its answer came.
func (t tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if s, ok := ctx.Value(startedKey{}).(started); ok {
		t.tell(statementName(data.SQL), time.Since(s.at), data.Err)
	}
}

// TraceBatchEnd satisfies pgx.BatchTracer.
func (t tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func statementName(sql string) string {
	rest, ok := strings.CutPrefix(sql, "-- name: ")
	if !ok {
		return "other"
	}
	name, _, _ := strings.Cut(rest, "\n")
	return name
}
