package flux

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backout-dev/backout/bot"
)

const shopFront = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: front
  namespace: shop
  labels: {helm.toolkit.fluxcd.io/name: shop, helm.toolkit.fluxcd.io/namespace: shop}
`

// wantWeb and wantShop are the fixtures as Apps.
func wantWeb() bot.App {
	apps := bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "apps"}
	return bot.App{
		ID:        webID(),
		Source:    bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/web"}},
		Namespace: "web", Revision: goodSHA, Attempted: goodSHA, Current: true, Synced: true, Health: bot.HealthGood,
		Message: "Applied revision: main@sha1:" + goodSHA, AutoSync: true, Parent: &apps,
		Workloads: []bot.Workload{
			{Cluster: "prod", Kind: "Deployment", Namespace: "web", Name: "front"},
			{Cluster: "prod", Kind: "CronJob", Namespace: "web", Name: "nightly"},
		},
	}
}

func wantShop() bot.App {
	parent := webID()
	return bot.App{
		ID:        shopID(),
		Source:    bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/web"}},
		Namespace: "shop", Revision: goodSHA, Attempted: goodSHA, Current: true, Synced: true, Health: bot.HealthGood,
		Message: "Helm upgrade succeeded", AutoSync: true, Parent: &parent,
		Workloads: []bot.Workload{{Cluster: "prod", Kind: "Deployment", Namespace: "shop", Name: "front"}},
	}
}

func TestApps(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web, shop, shopFront, strings.ReplaceAll(shopFront, ": shop", ": other"))
	flux := c.controller()
	want := []bot.App{wantShop(), wantWeb()}
	got, err := flux.Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("apps (-want +got):\n%s", diff)
	}
	for _, w := range want {
		one, err := flux.App(t.Context(), w.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(w, one); diff != "" {
			t.Errorf("%s alone (-want +got):\n%s", w.ID, diff)
		}
	}
}

// TestAppObserves reads one App after a change to the fixtures.
func TestAppObserves(t *testing.T) {
	replace := strings.NewReplacer
	for _, test := range []struct {
		name string
		id   bot.AppID
		with *strings.Replacer
		want func(*bot.App)
	}{
		{"a deploy that fails its health checks", webID(), replace(
			"lastAttemptedRevision: main@sha1:1111111111111111111111111111111111111111", "lastAttemptedRevision: main@sha1:"+badSHA,
			"  - {type: Ready", `  - {type: Healthy, status: "False", reason: HealthCheckFailed, lastTransitionTime: "2026-03-04T10:00:00Z"}`+"\n  - {type: Ready",
			`status: "True", reason: ReconciliationSucceeded`, `status: "False", reason: HealthCheckFailed`),
			func(a *bot.App) {
				a.Synced, a.Health, a.Attempted = false, bot.HealthBad, badSHA
				a.Message = "commit 222222222222 was attempted and is not applied in full; " + a.Message
			}},
		{"a commit that can't be built", webID(), replace(
			"lastAttemptedRevision: main@sha1:1111111111111111111111111111111111111111", "lastAttemptedRevision: main@sha1:"+badSHA,
			`status: "True", reason: ReconciliationSucceeded`, `status: "False", reason: BuildFailed`),
			func(a *bot.App) {
				a.Synced, a.Health = false, bot.HealthBad
				a.Message = "commit 222222222222 was attempted and is not applied in full; " + a.Message
			}},
		{"a person's suspend", webID(), replace("prune: true", "prune: true, suspend: true"),
			func(a *bot.App) {
				a.Current, a.Synced, a.AutoSync = false, false, false
				a.Hold = &bot.Hold{App: webID(), Reason: "suspended by somebody, not by Backout"}
			}},
		{"a hold that was undone", webID(), replace("generation: 4\n", "generation: 4\n  annotations: {backout.dev/hold-owner: rb-1}\n"),
			func(a *bot.App) {
				a.Message = `the hold of Rollback rb-1 was undone by somebody who removed spec.suspend, as "flux resume" does; ` + a.Message
			}},
		{"a source that is suspended", webID(), replace("ref: {branch: main}", "ref: {branch: main}, suspend: true"),
			func(a *bot.App) {
				a.AutoSync = false
				a.Message = "its source GitRepository flux-system/fleet is suspended; " + a.Message
			}},
		{"a source that is gone", webID(), replace("metadata: {name: fleet", "metadata: {name: elsewhere"),
			func(a *bot.App) {
				a.AutoSync = false
				a.Source = bot.Source{Untracked: "Its source can't be read. Cluster prod has no gitrepositories.source.toolkit.fluxcd.io flux-system/fleet."}
			}},
		{"an OCI artifact", webID(), replace("kind: GitRepository, name: fleet}", "kind: OCIRepository, name: fleet}",
			"lastAppliedRevision: main@sha1:1111111111111111111111111111111111111111", "lastAppliedRevision: latest@sha256:aa\n  lastAppliedOriginRevision: main@sha1:"+goodSHA,
			"lastAttemptedRevision: main@sha1:1111111111111111111111111111111111111111", "lastAttemptedRevision: latest@sha256:aa"),
			func(a *bot.App) {
				a.AutoSync = false
				a.Source = bot.Source{Untracked: "It is delivered from OCIRepository flux-system/fleet, not from a branch of a GitRepository."}
			}},
		{"components and a source in another namespace", webID(), replace(
			"prune: true", "prune: true, components: [../../components/ha, extra]",
			"kind: GitRepository, name: fleet}", "kind: GitRepository, name: fleet, namespace: sources}",
			"metadata: {name: fleet, namespace: flux-system", "metadata: {name: fleet, namespace: sources"),
			func(a *bot.App) { a.Source.Paths = []string{"apps/web", "components/ha", "apps/web/extra"} }},
		{"another cluster's objects", webID(), replace("prune: true", "prune: true, kubeConfig: {secretRef: {name: east}}"),
			func(a *bot.App) {
				a.Workloads = nil
				a.Message = "it delivers to another cluster (spec.kubeConfig), whose workloads are not seen from here; " + a.Message
			}},
		{"the root of a bootstrapped cluster", webID(), replace("kustomize.toolkit.fluxcd.io/name: apps", "kustomize.toolkit.fluxcd.io/name: web"),
			func(a *bot.App) { a.Parent = nil }},
		{"a release whose new values were not looked at", shopID(), replace("namespace: shop\n  generation: 2", "namespace: shop\n  generation: 3"),
			func(a *bot.App) { a.Current, a.Synced = false, false }},
		{"a release into another namespace", shopID(), replace("  values: {rep", "  targetNamespace: market\n  values: {rep"),
			func(a *bot.App) { a.Namespace = "market" }},
		{"a release whose Kustomization is suspended", shopID(), replace("prune: true", "prune: true, suspend: true"),
			func(a *bot.App) {
				a.Current, a.Synced, a.AutoSync = false, false, false
				a.Message += "; Kustomization flux-system/web, which delivers it, is suspended"
			}},
		{"a release that nobody delivers", shopID(), replace("kustomize.toolkit.fluxcd.io/name: web", "team: web"),
			func(a *bot.App) {
				a.Parent, a.Revision, a.Attempted, a.AutoSync = nil, "", "", false
				a.Source = bot.Source{Untracked: "Nothing delivers HelmRelease shop/shop, and its chart is not in a GitRepository."}
			}},
		{"a release that ran out of retries", shopID(), replace(
			`conditions:
  - {type: Ready, status: "True", reason: UpgradeSucceeded, observedGeneration: 2, message: Helm upgrade succeeded,`, `conditions:
  - {type: Stalled, status: "True", reason: RetriesExceeded, message: Failed to upgrade after 1 attempt(s), lastTransitionTime: "2026-03-04T10:00:00Z"}
  - {type: Remediated, status: "True", reason: RollbackSucceeded, message: Helm rolled back, lastTransitionTime: "2026-03-04T10:00:00Z"}
  - {type: Ready, status: "False", reason: UpgradeFailed, observedGeneration: 2, message: timed out,`),
			func(a *bot.App) {
				a.Synced, a.Health = false, bot.HealthBad
				a.Message = "Failed to upgrade after 1 attempt(s); timed out; Helm rolled back"
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var docs []string
			for _, d := range []string{fleet, web, shop, shopFront} {
				docs = append(docs, test.with.Replace(d))
			}
			want := wantWeb()
			if test.id == shopID() {
				want = wantShop()
			}
			test.want(&want)
			got, err := newCluster(t, allVersions, docs...).controller().App(t.Context(), test.id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("app (-want +got):\n%s", diff)
			}
		})
	}
}

// gitShop is a release whose chart is in the same repository as its values.
var gitShop = strings.NewReplacer(
	"{chart: shop, version: 1.x, sourceRef: {kind: HelmRepository, name: charts}}",
	"{chart: ./charts/shop, valuesFiles: [charts/shop/values.yaml, apps/web/values.yaml], sourceRef: {kind: GitRepository, name: fleet, namespace: flux-system}}",
	"  observedGeneration: 2\n", "  observedGeneration: 2\n  helmChart: flux-system/shop-shop\n").Replace(shop)

const shopChart = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: shop-shop, namespace: flux-system, generation: 1}
spec: {chart: ./charts/shop, interval: 10m, sourceRef: {kind: GitRepository, name: fleet}}
status:
  observedSourceArtifactRevision: main@sha1:1111111111111111111111111111111111111111
  artifact: {revision: 1.4.2, url: "http://source-controller/shop.tgz", path: shop.tgz, digest: "sha256:aa", lastUpdateTime: "2026-03-04T10:00:00Z"}
`

func TestReleaseWithItsChartInGit(t *testing.T) {
	paths := []string{"apps/web", "charts/shop", "charts/shop/values.yaml", "apps/web/values.yaml"}
	for _, test := range []struct {
		name  string
		docs  []string
		paths []string
		lag   string
	}{
		{"built and released", []string{gitShop, shopChart, web}, paths, ""},
		{"built from another commit", []string{gitShop, strings.ReplaceAll(shopChart, goodSHA, badSHA), web}, paths,
			"its chart was built from 222222222222, and 111111111111 is applied"},
		{"built and not released", []string{gitShop, strings.ReplaceAll(shopChart, "revision: 1.4.2", "revision: 1.4.3"), web}, paths,
			"its chart is at version 1.4.3, and version 1.4.2 was released last"},
		{"not built", []string{gitShop, web}, paths,
			"its chart can't be looked at: Cluster prod has no helmcharts.source.toolkit.fluxcd.io flux-system/shop-shop"},
		{"no Kustomization", []string{strings.ReplaceAll(gitShop, "kustomize.toolkit", "nobody"), shopChart, web}, paths[1:], ""},
		{"a Kustomization that is gone", []string{gitShop, shopChart}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			flux := newCluster(t, allVersions, append(test.docs, fleet)...).controller()
			app, err := flux.App(t.Context(), shopID())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.paths, app.Source.Paths); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			if app.Source.Untracked == "" && app.Revision != goodSHA {
				t.Errorf("revision %s", app.Revision)
			}
			if app.Current != (test.lag == "") || !strings.HasSuffix(app.Message, test.lag) {
				t.Errorf("current %v, message %q, want lag %q", app.Current, app.Message, test.lag)
			}
			all, err := flux.Apps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(app, all[0]); diff != "" {
				t.Errorf("alone and among all (-alone +all):\n%s", diff)
			}
		})
	}
}

// TestReleaseOfARelease walks past the release that brought the release.
func TestReleaseOfARelease(t *testing.T) {
	inner := strings.NewReplacer("name: shop\n", "name: inner\n", "kustomize.toolkit.fluxcd.io/name: web", "helm.toolkit.fluxcd.io/name: shop",
		"kustomize.toolkit.fluxcd.io/namespace: flux-system", "helm.toolkit.fluxcd.io/namespace: shop").Replace(shop)
	c := newCluster(t, allVersions, fleet, web, shop, inner)
	id, parent := shopID(), shopID()
	id.Name = "inner"
	app, err := c.controller().App(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&parent, app.Parent); diff != "" || app.Source.Repo != "acme/fleet" || app.Revision != goodSHA {
		t.Errorf("source %+v, revision %s, parent (-want +got):\n%s", app.Source, app.Revision, diff)
	}
	circle := strings.NewReplacer("kustomize.toolkit.fluxcd.io/name: web", "helm.toolkit.fluxcd.io/name: inner",
		"kustomize.toolkit.fluxcd.io/namespace: flux-system", "helm.toolkit.fluxcd.io/namespace: shop").Replace(shop)
	if app, err = newCluster(t, allVersions, fleet, web, circle, inner).controller().App(t.Context(), id); err != nil || app.Source.Untracked == "" {
		t.Errorf("releases that deliver each other: %+v, %v", app.Source, err)
	}
}

// TestChartFromAnotherObjectForTheSameRepository compares commits across two
// GitRepositories.
func TestChartFromAnotherObjectForTheSameRepository(t *testing.T) {
	charts := strings.NewReplacer("name: fleet", "name: charts", "ssh://git@github.com/", "https://github.com/").Replace(fleet)
	release := strings.ReplaceAll(gitShop, "kind: GitRepository, name: fleet", "kind: GitRepository, name: charts")
	for _, test := range []struct {
		name, charts, chart string
		paths               int
		current             bool
	}{
		{"same commit", charts, shopChart, 4, true},
		{"older commit", charts, strings.ReplaceAll(shopChart, goodSHA, badSHA), 4, false},
		{"another repository, any commit", strings.ReplaceAll(charts, "acme/fleet", "acme/charts"), strings.ReplaceAll(shopChart, goodSHA, badSHA), 1, true},
	} {
		app, err := newCluster(t, allVersions, fleet, test.charts, web, release, test.chart).controller().App(t.Context(), shopID())
		if err != nil || len(app.Source.Paths) != test.paths || app.Current != test.current {
			t.Errorf("%s: paths %v, current %v (%s), %v", test.name, app.Source.Paths, app.Current, app.Message, err)
		}
	}
}

func TestAppsOfAClusterWithoutFlux(t *testing.T) {
	c := newCluster(t, nil)
	flux := c.controller()
	for range 3 {
		apps, err := flux.Apps(t.Context())
		if err != nil || len(apps) != 0 {
			t.Fatalf("%v, %v", apps, err)
		}
	}
	if n := strings.Count(c.logged.String(), "kustomizations.kustomize.toolkit.fluxcd.io"); n != 1 {
		t.Errorf("said %d times that there are no Kustomizations:\n%s", n, c.logged)
	}
	if _, err := flux.App(t.Context(), webID()); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("got %v, want not-found", err)
	}
	if holds, err := flux.Holds(t.Context()); err != nil || len(holds) != 0 {
		t.Errorf("%v, %v", holds, err)
	}
}

func TestAppsOfAnOldFlux(t *testing.T) {
	versions := []string{"kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2beta2", "source.toolkit.fluxcd.io/v1"}
	c := newCluster(t, versions, fleet, web, strings.ReplaceAll(shop, "fluxcd.io/v2\n", "fluxcd.io/v2beta2\n"))
	got, err := c.controller().App(t.Context(), shopID())
	if err != nil {
		t.Fatal(err)
	}
	want := wantShop()
	want.Workloads = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("app (-want +got):\n%s", diff)
	}
}

func TestAppsAfterAnUpgradeOfFlux(t *testing.T) {
	c := newCluster(t, []string{"helm.toolkit.fluxcd.io/v2beta2"}, strings.ReplaceAll(shop, "fluxcd.io/v2\n", "fluxcd.io/v2beta2\n"))
	flux := c.controller()
	if _, err := flux.App(t.Context(), shopID()); err != nil {
		t.Fatal(err)
	}
	upgraded := newCluster(t, allVersions, fleet, web, shop)
	flux.dynamic, flux.served.discovery = upgraded.dynamic, upgraded.discovery
	// The first request finds that the version is gone, the next one looks anew.
	if _, err := flux.App(t.Context(), shopID()); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("got %v, want not-found", err)
	}
	if _, err := flux.App(t.Context(), shopID()); err != nil {
		t.Error(err)
	}
}

func TestAppsWithinNamespaces(t *testing.T) {
	// The source is outside: it is read one by one.
	c := newCluster(t, allVersions, fleet, web, shop, shopFront)
	flux := c.controller(func(c *Config) { c.Namespaces = []string{"shop"} })
	got, err := flux.Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bot.App{wantShop()}, got); diff != "" {
		t.Errorf("apps (-want +got):\n%s", diff)
	}
	if flux.Handles(webID()) || !flux.Handles(shopID()) {
		t.Error("handles Apps outside its namespaces")
	}
	if _, err := flux.App(t.Context(), webID()); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestHandles(t *testing.T) {
	flux := newCluster(t, allVersions).controller()
	other, argo := webID(), webID()
	other.Cluster, argo.Kind = "stage", bot.KindApplication
	if !flux.Handles(webID()) || !flux.Handles(shopID()) || flux.Handles(other) || flux.Handles(argo) {
		t.Error("handles the wrong Apps")
	}
}

func TestAppsPassOverWhatTheyCantRead(t *testing.T) {
	odd := strings.NewReplacer("name: web\n", "name: odd\n", "prune: true", "prune: {future: form}").Replace(web)
	c := newCluster(t, allVersions, fleet, web, odd)
	got, err := c.controller().Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bot.App{wantWeb()}, got); diff != "" || !strings.Contains(c.logged.String(), "name=odd") {
		t.Errorf("apps (-want +got):\n%s\nlog: %s", diff, c.logged)
	}
}

func TestAppsFailWhenAListFails(t *testing.T) {
	for _, plural := range []string{"kustomizations", "helmreleases", "gitrepositories"} {
		c := newCluster(t, allVersions, fleet, web, shop)
		c.fail("list", plural, apierrors.NewForbidden(schema.GroupResource{Resource: plural}, "", nil))
		_, err := c.controller().Apps(t.Context())
		trouble := bot.AsTrouble(err)
		if trouble.Kind != bot.TroubleForbidden || !strings.Contains(trouble.Advice, "the whole cluster") {
			t.Errorf("%s: got %s, advice %q", plural, trouble.Kind, trouble.Advice)
		}
	}
	c := newCluster(t, allVersions, fleet, web, shop)
	c.metadata.PrependReactor("list", "deployments", failing(errors.New("connection refused")))
	if _, err := c.controller().Apps(t.Context()); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("workloads: got %v, want transient", err)
	}
}

func TestAppTellsOfASourceThatItMayNotRead(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web)
	c.fail("get", "gitrepositories", apierrors.NewForbidden(schema.GroupResource{}, "fleet", nil))
	app, err := c.controller().App(t.Context(), webID())
	if err != nil || app.Source.Repo != "" || !strings.Contains(app.Source.Untracked, "does not let Backout get gitrepositories") {
		t.Errorf("%+v, %v", app.Source, err)
	}
	c = newCluster(t, allVersions, fleet, web)
	c.fail("get", "gitrepositories", errors.New("connection refused"))
	if _, err := c.controller().App(t.Context(), webID()); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("got %v, want transient: an App must not look untracked because a request failed", err)
	}
}

func TestPagedStartsOverWhenThePagesExpire(t *testing.T) {
	asked := 0
	got, err := paged(func(o metav1.ListOptions) ([]int, string, error) {
		asked++
		switch {
		case o.Continue == "" && o.Limit != 0:
			return []int{1, 2}, "next", nil
		case o.Continue == "next":
			return nil, "", apierrors.NewResourceExpired("too old")
		}
		return []int{1, 2, 3}, "", nil
	}, metav1.ListOptions{})
	if diff := cmp.Diff([]int{1, 2, 3}, got); diff != "" || err != nil || asked != 3 {
		t.Errorf("asked %d times, %v (-want +got):\n%s", asked, err, diff)
	}
}

func TestNewWantsAClusterAndAHost(t *testing.T) {
	for _, c := range []Config{{}, {Cluster: "prod"}, {Host: "github.com"}, {Cluster: "prod", Host: "github.com"}} {
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) gave no error", c)
		}
	}
}
