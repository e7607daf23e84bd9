package db_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

func (b *bench) broken() []int64 {
	b.t.Helper()
	ids, err := b.AuditBroken(b.ctx)
	b.must(err)
	return ids
}

func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refused(restrictViolation, `update audit_entries set actor = 'nobody'`)
	b.refused(restrictViolation, `delete from audit_entries`)
	b.refused(restrictViolation, `truncate audit_entries`)
	b.refused(restrictViolation, `truncate audit_entries cascade`)
	// An entry cannot choose its place, moment or hash.
	b.exec(`insert into audit_entries (id, at, actor, action, previous, hash) values (1, '2020-01-01', 'x', 'session.sign_in', '\x00', '\x00')`)
	if broken := b.broken(); len(broken) != 0 {
		t.Errorf("broken at %v", broken)
	}
	if n := value[int](b, `select count(*) from audit_entries where at < now() - interval '1 day'`); n != 0 {
		t.Error("an entry was dated back")
	}
}

func TestAuditChainHoldsUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := value[int](b, `select count(*) from audit_entries`)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 4 {
				if err := b.ConnectionTested(b.ctx, b.sandbox, hostile, b.by); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := value[int](b, `select count(*) from audit_entries`); n != before+200 {
		t.Errorf("%d entries, want %d", n, before+200)
	}
	if broken := b.broken(); len(broken) != 0 {
		t.Errorf("broken at %v", broken)
	}
}

// The owner of the database can switch the triggers off; what he then does shows.
func TestAuditShowsTampering(t *testing.T) {
	t.Parallel()
	const entry = `insert into audit_entries (id, at, actor, action, previous, hash) `
	for _, test := range []struct {
		name, sql string
		want      []int64 // entries at which the chain breaks, of ten
	}{
		{"nothing", `perform 1`, nil},
		{"edited", `update audit_entries set detail = 'other' where id = 5`, []int64{5}},
		{"actor taken off", `update audit_entries set actor_id = null where id = 5`, []int64{5}},
		{"dated back", `update audit_entries set at = at - interval '1 microsecond' where id = 5`, []int64{5}},
		{"edited and hashed anew", `update audit_entries set detail = 'other' where id = 5;
			update audit_entries e set hash = audit_hash(previous, e) where id = 5`, []int64{6}},
		{"deleted", `delete from audit_entries where id = 5`, []int64{6}},
		{"first deleted", `delete from audit_entries where id = 1`, []int64{2}},
		{"last deleted", `delete from audit_entries where id = 10`, []int64{10}},
		{"all deleted", `delete from audit_entries`, []int64{10}},
		{"two exchanged", `update audit_entries set id = case id when 5 then -6 else -5 end where id in (5, 6);
			update audit_entries set id = -id where id < 0`, []int64{5, 6, 7}},
		{"inserted in between", `update audit_entries set id = -id - 1 where id > 5; update audit_entries set id = -id where id < 0;` +
			entry + `select 6, at, actor, action, hash, hash from audit_entries where id = 5`, []int64{6, 7, 8, 9, 10, 11}},
		{"added at the end", entry + `select 11, at, actor, action, hash, hash from audit_entries where id = 10;
			update audit_entries e set hash = audit_hash(previous, e) where id = 11`, []int64{10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for n := value[int](b, `select count(*) from audit_entries`); n < 10; n++ {
				b.must(b.ConnectionTested(b.ctx, b.sandbox, "ok", b.by))
			}
			b.exec(`alter table audit_entries disable trigger user`)
			if _, err := b.Pool().Exec(b.ctx, `do $do$ begin `+test.sql+`; end $do$`); err != nil {
				t.Fatal(err)
			}
			broken := b.broken()
			slices.Sort(broken)
			if diff := cmp.Diff(test.want, slices.Compact(broken)); diff != "" {
				t.Error("(-want +got):\n", diff)
			}
		})
	}
}

// People and the trail meet in opposite order: a request locks the person first and the trail's head last, a view holds
// the head while its foreign keys are checked. Plain row locks made these deadlock.
func TestNoDeadlockWithTheTrail(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.request(lookup.Sandbox, alejandro)
	admin, second := b.user("a@example.mx", auth.Administrator), b.user("b@example.mx", auth.Administrator)
	boss := audit.Actor{UserID: admin.ID, Name: admin.Name}
	var all sync.WaitGroup
	work := func(do func() error) {
		all.Go(func() {
			for range 25 {
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		work(func() error {
			_, err := b.RequestLookup(b.ctx, newLookup(t, lookup.Sandbox, alejandro), boss)
			return err
		})
		work(func() error { _, err := b.ViewLookup(b.ctx, lookup.Sandbox, m.uid, boss); return err })
		work(func() error { return b.ChangeUser(b.ctx, second.UID, "B", auth.Supervisor, boss) })
		work(func() error { return b.ChangeUser(b.ctx, second.UID, "B", auth.Administrator, boss) })
		work(func() error { return b.StoreProfile(b.ctx, pull(m, "{}"), someProfile()) })
		work(func() error { _, err := b.TakeToken(b.ctx, b.sandbox.ID); return err })
	}
	all.Wait()
	if broken := b.broken(); len(broken) != 0 {
		t.Errorf("broken at %v", broken)
	}
}
