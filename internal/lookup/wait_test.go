package lookup_test

import (
	"testing"
	"time"

	"cotejo/internal/lookup"
)

var sent = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Each step is a look at the clock: m:ss after sending, and whether the vendor is asked then. What is asked counts for the
// next look.
func TestWaitDue(t *testing.T) {
	t.Parallel()
	usual := lookup.Wait{Expected: 3 * time.Minute, Limit: time.Hour}
	for name, test := range map[string]struct {
		wait  lookup.Wait
		looks []string
		want  string
	}{
		"in time, then with growing pauses": {usual, []string{"0s", "2m59s", "3m", "4m", "5m59s", "6m", "11m", "12m", "24m", "38m", "39m", "53m", "54m"}, "..!..!.!!.!.!"},
		"once at the limit, and no more":    {usual, []string{"3m", "59m", "60m", "61m", "70m"}, "!!!.."},
		"late to a long outage":             {usual, []string{"5h", "5h1m", "5h15m"}, "!.!"}, // the question at 5h may have found nobody
		"a short wait keeps a minimum":      {lookup.Wait{Expected: 30 * time.Second, Limit: 5 * time.Minute}, []string{"29s", "30s", "59s", "60s", "2m", "4m"}, ".!.!!!"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked time.Time
			var asks int
			got := ""
			for _, look := range test.looks {
				after, err := time.ParseDuration(look)
				if err != nil {
					t.Fatal(err)
				}
				now := sent.Add(after)
				if test.wait.Due(sent, asked, asks, now) {
					asked, asks, got = now, asks+1, got+"!"
				} else {
					got += "."
				}
			}
			if got != test.want {
				t.Errorf("asked %s, want %s", got, test.want)
			}
		})
	}
	if usual.Due(time.Time{}, time.Time{}, 0, sent) || usual.Over(time.Time{}, sent) {
		t.Error("what was never sent is asked about")
	}
	if usual.Over(sent, sent.Add(time.Hour-time.Nanosecond)) || !usual.Over(sent, sent.Add(time.Hour)) {
		t.Error("the limit is not where it is set")
	}
}

func TestWaitPossible(t *testing.T) {
	t.Parallel()
	for w, want := range map[lookup.Wait]bool{
		{Expected: 3 * time.Minute, Limit: time.Hour}:         true,
		{Expected: 30 * time.Second, Limit: 5 * time.Minute}:  true,
		{Expected: time.Hour, Limit: 48 * time.Hour}:          true,
		{Expected: 29 * time.Second, Limit: time.Hour}:        false,
		{Expected: 61 * time.Minute, Limit: 3 * time.Hour}:    false,
		{Expected: 10 * time.Minute, Limit: 10 * time.Minute}: false,
		{Expected: time.Minute, Limit: 4 * time.Minute}:       false,
		{Expected: time.Minute, Limit: 49 * time.Hour}:        false,
		{}: false,
	} {
		if got := w.Possible(); got != want {
			t.Errorf("%v is possible: %v", w, got)
		}
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	for _, s := range lookup.Statuses {
		step := lookup.Expire(lookup.State{Status: s, Detail: "d", Warning: "w"}, lookup.CodeNoFinalEvent)
		want := lookup.Step{Next: lookup.State{Status: s, Detail: "d", Warning: "w"}}
		if s.Open() {
			want = lookup.Step{Next: lookup.State{Status: lookup.Expired, Detail: lookup.CodeNoFinalEvent, Warning: "w"}, Moved: true}
		}
		if step != want {
			t.Errorf("%s: %+v, want %+v", s, step, want)
		}
		for _, phase := range []lookup.Phase{lookup.PhaseSucceeded, lookup.PhaseIncomplete, lookup.PhaseFailed} {
			if late := lookup.Advance(step.Next, lookup.Report{Phase: phase}); s.Open() && !late.Moved {
				t.Errorf("a late %s does not move what expired", phase)
			}
		}
	}
	finals := 0
	for _, p := range []lookup.Phase{lookup.PhaseOpened, lookup.PhaseUnknown, "", lookup.PhaseSucceeded, lookup.PhaseIncomplete, lookup.PhaseFailed, lookup.PhaseRefreshFailed} {
		if p.Final() {
			finals++
		}
	}
	if finals != len(lookup.Finals) {
		t.Errorf("%d phases are final, %d are listed", finals, len(lookup.Finals))
	}
}
