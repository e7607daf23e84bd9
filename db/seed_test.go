package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/seed"
	"cotejo/internal/webhook"
)

// seedable is a database with the sandbox connected and nothing else.
func seedable(t testing.TB) *bench {
	t.Helper()
	d, url := open(t)
	b := &bench{DB: d, t: t, ctx: t.Context(), url: url}
	b.sandbox, b.hook = b.connection(lookup.Sandbox)
	return b
}

var seedNow = time.Date(2026, 9, 3, 19, 30, 0, 0, time.UTC)

// schema lists all indexes, foreign keys and triggers as statements.
func (b *bench) schema() []string {
	return value[[]string](b, `select array_agg(def order by def) from (
  select indexdef as def from pg_indexes where schemaname = 'public'
  union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated from pg_constraint where contype in ('f', 'c', 'u', 'p')
  union all select pg_get_triggerdef(oid) || tgenabled::text from pg_trigger where not tgisinternal) s`)
}

func TestSeed(t *testing.T) {
	t.Parallel()
	b := seedable(t)
	var told []int
	b.must(b.Seed(b.ctx, b.hook, seed.Plan{Lookups: 250, Deliveries: 800, Now: seedNow}, func(n int) { told = append(told, n) }))
	b.must(b.Seed(b.ctx, b.hook, seed.Plan{Lookups: 40, Deliveries: 10, Now: seedNow}, nil))
	for what, want := range map[string]int{
		`select count(*) from lookups`:    290,
		`select count(*) from deliveries`: 810,
		`select count(*) from users where disabled_at is not null and password_hash = ''`: len(seed.Analysts),
		// One story told twice, and it has to be the same: what lookups repeat of their latest attempt, what deliveries say of events.
		`select count(*) from lookups l join lateral (select status, detail, profile_state, employment_state from attempts a where a.lookup_id = l.id
		  order by number desc limit 1) a on (a.status, a.detail, a.profile_state, a.employment_state) = (l.status, l.detail, l.profile_state, l.employment_state)`: 290,
		`select count(*) from events e join deliveries d on d.id = e.delivery_id where d.event_id is distinct from e.id or d.lookup_id is null`: 0,
		`select count(*) from deliveries where processed_at is null or environment <> 'sandbox'`:                                                0,
		`select count(*) from deliveries d join deliveries t on t.id = d.twin_of where t.received_at > d.received_at`:                           0,
		`select count(*) from pulls p where sha256 <> sha256(body)`:                                                                             0,
		`select count(*) from lookups l where records <> 0 and records <> (select count(*) from pulls p join employment_records r on r.pull_id = p.id
		  where p.lookup_id = l.id)`: 0,
		`select count(*) from people where name = '' and id in (select person_id from lookups where profile_state = 'complete')`: 0,
		`select count(*) from river_job`: 0,
	} {
		if got := value[int](b, what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	if n := value[int](b, `select count(*) from people`); n < 240 || n >= 290 {
		t.Errorf("%d people: some are asked about twice, most once", n)
	}
	if len(told) != 1 || told[0] != 250 {
		t.Errorf("progress %v", told)
	}

	// The pages' own questions answer.
	rows, newer, older, err := b.Lookups(b.ctx, lookup.Sandbox, lookup.Filter{Status: lookup.Success}, lookup.Page{Limit: 50}, time.UTC)
	b.must(err)
	if len(rows) != 50 || newer || !older || rows[0].PersonName == "" && rows[1].PersonName == "" && rows[2].PersonName == "" {
		t.Errorf("%d rows, newer %v, older %v", len(rows), newer, older)
	}
	list, _, _, err := b.Deliveries(b.ctx, lookup.Sandbox, webhook.Filter{Verdict: webhook.Duplicate}, lookup.Page{Limit: 50}, time.UTC)
	if err != nil || len(list) == 0 {
		t.Errorf("%d duplicates (%v)", len(list), err)
	}
	// And life goes on: ids taken by COPY are not given again.
	b.analyst = b.user("ana@example.mx", "analyst")
	b.by.UserID, b.by.Name = b.analyst.ID, b.analyst.Name
	m := b.taken("acc")
	b.tell(success("acc"))
	if s := b.status(m); s != "success success" {
		t.Errorf("a lookup after the seed is %s", s)
	}
}

func TestSeedIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	var pages [2][]lookup.Row
	for i := range pages {
		b := seedable(t)
		b.must(b.Seed(b.ctx, b.hook, seed.Plan{Lookups: 60, Deliveries: 180, Now: seedNow}, nil))
		var err error
		pages[i], _, _, err = b.Lookups(b.ctx, lookup.Sandbox, lookup.Filter{}, lookup.Page{Limit: 100}, time.UTC)
		b.must(err)
		for j := range pages[i] {
			pages[i][j].PersonUID = uuid.Nil // each database makes its own
		}
	}
	if diff := cmp.Diff(pages[0], pages[1]); diff != "" || len(pages[0]) != 60 {
		t.Errorf("%d rows, of two databases (-one +other):\n%s", len(pages[0]), diff)
	}
}

// A large seed loads without indexes, foreign keys and the triggers of attempts. Afterwards they are all there, and
// checked, and what they would have written stands as they would have.
func TestSeedInBulk(t *testing.T) {
	t.Parallel()
	var counted [2][]string
	now := time.Now().AddDate(0, 0, -1) // of the last weeks hours are kept, of the time before only days
	for i := range counted {
		b := seedable(t)
		before := b.schema()
		plan := seed.Plan{Lookups: 150, Deliveries: 450, Now: now, Bulk: i == 1}
		b.must(b.Seed(b.ctx, b.hook, plan, nil))
		if diff := cmp.Diff(before, b.schema()); diff != "" {
			t.Error("schema (-before +after):\n", diff)
		}
		if n := value[int](b, `select count(*) from events e join deliveries d on d.id = e.delivery_id where d.event_id = e.id`); n < 150 {
			t.Errorf("%d deliveries name their events", n)
		}
		if n := value[int](b, `select count(*) from outcomes_told`); n == 0 {
			t.Error("nobody told an outcome in the last days")
		}
		if n := value[int](b, `select sum(count) from delivery_hours`); n != 450 {
			t.Errorf("%d deliveries counted", n)
		}
		plan.Lookups = 30 // upon what is there already
		b.must(b.Seed(b.ctx, b.hook, plan, nil))
		counted[i] = value[[]string](b, `select array_agg(t order by t) from (
  select to_jsonb(h)::text from attempt_hours h
  union all select e.folded || ' ' || x.lookup_id from employers e join lookup_employers x on x.employer_id = e.id
  union all select to_jsonb(t)::text from outcomes_told t
  union all select to_jsonb(f)::text from lookup_facets f union all select to_jsonb(f)::text from delivery_facets f
  union all select status || sum(count) from lookup_counts group by status
  union all select west || ' ' || day || status || detail || platform || sum(count) from failure_days group by west, day, status, detail, platform) x (t)`)
	}
	if diff := cmp.Diff(counted[0], counted[1]); diff != "" || len(counted[0]) < 100 {
		t.Errorf("%d counters (-by triggers +in bulk):\n%s", len(counted[0]), diff)
	}
}

// A seed that dies half-way has never been.
func TestSeedThatDies(t *testing.T) {
	t.Parallel()
	b := seedable(t)
	before := b.schema()
	ctx, cancel := context.WithCancel(b.ctx)
	err := b.Seed(ctx, b.hook, seed.Plan{Lookups: 2100, Deliveries: 2000, Now: seedNow, Bulk: true}, func(int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled seed: %v", err)
	}
	if diff := cmp.Diff(before, b.schema()); diff != "" {
		t.Error("schema (-before +after):\n", diff)
	}
	if n := value[int](b, `select count(*) from lookups`) + value[int](b, `select count(*) from attempt_hours`); n != 0 {
		t.Errorf("%d rows of half a seed", n)
	}
}

func TestSeedLeavesProductionAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, hook := range map[string]db.Subscription{"beside production": b.hook, "into production": b.liveHook} {
		err := b.Seed(b.ctx, hook, seed.Plan{Lookups: 1, Now: seedNow}, nil)
		if !errors.Is(err, db.ErrProduction) || !strings.Contains(err.Error(), "production connection") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := value[int](b, `select count(*) from lookups`) + value[int](b, `select count(*) from users where email like '%seed.invalid'`); n != 0 {
		t.Errorf("%d rows of a refused seed", n)
	}
}

func BenchmarkSeed(bb *testing.B) {
	b := seedable(bb)
	bb.ResetTimer()
	b.must(b.Seed(b.ctx, b.hook, seed.Plan{Lookups: bb.N, Deliveries: 3 * bb.N, Now: time.Now()}, nil))
}
