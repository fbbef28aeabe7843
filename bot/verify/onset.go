package verify

import (
	"context"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/backout-dev/backout/bot"
)

// ActiveSince is when the condition of an alert became true, which is the
// alert's startsAt less its whole "for:". It implements [bot.Alerts].
//
// Prometheus' list of active alerts says it to the nanosecond, as long as the
// alert is active; the series ALERTS_FOR_STATE, which Prometheus writes for
// every active alert, says it to the second and for the past. A time after
// startsAt belongs to another episode of the same alert, and is not an answer.
func (m *Monitoring) ActiveSince(ctx context.Context, a bot.Alert) (time.Time, bool, error) {
	if m.prometheus == nil || a.Name() == "" {
		return time.Time{}, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	fired := a.StartsAt
	if fired.IsZero() {
		fired = m.now()
	}
	// Not every server that speaks PromQL has the list (Thanos Query does,
	// VictoriaMetrics does not), so its trouble is not yet ours.
	list, listErr := m.prometheus.Alerts(ctx)
	if t, ok := activeAt(list.Alerts, a, fired); ok {
		return t, true, nil
	}
	v, _, err := m.prometheus.Query(ctx, `ALERTS_FOR_STATE{alertname="`+escape(a.Name(), '"')+`"}`, fired, promv1.WithTimeout(m.timeout))
	if err != nil {
		t := trouble("Prometheus", m.timeout, err)
		m.log.WarnContext(ctx, "onset could not be read", "alert", a.Name(), "err", err, "list_err", listErr)
		return time.Time{}, false, t
	}
	if listErr != nil {
		m.log.InfoContext(ctx, "list of active alerts could not be read", "alert", a.Name(), "err", listErr)
	}
	vector, _ := v.(model.Vector) // anything else is no answer
	t, ok := forState(vector, a, fired)
	return t, ok, nil
}

// activeAt finds the alert in Prometheus' list. Of several that fit, the one
// with the most labels is meant, and of those the oldest.
func activeAt(list []promv1.Alert, a bot.Alert, fired time.Time) (time.Time, bool) {
	best, labels := time.Time{}, 0
	for _, p := range list {
		// On the way to Alertmanager, startsAt loses what is below a
		// millisecond, so that without a "for:" it lies before the onset.
		if p.State == promv1.AlertStateInactive || p.ActiveAt.IsZero() || p.ActiveAt.Sub(fired) >= time.Millisecond || !speaksOf(p.Labels, a) {
			continue
		}
		if n := len(p.Labels); n > labels || n == labels && p.ActiveAt.Before(best) {
			best, labels = p.ActiveAt.UTC(), n
		}
	}
	return best, labels > 0
}

// forState finds the alert among the samples of ALERTS_FOR_STATE, whose value
// is the onset in seconds since 1970.
func forState(v model.Vector, a bot.Alert, fired time.Time) (time.Time, bool) {
	var list []promv1.Alert
	for _, s := range v {
		if !(s.Value > 0 && float64(s.Value) <= float64(fired.Unix())) {
			continue
		}
		labels := model.LabelSet(s.Metric.Clone())
		delete(labels, model.MetricNameLabel)
		list = append(list, promv1.Alert{ActiveAt: time.Unix(int64(s.Value), 0), Labels: labels, State: promv1.AlertStateFiring})
	}
	return activeAt(list, a, fired)
}

// speaksOf reports whether Prometheus' labels are those of the alert.
// Prometheus adds its external labels on the way to Alertmanager, so the alert
// may have more of them, but none may be missing or differ.
func speaksOf(labels model.LabelSet, a bot.Alert) bool {
	if string(labels[model.AlertNameLabel]) != a.Name() {
		return false
	}
	for n, v := range labels {
		if a.Labels[string(n)] != string(v) {
			return false
		}
	}
	return true
}
