package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// printed returns a body of the vendor's tutorial with the ids of this run, in
// the compact form in which it travels.
func printed(t *testing.T, name string, replace ...string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(replace...).Replace(compact.String())
}

func TestTutorialToTheByte(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{}), receive(t, nil)
	url := r.URL + "/aa693cf6?a=1&b=2"
	b.subscribe(url, "")
	got := b.do("POST", "/v1/users/accounts", `{"identifier":"`+gata+`","country":"mx","platform":"imss","widget_id":"`+b.creds.WidgetID+`"}`)
	var made createdJSON
	got.data(t, &made)
	ids := []string{
		"5666d5d1-a01a-4261-8dfe-0f9d41f8dfc0", made.UserID, "ee64a864-60a7-4a53-bbe6-e08d5d3f3f44", made.AccountID,
		"https://webhook.site/aa693cf6-4d5a-43e1-afca-1f00adeb3616", url,
	}
	if diff := cmp.Diff(printed(t, "tutorial_create.json", ids...), got.text); diff != "" || got.status != 200 {
		t.Errorf("create %d: %s", got.status, diff)
	}
	for _, name := range []string{"tutorial_login_created.json", "tutorial_login_success.json"} {
		p := r.next(t)
		if diff := cmp.Diff(printed(t, name, ids...), p.body); diff != "" || p.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", name, diff)
		}
		if p.header.Get(signatureHeader) != "" {
			t.Error("signed without being asked to")
		}
	}
}

func TestNinePeople(t *testing.T) {
	t.Parallel()
	for _, p := range people {
		t.Run(p.CURP, func(t *testing.T) {
			t.Parallel()
			b, r := open(t, Config{}), receive(t, nil)
			b.subscribe(r.URL, "")
			made := b.create(p.CURP)
			r.next(t)
			got := r.next(t).event.Data
			details := ""
			if got.StatusDetails != nil {
				details = *got.StatusDetails
			}
			if got.WebhookAction != "login."+p.Status || details != p.Details {
				t.Errorf("event %+v %s", got, details)
			}
			var a accountJSON
			b.do("GET", "/v1/accounts/"+made.AccountID, "").data(t, &a)
			if a.Status != p.Status || a.Identifier != p.CURP || (a.LastSuccess != nil) != (p.Status == "success") {
				t.Errorf("account %+v", a)
			}
			r2 := b.do("GET", "/v1/accounts/"+made.AccountID+"/employment", "")
			if p.Status != "success" {
				if r2.status != 404 {
					t.Errorf("employment of a failed login: %d", r2.status)
				}
				return
			}
			var e struct {
				Info    infoJSON         `json:"employment_info"`
				History []map[string]any `json:"employment_history"`
			}
			r2.data(t, &e)
			if (len(e.History) > 0) != p.full || (e.Info.HistoryStatus == "empty") != p.empty {
				t.Errorf("%d records, %s", len(e.History), e.Info.HistoryStatus)
			}
			if p.full && *e.Info.Status != "employed" {
				t.Errorf("status %s", *e.Info.Status)
			}
		})
	}
}

func TestOnly200And201Count(t *testing.T) {
	t.Parallel()
	answers := []int{202, 204, 302, 201}
	c := newClock()
	b := open(t, Config{Now: c.now, Delay: time.Hour})
	var elsewhere atomic.Int32
	r := receive(t, func(n int, _ post) int { return answers[n-1] })
	r.Config.Handler = redirecting(r.Config.Handler, r.URL+"/elsewhere", &elsewhere)
	b.subscribe(r.URL, "")
	b.create(gata)
	for i := range answers {
		r.next(t)
		b.await(1, "webhook attempt")
		if i < len(answers)-1 {
			b.ahead(c, 30*time.Second)
		}
	}
	d := b.deliveries()[0]
	var got []int
	for _, a := range d.Attempts {
		got = append(got, a.Status)
	}
	if !slices.Equal(got, answers) || d.State != delivered || elsewhere.Load() != 0 {
		t.Errorf("attempts %v, %s, %d redirects followed", got, d.State, elsewhere.Load())
	}
	for i := 1; i < len(d.Attempts); i++ {
		if gap := d.Attempts[i].At.Sub(d.Attempts[i-1].At); gap != 30*time.Second {
			t.Errorf("gap %v", gap)
		}
	}
}

func redirecting(next http.Handler, target string, followed *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed.Add(1)
		}
		w.Header().Set("Location", target)
		next.ServeHTTP(w, r)
	})
}

func TestThreeMoreCallsThenNoMore(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{Delay: time.Hour, RetryGap: time.Millisecond}), receive(t, func(int, post) int { return 500 })
	b.subscribe(r.URL, "")
	b.create(gata)
	b.await(1, "webhook attempt", "attempt=4", "state=failed")
	if d := b.deliveries()[0]; len(d.Attempts) != 4 || d.State != exhausted || !d.NextAt.IsZero() {
		t.Errorf("%+v", d)
	}
}

func TestReceiverThatHangsOrIsAbsent(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-free:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hang.Close)
	t.Cleanup(func() { close(free) })
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		url, want string
		timeout   time.Duration
	}{"hangs": {hang.URL, "timeout", 20 * time.Millisecond}, "absent": {gone.URL, "no connection", 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, Config{Delay: time.Hour, RetryGap: time.Millisecond, HookTimeout: c.timeout})
			b.subscribe(c.url, "")
			b.create(gata)
			b.await(1, "webhook attempt", "attempt=4")
			for _, a := range b.deliveries()[0].Attempts {
				if a.Status != 0 || a.Error != c.want {
					t.Errorf("%+v, want %s", a, c.want)
				}
			}
		})
	}
}

// The vendor sends each event on its own: a created that failed comes again
// after the success.
func TestFailedCreatedComesAfterSuccess(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, Delay: 10 * time.Second})
	r := receive(t, func(n int, _ post) int {
		if n == 1 {
			return 503
		}
		return 200
	})
	b.subscribe(r.URL, "")
	b.create(gata)
	var order []string
	for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 0} {
		order = append(order, r.next(t).event.Data.WebhookAction)
		b.await(1, "webhook attempt")
		b.ahead(c, wait)
	}
	if want := []string{"login.created", "login.success", "login.created"}; !slices.Equal(order, want) {
		t.Errorf("order %v", order)
	}
}

// With no delay at all the outcome still waits for the first attempt of created.
func TestOutcomeWaitsForTheFirstCreated(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	r := receive(t, nil)
	b.subscribe(r.URL, "")
	for range 50 {
		b.create(gata)
	}
	seen := map[string]bool{}
	for range 100 {
		e := r.next(t).event.Data
		if e.WebhookAction == "login.created" {
			seen[e.AccountID] = true
		} else if !seen[e.AccountID] {
			t.Errorf("%s overtook created", e.WebhookAction)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	r := receive(t, nil)
	var other widgetJSON
	b.do("POST", "/v1/widgets", `{"name":"other"}`).data(t, &other)
	all := b.subscribe(r.URL+"/all", "")
	final := b.subscribe(r.URL+"/final", `,"events":["login.success","login.error"]`)
	b.subscribe(r.URL+"/nothing", `,"events":[]`)
	b.subscribe(r.URL+"/off", `,"events":["*"]`)
	b.do("POST", "/v1/webhooks", `{"url":"`+r.URL+`/live","name":"n","is_sandbox":false,"widget_id":"`+b.creds.WidgetID+`"}`)
	b.do("POST", "/v1/webhooks", `{"url":"`+r.URL+`/other","name":"n","is_sandbox":true,"widget_id":"`+other.ID+`"}`)
	var list struct{ Webhooks []webhookJSON }
	b.do("GET", "/v1/webhooks", "").data(t, &list)
	b.do("PUT", "/v1/webhooks/"+list.Webhooks[3].WebhookID, `{"is_active":false,"events":["*"]}`)
	b.create(gata)
	b.await(3, "webhook attempt", "state=delivered")
	got := map[string][]string{}
	for _, d := range b.deliveries() {
		got[d.WebhookID] = append(got[d.WebhookID], d.Action)
	}
	want := map[string][]string{all.WebhookID: {"login.created", "login.success"}, final.WebhookID: {"login.success"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{Delay: time.Hour}), receive(t, nil)
	h := b.subscribe(r.URL, `,"sign_request":true`)
	if h.PrivateKey == nil {
		t.Fatal("no private_key")
	}
	b.create(gata)
	p := r.next(t)
	if got := p.header.Get(signatureHeader); got != sign(*h.PrivateKey, []byte(p.body)) {
		t.Errorf("signature %q", got)
	}
	b.set(`{"bad_signatures":1}`)
	b.create(gata)
	p = r.next(t)
	if got := p.header.Get(signatureHeader); got == "" || got == sign(*h.PrivateKey, []byte(p.body)) {
		t.Errorf("signature %q should be wrong", got)
	}
	// An own vector, so that the recipe cannot change unnoticed.
	if got := sign("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", []byte(`{"a":1}`)); got != "tM694wmCRD7DbBj6ma0Qpw5wW7p3n1fDfoTey2SuUPs=" {
		t.Errorf("vector: %s", got)
	}
}

func TestRestartContinues(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	cfg := Config{Dir: dir, Now: c.now, Delay: time.Minute}
	var accept atomic.Bool
	r := receive(t, func(int, post) int {
		if accept.Load() {
			return 200
		}
		return 500
	})
	b := open(t, cfg)
	b.subscribe(r.URL, "")
	made := b.create("MEMC760502MMCJGR00")
	r.next(t)
	b.await(1, "webhook attempt", "attempt=1", "state=pending")
	before := b.deliveries()[0]
	b.stop()

	accept.Store(true)
	c.forward(2 * time.Minute) // both the retry and the end of the extraction fell into the pause
	b = open(t, cfg)
	got := []string{r.next(t).event.Data.WebhookAction, r.next(t).event.Data.WebhookAction}
	slices.Sort(got)
	if want := []string{"login.created", "login.incomplete"}; !slices.Equal(got, want) {
		t.Errorf("after the restart: %v", got)
	}
	b.await(2, "webhook attempt", "state=delivered")
	d := b.deliveries()[0]
	if d.ID != before.ID || d.Body != before.Body || len(d.Attempts) != 2 {
		t.Errorf("before %+v, after %+v", before, d)
	}
	var a accountJSON
	b.do("GET", "/v1/accounts/"+made.AccountID, "").data(t, &a)
	if a.Status != "incomplete" || *a.StatusDetails != "nss_not_found_in_imss" {
		t.Errorf("%+v", a)
	}
}

// An attempt that our own end interrupts is no attempt, and the end is prompt.
func TestStopDuringAnAttempt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	entered := make(chan struct{}, 1)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 4096))
		entered <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close)
	b := open(t, Config{Dir: dir, Delay: time.Hour})
	b.subscribe(hang.URL, "")
	b.create(gata)
	<-entered
	b.pause()
	b.resumeRun()
	<-entered // the same process sends it again …
	b.stop()
	s, err := Open(Config{Dir: dir}) // … and so would the next one
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.st.deliveries.rows) != 1 {
		t.Errorf("%d deliveries", len(s.st.deliveries.rows))
	}
	for _, d := range s.st.deliveries.rows {
		if len(d.Attempts) != 0 || d.State != sending {
			t.Errorf("%+v", d)
		}
	}
}

func TestDeletedWebhookAndUserGetNothingMore(t *testing.T) {
	t.Parallel()
	c := newClock()
	b, r := open(t, Config{Now: c.now, Delay: time.Minute}), receive(t, func(int, post) int { return 500 })
	h := b.subscribe(r.URL, "")
	off := b.subscribe(r.URL+"/off", `,"events":["login.created"]`)
	made := b.create(gata)
	b.create("AUAT940412HCLQQM08")
	b.await(4, "webhook attempt")
	b.do("PUT", "/v1/webhooks/"+off.WebhookID, `{"is_active":false,"events":["*"]}`)
	b.do("DELETE", "/v1/users/"+made.UserID, "")
	if got := b.do("GET", "/v1/accounts/"+made.AccountID, "").status; got != 404 {
		t.Errorf("account of a deleted user: %d", got)
	}
	b.do("DELETE", "/v1/webhooks/"+h.WebhookID, "")
	b.ahead(c, time.Hour)
	b.await(1, "login ended") // the other user's; it has nobody to tell
	for _, d := range b.deliveries() {
		if d.State != abandoned || len(d.Attempts) != 1 {
			t.Errorf("%+v", d)
		}
	}
}
