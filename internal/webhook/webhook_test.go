package webhook_test

import (
	"testing"

	"cotejo/internal/webhook"
)

func TestVerdictsAreASet(t *testing.T) {
	t.Parallel()
	seen := map[webhook.Verdict]bool{}
	for _, v := range webhook.Verdicts {
		if v == "" || seen[v] {
			t.Errorf("%q is empty or listed twice", v)
		}
		seen[v] = true
	}
	for _, v := range []webhook.Verdict{webhook.Accepted, webhook.Duplicate, webhook.Unmatched, webhook.Ignored, webhook.Refused} {
		if !seen[v] {
			t.Errorf("%s is not listed", v)
		}
	}
	if webhook.KeptOfRefused >= webhook.MaxBody {
		t.Error("more is kept of a refused body than is read of an accepted one")
	}
}
