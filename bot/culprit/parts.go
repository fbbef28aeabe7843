package culprit

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// Parts are what a workload is made of, as far as the manifests tell without
// rendering: files, and objects as "Kind/name", each with the reason.
type Parts struct {
	Files, Objects map[string]string
}

// maxManifests bounds how many files below a closure are read for one workload.
const maxManifests = 4000

// placed is an object and the file that it stands in.
type placed struct {
	manifest.Object
	file string
}

// PartsOf looks for a workload below the closure and for what it uses and what
// acts on it: ConfigMaps, Secrets, claims and accounts that it names, Services,
// policies and scalers that select it, generators and images of kustomizations,
// the values of its release. Nothing found: nothing is known.
func PartsOf(tree fs.FS, closure []string, w bot.Workload) Parts {
	p := Parts{map[string]string{}, map[string]string{}}
	objects, kustomizations := scan(tree, closure)
	var seeds []placed
	for _, o := range objects {
		if o.Kind == w.Kind && related(o.Name, w.Name) || o.Kind == "HelmRelease" && related(o.Name, w.Name) {
			seeds = append(seeds, o)
			p.file(o.file, fmt.Sprintf("where %s %s stands", o.Kind, o.Name))
		}
	}
	for _, seed := range seeds {
		uses := map[string]string{}
		used(seed.Body, "", uses)
		p.images(seed.Body, seed)
		for _, o := range objects {
			if field, ok := uses[o.Kind+"/"+o.Name]; ok {
				p.object(o, fmt.Sprintf("which %s %s uses as %s", seed.Kind, seed.Name, field))
			} else if selects(o.Object, seed) {
				p.object(o, fmt.Sprintf("which selects %s %s", seed.Kind, seed.Name))
			}
		}
		for _, file := range slices.Sorted(maps.Keys(kustomizations)) {
			p.kustomization(file, kustomizations[file], seed, uses)
		}
	}
	return p
}

func (p Parts) file(name, why string) {
	if _, known := p.Files[name]; !known {
		p.Files[name] = why
	}
}

func (p Parts) object(o placed, why string) {
	if id := o.Kind + "/" + o.Name; p.Objects[id] == "" {
		p.Objects[id] = why
	}
	p.file(o.file, fmt.Sprintf("where %s %s stands, %s", o.Kind, o.Name, why))
}

// kustomization adds the files that generators read for what a workload uses.
func (p Parts) kustomization(file string, k map[string]any, seed placed, uses map[string]string) {
	for _, kind := range []string{"ConfigMap", "Secret"} {
		list, _ := k[strings.ToLower(kind[:1])+kind[1:]+"Generator"].([]any)
		for _, e := range list {
			g, _ := e.(map[string]any)
			name, _ := g["name"].(string)
			field, ok := uses[kind+"/"+name]
			if !ok {
				continue
			}
			p.Objects[kind+"/"+name] = fmt.Sprintf("which %s %s uses as %s", seed.Kind, seed.Name, field)
			why := fmt.Sprintf("from which %s %s is generated, which %s %s uses as %s", kind, name, seed.Kind, seed.Name, field)
			for _, ref := range texts(g["files"], g["envs"], g["env"]) {
				if _, after, cut := strings.Cut(ref, "="); cut {
					ref = after
				}
				p.file(path.Join(path.Dir(file), ref), why)
			}
		}
	}
}

// texts are the texts among some values and lists of them.
func texts(values ...any) []string {
	var out []string
	for _, v := range values {
		switch t := v.(type) {
		case string:
			out = append(out, t)
		case []any:
			out = append(out, texts(t...)...)
		}
	}
	return out
}

// usedBy are the fields by which objects name others, and the kind that they
// name (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/).
var usedBy = map[string]string{
	"configMapRef": "ConfigMap", "configMapKeyRef": "ConfigMap", "configMap": "ConfigMap",
	"secretRef": "Secret", "secretKeyRef": "Secret", "secret": "Secret",
	"persistentVolumeClaim": "PersistentVolumeClaim", "serviceAccountName": "ServiceAccount",
	"existingClaim": "PersistentVolumeClaim", "existingSecret": "Secret",
}

// used collects "Kind/name" of what a body names, with the field.
func used(v any, field string, into map[string]string) {
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			used(e, field, into)
		}
	case string:
		name(usedBy[field], t, field, into)
	case map[string]any:
		for _, key := range []string{"name", "secretName", "claimName"} {
			name(usedBy[field], t[key], field, into)
		}
		if kind, _ := t["kind"].(string); kind == "ConfigMap" || kind == "Secret" { // valuesFrom of a HelmRelease
			name(kind, t["name"], field, into)
		}
		for _, k := range slices.Sorted(maps.Keys(t)) {
			used(t[k], k, into)
		}
	}
}

// name notes that an object is named by a field; the first field counts.
func name(kind string, v any, field string, into map[string]string) {
	n, _ := v.(string)
	if id := kind + "/" + n; kind != "" && n != "" && into[id] == "" {
		into[id] = field
	}
}

// selects reports whether an object acts on a workload: by its labels, or by
// its name.
func selects(o manifest.Object, w placed) bool {
	spec, _ := o.Body["spec"].(map[string]any)
	for _, key := range []string{"scaleTargetRef", "targetRef"} {
		if ref, ok := spec[key].(map[string]any); ok {
			return ref["kind"] == w.Kind && ref["name"] == w.Name
		}
	}
	var wanted map[string]any
	switch o.Kind {
	case "Service":
		wanted, _ = spec["selector"].(map[string]any)
	case "NetworkPolicy":
		wanted, _ = dig(spec, "podSelector", "matchLabels").(map[string]any)
	case "PodDisruptionBudget", "PodMonitor":
		wanted, _ = dig(spec, "selector", "matchLabels").(map[string]any)
	}
	labels, _ := dig(w.Body, "spec", "template", "metadata", "labels").(map[string]any)
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return len(wanted) > 0
}

func dig(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// scan reads the manifests and the kustomizations below a closure. What does not
// parse, as templates do not, is passed over.
func scan(tree fs.FS, closure []string) (objects []placed, kustomizations map[string]map[string]any) {
	kustomizations = map[string]map[string]any{}
	n := 0
	for _, root := range closure {
		_ = fs.WalkDir(tree, clean(root), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || n >= maxManifests || !d.Type().IsRegular() || !manifest.IsFile(p) && !isKustomization(path.Base(p)) {
				return nil //nolint:nilerr // what can't be read tells nothing
			}
			n++
			b, err := fs.ReadFile(tree, p)
			if err != nil || len(b) > maxReference {
				return nil //nolint:nilerr // as above
			}
			if isKustomization(path.Base(p)) {
				kustomizations[p] = body(b)
				return nil
			}
			all, _ := manifest.Objects(b)
			for _, o := range all {
				objects = append(objects, placed{o, p})
			}
			return nil
		})
	}
	return objects, kustomizations
}

// bearing is what a candidate has to do with the failing workload: what its
// changed objects tell, and else what its files are parts of.
func (p Parts) bearing(files []bot.FileChange, app bot.App, w bot.Workload) (what string, b bearing) {
	for _, f := range files {
		s, fb := touchesFile(f, app, w)
		if why, ok := p.Files[f.Path]; ok && fb == bearsMaybe {
			s, fb = fmt.Sprintf("`%s`, %s,", f.Path, why), bears
		}
		if fb == bearsMaybe && isKustomization(path.Base(f.Path)) {
			if what, kb := p.kustomized(f, w); kb != bearsMaybe {
				s, fb = what, kb
			}
		}
		if fb != bears {
			if t := p.changed(f); t != "" {
				s, fb = t, bears
			}
		}
		if fb > b {
			what, b = s, fb
		}
	}
	return what, b
}

// changed names the first object among what differs in a file that is a part.
func (p Parts) changed(f bot.FileChange) string {
	diffs, err := manifest.Diff(f.Before, f.After)
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(diffs, func(d manifest.Difference) bool { return p.Objects[d.Object().Kind+"/"+d.Object().Name] != "" })
	if i < 0 {
		return ""
	}
	o := diffs[i].Object()
	return fmt.Sprintf("%s %s in `%s`, %s,", o.Kind, o.Name, f.Path, p.Objects[o.Kind+"/"+o.Name])
}
