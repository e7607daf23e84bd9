package db_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
)

// The same file twice asks once per person, whatever the answer was; by the time of a draft, and by that of sending.
func TestSameFileTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	lines := []string{somebody(1) + ",a", somebody(2) + ",b"}
	first, both := b.draft(lines...), b.draft(lines...)
	b.handOut(b.send(first), 10)
	b.exec(`update attempts set status = 'error', settled_at = now(), settled_by = 'webhook'`)
	b.exec(`update lookups set status = 'error'`)
	later := b.draft(lines...)
	if got := b.verdicts(later); got != "2 asked, 3 asked" {
		t.Errorf("verdicts of the second upload: %s", got)
	}
	shown, err := b.Bulk(b.ctx, lookup.Sandbox, later)
	b.must(err)
	if len(shown.Earlier) != 1 || shown.Earlier[0].UID != first || shown.Earlier[0].By != b.by.Name {
		t.Errorf("earlier ones: %+v", shown.Earlier)
	}
	if err := b.SendBulk(b.ctx, lookup.Sandbox, later, b.sending(later), b.by); !errors.Is(err, db.ErrNothingToSend) {
		t.Errorf("nothing was sent with %v", err)
	}
	b.handOut(b.send(both), 10) // judged before the first was sent
	if got := b.verdicts(both); got != "2 asked, 3 asked" {
		t.Errorf("verdicts at sending: %s", got)
	}
	if n := value[int](b, `select count(*) from lookups`); n != 2 {
		t.Errorf("%d lookups for two people", n)
	}
	// A file with more people, or with some of them, is another matter.
	if got := b.verdicts(b.draft(lines[0])); got != "2 send" {
		t.Errorf("verdicts of the one to be asked again: %s", got)
	}
	if got := b.verdicts(b.draft(append(lines, somebody(3)+",c")...)); got != "2 send, 3 send, 4 send" {
		t.Errorf("verdicts of another file: %s", got)
	}
	b.exec(`update bulk_rows set done_at = done_at - interval '8 days'`)
	if got := b.verdicts(b.draft(lines...)); got != "2 send, 3 send" {
		t.Errorf("verdicts after a week: %s", got)
	}
}

// The same people for the same source are known again however the file spells them; at another source, they are not.
func TestSamePeopleTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.draft(somebody(1)+",Ñandú", somebody(2)+",b", "nonsense,c")
	id := b.send(first)
	b.handOut(id, 10)
	b.exec(`update attempts set status = 'error', settled_at = now(), settled_by = 'webhook'`)
	b.exec(`update lookups set status = 'error'`)
	add := func(platform lookup.Platform, text string) uuid.UUID {
		t.Helper()
		sheet, err := bulk.Read([]byte(text))
		b.must(err)
		layout := sheet.Guess()
		rows, err := sheet.Judge(layout, platform, time.Now())
		b.must(err)
		uid, err := b.AddBulk(b.ctx, db.NewBulk{Environment: lookup.Sandbox, Dialect: lookup.Form{Platform: string(platform)}.Dialect(), Platform: platform, File: []byte(text),
			SHA256: bulk.Sum([]byte(text)), Encoding: sheet.Encoding, Delimiter: sheet.Delimiter, Columns: sheet.Columns(layout.Header), Layout: layout, Rows: rows}, time.Now(), b.by)
		b.must(err)
		return uid
	}
	for name, text := range map[string]string{
		"Windows-1252": "curp,referencia\n" + somebody(1) + ",\xd1and\xfa\n" + somebody(2) + ",b\n", "byte order mark": "\xef\xbb\xbfcurp,referencia\n" + somebody(1) + ",Ñandú\n" + somebody(2) + ",b\n",
		"pasted": "curp\treferencia\r\n" + somebody(1) + "\tÑandú\r\n" + somebody(2) + "\tb\r\n", "another order, no names": somebody(2) + "\n" + strings.ToLower(somebody(1)) + "\n",
	} {
		again := add(lookup.IMSS, text)
		if got := value[string](b, `select string_agg(r.verdict, ' ') from bulk_rows r join bulks b on b.id = r.bulk_id where b.uid = $1`, again); got != "asked asked" {
			t.Errorf("%s: %s", name, got)
		}
		shown, err := b.Bulk(b.ctx, lookup.Sandbox, again)
		b.must(err)
		if len(shown.Earlier) != 1 || shown.Earlier[0].UID != first {
			t.Errorf("%s: earlier ones %+v", name, shown.Earlier)
		}
	}
	elsewhere := add(lookup.ISSSTE, "curp,referencia\n"+somebody(1)+",Ñandú\n"+somebody(2)+",b\n")
	if got := b.verdicts(elsewhere); got != "2 send, 3 send" {
		t.Errorf("at another source: %s", got)
	}
	// A draft that is judged for that source comes to be known again, and is not sent though it was once to be.
	back := add(lookup.IMSS, somebody(1)+"\n"+somebody(2)+"\n"+somebody(3)+"\n")
	if got := b.verdicts(back); got != "1 send, 2 send, 3 send" {
		t.Errorf("with one more: %s", got)
	}
	again := b.file(lookup.IMSS, somebody(2)+",x", somebody(1)+",y")
	b.must(b.ReadBulkAgain(b.ctx, lookup.Sandbox, back, again, time.Now(), b.by))
	if got := b.verdicts(back); got != "2 asked, 3 asked" {
		t.Errorf("judged again: %s", got)
	}
}

// Names of columns serve to read a draft: of a file without them they would be somebody's data.
func TestColumnsEndWithTheDraft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uid := b.draft(somebody(1) + ",")
	if got := value[[]string](b, `select columns from bulks where uid = $1`, uid); len(got) != 2 {
		t.Errorf("columns of a draft: %q", got)
	}
	b.send(uid)
	if got := value[[]string](b, `select columns from bulks where uid = $1`, uid); len(got) != 0 {
		t.Errorf("columns of one that was sent: %q", got)
	}
	b.refused(checkViolation, `update bulks set columns = array['x']`)
}

func TestBulksAreTidied(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.draft(somebody(1) + ",")
	for range 20 { // more than go at once
		b.draft(somebody(1) + ",")
	}
	fresh := b.draft(somebody(2) + ",")
	ended := b.draft("nonsense,", somebody(3)+",")
	b.handOut(b.send(ended), 5)
	paused, over := b.draft(somebody(4)+","), b.draft(somebody(5)+",")
	for _, uid := range []uuid.UUID{paused, over} {
		b.send(uid)
		b.must(b.SwitchBulk(b.ctx, lookup.Sandbox, uid, bulk.Paused, b.by))
	}
	b.exec(`update bulks set uploaded_at = now() - interval '25 hours' where uid <> $1`, fresh)
	b.exec(`update bulks set finished_at = now() - interval '31 days' where state = 'done'`)
	b.exec(`update bulks set consent_given_at = now() - interval '1 year', consent_expires_at = now() - interval '31 days' where uid = $1`, over)
	b.must(b.Tidy(b.ctx))
	if _, err := b.Bulk(b.ctx, lookup.Sandbox, old); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("an old draft: %v", err)
	}
	for _, uid := range []uuid.UUID{fresh, ended} {
		if _, err := b.Bulk(b.ctx, lookup.Sandbox, uid); err != nil {
			t.Error(err)
		}
	}
	// Paused for ever, nobody may be asked by its consent any more.
	for uid, want := range map[uuid.UUID]bool{paused: true, over: false, ended: false, fresh: true} {
		if got := value[bool](b, `select sha256 is not null from bulks where uid = $1`, uid); got != want {
			t.Errorf("the file's hash kept: %v, want %v", got, want)
		}
		if got := value[bool](b, `select b.people is not null and r.identifier <> '' from bulk_rows r join bulks b on b.id = r.bulk_id where b.uid = $1 and r.number = 1`, uid); got != want {
			t.Errorf("identifiers kept: %v, want %v", got, want)
		}
	}
	b.must(b.SwitchBulk(b.ctx, lookup.Sandbox, over, bulk.Sending, b.by))
	b.handOut(value[int64](b, `select id from bulks where uid = $1`, over), 5)
	if got := b.verdicts(over); got != "2 consent" {
		t.Errorf("resumed: %s", got)
	}
	if got := value[string](b, `select string_agg(identifier, ' ' order by number) from bulk_rows r join bulks b on b.id = r.bulk_id where b.uid = $1`, ended); got != " " {
		t.Errorf("identifiers left: %q", got)
	}
	if n := value[int](b, `select count(*) from bulk_rows where identifier = $1`, somebody(1)); n != 0 {
		t.Errorf("%d rows outlived their drafts", n)
	}
	// Nothing is known again by a hash that was forgotten, and a list, a page and a draft have theirs or none.
	if shown, err := b.Bulk(b.ctx, lookup.Sandbox, b.draft("nonsense,", somebody(3)+",")); err != nil || len(shown.SHA256) != 32 || len(shown.Earlier) != 0 {
		t.Errorf("the same file again: %d bytes, earlier ones %+v, %v", len(shown.SHA256), shown.Earlier, err)
	}
	list, _, _, err := b.Bulks(b.ctx, lookup.Sandbox, lookup.Page{Limit: 10})
	b.must(err)
	for _, one := range list {
		if known := one.UID != ended && one.UID != over; known != (one.SHA256 != nil) {
			t.Errorf("%s has a hash: %v", one.State, !known)
		}
	}
	b.refused(checkViolation, `update bulks set sha256 = null where state = 'draft'`)
}

// What older versions kept as names of columns goes: of bulks that were sent altogether, of drafts where it has a number's digits.
func TestColumnsOfOld(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sent, draft := b.draft(somebody(1)+","), b.draft(somebody(2)+",")
	b.send(sent)
	b.exec(`update bulks set sha256 = null where uid = $1`, sent)
	for value[bool](b, `select exists (select 1 from information_schema.columns where table_name = 'bulks' and column_name = 'people')`) {
		b.must(db.MigrateDown(b.ctx, b.url, false))
	}
	b.exec(`update bulks set columns = array['Nombre', $1, '02 18 92', 'Año 25']`, somebody(3))
	b.must(db.Migrate(b.ctx, b.url))
	for uid, want := range map[uuid.UUID][]string{sent: nil, draft: {"Nombre", "2", "3", "Año 25"}} {
		if diff := cmp.Diff(want, value[[]string](b, `select columns from bulks where uid = $1`, uid), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
	}
}
