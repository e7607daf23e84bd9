// Package metrics counts what package web serves, for Prometheus. It is apart from web so that web itself carries
// no metrics library; web.Log hands it a web.Summary of each request.
package metrics

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cotejo/web"
)

// Metrics is a registry of its own, so that no package can add to it from an init function.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	aborted  *prometheus.CounterVec
}

// New returns metrics whose names begin with namespace, among them those of the Go runtime and the process.
func New(namespace string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds",
			Help: "Time to answer a request, by route pattern, method and status; streams excepted.",
			// Around the second, where a person begins to wait; pages are expected in tens of milliseconds.
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method", "status"}),
		aborted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "http_answers_cut_total",
			Help: "Answers that failed after they had begun, by route pattern.",
		}, []string{"route"}),
	}
	m.registry.MustRegister(m.requests, m.aborted, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Registry is where other packages register theirs.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Observe counts one request; give it to web.Log. Labels are routes of ours and known methods, never what a client
// made up, so their number is bounded.
func (m *Metrics) Observe(s web.Summary) {
	route := s.Route
	if route == "" {
		route = "none"
	}
	if s.Aborted {
		m.aborted.WithLabelValues(route).Inc()
	}
	if s.Stream {
		return // it lasts as long as the page is open
	}
	m.requests.WithLabelValues(route, s.Method, strconv.Itoa(s.Status)).Observe(s.Duration.Seconds())
}

// WatchStreams adds a gauge of the open streams. Call it once.
func (m *Metrics) WatchStreams(namespace string, streams *web.Streams) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "live_streams", Help: "Event streams open now.",
	}, func() float64 { return float64(streams.Len()) }))
}

// Handler serves the metrics. Mount it on a listener that the public does not reach.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4})
}
