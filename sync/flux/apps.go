package flux

import (
	"context"
	"slices"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// App observes one App, read fresh.
func (c *Controller) App(ctx context.Context, id bot.AppID) (bot.App, error) {
	r, ok := kindOf(id.Kind)
	if !ok || !c.Handles(id) {
		return bot.App{}, c.notOurs(id)
	}
	u, err := c.get(ctx, r, id.Namespace, id.Name)
	if err != nil {
		return bot.App{}, err
	}
	return c.look().app(ctx, id.Kind, u)
}

// Apps observes every Kustomization and HelmRelease in scope, in the order of
// their IDs. A cluster without Flux has none. One that can't be read is logged
// and left out, so that it does not hide the others; a list that can't be read
// is an error.
func (c *Controller) Apps(ctx context.Context) ([]bot.App, error) {
	l, objects, err := c.lookAtAll(ctx)
	if err != nil {
		return nil, err
	}
	var apps []bot.App
	for kind, items := range objects {
		for i := range items {
			app, err := l.app(ctx, kind, &items[i])
			if bot.IsTrouble(err, bot.TroubleInvalid) {
				c.log.Warn("an object of Flux can't be read", "kind", string(kind),
					"namespace", items[i].GetNamespace(), "name", items[i].GetName(), "err", err)
				continue
			}
			if err != nil {
				return nil, err
			}
			apps = append(apps, app)
		}
	}
	slices.SortFunc(apps, func(a, b bot.App) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return apps, nil
}

func (l *look) app(ctx context.Context, kind bot.AppKind, u *unstructured.Unstructured) (bot.App, error) {
	if kind == bot.KindHelmRelease {
		return l.fromRelease(ctx, u)
	}
	return l.fromKustomization(ctx, u)
}

// lookAtAll reads all Apps' objects and sources with one list each.
func (c *Controller) lookAtAll(ctx context.Context) (*look, map[bot.AppKind][]unstructured.Unstructured, error) {
	l := c.look()
	l.all = true
	objects := map[bot.AppKind][]unstructured.Unstructured{}
	for _, kind := range []bot.AppKind{bot.KindKustomization, bot.KindHelmRelease} {
		r, _ := kindOf(kind)
		items, err := c.list(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		objects[kind] = items
	}
	if len(objects[bot.KindKustomization])+len(objects[bot.KindHelmRelease]) == 0 {
		return l, objects, nil
	}
	repositories, err := c.list(ctx, gitRepositories())
	if err != nil {
		return nil, nil, err
	}
	fill(l.repositories, repositories)
	fill(l.kustomizations, objects[bot.KindKustomization])
	fill(l.releases, objects[bot.KindHelmRelease])
	if len(objects[bot.KindHelmRelease]) > 0 {
		l.released, err = c.released(ctx, labelHelmRelease+"name", targets(objects[bot.KindHelmRelease]))
	}
	return l, objects, err
}

// targets are the namespaces that HelmReleases install into.
func targets(releases []unstructured.Unstructured) []string {
	var all []string
	for i := range releases {
		if r, err := decode[helmv2.HelmRelease](&releases[i]); err == nil {
			all = append(all, r.GetReleaseNamespace())
		}
	}
	return all
}
