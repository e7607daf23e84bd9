package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// listen gives a function that waits for the next announcement of a lookup, "" when none comes within patience.
func (b *bench) listen() (next func(patience time.Duration) string) {
	b.t.Helper()
	return b.listenTo(func(payload string) bool { return !strings.HasPrefix(payload, db.DeliveryPrefix) })
}

func (b *bench) listenTo(wanted func(payload string) bool) (next func(patience time.Duration) string) {
	b.t.Helper()
	conn, err := pgx.Connect(b.ctx, b.url)
	b.must(err)
	b.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(b.ctx, "listen "+db.Channel)
	b.must(err)
	return func(patience time.Duration) string {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		for {
			n, err := conn.WaitForNotification(ctx)
			if err != nil {
				return ""
			}
			if wanted(n.Payload) {
				return n.Payload
			}
		}
	}
}

func TestRequestLookupIsOneTransaction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	next := b.listen()

	n := newLookup(t, lookup.Sandbox, alejandro)
	n.Consent.ExpiresAt = time.Now().Add(-time.Hour)
	n.Consent.GivenAt = n.Consent.ExpiresAt.Add(-time.Hour)
	if _, err := b.RequestLookup(b.ctx, n, b.by); err == nil {
		t.Fatal("a lookup with an expired consent was stored")
	}
	count := func() map[string]int {
		counts := map[string]int{}
		for _, table := range []string{"people", "consents", "lookups", "attempts", "moments", "river_job"} {
			counts[table] = value[int](b, `select count(*) from `+table)
		}
		counts["audit"] = value[int](b, `select count(*) from audit_entries where action = 'lookup.requested'`)
		return counts
	}
	if diff := cmp.Diff(map[string]int{"people": 0, "consents": 0, "lookups": 0, "attempts": 0, "moments": 0, "river_job": 0, "audit": 0}, count()); diff != "" {
		t.Error("a refused request left something (-want +got):\n", diff)
	}

	m := b.request(lookup.Sandbox, alejandro)
	if diff := cmp.Diff(map[string]int{"people": 1, "consents": 1, "lookups": 1, "attempts": 1, "moments": 1, "river_job": 1, "audit": 1}, count()); diff != "" {
		t.Error("a request makes (-want +got):\n", diff)
	}
	// Announcements keep their order, so the first one to come tells that the refused request made none.
	if got := next(10 * time.Second); got != strconv.FormatInt(m.id, 10) {
		t.Errorf("announced %q, want the id %d", got, m.id)
	}
	row, err := b.LookupRow(b.ctx, m.id)
	b.must(err)
	if row.UID != m.uid || row.CURP != alejandro || row.State.Status != lookup.Queued || row.Reference != "EXP-1" || row.RequestedBy != b.analyst.Name {
		t.Errorf("row: %+v", row)
	}
	e, err := b.Errand(b.ctx, m.attempt)
	b.must(err)
	want := db.Errand{AttemptID: m.attempt, AttemptUID: m.attemptUID, LookupID: m.id, ConnectionID: b.sandbox.ID, ConnectionAsOf: b.sandbox.ChangedAt, Dialect: lookup.Palenca,
		Environment: lookup.Sandbox, PersonID: e.PersonID, CURP: alejandro, Platform: lookup.IMSS, Status: lookup.Queued,
		Consent: db.ErrandConsent{ID: e.Consent.ID, IP: "192.0.2.7"}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error("errand (-want +got):\n", diff)
	}
}

func TestRequestLookupWithoutConnection(t *testing.T) {
	t.Parallel()
	d, url := open(t)
	b := &bench{DB: d, t: t, ctx: t.Context(), url: url}
	b.analyst = b.user("ana@example.mx", auth.Analyst)
	b.by.UserID = b.analyst.ID
	if _, err := b.RequestLookup(b.ctx, newLookup(t, lookup.Production, alejandro), b.by); !errors.Is(err, db.ErrNoConnection) || !errors.Is(err, db.ErrNotFound) {
		t.Errorf("got %v, want ErrNoConnection", err)
	}
	if n := value[int](b, `select count(*) from people`); n != 0 {
		t.Errorf("%d people are stored", n)
	}
}

func TestSending(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.request(lookup.Sandbox, alejandro)
	for i, want := range []bool{true, false} {
		first, err := b.MarkSent(b.ctx, m.attempt)
		b.must(err)
		if first != want {
			t.Errorf("MarkSent %d: first = %v", i, first)
		}
	}
	b.must(b.Unsend(b.ctx, m.attempt))
	if first, err := b.MarkSent(b.ctx, m.attempt); err != nil || !first {
		t.Errorf("after Unsend: first = %v, %v", first, err)
	}
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: "acc", UserID: "u", Took: time.Second}))
	b.must(b.Unsend(b.ctx, m.attempt))
	e, err := b.Errand(b.ctx, m.attempt)
	b.must(err)
	if e.SentAt.IsZero() || e.AccountID != "acc" || e.Status != lookup.Pending {
		t.Errorf("errand of a taken attempt: %+v", e)
	}
	if _, err := b.Errand(b.ctx, 1<<40); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("errand of nothing: %v", err)
	}

	refused := b.request(lookup.Sandbox, eduardo)
	b.must(b.AttemptRefused(b.ctx, refused.attempt, lookup.CodeRecentSuccess))
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, refused.uid)
	b.must(err)
	if c.State != (lookup.State{Status: lookup.Error, Detail: lookup.CodeRecentSuccess}) || c.Attempts[0].SettledAt.IsZero() {
		t.Errorf("refused: %+v", c.Attempts[0])
	}
}

// seed makes n lookups by SQL, of which several share each moment.
func (b *bench) seed(n, perMoment int) {
	b.t.Helper()
	b.request(lookup.Sandbox, alejandro)
	b.exec(`insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by, requested_at, status, detail)
select l.environment, l.person_id, l.connection_id, l.consent_id, l.platform, 'bulk', l.requested_by,
       timestamptz '2026-03-01 12:00:00Z' + g / $2 * interval '1 minute', case when g % 13 = 0 then 'error' when g % 7 = 0 then 'pending' else 'success' end, ''
  from lookups l, generate_series(1, $1::integer) g`, n, perMoment)
	b.exec(`delete from moments; delete from attempts; delete from river_job`)
	b.exec(`alter table audit_entries disable trigger user; delete from audit_entries; alter table audit_entries enable trigger user; delete from lookups where source = 'form'`)
}

// bothWays pages through what a list lets through, there and back, and wants all of it, each row once.
func bothWays[T any](b *bench, what string, limit int, want []int64, key func(T) lookup.Cursor, list func(lookup.Page) (rows []T, newer, older bool, err error)) {
	b.t.Helper()
	var there, back []int64
	var page lookup.Page
	var rows []T
	for {
		page.Limit = limit
		var newer, older bool
		var err error
		rows, newer, older, err = list(page)
		b.must(err)
		if newer != (len(there) > 0) || older != (len(there)+len(rows) < len(want)) {
			b.t.Fatalf("%s by %d, after %d rows: newer %v, older %v", what, limit, len(there), newer, older)
		}
		for _, r := range rows {
			there = append(there, key(r).ID)
		}
		if !older {
			break
		}
		page = lookup.Page{After: key(rows[len(rows)-1])}
	}
	if diff := cmp.Diff(want, there); diff != "" {
		b.t.Fatalf("%s by %d (-want +got):\n%s", what, limit, diff)
	}
	for _, r := range rows {
		back = append(back, key(r).ID)
	}
	for len(back) < len(want) {
		before, newer, older, err := list(lookup.Page{Before: key(rows[0]), Limit: limit})
		b.must(err)
		if !older || newer != (len(back)+len(before) < len(want)) || len(before) == 0 {
			b.t.Fatalf("%s by %d, back %d rows: newer %v, older %v", what, limit, len(back), newer, older)
		}
		ids := make([]int64, len(before))
		for i, r := range before {
			ids[i] = key(r).ID
		}
		back, rows = append(ids, back...), before
	}
	if diff := cmp.Diff(want, back); diff != "" {
		b.t.Errorf("%s by %d, back (-want +got):\n%s", what, limit, diff)
	}
}

// lookupsBothWays wants the lookups that a filter lets through.
func (b *bench) lookupsBothWays(what string, f lookup.Filter, limit int, want []int64) {
	b.t.Helper()
	bothWays(b, what, limit, want, func(r lookup.Row) lookup.Cursor { return lookup.Cursor{At: r.RequestedAt, ID: r.ID} }, func(page lookup.Page) ([]lookup.Row, bool, bool, error) {
		return b.Lookups(b.ctx, lookup.Sandbox, f, page, time.UTC)
	})
}

func TestLookupsPageBothWays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const all = 130
	b.seed(all, 40)
	want := value[[]int64](b, `select array_agg(id order by requested_at desc, id desc) from lookups`)
	for _, limit := range []int{1, 7, 50, all, all + 1} {
		b.lookupsBothWays("all", lookup.Filter{}, limit, want)
	}
}

// assorted are 700 lookups of many facets, some with many of them and some with few, some only of long ago, and filters with what
// they mean in plain SQL.
func (b *bench) assorted() map[string]lookup.Filter {
	b.t.Helper()
	b.seed(1, 1)
	colleague := b.user("inés@example.mx", auth.Supervisor)
	b.exec(`insert into lookups (environment, person_id, connection_id, consent_id, platform, source, again, requested_by, requested_at, status, detail, employment_state, owner_id)
select environment, person_id, connection_id, consent_id, (array['imss', 'issste', 'all'])[1 + x % 3], (array['form', 'bulk'])[1 + x / 3 % 2],
       (array['', '', '', 'retry', 'refresh'])[1 + x / 7 % 5], case when x % 4 = 0 then $1 else requested_by end, timestamptz '2026-03-01 12:00:00Z' + g / 5 * interval '10 minutes',
       status, case when status in ('success', 'pending') then '' else (array['', 'unknown', 'invalid_nss'])[1 + x / 5 % 3] end,
       case when status = 'success' then (array['complete', 'partial', 'failed'])[1 + x / 11 % 3] else 'none' end, case when x % 9 < 2 then $1 end
  from (select l.*, g, g * g % 9973 as x, (array['success', 'error', 'pending', 'success', 'incomplete', 'expired'])[1 + case when g < 200 then 0 else (g * g % 9973) / 2 % 6 end] as status
          from (select environment, person_id, connection_id, consent_id, requested_by from lookups limit 1) l, generate_series(1, 700) g) l`, colleague.ID)
	b.exec(`insert into tags (environment, name, folded) values ('sandbox', 'urgent', 'urgent')`)
	b.exec(`insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, t.id, l.requested_at from lookups l, tags t where l.id % 3 = 0`)
	tag := value[uuid.UUID](b, `select uid from tags`)
	if n := value[int](b, `select count(*) from lookup_facets`); n < 40 {
		b.t.Fatalf("%d facets are merged in no time", n)
	}
	const tagged = ` and id in (select lookup_id from lookup_tags)`
	hers := fmt.Sprint(colleague.ID)
	return map[string]lookup.Filter{
		`status = 'error'`:   {Status: lookup.Error},
		`platform = 'imss'`:  {Platform: lookup.IMSS},
		`connection_id > 0`:  {Dialect: lookup.Palenca},
		`source = 'bulk'`:    {Source: lookup.SourceBulk},
		`again = 'retry'`:    {Source: lookup.SourceRetry},
		`detail = 'unknown'`: {Detail: "unknown"},
		`status = 'success' and employment_state = 'none'`:                        {Status: lookup.Success, Records: lookup.PullNone},
		`requested_by = ` + hers:                                                  {Analyst: colleague.UID},
		`owner_id = ` + hers:                                                      {Owner: colleague.UID},
		`owner_id = ` + hers + ` and requested_by = ` + hers:                      {Owner: colleague.UID, Analyst: colleague.UID},
		`owner_id = ` + hers + ` and status = 'success'` + tagged:                 {Owner: colleague.UID, Status: lookup.Success, Tag: tag},
		`requested_by = ` + hers + ` and detail = 'invalid_nss'` + tagged:         {Analyst: colleague.UID, Detail: "invalid_nss", Tag: tag},
		`platform = 'all' and requested_at < '2026-03-02 00:00:00Z'::timestamptz`: {Platform: lookup.AllSources, To: day(2026, 3, 1)},
		`status in ('error', 'expired') and platform <> 'x'`:                      {Actor: lookup.ActorAnalyst},
	}
}

// listed gives the ids that a list of a plain condition has, in its order.
const listed = `select coalesce(array_agg(id order by requested_at desc, id desc), '{}') from lookups where `

// A filtered list merges the same rows as are found one by one.
func TestFilteredPagesBothWays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for plain, f := range b.assorted() {
		want := value[[]int64](b, listed+plain)
		for _, limit := range []int{3, 50, 1000} {
			b.lookupsBothWays(plain, f, limit, want)
		}
	}
}

func TestLookupsFilter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := b.user("otra@example.mx", auth.Analyst)
	b.seed(130, 1)
	b.exec(`update lookups set platform = 'issste', employment_state = 'empty', requested_by = $1 where id % 10 = 0`, other.ID)
	b.exec(`insert into connections (id, name, dialect, environment, base_url, key_sealed, key_tail) overriding system value select 77, 'Buró', 'buro', environment, base_url, key_sealed, key_tail from connections where environment = 'sandbox'`)
	b.exec(`update lookups set connection_id = 77 where id % 5 = 0`)
	b.exec(`update lookups set source = 'form' where id % 8 = 0`)
	b.exec(`update lookups set again = 'retry' where id % 9 = 0`)
	b.exec(`update lookups set owner_id = $1 where id % 11 = 0`, other.ID)
	b.exec(`update lookups set detail = 'curp_not_found' where status = 'error' and id % 2 = 0`)
	b.exec(`update lookups set status = 'pending' where id % 30 = 0`)
	// Those with an odd id were sent a moment ago.
	b.exec(`insert into attempts (lookup_id, connection_id, number, source, status, sent_at, settled_at)
select id, connection_id, 1, 'form', status, case when id % 2 = 0 then now() - interval '10 minutes' else now() end, case when status <> 'pending' then now() end from lookups`)
	urgent := value[uuid.UUID](b, `insert into tags (environment, name, folded) values ('sandbox', 'urgente', 'urgente') returning uid`)
	foreign := value[uuid.UUID](b, `insert into tags (environment, name, folded) values ('production', 'urgente', 'urgente') returning uid`)
	b.exec(`insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, t.id, l.requested_at from lookups l, tags t where l.id % 6 = 0`)
	b.exec(`update lookups set status = 'incomplete', detail = 'late' where id % 30 = 0`) // what has a tag already moves on
	tijuana, err := time.LoadLocation("America/Tijuana")
	b.must(err)
	// In Tijuana 1 March 2026 lasts from 08:00 to 08:00 UTC, 8 March (DST begins) only 23 hours.
	b.exec(`update lookups set requested_at = '2026-03-02 07:59:59.999999Z' where id = (select max(id) from lookups)`)
	b.exec(`update lookups set requested_at = '2026-03-02 08:00:00Z' where id = (select max(id) - 1 from lookups)`)
	b.exec(`update lookups set requested_at = '2026-03-09 06:59:59Z' where id = (select max(id) - 2 from lookups)`)
	b.exec(`update lookups set requested_at = '2026-03-09 07:00:00Z' where id = (select max(id) - 3 from lookups)`)
	for _, test := range []struct {
		name string
		f    lookup.Filter
		zone *time.Location
		sql  string
	}{
		{"all", lookup.Filter{}, time.UTC, `true`},
		{"actor", lookup.Filter{Actor: lookup.ActorAnalyst}, time.UTC, `status in ('error', 'expired')`},
		{"status", lookup.Filter{Status: lookup.Pending}, time.UTC, `status = 'pending'`},
		{"platform", lookup.Filter{Platform: lookup.ISSSTE}, time.UTC, `platform = 'issste'`},
		{"records", lookup.Filter{Records: lookup.PullEmpty}, time.UTC, `employment_state = 'empty'`},
		{"analyst", lookup.Filter{Analyst: other.UID}, time.UTC, fmt.Sprintf(`requested_by = %d`, other.ID)},
		{"unknown analyst", lookup.Filter{Analyst: uuid.New()}, time.UTC, `false`},
		{"two", lookup.Filter{Platform: lookup.ISSSTE, Actor: lookup.ActorNobody}, time.UTC, `platform = 'issste' and status = 'success'`},
		{"day in UTC", lookup.Filter{From: day(2026, 3, 2), To: day(2026, 3, 2)}, time.UTC, `requested_at >= '2026-03-02Z' and requested_at < '2026-03-03Z'`},
		{"day in Tijuana", lookup.Filter{From: day(2026, 3, 1), To: day(2026, 3, 1)}, tijuana, `requested_at >= '2026-03-01 08:00Z' and requested_at < '2026-03-02 08:00Z'`},
		{"short day", lookup.Filter{From: day(2026, 3, 8), To: day(2026, 3, 8)}, tijuana, `requested_at >= '2026-03-08 08:00Z' and requested_at < '2026-03-09 07:00Z'`},
		{"odd text", lookup.Filter{Actor: "\x00", Status: "\xff", Platform: "'", Records: "\x00"}, time.UTC, `false`},
		{"from", lookup.Filter{From: day(2026, 3, 2)}, tijuana, `requested_at >= '2026-03-02 08:00Z'`},
		{"to", lookup.Filter{To: day(2026, 3, 1)}, tijuana, `requested_at < '2026-03-02 08:00Z'`},
		{"form", lookup.Filter{Source: lookup.SourceForm}, time.UTC, `source = 'form'`},
		{"asked again", lookup.Filter{Source: lookup.SourceRetry}, time.UTC, `again = 'retry'`},
		{"dialect", lookup.Filter{Dialect: lookup.Buro}, time.UTC, `connection_id = 77`},
		{"other dialect", lookup.Filter{Dialect: lookup.Palenca}, time.UTC, `connection_id <> 77`},
		{"owner", lookup.Filter{Owner: other.UID}, time.UTC, `owner_id is not null`},
		{"tag", lookup.Filter{Tag: urgent}, time.UTC, `id % 6 = 0`},
		{"tag and status", lookup.Filter{Tag: urgent, Status: lookup.Incomplete}, time.UTC, `id % 6 = 0 and status = 'incomplete'`},
		{"tag and source", lookup.Filter{Tag: urgent, Source: lookup.SourceBulk, Analyst: b.analyst.UID}, time.UTC, fmt.Sprintf(`id %% 6 = 0 and source = 'bulk' and requested_by = %d`, b.analyst.ID)},
		{"tag of days", lookup.Filter{Tag: urgent, From: day(2026, 3, 1), To: day(2026, 3, 1)}, time.UTC, `id % 6 = 0 and requested_at < '2026-03-02Z'`},
		{"tag of the other environment", lookup.Filter{Tag: foreign}, time.UTC, `false`},
		{"detail", lookup.Filter{Detail: "curp_not_found"}, time.UTC, `status = 'error' and detail = 'curp_not_found'`},
		{"no detail", lookup.Filter{Detail: lookup.NoDetail, Status: lookup.Error}, time.UTC, `status = 'error' and detail = ''`},
		{"overdue", lookup.Filter{Overdue: true}, time.UTC, `status = 'pending' and id % 2 = 0`},
		{"everything", lookup.Filter{Overdue: true, Tag: urgent, Dialect: lookup.Palenca, Source: lookup.SourceBulk, Actor: lookup.ActorSource}, time.UTC,
			`status = 'pending' and id % 6 = 0 and connection_id <> 77 and source = 'bulk'`},
	} {
		rows, _, _, err := b.Lookups(b.ctx, lookup.Sandbox, test.f, lookup.Page{Limit: 200}, test.zone)
		b.must(err)
		ids := []int64{}
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		want := value[[]int64](b, `select coalesce(array_agg(id order by requested_at desc, id desc), '{}') from lookups where `+test.sql)
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if test.name != "all" && len(ids) == 130 || test.sql != "false" && len(ids) == 0 {
			t.Errorf("%s: %d rows prove nothing", test.name, len(ids))
		}
	}
}

// What stands above the end of a page is what the list would show there now.
func TestListedAbove(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(130, 1)
	errors := lookup.Filter{Status: lookup.Error}
	rows, _, older, err := b.Lookups(b.ctx, lookup.Sandbox, errors, lookup.Page{Limit: 3}, time.UTC)
	b.must(err)
	if len(rows) != 3 || !older {
		t.Fatalf("%d errors", len(rows))
	}
	above := func(last uuid.UUID, limit int) (n int) {
		t.Helper()
		ids, err := b.ListedAbove(b.ctx, lookup.Sandbox, errors, last, limit, time.UTC)
		b.must(err)
		return len(ids)
	}
	last := rows[2]
	if n := above(last.UID, 100); n != 2 {
		t.Errorf("%d stand above the third", n)
	}
	b.exec(`update lookups set status = 'error' where id in (select id from lookups where id > $1 and status = 'success' order by id limit 2)`, last.ID)
	b.exec(`update lookups set status = 'error' where id = (select max(id) from lookups where id < $1 and status = 'success')`, last.ID)
	b.exec(`update lookups set status = 'success' where id = $1`, rows[0].ID)
	if n := above(last.UID, 100); n != 3 {
		t.Errorf("%d stand above when two came and one left", n)
	}
	if n, all := above(last.UID, 2), above(uuid.Nil, 100); n != 2 || all != 12 {
		t.Errorf("up to two: %d; all: %d", n, all)
	}
	if n := above(uuid.New(), 100); n != 0 {
		t.Errorf("%d stand above nothing", n)
	}
}

func TestCountsAndFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(130, 1) // ten errors; pending are the multiples of 7 that are none of 13: 18 - 1
	b.exec(`update lookups set detail = case when id % 2 = 0 then 'a' else 'b' end where status = 'error'`)
	b.exec(`update lookups set detail = 'c', status = 'incomplete' where id = (select min(id) from lookups where status = 'success')`)
	for limit, want := range map[int]map[lookup.Actor]int{
		100: {lookup.ActorAnalyst: 10, lookup.ActorSource: 17, lookup.ActorPerson: 1, lookup.ActorCotejo: 0},
		5:   {lookup.ActorAnalyst: 5, lookup.ActorSource: 5, lookup.ActorPerson: 1, lookup.ActorCotejo: 0},
	} {
		got, err := b.ActorCounts(b.ctx, lookup.Sandbox, limit)
		b.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counts to %d (-want +got):\n%s", limit, diff)
		}
	}
	failures, more, err := b.Failures(b.ctx, lookup.Sandbox, day(2026, 3, 1))
	b.must(err)
	if more {
		t.Error("three causes are too many")
	}
	sum := map[string]int{}
	for i, f := range failures {
		sum[string(f.Status)+" "+f.Detail] += f.Count
		if f.Platform != lookup.IMSS || i > 0 && f.Count > failures[i-1].Count {
			t.Errorf("failure %d: %+v", i, f)
		}
	}
	want := map[string]int{"error a": value[int](b, `select count(*) from lookups where detail = 'a'`),
		"error b": value[int](b, `select count(*) from lookups where detail = 'b'`), "incomplete c": 1}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error("failures (-want +got):\n", diff)
	}
	if got, _, err := b.Failures(b.ctx, lookup.Production, day(2026, 3, 1)); err != nil || len(got) != 0 {
		t.Errorf("failures of production: %v, %v", got, err)
	}
}

// The number beside a cause is that of the list it leads to, wherever the reader's days begin.
func TestFailuresAreThoseOfTheList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(130, 1) // ten errors
	b.exec(`update lookups set requested_at = '2026-03-10 00:00Z'::timestamptz + (row_number.n - 6) * interval '5 hours'
	          from (select id, row_number() over (order by id) n from lookups where status = 'error') row_number where row_number.id = lookups.id`)
	b.exec(`delete from failure_days`)
	b.exec(`insert into failure_days (environment, west, day, status, detail, platform, shard, count)
	        select environment, w, failure_day(requested_at, w), status, detail, platform, 0, count(*)
	          from lookups cross join unnest(array[0, 5, 6, 7, 8]) w where status = 'error' group by 1, 2, 3, 4, 5, 6`)
	first := day(2026, 3, 10)
	seen := map[int]bool{}
	for _, name := range []string{"UTC", "America/Mexico_City", "America/Tijuana", "America/Cancun", "America/Hermosillo", "Asia/Tokyo", "Asia/Kolkata"} {
		zone, err := time.LoadLocation(name)
		b.must(err)
		failures, _, err := b.Failures(b.ctx, lookup.Sandbox, time.Date(2026, 3, 10, 0, 0, 0, 0, zone))
		b.must(err)
		rows, _, _, err := b.Lookups(b.ctx, lookup.Sandbox, lookup.Filter{Status: lookup.Error, From: first}, lookup.Page{Limit: 100}, zone)
		b.must(err)
		n := 0
		for _, f := range failures {
			n += f.Count
		}
		if n != len(rows) || n == 0 {
			t.Errorf("%s: %d counted, %d listed", name, n, len(rows))
		}
		seen[n] = true
	}
	if len(seen) < 3 {
		t.Errorf("the zones make no difference: %v", seen)
	}
	// In all of Mexico that comes from counters alone.
	for _, name := range []string{"Cancun", "Merida", "Mexico_City", "Monterrey", "Bahia_Banderas", "Matamoros", "Chihuahua", "Ojinaga", "Ciudad_Juarez", "Mazatlan", "Hermosillo", "Tijuana"} {
		zone, err := time.LoadLocation("America/" + name)
		b.must(err)
		for month := range time.Month(12) {
			if at := time.Date(2026, 1+month, 15, 0, 0, 0, 0, zone).UTC(); at.Minute() != 0 || !slices.Contains(db.FailuresWest, at.Hour()) {
				t.Errorf("days of %s begin at %s", name, at)
			}
		}
	}
	b.exec(`update lookups set status = 'error', detail = 'cause ' || id where status <> 'error'`)
	failures, more, err := b.Failures(b.ctx, lookup.Sandbox, day(2020, 1, 1))
	if b.must(err); len(failures) != db.MostFailures || !more {
		t.Errorf("%d of over a hundred causes; more: %v", len(failures), more)
	}
}

func TestLatestOf(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.request(lookup.Sandbox, alejandro)
	newest, other := b.request(lookup.Sandbox, alejandro), b.request(lookup.Sandbox, eduardo)
	b.request(lookup.Production, alejandro)
	got, err := b.LatestOf(b.ctx, lookup.Sandbox, []string{alejandro, eduardo, "HEGG560427MVZRRL04"})
	b.must(err)
	uids := map[string]uuid.UUID{}
	for text, row := range got {
		uids[text] = row.UID
	}
	if diff := cmp.Diff(map[string]uuid.UUID{alejandro: newest.uid, eduardo: other.uid}, uids); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	if got, err := b.LatestOf(b.ctx, lookup.Sandbox, nil); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %v, %v", got, err)
	}
}
