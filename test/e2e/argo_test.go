//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
)

var (
	applications = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"}
	projects     = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "AppProject"}
)

const argoNamespace = "argocd"

// newArgo is a world in which Argo CD delivers apps, with automated sync, and
// they are well.
func newArgo(t *testing.T, name string, apps ...string) *world {
	t.Helper()
	files := map[string]string{"README.md": "# fleet\n"}
	for _, a := range apps {
		files[manifestOf(a)] = deployment(name, a, goodImage)
	}
	w := newWorld(t, name, workloadRole, files)
	w.must(plane.Apply(w.ctx, w.fill(projectManifest)))
	w.remove(projects, argoNamespace, name)
	for _, a := range apps {
		w.must(plane.Apply(w.ctx, strings.ReplaceAll(w.fill(applicationManifest), "APP", a)))
		w.remove(applications, argoNamespace, w.application(a))
	}
	for _, a := range apps {
		w.synced(a, w.repo.Head("main"), "Healthy")
		w.runs(a, goodImage)
	}
	w.phase("first deploy is healthy")
	return w
}

// application is the name of an app's Application.
func (w *world) application(app string) string { return w.name + "-" + app }

// argoConfig is a bot that watches the story's project only, with a token of
// its own.
func (w *world) argoConfig(change func(*app.Config)) string {
	w.Helper()
	token, err := plane.Argo.TokenFor(w.ctx, "bot")
	w.must(err)
	w.must(os.WriteFile(w.path("argo-token"), []byte(token+"\n"), 0o600))
	return w.config(func(c *app.Config) {
		c.Clusters = []app.Cluster{{Name: "bed", KubeconfigFile: botKubeconfig, ArgoCD: &app.ArgoCD{
			Server: strings.TrimPrefix(plane.Argo.URL, "http://"), PlainText: true, TokenFile: w.path("argo-token"), Projects: []string{w.name},
		}}}
		change(c)
	})
}

// refresh has Argo CD compare an app with its branch now, as a webhook of
// GitHub's would.
func (w *world) refresh(apps ...string) {
	w.Helper()
	for _, a := range apps {
		w.patch(applications, argoNamespace, w.application(a), `{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`)
	}
}

// synced waits until Argo CD has synced a commit and finds it as healthy as
// wanted; "" takes any health.
func (w *world) synced(name, sha, health string) {
	w.Helper()
	w.until(fmt.Sprintf("Argo CD to sync %.12s to %s", sha, name), func() error {
		a, err := w.object(applications, argoNamespace, w.application(name))
		if err != nil {
			return err
		}
		status := func(path ...string) string {
			v, _, _ := unstructured.NestedString(a.Object, append([]string{"status"}, path...)...)
			return v
		}
		is := status("health", "status")
		got := strings.Join([]string{status("sync", "revision"), status("sync", "status"), status("operationState", "phase")}, " ")
		if want := sha + " Synced Succeeded"; got != want || health != "" && is != health {
			return fmt.Errorf("%s %s, want %s %s; conditions %v", got, is, want, health, conditionsOf(a))
		}
		return nil
	})
}

func conditionsOf(a *unstructured.Unstructured) any {
	v, _, _ := unstructured.NestedFieldNoCopy(a.Object, "status", "conditions")
	return v
}

// automated asserts that automated sync is as the story set it.
func (w *world) automated(name string) {
	w.Helper()
	a, err := w.object(applications, argoNamespace, w.application(name))
	w.must(err)
	got, _, _ := unstructured.NestedMap(a.Object, "spec", "syncPolicy", "automated")
	if fmt.Sprint(got) != "map[prune:true selfHeal:true]" {
		w.Errorf("automated sync of %s is %v", name, got)
	}
}

// deploys has bob merge files into main, and Argo CD sync them to apps.
func (w *world) deploys(title string, files map[string]string, apps ...string) fakehub.PR {
	w.Helper()
	merged := w.merge(title, files)
	w.refresh(apps...)
	for _, a := range apps {
		w.synced(a, merged.MergeSHA, "")
	}
	return merged
}
