package jobs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/jobs"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
)

// crowd is a file of n people of whom nothing is known.
func crowd(n int) string {
	var file strings.Builder
	file.WriteString("curp\n")
	for i := range n {
		text := "PE" + string(rune('A'+i/26%26)) + string(rune('A'+i%26)) + "800101HDFRRN0"
		digit, _ := curp.CheckDigit(text)
		file.WriteString(text + string(digit) + "\n")
	}
	return file.String()
}

// bulk sends a file to IMSS.
func (b *bench) bulk(file string) uuid.UUID {
	b.t.Helper()
	sheet, err := bulk.Read([]byte(file))
	b.must(err)
	layout := sheet.Guess()
	now := time.Now()
	rows, err := sheet.Judge(layout, lookup.IMSS, now)
	b.must(err)
	uid, err := b.AddBulk(b.t.Context(), db.NewBulk{Environment: lookup.Sandbox, Dialect: lookup.Palenca, Platform: lookup.IMSS, File: []byte(file),
		SHA256: bulk.Sum([]byte(file)), Columns: sheet.Columns(layout.Header), Layout: layout, Rows: rows}, now, b.by)
	b.must(err)
	b.must(b.SendBulk(b.t.Context(), lookup.Sandbox, uid, db.Sending{JudgedAt: one[time.Time](b, `select judged_at from bulks where uid = $1`, uid),
		Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(time.Hour), NoticeVersion: "1.0", Means: "branch", Purpose: consent.PurposeCredit}}, b.by))
	return uid
}

// A bulk goes on where it stopped: paused and resumed, cut off in the middle, taken up by another process. Everybody is
// asked once, and at no time do more than a few of its lookups wait for a call.
func TestBulkSurvives(t *testing.T) {
	t.Parallel()
	const people = 40
	b := open(t, sandbox.Config{})
	// The vendor's limit would make this last minutes.
	b.exec(`alter table connections drop constraint connections_calls_per_minute_check`)
	b.exec(`update connections set calls_per_minute = 1000000`)
	most := 0
	look := func(c *jobs.Config) { c.Workers = 2 } // so that it is cut off in the middle
	uid := b.bulk(crowd(people))
	sent := func(n int) {
		t.Helper()
		b.await1(func() bool {
			waiting := one[int](b, `select count(*) from attempts where status = 'queued'`)
			most = max(most, waiting)
			return one[int](b, `select sent from bulks where uid = $1`, uid) >= n
		})
	}
	first := b.work(look)
	sent(5)
	// The process dies: its jobs are cut off, wherever they are.
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = first.Stop(over)
	b.must(b.SwitchBulk(t.Context(), lookup.Sandbox, uid, bulk.Paused, b.by))
	before := one[int](b, `select sent from bulks where uid = $1`, uid)
	if before >= people {
		t.Fatalf("all %d rows were handed out at once", before)
	}
	b.work(look)
	b.await(`select not exists (select 1 from river_job where kind = 'run_bulk' and state in ('available', 'running', 'retryable', 'scheduled'))`)
	if after := one[int](b, `select sent from bulks where uid = $1`, uid); after != before {
		t.Errorf("a paused bulk went from %d to %d", before, after)
	}
	b.must(b.SwitchBulk(t.Context(), lookup.Sandbox, uid, bulk.Sending, b.by))
	sent(people)
	b.await(`select state = 'done' from bulks where uid = $1`, uid)
	b.await(`select count(*) = $1 from lookups where status not in ('queued', 'pending')`, people)
	if got := one[string](b, `select count(*) || ' ' || count(distinct person_id) || ' ' || (select count(*) from attempts) from lookups`); got != "40 40 40" {
		t.Errorf("lookups, people and attempts: %s", got)
	}
	if n := b.accounts(); n != people {
		t.Errorf("%d accounts at the vendor", n)
	}
	if most > 12 {
		t.Errorf("%d of its lookups waited for a call at once", most)
	}
}

// The calls a minute are shared fairly: whoever asks about one person does not wait for a bulk of fifty.
func TestSingleOvertakesBulk(t *testing.T) {
	t.Parallel()
	b := open(t, sandbox.Config{})
	// Enough for the bulk to begin at once; then two calls every three seconds.
	b.exec(`update connections set calls_per_minute = 53, tokens = 8, refilled_at = clock_timestamp()`)
	b.bulk(crowd(50))
	b.work()
	b.await(`select count(*) >= 3 from attempts where source = 'bulk' and sent_at is not null`)
	asked := time.Now()
	uid := b.request(alejandro)
	b.await(`select a.sent_at is not null from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1`, uid)
	if took := time.Since(asked); took > 10*time.Second {
		t.Errorf("a single lookup waited %s for its first call", took)
	}
	overtaken := one[int](b, `select count(*) from lookups o where o.source = 'bulk' and not exists (
		select 1 from attempts a join attempts mine on mine.lookup_id = (select id from lookups where uid = $1)
		 where a.lookup_id = o.id and a.sent_at < mine.sent_at)`, uid) + one[int](b, `select count(*) from bulk_rows where done_at is null`)
	if overtaken < 40 {
		t.Errorf("it overtook %d of 50", overtaken)
	}
	// Its answer comes home before the bulk's rest, too.
	if got := b.done(uid); got != "success complete complete" {
		t.Errorf("ends as %s", got)
	}
	if n := one[int](b, `select count(*) from attempts where source = 'bulk' and sent_at is null`) + one[int](b, `select count(*) from bulk_rows where done_at is null`); n < 30 {
		t.Errorf("only %d of the bulk waited until then", n)
	}
}
