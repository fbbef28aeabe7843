package simcluster

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
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
		if !a.bad() {
			continue
		}
		for _, rule := range c.rules() {
			out = append(out, bot.Alert{
				Fingerprint: fingerprint(rule, a), Firing: true,
				Labels: labels(rule, a), StartsAt: a.since.Add(c.alertAge),
				Annotations: map[string]string{"summary": fmt.Sprintf("%s fails %.0f %% of its requests", a.spec.Workload.Name, 100*badRate)},
			})
		}
	}
	return out
}

func (c *Cluster) rules() []string {
	if len(c.cfg.Rules) > 0 {
		return c.cfg.Rules
	}
	return []string{AlertName}
}

// fingerprint tells the alerts of one rule and App from all others.
func fingerprint(rule string, a *app) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(rule + "/" + a.spec.ID.String())) // a hash's Write has no error
	return fmt.Sprintf("%016x", h.Sum64())
}

// AgeAlerts lets the trouble begin that long after the bad image was rolled out.
func (c *Cluster) AgeAlerts(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alertAge = d
}

func labels(rule string, a *app) map[string]string {
	return map[string]string{
		"alertname": rule, "namespace": a.spec.Workload.Namespace,
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
	mux.HandleFunc("/api/v2/alerts", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		writeJSON(w, c.amAlerts(r.Form["filter"]))
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

// amAlerts lists the alerts that meet all filters, of which the simulation
// knows equality.
func (c *Cluster) amAlerts(filters []string) any {
	out := []any{}
	for _, a := range c.Alerts() {
		if slices.ContainsFunc(filters, func(f string) bool {
			name, value, _ := strings.Cut(f, "=")
			return strconv.Quote(a.Labels[name]) != value
		}) {
			continue
		}
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
