package db_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"cotejo/db"
	"cotejo/internal/webhook"
)

// The vendor's events race with our own commit of the account, out of order and more than once. The queue is played here:
// what ends unmatched and is claimed afterwards is run again.
func TestStormOfEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const attempts = 200
	type step func() error
	var steps []step
	events := map[int64]webhook.Event{}
	for i := range attempts {
		m := b.request("sandbox", alejandro)
		account := fmt.Sprintf("acc %d", i)
		steps = append(steps, func() error { return b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: account, UserID: "u"}) })
		for j, e := range []webhook.Event{created(account), success(account), success(account), created(account)} {
			if (i+j)%3 == 0 {
				e.ExternalID = m.attemptUID.String()
			}
			id := b.deliver()
			events[id] = e
			apply := func() error { return b.ApplyEvent(b.ctx, id, e) }
			steps = append(steps, apply)
			if j%2 == 0 {
				steps = append(steps, apply) // the queue runs a job twice
			}
		}
	}
	rand.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	work := make(chan step)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			for do := range work {
				if err := do(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, do := range steps {
		work <- do
	}
	close(work)
	all.Wait()
	// The claims' jobs. Those that have nothing to do any more do nothing.
	for id, e := range events {
		b.must(b.ApplyEvent(b.ctx, id, e))
	}
	for name, sql := range map[string]string{
		"attempts not ended in success":       `select count(*) from attempts where status <> 'success' or settled_at is null`,
		"lookups not ended in success":        `select count(*) from lookups where status <> 'success'`,
		"attempts without account":            `select count(*) from attempts where account_id = ''`,
		"facts told twice":                    `select count(*) from (select 1 from events group by attempt_id, key having count(*) > 1) e`,
		"attempts without exactly two facts":  `select count(*) from (select 1 from attempts a left join events e on e.attempt_id = a.id group by a.id having count(*) <> 2) a`,
		"deliveries left over":                `select count(*) from deliveries where verdict not in ('accepted', 'duplicate') or processed_at is null or lookup_id is null`,
		"duplicates without their first":      `select count(*) from deliveries where verdict = 'duplicate' and twin_of is null`,
		"attempts not fetched exactly once":   `select count(*) from (select 1 from river_job where kind = 'fetch_profile' group by args->>'attempt_id' having count(*) <> 1) j`,
		"statuses reached more than once":     `select count(*) from (select 1 from moments where kind = 'status' group by attempt_id, status having count(*) > 1) m`,
		"moments of success that are missing": `select 200 - count(*) from moments where kind = 'status' and status = 'success'`,
	} {
		if n := value[int](b, sql); n != 0 {
			t.Errorf("%d %s", n, name)
		}
	}
	if n := b.jobs("fetch_employment"); n != attempts {
		t.Errorf("%d fetches of employment, want %d", n, attempts)
	}
}
