//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/cmd/app"
)

// ruleFor is the "for:" of the rule: long enough that Argo CD can deploy
// another commit inside it.
const ruleFor = 20 * time.Second

// TestStoryInnocentCommit: between the bad deploy and the alert, another commit
// to the same app is deployed, and it is the newest when the alert fires. The
// bot has a suspicion and no certainty, so it proposes, although it might merge
// and the check is green; a person merges.
func TestStoryInnocentCommit(t *testing.T) {
	w := newArgo(t, "story-doubt", "web")
	a := w.serve(w.argoConfig(func(c *app.Config) { c.Policy.Defaults.Alerts = to(bot.ModeAuto) }))
	w.requireCI(quick)
	w.paged(w.errorRate("HighErrorRate", "web", ruleFor))
	w.recorded(a, w.argoApp("web"), w.repo.Head("main"))
	culprit := w.deploys("Update web", map[string]string{manifestOf("web"): deployment(w.name, "web", badImage)}, "web")
	w.pends("HighErrorRate")
	innocent := w.deploys("Label web", map[string]string{
		manifestOf("web"): strings.Replace(deployment(w.name, "web", badImage), "labels: {app: web}}", "labels: {app: web, tier: front}}", 1),
	}, "web")
	w.stillPends("HighErrorRate")
	w.phase("both commits are deployed")

	revert := w.revertOpens()
	w.says(culprit, "This is a proposal", "`/rollback approve rb-")
	w.phase("proposed")
	for what, text := range map[string]string{"the pull request": revert.Body, "the comment": w.sticky(culprit)} {
		w.holds(what, text, "not certain", "Update web", "Label web")
	}
	w.holds("the pull request", revert.Body, culprit.MergeSHA)
	if revert, _ = w.repo.PR(revert.Number); revert.Merged || revert.State != "open" {
		t.Fatalf("the proposal is %s, merged %v", revert.State, revert.Merged)
	}
	if strings.Contains(revert.Title, innocent.Title) {
		t.Errorf("it takes back %q", revert.Title)
	}

	merge, err := w.repo.MergePR(revert.Number, "squash", "carol")
	w.must(err)
	w.says(culprit, rolledBack)
	w.synced("web", merge, "Healthy")
	w.runs("web", goodImage)
	w.phase("merged by a person, verified")
}
