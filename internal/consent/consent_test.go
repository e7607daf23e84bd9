package consent_test

import (
	"testing"
	"time"

	"cotejo/internal/consent"
)

func TestLive(t *testing.T) {
	t.Parallel()
	given := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	r := consent.Record{GivenAt: given, ExpiresAt: given.Add(time.Hour)}
	for after, want := range map[time.Duration]bool{-1: false, 0: true, time.Hour - 1: true, time.Hour: false, 2 * time.Hour: false} {
		if got := r.Live(given.Add(after)); got != want {
			t.Errorf("%v after it was given: live %v, want %v", after, got, want)
		}
	}
	if (consent.Record{}).Live(given) {
		t.Error("no consent is live")
	}
}

func TestKnownMeans(t *testing.T) {
	t.Parallel()
	for _, m := range consent.Means {
		if !consent.KnownMeans(m) {
			t.Errorf("%q is unknown", m)
		}
	}
	for _, m := range []string{"", "Branch", "word of mouth"} {
		if consent.KnownMeans(m) {
			t.Errorf("%q is known", m)
		}
	}
}
