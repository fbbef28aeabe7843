package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/backout-dev/backout/bot"
)

// setOf is a StatefulSet of three whose controller is up to date.
func setOf(s appsv1.StatefulSetStatus, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s.ObservedGeneration, s.Replicas = 2, 3
	set := &appsv1.StatefulSet{
		ObjectMeta: meta("db", app),
		Spec: appsv1.StatefulSetSpec{
			Replicas: replicas(3), Selector: selector(), Template: template("db:1"),
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType},
		},
		Status: s,
	}
	for _, c := range change {
		c(set)
	}
	return set
}

func TestStatefulSetRollout(t *testing.T) {
	whole := appsv1.StatefulSetStatus{ReadyReplicas: 3, AvailableReplicas: 3, UpdatedReplicas: 3, CurrentRevision: "db-2", UpdateRevision: "db-2"}
	between := appsv1.StatefulSetStatus{ReadyReplicas: 3, AvailableReplicas: 3, UpdatedReplicas: 1, CurrentRevision: "db-1", UpdateRevision: "db-2"}
	unready, unavailable := between, whole
	unready.ReadyReplicas, unavailable.AvailableReplicas = 2, 2
	partition := func(n int32) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: replicas(n)}
		}
	}
	onDelete := func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}
	parallel := func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }
	newer := func(s *appsv1.StatefulSet) { s.Generation = 3 }
	bad := podOf("StatefulSet", "db", "db-2", "db-1", waitingFor("CrashLoopBackOff"))
	slow := podOf("StatefulSet", "db", "db-2", "db-1", waitingFor("ContainerCreating"))
	sickNew := podOf("StatefulSet", "db", "db-2", "db-2", waitingFor("CrashLoopBackOff"))
	for _, c := range []struct {
		name string
		set  *appsv1.StatefulSet
		pod  *corev1.Pod
		want bot.Rollout
	}{
		{"done", setOf(whole), nil, bot.Rollout{Done: true}},
		{"spec not seen yet", setOf(whole, newer), nil, bot.Rollout{Reason: "its controller has not seen the new spec yet"}},
		{"a pod is not ready", setOf(unready), nil, bot.Rollout{Reason: "2 of 3 pods are ready"}},
		{"a pod is not yet available", setOf(unavailable), nil, bot.Rollout{Reason: "2 of 3 pods are available"}},
		{"updating", setOf(between), nil, bot.Rollout{Reason: "1 of 3 pods are of the new revision"}},
		{"partition reached", setOf(between, partition(2)), nil, bot.Rollout{Done: true}},
		{"partition not reached", setOf(between, partition(1)), nil, bot.Rollout{Reason: "1 of 2 pods above the partition have been updated"}},
		{"partition zero is none", setOf(between, partition(0)), nil, bot.Rollout{Reason: "1 of 3 pods are of the new revision"}},
		{"on delete", setOf(between, onDelete), nil,
			bot.Rollout{Failed: true, Reason: "1 of 3 pods are of the new revision, and strategy OnDelete leaves the others: delete them"}},
		{"on delete, all deleted", setOf(whole, onDelete), nil, bot.Rollout{Done: true}},
		{"stuck on the bad pod", setOf(unready), bad, bot.Rollout{
			Failed: true,
			Reason: "2 of 3 pods are ready; pod db-2 of an earlier revision does not become ready, so the controller waits for it forever (kubernetes#67250): delete pod shop/db-2",
			CrashLooping: []string{
				"db-2 (container app: CrashLoopBackOff)",
			},
		}},
		{"parallel sets don't get stuck", setOf(unready, parallel), bad, bot.Rollout{Reason: "2 of 3 pods are ready"}},
		{"slow is not stuck", setOf(unready), slow, bot.Rollout{Reason: "2 of 3 pods are ready"}},
		{"not judged before the spec is seen", setOf(unready, newer), bad, bot.Rollout{Reason: "its controller has not seen the new spec yet"}},
		{"new pod crashes", setOf(unready), sickNew, bot.Rollout{
			Reason: "2 of 3 pods are ready", CrashLooping: []string{"db-2 (container app: CrashLoopBackOff)"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects := []runtime.Object{c.set}
			if c.pod != nil {
				objects = append(objects, c.pod)
			}
			if diff := cmp.Diff(c.want, state(only(t, reader(t, objects...), "StatefulSet", "db"))); diff != "" {
				t.Errorf("rollout (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDaemonSetRollout(t *testing.T) {
	with := func(s appsv1.DaemonSetStatus, strategy appsv1.DaemonSetUpdateStrategyType) *appsv1.DaemonSet {
		s.ObservedGeneration, s.DesiredNumberScheduled = 2, 3
		return &appsv1.DaemonSet{
			ObjectMeta: meta("agent", app),
			Spec: appsv1.DaemonSetSpec{Selector: selector(), Template: template("agent:1"),
				UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: strategy}},
			Status: s,
		}
	}
	rolling, onDelete := appsv1.RollingUpdateDaemonSetStrategyType, appsv1.OnDeleteDaemonSetStrategyType
	unseen := with(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 3, NumberAvailable: 3}, rolling)
	unseen.Generation = 3
	for _, c := range []struct {
		name string
		set  *appsv1.DaemonSet
		want bot.Rollout
	}{
		{"done", with(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 3, NumberAvailable: 3}, rolling), bot.Rollout{Done: true}},
		{"spec not seen yet", unseen, bot.Rollout{Reason: "its controller has not seen the new spec yet"}},
		{"updating", with(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 1, NumberAvailable: 2}, rolling),
			bot.Rollout{Reason: "1 of 3 new pods have been updated"}},
		{"starting", with(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 3, NumberAvailable: 2}, rolling),
			bot.Rollout{Reason: "2 of 3 updated pods are available"}},
		{"on delete", with(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 1, NumberAvailable: 3}, onDelete),
			bot.Rollout{Failed: true, Reason: "1 of 3 pods are of the new revision, and strategy OnDelete leaves the others: delete them"}},
	} {
		if diff := cmp.Diff(c.want, state(only(t, reader(t, c.set), "DaemonSet", "agent"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	t.Run("names pods of the newest revision only", func(t *testing.T) {
		revision := func(name, hash string, number int64) *appsv1.ControllerRevision {
			return &appsv1.ControllerRevision{
				ObjectMeta: ownedBy(meta(name, map[string]string{"app": "web", revisionLabel: hash}), "apps/v1", "DaemonSet", "agent"),
				Revision:   number,
			}
		}
		r := reader(t, with(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 1, NumberAvailable: 1}, rolling),
			revision("agent-good", "good", 3), revision("agent-bad", "bad", 2),
			podOf("DaemonSet", "agent", "agent-a", "bad", waitingFor("ImagePullBackOff")),
			podOf("DaemonSet", "agent", "agent-b", "good", waitingFor("CrashLoopBackOff")))
		want := []string{"agent-b (container app: CrashLoopBackOff)"}
		if diff := cmp.Diff(want, only(t, r, "DaemonSet", "agent").CrashLooping); diff != "" {
			t.Errorf("crash-looping (-want +got):\n%s", diff)
		}
	})
}
