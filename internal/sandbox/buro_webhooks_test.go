package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// verifies computes the signature again, with code of its own: the vendor's
// words are HMAC-SHA256 over the raw body under the base64url-decoded secret.
func verifies(t *testing.T, secret string, p post) bool {
	t.Helper()
	key, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(key) != 32 {
		t.Fatalf("secret %q: %v", secret, err)
	}
	m := hmac.New(sha256.New, key)
	_, _ = io.WriteString(m, p.body)
	return p.header.Get("X-Signature") == base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestBuroWebhookLife(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	made := b.register("https://a.example/hook", `,"authentication":{"type":"jwt","secret":"hidden"}`)
	if made.SecretKey == "" || !made.IsActive || made.CompanyID != b.creds.CompanyID {
		t.Errorf("%+v", made)
	}
	path := "/webhooks/" + made.ID
	c.forward(time.Second)
	want := `{"id":"` + made.ID + `","company_id":"` + made.CompanyID + `","description":"new","endpoint_url":"https://b.example/hook","is_active":true,` +
		`"authentication":{"type":"custom_headers"},"created_at":"2026-11-20T12:00:00Z","updated_at":"2026-11-20T12:00:01Z"}`
	r := b.ask("PATCH", path, `{"description":"new","endpoint_url":"https://b.example/hook","authentication":{"type":"custom_headers","headers":{"X-Api-Key":"hidden"}}}`)
	if diff := cmp.Diff(want, r.text); diff != "" || r.status != 200 {
		t.Errorf("patch %d: %s", r.status, diff)
	}
	for path, want := range map[string]string{path: want, "/webhooks": "[" + want + "]"} {
		if r := b.ask("GET", path, ""); r.text != want {
			t.Errorf("%s: %s", path, r.text)
		}
	}
	if r := b.ask("PATCH", path, `{"endpoint_url":"nowhere"}`); r.status != 400 {
		t.Errorf("bad patch: %d", r.status)
	}
	if r := b.ask("DELETE", path, ""); r.status != 204 || r.text != "" {
		t.Errorf("delete: %d %s", r.status, r.text)
	}
	if r := b.ask("GET", "/webhooks", ""); r.text != "[]" {
		t.Error(r.text)
	}
}

func TestBuroSignature(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{}), receive(t, nil)
	e := b.register(r.URL, "")
	b.verified(gata)
	p := r.next(t)
	if !verifies(t, e.SecretKey, p) {
		t.Errorf("signature %s", p.header.Get("X-Signature"))
	}
	b.set(`{"bad_signatures":1}`) // the old switch works here, too
	b.verified(gata)
	if p := r.next(t); verifies(t, e.SecretKey, p) || p.header.Get("X-Signature") == "" {
		t.Error("should be wrong")
	}
}

func TestBuroJWT(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{}), receive(t, nil)
	e := b.register(r.URL, `,"authentication":{"type":"jwt","secret":"your-jwt-secret","expiration_seconds":120}`)
	key := func(*jwt.Token) (any, error) { return []byte("your-jwt-secret"), nil }
	parse := func(p post) error {
		text, ok := strings.CutPrefix(p.header.Get("Authorization"), "Bearer ")
		if !ok {
			t.Fatalf("%v", p.header)
		}
		_, err := jwt.Parse(text, key, jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
		return err
	}
	b.verified(gata)
	p := r.next(t)
	if err := parse(p); err != nil || !verifies(t, e.SecretKey, p) {
		t.Errorf("a good token: %v", err)
	}
	claims := jwt.RegisteredClaims{}
	_, _, _ = jwt.NewParser().ParseUnverified(strings.TrimPrefix(p.header.Get("Authorization"), "Bearer "), &claims)
	if life := claims.ExpiresAt.Sub(claims.IssuedAt.Time); life != 2*time.Minute {
		t.Errorf("life %v", life)
	}
	for name, want := range map[string]string{"expired_jwt": "token is expired", "alg_none_jwt": "signing method none is invalid"} {
		b.order(`{"case":"` + name + `","dialect":"buro"}`)
		b.verified(gata)
		p := r.next(t)
		if err := parse(p); err == nil || !strings.Contains(err.Error(), want) || !verifies(t, e.SecretKey, p) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.verified(gata)
	if err := parse(r.next(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestBuroCustomHeaders(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{}), receive(t, nil)
	e := b.register(r.URL, `,"authentication":{"type":"custom_headers","headers":{"X-Api-Key":"k","Authorization":"Basic dTpw","X-Signature":"overwritten"}}`)
	b.verified(gata)
	p := r.next(t)
	if p.header.Get("X-Api-Key") != "k" || p.header.Get("Authorization") != "Basic dTpw" || !verifies(t, e.SecretKey, p) {
		t.Errorf("%v", p.header)
	}
}

func TestBuroTokenEndpoint(t *testing.T) {
	t.Parallel()
	type asked struct{ method, kind, body, header string }
	calls := make(chan asked, 10)
	var broken atomic.Bool
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- asked{r.Method, r.Header.Get("Content-Type"), string(body), r.Header.Get("X-Extra")}
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"T-1","data":{"jwt":"T-2"},"expires_in":3600}`)
	}))
	t.Cleanup(auth.Close)
	b, r := open(t, Config{RetryGap: time.Millisecond}), receive(t, nil)
	const body = `{"client_id":"a b","grant_type":"client_credentials"}`
	e := b.register(r.URL, `,"authentication":{"type":"token_endpoint","url":"`+auth.URL+`","method":"POST","request_headers":{"X-Extra":"1"},"request_body":`+body+`,"response_key":"access_token"}`)
	for _, c := range []struct {
		patch, token string
		want         asked
	}{
		{`{}`, "T-1", asked{"POST", "application/json", body, "1"}},
		{`{"authentication":{"type":"token_endpoint","url":"` + auth.URL + `","method":"put","request_headers":{"Content-Type":"application/x-www-form-urlencoded"},"request_body":` + body + `,"response_key":"data.jwt"}}`,
			"T-2", asked{"PUT", "application/x-www-form-urlencoded", "client_id=a+b&grant_type=client_credentials", ""}},
	} {
		b.ask("PATCH", "/webhooks/"+e.ID, c.patch)
		b.verified(gata)
		p := r.next(t)
		if got := p.header.Get("Authorization"); got != "Bearer "+c.token || !verifies(t, e.SecretKey, p) {
			t.Errorf("authorization %q", got)
		}
		if got := <-calls; got != c.want {
			t.Errorf("asked %+v, want %+v", got, c.want)
		}
	}
	broken.Store(true)
	b.verified(gata)
	b.await(1, "webhook attempt", "attempt=4", "state=failed")
	d := b.deliveries()
	if last := d[len(d)-1].Attempts; last[0].Error != "token endpoint" || last[0].Status != 0 || len(r.calls) != 0 {
		t.Errorf("%+v", last)
	}
}

func TestBuroRetriesThenDisables(t *testing.T) {
	t.Parallel()
	c := newClock()
	var mended atomic.Bool
	b := open(t, Config{Now: c.now})
	r := receive(t, func(int, post) int {
		if mended.Load() {
			return 201
		}
		return 202
	})
	b.set(`{"disable_after":2}`)
	e := b.register(r.URL, "")
	for range 2 {
		b.verified(gata)
		for n := range maxAttempts {
			r.next(t)
			b.await(1, "webhook attempt")
			if n < maxAttempts-1 {
				b.ahead(c, 30*time.Second)
			}
		}
	}
	for _, d := range b.deliveries() {
		for i := 1; i < len(d.Attempts); i++ {
			if gap := d.Attempts[i].At.Sub(d.Attempts[i-1].At); gap != 30*time.Second || d.Attempts[i].Status != 202 {
				t.Errorf("gap %v, status %d", gap, d.Attempts[i].Status)
			}
		}
	}
	var shown endpointJSON
	b.ask("GET", "/webhooks/"+e.ID, "").into(t, 200, &shown)
	if shown.IsActive {
		t.Error("still active")
	}
	var notices struct {
		Notices []struct {
			Kind, Dialect, Message string
			Hook                   string `json:"webhook_id"`
		}
	}
	b.do("GET", "/_sandbox/notices", "").into(t, 200, &notices)
	if len(notices.Notices) != 1 || notices.Notices[0].Kind != "webhook_disabled" || notices.Notices[0].Hook != e.ID || !strings.HasPrefix(notices.Notices[0].Message, "El sandbox desactivó") {
		t.Errorf("%+v", notices)
	}
	b.found(gata) // nobody to tell
	mended.Store(true)
	b.ask("PATCH", "/webhooks/"+e.ID, `{"is_active":true}`).into(t, 200, &shown)
	v := b.verified(gata)
	if got := r.next(t).told(t); !shown.IsActive || got["verification_id"] != v.ID {
		t.Errorf("%v", got)
	}
	b.await(1, "webhook attempt", "state=delivered")
	if n := len(b.deliveries()); n != 3 {
		t.Errorf("%d deliveries", n)
	}
}

// One good event between failures starts the count anew; zero never disables.
func TestBuroDisableCountsInARow(t *testing.T) {
	t.Parallel()
	var fine atomic.Bool
	b := open(t, Config{RetryGap: time.Millisecond})
	r := receive(t, func(int, post) int {
		if fine.Load() {
			return 200
		}
		return 500
	})
	b.set(`{"disable_after":3}`)
	e := b.register(r.URL, "")
	for _, good := range []bool{false, false, true, false, false, true} {
		fine.Store(good)
		b.verified(gata)
		state := "state=failed"
		if good {
			state = "state=delivered"
		}
		b.await(1, "webhook attempt", state)
	}
	if r := b.ask("GET", "/webhooks/"+e.ID, ""); !strings.Contains(r.text, `"is_active":true`) {
		t.Error(r.text)
	}
}

func TestBuroHistoricalOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	b, plain, both := open(t, Config{}), receive(t, nil), receive(t, nil)
	b.register(plain.URL, "")
	b.register(both.URL, `,"events":["verification.completed","verification.historical"]`)
	b.verified(gata)
	both.next(t)
	b.await(2, "webhook attempt", "state=delivered")
	b.verified(gata)
	b.await(3, "webhook attempt", "state=delivered")
	got := []any{both.next(t).told(t)["event"], both.next(t).told(t)["event"]}
	if !slices.Contains(got, any("verification.historical")) || !slices.Contains(got, any("verification.completed")) || len(plain.calls) != 2 {
		t.Errorf("%v, %d to the other", got, len(plain.calls))
	}
}

func TestBuroRestartContinues(t *testing.T) {
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
	e := b.register(r.URL, "")
	b.order(`{"case":"duplicate","dialect":"buro","times":2}`)
	first := b.verified(gata)
	b.ahead(c, time.Minute)
	r.next(t)
	r.next(t)
	b.await(2, "webhook attempt", "state=pending")
	second := b.verified(lale)
	b.stop()

	accept.Store(true)
	c.forward(2 * time.Minute)
	b = open(t, cfg)
	got := map[any]int{}
	for range 4 { // both doubles of both
		p := r.next(t)
		if !verifies(t, e.SecretKey, p) {
			t.Error("the secret did not survive")
		}
		got[p.told(t)["verification_id"]]++
	}
	if diff := cmp.Diff(map[any]int{first.ID: 2, second.ID: 2}, got); diff != "" {
		t.Error(diff)
	}
	if r := b.ask("POST", "/verifications", `{"identifier":"`+gata+`"}`); r.status != 202 {
		t.Errorf("the consent did not survive: %s", r.text)
	}
	if r := b.ask("GET", "/profile/"+lale, ""); r.status != 200 {
		t.Errorf("the finding did not survive: %d", r.status)
	}
}

// A directory from before this dialect keeps its key and gets the new one.
func TestOldCredentialsAreUpgraded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, credentialsName)
	old := `{"api_key":"private_a","public_key":"public_b","widget_id":"0b6d6b4e-5d0c-4a3c-9d1f-2f6f0a3f7c11","company_id":"c","instance":"i","file_key":"f"}`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, dir)
	got := s.Credentials()
	if got.APIKey != "private_a" || got.FileKey != "f" || !strings.HasPrefix(got.BuroKey, "buro_sandbox_") {
		t.Errorf("%+v", got)
	}
	s.Close()
	if again := reopen(t, dir).Credentials(); again != got {
		t.Errorf("%+v, was %+v", again, got)
	}
	text, err := os.ReadFile(path)
	var onDisk Credentials
	if err != nil || json.Unmarshal(text, &onDisk) != nil || onDisk != got {
		t.Errorf("%v %s", err, text)
	}
}
