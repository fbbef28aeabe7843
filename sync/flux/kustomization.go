package flux

import (
	"context"
	"fmt"
	"path"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// fromKustomization is the App of a Kustomization.
func (l *look) fromKustomization(ctx context.Context, u *unstructured.Unstructured) (bot.App, error) {
	k, err := decode[kustomizev1.Kustomization](u)
	if err != nil {
		return bot.App{}, err
	}
	source, repository, err := l.sourceOf(ctx, k)
	if err != nil {
		return bot.App{}, err
	}
	g, st := l.c.gripOn(bot.KindKustomization, u), kustomizationStatus(k)
	app := bot.App{
		ID:        g.id,
		Source:    source,
		Namespace: k.Spec.TargetNamespace,
		Revision:  applied(k),
		Attempted: begun(k),
		AppliedAt: begunAt(u, k),
		Current:   st.current(),
		Synced:    st.current() && st.is(meta.ReadyCondition),
		Health:    st.health(),
		Message:   sentences(g.undone(), asleep(repository), unfinished(k), remote(k.Spec.KubeConfig), st.message()),
		Hold:      g.hold(),
		AutoSync:  !g.suspended && follows(source, repository),
		Parent:    g.parent,
	}
	if k.Spec.KubeConfig == nil {
		app.Workloads = l.c.workloadsIn(k.Status.Inventory)
	}
	return app, nil
}

// sourceOf is a Kustomization's source, with the GitRepository that it comes
// from, nil when there is none to read.
func (l *look) sourceOf(ctx context.Context, k *kustomizev1.Kustomization) (bot.Source, *sourcev1.GitRepository, error) {
	ref := k.Spec.SourceRef
	from := sourceKey(k)
	if ref.Kind != sourcev1.GitRepositoryKind {
		return elsewhere(ref.Kind, from.namespace, from.name), nil, nil
	}
	f, err := l.repository(ctx, from)
	if err != nil {
		return bot.Source{}, nil, err
	}
	if f.object == nil {
		return unreadable(f.why), nil, nil
	}
	source := l.c.tracked(f.object)
	source.Paths = pathsOf(k)
	return source, f.object, nil
}

func sourceKey(k *kustomizev1.Kustomization) key {
	ref := k.Spec.SourceRef
	if ref.Namespace == "" {
		return key{k.Namespace, ref.Name}
	}
	return key{ref.Namespace, ref.Name}
}

// pathsOf are the directories that a Kustomization builds: its own and those of
// its components, which are relative to it.
func pathsOf(k *kustomizev1.Kustomization) []string {
	paths := []string{cleanPath(k.Spec.Path)}
	for _, component := range k.Spec.Components {
		paths = append(paths, cleanPath(path.Join(k.Spec.Path, component)))
	}
	return paths
}

// unfinished tells of a commit that was attempted and not completed. Its
// objects may be live all the same.
func unfinished(k *kustomizev1.Kustomization) string {
	sha := commitOf(k.Status.LastAttemptedRevision)
	if sha == "" || sha == applied(k) {
		return ""
	}
	return fmt.Sprintf("commit %s was attempted and is not applied in full", sha.Short())
}

// asleep tells of a source that is suspended: no new commit will come.
func asleep(r *sourcev1.GitRepository) string {
	if r == nil || !r.Spec.Suspend {
		return ""
	}
	return fmt.Sprintf("its source GitRepository %s/%s is suspended", r.Namespace, r.Name)
}

// remote tells that the objects are in another cluster, where we see nothing.
func remote(config *meta.KubeConfigReference) string {
	if config == nil {
		return ""
	}
	return "it delivers to another cluster (spec.kubeConfig), whose workloads are not seen from here"
}

// follows reports whether new commits are applied without anybody asking.
func follows(s bot.Source, r *sourcev1.GitRepository) bool {
	return s.Untracked == "" && r != nil && !r.Spec.Suspend
}
