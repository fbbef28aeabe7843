package flux

import (
	"context"
	"fmt"
	"slices"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// fromRelease is the App of a HelmRelease: its own health, and the source and
// revision of the Kustomization that delivers it.
func (l *look) fromRelease(ctx context.Context, u *unstructured.Unstructured) (bot.App, error) {
	r, err := decode[helmv2.HelmRelease](u)
	if err != nil {
		return bot.App{}, err
	}
	g, st := l.c.gripOn(bot.KindHelmRelease, u), releaseStatus(r)
	root, err := l.root(ctx, g.parent)
	if err != nil {
		return bot.App{}, err
	}
	source, repository, err := l.releaseSource(ctx, r, root)
	if err != nil {
		return bot.App{}, err
	}
	if g.parent != nil && root == nil {
		source = bot.Source{Untracked: fmt.Sprintf("It is delivered by %s, and the Kustomization behind that can't be read.", nameOf(*g.parent))}
		repository = nil
	}
	app := bot.App{
		ID:        g.id,
		Source:    source,
		Namespace: r.GetReleaseNamespace(),
		AppliedAt: deployedAt(r),
		Current:   st.current(),
		Health:    st.health(),
		Message:   sentences(g.undone(), asleep(repository), remote(r.Spec.KubeConfig), st.message()),
		Hold:      g.hold(),
		AutoSync:  !g.suspended && follows(source, repository),
		Parent:    g.parent,
	}
	if root != nil {
		app.Revision, app.Attempted = applied(root), begun(root)
		app.Current = app.Current && kustomizationStatus(root).current()
		app.AutoSync = app.AutoSync && !root.Spec.Suspend
		app.Message = sentences(app.Message, behind(root))
	}
	built, lag, err := l.chartBuilt(ctx, r, root)
	if err != nil {
		return bot.App{}, err
	}
	if g.parent == nil && lag == "" {
		app.Revision = built
	}
	app.Current = app.Current && lag == ""
	app.Message = sentences(app.Message, lag)
	app.Synced = app.Current && st.is(meta.ReadyCondition)
	if r.Spec.KubeConfig == nil {
		app.Workloads, err = l.releasedBy(ctx, key{r.Namespace, r.Name}, app.Namespace)
	}
	return app, err
}

// behind tells that the values may not be those of the newest commit.
func behind(root *kustomizev1.Kustomization) string {
	if root.Spec.Suspend {
		return fmt.Sprintf("Kustomization %s/%s, which delivers it, is suspended", root.Namespace, root.Name)
	}
	return unfinished(root)
}

// releaseSource is where a release's values come from and, when that is the
// same branch, its chart. A chart in another repository is not part of it: a
// revert is made in one repository, and the values say which version is used.
// Without an owner, the chart is all there is.
func (l *look) releaseSource(ctx context.Context, r *helmv2.HelmRelease, root *kustomizev1.Kustomization) (bot.Source, *sourcev1.GitRepository, error) {
	chart, chartRepository, err := l.chartSource(ctx, r)
	if err != nil || root == nil {
		return chart, chartRepository, err
	}
	source, repository, err := l.sourceOf(ctx, root)
	if err != nil {
		return source, nil, err
	}
	if chart.Untracked == "" && chart.Repo == source.Repo && chart.Branch == source.Branch {
		for _, p := range chart.Paths {
			if !slices.Contains(source.Paths, p) {
				source.Paths = append(source.Paths, p)
			}
		}
	}
	return source, repository, nil
}
