package sandbox

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

// perWebhook bounds the attempts under way to one webhook, so that a receiver
// that hangs holds up its own deliveries only.
const perWebhook = 8

// appointment is a moment at which an extraction ends or a delivery is tried.
// It is only a reminder: the row decides, so a stale one does no harm.
type appointment struct {
	at       time.Time
	login    string
	verified string // a verification
	delivery string
}

// agenda implements heap.Interface, the earliest appointment on top.
type agenda []appointment

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

// schedule is the work of Run that is not state: it is rebuilt at every start.
type schedule struct {
	agenda agenda
	ready  map[string][]*delivery // webhook → deliveries waiting for a free slot
	busy   map[string]int         // webhook → attempts under way
	taken  map[string]bool        // deliveries waiting or under way
	held   map[string][]string    // delivery → those that wait for its first attempt
	// webhook and account → created event that has not been tried yet
	untried map[string]string
	swaps   map[string]string // swapKey → delivery that waits for the next one
}

func newSchedule() schedule {
	return schedule{
		ready: map[string][]*delivery{}, busy: map[string]int{}, taken: map[string]bool{},
		held: map[string][]string{}, untried: map[string]string{}, swaps: map[string]string{},
	}
}

// resume makes appointments for everything a former process left undone.
func (s *Server) resume() {
	for id, l := range s.st.logins.rows {
		if !l.DueAt.IsZero() {
			heap.Push(&s.plan.agenda, appointment{at: l.DueAt, login: id})
		}
	}
	for id, v := range s.st.verifications.rows {
		if !v.DueAt.IsZero() {
			heap.Push(&s.plan.agenda, appointment{at: v.DueAt, verified: id})
		}
	}
	for id, d := range s.st.deliveries.rows {
		if d.State == sending {
			if d.Swap {
				s.plan.swaps[d.swapKey()] = id
			}
			if d.Action == "login.created" && len(d.Attempts) == 0 && d.NextAt.Equal(d.CreatedAt) {
				s.plan.untried[d.WebhookID+" "+d.AccountID] = id
			}
			heap.Push(&s.plan.agenda, appointment{at: d.NextAt, delivery: id})
		}
	}
}

// poke makes Run look at the agenda again. It never blocks.
func (s *Server) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run ends extractions and sends webhooks until ctx ends, then returns nil. An
// attempt that this interrupts does not count and is made again after the next
// start. At most one Run at a time.
func (s *Server) Run(ctx context.Context) error {
	var sends sync.WaitGroup
	defer s.client.CloseIdleConnections()
	defer sends.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		start, next := s.due()
		for _, d := range start {
			sends.Go(func() { s.attempt(ctx, d) })
		}
		timer.Reset(next)
	}
}

// due carries out the appointments that have come and returns the deliveries
// to start now and the time to the next appointment.
func (s *Server) due() (start []*delivery, next time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for len(s.plan.agenda) > 0 && !s.plan.agenda[0].at.After(now) {
		a := heap.Pop(&s.plan.agenda).(appointment)
		switch {
		case a.login != "":
			s.endExtraction(a.login, now)
		case a.verified != "":
			s.endVerification(a.verified, now)
		default:
			s.queue(a.delivery, now)
		}
	}
	for hook, ids := range s.plan.ready {
		n := min(len(ids), perWebhook-s.plan.busy[hook])
		start = append(start, ids[:n]...)
		s.plan.busy[hook] += n
		if s.plan.ready[hook] = ids[n:]; len(ids) == n {
			delete(s.plan.ready, hook)
		}
	}
	if err := s.st.log.commit(); err != nil {
		s.cfg.Log.Error("sandbox state not written", "error", err)
	}
	next = time.Hour
	if len(s.plan.agenda) > 0 {
		next = max(s.plan.agenda[0].at.Sub(now), 0)
	}
	return start, next
}

// queue puts a delivery whose time has come into its webhook's line.
func (s *Server) queue(id string, now time.Time) {
	d := s.st.deliveries.get(id)
	if d == nil || d.State != sending || s.plan.taken[id] || d.NextAt.After(now) {
		return
	}
	if !s.open(d) {
		s.st.finish(d, abandoned)
		return
	}
	if before := s.st.deliveries.get(d.After); before != nil && before.State == sending && len(before.Attempts) == 0 && now.Before(d.HoldUntil) {
		s.plan.held[before.ID] = append(s.plan.held[before.ID], id)
		heap.Push(&s.plan.agenda, appointment{at: d.HoldUntil, delivery: id})
		return
	}
	s.plan.taken[id] = true
	s.plan.ready[d.WebhookID] = append(s.plan.ready[d.WebhookID], d)
}

// open tells whether a delivery's webhook still takes any.
func (s *Server) open(d *delivery) bool {
	if d.Dialect == buro {
		e := s.st.endpoints.get(d.WebhookID)
		return e != nil && e.IsActive
	}
	h := s.st.webhooks.get(d.WebhookID)
	return h != nil && h.IsActive
}

// begin opens a login for an account, announces it and sets its end. The
// caller holds the lock and commits.
func (s *Server) begin(a *account, source string) *login {
	now := s.now()
	l := &login{
		ID: uuid.NewString(), Seq: s.st.next(), AccountID: a.ID, BulkID: a.BulkID, Source: source,
		Status: "pending", Details: "pending_for_data", LastAction: "login.created",
		CreatedAt: now, UpdatedAt: now, DueAt: now.Add(s.delay()),
	}
	a.Status, a.Details, a.Warning = l.Status, l.Details, ""
	a.Logins = append(a.Logins, l.ID)
	s.st.logins.put(l.ID, l)
	s.st.accounts.put(a.ID, a)
	if s.struck(atStart, palenca, a.Identifier) != nil { // nothing will ever come
		l.DueAt = time.Time{}
		return l
	}
	s.emit(a, l.LastAction, l.Details)
	heap.Push(&s.plan.agenda, appointment{at: l.DueAt, login: l.ID})
	s.poke()
	return l
}

// endExtraction settles a login on the day it ends.
func (s *Server) endExtraction(id string, now time.Time) {
	l := s.st.logins.get(id)
	if l == nil || l.DueAt.IsZero() || l.DueAt.After(now) {
		return
	}
	a := s.st.accounts.get(l.AccountID)
	o := outcomeOf(a.Platform, a.Identifier, now)
	if c := s.struck(atEnd, palenca, a.Identifier); c != nil {
		o = c.outcome
	}
	s.settle(a, l, o)
	s.emit(a, l.LastAction, l.Details)
}

// settle gives a login and its account their final status.
func (s *Server) settle(a *account, l *login, o outcome) {
	now := s.now()
	l.Status, l.Details, l.LastAction = o.Status, o.Details, "login."+o.Status
	l.DueAt, l.UpdatedAt = time.Time{}, now
	a.Status, a.Details, a.Warning = o.Status, o.Details, o.Warning
	if o.Status == "success" {
		l.Authenticated, a.LastSuccess = now, now
	}
	s.st.logins.put(l.ID, l)
	s.st.accounts.put(a.ID, a)
	s.cfg.Log.Info("login ended", "login", l.ID, "status", l.Status)
}
