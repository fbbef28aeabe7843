package bed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// Exporter stands in for the metrics of running pods, which KWOK's have none
// of. Each second every live pod of a Deployment that has a label "app" answers
// [RequestsPerPod] requests: with 500 when one of its images has a tag with
// "bad" in it, with 200 otherwise. A Deployment without pods whose template is
// bad answers as one bad pod. It does not ask whether a pod is Ready, so a bad
// pod of a rollout that is stuck is felt, as in clusters without readiness
// probes.
//
// The series is http_requests_total{namespace, deployment, code}; both codes
// are there from the start, at zero, so that a rate sees the first error.
type Exporter struct {
	URL string // /metrics is below it

	requests *prometheus.CounterVec
	seen     map[[2]string]bool // namespace, name
}

// RequestsPerPod is what a pod answers per second.
const RequestsPerPod = 10

// startExporter listens and has nothing to tell yet.
func (b *Bed) startExporter() (*Exporter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the exporter: %w", err)
	}
	e := &Exporter{
		URL: "http://" + l.Addr().String(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests that a Deployment's pods are made out to have answered.",
		}, []string{"namespace", "deployment", "code"}),
		seen: map[[2]string]bool{},
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(e.requests); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	b.goBackground(func(ctx context.Context) {
		context.AfterFunc(ctx, func() { server.Close() })
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			b.log.Error("serve metrics", "err", err)
		}
	})
	return e, nil
}

// watch counts every second until ctx ends.
func (e *Exporter) watch(ctx context.Context, kube kubernetes.Interface) {
	factory := informers.NewSharedInformerFactory(kube, 0)
	deployments, pods := factory.Apps().V1().Deployments().Lister(), factory.Core().V1().Pods().Lister()
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.count(deployments, pods)
		}
	}
}

// count lets a second pass.
func (e *Exporter) count(deployments appslisters.DeploymentLister, pods corelisters.PodLister) {
	all, err := deployments.List(labels.Everything())
	if err != nil {
		return // a lister reads memory: there is no such error
	}
	now := map[[2]string]bool{}
	for _, d := range all {
		if _, ok := d.Labels["app"]; !ok {
			continue
		}
		now[[2]string{d.Namespace, d.Name}] = true
		good, bad := share(d, pods)
		e.requests.WithLabelValues(d.Namespace, d.Name, "200").Add(float64(good * RequestsPerPod))
		e.requests.WithLabelValues(d.Namespace, d.Name, "500").Add(float64(bad * RequestsPerPod))
	}
	for d := range e.seen {
		if !now[d] {
			e.requests.DeletePartialMatch(prometheus.Labels{"namespace": d[0], "deployment": d[1]})
		}
	}
	e.seen = now
}

// share counts the live pods of a Deployment by whether their image is good.
func share(d *appsv1.Deployment, pods corelisters.PodLister) (good, bad int) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return 0, 0
	}
	mine, err := pods.Pods(d.Namespace).List(selector)
	if err != nil {
		return 0, 0
	}
	for _, p := range mine {
		switch {
		case p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning:
		case isBad(p.Spec):
			bad++
		default:
			good++
		}
	}
	if good+bad == 0 && isBad(d.Spec.Template.Spec) {
		bad = 1
	}
	return good, bad
}

// isBad tells whether an image has a tag with "bad" in it, as the stage of KWOK
// that makes such pods crash-loop does.
func isBad(pod corev1.PodSpec) bool {
	for _, c := range pod.Containers {
		name := c.Image[strings.LastIndex(c.Image, "/")+1:]
		if _, tag, ok := strings.Cut(name, ":"); ok && strings.Contains(tag, "bad") {
			return true
		}
	}
	return false
}
