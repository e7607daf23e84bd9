package db_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// refuse makes a receipt a refused one.
func refuse(cause webhook.Cause) func(*db.Receipt) {
	return func(r *db.Receipt) { r.Verdict, r.Cause, r.Answer = webhook.Refused, cause, 401 }
}

func (b *bench) uidOf(id int64) uuid.UUID {
	b.t.Helper()
	return value[uuid.UUID](b, `select uid from deliveries where id = $1`, id)
}

// counters are the hours' counters of the sandbox's deliveries by verdict.
func (b *bench) counters() map[webhook.Verdict]int64 {
	b.t.Helper()
	hours, err := b.DeliveryHours(b.ctx, lookup.Sandbox, time.Now().Add(-48*time.Hour))
	b.must(err)
	sums := map[webhook.Verdict]int64{}
	for _, h := range hours {
		if sums[h.Verdict] += h.Count; sums[h.Verdict] == 0 {
			delete(sums, h.Verdict)
		}
	}
	return sums
}

func TestVerifyAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uid := b.uidOf(b.deliver(refuse(webhook.CauseSignatureMismatch)))
	if _, err := b.VerifyAgain(b.ctx, lookup.Production, uid, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("in the other environment: %v", err)
	}
	// Several press at once; one of them runs it.
	var pressing sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		pressing.Go(func() { _, errs[i] = b.VerifyAgain(b.ctx, lookup.Sandbox, uid, b.by) })
	}
	pressing.Wait()
	ran := 0
	for _, err := range errs {
		switch {
		case err == nil:
			ran++
		case !errors.Is(err, db.ErrNotVerifiable):
			t.Errorf("pressed at once: %v", err)
		}
	}
	if n := b.jobs("process_delivery"); ran != 1 || n != 1 {
		t.Errorf("%d presses made %d jobs", ran, n)
	}
	if n := value[int](b, `select count(*) from audit_entries where action = $1 and subject = $2`, audit.DeliveryVerified, uid.String()); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
	for name, id := range map[string]int64{
		"accepted": b.deliver(), "method": b.deliver(refuse(webhook.CauseMethod)), "too large": b.deliver(refuse(webhook.CauseTooLarge)),
		"cut": b.deliver(refuse(webhook.CauseJWTExpired), func(r *db.Receipt) { r.Size = 1 << 15 }),
	} {
		if _, err := b.VerifyAgain(b.ctx, lookup.Sandbox, b.uidOf(id), b.by); !errors.Is(err, db.ErrNotVerifiable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// While the subscription is switched off, nothing passes.
	uid = b.uidOf(b.deliver(refuse(webhook.CauseDisabled)))
	b.must(b.SwitchHook(b.ctx, b.hook.UID, false, b.by))
	if outcome, err := b.VerifyAgain(b.ctx, lookup.Sandbox, uid, b.by); err != nil || !outcome.Refused || outcome.Cause != webhook.CauseDisabled {
		t.Errorf("switched off: %+v %v", outcome, err)
	}
	b.must(b.SwitchHook(b.ctx, b.hook.UID, true, b.by))
	if outcome, err := b.VerifyAgain(b.ctx, lookup.Sandbox, uid, b.by); err != nil || outcome.Refused {
		t.Errorf("switched on: %+v %v", outcome, err)
	}
}

func TestVerifiable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var want []uuid.UUID
	for n := range 4 {
		want = append(want, b.uidOf(b.deliver(refuse(webhook.CauseTokenUnknown), at(time.Now().Add(time.Duration(n-10)*time.Minute)))))
	}
	b.deliver()
	b.deliver(refuse(webhook.CauseMethod))
	b.deliver(refuse(webhook.CauseTokenUnknown), func(r *db.Receipt) { r.Size++ })
	b.deliver(refuse(webhook.CauseTokenUnknown), at(time.Now().Add(-25*time.Hour)))
	b.deliver(refuse(webhook.CauseTokenUnknown), func(r *db.Receipt) { r.Subscription = b.liveHook })
	since := time.Now().Add(-24 * time.Hour)
	if n, err := b.CountVerifiable(b.ctx, b.hook.UID, since); err != nil || n != len(want) {
		t.Errorf("%d counted, %v", n, err)
	}
	for _, limit := range []int{1, 2, 10} {
		var got []uuid.UUID
		for after := (lookup.Cursor{At: since}); ; {
			list, err := b.Verifiable(b.ctx, b.hook.UID, after, limit)
			b.must(err)
			for _, d := range list {
				got, after = append(got, d.UID), d.Cursor
			}
			if len(list) < limit {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d at a time, in the order of arrival:\n%s", limit, diff)
		}
	}
}

// Whatever becomes of a delivery, it is counted once, under the verdict that it has now and the hour in which it came.
func TestCountersFollowVerdicts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	expect := func(what string, want map[webhook.Verdict]int64) {
		t.Helper()
		if diff := cmp.Diff(want, b.counters()); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
		if got := value[map[webhook.Verdict]int64](b, `select coalesce(json_object_agg(verdict, n), '{}') from (select verdict, count(*) as n from deliveries group by 1) v`); !cmp.Equal(got, want) {
			t.Errorf("%s: rows %v", what, got)
		}
	}
	early := b.tell(success("account-1"), at(time.Now().Add(-90*time.Minute)))
	expect("unmatched", map[webhook.Verdict]int64{webhook.Unmatched: 1})
	b.taken("account-1")
	expect("claimed", map[webhook.Verdict]int64{webhook.Accepted: 1})
	b.must(b.ApplyEvent(b.ctx, early, success("account-1")))
	b.tell(success("account-1"), at(time.Now().Add(-85*time.Minute)))
	expect("the same fact", map[webhook.Verdict]int64{webhook.Accepted: 1, webhook.Duplicate: 1})
	b.must(b.DeliveryUnreadable(b.ctx, b.deliver()))
	b.must(b.DeliveryUnreadable(b.ctx, early)) // settled already
	expect("unreadable", map[webhook.Verdict]int64{webhook.Accepted: 1, webhook.Duplicate: 1, webhook.Ignored: 1})
	refused := b.deliver(refuse(webhook.CauseHeaderMissing))
	expect("refused", map[webhook.Verdict]int64{webhook.Accepted: 1, webhook.Duplicate: 1, webhook.Ignored: 1, webhook.Refused: 1})
	_, err := b.VerifyAgain(b.ctx, lookup.Sandbox, b.uidOf(refused), b.by)
	b.must(err)
	expect("verified again", map[webhook.Verdict]int64{webhook.Accepted: 2, webhook.Duplicate: 1, webhook.Ignored: 1})
}

// However many are refused at once, the quota of the hour is kept and no more; another hour has its own.
func TestQuotaUnderAFlood(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hour := time.Now().Add(-24 * time.Hour).Truncate(time.Hour)
	const sent, workers = 300, 10
	var sending sync.WaitGroup
	for worker := range workers {
		sending.Go(func() {
			for n := range sent / workers {
				r := b.receipt(fmt.Sprintf(`{"worker":%d,"n":%d}`, worker, n))
				refuse(webhook.CauseJWTMissing)(&r)
				r.ReceivedAt = hour.Add(time.Minute)
				if _, _, err := b.Receive(b.ctx, r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	most := webhook.DefaultQuota.Requests
	if n := value[int](b, `select count(*) from deliveries`); n != most {
		t.Errorf("%d of %d kept, want %d", n, sent, most)
	}
	if n := value[int](b, `select sum(count) from delivery_hours where cause = 'quota'`); n != sent-most {
		t.Errorf("%d counted beyond the quota, want %d", n, sent-most)
	}
	b.deliver(refuse(webhook.CauseJWTMissing), at(hour.Add(time.Hour)))
	b.deliver(at(hour.Add(time.Minute))) // the quota is of refusals alone
	if n := value[int](b, `select count(*) from deliveries`); n != most+2 {
		t.Errorf("%d rows", n)
	}
}

// A hook is quiet when an attempt has waited for longer than usual and nothing genuine has come since.
func TestQuiet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	quiet := func(env lookup.Environment) int {
		t.Helper()
		names, err := b.Quiet(b.ctx, env, 5*time.Minute)
		b.must(err)
		return len(names)
	}
	m := b.taken("acc")
	if n := quiet(lookup.Sandbox); n != 0 {
		t.Errorf("%d are quiet while the wait is young", n)
	}
	b.exec(`update attempts set sent_at = now() - interval '10 minutes' where id = $1`, m.attempt)
	b.deliver(refusedFor("bad_token"))
	if n := quiet(lookup.Sandbox); n != 1 {
		t.Errorf("%d are quiet, want the one that only refused", n)
	}
	if n := quiet(lookup.Production); n != 0 {
		t.Errorf("%d are quiet in the other environment", n)
	}
	b.deliver()
	if n := quiet(lookup.Sandbox); n != 0 {
		t.Errorf("%d are quiet after a delivery", n)
	}
}
