package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/web"
)

func TestCookieGivesNothingAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testCookie) // whose clock stands still, for Expires
}

func testCookie(t *testing.T) {
	for secure, want := range map[bool]string{
		false: "cotejo=V; Path=/; Expires=Sat, 01 Jan 2000 12:00:00 GMT; Max-Age=43200; HttpOnly; SameSite=Lax",
		true:  "__Host-cotejo=V; Path=/; Expires=Sat, 01 Jan 2000 12:00:00 GMT; Max-Age=43200; HttpOnly; Secure; SameSite=Lax",
	} {
		m := newRecords()
		b, ss := newBrowser(m, web.SessionConfig{Secure: secure})
		r := get("/in", "User-Agent", strings.Repeat("ü", 200))
		r.RemoteAddr = "192.0.2.1:5"
		lines := b.do(r).Header().Values("Set-Cookie")
		if len(lines) != 1 {
			t.Fatalf("cookies: %q", lines)
		}
		value := b.cookies[ss.CookieName()]
		if got := strings.Replace(lines[0], value, "V", 1); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		id, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil || len(id) != 32 {
			t.Fatalf("cookie value %q", value)
		}
		rec := m.only(t)
		if sum := sha256.Sum256(id); !bytes.Equal(rec.Hash, sum[:]) {
			t.Error("the record is not keyed by the cookie's hash")
		}
		if all, _ := json.Marshal(rec); strings.Contains(string(all), value) {
			t.Error("the record holds the cookie")
		}
		if rec.UserID != 7 || rec.IP != "192.0.2.1" || len(rec.UserAgent) > 255 || !strings.HasPrefix(rec.UserAgent, "üü") {
			t.Errorf("record %+v", rec)
		}
	}
}

func TestStrangersCostNoRow(t *testing.T) {
	t.Parallel()
	m := newRecords()
	b, _ := newBrowser(m, web.SessionConfig{})
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("!", 43), strings.Repeat("A", 4000)} {
		b.cookies = map[string]string{"cotejo": cookie}
		if got := b.user(t); got != "0" {
			t.Errorf("cookie %.10q is user %s", cookie, got)
		}
	}
	if len(m.writes) != 0 {
		t.Errorf("writes %v", m.writes)
	}
}

func TestSignInRotates(t *testing.T) {
	t.Parallel()
	m := newRecords()
	b, _ := newBrowser(m, web.SessionConfig{})
	b.do(get("/note?next=/lookups"))
	before := b.cookies["cotejo"]
	b.do(get("/in"))
	after := b.cookies["cotejo"]
	if before == "" || after == before {
		t.Fatalf("cookie %q then %q", before, after)
	}
	if got := b.user(t); got != "7" {
		t.Errorf("user %s", got)
	}
	var kept web.Session
	if err := json.Unmarshal(m.only(t).Data, &kept); err != nil || kept.Next != "/lookups" || kept.SignedInAt.IsZero() {
		t.Errorf("kept %+v, %v", kept, err)
	}
	b.cookies["cotejo"] = before
	if got := b.user(t); got != "0" {
		t.Errorf("the old cookie is still user %s", got)
	}
}

// A cookie planted before sign-in must not become a signed-in session.
func TestPlantedCookieIsNotAdopted(t *testing.T) {
	t.Parallel()
	m := newRecords()
	b, _ := newBrowser(m, web.SessionConfig{})
	planted := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for _, path := range []string{"/note?next=/x", "/in"} {
		b.cookies["cotejo"] = planted
		b.do(get(path))
		if b.cookies["cotejo"] == planted {
			t.Errorf("%s took the client's id over", path)
		}
	}
}

func TestSignOutForgets(t *testing.T) {
	t.Parallel()
	m := newRecords()
	b, _ := newBrowser(m, web.SessionConfig{})
	b.do(get("/in"))
	old := b.cookies["cotejo"]
	rec := b.do(get("/out"))
	if got := rec.Header().Get("Set-Cookie"); got != "cotejo=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax" {
		t.Errorf("cookie %q", got)
	}
	if len(m.rows) != 0 || b.cookies["cotejo"] != "" {
		t.Errorf("rows %v, cookies %v", m.rows, b.cookies)
	}
	b.cookies["cotejo"] = old
	if got := b.user(t); got != "0" {
		t.Errorf("user %s after sign-out", got)
	}
}

func TestFlashesAreShownOnce(t *testing.T) {
	t.Parallel()
	m := newRecords()
	b, _ := newBrowser(m, web.SessionConfig{})
	b.do(get("/in"))
	want := `[{"kind":"info","id":"before"},{"kind":"success","id":"welcome","args":[3,"x",true]}]` + "\n"
	if diff := cmp.Diff(want, b.do(get("/flashes")).Body.String()); diff != "" {
		t.Error(diff)
	}
	n := len(m.writes)
	if got := b.do(get("/flashes")).Body.String(); got != "null\n" || len(m.writes) != n {
		t.Errorf("second time %q, writes %v", got, m.writes[n:])
	}
}

func TestFlashArgsKeepTheirTypes(t *testing.T) {
	t.Parallel()
	in := web.Flash{Kind: "info", ID: "x", Args: []any{int64(3), "tres", true, 9007199254740993}}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out web.Flash
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	want := web.Flash{Kind: "info", ID: "x", Args: []any{int64(3), "tres", true, int64(9007199254740993)}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	if err := json.Unmarshal([]byte(`{"args":3}`), &out); err == nil {
		t.Error("args that are no list were read")
	}
}

func TestFlashesAreBounded(t *testing.T) {
	t.Parallel()
	m := newRecords()
	ss := web.NewSessions(m, web.SessionConfig{Name: "cotejo"})
	r := get("/")
	for i := range 50 {
		if err := ss.AddFlash(httptest.NewRecorder(), r, web.Flash{ID: "x", Args: []any{i}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := ss.Current(r).Flashes; len(got) != 10 || got[9].Args[0] != 49 {
		t.Errorf("%d flashes, last %v", len(got), got[len(got)-1])
	}
}

func TestIdleAndAbsoluteExpiry(t *testing.T) {
	t.Parallel()
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b, _ := newBrowser(newRecords(), web.SessionConfig{})
			b.do(get("/in"))
			for range 5 { // being there keeps it alive
				time.Sleep(29 * time.Minute)
				if got := b.user(t); got != "7" {
					t.Fatalf("user %s", got)
				}
			}
			time.Sleep(30 * time.Minute)
			if got := b.user(t); got != "0" {
				t.Errorf("user %s after 30 idle minutes", got)
			}
		})
	})
	t.Run("absolute", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b, _ := newBrowser(newRecords(), web.SessionConfig{})
			b.do(get("/in"))
			for range 12*4 - 1 {
				time.Sleep(15 * time.Minute)
				if got := b.user(t); got != "7" {
					t.Fatalf("user %s", got)
				}
			}
			time.Sleep(15 * time.Minute)
			if got := b.user(t); got != "0" {
				t.Errorf("user %s after 12 busy hours", got)
			}
		})
	})
	t.Run("absolute, with the password given now and then", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b, _ := newBrowser(newRecords(), web.SessionConfig{})
			b.do(get("/in"))
			for range 12*4 - 1 {
				time.Sleep(15 * time.Minute)
				b.do(get("/in"))
				if got := b.user(t); got != "7" {
					t.Fatalf("user %s", got)
				}
			}
			time.Sleep(15 * time.Minute)
			if got := b.user(t); got != "0" {
				t.Errorf("user %s after 12 busy hours", got)
			}
		})
	})
	t.Run("a limit made shorter holds at once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newRecords()
			b, _ := newBrowser(m, web.SessionConfig{})
			b.do(get("/in"))
			strict, _ := newBrowser(m, web.SessionConfig{Idle: 5 * time.Minute})
			strict.cookies = b.cookies
			time.Sleep(6 * time.Minute)
			if got := strict.user(t); got != "0" {
				t.Errorf("user %s", got)
			}
		})
	})
}

func TestSlidingIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newRecords()
		b, _ := newBrowser(m, web.SessionConfig{Passive: func(r *http.Request) bool { return r.URL.Path == "/live" }})
		b.do(get("/in"))
		m.writes = nil
		for range 60 {
			time.Sleep(2 * time.Second)
			b.user(t)
		}
		if diff := cmp.Diff([]string{"touch", "touch"}, m.writes); diff != "" {
			t.Errorf("two minutes of requests: %s", diff)
		}
		m.writes = nil
		time.Sleep(20 * time.Minute)
		b.do(get("/live"))
		if len(m.writes) != 0 {
			t.Errorf("a passive request wrote %v", m.writes)
		}
		time.Sleep(11 * time.Minute)
		if got := b.user(t); got != "0" {
			t.Errorf("a passive request kept user %s alive", got)
		}
	})
}

func TestSignOutElsewhereWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newRecords()
		ss := web.NewSessions(m, web.SessionConfig{Name: "cotejo"})
		b, _ := newBrowser(m, web.SessionConfig{})
		b.do(get("/in"))
		slow := get("/", "Cookie", "cotejo="+b.cookies["cotejo"])
		if ss.Current(slow).UserID != 7 {
			t.Fatal("not signed in")
		}
		b.do(get("/out"))
		ss.Current(slow).Next = "/x"
		err := ss.Commit(httptest.NewRecorder(), slow)
		var kind *web.Error
		if !errors.As(err, &kind) || kind.Status != 401 || len(m.rows) != 0 {
			t.Errorf("error %v, %d rows", err, len(m.rows))
		}

		// The same between loading and touching: the request goes on as a stranger's.
		b.do(get("/in"))
		late := get("/", "Cookie", "cotejo="+b.cookies["cotejo"])
		ss.Current(late)
		clear(m.rows)
		time.Sleep(2 * time.Minute)
		var user int64 = -1
		do(ss.Attach(&web.Adapter{Log: quiet()})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user = ss.Current(r).UserID
		})), late)
		if user != 0 {
			t.Errorf("user %d", user)
		}
	})
}

func TestDatabaseDownIs503NotASignOut(t *testing.T) {
	t.Parallel()
	m := newRecords()
	b, _ := newBrowser(m, web.SessionConfig{})
	b.do(get("/in"))
	m.err = errors.New("down")
	if rec := b.do(get("/")); rec.Code != 503 || rec.Header().Get("Set-Cookie") != "" {
		t.Errorf("status %d, cookie %q", rec.Code, rec.Header().Get("Set-Cookie"))
	}
	m.err = nil
	if got := b.user(t); got != "7" {
		t.Errorf("user %s afterwards", got)
	}
}

func TestRecordThatDoesNotFitIsNobody(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*web.Record){
		"data":       func(r *web.Record) { r.Data = []byte("{") },
		"other user": func(r *web.Record) { r.UserID = 8 },
	} {
		m := newRecords()
		b, _ := newBrowser(m, web.SessionConfig{})
		b.do(get("/in"))
		rec := m.only(t)
		spoil(&rec)
		m.rows[string(rec.Hash)] = rec
		if got := b.user(t); got != "0" {
			t.Errorf("%s: user %s", name, got)
		}
	}
}

func TestAliveFollowsTheRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newRecords()
		b, ss := newBrowser(m, web.SessionConfig{})
		b.do(get("/in"))
		r := get("/", "Cookie", "cotejo="+b.cookies["cotejo"])
		alive := ss.Alive(r)
		if !alive(t.Context()) || ss.Hash(r) == nil {
			t.Error("a fresh session is dead")
		}
		m.err = errors.New("down")
		if !alive(t.Context()) {
			t.Error("a failing database ended the stream")
		}
		m.err = nil
		time.Sleep(31 * time.Minute)
		if alive(t.Context()) {
			t.Error("asking kept the session alive")
		}
		b.do(get("/in"))
		r = get("/", "Cookie", "cotejo="+b.cookies["cotejo"])
		alive = ss.Alive(r)
		b.do(get("/out"))
		if alive(t.Context()) {
			t.Error("alive after sign-out")
		}
		if ss.Alive(get("/"))(t.Context()) || ss.Hash(get("/")) != nil {
			t.Error("a stranger has a session")
		}
	})
}

func TestFailingRecordsAreReported(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	for name, act := range map[string]func(*web.Sessions, http.ResponseWriter, *http.Request) error{
		"commit": func(ss *web.Sessions, w http.ResponseWriter, r *http.Request) error { return ss.Commit(w, r) },
		"rotate": func(ss *web.Sessions, w http.ResponseWriter, r *http.Request) error { return ss.Rotate(w, r, 8) },
		"end":    func(ss *web.Sessions, w http.ResponseWriter, r *http.Request) error { return ss.End(w, r) },
		"flash": func(ss *web.Sessions, w http.ResponseWriter, r *http.Request) error {
			return ss.AddFlash(w, r, web.Flash{ID: "x"})
		},
	} {
		for _, failWhen := range []string{"loading", "writing"} {
			m := newRecords()
			b, ss := newBrowser(m, web.SessionConfig{})
			b.do(get("/in"))
			r, rec := get("/", "Cookie", "cotejo="+b.cookies["cotejo"]), httptest.NewRecorder()
			if failWhen == "writing" {
				ss.Current(r)
			}
			m.err = down
			if err := act(ss, rec, r); !errors.Is(err, down) {
				t.Errorf("%s, %s fails: %v", name, failWhen, err)
			}
			if c := rec.Header().Get("Set-Cookie"); c != "" {
				t.Errorf("%s, %s fails: cookie %q for what was not stored", name, failWhen, c)
			}
		}
	}
}

// What a browser sees of a rotation: other cookies of the answer stay, of ours there is one.
func TestRotationLeavesOtherCookiesAlone(t *testing.T) {
	t.Parallel()
	ss := web.NewSessions(newRecords(), web.SessionConfig{Name: "cotejo"})
	rec, r := httptest.NewRecorder(), get("/")
	http.SetCookie(rec, &http.Cookie{Name: "lang", Value: "en"})
	for range 3 {
		if err := ss.Rotate(rec, r, 7); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, c := range rec.Result().Cookies() {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"lang", "cotejo"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestReauthenticationKeepsTheSignIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newRecords()
		ss := web.NewSessions(m, web.SessionConfig{Name: "cotejo"})
		r := get("/")
		if err := ss.Rotate(httptest.NewRecorder(), r, 7); err != nil {
			t.Fatal(err)
		}
		first, start := ss.Hash(r), time.Now()
		time.Sleep(10 * time.Minute)
		if err := ss.Rotate(httptest.NewRecorder(), r, 7); err != nil {
			t.Fatal(err)
		}
		cur := ss.Current(r)
		if !cur.SignedInAt.Equal(start) || cur.ReauthAt.Sub(start) != 10*time.Minute {
			t.Errorf("after re-authentication: %+v", cur)
		}
		if bytes.Equal(first, ss.Hash(r)) || len(m.rows) != 1 {
			t.Error("re-authentication kept the id")
		}
	})
}
