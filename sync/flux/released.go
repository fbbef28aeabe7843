package flux

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backout-dev/backout/bot"
)

// releasedBy lists the workloads of one HelmRelease, which installs into the
// namespace target. It has no inventory; helm-controller labels what it
// installs instead.
func (l *look) releasedBy(ctx context.Context, release key, target string) ([]bot.Workload, error) {
	if l.released != nil {
		return l.released[release], nil
	}
	of, err := l.c.released(ctx, labels.Set{
		labelHelmRelease + "name":      release.name,
		labelHelmRelease + "namespace": release.namespace,
	}.String(), []string{target})
	return of[release], err
}

// released lists workloads of HelmReleases by release: in our namespaces and in
// those that the releases install into. Metadata is enough, and the only thing
// that is asked for.
func (c *Controller) released(ctx context.Context, selector string, targets []string) (map[key][]bot.Workload, error) {
	of := map[key][]bot.Workload{}
	namespaces := c.scopes()
	if len(c.namespaces) > 0 {
		namespaces = slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.namespaces, targets))))
	}
	for _, kind := range []struct{ kind, plural string }{
		{"Deployment", "deployments"}, {"StatefulSet", "statefulsets"}, {"DaemonSet", "daemonsets"},
	} {
		gvr := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: kind.plural}
		for _, namespace := range namespaces {
			items, err := paged(func(o metav1.ListOptions) ([]metav1.PartialObjectMetadata, string, error) {
				list, err := c.metadata.Resource(gvr).Namespace(namespace).List(ctx, o)
				if err != nil {
					return nil, "", err
				}
				return list.Items, list.Continue, nil
			}, metav1.ListOptions{LabelSelector: selector})
			if err != nil {
				return nil, c.trouble(err, request{"list", resource{group: "apps", plural: kind.plural}, namespace, ""})
			}
			for _, o := range items {
				release := key{o.Labels[labelHelmRelease+"namespace"], o.Labels[labelHelmRelease+"name"]}
				of[release] = append(of[release], bot.Workload{
					Cluster: c.cluster, Kind: kind.kind, Namespace: o.Namespace, Name: o.Name,
				})
			}
		}
	}
	return of, nil
}
