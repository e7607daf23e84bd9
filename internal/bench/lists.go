package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"cotejo/db"
	"cotejo/internal/lookup"
)

// lists measures pages at two sizes of the database, in turn, so that a busy moment touches both alike. A list that reads
// its page by key takes as long at both.
func (r *run) lists(ctx context.Context) error {
	address, err := url.Parse(r.url)
	if err != nil {
		return err
	}
	address.Path = "/cotejo_small"
	small := site{url: address.String()}
	var there bool
	if err := r.db.Pool().QueryRow(ctx, "-- name: bench small database there\nselect exists (select from pg_database where datname = 'cotejo_small')").Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := r.db.Pool().Exec(ctx, "-- name: bench small database\ncreate database cotejo_small"); err != nil {
			return err
		}
	}
	if err := r.open(ctx, &small); err != nil {
		return err
	}
	defer small.db.Close()
	if err := r.fill(ctx, small.db, r.small); err != nil {
		return err
	}
	if err := r.fill(ctx, r.db, r.large); err != nil {
		return err
	}
	var readers [2]reader
	for i, at := range []site{small, r.site} {
		if err := inService(ctx, at.db); err != nil {
			return err
		}
		console, err := r.console(ctx, at.url, 0)
		if err != nil {
			return err
		}
		defer console.stop()
		if readers[i], err = newReader(ctx, console, at.db); err != nil {
			return err
		}
	}
	warm := max(2, r.pages/10)
	for n := range warm + r.pages {
		for page := range readers[0].pages {
			for i := range readers {
				if err := readers[i].read(ctx, page, n >= warm); err != nil {
					return err
				}
			}
		}
	}
	for _, at := range readers {
		at.console.stop() // the sweep has the processor to itself
	}
	for i, page := range readers[0].pages {
		r.out.Pages = append(r.out.Pages, PageTime{What: page.what, Small: page.took, Large: readers[1].pages[i].took})
	}
	if err := r.sweep(ctx, small, r.site); err != nil {
		return err
	}
	return r.slower(ctx, [2]site{small, r.site})
}

// slower asks for the pages of what took package db over twice its time with few rows: the answer is the page, not the statement.
func (r *run) slower(ctx context.Context, at [2]site) error {
	var consoles [2]*process
	for i := range at {
		console, err := r.console(ctx, at[i].url, 0)
		if err != nil {
			return err
		}
		defer console.stop()
		if err := console.signIn(ctx); err != nil {
			return err
		}
		consoles[i] = console
	}
	for n := range r.out.Sweeps {
		s := &r.out.Sweeps[n]
		for q, what := range s.Questions {
			if s.ratio(q) <= slower || s.paths[0][q] == "" {
				continue
			}
			readers := [2]reader{}
			for i := range readers {
				readers[i] = reader{consoles[i], []page{{what: what, path: s.paths[i][q], mark: "<main"}}}
			}
			for round := range r.asks + 3 {
				for i := range readers {
					if err := readers[i].read(ctx, 0, round > 0); err != nil {
						return err
					}
				}
			}
			s.Slower = append(s.Slower, PageTime{What: what, Small: readers[0].pages[0].took, Large: readers[1].pages[0].took})
		}
	}
	return nil
}

// inService makes a database what two years of service would have left beside its rows: in the queue the jobs that a day of them
// brought, since those that are done are kept so long, in place of what earlier runs left; and subscriptions as old as the data.
func inService(ctx context.Context, store *db.DB) error {
	for _, statement := range []string{"-- name: bench subscriptions\nupdate subscriptions set created_at = least(created_at, now() - interval '3 years')",
		"-- name: bench empty queue\ndelete from river_job", `-- name: bench queue
insert into river_job (state, attempt, max_attempts, attempted_at, attempted_by, finalized_at, scheduled_at, created_at, kind, queue, args)
select 'completed', 1, 25, now(), '{bench}', now(), now(), now(), 'process_delivery', 'delivery', jsonb_build_object('delivery_id', d.id)
  from (select id from deliveries where environment = 'sandbox' order by received_at desc, id desc
         limit (select reltuples::bigint / 730 from pg_class where oid = 'deliveries'::regclass)) d`, "-- name: bench settle queue\nvacuum (analyze) river_job"} {
		if _, err := store.Pool().Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// reader asks one console for its pages, over HTTP and signed in.
type reader struct {
	console *process
	pages   []page
}

type page struct {
	what, path string
	mark       string // that rows are on it
	took       samples
}

func newReader(ctx context.Context, console *process, store *db.DB) (reader, error) {
	if err := console.signIn(ctx); err != nil {
		return reader{}, err
	}
	lookups, err := deep(ctx, store, `-- name: bench deep lookup
select requested_at, id from lookups where requested_at < $1 order by requested_at desc, id desc limit 1`)
	if err != nil {
		return reader{}, err
	}
	deliveries, err := deep(ctx, store, `-- name: bench deep delivery
select received_at, id from deliveries where received_at < $1 order by received_at desc, id desc limit 1`)
	if err != nil {
		return reader{}, err
	}
	var found struct{ lookup, person, delivery string }
	if err := store.Pool().QueryRow(ctx, `-- name: bench a case
select l.uid::text, p.uid::text, d.uid::text from deliveries d join lookups l on l.id = d.lookup_id join people p on p.id = l.person_id
 where l.status = 'success' order by d.received_at desc, d.id desc limit 1`).Scan(&found.lookup, &found.person, &found.delivery); err != nil {
		return reader{}, err
	}
	return reader{console, []page{
		{what: "Overview", path: "/", mark: "/lookups/"},
		{what: "Lookups, first page", path: "/lookups", mark: "/lookups/"},
		{what: "Lookups an analyst has to act on", path: "/lookups?actor=analyst", mark: "/lookups/"},
		{what: "Lookups by status", path: "/lookups?status=incomplete", mark: "/lookups/"},
		{what: "Lookups, 22 months back", path: "/lookups?after=" + lookups, mark: "/lookups/"},
		{what: "Lookups by status, records and platform", path: "/lookups?status=success&records=failed&platform=issste", mark: "<main"},
		{what: "Deliveries, first page", path: "/deliveries", mark: "/deliveries/"},
		{what: "Deliveries by verdict", path: "/deliveries?verdict=duplicate", mark: "/deliveries/"},
		{what: "Deliveries, 22 months back", path: "/deliveries?after=" + deliveries, mark: "/deliveries/"},
		{what: "Deliveries by verdict and event", path: "/deliveries?verdict=ignored&action=login.created", mark: "<main"},
		{what: "Missing notices", path: "/missing", mark: "<main"},
		{what: "Health of sources", path: "/sources", mark: "<main"},
		{what: "Jobs", path: "/jobs", mark: "<main"},
		{what: "A case", path: "/lookups/" + found.lookup, mark: "<main"},
		{what: "A person", path: "/people/" + found.person, mark: "<main"},
		{what: "A delivery", path: "/deliveries/" + found.delivery, mark: "<main"},
		{what: "What an export of the whole list takes", path: "/exports/new?of=lookups", mark: "<main"},
	}}, nil
}

func (r *reader) read(ctx context.Context, i int, counts bool) error {
	page := &r.pages[i]
	began := time.Now()
	status, body, err := r.console.get(ctx, page.path)
	took := millis(time.Since(began))
	if err != nil {
		return err
	}
	if status != http.StatusOK || !bytes.Contains(body, []byte(page.mark)) {
		return fmt.Errorf("%s answered %d without rows", page.what, status)
	}
	if counts {
		page.took = append(page.took, took)
	}
	return nil
}

// deep gives the cursor of a page far back, in the form in which the pages' own links carry it.
func deep(ctx context.Context, store *db.DB, query string) (string, error) {
	var at time.Time
	var id int64
	if err := store.Pool().QueryRow(ctx, query, time.Now().AddDate(0, -22, 0)).Scan(&at, &id); err != nil {
		return "", err
	}
	return key(lookup.Cursor{At: at, ID: id}), nil
}

// key is a cursor as addresses carry it.
func key(c lookup.Cursor) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.At.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(c.ID)))
}
