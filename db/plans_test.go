package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

// Lists stay quick however much there is: none may read the whole of a large table.
func TestListsUseAnIndex(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(20_000, 1)
	b.deliver()
	b.exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, cause, answered, action, account_id, processed_at)
select environment, subscription_id, connection_id, received_at - g * interval '1 minute', method, headers, body, body_size, sha256(g::text::bytea),
       case when g % 50 = 0 then 'refused' else 'ignored' end, 'unreadable', case when g % 50 = 0 then 401 else 200 end, 'login.success', 'account ' || g, case when g % 400 > 0 then received_at end
  from deliveries, generate_series(1, 20000) g`)
	b.exec(`analyze`)
	somewhere := lookup.Cursor{At: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), ID: 3000}
	pages := map[string]lookup.Page{"first": {Limit: 50}, "after": {After: somewhere, Limit: 50}, "before": {Before: somewhere, Limit: 50}}

	b.exec(`insert into receipts (uid, environment, kind, zone, people, rows, bytes, sha256, made_by, made_name, made_at)
select gen_random_uuid(), 'sandbox', 'lookups', 'UTC', 1, 1, 1, sha256(g::text::bytea), $1, 'Ana', timestamptz '2026-03-01 12:00Z' + g * interval '1 minute' from generate_series(1, 20000) g`, b.analyst.ID)
	b.exec(`analyze receipts`)

	explain := func(what, text string, args []any) {
		t.Helper()
		rows, err := b.Pool().Query(b.ctx, "explain "+text, args...)
		b.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		b.must(err)
		plan := strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan on lookups") || strings.Contains(plan, "Seq Scan on deliveries") || strings.Contains(plan, "Seq Scan on receipts") || strings.Contains(plan, "Sort Key: r.made_at") || strings.Contains(plan, "Sort Key: l.requested_at") ||
			strings.Contains(plan, "Sort Key: d.received_at") && !strings.Contains(plan, "Presorted Key") && !strings.HasPrefix(what, "deliveries lookup") {
			t.Errorf("%s:\n%s", what, plan)
		}
	}
	for name, page := range pages {
		for what, f := range map[string]lookup.Filter{"all": {}, "actor": {Actor: lookup.ActorAnalyst}, "status": {Status: lookup.Pending},
			"analyst": {Analyst: b.analyst.UID}, "platform": {Platform: lookup.IMSS}, "days": {From: day(2026, 3, 2), To: day(2026, 3, 4)}} {
			text, args, _ := db.LookupsPage(lookup.Sandbox, f, page, time.UTC)
			explain("lookups "+what+" "+name, text, args)
		}
		for what, user := range map[string]int64{"everybody's": 0, "own": b.analyst.ID} {
			text, args, _ := db.ReceiptsPage(lookup.Sandbox, user, page)
			explain("receipts "+what+" "+name, text, args)
		}
		for what, f := range map[string]webhook.Filter{"all": {}, "verdict": {Verdict: webhook.Refused}, "account": {Account: "account 77"},
			"dialect": {Dialect: lookup.Palenca}, "other dialect": {Dialect: lookup.Buro}, "hook": {Hook: b.hook.UID}, "cause": {Cause: webhook.CauseLate},
			"action": {Action: "login.error"}, "lookup": {Lookup: uuid.New()}, "waiting": {State: webhook.StateWaiting}, "failing": {State: webhook.StateFailing},
			"processed": {State: webhook.StateProcessed}, "answered": {Answered: 401}, "taken": {Answered: 200}, "days": {From: day(2026, 3, 2), To: day(2026, 3, 4)},
			"text": {Text: "x", From: day(2026, 3, 2), To: day(2026, 3, 4)}, "several": {Verdict: webhook.Refused, Cause: webhook.CauseUnreadable, Action: "login.success", Hook: b.hook.UID, From: day(2026, 3, 2)},
		} {
			text, args, _ := db.DeliveriesPage(lookup.Sandbox, f, page, time.UTC)
			explain("deliveries "+what+" "+name, text, args)
		}
	}

	// What is not built from parts is found in the statistics: no statement here may scan a large table.
	scans := func() int {
		b.exec(`select pg_stat_force_next_flush()`)
		return value[int](b, `select coalesce(sum(seq_scan), 0) from pg_stat_user_tables where relname in ('lookups', 'deliveries')`)
	}
	for name, ask := range map[string]func() error{
		"counts":      func() error { _, err := b.ActorCounts(b.ctx, lookup.Sandbox, 100); return err },
		"failures":    func() error { _, err := b.Failures(b.ctx, lookup.Sandbox, day(2026, 3, 1)); return err },
		"rows":        func() error { _, err := b.LookupRows(b.ctx, lookup.Sandbox, []uuid.UUID{uuid.New()}); return err },
		"row":         func() error { _, err := b.LookupRow(b.ctx, 5); return err },
		"last":        func() error { _, err := b.LastDelivery(b.ctx, lookup.Sandbox); return err },
		"of a lookup": func() error { _, err := b.DeliveriesOf(b.ctx, 5); return err },
		"told of":     func() error { _, err := b.DeliveryChanges(b.ctx, []int64{5, 6, 7}); return err },
		"rows shown":  func() error { _, err := b.DeliveryRows(b.ctx, lookup.Sandbox, []uuid.UUID{uuid.New()}); return err },
		"verifiable": func() error {
			_, err := b.Verifiable(b.ctx, b.hook.UID, lookup.Cursor{At: time.Now().Add(-time.Hour)}, 200)
			return err
		},
		"connection": func() error { _, err := b.Connection(b.ctx, lookup.Sandbox, lookup.Palenca); return err },
		"receive":    func() error { _, _, err := b.Receive(b.ctx, b.receipt("x")); return err },
		"visit":      func() error { _, err := b.Visit(b.ctx, b.analyst.ID, 100); return err },
		"latest":     func() error { _, err := b.LatestOf(b.ctx, lookup.Production, []string{alejandro, eduardo}); return err },
		"refused": func() error {
			_, err := b.RefusedSince(b.ctx, lookup.Sandbox, time.Now().Add(-time.Hour), 100)
			return err
		},
		"tidy": func() error { return b.Tidy(b.ctx) },
		"export counted": func() error {
			_, err := b.CountExport(b.ctx, receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Records, Lookups: lookup.Filter{Status: lookup.Error}, Zone: "UTC"})
			return err
		},
	} {
		before := scans() // one after the other, all of these use one connection of the pool, so nothing is counted late
		b.must(ask())
		if n := scans() - before; n != 0 {
			t.Errorf("%s: %d scans of a whole table", name, n)
		}
	}
}
