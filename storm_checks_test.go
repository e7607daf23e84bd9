package main

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// What has to hold when the storm is over.

func (s *storm) everyLookupEndsRight() {
	s.t.Helper()
	rows, err := s.store.Pool().Query(s.t.Context(), `select l.reference, concat_ws(' ', l.status, nullif(l.detail, '')),
  l.profile_state || ' ' || l.employment_state, a.uid::text
  from lookups l join lateral (select uid from attempts where lookup_id = l.id order by number desc limit 1) a on true order by l.id`)
	must(s.t, err)
	cases := map[string]string{} // what Buró found, by attempt
	for _, e := range s.box.extractions() {
		cases[*e.ExternalID] = e.Case
	}
	got, want, data, found := map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}
	var reference, state, pulls, attempt string
	_, err = pgx.ForEachRow(rows, []any{&reference, &state, &pulls, &attempt}, func() error {
		if got[reference] != "" {
			return errors.New(reference + " was recorded twice")
		}
		got[reference], data[reference], found[reference] = state, pulls, cases[attempt]
		return nil
	})
	must(s.t, err)
	for _, w := range s.wishes {
		want[w.reference] = w.want
		ok := []string{"complete complete", "complete empty"}
		switch {
		case !strings.HasPrefix(w.want, "success"):
			ok = []string{"none none"}
		case found[w.reference] == "partial": // a profile was found, and nothing else
			ok = []string{"complete none"}
		case found[w.reference] == "no_data":
			ok = []string{"empty empty"}
		}
		if !slices.Contains(ok, data[w.reference]) {
			s.t.Errorf("%s (%s) ends as %q and its data are %q", w.reference, w.dialect, got[w.reference], data[w.reference])
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		s.t.Errorf("lookups (-want +got):\n%s", diff)
	}
}

// everyAcknowledgedDeliveryIsKept holds the sandbox's own record of what was answered 200 against the ledger. There may be
// more in it: what was stored when the server died before its answer.
func (s *storm) everyAcknowledgedDeliveryIsKept() {
	s.t.Helper()
	acknowledged, refused := map[string]int{}, 0
	for _, d := range s.box.deliveries() {
		for _, call := range d.Attempts {
			switch call.Status {
			case http.StatusOK:
				acknowledged[d.SHA256]++
			case http.StatusUnauthorized:
				refused++
			case 0, http.StatusServiceUnavailable:
			default:
				s.t.Errorf("%s was answered %d", d.Action, call.Status)
			}
		}
	}
	rows, err := s.store.Pool().Query(s.t.Context(), `select encode(body_sha256, 'hex'), count(*) from deliveries
 where answered = 200 and body_sha256 = sha256(body) group by 1`)
	must(s.t, err)
	kept := map[string]int{}
	var sum string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&sum, &n}, func() error { kept[sum] = n; return nil })
	must(s.t, err)
	for sum, n := range acknowledged {
		if kept[sum] < n {
			s.t.Errorf("a delivery was acknowledged %d times and is %d times in the ledger", n, kept[sum])
		}
	}
	for sum := range kept {
		if acknowledged[sum] == 0 && !s.wasSent(sum) {
			s.t.Errorf("the ledger has a delivery that nobody sent: %s", sum)
		}
	}
	// Beyond the hour's quota refusals are counted and not kept (docs/operations.md).
	if n := one[int](s.t, s.store, `select coalesce(sum(count), 0) from delivery_hours where verdict = 'refused'`); n < refused {
		s.t.Errorf("%d were refused, %d are counted", refused, n)
	}
	if n := one[int](s.t, s.store, `select count(*) from deliveries where processed_at is null`); n != 0 {
		s.t.Errorf("%d deliveries were never read", n)
	}
}

func (s *storm) wasSent(sum string) bool {
	return slices.ContainsFunc(s.box.deliveries(), func(d sent) bool { return d.SHA256 == sum })
}

func (s *storm) nothingIsAppliedTwice() {
	s.t.Helper()
	for what, sql := range map[string]string{
		"facts stored twice":            `select count(*) from (select from events group by attempt_id, key having count(*) > 1) x`,
		"statuses reached twice":        `select count(*) from (select from moments where kind = 'status' group by attempt_id, status having count(*) > 1) x`,
		"changes made twice":            `select count(*) from (select from changes group by delivery_id, what having count(*) > 1) x`,
		"answers fetched twice":         `select count(*) from (select from pulls where state <> 'failed' group by attempt_id, kind having count(*) > 1) x`,
		"fetches given up":              `select count(*) from pulls where state = 'failed'`,
		"second attempts by nobody":     `select count(*) from attempts where number > 1 and source <> 'automatic'`,
		"jobs that died":                `select count(*) from river_job where state in ('discarded', 'cancelled')`,
		"broken links in the trail":     `select count(*) from audit_broken_links()`,
		"deliveries without an attempt": `select count(*) from deliveries where verdict = 'unmatched'`,
	} {
		if n := one[int](s.t, s.store, sql); n != 0 {
			s.t.Errorf("%d %s", n, what)
		}
	}
}

// nobodyIsAskedForTwice holds the sandbox's accounts and verifications against our attempts: each exactly once.
func (s *storm) nobodyIsAskedForTwice() {
	s.t.Helper()
	rows, err := s.store.Pool().Query(s.t.Context(), `select uid::text from attempts`)
	must(s.t, err)
	ours, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(s.t, err)
	times := map[string]int{}
	for _, e := range s.box.extractions() {
		if e.ExternalID == nil {
			s.t.Errorf("the vendor was asked for somebody without an id of ours: %s", e.ID)
			continue
		}
		times[*e.ExternalID]++
	}
	for _, id := range ours {
		if times[id] != 1 {
			s.t.Errorf("the vendor was asked %d times for attempt %s", times[id], id)
		}
		delete(times, id)
	}
	if len(times) != 0 {
		s.t.Errorf("the vendor was asked for %d attempts that we do not know", len(times))
	}
}

// report prints the figures.
func (s *storm) report(took time.Duration) {
	ugly, calls := map[string]int{}, map[int]int{}
	for _, d := range s.box.deliveries() {
		ugly[cmp.Or(d.Ugly, "plain")]++
		for _, call := range d.Attempts {
			calls[call.Status]++
		}
	}
	for name := range weather {
		if ugly[name] == 0 {
			s.t.Errorf("the storm never brought %s", name)
		}
	}
	settled := one[string](s.t, s.store, `select string_agg(settled_by || ' ' || n, ', ' order by settled_by) from (select settled_by, count(*) n from attempts group by 1) x`)
	s.t.Logf("storm: %d lookups by %d forms in %s, server killed %d times", len(s.wishes), s.posts.Load(), took.Round(100*time.Millisecond), kills)
	s.t.Logf("storm: deliveries %v; answers %v (0: none)", ugly, calls)
	s.t.Logf("storm: settled by %s; ledger %s", settled, one[string](s.t, s.store, `select string_agg(verdict || ' ' || n, ', ' order by verdict) from (select verdict, count(*) n from deliveries group by 1) x`))
}
