//go:build e2e

package flux

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/bed"
)

// story is a cluster with the real kustomize-controller, a repository, and a
// Controller that may do no more than the package comment asks for. The bed's
// source is a stand-in for source-controller, and no helm-controller runs.
type story struct {
	*testing.T
	bed    *bed.Bed
	origin *origin
	flux   *Controller
}

// TestFlux runs against kustomize-controller on a real API server.
func TestFlux(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := bed.Up(ctx, bed.Options{Flux: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = b.WriteTails(t.Output(), 20)
		}
		_ = b.Down()
	})
	s := &story{T: t, bed: b, origin: newOrigin(t)}
	s.must(b.Apply(ctx, grants))
	s.flux = s.as("backout")

	first := s.origin.commit("first", map[string]string{
		"clusters/prod/web.yaml":    kustomizationFile("web", ""),
		"clusters/prod/pinned.yaml": kustomizationFile("pinned", "suspend: false"),
		"clusters/prod/shop.yaml":   releaseFile,
		"apps/web/deploy.yaml":      deploymentFile("web", "web:v1"),
		"apps/pinned/deploy.yaml":   deploymentFile("pinned", "pinned:v1"),
	})
	s.must(b.Apply(ctx, bootstrap(s.origin.URL())))
	s.applied(ctx, s.app("web"), first)
	s.applied(ctx, s.app("pinned"), first)

	s.run("observe", func(s *story) { s.observe(ctx, first) })
	s.run("permissions", func(s *story) { s.permissions(ctx) })
	s.run("hold", func(s *story) { s.hold(ctx) })
	s.run("sync", func(s *story) { s.sync(ctx) })
	s.run("a parent that re-asserts", func(s *story) { s.reasserted(ctx) })
	s.run("suspended in git meanwhile", func(s *story) { s.suspendedInGit(ctx) })
	s.run("suspended in git meanwhile, alone", func(s *story) { s.suspendedInGitAlone(ctx) })
	s.run("a suspend by kubectl", func(s *story) { s.kubectlSuspend(ctx) })
	s.run("writes", func(s *story) { s.writes() })
}

func (s *story) run(name string, f func(*story)) {
	s.Run(name, func(t *testing.T) {
		began := time.Now()
		f(&story{T: t, bed: s.bed, origin: s.origin, flux: s.flux})
		t.Logf("took %s", time.Since(began).Round(10*time.Millisecond))
	})
}

// as makes a Controller for a user.
func (s *story) as(user string) *Controller {
	s.Helper()
	path, err := s.bed.KubeconfigFor(user)
	s.must(err)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	s.must(err)
	return s.with(config)
}

func (s *story) with(config *rest.Config) *Controller {
	s.Helper()
	flux, err := New(Config{Cluster: "prod", Host: s.origin.Host, REST: config, Log: slog.New(slog.NewTextHandler(s.Output(), nil))})
	s.must(err)
	return flux
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) equal(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (s *story) app(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

func (s *story) release() bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindHelmRelease, Namespace: "demo", Name: "shop"}
}

// until waits for an App to be as wanted.
func (s *story) until(ctx context.Context, what string, id bot.AppID, want func(bot.App) bool) bot.App {
	s.Helper()
	var app bot.App
	s.must(s.bed.Wait(ctx, what, func(ctx context.Context) (bool, error) {
		var err error
		if app, err = s.flux.App(ctx, id); err != nil {
			return false, err
		}
		if !want(app) {
			return false, fmt.Errorf("%+v", app)
		}
		return true, nil
	}))
	return app
}

// applied waits for the proof that a commit is applied.
func (s *story) applied(ctx context.Context, id bot.AppID, commit bot.SHA) bot.App {
	s.Helper()
	return s.until(ctx, "the proof that "+id.Name+" runs "+commit.Short(), id, func(a bot.App) bool {
		return a.Hold == nil && a.Current && a.Revision == commit && a.Health == bot.HealthGood
	})
}

func (s *story) object(ctx context.Context, id bot.AppID) *unstructured.Unstructured {
	s.Helper()
	r, _ := kindOf(id.Kind)
	c, err := s.bed.Client(schema.GroupVersionKind{Group: r.group, Version: r.versions[0], Kind: string(id.Kind)}, id.Namespace)
	s.must(err)
	u, err := c.Get(ctx, id.Name, metav1.GetOptions{})
	s.must(err)
	return u
}

// edit writes as some other program.
func (s *story) edit(ctx context.Context, id bot.AppID, manager, patch string) {
	s.Helper()
	r, _ := kindOf(id.Kind)
	c, err := s.bed.Client(schema.GroupVersionKind{Group: r.group, Version: r.versions[0], Kind: string(id.Kind)}, id.Namespace)
	s.must(err)
	_, err = c.Patch(ctx, id.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager})
	s.must(err)
}

// reapplied has root applied again, from the newest commit.
func (s *story) reapplied(ctx context.Context, token string) {
	s.Helper()
	s.must(s.flux.Sync(ctx, s.app("root"), token))
	s.until(ctx, "root to be applied again", s.app("root"), func(a bot.App) bool { return a.Current && a.Synced })
}

func (s *story) lease(id bot.AppID, owner bot.RollbackID) bot.Lease {
	return bot.Lease{App: id, Owner: owner, Reason: "end-to-end test", Deadline: time.Now().Add(time.Hour).Truncate(time.Second).UTC()}
}

func (s *story) observe(ctx context.Context, first bot.SHA) {
	s.until(ctx, "root to be ready", s.app("root"), func(a bot.App) bool { return a.Current && a.Synced })
	apps, err := s.flux.Apps(ctx)
	s.must(err)
	source := func(path string) bot.Source {
		return bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{path}}
	}
	root := s.app("root")
	kustomization := func(name, path string, parent *bot.AppID, workloads ...bot.Workload) bot.App {
		return bot.App{
			ID: s.app(name), Source: source(path), Revision: first, Current: true, Synced: true, Health: bot.HealthGood,
			Message: "Applied revision: main@sha1:" + string(first), AutoSync: true, Parent: parent, Workloads: workloads,
			Attempted: first,
		}
	}
	deployment := func(name string) bot.Workload {
		return bot.Workload{Cluster: "prod", Kind: "Deployment", Namespace: "demo", Name: name}
	}
	for i := range apps {
		if id := apps[i].ID; id.Kind == bot.KindKustomization && time.Since(apps[i].AppliedAt) > 5*time.Minute {
			s.Errorf("%s was applied at %s", id, apps[i].AppliedAt)
		}
		apps[i].AppliedAt = time.Time{}
	}
	s.equal("apps", []bot.App{
		// No helm-controller has looked at it.
		{ID: s.release(), Source: source("clusters/prod"), Namespace: "demo", Revision: first, Attempted: first, Health: bot.HealthUnknown, AutoSync: true, Parent: &root},
		kustomization("pinned", "apps/pinned", &root, deployment("pinned")),
		kustomization("root", "clusters/prod", nil),
		kustomization("web", "apps/web", &root, deployment("web")),
	}, apps)

	live, err := s.bed.Kubernetes().AppsV1().Deployments("demo").Get(ctx, "web", metav1.GetOptions{})
	s.must(err)
	id, mark, ok := s.flux.Owner(bot.Object{Workload: deployment("web"), Labels: live.Labels})
	if id != s.app("web") || mark != "label kustomize.toolkit.fluxcd.io/name=web" || !ok {
		s.Errorf("owner of the Deployment: %v, %q, %v", id, mark, ok)
	}
}

func (s *story) permissions(ctx context.Context) {
	viewer := s.as("viewer")
	if _, err := viewer.Apps(ctx); err != nil {
		s.Errorf("who may look can't: %v", err)
	}
	_, err := viewer.Hold(ctx, s.lease(s.app("web"), "rb-viewer"))
	want := `Grant Backout's service account the verb "patch" on kustomizations.kustomize.toolkit.fluxcd.io in namespace flux-system.`
	if t := bot.AsTrouble(err); t == nil || t.Kind != bot.TroubleForbidden || t.Advice != want {
		s.Errorf("hold by who may only look: %+v", t)
	}
	if _, err := s.as("nobody").Apps(ctx); !bot.IsTrouble(err, bot.TroubleForbidden) {
		s.Errorf("apps for who may nothing: %v", err)
	}
	if _, err := s.with(&rest.Config{Host: "https://127.0.0.1:1"}).Apps(ctx); !bot.IsTrouble(err, bot.TroubleTransient) {
		s.Errorf("apps of a cluster that is down: %v", err)
	}
	missing := s.app("missing")
	if _, err := s.flux.App(ctx, missing); !bot.IsTrouble(err, bot.TroubleNotFound) {
		s.Errorf("an App that is not there: %v", err)
	}
}

// hold: nothing is applied while it stands, and nothing is left of it after.
func (s *story) hold(ctx context.Context) {
	for _, id := range []bot.AppID{s.app("web"), s.release()} {
		before := s.object(ctx, id)
		l := s.lease(id, "rb-1")
		for range 2 {
			held, err := s.flux.Hold(ctx, l)
			s.must(err)
			s.equal("held", bot.Held{App: id, Placed: true}, held)
		}
		app, err := s.flux.App(ctx, id)
		s.must(err)
		s.equal("hold on "+id.Name, &bot.Hold{App: id, Owner: "rb-1", Reason: "end-to-end test", Deadline: l.Deadline, Previous: "{}"}, app.Hold)

		// Its parent does not mention spec.suspend and leaves it.
		s.reapplied(ctx, "hold-"+id.Name)
		if app, err = s.flux.App(ctx, id); err != nil || !app.Hold.Ours() || app.Current {
			s.Errorf("after its parent was applied: %+v, %v", app, err)
		}
		if id.Kind == bot.KindKustomization {
			s.nothingApplied(ctx, id)
		}
		holds, err := s.flux.Holds(ctx)
		s.must(err)
		s.equal("holds", []bot.Hold{*app.Hold}, holds)

		held, err := s.flux.Release(ctx, id, "rb-2")
		s.must(err)
		if held.Placed || !strings.Contains(held.Left, "held by Rollback rb-1") {
			s.Errorf("release by another Rollback: %+v", held)
		}
		for range 2 {
			held, err = s.flux.Release(ctx, id, "rb-1")
			s.must(err)
			s.equal("released", bot.Held{App: id}, held)
		}
		after := s.object(ctx, id)
		s.equal("spec after hold and release", before.Object["spec"], after.Object["spec"])
		for name := range after.GetAnnotations() {
			if strings.HasPrefix(name, "backout.dev/") {
				s.Errorf("annotation %s is left", name)
			}
		}
		for _, e := range after.GetManagedFields() {
			if e.Manager == fieldManager && strings.Contains(string(e.FieldsV1.Raw), "f:suspend") {
				s.Errorf("we still own spec.suspend: %s", e.FieldsV1.Raw)
			}
		}
	}
	s.until(ctx, "web to run again", s.app("web"), func(a bot.App) bool { return a.Current && a.Synced })
}

// nothingApplied commits while an App is held and has Flux asked by force.
func (s *story) nothingApplied(ctx context.Context, id bot.AppID) {
	was, err := s.flux.App(ctx, id)
	s.must(err)
	if err := s.flux.Sync(ctx, id, "while-held"); !bot.IsTrouble(err, bot.TroubleStale) {
		s.Errorf("sync of a held App: %v", err)
	}
	next := s.origin.commit("while held", map[string]string{"apps/web/deploy.yaml": deploymentFile("web", "web:v2")})
	s.reapplied(ctx, "while-held") // the source has the commit now
	s.edit(ctx, id, "bed", `{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"by-force"}}}`)
	s.must(s.bed.Wait(ctx, "the controller to answer for a suspended object", func(ctx context.Context) (bool, error) {
		handled, _, _ := unstructured.NestedString(s.object(ctx, id).Object, "status", "lastHandledReconcileAt")
		return handled == "by-force", nil
	}))
	is, err := s.flux.App(ctx, id)
	s.must(err)
	if is.Revision != was.Revision || is.Revision == next || is.Current || is.Synced {
		s.Errorf("held and asked by force: revision %s (was %s, pushed %s), current %v", is.Revision, was.Revision, next, is.Current)
	}
}

// sync: a bad commit, its revert, and how long each takes to be seen.
func (s *story) sync(ctx context.Context) {
	web := s.app("web")
	bad := s.origin.commit("break it", map[string]string{"apps/web/deploy.yaml": deploymentFile("web", "web:v3-bad")})
	began := time.Now()
	s.must(s.flux.Sync(ctx, web, "bad"))
	s.Logf("sync returned after %s", time.Since(began).Round(time.Millisecond))
	s.appliedAt(s.until(ctx, "web to check its health", web, func(a bot.App) bool { return a.Attempted == bad }), began, 30*time.Second)
	broken := s.until(ctx, "web to be broken", web, func(a bot.App) bool { return a.Health == bot.HealthBad })
	// Its first health check may have been followed by another already, and then
	// only the end of the first is on record; or its end is not on record yet.
	if !broken.AppliedAt.IsZero() {
		s.appliedAt(broken, began, time.Since(began))
	}
	if broken.Revision == bad || broken.Attempted != bad || !strings.Contains(broken.Message, "commit "+bad.Short()+" was attempted") || broken.Synced {
		s.Errorf("broken App: %+v", broken)
	}
	s.Logf("broken after %s: %s", time.Since(began).Round(time.Millisecond), broken.Message)

	began = time.Now()
	good := s.origin.revert(bad)
	s.must(s.flux.Sync(ctx, web, "good"))
	// These manifests were there before, so their history does not tell.
	if a := s.applied(ctx, web, good); a.Attempted != good || !a.AppliedAt.IsZero() {
		s.Errorf("reverted App: %+v", a)
	}
	s.Logf("reverted after %s", time.Since(began).Round(time.Millisecond))

	before := s.object(ctx, web).GetResourceVersion()
	s.must(s.flux.Sync(ctx, web, "good"))
	if after := s.object(ctx, web).GetResourceVersion(); after != before {
		s.Error("a repeated sync wrote again")
	}
}

// appliedAt wants the time of an apply to be told, with the second's precision
// that Kubernetes keeps, and soon after the sync.
func (s *story) appliedAt(a bot.App, began time.Time, within time.Duration) {
	s.Helper()
	s.Logf("%s %s: applied %s after the sync", a.ID.Name, a.Health, a.AppliedAt.Sub(began).Round(time.Millisecond))
	if after := a.AppliedAt.Sub(began); after < -2*time.Second || after > within {
		s.Errorf("applied at %s, the sync was at %s", a.AppliedAt, began)
	}
}

// reasserted: pinned's manifest says "suspend: false".
func (s *story) reasserted(ctx context.Context) {
	id := s.app("pinned")
	held, err := s.flux.Hold(ctx, s.lease(id, "rb-3"))
	s.must(err)
	s.equal("held", bot.Held{App: id, Placed: true}, held)
	if others := gripOf(s.object(ctx, id)).others; len(others) != 0 {
		s.Errorf("others own spec.suspend still: %v", others)
	}
	s.reapplied(ctx, "reassert")
	undone := "the hold of Rollback rb-3 was undone by its parent Kustomization flux-system/root, whose manifest sets spec.suspend; hold the parent too, or take spec.suspend out of the manifest"
	app, err := s.flux.App(ctx, id)
	s.must(err)
	if app.Hold != nil || !strings.HasPrefix(app.Message, undone) {
		s.Errorf("undone hold: %+v, %q", app.Hold, app.Message)
	}
	held, err = s.flux.Hold(ctx, s.lease(id, "rb-3"))
	s.must(err)
	s.equal("held again", bot.Held{App: id, Left: "Kustomization flux-system/pinned is not held: " + undone + "."}, held)
	held, err = s.flux.Release(ctx, id, "rb-3")
	s.must(err)
	s.equal("released", bot.Held{App: id, Left: "Kustomization flux-system/pinned was not held any more: " + undone + "."}, held)
	u := s.object(ctx, id)
	if suspendField(u) != false || markOf(u.GetAnnotations()) != nil {
		s.Errorf("after the release: suspend %v, annotations %v", suspendField(u), u.GetAnnotations())
	}
}

// suspendedInGit: somebody commits "suspend: true" with another change under our
// hold. It stays when we release, and goes when they take it out.
func (s *story) suspendedInGit(ctx context.Context) {
	id := s.app("web")
	_, err := s.flux.Hold(ctx, s.lease(id, "rb-4"))
	s.must(err)
	pause := s.origin.commit("pause web", map[string]string{
		"clusters/prod/web.yaml": strings.Replace(kustomizationFile("web", "suspend: true"), "30m", "31m", 1),
	})
	s.reapplied(ctx, "pause")
	app, err := s.flux.App(ctx, id)
	s.must(err)
	if !app.Hold.Ours() || !strings.Contains(app.Hold.Reason, `also suspended by "kustomize-controller"`) {
		s.Errorf("hold: %+v", app.Hold)
	}
	held, err := s.flux.Release(ctx, id, "rb-4")
	s.must(err)
	if held.Placed || !strings.Contains(held.Left, `is also suspended by "kustomize-controller"`) {
		s.Errorf("released: %+v", held)
	}
	s.paused(ctx, id)
	good := s.origin.revert(pause)
	s.reapplied(ctx, "unpause")
	s.applied(ctx, id, good)
}

// suspendedInGitAlone: the commit says "suspend: true" and nothing else, which
// is what stands there already. kustomize-controller finds nothing to apply, so
// nothing in the cluster tells of it until we release and it finds a drift.
func (s *story) suspendedInGitAlone(ctx context.Context) {
	id := s.app("web")
	_, err := s.flux.Hold(ctx, s.lease(id, "rb-6"))
	s.must(err)
	pause := s.origin.commit("pause web alone", map[string]string{"clusters/prod/web.yaml": kustomizationFile("web", "suspend: true")})
	s.reapplied(ctx, "pause-alone")
	held, err := s.flux.Release(ctx, id, "rb-6")
	s.must(err)
	s.equal("released", bot.Held{App: id}, held)
	s.reapplied(ctx, "pause-drift")
	s.paused(ctx, id)
	good := s.origin.revert(pause)
	s.reapplied(ctx, "unpause-alone")
	s.applied(ctx, id, good)
}

// paused wants an App to be suspended by somebody else.
func (s *story) paused(ctx context.Context, id bot.AppID) {
	s.Helper()
	app, err := s.flux.App(ctx, id)
	s.must(err)
	if app.Hold == nil || app.Hold.Ours() || !strings.HasPrefix(app.Hold.Reason, `suspended by "kustomize-controller"`) {
		s.Errorf("hold: %+v", app.Hold)
	}
	if err := s.flux.Sync(ctx, id, "paused"); !bot.IsTrouble(err, bot.TroubleInvalid) {
		s.Errorf("sync of what a person suspended: %v", err)
	}
}

// kubectlSuspend shows why our field manager is not called kubectl.
func (s *story) kubectlSuspend(ctx context.Context) {
	id := s.release()
	s.edit(ctx, id, "kubectl-patch", `{"spec":{"suspend":true}}`)
	held, err := s.flux.Hold(ctx, s.lease(id, "rb-5"))
	s.must(err)
	if held.Placed || !strings.Contains(held.Left, `is already suspended by "kubectl-patch"`) {
		s.Errorf("hold of what a person suspended: %+v", held)
	}
	s.reapplied(ctx, "kubectl")
	if v := suspendField(s.object(ctx, id)); v != nil {
		s.Errorf("the parent left kubectl's suspend: %v", v)
	}
}

// writes looks at every write in the audit log.
func (s *story) writes() {
	writes, err := s.bed.Writes("backout")
	s.must(err)
	if len(writes) == 0 {
		s.Fatal(errors.New("the audit log has no write of ours"))
	}
	for _, w := range writes {
		known := w.Resource == "kustomizations" || w.Resource == "helmreleases" || w.Resource == "gitrepositories"
		if w.Verb != "patch" || !known || w.Subresource != "" || w.Code >= 400 && w.Code != 409 {
			s.Errorf("unexpected write: %s %s/%s %s/%s, answer %d", w.Verb, w.Resource, w.Subresource, w.Namespace, w.Name, w.Code)
		}
	}
	s.Logf("%d writes", len(writes))
}
