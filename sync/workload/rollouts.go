package workload

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/backout-dev/backout/bot"
)

// notFound is the reason of a workload that is not there.
const notFound = "not found"

// Rollouts reads the state of workloads, in their order.
func (r *Reader) Rollouts(ctx context.Context, ws []bot.Workload) ([]bot.Rollout, error) {
	states := make([]bot.Rollout, 0, len(ws))
	for _, w := range ws {
		if !r.Handles(w.Cluster) {
			return nil, r.notOurs(w)
		}
		s, err := r.rollout(ctx, w)
		if err != nil {
			return nil, err
		}
		s.Workload = w
		states = append(states, s)
	}
	return states, nil
}

func (r *Reader) rollout(ctx context.Context, w bot.Workload) (bot.Rollout, error) {
	if resourceOf(w.Kind) == "" {
		return bot.Rollout{Reason: fmt.Sprintf("a %s has no rollout that Backout can follow", w.Kind)}, nil
	}
	o, err := r.get(ctx, w.Kind, w.Namespace, w.Name)
	if apierrors.IsNotFound(err) {
		return bot.Rollout{Gone: true, Reason: notFound}, nil
	}
	if err != nil {
		return bot.Rollout{}, r.trouble(err, "get", resourceOf(w.Kind), w.Namespace)
	}
	switch o := o.(type) {
	case *appsv1.Deployment:
		return r.deployment(ctx, o)
	case *appsv1.StatefulSet:
		return r.statefulSet(ctx, o)
	case *appsv1.DaemonSet:
		return r.daemonSet(ctx, o)
	case *appsv1.ReplicaSet:
		return r.replicaSet(ctx, o)
	case *batchv1.Job:
		return r.job(ctx, o)
	case *batchv1.CronJob:
		return cronJob(o), nil
	case *corev1.Pod:
		return pod(o, r.now()), nil
	}
	return bot.Rollout{}, fmt.Errorf("workload: %s was read as %T", w, o)
}

// progress is how far a rollout is: done, failed, or neither, and why.
type progress struct {
	done, failed bool
	reason       string
}

func done() progress { return progress{done: true} }

func waiting(format string, args ...any) progress {
	return progress{reason: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) progress {
	return progress{failed: true, reason: fmt.Sprintf(format, args...)}
}

// unobserved is the state of a spec that its controller has not seen yet.
func unobserved() progress { return waiting("its controller has not seen the new spec yet") }

// with makes the answer from a progress, the pods of the current revision and
// the pod template.
func (p progress) with(sick []string, template corev1.PodTemplateSpec) bot.Rollout {
	return bot.Rollout{
		Done: p.done, Failed: p.failed, Reason: p.reason,
		CrashLooping: sick, Images: images(template.Spec),
	}
}

// images are the images that a pod spec asks for, each once, in its order.
func images(s corev1.PodSpec) []string {
	var all []string
	seen := map[string]bool{}
	for _, cs := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for _, c := range cs {
			if c.Image != "" && !seen[c.Image] {
				seen[c.Image] = true
				all = append(all, c.Image)
			}
		}
	}
	return all
}

// wanted is spec.replicas with its default.
func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}
