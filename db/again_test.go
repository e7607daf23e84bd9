package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/consent"
	"cotejo/internal/lookup"
)

func (b *bench) again(m made, confirmed []lookup.LimitKind, given *consent.Record, now time.Time) error {
	return b.AskAgain(context.Background(), lookup.Sandbox, m.uid, confirmed, given, now, b.by)
}

// limited wants a refusal because of exactly these limits.
func limited(t *testing.T, err error, kinds ...lookup.LimitKind) {
	t.Helper()
	var l *db.Limited
	if !errors.As(err, &l) || !errors.Is(err, db.ErrConflict) {
		t.Fatalf("gave %v, want limits", err)
	}
	got := map[lookup.LimitKind]bool{}
	for _, limit := range l.Limits {
		got[limit.Kind] = true
	}
	for _, k := range kinds {
		if !got[k] {
			t.Errorf("limits are %v, want %s", l.Limits, k)
		}
	}
	if len(got) != len(kinds) {
		t.Errorf("limits are %v, want %v", l.Limits, kinds)
	}
}

func TestAskAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	now := time.Now()
	m := b.taken("A1")
	limited(t, b.again(m, nil, nil, now), lookup.LimitOpen)
	limited(t, b.again(m, []lookup.LimitKind{lookup.LimitOpen}, nil, now), lookup.LimitOpen) // no confirmation helps
	b.tell(event("login.error", "A1", lookup.PhaseFailed, "service_degradation"))
	b.must(b.again(m, nil, nil, now))
	if got := value[string](b, `select status || ' ' || detail || ' ' || profile_state from lookups`); got != "queued  none" {
		t.Errorf("the lookup is %q", got)
	}
	if got := value[string](b, `select string_agg(number || ' ' || source || ' ' || status, ', ' order by number) from attempts`); got != "1 form error, 2 retry queued" {
		t.Errorf("attempts are %q", got)
	}
	if got := value[string](b, `select actor || ' ' || detail from audit_entries where action = $1`, audit.LookupAgain); got != b.by.Name+" retry" {
		t.Errorf("the trail says %q", got)
	}
	if n := b.jobs("create_account"); n != 2 {
		t.Errorf("%d creations in the queue", n)
	}
	// The first attempt's own late success is its own: the lookup shows the second.
	b.tell(success("A1"))
	if got := value[string](b, `select l.status || ' ' || a.status from lookups l join attempts a on a.lookup_id = l.id and a.number = 1`); got != "queued success" {
		t.Errorf("lookup and first attempt are %q", got)
	}
	if err := b.AskAgain(b.ctx, lookup.Production, m.uid, nil, nil, now, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("in the other environment: %v", err)
	}
}

// A success under 12 hours ago makes Palenca refuse: whoever confirms it goes past it, and that is on the trail.
func TestAskAgainAfterSuccess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("A1")
	b.tell(success("A1"))
	other := b.taken("A2") // the same person in another lookup
	b.tell(event("login.incomplete", "A2", lookup.PhaseIncomplete, "nss_not_found_in_imss"))
	now := time.Now()
	a, err := b.Again(b.ctx, lookup.Sandbox, other.uid, now)
	b.must(err)
	if a.Past.SuccessOf != m.uid || a.Next != lookup.SourceRetry || a.Number != 2 {
		t.Errorf("what is known: %+v", a)
	}
	both := []lookup.LimitKind{lookup.LimitRecentSuccess, lookup.LimitPerson}
	limited(t, b.again(other, nil, nil, now), both...)
	limited(t, b.again(other, both[:1], nil, now), both...) // confirmed one of two
	b.must(b.again(other, both, nil, now))
	if got := value[string](b, `select detail from audit_entries where action = $1`, audit.LookupAgain); got != "retry recent_success person" {
		t.Errorf("the trail says %q", got)
	}
	later := now.Add(12*time.Hour + time.Minute)
	limited(t, b.again(m, nil, nil, later), lookup.LimitElsewhere)
	if a, err = b.Again(b.ctx, lookup.Sandbox, m.uid, later); err != nil || a.Past.Elsewhere != other.uid {
		t.Errorf("under way elsewhere: %v, %v", a.Past.Elsewhere, err)
	}
	b.must(b.again(m, []lookup.LimitKind{lookup.LimitElsewhere}, nil, later))
	if got := value[string](b, `select source from attempts where lookup_id = $1 and number = 2`, m.id); got != "refresh" {
		t.Errorf("after a success it is a %s", got)
	}
}

// Without a live consent there is no attempt. A new one takes its place, and the old attempt keeps its own.
func TestAskAgainWithConsent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("A1")
	b.tell(event("login.error", "A1", lookup.PhaseFailed, ""))
	b.exec(`update consents set given_at = now() - interval '2 days', expires_at = now() - interval '1 day'`)
	now := time.Now()
	limited(t, b.again(m, nil, nil, now), lookup.LimitConsent)
	given := consent.Record{GivenAt: now, ExpiresAt: now.AddDate(1, 0, 0), NoticeVersion: "2.0", Means: "phone", Purpose: consent.PurposeCredit, IP: "192.0.2.7"}
	b.must(b.again(m, nil, &given, now))
	if got := value[string](b, `select string_agg(c.notice_version, ' ' order by a.number) from attempts a join consents c on c.id = a.consent_id`); got != "1.0 2.0" {
		t.Errorf("attempts were sent under %q", got)
	}
	// The database is the gate even where the code above it forgets.
	b.exec(`update consents set given_at = now() - interval '2 days', expires_at = now() - interval '1 day'`)
	b.refused(checkViolation, `insert into attempts (lookup_id, connection_id, number, source) select id, connection_id, 3, 'retry' from lookups`)
	// Nobody's consent counts for somebody else.
	stranger := b.request(lookup.Sandbox, eduardo)
	b.refused(checkViolation, `insert into attempts (lookup_id, connection_id, number, source, consent_id)
		select $1, connection_id, 3, 'retry', (select consent_id from lookups where id = $2) from lookups where id = $1`, m.id, stranger.id)
}

// Two colleagues at once: one attempt.
func TestAskAgainTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("A1")
	b.tell(event("login.error", "A1", lookup.PhaseFailed, ""))
	var both sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		both.Go(func() { errs[i] = b.again(m, nil, nil, time.Now()) })
	}
	both.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, db.ErrConflict) {
			t.Errorf("a colleague is told %v", err)
		}
	}
	if n := value[int](b, `select count(*) from attempts`); done != 1 || n != 2 {
		t.Errorf("%d went through, %d attempts", done, n)
	}
}

// Where the vendor says that asking again may help, Cotejo asks once more by itself, and not twice.
func TestRetryItself(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(`update connections set dialect = 'buro' where id = $1`, b.sandbox.ID)
	n := newLookup(t, lookup.Sandbox, alejandro)
	n.Dialect, n.Platform = lookup.Buro, lookup.AllSources
	uid, err := b.RequestLookup(b.ctx, n, b.by)
	b.must(err)
	attempt := func() int64 {
		return value[int64](b, `select a.id from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1 order by a.number desc limit 1`, uid)
	}
	broken := lookup.Report{Phase: lookup.PhaseFailed, Detail: lookup.DetailMayRetry}
	first := attempt()
	_, err = b.MarkSent(b.ctx, first)
	b.must(err)
	b.must(b.AttemptTaken(b.ctx, first, db.Taken{AccountID: "V1"}))
	b.tell(event("verification.completed", "V1", broken.Phase, broken.Detail))
	if got := value[string](b, `select string_agg(source || ' ' || status, ', ' order by number) from attempts`); got != "form error, automatic queued" {
		t.Fatalf("attempts are %q", got)
	}
	if got := value[string](b, `select kind from moments where attempt_id = $1`, attempt()); got != "automatic" {
		t.Errorf("the story begins with %q", got)
	}
	second := attempt()
	_, err = b.MarkSent(b.ctx, second)
	b.must(err)
	b.must(b.AttemptTaken(b.ctx, second, db.Taken{AccountID: "V2"}))
	_, err = b.AnsweredLate(b.ctx, second, db.Answer{Report: broken}, time.Now())
	b.must(err)
	if got := value[string](b, `select string_agg(source || ' ' || status, ', ' order by number) from attempts`); got != "form error, automatic error" {
		t.Errorf("attempts are %q", got)
	}
	a, err := b.Again(b.ctx, lookup.Sandbox, uid, time.Now())
	b.must(err)
	if len(a.Limits) != 1 || a.Limits[0].Kind != lookup.LimitDaily {
		t.Errorf("limits after two attempts today: %v", a.Limits)
	}
}
