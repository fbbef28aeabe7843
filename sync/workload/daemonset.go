package workload

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

func (r *Reader) daemonSet(ctx context.Context, d *appsv1.DaemonSet) (bot.Rollout, error) {
	pods, err := r.pods(ctx, d.Namespace, d.Spec.Selector, d.UID)
	if err != nil {
		return bot.Rollout{}, err
	}
	hash, err := r.currentHash(ctx, d)
	if err != nil {
		return bot.Rollout{}, err
	}
	var current []corev1.Pod
	for _, p := range pods {
		if p.Labels[revisionLabel] == hash {
			current = append(current, p)
		}
	}
	return daemonSetProgress(d).with(sick(current, r.now()), d.Spec.Template), nil
}

// currentHash is the hash of the DaemonSet's newest revision, which its pods
// bear. Its status does not name it, so the revisions have to be read; going
// back to an earlier template renumbers that revision as the newest.
func (r *Reader) currentHash(ctx context.Context, d *appsv1.DaemonSet) (string, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return "", bot.NewTrouble(bot.TroubleInvalid, err, "DaemonSet %s/%s has a selector that can't be read", d.Namespace, d.Name)
	}
	list, err := r.client.AppsV1().ControllerRevisions(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return "", r.trouble(err, "list", "controllerrevisions.apps", d.Namespace)
	}
	var newest *appsv1.ControllerRevision
	for i := range list.Items {
		c := &list.Items[i]
		if controlledBy(c, d.UID) && (newest == nil || c.Revision > newest.Revision) {
			newest = c
		}
	}
	if newest == nil {
		return "", nil
	}
	return newest.Labels[revisionLabel], nil
}

// daemonSetProgress follows kubectl, and looks at strategy OnDelete, too.
func daemonSetProgress(d *appsv1.DaemonSet) progress {
	s := d.Status
	if d.Generation > s.ObservedGeneration {
		return unobserved()
	}
	switch {
	case s.UpdatedNumberScheduled < s.DesiredNumberScheduled:
		if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
			return failed("%d of %d pods are of the new revision, and strategy OnDelete leaves the others: delete them",
				s.UpdatedNumberScheduled, s.DesiredNumberScheduled)
		}
		return waiting("%d of %d new pods have been updated", s.UpdatedNumberScheduled, s.DesiredNumberScheduled)
	case s.NumberAvailable < s.DesiredNumberScheduled:
		return waiting("%d of %d updated pods are available", s.NumberAvailable, s.DesiredNumberScheduled)
	}
	return done()
}
