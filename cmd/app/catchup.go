package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backout-dev/backout/bot"
)

// catchUp sweeps GitHub's delivery log and counts what that brought. It runs
// with --observe, too: what was missed is decided and recorded, and nothing is
// written.
type catchUp struct {
	*bot.CatchUp
	now    func() time.Time
	missed *prometheus.CounterVec
	sweeps *prometheus.CounterVec
	last   prometheus.Gauge
}

// newCatchUp registers the metrics of sweeps.
func newCatchUp(c *bot.CatchUp, now func() time.Time, r *prometheus.Registry) (*catchUp, error) {
	s := &catchUp{
		CatchUp: c, now: now,
		missed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "backout_missed_webhooks_total",
			Help: "Webhooks that failed and were found in GitHub's delivery log (found), and what became of them (taken_in, ignored, lost).",
		}, []string{"result"}),
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "backout_webhook_sweeps_total",
			Help: "Sweeps of GitHub's delivery log by result: whole, partial (the next one goes on), failed.",
		}, []string{"result"}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "backout_webhook_sweep_last_success_timestamp_seconds",
			Help: "When GitHub's delivery log was last swept as a whole, as seconds since 1970. 0 before the first time.",
		}),
	}
	for _, result := range []string{"found", "taken_in", "ignored", "lost"} {
		s.missed.WithLabelValues(result)
	}
	for _, result := range []string{"whole", "partial", "failed"} {
		s.sweeps.WithLabelValues(result)
	}
	if err := errors.Join(r.Register(s.missed), r.Register(s.sweeps), r.Register(s.last)); err != nil {
		return nil, fmt.Errorf("register metrics of sweeps: %w", err)
	}
	return s, nil
}

// sweep sweeps once.
func (s *catchUp) sweep(ctx context.Context) error {
	swept, err := s.Sweep(ctx)
	for result, n := range map[string]int{"found": swept.Found, "taken_in": swept.Taken, "ignored": swept.Ignored, "lost": swept.Lost} {
		s.missed.WithLabelValues(result).Add(float64(n))
	}
	switch {
	case err != nil && ctx.Err() != nil: // told to stop
	case err != nil:
		s.sweeps.WithLabelValues("failed").Inc()
	case !swept.Whole:
		s.sweeps.WithLabelValues("partial").Inc()
	default:
		s.sweeps.WithLabelValues("whole").Inc()
		s.last.Set(float64(s.now().Unix()))
	}
	return err
}

// CatchUp sweeps GitHub's delivery log now, beside the sweeps at the start and
// in intervals.
func (a *App) CatchUp(ctx context.Context) error { return a.catchUp.sweep(ctx) }
