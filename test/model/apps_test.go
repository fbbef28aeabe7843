package model

import (
	"fmt"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

// apps of the story. Their names have different lengths: simcluster makes
// fingerprints of them.
var appNames = []string{"web", "cart"}

func tuning(app string, n int) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s-tuning, namespace: shop}\ndata:\n  level: \"%d\"\n", app, n)
}

func deployPath(app string) string { return "apps/" + app + "/deploy.yaml" }
func tuningPath(app string) string { return "apps/" + app + "/tuning.yaml" }

func startFiles() files {
	f := files{"docs/README.md": "# Fleet\n"}
	for _, app := range appNames {
		f[deployPath(app)], f[tuningPath(app)] = stage.Deployment(app, "v1"), tuning(app, 1)
	}
	return f
}

func appID(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

func appSpecs() []simcluster.AppSpec {
	var out []simcluster.AppSpec
	for _, name := range appNames {
		out = append(out, simcluster.AppSpec{
			ID: appID(name), Branch: trunk, Path: "apps/" + name, AutoSync: name == "web",
			Workload: bot.Workload{Kind: "Deployment", Namespace: "shop", Name: name},
		})
	}
	return out
}
