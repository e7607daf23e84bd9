package db_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/export"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

// many is a database of 200,000 lookups of 2,000 people and as many deliveries of some thirty facets each, and of as many
// rows of whatever else is listed. Three analysts asked, a quarter of the lookups is somebody's case, half of them have a tag.
func many(t *testing.T) *bench {
	b := newBench(t)
	// Its indexes are built afterwards, as a large seed does it. Foreign keys do without.
	for _, drop := range value[[]string](b, `select array_agg(format('alter table %s drop constraint %I', conrelid::regclass, conname)) from pg_constraint where contype = 'f'`) {
		b.exec(drop)
	}
	var restore []string
	for _, d := range value[[]string](b, `select array_agg(indexdef) from pg_indexes i where schemaname = 'public' and indexdef not like 'CREATE UNIQUE%'
  and tablename in ('lookups', 'deliveries', 'receipts', 'replays', 'replay_items', 'bulks', 'bulk_rows', 'attempts', 'audit_entries', 'lookup_employers', 'lookup_tags', 'river_job')
  and not exists (select 1 from pg_constraint c where c.conindid = format('%I', i.indexname)::regclass)`) {
		restore = append(restore, d)
		b.exec(`drop index ` + strings.Fields(d)[2])
	}
	b.seed(1, 1)
	second, third := b.user("second@example.mx", auth.Analyst), b.user("third@example.mx", auth.Analyst)
	b.exec(`insert into people (environment, curp, name) select 'sandbox', 'GALM' || lpad(g::text, 6, '0') || 'HDFRPN09', 'García López ' || g from generate_series(1, 2000) g`)
	b.exec(`insert into lookups (environment, person_id, reference, connection_id, consent_id, platform, source, requested_by, requested_at, status, detail, employment_state, owner_id)
select l.environment, l.person_id + g % 2000, 'REF-' || g, l.connection_id, l.consent_id, case when g % 5 = 0 then 'issste' else 'imss' end, case when g % 3 = 0 then 'bulk' else 'form' end,
       (array[l.requested_by, $1, $2])[1 + g % 3], timestamptz '2026-03-01 12:00:00Z' + g * interval '1 minute', case when g % 13 = 0 then 'error' when g % 400 = 1 then 'pending' else 'success' end,
       case when g % 13 = 0 then 'code ' || g % 4 else '' end, case when g % 13 = 0 or g % 400 = 1 then 'none' else 'complete' end,
       case when g % 4 = 0 then (array[l.requested_by, $1])[1 + g % 2] end
  from lookups l, generate_series(1, 200000) g`, second.ID, third.ID)
	b.exec(`insert into tags (environment, name, folded) values ('sandbox', 'half', 'half'), ('sandbox', 'few', 'few')`)
	b.exec(`insert into lookup_tags (lookup_id, tag_id, requested_at)
select l.id, t.id, l.requested_at from lookups l, tags t where t.name = 'half' and l.id % 2 = 0 or t.name = 'few' and l.id % 1000 = 0`)
	b.deliver()
	b.exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, cause, answered, action, account_id, processed_at)
select environment, subscription_id, connection_id, timestamptz '2026-03-01 12:00:00Z' + g * interval '1 minute', method, '[]', '', 0, decode(lpad(to_hex(g), 64, '0'), 'hex'),
       case when g % 50 = 0 then 'refused' else 'ignored' end, case when g % 50 = 0 then 'method' else 'unreadable' end, case when g % 50 = 0 then 405 else 200 end,
       case when g % 50 > 0 then 'login.' || g % 4 else '' end, 'account ' || g, case when g % 400 > 1 then received_at end
  from deliveries, generate_series(1, 200000) g`)
	b.others()
	for _, d := range restore {
		b.exec(d)
	}
	b.exec(`analyze`)
	return b
}

var (
	wholeTable = regexp.MustCompile(`Seq Scan on (lookups|lookup_tags|deliveries)\b`)
	sorted     = regexp.MustCompile(`Sort  \(cost=\S+ rows=(\d+)`)
)

// filters are those that the two lists are asked for, each beside what has no row.
func (b *bench) filters() (lookups map[string]lookup.Filter, deliveries map[string]webhook.Filter) {
	tag := func(name string) uuid.UUID { return value[uuid.UUID](b, `select uid from tags where name = $1`, name) }
	half, few, third := tag("half"), tag("few"), value[uuid.UUID](b, `select uid from users where email = 'third@example.mx'`)
	lookups = map[string]lookup.Filter{"all": {}, "actor": {Actor: lookup.ActorAnalyst}, "status": {Status: lookup.Pending},
		"analyst": {Analyst: b.analyst.UID}, "platform": {Platform: lookup.IMSS}, "days": {From: day(2026, 3, 2), To: day(2026, 3, 4)},
		"records": {Records: lookup.PullPartial}, "dialect": {Dialect: lookup.Buro}, "source": {Source: lookup.SourceBulk}, "again": {Source: lookup.SourceRetry},
		"owner": {Owner: b.analyst.UID}, "tag": {Tag: half}, "overdue": {Overdue: true}, "detail": {Detail: "code 1"},
		"no tag": {Tag: uuid.New()}, "few tagged": {Tag: few},
		"tag and status": {Tag: half, Status: lookup.Error}, "tag, owner and analyst": {Tag: half, Owner: b.analyst.UID, Analyst: b.analyst.UID},
		"tag and analyst": {Tag: half, Analyst: b.analyst.UID}, "tag and owner": {Tag: half, Owner: b.analyst.UID}, "tag and another": {Tag: half, Analyst: uuid.New()},
		"tag and no owner of it": {Tag: half, Owner: third}, "owner and another": {Owner: b.analyst.UID, Analyst: uuid.New()}, "no owner": {Owner: third},
		"owner and analyst": {Owner: b.analyst.UID, Analyst: b.analyst.UID},
		// Both common, together nowhere: the newest rows of either would be looked through in vain.
		"never together": {Status: lookup.Success, Records: lookup.PullNone}, "another's": {Status: lookup.Success, Analyst: uuid.New()},
		"never on a day": {Status: lookup.Success, Records: lookup.PullNone, From: day(2026, 3, 2)}}
	deliveries = map[string]webhook.Filter{"all": {}, "verdict": {Verdict: webhook.Refused}, "account": {Account: "account 77"},
		"dialect": {Dialect: lookup.Palenca}, "other dialect": {Dialect: lookup.Buro}, "hook": {Hook: b.hook.UID}, "cause": {Cause: webhook.CauseLate},
		"action": {Action: "login.error"}, "lookup": {Lookup: uuid.New()}, "waiting": {State: webhook.StateWaiting}, "failing": {State: webhook.StateFailing},
		"processed": {State: webhook.StateProcessed}, "answered": {Answered: 401}, "taken": {Answered: 200}, "days": {From: day(2026, 3, 2), To: day(2026, 3, 4)},
		"text": {Text: "x", From: day(2026, 3, 2), To: day(2026, 3, 4)}, "text and verdict": {Text: "x", Verdict: webhook.Refused, From: day(2026, 3, 2), To: day(2026, 3, 4)},
		"several":        {Verdict: webhook.Refused, Cause: webhook.CauseUnreadable, Action: "login.success", Hook: b.hook.UID, From: day(2026, 3, 2)},
		"never together": {Verdict: webhook.Ignored, Answered: 405}}
	return lookups, deliveries
}

// mostSorted is how many rows a plan may expect a list to sort: those of a page, of each facet that fits, of which it takes
// each of the few rows looked at first to be another one.
const mostSorted = 30 * 4 * 51

// Lists stay quick however much there is: each page comes from an index, whatever is filtered and however the plan was made.
func TestListsUseAnIndex(t *testing.T) {
	t.Parallel()
	b := many(t)
	t.Run("other lists", func(t *testing.T) { otherLists(t, b) })
	somewhere := lookup.Cursor{At: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), ID: 3000}
	pages := map[string]lookup.Page{"first": {Limit: 50}, "after": {After: somewhere, Limit: 50}, "before": {Before: somewhere, Limit: 50}}
	// What is not built from parts, and plans made for any argument, are found in the statistics: nothing here may scan a
	// large table.
	generic, err := db.Open(b.ctx, b.url+"&plan_cache_mode=force_generic_plan", nil)
	b.must(err)
	defer generic.Close()
	kept, err := generic.Pool().Acquire(b.ctx)
	b.must(err)
	defer kept.Release()
	check := func(what string, rows pgx.Rows, err error) {
		t.Helper()
		b.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		b.must(err)
		plan := strings.Join(lines, "\n")
		if wholeTable.MatchString(plan) {
			t.Errorf("%s reads a whole table:\n%s", what, plan)
		}
		for _, s := range sorted.FindAllStringSubmatch(plan, -1) {
			if n, err := strconv.Atoi(s[1]); err != nil || n > mostSorted {
				t.Errorf("%s sorts %s rows:\n%s", what, s[1], plan)
			}
		}
	}
	// A list is planned for the values asked for, or for any: one that goes by facets keeps the latter plan.
	explain := func(what, text string, args []any) {
		t.Helper()
		rows, err := b.Pool().Query(b.ctx, "explain "+text, args...)
		check(what, rows, err)
		places := make([]string, len(args))
		for i := range args {
			places[i] = "$" + strconv.Itoa(i+1)
		}
		_, err = kept.Exec(b.ctx, "prepare list as "+text)
		b.must(err)
		rows, err = kept.Query(b.ctx, "explain execute list ("+strings.Join(places, ", ")+")", append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
		check(what+" by any arguments", rows, err)
		_, err = kept.Exec(b.ctx, "deallocate list")
		b.must(err)
	}
	lookups, deliveries := b.filters()
	for name, page := range pages {
		for what, f := range lookups {
			text, args := db.LookupsPage(lookup.Sandbox, f, page)
			explain("lookups "+what+" "+name, text, args)
		}
		for what, f := range deliveries {
			text, args := db.DeliveriesPage(lookup.Sandbox, f, page)
			explain("deliveries "+what+" "+name, text, args)
		}
	}

	shown, _, _, err := b.Lookups(b.ctx, lookup.Sandbox, lookup.Filter{}, lookup.Page{Limit: 50}, time.UTC)
	b.must(err)
	rare := webhook.ReplaySet{Filter: webhook.Filter{Verdict: webhook.Ignored, Answered: 405}}
	for mode, d := range map[string]*db.DB{"": b.DB, " by any arguments": generic} {
		scans := func() int {
			var n int
			_, err := d.Pool().Exec(b.ctx, `-- name: flush
select pg_stat_force_next_flush()`)
			b.must(err)
			b.must(d.Pool().QueryRow(b.ctx, `-- name: scans
select coalesce(sum(seq_scan), 0) from pg_stat_user_tables where relname in ('lookups', 'lookup_tags', 'deliveries')`).Scan(&n))
			return n
		}
		asks := map[string]func() error{
			"counts": func() error { _, err := d.ActorCounts(b.ctx, lookup.Sandbox, 100); return err },
			"failures": func() error {
				_, _, err := d.Failures(b.ctx, lookup.Sandbox, day(2026, 3, 1).Add(6*time.Hour))
				return err
			},
			"rows":        func() error { _, err := d.LookupRows(b.ctx, lookup.Sandbox, []uuid.UUID{uuid.New()}); return err },
			"row":         func() error { _, err := d.LookupRow(b.ctx, 5); return err },
			"last":        func() error { _, err := d.LastDelivery(b.ctx, lookup.Sandbox); return err },
			"of a lookup": func() error { _, err := d.DeliveriesOf(b.ctx, 5); return err },
			"told of":     func() error { _, err := d.DeliveryChanges(b.ctx, []int64{5, 6, 7}); return err },
			"rows shown":  func() error { _, err := d.DeliveryRows(b.ctx, lookup.Sandbox, []uuid.UUID{uuid.New()}); return err },
			"verifiable": func() error {
				_, err := d.Verifiable(b.ctx, b.hook.UID, lookup.Cursor{At: time.Now().Add(-time.Hour)}, 200)
				return err
			},
			"came to fit": func() error {
				_, err := d.ListedAbove(b.ctx, lookup.Sandbox, lookup.Filter{Status: lookup.Success, Records: lookup.PullNone}, shown[49].UID, 149, time.UTC)
				return err
			},
			"quiet":      func() error { _, err := d.Quiet(b.ctx, lookup.Sandbox, time.Minute); return err },
			"connection": func() error { _, err := d.Connection(b.ctx, lookup.Sandbox, lookup.Palenca); return err },
			"visit":      func() error { _, err := d.Visit(b.ctx, b.analyst.ID, 100); return err },
			"latest":     func() error { _, err := d.LatestOf(b.ctx, lookup.Production, []string{alejandro, eduardo}); return err },
			"refused": func() error {
				_, err := d.RefusedSince(b.ctx, lookup.Sandbox, time.Now().Add(-time.Hour), 100)
				return err
			},
			"tidy": func() error { return d.Tidy(b.ctx) },
			// Sets that are read whole, of filters that few rows fit.
			"count of a replay": func() error {
				_, _, _, err := d.CountReplay(b.ctx, lookup.Sandbox, rare, time.UTC, 10)
				return err
			},
			"preview of a replay": func() error {
				_, _, err := d.PreviewReplay(b.ctx, lookup.Sandbox, rare, time.UTC, 0, 20, read)
				return err
			},
			"export": func() error {
				chosen := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: lookup.Filter{Status: lookup.Success, Records: lookup.PullNone}, Zone: "UTC"}
				_, _, err := d.MakeExport(b.ctx, asking(chosen), export.Write, b.by)
				return err
			},
		}
		if mode == "" {
			asks["receive"] = func() error { _, _, err := b.Receive(b.ctx, b.receipt("x")); return err }
		}
		for what, f := range lookups {
			asks["lookups "+what] = func() error {
				_, _, _, err := d.Lookups(b.ctx, lookup.Sandbox, f, lookup.Page{Limit: 50}, time.UTC)
				return err
			}
		}
		for what, f := range deliveries {
			asks["deliveries "+what] = func() error {
				_, _, _, err := d.Deliveries(b.ctx, lookup.Sandbox, f, lookup.Page{After: somewhere, Limit: 50}, time.UTC)
				return err
			}
		}
		for name, ask := range asks {
			before := scans() // one after the other, all of these use one connection of the pool, so nothing is counted late
			b.must(ask())
			if n := scans() - before; n != 0 {
				t.Errorf("%s%s: %d scans of a whole table", name, mode, n)
			}
		}
	}
}

// A page that goes by facets has its plan kept from the first time, and nothing else of the connection has.
func TestPlansAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(10, 1)
	d, err := db.Open(b.ctx, b.url+"&pool_max_conns=1", nil)
	b.must(err)
	t.Cleanup(d.Close)
	for range 3 {
		_, _, _, err := d.Lookups(b.ctx, lookup.Sandbox, lookup.Filter{Status: lookup.Success}, lookup.Page{Limit: 5}, time.UTC)
		b.must(err)
	}
	var generic, custom int64
	var mode string
	b.must(d.Pool().QueryRow(b.ctx, `-- name: plans made
select generic_plans, custom_plans, current_setting('plan_cache_mode') from pg_prepared_statements where statement like '-- name: page of lookups%'`).Scan(&generic, &custom, &mode))
	if generic != 3 || custom != 0 || mode != "auto" {
		t.Errorf("%d kept plans, %d made anew, and then %s", generic, custom, mode)
	}
}
