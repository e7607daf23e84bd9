package sandbox

import (
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// After a failed write this dialect promises nothing either.
func TestBuroStateThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := reopen(t, t.TempDir())
	s.st.log.file.Close()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/webhooks", `{"endpoint_url":"https://a.example"}`}, // the write that fails
		{"GET", "/webhooks", ""}, // and everything after it
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("X-API-Key", s.creds.BuroKey)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != 503 || !strings.Contains(w.Body.String(), `"error":{"code":"internal_error"`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	s.st.log.file = nil
}

// What is deleted is not told any more.
func TestBuroDeletionsCallEventsOff(t *testing.T) {
	t.Parallel()
	c := newClock()
	b, r := open(t, Config{Now: c.now}), receive(t, func(int, post) int { return 500 })
	e := b.register(r.URL, "")
	first, second := b.verified(gata), b.verified(lale)
	b.await(2, "webhook attempt", "state=pending")
	b.ask("DELETE", "/verifications/"+first.ID, "")
	b.ask("DELETE", "/webhooks/"+e.ID, "")
	b.ahead(c, time.Hour)
	b.found(gata)
	for _, d := range b.deliveries() {
		if d.State != abandoned || len(d.Attempts) != 1 || d.AccountID != first.ID && d.AccountID != second.ID {
			t.Errorf("%+v", d)
		}
	}
	r2 := b.do("GET", "/_sandbox/deliveries?dialect=palenca", "")
	if !strings.Contains(r2.text, `"deliveries":[]`) {
		t.Error(r2.text)
	}
}

// Everybody without a part.
func TestBuroOutcomes(t *testing.T) {
	t.Parallel()
	young := "GATA200408HTLRLLA"
	young += string(curpDigit(young))
	for identifier, want := range map[string]buroOutcome{
		"GODE561231GR8":      {entities: []string{"profile", "invoices"}},
		"NAN1105241B4":       {entities: []string{"business_profile", "invoices"}},
		"MNT850612KR4":       noData, // its digit is wrong, in the vendor's own page
		"GATA000408HTLRLLA6": noData, // so is this one's
		young:                partial,
	} {
		if got := buroOutcomeOf(identifier, asOf); !slices.Equal(got.entities, want.entities) || got.canRetry {
			t.Errorf("%s: %v", identifier, got)
		}
	}
	seen := map[string]int{}
	for _, curp := range derived(400) {
		o := buroOutcomeOf(curp, asOf)
		seen[o.caseName()]++
		career := buroCareer(curp, asOf)
		if slices.Contains(o.entities, "employment") != (len(career) > 0) {
			t.Errorf("%s: %v with %d jobs", curp, o.entities, len(career))
		}
	}
	if seen["full"] < 300 || seen["partial"] == 0 {
		t.Errorf("%v", seen)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for body, want := range map[string]int{
		`{"mode":"half"}`: 200, `{"mode":"redirect"}`: 200, `{"mode":"redirect","status":302}`: 200, `{"mode":"redirect","status":500}`: 422,
		`{"mode":"rewrite","rewrite":"zoneless"}`: 200, `{"mode":"rewrite"}`: 422, `{"mode":"cut","dialect":"buro"}`: 200, `{"mode":"cut","dialect":"imss"}`: 422,
	} {
		if r := b.do("POST", "/_sandbox/settings", `{"fail_next":`+body+`}`); r.status != want {
			t.Errorf("%s: %d", body, r.status)
		}
	}
	for body, want := range map[string]int{`{"disable_after":-1}`: 422, `{"ugly":[{"case":"rude","dialect":"buro","times":1}]}`: 422,
		`{"ugly":[{"case":"lost","dialect":"buro","times":1}]}`: 200, `{"ugly":null}`: 200} {
		if r := b.do("POST", "/_sandbox/settings", body); r.status != want {
			t.Errorf("%s: %d", body, r.status)
		}
	}
}

func TestNoticesAreBounded(t *testing.T) {
	t.Parallel()
	s := reopen(t, "")
	for range keptNotices + 5 {
		s.notify("redirect_followed", "", "")
	}
	if n := len(s.st.notices.rows); n != keptNotices {
		t.Errorf("%d kept", n)
	}
}

// The page lists every case, every person and every switch.
func TestDocumentationIsComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, c := range uglyCases {
		words = append(words, "`"+c.name+"`")
	}
	for _, p := range everyone {
		words = append(words, p.CURP)
	}
	for _, f := range readObject(encode(switches{})) {
		words = append(words, "`"+f.name+"`")
	}
	for how := range rewritings {
		words = append(words, "`"+how+"`")
	}
	for _, w := range words {
		if !strings.Contains(string(text), w) {
			t.Errorf("docs/sandbox.md does not mention %s", w)
		}
	}
}
