// Package manifest reads Kubernetes manifests as far as ranking and guards
// need it: which objects stand in a file, and which of them differ between two
// versions of it. It renders nothing.
//
// Files come from repositories that anybody may have written to, so the work
// is proportional to their size, whatever they hold.
package manifest

import (
	"path"
	"reflect"
	"slices"
	"strings"
)

// Object is one Kubernetes object as it is written.
type Object struct {
	// APIVersion is "group/version", "v1" for the core group.
	APIVersion            string
	Kind, Namespace, Name string
	Body                  map[string]any
}

// Group is the API group, empty for the core group.
func (o Object) Group() string {
	if group, _, ok := strings.Cut(o.APIVersion, "/"); ok {
		return group
	}
	return ""
}

// Annotation returns one of the object's annotations.
func (o Object) Annotation(name string) (string, bool) {
	meta, _ := o.Body["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	v, ok := annotations[name]
	s, _ := v.(string)
	return s, ok
}

// identity tells objects of one file apart. The version is no part of it: an
// object that moves from v1beta1 to v1 stays the same object.
type identity struct{ group, kind, namespace, name string }

func (o Object) identity() identity {
	return identity{o.Group(), o.Kind, o.Namespace, o.Name}
}

// IsFile reports whether a file of this name holds manifests or values.
func IsFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(path.Ext(name)))
}

// Objects lists the Kubernetes objects of a YAML stream in the order they
// stand, those inside a List included. What has no kind is no object.
func Objects(b []byte) ([]Object, error) {
	docs, err := Documents(b)
	if err != nil {
		return nil, err
	}
	var out []Object
	for _, doc := range docs {
		out = appendObjects(out, doc)
	}
	return out, nil
}

func appendObjects(out []Object, v any) []Object {
	m, _ := v.(map[string]any)
	o := Object{Body: m}
	meta, _ := m["metadata"].(map[string]any)
	o.APIVersion, _ = m["apiVersion"].(string)
	o.Kind, _ = m["kind"].(string)
	o.Name, _ = meta["name"].(string)
	o.Namespace, _ = meta["namespace"].(string)
	items, isList := m["items"].([]any)
	for _, item := range items {
		out = appendObjects(out, item)
	}
	// Only a List is nothing but its items: a field of that name must not hide
	// an object from a guard.
	if o.Kind != "" && !(isList && strings.HasSuffix(o.Kind, "List")) {
		out = append(out, o)
	}
	return out
}

// Difference is one object that differs between two versions of a file. Before
// or After is nil where the object does not exist.
type Difference struct {
	Before, After *Object
}

// Object is the object as it is, or as it was when it is gone.
func (d Difference) Object() Object {
	if d.After != nil {
		return *d.After
	}
	return *d.Before
}

// Diff lists the objects that differ: those of after in their order, then
// those that are gone. The error is that of a version that does not parse, as
// templates do not.
func Diff(before, after []byte) ([]Difference, error) {
	was, err := Objects(before)
	if err != nil {
		return nil, err
	}
	is, err := Objects(after)
	if err != nil {
		return nil, err
	}
	// Objects that can't be told apart, such as those with a generated name,
	// are compared in the order they stand.
	old := map[identity][]*Object{}
	for i := range was {
		id := was[i].identity()
		old[id] = append(old[id], &was[i])
	}
	var out []Difference
	kept := map[*Object]bool{}
	for i := range is {
		id := is[i].identity()
		if len(old[id]) == 0 {
			out = append(out, Difference{After: &is[i]})
			continue
		}
		before := old[id][0]
		old[id], kept[before] = old[id][1:], true
		if !reflect.DeepEqual(before.Body, is[i].Body) {
			out = append(out, Difference{Before: before, After: &is[i]})
		}
	}
	for i := range was {
		if !kept[&was[i]] {
			out = append(out, Difference{Before: &was[i]})
		}
	}
	return out, nil
}
