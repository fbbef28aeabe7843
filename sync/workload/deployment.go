package workload

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

// revisionAnnotation numbers ReplicaSets; the Deployment bears the current
// number (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment).
const revisionAnnotation = "deployment.kubernetes.io/revision"

func (r *Reader) deployment(ctx context.Context, d *appsv1.Deployment) (bot.Rollout, error) {
	current, err := r.currentReplicaSet(ctx, d)
	if err != nil {
		return bot.Rollout{}, err
	}
	var pods []corev1.Pod
	if current != nil {
		if pods, err = r.pods(ctx, d.Namespace, current.Spec.Selector, current.UID); err != nil {
			return bot.Rollout{}, err
		}
	}
	return deploymentProgress(d, current).with(sick(pods, r.now()), d.Spec.Template), nil
}

// currentReplicaSet is the one that the Deployment's present template made; nil
// until its controller has made it.
func (r *Reader) currentReplicaSet(ctx context.Context, d *appsv1.Deployment) (*appsv1.ReplicaSet, error) {
	revision := d.Annotations[revisionAnnotation]
	if revision == "" || d.Generation > d.Status.ObservedGeneration {
		return nil, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, bot.NewTrouble(bot.TroubleInvalid, err, "Deployment %s/%s has a selector that can't be read", d.Namespace, d.Name)
	}
	list, err := r.client.AppsV1().ReplicaSets(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, r.trouble(err, "list", "replicasets.apps", d.Namespace)
	}
	for i := range list.Items {
		if rs := &list.Items[i]; controlledBy(rs, d.UID) && rs.Annotations[revisionAnnotation] == revision {
			return rs, nil
		}
	}
	return nil, nil
}

// deploymentProgress follows kubectl, but for the deadline (see deadlineMissed).
// current may be nil.
func deploymentProgress(d *appsv1.Deployment, current *appsv1.ReplicaSet) progress {
	s, want := d.Status, wanted(d.Spec.Replicas)
	if d.Generation > s.ObservedGeneration {
		return unobserved()
	}
	var p progress
	switch {
	case s.UpdatedReplicas < want:
		p = waiting("%d of %d new replicas have been updated", s.UpdatedReplicas, want)
	case s.AvailableReplicas < s.UpdatedReplicas:
		p = waiting("%d of %d updated replicas are available", s.AvailableReplicas, s.UpdatedReplicas)
	case s.Replicas > s.UpdatedReplicas:
		return waiting("%d old replicas are pending termination", s.Replicas-s.UpdatedReplicas)
	default:
		return done()
	}
	switch {
	case deadlineMissed(d, current):
		p = failed("exceeded its progress deadline: %s", p.reason)
	case d.Spec.Paused:
		return failed("the Deployment is paused: %s", p.reason)
	}
	if c := condition(d, appsv1.DeploymentReplicaFailure); c != nil && c.Status == corev1.ConditionTrue {
		p.reason += "; pods can't be created (" + c.Reason + ")"
	}
	return p
}

// deadlineMissed reports whether the progress deadline was exceeded by the
// current ReplicaSet. The condition outlives the rollout that it speaks of: when
// a revert brings back the earlier ReplicaSet, the controller first observes the
// new generation and scales, and takes the condition back in a later pass. So
// it is believed only once the numbers agree that there is nothing left to do
// but wait: the ReplicaSet has all pods that it asks for, or can't create them.
func deadlineMissed(d *appsv1.Deployment, current *appsv1.ReplicaSet) bool {
	p := condition(d, appsv1.DeploymentProgressing)
	if p == nil || p.Reason != "ProgressDeadlineExceeded" || current == nil {
		return false
	}
	if c := condition(d, appsv1.DeploymentReplicaFailure); c != nil && c.Status == corev1.ConditionTrue {
		return true
	}
	return current.Status.Replicas >= wanted(current.Spec.Replicas) && current.Status.Replicas == d.Status.UpdatedReplicas
}

func condition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

// replicaSet is the rollout of a bare ReplicaSet, which never replaces pods.
func (r *Reader) replicaSet(ctx context.Context, rs *appsv1.ReplicaSet) (bot.Rollout, error) {
	pods, err := r.pods(ctx, rs.Namespace, rs.Spec.Selector, rs.UID)
	if err != nil {
		return bot.Rollout{}, err
	}
	p, want := done(), wanted(rs.Spec.Replicas)
	switch {
	case rs.Generation > rs.Status.ObservedGeneration:
		p = unobserved()
	case rs.Status.AvailableReplicas < want:
		p = waiting("%d of %d replicas are available", rs.Status.AvailableReplicas, want)
	}
	return p.with(sick(pods, r.now()), rs.Spec.Template), nil
}
