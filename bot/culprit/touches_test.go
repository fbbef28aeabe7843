package culprit

import (
	"slices"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// one and many are an App that runs web alone, and one that runs more.
var (
	one  = bot.App{ID: bot.AppID{Kind: bot.KindKustomization, Name: "shop"}, Workloads: []bot.Workload{web}}
	many = bot.App{ID: one.ID, Workloads: []bot.Workload{web, {Kind: "Deployment", Namespace: "shop", Name: "worker"}}}
)

func TestTouches(t *testing.T) {
	release := bot.App{ID: bot.AppID{Kind: bot.KindHelmRelease, Namespace: "shop", Name: "front"}}
	object := func(kind, name, field string) string {
		return "kind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {" + field + "}\n"
	}
	both := func(kind, name string) (before, after string) {
		return object(kind, name, "x: 1"), object(kind, name, "x: 2")
	}
	images := func(web, worker string) string {
		return "images: [{name: ghcr.io/acme/web, newTag: " + web + "}, {name: ghcr.io/acme/worker, newTag: " + worker + "}]"
	}
	type test struct {
		name, path, before, after string
		app                       bot.App
		want                      bearing
		what                      string
	}
	tests := []test{
		{"a telling field", "a.yaml", object("Deployment", "web", "image: a"), object("Deployment", "web", "image: b"), many, bears, "image of Deployment web in `a.yaml`"},
		{"several", "a.yaml", object("Deployment", "web", "image: a, t: [{env: 1}]"), object("Deployment", "web", "image: b, t: [{env: 2}]"), many, bears, "image, env of Deployment web in `a.yaml`"},
		{"another field", "a.yaml", object("Deployment", "web", "x: 1"), object("Deployment", "web", "x: 2"), many, bears, "Deployment web in `a.yaml`"},
		{"the workload come", "a.yaml", "", object("Deployment", "web", "x: 2"), many, bears, "Deployment web in `a.yaml`"},
		{"another name", "a.yaml", object("Deployment", "worker", "x: 1"), object("Deployment", "worker", "x: 2"), many, bearsNot, ""},
		{"another kind", "a.yaml", object("StatefulSet", "web", "x: 1"), object("StatefulSet", "web", "x: 2"), many, bearsNot, ""},
		{"the strongest of several", "a.yaml", object("Deployment", "worker", "x: 1") + "---\n" + object("Deployment", "web", "x: 1"),
			object("Deployment", "worker", "x: 2") + "---\n" + object("Deployment", "web", "x: 2"), many, bears, "Deployment web in `a.yaml`"},
		{"a kustomization that builds it alone", "a/kustomization.yaml", "x: 1", "x: 2", one, bears, "`a/kustomization.yaml`, of which Deployment shop/web is made"},
		{"a kustomization of several", "a/kustomization.yaml", "x: 1", "x: 2", many, bearsMaybe, "`a/kustomization.yaml`"},
		{"its image", "kustomization.yaml", images("v1", "v1"), images("v2", "v1"), many, bears, "`kustomization.yaml`, of which Deployment shop/web is made"},
		{"another's image", "kustomization.yaml", images("v1", "v1"), images("v1", "v2"), many, bearsMaybe, "`kustomization.yaml`"},
		{"a label for all", "kustomization.yaml", "commonLabels: {a: b}", "commonLabels: {a: c}", many, bears, "`kustomization.yaml`, of which Deployment shop/web is made"},
		{"its file taken out", "kustomization.yaml", "resources: [web.yaml, worker.yaml]", "resources: [worker.yaml]", many, bears, "`kustomization.yaml`, of which Deployment shop/web is made"},
		{"values of a single workload", "values-prod.yaml", "image: a", "image: b", one, bears, "the values `values-prod.yaml`, of which Deployment shop/web is made"},
		{"values of several", "prod-values.yaml", "image: a", "image: b", many, bearsMaybe, "the values `prod-values.yaml`"},
		{"its part of the values", "values.yaml", "parts: {web: {tag: a}, worker: {tag: a}}", "parts: {web: {tag: b}, worker: {tag: a}}", many, bears, "the values `values.yaml`, of which Deployment shop/web is made"},
		{"another's part", "values.yaml", "parts: {web: {tag: a}, worker: {tag: a}}", "parts: {web: {tag: a}, worker: {tag: b}}", many, bearsMaybe, "the values `values.yaml`"},
		{"a template", "templates/a.yaml", "a: {{ .a }}", "a: {{ .b }}", many, bearsMaybe, "`templates/a.yaml`"},
		{"a template of a single workload", "templates/a.yaml", "a: {{ .a }}", "a: {{ .b }}", one, bears, "`templates/a.yaml`, of which Deployment shop/web is made"},
		{"a generator's file", "app.properties", "a=1", "a=2", many, bearsMaybe, "`app.properties`"},
		{"a patch without an object", "patch.yaml", "[{op: add}]", "[{op: remove}]", many, bearsMaybe, "`patch.yaml`"},
		{"the release itself", "a.yaml", object("HelmRelease", "front", "x: 1"), object("HelmRelease", "front", "x: 2"), release, bears, "HelmRelease front in `a.yaml`"},
		{"another release beside it", "a.yaml", object("HelmRelease", "back", "x: 1"), object("HelmRelease", "back", "x: 2"), release, bearsNot, ""},
		{"a release of the workload's name", "a.yaml", object("HelmRelease", "web", "x: 1"), object("HelmRelease", "web", "x: 2"), many, bears, "HelmRelease web in `a.yaml`"},
		{"a release of another name", "a.yaml", object("HelmRelease", "shop", "x: 1"), object("HelmRelease", "shop", "x: 2"), many, bearsMaybe, "HelmRelease shop in `a.yaml`"},
	}
	for _, used := range []struct {
		kind, name string
		want       bearing
	}{
		{"ConfigMap", "web", bears}, {"Secret", "web-tls", bears}, {"Service", "web", bears}, {"HorizontalPodAutoscaler", "web", bears}, {"NetworkPolicy", "web-in", bears},
		{"ConfigMap", "worker", bearsNot}, {"ConfigMap", "webhook", bearsNot}, {"Role", "web", bearsNot}, {"Service", "eb", bearsNot},
	} {
		what := ""
		if used.want == bears {
			what = used.kind + " " + used.name + ", which belongs to Deployment shop/web, in `a.yaml`"
		}
		before, after := both(used.kind, used.name)
		tests = append(tests, test{used.kind + " " + used.name, "a.yaml", before, after, many, used.want, what})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			what, got := touches([]bot.FileChange{{Path: tt.path, Before: []byte(tt.before), After: []byte(tt.after)}}, tt.app, web)
			if got != tt.want || what != tt.what {
				t.Errorf("bearing %d on %q, want %d on %q", got, what, tt.want, tt.what)
			}
		})
	}
}

// TestPrefixedNames: kustomize may put a prefix before the names that stand in
// the files, so the same object can't be ruled out.
func TestPrefixedNames(t *testing.T) {
	prod := web
	prod.Name = "prod-web"
	for name, want := range map[string]bearing{"web": bearsMaybe, "prod-web": bears, "eb": bearsNot} {
		files := []bot.FileChange{{Path: "a.yaml", Before: deployment(name, "a"), After: deployment(name, "b")}}
		if what, got := touches(files, many, prod); got != want {
			t.Errorf("%s: bearing %d on %q, want %d", name, got, what, want)
		}
	}
}

// TestTouchingIsNoGuess: what may bear on the failing object neither counts as
// the fact that acting needs, nor against the suspect.
func TestTouchingIsNoGuess(t *testing.T) {
	c := change("a", "web", minutes(4))
	c.Files = []bot.FileChange{{Path: "templates/a.yaml", Before: []byte("{{ .a }}"), After: []byte("{{ .b }}")}}
	s := Ranker{}.Rank(facts(c)).Suspects[0]
	i := slices.IndexFunc(s.Evidence, func(e bot.Evidence) bool { return e.Signal == "object" })
	if e := s.Evidence[i]; s.TouchesFailing || e.Weight != 0 || e.Detail != "changes `templates/a.yaml`, which may or may not shape the failing object" {
		t.Errorf("touches failing: %v, evidence %+v", s.TouchesFailing, e)
	}
}
