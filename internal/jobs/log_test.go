package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// What River makes good by itself is no error of ours, until it fails again and again.
func TestRiverIsTakenCalmly(t *testing.T) {
	t.Parallel()
	err := slog.Any("err", errors.New("timed out"))
	for _, c := range []struct {
		message string
		attrs   []slog.Attr
		want    string
	}{
		{"Elector: Error attempting reelection", []slog.Attr{slog.Int("attempt", 1), err}, "WARN"},
		{"Elector: Error attempting reelection", []slog.Attr{err, slog.Int("attempt", 2)}, "WARN"},
		{"Elector: Error attempting reelection", []slog.Attr{slog.Int("attempt", 3), err}, "ERROR"},
		{"Elector: Error attempting to resign", []slog.Attr{slog.Int("attempt", 5), err}, "WARN"},
		{"JobCleaner: Error cleaning jobs", []slog.Attr{err}, "ERROR"},
	} {
		var out strings.Builder
		log := slog.New(atLeast{slog.LevelWarn, slog.NewTextHandler(&out, nil)})
		log.LogAttrs(context.Background(), slog.LevelError, c.message, c.attrs...)
		if !strings.Contains(out.String(), "level="+c.want) {
			t.Errorf("%s %v: %s", c.message, c.attrs, out.String())
		}
		log.Info("progress")
		if strings.Contains(out.String(), "progress") {
			t.Error("River's progress is in our log")
		}
	}
}
