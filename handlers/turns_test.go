package handlers

import (
	"context"
	"testing"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	places := &turns{places: 2}
	var ends []context.Context
	var releases []func()
	take := func(session string) {
		ctx, release := places.take(t.Context(), session)
		ends, releases = append(ends, ctx), append(releases, release)
	}
	holds := func(want ...bool) {
		t.Helper()
		for i, ctx := range ends {
			if got := ctx.Err() == nil; got != want[i] {
				t.Errorf("stream %d of %d open: %t", i, len(ends), got)
			}
		}
	}
	take("one")
	take("one")
	take("other")
	holds(true, true, true)
	take("one") // one too many: the oldest of this session goes
	holds(false, true, true, true)
	releases[0]() // as its handler does in the end
	releases[1]()
	take("one") // the place that was given back
	holds(false, false, true, true, true)
	for _, release := range releases {
		release()
	}
	if len(places.open) != 0 {
		t.Errorf("%d sessions remembered without a stream", len(places.open))
	}
}

func TestTurnsWithoutLimit(t *testing.T) {
	t.Parallel()
	var places turns
	first, release := places.take(t.Context(), "one")
	defer release()
	for range 50 {
		_, release := places.take(t.Context(), "one")
		defer release()
	}
	if first.Err() != nil {
		t.Error("a stream was ended although there is no limit")
	}
}
