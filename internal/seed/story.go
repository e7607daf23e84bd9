package seed

import (
	"fmt"
	"slices"
	"time"

	"cotejo/internal/consent"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
)

// Why attempts fail, with the vendor's codes (docs/vendor.md#status-details).
var (
	personCodes = []string{"curp_has_inconsistencies", "invalid_nss", "social_security_number_mismatch", "nss_not_found_in_imss"}
	faultCodes  = []string{"service_degradation", "platform_unavailable", "request_timeout", "too_many_requests", "unknown"}
)

// final draws how an attempt requested at a moment stands by now. Only fresh ones may still be open.
func (m *maker) final(at time.Time) lookup.Status {
	age := m.plan.Now.Sub(at)
	switch r := m.IntN(100); {
	case age < time.Hour && r < 15:
		return lookup.Queued
	case age < 15*time.Minute: // an outcome would lie in the future
		return lookup.Pending
	case age < 2*24*time.Hour && r < 35:
		return lookup.Pending
	case age > 30*time.Hour && r < 5:
		return lookup.Expired
	case r < 13:
		return lookup.Incomplete
	case r < 23:
		return lookup.Error
	}
	return lookup.Success
}

// lookup invents one with about share deliveries, and not more than left; the last one of a plan takes all that is left.
func (m *maker) lookup(share, left int) *Lookup {
	l := &Lookup{Analyst: m.IntN(len(Analysts))}
	m.l = l
	at := m.requestedAt()
	l.ID, l.UID, l.Environment, l.Dialect = m.id, m.uuid(), lookup.Sandbox, lookup.Palenca
	l.RequestedAt, l.RequestedBy = at, Analysts[l.Analyst].Name
	l.Platform = lookup.IMSS
	if m.chance(18) {
		l.Platform = lookup.ISSSTE
	}
	l.Source = lookup.SourceForm
	if m.chance(35) {
		l.Source = lookup.SourceBulk
	}
	if m.chance(85) {
		l.Reference = fmt.Sprintf("SOL-%d-%06d", at.Year(), m.id%1_000_000)
	}
	owner := m.id
	if m.id%9 == 0 {
		owner -= 1 + m.Int64N(8) // asked about again
	}
	p := m.person(owner)
	l.CURP = p.curp
	// The schema lets no attempt in without a consent that is alive today, so these were given for long enough.
	l.Consent = consent.Record{GivenAt: at, ExpiresAt: m.plan.Now.AddDate(1, 0, m.IntN(365)).Truncate(time.Microsecond), NoticeVersion: "1.0",
		Means: pick(m, consent.Means), Purpose: consent.PurposeCredit, IP: "192.0.2." + fmt.Sprint(1+m.IntN(250))}

	again := m.chance(8) && m.plan.Now.Sub(at) > 3*24*time.Hour
	if again {
		m.attempt(p, l.Source, at, lookup.Error, left)
		at = l.StatusAt.Add(m.between(10*time.Minute, 30*time.Hour)).Truncate(time.Microsecond)
		l.Source = lookup.SourceRefresh
	}
	m.attempt(p, l.Source, at, m.final(at), left)
	l.Source = l.Attempts[0].Source
	// About half of the share to one and a half, so that what is left stays even. The last one takes the rest, in which the
	// search for what to repeat costs little only because the rest is small.
	goal := share/2 + m.IntN(share+1)
	if m.index == m.plan.Lookups-1 {
		goal = left
	}
	for len(l.Deliveries) < min(goal, left) {
		m.extra()
	}
	for i := range l.Attempts {
		slices.SortStableFunc(l.Attempts[i].Moments, func(a, b Moment) int { return a.At.Compare(b.At) })
	}
	return l
}

// attempt adds one try that ended in status, its deliveries and what was fetched, and has the lookup show it.
func (m *maker) attempt(p person, source lookup.Source, at time.Time, status lookup.Status, left int) {
	l := m.l
	l.Attempts = append(l.Attempts, Attempt{})
	a := &l.Attempts[len(l.Attempts)-1]
	a.UID, a.Number, a.Source, a.RequestAt = m.uuid(), len(l.Attempts), source, at
	a.Profile, a.Employment, a.State.Status = lookup.PullNone, lookup.PullNone, lookup.Queued
	tell := func(at time.Time, kind lookup.MomentKind, status lookup.Status, text string, delivery int, took time.Duration) {
		a.Moments = append(a.Moments, Moment{At: at, Kind: kind, Status: status, Text: text, ByAnalyst: kind == lookup.MomentRequested,
			Delivery: delivery, TookMS: int(took.Milliseconds())})
	}
	move := func(at time.Time, status lookup.Status, detail, text string, delivery int) {
		a.State = lookup.State{Status: status, Detail: detail}
		if !status.Open() {
			a.SettledAt = at
		}
		l.State, l.StatusAt = a.State, at
		tell(at, lookup.MomentStatus, status, text, delivery, 0)
	}
	l.State, l.StatusAt = a.State, at
	defer func() { l.Profile, l.Employment = a.Profile, a.Employment }()
	tell(at, lookup.MomentRequested, "", "", None, 0)
	if status == lookup.Queued {
		return
	}
	at = at.Add(m.between(20*time.Millisecond, 2*time.Second)).Truncate(time.Microsecond)
	a.SentAt = at
	tell(at, lookup.MomentSent, "", "", None, 0)
	took := m.between(150*time.Millisecond, 1500*time.Millisecond)
	at = at.Add(took).Truncate(time.Microsecond)
	if status == lookup.Error && m.chance(15) {
		tell(at, lookup.MomentRefused, "", lookup.CodeUnavailable, None, 0)
		move(at, lookup.Error, lookup.CodeUnavailable, lookup.CodeUnavailable, None)
		return
	}
	account := m.uuid()
	a.AccountID, a.VendorUserID = account.String(), m.uuid().String()
	tell(at, lookup.MomentTaken, "", "", None, took)
	move(at, lookup.Pending, "pending_for_data", "", None)

	at = at.Add(m.between(200*time.Millisecond, 3*time.Second)).Truncate(time.Microsecond)
	if len(l.Deliveries) < left {
		n := m.told(len(l.Attempts)-1, "login.created", "pending_for_data", lookup.PhaseOpened, at)
		tell(at, lookup.MomentRepeated, "", "login.created", n, 0)
	}
	at = at.Add(m.between(15*time.Second, 9*time.Minute)).Truncate(time.Microsecond)
	switch status {
	case lookup.Pending:
		return
	case lookup.Expired:
		at = at.Add(24 * time.Hour)
		move(at, lookup.Expired, lookup.CodeNoFinalEvent, lookup.CodeNoFinalEvent, None)
		return
	}
	action, detail, phase := "login.success", "", lookup.PhaseSucceeded
	switch status {
	case lookup.Incomplete:
		action, detail, phase = "login.incomplete", pick(m, personCodes), lookup.PhaseIncomplete
	case lookup.Error:
		action, detail, phase = "login.error", pick(m, faultCodes), lookup.PhaseFailed
	}
	n, event := None, None
	if len(l.Deliveries) < left {
		n = m.told(len(l.Attempts)-1, action, detail, phase, at)
		event = l.Deliveries[n].Event
	}
	move(at, status, detail, action, n)
	if n != None {
		l.Deliveries[n].change("status", string(lookup.Pending), string(status))
	}
	if status == lookup.Success {
		m.fetch(a, p, at, event, n)
	}
}

// fetch adds the two pulls that follow a success.
func (m *maker) fetch(a *Attempt, p person, at time.Time, event, delivery int) {
	l := m.l
	if delivery != None {
		l.Deliveries[delivery].change("profile", string(lookup.PullNone), string(lookup.PullFetching))
		l.Deliveries[delivery].change("employment", string(lookup.PullNone), string(lookup.PullFetching))
	}
	for _, kind := range []string{"profile", "employment"} {
		took := m.between(200*time.Millisecond, 2*time.Second)
		at = at.Add(took).Truncate(time.Microsecond)
		pull := Pull{UID: m.uuid(), Kind: kind, Event: event, FetchedAt: at, Status: 200, TookMS: int(took.Milliseconds())}
		told := Moment{At: at, Delivery: None, TookMS: pull.TookMS}
		switch {
		case m.chance(2):
			pull.State, pull.Status, pull.Code = lookup.PullFailed, 503, "service_unavailable"
			pull.Body = []byte(`{"success":false,"error":{"code":"service_unavailable","message":"Try again later","errors":[]},"data":null}`)
			told.Kind, told.Text = lookup.MomentPullFailed, kind
		case kind == "profile":
			pull.Profile = whoIs(p, a.AccountID, l.Platform)
			pull.State, pull.Body = lookup.PullComplete, profileBody(pull.Profile)
			told.Kind, told.Text = lookup.MomentProfile, string(pull.State)
			l.PersonName, l.NSS = pull.Profile.FullName(), pull.Profile.NSS()
		default:
			pull.History = m.history(p, l, a.AccountID, m.career(p, l.Platform, at), at)
			pull.State, pull.Body = lookup.PullState(pull.History.Complete), employmentBody(pull.History)
			told.Kind, told.Text = lookup.MomentEmployment, string(pull.State)
			l.Gist = employment.Gist(*pull.History)
		}
		if kind == "profile" {
			a.Profile = pull.State
		} else {
			a.Employment = pull.State
		}
		a.Pulls, a.Moments = append(a.Pulls, pull), append(a.Moments, told)
	}
}
