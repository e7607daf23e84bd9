package views

import (
	"fmt"
	"time"

	"cotejo/internal/lookup"
)

// usual is how long a vendor is taken to need when nothing else is known of it.
const usual = 3 * time.Minute

func orUsual(expected time.Duration) time.Duration {
	if expected <= 0 {
		return usual
	}
	return expected
}

// elapsed writes a running time the way a clock does, "2:05" or "1:02:05", so that it keeps its width while it runs; from
// a day on in words.
func elapsed(p Page, d time.Duration) string {
	d = max(d, 0)
	if d >= 24*time.Hour {
		return p.P.Span(d)
	}
	h, m, s := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, s)
	}
	return fmt.Sprintf("%d:%02d", m, s)
}

// waitWords says what is usual, and whether that is over.
func waitWords(p Page, since time.Time, expected time.Duration) string {
	expected = orUsual(expected)
	if p.Now.Sub(since) > expected {
		return p.T("lookups.wait.late", "Span", p.P.Span(expected))
	}
	return p.T("lookups.wait.usual", "Span", p.P.Span(expected))
}

// waitingSince is when the attempt under way went to the vendor, or was asked for while it waits for its turn.
func (v CasePage) waitingSince() time.Time {
	if a := v.attempt(); !a.SentAt.IsZero() {
		return a.SentAt
	} else if !a.RequestAt.IsZero() {
		return a.RequestAt
	}
	return v.Case.RequestedAt
}

// overdue tells whether the attempt under way takes longer than is usual.
func (v CasePage) overdue() bool {
	return v.Now.Sub(v.waitingSince()) > orUsual(v.Case.Expected)
}

// older tells whether the history on the page is what an earlier attempt brought: the latest one has brought none.
func (v CasePage) older() bool {
	return v.EmploymentPull.Is() && len(v.Case.Attempts) > 1 && v.EmploymentPull.FetchedAt.Before(v.attempt().RequestAt) &&
		v.Case.Employment != lookup.PullFetching
}
