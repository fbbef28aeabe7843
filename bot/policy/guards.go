package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// guard is a danger in what a revert writes.
type guard struct{ name, text string }

// sensitive are the kinds whose change a person must approve.
var sensitive = map[string]guard{
	"StatefulSet":              {guardStateful, "changes a StatefulSet: data may not survive going back"},
	"CustomResourceDefinition": {"crd", "changes a CustomResourceDefinition: stored objects may become unreadable"},
	"PersistentVolumeClaim":    {"pvc", "changes a PersistentVolumeClaim: data may be deleted"},
	"PersistentVolume":         {"pvc", "changes a PersistentVolume: data may be deleted"},
	"StorageClass":             {"storageclass", "changes a StorageClass, on which volumes depend"},
	"Namespace":                {"namespace", "changes a Namespace: deleting one deletes all in it"},
}

// deleting are the kinds whose deletion a person must approve.
var deleting = map[string]guard{
	"Secret":         {guardSecret, "deletes a Secret"},
	"SealedSecret":   {guardSecret, "deletes a SealedSecret, and with it the Secret"},
	"ExternalSecret": {guardSecret, "deletes an ExternalSecret, and with it the Secret"},
	"HelmRelease":    {guardDelivers, "deletes a HelmRelease, and with it all that it delivers"},
	"Application":    {guardDelivers, "deletes an Application, and with it all that it delivers"},
	"ApplicationSet": {guardDelivers, "deletes an ApplicationSet, and with it all that it delivers"},
	fluxKind:         {guardDelivers, "deletes a Flux Kustomization, and with it all that it delivers"},
}

// fluxKind stands for Flux's kind of that name: kustomize has one, too.
const (
	fluxKind  = "Kustomization of Flux"
	fluxGroup = "kustomize.toolkit.fluxcd.io"
)

// stores are API groups of operators that run databases and queues. Their
// objects are StatefulSets in disguise.
var stores = []string{
	"postgresql.cnpg.io", "acid.zalan.do", "postgres-operator.crunchydata.com", "mysql.oracle.com", "k8s.mariadb.com",
	"pxc.percona.com", "psmdb.percona.com", "pgv2.percona.com", "mongodbcommunity.mongodb.com", "kafka.strimzi.io", "rabbitmq.com",
	"elasticsearch.k8s.elastic.co", "opensearch.opster.io", "redis.redis.opstreelabs.in", "clickhouse.altinity.com",
	"k8ssandra.io", "scylla.scylladb.com", "nats.io", "etcd.database.coreos.com",
}

// workflows is where a write needs a permission that Backout does not ask for
// (https://docs.github.com/apps: "workflows").
const workflows = ".github/workflows/"

// guards looks at what the revert writes: each danger is named once, with the
// first file that raises it. Whatever can't be understood is a danger, too.
func (v *verdict) guards(c bot.Case) {
	seen := map[string]bool{}
	stateful := slices.ContainsFunc(c.Target, runsStateful)
	for _, f := range c.Revert.Files {
		if strings.HasPrefix(f.Path, workflows) {
			v.lower(bot.VerbRefuse, "touches-workflows", "The revert changes `%s`, which needs a permission that Backout does not have.", f.Path)
			continue
		}
		if f.Path == bot.PolicyPath && !seen[guardPolicy] {
			seen[guardPolicy] = true
			v.lower(bot.VerbAsk, guardPolicy, "The revert changes `%s`, which says what Backout may do.", f.Path)
		}
		for _, g := range append(fileGuards(f, c.Revert.Files, stateful), patternGuards(f, v.policy.Migrations)...) {
			if !seen[g.name] {
				seen[g.name] = true
				v.lower(bot.VerbAsk, g.name, "The revert %s (`%s`).", g.text, f.Path)
			}
		}
	}
}

func runsStateful(a bot.App) bool {
	return slices.ContainsFunc(a.Workloads, func(w bot.Workload) bool { return w.Kind == "StatefulSet" })
}

// fileGuards lists the dangers in one file. all are the revert's files, and
// stateful says that the target App runs a StatefulSet.
func fileGuards(f bot.FileChange, all []bot.FileChange, stateful bool) []guard {
	var out []guard
	ext := strings.ToLower(path.Ext(f.Path))
	switch {
	case special(f.BeforeMode) || special(f.AfterMode):
		return []guard{{guardOpaque, "changes a link or a submodule, and what that brings is not known"}}
	case f.BeforeMode != "" && f.Before == nil, f.AfterMode != "" && f.After == nil:
		return []guard{{guardOpaque, "changes a file whose contents could not be read"}}
	case slices.Contains(documentation, ext):
		return nil
	case migration.MatchString(f.Path), ext == ".sql":
		out = append(out, guard{guardMigration, "changes what looks like a database migration; a revert runs no migration backwards"})
	}
	kustomization := isKustomization(f.Path)
	if !kustomization && !manifest.IsFile(f.Path) {
		return append(out, textGuards(f, slices.Contains(templates, ext), stateful)...)
	}
	if kustomization {
		out = append(out, buildGuards(f, all)...)
	}
	diffs, err := manifest.Diff(f.Before, f.After)
	if err != nil {
		return append(out, textGuards(f, true, stateful)...)
	}
	same, err := manifest.Same(f.Before, f.After)
	if stateful && (kustomization || len(diffs) == 0) && !(same && err == nil) {
		// Values, a patch, a kustomization: no object, but what objects are made of.
		out = append(out, guard{guardStateful, "changes what may shape a StatefulSet: data may not survive going back"})
	}
	for _, d := range diffs {
		out = append(out, objectGuards(d, stateful)...)
	}
	return out
}

// The endings of files that nothing applies, and of templates that are no YAML.
var (
	documentation = []string{".md", ".markdown", ".rst", ".adoc"}
	templates     = []string{".tpl", ".tmpl", ".gotmpl"}
)

// special reports whether a git mode is that of a symlink or a submodule.
func special(mode string) bool { return strings.HasPrefix(mode, "12") || strings.HasPrefix(mode, "16") }

// objectGuards lists the dangers in one object that differs.
func objectGuards(d manifest.Difference, stateful bool) []guard {
	var out []guard
	o := d.Object()
	kind := o.Kind
	if kind == "Kustomization" && o.Group() == fluxGroup {
		kind = fluxKind
	}
	if g, ok := sensitive[kind]; ok {
		out = append(out, g)
	}
	if g, ok := deleting[kind]; ok && d.After == nil {
		out = append(out, g)
	}
	if slices.Contains(stores, o.Group()) {
		out = append(out, guard{guardStateful, "changes a " + o.Kind + " of " + o.Group() + ": data may not survive going back"})
	}
	if stateful && (kind == "HelmRelease" || kind == "Application") {
		out = append(out, guard{guardStateful, "changes a " + kind + " that may run a StatefulSet: data may not survive going back"})
	}
	if migrates(d.Before) || migrates(d.After) {
		out = append(out, guard{guardMigration, "changes a hook, or what runs a migration; a revert runs no migration backwards"})
	}
	return out
}
