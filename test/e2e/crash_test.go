//go:build e2e

package e2e

import (
	"testing"

	"github.com/backout-dev/backout/cmd/app"
)

// TestStoryKilled: the bot is a process. It is killed while Flux is held and
// the revert waits for its check, which passes while nobody listens. Started
// again, it goes on where it was.
func TestStoryKilled(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-killed")
	config := w.fluxConfig(func(c *app.Config) { c.Policy.Defaults.Hold = to("always") })
	first := w.serveInChild(config)
	w.requireCI(pending)
	culprit := w.breakWeb()

	w.comment(culprit, "ann", "/rollback")
	revert := w.revertOpens()
	w.says(culprit, "Waiting: check ci")
	first.kill()
	w.heldBy("web")
	w.ciPasses(revert)
	w.heldBy("web")
	w.phase("killed while it holds")

	w.serveInChild(config)
	w.verdict(culprit, rolledBack)
	w.phase("verdict")
	w.notHeld("web")
	w.applied("web", w.merged())
	w.runs("web", goodImage)
	if n := len(w.suspends()); n != 2 {
		t.Errorf("the bot wrote spec.suspend %d times, want once to hold and once to release: %+v", n, w.suspends())
	}
}
