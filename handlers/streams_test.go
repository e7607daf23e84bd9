package handlers

import (
	"context"
	"testing"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	places := &turns{places: 2}
	var ends []context.Context
	var held []*turn
	arrive := func(session string) *turn {
		ctx, turn := places.take(t.Context(), session)
		ends, held = append(ends, ctx), append(held, turn)
		return turn
	}
	take := func(session string) { arrive(session).caughtUp() }
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
	held[0].release() // as its handler does in the end
	held[1].release()
	take("one") // the place that was given back
	holds(false, false, true, true, true)
	for _, turn := range held {
		turn.release()
	}
	if len(places.open) != 0 {
		t.Errorf("%d sessions remembered without a stream", len(places.open))
	}
}

// Pages that open faster than they are shown do not take each other's places in vain.
func TestTurnsAreNotInVain(t *testing.T) {
	t.Parallel()
	places := &turns{places: 1}
	early, first := places.take(t.Context(), "one")
	late, second := places.take(t.Context(), "one")
	if early.Err() != nil {
		t.Fatal("ended before its page was shown anything")
	}
	if first.caughtUp(); early.Err() == nil {
		t.Error("keeps the place that another needs")
	}
	first.release()
	if second.caughtUp(); late.Err() != nil {
		t.Error("ended though nobody needs its place")
	}
	second.release()
}

func TestTurnsWithoutLimit(t *testing.T) {
	t.Parallel()
	var places turns
	first, turn := places.take(t.Context(), "one")
	defer turn.release()
	for range 50 {
		_, turn := places.take(t.Context(), "one")
		turn.caughtUp()
		defer turn.release()
	}
	if first.Err() != nil {
		t.Error("a stream was ended although there is no limit")
	}
}
