package flux

import (
	"context"
	"fmt"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"github.com/backout-dev/backout/bot"
)

// chartKey names the GitRepository of a release's chart; ok is false when the
// chart comes from elsewhere.
func chartKey(r *helmv2.HelmRelease) (key, bool) {
	if r.Spec.Chart == nil || r.Spec.Chart.Spec.SourceRef.Kind != sourcev1.GitRepositoryKind {
		return key{}, false
	}
	return key{r.Spec.Chart.GetNamespace(r.Namespace), r.Spec.Chart.Spec.SourceRef.Name}, true
}

// chartSource is where the chart comes from. Values files in spec.chart are
// relative to the root of its repository
// (https://fluxcd.io/flux/components/helm/helmreleases/#chart-template).
func (l *look) chartSource(ctx context.Context, r *helmv2.HelmRelease) (bot.Source, *sourcev1.GitRepository, error) {
	from, ok := chartKey(r)
	if !ok {
		return bot.Source{Untracked: fmt.Sprintf(
			"Nothing delivers HelmRelease %s/%s, and its chart is not in a GitRepository.", r.Namespace, r.Name)}, nil, nil
	}
	f, err := l.repository(ctx, from)
	if err != nil {
		return bot.Source{}, nil, err
	}
	if f.object == nil {
		return unreadable(f.why), nil, nil
	}
	source := l.c.tracked(f.object)
	source.Paths = []string{cleanPath(r.Spec.Chart.Spec.Chart)}
	for _, file := range r.Spec.Chart.Spec.ValuesFiles {
		source.Paths = append(source.Paths, cleanPath(file))
	}
	return source, f.object, nil
}

// chartBuilt is the commit that a release's chart was built from, when that is
// in git, and why the release does not yet run the chart of the commit that its
// Kustomization applied; lag is "" when it does. A chart changes without the
// HelmRelease changing, so neither generation shows it: what shows is which
// commit the HelmChart was last built from, and which of its versions was last
// released.
//
// With reconcileStrategy ChartVersion, the default, source-controller builds a
// new chart only when its version changed. A chart edited without that is
// never delivered, and no lag is told: there is nothing to wait for.
func (l *look) chartBuilt(ctx context.Context, r *helmv2.HelmRelease, root *kustomizev1.Kustomization) (built bot.SHA, lag string, err error) {
	if _, inGit := chartKey(r); !inGit {
		return "", "", nil
	}
	namespace, name := r.Status.GetHelmChart()
	if name == "" {
		return "", notBuilt, nil
	}
	f, err := l.chart(ctx, key{namespace, name})
	switch {
	case err != nil:
		return "", "", err
	case f.object == nil:
		return "", "its chart can't be looked at: " + strings.TrimSuffix(f.why.Text, "."), nil
	case f.object.Status.Artifact == nil:
		return "", notBuilt, nil
	case f.object.Status.Artifact.Revision != r.Status.LastAttemptedRevision:
		return "", fmt.Sprintf("its chart is at version %s, and version %s was released last",
			f.object.Status.Artifact.Revision, r.Status.LastAttemptedRevision), nil
	}
	built = commitOf(f.object.Status.ObservedSourceArtifactRevision)
	same, err := l.sameRepository(ctx, r, root)
	if err != nil || !same {
		return built, "", err
	}
	if want := applied(root); built != want {
		return built, fmt.Sprintf("its chart was built from %s, and %s is applied", built.Short(), want.Short()), nil
	}
	return built, "", nil
}

const notBuilt = "its chart has not been built"

// sameRepository reports whether chart and values come from one GitRepository,
// so that their commits can be compared. Two objects for one repository fetch
// at their own pace.
func (l *look) sameRepository(ctx context.Context, r *helmv2.HelmRelease, root *kustomizev1.Kustomization) (bool, error) {
	from, ok := chartKey(r)
	if !ok || root == nil || root.Spec.SourceRef.Kind != sourcev1.GitRepositoryKind {
		return false, nil
	}
	if from == sourceKey(root) {
		return true, nil
	}
	chart, _, err := l.chartSource(ctx, r)
	if err != nil {
		return false, err
	}
	values, _, err := l.sourceOf(ctx, root)
	return chart.Untracked == "" && chart.Repo == values.Repo && chart.Branch == values.Branch, err
}

// chart reads a HelmChart: all at once when looking at all Apps.
func (l *look) chart(ctx context.Context, k key) (found[sourcev1.HelmChart], error) {
	if l.all && len(l.charts) == 0 {
		items, err := l.c.list(ctx, helmCharts())
		if err != nil {
			return found[sourcev1.HelmChart]{}, err
		}
		fill(l.charts, items)
	}
	return lookUp(ctx, l.c, l.charts, helmCharts(), k)
}
