package lookup

import (
	"time"

	"github.com/google/uuid"
)

// Past is what is known of a person at one vendor before they are asked about again.
type Past struct {
	Dialect     Dialect
	Platform    Platform
	State       State     // of the latest attempt
	SettledAt   time.Time // of the latest attempt, zero while open
	LastSuccess time.Time // newest of the person at this source, of whatever lookup; zero when none
	SuccessOf   uuid.UUID // the lookup of that success
	Elsewhere   uuid.UUID // another lookup of the person at this source that has an attempt under way; zero when none
	Today       int       // attempts that the vendor took up for this person since its day began (Day)
	Throttled   time.Time // newest failure of the person at this source because the source throttles; zero when none
	ConsentEnds time.Time // of the consent on record
	Paused      bool      // the connection makes no calls
}

// LimitKind is why asking again is not to be done thoughtlessly. Each has its sentences in the message files under again.limit.
type LimitKind string

const (
	LimitOpen          LimitKind = "open"           // an attempt is under way
	LimitConsent       LimitKind = "consent"        // the consent has ended
	LimitRecentSuccess LimitKind = "recent_success" // a success under 12 hours ago
	LimitElsewhere     LimitKind = "elsewhere"      // another lookup is asking about the person at this moment
	LimitDaily         LimitKind = "daily"          // the vendor's attempts of today are used up
	LimitLastToday     LimitKind = "last_today"     // this would be the last of today
	LimitThrottled     LimitKind = "throttled"      // the source throttles: the vendor advises to try the next day
	LimitPerson        LimitKind = "person"         // the person has to mend something first
	LimitPaused        LimitKind = "paused"         // it would wait until the connection is resumed
)

// Weight is how grave a limit is.
type Weight int

const (
	Hint    Weight = iota // to be known
	Wasted                // the vendor would take it and probably bill it, for nothing
	Refused               // the vendor would refuse it
	Barred                // not possible with us either
)

// Limit is one thing that stands against asking again now.
type Limit struct {
	Kind   LimitKind
	Weight Weight
	Until  time.Time // when it is over by itself; zero when it is not
	Since  time.Time // what it counts from; zero when nothing
}

// The vendor's limits (docs/vendor.md#errors, docs/vendor-buro.md#buro-limits).
const (
	RecentSuccess = 12 * time.Hour
	DailyAttempts = 2
)

// DetailThrottled is the status detail with which a source throttles the vendor (docs/vendor.md#rate-limit).
const DetailThrottled = "too_many_requests"

// DayZone is where the vendor's day begins at midnight. Whose midnight counts is on no page; ours is the choice of the
// client of that dialect (docs/vendor-buro.md#buro-limits). Mexico City has had no summer time since 2022.
var DayZone = dayZone()

func dayZone() *time.Location {
	if zone, err := time.LoadLocation("America/Mexico_City"); err == nil {
		return zone
	}
	return time.FixedZone("America/Mexico_City", -6*60*60)
}

// Day gives the beginning and the end of the vendor's day that now is in.
func Day(now time.Time) (begin, end time.Time) {
	y, m, d := now.In(DayZone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, DayZone), time.Date(y, m, d+1, 0, 0, 0, 0, DayZone)
}

// Limits lists what stands against asking about this person again, the gravest first. None of them is known for certain
// but to the vendor: they come from what we sent and were told, and others may ask about the same person with the same key.
func Limits(p Past, now time.Time) []Limit {
	begin, tomorrow := Day(now)
	var barred, refused, wasted, hints []Limit
	if p.State.Status.Open() {
		barred = append(barred, Limit{Kind: LimitOpen, Weight: Barred})
	}
	if !p.ConsentEnds.After(now) {
		barred = append(barred, Limit{Kind: LimitConsent, Weight: Barred, Since: p.ConsentEnds})
	}
	if p.Dialect == Buro && p.Today >= DailyAttempts {
		refused = append(refused, Limit{Kind: LimitDaily, Weight: Refused, Until: tomorrow})
	}
	if recent := p.LastSuccess.Add(RecentSuccess); !p.LastSuccess.IsZero() && now.Before(recent) {
		l := Limit{Kind: LimitRecentSuccess, Weight: Refused, Since: p.LastSuccess, Until: recent}
		if p.Dialect == Palenca {
			refused = append(refused, l)
		} else {
			l.Weight = Wasted
			wasted = append(wasted, l)
		}
	}
	if p.Elsewhere != uuid.Nil {
		wasted = append(wasted, Limit{Kind: LimitElsewhere, Weight: Wasted})
	}
	if !p.Throttled.Before(begin) && !p.Throttled.IsZero() {
		wasted = append(wasted, Limit{Kind: LimitThrottled, Weight: Wasted, Since: p.Throttled, Until: tomorrow})
	}
	if p.State.Status == Incomplete {
		wasted = append(wasted, Limit{Kind: LimitPerson, Weight: Wasted, Since: p.SettledAt})
	}
	if p.Dialect == Buro && p.Today == DailyAttempts-1 {
		hints = append(hints, Limit{Kind: LimitLastToday, Weight: Hint, Until: tomorrow})
	}
	if p.Paused {
		hints = append(hints, Limit{Kind: LimitPaused, Weight: Hint})
	}
	return append(append(append(barred, refused...), wasted...), hints...)
}

// Gravest gives the greatest weight among limits, and false when there are none.
func Gravest(limits []Limit) (Weight, bool) {
	if len(limits) == 0 {
		return Hint, false
	}
	gravest := Hint
	for _, l := range limits {
		gravest = max(gravest, l.Weight)
	}
	return gravest, true
}

// Next is what a new attempt after a state is: looking again at what is known, or trying again what failed.
func (s State) Next() Source {
	if s.Status == Success {
		return SourceRefresh
	}
	return SourceRetry
}

// DetailMayRetry is the detail with which Buró says that nothing was found because something broke, and that a new
// verification may find it (docs/vendor-buro.md#buro-outcome).
const DetailMayRetry = "verification_error_can_retry"

// RetriesItself tells whether Cotejo asks once more by itself about an attempt that came to this state: the vendor says
// that it may help, it was not done for this lookup yet, a consent lives, and an attempt of today is left.
func RetriesItself(s State, p Past, before int, now time.Time) bool {
	return s.Status == Error && s.Detail == DetailMayRetry && before == 0 && p.ConsentEnds.After(now) && p.Today < DailyAttempts
}
