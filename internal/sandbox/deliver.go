package sandbox

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// maxAttempts is the first call and the vendor's "up to three more".
const maxAttempts = 4

// hold is the longest that an outcome waits for the first attempt of the
// created event. The vendor's extractions take at least this long, so there,
// too, only a created that had to be repeated arrives late.
const hold = 10 * time.Second

// signatureHeader is OURS: the vendor offers sign_request but publishes neither
// header nor algorithm (docs/sandbox.md#signature).
const signatureHeader = "X-Palenca-Signature"

func hookClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{ // no proxy: it delivers to the address it was given
			MaxIdleConnsPerHost: perWebhook,
			IdleConnTimeout:     30 * time.Second,
		},
		// A redirect is an answer other than 200 and 201, hence a failure.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newSecret returns 32 random bytes as base64url.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// sign is base64(HMAC-SHA256(base64url-decoded secret, raw body)), the recipe
// of the vendor's successor.
func sign(secret string, body []byte) string {
	key, _ := base64.RawURLEncoding.DecodeString(secret) // ours, from newSecret
	m := hmac.New(sha256.New, key)
	m.Write(body)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// letter is an event for one webhook, before it meets the faults in its way.
type letter struct {
	dialect     string
	hook, url   string
	subject     string // the account or verification that it tells of
	person      string // whose CURP or RFC
	action      string
	body        string
	final       bool   // tells how an extraction ended
	signed, jwt bool   // what the webhook's deliveries carry
	ugly        string // the case to play, whatever is ordered
}

// emit queues an event of an account for every webhook of its widget that
// subscribed to it. The caller holds the lock and commits.
func (s *Server) emit(a *account, action, details string) int {
	return s.emitAs(a, action, details, "")
}

func (s *Server) emitAs(a *account, action, details, ugly string) int {
	count := 0
	for _, h := range sorted(s.st.webhooks, func(h *webhook) int { return h.Seq }, nil) {
		if h.WidgetID == a.WidgetID && h.wants(action) {
			count += s.post(letter{
				dialect: palenca, hook: h.ID, url: h.URL, subject: a.ID, person: a.Identifier, action: action,
				body: s.palencaEvent(h, a, action, details), final: action != "login.created", signed: h.Sign, ugly: ugly,
			})
		}
	}
	s.poke()
	return count
}

// post makes the deliveries of an event, with what was ordered to go wrong, and
// returns how many will be tried. The caller holds the lock, commits and pokes.
func (s *Server) post(l letter) int {
	now, sw := s.now(), s.st.switches.get("all")
	base := delivery{
		WebhookID: l.hook, AccountID: l.subject, Action: l.action, URL: l.url, Body: l.body, State: sending,
		CreatedAt: now, NextAt: now.Add(time.Duration(sw.EventDelay[l.action])),
	}
	if l.dialect != palenca {
		base.Dialect = l.dialect
	}
	drafts := s.twist(l, base)
	if sw.DuplicateWebhooks {
		drafts = append(drafts, drafts...)
	}
	count := 0
	for _, draft := range drafts {
		d := &draft
		d.ID, d.Seq = uuid.NewString(), s.st.next()
		if l.signed && !d.BadSignature && sw.BadSignatures > 0 {
			sw.BadSignatures--
			d.BadSignature = true
			s.st.switches.put("all", sw)
		}
		if d.State != dropped && sw.DropWebhooks > 0 {
			sw.DropWebhooks--
			d.State = dropped
			s.st.switches.put("all", sw)
		}
		if d.State == dropped {
			s.st.finish(d, dropped)
			continue
		}
		count++
		s.line(d, now)
	}
	return count
}

// line gives a delivery its place among its like: an outcome waits for the
// first attempt of the created event, a swapped event for that of the next one.
func (s *Server) line(d *delivery, now time.Time) {
	pair := d.WebhookID + " " + d.AccountID
	if d.Swap {
		s.plan.swaps[d.swapKey()] = d.ID
	} else {
		if d.Action == "login.created" {
			if d.NextAt.Equal(now) { // not delayed on purpose
				s.plan.untried[pair] = d.ID
			}
		} else if first := s.plan.untried[pair]; first != "" {
			d.After, d.HoldUntil = first, now.Add(hold)
		}
		waits := s.st.deliveries.get(s.plan.swaps[d.swapKey()])
		delete(s.plan.swaps, d.swapKey())
		if waits != nil && waits.State == sending && len(waits.Attempts) == 0 { // it has not lost patience
			waits.Swap, waits.After, waits.HoldUntil, waits.NextAt = false, d.ID, now.Add(hold), now
			s.st.deliveries.put(waits.ID, waits)
			heap.Push(&s.plan.agenda, appointment{at: now, delivery: waits.ID})
		}
	}
	s.st.deliveries.put(d.ID, d)
	heap.Push(&s.plan.agenda, appointment{at: d.NextAt, delivery: d.ID})
}

// parcel is one attempt, made up under the lock and sent without it.
type parcel struct {
	url    string
	body   []byte
	header http.Header
	token  *authentication // where to fetch the bearer token first
}

// wrap makes up the parcel of a delivery; nil when its webhook is gone.
func (s *Server) wrap(d *delivery) *parcel {
	p := &parcel{url: d.URL, body: shape(d.Body, d.Shape), header: http.Header{}}
	signed := p.body
	if d.Signed != "" {
		signed = []byte(d.Signed)
	}
	if d.Dialect == buro {
		e := s.st.endpoints.get(d.WebhookID)
		if e == nil {
			return nil
		}
		e.dress(p, d, s.cfg.Now())
		p.header.Set(buroSignatureHeader, sign(d.secret(e.SecretKey), signed))
	} else {
		h := s.st.webhooks.get(d.WebhookID)
		if h == nil {
			return nil
		}
		if h.Sign {
			p.header.Set(signatureHeader, sign(d.secret(h.PrivateKey), signed))
		}
	}
	p.header.Set("Content-Type", "application/json")
	p.header.Set("User-Agent", "Cotejo-Sandbox/1")
	return p
}

// secret is the webhook's own, or for a bad signature one that nobody knows.
func (d *delivery) secret(own string) string {
	if d.BadSignature {
		return newSecret()
	}
	return own
}

// attempt makes one call for a delivery and books its result. The lock is not
// held during the call: d may be called off meanwhile.
func (s *Server) attempt(ctx context.Context, d *delivery) {
	s.mu.Lock()
	var p *parcel
	if d.State == sending {
		p = s.wrap(d)
	}
	if p == nil {
		s.release(d)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()

	began := s.now()
	status, err := s.send(ctx, p)

	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.release(d)
	if err != nil && ctx.Err() != nil {
		// Interrupted by our own end: not an attempt, and due again at once.
		heap.Push(&s.plan.agenda, appointment{at: d.NextAt, delivery: d.ID})
		return
	}
	if d.State != sending {
		return // called off meanwhile
	}
	now := s.now()
	try := attempt{At: began, Millis: now.Sub(began).Milliseconds(), Status: status}
	if err != nil {
		try.Error = failure(err)
	}
	d.Attempts = append(d.Attempts, try)
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		s.st.finish(d, delivered)
	case len(d.Attempts) == maxAttempts:
		s.st.finish(d, exhausted)
	default:
		d.NextAt = now.Add(s.retryGap())
		s.st.deliveries.put(d.ID, d)
		heap.Push(&s.plan.agenda, appointment{at: d.NextAt, delivery: d.ID})
	}
	if d.Dialect == buro && d.State != sending {
		s.countFailures(d)
	}
	s.cfg.Log.Info("webhook attempt", "delivery", d.ID, "action", d.Action, "attempt", len(d.Attempts), "status", status, "state", d.State)
}

// release frees a delivery's slot and lets go what waited for it.
func (s *Server) release(d *delivery) {
	delete(s.plan.taken, d.ID)
	if s.plan.busy[d.WebhookID]--; s.plan.busy[d.WebhookID] <= 0 {
		delete(s.plan.busy, d.WebhookID)
	}
	if pair := d.WebhookID + " " + d.AccountID; s.plan.untried[pair] == d.ID {
		delete(s.plan.untried, pair)
	}
	for _, id := range s.plan.held[d.ID] {
		heap.Push(&s.plan.agenda, appointment{at: s.now(), delivery: id})
	}
	delete(s.plan.held, d.ID)
	if err := s.st.log.commit(); err != nil {
		s.cfg.Log.Error("sandbox state not written", "error", err)
	}
	s.poke()
}

// send posts a parcel once, with a fresh token if its webhook asks for one. Any
// answer is a status; err says why there was none.
func (s *Server) send(ctx context.Context, p *parcel) (int, error) {
	if p.token != nil {
		bearer, err := s.fetchToken(ctx, p.token)
		if err != nil {
			return 0, err
		}
		p.header.Set("Authorization", "Bearer "+bearer)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return 0, err
	}
	req.Header = p.header
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	// The answer's body means nothing to the vendor; a little of it is read so
	// that the connection can be used again.
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	return res.StatusCode, nil
}

// failure says why a call got no answer, without the address: webhook URLs
// carry tokens.
func failure(err error) string {
	if errors.Is(err, errToken) {
		return "token endpoint"
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "no connection"
}
