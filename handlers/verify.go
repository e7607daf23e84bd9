package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/webhook"
	"cotejo/web"
)

// verifyAtOnce is how many refused deliveries one press verifies again.
const verifyAtOnce = 200

// verifyRefused verifies a subscription's refused deliveries of the last day again, as of their receipt.
func (c *Console) verifyRefused(w http.ResponseWriter, r *http.Request) error {
	s, err := c.hook(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	list, err := c.DB.Verifiable(r.Context(), s.UID, c.Now().Add(-chartSpan), verifyAtOnce)
	if err != nil {
		return failed(err)
	}
	passed := 0
	for _, uid := range slices.Backward(list) { // in the order in which they came
		outcome, err := c.DB.VerifyAgain(r.Context(), v.env, uid, v.actor)
		if errors.Is(err, db.ErrNotVerifiable) {
			continue // somebody else was quicker
		} else if err != nil {
			return failed(err)
		}
		if !outcome.Refused {
			passed++
		}
	}
	return c.done(w, r, "/subscriptions/"+s.UID.String(), "subscriptions.flash.verified", "Count", passed, "Of", len(list))
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
	s, err := c.hook(r)
	if err != nil {
		return err
	}
	status, err := c.sendTest(r.Context(), s)
	if unreached := new(unreachedError); errors.As(err, &unreached) {
		c.Log.WarnContext(r.Context(), "send a test event", "error", err, "subscription", s.ID)
		return c.flash(w, r, web.FlashError, "/subscriptions/"+s.UID.String(), "subscriptions.flash.test_unreached")
	} else if err != nil {
		return failed(err)
	}
	if err := c.DB.HookTested(r.Context(), s.UID, strconv.Itoa(status), visitOf(r).actor); err != nil {
		return failed(err)
	}
	if status != http.StatusOK {
		return c.flash(w, r, web.FlashError, "/subscriptions/"+s.UID.String(), "subscriptions.flash.test_refused", "Status", status)
	}
	return c.done(w, r, "/subscriptions/"+s.UID.String(), "subscriptions.flash.test_ok")
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
	body, err := json.Marshal(map[string]any{"data": map[string]any{"webhook_action": webhook.TestAction, "account_id": id, "external_id": "None", "status_details": nil}})
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
