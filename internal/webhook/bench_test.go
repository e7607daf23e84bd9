package webhook_test

import (
	"strings"
	"testing"

	"cotejo/internal/webhook"
)

func reasons(t testing.TB, found []webhook.Finding) []string {
	t.Helper()
	var list []string
	for _, f := range found {
		spoken(t, f.ReasonID, f.Args)
		list = append(list, strings.TrimPrefix(strings.TrimPrefix(f.ReasonID, "verify."), "bench."))
	}
	return list
}
