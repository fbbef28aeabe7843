package culprit

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// tellingFields are the fields of a workload whose change breaks it most often.
var tellingFields = []string{"image", "env", "envFrom", "resources", "readinessProbe", "livenessProbe", "startupProbe", "replicas", "command", "args", "volumeMounts", "volumes"}

// changedFields names the telling fields that differ.
func changedFields(d manifest.Difference) string {
	if d.Before == nil || d.After == nil {
		return ""
	}
	before, after := map[string][]any{}, map[string][]any{}
	collect(d.Before.Body, before)
	collect(d.After.Body, after)
	var out []string
	for _, field := range tellingFields {
		if !reflect.DeepEqual(before[field], after[field]) {
			out = append(out, field)
		}
	}
	return strings.Join(out, ", ")
}

// collect gathers the values of the telling fields wherever they stand in an
// object, in a stable order.
func collect(v any, into map[string][]any) {
	switch t := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(t)) {
			if slices.Contains(tellingFields, k) {
				into[k] = append(into[k], t[k])
				continue
			}
			collect(t[k], into)
		}
	case []any:
		for _, e := range t {
			collect(e, into)
		}
	}
}

// everyObject are the keys of a kustomization, and of the values of a chart
// with parts, that hold for all objects.
var everyObject = []string{"namePrefix", "nameSuffix", "namespace", "labels", "commonLabels", "commonAnnotations", "global"}

// shapes reports whether what differs in a kustomization or in values names
// the workload, or holds for every object.
func shapes(f bot.FileChange, w bot.Workload) bool {
	before, after := body(f.Before), body(f.After)
	for _, key := range everyObject {
		if !reflect.DeepEqual(before[key], after[key]) {
			return true
		}
	}
	return differsBy(before, after, w)
}

// differsBy reports whether the workload's name is among what differs.
func differsBy(was, is any, w bot.Workload) bool {
	before, okB := was.(map[string]any)
	after, okA := is.(map[string]any)
	if !okA || !okB {
		return names(only(was, is), w) || names(only(is, was), w)
	}
	for _, m := range []map[string]any{before, after} {
		for k := range m {
			if !reflect.DeepEqual(before[k], after[k]) && (related(k, w.Name) || differsBy(before[k], after[k], w)) {
				return true
			}
		}
	}
	return false
}

// body is the first document of a file, if it is a map.
func body(b []byte) map[string]any {
	docs, err := manifest.Documents(b)
	if err != nil || len(docs) == 0 {
		return nil
	}
	m, _ := docs[0].(map[string]any)
	return m
}

// only keeps the entries of a list that the other one does not have; what is
// no list is kept whole.
func only(v, other any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	have := map[string]bool{}
	rest, _ := other.([]any)
	for _, e := range rest {
		have[fmt.Sprint(e)] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(e any) bool { return have[fmt.Sprint(e)] })
}

// names reports whether a text in v, or a key of it, is the workload's name:
// as it stands, or as the last part of an image or a path.
func names(v any, w bot.Workload) bool {
	switch t := v.(type) {
	case string:
		base := path.Base(t)
		return related(base, w.Name) || related(strings.TrimSuffix(base, path.Ext(base)), w.Name)
	case []any:
		return slices.ContainsFunc(t, func(e any) bool { return names(e, w) })
	case map[string]any:
		for k, e := range t {
			if related(k, w.Name) || names(e, w) {
				return true
			}
		}
	}
	return false
}
