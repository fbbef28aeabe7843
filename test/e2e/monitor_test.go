//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/cmd/app"
)

// errorRate is a rule on the bed's exporter, for one app of the story. One bad
// pod beside two good ones breaches it after two or three seconds.
func (w *world) errorRate(alert, name string, hold time.Duration) string {
	return strings.NewReplacer("STORY", w.name, "ALERT", alert, "APP", name, "FOR", hold.String()).Replace(`
  - alert: ALERT
    expr: |
      sum by (namespace, deployment) (rate(http_requests_total{namespace="STORY", deployment="APP", code="500"}[5s]))
        / sum by (namespace, deployment) (rate(http_requests_total{namespace="STORY", deployment="APP"}[5s])) > 0.2
    for: FOR
    labels: {severity: page}
    annotations: {summary: "{{ $labels.deployment }} answers with errors"}
`)
}

// paged gives Prometheus the story's rules and has Alertmanager send all alerts
// to its bot, until the story ends.
func (w *world) paged(rules ...string) {
	w.Helper()
	w.must(plane.Alertmanager.RouteTo(w.ctx, "http://"+w.addr+"/webhooks/alertmanager", alertToken))
	w.must(plane.Prometheus.SetRules(w.ctx, w.name, "groups:\n- name: "+w.name+"\n  rules:"+strings.Join(rules, "")))
	w.until("Prometheus to know Alertmanager", w.connected)
	w.Cleanup(func() {
		if err := plane.Prometheus.SetRules(w.afterwards(), w.name, ""); err != nil {
			w.Errorf("remove rules: %v", err)
		}
	})
}

// connected is nil when Prometheus has found Alertmanager. For some seconds after
// it has loaded rules it has not, and then sends an alert that fires meanwhile a
// minute later.
func (w *world) connected() error {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, plane.Prometheus.URL+"/api/v1/alertmanagers", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	var answer struct {
		Data struct{ ActiveAlertmanagers []struct{ URL string } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if len(answer.Data.ActiveAlertmanagers) == 0 {
		return errors.New("it has none")
	}
	return nil
}

// pends waits until an alert's condition has been true for some seconds and its
// "for:" runs.
func (w *world) pends(alert string) {
	w.Helper()
	w.until("alert "+alert+" to be pending", func() error {
		return w.series(fmt.Sprintf(`time() - ALERTS_FOR_STATE{alertname=%q, namespace=%q} > 2`, alert, w.name))
	})
	w.stillPends(alert)
}

// stillPends asserts that an alert has not fired yet.
func (w *world) stillPends(alert string) {
	w.Helper()
	w.must(w.series(fmt.Sprintf(`ALERTS{alertname=%q, namespace=%q, alertstate="pending"}`, alert, w.name)))
}

func (w *world) series(promql string) error {
	n, _, err := plane.Prometheus.Query(w.ctx, promql)
	if err == nil && n == 0 {
		err = fmt.Errorf("no series for %s", promql)
	}
	return err
}

// recorded waits until the bot's own record says that an app runs a commit
// well: without that it may not act on an alert.
func (w *world) recorded(a *app.App, id bot.AppID, sha string) {
	w.Helper()
	w.until(fmt.Sprintf("the record to show %s well on %.12s", id, sha), func() error {
		lines, err := a.Flow.Ports.Ledger.Deployments(w.ctx, id, 1)
		if err != nil {
			return err
		}
		if len(lines) == 0 || lines[0].Revision != bot.SHA(sha) || lines[0].Health != bot.HealthGood {
			return fmt.Errorf("it shows %+v", lines)
		}
		return nil
	})
}

// fluxApp and argoApp are an app as the bot names it.
func (w *world) fluxApp(name string) bot.AppID {
	return bot.AppID{Cluster: "bed", Kind: bot.KindKustomization, Namespace: w.name, Name: name}
}

func (w *world) argoApp(name string) bot.AppID {
	return bot.AppID{Cluster: "bed", Kind: bot.KindApplication, Namespace: argoNamespace, Name: w.application(name)}
}
