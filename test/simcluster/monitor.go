package simcluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// AlertName is the one alerting rule of the simulation: the error rate of a
// workload is above 5 %.
const AlertName = "HighErrorRate"

// badRate is the share of requests that a bad image fails.
const badRate = 0.42

// Alerts are the alerts as Alertmanager would send them now: firing for every
// App that runs a bad image.
func (c *Cluster) Alerts() []bot.Alert {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []bot.Alert
	for _, a := range c.apps {
		if a.bad() {
			out = append(out, bot.Alert{
				Fingerprint: fmt.Sprintf("%016x", len(a.spec.ID.Name)), Firing: true,
				Labels: labels(a), StartsAt: a.since.Add(c.alertAge),
				Annotations: map[string]string{"summary": fmt.Sprintf("%s fails %.0f %% of its requests", a.spec.Workload.Name, 100*badRate)},
			})
		}
	}
	return out
}

// AgeAlerts lets the trouble begin that long after the bad image was rolled out.
func (c *Cluster) AgeAlerts(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alertAge = d
}

func labels(a *app) map[string]string {
	return map[string]string{
		"alertname": AlertName, "namespace": a.spec.Workload.Namespace,
		strings.ToLower(a.spec.Workload.Kind): a.spec.Workload.Name, "severity": "page",
	}
}

// ErrorRate is the share of failed requests of one workload by name, 0 to 1.
func (c *Cluster) ErrorRate(workload string) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.apps {
		if a.spec.Workload.Name == workload && a.bad() {
			return badRate
		}
	}
	return 0.001
}

// Monitor answers like Prometheus and Alertmanager, as far as the bot asks:
// every query is answered with the error rate of the workload whose name
// stands in it.
func (c *Cluster) Monitor() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		c.answer(w, c.query(r.Form.Get("query")))
	})
	mux.HandleFunc("/api/v1/alerts", func(w http.ResponseWriter, _ *http.Request) { c.answer(w, c.promAlerts()) })
	mux.HandleFunc("/api/v2/alerts", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, c.amAlerts())
	})
	return mux
}

func (c *Cluster) query(q string) any {
	c.mu.Lock()
	names := make([]string, 0, len(c.apps))
	for _, a := range c.apps {
		names = append(names, a.spec.Workload.Name)
	}
	c.mu.Unlock()
	result := []any{}
	for _, name := range names {
		if strings.Contains(q, name) {
			result = append(result, map[string]any{
				"metric": map[string]string{"deployment": name},
				"value":  []any{float64(c.cfg.Now().UnixMilli()) / 1000, fmt.Sprintf("%g", c.ErrorRate(name))},
			})
		}
	}
	return map[string]any{"resultType": "vector", "result": result}
}

func (c *Cluster) promAlerts() any {
	alerts := []any{}
	for _, a := range c.Alerts() {
		alerts = append(alerts, map[string]any{
			"labels": a.Labels, "annotations": a.Annotations, "state": "firing",
			"activeAt": a.StartsAt.UTC().Format(time.RFC3339Nano), "value": "4.2e-01",
		})
	}
	return map[string]any{"alerts": alerts}
}

func (c *Cluster) amAlerts() any {
	out := []any{}
	for _, a := range c.Alerts() {
		at := a.StartsAt.UTC().Format(time.RFC3339Nano)
		out = append(out, map[string]any{
			"labels": a.Labels, "annotations": a.Annotations, "fingerprint": a.Fingerprint,
			"startsAt": at, "updatedAt": at, "endsAt": c.cfg.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339Nano),
			"status":    map[string]any{"state": "active", "silencedBy": []string{}, "inhibitedBy": []string{}},
			"receivers": []any{map[string]string{"name": "backout"}}, "generatorURL": "",
		})
	}
	return out
}

func (c *Cluster) answer(w http.ResponseWriter, data any) {
	writeJSON(w, map[string]any{"status": "success", "data": data})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
