package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// others are 200,000 rows of each table that a list is read from, beside lookups and deliveries. Triggers do without.
func (b *bench) others() {
	for _, table := range []string{"attempts", "audit_entries"} {
		b.exec(`alter table ` + table + ` disable trigger user`)
	}
	for _, insert := range []string{
		`insert into receipts (uid, environment, kind, zone, people, rows, bytes, sha256, made_by, made_name, made_at)
select gen_random_uuid(), 'sandbox', 'lookups', 'UTC', 1, 1, 1, sha256(g::text::bytea), 1 + g % 7, 'Ana', timestamptz '2026-03-01 12:00Z' + g * interval '1 minute' from generate_series(1, 200000) g`,
		`insert into receipt_people (block, receipt_id, members) select r.id / 100 % 200, r.id, decode(repeat('ff', 512), 'hex') from receipts r where r.id % 100 = 0`,
		`insert into replays (environment, requested_by, requested_at, state, total, finished_at)
select 'sandbox', 1, timestamptz '2026-03-01 12:00Z' + g * interval '1 minute', 'done', 10, now() from generate_series(1, 200000) g`,
		`insert into replay_items (replay_id, delivery_id, environment, result, done_at)
select g / 10000 + 1, g, 'sandbox', case when g % 10 = 0 then 'changed' else 'nothing' end, now() from generate_series(1, 200000) g`,
		`insert into bulks (environment, state, connection_id, platform, file_name, sha256, encoding, delimiter, columns, header, identifier_column, reference_column, uploaded_by, uploaded_at,
  judged_at, total, sent_by, sent_at, consent_given_at, consent_expires_at, notice_version, means, purpose, finished_at)
select 'sandbox', 'done', 1, 'imss', 'a.csv', sha256(g::text::bytea), 'UTF-8', ',', '{}', true, 0, 1, 1, timestamptz '2026-03-01 12:00Z' + g * interval '1 minute',
       now(), 10, 1, now(), now(), now() + interval '1 day', '1', 'web', 'credit', now() from generate_series(1, 200000) g`,
		`insert into bulk_rows (bulk_id, number, line, identifier, reference, verdict)
select g / 10000 + 1, g % 10000 + 1, g % 10000 + 2, '', 'REF-' || g, case when g % 100 = 0 then 'invalid' else 'cancelled' end from generate_series(1, 200000) g`,
		`insert into attempts (lookup_id, connection_id, number, source, status, account_id, requested_at, sent_at, settled_at, consent_id, settled_by, final_event_at)
select l.id, l.connection_id, 2, 'retry', 'success', 'account ' || l.id, l.requested_at, l.requested_at, l.requested_at, 1,
       case when l.id % 50 = 0 then 'asking' else 'webhook' end, case when l.id % 50 = 0 then null else l.requested_at end from lookups l`,
		`insert into audit_entries (id, at, actor, action, person_id, lookup_id, previous, hash)
select 1000000 + g, timestamptz '2026-03-01 12:00Z' + g * interval '1 minute', 'Ana', 'lookup.viewed', 1 + g % 2000, g, '', '' from generate_series(1, 200000) g`,
		`insert into employers (environment, name, folded) select 'sandbox', 'Empresa ' || g, 'empresa ' || g from generate_series(1, 2000) g`,
		`insert into lookup_employers (employer_id, lookup_id) select e.id, l.id from lookups l join employers e on e.folded = 'empresa ' || 1 + l.id % 2000`,
		`insert into river_job (args, kind, max_attempts, state, finalized_at, scheduled_at, created_at)
select '{}', 'fetch', 3, 'completed', now(), now(), now() from generate_series(1, 200000) g`,
	} {
		b.exec(insert)
	}
	for _, table := range []string{"attempts", "audit_entries"} {
		b.exec(`alter table ` + table + ` enable trigger user`)
	}
}

// mostRead is how many entries of indexes a list may read for a page: an index that is walked whole is no better than a table.
const mostRead = 10000

// Every list that grows with use reads its page, and no more, by an index: at 200,000 rows no table is read whole, nor an index.
// (The plans of the two filtered lists are those of TestListsUseAnIndex, and 200,000 people are searched by TestSearchesUseAnIndex.)
func otherLists(t *testing.T, b *bench) {
	b.Pool().Reset() // what its connections read is counted when they end, and not one day amid what follows
	// What has few rows here is read whole with good reason. That it too has an index shows where a table is dear beyond measure.
	for settings, tables := range map[string][]string{
		"": {"attempts", "audit_entries", "bulks", "bulk_rows", "deliveries", "employers", "lookup_employers", "lookup_tags", "lookups", "receipts", "receipt_people", "replays",
			"replay_items", "river_job"},
		"&enable_seqscan=off": {"case_notes", "consents", "events", "people", "pulls", "searches"},
	} {
		t.Run(settings, func(t *testing.T) { listsReadLittle(t, b, settings, tables) })
	}
}

func listsReadLittle(t *testing.T, b *bench, settings string, tables []string) {
	d, err := db.Open(b.ctx, b.url+settings, nil)
	b.must(err)
	t.Cleanup(d.Close)
	read := func() (scans, entries int) {
		_, err := d.Pool().Exec(b.ctx, `-- name: flush
select pg_stat_force_next_flush()`)
		b.must(err)
		b.must(d.Pool().QueryRow(b.ctx, `-- name: scans
select coalesce(sum(seq_scan), 0), (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes)
  from pg_stat_user_tables where relname = any($1)`, tables).Scan(&scans, &entries))
		return scans, entries
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
		"subscriptions heard of": func(lookup.Page) error {
			_, err := d.HooksHeard(b.ctx, lookup.Sandbox, now.AddDate(0, 0, -1), now)
			return err
		},
		"history of a person": func(p lookup.Page) error {
			_, _, _, err := d.PersonHistory(b.ctx, lookup.Sandbox, person, p)
			return err
		},
	}
	for what, text := range map[string]string{"name": "garcia lopez", "beginning": "mar", "CURP": "PELJ900101", "RFC": "XYZ900101AB1", "NSS": "00000000077", "employer": "empresa"} {
		for _, r := range find.Read(text) {
			asks["search of a "+what+" as "+string(r.Kind)] = func(p lookup.Page) error {
				// A page begins after a row that there is.
				for _, c := range []*lookup.Cursor{&p.After, &p.Before} {
					if *c != (lookup.Cursor{}) {
						c.ID = edges[r.Kind != find.Reference && r.Kind != find.Employer]
					}
				}
				f, err := d.Find(b.ctx, lookup.Sandbox, []find.Reading{r}, p, b.by)
				if err == nil && text == "empresa" && r.Kind == find.Employer && p.After == p.Before && (f.Hits() != p.Limit || !f.ManyEmployer) {
					err = fmt.Errorf("%d lookups found", f.Hits())
				}
				return err
			}
		}
	}
	lookups, deliveries := b.filters()
	inside := func(p lookup.Page) lookup.Page {
		for _, c := range []*lookup.Cursor{&p.After, &p.Before} {
			if *c != (lookup.Cursor{}) {
				*c = lookup.Cursor{At: time.Date(2026, 4, 20, 0, 0, 0, 0, time.UTC), ID: 70000}
			}
		}
		return p
	}
	for what, f := range lookups {
		asks["lookups, "+what] = func(p lookup.Page) error {
			_, _, _, err := d.Lookups(b.ctx, lookup.Sandbox, f, inside(p), time.UTC)
			return err
		}
	}
	for what, f := range deliveries {
		asks["deliveries, "+what] = func(p lookup.Page) error {
			_, _, _, err := d.Deliveries(b.ctx, lookup.Sandbox, f, inside(p), time.UTC)
			return err
		}
	}
	for what, ask := range asks {
		for depth, page := range map[string]lookup.Page{"first": {Limit: 50}, "after": {After: somewhere, Limit: 50}, "before": {Before: somewhere, Limit: 50}} {
			scans, entries := read()
			if err := ask(page); err != nil {
				t.Errorf("%s, %s: %v", what, depth, err)
			}
			scansAfter, entriesAfter := read()
			if n := scansAfter - scans; n != 0 {
				t.Errorf("%s, %s: %d scans of a whole table", what, depth, n)
			}
			if n := entriesAfter - entries; n > mostRead {
				t.Errorf("%s, %s: %d entries of indexes read", what, depth, n)
			}
		}
	}
}
