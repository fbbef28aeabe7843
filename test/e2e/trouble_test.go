//go:build e2e

package e2e

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/backout-dev/backout/cmd/app"
)

// TestStoryClusterUnreachable: nothing answers where the kubeconfig points.
func TestStoryClusterUnreachable(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-unreachable")
	config := w.fluxConfig(func(c *app.Config) { c.Clusters[0].KubeconfigFile = w.deadKubeconfig() })
	w.serve(config, impatient)
	culprit := w.breakWeb()

	w.comment(culprit, "ann", "/rollback")
	said := w.replies(culprit, "@ann", "Cluster bed did not answer")
	if lines := strings.Split(strings.TrimSpace(said), "\n\n"); len(lines) < 2 {
		t.Errorf("the answer says nothing about what to do:\n%s", said)
	}
	w.untouched()
}

// TestStoryArgoTokenRefused: Argo CD does not take the bot's token.
func TestStoryArgoTokenRefused(t *testing.T) {
	t.Parallel()
	w := newArgo(t, "story-token", "web")
	config := w.argoConfig(func(*app.Config) {})
	w.must(os.WriteFile(w.path("argo-token"), []byte("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"), 0o600))
	w.serve(config, impatient)
	culprit := w.deploys("Update web", map[string]string{manifestOf("web"): deployment(w.name, "web", badImage)}, "web")

	w.comment(culprit, "ann", "/rollback")
	w.replies(culprit, "@ann", "Argo CD", "token")
	w.untouched()
	w.automated("web")
}

// TestStoryArgoRestarted: Argo CD's API server goes away while the app is held and
// the revert merges, and comes back: the hold is released as it was, the merge
// is synced, and production verified. It is not parallel: others need Argo CD.
func TestStoryArgoRestarted(t *testing.T) {
	w := newArgo(t, "story-argo-restart", "web")
	w.serve(w.argoConfig(func(c *app.Config) { c.Policy.Defaults.Hold = to("always") }))
	w.requireCI(pending)
	culprit := w.deploys("Update web", map[string]string{manifestOf("web"): deployment(w.name, "web", badImage)}, "web")
	w.comment(culprit, "ann", "/rollback")
	revert := w.revertOpens()
	w.says(culprit, "Waiting: check ci")

	plane.Argo.Server.Stop()
	w.ciPasses(revert)
	w.until("the merge", func() error {
		if pr, _ := w.repo.PR(revert.Number); !pr.Merged {
			return errors.New("it is not merged")
		}
		return nil
	})
	w.phase("merged while Argo CD is away")
	w.must(plane.Argo.Server.Start(w.ctx))
	said := w.verdict(culprit, rolledBack)
	w.phase("verdict")
	w.holds("the comment", said, "merged as "+w.merged())
	w.synced("web", w.merged(), "Healthy")
	w.runs("web", goodImage)
	w.automated("web")
}

// TestStoryFollowsTag: the app does not follow a branch, so no revert could
// reach it.
func TestStoryFollowsTag(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-tag")
	w.serve(w.fluxConfig(func(*app.Config) {}))
	w.requireCI(quick)
	culprit := w.breakWeb()
	w.patch(repositories, w.name, "fleet", `{"spec":{"ref":{"branch":null,"tag":"v1"}}}`)

	w.comment(culprit, "ann", "/rollback")
	w.until("a refusal", func() error {
		return missing(w.reply(culprit)+w.sticky(culprit), "does not track a branch", "follows tag v1", "spec.ref.branch")
	})
	w.untouched()
}

// untouched asserts that nothing was opened, merged, held or written.
func (w *world) untouched() {
	w.Helper()
	if prs := w.reverts(); len(prs) > 0 {
		w.Errorf("the bot opened %+v", prs)
	}
	if writes := w.writes(); len(writes) > 0 {
		w.Errorf("the bot wrote in the cluster: %+v", writes)
	}
}

// impatient retries so fast that half an hour of retries is over in seconds.
func impatient(o *app.Options) { o.Timing.Retry = 5 * time.Millisecond }

// deadKubeconfig is the bot's kubeconfig with an address at which nobody
// listens.
func (w *world) deadKubeconfig() string {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.must(l.Close())
	config, err := clientcmd.LoadFromFile(botKubeconfig)
	w.must(err)
	for _, c := range config.Clusters {
		c.Server = "https://" + l.Addr().String()
	}
	w.must(clientcmd.WriteToFile(*config, w.path("kubeconfig")))
	return w.path("kubeconfig")
}
