package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// object writes a manifest of one object.
func object(version, kind, name, spec string) string {
	return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n"
}

// changed is a file that the revert rewrites; "" stands for no file.
func changed(path, before, after string) bot.FileChange {
	f := bot.FileChange{Path: path}
	if before != "" {
		f.Before, f.BeforeMode = []byte(before), "100644"
	}
	if after != "" {
		f.After, f.AfterMode = []byte(after), "100644"
	}
	return f
}

func edited(version, kind string) []bot.FileChange {
	return []bot.FileChange{changed("a.yaml", object(version, kind, "a", "x: 1"), object(version, kind, "a", "x: 2"))}
}

func deleted(version, kind string) []bot.FileChange {
	return []bot.FileChange{changed("a.yaml", object(version, kind, "a", "x: 1"), "")}
}

func created(version, kind string) []bot.FileChange {
	return []bot.FileChange{changed("a.yaml", "", object(version, kind, "a", "x: 1"))}
}

func file(path, before, after string) []bot.FileChange {
	return []bot.FileChange{changed(path, before, after)}
}

func TestGuards(t *testing.T) {
	const job = "kind: Job\nmetadata: {name: %, annotations: {%}}\nspec: {x: @}\n"
	hooked := func(name, annotation string) []bot.FileChange {
		text := strings.Replace(strings.Replace(job, "%", name, 1), "%", annotation, 1)
		return file("a.yaml", strings.Replace(text, "@", "1", 1), strings.Replace(text, "@", "2", 1))
	}
	withInit := func(command string) string {
		return object("apps/v1", "Deployment", "web", "template: {spec: {initContainers: [{command: ["+command+"]}], containers: [{image: @}]}}")
	}
	kustomization := func(resources string) string { return "resources: [" + resources + "]\n" }
	template := func(kind, x string) string { return "{{ if .on }}\nkind: " + kind + "\nx: " + x + "\n{{ end }}\n" }

	tests := []struct {
		name  string
		files []bot.FileChange
		want  []string
	}{
		{"a Deployment", edited("apps/v1", "Deployment"), nil},
		{"a deleted Deployment", deleted("apps/v1", "Deployment"), nil},
		{"nothing", nil, nil},
		{"a StatefulSet", edited("apps/v1", "StatefulSet"), []string{"stateful"}},
		{"a deleted StatefulSet", deleted("apps/v1", "StatefulSet"), []string{"stateful"}},
		{"a StatefulSet's comment", file("a.yaml", "kind: StatefulSet\n", "# x\nkind: StatefulSet\n"), nil},
		{"a StatefulSet beside what changes", file("a.yaml", "kind: StatefulSet\n---\nkind: A\nx: 1\n", "kind: StatefulSet\n---\nkind: A\nx: 2\n"), nil},
		{"a StatefulSet in a List", file("a.yaml", "kind: List\nitems: [{kind: StatefulSet, x: 1}]\n", "kind: List\nitems: [{kind: StatefulSet, x: 2}]\n"), []string{"stateful"}},
		{"an operator's database", edited("postgresql.cnpg.io/v1", "Cluster"), []string{"stateful"}},
		{"a CRD", edited("apiextensions.k8s.io/v1", "CustomResourceDefinition"), []string{"crd"}},
		{"a PVC", deleted("v1", "PersistentVolumeClaim"), []string{"pvc"}},
		{"a PV", edited("v1", "PersistentVolume"), []string{"pvc"}},
		{"a StorageClass", edited("storage.k8s.io/v1", "StorageClass"), []string{"storageclass"}},
		{"a Namespace", deleted("v1", "Namespace"), []string{"namespace"}},
		{"an edited Secret", edited("v1", "Secret"), nil},
		{"a Secret that comes back", created("v1", "Secret"), nil},
		{"a deleted Secret", deleted("v1", "Secret"), []string{"secret"}},
		{"a renamed Secret", file("a.yaml", object("v1", "Secret", "a", ""), object("v1", "Secret", "b", "")), []string{"secret"}},
		{"a deleted SealedSecret", deleted("bitnami.com/v1alpha1", "SealedSecret"), []string{"secret"}},
		{"a deleted ExternalSecret", deleted("external-secrets.io/v1", "ExternalSecret"), []string{"secret"}},
		{"a deleted HelmRelease", deleted("helm.toolkit.fluxcd.io/v2", "HelmRelease"), []string{"delivers"}},
		{"an edited HelmRelease", edited("helm.toolkit.fluxcd.io/v2", "HelmRelease"), nil},
		{"a deleted Kustomization of Flux", deleted("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), []string{"delivers"}},
		{"a deleted Kustomization of kustomize", deleted("kustomize.config.k8s.io/v1beta1", "Kustomization"), nil},
		{"a deleted Application", deleted("argoproj.io/v1alpha1", "Application"), []string{"delivers"}},
		{"a deleted ApplicationSet", deleted("argoproj.io/v1alpha1", "ApplicationSet"), []string{"delivers"}},
		{"several at once, each named once", append(append(edited("apps/v1", "StatefulSet"), edited("apps/v1", "StatefulSet")...), deleted("v1", "Secret")...), []string{"stateful", "secret"}},

		{"a migration's path", file("db/migrations/0007_users.txt", "a", "b"), []string{"migration"}},
		{"a migration tool's path", file("flyway/conf.yaml", "a: 1", "a: 2"), []string{"migration"}},
		{"SQL", file("schema/users.sql", "a", "b"), []string{"migration"}},
		{"a word that only holds the word", file("immigration/a.yaml", "a: 1", "a: 2"), nil},
		{"documentation of migrations", file("docs/migration.md", "a", "kind: StatefulSet"), nil},
		{"a Job", hooked("report", ""), nil},
		{"a migration Job", hooked("web-migrate", ""), []string{"migration"}},
		{"a Helm hook", hooked("report", "helm.sh/hook: pre-upgrade"), []string{"migration"}},
		{"an Argo CD hook", hooked("report", "argocd.argoproj.io/hook: PreSync"), []string{"migration"}},
		{"a hook that the revert takes away", file("a.yaml", "kind: Job\nmetadata: {annotations: {helm.sh/hook: x}}\n", "kind: Job\n"), []string{"migration"}},
		{"a migration in an init container", file("a.yaml", strings.Replace(withInit("rake, 'db:migrate'"), "@", "v2", 1), strings.Replace(withInit("rake, 'db:migrate'"), "@", "v1", 1)), []string{"migration"}},
		{"another init container", file("a.yaml", strings.Replace(withInit("chown"), "@", "v2", 1), strings.Replace(withInit("chown"), "@", "v1", 1)), nil},

		{"a workflow", file(".github/workflows/ci.yaml", "a: 1", "a: 2"), []string{"touches-workflows"}},
		{"a workflow that the revert deletes", file(".github/workflows/ci.yaml", "a: 1", ""), []string{"touches-workflows"}},
		{"a file beside the workflows", file(".github/dependabot.yml", "a: 1", "a: 2"), nil},

		{"a kustomization", file("a/kustomization.yaml", kustomization("b.yaml")+"namePrefix: x\n", kustomization("b.yaml")), nil},
		{"a reference taken out", file("a/kustomization.yaml", kustomization("b.yaml, ../base/postgres"), kustomization("b.yaml")), []string{"prune"}},
		{"a remote reference taken out", file("a/kustomization.yaml", kustomization("'https://x.example/y?ref=v1'"), kustomization("")), []string{"prune"}},
		{"a component taken out", file("a/kustomization.yaml", "components: [../c]\n", "resources: []\n"), []string{"prune"}},
		{"a base taken out", file("a/kustomization.yaml", "bases: [../c/]\n", "bases: []\n"), []string{"prune"}},
		{"a reference that comes back", file("a/kustomization.yaml", kustomization(""), kustomization("../base")), nil},
		{"a reference written otherwise", file("a/kustomization.yaml", kustomization("../base/"), kustomization("../base")), nil},
		{"a reference taken out with its file", append(file("a/kustomization.yaml", kustomization("b.yaml"), kustomization("")), changed("a/b.yaml", "kind: A\n", "")), nil},
		{"a reference taken out with its directory", append(file("a/kustomization.yaml", kustomization("../b"), kustomization("")), changed("b/kustomization.yaml", kustomization(""), "")), nil},
		{"with its directory, which references more", append(file("a/kustomization.yaml", kustomization("../b"), kustomization("")), changed("b/kustomization.yaml", kustomization("../c"), "")), []string{"prune"}},
		{"a reference taken out, its file only edited", append(file("a/kustomization.yaml", kustomization("b.yaml"), kustomization("")), changed("a/b.yaml", "kind: A\nx: 1", "kind: A\n")), []string{"prune"}},
		{"a kustomization without an ending", file("a/Kustomization", kustomization("../b"), kustomization("")), []string{"prune"}},
		{"a kustomization that is broken after", file("a/kustomization.yaml", kustomization("../b"), "resources: ["), []string{"prune"}},
		{"a broken kustomization that the revert mends", file("a/kustomization.yaml", "resources: [", kustomization("../b")), nil},
		{"a generated Secret taken away", file("a/kustomization.yaml", "secretGenerator: [{name: a}, {name: b}]", "secretGenerator: [{name: a}]"), []string{"secret"}},
		{"a generated Secret edited", file("a/kustomization.yaml", "secretGenerator: [{name: a}]", "secretGenerator: [{name: a, type: x}]"), nil},

		{"a template", file("t/a.yaml", template("Deployment", "1"), template("Deployment", "2")), nil},
		{"a template of a StatefulSet", file("t/a.yaml", template("StatefulSet", "1"), template("StatefulSet", "2")), []string{"stateful"}},
		{"a template of a StatefulSet in JSON", file("t/a.yaml", `{{ x }} {"kind":"StatefulSet"}`, ""), []string{"stateful"}},
		{"a template of a CRD among others", file("t/a.yaml", template("A", "1"), template("A", "2")+"---\n- kind: 'CustomResourceDefinition'"), []string{"crd"}},
		{"a template's Secret edited", file("t/a.yaml", template("Secret", "1"), template("Secret", "2")), nil},
		{"a template's Secret deleted", file("t/a.yaml", template("Secret", "1")+template("Secret", "1"), template("Secret", "1")), []string{"secret"}},
		{"a deleted template of a Secret", file("t/a.yaml", template("Secret", "1"), ""), []string{"secret"}},
		{"a deleted template of a Kustomization", file("t/a.yaml", template("Kustomization", "1"), ""), []string{"delivers"}},
		{"a template of a hook", file("t/a.yaml", template("Job", "1")+"helm.sh/hook: x", template("Job", "2")), []string{"migration"}},
		{"a template of a migration", file("t/a.yaml", template("Job", "1")+"name: {{ .x }}-migrate\n", template("Job", "2")), []string{"migration"}},
		{"a template of a database", file("t/a.yaml", template("Kafka", "1")+"apiVersion: kafka.strimzi.io/v1", template("A", "2")), []string{"stateful"}},
		{"a template whose kind is not known", file("t/a.yaml", template("{{ .kind }}", "1"), template("{{ .kind }}", "2")), []string{"opaque"}},
		{"helpers", file("t/_helpers.tpl", template("A", "1"), template("StatefulSet", "2")), []string{"stateful"}},
		{"another language that names a kind", file("a.jsonnet", `{ kind: "PersistentVolumeClaim" }`, ""), []string{"pvc"}},
		{"a configuration that names a migration tool", file("app.properties", "flyway.enabled=true\na=1", "flyway.enabled=true\na=2"), nil},
		{"a version that does not parse", file("a.yaml", "kind: StatefulSet\nx: 1\n", "kind: StatefulSet\nx: [\n"), []string{"stateful"}},

		{"a submodule", []bot.FileChange{{Path: "vendor", Before: []byte("a"), After: []byte("b"), BeforeMode: "160000", AfterMode: "160000"}}, []string{"opaque"}},
		{"a link", []bot.FileChange{{Path: "a.yaml", Before: []byte("a"), After: []byte("b"), BeforeMode: "100644", AfterMode: "120000"}}, []string{"opaque"}},
		{"contents that could not be read", []bot.FileChange{{Path: "a.yaml", BeforeMode: "100644", AfterMode: "100644", After: []byte("a: 1")}}, []string{"opaque"}},
		{"contents that could not be read after", []bot.FileChange{{Path: "a.yaml", BeforeMode: "100644", AfterMode: "100755", Before: []byte("a: 1")}}, []string{"opaque"}},
	}
	r := rulesOf(t, auto)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := onCommand()
			c.Revert.Files = tt.files
			got := r.Decide(c)
			want := bot.VerbAsk
			switch {
			case len(tt.want) == 0:
				want = bot.VerbAct
			case slices.Contains(tt.want, "touches-workflows"):
				want = bot.VerbRefuse
			}
			check(t, got, want, tt.want...)

			// An alert is guarded as a command is.
			alert := onAlert()
			alert.Revert.Files = tt.files
			if diff := cmp.Diff(got, r.Decide(alert)); diff != "" {
				t.Errorf("command and alert differ (-command +alert):\n%s", diff)
			}
			// No guard ever opens what a mode closed.
			propose := rulesOf(t, Settings{Commands: ptr(bot.ModePropose)}).Decide(c)
			if len(tt.want) > 0 && bold(propose.Verb) > bold(bot.VerbPropose) {
				t.Errorf("to propose became to %s", propose.Verb)
			}
		})
	}
}

// TestStatefulApps: what shapes the objects of an App that runs a StatefulSet
// may shape the StatefulSet, though it names none.
func TestStatefulApps(t *testing.T) {
	tests := []struct {
		name string
		file bot.FileChange
		want bool
	}{
		{"a kustomization", changed("kustomization.yaml", "images: [{newTag: v2}]", "images: [{newTag: v1}]"), true},
		{"a kustomization that names itself", changed("kustomization.yaml", "kind: Kustomization\nimages: [{newTag: v2}]", "kind: Kustomization\nimages: [{newTag: v1}]"), true},
		{"a kustomization's comment", changed("kustomization.yaml", "a: 1 # x", "a: 1"), false},
		{"values", changed("values-prod.yaml", "image: v2", "image: v1"), true},
		{"a patch without a kind", changed("patch.json", `[{"op": "replace", "value": "v2"}]`, `[{"op": "replace", "value": "v1"}]`), true},
		{"a template", changed("templates/x.yaml", "image: {{ .a }}", "image: {{ .b }}"), true},
		{"helpers", changed("templates/_x.tpl", "a", "b"), true},
		{"a HelmRelease", changed("r.yaml", object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "a", "x: 2"), object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "a", "x: 1")), true},
		{"an Application", changed("r.yaml", object("argoproj.io/v1alpha1", "Application", "a", "x: 2"), object("argoproj.io/v1alpha1", "Application", "a", "x: 1")), true},
		{"a Service", changed("s.yaml", object("v1", "Service", "a", "x: 2"), object("v1", "Service", "a", "x: 1")), false},
		{"a text for a generator", changed("app.properties", "a", "b"), false},
		{"documentation", changed("README.md", "a", "b"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := onCommand()
			c.Revert.Files = []bot.FileChange{tt.file}
			check(t, rulesOf(t, auto).Decide(c), bot.VerbAct)
			// One App of several is enough.
			c.Target = append(c.Target, bot.App{ID: appID("db"), Workloads: []bot.Workload{{Kind: "Deployment"}, {Kind: "StatefulSet"}}})
			if tt.want {
				check(t, rulesOf(t, auto).Decide(c), bot.VerbAsk, "stateful")
			} else {
				check(t, rulesOf(t, auto).Decide(c), bot.VerbAct)
			}
		})
	}
}

// TestGuardsNameTheFile: who is asked must see what about.
func TestGuardsNameTheFile(t *testing.T) {
	c := onCommand()
	c.Revert.Files = []bot.FileChange{changed("apps/db.yaml", object("apps/v1", "StatefulSet", "db", "x: 2"), object("apps/v1", "StatefulSet", "db", "x: 1"))}
	want := []bot.Reason{{Name: "stateful", Text: "The revert changes a StatefulSet: data may not survive going back (`apps/db.yaml`)."}}
	if diff := cmp.Diff(want, rulesOf(t, auto).Decide(c).Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func FuzzGuards(f *testing.F) {
	f.Add("a.yaml", []byte("kind: StatefulSet\nx: 1"), []byte("kind: StatefulSet\nx: 2"))
	f.Add("kustomization.yaml", []byte("resources: [../a, {b: c}]\nsecretGenerator: [{}]"), []byte("resources: x"))
	f.Add("a.tpl", []byte("kind: {{ .x }}"), []byte(""))
	r := rulesOf(f, auto)
	f.Fuzz(func(t *testing.T, path string, before, after []byte) {
		c := onCommand()
		c.Revert.Files = []bot.FileChange{{Path: path, Before: before, After: after}}
		d := r.Decide(c)
		if d.Verb == bot.VerbAct && len(d.Reasons) > 0 || d.Verb != bot.VerbAct && len(d.Reasons) == 0 {
			t.Errorf("%s for %v", d.Verb, d.Reasons)
		}
	})
}
