package db_test

import (
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// Data that are said to be on their way without a live job never come: they are given up, each kind by itself, and no other.
func TestGiveUpFetches(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m, fine := b.taken("A1"), b.taken("A2")
	told := success("A1")
	told.Entities = []lookup.Entity{lookup.EntityProfile, lookup.EntityEmployment, lookup.EntityInvoices, lookup.EntityEarnings}
	delivery := b.tell(told)
	b.tell(success("A2"))
	giveUp := func(want int) {
		t.Helper()
		if n, err := b.GiveUpFetches(b.ctx); err != nil || n != want {
			t.Errorf("%d given up, want %d; %v", n, want, err)
		}
	}
	states := func() string {
		return value[string](b, `select concat_ws(' ', l.profile_state, l.employment_state, a.profile_state, a.employment_state,
			(select string_agg(state, ' ' order by name) from attempt_entities where attempt_id = a.id))
			from attempts a join lookups l on l.id = a.lookup_id where a.id = $1`, m.attempt)
	}
	giveUp(0)
	// One was cancelled by hand, of two the last run failed or its process died, and one is only asleep.
	b.exec(`update river_job set state = case kind when 'fetch_profile' then 'cancelled' else 'discarded' end::river_job_state, finalized_at = now()
		where (args->>'attempt_id')::bigint = $1 and kind like 'fetch%' and args->>'entity' is distinct from 'earnings'`, m.attempt)
	b.exec(`update river_job set state = 'scheduled' where args->>'entity' = 'earnings'`)
	giveUp(3)
	if got, want := states(), "failed failed failed failed fetching failed"; got != want {
		t.Errorf("states are %q, want %q", got, want)
	}
	if n := value[int](b, `select count(*) from pulls where attempt_id = $1 and state = 'failed' and code = 'never_fetched' and sha256 = sha256(body)`, m.attempt); n != 3 {
		t.Errorf("%d pulls say why, want 3", n)
	}
	if n := value[int](b, `select count(*) from moments where attempt_id = $1 and kind = 'pull_failed'`, m.attempt); n != 3 {
		t.Errorf("the story tells it %d times, want 3", n)
	}
	giveUp(0)
	if got := value[string](b, `select profile_state || ' ' || employment_state from attempts where id = $1`, fine.attempt); got != "fetching fetching" {
		t.Errorf("another one's states are %q", got)
	}
	b.exec(`update river_job set state = 'cancelled', finalized_at = now() where args->>'entity' = 'earnings'`)
	giveUp(1)
	// A replay of the event finds that the data are missing, and asks for them.
	id, _ := b.replay(webhook.ReplaySet{Delivery: value[uuid.UUID](b, `select uid from deliveries where id = $1`, delivery)})
	before := b.jobs("fetch_profile")
	b.run(id, func(lookup.Dialect, []byte) (webhook.Event, bool) { return told, true })
	if n := b.jobs("fetch_profile"); n != before+1 {
		t.Errorf("a replay began %d fetches of the profile, want one", n-before)
	}
}
