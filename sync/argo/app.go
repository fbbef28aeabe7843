package argo

import (
	"fmt"
	"slices"
	"strings"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync/common"

	"github.com/backout-dev/backout/bot"
)

// groups are the API groups of the kinds that run pods and that an Application
// may deliver.
func groups() map[string]string {
	return map[string]string{
		"Deployment": "apps", "StatefulSet": "apps", "DaemonSet": "apps",
		"Job": "batch", "CronJob": "batch",
	}
}

// app is an Application in our words.
func (s *Server) app(a *argov1.Application) bot.App {
	id := s.idOf(a)
	source, first := s.sourceOf(a)
	app := bot.App{
		ID:        id,
		Source:    source,
		Namespace: a.Spec.Destination.Namespace,
		Current:   current(a),
		Synced:    a.Status.Sync.Status == argov1.SyncStatusCodeSynced,
		Health:    healthOf(a.Status.Health.Status),
		AutoSync:  automated(a) != nil,
		Workloads: workloads(a, id.Cluster),
		Parent:    s.parentOf(a),
	}
	app.Revision, app.AppliedAt = applied(a, first)
	if sha, at := attempted(a, first); sha != "" && sha != app.Revision {
		app.Attempted, app.AppliedAt = sha, at
	}
	if h, ok := readHold(a, id); ok && !app.AutoSync {
		app.Hold = &h
	}
	app.Message = s.message(a)
	return app
}

func (s *Server) idOf(a *argov1.Application) bot.AppID {
	return bot.AppID{Cluster: s.cluster(a.Spec.Destination), Kind: bot.KindApplication, Namespace: a.Namespace, Name: a.Name}
}

// cluster is our name of a destination. One that nobody has mapped keeps the
// name that Argo CD has for it, or its host: its Applications still show up as
// affected by a revert, and no cluster of ours is taken for it.
func (s *Server) cluster(d argov1.ApplicationDestination) string {
	for _, key := range []string{d.Name, d.Server} {
		if ours, ok := s.cfg.Clusters[key]; ok && key != "" {
			return ours
		}
	}
	switch {
	case d.Name == "in-cluster" || d.Server == argov1.KubernetesInternalAPIServerAddr:
		return s.cfg.Cluster
	case d.Name != "":
		return d.Name
	}
	host := strings.TrimPrefix(strings.TrimPrefix(d.Server, "https://"), "http://")
	host, _, _ = strings.Cut(host, "/")
	return host
}

func automated(a *argov1.Application) *argov1.SyncPolicyAutomated {
	if a.Spec.SyncPolicy == nil {
		return nil
	}
	return a.Spec.SyncPolicy.Automated
}

// healthOf translates. Suspended (a paused rollout, say) is neither good nor
// bad: it has not arrived, and will not by itself.
func healthOf(h health.HealthStatusCode) bot.Health {
	switch h {
	case health.HealthStatusHealthy:
		return bot.HealthGood
	case health.HealthStatusProgressing, health.HealthStatusSuspended:
		return bot.HealthProgressing
	case health.HealthStatusDegraded, health.HealthStatusMissing:
		return bot.HealthBad
	}
	return bot.HealthUnknown
}

// workloads are the objects of the newest manifests that run pods; hooks and
// what waits to be pruned are not among them.
func workloads(a *argov1.Application, cluster string) []bot.Workload {
	var ws []bot.Workload
	for _, r := range a.Status.Resources {
		if g, ok := groups()[r.Kind]; ok && g == r.Group && !r.Hook && !r.RequiresPruning {
			ws = append(ws, bot.Workload{Cluster: cluster, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name})
		}
	}
	return ws
}

// message is what a person should know first: what keeps it from being
// compared, what its operation says, what is unhealthy, and what no sync will
// mend.
func (s *Server) message(a *argov1.Application) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	for _, c := range a.Status.Conditions {
		if c.IsError() {
			add("%s: %s", c.Type, c.Message)
		}
	}
	if o := a.Status.OperationState; o != nil && o.Message != "" && o.Phase != common.OperationSucceeded {
		add("Sync %s: %s", strings.ToLower(string(o.Phase)), o.Message)
	}
	if m := unhealthy(a); m != "" {
		add("%s", m)
	}
	if n := len(pruned(a)); n > 0 && a.Operation == nil && !prunes(a) {
		add("%d objects are no longer in git and stay, since automated pruning is off (%s)", n, strings.Join(pruned(a), ", "))
	}
	if h, ok := readHold(a, s.idOf(a)); ok && automated(a) != nil {
		add("Automated sync was turned on by %s while %s held it off", s.others(a), h.Owner)
	}
	return strings.Join(parts, "; ")
}

// unhealthy is the reason for an Application's health; the Application itself
// mostly gives none, its objects do.
func unhealthy(a *argov1.Application) string {
	if a.Status.Health.Message != "" {
		return a.Status.Health.Message
	}
	i := slices.IndexFunc(a.Status.Resources, func(r argov1.ResourceStatus) bool {
		return r.Health != nil && r.Health.Status == a.Status.Health.Status && r.Health.Message != ""
	})
	if i < 0 || a.Status.Health.Status == health.HealthStatusHealthy {
		return ""
	}
	r := a.Status.Resources[i]
	return fmt.Sprintf("%s %s/%s: %s", r.Kind, r.Namespace, r.Name, r.Health.Message)
}

func pruned(a *argov1.Application) []string {
	var names []string
	for _, r := range a.Status.Resources {
		if r.RequiresPruning {
			names = append(names, r.Kind+" "+r.Name)
		}
	}
	return names
}
