package culprit

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

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
		case strings.HasPrefix(base, "values") && manifest.IsFile(base):
			return fmt.Sprintf("the values `%s`, which shape %s", f.Path, w), true
		case !manifest.IsFile(base):
			continue
		}
		diffs, err := manifest.Diff(f.Before, f.After)
		if err != nil {
			continue
		}
		for _, d := range diffs {
			if what := uses(d, w); what != "" {
				return fmt.Sprintf("%s in `%s`", what, f.Path), true
			}
		}
	}
	return "", false
}

// uses says what the workload is or uses of a changed object; "" for nothing.
func uses(d manifest.Difference, w bot.Workload) string {
	o := d.Object()
	switch {
	case o.Kind == w.Kind && o.Name == w.Name:
		if fields := changedFields(d); fields != "" {
			return fmt.Sprintf("%s of %s %s", fields, o.Kind, o.Name)
		}
		return fmt.Sprintf("%s %s", o.Kind, o.Name)
	case o.Kind == "HelmRelease":
		return fmt.Sprintf("HelmRelease %s", o.Name)
	case slices.Contains(usedKinds, o.Kind) && (o.Name == w.Name || strings.HasPrefix(o.Name, w.Name+"-")):
		return fmt.Sprintf("%s %s, which %s uses,", o.Kind, o.Name, w)
	}
	return ""
}

// tellingFields are the fields of a workload whose change breaks it most often.
var tellingFields = []string{"image", "env", "envFrom", "resources", "readinessProbe", "livenessProbe", "startupProbe", "replicas", "command", "args", "volumeMounts", "volumes"}

// changedFields names the telling fields that differ.
func changedFields(d manifest.Difference) string {
	if d.Before == nil || d.After == nil {
		return ""
	}
	var out []string
	for _, field := range tellingFields {
		if !reflect.DeepEqual(collect(d.Before.Body, field), collect(d.After.Body, field)) {
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
