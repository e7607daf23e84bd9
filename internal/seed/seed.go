// Package seed invents lookups with everything around them, for demonstrations and measurements: people with valid
// CURPs, attempts, deliveries as the vendor words them, profiles and employment histories. Nobody in it exists. What it
// invents depends on the plan and the ids alone, so two runs give the same.
package seed

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/consent"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/webhook"
)

// Plan says how much to invent.
type Plan struct {
	Lookups    int
	Deliveries int
	FirstID    int64     // of the lookups; ids never come back, so neither do the people invented from them
	Now        time.Time // the end of the two years over which lookups are spread
	Bulk       bool      // have the database load it as it loads a large one, however small
}

// Years is how far back the oldest lookup lies.
const Years = 2

// MostAttempts is how many a lookup has at most.
const MostAttempts = 2

// None stands for no index.
const None = -1

// Lookup is one invented lookup with all that belongs to it.
type Lookup struct {
	lookup.Row
	NSS        string
	Analyst    int // index into Analysts
	Consent    consent.Record
	Attempts   []Attempt // oldest first
	Deliveries []Delivery
}

// Attempt is one try at the vendor, with its story.
type Attempt struct {
	lookup.Attempt
	VendorUserID string
	Moments      []Moment
	Events       []Event
	Pulls        []Pull
}

// Moment is a line of the story; Delivery is an index into the lookup's deliveries, or None.
type Moment struct {
	At        time.Time
	Kind      lookup.MomentKind
	Status    lookup.Status
	Text      string
	ByAnalyst bool
	Delivery  int
	TookMS    int
}

// Event is a fact told by a delivery.
type Event struct {
	webhook.Event
	Delivery   int // index into the lookup's deliveries
	ReceivedAt time.Time
}

// Delivery is a request to our hook. The indexes are those of the lookup it stands with, or None: a stray delivery has
// neither attempt nor event.
type Delivery struct {
	webhook.Delivery
	TwinOf  int
	Attempt int
	Event   int // index into the attempt's events
}

// Pull is one fetch; Profile or History is set when there was something to read.
type Pull struct {
	UID       uuid.UUID
	Kind      string // profile or employment
	State     lookup.PullState
	Event     int // index into the attempt's events, or None
	FetchedAt time.Time
	Status    int // HTTP
	TookMS    int
	Code      string
	Body      []byte
	Profile   *profile.Profile
	History   *employment.History
}

// Lookups invents the plan's lookups, by rising id. Together they have exactly the plan's deliveries.
func Lookups(p Plan) iter.Seq[*Lookup] {
	return func(yield func(*Lookup) bool) {
		left := p.Deliveries
		for i := range p.Lookups {
			// What this lookup may use: an even share of what is left, rounded up, so that the last one takes the rest.
			toGo := p.Lookups - i
			share := (left + toGo - 1) / toGo
			m := newMaker(p, i)
			l := m.lookup(share, left)
			left -= len(l.Deliveries)
			if !yield(l) {
				return
			}
		}
	}
}

// maker invents one lookup. Its dice are thrown from the id alone.
type maker struct {
	*rand.Rand
	plan  Plan
	index int
	id    int64
	l     *Lookup
}

func newMaker(p Plan, index int) *maker {
	id := p.FirstID + int64(index)
	return &maker{Rand: rand.New(rand.NewPCG(uint64(id), 0xC07E10)), plan: p, index: index, id: id}
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func (m *maker) uuid() uuid.UUID {
	var u uuid.UUID
	for i := 0; i < 16; i += 8 {
		n := m.Uint64()
		for j := range 8 {
			u[i+j] = byte(n >> (8 * j))
		}
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80 // RFC 9562 version 4
	return u
}

// between is a length of time from the range.
func (m *maker) between(low, high time.Duration) time.Duration {
	return low + time.Duration(m.Int64N(int64(high-low)))
}

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

// mexico is the capital's offset all year round: there has been no summer time since October 2022.
const mexico = -6 * time.Hour

// requestedAt spreads lookups over two years, a little denser towards today, in office hours, few of them on Sundays.
func (m *maker) requestedAt() time.Time {
	from := m.plan.Now.AddDate(-Years, 0, 0)
	share := (float64(m.index) + m.Float64()) / float64(m.plan.Lookups)
	at := from.Add(time.Duration(share * (1.15 - 0.15*share) * float64(m.plan.Now.Sub(from))))
	day := at.Truncate(24 * time.Hour)
	if day.Weekday() == time.Sunday && m.chance(85) {
		day = day.AddDate(0, 0, 1)
	}
	hours := time.Duration((m.Float64() + m.Float64()) / 2 * float64(12*time.Hour)) // most towards the middle of the day
	at = day.Add(8*time.Hour - mexico + hours)
	fresh := min(m.plan.Lookups/100+2, 500) // so that there is always something to wait for
	if m.index >= m.plan.Lookups-fresh || !at.Before(m.plan.Now.Add(-time.Minute)) {
		at = m.plan.Now.Add(-m.between(time.Minute, 6*time.Hour))
	}
	return at.Truncate(time.Microsecond) // as fine as PostgreSQL keeps a time
}

// Analysts are the invented colleagues who asked. Nobody can sign in as one of them.
var Analysts = []struct{ Email, Name string }{
	{"lucia.robles@seed.invalid", "Lucía Robles"}, {"hector.ponce@seed.invalid", "Héctor Ponce"},
	{"mariana.ochoa@seed.invalid", "Mariana Ochoa"}, {"ivan.zarate@seed.invalid", "Iván Zárate"},
	{"paloma.cano@seed.invalid", "Paloma Cano"}, {"rodrigo.lira@seed.invalid", "Rodrigo Lira"},
}
