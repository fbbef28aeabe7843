//go:build e2e

package workload

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/bed"
)

// story is a cluster with real controllers, and a Reader that may do no more
// than the package comment asks for. KWOK stands in for the kubelet: no
// container runs, an image whose tag has "bad" in it crash-loops.
type story struct {
	*testing.T
	bed    *bed.Bed
	reader *Reader
}

// TestWorkloads runs against the controllers of Kubernetes.
func TestWorkloads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	b, err := bed.Up(ctx, bed.Options{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Down() })
	s := &story{T: t, bed: b}
	s.must(b.Apply(ctx, manifests))
	path, err := b.KubeconfigFor("backout")
	s.must(err)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	s.must(err)
	s.reader, err = New(Config{Cluster: "prod", REST: config, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	s.must(err)

	for _, w := range []bot.Workload{workload("Deployment", "web"), workload("StatefulSet", "db"), workload("DaemonSet", "agent"), workload("Job", "migrate"), workload("CronJob", "nightly")} {
		s.until(ctx, w, "is rolled out", func(r bot.Rollout) bool { return r.Done && len(r.CrashLooping) == 0 && len(r.Images) == 1 })
	}
	s.run("Deployment", func(s *story) { s.deployment(ctx) })
	s.run("StatefulSet", func(s *story) { s.statefulSet(ctx) })
	s.run("DaemonSet", func(s *story) { s.daemonSet(ctx) })
	s.run("Find", func(s *story) { s.find(ctx) })
	writes, err := b.Writes("backout")
	s.must(err)
	if len(writes) != 0 {
		t.Errorf("it wrote: %+v", writes)
	}
}

func (s *story) run(name string, f func(*story)) {
	s.Run(name, func(t *testing.T) { f(&story{T: t, bed: s.bed, reader: s.reader}) })
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) rollout(ctx context.Context, w bot.Workload) bot.Rollout {
	s.Helper()
	states, err := s.reader.Rollouts(ctx, []bot.Workload{w})
	s.must(err)
	return states[0]
}

// until looks often, so that it sees the states in between.
func (s *story) until(ctx context.Context, w bot.Workload, what string, want func(bot.Rollout) bool) bot.Rollout {
	s.Helper()
	began := time.Now()
	var last bot.Rollout
	for time.Since(began) < time.Minute && ctx.Err() == nil {
		if last = s.rollout(ctx, w); want(last) {
			s.Logf("%s %s after %s: %s", w, what, time.Since(began).Round(time.Millisecond), last.Reason)
			return last
		}
	}
	s.Fatalf("%s never %s, last %+v", w, what, last)
	return last
}

// image deploys another image.
func (s *story) image(ctx context.Context, w bot.Workload, image string) {
	s.Helper()
	patch := []byte(fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":%q}]}}}}`, image))
	apps, o := s.bed.Kubernetes().AppsV1(), metav1.PatchOptions{}
	var err error
	switch w.Kind {
	case "Deployment":
		_, err = apps.Deployments(w.Namespace).Patch(ctx, w.Name, types.StrategicMergePatchType, patch, o)
	case "StatefulSet":
		_, err = apps.StatefulSets(w.Namespace).Patch(ctx, w.Name, types.StrategicMergePatchType, patch, o)
	case "DaemonSet":
		_, err = apps.DaemonSets(w.Namespace).Patch(ctx, w.Name, types.StrategicMergePatchType, patch, o)
	}
	s.must(err)
}

// deployment is broken and reverted a few times: after a revert the condition
// of the broken rollout must never be taken for one of the revert.
func (s *story) deployment(ctx context.Context) {
	w := workload("Deployment", "web")
	for round := range 3 {
		s.image(ctx, w, fmt.Sprintf("registry.example/web:v%d-bad", round))
		broken := s.until(ctx, w, "crash-loops", func(r bot.Rollout) bool { return len(r.CrashLooping) > 0 })
		if broken.Done || !strings.Contains(broken.CrashLooping[0], "CrashLoopBackOff") {
			s.Errorf("broken: %+v", broken)
		}
		s.until(ctx, w, "misses its deadline", func(r bot.Rollout) bool {
			if r.Done {
				s.Fatalf("done while broken: %+v", r)
			}
			return r.Failed && strings.HasPrefix(r.Reason, "exceeded its progress deadline")
		})
		s.image(ctx, w, "registry.example/web:v1")
		s.until(ctx, w, "is rolled back", func(r bot.Rollout) bool {
			if r.Failed || len(r.CrashLooping) > 0 {
				s.Errorf("after the revert: %+v", r)
			}
			return r.Done
		})
	}
}

// statefulSet gets stuck on the pod of the bad revision (kubernetes#67250).
func (s *story) statefulSet(ctx context.Context) {
	w := workload("StatefulSet", "db")
	s.image(ctx, w, "registry.example/db:v2-bad")
	s.until(ctx, w, "crash-loops", func(r bot.Rollout) bool { return !r.Done && !r.Failed && len(r.CrashLooping) == 1 })
	s.image(ctx, w, "registry.example/db:v1")
	stuck := s.until(ctx, w, "is stuck", func(r bot.Rollout) bool {
		if r.Done {
			s.Fatalf("done while stuck: %+v", r)
		}
		return r.Failed
	})
	if !strings.HasSuffix(stuck.Reason, "delete pod shop/db-2") || len(stuck.CrashLooping) != 1 {
		s.Errorf("stuck: %+v", stuck)
	}
	s.must(s.bed.Kubernetes().CoreV1().Pods("shop").Delete(ctx, "db-2", metav1.DeleteOptions{}))
	s.until(ctx, w, "is rolled back", func(r bot.Rollout) bool { return r.Done && len(r.CrashLooping) == 0 })
}

func (s *story) daemonSet(ctx context.Context) {
	w := workload("DaemonSet", "agent")
	s.image(ctx, w, "registry.example/agent:v2-bad")
	s.until(ctx, w, "crash-loops", func(r bot.Rollout) bool { return !r.Done && len(r.CrashLooping) == 1 })
	s.image(ctx, w, "registry.example/agent:v1")
	s.until(ctx, w, "is rolled back", func(r bot.Rollout) bool { return r.Done && len(r.CrashLooping) == 0 })
}

func (s *story) find(ctx context.Context) {
	pods, err := s.bed.Kubernetes().CoreV1().Pods("shop").List(ctx, metav1.ListOptions{})
	s.must(err)
	above := map[string]string{"web": "Deployment", "db": "StatefulSet", "agent": "DaemonSet", "migrate": "Job"}
	for _, p := range pods.Items {
		if p.DeletionTimestamp != nil {
			continue
		}
		objects, err := s.reader.Find(ctx, workload("Pod", p.Name))
		if bot.IsTrouble(err, bot.TroubleNotFound) {
			continue
		}
		s.must(err)
		top := objects[len(objects)-1]
		if want := above[p.Labels["app"]]; top.Kind != want || top.Name != p.Labels["app"] || top.Labels["team"] != "shop" {
			s.Errorf("above %s: %v", p.Name, chain(objects))
		}
	}
}

const manifests = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: backout, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments, replicasets, statefulsets, daemonsets], verbs: [get]}
- {apiGroups: [apps], resources: [replicasets, controllerrevisions], verbs: [list]}
- {apiGroups: [batch], resources: [jobs, cronjobs], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: backout, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: backout}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: backout}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: shop}}
spec:
  replicas: 3
  progressDeadlineSeconds: 3
  strategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "registry.example/web:v1"}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop, labels: {team: shop}}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: app, image: "registry.example/db:v1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop, labels: {team: shop}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: app, image: "registry.example/agent:v1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop, labels: {team: shop}}
spec:
  template:
    metadata: {labels: {app: migrate}}
    spec: {restartPolicy: Never, containers: [{name: app, image: "registry.example/migrate:v1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop, labels: {team: shop}}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: nightly}}
        spec: {restartPolicy: Never, containers: [{name: app, image: "registry.example/nightly:v1"}]}
`
