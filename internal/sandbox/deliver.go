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

// emit queues an event of an account for every webhook of its widget that
// subscribed to it. The caller holds the lock and commits.
func (s *Server) emit(a *account, action, details string) int {
	now, sw := s.now(), s.st.switches.get("all")
	count := 0
	for _, h := range sorted(s.st.webhooks, func(h *webhook) int { return h.Seq }, nil) {
		if h.WidgetID != a.WidgetID || !h.wants(action) {
			continue
		}
		copies := 1
		if sw.DuplicateWebhooks {
			copies = 2
		}
		for range copies {
			d := &delivery{
				ID: uuid.NewString(), Seq: s.st.next(), WebhookID: h.ID, AccountID: a.ID, Action: action,
				URL: h.URL, Body: s.palencaEvent(h, a, action, details), State: sending, CreatedAt: now,
				NextAt: now.Add(time.Duration(sw.EventDelay[action])),
			}
			if h.Sign && sw.BadSignatures > 0 {
				sw.BadSignatures--
				d.BadSignature = true
				s.st.switches.put("all", sw)
			}
			if sw.DropWebhooks > 0 {
				sw.DropWebhooks--
				s.st.switches.put("all", sw)
				s.st.finish(d, dropped)
				continue
			}
			count++
			pair := h.ID + " " + a.ID
			if action == "login.created" {
				if d.NextAt.Equal(now) { // not delayed on purpose
					s.plan.untried[pair] = d.ID
				}
			} else if first := s.plan.untried[pair]; first != "" {
				d.After, d.HoldUntil = first, now.Add(hold)
			}
			s.st.deliveries.put(d.ID, d)
			heap.Push(&s.plan.agenda, appointment{at: d.NextAt, delivery: d.ID})
		}
	}
	s.poke()
	return count
}

// attempt makes one call for a delivery and books its result. The lock is not
// held during the call: d may be called off meanwhile.
func (s *Server) attempt(ctx context.Context, d *delivery) {
	s.mu.Lock()
	h := s.st.webhooks.get(d.WebhookID)
	if d.State != sending || h == nil {
		s.release(d)
		s.mu.Unlock()
		return
	}
	url, body, signature := d.URL, []byte(d.Body), ""
	if h.Sign {
		secret := h.PrivateKey
		if d.BadSignature {
			secret = newSecret()
		}
		signature = sign(secret, body)
	}
	s.mu.Unlock()

	began := s.now()
	status, err := s.call(ctx, url, body, signature)

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

// call posts body once. Any answer is a status; err says why there was none.
func (s *Server) call(ctx context.Context, url string, body []byte, signature string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Cotejo-Sandbox/1")
	if signature != "" {
		req.Header.Set(signatureHeader, signature)
	}
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
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "no connection"
}
