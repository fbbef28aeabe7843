package workload

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/backout-dev/backout/bot"
)

// only reads one rollout.
func only(t *testing.T, r *Reader, kind, name string) bot.Rollout {
	t.Helper()
	states, err := r.Rollouts(t.Context(), []bot.Workload{workload(kind, name)})
	if err != nil {
		t.Fatal(err)
	}
	if len(states) != 1 || states[0].Workload != workload(kind, name) {
		t.Fatalf("got %+v", states)
	}
	return states[0]
}

// state is a Rollout without what every test shares.
func state(r bot.Rollout) bot.Rollout {
	r.Workload, r.Images = bot.Workload{}, nil
	return r
}

func TestRolloutsKeepTheOrderAndTellWhatIsMissing(t *testing.T) {
	r := reader(t, &batchv1.CronJob{ObjectMeta: meta("nightly", nil), Spec: batchv1.CronJobSpec{
		JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template("batch:1")}}}})
	got, err := r.Rollouts(t.Context(), []bot.Workload{
		workload("Deployment", "gone"), workload("CronJob", "nightly"), workload("Rollout", "canary"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []bot.Rollout{
		{Workload: workload("Deployment", "gone"), Gone: true, Reason: "not found"},
		{Workload: workload("CronJob", "nightly"), Done: true, Images: []string{"batch:1"}},
		{Workload: workload("Rollout", "canary"), Reason: "a Rollout has no rollout that Backout can follow"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rollouts (-want +got):\n%s", diff)
	}
}

func TestRolloutsRefuseAnotherCluster(t *testing.T) {
	r := reader(t)
	if r.Handles("stage") || !r.Handles("prod") {
		t.Error("handles the wrong cluster")
	}
	_, err := r.Rollouts(t.Context(), []bot.Workload{{Cluster: "stage", Kind: "Pod", Namespace: "shop", Name: "web"}})
	if !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestRolloutsOfAClusterThatIsDown(t *testing.T) {
	r, client := readerAndClient(t)
	client.PrependReactor("get", "*", func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("dial tcp 10.0.0.1:6443: connect: connection refused")
	})
	_, err := r.Rollouts(t.Context(), []bot.Workload{workload("Deployment", "web")})
	trouble := bot.AsTrouble(err)
	if trouble.Kind != bot.TroubleTransient || strings.Contains(trouble.Text, "10.0.0.1") {
		t.Errorf("got %s %q", trouble.Kind, trouble.Text)
	}
}

func TestDeploymentRollout(t *testing.T) {
	late := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}
	quota := appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate"}
	unseen := deploymentOf(3, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3})
	unseen.Generation = 3
	paused := deploymentOf(3, appsv1.DeploymentStatus{Replicas: 3, AvailableReplicas: 3})
	paused.Spec.Paused = true
	pausedDone := deploymentOf(3, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3})
	pausedDone.Spec.Paused = true
	for _, c := range []struct {
		name    string
		d       *appsv1.Deployment
		current *appsv1.ReplicaSet
		want    bot.Rollout
	}{
		{"done", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}), nil,
			bot.Rollout{Done: true}},
		{"scaled to zero", deploymentOf(0, appsv1.DeploymentStatus{}), nil, bot.Rollout{Done: true}},
		{"spec not seen yet", unseen, nil, bot.Rollout{Reason: "its controller has not seen the new spec yet"}},
		{"updating", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 1, AvailableReplicas: 3}), nil,
			bot.Rollout{Reason: "1 of 3 new replicas have been updated"}},
		{"starting", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 2}), nil,
			bot.Rollout{Reason: "2 of 3 updated replicas are available"}},
		{"old pods leaving", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 3, AvailableReplicas: 4}), nil,
			bot.Rollout{Reason: "1 old replicas are pending termination"}},
		{"deadline exceeded", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 1, AvailableReplicas: 3}, late),
			replicaSetOf("web-3", "3", 1, 1),
			bot.Rollout{Failed: true, Reason: "exceeded its progress deadline: 1 of 3 new replicas have been updated"}},
		{"deadline of the broken rollout, just reverted", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 2, AvailableReplicas: 2}, late),
			replicaSetOf("web-3", "3", 3, 2),
			bot.Rollout{Reason: "2 of 3 new replicas have been updated"}},
		{"deadline of the broken rollout, its pods leaving", deploymentOf(1, appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 1, AvailableReplicas: 1}, late),
			replicaSetOf("web-3", "3", 1, 1),
			bot.Rollout{Reason: "1 old replicas are pending termination"}},
		{"deadline exceeded for want of quota", deploymentOf(3, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 0, AvailableReplicas: 3}, late, quota),
			replicaSetOf("web-3", "3", 1, 0),
			bot.Rollout{Failed: true, Reason: "exceeded its progress deadline: 0 of 3 new replicas have been updated; pods can't be created (FailedCreate)"}},
		{"paused half way", paused, nil, bot.Rollout{Failed: true, Reason: "the Deployment is paused: 0 of 3 new replicas have been updated"}},
		{"paused and complete", pausedDone, nil, bot.Rollout{Done: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects := []runtime.Object{c.d}
			if c.current != nil {
				objects = append(objects, c.current)
			}
			if diff := cmp.Diff(c.want, state(only(t, reader(t, objects...), "Deployment", "web"))); diff != "" {
				t.Errorf("rollout (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeploymentNamesOnlyPodsOfItsCurrentReplicaSet(t *testing.T) {
	evicted := podOf("ReplicaSet", "web-3", "web-3-evicted", "", terminated("Error", 137))
	evicted.Status.Phase = corev1.PodFailed
	stranger := podOf("ReplicaSet", "other", "other-a", "", waitingFor("CrashLoopBackOff"))
	r := reader(t,
		deploymentOf(2, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 1}),
		replicaSetOf("web-2", "2", 1, 1), replicaSetOf("web-3", "3", 2, 2),
		podOf("ReplicaSet", "web-2", "web-2-a", "", waitingFor("ImagePullBackOff")),
		podOf("ReplicaSet", "web-3", "web-3-a", "", runningSince(0)),
		podOf("ReplicaSet", "web-3", "web-3-b", "", waitingFor("CrashLoopBackOff")),
		evicted, stranger)
	got := only(t, r, "Deployment", "web")
	want := []string{"web-3-b (container app: CrashLoopBackOff)"}
	if diff := cmp.Diff(want, got.CrashLooping); diff != "" {
		t.Errorf("crash-looping (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"web:1"}, got.Images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

func TestAilments(t *testing.T) {
	killed := terminated("OOMKilled", 137)
	for _, c := range []struct {
		name        string
		state, last corev1.ContainerState
		want        string
	}{
		{"running well", runningSince(0), corev1.ContainerState{}, ""},
		{"being created", waitingFor("ContainerCreating"), corev1.ContainerState{}, ""},
		{"initializing", waitingFor("PodInitializing"), corev1.ContainerState{}, ""},
		{"crash loop", waitingFor("CrashLoopBackOff"), killed, "CrashLoopBackOff, last OOMKilled (exit code 137)"},
		{"no image", waitingFor("ImagePullBackOff"), corev1.ContainerState{}, "ImagePullBackOff"},
		{"no image, first try", waitingFor("ErrImagePull"), corev1.ContainerState{}, "ErrImagePull"},
		{"no secret", waitingFor("CreateContainerConfigError"), corev1.ContainerState{}, "CreateContainerConfigError"},
		{"ended in error", terminated("", 1), corev1.ContainerState{}, "Error (exit code 1)"},
		{"ended well", terminated("Completed", 0), corev1.ContainerState{}, ""},
		{"between two crashes", runningSince(justRestarted / 2), killed, "just restarted, last OOMKilled (exit code 137)"},
		{"recovered", runningSince(justRestarted), killed, ""},
		{"restarted without an error", runningSince(0), terminated("Completed", 0), ""},
	} {
		status := corev1.ContainerStatus{Name: "app", State: c.state, LastTerminationState: c.last}
		if got := containerAilment(status, now); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	init := &corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{{Name: "migrate", State: waitingFor("CrashLoopBackOff")}}}}
	if got, want := ailment(init, now), "container migrate: CrashLoopBackOff"; got != want {
		t.Errorf("init container: got %q, want %q", got, want)
	}
}

func TestJobRollout(t *testing.T) {
	yes := true
	with := func(name string, s batchv1.JobSpec, st batchv1.JobStatus) *batchv1.Job {
		s.Selector, s.Template = selector(), template("migrate:1")
		return &batchv1.Job{ObjectMeta: meta(name, nil), Spec: s, Status: st}
	}
	ended := func(kind batchv1.JobConditionType) batchv1.JobStatus {
		return batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded"}}}
	}
	r := reader(t,
		with("complete", batchv1.JobSpec{}, ended(batchv1.JobComplete)),
		with("broken", batchv1.JobSpec{}, ended(batchv1.JobFailed)),
		with("asleep", batchv1.JobSpec{Suspend: &yes}, batchv1.JobStatus{}),
		with("busy", batchv1.JobSpec{Completions: replicas(5)}, batchv1.JobStatus{Succeeded: 2, Failed: 1}),
		podOf("Job", "busy", "busy-a", "", waitingFor("ErrImagePull")),
	)
	for name, want := range map[string]bot.Rollout{
		"complete": {Done: true},
		"broken":   {Failed: true, Reason: "the Job failed (BackoffLimitExceeded)"},
		"asleep":   {Failed: true, Reason: "the Job is suspended"},
		"busy":     {Reason: "2 of 5 completions, 1 failed attempts", CrashLooping: []string{"busy-a (container app: ErrImagePull)"}},
	} {
		if diff := cmp.Diff(want, state(only(t, r, "Job", name))); diff != "" {
			t.Errorf("Job %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPodRollout(t *testing.T) {
	phase := func(name string, phase corev1.PodPhase, s corev1.ContainerState) *corev1.Pod {
		p := podOf("Node", "node-1", name, "", s)
		p.Status.Phase = phase
		return p
	}
	r := reader(t,
		phase("well", corev1.PodRunning, runningSince(0)),
		phase("sick", corev1.PodRunning, waitingFor("CrashLoopBackOff")),
		phase("over", corev1.PodSucceeded, terminated("Completed", 0)),
		phase("lost", corev1.PodFailed, terminated("Error", 2)),
		phase("new", corev1.PodPending, corev1.ContainerState{}),
	)
	for name, want := range map[string]bot.Rollout{
		"well": {Done: true},
		"sick": {Reason: "the Pod is not ready", CrashLooping: []string{"sick (container app: CrashLoopBackOff)"}},
		"over": {Done: true},
		"lost": {Failed: true, Reason: "the Pod failed", CrashLooping: []string{"lost (container app: Error (exit code 2))"}},
		"new":  {Reason: "the Pod is Pending"},
	} {
		if diff := cmp.Diff(want, state(only(t, r, "Pod", name))); diff != "" {
			t.Errorf("Pod %s (-want +got):\n%s", name, diff)
		}
	}
}
