package workload

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/backout-dev/backout/bot"
)

func (r *Reader) job(ctx context.Context, j *batchv1.Job) (bot.Rollout, error) {
	p := jobProgress(j)
	var pods []corev1.Pod
	if !p.done && j.Spec.Selector != nil {
		var err error
		if pods, err = r.pods(ctx, j.Namespace, j.Spec.Selector, j.UID); err != nil {
			return bot.Rollout{}, err
		}
	}
	return p.with(sick(pods, r.now()), j.Spec.Template), nil
}

// jobProgress reads a Job's conditions
// (https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions).
func jobProgress(j *batchv1.Job) progress {
	for _, c := range j.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete:
			return done()
		case batchv1.JobFailed, batchv1.JobFailureTarget:
			return failed("the Job failed (%s)", c.Reason)
		}
	}
	if j.Spec.Suspend != nil && *j.Spec.Suspend {
		return failed("the Job is suspended")
	}
	completions := int32(1)
	if j.Spec.Completions != nil {
		completions = *j.Spec.Completions
	}
	return waiting("%d of %d completions, %d failed attempts", j.Status.Succeeded, completions, j.Status.Failed)
}

// cronJob has nothing to roll out: its next Job uses the new template.
func cronJob(c *batchv1.CronJob) bot.Rollout {
	return done().with(nil, c.Spec.JobTemplate.Spec.Template)
}

// pod is the state of a bare Pod.
func pod(p *corev1.Pod, now time.Time) bot.Rollout {
	state := waiting("the Pod is %s", p.Status.Phase)
	switch {
	case p.DeletionTimestamp != nil:
		state = waiting("the Pod is being deleted")
	case p.Status.Phase == corev1.PodSucceeded:
		state = done()
	case p.Status.Phase == corev1.PodFailed:
		state = failed("the Pod failed")
	case ready(p):
		state = done()
	case p.Status.Phase == corev1.PodRunning:
		state = waiting("the Pod is not ready")
	}
	return state.with(sick([]corev1.Pod{*p}, now), corev1.PodTemplateSpec{Spec: p.Spec})
}
