package db_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/lookup"
)

// The counts kept by hour are what counting all attempts anew would give, whatever happened to them.
func TestAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	random := rand.New(rand.NewPCG(7, 7))
	now := time.Now()
	for i := range 12 {
		m := b.taken("A" + string(rune('a'+i)))
		for range 4 {
			switch random.IntN(7) {
			case 0:
				_, err := b.MarkSent(b.ctx, m.attempt)
				b.must(err)
			case 1:
				b.sent(m, now.Add(-time.Duration(random.IntN(200))*time.Minute))
			case 2:
				_, err := b.AnsweredLate(b.ctx, m.attempt, answered(lookup.PhaseFailed, "service_degradation"), now)
				b.must(err)
			case 3:
				_, err := b.AnsweredLate(b.ctx, m.attempt, answered(lookup.PhaseOpened, ""), now.Add(3*time.Hour))
				b.must(err)
			case 4:
				b.must(b.AttemptRefused(b.ctx, m.attempt, lookup.CodeRejected))
			case 5:
				b.tell(success("A" + string(rune('a'+i))))
			case 6:
				b.must(b.Tidy(b.ctx)) // folds hours, to which more happens then
			}
		}
	}
	kept := value[[]int64](b, `select array[sum(started), sum(refused), sum(heard), sum(asked), sum(success), sum(error), sum(expired),
		sum((select sum(n) from unnest(took) n))]::bigint[] from attempt_hours`)
	anew := value[[]int64](b, `select array[count(*), count(*) filter (where settled_by = 'refused'), count(*) filter (where final_event_at is not null),
		count(*) filter (where final_event_at is null and settled_by = 'asking'), count(*) filter (where status = 'success'),
		count(*) filter (where status = 'error' and settled_by <> 'refused'), count(*) filter (where status = 'expired'),
		count(*) filter (where final_event_at is not null)]::bigint[] from attempts where sent_at is not null`)
	if diff := cmp.Diff(anew, kept); diff != "" {
		t.Error("kept and counted anew (-want +got):\n", diff)
	}
	if n := value[int](b, `select count(*) from (select 1 from attempt_hours group by hour
		having least(sum(started), sum(refused), sum(heard), sum(asked), sum(success), sum(error), sum(expired)) < 0) less`); n != 0 {
		t.Errorf("%d hours count less than nothing", n)
	}
	// The unit of work that is taken back takes its count back.
	b.must(b.Unsend(b.ctx, value[int64](b, `select max(id) from attempts`)))
}

func TestTookBounds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var want []float64
	for _, bound := range lookup.TookBounds {
		want = append(want, bound.Seconds())
	}
	if diff := cmp.Diff(want, value[[]float64](b, `select took_bounds()`)); diff != "" {
		t.Error("the schema's bounds (-want +got):\n", diff)
	}
}

func TestSourceHours(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hour := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	for i, account := range []string{"A1", "A2", "A3"} {
		m := b.taken(account)
		b.sent(m, hour.Add(time.Duration(i)*time.Minute))
		if account != "A3" {
			b.tell(success(account), at(hour.Add(time.Duration(i)*time.Minute+40*time.Second)))
			continue
		}
		_, err := b.AnsweredLate(b.ctx, m.attempt, answered(lookup.PhaseFailed, "service_degradation"), time.Now())
		b.must(err)
	}
	hours, err := b.SourceHours(b.ctx, lookup.Sandbox, hour)
	b.must(err)
	if len(hours) != 1 || !hours[0].Hour.Equal(hour) || hours[0].Dialect != lookup.Palenca || hours[0].Platform != lookup.IMSS {
		t.Fatalf("hours are %+v", hours)
	}
	h := hours[0]
	if h.Started != 3 || h.Heard != 2 || h.Asked != 1 || h.Success != 2 || h.Error != 1 || h.FailedDetail != "service_degradation" || time.Since(h.FailedAt) > time.Hour {
		t.Errorf("the hour is %+v", h)
	}
	if median, ok := h.Median(); !ok || median < 30*time.Second || median > 45*time.Second {
		t.Errorf("the median of 40 s is %s", median)
	}
	for env, since := range map[lookup.Environment]time.Time{lookup.Production: hour, lookup.Sandbox: hour.Add(time.Hour)} {
		if hours, err := b.SourceHours(b.ctx, env, since); err != nil || len(hours) != 0 {
			t.Errorf("%s since %s: %d hours, %v", env, since, len(hours), err)
		}
	}
}

func TestUnheard(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	now := time.Now()
	made := map[string]made{}
	for i, account := range []string{"heard", "asked", "expired", "nothing", "young"} {
		m := b.taken(account)
		b.sent(m, now.Add(-time.Duration(90-i)*time.Minute))
		made[account] = m
	}
	b.sent(made["young"], now)
	b.tell(success("heard"))
	_, err := b.AnsweredLate(b.ctx, made["asked"].attempt, answered(lookup.PhaseSucceeded, ""), now)
	b.must(err)
	_, err = b.AnsweredLate(b.ctx, made["expired"].attempt, answered(lookup.PhaseOpened, ""), now)
	b.must(err)
	b.request(lookup.Sandbox, eduardo) // never sent
	since, until := now.Add(-24*time.Hour), now.Add(-3*time.Minute)
	names := func(f db.UnheardFilter, env lookup.Environment, page lookup.Page) (got []string, newer, older bool) {
		t.Helper()
		list, newer, older, err := b.Unheard(b.ctx, env, f, since, until, page)
		b.must(err)
		for _, u := range list {
			for name, m := range made {
				if m.uid == u.LookupUID {
					got = append(got, name)
				}
			}
		}
		return got, newer, older
	}
	for _, test := range []struct {
		f    db.UnheardFilter
		want []string
	}{
		{db.UnheardFilter{}, []string{"nothing", "expired", "asked"}},
		{db.UnheardFilter{Settled: db.NothingYet}, []string{"nothing"}},
		{db.UnheardFilter{Settled: "asking"}, []string{"asked"}},
		{db.UnheardFilter{Settled: "expired", Dialect: lookup.Palenca}, []string{"expired"}},
		{db.UnheardFilter{Dialect: lookup.Buro}, nil},
	} {
		got, _, _ := names(test.f, lookup.Sandbox, lookup.Page{Limit: 10})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.f, diff)
		}
	}
	if got, _, _ := names(db.UnheardFilter{}, lookup.Production, lookup.Page{Limit: 10}); len(got) != 0 {
		t.Errorf("in production: %v", got)
	}
	list, newer, older, err := b.Unheard(b.ctx, lookup.Sandbox, db.UnheardFilter{}, since, until, lookup.Page{Limit: 1})
	b.must(err)
	if newer || !older || len(list) != 1 {
		t.Fatalf("first page: %d, %v, %v", len(list), newer, older)
	}
	cursor := lookup.Cursor{At: list[0].SentAt, ID: list[0].ID}
	if got, newer, older := names(db.UnheardFilter{}, lookup.Sandbox, lookup.Page{After: cursor, Limit: 5}); len(got) != 2 || !newer || older {
		t.Errorf("after it: %v, %v, %v", got, newer, older)
	}
	ages, err := b.UnheardAges(b.ctx, lookup.Sandbox, since, now, []time.Duration{3 * time.Minute, time.Hour, 6 * time.Hour})
	b.must(err)
	want := []db.UnheardAge{{0, "", 1}, {2, "", 1}, {2, "asking", 1}, {2, "expired", 1}}
	if diff := cmp.Diff(want, ages); diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
}

// A second subscription of one connection is held against the same attempts: it may be the one that lost them.
func TestHooksHeard(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(`update subscriptions set created_at = now() - interval '2 days'`)
	_, err := b.AddSubscription(b.ctx, b.sandbox, "second", "second token", []string{"*"})
	b.must(err)
	b.exec(`update subscriptions set created_at = now() - interval '1 day' where name = 'second'`)
	second, err := b.SubscriptionByToken(b.ctx, "second token")
	b.must(err)
	hour := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	for _, account := range []string{"A1", "A2", "A3"} {
		m := b.taken(account)
		b.sent(m, hour.Add(time.Minute))
	}
	b.tell(success("A1"))
	b.tell(success("A1")) // a retry
	b.tell(success("A1"), func(r *db.Receipt) { r.Subscription = second })
	b.tell(created("A3")) // no outcome
	b.tell(success("A2"))
	heard, err := b.HooksHeard(b.ctx, lookup.Sandbox, hour.Add(-24*time.Hour), hour.Add(time.Hour))
	b.must(err)
	got := map[string][2]int64{}
	for _, h := range heard {
		got[h.Name] = [2]int64{h.Started, h.Heard}
	}
	if diff := cmp.Diff(map[string][2]int64{"hook": {3, 2}, "second": {3, 1}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// What an older version received is counted as if it had been received by this one.
	const all = `select array_agg(to_jsonb(t)::text order by t) from outcomes_told t`
	told := value[[]string](b, all)
	for value[bool](b, `select to_regclass('outcomes_told') is not null`) {
		b.must(db.MigrateDown(b.ctx, b.url, false))
	}
	b.must(db.Migrate(b.ctx, b.url))
	if diff := cmp.Diff(told, value[[]string](b, all)); diff != "" || len(told) != 3 {
		t.Errorf("%d outcomes told (-kept +gathered):\n%s", len(told), diff)
	}

	b.exec(`update outcomes_told set sent_at = sent_at - $1::interval where subscription_id = $2`, db.OutcomesKept, second.ID)
	b.must(b.Tidy(b.ctx))
	if diff := cmp.Diff(told[:2], value[[]string](b, all)); diff != "" {
		t.Errorf("after tidying (-want +got):\n%s", diff)
	}
}

// The banner speaks when, of what was started in the last full hours, five and a tenth are missing.
func TestVisitMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hour := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	word := func() string {
		t.Helper()
		v, err := b.Visit(b.ctx, b.analyst.ID, 10)
		b.must(err)
		return v.Hooks
	}
	var last made
	for i := range 5 {
		if got := word(); got != "" {
			t.Errorf("with %d missing: %q", i, got)
		}
		account := "A" + string(rune('a'+i))
		last = b.taken(account)
		b.sent(last, hour.Add(time.Minute))
		_, err := b.AnsweredLate(b.ctx, last.attempt, answered(lookup.PhaseIncomplete, ""), time.Now())
		b.must(err)
	}
	if got := word(); got != db.HooksMissing {
		t.Errorf("with five missing: %q", got)
	}
	b.sent(last, time.Now()) // too young to be missed
	if got := word(); got != "" {
		t.Errorf("with four missing: %q", got)
	}
}
