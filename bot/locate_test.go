package bot_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

func id(cluster, name string) bot.AppID {
	return bot.AppID{Cluster: cluster, Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

// cluster is a simulated cluster with one App per workload.
func cluster(name string, workloads ...bot.Workload) *simcluster.Cluster {
	c := simcluster.New(simcluster.Config{Name: name, Now: time.Now})
	for _, w := range workloads {
		c.Add(simcluster.AppSpec{ID: id(name, w.Name), Workload: w})
	}
	return c
}

func TestLocate(t *testing.T) {
	web := bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"}
	db := bot.Workload{Kind: "StatefulSet", Namespace: "shop", Name: "db"}
	prod, stage := cluster("prod", web, db), cluster("stage", web)
	fleet := &bot.Fleet{
		Deployers: []bot.Deployer{prod, stage},
		Workloads: map[string]bot.Workloads{"prod": prod, "stage": stage},
	}
	marked := map[string]bot.ClusterLabel{"prod": {Name: "cluster", Value: "eu-1"}, "stage": {Name: "cluster", Value: "eu-2"}}
	rules := []bot.LocateRule{{Match: map[string]string{"team": "pay"}, App: id("prod", "db")}}

	for _, tc := range []struct {
		name   string
		labels map[string]string
		want   []string
		looked int
	}{
		{"deployment", map[string]string{"namespace": "shop", "deployment": "web", "cluster": "eu-1"}, []string{"prod/Kustomization/flux-system/web"}, 0},
		{"the other cluster", map[string]string{"namespace": "shop", "deployment": "web", "cluster": "eu-2"}, []string{"stage/Kustomization/flux-system/web"}, 0},
		{"statefulset", map[string]string{"namespace": "shop", "statefulset": "db", "cluster": "eu-1"}, []string{"prod/Kustomization/flux-system/db"}, 0},
		{"the mixin's pair", map[string]string{"namespace": "shop", "workload": "web", "workload_type": "deployment", "cluster": "eu-1"}, []string{"prod/Kustomization/flux-system/web"}, 0},
		{"the exporter's own namespace does not count", map[string]string{"namespace": "monitoring", "exported_namespace": "shop", "deployment": "web", "cluster": "eu-1"}, []string{"prod/Kustomization/flux-system/web"}, 0},
		{"a rule wins", map[string]string{"team": "pay", "namespace": "shop", "deployment": "web", "cluster": "eu-1"}, []string{"prod/Kustomization/flux-system/db"}, 0},
		{"no such workload", map[string]string{"namespace": "shop", "deployment": "api", "cluster": "eu-1"}, nil, 1},
		{"no workload in the labels", map[string]string{"namespace": "shop"}, nil, 1},
		{"no namespace", map[string]string{"deployment": "web", "cluster": "eu-1"}, nil, 1},
		{"a cluster of nobody's", map[string]string{"namespace": "shop", "deployment": "web", "cluster": "us-1"}, nil, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := &bot.Locator{Fleet: fleet, Rules: rules, ClusterLabels: marked}
			got, err := l.Locate(t.Context(), bot.Alert{Labels: tc.labels})
			if err != nil {
				t.Fatal(err)
			}
			var apps []string
			for _, f := range got.Found {
				apps = append(apps, f.App.String())
				if f.Via == "" {
					t.Errorf("%s was found without a reason", f.App)
				}
			}
			if diff := cmp.Diff(tc.want, apps); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if len(got.Looked) != tc.looked {
				t.Errorf("looked for %q, want %d entries: when none fits, it must be told", got.Looked, tc.looked)
			}
		})
	}
}

// A cluster that can't be asked is trouble, not "none fits": else an alert
// would be dropped because of the very outage that it speaks of.
func TestLocateFailsWhenAClusterIsSilent(t *testing.T) {
	c := cluster("prod", bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"})
	c.Break(bot.NewTrouble(bot.TroubleTransient, nil, "Cluster prod can't be reached."))
	l := &bot.Locator{Fleet: c.Fleet()}
	_, err := l.Locate(t.Context(), bot.Alert{Labels: map[string]string{"namespace": "shop", "deployment": "web"}})
	if !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("got %v, want transient trouble", err)
	}
}
