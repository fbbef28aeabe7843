package workload

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/backout-dev/backout/bot"
)

// revisionLabel names the ControllerRevision that a pod of a StatefulSet or a
// DaemonSet was made from; a StatefulSet's by name, a DaemonSet's by its hash.
const revisionLabel = appsv1.ControllerRevisionHashLabelKey

func (r *Reader) statefulSet(ctx context.Context, s *appsv1.StatefulSet) (bot.Rollout, error) {
	pods, err := r.pods(ctx, s.Namespace, s.Spec.Selector, s.UID)
	if err != nil {
		return bot.Rollout{}, err
	}
	p := statefulSetProgress(s)
	var counted []corev1.Pod
	for _, q := range pods {
		if q.Labels[revisionLabel] == s.Status.UpdateRevision {
			counted = append(counted, q)
		}
	}
	if stuck := stuckPods(s, pods, r.now()); !p.done && len(stuck) > 0 {
		p = failed("%s; %s, so the controller waits for it forever (kubernetes#67250): delete %s",
			p.reason, blame(stuck), deletion(stuck))
		counted = append(counted, stuck...)
	}
	return p.with(sick(counted, r.now()), s.Spec.Template), nil
}

// statefulSetProgress follows kubectl, but waits for available pods, and looks
// at a set with strategy OnDelete, too.
func statefulSetProgress(s *appsv1.StatefulSet) progress {
	st, want := s.Status, wanted(s.Spec.Replicas)
	if st.ObservedGeneration == 0 || s.Generation > st.ObservedGeneration {
		return unobserved()
	}
	manual := s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType
	if updated := st.UpdatedReplicas; manual && updated < want {
		return failed("%d of %d pods are of the new revision, and strategy OnDelete leaves the others: delete them", updated, want)
	}
	switch {
	case st.ReadyReplicas < want:
		return waiting("%d of %d pods are ready", st.ReadyReplicas, want)
	case st.AvailableReplicas < want:
		return waiting("%d of %d pods are available", st.AvailableReplicas, want)
	case manual:
		return done()
	}
	if u := s.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil && *u.Partition > 0 {
		if above := want - *u.Partition; st.UpdatedReplicas < above {
			return waiting("%d of %d pods above the partition have been updated", st.UpdatedReplicas, above)
		}
		return done()
	}
	if st.UpdateRevision != st.CurrentRevision {
		return waiting("%d of %d pods are of the new revision", st.UpdatedReplicas, want)
	}
	return done()
}

// stuckPods are the pods of an earlier revision that keep the controller from
// going on: with pod management OrderedReady it replaces nothing until every
// pod is ready, also where the pod that isn't is the one to be replaced
// (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).
// A pod that is only slow to start is not stuck.
func stuckPods(s *appsv1.StatefulSet, pods []corev1.Pod, now time.Time) []corev1.Pod {
	if s.Spec.PodManagementPolicy == appsv1.ParallelPodManagement ||
		s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType ||
		s.Generation > s.Status.ObservedGeneration {
		return nil
	}
	var stuck []corev1.Pod
	for i := range pods {
		p := &pods[i]
		if p.Labels[revisionLabel] != s.Status.UpdateRevision && !ready(p) && ailment(p, now) != "" {
			stuck = append(stuck, *p)
		}
	}
	return stuck
}

func blame(stuck []corev1.Pod) string {
	if len(stuck) == 1 {
		return fmt.Sprintf("pod %s of an earlier revision does not become ready", stuck[0].Name)
	}
	return fmt.Sprintf("%d pods of an earlier revision do not become ready", len(stuck))
}

func deletion(stuck []corev1.Pod) string {
	var names []string
	for _, p := range stuck {
		names = append(names, fmt.Sprintf("pod %s/%s", p.Namespace, p.Name))
	}
	return strings.Join(names, ", ")
}
