package culprit

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func TestPartsOf(t *testing.T) {
	web := `kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      containers: [{envFrom: [{secretRef: {name: keys}}], env: [{valueFrom: {configMapKeyRef: {name: generated, key: a}}}]}]
      volumes: [{configMap: {name: settings}}, {secret: {secretName: tls}}, {persistentVolumeClaim: {claimName: data}}]
`
	object := func(kind, name, spec string) string {
		return "kind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n"
	}
	tree := treeOf(map[string]string{
		"a/web.yaml":           web,
		"a/settings.yaml":      object("ConfigMap", "settings", ""),
		"a/secrets.yaml":       object("Secret", "keys", "") + "---\n" + object("Secret", "tls", ""),
		"a/claim.yaml":         object("PersistentVolumeClaim", "data", ""),
		"a/account.yaml":       object("ServiceAccount", "runner", ""),
		"a/service.yaml":       object("Service", "front", "selector: {app: web}"),
		"a/scale.yaml":         object("HorizontalPodAutoscaler", "scale", "scaleTargetRef: {kind: Deployment, name: web}"),
		"a/policy.yaml":        object("NetworkPolicy", "in", "podSelector: {matchLabels: {app: web}}"),
		"a/kustomization.yaml": "configMapGenerator: [{name: generated, files: [app.properties, key=more.txt]}, {name: others, files: [others.txt]}]\n",
		"a/other.yaml":         object("ConfigMap", "unused", "") + "---\n" + object("Service", "back", "selector: {app: api}") + "---\n" + object("Service", "headless", ""),
		"a/template.yaml":      "a: {{ .b }}\n",
		"b/release.yaml":       object("HelmRelease", "web", "valuesFrom: [{kind: ConfigMap, name: chart-values}]"),
		"b/values.yaml":        object("ConfigMap", "chart-values", ""),
		"c/elsewhere.yaml":     object("Service", "far", "selector: {app: web}"),
	})
	p := PartsOf(tree, []string{"a", "b"}, bot.Workload{Kind: "Deployment", Name: "web"})
	files := strings.Join(slices.Sorted(maps.Keys(p.Files)), " ")
	if want := "a/account.yaml a/app.properties a/claim.yaml a/more.txt a/policy.yaml a/scale.yaml a/secrets.yaml a/service.yaml a/settings.yaml a/web.yaml b/release.yaml b/values.yaml"; files != want {
		t.Errorf("files are %s\nwant %s", files, want)
	}
	for name, want := range map[string]string{
		"a/web.yaml":       "where Deployment web stands",
		"a/app.properties": "from which ConfigMap generated is generated, which Deployment web uses as configMapKeyRef",
		"a/service.yaml":   "where Service front stands, which selects Deployment web",
		"b/values.yaml":    "where ConfigMap chart-values stands, which HelmRelease web uses as valuesFrom",
	} {
		if p.Files[name] != want {
			t.Errorf("%s: %q, want %q", name, p.Files[name], want)
		}
	}
	if p := PartsOf(tree, []string{"c"}, bot.Workload{Kind: "Deployment", Name: "web"}); len(p.Files)+len(p.Objects) != 0 {
		t.Errorf("where the workload does not stand: %+v", p)
	}
}
