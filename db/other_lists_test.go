package db_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// Every list that grows with use has an index that reaches its rows: where reading a whole table is dear beyond measure,
// nothing reads one. (That the two filtered lists choose theirs at 200,000 rows is TestListsUseAnIndex.)
func TestOtherListsHaveAnIndex(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(3, 20)
	b.Pool().Reset() // what its connections read is counted when they end, and not one day amid what follows
	d, err := db.Open(b.ctx, b.url+"&enable_seqscan=off", nil)
	b.must(err)
	t.Cleanup(d.Close)
	scans := func() (n int) {
		_, err := d.Pool().Exec(b.ctx, `-- name: flush
select pg_stat_force_next_flush()`)
		b.must(err)
		b.must(d.Pool().QueryRow(b.ctx, `-- name: scans
select coalesce(sum(seq_scan), 0) from pg_stat_user_tables where relname in ('attempts', 'audit_entries', 'bulks', 'bulk_rows', 'case_notes', 'consents', 'deliveries',
  'employers', 'events', 'lookup_employers', 'lookups', 'people', 'pulls', 'receipts', 'replays', 'replay_items', 'searches')`).Scan(&n))
		return n
	}
	var person uuid.UUID
	var aPerson, aLookup int64
	b.must(d.Pool().QueryRow(b.ctx, `-- name: edges
select p.uid, p.id, l.id from people p, lookups l limit 1`).Scan(&person, &aPerson, &aLookup))
	edges := map[bool]int64{true: aPerson, false: aLookup}
	long, now := time.Now().AddDate(-5, 0, 0), time.Now()
	somewhere := lookup.Cursor{At: now.AddDate(0, -1, 0), ID: 1000}
	asks := map[string]func(lookup.Page) error{
		"receipts": func(p lookup.Page) error { _, _, _, err := d.Receipts(b.ctx, lookup.Sandbox, 0, p); return err },
		"own receipts": func(p lookup.Page) error {
			_, _, _, err := d.Receipts(b.ctx, lookup.Sandbox, b.analyst.ID, p)
			return err
		},
		"replays":  func(p lookup.Page) error { _, _, _, err := d.Replays(b.ctx, lookup.Sandbox, p); return err },
		"replayed": func(p lookup.Page) error { _, _, _, err := d.Replayed(b.ctx, 1, "", p); return err },
		"replayed to one result": func(p lookup.Page) error {
			_, _, _, err := d.Replayed(b.ctx, 1, webhook.ResultChanged, p)
			return err
		},
		"bulks":             func(p lookup.Page) error { _, _, _, err := d.Bulks(b.ctx, lookup.Sandbox, p); return err },
		"rows of a bulk":    func(p lookup.Page) error { _, _, _, err := d.BulkItems(b.ctx, 1, "", p); return err },
		"rows of a verdict": func(p lookup.Page) error { _, _, _, err := d.BulkItems(b.ctx, 1, bulk.Invalid, p); return err },
		"missing notices": func(p lookup.Page) error {
			_, _, _, err := d.Unheard(b.ctx, lookup.Sandbox, db.UnheardFilter{}, long, now, p)
			return err
		},
		"history of a person": func(p lookup.Page) error {
			_, _, _, err := d.PersonHistory(b.ctx, lookup.Sandbox, person, p)
			return err
		},
	}
	for what, text := range map[string]string{"name": "garcia lopez", "beginning": "mar", "CURP": "PELJ900101", "RFC": "XYZ900101AB1", "NSS": "00000000077"} {
		for _, r := range find.Read(text) {
			asks["search of a "+what+" as "+string(r.Kind)] = func(p lookup.Page) error {
				// A page begins after a row that there is.
				for _, c := range []*lookup.Cursor{&p.After, &p.Before} {
					if *c != (lookup.Cursor{}) {
						c.ID = edges[r.Kind != find.Reference && r.Kind != find.Employer]
					}
				}
				_, err := d.Find(b.ctx, lookup.Sandbox, []find.Reading{r}, p, b.by)
				return err
			}
		}
	}
	for what, ask := range asks {
		for depth, page := range map[string]lookup.Page{"first": {Limit: 50}, "after": {After: somewhere, Limit: 50}, "before": {Before: somewhere, Limit: 50}} {
			before := scans()
			if err := ask(page); err != nil {
				t.Errorf("%s, %s: %v", what, depth, err)
			}
			if n := scans() - before; n != 0 {
				t.Errorf("%s, %s: %d scans of a whole table", what, depth, n)
			}
		}
	}
}
