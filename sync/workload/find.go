package workload

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

// longestChain bounds the walk up the owner references; a Pod of a CronJob has
// three links.
const longestChain = 6

// Find returns the object and its controllers, outermost last. The walk ends,
// without an error, at a controller of a kind that we don't read (a custom
// resource, named without labels) and at one that is gone or was replaced by
// another of the same name.
func (r *Reader) Find(ctx context.Context, w bot.Workload) ([]bot.Object, error) {
	if !r.Handles(w.Cluster) {
		return nil, r.notOurs(w)
	}
	if resourceOf(w.Kind) == "" {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "%s is of a kind that Backout knows no pods of", w)
	}
	o, err := r.get(ctx, w.Kind, w.Namespace, w.Name)
	if apierrors.IsNotFound(err) {
		return nil, bot.NewTrouble(bot.TroubleNotFound, err, "cluster %s has no %s", r.cluster, w)
	}
	if err != nil {
		return nil, r.trouble(err, "get", resourceOf(w.Kind), w.Namespace)
	}
	chain := []bot.Object{{Workload: w, Labels: o.GetLabels(), Annotations: o.GetAnnotations()}}
	for len(chain) < longestChain {
		ref := metav1.GetControllerOf(o)
		if ref == nil || ref.Kind == "Node" {
			break // nobody's, or the mirror of a static pod
		}
		above := bot.Object{Workload: bot.Workload{Cluster: r.cluster, Kind: ref.Kind, Namespace: w.Namespace, Name: ref.Name}}
		if !known(ref) {
			chain = append(chain, above)
			break
		}
		if o, err = r.get(ctx, ref.Kind, w.Namespace, ref.Name); apierrors.IsNotFound(err) {
			break
		}
		if err != nil {
			return nil, r.trouble(err, "get", resourceOf(ref.Kind), w.Namespace)
		}
		if o.GetUID() != ref.UID {
			break
		}
		above.Labels, above.Annotations = o.GetLabels(), o.GetAnnotations()
		chain = append(chain, above)
	}
	return chain, nil
}

// known reports whether a controller is of a kind and API group that we read.
func known(ref *metav1.OwnerReference) bool {
	group, _, found := strings.Cut(ref.APIVersion, "/")
	if !found {
		group = "" // core: "v1"
	}
	_, ours, _ := strings.Cut(resourceOf(ref.Kind), ".")
	return resourceOf(ref.Kind) != "" && group == ours
}

// resourceOf is the resource of a kind as RBAC rules name it, "" for a kind
// that we don't read.
func resourceOf(kind string) string {
	switch kind {
	case "Pod":
		return "pods"
	case "Deployment":
		return "deployments.apps"
	case "ReplicaSet":
		return "replicasets.apps"
	case "StatefulSet":
		return "statefulsets.apps"
	case "DaemonSet":
		return "daemonsets.apps"
	case "Job":
		return "jobs.batch"
	case "CronJob":
		return "cronjobs.batch"
	}
	return ""
}

// get reads one object of a kind that resourceOf knows.
func (r *Reader) get(ctx context.Context, kind, namespace, name string) (o metav1.Object, err error) {
	options := metav1.GetOptions{}
	switch kind {
	case "Pod":
		o, err = r.client.CoreV1().Pods(namespace).Get(ctx, name, options)
	case "Deployment":
		o, err = r.client.AppsV1().Deployments(namespace).Get(ctx, name, options)
	case "ReplicaSet":
		o, err = r.client.AppsV1().ReplicaSets(namespace).Get(ctx, name, options)
	case "StatefulSet":
		o, err = r.client.AppsV1().StatefulSets(namespace).Get(ctx, name, options)
	case "DaemonSet":
		o, err = r.client.AppsV1().DaemonSets(namespace).Get(ctx, name, options)
	case "Job":
		o, err = r.client.BatchV1().Jobs(namespace).Get(ctx, name, options)
	case "CronJob":
		o, err = r.client.BatchV1().CronJobs(namespace).Get(ctx, name, options)
	}
	return o, err
}
