package lookup

import (
	"math"
	"time"
)

// TookBounds are the upper bounds of the stretches in which times to an answer are counted; the last stretch has none.
// The schema's took_bounds repeats them.
var TookBounds = []time.Duration{
	5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second, 45 * time.Second,
	time.Minute, 90 * time.Second, 2 * time.Minute, 3 * time.Minute, 4 * time.Minute, 5 * time.Minute, 6 * time.Minute, 8 * time.Minute,
	10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// SourceHour counts the attempts of one source that were sent within one clock hour, by what became of them.
type SourceHour struct {
	Dialect  Dialect
	Platform Platform
	Hour     time.Time
	Tally
}

// Tally counts attempts. Started is the sum of Refused, Success, Incomplete, Error, Expired and those still open.
type Tally struct {
	Started      int64
	Refused      int64 // the vendor did not take them up
	Heard        int64 // a webhook told an outcome
	Asked        int64 // none did; the vendor, asked, told it
	Success      int64
	Incomplete   int64 // the person has to act: the source worked
	Error        int64 // failed at the source
	Expired      int64 // no outcome was ever told
	Took         []int64
	FailedAt     time.Time // newest failure, zero when none
	FailedDetail string
}

// Add adds another tally to t.
func (t *Tally) Add(o Tally) {
	t.Started += o.Started
	t.Refused += o.Refused
	t.Heard += o.Heard
	t.Asked += o.Asked
	t.Success += o.Success
	t.Incomplete += o.Incomplete
	t.Error += o.Error
	t.Expired += o.Expired
	if t.Took == nil {
		t.Took = make([]int64, len(TookBounds)+1)
	}
	for i := range min(len(o.Took), len(t.Took)) {
		t.Took[i] += o.Took[i]
	}
	if o.FailedAt.After(t.FailedAt) {
		t.FailedAt, t.FailedDetail = o.FailedAt, o.FailedDetail
	}
}

// Failed is how many the source, or the vendor on the way to it, did not answer.
func (t Tally) Failed() int64 { return t.Error + t.Expired }

// Judged is how many tell of the source's health: a person who has to mend something first says nothing of it, and
// neither does what the vendor refused to take up.
func (t Tally) Judged() int64 { return t.Success + t.Failed() }

// Rate gives the share of successes among those judged, in tenths of a percent; false when none is.
func (t Tally) Rate() (tenths int, ok bool) {
	if t.Judged() == 0 {
		return 0, false
	}
	return int(t.Success * 1000 / t.Judged()), true
}

// Unheard is how many were taken up, and no webhook told an outcome of: the missing ones, and those still in time.
func (t Tally) Unheard() int64 { return max(t.Started-t.Refused-t.Heard, 0) }

// Nothing is how many of the unheard nobody knows the outcome of yet.
func (t Tally) Nothing() int64 { return max(t.Unheard()-t.Asked-t.Expired, 0) }

// Median estimates the median time from sending to the webhook that told the outcome, within the stretch in which it
// lies; false when none was told. Beyond the last bound it gives that bound.
func (t Tally) Median() (time.Duration, bool) {
	var all int64
	for _, n := range t.Took {
		all += n
	}
	if all == 0 {
		return 0, false
	}
	middle, before := float64(all)/2, 0.0
	low := time.Duration(0)
	for i, n := range t.Took {
		if i >= len(TookBounds) {
			break
		}
		high := TookBounds[i]
		if here := float64(n); n > 0 && before+here >= middle {
			share := (middle - before) / here
			return (low + time.Duration(math.Round(share*float64(high-low)))).Round(time.Second), true
		}
		before += float64(n)
		low = high
	}
	return low, true
}

// Blame answers "is it us or the source?".
type Blame string

const (
	BlameNobody  Blame = "nobody"  // it works
	BlameSource  Blame = "source"  // the source does not answer
	BlameUs      Blame = "us"      // our side of the way: a refused key, notices that do not arrive
	BlameBoth    Blame = "both"    //
	BlameUnknown Blame = "unknown" // too few lookups to tell
)

// When a source is said to fail: at least BlameLeast lookups of the last BlameHours clock hours can be judged, and half
// of them failed.
const (
	BlameHours = 3
	BlameLeast = 5
)

// Diagnosis is the answer with what it rests on.
type Diagnosis struct {
	Blame    Blame
	Dialect  Dialect  // of the worst source, "" when none was asked
	Platform Platform //
	Tally    Tally    // of that source in the hours looked at
	Ours     string   // what is wrong on our side: "paused", or the console's word for receiving; "" when nothing
}

// Diagnose judges the hours from BlameHours before now on. ours is what is known to be wrong on our side, "" when nothing.
func Diagnose(hours []SourceHour, ours string, now time.Time) Diagnosis {
	type source struct {
		dialect  Dialect
		platform Platform
	}
	since := now.UTC().Truncate(time.Hour).Add(-(BlameHours - 1) * time.Hour)
	var order []source
	tallies := map[source]*Tally{}
	for _, h := range hours {
		if h.Hour.Before(since) {
			continue
		}
		key := source{h.Dialect, h.Platform}
		if tallies[key] == nil {
			tallies[key], order = &Tally{}, append(order, key)
		}
		tallies[key].Add(h.Tally)
	}
	d := Diagnosis{Blame: BlameUnknown, Ours: ours}
	failing := false
	for _, key := range order {
		t := *tallies[key]
		bad := t.Judged() >= BlameLeast && t.Failed()*2 >= t.Judged()
		// The worst one is told of: one that fails before one that works, and then the one asked most.
		if d.Dialect == "" || bad && !failing || bad == failing && t.Judged() > d.Tally.Judged() {
			d.Dialect, d.Platform, d.Tally = key.dialect, key.platform, t
		}
		failing = failing || bad
		if t.Refused >= BlameLeast && t.Refused*2 >= t.Started && d.Ours == "" {
			d.Ours = OursRefused
		}
	}
	switch {
	case failing && d.Ours != "":
		d.Blame = BlameBoth
	case failing:
		d.Blame = BlameSource
	case d.Ours != "":
		d.Blame = BlameUs
	case d.Tally.Judged() >= BlameLeast:
		d.Blame = BlameNobody
	}
	return d
}

// OursRefused and OursPaused say that the vendor refuses what we ask, and that it refused our key.
const (
	OursRefused = "refused"
	OursPaused  = "paused"
)
