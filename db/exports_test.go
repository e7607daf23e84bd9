package db_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/export"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

func asking(s receipt.Selection) receipt.Asking {
	if s.Zone == "" {
		s.Zone = "America/Mexico_City"
	}
	return receipt.Asking{Selection: s, Reason: "revisión mensual", People: 1}
}

func (b *bench) exportLookup(env lookup.Environment, uid uuid.UUID) (receipt.Receipt, error) {
	r, _, err := b.ExportLookup(b.ctx, asking(receipt.Selection{Environment: env, Subject: uid}), func(db.Case) (int, []byte, error) {
		return 1, []byte("a file"), nil
	}, b.by)
	return r, err
}

// table reads a file back, by the name of one of its columns.
func table(t *testing.T, file []byte, column string) []string {
	t.Helper()
	text, marked := strings.CutPrefix(string(file), "\xef\xbb\xbf")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(rows) == 0 {
		t.Fatalf("no file of ours: %v, %.60q", err, text)
	}
	at := slices.Index(rows[0], column)
	if at < 0 {
		t.Fatalf("no column %s in %v", column, rows[0])
	}
	cells := []string{}
	for _, row := range rows[1:] {
		cells = append(cells, row[at])
	}
	return cells
}

// What is filtered is what is exported: the same rows in the same order as the pages of the list, whichever filter.
func TestExportsHoldTheList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(600, 1)
	b.exec(`update lookups set employment_state = 'empty' where id % 7 = 0`)
	b.request(lookup.Production, alejandro)
	zone, _ := time.LoadLocation("America/Mexico_City")
	for name, f := range map[string]lookup.Filter{"all": {}, "status": {Status: lookup.Pending}, "records": {Records: lookup.PullEmpty},
		"days": {From: day(2026, 3, 2), To: day(2026, 3, 2)}, "analyst": {Analyst: b.analyst.UID}, "nothing": {Analyst: uuid.New()}} {
		want, _, _, err := b.Lookups(b.ctx, lookup.Sandbox, f, lookup.Page{Limit: 5000}, zone)
		b.must(err)
		ids := []string{}
		for _, row := range want {
			ids = append(ids, row.UID.String())
		}
		s := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: f, Zone: "America/Mexico_City", Words: map[string]string{"status": "x"}}
		r, file, err := b.MakeExport(b.ctx, asking(s), export.Write, b.by)
		b.must(err)
		if diff := cmp.Diff(ids, table(t, file, "lookup_id")); diff != "" {
			t.Errorf("%s: the file differs from the list (-list +file):\n%s", name, diff)
		}
		sum := sha256.Sum256(file)
		if r.Rows != int64(len(ids)) || r.Bytes != int64(len(file)) || !bytes.Equal(r.SHA256, sum[:]) {
			t.Errorf("%s: the receipt says %d rows, %d bytes", name, r.Rows, r.Bytes)
		}
		count, err := b.CountExport(b.ctx, s)
		b.must(err)
		if count.Items != len(ids) {
			t.Errorf("%s: counted %d of %d", name, count.Items, len(ids))
		}
	}
	for env, want := range map[lookup.Environment]int{lookup.Production: 1, lookup.Sandbox: 600} {
		_, file, err := b.MakeExport(b.ctx, asking(receipt.Selection{Environment: env, Kind: receipt.Lookups}), export.Write, b.by)
		b.must(err)
		if got := table(t, file, "environment"); len(got) != want || slices.ContainsFunc(got, func(cell string) bool { return cell != string(env) }) {
			t.Errorf("%s: %d rows, or some of the other environment", env, len(got))
		}
	}
}

// Whatever is filtered, the file holds what the filter means, and is counted before as it comes out.
func TestExportsHoldWhatIsFiltered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for plain, f := range b.assorted() {
		want := value[[]string](b, `select coalesce(array_agg(uid::text order by requested_at desc, id desc), '{}') from lookups where `+plain)
		s := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: f, Zone: "UTC"}
		_, file, err := b.MakeExport(b.ctx, asking(s), export.Write, b.by)
		b.must(err)
		if diff := cmp.Diff(want, table(t, file, "lookup_id")); diff != "" {
			t.Errorf("%s (-meant +file):\n%s", plain, diff)
		}
		if count, err := b.CountExport(b.ctx, s); err != nil || count.Items != len(want) {
			t.Errorf("%s: counted %d of %d (%v)", plain, count.Items, len(want), err)
		}
	}
}

func TestExportsHoldTheLedger(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("account")
	b.tell(success("account"))
	for range 3 {
		b.deliver()
	}
	b.deliver(func(r *db.Receipt) { r.Verdict, r.Cause, r.Answer = webhook.Refused, webhook.CauseMethod, 401 })
	for name, f := range map[string]webhook.Filter{"all": {}, "refused": {Verdict: webhook.Refused}, "action": {Action: "login.success"}, "waiting": {State: webhook.StateWaiting},
		"account": {Account: "account"}, "answered": {Answered: 401}, "cause": {Cause: webhook.CauseMethod}, "hook and state": {Hook: b.hook.UID, State: webhook.StateProcessed},
		"lookup": {Lookup: m.uid}, "text": {Text: "body", From: day(2000, 1, 1), To: time.Now()}} {
		list, _, _, err := b.Deliveries(b.ctx, lookup.Sandbox, f, lookup.Page{Limit: 100}, time.UTC)
		b.must(err)
		want := []string{}
		for _, d := range list {
			want = append(want, strings.Join([]string{d.UID.String(), string(d.Verdict), string(d.State()), d.Action, fmt.Sprint(d.Answered)}, " "))
		}
		_, file, err := b.MakeExport(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Deliveries, Deliveries: f, Zone: "UTC"}), export.Write, b.by)
		b.must(err)
		got := []string{}
		columns := [][]string{table(t, file, "delivery_id"), table(t, file, "verdict"), table(t, file, "state"), table(t, file, "action"), table(t, file, "answered")}
		for i := range columns[0] {
			got = append(got, strings.Join([]string{columns[0][i], columns[1][i], columns[2][i], columns[3][i], columns[4][i]}, " "))
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s (-ledger +file):\n%s", name, diff)
		}
		if bytes.Contains(file, []byte(`"body":`)) || bytes.Contains(file, []byte(alejandro)) {
			t.Errorf("%s: a body or a CURP is in the file", name)
		}
	}
	c, err := b.CountExport(b.ctx, receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Deliveries, Zone: "UTC"})
	if err != nil || c.Items != 5 || c.People != 1 {
		t.Errorf("counted %+v, %v", c, err)
	}
}

// invent adds 99 people, numbered up to n, each with a lookup like one that there is.
func (b *bench) invent(like int64, n int) {
	b.t.Helper()
	b.exec(`with p as (insert into people (environment, curp) select 'sandbox', 'AAAA' || lpad(g::text, 6, '0') || 'HDFAAA00' from generate_series($2::int - 98, $2) g returning id, environment),
			k as (insert into consents (person_id, recorded_by, given_at, expires_at, notice_version, means, purpose)
			      select p.id, c.recorded_by, c.given_at, c.expires_at, c.notice_version, c.means, c.purpose from p, consents c join lookups l on l.consent_id = c.id where l.id = $1 returning id, person_id)
			insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by)
			select l.environment, k.person_id, l.connection_id, k.id, l.platform, l.source, l.requested_by from k, lookups l where l.id = $1`, like, n)
}

// A hundred persons need no password, a hundred and one do; the same person twice is one.
func TestExportCountsPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.request(lookup.Sandbox, alejandro)
	people := func() int {
		t.Helper()
		c, err := b.CountExport(b.ctx, receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Records, Zone: "UTC"})
		b.must(err)
		return c.People
	}
	b.invent(first.id, 99)
	b.request(lookup.Sandbox, alejandro)
	if n := people(); n != receipt.MostPeople {
		t.Errorf("a hundred persons count as %d", n)
	}
	b.request(lookup.Sandbox, eduardo)
	if n := people(); n != receipt.ManyPeople {
		t.Errorf("a hundred and one count as %d", n)
	}
	b.invent(first.id, 300)
	if n := people(); n != receipt.ManyPeople {
		t.Errorf("two hundred count as %d: counted further than needed", n)
	}
	// The schema refuses what a form should have.
	b.refused("23514", `insert into receipts (uid, environment, kind, zone, reason, people, rows, bytes, sha256, made_by, made_name)
		values (gen_random_uuid(), 'sandbox', 'lookups', 'UTC', 'short', 101, 1, 1, sha256(''), $1, 'Ana')`, b.analyst.ID)
}

// What was asked for as a list of few people is not made of many: the list grew after it was counted.
func TestExportsDoNotGrowUnseen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.invent(b.request(lookup.Sandbox, alejandro).id, 99)
	b.request(lookup.Sandbox, eduardo)
	s := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups}
	few, many := asking(s), asking(s)
	few.Reason = ""
	many.People = receipt.ManyPeople
	if _, _, err := b.MakeExport(b.ctx, few, export.Write, b.by); !errors.Is(err, db.ErrGrown) {
		t.Errorf("101 people at once, asked for as one: %v", err)
	}
	_, err := b.AskExport(b.ctx, few, b.by)
	b.must(err)
	id := value[int64](b, `select id from exports`)
	if err := b.RunExport(b.ctx, id, export.Write); !errors.Is(err, db.ErrGrown) {
		t.Errorf("101 people in the background, asked for as one: %v", err)
	}
	b.must(b.DropExport(b.ctx, id, receipt.Grown))
	if n := value[int](b, `select count(*) from receipts`); n != 0 {
		t.Errorf("%d receipts", n)
	}
	r, _, err := b.MakeExport(b.ctx, many, export.Write, b.by)
	if b.must(err); r.People != receipt.ManyPeople {
		t.Errorf("the receipt tells of %d people", r.People)
	}
	few.Lookups.From, few.Lookups.To = day(1999, 1, 1), day(1999, 1, 2)
	if r, _, err = b.MakeExport(b.ctx, few, export.Write, b.by); err != nil || r.People != 0 {
		t.Errorf("an empty list: %d people, %v", r.People, err)
	}
}

// No more rows than an answer holds are made in memory; the rest is a job's.
func TestExportTooLongForAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const rows = receipt.AtOnce + 400 // over a mebibyte, so that the file has two pieces
	b.seed(rows, 1)
	s := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups}
	if _, _, err := b.MakeExport(b.ctx, asking(s), export.Write, b.by); !errors.Is(err, db.ErrLong) {
		t.Errorf("%d rows at once: %v", rows, err)
	}
	if n := value[int](b, `select count(*) from receipts`); n != 0 {
		t.Errorf("%d receipts of a file that was not made", n)
	}
	if c, err := b.CountExport(b.ctx, s); err != nil || c.Items != receipt.AtOnce+1 || c.People != receipt.ManyPeople {
		t.Errorf("counted %+v, %v", c, err)
	}
	uid, err := b.AskExport(b.ctx, asking(s), b.by)
	b.must(err)
	b.must(b.RunExport(b.ctx, value[int64](b, `select id from exports`), export.Write))
	r, id, err := b.TakeExport(b.ctx, lookup.Sandbox, uid, b.by)
	b.must(err)
	var file bytes.Buffer
	b.must(b.WriteExport(b.ctx, id, r.Bytes, &file))
	sum := sha256.Sum256(file.Bytes())
	if len(table(t, file.Bytes(), "lookup_id")) != rows || !bytes.Equal(sum[:], r.SHA256) || int64(file.Len()) != r.Bytes || file.Len() <= 1<<20 {
		t.Errorf("the file of %d bytes in %d pieces is not that of its receipt", file.Len(), value[int](b, `select count(*) from export_chunks`))
	}
}

// The life of an export in the background: begun, left by a dead process, begun anew, cancelled, expired.
func TestExportInTheBackground(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(1200, 1)
	s := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: lookup.Filter{Platform: lookup.IMSS}, Words: map[string]string{"platform": "imss"}}
	uid, err := b.AskExport(b.ctx, asking(s), b.by)
	b.must(err)
	id := value[int64](b, `select id from exports where uid = $1`, uid)
	if n := b.jobs("make_export"); n != 1 {
		t.Fatalf("%d jobs", n)
	}
	other := b.by
	other.UserID = b.user("otra@example.mx", auth.Supervisor).ID

	// A run that dies half-way leaves nothing that a later one trips over; while the later one runs it can do no harm.
	died := errors.New("died")
	err = b.RunExport(b.ctx, id, func(w io.Writer, kind receipt.Kind, columns []string, rows iter.Seq2[[][]byte, error]) (int64, error) {
		if _, err := w.Write(make([]byte, 3<<20)); err != nil {
			return 0, err
		}
		for range rows {
			break
		}
		return 0, died
	})
	if !errors.Is(err, died) || value[int](b, `select count(*) from export_chunks`) != 3 || value[string](b, `select state from exports`) != "making" {
		t.Fatalf("after a run that died: %v", err)
	}
	if n, err := b.ResumeExports(b.ctx); err != nil || n != 0 {
		t.Errorf("resumed %d, %v: it has a job", n, err)
	}
	b.exec(`update river_job set state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{x}' where kind = 'make_export'`)
	if n, err := b.ResumeExports(b.ctx); err != nil || n != 0 {
		t.Errorf("resumed %d, %v: it moved a moment ago", n, err)
	}
	b.exec(`update exports set beat_at = now() - interval '2 minutes'`)
	var another int64
	b.must(b.Pool().QueryRow(b.ctx, `insert into exports (environment, kind, criteria, words, zone, reason, people, asked_by, asked_name, asked_ip, beat_at)
		select environment, kind, criteria, words, zone, reason, people, asked_by, asked_name, asked_ip, beat_at from exports returning id`).Scan(&another))
	b.exec(`insert into river_job (kind, args, state, finalized_at, max_attempts, queue) values ('make_export', jsonb_build_object('export_id', $1::bigint), 'cancelled', now(), 3, 'export')`, another)
	if n, err := b.ResumeExports(b.ctx); err != nil || n != 1 || b.jobs("make_export") != 3 {
		t.Errorf("resumed %d, %v", n, err)
	}
	if state := value[string](b, `select state from exports where id = $1`, another); state != "cancelled" {
		t.Errorf("one whose job somebody cancelled is %s", state)
	}
	b.exec(`delete from exports where id = $1`, another)
	// The fault of a run that was overtaken is not the export's, and gives nothing up.
	err = b.RunExport(b.ctx, id, func(io.Writer, receipt.Kind, []string, iter.Seq2[[][]byte, error]) (int64, error) {
		b.exec(`update exports set run = run + 1 where id = $1`, id)
		return 0, died
	})
	if !errors.Is(err, db.ErrStopped) || value[string](b, `select state from exports`) != "making" {
		t.Errorf("a fault after another run began: %v", err)
	}
	overtaken := false
	err = b.RunExport(b.ctx, id, func(w io.Writer, kind receipt.Kind, columns []string, rows iter.Seq2[[][]byte, error]) (int64, error) {
		if !overtaken {
			overtaken = true
			b.must(b.RunExport(b.ctx, id, export.Write))
		}
		return export.Write(w, kind, columns, rows)
	})
	if !errors.Is(err, db.ErrStopped) {
		t.Errorf("the run that was overtaken ended with %v", err)
	}
	if err := b.RunExport(b.ctx, id, export.Write); !errors.Is(err, db.ErrStopped) {
		t.Errorf("made twice: %v", err)
	}
	e, err := b.Export(b.ctx, lookup.Sandbox, uid)
	b.must(err)
	if want := value[int64](b, `select count(*) from lookups where environment = 'sandbox' and platform = 'imss'`); e.State != receipt.Ready || e.Goal != want || e.Done != want || e.Rows != want {
		t.Errorf("it stands at %+v, want %d rows", e, want)
	}
	// What is ready is not given up any more.
	pieces := value[int](b, `select count(*) from export_chunks`)
	b.must(b.DropExport(b.ctx, id, receipt.Failed))
	if n := value[int](b, `select count(*) from export_chunks`); n != pieces || n == 0 || value[string](b, `select state from exports`) != "ready" {
		t.Errorf("%d of %d pieces after it was given up", n, pieces)
	}
	r, err := b.Receipt(b.ctx, lookup.Sandbox, uid)
	b.must(err)
	if r.Words["platform"] != "imss" || r.Reason != "revisión mensual" || r.MadeBy != b.analyst.Name || r.Kind != receipt.Lookups || r.Rows != e.Rows {
		t.Errorf("the receipt says %+v", r)
	}
	if got := value[string](b, `select string_agg(action, ' ' order by id) from audit_entries where subject = $1`, uid.String()); got != "export.asked list.exported" {
		t.Errorf("the trail says %q", got)
	}
	b.refused("23001", `update receipts set reason = 'another' where uid = $1`, uid)
	b.refused("23001", `delete from receipts`)

	// Only whoever asked, only there, only in time.
	if _, _, err := b.TakeExport(b.ctx, lookup.Sandbox, uid, other); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("taken by somebody else: %v", err)
	}
	if _, _, err := b.TakeExport(b.ctx, lookup.Production, uid, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("taken in the other environment: %v", err)
	}
	if err := b.CancelExport(b.ctx, lookup.Sandbox, uid, b.by); !errors.Is(err, db.ErrConflict) {
		t.Errorf("cancelled when it was ready: %v", err)
	}
	b.must(b.Tidy(b.ctx))
	if _, _, err := b.TakeExport(b.ctx, lookup.Sandbox, uid, b.by); err != nil {
		t.Errorf("tidied away too early: %v", err)
	}
	b.exec(`update exports set expires_at = now() - interval '1 second'`)
	b.exec(`insert into export_chunks (export_id, number, data) select id, n, 'x' from exports, generate_series(1000, 1200) n`) // more than go at once
	if _, _, err := b.TakeExport(b.ctx, lookup.Sandbox, uid, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("taken after its time: %v", err)
	}
	b.must(b.Tidy(b.ctx))
	if n := value[int](b, `select count(*) from export_chunks`); n != 0 || value[string](b, `select state from exports`) != "expired" {
		t.Errorf("%d pieces are left", n)
	}

	// Cancelled while it is made.
	uid, err = b.AskExport(b.ctx, asking(s), b.by)
	b.must(err)
	if err := b.CancelExport(b.ctx, lookup.Sandbox, uid, other); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("cancelled by somebody else: %v", err)
	}
	err = b.RunExport(b.ctx, value[int64](b, `select id from exports where uid = $1`, uid), func(w io.Writer, kind receipt.Kind, columns []string, rows iter.Seq2[[][]byte, error]) (int64, error) {
		b.must(b.CancelExport(b.ctx, lookup.Sandbox, uid, b.by))
		return export.Write(w, kind, columns, rows)
	})
	if !errors.Is(err, db.ErrStopped) || value[int](b, `select count(*) from receipts where uid = $1`, uid) != 0 || value[int](b, `select count(*) from export_chunks`) != 0 {
		t.Errorf("cancelled: %v", err)
	}
	open, more, err := b.ExportsWithout(b.ctx, lookup.Sandbox, b.analyst.ID)
	if err != nil || more || len(open) != 1 || open[0].State != receipt.Cancelled {
		t.Errorf("without receipt: %v, %v", open, err)
	}
	if n := value[int](b, `select count(*) from audit_entries where action = $1`, audit.ExportCancelled); n != 1 {
		t.Errorf("%d entries of the cancelling", n)
	}
	// It stays listed, however many came to their end after it.
	b.exec(`insert into exports (environment, kind, zone, people, asked_by, asked_name, state, finished_at, expires_at)
		select environment, kind, zone, people, asked_by, asked_name, 'expired', now(), now() from exports, generate_series(1, 30) where uid = $1`, uid)
	for _, whose := range []int64{b.analyst.ID, 0} {
		if open, more, err = b.ExportsWithout(b.ctx, lookup.Sandbox, whose); err != nil || more || len(open) != 1 || open[0].UID != uid {
			t.Errorf("without receipt after others: %v, %v", open, err)
		}
	}
	// Of more than are listed, the newest are, and it is said.
	b.exec(`insert into exports (environment, kind, zone, people, asked_by, asked_name, state, finished_at)
		select environment, kind, zone, people, asked_by, asked_name, state, finished_at from exports, generate_series(1, $2::int) where uid = $1`, uid, db.OpenExports)
	if open, more, err = b.ExportsWithout(b.ctx, lookup.Sandbox, 0); err != nil || !more || len(open) != db.OpenExports || open[len(open)-1].UID == uid {
		t.Errorf("without receipt: %d, more: %v, %v", len(open), more, err)
	}
}

// A list's employment records are those of the lookups' own pages, of several answers the newest readable one: the same
// bytes as one person's file, which is made from what the page shows.
func TestListedRecordsAreThoseOfThePage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	older := someHistory()
	older.Records[0].Employer = "An earlier answer"
	b.must(b.StoreProfile(b.ctx, pull(m, "1"), someProfile()))
	b.must(b.StoreEmployment(b.ctx, pull(m, "2"), older, lookup.Gist{Records: 3}))
	p := someProfile()
	p.FirstName, p.IDs = "=1+1", []profile.ID{{Type: "tax", Name: "rfc", Value: "GODE561231GR8"}, {Type: "social_security_number", Name: "number", Value: "02189216878"}}
	b.must(b.StoreProfile(b.ctx, pull(m, "3"), p))
	b.must(b.StoreEmployment(b.ctx, pull(m, "4"), someHistory(), lookup.Gist{Records: 3}))
	b.exec(`insert into pulls (lookup_id, attempt_id, kind, state, http_status, took_ms, body, sha256)
		select $1, $2, kind, 'failed', 500, 1, '', sha256('') from unnest(array['profile', 'employment']) kind`, m.id, m.attempt)

	var one bytes.Buffer
	_, _, err := b.ExportLookup(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Subject: m.uid}), func(c db.Case) (int, []byte, error) {
		n, err := export.WriteEmployment(&one, export.Lookup{UID: c.UID, Reference: c.Reference, CURP: c.CURP, Platform: c.Platform, Environment: c.Environment, Dialect: c.Dialect,
			State: c.State, AccountID: c.Attempts[0].AccountID, RequestedAt: c.RequestedAt, FetchedAt: c.EmploymentPull.FetchedAt, SHA256: c.EmploymentPull.SHA256,
			Person: *c.Profile, History: *c.History}.Rows())
		return n, one.Bytes(), err
	}, b.by)
	b.must(err)
	_, file, err := b.MakeExport(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Records}), export.Write, b.by)
	b.must(err)
	if diff := cmp.Diff(one.String(), string(file)); diff != "" {
		t.Errorf("one person's file and a list's (-one +list):\n%s", diff)
	}
	if got := table(t, file, "nss"); len(got) != 3 || got[0] != "02189216878" {
		t.Errorf("NSS %q", got)
	}
}
