package db_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func (b *bench) story(m made) []string {
	b.t.Helper()
	return value[[]string](b, `select array_agg(rtrim(kind || ' ' || status || ' ' || text) order by id) from moments where attempt_id = $1`, m.attempt)
}

func (b *bench) fetches() int { return b.jobs("fetch_profile") + b.jobs("fetch_employment") }

func TestCreatedThenSuccess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	next := b.listen()
	b.tell(created("acc"))
	last := b.tell(success("acc"))
	if got := next(10 * time.Second); got != strconv.FormatInt(m.id, 10) {
		t.Errorf("announced %q", got)
	}
	if s := b.status(m); s != "success success" {
		t.Errorf("status %s", s)
	}
	if n := b.fetches(); n != 2 {
		t.Errorf("%d fetches, want profile and employment", n)
	}
	if bad := value[int](b, `select count(*) from river_job where args::text !~ '^\{("[a-z]+_id": [0-9]+(, )?)+\}$'`); bad != 0 {
		t.Errorf("%d jobs hold more than ids", bad)
	}
	want := []string{"requested", "taken", "status pending", "opened  login.created", "status success login.success"}
	if diff := cmp.Diff(want, b.story(m)); diff != "" {
		t.Error("story (-want +got):\n", diff)
	}
	uid := value[[16]byte](b, `select uid from deliveries where id = $1`, last)
	d, err := b.ViewDelivery(b.ctx, lookup.Sandbox, uid, audit.DeliveryViewed, b.by)
	b.must(err)
	changes := []webhook.Change{{What: "profile", Before: "none", After: "fetching"}, {What: "employment", Before: "none", After: "fetching"},
		{What: "status", Before: "pending", After: "success"}}
	if diff := cmp.Diff(changes, d.Changes); diff != "" {
		t.Error("changes (-want +got):\n", diff)
	}
	if d.LookupUID != m.uid || d.Reference != "EXP-1" || d.Action != "login.success" || d.AccountID != "acc" || d.ProcessedAt.IsZero() || d.Attempts != 1 {
		t.Errorf("delivery: %+v", d)
	}
}

func TestOverEvents(t *testing.T) {
	t.Parallel()
	start := time.Now().Add(-5 * time.Hour)
	failed := event("login.error", "acc", lookup.PhaseFailed, "platform_error")
	stopped := event("login.incomplete", "acc", lookup.PhaseIncomplete, "curp_has_inconsistencies")
	stale := event("login.failed_refresh", "acc", lookup.PhaseRefreshFailed, "failed_refresh")
	unknown := event("login.retry", "acc", lookup.PhaseUnknown, "")
	type told struct {
		e       webhook.Event
		after   time.Duration
		verdict string
	}
	for _, test := range []struct {
		name    string
		events  []told
		state   lookup.State
		fetches int
		stored  int // events
	}{
		{"success overtakes created", []told{{success("acc"), 0, "accepted "}, {created("acc"), time.Minute, "accepted late"}}, lookup.State{Status: lookup.Success}, 2, 2},
		{"created twice in other bytes", []told{{created("acc"), 0, "accepted "}, {created("acc"), time.Minute, "duplicate same_fact"}}, lookup.State{Status: lookup.Pending}, 0, 1},
		{"created again long after", []told{{created("acc"), 0, "accepted "}, {created("acc"), time.Hour, "duplicate same_fact"}}, lookup.State{Status: lookup.Pending}, 0, 1},
		{"success twice", []told{{success("acc"), 0, "accepted "}, {success("acc"), db.RetryWindow - 1e9, "duplicate same_fact"}}, lookup.State{Status: lookup.Success}, 2, 1},
		{"success again after the window", []told{{success("acc"), 0, "accepted "}, {success("acc"), db.RetryWindow, "accepted "}}, lookup.State{Status: lookup.Success}, 4, 2},
		{"third success close to the second", []told{{success("acc"), 0, "accepted "}, {success("acc"), time.Hour, "accepted "},
			{success("acc"), time.Hour + time.Minute, "duplicate same_fact"}}, lookup.State{Status: lookup.Success}, 4, 2},
		{"failure after success", []told{{success("acc"), 0, "accepted "}, {failed, time.Minute, "accepted late"}}, lookup.State{Status: lookup.Success}, 2, 2},
		{"incomplete after success", []told{{success("acc"), 0, "accepted "}, {stopped, time.Minute, "accepted late"}}, lookup.State{Status: lookup.Success}, 2, 2},
		{"refresh failed after success", []told{{success("acc"), 0, "accepted "}, {stale, time.Hour, "accepted "}}, lookup.State{Status: lookup.Success, Warning: "failed_refresh"}, 2, 2},
		{"refresh failed at first", []told{{stale, 0, "accepted "}}, lookup.State{Status: lookup.Error, Detail: "failed_refresh"}, 0, 1},
		{"failure recovers", []told{{failed, 0, "accepted "}, {success("acc"), time.Minute, "accepted "}}, lookup.State{Status: lookup.Success}, 2, 2},
		{"two outcomes, the first stands", []told{{stopped, 0, "accepted "}, {failed, time.Minute, "accepted "}}, lookup.State{Status: lookup.Incomplete, Detail: "curp_has_inconsistencies"}, 0, 2},
		{"unknown event", []told{{unknown, 0, "ignored unknown_event"}, {unknown, time.Minute, "duplicate same_fact"}}, lookup.State{Status: lookup.Pending}, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			m := b.taken("acc")
			b.exec(`update attempts set detail = '' where id = $1`, m.attempt)
			for i, told := range test.events {
				id := b.tell(told.e, at(start.Add(told.after)))
				if v := b.verdict(id); v != told.verdict {
					t.Errorf("event %d is %q, want %q", i, v, told.verdict)
				}
			}
			row, err := b.LookupRow(b.ctx, m.id)
			b.must(err)
			if diff := cmp.Diff(test.state, row.State, cmpopts.IgnoreFields(lookup.State{}, "Detail")); diff != "" || test.state.Detail != "" && test.state.Detail != row.State.Detail {
				t.Errorf("state %+v, want %+v", row.State, test.state)
			}
			if s := b.status(m); s != string(test.state.Status+" "+test.state.Status) {
				t.Errorf("lookup and attempt: %s", s)
			}
			if n := b.fetches(); n != test.fetches {
				t.Errorf("%d fetches, want %d", n, test.fetches)
			}
			if n := value[int](b, `select count(*) from events`); n != test.stored {
				t.Errorf("%d events, want %d", n, test.stored)
			}
			if n := value[int](b, `select count(*) from deliveries d where verdict = 'duplicate' and (twin_of is null or twin_of = d.id or event_id is null)`); n != 0 {
				t.Errorf("%d duplicates lead nowhere", n)
			}
		})
	}
}

func TestApplyEventTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	id := b.tell(success("acc"))
	story := b.story(m)
	b.must(b.ApplyEvent(b.ctx, id, success("acc")))
	if diff := cmp.Diff(story, b.story(m)); diff != "" || b.fetches() != 2 || b.verdict(id) != "accepted " {
		t.Errorf("applied twice: %d fetches, %q, story (-once +twice):\n%s", b.fetches(), b.verdict(id), diff)
	}
	if err := b.ApplyEvent(b.ctx, 1<<40, success("acc")); err == nil {
		t.Error("an event of no delivery was applied")
	}
}

func TestUnmatchedIsClaimed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.request(lookup.Sandbox, alejandro)
	ids := []int64{b.tell(success("acc")), b.tell(created("acc")), b.tell(created("another"))}
	for _, id := range ids {
		if v := b.verdict(id); v != "unmatched " {
			t.Errorf("before the account is known: %q", v)
		}
	}
	before := b.jobs("process_delivery")
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: "acc", UserID: "u"}))
	if n := b.jobs("process_delivery") - before; n != 2 {
		t.Errorf("%d deliveries were claimed, want 2", n)
	}
	// The queue runs them again, in the order in which they came.
	last := value[[]int64](b, `select array_agg((args->>'delivery_id')::bigint order by id) from (select id, args from river_job where kind = 'process_delivery' order by id desc limit 2) j`)
	if diff := cmp.Diff(ids[:2], last); diff != "" {
		t.Error("claimed (-want +got):\n", diff)
	}
	b.must(b.ApplyEvent(b.ctx, ids[0], success("acc")))
	b.must(b.ApplyEvent(b.ctx, ids[1], created("acc")))
	if b.status(m) != "success success" || b.verdict(ids[0]) != "accepted " || b.verdict(ids[1]) != "accepted late" || b.verdict(ids[2]) != "unmatched " {
		t.Errorf("%s: %q, %q, %q", b.status(m), b.verdict(ids[0]), b.verdict(ids[1]), b.verdict(ids[2]))
	}
}

func TestMatchByOurOwnId(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.request(lookup.Sandbox, alejandro)
	waiting := b.tell(created("acc")) // this one came without our id
	e := success("acc")
	e.ExternalID = m.attemptUID.String()
	b.tell(e)
	got, err := b.Errand(b.ctx, m.attempt)
	b.must(err)
	if b.status(m) != "success success" || got.AccountID != "acc" {
		t.Errorf("%s, account %q", b.status(m), got.AccountID)
	}
	if v := b.verdict(waiting); v != "accepted " || value[bool](b, `select processed_at is not null from deliveries where id = $1`, waiting) {
		t.Errorf("the delivery that waited for the account is %q", v)
	}
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: "acc"}))
	if s := b.status(m); s != "success success" {
		t.Errorf("our own commit moved a success to %s", s)
	}
	if u := value[string](b, `select vendor_user_id from attempts where id = $1`, m.attempt); u != "user" {
		t.Errorf("vendor's user %q was forgotten", u)
	}

	// One account may serve several attempts (docs/vendor.md#webhook-payload): our id names the one, else the latest is meant.
	again := b.taken("acc")
	e.Key, e.ExternalID = "other", strings.ToUpper(m.attemptUID.String())
	b.tell(e)
	if s := b.status(again); s != "pending pending" {
		t.Errorf("an event of the first attempt moved the second to %s", s)
	}
	e.Key, e.ExternalID = "third", "EXP-1"
	b.tell(e)
	if s := b.status(again); s != "success success" {
		t.Errorf("an event of the account left its latest attempt %s", s)
	}
}

// An event holds a stranger's text: no length and no character of it may keep its delivery from being settled.
func TestEventsOfAnyText(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	long := strings.Repeat("ñ\x00\xff", 4000)
	m := b.taken(long)
	e := event(long, long, lookup.PhaseFailed, long)
	e.UserID, e.ExternalID, e.Platform = long, long, long
	first := b.tell(e)
	if v := b.verdict(first); v != "accepted " || b.status(m) != "error error" {
		t.Errorf("%q, %s", v, b.status(m))
	}
	if v := b.verdict(b.tell(e)); v != "duplicate same_fact" {
		t.Errorf("the same fact again is %q", v)
	}
	e.Key += "x"
	if v := b.verdict(b.tell(e)); v != "accepted " {
		t.Errorf("another long fact is %q", v)
	}
	if n := value[int](b, `select max(length(detail)) from lookups`); n > 200 {
		t.Errorf("a detail of %d characters", n)
	}
}

func TestDeliveriesOfLookup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	first := b.tell(created("acc"), body("one"))
	copied := b.deliver(body("one"))
	early := b.deliver(body("three"))
	earlyCopy := b.deliver(body("three")) // comes before its first is read
	b.must(b.ApplyEvent(b.ctx, early, success("acc")))
	for account, want := range map[string]int{"acc": 4, "none": 0} {
		shown, _, _, err := b.Deliveries(b.ctx, lookup.Sandbox, webhook.Filter{Account: account}, lookup.Page{Limit: 10}, time.UTC)
		b.must(err)
		if len(shown) != want {
			t.Errorf("account %q shows %d deliveries, want %d with the copies", account, len(shown), want)
		}
	}
	fact := b.tell(created("acc"), body("two"))
	b.tell(created("stranger"))
	list, err := b.DeliveriesOf(b.ctx, m.id)
	b.must(err)
	var got []int64
	for _, d := range list {
		got = append(got, d.ID)
		if d.LookupUID != m.uid || !strings.HasPrefix(d.Action, "login.") || len(d.Body) < 3 {
			t.Errorf("delivery %d: %+v", d.ID, d)
		}
	}
	if diff := cmp.Diff([]int64{first, copied, early, earlyCopy, fact}, got); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	uid := value[[16]byte](b, `select uid from deliveries where id = $1`, first)
	d, err := b.ViewDelivery(b.ctx, lookup.Sandbox, uid, audit.DeliveryBody, b.by)
	b.must(err)
	var causes []webhook.Cause
	for _, twin := range d.Twins {
		causes = append(causes, twin.Cause)
	}
	if diff := cmp.Diff([]webhook.Cause{webhook.CauseSameBytes, webhook.CauseSameFact}, causes); diff != "" {
		t.Error("twins (-want +got):\n", diff)
	}
}
