package flux

import (
	"context"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// look is one look at the cluster: what it has read it does not read again, so
// that all Apps of one answer rest on the same sources. It is never kept.
type look struct {
	c              *Controller
	repositories   map[key]found[sourcev1.GitRepository]
	kustomizations map[key]found[kustomizev1.Kustomization]
	releases       map[key]found[metav1.PartialObjectMetadata]
	charts         map[key]found[sourcev1.HelmChart]
	// all is true when the look is at all Apps, where a list is cheaper than
	// many gets.
	all bool
	// released are the workloads of all HelmReleases, nil until asked for.
	released map[key][]bot.Workload
}

type key struct{ namespace, name string }

// found is an object, or why there is none: gone, or not for us to read.
type found[T any] struct {
	object *T
	why    *bot.Trouble
}

func (c *Controller) look() *look {
	return &look{
		c:              c,
		repositories:   map[key]found[sourcev1.GitRepository]{},
		kustomizations: map[key]found[kustomizev1.Kustomization]{},
		releases:       map[key]found[metav1.PartialObjectMetadata]{},
		charts:         map[key]found[sourcev1.HelmChart]{},
	}
}

func (l *look) repository(ctx context.Context, k key) (found[sourcev1.GitRepository], error) {
	return lookUp(ctx, l.c, l.repositories, gitRepositories(), k)
}

func (l *look) kustomization(ctx context.Context, k key) (found[kustomizev1.Kustomization], error) {
	return lookUp(ctx, l.c, l.kustomizations, kustomizations(), k)
}

// release reads the labels of a HelmRelease.
func (l *look) release(ctx context.Context, k key) (found[metav1.PartialObjectMetadata], error) {
	return lookUp(ctx, l.c, l.releases, helmReleases(), k)
}

// lookUp reads an object once. That it is gone or forbidden is an answer, which
// the App tells; any other trouble ends the look.
func lookUp[T any](ctx context.Context, c *Controller, seen map[key]found[T], r resource, k key) (found[T], error) {
	if f, ok := seen[k]; ok {
		return f, nil
	}
	var f found[T]
	u, err := c.get(ctx, r, k.namespace, k.name)
	if err == nil {
		f.object, err = decode[T](u)
	}
	if err != nil {
		f.why = bot.AsTrouble(err)
		switch f.why.Kind {
		case bot.TroubleNotFound, bot.TroubleForbidden, bot.TroubleInvalid:
		default:
			return f, err
		}
	}
	seen[k] = f
	return f, nil
}

// fill remembers the objects of a list, so that a look at all Apps needs no
// request for each of their sources.
func fill[T any](seen map[key]found[T], items []unstructured.Unstructured) {
	for i := range items {
		var f found[T]
		var err error
		if f.object, err = decode[T](&items[i]); err != nil {
			f.why = bot.AsTrouble(err)
		}
		seen[key{items[i].GetNamespace(), items[i].GetName()}] = f
	}
}

// root is the Kustomization whose commits change an object: its owner, or the
// owner of the HelmRelease that brought it. nil when nobody we know delivers it.
func (l *look) root(ctx context.Context, owner *bot.AppID) (*kustomizev1.Kustomization, error) {
	for depth := 0; owner != nil && depth < deepest; depth++ {
		k := key{owner.Namespace, owner.Name}
		if owner.Kind == bot.KindKustomization {
			f, err := l.kustomization(ctx, k)
			return f.object, err
		}
		f, err := l.release(ctx, k)
		if err != nil || f.object == nil {
			return nil, err
		}
		owner = l.c.parentOf(*owner, f.object.Labels)
	}
	return nil, nil
}

// deepest bounds a chain of releases that deliver releases; a longer one is a
// circle.
const deepest = 5
