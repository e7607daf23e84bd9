package db_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/bulk"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// somebody gives a CURP of which only the number matters.
func somebody(i int) string {
	four := "PE" + string(rune('A'+i/26%26)) + string(rune('A'+i%26))
	text := four + "800101HDFRRN0"
	digit, _ := curp.CheckDigit(text)
	return text + string(digit)
}

// draft stores lines of a file as a draft for IMSS.
func (b *bench) draft(lines ...string) uuid.UUID {
	b.t.Helper()
	uid, err := b.AddBulk(b.ctx, b.file(lookup.IMSS, lines...), time.Now(), b.by)
	b.must(err)
	return uid
}

func (b *bench) file(platform lookup.Platform, lines ...string) db.NewBulk {
	b.t.Helper()
	text := []byte("curp,referencia\n" + strings.Join(lines, "\n"))
	sheet, err := bulk.Read(text)
	b.must(err)
	layout := sheet.Guess()
	rows, err := sheet.Judge(layout, platform, time.Now())
	b.must(err)
	sum := sha256.Sum256(text)
	return db.NewBulk{Environment: lookup.Sandbox, Dialect: lookup.Form{Platform: string(platform)}.Dialect(), Platform: platform, FileName: "cartera.csv", File: text,
		SHA256: sum[:], Encoding: sheet.Encoding, Delimiter: sheet.Delimiter, Columns: sheet.Columns(layout.Header), Layout: layout, Rows: rows}
}

func consented() consent.Record {
	now := time.Now()
	return consent.Record{GivenAt: now, ExpiresAt: now.Add(consent.Lifetime), NoticeVersion: "1.0", Means: "paper", Purpose: consent.PurposeCredit}
}

// sending is the decision to send a draft as it stands.
func (b *bench) sending(uid uuid.UUID) db.Sending {
	b.t.Helper()
	return db.Sending{JudgedAt: value[time.Time](b, `select judged_at from bulks where uid = $1`, uid), Consent: consented()}
}

func (b *bench) send(uid uuid.UUID) int64 {
	b.t.Helper()
	b.must(b.SendBulk(b.ctx, lookup.Sandbox, uid, b.sending(uid), b.by))
	return value[int64](b, `select id from bulks where uid = $1`, uid)
}

// handOut gives rows their turn until none is left, or n had theirs.
func (b *bench) handOut(id int64, n int) (had int) {
	b.t.Helper()
	for range n {
		more, err := b.HandOut(b.ctx, id, time.Now())
		b.must(err)
		if !more {
			return had
		}
		had++
	}
	return had
}

func (b *bench) verdicts(uid uuid.UUID) string {
	b.t.Helper()
	return value[string](b, `select string_agg(r.line || ' ' || r.verdict, ', ' order by r.number) from bulk_rows r join bulks b on b.id = r.bulk_id where b.uid = $1`, uid)
}

func TestDraftIsJudged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	recent := b.taken("A1") // alejandro
	b.tell(success("A1"))
	open := b.request(lookup.Sandbox, eduardo)
	long := b.request(lookup.Sandbox, somebody(1))
	b.must(b.AttemptTaken(b.ctx, long.attempt, db.Taken{AccountID: "A3"}))
	b.tell(success("A3"))
	b.exec(`update attempts set settled_at = now() - interval '13 hours', final_event_at = now() - interval '13 hours' where id = $1`, long.attempt)
	wrongDigit := somebody(3)
	wrongDigit = wrongDigit[:17] + string('0'+(wrongDigit[17]-'0'+1)%10)
	uid := b.draft(alejandro+",1", eduardo+",2", somebody(1)+",3", somebody(2)+",4", "OICE940722HGFRST08,5", somebody(2)+",6", wrongDigit+",7", ",8")
	want := "2 recent, 3 open, 4 send, 5 send, 6 invalid, 7 duplicate, 8 doubtful, 9 invalid"
	if got := b.verdicts(uid); got != want {
		t.Errorf("verdicts are\n%s, want\n%s", got, want)
	}
	shown, err := b.Bulk(b.ctx, lookup.Sandbox, uid)
	b.must(err)
	wantCounts := map[bulk.Verdict]int{bulk.Send: 2, bulk.Doubtful: 1, bulk.Invalid: 2, bulk.Duplicate: 1, bulk.Recent: 1, bulk.Open: 1}
	if diff := cmp.Diff(wantCounts, shown.Counts); diff != "" || shown.Total != 8 || shown.Waiting != 0 || shown.State != bulk.Draft {
		t.Errorf("counts (-want +got):\n%s%+v", diff, shown)
	}
	if n := value[int](b, `select count(*) from lookups`); n != 3 {
		t.Errorf("a draft made lookups: %d", n)
	}
	for _, m := range []made{recent, open} {
		if n := value[int](b, `select count(*) from attempts where lookup_id = $1`, m.id); n != 1 {
			t.Errorf("%d attempts", n)
		}
	}
	// Nothing of one environment shows in the other.
	if _, err := b.Bulk(b.ctx, lookup.Production, uid); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("in production: %v", err)
	}
	// Another source: the same people, other pasts.
	again := b.file(lookup.ISSSTE, alejandro+",1", eduardo+",2")
	b.must(b.ReadBulkAgain(b.ctx, lookup.Sandbox, uid, again, time.Now(), b.by))
	if got := b.verdicts(uid); got != "2 send, 3 send" {
		t.Errorf("at another source: %s", got)
	}
	if got := value[string](b, `select string_agg(action || ' ' || detail, ', ' order by id) from audit_entries where action like 'bulk.%'`); got != "bulk.uploaded 8, bulk.read_again 2" {
		t.Errorf("the trail says %q", got)
	}
}

// Two a day per identifier at Buró, and an RFC is as good as a CURP there.
func TestDraftForBuro(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(`update connections set dialect = 'buro' where id = $1`, b.sandbox.ID)
	n := newLookup(t, lookup.Sandbox, alejandro)
	n.Dialect, n.Platform = lookup.Buro, lookup.AllSources
	for range 2 {
		_, err := b.RequestLookup(b.ctx, n, b.by)
		b.must(err)
	}
	b.exec(`update attempts set sent_at = now(), status = 'error', settled_at = now(), settled_by = 'webhook'`)
	file := b.file(lookup.AllSources, alejandro+",1", eduardo+",2", "GODE561231GR8,3")
	uid, err := b.AddBulk(b.ctx, file, time.Now(), b.by)
	b.must(err)
	if got := b.verdicts(uid); got != "2 limit, 3 send, 4 send" {
		t.Errorf("verdicts: %s", got)
	}
	id := b.send(uid)
	b.handOut(id, 10)
	if got := value[string](b, `select string_agg(coalesce(p.curp, p.rfc) || ' ' || l.platform || ' ' || l.reference, ', ' order by l.id) from lookups l join people p on p.id = l.person_id where l.source = 'bulk'`); got != eduardo+" all 2, GODE561231GR8 all 3" {
		t.Errorf("lookups: %s", got)
	}
}

func TestBulkSends(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uid := b.draft(somebody(1)+",a", somebody(2)+",b", "nonsense,c", somebody(3)+",d")
	// What was confirmed is what is sent: a draft read anew meanwhile is not.
	stale := b.sending(uid)
	b.must(b.ReadBulkAgain(b.ctx, lookup.Sandbox, uid, b.file(lookup.IMSS, somebody(1)+",a", somebody(2)+",b", "nonsense,c", somebody(3)+",d"), time.Now(), b.by))
	if err := b.SendBulk(b.ctx, lookup.Sandbox, uid, stale, b.by); !errors.Is(err, db.ErrConflict) {
		t.Errorf("a draft that changed was sent: %v", err)
	}
	id := b.send(uid)
	if err := b.SendBulk(b.ctx, lookup.Sandbox, uid, b.sending(uid), b.by); !errors.Is(err, db.ErrConflict) {
		t.Errorf("sent twice: %v", err)
	}
	if _, _, err := b.BulkFile(b.ctx, lookup.Sandbox, uid); !errors.Is(err, db.ErrConflict) {
		t.Errorf("the file is still there: %v", err)
	}
	// Meanwhile a colleague asks about one of them by the form.
	b.request(lookup.Sandbox, somebody(2))
	if had := b.handOut(id, 10); had != 3 {
		t.Errorf("%d rows had their turn", had)
	}
	var shown bulk.Bulk
	var items []bulk.Item
	_, _, err := b.ExportBulk(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Subject: uid}), func(of bulk.Bulk, rows []bulk.Item) ([]byte, error) {
		shown, items = of, rows
		return []byte("a file"), nil
	}, b.by)
	b.must(err)
	if shown.State != bulk.Done || shown.FinishedAt.IsZero() || shown.Sent != 2 || shown.Chosen != 3 || shown.Held() != 2 || shown.Statuses[lookup.Queued] != 2 {
		t.Errorf("the bulk stands at %+v", shown)
	}
	var got []string
	for _, i := range items {
		got = append(got, strings.Join([]string{i.Identifier, i.Reference, string(i.Verdict), string(i.State.Status), i.Detail}, " "))
	}
	want := []string{somebody(1) + " a send queued ", somebody(2) + " b open  ", "NONSENSE c invalid  " + items[2].Detail, somebody(3) + " d send queued "}
	if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(items[2].Detail, "curp.reason.") {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	// Each is a lookup like any other: consent of its own, attempt, job behind the others, entry on the trail.
	if got := value[string](b, `select string_agg(concat_ws(' ', l.source, a.source, k.means, k.notice_version, k.ip, j.priority), ', ')
		from lookups l join attempts a on a.lookup_id = l.id join consents k on k.id = l.consent_id and k.person_id = l.person_id
		join river_job j on j.kind = 'create_account' and (j.args->>'attempt_id')::bigint = a.id where l.source = 'bulk'`); got != "bulk bulk paper 1.0 192.0.2.7 3, bulk bulk paper 1.0 192.0.2.7 3" {
		t.Errorf("made %q", got)
	}
	if n := value[int](b, `select count(*) from audit_entries where action = $1 and lookup_id in (select id from lookups where source = 'bulk')`, audit.LookupRequested); n != 2 {
		t.Errorf("%d entries on the trail", n)
	}
	if n := value[int](b, `select count(*) from bulk_rows where lookup_id is not null and identifier <> ''`); n != 0 {
		t.Error("a sent row keeps a copy of its CURP")
	}
	if got := value[string](b, `select string_agg(args::text, ' ') from river_job where kind = 'run_bulk'`); strings.Contains(got, "PE") {
		t.Errorf("a job carries %q", got)
	}
}

// Two bulks of the same people at once, 301 rows, handed out by two processes: each person is asked once.
func TestTwoBulksAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var lines []string
	for i := range 150 {
		lines = append(lines, somebody(i)+",x")
	}
	ids := []int64{b.send(b.draft(lines...)), b.send(b.draft(append(lines, somebody(199)+",y")...))}
	other := connect(t, b.url)
	var all sync.WaitGroup
	for i := range 4 {
		d, id := b.DB, ids[i%2]
		if i > 1 {
			d = other
		}
		all.Go(func() {
			for more := true; more; {
				var err error
				if more, err = d.HandOut(b.ctx, id, time.Now()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := value[string](b, `select count(*) || ' ' || count(distinct person_id) from lookups`); got != "151 151" {
		t.Errorf("lookups and people: %s", got)
	}
	if got := value[int](b, `select count(*) from bulks where state = 'done'`); got != 2 {
		t.Errorf("%d bulks done", got)
	}
}

func TestPauseResumeCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uid := b.draft(somebody(1)+",", somebody(2)+",", somebody(3)+",", somebody(4)+",")
	move := func(to bulk.State) error { return b.SwitchBulk(b.ctx, lookup.Sandbox, uid, to, b.by) }
	if err := move(bulk.Paused); !errors.Is(err, db.ErrConflict) {
		t.Errorf("a draft was paused: %v", err)
	}
	id := b.send(uid)
	b.handOut(id, 1)
	b.must(move(bulk.Paused))
	if had := b.handOut(id, 5); had != 0 {
		t.Errorf("%d rows of a paused bulk had their turn", had)
	}
	if _, going, err := b.BulkRoom(b.ctx, id, 5); going || err != nil {
		t.Errorf("a paused bulk goes on: %v", err)
	}
	b.must(move(bulk.Sending))
	if n := b.jobs("run_bulk"); n != 1 {
		t.Errorf("%d jobs after resuming while the first one waits", n)
	}
	if err := move(bulk.Sending); !errors.Is(err, db.ErrConflict) {
		t.Errorf("resumed twice: %v", err)
	}
	// Its jobs are lost: that shows, and resuming helps.
	b.exec(`delete from river_job where kind = 'run_bulk'`)
	if shown, err := b.Bulk(b.ctx, lookup.Sandbox, uid); err != nil || !shown.Stalled {
		t.Errorf("a bulk without a job does not say so: %v", err)
	}
	b.must(move(bulk.Sending))
	if room, going, err := b.BulkRoom(b.ctx, id, 5); err != nil || !going || room != 4 {
		t.Errorf("room for %d, going %v: %v", room, going, err)
	}
	b.handOut(id, 1)
	b.must(move(bulk.Cancelled))
	if got := b.verdicts(uid); got != "2 send, 3 send, 4 cancelled, 5 cancelled" {
		t.Errorf("verdicts: %s", got)
	}
	if err := move(bulk.Sending); !errors.Is(err, db.ErrConflict) {
		t.Errorf("a cancelled bulk was resumed: %v", err)
	}
	if err := b.DiscardBulk(b.ctx, lookup.Sandbox, uid, b.by); !errors.Is(err, db.ErrConflict) {
		t.Errorf("a sent bulk was discarded: %v", err)
	}
	if got := value[string](b, `select string_agg(action, ' ' order by id) from audit_entries where action like 'bulk.%'`); got != "bulk.uploaded bulk.sent bulk.paused bulk.resumed bulk.resumed bulk.cancelled" {
		t.Errorf("the trail says %q", got)
	}
}

// A consent that ends while a bulk is paused covers nobody any more.
func TestBulkConsentEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uid := b.draft(somebody(1)+",", somebody(2)+",")
	id := b.send(uid)
	b.handOut(id, 1)
	b.exec(`update bulks set consent_given_at = now() - interval '2 days', consent_expires_at = now() - interval '1 day'`)
	b.handOut(id, 5)
	if got := b.verdicts(uid); got != "2 send, 3 consent" {
		t.Errorf("verdicts: %s", got)
	}
	// The schema wants the evidence whatever the code does.
	b.refused(checkViolation, `update bulks set notice_version = ''`)
	b.refused(checkViolation, `update bulks set state = 'draft'`)
}

func TestBulkPages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var lines []string
	for i := range 7 {
		lines = append(lines, somebody(i)+",x")
	}
	uid := b.draft(append(lines, "nonsense,y")...)
	for range 3 {
		b.draft("nonsense," + uuid.NewString())
	}
	list, newer, older, err := b.Bulks(b.ctx, lookup.Sandbox, lookup.Page{Limit: 2})
	b.must(err)
	if len(list) != 2 || newer || !older {
		t.Fatalf("%d bulks, newer %v, older %v", len(list), newer, older)
	}
	last := list[1]
	list, newer, older, err = b.Bulks(b.ctx, lookup.Sandbox, lookup.Page{Limit: 2, After: lookup.Cursor{At: last.UploadedAt, ID: last.ID}})
	b.must(err)
	if len(list) != 2 || !newer || older || list[1].UID != uid {
		t.Errorf("%d bulks, newer %v, older %v", len(list), newer, older)
	}
	id := list[1].ID
	numbers := func(verdict bulk.Verdict, page lookup.Page) (got []int, before, after bool) {
		items, before, after, err := b.BulkItems(b.ctx, id, verdict, page)
		b.must(err)
		for _, i := range items {
			got = append(got, i.Number)
		}
		return got, before, after
	}
	for name, tt := range map[string]struct {
		verdict       bulk.Verdict
		page          lookup.Page
		want          []int
		before, after bool
	}{
		"first":   {"", lookup.Page{Limit: 3}, []int{1, 2, 3}, false, true},
		"further": {"", lookup.Page{Limit: 3, After: lookup.Cursor{ID: 6}}, []int{7, 8}, true, false},
		"back":    {"", lookup.Page{Limit: 3, Before: lookup.Cursor{ID: 6}}, []int{3, 4, 5}, true, true},
		"invalid": {bulk.Invalid, lookup.Page{Limit: 3}, []int{8}, false, false},
	} {
		got, before, after := numbers(tt.verdict, tt.page)
		if diff := cmp.Diff(tt.want, got); diff != "" || before != tt.before || after != tt.after {
			t.Errorf("%s: before %v, after %v, rows (-want +got):\n%s", name, before, after, diff)
		}
	}
}
