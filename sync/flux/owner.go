package flux

import (
	"fmt"

	"github.com/backout-dev/backout/bot"
)

// The marks that Flux leaves on what it delivers
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#garbage-collection,
// https://fluxcd.io/flux/components/helm/helmreleases/#configuration). Each
// comes with a second label, namespace.
const (
	labelKustomization = "kustomize.toolkit.fluxcd.io/"
	labelHelmRelease   = "helm.toolkit.fluxcd.io/"
)

// Owner names the App that delivers an object. An object of a Helm release
// whose chart was rendered with a Kustomization's labels bears both marks: the
// release's is the nearer one.
func (c *Controller) Owner(o bot.Object) (id bot.AppID, mark string, ok bool) {
	if o.Cluster != c.cluster {
		return bot.AppID{}, "", false
	}
	return c.ownerByLabels(o.Labels)
}

func (c *Controller) ownerByLabels(labels map[string]string) (id bot.AppID, mark string, ok bool) {
	for _, by := range []struct {
		prefix string
		kind   bot.AppKind
	}{
		{labelHelmRelease, bot.KindHelmRelease},
		{labelKustomization, bot.KindKustomization},
	} {
		name, namespace := labels[by.prefix+"name"], labels[by.prefix+"namespace"]
		if name != "" && namespace != "" {
			return c.id(by.kind, namespace, name), fmt.Sprintf("label %sname=%s", by.prefix, name), true
		}
	}
	return bot.AppID{}, "", false
}

// parentOf names the App that delivers an App's own object. The Kustomization
// of a bootstrapped cluster delivers itself, which makes it nobody's child.
func (c *Controller) parentOf(id bot.AppID, labels map[string]string) *bot.AppID {
	parent, _, ok := c.ownerByLabels(labels)
	if !ok || parent == id {
		return nil
	}
	return &parent
}
