//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/cmd/app"
)

// TestStoryAlert: a rule of Prometheus fires through Alertmanager after a bad
// deploy by Argo CD. Nobody touches a key until production is well again.
// The bot has no Alertmanager to ask, so only the webhook can tell it that the
// alert is over.
func TestStoryAlert(t *testing.T) {
	w := newArgo(t, "story-alert", "web")
	a := w.serve(w.argoConfig(func(c *app.Config) {
		c.Policy.Defaults.Alerts = to(bot.ModeAuto)
		c.Alertmanager.URL = ""
	}))
	w.requireCI(quick)
	w.paged(w.errorRate("HighErrorRate", "web", 0))
	w.recorded(a, w.argoApp("web"), w.repo.Head("main"))
	culprit := w.deploys("Update web", map[string]string{manifestOf("web"): deployment(w.name, "web", badImage)}, "web")
	w.phase("bad commit is deployed")

	revert := w.revertOpens()
	w.phase("the revert is open")
	said := w.verdict(culprit, rolledBack)
	w.phase("verdict")
	w.holds("the comment", said, "alert `HighErrorRate`", "`alert HighErrorRate`", "resolved at", "changes image")
	w.holds("the pull request", revert.Body, "`HighErrorRate`", "web answers with errors", culprit.MergeSHA)
	w.synced("web", w.merged(), "Healthy")
	w.runs("web", goodImage)
	w.automated("web")
	if n := len(w.writes()); n > 0 {
		t.Errorf("the bot wrote to the cluster past Argo CD: %+v", w.writes())
	}
}

// TestStoryAlertFlux: the same where Flux delivers, for which the bad commit
// never counts as applied, since its health checks fail.
func TestStoryAlertFlux(t *testing.T) {
	w := newFlux(t, "story-alert-flux")
	a := w.serve(w.fluxConfig(func(c *app.Config) { c.Policy.Defaults.Alerts = to(bot.ModeAuto) }))
	w.requireCI(quick)
	w.paged(w.errorRate("HighErrorRate", "web", 0))
	w.recorded(a, w.fluxApp("web"), w.repo.Head("main"))
	culprit := w.merge("Update web", map[string]string{manifestOf("web"): deployment(w.name, "web", badImage)})
	w.fetch()
	w.phase("bad commit is merged")

	said := w.verdict(culprit, rolledBack)
	w.phase("verdict")
	w.holds("the comment", said, "alert `HighErrorRate`", "`alert HighErrorRate`", "changes image")
	w.applied("web", w.merged())
	w.runs("web", goodImage)
	w.notHeld("web")
}

// TestStoryAlertsJoin: while the revert waits for its check, a second alert for
// the same app and an alert for another app that the same commit broke come in.
// They join: one revert, and the verdict speaks of both apps and all alerts.
func TestStoryAlertsJoin(t *testing.T) {
	w := newArgo(t, "story-join", "web", "api")
	a := w.serve(w.argoConfig(func(c *app.Config) { c.Policy.Defaults.Alerts = to(bot.ModeAuto) }))
	w.requireCI(pending)
	w.paged(w.errorRate("HighErrorRate", "web", 0), w.errorRate("ErrorBudgetBurn", "web", later), w.errorRate("ApiErrors", "api", later))
	for _, name := range []string{"web", "api"} {
		w.recorded(a, w.argoApp(name), w.repo.Head("main"))
	}
	culprit := w.deploys("Update all", map[string]string{
		manifestOf("web"): deployment(w.name, "web", badImage), manifestOf("api"): deployment(w.name, "api", badImage),
	}, "web", "api")
	revert := w.revertOpens()
	w.says(culprit, "Waiting: check ci")
	w.phase("the revert waits")

	w.joined(a, []string{"api", "web"}, []string{"ApiErrors", "ErrorBudgetBurn", "HighErrorRate"})
	w.phase("both joined")
	w.ciPasses(revert)
	said := w.verdict(culprit, rolledBack)
	w.phase("verdict")

	w.holds("the comment", said, "`alert HighErrorRate`", "`alert ErrorBudgetBurn`", "`alert ApiErrors`",
		"`"+w.argoApp("web").String()+"`", "`"+w.argoApp("api").String()+"`",
		"Deployment "+w.name+"/web", "Deployment "+w.name+"/api")
	if strings.Contains(said, "❌") || strings.Contains(said, "❔") {
		t.Errorf("verified with a check that did not pass:\n%s", said)
	}
	merge := w.merged()
	for _, name := range []string{"web", "api"} {
		w.synced(name, merge, "Healthy")
		w.runs(name, goodImage)
		w.automated(name)
	}
}

// later is the "for:" of the alerts that come when the revert waits already.
const later = 10 * time.Second

// joined waits until the one Rollback has taken in all apps and alerts.
func (w *world) joined(a *app.App, apps, alerts []string) {
	w.Helper()
	w.until("the alerts to join", func() error {
		records, err := a.Flow.Ports.Ledger.Find(w.ctx, bot.RollbackQuery{})
		if err != nil {
			return err
		}
		if len(records) != 1 {
			return fmt.Errorf("%d Rollbacks", len(records))
		}
		var gotApps, gotAlerts []string
		for _, id := range records[0].Apps {
			gotApps = append(gotApps, strings.TrimPrefix(id.Name, w.name+"-"))
		}
		for _, al := range records[0].Incident.Alerts {
			gotAlerts = append(gotAlerts, al.Name())
		}
		slices.Sort(gotApps)
		slices.Sort(gotAlerts)
		if !slices.Equal(gotApps, apps) || !slices.Equal(gotAlerts, alerts) {
			return fmt.Errorf("it has apps %v and alerts %v", gotApps, gotAlerts)
		}
		return nil
	})
}
