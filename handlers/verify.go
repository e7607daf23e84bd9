package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/web"
)

// One press verifies in batches until all were looked at or this long has passed; a page has 20 seconds.
const (
	verifyBatch = 200
	verifyTime  = 12 * time.Second
)

// verifyRefused verifies a subscription's refused deliveries of the last day again, as of their receipt, in the order in
// which they came.
func (c *Console) verifyRefused(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	v, began := visitOf(r), time.Now()
	passed, looked := 0, 0
	for after := (lookup.Cursor{At: c.Now().Add(-chartSpan)}); ; {
		list, err := c.DB.Verifiable(r.Context(), s.UID, after, verifyBatch)
		if err != nil {
			return failed(err)
		}
		for _, d := range list {
			after = d.Cursor
			outcome, err := c.DB.VerifyAgain(r.Context(), v.env, d.UID, v.actor)
			if errors.Is(err, db.ErrNotVerifiable) {
				continue // somebody else was quicker
			} else if err != nil {
				return failed(err)
			}
			if looked++; !outcome.Refused {
				passed++
			}
		}
		if len(list) < verifyBatch {
			return c.done(w, r, hookPath(s), "subscriptions.flash.verified", "Count", passed, "Of", looked)
		}
		if time.Since(began) > verifyTime {
			return c.done(w, r, hookPath(s), "subscriptions.flash.verified_part", "Count", passed, "Of", looked)
		}
	}
}

// verifyDelivery verifies one refused delivery again.
func (c *Console) verifyDelivery(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	outcome, err := c.DB.VerifyAgain(r.Context(), v.env, id, v.actor)
	back := "/deliveries/" + id.String()
	if errors.Is(err, db.ErrNotVerifiable) {
		return c.flash(w, r, web.FlashError, back, "subscriptions.flash.not_verifiable")
	} else if err != nil {
		return failed(err)
	}
	if outcome.Refused {
		return c.flash(w, r, web.FlashError, back, "subscriptions.flash.still_refused")
	}
	return c.done(w, r, back, "subscriptions.flash.passes")
}

// testTime is how long a test event may take to come back to us.
const testTime = 10 * time.Second

// testSubscription sends an event of our own to the hook's public address, signed as the subscription asks, the way the
// vendor would: what it proves is that the address can be reached and lets the right sender in.
func (c *Console) testSubscription(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	status, err := c.sendTest(r.Context(), s)
	if unreached := new(unreachedError); errors.As(err, &unreached) {
		c.Log.WarnContext(r.Context(), "send a test event", "error", err, "subscription", s.ID)
		return c.flash(w, r, web.FlashError, hookPath(s), "subscriptions.flash.test_unreached")
	} else if err != nil {
		return failed(err)
	}
	if err := c.DB.HookTested(r.Context(), s.UID, strconv.Itoa(status), visitOf(r).actor); err != nil {
		return failed(err)
	}
	if status != http.StatusOK {
		return c.flash(w, r, web.FlashError, hookPath(s), "subscriptions.flash.test_refused", "Status", status)
	}
	return c.done(w, r, hookPath(s), "subscriptions.flash.test_ok")
}

func (c *Console) sendTest(ctx context.Context, s webhook.Subscription) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	policy, err := c.DB.PolicyOf(ctx, s)
	if err != nil {
		return 0, err
	}
	address, err := c.hookURL(ctx, s)
	if err != nil {
		return 0, err
	}
	id := uuid.NewString()
	body, err := json.Marshal(testEvent(s.Dialect, id))
	if err != nil {
		return 0, err
	}
	token, err := c.DB.TestToken(ctx, s.UID, time.Minute)
	if err != nil {
		return 0, err
	}
	headers, err := webhook.Sign(policy, body, id, token, c.Now())
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, unreached(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		req.Header.Set(h.Name, h.Value)
	}
	res, err := testClient.Do(req)
	if err != nil {
		return 0, unreached(err)
	}
	return res.StatusCode, res.Body.Close()
}

// testEvent is an event of our own in the vendor's words.
func testEvent(d lookup.Dialect, id string) map[string]any {
	if d == lookup.Buro {
		return map[string]any{"event": webhook.TestAction, "verification_id": id, "status": "completed", "data_available": false,
			"can_retry": false, "entities": []string{}, "external_id": nil}
	}
	return map[string]any{"data": map[string]any{"webhook_action": webhook.TestAction, "account_id": id, "external_id": "None", "status_details": nil}}
}

// testClient follows no redirect: a test event carries live credentials, and the vendor would not follow one either.
var testClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// unreachedError says that a test event got no answer.
type unreachedError struct{ why error }

func (e *unreachedError) Error() string { return "test event: " + e.why.Error() }
func (e *unreachedError) Unwrap() error { return e.why }

// unreached takes the address, which holds the hook's token, out of an error.
func unreached(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return &unreachedError{err}
}
