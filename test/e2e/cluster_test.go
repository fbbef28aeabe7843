//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backout-dev/backout/test/bed"
)

// object reads an object as administrator.
func (w *world) object(kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	c, err := plane.Client(kind, namespace)
	if err != nil {
		return nil, err
	}
	return c.Get(w.ctx, name, metav1.GetOptions{})
}

// patch changes an object as administrator.
func (w *world) patch(kind schema.GroupVersionKind, namespace, name, patch string) {
	w.Helper()
	c, err := plane.Client(kind, namespace)
	w.must(err)
	_, err = c.Patch(w.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: bed.FieldManager})
	w.must(err)
}

// remove deletes an object when the story has ended, so that nobody goes on
// fetching from a repository that is gone.
func (w *world) remove(kind schema.GroupVersionKind, namespace, name string) {
	w.Helper()
	c, err := plane.Client(kind, namespace)
	w.must(err)
	w.Cleanup(func() {
		if err := c.Delete(w.afterwards(), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			w.Logf("delete %s %s: %v", kind.Kind, name, err)
		}
	})
}

// runs waits until an app's pods, and only those, run an image and are ready.
func (w *world) runs(app, image string) {
	w.Helper()
	w.until("all pods of "+app+" to run "+image, func() error { return w.running(app, image) })
}

func (w *world) running(app, image string) error {
	d, err := plane.Kubernetes().AppsV1().Deployments(w.name).Get(w.ctx, app, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pods, err := plane.Kubernetes().CoreV1().Pods(w.name).List(w.ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		return err
	}
	ready := 0
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.DeletionTimestamp != nil {
			continue
		}
		if p.Spec.Containers[0].Image != image || !isReady(p) {
			return fmt.Errorf("pod %s runs %s, ready %v", p.Name, p.Spec.Containers[0].Image, isReady(p))
		}
		ready++
	}
	if s := d.Status; int32(ready) != *d.Spec.Replicas || s.AvailableReplicas != *d.Spec.Replicas || s.ObservedGeneration != d.Generation {
		return fmt.Errorf("%d pods are ready, status %+v", ready, s)
	}
	return nil
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// breaks waits until a pod of the bad image stands in the cluster.
func (w *world) breaks(app string) {
	w.Helper()
	w.until("a bad pod of "+app, func() error {
		pods, err := plane.Kubernetes().CoreV1().Pods(w.name).List(w.ctx, metav1.ListOptions{LabelSelector: "app=" + app})
		if err != nil {
			return err
		}
		for _, p := range pods.Items {
			if p.Spec.Containers[0].Image == badImage && p.Status.Phase == corev1.PodRunning {
				return nil
			}
		}
		return fmt.Errorf("none of %d pods", len(pods.Items))
	})
}

// writes are what the bot asked the API server to change in this story's
// namespace. A refusal means that the documented permissions do not suffice.
func (w *world) writes() []bed.Write {
	w.Helper()
	all, err := plane.Writes(botUser)
	w.must(err)
	var mine []bed.Write
	for _, x := range all {
		if x.Namespace != w.name {
			continue
		}
		mine = append(mine, x)
		if x.Code >= 400 && x.Code != 409 {
			w.Errorf("the API server answered %d to %s %s %s: %s", x.Code, x.Verb, x.Resource, x.Name, x.Body)
		}
	}
	return mine
}

// suspends are the bot's writes that speak of spec.suspend.
func (w *world) suspends() []bed.Write {
	w.Helper()
	var out []bed.Write
	for _, x := range w.writes() {
		if strings.Contains(string(x.Body), `"suspend"`) {
			out = append(out, x)
		}
	}
	return out
}

// afterwards is a context for cleaning up: the story's own has ended by then.
func (w *world) afterwards() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	w.Cleanup(cancel)
	return ctx
}

// askedAt is a value by which a request for a reconciliation is new.
func askedAt() string { return time.Now().Format(time.RFC3339Nano) }
