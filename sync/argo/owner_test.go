package argo

import (
	"testing"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

func object(kind, name string, marks ...func(*bot.Object)) bot.Object {
	o := bot.Object{
		Workload:    bot.Workload{Cluster: "prod", Kind: kind, Namespace: "shop", Name: name},
		Labels:      map[string]string{},
		Annotations: map[string]string{},
	}
	for _, m := range marks {
		m(&o)
	}
	return o
}

func tracked(id string) func(*bot.Object) {
	return func(o *bot.Object) { o.Annotations[trackingKey] = id }
}

func labelled(name string) func(*bot.Object) {
	return func(o *bot.Object) { o.Labels["app.kubernetes.io/instance"] = name }
}

func in(cluster string) func(*bot.Object) { return func(o *bot.Object) { o.Cluster = cluster } }

func installed(id string) func(*bot.Object) {
	return func(o *bot.Object) { o.Annotations[installationKey] = id }
}

// delivering makes an Application list a Deployment.
func delivering(name string) func(*argov1.Application) {
	return func(a *argov1.Application) {
		a.Status.Resources = append(a.Status.Resources, argov1.ResourceStatus{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: name})
	}
}

func TestOwner(t *testing.T) {
	si := newStandIn(t)
	si.add("web", delivering("web"))
	si.add("team-web", delivering("web"), func(a *argov1.Application) { a.Namespace, a.Name = "team", "web" })
	si.add("east", func(a *argov1.Application) { a.Spec.Destination.Server = "https://east:6443" })
	s := si.client(t)
	teamWeb := bot.AppID{Cluster: "prod", Kind: bot.KindApplication, Namespace: "team", Name: "web"}
	const byID, byLabel = "annotation " + trackingKey, "label app.kubernetes.io/instance"
	for _, c := range []struct {
		name   string
		object bot.Object
		want   bot.AppID
		mark   string
	}{
		{"tracking-id", object("Deployment", "web", tracked("web:apps/Deployment:shop/web")), appID("web"), byID},
		{"tracking-id of an application in another namespace", object("Deployment", "web", tracked("team_web:apps/Deployment:shop/web")), teamWeb, byID},
		{"tracking-id beside another's label", object("Deployment", "web", tracked("web:apps/Deployment:shop/web"), labelled("helm-release")), appID("web"), byID},
		{"tracking-id copied to a ReplicaSet", object("ReplicaSet", "web-5d9", tracked("web:apps/Deployment:shop/web")), bot.AppID{}, ""},
		{"tracking-id copied to another name", object("Deployment", "copy", tracked("web:apps/Deployment:shop/web")), bot.AppID{}, ""},
		{"tracking-id copied to another namespace", object("Deployment", "web", tracked("web:apps/Deployment:other/web")), bot.AppID{}, ""},
		{"tracking-id of another kind", object("StatefulSet", "web", tracked("web:apps/Deployment:shop/web")), bot.AppID{}, ""},
		{"tracking-id of another group", object("Deployment", "web", tracked("web:extensions/Deployment:shop/web")), bot.AppID{}, ""},
		{"tracking-id in another cluster", object("Deployment", "web", tracked("web:apps/Deployment:shop/web"), in("east")), bot.AppID{}, ""},
		{"tracking-id of an application that is not there", object("Deployment", "web", tracked("gone:apps/Deployment:shop/web")), bot.AppID{}, ""},
		{"tracking-id of another installation", object("Deployment", "web", tracked("web:apps/Deployment:shop/web"), installed("b")), bot.AppID{}, ""},
		{"tracking-id that is none", object("Deployment", "web", tracked("web")), bot.AppID{}, ""},
		{"label", object("Deployment", "web", labelled("web")), appID("web"), byLabel},
		{"label of a release that Helm installed beside", object("Deployment", "cache", labelled("web")), bot.AppID{}, ""},
		{"label on a pod", object("Pod", "web-5d9-x7", labelled("web")), appID("web"), byLabel},
		{"label on a pod in another namespace", object("Pod", "web-5d9-x7", labelled("web"), func(o *bot.Object) { o.Namespace = "other" }), bot.AppID{}, ""},
		{"label in another cluster", object("Deployment", "web", labelled("web"), in("east")), bot.AppID{}, ""},
		{"label of nobody", object("Deployment", "web", labelled("gone")), bot.AppID{}, ""},
		{"no mark", object("Deployment", "web"), bot.AppID{}, ""},
	} {
		got, mark, ok := s.Owner(c.object)
		if got != c.want || mark != c.mark || ok != (c.mark != "") {
			t.Errorf("%s: Owner = %v, %q, %v; want %v, %q", c.name, got, mark, ok, c.want, c.mark)
		}
	}
}

func TestOwnerListsForAnUnknownNameNowAndThen(t *testing.T) {
	si := newStandIn(t)
	si.add("web", delivering("web"))
	now := noon
	s := si.client(t, func(c *Config) { c.Now = func() time.Time { return now } })
	if _, _, ok := s.Owner(object("Deployment", "web", labelled("web"))); !ok {
		t.Fatal("the first look did not list")
	}
	si.add("new", delivering("new"))
	if _, _, ok := s.Owner(object("Deployment", "new", labelled("new"))); ok {
		t.Error("listed again at once")
	}
	now = now.Add(fresh)
	if _, _, ok := s.Owner(object("Deployment", "new", labelled("new"))); !ok {
		t.Error("did not list again later")
	}
}

func TestOwnerWithoutArgoCD(t *testing.T) {
	si := newStandIn(t)
	s := si.client(t)
	si.grpc.Stop()
	if id, _, ok := s.Owner(object("Deployment", "web", tracked("web:apps/Deployment:shop/web"))); !ok || id != appID("web") {
		t.Errorf("Owner by tracking-id = %v, %v; want it believed", id, ok)
	}
	if _, _, ok := s.Owner(object("Deployment", "web", labelled("web"))); ok {
		t.Error("a label alone was believed")
	}
}

func TestParent(t *testing.T) {
	si := newStandIn(t)
	si.add("root", func(a *argov1.Application) {
		a.Status.Resources = []argov1.ResourceStatus{{Group: "argoproj.io", Kind: "Application", Namespace: "argocd", Name: "labelled"}}
	})
	mark := func(annotation, label string) func(*argov1.Application) {
		return func(a *argov1.Application) {
			a.Annotations = map[string]string{trackingKey: annotation}
			a.Labels = map[string]string{"app.kubernetes.io/instance": label}
		}
	}
	si.add("tracked", mark("root:argoproj.io/Application:argocd/tracked", ""))
	si.add("labelled", mark("", "root"))
	si.add("stranger", mark("root:argoproj.io/Application:argocd/tracked", "root"))
	si.add("itself", mark("itself:argoproj.io/Application:argocd/itself", "itself"))
	si.add("flux", func(a *argov1.Application) {
		a.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	})
	s := si.client(t)
	apps, err := s.Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := appID("root")
	want := map[string]*bot.AppID{
		"tracked": &root, "labelled": &root,
		"flux": {Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "apps"},
	}
	for _, a := range apps {
		if w := want[a.ID.Name]; (w == nil) != (a.Parent == nil) || w != nil && *w != *a.Parent {
			t.Errorf("parent of %s = %v, want %v", a.ID.Name, a.Parent, w)
		}
	}
}
