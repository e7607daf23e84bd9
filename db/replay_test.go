package db_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// told is the body of a made-up event, and read its reader: what it makes of a body is in the test's hand.
type told struct {
	Action, Account, Detail, External string
	Phase                             lookup.Phase
	Unique                            int // so that no two bodies are the same bytes
}

func (e told) String() string {
	e.Unique = int(time.Now().UnixNano())
	text, _ := json.Marshal(e)
	return string(text)
}

func read(_ lookup.Dialect, body []byte) (webhook.Event, bool) {
	var e told
	if json.Unmarshal(body, &e) != nil || e.Action == "" {
		return webhook.Event{}, false
	}
	found := event(e.Action, e.Account, e.Phase, e.Detail)
	found.ExternalID = e.External
	return found, true
}

// hear delivers an event and processes it as the queue does.
func (b *bench) hear(e told, when time.Time) int64 {
	b.t.Helper()
	id := b.deliver(body(e.String()), at(when))
	b.process(id)
	return id
}

func (b *bench) process(id int64) {
	b.t.Helper()
	stored, err := b.DeliveryBody(b.ctx, id)
	b.must(err)
	if e, ok := read(stored.Dialect, stored.Body); ok {
		b.must(b.ApplyEvent(b.ctx, id, e))
	} else {
		b.must(b.DeliveryUnreadable(b.ctx, id))
	}
}

// replay starts a replay of a set and gives its internal id and its UUID.
func (b *bench) replay(set webhook.ReplaySet) (int64, uuid.UUID) {
	b.t.Helper()
	uid, err := b.StartReplay(b.ctx, lookup.Sandbox, set, time.UTC, map[string]string{"verdict": string(set.Filter.Verdict)}, b.by)
	b.must(err)
	return value[int64](b, `select id from replays where uid = $1`, uid), uid
}

// run goes through a replay with a reader to its end.
func (b *bench) run(id int64, reader webhook.Reader) {
	b.t.Helper()
	for {
		more, err := b.ReplayBatch(b.ctx, id, 7, reader)
		b.must(err)
		if !more {
			return
		}
	}
}

// results are those of a replay by delivery, as "result verdict/cause>verdict/cause change…".
func (b *bench) results(id int64) map[int64]string {
	b.t.Helper()
	list, _, _, err := b.Replayed(b.ctx, id, "", lookup.Page{Limit: 1000})
	b.must(err)
	return gist(list)
}

func gist(list []webhook.Replayed) map[int64]string {
	words := map[int64]string{}
	for _, r := range list {
		text := string(r.Result)
		if r.VerdictWas != r.Verdict || r.CauseWas != r.Cause {
			text += fmt.Sprintf(" %s/%s>%s/%s", r.VerdictWas, r.CauseWas, r.Verdict, r.Cause)
		}
		for _, c := range r.Changes {
			text += fmt.Sprintf(" %s:%s>%s", c.What, c.Before, c.After)
		}
		if r.Error != "" {
			text += " " + r.Error
		}
		words[r.DeliveryID] = text
	}
	return words
}

// whole is all that a replay could change, but not how often it was tried.
func (b *bench) whole() string {
	b.t.Helper()
	return value[string](b, `select concat_ws(E'\n',
		(select string_agg(concat_ws(' ', id, status, detail, warning, profile_state, employment_state, account_id), E'\n' order by id) from attempts),
		(select string_agg(concat_ws(' ', id, status, detail, warning, profile_state, employment_state), E'\n' order by id) from lookups),
		(select string_agg(concat_ws(' ', id, attempt_id, key, nth, phase, delivery_id), E'\n' order by id) from events),
		(select string_agg(concat_ws(' ', id, verdict, cause, event_id, lookup_id, twin_of), E'\n' order by id) from deliveries),
		(select string_agg(concat_ws(' ', attempt_id, kind, status, text), E'\n' order by id) from moments),
		(select string_agg(concat_ws(' ', delivery_id, what, before, after), E'\n' order by id) from changes),
		(select string_agg(concat_ws(' ', kind, args), E'\n' order by id) from river_job where kind <> 'run_replay'),
		(select string_agg(concat_ws(' ', hour, verdict, cause, n), E'\n' order by hour, verdict, cause)
		   from (select hour, verdict, cause, sum(count) as n from delivery_hours group by 1, 2, 3 having sum(count) <> 0) h))`)
}

const aDay = 24 * time.Hour

var (
	tellsCreated = told{Action: "login.created", Phase: lookup.PhaseOpened}
	tellsSuccess = told{Action: "login.success", Phase: lookup.PhaseSucceeded}
)

func of(e told, account string) told { e.Account = account; return e }

// A scene holds one delivery of every fate, received over three days.
type scene struct {
	*bench
	ids  map[string]int64
	made map[string]made
}

func newScene(t *testing.T) *scene {
	b := newBench(t)
	s := &scene{b, map[string]int64{}, map[string]made{}}
	start := time.Now().Add(-3 * aDay).Truncate(time.Second)
	s.made["whole"] = b.taken("whole")
	s.ids["created"] = b.hear(of(tellsCreated, "whole"), start)
	s.ids["success"] = b.hear(of(tellsSuccess, "whole"), start.Add(time.Minute))
	b.fetched(s.made["whole"], s.ids["success"])
	s.ids["same fact"] = b.hear(of(tellsSuccess, "whole"), start.Add(3*time.Minute))
	s.ids["late"] = b.hear(told{Action: "login.error", Account: "whole", Phase: lookup.PhaseFailed, Detail: "x"}, start.Add(4*time.Minute))
	s.ids["foreign"] = b.hear(of(tellsSuccess, "nobody"), start.Add(5*time.Minute))
	b.exec(`update deliveries set cause = 'foreign' where id = $1`, s.ids["foreign"])
	s.ids["unreadable"] = b.deliver(body("{"), at(start.Add(6*time.Minute)))
	b.process(s.ids["unreadable"])
	s.ids["refused"] = b.deliver(refuse(webhook.CauseHeaderMissing), at(start.Add(7*time.Minute)))
	// Its job was given up.
	s.made["stuck"] = b.taken("stuck")
	s.ids["stuck"] = b.deliver(body(of(tellsSuccess, "stuck").String()), at(start.Add(8*time.Minute)))
	// Fetching failed.
	s.made["unfetched"] = b.taken("unfetched")
	s.ids["unfetched"] = b.hear(of(tellsSuccess, "unfetched"), start.Add(9*time.Minute))
	for _, kind := range []string{"profile", "employment"} {
		b.must(b.PullFailed(b.ctx, kind, db.NewPull{AttemptID: s.made["unfetched"].attempt, Code: "down"}))
	}
	return s
}

// fetched stores both pulls of an attempt.
func (b *bench) fetched(m made, delivery int64) {
	b.t.Helper()
	b.exec(`with p as (insert into pulls (lookup_id, attempt_id, kind, state, http_status, took_ms, body, sha256, fetched_at)
		select $1, $2, kind, 'complete', 200, 1, '{}', sha256('{}'), d.received_at + interval '1 minute'
		  from deliveries d, unnest(array['profile', 'employment']) kind where d.id = $3)
		update attempts set profile_state = 'complete', employment_state = 'complete' where id = $2`, m.id, m.attempt, delivery)
	b.exec(`update lookups set profile_state = 'complete', employment_state = 'complete' where id = $1`, m.id)
}

func TestReplayOfEveryFate(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	want := map[int64]string{
		s.ids["created"]: "nothing", s.ids["success"]: "nothing", s.ids["same fact"]: "nothing", s.ids["late"]: "nothing",
		s.ids["foreign"]: "unmatched", s.ids["unreadable"]: "unreadable",
		s.ids["stuck"]:     "changed profile:none>fetching employment:none>fetching status:pending>success",
		s.ids["unfetched"]: "changed profile:failed>fetching employment:failed>fetching",
	}
	before := s.whole()
	n, refused, _, err := s.CountReplay(s.ctx, lookup.Sandbox, webhook.ReplaySet{}, time.UTC, 10)
	s.must(err)
	if n != len(want) || refused != 1 {
		t.Errorf("%d to replay and %d left out", n, refused)
	}
	preview, more, err := s.PreviewReplay(s.ctx, lookup.Sandbox, webhook.ReplaySet{}, time.UTC, 0, 100, read)
	s.must(err)
	if diff := cmp.Diff(want, gist(preview)); diff != "" || more {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, s.whole()); diff != "" {
		t.Errorf("the preview left something behind:\n%s", diff)
	}
	entries := value[int](s.bench, `select count(*) from audit_entries`)
	id, uid := s.replay(webhook.ReplaySet{})
	s.run(id, read)
	if diff := cmp.Diff(want, s.results(id)); diff != "" {
		t.Errorf("replay (-want +got):\n%s", diff)
	}
	if got := s.status(s.made["stuck"]); got != "success success" {
		t.Errorf("the stuck one is %s", got)
	}
	// The start, and the two whose rows were changed.
	if got := value[string](s.bench, `select string_agg(action || ' ' || detail, ', ' order by id) from audit_entries where id > $1`, entries); got !=
		fmt.Sprintf("%s 8, %s %s, %[2]s %[3]s", audit.ReplayStarted, audit.DeliveryReplayed, uid) {
		t.Errorf("trail: %s", got)
	}
	r, err := s.Replay(s.ctx, lookup.Sandbox, uid)
	s.must(err)
	if r.State != webhook.ReplayDone || r.Did() != 8 || r.Counts[webhook.ResultChanged] != 2 || r.FinishedAt.IsZero() || r.Stalled {
		t.Errorf("%+v", r)
	}
	if _, err := s.Replay(s.ctx, lookup.Production, uid); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("in the other environment: %v", err)
	}
	// Once more: whatever was done is done.
	after := s.whole()
	id, _ = s.replay(webhook.ReplaySet{})
	s.run(id, read)
	if diff := cmp.Diff(after, s.whole()); diff != "" {
		t.Errorf("a second replay changed:\n%s", diff)
	}
	for delivery, result := range s.results(id) {
		if result != "nothing" && result != "unmatched" && result != "unreadable" {
			t.Errorf("a second replay of delivery %d: %s", delivery, result)
		}
	}
}

// What a program did not understand, the next one may: the event is read anew, and its effect is as of its receipt.
func TestReplayAfterTheProgramLearned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	when := time.Now().Add(-2 * aDay)
	unknown := told{Action: "login.success", Account: "acc", Phase: lookup.PhaseUnknown}
	known := b.hear(unknown, when)
	garbled := b.deliver(body("<success>"), at(when.Add(time.Minute)))
	b.process(garbled)
	if b.verdict(known) != "ignored unknown_event" || b.verdict(garbled) != "ignored unreadable" || b.status(m) != "pending pending" {
		t.Fatalf("%s, %s, %s", b.verdict(known), b.verdict(garbled), b.status(m))
	}
	learned := func(_ lookup.Dialect, _ []byte) (webhook.Event, bool) { return success("acc"), true }
	preview, _, err := b.PreviewReplay(b.ctx, lookup.Sandbox, webhook.ReplaySet{}, time.UTC, 0, 10, learned)
	b.must(err)
	id, _ := b.replay(webhook.ReplaySet{})
	b.run(id, learned)
	want := map[int64]string{
		known:   "changed ignored/unknown_event>accepted/ profile:none>fetching employment:none>fetching status:pending>success",
		garbled: "changed ignored/unreadable>duplicate/same_fact",
	}
	if diff := cmp.Diff(want, b.results(id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, gist(preview)); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
}

// The clock of a replay never enters: a success counts as told again only if it came the retry window after the one before,
// and what a later event settled stands.
func TestReplayAsOfReceipt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	start := time.Now().Add(-30 * aDay)
	success, failed := of(tellsSuccess, "acc"), told{Action: "login.failed_refresh", Account: "acc", Phase: lookup.PhaseRefreshFailed}
	early := b.deliver(body(success.String()), at(start)) // its job was given up
	first := b.hear(success, start.Add(time.Hour))
	refresh := b.hear(failed, start.Add(2*time.Hour))
	again := b.hear(success, start.Add(3*time.Hour))
	b.fetched(m, again)
	failedAgain := b.hear(told{Action: failed.Action, Account: "acc", Phase: failed.Phase, Detail: "other"}, start.Add(4*time.Hour))
	forgotten := b.deliver(body(success.String()), at(start.Add(5*time.Hour)))
	id, _ := b.replay(webhook.ReplaySet{})
	b.run(id, read)
	want := map[int64]string{
		// An hour before the first one that was processed: the same fact, and no fetch, since it was fetched after.
		early: "changed accepted/>duplicate/same_fact",
		first: "nothing", refresh: "nothing", again: "nothing", failedAgain: "nothing",
		// Two hours after the newest: told again, as it would have been at once.
		forgotten: "changed profile:complete>fetching employment:complete>fetching",
	}
	if diff := cmp.Diff(want, b.results(id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := value[string](b, `select warning from lookups where id = $1`, m.id); got != "other" {
		t.Errorf("the warning of the newest refresh became %q", got)
	}
	if got := value[string](b, `select string_agg(nth || ':' || delivery_id, ' ' order by nth) from events where action = 'login.success'`); got !=
		fmt.Sprintf("1:%d 2:%d 3:%d", first, again, forgotten) {
		t.Errorf("events: %s", got)
	}
}

// An attempt may come to exist after what belongs to it was told: the widget's own, or a database brought back.
func TestReplayMatchesLate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	when := time.Now().Add(-2 * aDay)
	m := b.request(lookup.Sandbox, alejandro)
	ids := []int64{b.hear(of(tellsCreated, "acc"), when), b.hear(of(tellsSuccess, "acc"), when.Add(time.Minute)), b.hear(of(tellsSuccess, "else"), when)}
	b.exec(`update deliveries set cause = 'foreign'`) // so that nothing claims them
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: "acc"}))
	set := webhook.ReplaySet{Filter: webhook.Filter{Verdict: webhook.Unmatched}}
	preview, _, err := b.PreviewReplay(b.ctx, lookup.Sandbox, set, time.UTC, 0, 10, read)
	b.must(err)
	// The second page knows what the first one would do.
	page, more, err := b.PreviewReplay(b.ctx, lookup.Sandbox, set, time.UTC, ids[0], 1, read)
	b.must(err)
	if !more || len(page) != 1 || gist(page)[ids[1]] != gist(preview)[ids[1]] {
		t.Errorf("second page %v, more %v", gist(page), more)
	}
	id, _ := b.replay(set)
	b.run(id, read)
	want := map[int64]string{
		ids[0]: "changed unmatched/foreign>accepted/",
		ids[1]: "changed unmatched/foreign>accepted/ profile:none>fetching employment:none>fetching status:pending>success",
		ids[2]: "unmatched",
	}
	if diff := cmp.Diff(want, b.results(id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, gist(preview)); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	if list := preview; list[1].LookupUID != m.uid || list[1].Reference != "EXP-1" || list[1].Action != "login.success" {
		t.Errorf("the preview names %+v", list[1])
	}
	if v := b.verdict(ids[2]); v != "unmatched foreign" {
		t.Errorf("what is foreign became %s", v)
	}
}

// One delivery that cannot be processed takes nothing else with it, and says why without saying whose it is.
func TestReplayFailsAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("good")
	b.taken("bad")
	ids := []int64{b.deliver(body(of(tellsSuccess, "bad").String())), b.deliver(body(of(tellsSuccess, "good").String()))}
	b.exec(`create function trip() returns trigger language plpgsql as $$ begin
		if new.account_id = 'bad' then raise exception 'GATA000408HTLRLLA7 is in the way' using errcode = 'check_violation', constraint = 'tripped'; end if; return new; end $$`)
	b.exec(`create trigger trip before update on attempts for each row execute function trip()`)
	id, _ := b.replay(webhook.ReplaySet{})
	b.run(id, read)
	got := b.results(id)
	const why = "SQLSTATE 23514 (tripped)"
	if r := got[ids[0]]; !strings.HasPrefix(r, "failed ") || !strings.HasSuffix(r, why) || strings.Contains(r, alejandro) {
		t.Errorf("%q", r)
	}
	if b.status(m) != "success success" {
		t.Errorf("the other is %s: %s", b.status(m), got[ids[1]])
	}
	if text := value[string](b, `select last_error || ' ' || runs from deliveries where id = $1`, ids[0]); !strings.HasSuffix(text, why+" 1") {
		t.Errorf("on the delivery: %s", text)
	}
}
