package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	k8stesting "k8s.io/client-go/testing"

	"github.com/backout-dev/backout/bot"
)

// chain are the kinds and names that Find returned.
func chain(objects []bot.Object) []string {
	var names []string
	for _, o := range objects {
		names = append(names, o.Kind+"/"+o.Name)
	}
	return names
}

func TestFindWalksUpToTheOutermostController(t *testing.T) {
	labelled := deploymentOf(1, appsv1.DeploymentStatus{})
	labelled.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "web"}
	labelled.Annotations["argocd.argoproj.io/tracking-id"] = "web:apps/Deployment:shop/web"
	replaced := replicaSetOf("orphan", "1", 1, 1)
	replaced.OwnerReferences[0].UID = "uid-of-the-one-before"
	rollout := replicaSetOf("canary", "1", 1, 1)
	rollout.ObjectMeta = ownedBy(rollout.ObjectMeta, "argoproj.io/v1alpha1", "Rollout", "canary")
	mirror := podOf("Node", "node-1", "etcd", "", corev1.ContainerState{})
	impostor := podOf("Deployment", "web", "imposed", "", corev1.ContainerState{})
	impostor.OwnerReferences[0].APIVersion = "example.com/v1"
	r := reader(t,
		labelled, replicaSetOf("web-3", "3", 1, 1), podOf("ReplicaSet", "web-3", "web-3-a", "", corev1.ContainerState{}),
		replaced, rollout, mirror, impostor,
		&appsv1.StatefulSet{ObjectMeta: meta("db", nil)}, podOf("StatefulSet", "db", "db-0", "", corev1.ContainerState{}),
		&appsv1.DaemonSet{ObjectMeta: meta("agent", nil)}, podOf("DaemonSet", "agent", "agent-x", "", corev1.ContainerState{}),
		&batchv1.CronJob{ObjectMeta: meta("nightly", nil)},
		&batchv1.Job{ObjectMeta: ownedBy(meta("nightly-1", nil), "batch/v1", "CronJob", "nightly")},
		podOf("Job", "nightly-1", "nightly-1-x", "", corev1.ContainerState{}),
		podOf("ReplicaSet", "gone", "left-behind", "", corev1.ContainerState{}),
	)
	for _, c := range []struct {
		kind, name string
		want       []string
	}{
		{"Pod", "web-3-a", []string{"Pod/web-3-a", "ReplicaSet/web-3", "Deployment/web"}},
		{"ReplicaSet", "web-3", []string{"ReplicaSet/web-3", "Deployment/web"}},
		{"Deployment", "web", []string{"Deployment/web"}},
		{"Pod", "db-0", []string{"Pod/db-0", "StatefulSet/db"}},
		{"Pod", "agent-x", []string{"Pod/agent-x", "DaemonSet/agent"}},
		{"Pod", "nightly-1-x", []string{"Pod/nightly-1-x", "Job/nightly-1", "CronJob/nightly"}},
		{"Pod", "left-behind", []string{"Pod/left-behind"}},
		{"ReplicaSet", "orphan", []string{"ReplicaSet/orphan"}},
		{"ReplicaSet", "canary", []string{"ReplicaSet/canary", "Rollout/canary"}},
		{"Pod", "etcd", []string{"Pod/etcd"}},
		{"Pod", "imposed", []string{"Pod/imposed", "Deployment/web"}},
	} {
		t.Run(c.kind+" "+c.name, func(t *testing.T) {
			objects, err := r.Find(t.Context(), workload(c.kind, c.name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, chain(objects)); diff != "" {
				t.Errorf("chain (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("brings the marks of the owner along", func(t *testing.T) {
		objects, err := r.Find(t.Context(), workload("Pod", "web-3-a"))
		if err != nil {
			t.Fatal(err)
		}
		want := bot.Object{Workload: workload("Deployment", "web"), Labels: labelled.Labels, Annotations: labelled.Annotations}
		if diff := cmp.Diff(want, objects[2]); diff != "" {
			t.Errorf("outermost (-want +got):\n%s", diff)
		}
	})
	t.Run("reads no labels of a kind that only shares its name", func(t *testing.T) {
		objects, err := r.Find(t.Context(), workload("Pod", "imposed"))
		if err != nil || len(objects) != 2 || objects[1].Labels != nil {
			t.Errorf("got %+v, %v", objects, err)
		}
	})
}

func TestFindTellsWhatIsMissing(t *testing.T) {
	r, client := readerAndClient(t)
	for _, c := range []struct {
		name string
		w    bot.Workload
		want bot.TroubleKind
	}{
		{"absent", workload("Deployment", "web"), bot.TroubleNotFound},
		{"unknown kind", workload("ConfigMap", "web"), bot.TroubleInvalid},
		{"other cluster", bot.Workload{Cluster: "stage", Kind: "Pod", Namespace: "shop", Name: "web"}, bot.TroubleInvalid},
	} {
		if _, err := r.Find(t.Context(), c.w); !bot.IsTrouble(err, c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	client.PrependReactor("get", "deployments", func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web", nil)
	})
	_, err := r.Find(t.Context(), workload("Deployment", "web"))
	trouble := bot.AsTrouble(err)
	if trouble.Kind != bot.TroubleForbidden {
		t.Fatalf("got %v, want forbidden", err)
	}
	want := `Grant Backout's service account the verb "get" on deployments.apps in namespace shop.`
	if trouble.Advice != want {
		t.Errorf("advice %q, want %q", trouble.Advice, want)
	}
}
