package jobs

import (
	"testing"
	"time"

	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
)

// An account that two attempts share is judged by the login of this one.
func TestNewestLogin(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old := palenca.Login{ID: "old", Status: "success", CreatedAt: sent.Add(-time.Hour)}
	own := palenca.Login{ID: "own", Status: "error", StatusDetails: "service_degradation", CreatedAt: sent.Add(time.Second)}
	for name, test := range map[string]struct {
		logins []palenca.Login
		want   lookup.Report
	}{
		"none":                           {nil, lookup.Report{}},
		"only one of an earlier attempt": {[]palenca.Login{old}, lookup.Report{}},
		"its own":                        {[]palenca.Login{own, old}, lookup.Report{Phase: lookup.PhaseFailed, Detail: "service_degradation"}},
		"the vendor's clock is behind":   {[]palenca.Login{{Status: "success", CreatedAt: sent.Add(-30 * time.Second)}}, lookup.Report{Phase: lookup.PhaseSucceeded}},
		"the newer of two":               {[]palenca.Login{own, {Status: "success", CreatedAt: sent.Add(time.Minute)}}, lookup.Report{Phase: lookup.PhaseSucceeded}},
		"one without a time is nobody's": {[]palenca.Login{{Status: "success"}}, lookup.Report{}},
	} {
		if got := newestLogin(test.logins, sent); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
