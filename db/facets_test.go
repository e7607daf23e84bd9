package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

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

	agree := func(when string) {
		t.Helper()
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
				t.Errorf("%s (-rows +counters):\n%s", when, diff)
			}
		}
		for _, table := range []string{"lookup", "delivery"} {
			rows := map[string]string{"lookup": "lookups", "delivery": "deliveries"}[table]
			if n := value[int](b, `select count(*) from `+rows+` r where not exists (select 1 from `+table+`_facets k where k.facet = r.facet)`); n != 0 {
				t.Errorf("%s: %d %s are in no facet", when, n, rows)
			}
		}
	}
	agree("after events")
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
	agree("after more")
	b.exec(`delete from lookups where id > (select max(lookup_id) from attempts)`)
	agree("after less")
}
