//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/backout-dev/backout/cmd/app"
)

// TestStoryHeldUntilMerged: with "hold: always", Flux applies nothing from the
// decision until the revert has merged, and then exactly the revert.
func TestStoryHeldUntilMerged(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-hold")
	w.serve(w.fluxConfig(func(c *app.Config) { c.Policy.Defaults.Hold = to("always") }))
	w.requireCI(pending)
	culprit := w.breakWeb()

	w.comment(culprit, "ann", `/rollback --reason "checkout fails"`)
	revert := w.revertOpens()
	w.says(culprit, "Waiting: check ci")
	if left := w.heldBy("web"); left < 25*time.Minute || left > 31*time.Minute {
		t.Errorf("the hold ends in %s, want about half an hour", left)
	}
	if revert, _ = w.repo.PR(revert.Number); revert.Merged {
		t.Fatal("the revert was merged while its check was pending")
	}
	w.phase("held and waiting")

	w.ciPasses(revert)
	said := w.verdict(culprit, rolledBack)
	w.phase("verdict")
	merge := w.merged()
	w.holds("the comment", said, fmt.Sprintf("#%d, merged as %s", revert.Number, merge), "checkout fails", "Deployment "+w.name+"/web")
	w.notHeld("web")
	w.applied("web", merge)
	w.runs("web", goodImage)
	if n := len(w.suspends()); n != 2 {
		t.Errorf("the bot wrote spec.suspend %d times, want once to hold and once to release: %+v", n, w.suspends())
	}
}

// TestStoryWithoutHold: by default nothing is held where no mitigation touches
// the cluster.
func TestStoryWithoutHold(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-nohold")
	w.serve(w.fluxConfig(func(*app.Config) {}))
	w.requireCI(quick)
	culprit := w.breakWeb()

	w.comment(culprit, "ann", "/rollback")
	w.verdict(culprit, rolledBack)
	w.phase("verdict")
	w.applied("web", w.merged())
	w.runs("web", goodImage)
	w.notHeld("web")
	if writes := w.suspends(); len(writes) > 0 {
		t.Errorf("the bot wrote spec.suspend: %+v", writes)
	}
}
