package employment_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
)

func day(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func spells(dates ...string) []employment.Record {
	var records []employment.Record
	for i := 0; i < len(dates); i += 2 {
		records = append(records, employment.Record{Start: day(dates[i]), End: day(dates[i+1])})
	}
	return records
}

func gap(from, to string, before, after int) employment.Gap {
	return employment.Gap{From: day(from), To: day(to), Before: before, After: after}
}

func lap(from, to string, peak int, records ...int) employment.Overlap {
	return employment.Overlap{From: day(from), To: day(to), Peak: peak, Records: records}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	doubtful := func(g employment.Gap) employment.Gap { g.Doubtful = true; return g }
	tests := map[string]struct {
		records  []employment.Record
		gaps     []employment.Gap
		overlaps []employment.Overlap
	}{
		"nothing": {},
		"one open record": {
			records: spells("2023-01-15", ""),
		},
		"a gap of 44 days over a new year": {
			records: spells("2018-06-04", "2019-12-20", "2020-02-03", ""),
			gaps:    []employment.Gap{gap("2019-12-21", "2020-02-02", 0, 1)},
		},
		"one free day is a gap": {
			records: spells("2020-01-01", "2020-02-28", "2020-03-01", ""),
			gaps:    []employment.Gap{gap("2020-02-29", "2020-02-29", 0, 1)},
		},
		"the next day is no gap": {
			records: spells("2020-01-01", "2020-02-29", "2020-03-01", ""),
		},
		"a handover on one day is neither": {
			records: spells("2020-01-01", "2020-03-01", "2020-03-01", ""),
		},
		"a one-day spell on the last day of another overlaps": {
			records:  spells("2020-01-01", "2020-03-01", "2020-03-01", "2020-03-01", "2020-03-02", ""),
			overlaps: []employment.Overlap{lap("2020-03-01", "2020-03-01", 2, 0, 1)},
		},
		"an overlap of 19 days, both ends counted": {
			records:  spells("2021-02-22", "", "2020-02-03", "2021-03-12"),
			overlaps: []employment.Overlap{lap("2021-02-22", "2021-03-12", 2, 1, 0)},
		},
		"a short spell inside a long one": {
			records:  spells("2015-01-01", "2024-01-31", "2018-03-01", "2018-03-10"),
			gaps:     []employment.Gap{gap("2024-02-01", "2024-03-15", 0, -1)},
			overlaps: []employment.Overlap{lap("2018-03-01", "2018-03-10", 2, 0, 1)},
		},
		"three at once are one overlap with its peak": {
			records:  spells("2020-01-01", "2020-06-30", "2020-03-01", "", "2020-05-01", "2020-05-31"),
			overlaps: []employment.Overlap{lap("2020-03-01", "2020-06-30", 3, 0, 1, 2)},
		},
		"two overlaps within one chain": {
			records: spells("2020-01-01", "", "2020-02-01", "2020-02-29", "2020-04-01", "2020-04-30"),
			overlaps: []employment.Overlap{
				lap("2020-02-01", "2020-02-29", 2, 0, 1), lap("2020-04-01", "2020-04-30", 2, 0, 2),
			},
		},
		"overlaps that touch are one": {
			records:  spells("2020-01-01", "2020-01-10", "2020-01-05", "2020-01-20", "2020-01-11", "", "2020-01-15", "2020-01-15"),
			overlaps: []employment.Overlap{lap("2020-01-05", "2020-01-20", 3, 0, 1, 2, 3)},
		},
		"the same record twice": {
			records:  spells("2020-01-01", "", "2020-01-01", ""),
			overlaps: []employment.Overlap{lap("2020-01-01", "2024-03-15", 2, 0, 1)},
		},
		"nothing open: the last gap runs to the date": {
			records: spells("2020-01-01", "2023-11-30"),
			gaps:    []employment.Gap{gap("2023-12-01", "2024-03-15", 0, -1)},
		},
		"an end on the date itself leaves none": {
			records: spells("2020-01-01", "2024-03-15"),
		},
		"an end in the future": {
			records: spells("2020-01-01", "2024-12-31"),
		},
		"a start in the future is not there yet": {
			records: spells("2024-04-01", "", "2020-01-01", "2024-03-10"),
			gaps:    []employment.Gap{gap("2024-03-11", "2024-03-15", 1, -1)},
		},
		"a start in the future and nothing else": {
			records: spells("2024-04-01", ""),
		},
		"an overlap with an end in the future is cut at the date": {
			records:  spells("2020-01-01", "2024-12-31", "2024-03-01", ""),
			overlaps: []employment.Overlap{lap("2024-03-01", "2024-03-15", 2, 0, 1)},
		},
		"a handover on the date itself is neither": {
			records: spells("2020-01-01", "2024-03-15", "2024-03-15", ""),
		},
		"a second job that begins on the date overlaps": {
			records:  spells("2020-01-01", "", "2024-03-15", "2024-12-31"),
			overlaps: []employment.Overlap{lap("2024-03-15", "2024-03-15", 2, 0, 1)},
		},
		"no start and no end: every gap is doubtful": {
			records: spells("2018-01-01", "2018-12-31", "2019-02-01", "", "", ""),
			gaps:    []employment.Gap{doubtful(gap("2019-01-01", "2019-01-31", 0, 1))},
		},
		"no start: gaps after its end are sure": {
			records: spells("2018-01-01", "2018-12-31", "2019-02-01", "2019-06-30", "2019-08-01", "", "", "2019-03-31"),
			gaps: []employment.Gap{
				doubtful(gap("2019-01-01", "2019-01-31", 0, 1)), gap("2019-07-01", "2019-07-31", 1, 2),
			},
		},
		"an end before the start is not placed": {
			records: spells("2018-01-01", "2018-12-31", "2019-02-01", "", "2020-05-05", "2020-01-01"),
			gaps:    []employment.Gap{doubtful(gap("2019-01-01", "2019-01-31", 0, 1))},
		},
		"only records without a start": {
			records: spells("", "2020-01-01", "", ""),
		},
		"before 1970": {
			records: spells("1965-01-01", "1969-12-31", "1970-01-02", ""),
			gaps:    []employment.Gap{gap("1970-01-01", "1970-01-01", 0, 1)},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gaps, overlaps := employment.Spans(tt.records, day("2024-03-15"))
			if diff := cmp.Diff(tt.gaps, gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.overlaps, overlaps); diff != "" {
				t.Errorf("overlaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpanDays(t *testing.T) {
	t.Parallel()
	if got := gap("2022-08-16", "2023-01-14", 0, 1).Days(); got != 152 {
		t.Errorf("gap has %d days, want 152", got)
	}
	if got := lap("2021-02-22", "2021-03-12", 2).Days(); got != 19 {
		t.Errorf("overlap has %d days, want 19", got)
	}
}

// The hour and zone of a time play no part: a date read in another zone is the same date.
func TestSpansIgnoreHours(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("-06", -6*60*60)
	late := func(text string) time.Time {
		year, month, d := day(text).Date()
		return time.Date(year, month, d, 23, 30, 0, 0, zone)
	}
	records := []employment.Record{{Start: late("2020-01-01"), End: late("2020-01-31")}, {Start: day("2020-02-03")}}
	gaps, overlaps := employment.Spans(records, late("2024-03-15"))
	if diff := cmp.Diff([]employment.Gap{gap("2020-02-01", "2020-02-02", 0, 1)}, gaps); diff != "" || overlaps != nil {
		t.Errorf("gaps (-want +got):\n%s\noverlaps: %v", diff, overlaps)
	}
}

// Every day between the first start and the date is judged twice: by Spans and by counting records day by day.
func TestSpansAgainstDayByDay(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 11))
	asOf := day("2020-04-09")
	for range 400 {
		records := make([]employment.Record, 1+rng.IntN(6))
		for i := range records {
			start := day("2020-01-01").AddDate(0, 0, rng.IntN(90))
			records[i].Start = start
			if rng.IntN(4) > 0 {
				records[i].End = start.AddDate(0, 0, rng.IntN(25))
			}
		}
		gaps, overlaps := employment.Spans(records, asOf)
		for d := first(records); !d.After(asOf); d = d.AddDate(0, 0, 1) {
			n, turning := standing(records, d)
			inGap, inLap := false, false
			for _, g := range gaps {
				inGap = inGap || !d.Before(g.From) && !d.After(g.To)
			}
			for _, o := range overlaps {
				inLap = inLap || !d.Before(o.From) && !d.After(o.To)
			}
			if inGap != (n == 0) || inLap != (n >= 2) && !turning {
				t.Fatalf("%s: %d records, in a gap %t, in an overlap %t\n%v", d.Format(time.DateOnly), n, inGap, inLap, records)
			}
		}
	}
}

func first(records []employment.Record) time.Time {
	earliest := records[0].Start
	for _, r := range records {
		if r.Start.Before(earliest) {
			earliest = r.Start
		}
	}
	return earliest
}

// standing counts the records on a day, and tells whether the day is one on which one ends and another starts.
func standing(records []employment.Record, d time.Time) (n int, turning bool) {
	ends, starts := false, false
	for _, r := range records {
		if !d.Before(r.Start) && (r.Open() || !d.After(r.End)) {
			n++
			ends = ends || r.End.Equal(d)
			starts = starts || r.Start.Equal(d)
		}
	}
	return n, ends && starts
}

func TestStands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		start, end string
		want       bool
	}{
		{"2020-01-01", "", true}, {"2024-03-15", "", true}, {"2024-03-16", "", false}, {"2020-01-01", "2024-03-15", true}, {"2020-01-01", "2024-03-14", false},
		{"2020-01-01", "2030-01-01", true}, {"", "", false}, {"", "2030-01-01", false}, {"2024-01-02", "2024-01-01", false},
	} {
		if got := (employment.Record{Start: day(tt.start), End: day(tt.end)}).Stands(day("2024-03-15")); got != tt.want {
			t.Errorf("%s to %s: %t", tt.start, tt.end, got)
		}
	}
}
