package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cotejo/web"
	"cotejo/web/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d", rec.Code)
	}
	return rec.Body.String()
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	t.Parallel()
	m := metrics.New("cotejo")
	m.Observe(web.Summary{Method: "GET", Route: "GET /lookups/{id}", Status: 200, Duration: 30 * time.Millisecond})
	m.Observe(web.Summary{Method: "OTHER", Status: 404})
	m.Observe(web.Summary{Method: "GET", Route: "GET /live", Status: 200, Stream: true, Duration: time.Hour})
	m.Observe(web.Summary{Method: "GET", Route: "GET /export", Status: 200, Aborted: true})

	text := scrape(t, m)
	for _, want := range []string{
		`cotejo_http_request_duration_seconds_count{method="GET",route="GET /lookups/{id}",status="200"} 1`,
		`cotejo_http_request_duration_seconds_bucket{method="GET",route="GET /lookups/{id}",status="200",le="0.05"} 1`,
		`cotejo_http_request_duration_seconds_count{method="OTHER",route="none",status="404"} 1`,
		`cotejo_http_answers_cut_total{route="GET /export"} 1`,
		"go_goroutines ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Contains(text, "GET /live") {
		t.Error("a stream's duration is in the histogram")
	}
}

func TestOpenStreamsAreAGauge(t *testing.T) {
	t.Parallel()
	m, streams := metrics.New("cotejo"), &web.Streams{}
	m.WatchStreams("cotejo", streams)
	if text := scrape(t, m); !strings.Contains(text, "cotejo_live_streams 0\n") {
		t.Error("no gauge of streams at rest")
	}
}

func TestRegistriesAreIndependent(t *testing.T) {
	t.Parallel()
	a, b := metrics.New("cotejo"), metrics.New("cotejo")
	a.Observe(web.Summary{Method: "GET", Route: "GET /only-here", Status: 200})
	if strings.Contains(scrape(t, b), "only-here") {
		t.Error("two Metrics share a registry")
	}
}
