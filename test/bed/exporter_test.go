package bed

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func image(name string) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Image: "sidecar:v1"}, {Image: name}}}
}

func TestBadIsAPartOfTheTag(t *testing.T) {
	for name, want := range map[string]bool{
		"web:v1":                    false,
		"web:v2-bad":                true,
		"registry.example/web:bad":  true,
		"bad.example:5000/web:v1":   false,
		"bad.example:5000/web":      false,
		"bad/web":                   false,
		"localhost:5000/bad/web:v3": false,
	} {
		if got := isBad(image(name)); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// world is what the exporter sees, without a cluster.
type world struct {
	deployments, pods cache.Indexer
	exporter          *Exporter
}

func newWorld() *world {
	indexer := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	}
	return &world{
		deployments: indexer(), pods: indexer(),
		exporter: &Exporter{
			requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total"},
				[]string{"namespace", "deployment", "code"}),
		},
	}
}

func (w *world) deployment(name, img string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": name}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
			Template: corev1.PodTemplateSpec{Spec: image(img)},
		},
	}
}

func (w *world) pod(name, app, img string, phase corev1.PodPhase) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": app}},
		Spec:       image(img),
		Status:     corev1.PodStatus{Phase: phase},
	}
}

// second lets one pass and returns all counters, "deployment/code".
func (w *world) second(t *testing.T) map[string]float64 {
	t.Helper()
	w.exporter.count(appslisters.NewDeploymentLister(w.deployments), corelisters.NewPodLister(w.pods))
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.exporter.requests)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			l := map[string]string{}
			for _, p := range m.Label {
				l[p.GetName()] = p.GetValue()
			}
			got[l["deployment"]+"/"+l["code"]] = m.Counter.GetValue()
		}
	}
	return got
}

func TestExporterCountsByThePodsThatLive(t *testing.T) {
	w := newWorld()
	web, silent := w.deployment("web", "web:v2-bad"), w.deployment("silent", "x:bad")
	silent.Labels = nil
	leaving := w.pod("leaving", "web", "web:bad", corev1.PodRunning)
	leaving.DeletionTimestamp = &metav1.Time{}
	for _, o := range []any{web, silent, w.deployment("down", "x:v1"), w.deployment("stuck", "x:bad")} {
		if err := w.deployments.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []any{
		w.pod("a", "web", "web:v1", corev1.PodRunning), w.pod("b", "web", "web:v1", corev1.PodRunning),
		w.pod("c", "web", "web:v2-bad", corev1.PodRunning), w.pod("d", "web", "web:v2-bad", corev1.PodPending),
		w.pod("e", "other", "other:v1", corev1.PodRunning), leaving,
	} {
		if err := w.pods.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	w.second(t)
	want := map[string]float64{
		"web/200": 40, "web/500": 20,
		"down/200": 0, "down/500": 0, // no pod, nothing answered
		"stuck/200": 0, "stuck/500": 20, // no pod, and none that could answer well
	}
	if diff := cmp.Diff(want, w.second(t)); diff != "" {
		t.Errorf("after two seconds (-want +got):\n%s", diff)
	}

	if err := w.deployments.Delete(web); err != nil {
		t.Fatal(err)
	}
	got := w.second(t)
	if _, ok := got["web/500"]; ok {
		t.Errorf("a Deployment that is gone still counts: %v", got)
	}
}
