package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"
)

// Record is a session as it is stored. The cookie's value is not in it, only its hash, so that a copy of the
// table opens no session.
type Record struct {
	Hash      []byte // SHA-256 of the cookie's 32 random bytes
	Data      []byte // a Session as JSON
	UserID    int64  // 0 before sign-in
	CreatedAt time.Time
	SeenAt    time.Time // of the last request a person caused, a minute exact
	ExpiresAt time.Time // the earlier of idle and absolute end
	IP        string    // at creation; "" when unknown
	UserAgent string    // at creation, at most 255 bytes
}

// ErrNoSession is what SessionRecords answers for a hash it does not hold.
var ErrNoSession = errors.New("web: no such session")

// SessionRecords stores sessions. Each method is one transaction.
type SessionRecords interface {
	// LoadSession returns the record, expired or not, or ErrNoSession.
	LoadSession(ctx context.Context, hash []byte) (Record, error)
	// ReplaceSession inserts rec and deletes the record called old, if old is not nil and there is one.
	ReplaceSession(ctx context.Context, old []byte, rec Record) error
	// SaveSession sets Data, SeenAt and ExpiresAt of an existing record, else answers ErrNoSession: a request
	// that was under way during a sign-out must not bring the session back.
	SaveSession(ctx context.Context, rec Record) error
	// TouchSession sets SeenAt and ExpiresAt alone, so that a slow page cannot undo a change of Data. It answers
	// ErrNoSession like SaveSession.
	TouchSession(ctx context.Context, hash []byte, seenAt, expiresAt time.Time) error
	// DeleteSession deletes the record; that there is none is no error.
	DeleteSession(ctx context.Context, hash []byte) error
}

// Session is what we remember between two requests of one browser.
type Session struct {
	UserID     int64     `json:"user_id,omitempty"` // 0: not signed in
	SignedInAt time.Time `json:"signed_in_at,omitzero"`
	ReauthAt   time.Time `json:"reauth_at,omitzero"` // when the password or second factor was last given
	Flashes    []Flash   `json:"flashes,omitempty"`
	Next       string    `json:"next,omitempty"` // where to go after sign-in, a LocalPath
}

// SessionConfig says how sessions live; a zero duration stands for the default beside it.
type SessionConfig struct {
	Name     string        // of the cookie; __Host- is put before it when Secure
	Secure   bool          // the public URL is https
	Idle     time.Duration // 30 min without a request a person caused
	Absolute time.Duration // 12 h after sign-in, whatever happens

	// Passive says that the browser sends r by itself (a live stream reconnecting), so that it does not count
	// as the person's being there. nil: none does.
	Passive func(r *http.Request) bool
}

// Sessions keeps sessions in SessionRecords behind a cookie. It is a gorilla/sessions Store; handlers use the
// typed methods Current, Save, Rotate and End.
type Sessions struct {
	records SessionRecords
	cfg     SessionConfig
	cookie  string
}

var _ sessions.Store = (*Sessions)(nil)

// touchEvery bounds the writes that sliding expiry costs.
const touchEvery = time.Minute

// NewSessions returns the sessions kept in records.
func NewSessions(records SessionRecords, cfg SessionConfig) *Sessions {
	cfg.Idle = orDefault(cfg.Idle, 30*time.Minute)
	cfg.Absolute = orDefault(cfg.Absolute, 12*time.Hour)
	s := &Sessions{records: records, cfg: cfg, cookie: cfg.Name}
	if cfg.Secure {
		// The prefix makes browsers refuse a cookie of this name set by a sibling host or over plain http.
		s.cookie = "__Host-" + cfg.Name
	}
	return s
}

// CookieName is the name under which the browser knows the session.
func (s *Sessions) CookieName() string { return s.cookie }

// The gorilla session's Values hold exactly these two.
type valueKey int

const (
	valueSession valueKey = iota // *Session
	valueRecord                  // Record, as loaded or last saved
)

// Get returns the request's session, loaded once per request. See sessions.Store.
func (s *Sessions) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New loads the session the cookie names, or makes an empty one. An unknown, expired or malformed cookie is no
// error, and its value is never taken over for a new session. See sessions.Store.
func (s *Sessions) New(r *http.Request, name string) (*sessions.Session, error) {
	gs := sessions.NewSession(s, name)
	gs.IsNew = true
	gs.Options = &sessions.Options{
		Path: "/", MaxAge: int(s.cfg.Absolute.Seconds()), Secure: s.cfg.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	gs.Values[valueSession] = &Session{}
	c, err := r.Cookie(name)
	if err != nil {
		return gs, nil
	}
	hash, ok := hashCookie(c.Value)
	if !ok {
		return gs, nil
	}
	rec, err := s.records.LoadSession(r.Context(), hash)
	if errors.Is(err, ErrNoSession) {
		return gs, nil
	}
	if err != nil {
		return gs, fmt.Errorf("web: load session: %w", err)
	}
	if !s.alive(rec, time.Now()) {
		return gs, nil // the row stays for whoever cleans up; deleting here would make reading a write
	}
	values := &Session{}
	if err := json.Unmarshal(rec.Data, values); err != nil || values.UserID != rec.UserID {
		return gs, nil // written by a release with another form: signing in again mends it
	}
	gs.ID = c.Value
	gs.IsNew = false
	gs.Values[valueSession] = values
	gs.Values[valueRecord] = rec
	return gs, nil
}

// Save stores the session and sets its cookie; with Options.MaxAge < 0 it deletes both. See sessions.Store.
func (s *Sessions) Save(r *http.Request, w http.ResponseWriter, gs *sessions.Session) error {
	values, _ := gs.Values[valueSession].(*Session)
	rec, stored := gs.Values[valueRecord].(Record)
	if gs.Options.MaxAge < 0 || values == nil {
		if stored {
			if err := s.records.DeleteSession(r.Context(), rec.Hash); err != nil {
				return fmt.Errorf("web: delete session: %w", err)
			}
			delete(gs.Values, valueRecord)
		}
		gs.ID, gs.IsNew = "", true
		gone := *gs.Options
		gone.MaxAge = -1
		setCookie(w, sessions.NewCookie(gs.Name(), "", &gone))
		return nil
	}
	if !stored {
		return s.replace(r, w, gs, values, nil)
	}
	data, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("web: encode session: %w", err)
	}
	rec.Data, rec.SeenAt = data, time.Now().UTC()
	rec.ExpiresAt = s.expiry(rec)
	err = s.records.SaveSession(r.Context(), rec)
	if errors.Is(err, ErrNoSession) {
		return Unauthorized(fmt.Errorf("web: save session: %w", err)) // signed out elsewhere a moment ago
	}
	if err != nil {
		return fmt.Errorf("web: save session: %w", err)
	}
	gs.Values[valueRecord] = rec
	return nil
}

// replace stores values under a new random id, in place of old.
func (s *Sessions) replace(r *http.Request, w http.ResponseWriter, gs *sessions.Session, values *Session, old []byte) error {
	id := make([]byte, 32)
	rand.Read(id) // never fails: crypto/rand ends the process instead
	data, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("web: encode session: %w", err)
	}
	sum := sha256.Sum256(id)
	now := time.Now().UTC()
	rec := Record{Hash: sum[:], Data: data, UserID: values.UserID, CreatedAt: now, SeenAt: now, UserAgent: userAgent(r)}
	if !values.SignedInAt.IsZero() {
		rec.CreatedAt = values.SignedInAt // a password given once more makes no session longer
	}
	rec.ExpiresAt = s.expiry(rec)
	if ip := ClientIP(r); ip.IsValid() {
		rec.IP = ip.String()
	}
	if err := s.records.ReplaceSession(r.Context(), old, rec); err != nil {
		return fmt.Errorf("web: store new session: %w", err)
	}
	gs.ID, gs.IsNew = base64.RawURLEncoding.EncodeToString(id), false
	gs.Values[valueSession], gs.Values[valueRecord] = values, rec
	setCookie(w, sessions.NewCookie(gs.Name(), gs.ID, gs.Options))
	return nil
}

// setCookie puts c in place of one of the same name set earlier in this answer, so that a browser never has to
// choose between the session before and after a rotation.
func setCookie(w http.ResponseWriter, c *http.Cookie) {
	h := w.Header()
	var keep []string
	for _, line := range h.Values("Set-Cookie") {
		if !strings.HasPrefix(line, c.Name+"=") {
			keep = append(keep, line)
		}
	}
	h.Del("Set-Cookie")
	for _, line := range keep {
		h.Add("Set-Cookie", line)
	}
	http.SetCookie(w, c)
}

// Current returns the request's session to read and change; changes last when Save follows. A request without
// one gets an empty session of its own, which costs no row until it is saved. It must be behind Attach.
func (s *Sessions) Current(r *http.Request) *Session {
	gs, err := s.Get(r, s.cookie)
	if err != nil {
		return &Session{} // Attach has answered this request; nothing to lose
	}
	return gs.Values[valueSession].(*Session)
}

// CookieHash gives what the session that the request's cookie names is stored under, whether or not it is still alive.
func (s *Sessions) CookieHash(r *http.Request) (hash []byte, ok bool) {
	c, err := r.Cookie(s.cookie)
	if err != nil {
		return nil, false
	}
	return hashCookie(c.Value)
}

// Commit stores the changes made to Current(r). Call it before the answer begins.
func (s *Sessions) Commit(w http.ResponseWriter, r *http.Request) error {
	gs, err := s.Get(r, s.cookie)
	if err != nil {
		return err
	}
	return s.Save(r, w, gs)
}

// Rotate signs userID in: the session gets a new id and starts its life anew, the old one is deleted in the same
// transaction (OWASP ASVS 5.0, 7.2.4). Flashes and Next are carried over. Call it again with the same user after
// a re-authentication or a change of password.
func (s *Sessions) Rotate(w http.ResponseWriter, r *http.Request, userID int64) error {
	gs, err := s.Get(r, s.cookie)
	if err != nil {
		return err
	}
	before := gs.Values[valueSession].(*Session)
	now := time.Now().UTC()
	after := &Session{UserID: userID, SignedInAt: now, ReauthAt: now, Flashes: before.Flashes, Next: before.Next}
	if before.UserID != 0 && before.UserID == userID {
		after.SignedInAt = before.SignedInAt
	}
	var old []byte
	if rec, ok := gs.Values[valueRecord].(Record); ok {
		old = rec.Hash
	}
	return s.replace(r, w, gs, after, old)
}

// End signs out: the record is deleted and the browser told to forget the cookie.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	gs, err := s.Get(r, s.cookie)
	if err != nil {
		return err
	}
	gs.Options.MaxAge = -1
	if err := s.Save(r, w, gs); err != nil {
		return err
	}
	gs.Values[valueSession] = &Session{}
	gs.Options.MaxAge = int(s.cfg.Absolute.Seconds())
	return nil
}

// unreadable tells records that do not answer from a client that left while they did.
func unreadable(r *http.Request, err error) error {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return err
	}
	return Unavailable(err)
}

// Attach loads the session before next runs, slides its idle expiry at most once a minute, and tells the log who
// it is. When records fail it answers 503 through a: serving the request as a stranger's would lose the person's work.
func (s *Sessions) Attach(a *Adapter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gs, err := s.Get(r, s.cookie)
			if err != nil {
				a.Fail(w, r, unreadable(r, err))
				return
			}
			if rec, ok := gs.Values[valueRecord].(Record); ok {
				if err := s.touch(r, gs, rec); err != nil {
					a.Fail(w, r, unreadable(r, err))
					return
				}
				if user := s.Current(r).UserID; user != 0 {
					SetActor(r.Context(), user)
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

func (s *Sessions) touch(r *http.Request, gs *sessions.Session, rec Record) error {
	now := time.Now().UTC()
	if now.Sub(rec.SeenAt) < touchEvery || s.cfg.Passive != nil && s.cfg.Passive(r) {
		return nil
	}
	rec.SeenAt = now
	rec.ExpiresAt = s.expiry(rec)
	err := s.records.TouchSession(r.Context(), rec.Hash, rec.SeenAt, rec.ExpiresAt)
	if errors.Is(err, ErrNoSession) { // signed out elsewhere since it was loaded
		gs.ID, gs.IsNew = "", true
		gs.Values = map[any]any{valueSession: &Session{}}
		return nil
	}
	if err != nil {
		return fmt.Errorf("web: touch session: %w", err)
	}
	gs.Values[valueRecord] = rec
	return nil
}

// Hash returns what records call the request's session, or nil; for a list of one's own sessions.
func (s *Sessions) Hash(r *http.Request) []byte {
	if gs, err := s.Get(r, s.cookie); err == nil {
		if rec, ok := gs.Values[valueRecord].(Record); ok {
			return rec.Hash
		}
	}
	return nil
}

// Alive returns a check for StreamOptions.Alive: whether the session r came with still exists, belongs to the same
// user and has not expired. Asking does not keep it alive. A failing database counts as alive: a stream carries
// nothing that was not allowed when it began, and the next check comes soon.
func (s *Sessions) Alive(r *http.Request) func(ctx context.Context) bool {
	gs, err := s.Get(r, s.cookie)
	if err != nil {
		return func(context.Context) bool { return false }
	}
	was, ok := gs.Values[valueRecord].(Record)
	return func(ctx context.Context) bool {
		if !ok {
			return false
		}
		rec, err := s.records.LoadSession(ctx, was.Hash)
		if errors.Is(err, ErrNoSession) {
			return false
		}
		return err != nil || rec.UserID == was.UserID && s.alive(rec, time.Now())
	}
}

// alive judges by the times themselves too, so that a shorter limit holds for sessions that exist already.
func (s *Sessions) alive(rec Record, now time.Time) bool {
	return now.Before(rec.ExpiresAt) && now.Before(s.expiry(rec))
}

func (s *Sessions) expiry(rec Record) time.Time {
	idle, absolute := rec.SeenAt.Add(s.cfg.Idle), rec.CreatedAt.Add(s.cfg.Absolute)
	if absolute.Before(idle) {
		return absolute
	}
	return idle
}

// hashCookie reports false for what cannot be an id of ours, which saves the database the question.
func hashCookie(value string) ([]byte, bool) {
	if len(value) != base64.RawURLEncoding.EncodedLen(32) {
		return nil, false
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, false
	}
	sum := sha256.Sum256(id)
	return sum[:], true
}

// userAgent is for the person to recognise his own sessions by, so it is cut, and never trusted or logged.
func userAgent(r *http.Request) string {
	ua := r.UserAgent()
	if len(ua) > 255 {
		ua = ua[:255]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(ua, "\x00", ""), "")
}
