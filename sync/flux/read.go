package flux

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/backout-dev/backout/bot"
)

// pageSize keeps one answer of the API server small; a fleet has thousands of
// HelmReleases, each with its values inside.
const pageSize = 250

// get reads one object fresh. A resource that the cluster does not serve is
// TroubleNotFound, as an absent object is.
func (c *Controller) get(ctx context.Context, r resource, namespace, name string) (*unstructured.Unstructured, error) {
	req := request{"get", r, namespace, name}
	gvr, ok, err := c.served.version(r)
	if err != nil {
		return nil, c.trouble(err, req)
	}
	if !ok {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "Cluster %s does not serve %s.", c.cluster, r)
	}
	u, err := c.dynamic.Resource(gvr).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		c.served.forget(r)
	}
	return u, c.trouble(err, req)
}

// list reads all objects of a resource that are in scope; none when the cluster
// does not serve it.
func (c *Controller) list(ctx context.Context, r resource) ([]unstructured.Unstructured, error) {
	gvr, ok, err := c.served.version(r)
	if err != nil {
		return nil, c.trouble(err, request{verb: "list", resource: r})
	}
	if !ok {
		return nil, nil
	}
	var all []unstructured.Unstructured
	for _, namespace := range c.scopes() {
		objects := c.dynamic.Resource(gvr).Namespace(namespace)
		items, err := paged(func(o metav1.ListOptions) ([]unstructured.Unstructured, string, error) {
			l, err := objects.List(ctx, o)
			if err != nil {
				return nil, "", err
			}
			return l.Items, l.GetContinue(), nil
		}, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			c.served.forget(r)
		}
		if err != nil {
			return nil, c.trouble(err, request{verb: "list", resource: r, namespace: namespace})
		}
		all = append(all, items...)
	}
	return all, nil
}

// scopes are the namespaces to list in; the empty one stands for all.
func (c *Controller) scopes() []string {
	if len(c.namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return c.namespaces
}

// paged reads a list page by page. When the server has dropped the snapshot
// that the pages came from (410 Gone), it reads the whole list at once: what
// came before is thrown away, since it may repeat.
func paged[T any](page func(metav1.ListOptions) ([]T, string, error), o metav1.ListOptions) ([]T, error) {
	var all []T
	o.Limit = pageSize
	for {
		items, next, err := page(o)
		if apierrors.IsResourceExpired(err) && o.Continue != "" {
			o.Limit, o.Continue, all = 0, "", nil
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == "" {
			return all, nil
		}
		o.Continue = next
	}
}

// decode reads an object into one of Flux's types. These serve for reading
// only: writing one back would drop every field that this version of the type
// does not know.
func decode[T any](u *unstructured.Unstructured) (*T, error) {
	var t T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &t); err != nil {
		return nil, bot.NewTrouble(bot.TroubleInvalid, fmt.Errorf("decode: %w", err),
			"%s %s/%s has a form that Backout can't read.", u.GetKind(), u.GetNamespace(), u.GetName()).
			WithAdvice("Its API version %s may be newer than this Backout.", u.GetAPIVersion())
	}
	return &t, nil
}
