package main

import (
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
	form := url.Values{"curp": {w.person}, "platform": {string(platformAt[w.dialect])}, "external_id": {w.reference}, "consent": {"on"}, "confirm": {"check_digit"}}
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
