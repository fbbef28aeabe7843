package argo

import (
	"context"
	"fmt"
	"slices"

	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// Handles reports whether an App may be one of ours: an Application in a
// cluster that we have a name for, or have seen one deliver to. Where two Argo
// CDs deliver to one cluster, their Namespaces must tell them apart.
func (s *Server) Handles(id bot.AppID) bool {
	if id.Kind != bot.KindApplication || !s.covers(id.Namespace) {
		return false
	}
	if id.Cluster == s.cfg.Cluster {
		return true
	}
	for _, name := range s.cfg.Clusters {
		if id.Cluster == name {
			return true
		}
	}
	return s.seen.has(id)
}

// covers reports whether Applications of a namespace exist for us.
func (s *Server) covers(namespace string) bool {
	return len(s.cfg.Namespaces) == 0 || slices.Contains(s.cfg.Namespaces, namespace)
}

// Apps lists the Applications from argocd-server's cache, which lags behind the
// cluster by what a watch takes. What it finds is remembered for [Server.Owner].
func (s *Server) Apps(ctx context.Context) ([]bot.App, error) {
	list, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	// Parents are looked up among what was seen, so remember all before.
	s.seen.replace(list, s)
	apps := make([]bot.App, 0, len(list))
	for i := range list {
		apps = append(apps, s.app(&list[i]))
	}
	return apps, nil
}

// App observes one Application, read from the cluster and not from a cache.
func (s *Server) App(ctx context.Context, id bot.AppID) (bot.App, error) {
	a, err := s.get(ctx, id)
	if err != nil {
		return bot.App{}, err
	}
	return s.app(a), nil
}

// Holds lists the Applications that carry our annotation, also those whose
// automated sync somebody has turned on meanwhile: their annotations are still
// ours to remove.
func (s *Server) Holds(ctx context.Context) ([]bot.Hold, error) {
	list, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var holds []bot.Hold
	for i := range list {
		if h, ok := readHold(&list[i], s.idOf(&list[i])); ok {
			holds = append(holds, h)
		}
	}
	return holds, nil
}

func (s *Server) list(ctx context.Context) ([]argov1.Application, error) {
	namespaces := s.cfg.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{""} // all that argocd-server watches
	}
	var all []argov1.Application
	for _, ns := range namespaces {
		l, err := s.apps.List(ctx, &applicationpkg.ApplicationQuery{AppNamespace: &ns, Projects: s.cfg.Projects})
		if err != nil {
			return nil, s.trouble(ctx, err, request{"list the Applications", "get", "*/*"})
		}
		all = append(all, l.Items...)
	}
	return all, nil
}

// get reads an Application and checks that it is the one that id means.
func (s *Server) get(ctx context.Context, id bot.AppID) (*argov1.Application, error) {
	return s.query(ctx, id, nil)
}

// refresh makes Argo CD compare the Application with the head of what it tracks
// and waits for the outcome. It needs no more than the right to read.
func (s *Server) refresh(ctx context.Context, id bot.AppID) (*argov1.Application, error) {
	kind := string(argov1.RefreshTypeNormal)
	if s.cfg.HardRefresh {
		kind = string(argov1.RefreshTypeHard)
	}
	return s.query(ctx, id, &kind)
}

func (s *Server) query(ctx context.Context, id bot.AppID, refresh *string) (*argov1.Application, error) {
	r := request{"read " + nameOf(id), "get", s.rbacName("*", id)}
	if refresh != nil {
		r.act = "refresh " + nameOf(id)
	}
	a, err := s.apps.Get(ctx, &applicationpkg.ApplicationQuery{Name: &id.Name, AppNamespace: &id.Namespace, Refresh: refresh})
	switch {
	case isBareDenial(err):
		return nil, s.whyDenied(ctx, err, id, r)
	case err != nil:
		return nil, s.trouble(ctx, err, r)
	}
	s.seen.add(a, s)
	if got := s.idOf(a); got != id || !s.covers(id.Namespace) {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "%s delivers to the cluster %s, not to %s.", nameOf(id), got.Cluster, id.Cluster)
	}
	if p := a.Spec.GetProject(); len(s.cfg.Projects) > 0 && !slices.Contains(s.cfg.Projects, p) {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "%s belongs to the project %s, which is not one of ours.", nameOf(id), p)
	}
	return a, nil
}

// whyDenied asks again in another way, because argocd-server gives one answer
// to three questions. The list, which comes from its cache, has the Application
// when we may see it: then it was the cluster that could not be read.
func (s *Server) whyDenied(ctx context.Context, denial error, id bot.AppID, r request) error {
	l, err := s.apps.List(ctx, &applicationpkg.ApplicationQuery{Name: &id.Name, AppNamespace: &id.Namespace})
	switch {
	case err != nil:
		return s.trouble(ctx, err, r)
	case len(l.Items) > 0:
		return bot.NewTrouble(bot.TroubleTransient, denial, "Argo CD could not %s although it is there.", r.act)
	}
	return bot.NewTrouble(bot.TroubleNotFound, denial, "%s is not there, or our account may not see it.", nameOf(id)).
		WithAdvice("If it exists, grant our account “applications, get, %s” in argocd-rbac-cm.", s.rbacName("<project>", id))
}

// rbacName is what Argo CD's RBAC calls an Application.
func (s *Server) rbacName(project string, id bot.AppID) string {
	if id.Namespace != s.cfg.Namespace {
		return fmt.Sprintf("%s/%s/%s", project, id.Namespace, id.Name)
	}
	return fmt.Sprintf("%s/%s", project, id.Name)
}
