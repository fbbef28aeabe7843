package policy

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// sensitive are the kinds whose change a person must approve, each with the
// name of its guard and the reason.
var sensitive = map[string]bot.Reason{
	"StatefulSet":              {Name: "stateful", Text: "changes a StatefulSet: data may not survive going back"},
	"CustomResourceDefinition": {Name: "crd", Text: "changes a CustomResourceDefinition: stored objects may become unreadable"},
	"PersistentVolumeClaim":    {Name: "pvc", Text: "changes a PersistentVolumeClaim: data may be deleted"},
	"PersistentVolume":         {Name: "pvc", Text: "changes a PersistentVolume: data may be deleted"},
	"StorageClass":             {Name: "storageclass", Text: "changes a StorageClass"},
	"Namespace":                {Name: "namespace", Text: "changes a Namespace: deleting one deletes all in it"},
}

var (
	kindLine  = regexp.MustCompile(`(?m)^\s*["']?kind["']?\s*:\s*["']?([A-Za-z]+)`)
	migration = regexp.MustCompile(`(?i)(^|[/_.-])(migrations?|migrate|flyway|liquibase|alembic|goose)([/_.-]|$)`)
	hook      = regexp.MustCompile(`(helm\.sh/hook|argocd\.argoproj\.io/hook)["']?\s*:`)
)

// guards looks at what the revert writes. Contents that can't be parsed
// (templates) are searched as text, and then anything sensitive in the file
// counts as changed.
func (v *verdict) guards(c bot.Case) {
	seen := map[string]bool{}
	ask := func(name, format string, args ...any) {
		if !seen[name] {
			seen[name] = true
			v.lower(bot.VerbAsk, name, format, args...)
		}
	}
	stateful := slices.ContainsFunc(c.Target, func(a bot.App) bool {
		return slices.ContainsFunc(a.Workloads, func(w bot.Workload) bool { return w.Kind == "StatefulSet" })
	})
	for _, f := range c.Revert.Files {
		if strings.HasPrefix(f.Path, ".github/workflows/") {
			v.lower(bot.VerbRefuse, "touches-workflows", "The revert changes `%s`, which needs a permission that Backout does not have.", f.Path)
			continue
		}
		if migration.MatchString(f.Path) || strings.HasSuffix(f.Path, ".sql") {
			ask("migration", "The revert changes `%s`, which looks like a database migration; reverts do not run migrations backwards.", f.Path)
		}
		base := path.Base(f.Path)
		if stateful && (strings.HasPrefix(base, "values") || strings.EqualFold(strings.TrimSuffix(base, path.Ext(base)), "kustomization")) {
			ask("stateful", "The revert changes `%s`, which may shape a StatefulSet: data may not survive going back.", f.Path)
		}
		for _, kind := range changedKinds(f) {
			if r, ok := sensitive[kind.kind]; ok {
				ask(r.Name, "The revert %s (`%s`).", r.Text, f.Path)
			}
			if kind.kind == "Secret" && kind.deleted {
				ask("secret", "The revert deletes a Secret (`%s`).", f.Path)
			}
			if kind.kind == "Job" && (migration.MatchString(kind.name) || kind.hook) || kind.hook {
				ask("migration", "The revert changes a hook or migration Job (`%s`); reverts do not run migrations backwards.", f.Path)
			}
		}
	}
}

// changedKind is one object of a file that the revert changes.
type changedKind struct {
	kind, name    string
	deleted, hook bool
}

// changedKinds lists the objects of a file that differ before and after.
func changedKinds(f bot.FileChange) []changedKind {
	if !manifest.IsFile(f.Path) && path.Ext(f.Path) != ".tpl" {
		return nil
	}
	diffs, err := manifest.Diff(f.Before, f.After)
	if err != nil {
		return textKinds(f)
	}
	var out []changedKind
	for _, d := range diffs {
		o := d.Object()
		out = append(out, changedKind{kind: o.Kind, name: o.Name, deleted: d.After == nil, hook: isHook(o)})
	}
	return out
}

// textKinds finds kinds in what does not parse.
func textKinds(f bot.FileChange) []changedKind {
	text := string(f.Before) + "\n" + string(f.After)
	var out []changedKind
	for _, m := range kindLine.FindAllStringSubmatch(text, -1) {
		deleted := m[1] == "Secret" && strings.Count(string(f.After), "Secret") < strings.Count(string(f.Before), "Secret")
		out = append(out, changedKind{kind: m[1], deleted: deleted, hook: hook.MatchString(text)})
	}
	return out
}

func isHook(o manifest.Object) bool {
	_, helm := o.Annotation("helm.sh/hook")
	_, argo := o.Annotation("argocd.argoproj.io/hook")
	return helm || argo
}
