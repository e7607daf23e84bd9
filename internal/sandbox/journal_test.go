package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func reopen(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Open(Config{Dir: dir, Delay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// call asks a sandbox without a network.
func call(s *Server, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("x-api-key", s.creds.APIKey)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestStateIsPrivateAndStable(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	s := reopen(t, dir)
	creds := s.Credentials()
	if read, err := ReadCredentials(dir); err != nil || read != creds {
		t.Errorf("%v %+v", err, read)
	}
	for _, name := range []string{journalName, credentialsName, lockName} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, err, info)
		}
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("second owner: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if w := call(s, "POST", "/v1/users", "{}"); w.Code != 503 {
		t.Errorf("after Close: %d", w.Code)
	}
	if again := reopen(t, dir).Credentials(); again != creds {
		t.Errorf("%+v, was %+v", again, creds)
	}
	if _, err := ReadCredentials(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no sandbox: %v", err)
	}
}

// A crash in the middle of a write loses that commit and nothing else.
func TestTornLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, journalName)
	s := reopen(t, dir)
	call(s, "POST", "/v1/users/accounts", orderGata)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	call(s, "POST", "/v1/users/accounts", orderGata)
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, cut := range []int{len(before) + 1, (len(before) + len(after)) / 2, len(after) - 1} {
		if err := os.WriteFile(path, after[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := reopen(t, dir)
		if u, a, l := len(s.st.users.rows), len(s.st.accounts.rows), len(s.st.logins.rows); u != 1 || a != 1 || l != 1 {
			t.Errorf("cut at %d: %d users, %d accounts, %d logins", cut, u, a, l)
		}
		s.Close()
	}
	if err := os.WriteFile(path, append([]byte("not json\n"), after...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil {
		t.Error("a damaged journal was accepted")
	}
}

func TestThousandsOfAccounts(t *testing.T) {
	t.Parallel()
	const count = 3000
	dir := t.TempDir()
	s := reopen(t, dir)
	curps := derived(count)
	for i, curp := range curps {
		w := call(s, "POST", "/v1/users/accounts", fmt.Sprintf(`{"identifier":%q,"country":"mx","platform":"imss","external_id":"%d"}`, curp, i))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	path := filepath.Join(dir, journalName)
	grown, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if perAccount := grown.Size() / count; perAccount > 2500 {
		t.Errorf("%d bytes written an account", perAccount)
	}
	for id, u := range s.st.users.rows { // a removal must survive, too
		if *u.ExternalID == "7" {
			call(s, "DELETE", "/v1/users/"+id, "")
		}
	}
	s.Close()
	s = reopen(t, dir)
	if len(s.st.accounts.rows) != count-1 || len(s.plan.agenda) != count-1 || s.st.seq < 3*(count-1) {
		t.Errorf("%d accounts, %d appointments, number %d", len(s.st.accounts.rows), len(s.plan.agenda), s.st.seq)
	}
	compact, err := os.Stat(path)
	if err != nil || compact.Size() >= grown.Size() {
		t.Errorf("not compacted: %v", err)
	}
	w := call(s, "POST", "/v1/users/search", `{"external_id":"2999"}`)
	if !strings.Contains(w.Body.String(), `"total_items":1`) {
		t.Error(w.Body)
	}
}

// After a failed write nothing is promised any more.
func TestStateThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := reopen(t, t.TempDir())
	s.st.log.file.Close()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/v1/users/accounts", orderGata}, // the write that fails
		{"GET", "/v1/widgets", ""},                // and everything after it
		{"POST", "/_sandbox/settings", "{}"},
	} {
		if w := call(s, c.method, c.path, c.body); w.Code != 503 || !strings.Contains(w.Body.String(), "service_unavailable") {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	s.st.log.file = nil
}

// What a newer version wrote is left out, not fatal; damage is.
func TestForeignAndDamagedRows(t *testing.T) {
	t.Parallel()
	for line, ok := range map[string]bool{
		`[{"k":"planet","id":"x","v":{"a":1}}]`:     true,
		`[{"k":"user","id":"x","v":{"seq":"one"}}]`: false,
		`{"k":"user"}`: false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalName), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(Config{Dir: dir})
		if (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
		if err == nil {
			s.Close()
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, credentialsName), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil {
		t.Error("credentials without a key were accepted")
	}
}

func TestCredentialsStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	s := reopen(t, t.TempDir())
	var text strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("opened", "credentials", s.Credentials())
	if strings.Contains(text.String(), "private_") || !strings.Contains(text.String(), s.creds.Instance) {
		t.Error(text.String())
	}
}

// A sandbox that runs for months must not fill the disk with its past.
func TestJournalIsRewrittenWhileRunning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	s.st.log.limit = 10_000
	call(s, "POST", "/v1/users/accounts", orderGata)
	path := filepath.Join(dir, journalName)
	for i := range 500 {
		call(s, "POST", "/_sandbox/settings", fmt.Sprintf(`{"drop_webhooks":%d}`, i))
		if info, err := os.Stat(path); err != nil || info.Size() > 30_000 {
			t.Fatalf("after %d changes: %v %v", i, err, info)
		}
	}
	s.Close()
	s = reopen(t, dir)
	if n := s.st.switches.get("all").DropWebhooks; n != 499 || len(s.st.accounts.rows) != 1 {
		t.Errorf("after the rewrites: %d, %d accounts", n, len(s.st.accounts.rows))
	}
}

func TestFinishedDeliveriesAreBounded(t *testing.T) {
	t.Parallel()
	st := newStore(newJournal())
	for range keptDeliveries + 10 {
		d := &delivery{Seq: st.next()}
		d.ID = fmt.Sprint(d.Seq)
		st.deliveries.put(d.ID, d)
		st.finish(d, delivered)
	}
	if n := len(st.deliveries.rows); n != keptDeliveries || st.deliveries.get("10") != nil || st.deliveries.get("11") == nil {
		t.Errorf("%d kept", n)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if got, err := Probe(t.Context(), b.http.URL+"/"); err != nil || got != b.creds.Instance {
		t.Errorf("ours: %q %v", got, err)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	if _, err := Probe(t.Context(), other.URL); !errors.Is(err, ErrNotSandbox) {
		t.Errorf("another server: %v", err)
	}
	other.Close()
	if got, err := Probe(t.Context(), other.URL); err != nil || got != "" {
		t.Errorf("nobody: %q %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Probe(ctx, b.http.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
