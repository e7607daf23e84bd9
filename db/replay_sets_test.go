package db_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

func TestReplayIsSwitched(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 5 {
		b.hear(of(tellsCreated, "nobody"), time.Now())
	}
	id, uid := b.replay(webhook.ReplaySet{})
	step := func(want bool) {
		t.Helper()
		if more, err := b.ReplayBatch(b.ctx, id, 1, read); err != nil || more != want {
			t.Errorf("more %v, %v; want %v", more, err, want)
		}
	}
	turn := func(to webhook.ReplayState, want error) {
		t.Helper()
		if err := b.SwitchReplay(b.ctx, lookup.Sandbox, uid, to, b.by); !errors.Is(err, want) {
			t.Errorf("to %s: %v, want %v", to, err, want)
		}
	}
	did := func(want int, state webhook.ReplayState) {
		t.Helper()
		if r, err := b.Replay(b.ctx, lookup.Sandbox, uid); err != nil || r.Did() != want || r.State != state {
			t.Errorf("%d done, %s, %v; want %d, %s", r.Did(), r.State, err, want, state)
		}
	}
	step(true)
	turn(webhook.ReplayRunning, db.ErrConflict)
	turn(webhook.ReplayPaused, nil)
	turn(webhook.ReplayPaused, db.ErrConflict)
	step(false)
	did(1, webhook.ReplayPaused)
	turn(webhook.ReplayRunning, nil)
	if n := b.jobs(task.RunReplay{}.Kind()); n != 1 {
		t.Errorf("%d jobs after the resumption while the first one waits", n)
	}
	turn(webhook.ReplayPaused, nil)
	b.exec(`update river_job set state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{x}'`)
	turn(webhook.ReplayRunning, nil)
	if n := b.jobs(task.RunReplay{}.Kind()); n != 2 {
		t.Errorf("%d jobs after the resumption while the first one is about to end", n)
	}
	step(true)
	// Somebody cancelled its jobs: it stands still, and can be resumed.
	b.exec(`update river_job set state = 'cancelled', finalized_at = now()`)
	if r, err := b.Replay(b.ctx, lookup.Sandbox, uid); err != nil || !r.Stalled {
		t.Errorf("without a job: %+v %v", r, err)
	}
	turn(webhook.ReplayRunning, nil)
	turn(webhook.ReplayCancelled, nil)
	step(false)
	did(2, webhook.ReplayCancelled)
	for _, to := range []webhook.ReplayState{webhook.ReplayRunning, webhook.ReplayPaused, webhook.ReplayCancelled, webhook.ReplayDone} {
		turn(to, db.ErrConflict)
	}
	if err := b.SwitchReplay(b.ctx, lookup.Production, uid, webhook.ReplayPaused, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("in the other environment: %v", err)
	}
	if got := value[string](b, `select string_agg(action, ' ' order by id) from audit_entries where subject = $1`, uid.String()); got !=
		"replay.started replay.paused replay.resumed replay.paused replay.resumed replay.resumed replay.cancelled" {
		t.Errorf("trail: %s", got)
	}
}

func TestReplaySets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.hear(of(tellsCreated, "one"), time.Now())
	two := b.hear(of(tellsCreated, "two"), time.Now())
	three := b.deliver(func(r *db.Receipt) { r.Subscription = b.liveHook })
	for name, test := range map[string]struct {
		set  webhook.ReplaySet
		want []int64
	}{
		"all":                  {webhook.ReplaySet{}, []int64{one, two}},
		"counted":              {webhook.ReplaySet{UpTo: one}, []int64{one}},
		"one":                  {webhook.ReplaySet{Delivery: b.uidOf(two)}, []int64{two}},
		"of an account":        {webhook.ReplaySet{Filter: webhook.Filter{Account: "one"}}, []int64{one}},
		"the other kind":       {webhook.ReplaySet{Delivery: b.uidOf(three)}, nil},
		"none":                 {webhook.ReplaySet{Filter: webhook.Filter{Account: "none"}}, nil},
		"refused ones are out": {webhook.ReplaySet{Filter: webhook.Filter{Verdict: webhook.Refused}}, nil},
	} {
		n, _, upTo, err := b.CountReplay(b.ctx, lookup.Sandbox, test.set, time.UTC, 10)
		b.must(err)
		if n != len(test.want) || n > 0 && upTo != slices.Max(test.want) {
			t.Errorf("%s: %d up to %d", name, n, upTo)
		}
		uid, err := b.StartReplay(b.ctx, lookup.Sandbox, test.set, time.UTC, nil, b.by)
		if test.want == nil {
			if !errors.Is(err, db.ErrNothingChosen) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		b.must(err)
		if diff := cmp.Diff(test.want, value[[]int64](b, `select array_agg(delivery_id order by delivery_id) from replay_items where replay_id = (select id from replays where uid = $1)`, uid)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	first, _, older, err := b.Replays(b.ctx, lookup.Sandbox, lookup.Page{Limit: 3})
	b.must(err)
	last := first[len(first)-1]
	rest, newer, _, err := b.Replays(b.ctx, lookup.Sandbox, lookup.Page{Limit: 3, After: lookup.Cursor{At: last.RequestedAt, ID: last.ID}})
	b.must(err)
	if len(first) != 3 || !older || len(rest) != 1 || !newer {
		t.Errorf("%d and %d replays, older %v, newer %v", len(first), len(rest), older, newer)
	}
	if list, _, _, err := b.Replays(b.ctx, lookup.Production, lookup.Page{Limit: 3}); err != nil || len(list) != 0 {
		t.Errorf("in the other environment: %v %v", list, err)
	}
	b.refused("23503", `insert into replay_items (replay_id, delivery_id, environment) values ($1, $2, 'sandbox')`, first[0].ID, three)
}

func TestFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.Pool().Exec(b.ctx, `select $1::text::uuid`, "GATA000408HTLRLLA7")
	for text, why := range map[string]error{
		"":                     nil,
		"look: SQLSTATE 22P02": fmt.Errorf("look: %w", err),
		"no •••••••• and •••••••••••":  errors.New("no GATA000408HTLRLLA7 and 12345678901"),
		"attempt 17 of lookup 3: late": errors.New("attempt 17 of lookup 3: late"),
	} {
		if got := db.Fault(why); got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
}
