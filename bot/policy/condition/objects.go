package condition

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// The bounds of what objects are read from and of what they hold, before and
// after together.
const (
	mostBytes  = 4 << 20
	mostValues = 50_000
	deepest    = 100
)

// objects are those that differ, or why that can't be told.
type objects struct {
	list []any
	why  string
}

// readObjects reads every object that the revert changes. One file that may
// hold objects and can't be read leaves the whole untold: a guard must not pass
// because its object stands where nobody could look.
func readObjects(fs []bot.FileChange) *objects {
	out := &objects{list: []any{}}
	left := budget{bytes: mostBytes, values: mostValues}
	for _, f := range fs {
		if !mayHoldObjects(f) {
			continue
		}
		if left.bytes -= len(f.Before) + len(f.After); left.bytes < 0 {
			return tooLarge()
		}
		diffs, why := diff(f)
		if why != "" {
			return &objects{why: fmt.Sprintf("Its condition looks at the objects that the revert changes, and `%s` %s.", brief(f.Path), why)}
		}
		for _, d := range diffs {
			fields, ok := differing(d, &left)
			if !ok {
				return tooLarge()
			}
			out.list = append(out.list, entry(f.Path, d, fields))
		}
	}
	return out
}

func tooLarge() *objects { return &objects{why: "The revert changes too much to judge."} }

// mayHoldObjects reports whether a file can bring objects: manifests, templates
// of them, and what leads elsewhere.
func mayHoldObjects(f bot.FileChange) bool {
	templates := []string{".tpl", ".tmpl", ".gotmpl"}
	return special(f) || manifest.IsFile(f.Path) || path.Base(f.Path) == "Kustomization" ||
		slices.Contains(templates, strings.ToLower(path.Ext(f.Path)))
}

// special reports whether a file is or was a symlink or a submodule.
func special(f bot.FileChange) bool {
	for _, mode := range []string{f.BeforeMode, f.AfterMode} {
		if strings.HasPrefix(mode, "12") || strings.HasPrefix(mode, "16") {
			return true
		}
	}
	return false
}

func diff(f bot.FileChange) (out []manifest.Difference, why string) {
	switch {
	case special(f):
		return nil, "is a link or a submodule"
	case f.BeforeMode != "" && f.Before == nil, f.AfterMode != "" && f.After == nil:
		return nil, "could not be read"
	}
	out, err := manifest.Diff(f.Before, f.After)
	if err != nil || !manifest.IsFile(f.Path) && path.Base(f.Path) != "Kustomization" {
		return nil, "is not plain YAML, so what it holds can't be told"
	}
	return out, ""
}

func entry(file string, d manifest.Difference, fields []string) map[string]any {
	o := d.Object()
	out := map[string]any{
		"path": file, "status": status(d.Before != nil, d.After != nil),
		"group": o.Group(), "kind": o.Kind, "namespace": o.Namespace, "name": o.Name, "fields": fields,
	}
	if d.Before != nil {
		out["before"] = d.Before.Body
	}
	if d.After != nil {
		out["after"] = d.After.Body
	}
	return out
}
