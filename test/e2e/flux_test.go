//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/bed"
	"github.com/backout-dev/backout/test/fakehub"
)

var (
	kustomizations = schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization"}
	repositories   = schema.GroupVersionKind{Group: "source.toolkit.fluxcd.io", Version: "v1", Kind: "GitRepository"}
)

const requestedAt = "reconcile.fluxcd.io/requestedAt"

// newFlux is a world in which Flux delivers the app web, and it is well.
func newFlux(t *testing.T, name string) *world {
	t.Helper()
	w := newWorld(t, name, fluxRole, map[string]string{
		manifestOf("web"): deployment(name, "web", goodImage), "README.md": "# fleet\n",
	})
	w.must(plane.Apply(w.ctx, w.fill(sourceManifest), strings.ReplaceAll(w.fill(kustomizationManifest), "APP", "web")))
	w.remove(repositories, name, "fleet")
	w.remove(kustomizations, name, "web")
	w.applied("web", w.repo.Head("main"))
	w.runs("web", goodImage)
	w.phase("first deploy is healthy")
	return w
}

// fluxConfig is a bot that watches the story's namespace only.
func (w *world) fluxConfig(change func(*app.Config)) string {
	w.Helper()
	return w.config(func(c *app.Config) {
		c.Clusters = []app.Cluster{{Name: "bed", KubeconfigFile: botKubeconfig, Flux: &app.Flux{Namespaces: []string{w.name}}}}
		change(c)
	})
}

// fetch has Flux look at the repository now, as a webhook of GitHub's would.
func (w *world) fetch() {
	w.Helper()
	w.patch(repositories, w.name, "fleet", fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, requestedAt, askedAt()))
}

func (w *world) kustomization(name string) *unstructured.Unstructured {
	w.Helper()
	k, err := w.object(kustomizations, w.name, name)
	w.must(err)
	return k
}

// applied waits until Flux has applied a commit and found it healthy.
func (w *world) applied(name, sha string) {
	w.Helper()
	w.until(fmt.Sprintf("Flux to apply %.12s to %s", sha, name), func() error {
		k, err := w.object(kustomizations, w.name, name)
		if err != nil {
			return err
		}
		ready, revision := bed.Condition(k, "Ready"), revisionOf(k, "lastAppliedRevision")
		if revision != "main@sha1:"+sha || ready.Status != metav1.ConditionTrue {
			return fmt.Errorf("revision %q, Ready %s %s: %s", revision, ready.Status, ready.Reason, ready.Message)
		}
		return nil
	})
}

// fails waits until Flux has given up on a commit.
func (w *world) fails(name, sha string) {
	w.Helper()
	w.until(fmt.Sprintf("Flux to fail on %.12s in %s", sha, name), func() error {
		k, err := w.object(kustomizations, w.name, name)
		if err != nil {
			return err
		}
		ready, attempted := bed.Condition(k, "Ready"), revisionOf(k, "lastAttemptedRevision")
		if attempted != "main@sha1:"+sha || ready.Reason != "HealthCheckFailed" {
			return fmt.Errorf("attempted %q, Ready %s %s: %s", attempted, ready.Status, ready.Reason, ready.Message)
		}
		return nil
	})
}

func revisionOf(k *unstructured.Unstructured, field string) string {
	s, _, _ := unstructured.NestedString(k.Object, "status", field)
	return s
}

// suspended is spec.suspend; nil when it is absent.
func suspended(k *unstructured.Unstructured) any {
	v, _, _ := unstructured.NestedFieldNoCopy(k.Object, "spec", "suspend")
	return v
}

// holdNotes are the annotations of a hold of ours.
func holdNotes(k *unstructured.Unstructured) map[string]string {
	out := map[string]string{}
	for name, v := range k.GetAnnotations() {
		if s, ok := strings.CutPrefix(name, "backout.dev/hold-"); ok {
			out[s] = v
		}
	}
	return out
}

// heldBy asserts that our hold stands, and tells for how long yet.
func (w *world) heldBy(name string) time.Duration {
	w.Helper()
	k := w.kustomization(name)
	notes := holdNotes(k)
	if suspended(k) != true || !strings.HasPrefix(notes["owner"], "rb-") || notes["reason"] == "" || notes["previous"] != "{}" {
		w.Fatalf("suspend %v, notes %v; want our hold", suspended(k), notes)
	}
	deadline, err := time.Parse(time.RFC3339, notes["deadline"])
	w.must(err)
	return time.Until(deadline)
}

// notHeld asserts that nothing of our hold is left.
func (w *world) notHeld(name string) {
	w.Helper()
	k := w.kustomization(name)
	if suspended(k) != nil || len(holdNotes(k)) > 0 {
		w.Errorf("suspend %v, notes %v; want neither", suspended(k), holdNotes(k))
	}
}

// breakWeb has bob merge a bad image of web, and waits until Flux has failed
// on it.
func (w *world) breakWeb() fakehub.PR {
	w.Helper()
	culprit := w.merge("Update web", map[string]string{manifestOf("web"): deployment(w.name, "web", badImage)})
	w.fetch()
	w.fails("web", culprit.MergeSHA)
	w.breaks("web")
	w.phase("broken")
	return culprit
}
