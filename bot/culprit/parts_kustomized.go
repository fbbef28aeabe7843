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

// imageKind is the kind under which Parts.Objects has the images that a workload
// runs, by their names without tag and digest. It is no kind of Kubernetes.
const imageKind = "Image"

// images notes the images that a body names.
func (p Parts) images(v any, seed placed) {
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			p.images(e, seed)
		}
	case map[string]any:
		for k, e := range t {
			if text, ok := e.(string); ok && k == "image" {
				p.Objects[imageKind+"/"+imageName(text)] = fmt.Sprintf("which %s %s runs", seed.Kind, seed.Name)
			}
			p.images(e, seed)
		}
	}
}

// imageName is an image without its tag and digest.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		return image[:colon]
	}
	return image
}

// kustomized is what the change of a kustomization has to do with a workload that
// stands in a manifest, as far as its fields tell; bearsMaybe as soon as one does
// not. A release is made elsewhere, so of one nothing is told.
func (p Parts) kustomized(f bot.FileChange, w bot.Workload) (what string, b bearing) {
	before, after := body(f.Before), body(f.After)
	if len(p.Files) == 0 || w.Kind == "HelmRelease" || before == nil || after == nil {
		return "", bearsMaybe
	}
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if reflect.DeepEqual(before[key], after[key]) {
			continue
		}
		old, _ := before[key].([]any)
		now, _ := after[key].([]any)
		for _, e := range append(entries(old, now), entries(now, old)...) {
			s, eb := p.entry(key, e, path.Dir(f.Path), w)
			if eb > b {
				what, b = s, eb
			}
		}
		if !slices.Contains([]string{"images", "resources", "bases", "configMapGenerator", "secretGenerator", "patches"}, key) {
			b = max(b, bearsMaybe)
		}
	}
	if b == bears {
		what = fmt.Sprintf("%s in `%s`,", what, f.Path)
	}
	return what, b
}

// entries are those of a list that the other one does not have.
func entries(list, other []any) []any {
	rest, _ := only(list, other).([]any)
	return rest
}

// entry is what one entry of a kustomization's field has to do with a workload.
func (p Parts) entry(key string, e any, dir string, w bot.Workload) (string, bearing) {
	m, _ := e.(map[string]any)
	name, _ := m["name"].(string)
	part := func(kind string) (string, bearing) {
		if why, ok := p.Objects[kind+"/"+name]; ok {
			return fmt.Sprintf("%s %s, %s,", strings.ToLower(kind), name, why), bears
		}
		return "", bearsNot
	}
	switch key {
	case "images":
		return part(imageKind)
	case "configMapGenerator":
		return part("ConfigMap")
	case "secretGenerator":
		return part("Secret")
	case "resources", "bases":
		ref, ok := e.(string)
		if !ok {
			return "", bearsMaybe
		}
		at := path.Join(dir, ref)
		for file, why := range p.Files {
			if !strings.Contains(ref, "://") && (file == at || strings.HasPrefix(file, at+"/")) {
				return fmt.Sprintf("the resource `%s`, %s,", ref, why), bears
			}
		}
		return "", bearsNot // it brings other objects
	case "patches":
		return patched(m, w)
	}
	return "", bearsMaybe
}

// patched is what a patch has to do with a workload: that of its target or, where
// it is written out, of the objects in it.
func patched(patch map[string]any, w bot.Workload) (string, bearing) {
	if kind, name := dig(patch, "target", "kind"), dig(patch, "target", "name"); kind != nil && name != nil {
		if n, _ := name.(string); kind == w.Kind && related(n, w.Name) {
			return "a patch of " + w.String(), bears
		}
		return "", bearsNot
	}
	text, _ := patch["patch"].(string)
	objects, err := manifest.Objects([]byte(text))
	if err != nil || len(objects) == 0 {
		return "", bearsMaybe
	}
	for _, o := range objects {
		if o.Kind == w.Kind && related(o.Name, w.Name) {
			return "a patch of " + w.String(), bears
		}
	}
	return "", bearsNot
}
