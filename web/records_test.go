package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cotejo/web"
)

// records keeps sessions in memory and counts the calls that write.
type records struct {
	mu     sync.Mutex
	rows   map[string]web.Record
	writes []string
	err    error // answered by everything when set
}

func newRecords() *records { return &records{rows: map[string]web.Record{}} }

func (m *records) LoadSession(_ context.Context, hash []byte) (web.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, ok := m.rows[string(hash)]
	if m.err == nil && !ok {
		return rec, web.ErrNoSession
	}
	return rec, m.err
}

func (m *records) write(name string, f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes = append(m.writes, name)
	if m.err != nil {
		return m.err
	}
	return f()
}

func (m *records) ReplaceSession(_ context.Context, old []byte, rec web.Record) error {
	return m.write("replace", func() error {
		delete(m.rows, string(old))
		m.rows[string(rec.Hash)] = rec
		return nil
	})
}

func (m *records) update(hash []byte, f func(*web.Record)) func() error {
	return func() error {
		rec, ok := m.rows[string(hash)]
		if !ok {
			return web.ErrNoSession
		}
		f(&rec)
		m.rows[string(hash)] = rec
		return nil
	}
}

func (m *records) SaveSession(_ context.Context, rec web.Record) error {
	return m.write("save", m.update(rec.Hash, func(r *web.Record) {
		r.Data, r.SeenAt, r.ExpiresAt = rec.Data, rec.SeenAt, rec.ExpiresAt
	}))
}

func (m *records) TouchSession(_ context.Context, hash []byte, seenAt, expiresAt time.Time) error {
	return m.write("touch", m.update(hash, func(r *web.Record) { r.SeenAt, r.ExpiresAt = seenAt, expiresAt }))
}

func (m *records) DeleteSession(_ context.Context, hash []byte) error {
	return m.write("delete", func() error { delete(m.rows, string(hash)); return nil })
}

func (m *records) only(t *testing.T) web.Record {
	t.Helper()
	if len(m.rows) != 1 {
		t.Fatalf("%d records", len(m.rows))
	}
	for _, rec := range m.rows {
		return rec
	}
	panic("unreachable")
}

// browser keeps cookies between requests to one handler.
type browser struct {
	h       http.Handler
	cookies map[string]string
}

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := do(b.h, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return rec
}

func newBrowser(m *records, cfg web.SessionConfig) (*browser, *web.Sessions) {
	if cfg.Name == "" {
		cfg.Name = "cotejo"
	}
	ss := web.NewSessions(m, cfg)
	a := &web.Adapter{Log: quiet()}
	mux := http.NewServeMux()
	handle := func(pattern string, h web.Handler) { mux.Handle(pattern, a.Handle(h)) }
	handle("/in", func(w http.ResponseWriter, r *http.Request) error {
		if err := ss.AddFlash(w, r, web.Flash{Kind: web.FlashInfo, ID: "before"}); err != nil {
			return err
		}
		if err := ss.Rotate(w, r, 7); err != nil {
			return err
		}
		return ss.AddFlash(w, r, web.Flash{Kind: web.FlashSuccess, ID: "welcome", Args: []any{3, "x", true}})
	})
	handle("/out", func(w http.ResponseWriter, r *http.Request) error { return ss.End(w, r) })
	handle("/note", func(w http.ResponseWriter, r *http.Request) error {
		ss.Current(r).Next = r.FormValue("next")
		return ss.Commit(w, r)
	})
	handle("/flashes", func(w http.ResponseWriter, r *http.Request) error {
		flashes, err := ss.TakeFlashes(w, r)
		if err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(flashes)
	})
	handle("/", func(w http.ResponseWriter, r *http.Request) error {
		return json.NewEncoder(w).Encode(ss.Current(r).UserID)
	})
	return &browser{h: web.Chain(mux, web.RequestID, ss.Attach(a)), cookies: map[string]string{}}, ss
}

func (b *browser) user(t *testing.T) string {
	t.Helper()
	rec := b.do(get("/"))
	if rec.Code != 200 {
		t.Fatalf("status %d", rec.Code)
	}
	return strings.TrimSpace(rec.Body.String())
}
