package webhooks

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what came in. Their labels are of fixed sets: nothing that a
// stranger sends becomes a series.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "backout_webhook_requests_total",
			Help: "Webhook requests by source (github, alertmanager), event and result (accepted, hinted, ignored, unauthorized, invalid, too_large, unavailable).",
		}, []string{"source", "event", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "backout_webhook_duration_seconds",
			Help:    "Time until a webhook request was answered.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"source"}),
	}
	if err := errors.Join(r.Register(m.requests), r.Register(m.seconds)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return m, nil
}
