package handlers

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/internal/webhook"
	"cotejo/web"
)

// hooks takes what the vendor sends. The vendor counts only 200 and 201 as delivered and tries again on anything else
// (docs/vendor.md#delivery-retries), so 200 is answered when the bytes are committed, and never before.
func (c *Console) hooks() http.Handler {
	mux := http.NewServeMux()
	// The vendor asks for a token before each delivery (docs/vendor-buro.md#buro-authentication), and its deliveries come in
	// bursts, so people's limit would turn it away. Secrets are 256 random bits: this bounds work, not guesses.
	tokens := web.NewLimiter(50*time.Millisecond, 200, 10_000)
	mux.Handle("/hooks/{token}", c.adapter.Handle(c.receive))
	mux.Handle("POST /oauth/token", tokens.Limit(c.adapter)(c.adapter.Handle(c.issueToken)))
	return web.Chain(c.adapter.Mux(mux), web.Timeout(hookTime))
}

// hookTime is well under the vendor's patience of 30 s, so that a slow database becomes a retry and not a silent loss.
const hookTime = 20 * time.Second

func (c *Console) receive(w http.ResponseWriter, r *http.Request) error {
	receipt := db.Receipt{ReceivedAt: time.Now(), RemoteAddr: clientIP(r), Method: r.Method, Verdict: webhook.Accepted, Answer: http.StatusOK}
	subscription, policy, err := c.DB.HookByToken(r.Context(), r.PathValue("token"))
	if errors.Is(err, db.ErrNotFound) {
		// Anybody can ask for addresses that are not ours: counted, not stored.
		c.unknown.Inc()
		return say(w, http.StatusNotFound, "no such hook")
	} else if err != nil {
		c.Log.ErrorContext(r.Context(), "find a hook", "error", err, "request", web.RequestIDOf(r.Context()))
		return say(w, http.StatusServiceUnavailable, "try again: the store does not answer")
	}
	receipt.Subscription = subscription
	receipt.Headers, receipt.Credentials = splitHeaders(r.Header, subscription, policy)

	body, err := io.ReadAll(io.LimitReader(r.Body, webhook.MaxBody+1))
	if err != nil {
		// Half a body proves nothing and cannot be answered; the vendor sends it again.
		return say(w, http.StatusBadRequest, "the body did not arrive whole")
	}
	receipt.Body, receipt.Size = body, int64(len(body))
	reason := "ok"
	refuse := func(status int, cause webhook.Cause, why string) {
		receipt.Verdict, receipt.Answer, receipt.Cause, reason = webhook.Refused, status, cause, why
		receipt.Body = body[:min(len(body), webhook.KeptOfRefused)]
	}
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(http.StatusMethodNotAllowed, webhook.CauseMethod, "only POST is taken here")
	case len(body) > webhook.MaxBody:
		receipt.Size = max(r.ContentLength, receipt.Size)
		refuse(http.StatusRequestEntityTooLarge, webhook.CauseTooLarge, "the body is larger than 256 KiB")
	case !subscription.Active:
		refuse(http.StatusUnauthorized, webhook.CauseDisabled, "this subscription is switched off")
	default:
		outcome := webhook.Verify(policy, webhook.Request{Method: r.Method, Header: headerLines(r.Header), Body: body,
			At: receipt.ReceivedAt, Addr: web.ClientIP(r)})
		if receipt.Checks = outcome.Checks; outcome.Refused {
			refuse(outcome.Answer, outcome.Cause, outcome.Line)
		}
	}
	if _, _, err := c.DB.Receive(r.Context(), receipt); err != nil {
		c.Log.ErrorContext(r.Context(), "store a delivery", "error", err, "subscription", subscription.ID, "request", web.RequestIDOf(r.Context()))
		return say(w, http.StatusServiceUnavailable, "try again: the store does not answer")
	}
	return say(w, receipt.Answer, reason)
}

// say answers a machine: one line of plain text.
func say(w http.ResponseWriter, status int, line string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if line != "ok" {
		line += "\n"
	}
	_, err := io.WriteString(w, line)
	return err
}

// headerLines lists headers as received, one entry per line.
func headerLines(h http.Header) []webhook.Header {
	var lines []webhook.Header
	for name, values := range h {
		for _, value := range values {
			lines = append(lines, webhook.Header{Name: name, Value: value})
		}
	}
	return lines
}

// splitHeaders sorts headers by name and keeps those that prove who sends apart: known names, what the policy asks for,
// and what the subscription has secrets for, asked for at the moment or not.
func splitHeaders(h http.Header, s webhook.Subscription, policy webhook.Policy) (shown, credentials [][2]string) {
	credential := func(name string) bool {
		return policy.Credential(name) || strings.EqualFold(name, s.SignatureHeader) ||
			slices.ContainsFunc(s.Secrets, func(n webhook.SecretNote) bool { return strings.EqualFold(name, n.Name) })
	}
	for name, values := range h {
		for _, value := range values {
			pair := [2]string{strings.ToLower(name), strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "�")}
			if credential(name) {
				credentials = append(credentials, pair)
			} else {
				shown = append(shown, pair)
			}
		}
	}
	byName := func(a, b [2]string) int { return strings.Compare(a[0], b[0]) }
	slices.SortStableFunc(shown, byName)
	slices.SortStableFunc(credentials, byName)
	return shown, credentials
}
