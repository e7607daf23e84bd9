package buro

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// ErrUnreadable tells that a body is not JSON or not of a shape that can be an event. Such a delivery is kept and
// answered with 200: sending it again would not make it readable.
var ErrUnreadable = errors.New("buro: unreadable event")

const (
	longest      = 512 // bytes of each value of an event; all known ones are under 64
	mostEntities = 64  // entities of one event; six are documented
)

// The two events that the vendor has had. The second is no longer sent unless somebody subscribed to it by name.
const (
	EventCompleted  = "verification.completed"
	EventHistorical = "verification.historical"
)

// Facts is what an event of this dialect says beyond what both vendors' events share.
type Facts struct {
	Status        string   // the vendor's word; "" when missing
	Entities      []string // the kinds of data to fetch, as received, each once; an open set
	CanRetry      bool     // a new verification may find what this one could not; at most two a day
	DataAvailable bool     // false also when the event does not say
	Identifier    string   // the CURP or RFC as received: personal data, and not to be trusted to be well formed
	UpdatedAt     string   // last_updated_at as received, with up to nine decimals
	Deprecated    bool     // verification.historical
}

// LogValue keeps the person out of logs.
func (f Facts) LogValue() slog.Value {
	return slog.GroupValue(slog.String("status", f.Status), slog.Any("entities", f.Entities), slog.Bool("can_retry", f.CanRetry))
}

type eventJSON struct {
	Event          text       `json:"event"`
	VerificationID text       `json:"verification_id"`
	Identifier     text       `json:"identifier"`
	Status         text       `json:"status"`
	Available      flag       `json:"data_available"`
	CanRetry       flag       `json:"can_retry"`
	Entities       many[text] `json:"entities"`
	UpdatedAt      text       `json:"last_updated_at"`
	ExternalID     text       `json:"external_id"`
}

// uuidForm is how we write an attempt's id; an external_id of any other form was given by someone else.
var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseEvent reads the body of a delivery (docs/vendor-buro.md#buro-webhook). Both known events have to name a
// verification, which is Event.AccountID; an unknown event need not, and is PhaseUnknown whatever it says. A known event
// without a status is read as its name says.
//
// The payload has no event id, so Event.Key is made of what tells one fact from another, as received: event,
// verification, status, both flags, the sorted entities and last_updated_at. "timestamp" is when it was sent, so a
// redelivery may have another, and stays out. The key holds no personal data, since keys outlive bodies.
func ParseEvent(body []byte) (webhook.Event, Facts, error) {
	unreadable := func() (webhook.Event, Facts, error) { return webhook.Event{}, Facts{}, ErrUnreadable }
	if len(body) > webhook.MaxBody {
		return unreadable()
	}
	var j eventJSON
	if json.Unmarshal(body, &j) != nil || j.Event == "" || len(j.Entities) > mostEntities {
		return unreadable()
	}
	for _, t := range append(many[text]{j.Event, j.VerificationID, j.Identifier, j.Status, j.UpdatedAt, j.ExternalID}, j.Entities...) {
		if len(t) > longest {
			return unreadable()
		}
	}
	f := Facts{
		Status: string(j.Status), Entities: words(j.Entities), CanRetry: on(j.CanRetry.b), DataAvailable: on(j.Available.b),
		Identifier: string(j.Identifier), UpdatedAt: string(j.UpdatedAt), Deprecated: j.Event == EventHistorical,
	}
	e := webhook.Event{
		Dialect: lookup.Buro, Action: string(j.Event), AccountID: string(j.VerificationID),
		Report: lookup.Report{Phase: lookup.PhaseUnknown},
	}
	if e.Action == EventCompleted || e.Action == EventHistorical {
		if e.AccountID == "" {
			return unreadable()
		}
		status := f.Status
		if status == "" {
			status = "completed"
		}
		e.Report = report(status, j.Available.b, j.CanRetry.b, f.Entities)
		e.Entities = entities(e.Report, f.Entities)
	}
	e.Deprecated, e.Dated = f.Deprecated, f.UpdatedAt != ""
	if id := strings.ToLower(string(j.ExternalID)); uuidForm.MatchString(id) {
		e.ExternalID = id
	}
	e.Key = key(e, f, j, body)
	return e, f, nil
}

// entities are what a success names; none at all where it says that there is nothing, and nil where it does not say.
func entities(r lookup.Report, named []string) []lookup.Entity {
	if r.Phase != lookup.PhaseSucceeded || len(named) == 0 && r.Detail != DetailNoData {
		return nil
	}
	list := make([]lookup.Entity, len(named))
	for i, name := range named {
		list[i] = lookup.Entity(name)
	}
	return list
}

// key writes the parts as a JSON list, so that no value can pass for the border between two. What is absent is null
// there, however it was spelled. An event that names no verification is told from others by its bytes alone.
func key(e webhook.Event, f Facts, j eventJSON, body []byte) string {
	id := e.AccountID
	if id == "" {
		sum := sha256.Sum256(body)
		id = "body:" + hex.EncodeToString(sum[:])
	}
	sorted := append([]string{}, f.Entities...)
	slices.Sort(sorted)
	or := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	b, _ := json.Marshal([]any{
		string(e.Dialect), id, e.Action, or(f.Status), j.Available.b, j.CanRetry.b, sorted, or(f.UpdatedAt),
	}) // strings, booleans and nil always marshal
	return string(b)
}
