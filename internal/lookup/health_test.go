package lookup_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
)

// took counts answers by how long they took.
func took(times ...time.Duration) []int64 {
	counts := make([]int64, len(lookup.TookBounds)+1)
	for _, t := range times {
		i := 0
		for i < len(lookup.TookBounds) && t >= lookup.TookBounds[i] {
			i++
		}
		counts[i]++
	}
	return counts
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		took []int64
		want time.Duration
	}{
		"one in a stretch lies in its middle":   {took(11 * time.Second), 12500 * time.Millisecond},
		"most decide":                           {took(2*time.Second, 40*time.Second, 41*time.Second, 42*time.Second), 35 * time.Second},
		"between two stretches, the end of one": {took(2*time.Second, 700*time.Second), 5 * time.Second},
		"beyond the last bound":                 {took(2*time.Hour, 3*time.Hour), time.Hour},
	} {
		got, ok := lookup.Tally{Took: test.took}.Median()
		if want := test.want.Round(time.Second); !ok || got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, ok := (lookup.Tally{}).Median(); ok {
		t.Error("nothing has a median")
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var sum lookup.Tally
	sum.Add(lookup.Tally{Started: 10, Refused: 1, Heard: 5, Asked: 2, Success: 5, Incomplete: 1, Error: 1, Expired: 1, Took: took(time.Second), FailedAt: at, FailedDetail: "new"})
	sum.Add(lookup.Tally{Started: 2, Heard: 1, Success: 1, Took: took(time.Second), FailedAt: at.Add(-time.Hour), FailedDetail: "old"})
	want := lookup.Tally{Started: 12, Refused: 1, Heard: 6, Asked: 2, Success: 6, Incomplete: 1, Error: 1, Expired: 1, Took: took(time.Second, time.Second), FailedAt: at, FailedDetail: "new"}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	if sum.Unheard() != 5 || sum.Nothing() != 2 || sum.Judged() != 8 || sum.Failed() != 2 {
		t.Errorf("unheard %d, nothing %d, judged %d, failed %d", sum.Unheard(), sum.Nothing(), sum.Judged(), sum.Failed())
	}
	if rate, ok := sum.Rate(); !ok || rate != 750 {
		t.Errorf("the rate is %d", rate)
	}
	if _, ok := (lookup.Tally{Started: 3, Incomplete: 2, Refused: 1}).Rate(); ok {
		t.Error("a rate of nothing")
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 40, 0, 0, time.UTC)
	hour := func(back int, p lookup.Platform, success, failed, refused int64) lookup.SourceHour {
		return lookup.SourceHour{Dialect: lookup.Palenca, Platform: p, Hour: now.Truncate(time.Hour).Add(-time.Duration(back) * time.Hour),
			Tally: lookup.Tally{Started: success + failed + refused, Success: success, Error: failed, Refused: refused}}
	}
	for _, test := range []struct {
		name  string
		hours []lookup.SourceHour
		ours  string
		want  string
	}{
		{"nothing asked", nil, "", "unknown  0/0 "},
		{"too few", []lookup.SourceHour{hour(0, "imss", 1, 3, 0)}, "", "unknown imss 3/4 "},
		{"well", []lookup.SourceHour{hour(0, "imss", 4, 1, 0), hour(2, "imss", 5, 1, 0)}, "", "nobody imss 2/11 "},
		{"half of five fail", []lookup.SourceHour{hour(1, "imss", 2, 3, 0)}, "", "source imss 3/5 "},
		{"three hours ago is over", []lookup.SourceHour{hour(3, "imss", 0, 50, 0), hour(0, "imss", 5, 0, 0)}, "", "nobody imss 0/5 "},
		{"the worst is told of, not the busiest", []lookup.SourceHour{hour(0, "imss", 90, 1, 0), hour(0, "issste", 0, 6, 0)}, "", "source issste 6/6 "},
		{"of two that work, the busiest", []lookup.SourceHour{hour(0, "issste", 5, 0, 0), hour(0, "imss", 90, 1, 0)}, "", "nobody imss 1/91 "},
		{"ours", []lookup.SourceHour{hour(0, "imss", 9, 1, 0)}, "quiet", "us imss 1/10 quiet"},
		{"ours without any lookup", nil, "paused", "us  0/0 paused"},
		{"both", []lookup.SourceHour{hour(0, "imss", 1, 9, 0)}, "failing", "both imss 9/10 failing"},
		{"the vendor refuses what we ask", []lookup.SourceHour{hour(0, "imss", 3, 0, 5)}, "", "us imss 0/3 refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := lookup.Diagnose(test.hours, test.ours, now)
			got := string(d.Blame) + " " + string(d.Platform) + " " + itoa(d.Tally.Failed()) + "/" + itoa(d.Tally.Judged()) + " " + d.Ours
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
