package argo

import (
	"strings"
	"testing"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestAppsAndApp(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}), func(a *argov1.Application) {
		a.Status.Resources = []argov1.ResourceStatus{
			{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"},
			{Kind: "Service", Namespace: "shop", Name: "web"},
			{Group: "batch", Kind: "Job", Namespace: "shop", Name: "migrate", Hook: true},
			{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "old", RequiresPruning: true},
			{Group: "example.com", Kind: "Deployment", Namespace: "shop", Name: "imposter"},
		}
	})
	east := si.add("east", func(a *argov1.Application) {
		a.Spec.Destination = argov1.ApplicationDestination{Server: "https://east.example:6443", Namespace: "shop"}
	})
	s := si.client(t, func(c *Config) { c.Clusters = map[string]string{"https://east.example:6443": "east"} })
	app, err := s.App(t.Context(), appID("web"))
	if err != nil {
		t.Fatal(err)
	}
	want := bot.App{
		ID:        appID("web"),
		Source:    bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/web"}},
		Namespace: "shop", Revision: sha1, AppliedAt: app.AppliedAt, Current: true, Synced: true, Health: bot.HealthGood, AutoSync: true,
		Workloads: []bot.Workload{{Cluster: "prod", Kind: "Deployment", Namespace: "shop", Name: "web"}},
		Message:   "1 objects are no longer in git and stay, since automated pruning is off (Deployment old)",
	}
	if d := cmp.Diff(want, app); d != "" {
		t.Errorf("App (-want +got):\n%s", d)
	}
	apps, err := s.Apps(t.Context())
	if err != nil || len(apps) != 2 {
		t.Fatalf("Apps = %+v, %v; want two", apps, err)
	}
	if d := cmp.Diff(want, apps[0]); d != "" {
		t.Errorf("Apps[0] (-want +got):\n%s", d)
	}
	if got := apps[1].ID; got.Cluster != "east" || !s.Handles(got) {
		t.Errorf("Apps[1] is %s, want it in east and handled", got)
	}
	if _, err := s.App(t.Context(), appID(east.Name)); !bot.IsTrouble(err, bot.TroubleNotFound) || !strings.Contains(err.Error(), "delivers to the cluster east") {
		t.Errorf("App in the wrong cluster: %v, want not found", err)
	}
}

func TestRestrictedToNamespacesAndProjects(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	si.add("other", func(a *argov1.Application) { a.Spec.Project = "other" })
	si.add("elsewhere", func(a *argov1.Application) { a.Namespace = "team" })
	s := si.client(t, func(c *Config) { c.Namespaces, c.Projects = []string{"argocd"}, []string{"default"} })
	apps, err := s.Apps(t.Context())
	if err != nil || len(apps) != 1 || apps[0].ID != appID("web") {
		t.Errorf("Apps = %+v, %v; want web only", apps, err)
	}
	if _, err := s.App(t.Context(), appID("other")); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("App of another project: %v, want not found", err)
	}
	if id := (bot.AppID{Cluster: "prod", Kind: bot.KindApplication, Namespace: "team", Name: "elsewhere"}); s.Handles(id) {
		t.Errorf("handles %s", id)
	}
	if id := appID("web"); !s.Handles(id) {
		t.Errorf("does not handle %s", id)
	}
	if id := (bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "argocd", Name: "web"}); s.Handles(id) {
		t.Errorf("handles %s", id)
	}
}

func TestCluster(t *testing.T) {
	s := &Server{cfg: Config{Cluster: "prod", Clusters: map[string]string{"https://east:6443": "east", "west": "west-1"}}}
	for _, c := range []struct {
		server, name, want string
	}{
		{"https://kubernetes.default.svc", "", "prod"},
		{"", "in-cluster", "prod"},
		{"https://east:6443", "", "east"},
		{"", "west", "west-1"},
		{"", "north", "north"},
		{"https://south.example:6443/path", "", "south.example:6443"},
	} {
		if got := s.cluster(argov1.ApplicationDestination{Server: c.server, Name: c.name}); got != c.want {
			t.Errorf("cluster(%q, %q) = %q, want %q", c.server, c.name, got, c.want)
		}
	}
}

func TestHealth(t *testing.T) {
	for in, want := range map[health.HealthStatusCode]bot.Health{
		health.HealthStatusHealthy: bot.HealthGood, health.HealthStatusProgressing: bot.HealthProgressing,
		health.HealthStatusSuspended: bot.HealthProgressing, health.HealthStatusDegraded: bot.HealthBad,
		health.HealthStatusMissing: bot.HealthBad, health.HealthStatusUnknown: bot.HealthUnknown,
		"": bot.HealthUnknown, "Newfangled": bot.HealthUnknown,
	} {
		if got := healthOf(in); got != want {
			t.Errorf("healthOf(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	s := &Server{cfg: Config{Cluster: "prod", Namespace: "argocd"}}
	degraded := func(a *argov1.Application) {
		a.Status.Health.Status = health.HealthStatusDegraded
		a.Status.Resources = []argov1.ResourceStatus{
			{Kind: "Service", Namespace: "shop", Name: "web", Health: &argov1.HealthStatus{Status: health.HealthStatusHealthy, Message: "fine"}},
			{Kind: "Deployment", Namespace: "shop", Name: "web", Health: &argov1.HealthStatus{Status: health.HealthStatusDegraded, Message: "exceeded its progress deadline"}},
		}
	}
	saying := func(m string) func(*argov1.OperationState) { return func(o *argov1.OperationState) { o.Message = m } }
	for _, c := range []struct {
		app  *argov1.Application
		want string
	}{
		{state(argov1.SyncStatusCodeSynced), ""},
		{state(argov1.SyncStatusCodeSynced, ran(common.OperationSucceeded, saying("successfully synced"))), ""},
		{state(argov1.SyncStatusCodeSynced, degraded), "Deployment shop/web: exceeded its progress deadline"},
		{state(argov1.SyncStatusCodeOutOfSync, ran(common.OperationFailed, saying("one task failed")), degraded), "Sync failed: one task failed; Deployment shop/web: exceeded its progress deadline"},
		{state(argov1.SyncStatusCodeUnknown, func(a *argov1.Application) {
			a.Status.Conditions = []argov1.ApplicationCondition{
				{Type: argov1.ApplicationConditionSharedResourceWarning, Message: "shared"},
				{Type: argov1.ApplicationConditionComparisonError, Message: "it does not render"},
			}
		}), "ComparisonError: it does not render"},
	} {
		if got := s.message(c.app); got != c.want {
			t.Errorf("message = %q, want %q", got, c.want)
		}
	}
}
