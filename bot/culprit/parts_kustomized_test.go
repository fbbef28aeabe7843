package culprit

import (
	"testing"
	"testing/fstest"

	"github.com/backout-dev/backout/bot"
)

// TestKustomized: what a kustomization's fields change tells whether the failing
// object is concerned; what can't be told stays a maybe.
func TestKustomized(t *testing.T) {
	web := "kind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{image: 'quay.io:443/acme/shop:v1@sha256:00', envFrom: [{configMapRef: {name: settings}}]}]}}}\n"
	const base = "configMapGenerator: [{name: settings, literals: [a=b]}]\nresources: [web.yaml]\n"
	tree := fstest.MapFS{
		"app/web.yaml":           {Data: []byte(web)},
		"app/kustomization.yaml": {Data: []byte(base)},
	}
	for _, tt := range []struct {
		name, after string
		kind        string
		want        bearing
	}{
		{"its image", base + "images: [{name: quay.io:443/acme/shop, newTag: v2}]\n", "Deployment", bears},
		{"another image", base + "images: [{name: quay.io/acme/other, newTag: v2}]\n", "Deployment", bearsNot},
		{"a generator it uses", "configMapGenerator: [{name: settings, literals: [a=c]}]\nresources: [web.yaml]\n", "Deployment", bears},
		{"another generator", base + "secretGenerator: [{name: other, literals: [a=c]}]\n", "Deployment", bearsNot},
		{"its manifest leaves", "configMapGenerator: [{name: settings, literals: [a=b]}]\nresources: []\n", "Deployment", bears},
		{"a remote base", "configMapGenerator: [{name: settings, literals: [a=b]}]\nresources: [web.yaml, 'https://example.com/x?ref=1']\n", "Deployment", bearsNot},
		{"a patch of it", base + "patches: [{patch: '[]', target: {kind: Deployment, name: web}}]\n", "Deployment", bears},
		{"a patch of it, written out", base + "patches:\n- patch: |\n    kind: Deployment\n    metadata: {name: web}\n", "Deployment", bears},
		{"a patch of another", base + "patches: [{patch: '[]', target: {kind: Deployment, name: api}}]\n", "Deployment", bearsNot},
		{"a patch of whatever matches", base + "patches: [{path: p.yaml, target: {kind: Deployment}}]\n", "Deployment", bearsMaybe},
		{"a component", base + "components: [../c]\n", "Deployment", bearsMaybe},
		{"of a release nothing is told", base + "images: [{name: quay.io/acme/other, newTag: v2}]\n", "HelmRelease", bearsMaybe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := bot.Workload{Kind: tt.kind, Name: "web"}
			p := PartsOf(tree, []string{"app"}, w)
			what, got := p.bearing([]bot.FileChange{{Path: "app/kustomization.yaml", Before: []byte(base), After: []byte(tt.after)}}, bot.App{}, w)
			if got != tt.want {
				t.Errorf("%d, want %d: %s", got, tt.want, what)
			}
		})
	}
}
