package seed

import (
	"crypto/sha256"
	"time"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// eventBody is a delivery's body as the vendor writes one (docs/vendor.md#webhook-payload).
func eventBody(a *Attempt, external, platform, detail, action string) []byte {
	var t text
	t.field(`{"webhook_url":"https://console.invalid/hooks/seed","data":{"user_id":`, a.VendorUserID)
	t.field(`,"account_id":`, a.AccountID)
	t.field(`,"external_id":`, external)
	t.field(`,"platform":`, platform)
	t.field(`,"status_details":`, detail)
	t.field(`,"webhook_action":`, action)
	t.raw(`}}`)
	return t
}

// eventKey is how package palenca writes the key of a fact; a test holds the two together.
func eventKey(account, action, detail string) string {
	var t text
	t.field(`["palenca",`, account)
	t.field(`,`, action)
	t.field(`,`, detail)
	t.raw(`]`)
	return string(t)
}

// received is a stored request, accepted unless the caller says otherwise.
func (m *maker) received(at time.Time, body []byte) Delivery {
	sum := sha256.Sum256(body)
	d := Delivery{TwinOf: None, Attempt: None, Event: None}
	d.UID, d.ReceivedAt, d.RemoteAddr, d.Method = m.uuid(), at, "203.0.113.20", "POST"
	d.Body, d.Size, d.SHA256 = body, len(body), sum[:]
	d.Verdict, d.Answered, d.AnswerMicros = webhook.Accepted, 200, 700+m.IntN(9000)
	d.ProcessedAt, d.Attempts = at.Add(m.between(3*time.Millisecond, 400*time.Millisecond)).Truncate(time.Microsecond), 1
	return d
}

// told adds a delivery with an event of an attempt, and gives its index.
func (m *maker) told(attempt int, action, detail string, phase lookup.Phase, at time.Time) int {
	l := m.l
	a := &l.Attempts[attempt]
	d := m.received(at, eventBody(a, a.UID.String(), string(l.Platform), detail, action))
	d.Action, d.AccountID, d.Attempt, d.Event = action, a.AccountID, attempt, len(a.Events)
	if phase == lookup.PhaseUnknown {
		d.Verdict, d.Cause = webhook.Ignored, webhook.CauseUnknownEvent
	}
	n := len(l.Deliveries)
	l.Deliveries = append(l.Deliveries, d)
	a.Events = append(a.Events, Event{Delivery: n, ReceivedAt: at, Event: webhook.Event{Action: action, AccountID: a.AccountID,
		Key: eventKey(a.AccountID, action, detail), Report: lookup.Report{Phase: phase, Detail: detail}}})
	return n
}

func (d *Delivery) change(what, before, after string) {
	d.Changes = append(d.Changes, webhook.Change{What: what, Before: before, After: after})
}

// extra adds one of the deliveries that a real hook gets besides the plain story: repetitions, words outside the
// documented set, accounts of others, nonsense, refusals.
func (m *maker) extra() {
	l := m.l
	var own []int // deliveries that told something
	for i, d := range l.Deliveries {
		if d.Event != None && d.TwinOf == None {
			own = append(own, i)
		}
	}
	r := m.IntN(100)
	if len(own) == 0 {
		r = 76 + m.IntN(24)
	}
	later := func(n int, low, high time.Duration) time.Time {
		at := l.Deliveries[n].ReceivedAt.Add(m.between(low, high)).Truncate(time.Microsecond)
		if at.After(m.plan.Now) {
			at = m.plan.Now.Truncate(time.Microsecond)
		}
		return at
	}
	switch {
	case r < 56: // the vendor did not see our answer and sent the same again
		n := pick(m, own)
		d := m.received(later(n, 25*time.Second, 2*time.Minute), l.Deliveries[n].Body)
		d.Verdict, d.Cause, d.TwinOf, d.Attempts = webhook.Duplicate, webhook.CauseSameBytes, n, 0
		l.Deliveries = append(l.Deliveries, d)
	case r < 68: // the same fact in other bytes
		n := pick(m, own)
		first := l.Deliveries[n]
		a := &l.Attempts[first.Attempt]
		e := a.Events[first.Event]
		d := m.received(later(n, time.Minute, 15*time.Minute), eventBody(a, "None", string(l.Platform), e.Report.Detail, e.Action))
		d.Verdict, d.Cause, d.TwinOf, d.Attempt, d.Event = webhook.Duplicate, webhook.CauseSameFact, n, first.Attempt, first.Event
		d.Action, d.AccountID = first.Action, first.AccountID
		a.Moments = append(a.Moments, Moment{At: d.ReceivedAt, Kind: lookup.MomentRepeated, Text: d.Action, Delivery: len(l.Deliveries)})
		l.Deliveries = append(l.Deliveries, d)
	case r < 76: // an event outside the documented set
		n := pick(m, own)
		attempt := l.Deliveries[n].Attempt
		a := &l.Attempts[attempt]
		for _, e := range a.Events {
			if e.Action == "login.retry" {
				return // a fact is told once; the caller asks again
			}
		}
		at := later(n, time.Minute, time.Hour)
		n = m.told(attempt, "login.retry", "", lookup.PhaseUnknown, at)
		a.Moments = append(a.Moments, Moment{At: at, Kind: lookup.MomentUnknown, Text: "login.retry", Delivery: n})
	default:
		m.stray(r)
	}
}

// stray adds a delivery that belongs to no lookup of ours.
func (m *maker) stray(r int) {
	l := m.l
	at := l.RequestedAt.Add(-m.between(0, time.Hour)).Truncate(time.Microsecond)
	a := &Attempt{VendorUserID: m.uuid().String()}
	a.AccountID = m.uuid().String()
	d := m.received(at, eventBody(a, "None", string(l.Platform), "pending_for_data", "login.created"))
	switch {
	case r < 86:
		d.Verdict, d.Cause, d.Action, d.AccountID = webhook.Unmatched, webhook.CauseForeign, "login.created", a.AccountID
	case r < 90:
		d = m.received(at, []byte(`{"ping":"`+a.AccountID+`"}`))
		d.Verdict, d.Cause = webhook.Ignored, webhook.CauseUnreadable
	case r < 96:
		d.Verdict, d.Cause, d.Answered, d.Attempts = webhook.Refused, webhook.CauseDisabled, 401, 0
	default:
		d = m.received(at, []byte{})
		d.Method, d.Verdict, d.Cause, d.Answered, d.Attempts = "GET", webhook.Refused, webhook.CauseMethod, 405, 0
	}
	l.Deliveries = append(l.Deliveries, d)
}
