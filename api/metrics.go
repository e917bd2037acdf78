package api

import (
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.com/walkaround/domain"
)

// metrics are what Prometheus reads. Labels are words of the program, never of a request: there are as many as routes,
// statuses, queues and tasks.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	flying   prometheus.Gauge
	uploads  prometheus.Gauge
	work     *prometheus.CounterVec
	success  *prometheus.GaugeVec
	tasks    *prometheus.HistogramVec
	known    sync.Map // of observed to the prometheus.Observer: the vector finds it by hashing the names each time
}

// observed is what a histogram is about: as many as there are routes and statuses.
type observed struct {
	method string
	route  string
	status int
}

// newMetrics makes the metrics of requests and of the work behind them in registry, or in one of their own.
func newMetrics(registry *prometheus.Registry) *metrics {
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	m := &metrics{
		registry: registry,
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "walkaround_request_seconds", Help: "Time to answer a request.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"method", "route", "status"}),
		flying: prometheus.NewGauge(prometheus.GaugeOpts{Name: "walkaround_requests_in_flight", Help: "Requests that are being answered."}),
		uploads: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "walkaround_uploads_in_flight", Help: "Photos and recordings that are being received.",
		}),
		work: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "walkaround_background_attempts_total", Help: "Attempts at work under a lease: done, failed, elsewhere (another process has the lease), lost (in the middle).",
		}, []string{"work", "outcome"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "walkaround_background_success_timestamp_seconds", Help: "When work under a lease was last done by this process.",
		}, []string{"work"}),
		tasks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "walkaround_task_seconds", Help: "Time that a task of a queue took.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}, []string{"queue", "task", "outcome"}),
	}
	registry.MustRegister(m.requests, m.flying, m.uploads, m.work, m.success, m.tasks)
	return m
}

// measure adds what only a whole server can tell: queues, readiness, the process, the build.
func (s *Server) measure() {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "walkaround_build_info", Help: "1, labelled by what runs.",
		ConstLabels: prometheus.Labels{"version": s.Version, "go": runtime.Version()},
	})
	build.Set(1)
	s.metrics.registry.MustRegister(
		build, backlog{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	s.exposition = promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	s.relay.Watch(s.metrics)
}

// knownMethods are those that the histogram tells apart: a stranger may send any word as a method.
//
//nolint:gochecknoglobals // a list that nothing changes
var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if !slices.Contains(knownMethods, method) {
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	a := observed{method, route, status}
	known, ok := m.known.Load(a)
	if !ok {
		known, _ = m.known.LoadOrStore(a, m.requests.WithLabelValues(method, route, strconv.Itoa(status)))
	}
	if o, ok := known.(prometheus.Observer); ok {
		o.Observe(took.Seconds())
	}
}

// enter counts a request as under way, until leave.
func (m *metrics) enter(r *http.Request) {
	m.flying.Inc()
	if uploading(r) {
		m.uploads.Inc()
	}
}

// leave is the end of what enter began.
func (m *metrics) leave(r *http.Request) {
	m.flying.Dec()
	if uploading(r) {
		m.uploads.Dec()
	}
}

func uploading(r *http.Request) bool { return r.Method == http.MethodPut && streams(r) }

// Attempted counts, for background.Watcher.
func (m *metrics) Attempted(work, outcome string, _ time.Duration) {
	m.work.WithLabelValues(work, outcome).Inc()
	if outcome == "done" {
		m.success.WithLabelValues(work).SetToCurrentTime()
	}
}

// Ran measures a task, for background.Watcher.
func (m *metrics) Ran(queue, task string, failed bool, took time.Duration) {
	outcome := "ok"
	if failed {
		outcome = "failed"
	}
	m.tasks.WithLabelValues(queue, task, outcome).Observe(took.Seconds())
}

// serveMetrics is for who runs the server, so that nothing of the business is told to strangers.
//
//	@Summary		Read metrics
//	@Description	Prometheus text format; answered on the loopback interface, and to the addresses of `WALKAROUND_METRICS_FROM`; never through a proxy.
//	@ID				getMetrics
//	@Tags			system
//	@Produce		plain
//	@Success		200	{string}	string
//	@Router			/metrics [get]
func (s *Server) serveMetrics(c *gin.Context) error {
	if !s.mayMeasure(c.Request) {
		return domain.Refuse(domain.CodeNotFound, "no such resource")
	}
	s.exposition.ServeHTTP(c.Writer, c.Request)
	return nil
}

// mayMeasure looks at who is at the other end of the connection. A proxy on this machine is at loopback too, and forwards
// whatever strangers ask: what was forwarded is refused.
func (s *Server) mayMeasure(r *http.Request) bool {
	for _, forwarded := range []string{"X-Forwarded-For", "Forwarded", "Via"} {
		if r.Header.Get(forwarded) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	peer := from.Addr().Unmap()
	return peer.IsLoopback() || slices.ContainsFunc(s.MetricsFrom, func(p netip.Prefix) bool { return p.Contains(peer) })
}
