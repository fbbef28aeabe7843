// Package manifest reads Kubernetes manifests as far as ranking and guards
// need it: which objects stand in a file, and which of them differ between two
// versions of it. It renders nothing.
package manifest

import (
	"bytes"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Object is one Kubernetes object as it is written.
type Object struct {
	Kind, Namespace, Name string
	Body                  map[string]any
}

// Annotation returns one of the object's annotations.
func (o Object) Annotation(name string) (string, bool) {
	meta, _ := o.Body["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	v, ok := annotations[name]
	s, _ := v.(string)
	return s, ok
}

func (o Object) same(p Object) bool {
	return o.Kind == p.Kind && o.Namespace == p.Namespace && o.Name == p.Name
}

// IsFile reports whether a file of this name holds manifests or values.
func IsFile(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// Documents decodes every document of a YAML stream. Empty ones are left out,
// so that comments and separators do not count.
func Documents(b []byte) ([]any, error) {
	var out []any
	for i, part := range split(b) {
		var v any
		if err := yaml.Unmarshal(part, &v); err != nil {
			return nil, fmt.Errorf("parse document %d: %w", i+1, err)
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out, nil
}

// split cuts a YAML stream at its document separators.
func split(b []byte) [][]byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	var out [][]byte
	var part []byte
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("---")) {
			out, part = append(out, part), nil
			continue
		}
		part = append(part, line...)
	}
	return append(out, part)
}

// Objects lists the Kubernetes objects of a YAML stream in the order they
// stand, those inside a List included.
func Objects(b []byte) ([]Object, error) {
	docs, err := Documents(b)
	if err != nil {
		return nil, err
	}
	var out []Object
	for len(docs) > 0 {
		m, _ := docs[0].(map[string]any)
		docs = docs[1:]
		if items, ok := m["items"].([]any); ok {
			docs = append(slices.Clone(items), docs...)
			continue
		}
		o := Object{Body: m}
		meta, _ := m["metadata"].(map[string]any)
		o.Kind, _ = m["kind"].(string)
		o.Name, _ = meta["name"].(string)
		o.Namespace, _ = meta["namespace"].(string)
		if o.Kind != "" {
			out = append(out, o)
		}
	}
	return out, nil
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

// Diff lists the objects that differ, those of after first. The error is that
// of a version that does not parse, as templates do not.
func Diff(before, after []byte) ([]Difference, error) {
	was, err := Objects(before)
	if err != nil {
		return nil, err
	}
	is, err := Objects(after)
	if err != nil {
		return nil, err
	}
	var out []Difference
	for i := range is {
		k := slices.IndexFunc(was, is[i].same)
		switch {
		case k < 0:
			out = append(out, Difference{After: &is[i]})
		case !reflect.DeepEqual(was[k].Body, is[i].Body):
			out = append(out, Difference{Before: &was[k], After: &is[i]})
		}
	}
	for i := range was {
		if !slices.ContainsFunc(is, was[i].same) {
			out = append(out, Difference{Before: &was[i]})
		}
	}
	return out, nil
}
