package lookup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// limits writes them one a line: kind, weight, and until when as Mexico City reads it.
func limits(p lookup.Past, now time.Time) string {
	var lines []string
	for _, l := range lookup.Limits(p, now) {
		line := fmt.Sprintf("%s %d", l.Kind, l.Weight)
		if !l.Until.IsZero() {
			line += " " + l.Until.In(lookup.DayZone).Format("02 15:04")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC) // 22:30 on the 21st in Mexico City
	failed := lookup.State{Status: lookup.Error, Detail: "service_degradation"}
	free := lookup.Past{Dialect: lookup.Palenca, Platform: lookup.IMSS, State: failed, ConsentEnds: now.Add(time.Hour)}
	for _, test := range []struct {
		name   string
		change func(*lookup.Past)
		want   string
	}{
		{"free", func(*lookup.Past) {}, ""},
		{"open", func(p *lookup.Past) { p.State.Status = lookup.Pending }, "open 3"},
		{"not yet sent", func(p *lookup.Past) { p.State.Status = lookup.Queued }, "open 3"},
		{"the consent ends now", func(p *lookup.Past) { p.ConsentEnds = now }, "consent 3"},
		{"a success 12 hours ago", func(p *lookup.Past) { p.LastSuccess = now.Add(-12 * time.Hour) }, ""},
		{"a success just under 12 hours ago", func(p *lookup.Past) { p.LastSuccess = now.Add(time.Minute - 12*time.Hour) }, "recent_success 2 21 22:31"},
		{"the same at Buró, which documents no such refusal", func(p *lookup.Past) { p.Dialect, p.LastSuccess = lookup.Buro, now.Add(-time.Hour) }, "recent_success 1 22 09:30"},
		{"Palenca has no daily limit", func(p *lookup.Past) { p.Today = 5 }, ""},
		{"Buró: none today", func(p *lookup.Past) { p.Dialect = lookup.Buro }, ""},
		{"Buró: one today", func(p *lookup.Past) { p.Dialect, p.Today = lookup.Buro, 1 }, "last_today 0 22 00:00"},
		{"Buró: two today", func(p *lookup.Past) { p.Dialect, p.Today = lookup.Buro, 2 }, "daily 2 22 00:00"},
		{"asked about elsewhere", func(p *lookup.Past) { p.Elsewhere = uuid.New() }, "elsewhere 1"},
		{"throttled today", func(p *lookup.Past) { p.Throttled = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC) }, "throttled 1 22 00:00"},
		{"throttled yesterday, by a second of Mexico City", func(p *lookup.Past) { p.Throttled = time.Date(2026, 11, 21, 5, 59, 59, 0, time.UTC) }, ""},
		{"the person has to act", func(p *lookup.Past) { p.State.Status = lookup.Incomplete }, "person 1"},
		{"paused", func(p *lookup.Past) { p.Paused = true }, "paused 0"},
		{"everything", func(p *lookup.Past) {
			*p = lookup.Past{Dialect: lookup.Buro, State: lookup.State{Status: lookup.Incomplete}, LastSuccess: now, Today: 3, Throttled: now, Paused: true}
		}, "consent 3; daily 2 22 00:00; recent_success 1 22 10:30; throttled 1 22 00:00; person 1; paused 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := free
			test.change(&p)
			if diff := cmp.Diff(test.want, limits(p, now)); diff != "" {
				t.Error("(-want +got):\n", diff)
			}
		})
	}
}

func TestGravest(t *testing.T) {
	t.Parallel()
	if w, any := lookup.Gravest(nil); any || w != lookup.Hint {
		t.Errorf("nothing weighs %d, %v", w, any)
	}
	if w, any := lookup.Gravest([]lookup.Limit{{Weight: lookup.Hint}, {Weight: lookup.Refused}, {Weight: lookup.Wasted}}); !any || w != lookup.Refused {
		t.Errorf("the gravest weighs %d, %v", w, any)
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	begin, end := lookup.Day(time.Date(2026, 3, 1, 5, 59, 0, 0, time.UTC))
	if begin.UTC() != time.Date(2026, 2, 28, 6, 0, 0, 0, time.UTC) || end.UTC() != time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC) {
		t.Errorf("the day runs from %s to %s", begin.UTC(), end.UTC())
	}
}

func TestRetriesItself(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	state := lookup.State{Status: lookup.Error, Detail: lookup.DetailMayRetry}
	past := lookup.Past{Dialect: lookup.Buro, Today: 1, ConsentEnds: now.Add(time.Hour)}
	for name, test := range map[string]struct {
		state  lookup.State
		past   func(*lookup.Past)
		before int
		want   bool
	}{
		"the vendor says that it may help": {state, func(*lookup.Past) {}, 0, true},
		"done already":                     {state, func(*lookup.Past) {}, 1, false},
		"two today":                        {state, func(p *lookup.Past) { p.Today = 2 }, 0, false},
		"no consent":                       {state, func(p *lookup.Past) { p.ConsentEnds = now }, 0, false},
		"another fault":                    {lookup.State{Status: lookup.Error, Detail: "verification_error"}, func(*lookup.Past) {}, 0, false},
		"not final":                        {lookup.State{Status: lookup.Pending, Detail: lookup.DetailMayRetry}, func(*lookup.Past) {}, 0, false},
	} {
		p := past
		test.past(&p)
		if got := lookup.RetriesItself(test.state, p, test.before, now); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (lookup.State{Status: lookup.Success}).Next() != lookup.SourceRefresh || state.Next() != lookup.SourceRetry {
		t.Error("a new look and a retry are taken for each other")
	}
}
