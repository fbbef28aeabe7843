package workload

import (
	"log/slog"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/backout-dev/backout/bot"
)

// now is when all tests look.
var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func reader(t *testing.T, objects ...runtime.Object) *Reader {
	t.Helper()
	r, _ := readerAndClient(t, objects...)
	return r
}

func readerAndClient(t *testing.T, objects ...runtime.Object) (*Reader, *fake.Clientset) {
	t.Helper()
	client := fake.NewClientset(objects...)
	r, err := New(Config{Cluster: "prod", Client: client, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r, client
}

func workload(kind, name string) bot.Workload {
	return bot.Workload{Cluster: "prod", Kind: kind, Namespace: "shop", Name: name}
}

// meta is an object's metadata; its UID is its name.
func meta(name string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name), Generation: 2, Labels: labels}
}

func ownedBy(m metav1.ObjectMeta, apiVersion, kind, name string) metav1.ObjectMeta {
	yes := true
	m.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID("uid-" + name), Controller: &yes,
	}}
	return m
}

var app = map[string]string{"app": "web"}

func selector() *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: app} }

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: app},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
	}
}

// podOf is a pod of a controller; state is that of its one container.
func podOf(kind, owner, name, hash string, state corev1.ContainerState) *corev1.Pod {
	version := "apps/v1"
	if kind == "Job" {
		version = "batch/v1"
	}
	status := corev1.ConditionFalse
	if state.Running != nil {
		status = corev1.ConditionTrue
	}
	return &corev1.Pod{
		ObjectMeta: ownedBy(meta(name, map[string]string{"app": "web", revisionLabel: hash}), version, kind, owner),
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: status}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: state}},
		},
	}
}

func waitingFor(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func runningSince(d time.Duration) corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-d))}}
}

func terminated(reason string, code int32) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code}}
}

func replicas(n int32) *int32 { return &n }

// deploymentOf is a Deployment whose controller is up to date and whose current
// ReplicaSet is number 3.
func deploymentOf(want int32, s appsv1.DeploymentStatus, conditions ...appsv1.DeploymentCondition) *appsv1.Deployment {
	m := meta("web", app)
	m.Annotations = map[string]string{revisionAnnotation: "3"}
	s.ObservedGeneration, s.Conditions = 2, conditions
	return &appsv1.Deployment{
		ObjectMeta: m,
		Spec:       appsv1.DeploymentSpec{Replicas: replicas(want), Selector: selector(), Template: template("web:1")},
		Status:     s,
	}
}

func replicaSetOf(name, revision string, want, have int32) *appsv1.ReplicaSet {
	m := ownedBy(meta(name, app), "apps/v1", "Deployment", "web")
	m.Annotations = map[string]string{revisionAnnotation: revision}
	return &appsv1.ReplicaSet{
		ObjectMeta: m,
		Spec:       appsv1.ReplicaSetSpec{Replicas: replicas(want), Selector: selector(), Template: template("web:1")},
		Status:     appsv1.ReplicaSetStatus{Replicas: have},
	}
}
