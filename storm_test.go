package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
	"cotejo/internal/testdb"
)

// The storm: many lookups over both dialects, the sandbox as a process of its own, events duplicated, out of order, lost
// and wrongly signed, and the server killed in the middle of it, three times. `make storm` runs 2,000 lookups.
const (
	stormSize = "COTEJO_TEST_STORM"      // how many lookups
	stormSeed = "COTEJO_TEST_STORM_SEED" // of the sandbox's weather: the same seed spoils the same events
	stormRuns = 300
	kills     = 3
)

// weather is what the sandbox does to events, and how often.
var weather = map[string]float64{"duplicate": 0.10, "out_of_order": 0.10, "lost": 0.05, "wrong_signature": 0.05}

func TestStorm(t *testing.T) {
	t.Parallel()
	s := newStorm(t, numberFrom(stormSize, stormRuns))
	began := time.Now()
	s.blow()
	s.calm()
	took := time.Since(began)
	s.everyLookupEndsRight()
	s.everyAcknowledgedDeliveryIsKept()
	s.nothingIsAppliedTwice()
	s.nobodyIsAskedForTwice()
	s.report(took)
}

func numberFrom(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// wish is one lookup to be asked for, and how it has to end.
type wish struct {
	reference, person string
	dialect           lookup.Dialect
	want              string // status and detail
}

type storm struct {
	*site
	store  *db.DB
	box    box
	server atomic.Pointer[process]
	guest  *guest
	wishes []wish
	made   atomic.Int64 // lookups asked for so far
	posts  atomic.Int64 // forms that had to be sent, retries included
	began  time.Time
}

func newStorm(t *testing.T, size int) *storm {
	t.Helper()
	s := &storm{began: time.Now()}
	s.site = newSite(t, "DATABASE_URL="+testdb.URL(t), "COTEJO_SECRET_KEY="+strings.Repeat("0123456789abcdef", 4), "COTEJO_METRICS_LISTEN=off",
		"COTEJO_SANDBOX_RETRY_GAP=3s", "COTEJO_SANDBOX_DELAY=300ms", "COTEJO_SANDBOX_RATE=0")
	s.env = append(s.env, "COTEJO_SANDBOX=http://"+s.sandbox)
	s.launch("Sandbox at ", []string{"sandbox"})
	creds, err := sandbox.ReadCredentials(s.dir + "/sandbox")
	must(t, err)
	s.box = box{t, "http://" + s.sandbox, creds}
	share := ""
	for _, name := range slices.Sorted(maps.Keys(weather)) {
		share += fmt.Sprintf(`,%q:%v`, name, weather[name])
	}
	s.box.call(http.MethodPost, "settings", fmt.Sprintf(`{"storm":{"seed":%d,"share":{%s}}}`, numberFrom(stormSeed, 7), share[1:]), nil)
	s.server.Store(s.start())
	s.store = s.database(t.Context()).db
	unlimited(t, s.store)
	s.guest = s.site.guest().signIn()
	y := &yard{DB: s.store, guest: s.guest, box: s.box}
	y.demandSignatures(lookup.Palenca)

	for i := range size {
		// Two lookups of each person, one at either vendor.
		who, at := i/2, i%2
		w := wish{reference: fmt.Sprintf("storm-%05d", i), dialect: lookup.Dialects[at], person: invented(who), want: "success"}
		switch {
		case who < len(fates):
			w.person, w.want = fates[who].person, fates[who].want[at]
		case who%20 == 15: // somebody whose last digit was mistyped
			w.person, w.want = mistyped(w.person), [2]string{"incomplete curp_not_found_in_renapo", "success no_data"}[at]
		}
		s.wishes = append(s.wishes, w)
	}
	return s
}

// fates are people whose outcome the vendor documents (docs/sandbox.md#the-nine-people).
var fates = []struct {
	person string
	want   [2]string // at Palenca, at Buró
}{
	{alejandro, [2]string{"success", "success"}},
	{"ZUAL000827HMCXRSA8", [2]string{"success", "success"}},
	{"POTP910411HASBMP04", [2]string{"incomplete curp_has_inconsistencies", "success no_data"}},
	{"MEMC760502MMCJGR00", [2]string{"incomplete nss_not_found_in_imss", "success no_data"}},
	{"AUAT940412HCLQQM08", [2]string{"error service_degradation", "error verification_error_can_retry"}},
	{"DETJ910411HASLMR04", [2]string{"error service_degradation", "error verification_error_can_retry"}},
}

// invented is the CURP of the i-th of many people who do not exist.
func invented(i int) string {
	born := time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i*7%12_000)
	first := "GOSL" + born.Format("060102") + string("HM"[i%2]) + "DF" + "NRP" + string('0'+rune(i/12_000))
	digit, _ := curp.CheckDigit(first)
	return first + string(digit)
}

// mistyped has another last digit.
func mistyped(person string) string {
	last := person[len(person)-1]
	return person[:len(person)-1] + string('0'+(last-'0'+1)%10)
}

// launch starts a command and waits until it says it is there.
func (s *storm) launch(sign string, args []string) *process {
	s.t.Helper()
	said := &output{more: make(chan struct{}, 1)}
	p := &process{Cmd: s.command(args), t: s.t, said: said, done: make(chan struct{})}
	p.Stdout, p.Stderr = said, said
	must(s.t, p.Start())
	go func() { defer close(p.done); _ = p.Wait() }()
	s.t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	limit := time.After(90 * time.Second)
	for !strings.Contains(said.String(), sign) {
		select {
		case <-said.more:
		case <-p.done:
			s.t.Fatalf("%v ended:\n%s", args, said)
		case <-limit:
			s.t.Fatalf("%v is never there:\n%s", args, said)
		}
	}
	return p
}

// blow asks for everybody, several at once, and kills the server each time that another quarter has been asked for.
func (s *storm) blow() {
	s.t.Helper()
	todo := make(chan wish)
	var askers sync.WaitGroup
	for range 6 {
		askers.Go(func() {
			for w := range todo {
				s.ask(w)
				s.made.Add(1)
			}
		})
	}
	for i, w := range s.wishes {
		for k := range kills {
			if i == (k+1)*len(s.wishes)/(kills+1) {
				s.kill()
			}
		}
		todo <- w
	}
	close(todo)
	askers.Wait()
}

// kill ends the server without a word while it works, and starts another.
func (s *storm) kill() {
	s.t.Helper()
	p := s.server.Load()
	must(s.t, p.Process.Signal(syscall.SIGKILL))
	<-p.done
	// A minute passes, as far as the queue can tell: the dead one's term as its leader ends, and what it was at may be
	// taken up again (jobs.RescueAfter).
	_, err := s.store.Pool().Exec(s.t.Context(), `update river_leader set expires_at = now() - interval '1 second';
update river_job set attempted_at = attempted_at - interval '2 minutes' where state = 'running'`)
	must(s.t, err)
	s.server.Store(s.start())
	s.phase("killed and back")
}

// ask asks for a lookup until it is recorded. A form whose answer got lost may have been taken: a person would look at
// the list before sending it again, and so does this.
func (s *storm) ask(w wish) {
	form := url.Values{"curp": {w.person}, "platform": {map[lookup.Dialect]string{lookup.Palenca: "imss", lookup.Buro: string(lookup.AllSources)}[w.dialect]}, "external_id": {w.reference}, "consent": {"on"}, "confirm": {"check_digit"}}
	limit := time.After(2 * time.Minute)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		s.posts.Add(1)
		if s.post(form) || s.recorded(w) {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			s.t.Errorf("%s is never taken", w.reference)
			return
		case <-s.t.Context().Done():
			return
		}
	}
}

func (s *storm) post(form url.Values) (taken bool) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.guest.base+"/lookups", strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Error(err)
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.guest.http.Do(req)
	if err != nil {
		return false // the server is down
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusSeeOther && err == nil {
		s.t.Errorf("a lookup is answered %d\n%.500s", res.StatusCode, body)
	}
	return res.StatusCode == http.StatusSeeOther
}

func (s *storm) recorded(w wish) bool {
	var there bool
	err := s.store.Pool().QueryRow(s.t.Context(), `select exists (select from lookups where reference = $1)`, w.reference).Scan(&there)
	return err == nil && there
}

// calm waits until the sandbox has sent what it will send and the queue is empty, and then lets time pass until no lookup
// is open: events that were lost are made up for by asking the vendor.
func (s *storm) calm() {
	s.t.Helper()
	s.until("the sandbox has sent everything", func() bool {
		return !slices.ContainsFunc(s.box.deliveries(), func(d sent) bool { return d.State == "pending" })
	})
	s.phase("all sent")
	s.quiet()
	s.phase("quiet")
	for later := 10 * time.Minute; later < time.Hour; later += 10 * time.Minute {
		_, err := s.store.QueueOverdue(s.t.Context(), time.Now().Add(later))
		must(s.t, err)
		s.quiet()
		if one[int](s.t, s.store, `select count(*) from lookups where status in ('queued', 'pending')`) == 0 {
			return
		}
	}
}

// quiet waits until no job of a lookup is left.
func (s *storm) quiet() {
	s.t.Helper()
	s.until("the queue is empty", func() bool {
		return one[int](s.t, s.store, `select count(*) from river_job
 where queue in ('vendor', 'delivery') and state in ('available', 'pending', 'retryable', 'running', 'scheduled')`) == 0
	})
}

func (s *storm) phase(name string) {
	s.t.Logf("%s at %s", name, time.Since(s.began).Round(100*time.Millisecond))
}

func (s *storm) until(what string, is func() bool) {
	s.t.Helper()
	limit := time.After(5 * time.Minute)
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-limit:
			s.t.Fatalf("never: %s", what)
		}
	}
}

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
