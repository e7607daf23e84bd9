package jobs_test

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
	"cotejo/internal/task"
	"cotejo/internal/vendors"
	"cotejo/internal/webhook"
)

// due has a job of upkeep run now, and waits for its end.
func (b *bench) due(args river.JobArgs) {
	b.t.Helper()
	client, err := river.NewClient(riverpgxv5.New(b.Pool()), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	b.must(err)
	inserted, err := client.Insert(b.t.Context(), args, &river.InsertOpts{Queue: task.QueueUpkeep})
	b.must(err)
	b.await1(func() bool {
		return one[bool](b, `select state in ('completed', 'discarded') from river_job where id = $1`, inserted.Job.ID)
	})
	if state := one[string](b, `select state from river_job where id = $1`, inserted.Job.ID); state != "completed" {
		b.t.Fatalf("%s is %s: %s", args.Kind(), state, one[string](b, `select errors::text from river_job where id = $1`, inserted.Job.ID))
	}
}

// both connects Buró's dialect beside Palenca's and registers a hook at each; it gives the two connections.
func (b *bench) both() (desk vendors.Desk, connections []connection.Connection) {
	b.t.Helper()
	buro, err := b.SaveConnection(b.t.Context(), connection.Connection{Name: "Buró", Dialect: lookup.Buro, Environment: lookup.Sandbox,
		BaseURL: b.vendor.URL, CallsPerMinute: connection.MaxCallsPerMinute}, b.box.Credentials().BuroKey, b.by)
	b.must(err)
	b.exec(`update connections set tokens = 1000`)
	desk = vendors.Desk{DB: b.DB, HooksURL: "http://127.0.0.1:1"}
	b.exec(`update subscriptions set deleted_at = now(), active = false`) // that of the fixture
	for _, at := range []connection.Connection{b.conn, buro} {
		b.must(desk.Register(b.t.Context(), at))
	}
	return desk, []connection.Connection{b.conn, buro}
}

// What a vendor switched off or lost is noticed without anybody looking, whichever dialect it speaks.
func TestVendorsListIsCompared(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	desk, connections := b.both()
	b.work()
	for _, at := range connections {
		hook, err := b.HookOf(t.Context(), at.ID)
		b.must(err)
		seen := func(what string, active bool) {
			t.Helper()
			b.exec(`update subscriptions set vendor_seen_at = null`)
			b.due(task.CompareHooks{})
			if got, at := one[bool](b, `select vendor_active from subscriptions where uid = $1`, hook.UID), one[bool](b, `select vendor_seen_at is not null from subscriptions where uid = $1`, hook.UID); got != active || !at {
				t.Errorf("%s, %s: active %v, seen %v", hook.Dialect, what, got, at)
			}
		}
		seen("as it was registered", true)
		theirs := webhook.VendorHook{ID: hook.VendorID, Name: hook.Name, URL: "http://127.0.0.1:1/hooks/x", Events: hook.Events}
		_, _, err = desk.PutHook(t.Context(), at, theirs)
		b.must(err)
		seen("switched off", false)
		theirs.Active = true
		_, _, err = desk.PutHook(t.Context(), at, theirs)
		b.must(err)
		seen("switched on", true)
		b.must(desk.DropHook(t.Context(), at, hook.VendorID))
		seen("removed", false)

		// A vendor that does not answer tells nothing, and neither does one whose key is refused.
		_, err = b.Pool().Exec(t.Context(), `update connections set base_url = 'http://127.0.0.1:1' || case dialect when 'palenca' then '/v1' else '' end where id = $1`, at.ID)
		b.must(err)
		b.exec(`update subscriptions set vendor_active = true, vendor_seen_at = null`)
		b.due(task.CompareHooks{})
		if one[bool](b, `select vendor_seen_at is not null or not vendor_active from subscriptions where uid = $1`, hook.UID) {
			t.Errorf("%s: silence was taken for an answer", hook.Dialect)
		}
	}
}

// The vendor's list of addresses is asked for when it is a week old, and at a vendor that has one.
func TestAddressesAreRefreshedWeekly(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	_, connections := b.both()
	buro := connections[1]
	known := func() (addresses int, taken int) {
		t.Helper()
		p, err := b.Outbound(t.Context(), buro.ID)
		b.must(err)
		return len(p.Known), one[int](b, `select count(*) from audit_entries where action = 'addresses.taken'`)
	}
	if addresses, taken := known(); addresses != 2 || taken != 1 {
		t.Fatalf("registered with %d addresses, taken %d times", addresses, taken)
	}
	b.work()
	b.due(task.RefreshOutbound{})
	if _, taken := known(); taken != 1 {
		t.Error("a new list was asked for again")
	}
	b.must(b.SetOutbound(t.Context(), buro.ID, []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}, b.by))
	b.exec(`update outbound_addresses set seen_at = seen_at - interval '6 days 1 hour'`)
	b.due(task.RefreshOutbound{})
	if addresses, taken := known(); addresses != 3 || taken != 3 { // what is not in the list any more is good for seven days
		t.Errorf("refreshed: %d addresses, taken %d times", addresses, taken)
	}
	b.exec(`update outbound_addresses set seen_at = seen_at - interval '7 days'`)
	b.exec(`update connections set base_url = 'http://127.0.0.1:1' where dialect = 'buro'`)
	b.due(task.RefreshOutbound{})
	if addresses, _ := known(); addresses != 3 {
		t.Errorf("a vendor that does not answer took addresses away: %d", addresses)
	}
	if due, err := b.OutboundDue(t.Context(), lookup.Buro, time.Hour); err != nil || len(due) != 1 {
		t.Errorf("due %v, %v", due, err)
	}
	if n := one[int](b, `select count(*) from outbound_addresses where connection_id = $1`, b.conn.ID); n != 0 {
		t.Errorf("%d addresses of a vendor that has none", n)
	}
}
