package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Fleet is every control plane and cluster that this server watches.
type Fleet struct {
	Deployers []Deployer
	// Workloads reads each cluster, by its name.
	Workloads map[string]Workloads
	// Images are the image automations of the clusters.
	Images []ImageAutomations
}

// For returns the control plane that delivers an App.
func (f *Fleet) For(id AppID) (Deployer, error) {
	for _, d := range f.Deployers {
		if d.Handles(id) {
			return d, nil
		}
	}
	return nil, NewTrouble(TroubleNotFound, nil, "No configured cluster delivers %s.", id).
		WithAdvice("Check the clusters in Backout's configuration.")
}

// Apps lists every App, sorted by ID. One control plane that can't be asked
// fails the whole answer: a culprit must not be chosen, nor an affected App
// overlooked, because a cluster was silent.
func (f *Fleet) Apps(ctx context.Context) ([]App, error) {
	lists := make([][]App, len(f.Deployers))
	g, ctx := errgroup.WithContext(ctx)
	for i, d := range f.Deployers {
		g.Go(func() error {
			var err error
			lists[i], err = d.Apps(ctx)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	apps := slices.Concat(lists...)
	slices.SortFunc(apps, func(a, b App) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return apps, nil
}

// App observes one App.
func (f *Fleet) App(ctx context.Context, id AppID) (App, error) {
	d, err := f.For(id)
	if err != nil {
		return App{}, err
	}
	return d.App(ctx, id)
}

// observe observes Apps, in their order.
func (f *Fleet) observe(ctx context.Context, ids []AppID) ([]App, error) {
	return each(ctx, ids, func(ctx context.Context, id AppID) (App, error) {
		app, err := f.App(ctx, id)
		if err != nil {
			return app, fmt.Errorf("observe %s: %w", id, err)
		}
		return app, nil
	})
}

// Rollouts reads the state of workloads, cluster by cluster.
func (f *Fleet) Rollouts(ctx context.Context, ws []Workload) ([]Rollout, error) {
	var out []Rollout
	for cluster, reader := range f.byCluster() {
		var mine []Workload
		for _, w := range ws {
			if w.Cluster == cluster {
				mine = append(mine, w)
			}
		}
		if len(mine) == 0 {
			continue
		}
		rs, err := reader.Rollouts(ctx, mine)
		if err != nil {
			return nil, fmt.Errorf("read rollouts in cluster %s: %w", cluster, err)
		}
		out = append(out, rs...)
	}
	return out, nil
}

// byCluster yields the clusters in name order, so that results have one order.
func (f *Fleet) byCluster() func(func(string, Workloads) bool) {
	return func(yield func(string, Workloads) bool) {
		names := make([]string, 0, len(f.Workloads))
		for name := range f.Workloads {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(name, f.Workloads[name]) {
				return
			}
		}
	}
}
