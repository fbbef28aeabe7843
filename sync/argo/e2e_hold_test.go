//go:build e2e

package argo

import (
	"encoding/json"
	"strings"
	"time"

	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func lease(name string) bot.Lease {
	return bot.Lease{App: id(name), Owner: "rb-000000000001", Reason: "Backout reverts 0123456789ab", Deadline: time.Now().Add(30 * time.Minute)}
}

// hold places a hold that must stand.
func (r *real) hold(l bot.Lease) {
	r.Helper()
	h, err := r.server.Hold(r.ctx, l)
	r.must(err)
	if want := (bot.Held{App: l.App, Placed: true}); h != want {
		r.Fatalf("Hold = %+v, want %+v", h, want)
	}
}

func (r *real) release(l bot.Lease) {
	r.Helper()
	h, err := r.server.Release(r.ctx, l.App, l.Owner)
	r.must(err)
	if want := (bot.Held{App: l.App}); h != want {
		r.Fatalf("Release = %+v, want %+v", h, want)
	}
}

func (r *real) holdAndRelease() {
	good := r.commit(map[string]string{"apps/web/deploy.yaml": deployment("web", "v1")})
	r.must(r.Apply(r.ctx, r.application("web", `{automated: {prune: true, selfHeal: true}, syncOptions: [ApplyOutOfSyncOnly=true], retry: {limit: 2}}`)))
	app := r.runs("web", good)
	want := bot.App{
		ID:        id("web"),
		Source:    bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/web"}},
		Namespace: namespace,
		Revision:  good, Current: true, Synced: true, Health: bot.HealthGood, AutoSync: true,
		Workloads: []bot.Workload{{Cluster: "bed", Kind: "Deployment", Namespace: namespace, Name: "web"}},
		AppliedAt: app.AppliedAt,
	}
	if age := time.Since(app.AppliedAt); age > time.Minute {
		r.Errorf("applied at %s, want a moment ago", app.AppliedAt)
	}
	if d := cmp.Diff(want, app); d != "" {
		r.Errorf("App (-want +got):\n%s", d)
	}
	apps, err := r.server.Apps(r.ctx)
	r.must(err)
	if d := cmp.Diff([]bot.App{want}, apps); d != "" {
		r.Errorf("Apps (-want +got):\n%s", d)
	}

	before := r.object("web").Spec
	l := lease("web")
	r.hold(l)
	r.hold(l) // a repeat after a crash
	if p := r.object("web").Spec.SyncPolicy; p == nil || p.Automated != nil || len(p.SyncOptions) != 1 || p.Retry == nil {
		r.Errorf("held sync policy %+v: want only automated sync gone", p)
	}
	other := l
	other.Owner = "rb-000000000002"
	if h, err := r.server.Hold(r.ctx, other); err != nil || h.Placed || !strings.Contains(h.Left, string(l.Owner)) {
		r.Errorf("another's Hold = %+v, %v; want it left and named", h, err)
	}
	holds, err := r.server.Holds(r.ctx)
	r.must(err)
	if d := cmp.Diff([]bot.Hold{{
		App: id("web"), Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline.UTC().Truncate(time.Second),
		Previous: `{"prune":true,"selfHeal":true}`,
	}}, holds); d != "" {
		r.Errorf("Holds (-want +got):\n%s", d)
	}

	bad := r.commit(map[string]string{"apps/web/deploy.yaml": deployment("web", "v2-bad")})
	_, err = r.server.refresh(r.ctx, id("web"))
	r.must(err)
	app = r.wait("web", "to see the bad commit", func(a bot.App) bool { return a.Current && !a.Synced })
	if app.Revision != good || app.Health != bot.HealthGood || app.Hold == nil || app.AutoSync {
		r.Errorf("held App = %+v, want %s running and held", app, good.Short())
	}
	reverted := r.revert(bad)
	r.release(l)
	if d := cmp.Diff(toJSON(before), toJSON(r.object("web").Spec)); d != "" {
		r.Errorf("spec after the hold (-before +after):\n%s", d)
	}
	r.must(r.server.Sync(r.ctx, id("web"), "rb-1"))
	r.runs("web", reverted)
	for _, h := range r.object("web").Status.History {
		if h.Revision == string(bad) {
			r.Error("the bad commit was deployed during the hold")
		}
	}
	if h, err := r.server.Release(r.ctx, l.App, l.Owner); err != nil || h.Placed || h.Left == "" {
		r.Errorf("a repeated Release = %+v, %v; want it told that no hold stands", h, err)
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (r *real) humanDuringHold() {
	good := r.commit(map[string]string{"apps/human/deploy.yaml": deployment("human", "v1")})
	r.must(r.Apply(r.ctx, r.application("human", `{automated: {prune: true}}`)))
	r.runs("human", good)
	l := lease("human")
	r.hold(l)
	r.patch(applications, "human", `{"spec":{"syncPolicy":{"automated":{"selfHeal":true}}}}`)
	app := r.wait("human", "to be automated again", func(a bot.App) bool { return a.AutoSync })
	if app.Hold != nil || !strings.Contains(app.Message, string(l.Owner)) {
		r.Errorf("App = %+v, want it not held and the change told", app)
	}
	if h, err := r.server.Hold(r.ctx, l); err != nil || h.Placed || h.Left == "" {
		r.Errorf("Hold over a person's change = %+v, %v; want it left", h, err)
	}
	h, err := r.server.Release(r.ctx, l.App, l.Owner)
	if err != nil || h.Placed || !strings.Contains(h.Left, `{"selfHeal":true}`) {
		r.Errorf("Release = %+v, %v; want the person's policy left and told", h, err)
	}
	a := r.object("human")
	if p := automated(a); p == nil || p.Prune || !p.SelfHeal || a.Annotations[ownerKey] != "" {
		r.Errorf("policy %+v, annotations %v; want the person's policy and no marks of ours", p, a.Annotations)
	}
}

func (r *real) holdStopsOperation() {
	good, bad := r.hang("busy")
	l := lease("busy")
	r.hold(l)
	if a := r.object("busy"); a.Operation != nil {
		r.Errorf("operation %+v still under way during a hold", a.Operation)
	}
	app := r.wait("busy", "to be at rest", func(a bot.App) bool { return a.Current })
	if app.Revision != good || app.Attempted != bad || app.Hold == nil {
		r.Errorf("App = %+v, want %s, %s attempted, and held", app, good.Short(), bad.Short())
	}
	reverted := r.revert(bad)
	r.release(l)
	r.must(r.server.Sync(r.ctx, id("busy"), "t-busy"))
	r.runs("busy", reverted)
}

func (r *real) brokenHead() {
	good := r.commit(map[string]string{"apps/broken/deploy.yaml": deployment("broken", "v1")})
	r.must(r.Apply(r.ctx, r.application("broken", `{automated: {}}`)))
	r.runs("broken", good)
	r.commit(map[string]string{"apps/broken/deploy.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: [\n"})
	_, err := r.server.refresh(r.ctx, id("broken"))
	r.must(err)
	app := r.wait("broken", "to fail to render", func(a bot.App) bool { return strings.Contains(a.Message, "ComparisonError") })
	if app.Synced || app.Revision != good {
		r.Errorf("App = %+v, want %s and not in sync", app, good.Short())
	}
	l := lease("broken")
	r.hold(l)
	r.release(l)
	if p := automated(r.object("broken")); p == nil || *p != (argov1.SyncPolicyAutomated{}) {
		r.Errorf("policy %+v, want the empty one back", p)
	}
	if err := r.server.Sync(r.ctx, id("broken"), "t-broken"); !bot.IsTrouble(err, bot.TroubleTransient) {
		r.Errorf("Sync of a head that does not render: %v, want transient trouble", err)
	}
	last := r.commit(map[string]string{"apps/broken/deploy.yaml": deployment("broken", "v3")})
	r.must(r.server.Sync(r.ctx, id("broken"), "t-broken"))
	r.runs("broken", last)
}

func (r *real) parent() {
	r.commit(map[string]string{
		"apps/child/deploy.yaml": deployment("child", "v1"),
		"apps/root/child.yaml":   r.application("child", `{automated: {prune: true}}`),
	})
	r.must(r.Apply(r.ctx, strings.Replace(r.application("root", `{automated: {selfHeal: true}}`), "namespace: "+namespace+"}", "namespace: argocd}", 1)))
	r.wait("root", "to deliver the child", func(a bot.App) bool { return a.Current && a.Synced })
	_, err := r.server.Apps(r.ctx)
	r.must(err)
	root := id("root")
	app := r.wait("child", "to be healthy", func(a bot.App) bool { return a.Current && a.Synced && a.Health == bot.HealthGood })
	if app.Parent == nil || *app.Parent != root {
		r.Errorf("parent %v, want %s", app.Parent, root)
	}
	l := lease("child")
	h, err := r.server.Hold(r.ctx, l)
	r.must(err)
	r.Logf("hold below a parent that heals itself: %+v", h)
	app = r.wait("child", "to be automated again by its parent", func(a bot.App) bool { return a.AutoSync })
	if !strings.Contains(app.Message, "Application argocd/root") {
		r.Errorf("message %q, want the parent named", app.Message)
	}
	h, err = r.server.Release(r.ctx, l.App, l.Owner)
	if err != nil || h.Placed || !strings.Contains(h.Left, "Application argocd/root") {
		r.Errorf("Release = %+v, %v; want the parent named", h, err)
	}
}

// twoWriters shows why a hold is read back and why its patch has tests.
func (r *real) twoWriters() {
	merge, kind, name, ns := `{"metadata":{"resourceVersion":"1","annotations":{"stale":"yes"}}}`, "merge", "multi", "argocd"
	if _, err := r.server.apps.Patch(r.ctx, &applicationpkg.ApplicationPatchRequest{Name: &name, AppNamespace: &ns, Patch: &merge, PatchType: &kind}); err != nil {
		r.Errorf("a patch with an old resourceVersion: %v; Argo CD did not use to look at it", err)
	}
	l := lease("multi")
	read, err := r.server.get(r.ctx, l.App)
	r.must(err)
	p, _, err := placing(read, l, time.Now(), "somebody")
	r.must(err)
	r.patch(applications, "multi", `{"spec":{"syncPolicy":{"automated":{"prune":true,"selfHeal":true}}}}`)
	if _, err := r.server.write(r.ctx, read, p, "hold"); !bot.IsTrouble(err, bot.TroubleTransient) {
		r.Errorf("a hold on a policy that has changed: %v, want transient trouble", err)
	}
	a := r.object("multi")
	if m := automated(a); m == nil || !m.SelfHeal || a.Annotations[ownerKey] != "" {
		r.Errorf("policy %+v, annotations %v; want nothing written", m, a.Annotations)
	}
}
