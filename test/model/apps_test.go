package model

import (
	"fmt"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

// apps of the story. Their names have different lengths: simcluster makes
// fingerprints of them.
var appNames = []string{"web", "cart"}

func manifest(app, tag string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
        - name: %[1]s
          image: registry.example/%[1]s:%[2]s
`, app, tag)
}

func tuning(app string, n int) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s-tuning, namespace: shop}\ndata:\n  level: \"%d\"\n", app, n)
}

func deployPath(app string) string { return "apps/" + app + "/deploy.yaml" }
func tuningPath(app string) string { return "apps/" + app + "/tuning.yaml" }

func startFiles() files {
	f := files{"docs/README.md": "# Fleet\n"}
	for _, app := range appNames {
		f[deployPath(app)], f[tuningPath(app)] = manifest(app, "v1"), tuning(app, 1)
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
