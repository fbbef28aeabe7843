package argo

import (
	"fmt"
	"slices"
	"strings"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

const (
	trackingKey     = "argocd.argoproj.io/tracking-id"
	installationKey = "argocd.argoproj.io/installation-id"
)

// tracking is a tracking-id: "<app>:<group>/<kind>:<namespace>/<name>"
// (util/argo/resource_tracking.go).
type tracking struct {
	app, group, kind, namespace, name string
}

func parseTracking(v string) (tracking, bool) {
	parts := strings.SplitN(v, ":", 3)
	if len(parts) != 3 {
		return tracking{}, false
	}
	group, kind, ok := strings.Cut(parts[1], "/")
	namespace, name, ok2 := strings.Cut(parts[2], "/")
	t := tracking{parts[0], group, kind, namespace, name}
	return t, ok && ok2 && t.app != "" && !strings.Contains(kind+name, "/")
}

// of reports whether the mark was made for that very object. Controllers copy
// annotations (a Deployment's go to its ReplicaSets), and people copy manifests.
func (t tracking) of(w bot.Workload) bool {
	group, known := groups()[w.Kind]
	return t.kind == w.Kind && t.name == w.Name && t.namespace == w.Namespace && (!known || t.group == group)
}

// Owner names the Application that delivers an object: by its tracking-id, else
// by the instance label. The label is in common use by others (Helm charts set
// it to the release), so it counts only for an Application that was seen by
// [Server.Apps], delivers to the object's cluster, and lists the object or, for
// pods and ReplicaSets, which it can't list, delivers to their namespace.
//
// Before the first list a tracking-id is believed as it stands.
func (s *Server) Owner(o bot.Object) (id bot.AppID, mark string, ok bool) {
	t, parsed := parseTracking(o.Annotations[trackingKey])
	// Argo CD itself ignores marks of other installations in just this way.
	if parsed && t.of(o.Workload) && o.Annotations[installationKey] == s.cfg.InstallationID {
		i := s.instanceOf(t.app)
		k, found, listed := s.find(i)
		switch {
		case found && k.id.Cluster == o.Cluster:
			return k.id, "annotation " + trackingKey, true
		case !found && !listed && s.covers(i.namespace):
			return bot.AppID{Cluster: o.Cluster, Kind: bot.KindApplication, Namespace: i.namespace, Name: i.name}, "annotation " + trackingKey, true
		}
	}
	if l := o.Labels[s.cfg.InstanceLabel]; l != "" {
		if k, found, _ := s.find(s.instanceOf(l)); found && k.mayDeliver(o.Workload) {
			return k.id, "label " + s.cfg.InstanceLabel, true
		}
	}
	return bot.AppID{}, "", false
}

func (k known) mayDeliver(w bot.Workload) bool {
	if w.Cluster != k.id.Cluster {
		return false
	}
	if _, listed := groups()[w.Kind]; listed {
		return k.delivers[w]
	}
	return slices.Contains(k.namespaces, w.Namespace)
}

// parentOf is the App that delivers the Application's own object, in the cluster
// that Argo CD runs in: an Application by the marks above, a Flux Kustomization
// by its labels. An ApplicationSet is no
// App; see generator.
func (s *Server) parentOf(a *argov1.Application) *bot.AppID {
	self := instance{a.Namespace, a.Name}
	if t, ok := parseTracking(a.Annotations[trackingKey]); ok &&
		t.group == "argoproj.io" && t.kind == "Application" && t.namespace == a.Namespace && t.name == a.Name {
		if i := s.instanceOf(t.app); i != self {
			return s.inCluster(bot.KindApplication, i.namespace, i.name)
		}
	}
	if l := a.Labels[s.cfg.InstanceLabel]; l != "" {
		if k, found, _ := s.seen.get(s.instanceOf(l)); found && k.children[self] {
			return &k.id
		}
	}
	const flux = "kustomize.toolkit.fluxcd.io/"
	if name, ns := a.Labels[flux+"name"], a.Labels[flux+"namespace"]; name != "" && ns != "" {
		return s.inCluster(bot.KindKustomization, ns, name)
	}
	return nil
}

func (s *Server) inCluster(kind bot.AppKind, namespace, name string) *bot.AppID {
	return &bot.AppID{Cluster: s.cfg.Cluster, Kind: kind, Namespace: namespace, Name: name}
}

// generator is the controller that owns the Application's object, if any: an
// ApplicationSet, which writes the whole spec back when it differs.
func generator(a *argov1.Application) string {
	for _, o := range a.OwnerReferences {
		if o.Controller != nil && *o.Controller {
			return o.Kind + " " + o.Name
		}
	}
	return ""
}

// isDelivered reports whether something writes the Application's spec by itself.
func (s *Server) isDelivered(a *argov1.Application) bool {
	return generator(a) != "" || s.parentOf(a) != nil
}

// others names who besides us may have written the Application's spec.
func (s *Server) others(a *argov1.Application) string {
	if g := generator(a); g != "" {
		return "the " + g + " that generates it, or a person"
	}
	if p := s.parentOf(a); p != nil {
		return fmt.Sprintf("the %s %s/%s that delivers it, or a person", p.Kind, p.Namespace, p.Name)
	}
	return "somebody"
}
