package jobs_test

import (
	"context"
	"testing"
	"time"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/sandbox"
)

// export asks for the list of lookups in the background.
func (b *bench) export() (uid string) {
	b.t.Helper()
	id, err := b.AskExport(b.t.Context(), receipt.Asking{Selection: receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Zone: "UTC"}, People: 1},
		audit.Actor{UserID: one[int64](b, `select id from users order by id limit 1`), Name: "Ana"})
	b.must(err)
	return id.String()
}

func (b *bench) exportIs(uid string, state receipt.State) {
	b.t.Helper()
	b.await1(func() bool { return one[string](b, `select state from exports where uid = $1`, uid) == string(state) })
}

// A program that stops leaves its export to the next one, which begins anew; that costs none of its tries. An export that
// cannot be made is given up, and one whose job an administrator cancels is cancelled.
func TestExportSurvivesARestart(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	b.exec(`update connections set paused_at = now(), paused_code = 'test'`)
	b.request(alejandro)
	b.exec(`delete from river_job`)
	gate := func() (open func()) {
		t.Helper()
		tx, err := b.Pool().Begin(t.Context())
		b.must(err)
		_, err = tx.Exec(t.Context(), `lock table export_chunks in exclusive mode`)
		b.must(err)
		return func() { t.Helper(); b.must(tx.Commit(t.Context())) }
	}
	// The claim deletes what an earlier run left, so it is there that the run waits.
	open := gate()
	uid := b.export()
	first := b.work()
	b.waits("export_chunks")
	stop, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = first.Stop(stop)
	open()
	if state := one[string](b, `select state from exports where uid = $1`, uid); state != "waiting" && state != "making" {
		t.Fatalf("after the stop it is %s", state)
	}
	b.exec(`update river_job set scheduled_at = now() where kind = 'make_export'`)
	b.work()
	b.exportIs(uid, receipt.Ready)
	if n := one[int](b, `select count(*) from receipts where uid = $1`, uid); n != 1 {
		t.Errorf("%d receipts", n)
	}

	open = gate()
	uid = b.export()
	b.waits("export_chunks")
	_, err := b.CancelJobs(t.Context(), []int64{one[int64](b, `select max(id) from river_job where kind = 'make_export'`)}, audit.Actor{Name: "test"})
	b.must(err)
	open()
	b.exportIs(uid, receipt.Cancelled)

	b.exec(`create function spoil() returns trigger language plpgsql as $$ begin new.criteria := 'no filter'; return new; end $$`)
	b.exec(`create trigger spoil before insert on exports for each row execute function spoil()`)
	uid = b.export()
	b.exportIs(uid, receipt.Failed)
	if n := one[int](b, `select count(*) from receipts`); n != 1 {
		t.Errorf("%d receipts", n)
	}
}
