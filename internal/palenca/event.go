package palenca

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// ErrUnreadable tells that a body is not JSON or not of a shape that can be an event. Such a delivery is kept and
// answered with 200: sending it again would not make it readable.
var ErrUnreadable = errors.New("palenca: unreadable event")

// longest bounds each value of an event, in bytes; all known ones are under 64.
const longest = 512

// phases are the events that move an attempt: the four documented ones and login.failed_refresh, which only the schema
// has but whose name leaves no doubt. The rest of the schema's set, and whatever comes later, is PhaseUnknown.
var phases = map[string]lookup.Phase{
	"login.created":        lookup.PhaseOpened,
	"login.success":        lookup.PhaseSucceeded,
	"login.incomplete":     lookup.PhaseIncomplete,
	"login.error":          lookup.PhaseFailed,
	"login.failed_refresh": lookup.PhaseRefreshFailed,
}

// LoginEvents are the documented events, to which a webhook of ours subscribes (docs/vendor.md#webhook-payload).
var LoginEvents = []string{"login.created", "login.success", "login.incomplete", "login.error"}

// eventJSON are the fields that both shapes share. webhook_id and country, which some pages have, add nothing.
type eventJSON struct {
	Action        text `json:"webhook_action"`
	AccountID     text `json:"account_id"`
	UserID        text `json:"user_id"`
	ExternalID    text `json:"external_id"`
	Platform      text `json:"platform"`
	StatusDetails text `json:"status_details"`
}

// uuidForm is how we write an attempt's id; an external_id of any other form was given by someone else.
var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseEvent reads the body of a delivery: the present shape, with "data" and "webhook_url", and the flat one of the
// vendor's oldest page (docs/vendor.md#webhook-payload). A login event has to name an account; an unknown event need not.
//
// The payload has neither an event id nor a time, so Event.Key is made of what tells one fact from another: account,
// action and status_details, as received but with every spelling of "absent" alike. It says nothing of the attempt; the
// caller adds it. An id of ours that came back is Event.ExternalID in lower case.
func ParseEvent(body []byte) (webhook.Event, error) {
	if len(body) > webhook.MaxBody {
		return webhook.Event{}, ErrUnreadable
	}
	// Decoding into a map first keeps Go's case-insensitive field matching away from the wrapper.
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		return webhook.Event{}, ErrUnreadable
	}
	inner := body
	if data := bytes.TrimSpace(top["data"]); len(data) > 0 && data[0] == '{' {
		inner = data
	}
	var j eventJSON
	if json.Unmarshal(inner, &j) != nil || j.Action == "" {
		return webhook.Event{}, ErrUnreadable
	}
	for _, t := range []text{j.Action, j.AccountID, j.UserID, j.ExternalID, j.Platform, j.StatusDetails} {
		if len(t) > longest {
			return webhook.Event{}, ErrUnreadable
		}
	}
	e := webhook.Event{
		Dialect: lookup.Palenca, Action: string(j.Action), AccountID: string(j.AccountID), UserID: string(j.UserID),
		Platform: string(j.Platform), Report: lookup.Report{Phase: lookup.PhaseUnknown, Detail: string(j.StatusDetails)},
	}
	if phase, ok := phases[e.Action]; ok {
		if e.AccountID == "" {
			return webhook.Event{}, ErrUnreadable
		}
		e.Report.Phase = phase
	}
	if e.Action == "login.error" && e.Report.Detail == "failed_refresh" {
		// The schema also has this as a detail: what failed is a refresh, and an earlier success stands.
		e.Report.Phase = lookup.PhaseRefreshFailed
	}
	if id := strings.ToLower(string(j.ExternalID)); uuidForm.MatchString(id) {
		e.ExternalID = id
	}
	e.Key = key(e)
	return e, nil
}

// key writes the parts as a JSON list, so that no value can pass for the border between two.
func key(e webhook.Event) string {
	parts := []any{string(e.Dialect), e.AccountID, e.Action, nil}
	if e.AccountID == "" {
		parts[1] = "user:" + e.UserID // user.created and its like
	}
	if e.Report.Detail != "" {
		parts[3] = e.Report.Detail
	}
	b, _ := json.Marshal(parts) // strings and nil always marshal
	return string(b)
}
