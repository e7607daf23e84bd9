package db_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/lookup"
)

// hourRows tells of each counter: its hour, its shard and what it counts.
func (b *bench) hourRows() []string {
	b.t.Helper()
	return value[[]string](b, `select coalesce(array_agg(to_char(hour at time zone 'UTC', 'YYYY-MM-DD HH24') || ' ' || shard || ': ' || started || ' ' || heard || ' ' || asked || ' ' || success || ' ' || error
	  order by hour, shard), '{}') from attempt_hours`)
}

// recounted tells what SourceHours should say, counted from the attempts themselves, by hour.
func (b *bench) recounted(since time.Time) []lookup.Tally {
	b.t.Helper()
	rows, err := b.Pool().Query(b.ctx, `select count(*), count(final_event_at), count(*) filter (where final_event_at is null and settled_by = 'asking'),
	  count(*) filter (where status = 'success'), count(*) filter (where status = 'error') from attempts where sent_at >= $1 group by date_trunc('hour', sent_at, 'UTC')
	  order by date_trunc('hour', sent_at, 'UTC')`, since)
	b.must(err)
	defer rows.Close()
	var list []lookup.Tally
	for rows.Next() {
		var n lookup.Tally
		b.must(rows.Scan(&n.Started, &n.Heard, &n.Asked, &n.Success, &n.Error))
		list = append(list, n)
	}
	b.must(rows.Err())
	return list
}

// counted tells what SourceHours says of hours, without times and causes of failures.
func (b *bench) counted(since time.Time) (list []lookup.Tally) {
	b.t.Helper()
	hours, err := b.SourceHours(b.ctx, lookup.Sandbox, since)
	b.must(err)
	for _, h := range hours {
		list = append(list, lookup.Tally{Started: h.Started, Heard: h.Heard, Asked: h.Asked, Success: h.Success, Error: h.Error})
	}
	return list
}

// Hours that have passed become one row each, old ones one a day, and what the pages read stays what it was; so it does when an
// attempt of such an hour gets its outcome afterwards, and when that is folded in too.
func TestHoursAreFolded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hour := time.Now().UTC().Truncate(time.Hour)
	passed, month := hour.Add(-5*time.Hour), hour.AddDate(0, 0, -30)
	old := hour.Truncate(24*time.Hour).AddDate(0, 0, -50)
	sent := map[string]made{}
	for account, at := range map[string]time.Time{
		"now": hour, "now too": hour, "passed": passed, "passed too": passed, "late": passed, "month": month, "midnight": old, "old": old.Add(7 * time.Hour), "old too": old.Add(9 * time.Hour),
	} {
		sent[account] = b.taken(account)
		b.sent(sent[account], at.Add(time.Second))
	}
	b.tell(success("passed"), at(passed.Add(19*time.Second)))
	b.tell(success("old"), at(old.Add(8*time.Hour)))
	_, err := b.AnsweredLate(b.ctx, sent["passed too"].attempt, answered(lookup.PhaseFailed, "service_degradation"), time.Now())
	b.must(err)

	same := func(when string) {
		t.Helper()
		if diff := cmp.Diff(b.recounted(month), b.counted(month)); diff != "" {
			t.Errorf("%s (-attempts +counted):\n%s", when, diff)
		}
		all := value[[]int64](b, `select array[sum(started), sum(heard), sum(success), sum(error), sum((select sum(n) from unnest(took) n))]::bigint[] from attempt_hours`)
		anew := value[[]int64](b, `select array[count(*), count(final_event_at), count(*) filter (where status = 'success'), count(*) filter (where status = 'error'), count(final_event_at)]
		  from attempts where sent_at is not null`)
		if diff := cmp.Diff(anew, all); diff != "" {
			t.Errorf("%s, of all time (-attempts +counted):\n%s", when, diff)
		}
	}
	folded := func(when string, want ...string) {
		t.Helper()
		got := slices.DeleteFunc(b.hourRows(), func(row string) bool { return strings.HasPrefix(row, hour.Format("2006-01-02 15")) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s the rows are (-want +got):\n%s", when, diff)
		}
		same(when)
	}
	day, at5, at30 := old.Format("2006-01-02 00"), passed.Format("2006-01-02 15"), month.Format("2006-01-02 15")
	same("unfolded")
	b.must(b.Tidy(b.ctx))
	folded("folded", day+" 8: 3 1 0 1 0", at30+" 8: 1 0 0 0 0", at5+" 8: 3 1 1 1 1")
	hours, err := b.SourceHours(b.ctx, lookup.Sandbox, passed)
	b.must(err)
	if median, ok := hours[0].Median(); !ok || median < 15*time.Second || median > 20*time.Second || hours[0].FailedDetail != "service_degradation" || time.Since(hours[0].FailedAt) > time.Hour {
		t.Errorf("the hour that was folded is %+v", hours[0])
	}

	// Late outcomes: differences beside what was folded, then in it.
	_, err = b.AnsweredLate(b.ctx, sent["late"].attempt, answered(lookup.PhaseSucceeded, ""), time.Now())
	b.must(err)
	b.tell(success("passed too"), at(passed.Add(time.Hour)))
	b.tell(success("old too"), at(old.Add(10*time.Hour)))
	b.tell(success("month"), at(month.Add(2*time.Minute)))
	same("with late outcomes")
	for range 2 { // the second time there is nothing left to fold
		b.must(b.Tidy(b.ctx))
		folded("with late outcomes folded", day+" 8: 3 2 0 2 0", at30+" 8: 1 1 0 1 0", at5+" 8: 3 2 1 3 0")
	}
}

// Folding waits for nobody who moves an attempt, and loses nothing: neither what is held while it runs nor what waits for it.
func TestFoldingMeetsWriters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	passed := time.Now().UTC().Truncate(time.Hour).Add(-5 * time.Hour)
	for _, account := range []string{"A1", "A2"} {
		b.sent(b.taken(account), passed)
	}
	at5 := passed.Format("2006-01-02 15")
	writer := b.hold(`update attempts set status = 'error', settled_at = now(), settled_by = 'webhook', final_event_at = now() where account_id = 'A1'`)
	b.must(b.Tidy(b.ctx))
	b.must(writer.Commit(b.ctx))
	if rows := b.hourRows(); len(rows) != 2 {
		t.Errorf("with one row held there are %q", rows)
	}
	b.must(b.Tidy(b.ctx))
	if diff := cmp.Diff([]string{at5 + " 8: 2 1 0 0 1"}, b.hourRows()); diff != "" {
		t.Errorf("folded (-want +got):\n%s", diff)
	}

	// What counts in a row that is being folded away waits, and then begins a new one.
	b.exec(`update attempts set status = 'success' where account_id = 'A1'`)
	fold := b.hold(`delete from attempt_hours where shard <> 8`)
	done := b.waiting(func() error {
		_, err := b.Pool().Exec(b.ctx, `update attempts set status = 'error' where account_id = 'A1'`)
		return err
	})
	b.must(fold.Commit(b.ctx))
	b.must(done())
	shard := value[string](b, `select (id % 8)::text from attempts where account_id = 'A1'`)
	if diff := cmp.Diff([]string{at5 + " " + shard + ": 0 0 0 -1 1", at5 + " 8: 2 1 0 0 1"}, b.hourRows()); diff != "" {
		t.Errorf("counted anew (-want +got):\n%s", diff)
	}
}

// Two processes that tidy at once fold each what the other does not, wait where they add to the same row, and count everything once.
func TestFoldingMeetsFolding(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := connect(t, b.url)
	// Nine hours that have passed, and as many of a day that is old enough to become one row.
	fill := func() {
		b.exec(`insert into attempt_hours as h (connection_id, hour, platform, shard, started, heard, success, error, took, failed_at, failed_detail)
select $1, at, platform, shard, 7 + n, 3 + shard, 2, 1, array(select i + shard from generate_series(1, 19) i), at + shard * interval '1 minute', 'code ' || shard
  from generate_series(0, 8) n
 cross join lateral (values (date_trunc('hour', now(), 'UTC') - (n + 3) * interval '1 hour'), (date_trunc('day', now(), 'UTC') - interval '50 days' + n * interval '1 hour')) w (at)
 cross join unnest(array['imss', 'issste']) platform cross join generate_series(0, 7) shard
on conflict (connection_id, hour, platform, shard) do update set started = h.started + excluded.started`, b.sandbox.ID)
	}
	sums := func() []string {
		return value[[]string](b, `select array_agg(x::text order by x) from (
select date_trunc('day', hour, 'UTC') as day, platform, sum(started) as started, sum(heard) as heard, sum(success) as success, sum(error) as error,
       sum((select sum(n * i * i) from unnest(took) with ordinality u (n, i))) as took, max(failed_at) as failed_at
  from attempt_hours group by 1, 2) x`)
	}
	same := func(when string, before []string) {
		t.Helper()
		if diff := cmp.Diff(before, sums()); diff != "" {
			t.Errorf("%s (-before +after):\n%s", when, diff)
		}
		if n := value[int](b, `select count(*) from attempt_hours where shard <> 8 and hour < now() - interval '3 hours'`); n != 0 {
			t.Errorf("%s: %d rows are not folded", when, n)
		}
	}

	// The first has added all but one row, for which it waits. What a writer kept from it is the second's, which waits for the first.
	fill()
	b.must(b.Tidy(b.ctx))
	fill()
	before := sums()
	writer := b.hold(`select from attempt_hours where shard = 0 for update`)
	held := b.hold(`select from attempt_hours where shard = 8 order by hour desc, platform desc limit 1 for update`)
	first := b.waiting(func() error { return b.Tidy(b.ctx) })
	b.must(writer.Commit(b.ctx))
	second := b.waiting(func() error { return other.Tidy(b.ctx) })
	b.must(held.Commit(b.ctx))
	b.must(first())
	b.must(second())
	same("one behind the other", before)
	for range 3 {
		fill()
		before := sums()
		faults := make(chan error, 2)
		for _, d := range []*db.DB{b.DB, other} {
			go func() { faults <- d.Tidy(b.ctx) }()
		}
		b.must(<-faults)
		b.must(<-faults)
		same("both at once", before)
	}
}
