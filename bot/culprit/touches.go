package culprit

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// object is a manifest as far as matching needs it.
type object struct {
	kind, name string
	body       map[string]any
}

// usedKinds are kinds of objects that a workload of the same name commonly
// uses. Without rendering, the name is what tells.
var usedKinds = []string{"ConfigMap", "Secret", "Service", "HorizontalPodAutoscaler", "NetworkPolicy", "ServiceAccount", "PodDisruptionBudget"}

// touches reports whether changed files change an object that the workload is
// or uses, and which.
func touches(files []bot.FileChange, w bot.Workload) (what string, hit bool) {
	for _, f := range files {
		switch base := path.Base(f.Path); {
		case isKustomization(base):
			return fmt.Sprintf("`%s`, which builds %s", f.Path, w), true
		case strings.HasPrefix(base, "values") && isYAML(base):
			return fmt.Sprintf("the values `%s`, which shape %s", f.Path, w), true
		case !isYAML(base):
			continue
		}
		for _, o := range changed(f) {
			switch {
			case o.kind == w.Kind && o.name == w.Name:
				if fields := changedFields(f, o); fields != "" {
					return fmt.Sprintf("%s of %s %s in `%s`", fields, o.kind, o.name, f.Path), true
				}
				return fmt.Sprintf("%s %s in `%s`", o.kind, o.name, f.Path), true
			case o.kind == "HelmRelease":
				return fmt.Sprintf("HelmRelease %s in `%s`", o.name, f.Path), true
			case slices.Contains(usedKinds, o.kind) && (o.name == w.Name || strings.HasPrefix(o.name, w.Name+"-")):
				return fmt.Sprintf("%s %s in `%s`, which %s uses", o.kind, o.name, f.Path, w), true
			}
		}
	}
	return "", false
}

// changed lists the objects of a file that differ, in the order they stand.
func changed(f bot.FileChange) []object {
	before, after := objects(f.Before), objects(f.After)
	var out []object
	for _, a := range after {
		i := slices.IndexFunc(before, func(b object) bool { return b.kind == a.kind && b.name == a.name })
		if i < 0 || !reflect.DeepEqual(before[i].body, a.body) {
			out = append(out, a)
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a object) bool { return a.kind == b.kind && a.name == b.name }) {
			out = append(out, b)
		}
	}
	return out
}

func objects(b []byte) []object {
	docs, err := documents(b)
	if err != nil {
		return nil
	}
	var out []object
	for _, d := range docs {
		m, _ := d.(map[string]any)
		kind, _ := m["kind"].(string)
		meta, _ := m["metadata"].(map[string]any)
		name, _ := meta["name"].(string)
		if kind != "" {
			out = append(out, object{kind: kind, name: name, body: m})
		}
	}
	return out
}

// tellingFields are the fields of a workload whose change breaks it most often.
var tellingFields = []string{"image", "env", "envFrom", "resources", "readinessProbe", "livenessProbe", "startupProbe", "replicas", "command", "args", "volumeMounts", "volumes"}

// changedFields names the telling fields of an object that differ between the
// two sides of a file.
func changedFields(f bot.FileChange, o object) string {
	pick := func(b []byte) map[string]any {
		for _, c := range objects(b) {
			if c.kind == o.kind && c.name == o.name {
				return c.body
			}
		}
		return nil
	}
	before, after := pick(f.Before), pick(f.After)
	if before == nil || after == nil {
		return ""
	}
	var out []string
	for _, field := range tellingFields {
		if !reflect.DeepEqual(collect(before, field), collect(after, field)) {
			out = append(out, field)
		}
	}
	return strings.Join(out, ", ")
}

// collect gathers the values of a field wherever it stands in an object, in a
// stable order.
func collect(v any, field string) []any {
	var out []any
	switch t := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(t))
		for k := range t {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if k == field {
				out = append(out, t[k])
				continue
			}
			out = append(out, collect(t[k], field)...)
		}
	case []any:
		for _, e := range t {
			out = append(out, collect(e, field)...)
		}
	}
	return out
}
