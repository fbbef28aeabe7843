package bed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Source stands in for Flux's source-controller. It looks at every
// GitRepository each 200 ms and, when one is due, publishes the head of its
// branch as an artifact, as the real one would: on a new generation, on
// reconcile.fluxcd.io/requestedAt, after spec.interval, and never while
// spec.suspend is set.
//
// It knows spec.ref.branch only, no credentials, no ignore rules, no
// verification, and says so in the Ready condition when asked for another ref.
type Source struct {
	// URL is where artifacts are served, on loopback.
	URL string

	objects dynamic.NamespaceableResourceInterface
	dir     string // of the artifacts
	git     git
	log     *slog.Logger
}

const (
	sourceEvery = 200 * time.Millisecond
	sourceRetry = time.Second // after a fetch that went wrong
	fetchLimit  = 30 * time.Second
)

func (b *Bed) startSource() (*Source, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the source: %w", err)
	}
	dir := b.path("data", "artifacts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &Source{
		URL: "http://" + l.Addr().String(),
		objects: b.dynamic.Resource(schema.GroupVersionResource{
			Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories",
		}),
		dir: dir,
		git: git{env: b.env("GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1"), tmp: b.path("tmp")},
		log: b.log.With("stand-in", "source"),
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: time.Minute}
	b.goBackground(func(ctx context.Context) {
		context.AfterFunc(ctx, func() { server.Close() })
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serve artifacts", "err", err)
		}
	})
	b.goBackground(s.watch)
	return s, nil
}

// watch looks at all objects until ctx ends. Each object is fetched apart from
// the others: a repository that hangs holds up nobody else.
func (s *Source) watch(ctx context.Context) {
	tick := time.NewTicker(sourceEvery)
	defer tick.Stop()
	busy, next := map[string]bool{}, map[string]time.Time{}
	type outcome struct {
		key  string
		next time.Time
	}
	finished := make(chan outcome)
	defer func() {
		for ; len(busy) > 0; delete(busy, (<-finished).key) {
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-finished:
			delete(busy, o.key)
			next[o.key] = o.next
		case <-tick.C:
			list, err := s.objects.List(ctx, metav1.ListOptions{})
			if err != nil {
				continue // the API server is down, or we are
			}
			for i := range list.Items {
				r := &list.Items[i]
				key := r.GetNamespace() + "/" + r.GetName() + "/" + string(r.GetUID())
				if busy[key] || !due(r, next[key]) {
					continue
				}
				busy[key] = true
				go func() { finished <- outcome{key, s.reconcile(ctx, r)} }()
			}
		}
	}
}

// due tells whether an object is to be fetched. next is zero before its first.
func due(r *unstructured.Unstructured, next time.Time) bool {
	if suspended, _, _ := unstructured.NestedBool(r.Object, "spec", "suspend"); suspended {
		return false
	}
	seen, _, _ := unstructured.NestedInt64(r.Object, "status", "observedGeneration")
	handled, _, _ := unstructured.NestedString(r.Object, "status", "lastHandledReconcileAt")
	if ready := Condition(r, "Ready"); ready.Status != metav1.ConditionFalse &&
		(seen != r.GetGeneration() || handled != r.GetAnnotations()[requestedAt]) {
		return true
	}
	return !time.Now().Before(next)
}

// requestedAt asks Flux to reconcile an object now.
const requestedAt = "reconcile.fluxcd.io/requestedAt"

// reconcile publishes an object's branch head and returns when to look again.
func (s *Source) reconcile(ctx context.Context, r *unstructured.Unstructured) time.Time {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	status, err := s.publish(ctx, r)
	if err != nil {
		s.log.Debug("fetch", "object", r.GetName(), "err", err)
		status = map[string]any{"conditions": conditions(r, metav1.ConditionFalse, "GitOperationFailed", err.Error())}
	}
	if err := s.patch(ctx, r, status); err != nil {
		s.log.Debug("write status", "object", r.GetName(), "err", err)
		return time.Now().Add(sourceRetry)
	}
	if err != nil {
		return time.Now().Add(sourceRetry)
	}
	text, _, _ := unstructured.NestedString(r.Object, "spec", "interval")
	interval, err := time.ParseDuration(text)
	if err != nil {
		interval = time.Minute
	}
	return time.Now().Add(interval)
}
