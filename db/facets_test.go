package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// agree holds facets and counters against what a scan of the rows says.
func (b *bench) agree(when string) {
	b.t.Helper()
	for rows, kept := range map[string]string{
		`select environment, status, count(*) from lookups group by 1, 2`: `select environment, status, sum(count)::bigint from lookup_counts group by 1, 2 having sum(count) <> 0`,
		`select environment, z.west, (requested_at at time zone z.name)::date, status, detail, platform, count(*)
		   from lookups cross join (values (0, 'UTC'), (5, 'Etc/GMT+5'), (6, 'Etc/GMT+6'), (7, 'Etc/GMT+7'), (8, 'Etc/GMT+8')) z (west, name)
		  where status in ('expired', 'error', 'incomplete') group by 1, 2, 3, 4, 5, 6`: `
		 select environment, west, day, status, detail, platform, sum(count)::bigint from failure_days group by 1, 2, 3, 4, 5, 6 having sum(count) <> 0`,
	} {
		text := func(q string) []string {
			return value[[]string](b, `select coalesce(array_agg(x::text order by x::text), '{}') from (`+q+`) x`)
		}
		if diff := cmp.Diff(text(rows), text(kept)); diff != "" {
			b.t.Errorf("%s (-rows +counters):\n%s", when, diff)
		}
	}
	for _, table := range []string{"lookup", "delivery"} {
		rows := map[string]string{"lookup": "lookups", "delivery": "deliveries"}[table]
		if n := value[int](b, `select count(*) from `+rows+` r where not exists (select 1 from `+table+`_facets k where k.facet = r.facet)`); n != 0 {
			b.t.Errorf("%s: %d %s are in no facet", when, n, rows)
		}
	}
}

// Whatever happens to lookups and deliveries, facets and counters say what a scan would.
func TestFacetsAndCountersFollow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, account := range []string{"one", "two", "three", "four"} {
		b.taken(account)
	}
	b.request(lookup.Production, alejandro)
	b.tell(success("one"))
	b.tell(event("login.incomplete", "two", lookup.PhaseIncomplete, "invalid_nss"))
	b.tell(event("login.error", "three", lookup.PhaseFailed, "unknown"))
	b.tell(event("login.error", "three", lookup.PhaseFailed, "unknown"))
	b.tell(success("three"))
	b.deliver(func(r *db.Receipt) { r.Verdict, r.Cause, r.Answer = webhook.Refused, webhook.CauseMethod, 405 })
	b.must(b.AttemptRefused(b.ctx, b.request(lookup.Sandbox, eduardo).attempt, lookup.CodeRejected))
	b.exec(`update lookups set again = 'retry' where id = (select min(id) from lookups)`)

	b.agree("after events")
	if n := value[int](b, `select count(*) from lookup_facets`); n < 5 {
		t.Errorf("%d facets", n)
	}
	for _, want := range []webhook.Filter{{State: webhook.StateProcessed}, {Action: "login.error"}, {Answered: 405}, {Verdict: webhook.Duplicate}} {
		if list, _, _, err := b.Deliveries(b.ctx, lookup.Sandbox, want, lookup.Page{Limit: 10}, time.UTC); err != nil || len(list) == 0 {
			t.Errorf("%+v: %d deliveries (%v)", want, len(list), err)
		}
	}
	b.exec(`insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by, status)
select environment, person_id, connection_id, consent_id, platform, source, requested_by, 'error' from lookups order by id limit 2`)
	b.agree("after more")
	b.exec(`delete from lookups where id > (select max(lookup_id) from attempts)`)
	b.agree("after less")
}

// What migrations 25 and 26 compute for rows that were there before is what the triggers write: of every hour of two days, so that
// days begin elsewhere by each offset, with tags, owners and several causes; also of what happened under the schema before them.
func TestListsOfOld(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crowd()
	owner := b.user("inés@example.mx", auth.Supervisor)
	m := b.request(lookup.Sandbox, eduardo)
	for _, tag := range []string{"revisión", "urgente"} {
		b.must(b.tag(m, tag))
	}
	// Lookups of every status, an owner for a third; each half of them has one of the tags, and every tenth both.
	more := func(hours int) {
		b.exec(`with l as (
insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by, requested_at, status, detail, owner_id)
select l.environment, l.person_id, l.connection_id, l.consent_id, l.platform, l.source, l.requested_by, date_trunc('day', now(), 'UTC') - g * interval '1 hour',
       (array['error', 'incomplete', 'success', 'expired'])[1 + g % 4], case when g % 4 = 2 then '' else (array['unknown', 'invalid_nss', 'service_degradation'])[1 + g % 3] end,
       case when g % 3 = 0 then $3::bigint end
  from lookups l, generate_series(1, $2) g where l.id = $1 returning id, requested_at)
insert into lookup_tags (lookup_id, tag_id, requested_at)
select l.id, t.id, l.requested_at from l join tags t on (l.id + t.id) % 2 = 0 or l.id % 10 = 0`, m.id, hours, owner.ID)
	}
	more(50)
	b.exec(`update lookups set status = 'error', detail = 'timeout' where id % 7 = 0`)
	b.exec(`update lookups set owner_id = null where id % 9 = 0`)
	b.agree("by triggers")
	kept := map[string]string{
		"tags":     `select array_agg(to_jsonb(t)::text order by lookup_id, tag_id) from lookup_tags t`,
		"failures": `select array_agg(x::text order by x::text) from (select environment, west, day, status, detail, platform, sum(count) from failure_days group by 1, 2, 3, 4, 5, 6 having sum(count) <> 0) x`,
	}
	before := map[string][]string{}
	for what, query := range kept {
		if before[what] = value[[]string](b, query); len(before[what]) < 50 {
			t.Fatalf("only %d %s", len(before[what]), what)
		}
	}
	begins := names(b.find(lookup.Sandbox, "pér lóp", lookup.Page{}))
	old := func() {
		for value[bool](b, `select exists (select 1 from information_schema.columns where table_name = 'lookup_tags' and column_name = 'requested_by')`) {
			b.must(db.MigrateDown(b.ctx, b.url, false))
		}
	}
	old()
	b.must(db.Migrate(b.ctx, b.url))
	for what, query := range kept {
		if diff := cmp.Diff(before[what], value[[]string](b, query)); diff != "" {
			t.Errorf("%s (-triggers +migrations):\n%s", what, diff)
		}
	}
	b.Pool().Reset() // statements prepared before are of another schema
	if got := names(b.find(lookup.Sandbox, "pér lóp", lookup.Page{})); got != begins || got == "" {
		t.Errorf("found %q, and %q before", got, begins)
	}

	old()
	more(20)
	b.exec(`update lookups set status = 'incomplete', detail = 'invalid_nss' where id % 5 = 0`)
	b.exec(`delete from lookup_tags where lookup_id % 11 = 0`)
	b.must(db.Migrate(b.ctx, b.url))
	b.agree("after old triggers")
	if n := value[int](b, `select count(*) from lookup_tags g join lookups l on l.id = g.lookup_id
 where (g.facet, g.requested_by, g.owner_id, g.detail) is distinct from (l.facet, l.requested_by, l.owner_id, l.detail)`); n != 0 {
		t.Errorf("%d tags are not their lookups'", n)
	}
}
