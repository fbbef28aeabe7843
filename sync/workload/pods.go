package workload

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backout-dev/backout/bot"
)

// pods lists the active pods that a controller owns, by name. The selector
// narrows the list, the UID decides: selectors may overlap. A pod that ended or
// is being deleted has been replaced; evicted ones lie about for days.
func (r *Reader) pods(ctx context.Context, namespace string, selector *metav1.LabelSelector, owner types.UID) ([]corev1.Pod, error) {
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, bot.NewTrouble(bot.TroubleInvalid, err, "a workload in namespace %s has a selector that can't be read", namespace)
	}
	list, err := r.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: s.String()})
	if err != nil {
		return nil, r.trouble(err, "list", "pods", namespace)
	}
	owned := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return !active(&p) || !controlledBy(&p, owner) })
	slices.SortFunc(owned, func(a, b corev1.Pod) int {
		// Shorter first, so that web-2 comes before web-10.
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return owned, nil
}

func active(p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
}

func controlledBy(o metav1.Object, owner types.UID) bool {
	ref := metav1.GetControllerOf(o)
	return ref != nil && ref.UID == owner
}

// sick names the pods that crash, fail to start or were killed, with the
// container and why.
func sick(pods []corev1.Pod, now time.Time) []string {
	var names []string
	for i := range pods {
		if why := ailment(&pods[i], now); why != "" {
			names = append(names, fmt.Sprintf("%s (%s)", pods[i].Name, why))
		}
	}
	return names
}

// justRestarted is how long a container that failed must run before it counts
// as well again. A container that crash-loops is running in between.
const justRestarted = 2 * time.Minute

// ailment says what is wrong with a pod's containers; "" when nothing is.
func ailment(p *corev1.Pod, now time.Time) string {
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range list {
			if why := containerAilment(c, now); why != "" {
				return fmt.Sprintf("container %s: %s", c.Name, why)
			}
		}
	}
	return ""
}

func containerAilment(c corev1.ContainerStatus, now time.Time) string {
	last := c.LastTerminationState.Terminated
	switch s := c.State; {
	case s.Waiting != nil && cannotStart(s.Waiting.Reason):
		if last != nil && s.Waiting.Reason == crashLoop {
			return fmt.Sprintf("%s, last %s", crashLoop, ended(last))
		}
		return s.Waiting.Reason
	case s.Terminated != nil && s.Terminated.ExitCode != 0:
		return ended(s.Terminated)
	case s.Running != nil && last != nil && last.ExitCode != 0 && now.Sub(s.Running.StartedAt.Time) < justRestarted:
		return "just restarted, last " + ended(last)
	}
	return ""
}

const crashLoop = "CrashLoopBackOff"

// cannotStart reports whether a container waits for something that more waiting
// alone won't bring (k8s.io/kubernetes/pkg/kubelet/container/sync_result.go and
// images/types.go).
func cannotStart(reason string) bool {
	switch reason {
	case crashLoop,
		"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
		"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		return true
	}
	return false
}

func ended(t *corev1.ContainerStateTerminated) string {
	reason := t.Reason
	if reason == "" {
		reason = "Error"
	}
	return fmt.Sprintf("%s (exit code %d)", reason, t.ExitCode)
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
