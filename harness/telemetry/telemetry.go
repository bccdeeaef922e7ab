// Package telemetry is what an operator's Prometheus reads of a service.
//
// Every number is read from the service when it is asked for, so that it is right
// after a restart; only counts of requests and alerts begin anew with the process. No
// number is of a row, a label or a score, and no label of a series holds what a
// submitter chose: names of lineages come from people who may change policies.
//
// The package trusts the service. Whoever reaches its handler learns how many runs
// there are and how they ended, so it listens on an address of its own.
package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"proctor/harness"
	"proctor/web/api"
)

// A Source is the service that is read.
type Source interface {
	Vitals(ctx context.Context) (harness.Vitals, error)
	Follow(ctx context.Context, from int64, limit int) ([]api.Event, error)
}

// Telemetry gathers a service's numbers. Make it with [New].
type Telemetry struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// New reads from source; build names the program, as verdicts do.
func New(source Source, build string, log *slog.Logger) *Telemetry {
	t := &Telemetry{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "proctor_http_requests_total",
			Help: "Answered requests, by method and status."}, []string{"code", "method"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "proctor_http_request_seconds",
			Help: "Time to answer a request.", Buckets: []float64{.005, .025, .1, .25, 1, 5, 30}}, []string{"method"}),
	}
	built := prometheus.NewGauge(prometheus.GaugeOpts{Name: "proctor_build_info",
		Help: "1; its label names the program that judges.", ConstLabels: prometheus.Labels{"digest": build}})
	built.Set(1)
	t.registry.MustRegister(&vitals{source: source, log: log, next: -1}, t.requests, t.seconds, built,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return t
}

// Handler answers with all numbers, in the text form of Prometheus.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Count counts and times what next answers.
func (t *Telemetry) Count(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(t.seconds, promhttp.InstrumentHandlerCounter(t.requests, next))
}

// vitals reads the service at each collection.
type vitals struct {
	source Source
	log    *slog.Logger

	mu     sync.Mutex
	next   int64 // first entry of the log whose event is not counted; -1 before the first look
	alerts map[string]float64
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("proctor_"+name, help, labels, nil)
}

var (
	up        = describe("up", "1 if the database could be read.")
	runs      = describe("runs", "Runs by where they stand: queued, planned, done with a result, aborted for a reason.", "state", "result", "reason")
	oldest    = describe("queue_oldest_seconds", "How long the run that waits longest has waited.")
	entries   = describe("log_entries", "Entries of the log.")
	covered   = describe("log_head_entries", "Entries that the log's head covers.")
	cosigned  = describe("log_cosigned_entries", "Entries that a witness has signed.")
	witnesses = describe("log_witnesses", "Witnesses that are asked to sign.")
	proposed  = describe("changes_proposed", "Changes that wait for a second person.")
	unread    = describe("reviews_awaited", "Runs that passed and wait for a person.")
	left      = describe("budget_runs_left", "Runs that a lineage has left on its sealed sets.", "lineage")
	alerts    = describe("alerts_total", "Events that carried an alert since the process started, by kind.", "kind")
)

// Describe implements [prometheus.Collector].
func (v *vitals) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{up, runs, oldest, entries, covered, cosigned, witnesses, proposed, unread, left, alerts} {
		ch <- d
	}
}

// patience bounds one reading: a database that hangs is one that is down.
const patience = 5 * time.Second

// Collect implements [prometheus.Collector].
func (v *vitals) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gauge := func(d *prometheus.Desc, x float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, x, labels...)
	}
	now, err := v.source.Vitals(ctx)
	if err == nil {
		err = v.follow(ctx, now.Head)
	}
	if err != nil {
		v.log.Error("the service's numbers could not be read", "error", err)
		gauge(up, 0)
		return
	}
	gauge(up, 1)
	for o, n := range now.Runs {
		gauge(runs, float64(n), o.State, o.Result, o.Reason)
	}
	gauge(oldest, now.Oldest.Seconds())
	gauge(entries, float64(now.Log))
	gauge(covered, float64(now.Head))
	gauge(cosigned, float64(now.Cosigned))
	gauge(witnesses, float64(now.Witnesses))
	gauge(proposed, float64(now.Proposed))
	gauge(unread, float64(now.Unread))
	for _, b := range now.Budgets {
		gauge(left, float64(b.Left), b.Lineage)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for kind, n := range v.alerts {
		ch <- prometheus.MustNewConstMetric(alerts, prometheus.CounterValue, n, kind)
	}
}

// kinds are those of events that can carry an alert: each has its series from the
// start, for an increase from nothing is not seen.
var kinds = []string{"plan", "exposure", "verdict", "change"}

// follow counts the alerts of what the log recorded since the last look.
func (v *vitals) follow(ctx context.Context, head int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.next < 0 {
		v.next, v.alerts = head, map[string]float64{}
		for _, k := range kinds {
			v.alerts[k] = 0
		}
	}
	for v.next < head {
		events, err := v.source.Follow(ctx, v.next, 1000)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if len(e.Alerts) > 0 {
				v.alerts[e.Kind]++
			}
			v.next = e.Index + 1
		}
	}
	return nil
}
