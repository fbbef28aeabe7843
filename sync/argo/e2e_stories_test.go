//go:build e2e

package argo

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backout-dev/backout/bot"
)

func TestRealArgoCD(t *testing.T) {
	r := newReal(t)
	for _, story := range []struct {
		name string
		run  func(*real)
	}{
		{"hold keeps a bad commit out, release restores exactly, sync applies the revert", (*real).holdAndRelease},
		{"an application without automated sync", (*real).manual},
		{"a person turns automated sync on during a hold", (*real).humanDuringHold},
		{"a stuck operation gives way to the revert", (*real).stuckOperation},
		{"a failing sync of an old commit gives way to the revert", (*real).retryOfOld},
		{"hold stops an automated operation", (*real).holdStopsOperation},
		{"a head that does not render can be held and released", (*real).brokenHead},
		{"a parent application that heals itself", (*real).parent},
		{"several sources", (*real).severalSources},
		{"two writers at once", (*real).twoWriters},
		{"marks on objects", (*real).marks},
		{"gRPC-web", (*real).grpcWeb},
		{"tokens and permissions", (*real).permissions},
		{"a sync window that denies", (*real).window},
		{"argocd-server restarts", (*real).restart},
	} {
		t.Run(story.name, func(t *testing.T) { story.run(r.in(t)) })
	}
}

func (r *real) manual() {
	first := r.commit(map[string]string{"apps/manual/deploy.yaml": deployment("manual", "v1")})
	r.must(r.Apply(r.ctx, r.application("manual", "{}")))
	r.wait("manual", "to be compared", func(a bot.App) bool { return a.Current && a.Health == bot.HealthBad })
	r.must(r.server.Sync(r.ctx, id("manual"), "t-1"))
	app := r.runs("manual", first)
	if app.AutoSync || app.Hold != nil {
		r.Errorf("App = %+v, want neither automated nor held", app)
	}
	history := len(r.object("manual").Status.History)
	r.must(r.server.Sync(r.ctx, id("manual"), "t-1")) // the same request again
	r.must(r.server.Sync(r.ctx, id("manual"), "t-2")) // nothing to apply
	r.runs("manual", first)
	if n := len(r.object("manual").Status.History); n != history {
		r.Errorf("%d syncs after repeats, want %d", n, history)
	}

	l := lease("manual")
	r.hold(l)
	if h := r.wait("manual", "to be held", func(a bot.App) bool { return a.Hold != nil }).Hold; h.Previous != "null" {
		r.Errorf("previous state %q, want null", h.Previous)
	}
	r.release(l)
	if a := r.object("manual"); automated(a) != nil || a.Annotations[previousKey] != "" {
		r.Errorf("after release: policy %+v, annotations %v; want both untouched", a.Spec.SyncPolicy, a.Annotations)
	}

	// What leaves git stays, and the App says so.
	r.commit(map[string]string{"apps/manual/more.yaml": deployment("more", "v1")})
	r.must(r.server.Sync(r.ctx, id("manual"), "t-3"))
	r.wait("manual", "to deliver two", func(a bot.App) bool { return a.Current && a.Synced && len(a.Workloads) == 2 })
	last := r.commit(map[string]string{"apps/manual/more.yaml": ""})
	r.must(r.server.Sync(r.ctx, id("manual"), "t-4"))
	app = r.wait("manual", "to have synced without pruning", func(a bot.App) bool { return a.Current && a.Revision == last })
	if app.Synced || !strings.Contains(app.Message, "Deployment more") {
		r.Errorf("App = %+v, want a word about what was not pruned", app)
	}
}

// hang brings an App into a sync that does not end: Argo CD waits for the first
// wave to become healthy before it applies the second.
func (r *real) hang(name string) (good, bad bot.SHA) {
	r.Helper()
	file := "apps/" + name + "/deploy.yaml"
	good = r.commit(map[string]string{file: deployment(name, "v1")})
	r.must(r.Apply(r.ctx, r.application(name, `{automated: {prune: true}}`)))
	r.runs(name, good)
	bad = r.commit(map[string]string{
		file:                           strings.Replace(deployment(name, "v2-bad"), "DeadlineSeconds: 4", "DeadlineSeconds: 600", 1),
		"apps/" + name + "/later.yaml": fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s, annotations: {argocd.argoproj.io/sync-wave: \"1\"}}\n", name, namespace),
	})
	r.hangsOn(name, bad)
	return good, bad
}

func (r *real) hangsOn(name string, bad bot.SHA) {
	r.Helper()
	_, err := r.server.refresh(r.ctx, id(name))
	r.must(err)
	r.must(r.Wait(r.ctx, name+" to hang on the bad commit", func(context.Context) (bool, error) {
		o := r.object(name).Status.OperationState
		return o != nil && o.Phase == "Running" && o.SyncResult != nil && o.SyncResult.Revision == string(bad) && r.image(name) != "v1", nil
	}))
}

func (r *real) stuckOperation() {
	good, bad := r.hang("stuck")
	app := r.wait("stuck", "to be observed", func(bot.App) bool { return true })
	if app.Current || app.Revision != good || app.Attempted != bad || !strings.Contains(app.Message, "waiting for healthy state") {
		r.Errorf("App during an operation = %+v, want it not current, the attempt and the reason told", app)
	}
	reverted := r.revert(bad)
	if _, err := r.server.refresh(r.ctx, id("stuck")); err != nil {
		r.Fatal(err)
	}
	if now := runs(r.object("stuck")); now[0] != string(bad) {
		r.Errorf("Argo CD went on to %s by itself", now) // then we need not stop anything
	}
	r.must(r.server.Sync(r.ctx, id("stuck"), "t-stuck"))
	r.runs("stuck", reverted)
	if tag := r.image("stuck"); tag != "v1" {
		r.Errorf("image %s, want v1", tag)
	}
}

// retryOfOld is argo-cd#11494: a sync that fails is tried again with the old
// commit, and no other is begun meanwhile.
func (r *real) retryOfOld() {
	good := r.commit(map[string]string{"apps/retry/deploy.yaml": deployment("retry", "v1")})
	r.must(r.Apply(r.ctx, r.application("retry", `{automated: {prune: true}, retry: {limit: 10, backoff: {duration: 1m}}}`)))
	r.runs("retry", good)
	bad := r.commit(map[string]string{
		"apps/retry/deploy.yaml":  deployment("retry", "v2"),
		"apps/retry/refused.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: refused, namespace: argo-demo}\nspec: {ports: [{port: 70000}]}\n",
	})
	r.hangsOn("retry", bad)
	reverted := r.revert(bad)
	r.must(r.server.Sync(r.ctx, id("retry"), "t-retry"))
	r.runs("retry", reverted)
}

func (r *real) severalSources() {
	file := func(part, tag string) map[string]string {
		return map[string]string{"apps/multi/" + part + "/deploy.yaml": deployment("multi-"+part, tag)}
	}
	r.commit(file("a", "v1"))
	first := r.commit(file("b", "v1"))
	multi := r.application("multi", `{automated: {prune: true}}`)
	multi = strings.Replace(multi, fmt.Sprintf("source: {repoURL: %q, path: apps/multi, targetRevision: main}", r.url),
		fmt.Sprintf("sources: [{repoURL: %[1]q, path: apps/multi/a, targetRevision: main}, {repoURL: %[1]q, path: apps/multi/b, targetRevision: main}]", r.url), 1)
	r.must(r.Apply(r.ctx, multi))
	app := r.runs("multi", first)
	if d := cmp.Diff(bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/multi/a", "apps/multi/b"}}, app.Source); d != "" || len(app.Workloads) != 2 {
		r.Errorf("App = %+v, want both sources (-want +got):\n%s", app, d)
	}
	l := lease("multi")
	r.hold(l)
	bad := r.commit(file("b", "v2-bad"))
	_, err := r.server.refresh(r.ctx, id("multi"))
	r.must(err)
	if app = r.wait("multi", "to see the bad commit", func(a bot.App) bool { return a.Current && !a.Synced }); app.Revision != first {
		r.Errorf("App = %+v, want %s", app, first.Short())
	}
	r.must(r.server.Sync(r.ctx, id("multi"), "t-by-hand")) // a sync by hand works during a hold
	app = r.wait("multi", "to be broken", func(a bot.App) bool { return a.Current && a.Revision == bad && a.Health == bot.HealthBad })
	if !strings.Contains(app.Message, "multi-b") {
		r.Errorf("message %q, want what is unhealthy", app.Message)
	}
	reverted := r.revert(bad)
	r.release(l)
	r.must(r.server.Sync(r.ctx, id("multi"), "t-multi"))
	r.runs("multi", reverted)
}

func (r *real) owner(name string) (bot.AppID, string, bool) {
	r.Helper()
	d, err := r.Kubernetes().AppsV1().Deployments(namespace).Get(r.ctx, name, metav1.GetOptions{})
	r.must(err)
	return r.server.Owner(bot.Object{
		Workload: bot.Workload{Cluster: "bed", Kind: "Deployment", Namespace: namespace, Name: name},
		Labels:   d.Labels, Annotations: d.Annotations,
	})
}

func (r *real) marks() {
	fresh := r.connect(func(*Config) {})
	r.server = fresh // knows nothing yet
	if got, mark, ok := r.owner("web"); !ok || got != id("web") || !strings.HasPrefix(mark, "label") {
		r.Errorf("owner by label = %v, %q, %v; want web", got, mark, ok)
	}
	r.patch(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, "argocd-cm", `{"data":{"application.resourceTrackingMethod":"annotation"}}`)
	r.must(r.Wait(r.ctx, "the tracking-id", func(ctx context.Context) (bool, error) {
		// A change makes Argo CD apply, and with it mark, the object.
		sha := r.commit(map[string]string{"apps/web/deploy.yaml": deployment("web", fmt.Sprintf("v%d", time.Now().UnixNano()))})
		r.must(r.server.Sync(ctx, id("web"), string(sha)))
		r.runs("web", sha)
		_, mark, _ := r.owner("web")
		return mark == "annotation "+trackingKey, nil
	}))
	if got, _, _ := r.owner("web"); got != id("web") {
		r.Errorf("owner by tracking-id = %v, want web", got)
	}
}

func (r *real) grpcWeb() {
	web := r.connect(func(c *Config) { c.GRPCWeb = true })
	a, err := r.server.App(r.ctx, id("web"))
	r.must(err)
	b, err := web.App(r.ctx, id("web"))
	r.must(err)
	if d := cmp.Diff(a, b); d != "" {
		r.Errorf("App by gRPC and by gRPC-web:\n%s", d)
	}
	if _, err := web.App(r.ctx, id("nobody")); !bot.IsTrouble(err, bot.TroubleNotFound) {
		r.Errorf("App of nobody: %v, want not found", err)
	}
	r.server = web
	l := lease("web")
	r.hold(l)
	r.release(l)
	r.must(r.server.Sync(r.ctx, id("web"), "t-web"))
}

func (r *real) permissions() {
	wrong := r.connect(func(c *Config) {
		c.Token = func() (string, error) { return r.Argo.Token[:len(r.Argo.Token)-4] + "AAAA", nil }
	})
	if _, err := wrong.Apps(r.ctx); !bot.IsTrouble(err, bot.TroubleForbidden) || bot.AsTrouble(err).Advice == "" {
		r.Errorf("a wrong token: %v, want forbidden and advice", err)
	}
	token, err := r.Argo.TokenFor(r.ctx, "syncer")
	r.must(err)
	syncer := r.connect(func(c *Config) { c.Token = func() (string, error) { return token, nil } })
	_, err = syncer.Hold(r.ctx, lease("web"))
	if !bot.IsTrouble(err, bot.TroubleForbidden) || !strings.Contains(bot.AsTrouble(err).Advice, "applications, update, default/web") {
		r.Errorf("Hold without the right to update: %v (%s), want the right named", err, bot.AsTrouble(err).Advice)
	}
	sha := r.commit(map[string]string{"apps/manual/deploy.yaml": deployment("manual", "v9")})
	r.must(syncer.Sync(r.ctx, id("manual"), "t-syncer"))
	r.wait("manual", "to be synced by a bot that never holds", func(a bot.App) bool { return a.Current && a.Revision == sha })
	if _, err := r.server.App(r.ctx, id("nobody")); !bot.IsTrouble(err, bot.TroubleNotFound) {
		r.Errorf("App of nobody: %v, want not found", err)
	}
	r.Logf("hold refused: %v; %s", err, bot.AsTrouble(err).Advice)
}

var projects = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "AppProject"}

func (r *real) window() {
	r.patch(projects, "default", `{"spec":{"syncWindows":[{"kind":"deny","schedule":"* * * * *","duration":"1h","applications":["manual"]}]}}`)
	defer r.patch(projects, "default", `{"spec":{"syncWindows":null}}`)
	r.commit(map[string]string{"apps/manual/deploy.yaml": deployment("manual", "v10")})
	var err error
	r.must(r.Wait(r.ctx, "the window to deny", func(ctx context.Context) (bool, error) {
		err = r.server.Sync(ctx, id("manual"), "t-window")
		return bot.IsTrouble(err, bot.TroubleForbidden), nil
	}))
	if text := bot.AsTrouble(err).Text; !strings.Contains(text, "sync window") || !strings.Contains(text, "deny * * * * * for 1h") {
		r.Errorf("%q, want the window named", text)
	}
}

func (r *real) restart() {
	_, err := r.server.App(r.ctx, id("web"))
	r.must(err)
	r.Argo.Server.Stop()
	if _, err := r.server.App(r.ctx, id("web")); !bot.IsTrouble(err, bot.TroubleTransient) {
		r.Errorf("App without a server: %v, want transient trouble", err)
	}
	r.must(r.Argo.Server.Start(r.ctx))
	begun := time.Now()
	r.must(r.Wait(r.ctx, "the client to be back", func(ctx context.Context) (bool, error) {
		_, err := r.server.App(ctx, id("web"))
		if err != nil && !bot.IsTrouble(err, bot.TroubleTransient) {
			r.Errorf("App while the server comes up: %v, want transient trouble only", err)
		}
		return err == nil, err
	}))
	r.Logf("the client was back after %s", time.Since(begun))
}
