package corpus

import (
	"context"
	"io/fs"
	"slices"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// workloads are the kinds that alerts speak of, the likeliest first; another kind
// is taken when the culprit changed none of them.
var workloads = []string{"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "HelmRelease"}

// object derives the failing object of a case from what its culprit changed: one
// that it changed and that stands at the head. nil when the culprit changed none,
// such as only values or templates.
func (t *trail) object(ctx context.Context, c Case, tree fs.FS) (*bot.Workload, error) {
	if c.Culprit == "" {
		return nil, nil //nolint:nilnil // nothing to derive it from
	}
	guilty, err := t.at(ctx, c.Culprit)
	if err != nil || len(guilty.Parents) == 0 {
		return nil, err
	}
	files, err := t.history.Diff(ctx, c.Repo, guilty.Parents[0], c.Culprit, []string{c.Path})
	if err != nil {
		return nil, err
	}
	var best *bot.Workload
	place := len(workloads) + 1
	for _, f := range files {
		diffs, err := manifest.Diff(f.Before, f.After)
		if err != nil || !manifest.IsFile(f.Path) {
			continue
		}
		now, _ := fs.ReadFile(tree, f.Path)
		stands, _ := manifest.Objects(now)
		for _, d := range diffs {
			o := d.Object()
			here := slices.ContainsFunc(stands, func(s manifest.Object) bool { return s.Kind == o.Kind && s.Name == o.Name })
			i := slices.Index(workloads, o.Kind)
			if i < 0 {
				i = len(workloads)
			}
			if here && o.Name != "" && i < place {
				best, place = &bot.Workload{Kind: o.Kind, Name: o.Name}, i
			}
		}
	}
	return best, nil
}
